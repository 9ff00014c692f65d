"""reuse_workers: a process that one trial has left serves the next one, which finds
nothing of the former.

    test_reuse.py BUILD_DIR
"""
import collections
import json
import os
import shutil
import sys
import tempfile
import unittest

import runs
from driven import Worker

BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else 'build')
BAD_TOY = [BUILD + '/tests/bad_toy']
CLIENT = [sys.executable, os.path.dirname(os.path.abspath(__file__))
          + '/client.py']


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix='test_reuse.'))
        self.addCleanup(shutil.rmtree, self.dir)


class Runs(Case):
    def finish(self, name, command=None, env=None, slots=1, **keys):
        run = runs.Run(BUILD, self.dir, runs.experiment(
            name, command or BAD_TOY, num_samples=8, resources={'cpu': slots},
            **keys), env)
        run.start()
        self.assertEqual(run.finish(), 0, run.said())
        run.wait_gone()
        return run

    def records(self, run, kind):
        return [record for record in runs.records_of(run.path)
                if record['k'] == kind]

    def pids(self, run):
        """How many lives of a trial each process has served from a start."""
        return collections.Counter(
            record['data']['pid'] for record in self.records(run, 'ready')
            if 'pid' in record.get('data', {}))

    def test_one_process_serves_eight_trials(self):
        run = self.finish('kept')
        pids = self.pids(run)
        starts = len(self.records(run, 'start'))
        self.assertEqual(len(pids), 1, pids)
        self.assertEqual(sum(pids.values()), starts)
        self.assertGreater(starts, 16)  # they have taken turns

    def test_two_processes_serve_eight_trials(self):
        """One that nobody waits for at its moment is replaced later; how many are is chance."""
        run = self.finish('two', slots=2)
        pids = self.pids(run)
        starts = len(self.records(run, 'start'))
        self.assertEqual(sum(pids.values()), starts)
        self.assertLess(len(pids), starts)

    def test_it_can_be_switched_off(self):
        run = self.finish('fresh', reuse_workers=False)
        self.assertEqual(len(self.pids(run)), len(self.records(run, 'start')))

    def test_a_client_that_can_not_gets_fresh_processes(self):
        run = self.finish('client', CLIENT, stop={'training_iteration': 10},
                          config={'lr': {'loguniform': [0.01, 1]}})
        self.assertEqual(len(self.pids(run)), len(self.records(run, 'start')))

    def test_one_slot_gives_the_same_either_way(self):
        """A trial that begins in a used process trains as in a fresh one."""
        found = []
        for name, reuse in (('same', True), ('other', False)):
            keys = runs.experiment(name, BAD_TOY, num_samples=6,
                                   resources={'cpu': 1}, reuse_workers=reuse)
            run = runs.Run(BUILD, self.dir, keys, {'TOY_FIELDS': '1'})
            run.start()
            self.assertEqual(run.finish(), 0, run.said())
            found.append([(r['trial'], r['it'], r['data']['metrics'])
                          for r in self.records(run, 'result')])
        self.assertEqual(*found)

    def test_nothing_of_a_trial_is_left_to_the_next(self):
        run = self.finish('who', env={'TOY_WHO': '1'})
        self.assertEqual(len(self.pids(run)), 1)
        # The model is a new one at each start, though no checkpoint says so.
        begun = {record['epoch'] for record in self.records(run, 'start')}
        firsts = [record['data']['metrics']['model_steps']
                  for record in self.records(run, 'result')
                  if record['epoch'] in begun and record['seq'] == 1]
        self.assertGreater(len(firsts), 16)
        self.assertEqual(set(firsts), {1})
        for path in run.trial_dirs():
            trial = os.path.basename(path)
            with open(path + '/stdout') as file:
                lines = set(file.read().splitlines())
            self.assertEqual(lines, {
                'stands in ' + os.getcwd(), ' '.join([trial, path] * 2)})
            with open(path + '/stderr') as file:
                self.assertEqual(set(file.read().splitlines()), {trial})

    def test_a_worn_process_is_no_failure_of_the_trial(self):
        """max_failures is 0: one would end the trial for good."""
        for how in ('fail', 'kill'):
            run = self.finish('worn-' + how, env={'TOY_WORN': how})
            self.assertEqual(len(self.pids(run)),
                             len(self.records(run, 'start')))
            self.assertFalse([record for record in self.records(run, 'exited')
                              if record['leave'] in ('retry', 'error')])
            self.assertIn('worn out' if how == 'fail' else 'signal 9',
                          run.said())

    def test_a_failure_names_the_trial_that_was_served(self):
        run = self.finish('fails', env={'TOY_CRASH': '7:12', 'TOY_ONCE': '1'},
                          failure={'max_failures': 1})
        failed = [record for record in self.records(run, 'exited')
                  if record['leave'] == 'retry']
        self.assertEqual([record['trial'] for record in failed], [7])
        self.assertTrue(os.path.exists(run.trial_dir(7) + '/error.txt'))
        self.assertEqual(len(self.pids(run)), 2)


class Conversation(Case):
    def test_a_second_start_is_like_the_first(self):
        results = []
        env = {'TOY_FIELDS': '1'}
        with Worker(BAD_TOY, self.dir + '/log', env) as used, \
                Worker(BAD_TOY, self.dir + '/log', env) as fresh:
            for worker in (used, fresh):
                hello = worker.next()
                self.assertIn('reuse', hello['capabilities'])
            used.start({'lr': 0.5}, trial='t_00000')
            used.run(9)
            for epoch, worker in ((2, used), (2, fresh)):
                ready = worker.start({'lr': 0.01}, epoch=epoch, trial='t_00001')
                self.assertEqual(ready['type'], 'ready', ready)
                results.append([r['metrics'] for r in worker.run(3)])
                worker.say('stop')
                self.assertEqual(worker.wait(), 0)
        self.assertEqual(*results)
        self.assertIn('timesteps_total', json.dumps(results[0]))

    def test_output_that_went_elsewhere_stays_there(self):
        """Only what is a file of the trial's moves with it."""
        old, new = self.dir + '/old', self.dir + '/new'
        os.makedirs(old)
        os.makedirs(new)
        env = {'TOY_WHO': '1', 'PBT_TRIAL_ID': 'x', 'PBT_TRIAL_DIR': 'x',
               'PBT_SEED': '1'}
        for name, log in (('moved', old + '/stdout'), ('kept', self.dir + '/l')):
            with Worker(BAD_TOY, log, env) as worker:
                worker.next()
                worker.start({'lr': 0.5}, trial='t_0', trial_dir=old)
                worker.run(1)
                worker.start({'lr': 0.5}, trial='t_1', trial_dir=new, epoch=2)
                worker.run(1)
                worker.say('stop')
                self.assertEqual(worker.wait(), 0)
            with open(log) as file:
                self.assertEqual('t_1 ' in file.read(), name == 'kept')
        with open(new + '/stdout') as file:
            self.assertEqual([line.split()[0] for line in file][1:], ['t_1'])


unittest.main()
