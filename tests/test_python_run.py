"""Experiments run from Python: libpbt.run(), Tuner, their results.

    test_python_run.py BUILD_DIR SOURCE_DIR
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import runs

SOURCE = os.path.abspath(sys.argv.pop(2) if len(sys.argv) > 2 else '.')
BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else 'build')
SCRIPT = SOURCE + '/tests/python/experiment.py'
HEAD = '''import libpbt as tune
def train(config):
    while True:
        tune.report({'score': config['lr']})
'''
TAIL = '''grid = tune.Tuner(train, param_space={'lr': 0.5}, run_config=tune.RunConfig(
    name='small', verbose=0, stop={'training_iteration': 2})).fit()
print(grid[0].metrics['score'], grid[0].metrics['training_iteration'])
'''


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = tempfile.mkdtemp(prefix='test_python_run.')
        self.addCleanup(shutil.rmtree, self.dir)
        self.env = {**os.environ, 'PBT': BUILD + '/pbt', 'PYTHONDONTWRITEBYTECODE': '1',
                    'PYTHONPATH': SOURCE + '/python', 'TMPDIR': self.dir}
        self.env.pop('PBT_DIR', None)

    def start(self, words, **more):
        return subprocess.Popen([sys.executable, *words], cwd=self.dir,
                                env={**self.env, **more.pop('env', {})}, text=True,
                                **{'stdin': subprocess.DEVNULL, 'stdout': subprocess.PIPE,
                                   'stderr': subprocess.PIPE, **more})

    def python(self, words, status=0, text=None, **more):
        process = self.start(words, **more)
        try:
            self.out, self.err = process.communicate(text, runs.DEADLINE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
        self.assertEqual(process.returncode, status, self.out + self.err)
        return self.out

    def experiment(self, *words, status=0, **more):
        said = self.python([SCRIPT, *map(str, words)], status, **more)
        return json.loads(said) if said.startswith('{') else said

    def code(self, text, status=0, **more):
        return self.python(['-c', text], status, **more)

    def script(self, text, name='script.py'):
        path = os.path.join(self.dir, name)
        with open(path, 'w') as file:
            file.write(text)
        return path

    def stderr_of(self, run, trial):
        directory = '%s/runs/%s' % (self.dir, run)
        name = next(name for name in os.listdir(directory)
                    if name.endswith('_%05d' % trial))
        with open('%s/%s/stderr' % (directory, name)) as file:
            return file.read()


class Scripts(Case):
    def test_one_after_another(self):
        said = self.experiment('two_runs', '--and', 'args')
        self.assertEqual(said['lr'], 0.2)
        self.assertAlmostEqual(said['first'][0], 1 - 0.9 ** 3)
        self.assertAlmostEqual(said['second'], 1 - 0.8 ** 2)
        self.assertEqual(said['args'], ['--and', 'args'])
        self.assertEqual(self.err, 'the script\n')
        self.assertEqual(self.stderr_of('second', 0), 'a worker\n')

    def test_a_closure(self):
        said = self.experiment('closure')
        self.assertEqual([trial[0] for trial in said['trials']], [12] * 4)
        self.assertGreater(max(trial[1] for trial in said['trials']), 0.3)
        self.assertEqual(said['depth'], {'depth': 3})

    def test_parameters_of_a_class(self):
        said = self.experiment('class_parameters')
        self.assertGreater(min(trial[1] for trial in said['trials']), 0.5)

    def test_with_a_guard_and_from_elsewhere(self):
        """The working directory is the script's, whatever it was told afterwards."""
        os.mkdir(self.dir + '/inner')
        path = self.script(HEAD + 'import os\nos.chdir("inner")\n'
                           'if __name__ == "__main__":\n    ' +
                           TAIL.replace('\nprint', '\n    print'))
        self.assertEqual(self.python([os.path.basename(path)]), '0.5 2\n')
        self.assertTrue(os.path.isdir(self.dir + '/inner/runs/small'))

    def test_a_module(self):
        os.mkdir(self.dir + '/package')
        self.script(HEAD + TAIL, 'package/__main__.py')
        self.assertEqual(self.python(['-m', 'package']), '0.5 2\n')

    def test_a_worker_that_never_comes_to_its_call(self):
        said = self.experiment('never')
        self.assertEqual(said, '')
        self.assertIn('came to its end without its call number 1', self.err)

    def test_children_of_multiprocessing_have_to_be_told(self):
        self.script(HEAD + TAIL.replace("lr': 0.5", "lr': 0.25"), 'imported.py')
        path = self.script('import multiprocessing, runpy\n'
                           'context = multiprocessing.get_context("spawn")\n'
                           + HEAD + 'if __name__ == "__main__":\n'
                           '    child = context.Process(target=print)\n'
                           '    child.start()\n    child.join()\n'
                           '    print(child.exitcode)\nelse:\n    ' +
                           TAIL.replace('\nprint', '\n    print'))
        self.assertEqual(self.python([path]), '1\n')
        self.assertIn('run() was called in a process that multiprocessing', self.err)


