"""Data frames of an experiment in Python: which results they have, and their columns.

    frames.py BUILD_DIR SOURCE_DIR

Trials exploit, and one of them dies in the middle, so that results are undone.  Which results
count is worked out here a second time: a result that is no further than an earlier one of its
trial has undone that.  The Python is PBT_TORCH_PYTHON, or else the one that runs this; it
needs pandas.
"""
import json
import os
import pickle
import subprocess
import sys
import tempfile
import unittest

import runs

BUILD, SOURCE = (os.path.abspath(path) for path in (sys.argv[1:3] if len(sys.argv) > 2
                                                    else ('build', '.')))
sys.path.insert(0, SOURCE + '/python')
DICT_FILE = 'checkpoint.pkl'
ITERATIONS = 20
SCRIPT = '''
import os, sys
import libpbt as tune

class Model(tune.Trainable):
    def setup(self, config):
        self.score = config['lr']

    def step(self):
        marks = sys.argv[1]
        if self.iteration == 7 and not os.path.exists(marks):
            open(marks, 'w').close()
            os._exit(1)
        self.score += self.config['lr']
        return {'score': self.score, 'text': '007', 'list': [1, float('nan')],
                'nested': {'down': -self.score, 'none': None},
                'odd': float('inf') if self.iteration %% 2 else 1.0,
                'flag': self.iteration > 5}

    def save_checkpoint(self, directory):
        return {'score': self.score}

    def load_checkpoint(self, state):
        self.score = state['score']

    def reset_config(self, config):
        return True

tune.run(Model, name='run', metric='score', mode='max', verbose=0, num_samples=4,
         stop={'training_iteration': %d}, max_failures=1, checkpoint_freq=3,
         keep_checkpoints_num=20,
         config={'lr': tune.uniform(0.01, 1), 'batch': 32, 'net': {'width': [1, 2]}},
         scheduler=tune.PopulationBasedTraining(
             time_attr='training_iteration', perturbation_interval=5,
             hyperparam_mutations={'lr': tune.uniform(0.01, 1)}),
         experiment={'resources': {'cpu': 2}})
''' % ITERATIONS
RAYS = {'done', 'training_iteration', 'time_this_iter_s', 'time_total_s', 'trial_id', 'date',
        'timestamp', 'pid', 'hostname', 'node_ip', 'time_since_restore',
        'iterations_since_restore', 'experiment_tag'}
OURS = {'pbt_epoch', 'pbt_seq', 'pbt_lineage', 'pbt_parent', 'pbt_generation',
        'pbt_parent_trial', 'pbt_parent_iteration'}
OWN = {'score', 'text', 'list', 'nested/down', 'nested/none', 'odd', 'flag', 'config/lr',
       'config/batch', 'config/net/width'}


def counting(rows):
    """The (epoch, seq) of a trial's results that count."""
    left = []
    for row in rows:
        while left and left[-1]['training_iteration'] >= row['training_iteration']:
            left.pop()
        left.append(row)
    return [(row['pbt_epoch'], row['pbt_seq']) for row in left]


