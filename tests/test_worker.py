"""The C worker (src/worker), driven by this test in the place of pbt.

    test_worker.py BUILD_DIR
"""
import os
import shutil
import socket
import sys
import tempfile
import unittest

from driven import Worker

BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else 'build')
TOY = [BUILD + '/examples/toy']
BAD_TOY = [BUILD + '/tests/bad_toy']
LONG = 10 ** 9  # a grant that is never used up


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='test_worker.')
        self.log = self.dir + '/log'
        self.addCleanup(shutil.rmtree, self.dir)

    def worker(self, command=None, **env):
        worker = Worker(command or BAD_TOY, self.log, env)
        self.addCleanup(worker.__exit__)
        return worker

    def started(self, command=None, config=None, **env):
        """A worker after hello and start."""
        worker = self.worker(command, **env)
        self.assertEqual(worker.next()['type'], 'hello')
        self.assertEqual(worker.start(config or {'lr': 0.01})['type'], 'ready')
        return worker

    def said(self):
        """What the workers of this test have printed."""
        with open(self.log) as log:
            return log.read()

    def text(self, *path):
        with open(os.path.join(self.dir, *path)) as file:
            return file.read()

    def expect_stop(self, worker):
        """Nothing was left to be said, and it ends well."""
        worker.say('stop')
        self.assertIsNone(worker.next())
        self.assertEqual(worker.wait(), 0)

    def expect_error(self, worker, *parts):
        """An error that says so, and the end."""
        message = worker.next()
        self.assertEqual(message['type'], 'error', message)
        for part in parts:
            self.assertIn(part, message['text'])
            self.assertIn(part, self.said())
        self.assertIsNone(worker.next())
        self.assertEqual(worker.wait(), 1)


class Conversation(Case):
    def test_hello_comes_unasked(self):
        worker = self.worker(TOY)
        hello = worker.next()
        self.assertEqual(hello, {
            'type': 'hello', 'protocol': 1, 'client': hello['client'],
            'capabilities': ['reset_config', 'reuse'], 'pid': worker.process.pid,
            'host': socket.gethostname()})

    def test_start_is_answered_with_what_is_in_force(self):
        worker = self.worker(TOY)
        worker.next()
        config = {'lr': 0.01, 'other': {'deep': [1, None, 'ü']}}
        ready = worker.start(config, iteration=4, total=2.5, epoch=1048577)
        self.assertEqual(ready, {'type': 'ready', 'epoch': 1048577,
                                 'iteration': 4, 'checkpoint': None,
                                 'config': config})
        result = worker.run(5)[0]
        self.assertEqual((result['iteration'], result['seq']), (5, 1))
        self.assertGreaterEqual(result['time_total_s'], 2.5)
        self.expect_stop(worker)

    def test_a_grant_is_reported_step_by_step(self):
        worker = self.started(TOY)
        results = worker.run(3)
        self.assertEqual([(r['seq'], r['iteration'], r['halted'])
                          for r in results],
                         [(1, 1, False), (2, 2, False), (3, 3, True)])
        results += worker.run(5)
        total = 0
        for result in results:
            self.assertEqual(result['type'], 'result')
            self.assertEqual(result['epoch'], 1)
            self.assertEqual(list(result['metrics']), ['score'])
            total += result['time_this_iter_s']
            self.assertAlmostEqual(result['time_total_s'], total)
        self.assertEqual(len(results), 5)
        self.expect_stop(worker)

    def test_a_grant_at_or_below_the_iteration_does_nothing(self):
        worker = self.started(TOY)
        worker.run(3)
        worker.send(('run', {'until': 3}), ('run', {'until': 1}), ('halt', {}))
        self.assertEqual(worker.next(),
                         {'type': 'halted', 'epoch': 1, 'iteration': 3})
        self.expect_stop(worker)

    def test_a_later_grant_replaces_an_earlier_one(self):
        worker = self.started(TOY)
        worker.send(('run', {'until': 2}), ('run', {'until': 5}))
        self.assertEqual(len(worker.results()), 5)
        worker.send(('run', {'until': LONG}), ('run', {'until': 7}))
        self.assertEqual(len(worker.results()), 2)
        self.expect_stop(worker)

    def test_halt_in_mid_run(self):
        worker = self.started(TOY_SLEEP_MS='1')
        worker.say('run', until=LONG)
        for _ in range(3):
            self.assertFalse(worker.next()['halted'])
        worker.say('halt')
        last = worker.results()[-1]
        self.assertLess(last['iteration'], LONG)
        # One answer only, and it rests where it said.
        worker.say('halt')
        self.assertEqual(worker.next(), {'type': 'halted', 'epoch': 1,
                                         'iteration': last['iteration']})
        self.assertEqual(worker.run(last['iteration'] + 1)[0]['seq'],
                         last['seq'] + 1)
        self.expect_stop(worker)

    def test_halt_with_the_last_step_is_answered_once(self):
        worker = self.started(TOY)
        worker.send(('run', {'until': 1}), ('halt', {}))
        self.assertTrue(worker.next()['halted'])
        self.expect_stop(worker)

    def test_done_rests(self):
        worker = self.started(TOY_DONE='*:2')
        results = worker.run(LONG)
        self.assertEqual([r.get('done', False) for r in results],
                         [False, True])
        self.expect_stop(worker)

    def test_acknowledgements_are_logged(self):
        log = self.dir + '/acks'
        worker = self.started(TOY, PBT_ACK_LOG=log)
        worker.run(3)
        worker.say('ack', seq=2)
        worker.say('run', until=4, ack=3)
        worker.results()
        self.assertEqual(self.text('acks'), 't_00000 1 2\nt_00000 1 3\n')
        self.expect_stop(worker)

    def test_members_unknown_to_it_are_ignored(self):
        worker = self.started(TOY)
        worker.say('run', until=1, novelty={'a': [1]})
        self.assertEqual(len(worker.results()), 1)
        self.expect_stop(worker)


