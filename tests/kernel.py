#!/usr/bin/env python3
"""Experiments in a notebook: cells that a real kernel of Jupyter's runs.

    kernel.py BUILD_DIR SOURCE_DIR

Needs python3-ipykernel; without it nothing is tested (77).
"""
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import unittest

import runs

if importlib.util.find_spec('ipykernel') is None:
    print('SKIP: there is no ipykernel (Debian: apt-get install python3-ipykernel)')
    sys.exit(77)
from jupyter_client.manager import start_new_kernel  # it comes with ipykernel

SOURCE = os.path.abspath(sys.argv.pop(2) if len(sys.argv) > 2 else '.')
BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else 'build')
MODEL = '''
import os, time
import libpbt as tune
gain = 1

class Model(tune.Trainable):
    def setup(self, config):
        self.weight = 0.0

    def step(self):
        while os.path.exists('slow') and self.iteration >= 3:
            time.sleep(0.01)
        self.weight += gain * abs(self.config['unit']) * self.config['lr']
        return {'score': self.weight}

    def save_checkpoint(self, checkpoint_dir):
        return {'weight': self.weight}

    def load_checkpoint(self, checkpoint):
        self.weight = checkpoint['weight']
'''
FIT = '''
tuner = tune.Tuner(Model, param_space={'lr': tune.uniform(0, 1), 'unit': 1j},
                   tune_config=tune.TuneConfig(metric='score', mode='max', num_samples=2),
                   run_config=tune.RunConfig(stop={'training_iteration': 6},
                                             experiment={'grace': 1}))
grid = tuner.fit()
len(grid), grid[0].metrics['training_iteration']
'''
ASKS = '''
asked = []

def stop(trial_id, result):
    return result['training_iteration'] == ends_at

def explore(config):
    asked.append('explore')
    return {**config, 'lr': 0.5}

def source():
    asked.append('source')
    return 0.25

ends_at = 8
analysis = tune.run(
    Model, config={'lr': tune.uniform(0, 1), 'unit': 1j}, num_samples=4, metric='score',
    mode='max', stop=stop, scheduler=tune.PopulationBasedTraining(
        time_attr='training_iteration', perturbation_interval=2, resample_probability=1,
        synch=True, hyperparam_mutations={'lr': source}, custom_explore_fn=explore))
sorted(set(asked)), {trial.last_result['training_iteration'] for trial in analysis.trials}
'''
RESTORE = '''
grid = tune.Tuner.restore('runs/Model', Model).fit()
grid[0].metrics['training_iteration'], grid[0].metrics['score'] / grid[0].config['lr']
'''


class Kernel:
    def __init__(self, directory):
        env = {**os.environ, 'PBT': BUILD + '/pbt', 'PYTHONPATH': SOURCE + '/python',
               'PYTHONDONTWRITEBYTECODE': '1', 'PYDEVD_DISABLE_FILE_VALIDATION': '1',
               'HOME': directory}
        env.pop('PBT_DIR', None)
        self.manager, self.client = start_new_kernel(kernel_name='python3', env=env,
                                                     cwd=directory)
        self.printed = ''
        self.value = None
        self.raised = None
        self._heard = None

    def run(self, code, heard=lambda printed: None):
        """`heard` is called at every piece of output, with all that was printed."""
        self.printed, self.value, self.raised, self._heard = '', None, None, heard
        status = 'aborted'  # so may be what comes right after a cell that has failed
        while status == 'aborted':
            reply = self.client.execute_interactive(
                code, timeout=runs.DEADLINE_S, allow_stdin=False, output_hook=self._output)
            status = reply['content']['status']
        return self.value

    def _output(self, message):
        content = message['content']
        if message['msg_type'] == 'stream':
            self.printed += content['text']
            self._heard(self.printed)
        elif message['msg_type'] == 'execute_result':
            self.value = content['data']['text/plain']
        elif message['msg_type'] == 'error':
            self.raised = '%s: %s' % (content['ename'], content['evalue'])

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


class Notebook(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='test-kernel-')
        self.addCleanup(shutil.rmtree, self.dir, ignore_errors=True)
        self.kernel = self.start()

    def start(self):
        kernel = Kernel(self.dir)
        self.addCleanup(kernel.end)
        return kernel

    def run_in(self, kernel, *cells, **more):
        for code in cells:
            value = kernel.run(code, **more)
            self.assertIsNone(kernel.raised, kernel.printed)
        return value

    def test_a_class_of_a_cell(self):
        self.assertEqual(self.run_in(self.kernel, MODEL, FIT), '(2, 6)')
        # What is shown is a few tables, not one for each moment.
        self.assertIn('results: ', self.kernel.printed)
        self.assertLess(self.kernel.printed.count('== Status =='), 4)
        self.assertNotIn('\033', self.kernel.printed)

    def test_functions_of_a_cell(self):
        """They are called in the kernel, with what its cells have set."""
        self.assertEqual(self.run_in(self.kernel, MODEL, ASKS), "(['explore', 'source'], {8})")

    def test_without_cloudpickle(self):
        self.kernel.run('import sys\nsys.modules["cloudpickle"] = None\n' + MODEL)
        self.kernel.run(FIT)
        self.assertIn('TuneError: Model is defined in a notebook', self.kernel.raised)
        self.assertIn('move it to a file', self.kernel.raised)
        self.assertFalse(os.path.exists(self.dir + '/runs'))

    def fit_and_interrupt(self, kernel, way):
        """In the middle of a step, which is not waited for: it is done again."""
        slow = self.dir + '/slow'
        open(slow, 'w').close()
        sent = []

        def heard(printed):
            if '== Status ==' in printed and not sent:
                sent.append(way)
                way()
        kernel.run(FIT, heard)
        os.unlink(slow)
        self.assertEqual(kernel.raised, 'KeyboardInterrupt: ')
        self.assertIn('interrupted: the run can be resumed', kernel.printed)

    def check_interrupted(self, way):
        self.run_in(self.kernel, MODEL)
        self.fit_and_interrupt(self.kernel, way)
        # The same cells in another kernel are the same run.
        again = self.start()
        self.assertEqual(self.run_in(again, MODEL + '# as before', FIT), '(2, 6)')
        self.assertEqual(sorted(os.listdir(self.dir + '/runs')), ['.libpbt', 'Model'])
        self.assertEqual(len(os.listdir(self.dir + '/runs/.libpbt')), 1)

    def test_interrupted_as_jupyter_does(self):
        """By a signal to the kernel and all that it has started."""
        self.check_interrupted(self.kernel.manager.interrupt_kernel)

    def test_interrupted_alone(self):
        self.check_interrupted(
            lambda: os.kill(self.kernel.manager.provisioner.pid, signal.SIGINT))

    def test_a_class_that_was_mended(self):
        """Tuner.restore() takes the class that it is given, not the one of before; what
        the configuration held beside its text (`unit`) is still there."""
        self.run_in(self.kernel, MODEL)
        self.fit_and_interrupt(self.kernel, self.kernel.manager.interrupt_kernel)
        mended = MODEL.replace('gain = 1', 'gain = 10')
        said = self.run_in(self.kernel, mended, RESTORE)
        self.assertIn('is changed', self.kernel.printed)
        iteration, score = said.strip('()').split(', ')
        self.assertEqual(iteration, '6')
        self.assertAlmostEqual(float(score), 60)
        # It is over now: nothing is done again.
        self.assertEqual(self.run_in(self.kernel, mended, RESTORE), said)
        self.assertNotIn('is changed', self.kernel.printed)


if __name__ == '__main__':
    unittest.main()
