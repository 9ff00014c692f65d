#!/usr/bin/env python3
"""Trains one network by the schedule that guide_class.py has found.

    guide_replay.py [POLICY_FILE]
"""
import glob
import sys

from convnet import ConvNetTrainable
from libpbt import tune
from libpbt.schedulers import PopulationBasedTrainingReplay

policies = sys.argv[1:] or sorted(glob.glob('runs/guide-class/pbt_policy_*.txt'))
if not policies:
    sys.exit('no policy file: run guide_class.py first, or name one')

tuner = tune.Tuner(
    ConvNetTrainable,
    run_config=tune.RunConfig(name='guide-replay', stop={'training_iteration': 20}),
    tune_config=tune.TuneConfig(scheduler=PopulationBasedTrainingReplay(policies[0]),
                                metric='mean_accuracy', mode='max'))
result = tuner.fit()[0]
print('by %s: accuracy %g' % (policies[0], result.metrics['mean_accuracy']))
