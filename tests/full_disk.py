"""A disk without room makes trials wait where they would save, and nothing else.

    full_disk.py BUILD_DIR

Runs on a small file system of their own (a tmpfs in a mount namespace; where none can be
made, this is skipped).  It is filled but for less than the reserve: every trial waits with
its save, and goes on once there is room; or the run is stopped meanwhile, and goes on when
it is resumed.  A save that finds no room in its middle is no failure.  Log files wait for room,
too.  And not more than so many save at a time.
"""
import errno
import os
import re
import signal
import subprocess
import sys
import tempfile

import runs
from runs import check

DISK_KIB = 64 * 1024
LEFT_KIB = 500  # below the reserve, and enough for the journal and the logs
SKIPPED = 77
SAVES_MAX = 16


def fill(disk, left_kib=LEFT_KIB):
    """Leaves so much; returns the file that takes the rest."""
    about = os.statvfs(disk)
    path = disk + '/ballast'
    with open(path, 'wb') as file:
        os.posix_fallocate(file.fileno(), 0,
                           about.f_bavail * about.f_frsize - 1024 * left_kib)
    return path


def fill_up(path):
    """What is left of the disk, while others take of it, too."""
    with open(path, 'ab') as file:
        try:
            while True:
                os.posix_fallocate(file.fileno(), os.fstat(file.fileno()).st_size, 4096)
        except OSError as full:
            check(full.errno == errno.ENOSPC, '%s', full)


def kinds(run):
    return [record['k'] for record in runs.records_of(run.path)]


def check_end(run, iterations=20):
    status = run.finish()
    check(status == 0, '%s: exit status %d:\n%s', run.path, status, run.said())
    last = {}
    for record in runs.records_of(run.path):
        check(record.get('leave') not in ('retry', 'error'),
              '%s: a failure: %s', run.path, record)
        if record['k'] == 'result':
            last[record['trial']] = record['it']
    check(set(last.values()) == {iterations}, '%s: %s', run.path, last)


def begin(build, disk, name):
    """A run of four trials, all of which wait for room."""
    run = runs.Run(build, disk, runs.experiment(
        name, [build + '/examples/toy'], resources={'cpu': 4},
        scheduler={'type': 'fifo'}, checkpoint={'frequency': 5},
        failure={'max_failures': 0}))
    ballast = fill(disk)
    run.start()
    runs.wait_until('waiting for room', lambda: 'W0307' in run.said())
    runs.wait_until('all waiting', lambda: kinds(run).count('save') == 4)
    check('saved' not in kinds(run), '%s: saved without room', run.path)
    check(not run.ended(), '%s has ended:\n%s', run.path, run.said())
    return run, ballast


def goes_on(build, disk):
    run, ballast = begin(build, disk, 'on')
    os.unlink(ballast)
    check_end(run)
    check('no save waits for room' in run.said(), '%s: it does not say that '
          'there is room again', run.log)
    print('full, then room again: all went on')


def stops(build, disk):
    run, ballast = begin(build, disk, 'stopped')
    run.process.send_signal(signal.SIGINT)
    status = run.finish()
    check(status == 130, '%s: exit status %d:\n%s', run.path, status,
          run.said())
    given_up = re.findall(r"trial \w+ can't be saved at iteration 5.*\n"
                          r'  = it will go on from iteration 0', run.said())
    check(len(given_up) == 4, '%s: %s', run.log, run.said())
    os.unlink(ballast)
    run.start()
    check_end(run)
    print('full, and stopped: all went on when it was resumed')


def is_spoilt(build, disk):
    """Nobody knew how large checkpoints are: the first ones begin, and find no room."""
    run = runs.Run(build, disk, runs.experiment(
        'spoilt', [build + '/tests/bad_toy'], resources={'cpu': 2},
        num_samples=2, scheduler={'type': 'fifo'}, checkpoint={'frequency': 5},
        failure={'max_failures': 0}), {'TOY_BALLAST_KIB': '8192'})
    run.log = disk + '.log'  # what pbt says would find no room either
    ballast = fill(disk, 6 * 1024)
    run.start()
    runs.wait_until('out of room', lambda: 'found no room' in run.said())
    # It is back at its beginning, and waits before it saves again.
    runs.wait_until('waiting for room',
                    lambda: 'no room for checkpoints' in run.said())
    os.unlink(ballast)
    check_end(run)
    left = [name for path in run.trial_dirs() for name in os.listdir(path)
            if name.startswith('.checkpoint_')]
    check(not left, '%s: %s is left', run.path, left)
    os.unlink(run.log)
    print('out of room in the middle of a save: all went on')


