"""Experiments for tests/test_python_run.py: what is run is the first argument.  No guard: each
worker runs all of this again."""
import json
import os
import random
import sys
import time

import libpbt as tune
from libpbt.stopper import Stopper

print('a worker' if 'PBT_TRIAL_ID' in os.environ else 'the script', file=sys.stderr)
KEPT = object()


class Model(tune.Trainable):
    """The score goes towards 1, by lr of the way at each step."""

    def setup(self, config, more=0.0):
        self.score = more
        self.lr = config['lr']

    def step(self):
        if self.iteration == self.config.get('fails_at'):
            raise ValueError('it fails at %d' % self.iteration)
        time.sleep(self.config.get('sleep', 0))
        self.score += self.lr * (1 - self.score)
        return {'score': self.score, 'nested': {'lr': self.lr}}

    def save_checkpoint(self, checkpoint_dir):
        return {'score': self.score}

    def load_checkpoint(self, checkpoint):
        self.score = checkpoint['score']

    def reset_config(self, new_config):
        self.lr = new_config['lr']
        return True


def pbt(**more):
    return tune.PopulationBasedTraining(
        time_attr='training_iteration', perturbation_interval=3, synch=True,
        **{'hyperparam_mutations': {'lr': tune.uniform(0.001, 0.1)}, **more})


def tuner(trainable, space=None, scheduler=None, **run):
    return tune.Tuner(
        trainable, param_space={'lr': tune.uniform(0.001, 0.1), **(space or {})},
        tune_config=tune.TuneConfig(metric='score', mode='max', num_samples=4,
                                    scheduler=scheduler or pbt()),
        run_config=tune.RunConfig(**{
            'verbose': 0, 'stop': {'training_iteration': 12}, **run,
            'experiment': {'seed': 1, 'resources': {'cpu': 2}}}))


def say(**what):
    print(json.dumps(what))


def trials(grid):
    return [(result.metrics['training_iteration'], result.metrics['score'],
             result.config['lr']) for result in grid]


# --- what is run ------------------------------------------------------------------


def two_runs():
    """The second's workers find the results of the first."""
    first = tune.run(Model, name='first', metric='score', mode='max', verbose=0,
                     config={'lr': tune.grid_search([0.1, 0.2])},
                     stop={'training_iteration': 3})
    lr = first.best_config['lr']
    second = tune.run(Model, name='second', metric='score', mode='max', verbose=0,
                      config={'lr': lr}, stop={'training_iteration': 2})
    say(first=[first.results[key]['score'] for key in sorted(first.results)], lr=lr,
        second=second.best_result['score'], args=sys.argv[2:])


def closure():
    begin = 0.25
    seen = object()

    def train(config, data):
        assert data is KEPT and config['kept'] is KEPT and config['net']['kept'] is seen
        score = begin
        checkpoint = tune.get_checkpoint()
        if checkpoint is not None:
            with checkpoint.as_directory() as directory:
                with open(os.path.join(directory, 'score')) as file:
                    score = float(file.read())

        def save(directory):
            with open(os.path.join(directory, 'score'), 'w') as file:
                file.write(repr(score))

        while True:
            score += config['lr'] * (1 - score)
            tune.report({'score': score}, checkpoint=save)

    grid = tuner(tune.with_resources(tune.with_parameters(train, data=KEPT), {'cpu': 1}),
                 {'kept': KEPT, 'net': {'kept': seen, 'depth': 3}}).fit()
    say(trials=trials(grid), depth=grid[0].config['net'])


def class_parameters():
    say(trials=trials(tuner(tune.with_parameters(Model, more=0.5)).fit()))


def asks():
    """Sources of first values and of draws, and a custom explore."""
    explored = []

    def explore(config):
        explored.append(config['lr'])
        config['lr'] = min(config['lr'], 0.05) * random.uniform(0.9, 1)
        return config

    grid = tuner(Model, {'lr': tune.sample_from(lambda spec: spec.config.base * 2),
                         'base': tune.uniform(0.001, 0.01)},
                 pbt(hyperparam_mutations={'lr': lambda: random.uniform(0.001, 0.1)},
                     custom_explore_fn=explore, resample_probability=0.5)).fit()
    say(trials=trials(grid), explored=explored, next=random.random())


class Best(Stopper):
    """Ends all when a score is reached; `seen` counts what it is shown."""

    def __init__(self, score):
        self.score = score
        self.seen = 0
        self.reached = False

    def __call__(self, trial_id, result):
        self.seen += 1
        self.reached = self.reached or result['score'] >= self.score
        return self.reached

    def stop_all(self):
        return self.reached


def stopper():
    stop = Best(float(sys.argv[2]))
    grid = tuner(Model, {'sleep': float(sys.argv[3])}, stop=stop).fit()
    say(seen=stop.seen, rows=sum(len(result._trial.rows()) for result in grid),
        best=max(result.metrics['score'] for result in grid),
        states=[result._trial.status for result in grid])


def stop_function():
    say(trials=trials(tuner(Model, stop=lambda trial, result: (
        result['training_iteration'] >= 4 + int(trial.split('_')[1]))).fit()))


def bad_stop_function():
    def stop(trial, result):
        return result['no such metric'] > 1
    tuner(Model, stop=stop).fit()


def bad_explore():
    def explore(config):
        raise KeyError('momentum')
    grid = tuner(Model, scheduler=pbt(custom_explore_fn=explore)).fit()
    say(trials=len(trials(grid)))


def bad_source():
    """The same call goes on when it is mended."""
    def source(spec):
        if 'BAD' in os.environ:
            raise KeyError('rate')
        return 0.1
    say(trials=trials(tuner(Model, {'lr': tune.sample_from(source)}, name='source').fit()))


def failing():
    grid = tuner(Model, {'fails_at': 5}).fit()
    say(errors=[str(error) for error in grid.errors], terminated=grid.num_terminated)
    tune.run(Model, name='raises', metric='score', mode='max', verbose=0,
             config={'lr': 0.1, 'fails_at': 2})


def never():
    if 'PBT_TRIAL_ID' in os.environ:
        return
    tuner(Model).fit()


def plain():
    say(trials=trials(tuner(Model, {'sleep': float(sys.argv[2])}).fit()))


def shown():
    tuner(Model, verbose=1, progress_reporter=tune.CLIReporter(
        metric_columns={'score': 'how good'}, parameter_columns=['lr'])).fit()


def restored():
    if not tune.Tuner.can_restore(sys.argv[2]):
        raise SystemExit('there is nothing')
    tune.init(num_cpus=2)
    say(trials=trials(tune.Tuner.restore(sys.argv[2], Model, run_config=tune.RunConfig(
        verbose=0)).fit()))
    tune.shutdown()


globals()[sys.argv[1]]()
