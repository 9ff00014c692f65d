"""Proof 5: a bad worker gets a message that names trial and step, and disturbs nobody.

    bad_workers.py BUILD_DIR
"""
import os
import re
import shutil
import subprocess
import sys
import tempfile

import runs
from runs import check

BAD = 1  # the trial that misbehaves, at iteration 7 where it can choose
PATIENCE_S = 0.5  # the time-outs that are set
LATE_S = 5  # so much later than a time-out it is noticed at the most, on a busy machine
HUNG = 20  # workers of each kind

# name, environment of bad_toy, keys of the experiment, after which iteration it
# fails, what is said of it
LATER = (
    ('exits', {'TOY_EXIT': '1:7'}, {}, 6, 'exited with status 3'),
    ('crashes', {'TOY_CRASH': '1:7'}, {}, 6, 'killed by signal 9'),
    ('fails', {'TOY_FAIL': '1:7'}, {}, 6, 'step: step 7 fails on purpose'),
    ('garbage', {'TOY_GARBAGE': '1:7'}, {}, 6, 'this is {not JSON'),
    ('hangs', {'TOY_HANG': '1:7'}, {'timeouts': {'step': PATIENCE_S}}, 6,
     r'no answer to `run` within 0\.5 s \(timeouts\.step\)'),
    ('no-save', {'TOY_HANG_SAVE': '1:5'}, {'timeouts': {'save': PATIENCE_S}},
     5, r'no answer to `save` within 0\.5 s \(timeouts\.save\)'),
    ('bad-save', {'TOY_FAIL_SAVE': '1'}, {}, 5,
     'save_checkpoint: save fails on purpose'),
    ('links', {'TOY_LINK': '1:5'}, {}, 5, 'symbolic link'),
)

# name, command, keys, what is said, the worker's own last words
AT_ONCE = (
    # The file is there, as `pbt run` has seen, and still can't be run.
    ('absent', ['./no_interpreter'], {},
     "can't run .*/no_interpreter: No such file or directory", None),
    ('ends', ['/bin/sh', '-c', 'echo first; echo no digits >&2; exit 7'], {},
     r'exited with status 7 before it said hello \(docs', 'no digits'),
    ('no-program', ['/bin/sh', '-c', 'echo trying >&2; exit 127'], {},
     r"status 127 before .*\n  = help: 127 is a shell's word for a program that is not found\n",
     'trying'),
    ('no-library', ['/bin/sh', '-c',
                    'echo "./train: error while loading shared libraries: libpbt.so.0: cannot '
                    'open shared object file: No such file or directory" >&2; exit 127'], {},
     r'\n  = help: libpbt\.so\.0 is not found: run ldconfig', r'\./train: error while .*'),
    ('ends-well', ['/bin/sh', '-c', 'echo nothing to do >&2'], {},
     'exited with status 0 before it said hello: .*trainable: command', 'nothing to do'),
    ('babbles', ['/bin/sh', '-c',
                 'echo my words >&2; eval "echo some words >&$PBT_FD";'
                 'exec sleep 1000'], {},
     'line 1 of what it says is against the protocol.*some words', 'my words'),
    ('newer', ['/bin/sh', '-c',
               'eval "echo \'{\\"type\\":\\"hello\\",\\"protocol\\":2,'
               '\\"client\\":\\"c\\",\\"capabilities\\":[],\\"pid\\":1,'
               '\\"host\\":\\"h\\"}\' >&$PBT_FD"; exec sleep 1000'], {},
     'version 2 of the protocol', None),
    ('patricide', ['/bin/sh', '-c', 'sleep 1000 & kill -9 $PPID; wait'], {},
     'its pbt-shim was killed', None),
    ('mute', ['/bin/sh', '-c', 'echo waiting >&2; exec sleep 1000'],
     {'timeouts': {'setup': PATIENCE_S}},
     r'no answer to `start` within 0\.5 s \(timeouts\.setup\)', None),
)


def message(run, trial, iteration, text):
    """What pbt said of a failure: the trial, the step and why."""
    name = os.path.basename(run.trial_dir(trial))
    check(re.search('trial %s failed after iteration %d: .*%s' % (
        name, iteration, text), run.said()), '%s: no message like "%s":\n%s',
        run.path, text, run.said()[-3000:])


def undisturbed(run, records, failures):
    """All trials come to their end, and only the bad one has ever failed."""
    failed = [r['trial'] for r in records
              if r['k'] == 'exited' and r['leave'] in ('retry', 'error')]
    check(failed == [BAD] * failures, '%s: failures of %s', run.path, failed)
    for trial in range(4):
        last = [r['it'] for r in records
                if r['k'] == 'result' and r['trial'] == trial][-1]
        check(last == 20, '%s: trial %d ends at %d', run.path, trial, last)
        check(os.path.exists(run.trial_dir(trial) + '/error.txt') ==
              (trial == BAD and failures > 0), '%s: error.txt', run.path)