class Checkpoints(Case):
    def test_a_checkpoint_goes_on_where_it_was_saved(self):
        path = self.dir + '/saved'
        worker = self.started(TOY)
        worker.run(5)
        self.assertEqual(worker.save(path, 5),
                         {'type': 'saved', 'epoch': 1, 'iteration': 5})
        went_on = [r['metrics'] for r in worker.run(9)]
        self.expect_stop(worker)

        other = self.worker(TOY)
        other.next()
        ready = other.start({'lr': 0.01}, path, iteration=5)
        self.assertEqual((ready['checkpoint'], ready['iteration']), (path, 5))
        self.assertEqual([r['metrics'] for r in other.run(9)], went_on)
        self.expect_stop(other)

    def test_load_opens_an_epoch(self):
        path = self.dir + '/saved'
        worker = self.started()
        worker.run(3)
        worker.save(path, 3)
        went_on = [r['metrics'] for r in worker.run(6)]
        ready = worker.load({'lr': 0.01}, path, epoch=9, iteration=3, total=70)
        self.assertEqual(ready, {'type': 'ready', 'epoch': 9, 'iteration': 3,
                                 'checkpoint': path, 'config': {'lr': 0.01}})
        results = worker.run(6)
        self.assertEqual([(r['epoch'], r['seq'], r['iteration'])
                          for r in results], [(9, 1, 4), (9, 2, 5), (9, 3, 6)])
        self.assertEqual([r['metrics'] for r in results], went_on)
        self.assertGreaterEqual(results[0]['time_total_s'], 70)
        self.expect_stop(worker)

    def test_the_configuration_is_in_force_after_a_load(self):
        """In a fresh process and in a living one; the donor's had another."""
        donor = self.started(config={'lr': 0.5})
        donor.run(2)
        path = self.dir + '/donor'
        donor.save(path, 2)
        donor.socket.close()

        fresh = self.worker()
        fresh.next()
        ready = fresh.start({'lr': 0.25}, path, iteration=2)
        self.assertEqual(ready['config'], {'lr': 0.25})
        fresh.save(self.dir + '/a', 2)
        fresh.load({'lr': 0.125}, path, epoch=2, iteration=2)
        fresh.run(4)
        fresh.save(self.dir + '/b', 4)
        self.expect_stop(fresh)

        weights = self.text('donor', 'toy.txt')
        for name, rate in (('donor', 0.5), ('a', 0.25), ('b', 0.125)):
            got, parent = self.text(name, 'origin.txt').splitlines()
            self.assertEqual(float.fromhex(got), rate)
            self.assertEqual(parent + '\n',
                             'none\n' if name == 'donor' else weights)

    def test_no_checkpoint_no_load(self):
        worker = self.started(TOY)
        worker.epoch = 2
        worker.say('load', config={}, seed='1', checkpoint=self.dir + '/none',
                   iteration=0, time_total_s=0)
        self.expect_error(worker, 'load_checkpoint', self.dir + '/none')


class Fields(Case):
    """What ray-facts 4.2 lets a worker fill in."""

    def test_totals_and_negated_loss(self):
        path = self.dir + '/saved'
        worker = self.started(TOY_FIELDS='1')
        results = worker.run(3)
        worker.save(path, 3)
        self.assertEqual([r['metrics']['timesteps_total'] for r in results],
                         [10, 20, 30])
        self.assertEqual([r['metrics']['episodes_total'] for r in results],
                         [2, 4, 6])
        for result in results:
            self.assertEqual(result['metrics']['mean_loss'], 0.5)
            self.assertEqual(result['metrics']['neg_mean_loss'], -0.5)
        worker.run(8)
        worker.load({'lr': 0.01}, path, epoch=2, iteration=3)
        metrics = worker.run(4)[0]['metrics']
        self.assertEqual((metrics['timesteps_total'],
                          metrics['episodes_total']), (40, 8))
        self.expect_stop(worker)

    def test_nan_is_a_string(self):
        worker = self.started(TOY_NAN='*:2')
        scores = [r['metrics']['score'] for r in worker.run(3)]
        self.assertEqual(scores[1], 'NaN')
        self.assertIsInstance(scores[2], float)
        self.expect_stop(worker)


