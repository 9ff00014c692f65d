"""tests/client.py, the client that was written from docs/protocol.md alone: driven by
this test in the place of pbt, and at last by pbt.

    test_client.py BUILD_DIR
"""
import os
import shutil
import sys
import tempfile
import unittest

import runs
from driven import Worker

BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else 'build')

CLIENT = [sys.executable, os.path.dirname(os.path.abspath(__file__))
          + '/client.py']


class Client(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='test_client.')
        self.addCleanup(shutil.rmtree, self.dir)
        self.worker = Worker(CLIENT, self.dir + '/log')
        self.addCleanup(self.worker.__exit__)
        hello = self.worker.next()
        self.assertEqual((hello['type'], hello['protocol'],
                          hello['pid'], hello['capabilities']),
                         ('hello', 1, self.worker.process.pid,
                          ['reset_config']))
        self.assertEqual(
            self.worker.start({'lr': 0.1}, epoch=1048577),
            {'type': 'ready', 'epoch': 1048577, 'iteration': 0,
             'checkpoint': None, 'config': {'lr': 0.1}})

    def test_is_short(self):
        with open(CLIENT[1]) as file:
            self.assertLess(len(file.readlines()), 60)

    def test_trains_saves_and_loads(self):
        path = self.dir + '/saved'
        results = self.worker.run(3)
        self.assertEqual([(r['seq'], r['iteration'], r['halted'],
                           r['metrics']['score']) for r in results],
                         [(1, 1, False, 1), (2, 2, False, 2), (3, 3, True, 3)])
        self.assertEqual(self.worker.save(path, 3),
                         {'type': 'saved', 'epoch': 1048577, 'iteration': 3})
        self.worker.run(5)
        ready = self.worker.load({'lr': 0.05}, path, 1048579, 3, total=7)
        self.assertEqual((ready['checkpoint'], ready['config']),
                         (path, {'lr': 0.05}))
        self.worker.say('run', until=9, epoch=1048577)  # an older life
        result = self.worker.run(4)[0]
        self.assertEqual((result['epoch'], result['seq'], result['iteration'],
                          result['halted'], result['metrics']['score']),
                         (1048579, 1, 4, True, 3.5))
        self.assertGreaterEqual(result['time_total_s'], 7)
        self.worker.say('stop')
        self.assertIsNone(self.worker.next())
        self.assertEqual(self.worker.wait(), 0)

    def test_halts(self):
        self.worker.send(('run', {'until': 10 ** 9}))
        self.worker.next()
        self.worker.say('halt')
        last = self.worker.results()[-1]['iteration']
        self.worker.say('halt')
        self.assertEqual(self.worker.next(), {
            'type': 'halted', 'epoch': 1048577, 'iteration': last})

    def test_ends_with_the_socket(self):
        self.worker.say('run', until=10 ** 9)
        self.worker.next()
        self.worker.socket.close()
        self.assertNotEqual(self.worker.wait(), 0)


class Trained(unittest.TestCase):
    def test_by_pbt(self):
        dir = tempfile.mkdtemp(prefix='test_client.')
        self.addCleanup(shutil.rmtree, dir)
        rate = {'uniform': [0.02, 0.2]}
        run = runs.Run(BUILD, dir, runs.experiment(
            'client', CLIENT, resources={'cpu': 2}, config={'lr': rate},
            scheduler={'type': 'pbt', 'perturbation_interval': 5,
                       'hyperparam_mutations': {'lr': rate}}))
        run.start()
        self.assertEqual(run.finish(), 0, run.said())
        records = runs.records_of(run.path)
        self.assertEqual({r['data']['client'] for r in records
                          if r['k'] == 'ready' and 'data' in r}, {'client.py'})
        self.assertTrue([r for r in records if r['k'] == 'exploit'])
        self.assertFalse([r for r in records if r['k'] == 'exited' and
                          r['leave'] in ('retry', 'error')])


if __name__ == '__main__':
    unittest.main()
