"""R-09: workers that are killed at random disturb nobody but their trial, which trains on.

    worker_kills.py BUILD_DIR [SEED]

Processes of a run at work get SIGKILL, one after the other.  Each time the trial starts again
from its newest restart point, in its epoch order, and soon; nothing else fails; and in the end the
journal and every checkpoint are whole.
"""
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import runs
from runs import check

KILLS = max(5, int(500 * runs.SCALE))
TRIALS = 4
AWAY_S = 1  # half of them, on a machine with much else to do


class Journal:
    """A journal of one segment, read on from where the last look ended."""

    def __init__(self, path):
        self.path = path + '/journal/000001.jsonl'
        self.place = 0
        self.ready = {}  # trial -> (epoch, pid) of its newest process that was ready
        self.records = []

    def look(self):
        with open(self.path, 'rb') as file:
            file.seek(self.place)
            content = file.read()
        whole = content.rfind(b'\n') + 1
        self.place += whole
        for line in content[:whole].splitlines():
            record = json.loads(line)
            if 'k' not in record:
                continue
            self.records.append(record)
            if record['k'] == 'ready':
                # After an exploit the same process goes on, and isn't named again.
                old = self.ready.get(record['trial'])
                pid = record['data']['pid'] if 'data' in record else old[1]
                self.ready[record['trial']] = (record['epoch'], pid)


def failures(records):
    return [r for r in records if r['k'] == 'exited' and r.get('leave') == 'retry']


def kill_one(run, journal, draw):
    """Kills a trial's process, and waits until another one of it is ready."""
    journal.look()
    trial = draw.randrange(TRIALS)
    epoch, pid = journal.ready[trial]
    os.kill(pid, signal.SIGKILL)

    def again():
        check(not run.ended(), 'pbt has ended: %s', run.said())
        journal.look()
        return journal.ready[trial][0] > epoch
    runs.wait_until('trial %d ready after %d was killed' % (trial, pid), again)
    time.sleep(draw.random() * 0.03)


def seconds_away(records):
    """From the end of each that was killed to the next one that is ready, in order of length."""
    ended, away = {}, []
    for record in records:
        if failures([record]):
            ended[record['trial']] = record['t']
        elif record['k'] == 'ready' and record['trial'] in ended:
            away.append((record['t'] - ended.pop(record['trial'])) / 1e9)
    return sorted(away)


def check_starts(records):
    """A life begins at the trial's newest restart point: its last save, or its exploit."""
    newest = {}
    for record in records:
        trial = record.get('trial')
        if record['k'] in ('saved', 'exploit'):
            newest[trial] = record['checkpoint']
        elif record['k'] == 'start':
            check(record.get('checkpoint') == newest.get(trial),
                  'trial %s starts from %s instead of %s', trial, record.get('checkpoint'),
                  newest.get(trial))


def main():
    build = os.path.abspath(sys.argv[1])
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(2 ** 32)
    print('seed %d' % seed, flush=True)
    draw = random.Random(seed)
    dir = os.path.realpath(tempfile.mkdtemp(prefix='worker_kills.'))
    keys = runs.experiment('killed', [build + '/examples/toy'], num_samples=TRIALS,
                           resources={'cpu': TRIALS}, reuse_workers=False,
                           stop={'training_iteration': 10 ** 6},
                           failure={'max_failures': -1, 'backoff_s': 0})
    keys['config']['sleep_ms'] = 4
    run = runs.Run(build, dir, keys)
    try:
        run.start()
        runs.wait_until('begun', run.begun)
        journal = Journal(run.path)

        def all_train():  # a run that fails before its first result ends: failure.fail_fast
            journal.look()
            return len({r['trial'] for r in journal.records if r['k'] == 'result'}) == TRIALS
        runs.wait_until('a result of each', all_train)
        for _ in range(KILLS):
            kill_one(run, journal, draw)
        run.process.send_signal(signal.SIGINT)
        check(run.finish() == 130, 'exit status: %s', run.said())
        run.wait_gone()
        records = runs.records_of(run.path)
        failed = failures(records)
        check(KILLS // 2 <= len(failed) <= KILLS, '%d failures of %d kills', len(failed), KILLS)
        for record in failed:
            check(record['data'].get('signal') == signal.SIGKILL, 'not killed: %s', record)
        check_starts(records)
        status = subprocess.run([build + '/pbt', 'verify', run.path], capture_output=True,
                                     text=True, check=False, timeout=runs.DEADLINE_S)
        check(status.returncode == 0, 'verify: %s%s', status.stdout, status.stderr)
        away = seconds_away(records)
        half = away[len(away) // 2]
        check(half < AWAY_S, 'half of them are away for more than %.2f s', half)
        print('%d kills, %d failures, %d results; half are back within %.3f s, all within %.2f s' % (
            KILLS, len(failed), len([r for r in records if r['k'] == 'result']), half, away[-1]))
    except runs.Failed as failed:
        sys.exit('worker_kills: %s' % failed)
    finally:
        if run.process is not None and not run.ended():
            run.kill()
        shutil.rmtree(dir, ignore_errors=True)


if __name__ == '__main__':
    main()
