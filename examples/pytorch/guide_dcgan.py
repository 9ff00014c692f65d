#!/usr/bin/env python3
"""The second half of Ray Tune's guide: networks that make digits, run from this script.

    guide_dcgan.py [--smoke-test] [--population N] [--iterations N] [-o DIRECTORY]
"""
import argparse
import importlib.util
import os

from dcgan import DcganTrainable
from libpbt import tune
from libpbt.schedulers import PopulationBasedTraining

parser = argparse.ArgumentParser()
parser.add_argument('--smoke-test', action='store_true', help='end soon')
parser.add_argument('--population', type=int, metavar='N', default=8)
parser.add_argument('--iterations', type=int, metavar='N', default=300)
parser.add_argument('-o', '--output', metavar='DIRECTORY', default='.',
                    help='where the pictures go')
args = parser.parse_args()
if not all(map(importlib.util.find_spec, ('pandas', 'matplotlib'))):  # not after hours
    parser.error('to draw it needs pandas and matplotlib: on Debian the packages '
                 'python3-pandas and python3-matplotlib, elsewhere `pip install pandas '
                 'matplotlib`')
if args.smoke_test:
    args.population, args.iterations = 2, 5

tuner = tune.Tuner(
    DcganTrainable,
    run_config=tune.RunConfig(
        name='guide-dcgan',
        stop={'training_iteration': args.iterations},
        checkpoint_config=tune.CheckpointConfig(
            checkpoint_score_attribute='is_score', checkpoint_at_end=True,
            num_to_keep=2)),
    tune_config=tune.TuneConfig(
        scheduler=PopulationBasedTraining(
            time_attr='training_iteration',
            perturbation_interval=2 if args.smoke_test else 5,
            hyperparam_mutations={
                'netG_lr': tune.uniform(1e-5, 1e-2),
                'netD_lr': tune.uniform(1e-5, 1e-2),
            }),
        metric='is_score', mode='max', num_samples=args.population, reuse_actors=True),
    param_space={'netG_lr': tune.choice([0.0001, 0.0002, 0.0005]),
                 'netD_lr': tune.choice([0.0001, 0.0002, 0.0005])})
results = tuner.fit()

# From here on there are results.  The workers, which run this script, too, never come here.
import matplotlib.pyplot as plt  # noqa: E402

COLUMNS = 16  # of digits

plt.switch_backend('Agg')  # to files, not to a screen
best = results.get_best_result(scope='last')
print('best trial: %s, is_score %.2f, trained with %s' % (
    best.path, best.metrics['is_score'], best.config))

# Digits by the newest generator of each trial, the best first.
ranked = sorted(results, key=lambda result: result.metrics['is_score'], reverse=True)
figure, rows = plt.subplots(len(ranked), 1, figsize=(8, 0.8 * len(ranked)), squeeze=False)
for axes, result in zip(rows[:, 0], ranked):
    model = DcganTrainable(result.config)
    model.restore(result.checkpoint)
    digits = model.gan.draw(COLUMNS)[:, 0]  # (digit, line, column)
    axes.imshow(digits.permute(1, 0, 2).reshape(32, -1), cmap='gray', vmin=-1, vmax=1)
    axes.set_title('%s: %.2f' % (os.path.basename(result.path),
                                 result.metrics['is_score']), fontsize=8)
    axes.axis('off')
figure.tight_layout()
figure.savefig(os.path.join(args.output, 'digits.png'), dpi=150)

# The score, the losses, and the rates behind them.
frames = {result.path: result.metrics_dataframe for result in results}
figure, plots = plt.subplots(3, 2, figsize=(10, 10), sharex=True)
for axes, column in zip(plots.flat, ('is_score', None, 'lossg', 'lossd',
                                     'config/netG_lr', 'config/netD_lr')):
    if column is None:
        axes.axis('off')
        continue
    for path, frame in frames.items():
        axes.plot(frame['training_iteration'], frame[column],
                  label=os.path.basename(path))
    axes.set_title(column.replace('config/', ''))
    axes.set_xlabel('iteration')
    axes.set_yscale('log' if column.startswith('config/') else 'linear')
plots[0, 1].legend(*plots[0, 0].get_legend_handles_labels(), loc='center')
figure.tight_layout()
figure.savefig(os.path.join(args.output, 'dcgan.png'))
print('digits.png and dcgan.png are in %s' % args.output)
