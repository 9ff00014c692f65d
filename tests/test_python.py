"""The Python client (python/libpbt): driven by this test in the place of pbt, and by pbt.

    test_python.py BUILD_DIR SOURCE_DIR
"""
import ast
import glob
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import unittest

import runs
from driven import Worker

SOURCE = os.path.abspath(sys.argv.pop(2) if len(sys.argv) > 2 else '.')
BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else 'build')
CLIENT = SOURCE + '/python'
PATH = {'PYTHONPATH': CLIENT, 'PYTHONDONTWRITEBYTECODE': '1', 'PYTHONUNBUFFERED': ''}
CLASS = [sys.executable, SOURCE + '/tests/python/by_class.py']
FUNCTION = [sys.executable, SOURCE + '/tests/python/by_function.py']
LONG = 10 ** 9  # a grant that is never used up


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='test_python.')
        self.addCleanup(shutil.rmtree, self.dir)
        self.log = self.dir + '/log'
        self.trial_dir = self.trial('t_00000')
        self.iteration = 0

    def trial(self, name):
        path = '%s/%s' % (self.dir, name)
        os.makedirs(path, exist_ok=True)
        return path

    def worker(self, command, **env):
        worker = Worker(command, self.log, {**PATH, **env})
        self.addCleanup(worker.__exit__)
        return worker

    def started(self, command, config=None, checkpoint=None, iteration=0, **env):
        """A worker after hello and start; lr is 0.1, so that a step gives 1."""
        worker = self.worker(command, **env)
        self.assertEqual(worker.next()['type'], 'hello')
        config = {'lr': 0.1, **(config or {})}
        self.assertEqual(
            worker.start(config, checkpoint, iteration, trial_dir=self.trial_dir),
            {'type': 'ready', 'epoch': 1, 'iteration': iteration,
             'checkpoint': checkpoint, 'config': config})
        return worker

    def loaded(self, worker, config, checkpoint, epoch, iteration):
        config = {'lr': 0.1, **config}
        ready = worker.load(config, checkpoint, epoch, iteration)
        self.assertEqual(ready, {'type': 'ready', 'epoch': epoch,
                                 'iteration': iteration, 'checkpoint': checkpoint,
                                 'config': config})

    def saved(self, worker, name, iteration):
        path = '%s/%s' % (self.dir, name)
        self.assertEqual(worker.save(path, iteration), {
            'type': 'saved', 'epoch': worker.epoch, 'iteration': iteration})
        return path

    def said(self):
        with open(self.log) as log:
            return log.read()

    def expect_stop(self, worker):
        worker.say('stop')
        self.assertIsNone(worker.next())
        self.assertEqual(worker.wait(), 0)

    def expect_error(self, worker, *parts):
        """An error that says so, the traceback on stderr, and the end."""
        message = worker.next()
        self.assertEqual(message['type'], 'error', message)
        for part in parts:
            self.assertIn(part, message['text'])
        self.assertIn('Traceback (most recent call last)', self.said())
        self.assertIsNone(worker.next())
        self.assertNotEqual(worker.wait(), 0)

    def metrics(self, do):
        """What the class reports when it is told to do this."""
        worker = self.started(CLASS, {'at': 1, 'do': do})
        return worker.run(1)[0]['metrics']


