"""Whole runs on a machine with GPUs that are only names: which of them a worker is told,
that none is given away twice, and the threads of its libraries.

    test_devices.py BUILD_DIR
"""
import collections
import json
import os
import shutil
import sys
import tempfile
import unittest

import runs

BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else 'build')
HERE = os.path.dirname(os.path.abspath(__file__))

# Holds a lock for each of its devices as long as it lives: there are as many as may
# share one.  Then it is tests/client.py.
WORKER = '''
import fcntl, json, os, runpy, sys
shares, notes, client = int(sys.argv[1]), sys.argv[2], sys.argv[3]
devices = os.environ.get('CUDA_VISIBLE_DEVICES')
held = []
for device in (devices or '').split(','):
    for share in range(shares):
        lock = open('%s.%s.%d' % (notes, device, share), 'w')
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            continue
        held.append(lock)
        break
    else:
        held = None
        break
with open(notes, 'a') as file:
    file.write(json.dumps({'devices': devices, 'overfull': held is None,
                           'order': os.environ.get('CUDA_DEVICE_ORDER'),
                           'threads': os.environ['OMP_NUM_THREADS'],
                           'tasks': os.environ['PBT_TASKS']}) + chr(10))
runpy.run_path(client)
'''


class Devices(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='test_devices.')
        self.addCleanup(shutil.rmtree, self.dir)

    def train(self, shares, gpu, visible, env=None, **keys):
        """Runs 6 trials; returns what their workers noted."""
        notes = self.dir + '/notes'
        run = runs.Run(BUILD, self.dir, runs.experiment(
            'gpus', [sys.executable, '-c', WORKER, str(shares), notes,
                     HERE + '/client.py'],
            num_samples=6, resources={'cpu': 12},
            resources_per_trial={'cpu': 2, 'gpu': gpu, **keys}, env=env or {}),
            {'CUDA_VISIBLE_DEVICES': visible, 'OMP_NUM_THREADS': ''})
        del run.env['OMP_NUM_THREADS']
        run.start()
        self.assertEqual(run.finish(), 0, run.said())
        with open(notes) as file:
            lines = [json.loads(line) for line in file]
        self.assertFalse([line for line in lines if line['overfull']])
        self.run_said = run.said()
        return lines

    def test_half_a_gpu(self):
        lines = self.train(2, 0.5, 'GPU-aa,GPU-bb')
        self.assertEqual(set(line['devices'] for line in lines),
                         {'GPU-aa', 'GPU-bb'})
        self.assertEqual(set(line['threads'] for line in lines), {'2'})
        self.assertIn('/2 GPUs', self.run_said)

    def test_two_shares_of_0_6_are_never_on_one(self):
        lines = self.train(1, 0.6, '4,7', tasks=2)
        self.assertEqual(set(line['devices'] for line in lines), {'4', '7'})
        self.assertEqual({(line['threads'], line['tasks']) for line in lines},
                         {('1', '2')})

    def test_two_gpus_each_from_the_file(self):
        lines = self.train(1, 2, '9', {'CUDA_VISIBLE_DEVICES': '0,1,2,3,4'})
        count = collections.Counter(line['devices'] for line in lines)
        self.assertEqual(set(count), {'0,1', '2,3'})

    def tried_on(self, gpu, visible):
        """The devices of a trial that fails three times, in their order."""
        notes = self.dir + '/notes'
        worker = ('import os, sys; print(os.environ["CUDA_VISIBLE_DEVICES"], '
                  'file=open(sys.argv[1], "a")); os.execv(sys.argv[2], sys.argv[2:])')
        run = runs.Run(BUILD, self.dir, runs.experiment(
            'fails', [sys.executable, '-c', worker, notes, BUILD + '/tests/bad_toy'],
            num_samples=1, resources={'cpu': 12},
            failure={'max_failures': 2, 'backoff_s': 0.01},
            resources_per_trial={'cpu': 1, 'gpu': gpu}),
            {'CUDA_VISIBLE_DEVICES': visible, 'TOY_EXIT': '0:3'})
        run.start()
        self.assertEqual(run.finish(), 1, run.said())
        with open(notes) as file:
            return file.read().split()

    def test_a_failure_leads_to_another_gpu(self):
        self.assertEqual(self.tried_on(1, '4,7'), ['4', '7', '4'])

    def test_a_failure_on_a_share_leads_to_another_gpu(self):
        self.assertEqual(self.tried_on(0.5, '4,7'), ['4', '7', '4'])

    def test_where_there_is_no_other_the_same_has_to_do(self):
        self.assertEqual(self.tried_on(1, '4'), ['4', '4', '4'])

    def test_none_asked_for(self):
        lines = self.train(6, 0, '0,1')
        self.assertEqual(set(line['devices'] for line in lines), {'0,1'})
        self.assertIn('warning[W0201]: 2 GPUs are here (CUDA_VISIBLE_DEVICES) but '
                      'not asked for', self.run_said)


if __name__ == '__main__':
    unittest.main()
