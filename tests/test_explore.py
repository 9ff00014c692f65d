"""scheduler.custom_explore: a program that explores, as it should and in every wrong way.

    test_explore.py BUILD_DIR
"""
import json
import operator
import os
import shutil
import signal
import sys
import tempfile
import unittest

import runs

BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else 'build')
TOY = [BUILD + '/tests/bad_toy']

# Notes the question, then does what the case says.
PROGRAM = '''
import json, os, subprocess, sys, time
question = json.load(sys.stdin)
with open(%(log)r, 'a') as log:
    log.write(json.dumps(question) + '\\n')
config = question['config']
%(body)s
'''


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix='test_explore.'))
        self.addCleanup(shutil.rmtree, self.dir)
        self.log = self.dir + '/asked'

    def program(self, body):
        path = self.dir + '/explore.py'
        with open(path, 'w') as file:
            file.write(PROGRAM % {'log': self.log, 'body': body})
        return [sys.executable, path]

    def run_of(self, command, **keys):
        # One slot: they take turns, so that somebody is there to compare with.
        experiment = runs.experiment('own', TOY, resources={'cpu': 1}, **keys)
        experiment['scheduler'].update(custom_explore=command,
                                       out_of_range='allow')
        return runs.Run(BUILD, self.dir, experiment)

    def finish(self, body, status=0, **keys):
        command = body if isinstance(body, list) else self.program(body)
        run = self.run_of(command, **keys)
        run.start()
        self.assertEqual(run.finish(), status, run.said())
        self.assertEqual(run.processes(), [])
        return run

    def records(self, run, kind):
        return [record for record in runs.records_of(run.path)
                if record['k'] == kind]

    def asked(self):
        if not os.path.exists(self.log):
            return []
        with open(self.log) as log:
            return [json.loads(line) for line in log]


class Good(Case):
    def test_its_answer_is_the_new_configuration(self):
        run = self.finish("config['lr'] *= 2; print(json.dumps(config))")
        place = operator.itemgetter('trial', 'it')
        asks = self.records(run, 'ask')  # one at a time, in this order
        exploits = self.records(run, 'exploit')
        self.assertTrue(asks)
        self.assertEqual(len(asks), len(exploits))
        for ask, exploit in zip(asks, exploits):
            self.assertEqual(place(ask), place(exploit))
            self.assertEqual(exploit['config']['lr'], 2 * ask['config']['lr'])
        # What it is asked is what is recorded.
        names = {os.path.basename(path): int(path.rsplit('_', 1)[1])
                 for path in run.trial_dirs()}
        self.assertEqual(
            [(names[q['trial']], q['iteration'], names[q['donor']],
              q['donor_iteration'], q['config'], q['old_config'])
             for q in self.asked()],
            [(a['trial'], a['it'], a['donor'], a['donor_it'], a['config'],
              a['old_config']) for a in asks])
        seeds = [q['seed'] for q in self.asked()]
        self.assertEqual(len(set(seeds)), len(seeds))

    def test_it_has_the_environment_and_place_of_the_program(self):
        work = self.dir + '/work'
        os.makedirs(work)
        run = self.finish(
            "open(os.environ['SEEN'], 'w').write(os.getcwd());"
            "assert 'PBT_FD' not in os.environ;"
            "assert os.environ['PBT_TRIAL_ID'] == question['trial'];"
            "print(json.dumps(config))",
            cwd=work, env={'SEEN': self.dir + '/seen'})
        self.assertTrue(self.records(run, 'exploit'), run.said())
        with open(self.dir + '/seen') as seen:
            self.assertEqual(seen.read(), work)

    def test_what_it_leaves_behind_is_ended(self):
        run = self.finish(
            "subprocess.Popen(['sleep', '1000'], start_new_session=True);"
            "print(json.dumps(config))")
        self.assertTrue(self.records(run, 'exploit'))

    def test_an_open_ask_is_asked_again_after_a_kill(self):
        mark = self.dir + '/go'
        command = self.program(
            "while not os.path.exists(%r): time.sleep(0.005)\n"
            "config['lr'] *= 2; print(json.dumps(config))" % mark)
        run = self.run_of(command)
        run.start()
        runs.wait_until('asked', self.asked)
        run.kill()
        run.wait_gone()
        first = self.asked()[0]
        with open(mark, 'w'):
            pass
        run.start()  # pbt resume is enough: the program is the file's
        self.assertEqual(run.finish(), 0, run.said())
        self.assertEqual(self.asked()[1], first)
        exploit = self.records(run, 'exploit')[0]
        self.assertEqual(exploit['config']['lr'], 2 * first['config']['lr'])


class Bad(Case):
    def fails(self, body, *parts, **keys):
        """No exploit takes place, why is said, and all trials go on."""
        run = self.finish(body, **keys)
        self.assertEqual(self.records(run, 'exploit'), [])
        passes = self.records(run, 'pass')
        self.assertTrue(passes)
        self.assertEqual(passes[0]['pass'], 'explore_failed')
        for part in parts:
            self.assertIn(part, run.said())

    def test_an_exit_status(self):
        self.fails("print('no idea', file=sys.stderr); sys.exit(3)",
                   'exited with status 3', 'no idea')

    def test_a_signal(self):
        self.fails('os.kill(os.getpid(), 11)', 'signal 11')

    def test_nothing(self):
        self.fails('', 'printed nothing')

    def test_garbage(self):
        self.fails("print('lr = 0.1')", 'wrong JSON')

    def test_too_much(self):
        self.fails("sys.stdout.write('x' * 3000000)", 'longer than 1 MiB')

    def test_for_ever_too_much(self):
        self.fails("while True: sys.stdout.write('x' * 65536)",
                   'longer than 1 MiB')

    def test_no_time(self):
        self.fails('time.sleep(1000)', 'no answer within 0.3 s',
                   'timeouts.explore', timeouts={'explore': 0.3})

    def test_what_it_prints_before_an_answer_is_none(self):
        self.fails("print('hello'); print(json.dumps(config))", 'wrong JSON')

    def test_a_list(self):
        self.fails("print('[]')", 'not a JSON object')

    def test_a_key_is_missing(self):
        self.fails("print('{}')", '"lr" is missing')

    def test_an_unknown_key(self):
        self.fails("config['ls'] = 1; print(json.dumps(config))",
                   'unknown hyperparameter "ls"')

    def test_another_type(self):
        for value, words in (('"fast"', 'a text'), ('true', 'true or false'),
                             ('null', 'null'), ('"NaN"', 'not finite')):
            shutil.rmtree(self.dir + '/own', ignore_errors=True)
            self.fails("config['lr'] = json.loads('%s');"
                       'print(json.dumps(config))' % value,
                       '"lr" has to be a number, and is ' + words)

    def test_no_such_program(self):
        """The file is there, as `pbt run` has seen; what is to run it is not."""
        path = self.dir + '/gone'
        with open(path, 'w') as file:
            file.write('#!/no/such/interpreter\n')
        os.chmod(path, 0o755)
        self.fails([path], 'gone', 'No such file')


class Ends(Case):
    def test_the_end_does_not_wait_for_it(self):
        run = self.run_of(self.program('time.sleep(1000)'),
                          timeouts={'explore': 0})
        run.start()
        runs.wait_until('asked', self.asked)
        run.process.send_signal(signal.SIGINT)
        self.assertEqual(run.finish(), 130, run.said())
        self.assertEqual(run.processes(), [])


unittest.main()
