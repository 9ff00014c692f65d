"""scheduler.exploit and the guard, as experiment files that `pbt run` runs with real
processes: each decision in the journal is made again here, from the results alone.

    policies.py BUILD_DIR
"""
import math
import os
import shutil
import subprocess
import sys
import tempfile

import runs
from runs import check

ITERATIONS = 120 if runs.SCALE >= 1 else 60

FILE = '''\
name: %(name)s
command: [%(build)s/examples/toy]
num_samples: 8
metric: score
mode: max
seed: 3
stop: {training_iteration: %(iterations)d}
resources: {cpu: 3}
config:
  lr: {loguniform: [0.0001, 0.02]}
scheduler:
  perturbation_interval: 6
  hyperparam_mutations:
    lr: {loguniform: [0.0001, 0.02]}
%(scheduler)s
'''


class Trial:
    def __init__(self):
        self.scores = []  # of its present weights
        self.sample = []  # these, at its last point
        self.score = math.nan  # there


def student_p(freedom, t):
    """Two-sided, by Simpson's rule on the density from 0 to t."""
    steps = 2000
    front = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)
                     ) / math.sqrt(freedom * math.pi)

    def density(x):
        return front * (1 + x * x / freedom) ** (-(freedom + 1) / 2)
    t = min(abs(t), 200)
    return 1 - 2 * t / steps / 3 * sum(
        density(t * i / steps) * (1 if i in (0, steps) else 4 if i % 2 else 2)
        for i in range(steps + 1))


def welch_p(a, b):
    """Nearly: the integral is good to some digits."""
    parts = []
    for sample in (a, b):
        mean = sum(sample) / len(sample)
        squares = sum((x - mean) ** 2 for x in sample)
        parts.append((mean, squares / (len(sample) - 1) / len(sample)))
    (mean_a, var_a), (mean_b, var_b) = parts
    freedom = (var_a + var_b) ** 2 / (var_a ** 2 / (len(a) - 1) +
                                      var_b ** 2 / (len(b) - 1))
    return student_p(freedom, (mean_b - mean_a) / math.sqrt(var_a + var_b))


def mean_of(sample):
    return sum(sample) / len(sample)


def decisions(build, dir, name, scheduler, window=6):
    """(the record, the loser, the donor, all trials) for each exploit, and each that was not."""
    path = os.path.join(dir, name + '.yaml')
    with open(path, 'w') as file:
        file.write(FILE % {'name': name, 'build': build,
                           'iterations': ITERATIONS,
                           'scheduler': ''.join('  %s\n' % line
                                                for line in scheduler)})
    done = subprocess.run([os.path.join(build, runs.PBT), 'run', path, '--dir',
                           dir], stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=runs.DEADLINE_S, check=False)
    check(done.returncode == 0, '%s', done.stderr.decode())
    trials = [Trial() for _ in range(8)]
    for record in runs.records_of(os.path.join(dir, name)):
        kind = record['k']
        if kind == 'result':
            trial = trials[record['trial']]
            trial.scores = (trial.scores + [record['score']])[-window:]
            if record.get('point'):
                trial.score, trial.sample = record['score'], trial.scores
        elif kind == 'exited' and record['leave'] == 'terminate':
            trials[record['trial']].score = math.nan  # nobody's rival any more
        elif kind == 'exploit' or record.get('pass') == 'gap':
            loser = trials[record['trial']]
            donor = trials[record.get('donor', 0)]
            check(record['donor_score'] == donor.score and
                  record['score'] == loser.score, 'evidence: %s', record)
            yield record, loser, donor, trials
            if kind == 'exploit':
                loser.scores = []


def split(found):
    """How many were copied, and how many not."""
    copied = sum(1 for record, *_ in found if record['k'] == 'exploit')
    return copied, len(found) - copied


def tournament(build, dir):
    modest = 0
    found = []
    for case in decisions(build, dir, 'tournament', ['exploit: tournament']):
        found.append(case)
        record, loser, donor, trials = case
        check(donor.score > loser.score, 'a worse one is copied: %s', record)
        ranked = sorted(t.score for t in trials if not math.isnan(t.score))
        modest += donor.score < ranked[-2]
    copied, kept = split(found)
    check(copied >= ITERATIONS // 6 and kept == 0, '%d, %d', copied, kept)
    check(modest > 0, 'only the upper quarter is copied')
    return '%d exploits, %d of them from below the upper quarter' % (copied,
                                                                   modest)


def t_test(build, dir):
    found = []
    for case in decisions(build, dir, 't_test', [
            'exploit: t_test', 't_test_scores: 4', 't_test_level: 0.02'], 4):
        found.append(case)
        record, loser, donor, _ = case
        check(mean_of(donor.sample) > mean_of(loser.sample),
              'a worse one is copied: %s', record)
        p = welch_p(loser.sample, donor.sample)
        significant = p < 0.02
        check(significant == (record['k'] == 'exploit') or
              abs(p - 0.02) < 1e-6, 'p is %g: %s', p, record)
    copied, kept = split(found)
    check(copied > 0 and kept > 0, '%d copied, %d kept', copied, kept)
    return '%d exploits, %d not significant' % (copied, kept)


def guard(build, dir):
    found = []
    for case in decisions(build, dir, 'guard', [
            'quantile_fraction: 0.5', 'exploit_gap: 0.1',
            'exploit_gap_relative: 0.03', 'exploit_gap_sd: 0.8']):
        found.append(case)
        record, loser, donor, trials = case
        ranked = sorted(t.score for t in trials if not math.isnan(t.score))
        ranked = ranked[len(ranked) // 5:]
        deviation = math.sqrt(sum((x - mean_of(ranked)) ** 2
                                  for x in ranked) / len(ranked))
        bound = max(0.1, 0.03 * abs(donor.score), 0.8 * deviation)
        gap = donor.score - loser.score
        check((gap > bound) == (record['k'] == 'exploit') or
              abs(gap - bound) < 1e-9, 'gap %g, bound %g: %s', gap, bound,
              record)
    copied, kept = split(found)
    check(copied > 0 and kept > 0, '%d copied, %d kept', copied, kept)
    return '%d exploits, %d gaps too small' % (copied, kept)


def main():
    build = os.path.abspath(sys.argv[1])
    dir = tempfile.mkdtemp(prefix='policies.')
    try:
        for proof in (tournament, t_test, guard):
            print('%s: %s' % (proof.__name__, proof(build, dir)))
    except runs.Failed as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
