"""Programs without a client (docs/command.md), end to end with real processes.

    commands.py BUILD_DIR

The program is this file: its state is a text that grows by a line a run, so that every
checkpoint tells the whole story of the weights in it.
"""
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

import runs
from runs import check

INTERVAL = 5


# --- the program ---------------------------------------------------------------


def story():
    """What a run began from: [] or the lines of the model."""
    if os.environ['PBT_CHECKPOINT_IN'] == '':
        return []
    with open(os.environ['PBT_CHECKPOINT_IN'] + '/model.txt') as file:
        return file.read().splitlines()


def program(lr, begin, until, bad):
    """One run.  `bad` is what goes wrong in trial 1's run that ends at iteration 10."""
    env = os.environ
    lines = story()
    done = int(lines[-1].split()[1]) if lines else 0
    assert done == begin, (done, begin)
    assert float(env['PBT_PARAM_lr']) == lr
    with open(env['PBT_CONFIG']) as file:
        assert json.load(file)['lr'] == lr
    if bad and os.path.exists(bad + '.done'):
        bad = ''
    name = os.path.basename(bad)
    if env['PBT_TRIAL_NUMBER'] != '1' or until != 10:
        name = ''
    if name:
        open(bad + '.done', 'w').close()  # once
        print('my last words', file=sys.stderr)
    score = 0.0 if not lines else float(lines[-1].split()[4])
    if env.get('TEST_DAEMON'):
        subprocess.Popen(['setsid', 'sleep', '1000'])
    time.sleep(float(env.get('TEST_SLEEP', 0)))
    out = env['PBT_CHECKPOINT_OUT']
    if name == 'half':  # killed in the middle of writing
        with open(out + '/model.txt', 'w') as file:
            file.write('half')
        os.kill(os.getpid(), 9)
    if name != 'no_checkpoint':
        with open(out + '/model.txt', 'w') as file:
            file.write('\n'.join(lines + ['%s %d %r %s %r' % (
                env['PBT_TRIAL_ID'], until, lr, env['PBT_SEED'],
                score + lr)]) + '\n')
    if name == 'link':
        os.symlink('model.txt', out + '/latest')
    if name == 'touch':
        with open(env['PBT_CHECKPOINT_IN'] + '/model.txt', 'a') as file:
            file.write('changed\n')
    if name == 'hang':
        time.sleep(1000)
    if name == 'exit':
        sys.exit(3)
    if name == 'garbage':
        with open(env['PBT_METRICS'], 'w') as file:
            file.write('score is 3')
    elif name == 'last_line':
        print('score is 3')
    elif name == 'missing':
        print('other=3')
    elif name == 'many':
        with open(env['PBT_METRICS'], 'w') as file:
            file.write('{"score": 1}\n' * 3)
    elif name == 'reserved':
        print('{"score": 1, "pid": 3}')
    elif name != 'mute':
        print('score=%r, note=fine' % (score + lr))


# --- the tests -------------------------------------------------------------------


def keys(name, bad='', **more):
    return runs.experiment(name, [
        sys.executable, os.path.abspath(__file__), '--program', '{lr}',
        '{from}', '{until}', bad], **{
            'trainable': 'command', 'resources': {'cpu': 4},
            'stop': {'training_iteration': 20}, **more})


def stories(run):
    """Each checkpoint that is left against the journal's: whose weights are in it."""
    records = runs.records_of(run.path)
    exploits = [r for r in records if r['k'] == 'exploit']
    proven = 0
    for exploit in exploits:
        saved = next((r for r in records if r['k'] in ('saved', 'exploit') and
                      r['trial'] == exploit['trial'] and
                      r['n'] > exploit['n']), None)
        if saved is None or saved['k'] == 'exploit':
            continue  # exploited again before it had saved
        own = runs.read(run.checkpoint_dir(saved['checkpoint']) + '/model.txt')
        donor = runs.read(run.checkpoint_dir(exploit['checkpoint']) +
                          '/model.txt')
        check(donor and own.startswith(donor), '%s: %s does not go on from %s',
              run.path, own, donor)
        rest = own[len(donor):].decode().splitlines()
        check(rest and rest[0].split()[0] ==
              os.path.basename(run.trial_dir(exploit['trial'])) and
              float(rest[0].split()[2]) == exploit['config']['lr'],
              '%s: %s, not the explored lr %s', run.path, rest,
              exploit['config'])
        proven += 1
    return proven