class Failures(Case):
    def test_a_function_that_fails(self):
        for name, parts in (('TOY_FAIL_SETUP', ['setup: setup fails']),
                            ('TOY_FAIL', ['step: step 2 fails'])):
            worker = self.worker(**{name: '*:2'})
            worker.next()
            worker.epoch = 1
            worker.say('start', trial='t_00000', trial_dir=self.dir,
                       config={'lr': 1}, seed='1', checkpoint=None,
                       iteration=0, time_total_s=0)
            if name == 'TOY_FAIL':
                worker.next()
                worker.say('run', until=2)
                worker.next()
            self.expect_error(worker, *parts)

    def test_a_save_that_fails(self):
        worker = self.started(TOY_FAIL_SAVE='*')
        worker.say('save', iteration=0, path=self.dir)
        self.expect_error(worker, 'save_checkpoint: save fails on purpose')

    def test_a_configuration_that_does_not_fit(self):
        worker = self.worker(TOY)
        worker.next()
        self.assertIn('"lr"', worker.start({'rate': 1})['text'])
        self.assertIsNone(worker.next())
        self.assertEqual(worker.wait(), 1)

    def test_wrong_commands(self):
        start = {'trial': 't', 'trial_dir': '/tmp', 'config': {'lr': 1},
                 'seed': '1', 'checkpoint': None, 'iteration': 0,
                 'time_total_s': 0}
        load = {key: start[key] for key in start if 'trial' not in key}
        for messages, part in (
                ([('start', start)], 'an epoch begins with'),
                ([('run', {'until': LONG}), ('start', dict(start, epoch=2))],
                 'in mid-run'),
                ([('load', load)], 'an epoch begins with'),
                ([('load', dict(load, epoch=2))], 'asked to load nothing'),
                ([('run', {'epoch': 2, 'until': 1})], 'an epoch begins with'),
                ([('save', {'iteration': 3, 'path': '/tmp'})],
                 'asked to save iteration 3 at iteration 0'),
                ([('run', {'until': LONG}),
                  ('save', {'iteration': 0, 'path': '/tmp'})], 'in mid-run'),
                ([('run', {'until': LONG}), ('load', dict(load, epoch=2))],
                 'in mid-run'),
                ([('saved', {'iteration': 0})], 'not for a worker'),
                ([('dance', {})], 'dance'),
                ([('run', {})], 'until'),
                ([('run', {'until': 'soon'})], 'until')):
            with self.subTest(part=part, messages=messages):
                worker = self.started(TOY)
                worker.send(*messages)
                self.expect_error(worker, part)

    def test_commands_before_the_start(self):
        worker = self.worker(TOY)
        worker.next()
        worker.say('run', until=3)
        self.expect_error(worker, 'not started yet')

    def test_commands_of_an_older_epoch_are_dropped(self):
        path = self.dir + '/saved'
        worker = self.started(TOY)
        worker.save(path, 0)
        worker.load({'lr': 0.01}, path, epoch=5, iteration=0)
        for kind, members in (('run', {'until': LONG}), ('halt', {}),
                              ('stop', {}), ('ack', {'seq': 1})):
            worker.say(kind, **dict(members, epoch=4))
        self.assertEqual(worker.run(1)[0]['epoch'], 5)
        self.expect_stop(worker)

    def test_garbage(self):
        for garbage, part in ((b'nonsense\n', 'nonsense'),
                              (b'[1]\n', ''), (b'{"type":7}\n', ''),
                              (b'\xff\xfe\n', ''), (b'\n', ''),
                              (b'x' * (1024 * 1024 + 2), '')):
            worker = self.started(TOY)
            worker.socket.sendall(garbage)
            self.expect_error(worker, part)


class Ends(Case):
    def test_the_end_of_the_socket_ends_a_resting_worker(self):
        for command in (TOY, BAD_TOY):
            worker = self.started(command)
            worker.socket.shutdown(socket.SHUT_WR)
            self.assertEqual(worker.wait(), 69)

    def test_the_end_of_the_socket_ends_a_running_worker(self):
        worker = self.started(TOY_SLEEP_MS='1')
        worker.say('run', until=LONG)
        worker.next()
        worker.socket.close()
        self.assertEqual(worker.wait(), 69)

    def test_before_the_start(self):
        worker = self.worker(TOY)
        worker.socket.close()
        self.assertEqual(worker.wait(), 69)

    def test_a_worker_needs_a_driver(self):
        for fd in ('', '99', 'x', '-1'):
            worker = self.worker(['env', 'PBT_FD=' + fd] + TOY)
            self.assertEqual(worker.wait(), 2)
            self.assertIn('names no open socket', self.said())
        worker = self.worker(['env', '-u', 'PBT_FD'] + TOY)
        self.assertEqual(worker.wait(), 2)
        self.assertIn('start that with pbt run', self.said())


if __name__ == '__main__':
    unittest.main()
