"""Ray Tune's side of bench/compare: a trainable that does nothing, under Ray's PBT.

    ray_side.py NOTES TRIALS STEPS INTERVAL MIB

NOTES is a file, to which each worker appends, at its second step and at its last one, a
line: "second TIME" or "last TIME" (CLOCK_MONOTONIC, ns).  INTERVAL 0: no perturbation
ever comes.  MIB: the size of a checkpoint.  Ray's defaults are left as they are, but for
2 CPUs (those of ours); its loggers are off where TUNE_DISABLE_AUTO_CALLBACK_LOGGERS=1.
"""
import os
import sys
import time

import ray
from ray import tune
from ray.tune.schedulers import PopulationBasedTraining

NOTES = os.path.abspath(sys.argv[1])
TRIALS, STEPS, INTERVAL, MIB = map(int, sys.argv[2:6])


class Nothing(tune.Trainable):
    def setup(self, config):
        self.x = config['x']
        self.weights = os.urandom(1 << 20) * MIB

    def note(self, word):
        with open(NOTES, 'a') as file:
            file.write('%s %d\n' % (word, time.monotonic_ns()))

    def step(self):
        if self.iteration == 1:
            self.note('second')  # the first result has been processed
        if self.iteration + 1 == STEPS:
            self.note('last')
        return {'score': self.x}

    def save_checkpoint(self, path):
        with open(path + '/weights', 'wb') as file:
            file.write(self.weights)

    def load_checkpoint(self, path):
        with open(path + '/weights', 'rb') as file:
            self.weights = file.read()

    def reset_config(self, config):
        self.x = config['x']
        return True


ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
scheduler = PopulationBasedTraining(
    time_attr='training_iteration', perturbation_interval=INTERVAL or 10 ** 9,
    metric='score', mode='max', quantile_fraction=0.5 if INTERVAL else 0.25,
    hyperparam_mutations={'x': tune.uniform(0, 1)})
trainable = tune.with_resources(Nothing, {'cpu': 2 / TRIALS if TRIALS > 2 else 1})
grid = tune.Tuner(
    trainable, param_space={'x': tune.uniform(0, 1)},
    tune_config=tune.TuneConfig(scheduler=scheduler, num_samples=TRIALS,
                                reuse_actors=True),
    run_config=tune.RunConfig(
        storage_path=os.path.dirname(NOTES) + '/ray', verbose=0,
        stop={'training_iteration': STEPS})).fit()
assert not grid.num_errors, grid.errors
print(scheduler.debug_string())
