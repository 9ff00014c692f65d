"""pbt backup of runs at work: each copy is the run as it was at one moment.

    backup.py BUILD_DIR

A run is killed and resumed while backups are made of it, one after another, some of which are
killed as well.  Each one that ends is whole by `pbt verify`, its journal is a beginning of the
original's that ends with a batch, and its checkpoints are those that this journal names, byte for
byte.  Some of the copies are resumed, and come to their end.
"""
import filecmp
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile

import runs
from runs import check

BACKUPS = 20 if runs.SCALE >= 1 else 12
RESUMED = 3 if runs.SCALE >= 1 else 1
ITERATIONS = 400
HISTORY = 300  # records


def pbt(build, *words, status=0):
    done = subprocess.run([os.path.join(build, runs.PBT), *words], capture_output=True,
                          text=True, timeout=runs.DEADLINE_S, check=False)
    check(done.returncode == status, '%s: %d, not %d: %s', words, done.returncode, status,
          done.stderr)
    return done.stdout


def live(records):
    """The checkpoints that these records name: (trial, number)."""
    found = set()
    for record in records:
        at = record.get('checkpoint')
        if record['k'] == 'saved':
            found.add((at['trial'], at['number']))
        elif record['k'] in ('delete', 'bad'):
            found.discard((at['trial'], at['number']))
    return found


def on_disk(path):
    found = {}
    for trial in os.scandir(path):
        if not re.fullmatch(r'[0-9a-f]{5}_\d{5}', trial.name):
            continue
        for entry in os.scandir(trial.path):
            number = re.fullmatch(r'checkpoint_(\d+)', entry.name)
            check(number or entry.name in ('stdout', 'stderr', 'params.json', 'result.json',
                                           'progress.csv', 'error.txt'),
                  'what is %s?', entry.path)
            if number:
                found[int(trial.name[6:]), int(number[1])] = entry.path
    return found


def check_copy(build, run, copy):
    pbt(build, 'verify', copy)
    lines, whole = runs.read_journal(copy), runs.read_journal(run.path)
    check(lines == whole[:len(lines)], 'the journal is no beginning of the original')
    last = '%s/journal/%06d.jsonl' % (copy, len(os.listdir(copy + '/journal')))
    check(runs.read(last).endswith(b'\n'), '%s is torn', last)
    found = on_disk(copy)
    check(set(found) == live(runs.records_of(copy)), '%s', sorted(found))
    for name, path in found.items():
        original = run.checkpoint_dir({'trial': name[0], 'number': name[1]})
        if not os.path.isdir(original):
            continue  # given up since
        same = filecmp.dircmp(original, path)
        try:
            _, wrong, bad = filecmp.cmpfiles(original, path, same.common_files,
                                             shallow=False)
        except FileNotFoundError:
            continue
        if os.path.isfile(original + '/.pbt_manifest.json'):
            check(not wrong and not bad and not same.left_only and not same.right_only,
                  '%s is not %s', path, original)


def stop_somewhere(process, temporary, draw, number):
    """A signal to a backup after some of its checkpoints."""
    wanted = draw.randrange(12)

    def copied():
        try:
            return len(on_disk(temporary))
        except FileNotFoundError:
            return -1  # not begun, or finished just now and renamed

    runs.wait_until('a beginning', lambda: process.poll() is not None or copied() >= wanted)
    process.send_signal(number)
    process.wait(runs.DEADLINE_S)


def check_left(build, temporary):
    if os.path.exists(temporary + '/experiment.yaml'):
        pbt(build, 'verify', temporary)
    elif os.path.isdir(temporary):
        pbt(build, 'resume', temporary, status=66)
        check(temporary not in pbt(build, 'ls', '--dir', os.path.dirname(temporary)),
              'half a backup is listed')
        return 1
    return 0