class Prompts(Case):
    """No script that could be run again."""

    def prompt(self, text, status=0, **more):
        return self.python(['-i', '-q'], status, text, stdin=subprocess.PIPE, **more)

    def test_what_can_be_imported(self):
        self.script(HEAD, 'mine.py')
        said = self.prompt('import libpbt as tune\nfrom mine import train\n' + TAIL)
        self.assertEqual(said, '0.5 2\n')

    def test_what_is_defined_there(self):
        self.assertEqual(self.prompt(HEAD + '\n' + TAIL), '0.5 2\n')
        self.assertEqual(self.code(HEAD + TAIL), '0.5 2\n')
        self.assertEqual(os.listdir(self.dir + '/runs/.libpbt')[0][-4:], '.pkl')

    def test_without_cloudpickle(self):
        hidden = 'import sys\nsys.modules["cloudpickle"] = None\n'
        self.prompt(hidden + HEAD + '\n' + TAIL)
        self.assertIn('TuneError: train is defined in a notebook, or at a prompt, where '
                      'no worker can find it: move it to a file', self.err)

    def test_output_goes_to_the_cell(self):
        """A notebook has a stream of its own in the place of stdout."""
        text = HEAD + '''
import io, sys
sys.stdout, real = io.StringIO(), sys.stdout
''' + TAIL.replace('verbose=0', 'verbose=1') + '''
print(len(sys.stdout.getvalue().split('== Status ==')) > 1, file=real)
'''
        self.assertEqual(self.code(text), 'True\n')