def trains_on(build, disk):
    """Not even the log files find room: they come later, and the journal has some ahead."""
    run = runs.Run(build, disk, runs.experiment(
        'trains', [build + '/tests/bad_toy'], resources={'cpu': 4}, stop={'training_iteration': 400},
        scheduler={'type': 'fifo'}, checkpoint={'at_end': True},
        failure={'max_failures': 0}), {'TOY_SLEEP_MS': '10'})
    run.log = disk + '.log'
    run.start()
    runs.wait_until('training', lambda: run.begun() and kinds(run).count('result') > 8)
    runs.wait_until('logs', lambda: all(os.path.exists(path + '/result.json')
                                        for path in run.trial_dirs()))
    ballast = fill(disk)
    fill_up(ballast)
    begin = runs.records_of(run.path)[-1]['t']

    def some_flushes_later():
        check(not run.ended(), '%s has ended:\n%s', run.path, run.said())
        return runs.records_of(run.path)[-1]['t'] > begin + 1e9
    runs.wait_until('further', some_flushes_later)
    os.unlink(ballast)
    check_end(run, 400)
    for path in run.trial_dirs():
        rows = runs.read(path + '/result.json').splitlines()
        check(len(rows) == 400, '%s: %d rows of result.json', path, len(rows))
    os.unlink(run.log)
    print('full for the log files: they were written when there was room')


def count_saving(run):
    """Who is about to save: the driver, which begins and ends saves, stands still."""
    run.process.send_signal(signal.SIGSTOP)
    runs.wait_until('standing still', lambda: runs.read(
        '/proc/%d/stat' % run.process.pid).rsplit(b') ', 1)[-1][:1] in b'TZ')
    count = sum(name.startswith('.checkpoint_') for path in
                (run.trial_dirs() if os.path.exists(run.path) else [])
                for name in os.listdir(path))
    run.process.send_signal(signal.SIGCONT)
    return count


def takes_turns(build, disk):
    """More trials than may save at a time, and saves that last until all want to save."""
    count = SAVES_MAX + 8
    gate = disk + '/gate'
    run = runs.Run(build, disk, runs.experiment(
        'turns', [build + '/tests/bad_toy'], num_samples=count,
        resources={'cpu': count}, stop={'training_iteration': 5},
        scheduler={'type': 'fifo'}), {'TOY_SAVE_UNTIL': gate})
    run.start()
    runs.wait_until('all to save', lambda: run.begun() and kinds(run).count('save') == count)
    # When the driver answers, it has carried out what it had recorded before.
    subprocess.run([build + '/pbt', 'resume', run.path], stdout=subprocess.DEVNULL, check=True,
                   timeout=runs.DEADLINE_S)
    most = count_saving(run)
    check(most == SAVES_MAX, '%d trials save at a time', most)
    runs.write(gate, '')
    while not run.ended():
        most = max(most, count_saving(run))
    check_end(run, 5)
    check(most == SAVES_MAX, '%d trials saved at a time', most)
    check('W0307' not in run.said(), '%s', run.said())
    print('%d trials to save: %d at a time' % (count, most))


def inside(build):
    """In a mount namespace."""
    disk = tempfile.mkdtemp(prefix='full_disk.')
    try:
        mounted = subprocess.run(
            ['mount', '-t', 'tmpfs', '-o', 'size=%dk' % DISK_KIB, 'none',
             disk], check=False).returncode == 0
        if not mounted:
            return SKIPPED
        goes_on(build, disk)
        stops(build, disk)
        is_spoilt(build, disk)
        trains_on(build, disk)
        takes_turns(build, disk)
    except runs.Failed as failure:
        print('FAILED: %s' % failure)
        return 1
    finally:
        if mounted:
            subprocess.run(['umount', '-l', disk], check=True)
        os.rmdir(disk)
    return 0


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else 'build')
    if '--inside' in sys.argv:
        return inside(build)
    unshare = ['unshare', '-m'] if os.geteuid() == 0 else ['unshare', '-Urm']
    if subprocess.run(unshare + ['true'], check=False).returncode != 0:
        print('skipped: no mount namespace can be made here')
        return SKIPPED
    status = subprocess.run(unshare + [sys.executable, __file__, build,
                                       '--inside'], check=False).returncode
    if status == SKIPPED:
        print('skipped: no tmpfs can be mounted here')
    return status


if __name__ == '__main__':
    sys.exit(main())