def later(build, dir, name, env, keys, iteration, text):
    """When there were results: it is tried again, and the others train on."""
    run = runs.finished(build, dir, runs.experiment(
        name, [build + '/tests/bad_toy'], resources={'cpu': 4},
        scheduler={'type': 'fifo'},  # an exploit could skip an iteration
        checkpoint={'frequency': 5, 'at_end': True},
        failure={'max_failures': 1}, **keys), dict(env, TOY_ONCE='1'), 0)
    undisturbed(run, runs.records_of(run.path), 1)
    message(run, BAD, iteration, text)
    check('trial %s failed once and went on; ' % os.path.basename(run.trial_dir(BAD))
          in run.said(), '%s: the summary: %s', run.path, run.said()[-3000:])
    with open(run.trial_dir(BAD) + '/error.txt') as file:
        check(re.search(text, file.read()), '%s: error.txt', run.path)


def again_and_again(build, dir):
    """It fails where it has failed before: it waits in between, then it is given up."""
    run = runs.finished(build, dir, runs.experiment(
        'again', [build + '/tests/bad_toy'], resources={'cpu': 4},
        scheduler={'type': 'fifo'},
        checkpoint={'frequency': 6, 'at_end': True},
        failure={'max_failures': 3, 'backoff_s': 0.3}), {'TOY_EXIT': '1:7'}, 1)
    records = [r for r in runs.records_of(run.path) if r.get('trial') == BAD]
    failed = [r for r in records if r['k'] == 'exited' and r['leave'] in ('retry', 'error')]
    check([r['leave'] for r in failed] == ['retry'] * 3 + ['error'], 'again: %s', failed)
    starts = [r for r in records if r['k'] == 'start'][1:]
    check([r['it'] for r in starts] == [6] * 3, 'again: from %s', starts)
    waits = [after['t'] - before['t'] for before, after in zip(failed, starts)]
    check(waits[0] < waits[1] and waits[1] >= 300000000 and waits[2] >= 600000000,
          'again: waits %s', waits)
    message(run, BAD, 6, r'.*\n.*tries again, in 0\.6 s')
    check(re.search(r'trial %s failed 4 times, for good; the last: exited with status 3 \(.*%s/'
                    r'error.txt\)\n' % (2 * (os.path.basename(run.trial_dir(BAD)),)), run.said()),
          'again: the summary: %s', run.said()[-3000:])
    text = runs.read(run.trial_dir(BAD) + '/error.txt').decode()
    check(re.findall('Failure # (.)', text) == ['1', '2', '3', '4'], 'again: %s', text)


def replaced(build, dir):
    """It has failed for good, and a copy takes its place: nobody is missing at the end."""
    run = runs.finished(build, dir, runs.experiment(
        'replaced', [build + '/tests/bad_toy'], resources={'cpu': 4},
        failure={'replace': 1}), {'TOY_EXIT': '1:7', 'TOY_ONCE': '1'}, 0)
    records = runs.records_of(run.path)
    copies = [r for r in records if r.get('replacement')]
    check([(r['k'], r['trial']) for r in copies] == [('exploit', BAD)], 'replaced: %s', copies)
    life = next(r for r in records if r['n'] > copies[0]['n'] and r['k'] == 'start'
                and r['trial'] == BAD)
    check(life['checkpoint'] == copies[0]['checkpoint'], 'replaced: from %s', life)
    undisturbed(run, records, 1)
    check(re.search('trial %s failed once, was replaced once and went on; exited with '
                    'status 3 .*error.txt' % os.path.basename(run.trial_dir(BAD)), run.said()),
          'replaced: the summary: %s', run.said()[-3000:])
    name = os.path.basename(run.trial_dir(BAD))
    check('trial %s, which had failed, goes on as a copy of ' % name in run.said(),
          'replaced: %s', run.said()[-3000:])
    check('error[' not in run.said(), 'replaced: %s', run.said()[-3000:])


