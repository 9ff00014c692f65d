#!/usr/bin/env python3
"""The toys of docs/papers.md once more, in plain Python and without any code of ours: what
build/bench/papers is measured against.

    reference.py [SEEDS]

The seeds are other ones, so that means agree as far as chance lets them; what has no chance
in it agrees to the last digit but one.
"""
import math
import random
import statistics
import sys

SEEDS = int(sys.argv[1]) if len(sys.argv) > 1 else None


def show(what, seeds, run, average=statistics.fmean):
    values = [run(random.Random(seed)) for seed in range(SEEDS or seeds)]
    error = statistics.stdev(values) / math.sqrt(len(values)) \
        if len(values) > 1 else 0
    print('  %-44s %4d %-6s %.15g +- %.2g'
          % (what, len(values), average.__name__.lstrip('f'), average(values), error),
          flush=True)


def once(what, run):
    print('  %-44s    1        %.15f' % (what, run(random.Random(0))))


def figure2(alpha=0.01, interval=4, sigma=0.1, copy_h=False, alone=False,
            steps=200):
    def run(draw):
        theta, h = [[0.9, 0.9], [0.9, 0.9]], [[1.0, 0.0], [0.0, 1.0]]

        def q(trial):
            return 1.2 - (theta[trial][0] ** 2 + theta[trial][1] ** 2)
        for step in range(1, steps + 1):
            for t, by in zip(theta, h):
                for i in (0, 1):
                    t[i] -= alpha * 2 * by[i] * t[i]
            if alone or step % interval or step == steps:
                continue
            loser = 0 if q(0) <= q(1) else 1  # of two equal ones, trial 1 wins
            theta[loser] = theta[1 - loser][:]
            if copy_h:
                h[loser] = h[1 - loser][:]
            h[loser] = [x + draw.gauss(0, sigma) for x in h[loser]]
        return max(q(0), q(1))
    return run


def zoo(deceptive, interval, alone=False, population=22, replaced=5):
    def run(draw):
        h = [draw.uniform(0.9, 1.1) for _ in range(population)]
        theta, away = [0.9] * population, [0.0] * population
        for at in range(0, 1000, interval):
            scores = []
            for i in range(population):
                away[i] += abs(h[i] - (1 - at / 1000))
                slope = max(2 - h[i] - 0.2 * away[i] * deceptive, 0)
                before = theta[i]
                for _ in range(interval):
                    before = theta[i]
                    theta[i] -= 0.001 * 2 * slope * theta[i]
                # PBT-Zoo's Deceptive says what was before its last step.
                scores.append(1.2 - (before if deceptive else theta[i]) ** 2)
            if alone or at + interval == 1000:
                continue
            order = sorted(range(population), key=scores.__getitem__)
            for i in order[:replaced]:
                donor = draw.choice(order[-replaced:])
                theta[i], away[i] = theta[donor], away[donor]
                h[i] = min(max(h[donor] * draw.choice((2, 0.5)), 0.0001), 1.1)
        return max(scores)
    return run


def accuracy(population, interval):
    def run(draw):
        lr = [draw.uniform(0.0001, 0.02) for _ in range(population)]
        reached, replaced = [0.0] * population, population // 4
        for step in range(1, 201):
            for i in range(population):
                hill = reached[i] if reached[i] < 100 else 200 - reached[i]
                best = max(0.0001 * hill, 0.001)
                off = max(lr[i], best) / min(lr[i], best)
                if off < 3:
                    reached[i] += draw.random() / off
                elif lr[i] > best:
                    reached[i] -= (off - 3) * draw.random()
                reached[i] = max(reached[i] + 2 * draw.gauss(0, 1), 0)
            if interval == 0 or step % interval or step == 200:
                continue
            order = sorted(range(population), key=reached.__getitem__)
            for i in order[:replaced]:
                donor = draw.choice(order[-replaced:])
                reached[i] = reached[donor]
                if draw.random() < 0.25:
                    lr[i] = draw.uniform(0.0001, 0.02)
                else:
                    lr[i] = min(max(lr[donor] * draw.choice((1.2, 0.8)),
                                    0.0001), 0.02)
        return max(reached)
    return run


def main():
    print('PBT paper, figure 2: Q after 200 steps, best of two trials')
    for alpha in (0.01, 0.02, 0.05):
        once('alone, alpha %g' % alpha, figure2(alpha, alone=True))
    for interval in (4, 10):
        for steps in (200, 100):
            once('exploit only, every %d%s'
                 % (interval, ', 100 steps' * (steps == 100)),
                 figure2(interval=interval, sigma=0, steps=steps))
    for copy_h in (False, True):
        for interval in (4, 10):
            show('PBT, every %d%s' % (interval, ', h is copied too' * copy_h),
                 400, figure2(interval=interval, copy_h=copy_h),
                 statistics.median)
    show('PBT, every 4, alpha 0.02', 400, figure2(0.02), statistics.median)
    for deceptive in (False, True):
        print('\nPBT-Zoo, %s: best of 22 trials after 1000 steps'
              % ('Deceptive' if deceptive else 'Plain'))
        show('alone', 200, zoo(deceptive, 20, alone=True))
        for interval in (10, 20, 50, 100, 250, 500):
            show('PBT, every %d steps' % interval, 200,
                 zoo(deceptive, interval))
    print('\nThe moving learning rate: accuracy after 200 iterations')
    for population in (4, 16):
        for interval in (0, 5, 20):
            show('%d trials, %s' % (population, 'PBT, every %d' % interval
                                    if interval else 'alone'), 400,
                 accuracy(population, interval))


if __name__ == '__main__':
    main()