def exploited(build, dir, slots):
    run = runs.finished(build, dir, keys(
        'exploit-%d' % slots, num_samples=6, resources={'cpu': slots},
        checkpoint={'frequency': INTERVAL, 'num_to_keep': 1000},
        stop={'training_iteration': 40}), env={'TEST_DAEMON': '1'})
    proven = stories(run)
    check(proven > 0, '%s: no exploit', run.path)
    for path in run.trial_dirs():
        check(not os.path.exists(path + '/work'), '%s/work is left', path)
    seeds = [line.split()[3] for path in run.trial_dirs()
             for name in sorted(os.listdir(path)) if name.startswith('check')
             for line in runs.read(path + '/' + name +
                                   '/model.txt').decode().splitlines()[-1:]]
    check(len(set(seeds)) > 1, 'all runs have one seed')
    return proven


def program_of(pid):
    """The name of what a process runs; empty if it has ended."""
    try:
        return os.path.basename(os.readlink('/proc/%s/exe' % pid))
    except OSError:
        return ''


def killed(build, dir, draw, name, victims, env):
    """The driver, a shim, pbt-command or the program dies at any moment."""
    more = dict(failure={'max_failures': -1}, num_samples=4,
                resources={'cpu': 2}, stop={'training_iteration': 60},
                checkpoint={'frequency': INTERVAL, 'num_to_keep': 1000})
    run = runs.Run(build, dir, keys(name, **more),
                   dict(env, TEST_SLEEP='0.02'))
    counts = {}
    for _ in range(max(4, round(15 * runs.SCALE))):
        run.start()
        runs.wait_until('begun', lambda: run.ended() or run.processes())
        time.sleep(draw.random() * 0.5)
        kind = draw.choice(victims)
        # A failure before the first result is a bug of the program's: it ends the run, and
        # the others save where they are, which is no point.
        if not any(r['k'] == 'result' for r in runs.records_of(run.path)):
            kind = 'driver'
        if kind != 'driver':
            found = [pid for pid in run.processes() if kind in program_of(pid)]
            if not found:
                kind = 'driver'
            else:
                try:
                    os.kill(int(draw.choice(found)), 9)
                except ProcessLookupError:
                    pass
                time.sleep(draw.random() * 0.2)
        counts[kind] = counts.get(kind, 0) + 1
        if run.ended():
            break
        run.kill()
        run.wait_gone()
    while True:
        run.start()
        check(run.finish() == 0, '%s', run.said()[-3000:])
        if run.owed()['finished']:
            break
    for path in run.trial_dirs():
        for name in os.listdir(path):
            if name.startswith('checkpoint_'):
                text = runs.read(path + '/' + name + '/model.txt').decode()
                ends = [int(line.split()[1]) for line in text.splitlines()]
                check(text.endswith('\n') and ends == list(
                    range(INTERVAL, ends[-1] + 1, INTERVAL)), '%s/%s: %s', path,
                    name, text)
    stories(run)
    return counts


BAD = (
    ('exit', 'exited with status 3'),
    ('half', r'killed by signal 9'),
    ('mute', 'reported no metrics'),
    ('garbage', r'metrics.json\): no JSON object: score is 3'),
    ('last_line', 'neither a JSON object nor `name=value ...`: score is 3'),
    ('many', '3 objects for 5 iterations'),
    ('reserved', '"pid" is a name that pbt fills itself'),
    ('no_checkpoint', 'wrote no checkpoint'),
    ('link', 'latest is a symbolic link'),
    ('touch', 'changed the checkpoint that it began from'),
    ('hang', r'no answer to `run` within 2 s \(timeouts\.step\)'),
)