class Class(Case):
    def test_hello(self):
        worker = self.worker(CLASS)
        hello = worker.next()
        self.assertEqual(hello, {
            'type': 'hello', 'protocol': 1, 'client': hello['client'],
            'capabilities': ['reset_config', 'reuse'],
            'pid': worker.process.pid, 'host': socket.gethostname()})
        self.assertTrue(hello['client'].startswith('libpbt Python '))
        bare = self.worker(CLASS, BARE='1').next()
        self.assertEqual(bare['capabilities'], [])

    def test_a_grant_is_reported_step_by_step(self):
        worker = self.started(CLASS)
        results = worker.run(3) + worker.run(5)
        self.assertEqual([(r['seq'], r['iteration'], r['halted'],
                           r['metrics']) for r in results],
                         [(i, i, i in (3, 5), {'score': i}) for i in range(1, 6)])
        self.assertGreaterEqual(results[-1]['time_total_s'],
                                sum(r['time_this_iter_s'] for r in results) - 1e-9)
        worker.send(('run', {'until': 3}), ('ack', {'seq': 5}), ('halt', {}))
        self.assertEqual(worker.next(),
                         {'type': 'halted', 'epoch': 1, 'iteration': 5})
        self.expect_stop(worker)
        self.assertIn('cleaned up', self.said())

    def test_halt_in_mid_run(self):
        worker = self.started(CLASS)
        worker.say('run', until=LONG)
        worker.next()
        worker.say('halt')
        last = worker.results()[-1]['iteration']
        self.assertEqual(worker.run(last + 2)[-1]['iteration'], last + 2)
        self.expect_stop(worker)

    def test_done_rests(self):
        worker = self.started(CLASS, {'at': 2, 'do': 'done'})
        results = worker.run(LONG)
        self.assertEqual([r.get('done') for r in results], [None, True])
        self.assertEqual(results[1]['metrics'], {'score': 2})
        self.expect_stop(worker)

    def test_checkpoints_of_each_kind(self):
        for how in ('dict', 'path', 'dir', 'nothing'):
            worker = self.started(CLASS, {'save': how})
            worker.run(3)
            path = self.saved(worker, how, 3)
            worker.run(5)
            self.loaded(worker, {'save': how}, path, 2, 3)
            worker.say('stop', epoch=1)  # to an older life
            self.assertEqual(worker.run(4)[0]['metrics'], {'score': 4}, how)
            self.expect_stop(worker)
            # A fresh process, where the checkpoint has moved to.
            moved = path + '.moved'
            os.rename(path, moved)
            worker = self.started(CLASS, {'save': how}, moved, 3)
            self.assertEqual(worker.run(4)[0]['metrics'], {'score': 4}, how)

    def test_checkpoints_that_are_none(self):
        for how, text in (('outside', '/etc/passwd, which is not in'),
                          ('list', 'returned a list')):
            worker = self.started(CLASS, {'save': how})
            os.mkdir(self.dir + '/' + how)
            worker.say('save', iteration=0, path=self.dir + '/' + how)
            self.expect_error(worker, 'save_checkpoint: ', text)

    def test_weights_first_hyperparameters_after(self):
        worker = self.started(CLASS, {'at': 2, 'do': 'calls'})
        worker.run(1)
        path = self.saved(worker, 'saved', 1)
        self.loaded(worker, {'at': 2, 'do': 'calls', 'lr': 0.05}, path, 2, 1)
        calls = worker.run(2)[0]['metrics']
        self.assertEqual(calls, {'score': 1.5, 'calls': [
            'setup', 'step', 'load_checkpoint', 'reset_config', 'step']})
        worker = self.started(CLASS, {'at': 2, 'do': 'calls'}, path, 1)
        self.assertEqual(worker.run(2)[0]['metrics']['calls'],
                         ['setup', 'load_checkpoint', 'reset_config', 'step'])

    def test_reset_config_has_to_say_so(self):
        worker = self.started(CLASS)
        path = self.saved(worker, 'saved', 0)
        worker.epoch = 2
        worker.say('load', config={'lr': 0.1, 'resets': None}, seed='1',
                   checkpoint=path, iteration=0, time_total_s=0)
        self.expect_error(worker, 'reset_config: ', 'return True')

    def test_values(self):
        self.assertEqual(self.metrics('values'), {
            'score': 1, 'nan': 'NaN', 'inf': '-Infinity', 'big': str(1 << 60),
            'bool': True, 'text': 'ü', 'none': None, 'one': 2.5,
            'many': [1, [2.5]], 'deep': {'er': [1, 2.5]}})

    def test_what_follows_from_metrics(self):
        worker = self.started(CLASS, {'at': 1, 'do': 'count'})
        metrics = worker.run(1)[0]['metrics']
        self.assertEqual((metrics['timesteps_total'], metrics['neg_mean_loss']),
                         (10, -0.5))
        path = self.saved(worker, 'saved', 1)
        self.loaded(worker, {'at': 2, 'do': 'count'}, path, 2, 1)
        self.assertEqual(worker.run(2)[0]['metrics']['timesteps_total'], 20)
        again = self.started(CLASS, checkpoint=path, iteration=1)
        self.assertEqual(again.run(2)[0]['metrics'],
                         {'score': 2, 'timesteps_total': 10})

    def test_metrics_that_are_none(self):
        for do, *parts in (('reserved', 'metric "pid"', 'pbt fills it itself'),
                           ('object', 'metric "it/deep" is a object'),
                           ('keys', 'metric "it" has the key 1')):
            worker = self.started(CLASS, {'at': 1, 'do': do})
            worker.say('run', until=1)
            self.expect_error(worker, *parts)

    def test_reserved_names_are_pbts(self):
        with open(SOURCE + '/src/wire/metric.c') as file:
            theirs = file.read().split('names[] = {')[1].split('}')[0]
        sys.path.insert(0, CLIENT)
        from libpbt._values import RESERVED
        self.assertEqual(set(re.findall(r'"(\w+)"', theirs)), RESERVED)

    def test_errors(self):
        for do, text in (('raise', 'step: ZeroDivisionError: on purpose'),
                         ('exit', 'step: SystemExit: enough'),
                         ('interrupt', 'step: KeyboardInterrupt')):
            worker = self.started(CLASS, {'at': 2, 'do': do})
            worker.say('run', until=5)
            self.assertEqual(worker.next()['iteration'], 1)
            self.expect_error(worker, text)
        self.assertNotIn('libpbt', self.said())  # the user's frames alone
        worker = self.worker(CLASS)
        worker.next()
        worker.epoch = 1
        worker.say('start', config={'lr': 0.1, 'fail': 'setup'}, seed='1',
                   checkpoint=None, iteration=0, time_total_s=0, trial='t',
                   trial_dir=self.trial_dir)
        self.expect_error(worker, 'setup: ValueError: setup fails on purpose')

    def test_interrupted_while_it_rests(self):
        worker = self.started(CLASS)
        worker.process.send_signal(signal.SIGINT)
        self.expect_error(worker, 'KeyboardInterrupt')

    def test_children_have_nothing_of_the_socket(self):
        self.assertEqual(self.metrics('children')['children'], 'None []')

    def test_multiprocessing_without_a_guard(self):
        self.assertEqual(self.metrics('spawned')['spawned'], 9)

    def test_a_forked_child_is_not_heard(self):
        self.assertEqual(self.metrics('forked')['forked'], True)
        self.assertIn('only the worker itself', self.said())

    def test_ends_with_the_socket(self):
        worker = self.started(CLASS)
        worker.say('run', until=LONG)
        worker.next()
        worker.socket.close()
        self.assertNotEqual(worker.wait(), 0)

    def test_time_outs_of_the_script_are_not_ours(self):
        """socket.setdefaulttimeout() is for the sockets that the script opens."""
        worker = self.started(CLASS, TIMEOUT='0')
        self.assertEqual(worker.run(1)[0]['iteration'], 1)
        self.expect_stop(worker)

    def test_a_script_comes_to_its_end(self):
        path = self.dir + '/ending'
        self.expect_stop(self.started(CLASS, ENDING=path))
        with open(path) as file:
            self.assertEqual(file.read(), 'to the end\n')

    def test_another_trial(self):
        """Nothing is left of the first one; log files and environment go along."""
        first, second = self.trial('t_00000'), self.trial('t_00001')
        log, self.log = self.log, first + '/stdout'
        worker = self.started(CLASS, {'at': 1, 'do': 'print'})
        worker.run(3)
        self.assertEqual(self.said(), 'a word\n')  # as soon as it is said
        worker.start({'lr': 0.1, 'at': 1, 'do': 'about'}, epoch=2, trial='t_00001',
                     trial_dir=second)
        self.assertEqual(worker.run(1)[0]['metrics'], {
            'score': 1, 'id': 't_00001', 'name': 't_00001', 'dir': second, 'seed': '77',
            'env': 't_00001', 'lr': 0.1})
        self.expect_stop(worker)
        self.assertEqual(self.said(), 'a word\ncleaned up\n')
        with open(second + '/stdout') as file:
            self.assertEqual(file.read(), 'cleaned up\n')
        self.log = log


