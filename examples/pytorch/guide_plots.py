#!/usr/bin/env python3
"""The guide's plots of a run, with pandas and matplotlib: guide_plots.py [RUN [DIRECTORY]]"""
import os
import sys

import matplotlib.pyplot as plt
from libpbt import tune

plt.switch_backend('Agg')  # to files, not to a screen
run, directory = (sys.argv[1:] + ['runs/guide-class', '.'][len(sys.argv) - 1:])[:2]
analysis = tune.ExperimentAnalysis(run)

# The accuracy of each trial, by iteration and by the time that its training has taken.
figure, plots = plt.subplots(1, 2, figsize=(11, 4.5), sharey=True)
for path, frame in analysis.fetch_trial_dataframes().items():
    for axes, x in zip(plots, ('training_iteration', 'time_total_s')):
        frame.plot(x, 'mean_accuracy', ax=axes, label=os.path.basename(path))
plots[0].set_ylabel('accuracy on the test images')
figure.tight_layout()
figure.savefig(os.path.join(directory, 'accuracy.png'))

# The schedule of hyperparameters that the best trial has had.
frame = analysis.best_dataframe
frame.plot('training_iteration', ['config/lr', 'config/momentum'])
plt.savefig(os.path.join(directory, 'schedule.png'))

print(analysis.dataframe('mean_accuracy', 'max')[
    ['trial_id', 'mean_accuracy', 'training_iteration', 'config/lr']].to_string())
