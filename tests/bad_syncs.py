"""A sync that fails ends the run, whichever it is, and costs nothing that was acknowledged.

    bad_syncs.py BUILD_DIR

The N-th sync of the journal and all that follow fail, for each N until there is none (with
$PBT_TEST_SCALE below 1: for some).  The run ends with status 74 and says why; with `durability:
power` no result of a batch that was not synced was acknowledged; every one that was is there
when the run is resumed, which trains to the end.
"""
import concurrent.futures
import json
import os
import shutil
import sys
import tempfile

import runs
from runs import check

ITERATIONS = 10
STRIDE = max(1, round(1 / runs.SCALE))


def acknowledged(run):
    found = set()
    for line in runs.read(run.path + '.acks').decode().splitlines():
        trial, epoch, seq = line.split()
        found.add((int(trial.rsplit('_', 1)[1]), int(epoch), int(seq)))
    return found


def results(records):
    return {(r['trial'], int(r['epoch']), r['seq']) for r in records if r['k'] == 'result'}


def synced(run):
    """The results of the first segment that a sync has covered."""
    sizes = [int(line) for line in runs.read(run.path + '.synced').splitlines()]
    content = runs.read(run.path + '/journal/000001.jsonl')[:max(sizes, default=0)]
    return results([json.loads(line) for line in content.splitlines()
                    if line.startswith(b'{"n":')])


def fails_at(build, dir, durability, number):
    """False: there are not so many syncs."""
    keys = runs.experiment('%s-%d' % (durability, number), [build + '/examples/toy'],
                           num_samples=2, resources={'cpu': 2}, durability=durability,
                           stop={'training_iteration': ITERATIONS}, seed=number)
    keys['scheduler']['perturbation_interval'] = 2
    run = runs.Run(build, dir, keys)
    run.env['PBT_ACK_LOG'] = run.path + '.acks'
    usual = dict(run.env)
    run.env['LD_PRELOAD'] = build + '/tests/libstall.so'
    run.env['ASAN_OPTIONS'] = 'verify_asan_link_order=0:' + usual.get('ASAN_OPTIONS', '')
    run.env['PBT_SYNCED'] = run.path + '.synced'
    run.env['PBT_BAD_SYNC'] = '/journal/0:%d' % number
    run.start()
    status = run.process.wait(runs.DEADLINE_S)
    if status == 0:
        return False
    check(status == 74, 'sync %d: exit status %d: %s', number, status, run.said())
    check('Input/output error' in run.said() and '/journal/0' in run.said(), '%s', run.said())
    before = acknowledged(run)
    if durability == 'power':
        check(before <= synced(run), 'sync %d: acknowledged, and not synced: %s', number,
              before - synced(run))
    run.env = usual
    run.wait_gone()
    run.start()
    check(run.finish() == 0, '%s', run.said())
    there = results(runs.records_of(run.path))
    check(before <= there, 'sync %d: %s were acknowledged and are lost', number, before - there)
    check(acknowledged(run) <= there, 'acknowledged and not in the journal')
    return True


def main():
    build = os.path.abspath(sys.argv[1])
    dir = os.path.realpath(tempfile.mkdtemp(prefix='bad_syncs.'))
    try:
        with concurrent.futures.ThreadPoolExecutor(3) as pool:
            for durability in ('process', 'power'):
                tried, failed, first = 0, 0, 1
                while failed == tried:
                    numbers = range(first, first + 12 * STRIDE, STRIDE)
                    first = numbers[-1] + STRIDE
                    tried += len(numbers)
                    failed += sum(pool.map(lambda n, d=durability: fails_at(build, dir, d, n),
                                           numbers))
                check(failed >= (5 if durability == 'process' else 10) // STRIDE,
                      '%s: only %d', durability, failed)
                print('%s: a sync failed in each of %d places' % (durability, failed), flush=True)
    except runs.Failed as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