class Function(Case):
    def test_hello(self):
        self.assertEqual(self.worker(FUNCTION).next()['capabilities'],
                         ['reset_config', 'reuse'])

    def steps(self, results):
        return [(r['iteration'], r['metrics']['step']) for r in results]

    def test_it_is_called_anew_from_a_checkpoint(self):
        worker = self.started(FUNCTION)
        self.assertEqual(self.steps(worker.run(3)), [(1, 1), (2, 2), (3, 3)])
        path = self.saved(worker, 'saved', 3)
        worker.run(5)
        self.loaded(worker, {'lr': 0.05}, path, 2, 3)
        result = worker.run(4)[0]
        self.assertEqual((result['seq'], result['metrics']), (1, {
            'score': 3.5, 'step': 4, 'timesteps_this_iter': 1,
            'timesteps_total': 4}))
        self.expect_stop(worker)
        self.assertEqual([line for line in self.said().splitlines()
                          if 'saved' not in line],
                         ['begins at 0', 'ends at 5', 'begins at 3', 'ends at 4'])
        worker = self.started(FUNCTION, {}, path, 3)
        self.assertEqual(self.steps(worker.run(5)), [(4, 4), (5, 5)])

    def test_another_trial(self):
        """The same process, called anew, with the log files of the other trial."""
        second, log = self.trial('t_00001'), self.log
        self.log = self.trial_dir + '/stdout'
        worker = self.started(FUNCTION)
        worker.run(3)
        self.saved(worker, 'saved', 3)
        self.assertTrue(os.path.exists(self.trial_dir + '/.reported'))
        worker.start({'lr': 0.1}, epoch=2, trial='t_00001', trial_dir=second)
        self.assertEqual(self.steps(worker.run(1)), [(1, 1)])
        self.expect_stop(worker)
        self.assertEqual(self.said(), 'begins at 0\nsaved 1\nsaved 2\nsaved 3\n'
                         'ends at 3\n')
        with open(second + '/stdout') as file:
            self.assertEqual(file.read(), 'begins at 0\nsaved 1\nends at 1\n')
        for path in (self.trial_dir, second):
            self.assertEqual([name for name in os.listdir(path)
                              if 'reported' in name], [])
        self.log = log

    def test_a_load_before_it_was_called(self):
        worker = self.started(FUNCTION)
        worker.run(2)
        path = self.saved(worker, 'saved', 2)
        worker = self.started(FUNCTION)
        self.loaded(worker, {}, path, 2, 2)
        self.assertEqual(self.steps(worker.run(3)), [(3, 3)])

    def test_a_function_that_saves_is_called_only_then(self):
        worker = self.started(FUNCTION, {'lazy': True})
        worker.run(3)
        path = self.saved(worker, 'saved', 3)
        self.assertEqual(self.saved(worker, 'twice', 3), self.dir + '/twice')
        worker.run(6)
        self.assertEqual(self.said().count('saved'), 1)
        for name in ('saved', 'twice'):
            worker = self.started(FUNCTION, {}, self.dir + '/' + name, 3)
            self.assertEqual(self.steps(worker.run(4)), [(4, 4)])
        self.assertNotIn('trains', self.said())
        self.assertEqual(sorted(os.listdir(path)),
                         ['.pbt_worker.json', 'state.json'])

    def test_iterations_without_a_checkpoint_are_trained_again(self):
        for phase, newest in ((0, 4), (1, 5), (2, 2), (3, 3)):
            worker = self.started(FUNCTION, {'every': 4, 'phase': phase})
            worker.run(5)
            path = self.saved(worker, 'at%d' % newest, 5)
            with open(path + '/.pbt_worker.json') as file:
                self.assertEqual(json.load(file)['again'], 5 - newest)
            worker.run(6)
            self.loaded(worker, {'every': 4, 'phase': phase}, path, 2, 5)
            self.assertEqual(self.steps(worker.run(7)), [(6, 6), (7, 7)])
            worker = self.started(FUNCTION, {}, path, 5)
            results = worker.run(6)
            self.assertEqual((self.steps(results), results[0]['metrics']['score'],
                              results[0]['metrics']['timesteps_total']),
                             ([(6, 6)], 6, 6))
        self.assertIn('the newest is of iteration 4.\n  Whoever goes on from here '
                      'trains 1 iteration again', self.said())

    def test_what_is_saved_again_is_as_far_behind(self):
        """No checkpoint between two saves, not even the one begun from."""
        worker = self.started(FUNCTION, {'every': 100})
        worker.run(5)
        path = self.saved(worker, 'none', 5)
        self.loaded(worker, {'every': 4}, path, 2, 5)
        worker.run(7)
        path = self.saved(worker, 'four', 7)  # reported while 1 to 5 were done again
        self.loaded(worker, {'every': 100}, path, 3, 7)
        worker.run(8)
        again = self.saved(worker, 'four_again', 8)
        shutil.rmtree(path)  # pbt keeps its newest ones alone
        shutil.rmtree(again)
        worker.run(9)
        path = self.saved(worker, 'nine', 9)
        self.loaded(worker, {}, path, 4, 9)
        self.assertEqual(self.steps(worker.run(10)), [(10, 10)])
        self.assertEqual(self.said().count('begins at 0'), 2)
        self.assertEqual(self.said().count('begins at 4'), 2)
        self.assertEqual(self.said().count('Whoever goes on'), 1)

    def test_it_returns(self):
        for config, metrics in (
                ({}, {'score': 2, 'step': 2, 'timesteps_this_iter': 1,
                      'timesteps_total': 2}),
                ({'returns': {'score': 7}}, {'score': 7, 'timesteps_total': 2})):
            worker = self.started(FUNCTION, {'steps': 2, **config})
            last = worker.run(LONG)[-1]
            self.assertEqual((last['iteration'], last['done'], last['metrics']),
                             (3, True, metrics))
            self.saved(worker, 'end%d' % len(config), 3)
            self.expect_stop(worker)
        self.assertNotIn('Whoever goes on', self.said())
        worker = self.started(FUNCTION, {'steps': 0})
        worker.say('run', until=LONG)
        self.expect_error(worker, 'train: RuntimeError', 'neither reported')

    def test_it_can_not_hold_on(self):
        """What ends the function may be caught, but then it is ended anyway."""
        for do in ('catch', 'return'):
            worker = self.started(FUNCTION, {'at': 3, 'do': do, 'lazy': True})
            worker.run(2)
            path = self.saved(worker, do, 2)
            worker.run(3)
            self.loaded(worker, {}, path, 2, 2)
            self.assertEqual(self.steps(worker.run(3)), [(3, 3)])
            self.expect_stop(worker)
            self.assertEqual(self.said().count('caught'), 1)
            os.remove(self.log)

    def test_as_of_old(self):
        """The functions of Ray before 2.0."""
        worker = self.started(FUNCTION, {'every': 2}, OLD='1')
        results = worker.run(3)
        self.assertEqual(self.steps(results), [(1, 1), (2, 2), (3, 3)])
        self.assertEqual(results[-1]['metrics'], {'step': 3, 'more': 7})
        path = self.saved(worker, 'saved', 3)
        self.loaded(worker, {'every': 2}, path, 2, 3)
        self.assertEqual(self.steps(worker.run(6)), [(4, 4), (5, 5), (6, 6)])
        path = self.saved(worker, 'six', 6)
        self.assertEqual(sorted(os.listdir(path)), ['.pbt_worker.json', 'step'])
        self.expect_stop(worker)
        self.assertEqual(os.listdir(self.trial_dir), [])
        self.assertEqual([line for line in self.said().splitlines()
                          if line.startswith('begins')],
                         ['begins at 0', 'begins at 2'])
        for do, text in (('twice', 'as a dict or as keywords, not as both: score'),
                         ('wrong', '"training_iteration" can\'t be reported')):
            worker = self.started(FUNCTION, {do: 2}, OLD='1')
            worker.run(1)
            worker.say('run', until=2)
            self.expect_error(worker, text)

    def test_errors(self):
        for do, text in (('raise', 'train: ZeroDivisionError: on purpose'),
                         ('thread', 'in another thread')):
            worker = self.started(FUNCTION, {'at': 1, 'do': do})
            worker.say('run', until=5)
            self.expect_error(worker, text)