def backups(build, run, where, draw):
    """Makes them while the run is at work; returns those that ended."""
    made, halves, killed_runs = [], 0, 0
    kinds = ['undisturbed', 'interrupt', 'kill run', 'kill backup'] * (BACKUPS // 4)
    interrupted = 0
    draw.shuffle(kinds)
    run.start()
    runs.wait_until('begun', lambda: run.begun() and runs.read_journal(run.path))
    for number, kind in enumerate(kinds):
        to = os.path.join(where, 'backup-%d' % number)
        if run.ended():
            run.start()
        if number >= BACKUPS // 4:  # the others may be of a run that has just begun
            runs.wait_until('a history', lambda: run.ended() or
                            len(runs.read_journal(run.path)) > HISTORY)
        process = subprocess.Popen([os.path.join(build, runs.PBT), 'backup', run.path, to],
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        temporary = '%s.%d.tmp' % (to, process.pid)
        if kind == 'kill run':
            more = len(runs.read_journal(run.path)) + draw.randrange(200)
            runs.wait_until('more records', lambda m=more: run.ended() or process.poll()
                            is not None or len(runs.read_journal(run.path)) > m)
            if not run.ended():
                run.kill()
                killed_runs += 1
                run.wait_gone()
        elif kind == 'kill backup':
            stop_somewhere(process, temporary, draw, signal.SIGKILL)
        elif kind == 'interrupt':
            stop_somewhere(process, temporary, draw,
                           draw.choice((signal.SIGINT, signal.SIGTERM)))
        said = process.communicate(timeout=runs.DEADLINE_S)[1]
        if process.returncode == -9:
            halves += check_left(build, temporary)
        elif process.returncode in (130, 143):
            check(b'interrupted: there is no backup' in said, '%s', said)
            check(not os.path.exists(temporary) and not os.path.exists(to), '%s is left', to)
            interrupted += 1
        else:
            check(process.returncode == 0, 'backup %d: %s', number, said)
            check(not os.path.exists(temporary), '%s is left', temporary)
            check_copy(build, run, to)
            made.append(to)
    if not run.ended():
        run.kill()
        run.wait_gone()
    check(runs.SCALE < 1 or killed_runs and halves and interrupted, 'nothing was tried')
    print('%d backups, %d of them killed and %d interrupted half-way; the run was killed %d '
          'times' % (BACKUPS, halves, interrupted, killed_runs))
    return made


def batch_ends(content):
    """(where a batch ends, how many records it has) of a segment."""
    ends, at = [], 0
    for line in content.splitlines(keepends=True):
        at += len(line)
        if line.startswith(b'{"batch":'):
            ends.append((at, json.loads(line)['batch']))
    return ends


def check_salvage(build, copy, draw):
    """A byte of the journal changes: what is before it is saved, and can be resumed."""
    names = sorted(os.listdir(copy + '/journal'))
    whole = runs.read_journal(copy)
    path = '%s/journal/%s' % (copy, draw.choice(
        [name for name in names
         if len(batch_ends(runs.read('%s/journal/%s' % (copy, name)))) > 2]))
    content = bytearray(runs.read(path))
    ends = batch_ends(content)
    last = path.endswith(names[-1])
    # Not in the first batch of all, nor in the last, which looks as if it was torn.
    first = ends[0][0] if path.endswith('000001.jsonl') else content.find(b'\n') + 1
    at = draw.randrange(first, ends[-2 if last else -1][0])
    content[at] ^= 1
    with open(path, 'wb') as file:
        file.write(content)
    done = subprocess.run([os.path.join(build, runs.PBT), 'verify', copy],
                          capture_output=True, text=True, check=False)
    check(done.returncode == 65 and path + ':' in done.stderr, 'byte %d: %s', at, done)
    pbt(build, 'backup', copy, copy + '.no', status=65)
    check(not os.path.exists(copy + '.no'), 'a damaged copy of a damaged run')
    saved = copy + '.saved'
    said = pbt(build, 'backup', copy, saved, '--salvage')
    check('lost:' in said, 'nothing was said to be lost: %s', said)
    kept = runs.read_journal(saved)
    behind = sum(count for end, count in ends if end > at)
    for name in names[names.index(os.path.basename(path)) + 1:]:
        behind += sum(count for _, count in
                      batch_ends(runs.read('%s/journal/%s' % (copy, name))))
    check(kept == whole[:len(whole) - behind], 'byte %d of %s: %d of %d records saved, not '
          '%d', at, path, len(kept), len(whole), len(whole) - behind)
    check(runs.read(path) == content, 'the original was changed')
    resume(build, saved)


def check_lost_checkpoint(build, copy, draw):
    """One that is damaged is named; salvage leaves it out, and the rest can be resumed."""
    lost = draw.choice(sorted(on_disk(copy).values()))
    with open(lost + '/toy.txt', 'r+b') as file:
        file.write(b'?')
    done = subprocess.run([os.path.join(build, runs.PBT), 'verify', copy],
                          capture_output=True, text=True, check=False)
    check(done.returncode == 65 and lost + '/toy.txt: ' in done.stdout, '%s: %s', lost, done)
    pbt(build, 'backup', copy, copy + '.no', status=65)
    check(not os.path.exists(copy + '.no'), 'a damaged copy of a damaged run')
    saved = copy + '.saved'
    said = pbt(build, 'backup', copy, saved, '--salvage')
    check('lost: 1 checkpoint;' in said, '%s', said)
    there = {os.path.relpath(path, copy) for path in on_disk(copy).values()}
    check(there - {os.path.relpath(lost, copy)} ==
          {os.path.relpath(path, saved) for path in on_disk(saved).values()},
          'not all but one were saved')
    if not is_over(copy):  # else nobody needs it any more
        resume(build, saved)  # whoever stood on it goes back further


def is_over(path):
    ends = [record for record in runs.records_of(path) if record['k'] == 'exited' and
            record.get('leave') == 'terminate']
    return len({record['trial'] for record in ends}) == 6


def resume(build, copy):
    done = subprocess.run([os.path.join(build, runs.PBT), 'resume', copy, '-q'],
                          capture_output=True, text=True, timeout=runs.DEADLINE_S,
                          check=False)
    check(done.returncode == 0, 'resuming %s: %s', copy, done.stderr)
    pbt(build, 'verify', copy)
    check(is_over(copy), 'not all have ended')


def main():
    build = os.path.abspath(sys.argv[1])
    seed = int(os.environ.get('PBT_TEST_SEED', random.randrange(10**9)))
    print('PBT_TEST_SEED=%d' % seed, flush=True)
    draw = random.Random(seed)
    where = tempfile.mkdtemp(prefix='backup.')
    try:
        keys = runs.experiment('busy', [build + '/tests/bad_toy'], num_samples=6,
                               stop={'training_iteration': ITERATIONS},
                               seed=draw.randrange(10**6), resources={'cpu': 3})
        run = runs.Run(build, where, keys, {'TOY_SLEEP_MS': '1'})
        made = backups(build, run, where, draw)
        draw.shuffle(made)
        for copy in made[:RESUMED]:
            resume(build, copy)
        long = [copy for copy in made[RESUMED:] if len(runs.read_journal(copy)) > HISTORY]
        check(len(long) >= 2, 'only %d backups have a history', len(long))
        long.sort(key=is_over)
        check_lost_checkpoint(build, long[0], draw)
        for copy in long[1:1 + RESUMED]:
            check_salvage(build, copy, draw)
    except runs.Failed as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, where))
        return 1
    shutil.rmtree(where)
    return 0


if __name__ == '__main__':
    sys.exit(main())
