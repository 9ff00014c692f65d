#!/usr/bin/env python3
"""Ray Tune's guide to Population Based Training, with a function: run from this script.

    guide_function.py [--smoke-test]
"""
import argparse

from convnet_function import train_convnet
from libpbt import tune
from libpbt.schedulers import PopulationBasedTraining

parser = argparse.ArgumentParser()
parser.add_argument('--smoke-test', action='store_true', help='end soon')
args = parser.parse_args()

analysis = tune.run(
    train_convnet,
    name='guide-function',
    scheduler=PopulationBasedTraining(
        time_attr='training_iteration',
        perturbation_interval=4,
        hyperparam_mutations={
            'lr': tune.uniform(0.0001, 1),
            'momentum': tune.uniform(0.0001, 1),
        }),
    metric='mean_accuracy',
    mode='max',
    stop=({'training_iteration': 8} if args.smoke_test else
          {'mean_accuracy': 0.96, 'training_iteration': 50}),
    num_samples=4,
    keep_checkpoints_num=4,
    checkpoint_at_end=True,
    config={'lr': tune.uniform(0.001, 1), 'momentum': tune.uniform(0.001, 1)})

print('best trial: %s' % analysis.best_trial)
print('best configuration: %s' % analysis.best_config)
print('checkpoint: %s' % analysis.best_checkpoint.path)