def hung(build, dir, how):
    """Many workers hang, each once: all are noticed, and their slots serve others.

    Returns how long after the time-out the last of them had ended."""
    patience = 2 * PATIENCE_S
    run = runs.finished(build, dir, runs.experiment(
        'hung-' + how, [build + '/tests/bad_toy'], num_samples=HUNG,
        resources={'cpu': HUNG // 2}, scheduler={'type': 'fifo'}, timeouts={'step': patience},
        checkpoint={'frequency': 5, 'at_end': True},
        # A step that is only slow, on a machine with much else to do, is tried again.
        failure={'max_failures': 9}), {'TOY_HANG': '*:7', 'TOY_ONCE': '1', 'TOY_HANG_HOW': how}, 0)
    records = runs.records_of(run.path)
    late = []
    for trial in range(HUNG):
        own = [r for r in records if r.get('trial') == trial]
        at = next((i for i, r in enumerate(own)
                   if r.get('leave') == 'retry' and r['it'] == 6), None)
        check(at is not None, '%s: trial %d was not noticed', run.path, trial)
        step = [r for r in own[:at] if r['k'] == 'result'][-1]
        late.append((own[at]['t'] - step['t']) / 1e9 - patience)
        message(run, trial, 6, r'no answer to `run` within 1 s \(timeouts\.step\)')
        check([r['it'] for r in own[at:] if r['k'] == 'result'][-1:] == [20],
              '%s: trial %d did not go on', run.path, trial)
    check(0 <= min(late) and max(late) < LATE_S, '%s: noticed after %s', run.path, late)
    return max(late)


TALKS = """import sys, time
for i in range(200):
    print('line %d of a traceback that is rather deep' % i, file=sys.stderr)
print('the error itself ' + 'x' * 900, file=sys.stderr, flush=True)
"""


def traceback(build, dir, name, end, keys, text):
    """error.txt has more of it than the terminal has room for; both have its end."""
    run = runs.finished(build, dir, runs.experiment(
        'talks-' + name, [sys.executable, '-c', TALKS + end], num_samples=1,
        resources={'cpu': 4}, **keys), {}, 1)
    written = runs.read(run.trial_dir(0) + '/error.txt').decode()
    for where, lines in (('error.txt', written), ('the message', run.said())):
        check(re.search(text, lines), '%s: %s: not why: %s', name, where, lines[-3000:])
        check('the error itself ' + 'x' * 900 in lines, '%s: %s: no end', name, where)
    check(re.findall('^line (\\d+) of', written, re.M) == [str(i) for i in range(141, 200)],
          '%s: error.txt: %s', name, written)
    check(re.search('\n  ... .all of it: error.txt.\n', run.said()), '%s: %s', name, run.said())
    check('line 190 of' in run.said() and 'line 180 of' not in run.said(),
          '%s: the message: %s', name, run.said()[-3000:])


def out_of_memory(build, dir):
    """By the kernel, in a control group; where we may make none, by malloc()."""
    group = runs.memory_group('bad_workers', 256 << 20)
    command = [build + '/tests/bad_toy']
    if group is None:
        about = subprocess.run([build + '/pbt', 'version'], stdout=subprocess.PIPE, check=True)
        if b'address-sanitizer' in about.stdout:
            return 'nobody: its addresses know no limit'
        command = ['/bin/sh', '-c', 'ulimit -v 300000; exec "$0"', *command]
    run = runs.Run(build, dir, runs.experiment(
        'eats', command, resources={'cpu': 2}, scheduler={'type': 'fifo'},
        failure={'max_failures': 1}), {'TOY_EAT': '1:7', 'TOY_ONCE': '1'})
    run.group = group
    try:
        run.start()
        check(run.finish() == 0, 'eats: %s', run.said()[-3000:])
        run.wait_gone()
    finally:
        if group is not None:
            runs.wait_until('empty', lambda: not runs.read(group + '/cgroup.procs'))
            os.rmdir(group)
    undisturbed(run, runs.records_of(run.path), 1)
    text = r'killed by signal 9 \(Killed\); out of memory: the kernel' if group else 'out of memory'
    message(run, BAD, 6, text)
    check(re.search(text, runs.read(run.trial_dir(BAD) + '/error.txt').decode()),
          'eats: error.txt')
    return group


def make_script(path, text):
    with open(path, 'w') as file:
        file.write(text)
    os.chmod(path, 0o755)


def at_once(build, dir, name, command, keys, text, words):
    """Before the experiment's first result: that is no bad luck, so all is stopped."""
    run = runs.finished(build, dir, runs.experiment(
        name, command, resources={'cpu': 4}, failure={'max_failures': 5},
        **keys), {}, 1)
    failed = [r['trial'] for r in runs.records_of(run.path)
              if r['k'] == 'exited' and r['leave'] == 'error']
    check(failed, '%s: nobody failed', run.path)
    message(run, failed[0], 0, text)
    check(words is None or re.search(
        r'last words on stderr.*\n\s*%s\n' % words, run.said()),
        '%s: without its last words:\n%s', run.path, run.said()[-3000:])
    check('before there was any result' in run.said(), '%s: the reason',
          run.path)


def keeps_its_own_way(build, dir):
    """After a load it goes on with the hyperparameters, or the weights, that it had."""
    client = runs.read(os.path.dirname(os.path.abspath(__file__)) + '/client.py').decode()
    for name, old, new, text in (
            ('own-config', "config = command['config']",
             "config = config if kind == 'load' else command['config']",
             'it runs with another configuration than it was told: '),
            ('own-weights', "checkpoint=command['checkpoint'])",
             "checkpoint=None if kind == 'load' else command['checkpoint'])",
             r'it was told to load .*/checkpoint_\d+, and says that it loaded nothing')):
        check(client.count(old) == 1, 'client.py has moved')
        make_script(dir + '/%s.py' % name, client.replace(old, new))
        keys = runs.experiment(name, ['python3', dir + '/%s.py' % name],
                               resources={'cpu': 4}, failure={'max_failures': -1})
        keys['scheduler'].update(synch=True, quantile_fraction=0.5)
        run = runs.finished(build, dir, keys, {}, 0)
        records = runs.records_of(run.path)
        losers = {r['trial'] for r in records if r['k'] == 'exploit'}
        failed = {r['trial'] for r in records if r['k'] == 'exited' and r['leave'] == 'retry'}
        check(losers and losers == failed, '%s: %s exploited, %s failed', name, losers, failed)
        check(re.search('failed after iteration .*%s' % text, run.said()), '%s', run.said())


def no_numbers(build, dir):
    run = runs.finished(build, dir, runs.experiment(
        'nan', [build + '/tests/bad_toy'], resources={'cpu': 4}),
        {'TOY_NAN': '1:*', 'TOY_SLEEP_MS': '5'}, 0)
    records = runs.records_of(run.path)
    undisturbed(run, records, 0)
    check(re.search('trial %s reports NaN as `score` at iteration 1' %
                    os.path.basename(run.trial_dir(BAD)), run.said()),
          'NaN is not told:\n%s', run.said()[-3000:])
    donors = [r['donor'] for r in records if r['k'] == 'exploit']
    losers = [r['trial'] for r in records if r['k'] == 'exploit']
    check(BAD in losers and BAD not in donors, 'exploits: %s from %s', losers,
          donors)


def no_metric(build, dir, required):
    """The program never reports what `metric` names."""
    keys = runs.experiment('no-metric-%d' % required,
                           [build + '/tests/bad_toy'], resources={'cpu': 4},
                           metric='accuracy')
    keys['scheduler']['require_attrs'] = required
    run = runs.finished(build, dir, keys, {}, 1 if required else 0)
    records = runs.records_of(run.path)
    if required:
        failed = [r['trial'] for r in records
                  if r['k'] == 'exited' and r['leave'] == 'error']
        check(failed, 'nobody failed')
        message(run, failed[0], 0, 'the result of iteration 1 has no number '
                '`accuracy`.*it has: .*score')
    else:
        undisturbed(run, records, 0)
        check(not any(r['k'] == 'exploit' for r in records), 'exploits')
        # Where they are compared, and once for each of the four.
        first = keys['scheduler']['perturbation_interval']
        found = re.findall(r'trial \S+ reports no `accuracy` at iteration (\d+), where '
                           'trials are compared', run.said())
        check(found == [str(first)] * 4, 'not once each: %s\n%s', found, run.said()[-3000:])


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else 'build')
    dir = tempfile.mkdtemp(prefix='bad_workers.')
    try:
        for case in LATER:
            later(build, dir, *case)
            print('later:', case[0], flush=True)
        for how in ('pause', 'stop', 'spin', 'deaf'):
            late = hung(build, dir, how)
            print('%d hung, %s: noticed within %.2f s' % (HUNG, how, late), flush=True)
        again_and_again(build, dir)
        print('again and again')
        replaced(build, dir)
        print('replaced')
        traceback(build, dir, 'ends', 'sys.exit(4)', {}, 'exited with status 4')
        traceback(build, dir, 'hangs', 'time.sleep(1000)',
                  {'timeouts': {'setup': 2 * PATIENCE_S}}, r'timeouts\.setup')
        print('traceback')
        print('out of memory, by', out_of_memory(build, dir) or 'ulimit', flush=True)
        make_script(dir + '/no_interpreter', '#!/no/such/interpreter\n')
        for case in AT_ONCE:
            at_once(build, dir, *case)
            print('at once:', case[0], flush=True)
        keeps_its_own_way(build, dir)
        print('keeps its own way')
        no_numbers(build, dir)
        print('no numbers')
        for required in (True, False):
            no_metric(build, dir, required)
            print('no metric, required:', required)
    except runs.Failed as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
