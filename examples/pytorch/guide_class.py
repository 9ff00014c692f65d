#!/usr/bin/env python3
"""Ray Tune's guide to Population Based Training, with a class: run from this script.

    guide_class.py [--smoke-test]
"""
import argparse

import network
from convnet import ConvNetTrainable
from libpbt import tune
from libpbt.schedulers import PopulationBasedTraining

parser = argparse.ArgumentParser()
parser.add_argument('--smoke-test', action='store_true', help='end soon')
args = parser.parse_args()

scheduler = PopulationBasedTraining(
    time_attr='training_iteration',
    perturbation_interval=5,
    hyperparam_mutations={
        'lr': tune.uniform(0.0001, 1),  # drawn anew, or multiplied by 1.2 or 0.8
        'momentum': [0.8, 0.9, 0.99],  # drawn anew, or moved to a neighbour
    })


class GoodEnough(tune.Stopper):
    """One trial that is good enough ends them all."""

    def __init__(self):
        self.reached = False

    def __call__(self, trial_id, result):
        if args.smoke_test:
            return result['training_iteration'] >= 10
        self.reached = self.reached or result['mean_accuracy'] > 0.96
        return self.reached or result['training_iteration'] >= 100

    def stop_all(self):
        return self.reached


tuner = tune.Tuner(
    ConvNetTrainable,
    run_config=tune.RunConfig(
        name='guide-class',
        stop=GoodEnough(),
        checkpoint_config=tune.CheckpointConfig(
            checkpoint_score_attribute='mean_accuracy', checkpoint_frequency=5,
            checkpoint_at_end=True, num_to_keep=4)),
    tune_config=tune.TuneConfig(
        scheduler=scheduler, metric='mean_accuracy', mode='max', num_samples=4,
        reuse_actors=True),
    param_space={'lr': tune.uniform(0.001, 1), 'momentum': tune.uniform(0.001, 1)})
results = tuner.fit()

best = results.get_best_result(scope='all')
print('best trial: %s, trained with %s' % (best.path, best.config))
model = ConvNetTrainable(best.config)
model.restore(best.get_best_checkpoint('mean_accuracy', 'max'))
print('iteration %d: accuracy %.4f on all test images' % (
    model.iteration, network.test(model.model, model.test_loader, None)))