class Outside(Case):
    """Python programs that pbt has not started."""

    def python(self, text, *arguments, code=0):
        done = subprocess.run([sys.executable, '-c', text, *arguments],
                              env={**os.environ, **PATH}, capture_output=True,
                              text=True, stdin=subprocess.DEVNULL, check=False,
                              timeout=runs.DEADLINE_S)
        self.assertEqual(done.returncode, code, done.stderr)
        return done.stdout + done.stderr

    def test_a_script_says_how_to_run_it(self):
        done = subprocess.run([*CLASS, '--deep', 'a b'], capture_output=True,
                              env={**os.environ, **PATH}, text=True, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stderr, '''\
by_class.py is a worker: pbt starts it, once for each trial.
    pbt init exp.yaml -- %s %s --deep 'a b'    # writes an experiment file, to be looked at
    pbt run exp.yaml
''' % (os.path.basename(sys.executable), CLASS[1]))

    def test_what_worker_does_not_take(self):
        for what, text in (('dict', 'no subclass of libpbt.Trainable'),
                           ('7', 'not a int'),
                           ('libpbt.Trainable', 'has no step()')):
            ours, theirs = socket.socketpair()
            script = self.dir + '/script.py'
            with open(script, 'w') as file:
                file.write('import libpbt\nlibpbt.worker(%s)\n' % what)
            worker = self.worker([sys.executable, script])
            self.assertIsNone(worker.next())
            self.assertEqual(worker.wait(), 1)
            self.assertIn(text, self.said())
            ours.close()
            theirs.close()

    def test_a_model_is_loaded_and_used(self):
        """MODEL(config), restore(): how a best checkpoint is evaluated."""
        worker = self.started(CLASS)
        worker.run(3)
        path = self.saved(worker, 'saved', 3)
        self.assertEqual(self.python('''
import os, sys, libpbt
libpbt.worker = lambda trainable: None
sys.path.insert(0, sys.argv[2])
from by_class import Score
model = Score({'lr': 0.1})
model.restore(libpbt.Checkpoint(sys.argv[1]))
print(model.score, model.iteration, model.trial_id)
model.reset_config({'lr': 0.1})
print(model.train())
other = Score({'lr': 0.05})
other.restore(model.save().path)
print(other.score, other.training_iteration,
      os.listdir(libpbt.Checkpoint(sys.argv[1]).to_directory()))
try:
    libpbt.PB2
except AttributeError as error:
    print(error)
try:
    libpbt.report({})
except RuntimeError as error:
    print('report:', error)
try:
    libpbt.get_context()
except RuntimeError as error:
    print('context:', error)
print(libpbt.get_checkpoint())
model.stop()
''', path, SOURCE + '/tests/python'), '''\
3.0 3 default
{'score': 4.0, 'done': False, 'training_iteration': 4}
4.0 4 ['checkpoint.pkl']
module 'libpbt' has no attribute 'PB2'; what there is of Ray's is in docs/from-ray.md
report: report() is for a function that libpbt.worker() runs; a Trainable returns its \
metrics from step()
context: there is no trial: this process was not started by `pbt run`, or \
libpbt.worker() has not begun
None
cleaned up
''')

    def test_every_file_is_python_3_9(self):
        files = glob.glob(CLIENT + '/**/*.py', recursive=True)
        self.assertGreater(len(files), 5)
        for path in files:
            with open(path) as file:
                ast.parse(file.read(), path, feature_version=(3, 9))

    def test_the_version_is_pbts(self):
        said = subprocess.run([BUILD + '/pbt', '--version'], capture_output=True,
                              text=True, check=True).stdout
        version = self.python('import libpbt; print(libpbt.__version__)').strip()
        self.assertIn(version, said)