class Frames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        import pandas
        import libpbt as tune
        cls.pandas, cls.tune = pandas, tune
        cls.folder = tempfile.TemporaryDirectory(prefix='frames.')
        cls.addClassCleanup(cls.folder.cleanup)
        dir = cls.folder.name
        os.environ.update(PBT=BUILD + '/pbt', PBT_DIR=dir + '/runs', TMPDIR=dir,
                          PYTHONPATH=SOURCE + '/python')
        with open(dir + '/script.py', 'w') as file:
            file.write(SCRIPT)
        done = subprocess.run([sys.executable, 'script.py', dir + '/mark'], cwd=dir,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=300, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        cls.run_dir = dir + '/runs/run'
        cls.analysis = tune.ExperimentAnalysis(cls.run_dir)
        cls.frames = cls.analysis.trial_dataframes

    def test_what_counts(self):
        left_out = 0
        for trial in self.analysis.trials:
            frame = self.frames[trial.trial_id]
            rows = trial.rows()
            self.assertEqual(list(zip(frame['pbt_epoch'], frame['pbt_seq'])),
                             counting(rows))
            left_out += len(rows) - len(frame)
            self.assertEqual(frame['training_iteration'].iloc[-1], ITERATIONS)
        self.assertGreater(left_out, 0)

    def test_columns(self):
        for frame in self.frames.values():
            self.assertEqual(set(frame), RAYS | OURS | OWN)
            first = frame.iloc[0]
            self.assertEqual((first['text'], first['config/batch'], first['nested/none'],
                              first['config/net/width']), ('007', 32, None, [1, 2]))
            self.assertEqual(first['list'][0], 1)
            self.assertNotEqual(first['list'][1], first['list'][1])  # NaN
            self.assertEqual(frame['odd'].max(), float('inf'))
            self.assertTrue((frame['nested/down'] == -frame['score']).all())
            for name, kind in (('flag', 'b'), ('done', 'b'), ('training_iteration', 'i'),
                               ('score', 'f'), ('config/lr', 'f'), ('timestamp', 'i')):
                self.assertEqual(frame[name].dtype.kind, kind, name)

    def test_descent(self):
        """What a result stands on is what the trial's exploits say."""
        shown = subprocess.run([BUILD + '/pbt', 'export', self.run_dir, '--json'],
                               stdin=subprocess.DEVNULL, capture_output=True, text=True,
                               timeout=60, check=True)
        exploits = [e for e in json.loads(shown.stdout)['exploits'] if not e['undone']]
        self.assertTrue(exploits)
        moved = 0
        for name, frame in self.frames.items():
            self.assertTrue((frame['pbt_generation'].diff().dropna() >= 0).all())
            for _, row in frame[frame['pbt_generation'] > 0].iterrows():
                moved += row['pbt_parent_trial'] != name
        self.assertGreater(moved, 0)

    def test_by_whom(self):
        by_path = self.analysis.fetch_trial_dataframes()
        self.assertEqual(list(by_path), [trial.path for trial in self.analysis.trials])
        self.assertEqual(list(self.frames), [t.trial_id for t in self.analysis.trials])
        for trial in self.analysis.trials:
            result = self.tune.Result.from_path(trial.path)
            for frame in (by_path[trial.path], result.metrics_dataframe,
                          trial.dataframe()):
                self.pandas.testing.assert_frame_equal(frame, self.frames[trial.trial_id])

    def test_best(self):
        """Each scope by pandas: what pbt answers."""
        of = {'all': lambda s, mode: getattr(s, mode)(), 'last': lambda s, _: s.iloc[-1],
              'avg': lambda s, _: s.mean(), 'last-5-avg': lambda s, _: s[-5:].mean(),
              'last-10-avg': lambda s, _: s[-10:].mean()}
        for metric in ('score', 'nested/down'):
            for mode in ('min', 'max'):
                for scope, value in of.items():
                    values = {name: value(frame[metric], mode)
                              for name, frame in self.frames.items()}
                    best = self.analysis.get_best_trial(metric, mode, scope).trial_id
                    self.assertAlmostEqual(values[best],
                                           {"min": min, "max": max}[mode](values.values()),
                                           msg=(metric, mode, scope))

    def test_checkpoints(self):
        """Each beside the result that its weights gave."""
        for trial in self.analysis.trials:
            kept = [(pickle.loads(runs.read(os.path.join(checkpoint.path, DICT_FILE)))['score'],
                     row) for checkpoint, row in trial.checkpoints()]
            self.assertGreater(len(kept), 3)
            for score, row in kept:
                self.assertEqual(row['score'], score)
            for mode, best in (('min', min), ('max', max)):
                found = self.analysis.get_best_checkpoint(trial, 'score', mode)
                self.assertEqual(pickle.loads(runs.read(os.path.join(
                    found.path, DICT_FILE)))['score'], best(score for score, _ in kept))

    def test_tables(self):
        analysis = self.analysis
        table = analysis.dataframe()
        self.assertEqual(list(table['training_iteration']), [ITERATIONS] * 4)
        self.assertEqual(list(table['logdir']), [t.path for t in analysis.trials])
        self.assertEqual(list(analysis.dataframe('score')['score']), list(table['score']))
        for mode in ('min', 'max'):
            for metric in ('score', 'odd', 'text', 'none such'):
                table = analysis.dataframe(metric, mode)
                self.assertEqual(list(table['trial_id']), list(self.frames))
                if metric == 'odd':  # an infinite one is never the best
                    self.assertEqual(list(table['odd']), [1.0] * 4)
                if metric == 'score':
                    self.assertEqual(list(table['score']), [
                        getattr(frame['score'], mode)() for frame in self.frames.values()])
        with self.assertRaisesRegex(ValueError, 'a mode without a metric'):
            analysis.dataframe(mode='max')
        self.assertEqual(list(analysis.results_df.index), list(self.frames))
        self.assertEqual(list(analysis.best_result_df.index), [analysis.best_trial.trial_id])
        self.assertEqual(set(analysis.results_df), (RAYS | OURS | OWN) - {
            'trial_id', 'pbt_generation', 'pbt_parent_trial', 'pbt_parent_iteration'})
        self.assertEqual(list(analysis.get_all_configs(True)[analysis.trials[0].trial_id]),
                         ['config/lr', 'config/batch', 'config/net/width'])
        grid = self.tune.ResultGrid(analysis)
        self.assertEqual(list(grid.get_dataframe('score', 'max')['score']),
                         list(analysis.dataframe('score', 'max')['score']))

    def test_files_that_are_gone(self):
        """What result.json has lost is no row, until pbt rebuild has written it anew."""
        trial = self.analysis.trials[0]
        path = trial.path + '/result.json'
        os.rename(path, path + '.away')
        try:
            self.assertEqual(len(trial.dataframe()), 0)
            self.assertEqual(list(self.analysis.dataframe()['trial_id']),
                             list(self.frames))
        finally:
            os.rename(path + '.away', path)
        self.assertEqual(len(trial.dataframe()), len(self.frames[trial.trial_id]))


if __name__ == '__main__':
    python = os.environ.pop('PBT_TORCH_PYTHON', None)
    if python:
        sys.exit(subprocess.call([python, *sys.argv]))
    del sys.argv[1:]
    unittest.main()
