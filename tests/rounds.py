"""Synchronous PBT with real processes: one seed gives one lineage, byte for byte in
pbt_global.txt, on any number of slots, with kills and without.

    rounds.py BUILD_DIR
"""
import os
import random
import shutil
import sys
import tempfile
import time

import runs
from runs import check

POPULATION = 16
ITERATIONS = 60 if runs.SCALE >= 1 else 30
KILLS = 6 if runs.SCALE >= 1 else 2


# Beside the default: a last score, or the last few of them; what was best once, which may lead
# back behind the round; hyperparameters alone.
POLICIES = ({'exploit': 'tournament'},
            {'exploit': 't_test', 't_test_scores': 4, 't_test_level': 0.2},
            {'donors': 'best_ever', 'quantile_fraction': 0.5},
            {'exploit_copies': 'hyperparameters'})


def keys_of(build, name, slots, sleep_ms=0, policy=None):
    keys = runs.experiment(
        name, [build + '/examples/toy'], num_samples=POPULATION, seed=7,
        stop={'training_iteration': ITERATIONS}, resources={'cpu': slots},
        config={'lr': {'loguniform': [0.0001, 0.02]}, 'sleep_ms': sleep_ms})
    keys['scheduler'].update(synch=True, **(policy or {}))
    return keys


def lineage(run):
    text = runs.read(run.path + '/pbt_global.txt')
    lines = text.count(b'\n')
    check(lines >= ITERATIONS // 5 - 1, 'only %d exploits', lines)
    return text


def named(policy):
    return str(list(policy.values())[0]) if policy else 'default'


def undisturbed(build, dir, slots, policy=None):
    name = 'slots-%d-%s' % (slots, named(policy))
    run = runs.Run(build, dir, keys_of(build, name, slots, policy=policy))
    run.start()
    check(run.finish() == 0, '%s', run.said())
    return lineage(run)


def killed(build, dir, draw, policy=None):
    """The driver is killed now and then, and the run resumed."""
    name = 'killed-' + named(policy)
    run = runs.Run(build, dir, keys_of(build, name, 3, 2, policy))
    for _ in range(KILLS):
        run.start()
        runs.wait_until('begun', run.begun)
        time.sleep(draw.uniform(0.01, 0.12))  # at a moment of chance
        if run.ended():
            break
        run.kill()
        run.wait_gone()
    run.start()
    status = run.finish()
    check(status == 0, 'exit status %d: %s', status, run.said())
    return lineage(run)


def main():
    build = os.path.abspath(sys.argv[1])
    seed = int(os.environ.get('PBT_TEST_SEED', time.time_ns() % 10 ** 9))
    print('PBT_TEST_SEED=%d' % seed, flush=True)
    dir = tempfile.mkdtemp(prefix='rounds.')
    try:
        expected = undisturbed(build, dir, 1)
        for slots in (2, POPULATION):
            check(undisturbed(build, dir, slots) == expected,
                  'on %d slots: another lineage than on one', slots)
        # sleep_ms is a part of the configurations that are logged.
        found = killed(build, dir, random.Random(seed))
        check(found == expected.replace(b'"sleep_ms": 0', b'"sleep_ms": 2'),
              'with kills: another lineage')
        for policy in POLICIES:
            other = undisturbed(build, dir, POPULATION, policy)
            check(other != expected, '%s: the default\'s lineage', policy)
            found = killed(build, dir, random.Random(seed), policy)
            check(found == other.replace(b'"sleep_ms": 0', b'"sleep_ms": 2'),
                  '%s, with kills: another lineage', policy)
    finally:
        shutil.rmtree(dir)
    print('%d exploits, four times the same' % expected.count(b'\n'))


if __name__ == '__main__':
    main()