class Trained(Case):
    """By pbt, to the end."""

    def run_of(self, name, command, **keys):
        rate = {'uniform': [0.02, 0.2]}
        config = {'lr': rate, **keys.pop('config', {})}
        return runs.Run(BUILD, self.dir, runs.experiment(
            name, command, config=config, resources={'cpu': 2}, scheduler={
                'type': 'pbt', 'perturbation_interval': 5,
                'synch': True,  # each meets the others, however slow its start
                'hyperparam_mutations': {'lr': rate}}, **keys), PATH)

    def trained(self, run):
        """The records of a run that went well, with exploits."""
        self.assertEqual(run.finish(), 0, run.said())
        run.wait_gone()
        records = runs.records_of(run.path)
        self.assertTrue([r for r in records if r['k'] == 'exploit'])
        self.assertFalse([r for r in records if r['k'] == 'exited' and
                          r['leave'] in ('retry', 'error')], run.said())
        clients = {r['data']['client'] for r in records
                   if r['k'] == 'ready' and 'data' in r}
        self.assertEqual([client[:14] for client in clients], ['libpbt Python '])
        return records

    def results(self, run):
        """Of the trials, as in result.json."""
        for path in run.trial_dirs():
            with open(path + '/result.json') as file:
                yield [json.loads(line) for line in file]

    def test_class(self):
        run = self.run_of('class', CLASS)
        run.start()
        self.trained(run)
        for results in self.results(run):
            self.assertEqual(results[-1]['training_iteration'], 20)

    def test_bare_class(self):
        """Each exploit is a process of its own."""
        run = self.run_of('bare', CLASS, env={'BARE': '1'},
                          config={'save': 'path'})
        run.start()
        self.trained(run)

    def test_programs_of_the_guide(self):
        with open(SOURCE + '/docs/python.md') as file:
            programs = [text for text in
                        re.findall(r'^```python\n(.*?)^```', file.read(), re.M | re.S)
                        if text.rstrip().endswith(')') and 'libpbt.worker(' in text]
        self.assertEqual(len(programs), 2)
        for i, text in enumerate(programs):
            script = '%s/program%d.py' % (self.dir, i)
            with open(script, 'w') as file:
                file.write(text)
            run = self.run_of('program%d' % i, [sys.executable, script])
            run.start()
            self.trained(run)

    def test_function(self):
        for name, config in (('lazy', {'lazy': True}), ('each', {}),
                             ('sparse', {'every': 3})):
            run = self.run_of(name, FUNCTION, config=config)
            run.start()
            self.trained(run)
            for results in self.results(run):
                self.assertEqual(
                    [r['step'] for r in results],
                    [r['training_iteration'] for r in results], name)

    def test_function_resumed(self):
        """After a kill, and after Ctrl-C, which saves where the function has not."""
        for name, how in (('killed', signal.SIGKILL), ('interrupted', signal.SIGINT)):
            run = self.run_of(name, FUNCTION, config={'every': 4},
                              stop={'training_iteration': 40})
            run.start()
            runs.wait_until('training',
                            lambda run=run: glob.glob(run.path + '/*/checkpoint_*'))
            run.process.send_signal(how)
            run.process.wait(runs.DEADLINE_S)
            run.wait_gone()
            run.start()
            self.trained(run)
            for results in self.results(run):
                self.assertEqual([r['step'] for r in results],
                                 [r['training_iteration'] for r in results], name)

    def test_an_exception_in_error_txt(self):
        run = self.run_of('raise', CLASS, config={'at': 7, 'do': 'raise'})
        run.start()
        self.assertEqual(run.finish(), 1, run.said())
        for path in run.trial_dirs():
            with open(path + '/error.txt') as file:
                text = file.read()
            self.assertIn('step: ZeroDivisionError: on purpose', text)
            self.assertRegex(text, r'Traceback \(most recent call last\):\n'
                             r'  File "[^"]*by_class.py", line \d+, in step')
            self.assertIn('in misbehave', text)

    def test_terminated_it_goes_back_and_on(self):
        run = self.run_of('terminate', CLASS, config={'at': 7, 'do': 'terminate'},
                          failure={'max_failures': 1})
        run.start()
        self.assertEqual(run.finish(), 0, run.said())
        self.assertIn('killed by signal 15 (Terminated)', run.said())


if __name__ == '__main__':
    unittest.main()