class Asks(Case):
    def test_sources_and_explore(self):
        said = self.experiment('asks')
        self.assertGreater(len(said['explored']), 2)
        self.assertLessEqual(max(trial[2] for trial in said['trials']), 0.05)
        again = self.experiment('asks')
        self.assertEqual(again['trials'], said['trials'])
        self.assertNotEqual(again['next'], said['next'])
        self.assertEqual(len(os.listdir(self.dir + '/runs')), 2)

    def test_a_stopper_ends_all(self):
        said = self.experiment('stopper', 0.4, 0)
        self.assertGreaterEqual(said['seen'], said['rows'])
        self.assertTrue(0.4 <= said['best'] < 0.5, said)
        self.assertEqual(said['states'], ['TERMINATED'] * 4)

    def test_a_stop_function(self):
        said = self.experiment('stop_function')
        self.assertEqual([trial[0] for trial in said['trials']], [4, 5, 6, 7])

    def test_a_stop_function_that_fails(self):
        self.experiment('bad_stop_function', status=1)
        self.assertIn("KeyError: 'no such metric'", self.err)

    def test_an_explore_function_that_fails(self):
        self.assertEqual(self.experiment('bad_explore'), {'trials': 4})
        self.assertIn("KeyError: 'momentum'", self.err)

    def test_a_first_value_that_fails(self):
        self.experiment('bad_source', status=1, env={'BAD': '1'})
        self.assertIn("KeyError: 'rate'", self.err)
        self.assertIn('TuneError: a function for first values has failed', self.err)
        said = self.experiment('bad_source')
        self.assertIn('unfinished: resuming it', self.err)
        self.assertEqual([trial[0] for trial in said['trials']], [12] * 4)

    def test_resume_needs_the_script(self):
        """Of a run that asks for functions of one."""
        process = self.start([SCRIPT, 'stopper', '2', '0.05'], stderr=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        path = self.dir + '/runs/Model'
        runs.wait_until('results', lambda: os.path.isdir(path) and count(path) > 5)
        process.kill()
        process.wait()
        self.gone(path)
        done = subprocess.run([BUILD + '/pbt', 'resume', path], env=self.env, text=True,
                              capture_output=True, check=False, timeout=runs.DEADLINE_S,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 1)
        self.assertIn('run that again, or use Tuner.restore()', done.stderr)

    def gone(self, path):
        mark = b'PBT_RUN_ID=' + os.path.realpath(path).encode() + b'#'
        runs.wait_until('gone', lambda: not any(
            text.startswith(mark) for pid in os.listdir('/proc') if pid.isdigit()
            for text in runs.environment(pid)))
        runs.wait_until('free', lambda: b'"lease":0' in runs.read(path + '/lock')
                        .replace(b' ', b''))

    def test_killed_and_run_again(self):
        """pbt stops when the script dies; the Stopper then sees what it had seen."""
        process = self.start([SCRIPT, 'stopper', '0.5', '0.02'],
                             stderr=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        path = self.dir + '/runs/Model'
        runs.wait_until('results', lambda: os.path.isdir(path) and count(path) > 8)
        process.kill()
        process.wait()
        self.gone(path)
        before = count(path)
        said = self.experiment('stopper', 0.5, 0.02)
        self.assertIn('unfinished: resuming it', self.err)
        self.assertGreaterEqual(said['seen'], before + 1)
        self.assertEqual(said['seen'], count(path))
        self.assertEqual(said['states'], ['TERMINATED'] * 4, self.err)


def count(path):
    """Results in a run's journal."""
    return sum(line.count(b'"k":"result"') for name in os.listdir(path + '/journal')
               for line in [runs.read('%s/journal/%s' % (path, name))])


class Ends(Case):
    def test_failures(self):
        said = self.experiment('failing', status=1)
        said = json.loads(said.splitlines()[0]) if isinstance(said, str) else said
        self.assertEqual((len(said['errors']), said['terminated']), (4, 0))
        self.assertRegex(said['errors'][0],
                         r'(?s)trial \w+_00000 after iteration 5: step: ValueError: it '
                         r'fails at 5.*Traceback .*in step')
        self.assertIn('TuneError: 1 of the trials failed for good', self.err)
        self.assertRegex(self.err, r'trial \w+_00000 after iteration 2: step')

    def test_interrupted_and_run_again(self):
        process = self.start([SCRIPT, 'plain', '0.05'], start_new_session=True)
        path = self.dir + '/runs/Model'
        runs.wait_until('results', lambda: os.path.isdir(path) and count(path) > 5)
        os.killpg(process.pid, signal.SIGINT)
        out, err = process.communicate(timeout=runs.DEADLINE_S)
        self.assertEqual((process.returncode, out), (-signal.SIGINT, ''))
        self.assertIn('interrupted: the run can be resumed', err)
        self.assertIn('KeyboardInterrupt', err)
        self.finished(self.experiment('plain', 0.05))
        self.assertIn('unfinished: resuming it', self.err)

    def finished(self, said):
        self.assertEqual([trial[0] for trial in said['trials']], [12] * 4)
        self.assertGreater(max(trial[1] for trial in said['trials']), 0.5)
        return said

    def test_restored(self):
        process = self.start([SCRIPT, 'plain', '0.05'], stderr=subprocess.DEVNULL)
        self.addCleanup(process.stdout.close)
        path = self.dir + '/runs/Model'
        runs.wait_until('results', lambda: os.path.isdir(path) and count(path) > 5)
        process.terminate()
        process.wait()
        runs.wait_until('free', lambda: b'"lease":0' in runs.read(path + '/lock')
                        .replace(b' ', b''))
        whole = self.finished(self.experiment('restored', path))
        self.assertEqual(self.experiment('restored', path), whole)
        self.experiment('restored', path + '-none', status=1)

    def test_the_table(self):
        said = self.experiment('shown')
        self.assertRegex(said, r'\| Trial name +\| status +\| loc +\| +lr \| +how good \|')


    def test_a_function_that_is_done(self):
        said = self.python([self.script(HEAD.replace(
            "['lr']})", "['lr'], 'done': tune.get_context().get_seed() > 0})") +
            TAIL.replace("'training_iteration': 2", "'done': True"))])
        self.assertEqual(said, '0.5 1\n')

    def test_a_bound_that_is_true(self):
        """Asked for here, beside the bounds that are numbers; with other names of Ray's."""
        said = self.python([self.script('''
import os
from libpbt import train, tune
def climb(config):
    score = 0
    while True:
        score += config['by']
        with tune.checkpoint_dir(score) as directory:
            open(directory + '/' + tune.get_trial_id(), 'w').close()
        train.report({'score': score, 'high': score > 8,
                      'there': os.path.isdir(tune.get_trial_dir())})
grid = tune.Tuner(climb, param_space={'by': tune.grid_search([1, 3])},
                  run_config=train.RunConfig(
    stop={'high': True, 'training_iteration': 4, 'done': True}, verbose=0,
    checkpoint_config=train.CheckpointConfig(checkpoint_at_end=True))).fit()
for result in grid:
    print(result.metrics['training_iteration'], result.metrics['there'],
          [name[-2:] for name in os.listdir(result.checkpoint) if name[0] != '.'])
''')])
        self.assertEqual(said, "4 True ['00']\n3 True ['01']\n")

    def test_a_metric_without_a_mode(self):
        """Where nothing is compared it is the one that results are read by."""
        said = self.python([self.script(HEAD + '''
with tune.init() as cluster:
    print(cluster.address_info)
    analysis = tune.run(train, metric='score', stop={'training_iteration': 2}, verbose=0,
                        config={'lr': tune.grid_search([1, 3, 2])},
                        sync_config=tune.SyncConfig())
    print(analysis.get_best_config(mode='max'), analysis.get_best_config(mode='min'))
''')])
        self.assertEqual(said, "{}\n{'lr': 3} {'lr': 1}\n")


class Refused(Case):
    def test_with_the_reason_and_the_page(self):
        said = self.code('''
import libpbt as tune
from libpbt.schedulers import PopulationBasedTraining
from libpbt import stopper
def train(config): pass
mutations = {'lr': [1, 2]}
for call in (
        lambda: tune.run(train, sync_period=1),
        lambda: tune.run(train, search_alg='bayes'),
        lambda: tune.SyncConfig(upload_dir='s3://bucket'),
        lambda: tune.run(train, sync_config='s3://bucket'),
        lambda: tune.run('PPO'),
        lambda: tune.run(train, scheduler='pbt'),
        lambda: tune.run(train, stop=7),
        lambda: tune.run(train, local_dir='s3://bucket'),
        lambda: tune.run(train, resources_per_trial={'tpu': 1}),
        lambda: tune.run(train, config={1: 2}),
        lambda: tune.run(train, metric='a', mode='max', scheduler=tune.FIFOScheduler(),
                         checkpoint_freq=-1),
        lambda: tune.run(train, mode='best'),
        lambda: tune.Tuner(train, datasets=3),
        lambda: PopulationBasedTraining(),
        lambda: PopulationBasedTraining(hyperparam_mutations=mutations, time_attr='ts'),
        lambda: PopulationBasedTraining(hyperparam_mutations={'lr': 3}),
        lambda: PopulationBasedTraining(hyperparam_mutations={
            'lr': tune.sample_from(lambda spec: 1)}),
        lambda: PopulationBasedTraining(hyperparam_mutations=mutations,
                                        quantile_fraction=0.6),
        lambda: tune.PopulationBasedTrainingReplay('/none'),
        lambda: tune.PB2):
    try:
        call()
    except Exception as error:
        print(type(error).__name__, error)
''')
        self.assertEqual(said, """\
TypeError run() does not take 'sync_period' (docs/from-ray.md)
TypeError run() does not take 'search_alg': the population is drawn from the search \
space; a grid is grid_search(...) (docs/from-ray.md)
TypeError SyncConfig() does not take 'upload_dir' (docs/from-ray.md)
TypeError run() does not take 'sync_config': runs lie on this machine's file systems \
(docs/from-ray.md)
TypeError run() takes a subclass of libpbt.Trainable, or a function of the \
configuration; not 'PPO' (docs/from-ray.md)
TypeError the scheduler is a str; it can be PopulationBasedTraining, \
PopulationBasedTrainingReplay or FIFOScheduler (docs/from-ray.md)
TypeError stop is a dict of bounds, a function of (trial_id, result), or a Stopper; \
not a int
ValueError storage_path is 's3://bucket': runs lie on this machine's file systems \
(docs/from-ray.md)
ValueError run: the resource 'tpu' isn't known here; cpu, gpu and memory are \
(docs/from-ray.md)
TypeError 1 is the name of a hyperparameter, and no text
ValueError CheckpointConfig: checkpoint_frequency is -1; it has to be 0 at least
ValueError run: mode is 'best'; it can be None or 'min' or 'max' (docs/from-ray.md)
TypeError Tuner() does not take 'datasets' (docs/from-ray.md)
TuneError PopulationBasedTraining: neither hyperparam_mutations nor custom_explore_fn \
say what is to change
ValueError PopulationBasedTraining: time_attr is 'ts'; it can be 'training_iteration' \
or 'time_total_s' (docs/from-ray.md)
TypeError hyperparam_mutations: 'lr' has to be a list, a tuple, a dict, a distribution \
or a function
ValueError hyperparam_mutations: sample_from() can't be in there; give the function \
itself for 'lr'
ValueError PopulationBasedTraining: quantile_fraction is 0.6; it has to be from 0 to 0.5
ValueError Policy file not found: /none
AttributeError module 'libpbt' has no attribute 'PB2'; what there is of Ray's is in \
docs/from-ray.md
""")

    def test_by_pbt(self):
        self.code(HEAD + 'tune.run(train, num_samples=0)', status=1)
        self.assertRegex(self.err, r'(?s)error\[E0203\].*train.json:\d+.*TuneError')
        self.code(HEAD + 'tune.run(train)', status=1, env={'PBT': '/none'})
        self.assertIn('PBT names /none, which can\'t be run', self.err)


class Files(Case):
    """Each keyword comes to the file as its key, and pbt takes it."""

    def test_all_keys(self):
        said = self.code('''
import json, subprocess, sys
import libpbt as tune
from libpbt._experiment import Experiment
from libpbt import stopper
class Model(tune.Trainable):
    pass
import datetime
space = {name: getattr(tune, name)(*values) for name, values in {
    'uniform': (0, 1), 'quniform': (0, 1, 0.1), 'loguniform': (1e-4, 1),
    'qloguniform': (1e-3, 1, 1e-3), 'randn': (), 'qrandn': (0, 1, 0.1),
    'randint': (1, 9), 'qrandint': (2, 8, 2), 'lograndint': (1, 9),
    'qlograndint': (2, 8, 2), 'choice': ([1, 'a', None, (1, 2)],),
    'grid_search': ([1, 2],)}.items()}
this = Experiment('run', tune.with_resources(Model, {'CPU': 1, 'memory': 1000}),
    {**{'p_' + name: value for name, value in space.items()}, 'list': (1, 2.5, 'x')},
    tune.TuneConfig('min', 'loss', None, tune.PopulationBasedTraining(
        hyperparam_mutations={'net': {'p': tune.uniform(0, 1)}, 'l': (1, 2)}), 2, 3,
        datetime.timedelta(minutes=1)),
    tune.RunConfig('a name', failure_config=tune.FailureConfig(2),
        checkpoint_config=tune.CheckpointConfig(3, 'loss', 'min', 2, True),
        stop=stopper.MaximumIterationStopper(9), experiment={'seed': 7,
        'checkpoint': {'frequency': 4}}))
keys = this.in_file()
keys['name'] = 'name'
json.dump(keys, open('keys.json', 'w'))
print(keys['stop'], keys['time_budget_s'], keys['checkpoint'], keys['failure'])
print(keys['config']['p_grid_search'], keys['config']['list'], keys['scheduler'])
for name, domain in space.items():
    if name != 'grid_search':
        assert len(domain.sample(3)) == 3, name
''')
        self.assertEqual(said, """\
{'training_iteration': 9} 60.0 {'num_to_keep': 3, 'score_attribute': 'loss', \
'score_order': 'min', 'frequency': 4, 'at_end': True} {'max_failures': 2, \
'fail_fast': False}
{'grid_search': [1, 2]} [1, 2.5, 'x'] {'type': 'pbt', 'time_attr': 'time_total_s', \
'perturbation_interval': 60.0, 'burn_in_period': 0.0, 'quantile_fraction': 0.25, \
'resample_probability': 0.25, 'perturbation_factors': [1.2, 0.8], 'log_config': True, \
'require_attrs': True, 'synch': False, 'hyperparam_mutations': {'net': {'p': \
{'uniform': [0, 1]}}, 'l': [1, 2]}}
""")
        done = subprocess.run([BUILD + '/pbt', 'check', self.dir + '/keys.json'],
                              capture_output=True, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)


class Results(Case):
    def test_without_pandas(self):
        self.experiment('plain', 0)
        said = self.code('''
import json, sys
sys.modules['pandas'] = None
import libpbt as tune
analysis = tune.ExperimentAnalysis('runs/Model')
for trial in analysis.trials:
    assert trial.last_result == trial.rows()[-1], trial
from libpbt import _results
_results.TAIL = 7
for trial in analysis.trials:
    assert trial.last_result == trial.rows()[-1], trial
print(analysis.default_metric, analysis.default_mode, analysis.state)
best = analysis.best_trial
for scope in ('last', 'all', 'avg', 'last-5-avg', 'last-10-avg'):
    assert analysis.get_best_trial(scope=scope).status == 'TERMINATED'
assert analysis.get_best_trial('nested/lr', 'min').last_result['nested']['lr'] == min(
    row['nested']['lr'] for row in analysis.results.values())
assert analysis.get_best_config() == best.config == analysis.best_result['config']
assert max(row['score'] for row in analysis.results.values()) == \\
    analysis.best_result['score']
kept = best.checkpoints()
assert kept and analysis.get_best_checkpoint(best).path in [c.path for c, _ in kept]
assert [row['training_iteration'] for _, row in kept][-1] == best.checkpoints()[-1][1][
    'training_iteration']
# Another life may have trained the same iteration: that result is not the checkpoint's.
path = best.path + '/result.json'
with open(path) as file:
    text = file.read()
with open(path, 'a') as file:
    file.write(json.dumps({**best.rows()[-1], 'pbt_epoch': 1, 'score': -1}) + '\\n')
assert best.last_result['score'] == -1
assert best.checkpoints() and best.checkpoints()[-1][1] == kept[-1][1]
with open(path, 'w') as file:
    file.write(text)
print(sorted(analysis.get_all_configs(True).values(), key=str)[0].keys())
result = tune.Result.from_path(best.path)
print(result.metrics['training_iteration'], result.error, result.path == best.path)
for wrong in (lambda: analysis.fetch_trial_dataframes(),
              lambda: analysis.get_best_trial('none', 'max'),
              lambda: analysis.get_best_trial(scope='first'),
              lambda: tune.ExperimentAnalysis('runs/none')):
    try:
        print(wrong())
    except Exception as error:
        print(type(error).__name__, str(error).splitlines()[0])
''')
        self.assertEqual(said, """\
score max finished
dict_keys(['config/lr', 'config/sleep'])
12 None True
ImportError data frames need pandas: on Debian the package python3-pandas, elsewhere \
`pip install pandas`
None
ValueError scope: scope is 'first'; it can be 'last' or 'all' or 'avg' or 'last-5-avg' \
or 'last-10-avg' (docs/from-ray.md)
TuneError error[E0702]: no run `%s/runs/none`: No such file or directory
""" % self.dir)

    def test_replay(self):
        self.experiment('plain', 0)
        policy = next(name for name in os.listdir(self.dir + '/runs/Model')
                      if name.startswith('pbt_policy_'))
        said = self.python([self.script(HEAD + '''
analysis = tune.run(train, scheduler=tune.PopulationBasedTrainingReplay(
    'runs/Model/%s'), metric='score', mode='max', stop={'training_iteration': 12},
    verbose=0)
print(len({row['config']['lr'] for row in analysis.trials[0].rows()}) > 1)
assert analysis.get_best_trial('none', 'max') is analysis.trials[0]
''' % policy)])
        self.assertEqual(said, 'True\n')


if __name__ == '__main__':
    unittest.main()