def bad(build, dir, name, text):
    """It fails once, with a message, and is tried again."""
    mark = '%s/marks/%s' % (dir, name)
    os.makedirs(dir + '/marks', exist_ok=True)
    run = runs.Run(build, dir, keys(
        name.replace('_', '-'), mark, scheduler={'type': 'fifo'},
        checkpoint={'frequency': INTERVAL}, failure={'max_failures': 1},
        **({'timeouts': {'step': 2}} if name == 'hang' else {})))
    run.start()
    status = run.finish()
    # A checkpoint that was changed may be found damaged, or not yet.
    check(status == 0 or name == 'touch', '%s: exit status %d:\n%s', name,
          status, run.said()[-3000:])
    run.wait_gone()
    said = run.said()
    trial = os.path.basename(run.trial_dir(1))
    check(re.search('trial %s failed after iteration 5: .*%s' % (trial, text),
                    said), '%s: no message like %s:\n%s', name, text,
          said[-3000:])
    if name != 'hang':
        check('its run from iteration 5 to 10' in said and
              'command line: ' in said and 'my last words' in said,
              '%s: %s', name, said[-2000:])


def decks(build, dir):
    """A deck from a template, a stateless program, an argument that no shell sees."""
    with open(dir + '/deck.tmpl', 'w') as file:
        file.write('{"rate": {lr}, "text": "{{lr}", "n": {net/depth}, "s": "{t}"}')
    text = "a b; $HOME 'x' \"y\" {z} *"
    run = runs.finished(build, dir, runs.experiment(
        'decks', [sys.executable, '-c',
                  'import json, os, sys; deck = json.load(open("deck.in"));'
                  'assert sys.argv[1] == os.getcwd() + "/deck.in", sys.argv;'
                  'assert sys.argv[2] == "t=" + os.environ["PBT_PARAM_t"];'
                  'assert deck["text"] == "{{lr}" and deck["n"] == 3;'
                  'print(json.dumps({"score": deck["rate"], "t": sys.argv[2]}))',
                  '{deck.in}', 't={t}'],
        trainable='command', stateless=True, cwd='{trial_dir}',
        templates={'deck.in': 'deck.tmpl'},
        config={'lr': {'loguniform': [0.0001, 0.02]}, 'net': {'depth': 3},
                't': text.replace('"', '')}))
    for record in runs.records_of(run.path):
        if record['k'] == 'result':
            metrics = record['data']['metrics']
            check(metrics['t'] == 't=' + text.replace('"', ''), '%s', metrics)


def main():
    if sys.argv[1] == '--program':
        program(float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]),
                sys.argv[5])
        return 0
    build = os.path.abspath(sys.argv[1])
    seed = int(os.environ.get('PBT_TEST_SEED', time.time_ns() % 10 ** 9))
    print('PBT_TEST_SEED=%d' % seed, flush=True)
    dir = tempfile.mkdtemp(prefix='commands.')
    try:
        print('exploits: %d' % exploited(build, dir, 6), flush=True)
        print('in turns: %d' % exploited(build, dir, 2), flush=True)
        decks(build, dir)
        for case in BAD:
            bad(build, dir, *case)
            print('bad:', case[0], flush=True)
        draw = random.Random(seed)
        print('killed: %s' % killed(
            build, dir, draw, 'killed', ('driver', 'pbt-command', 'python'),
            {'TEST_DAEMON': '1'}), flush=True)
        # A killed shim sweeps nothing: what called setsid outlives it.
        print('killed: %s' % killed(
            build, dir, draw, 'killed-shims', ('driver', 'pbt-shim'), {}))
    except runs.Failed as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
