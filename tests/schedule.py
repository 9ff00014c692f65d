"""pbt schedule: what is behind a trial's weights, in all its forms.

    schedule.py BUILD_DIR

Runs are killed, and checkpoints that trials would go on from are lost, so that exploits are
undone.  From the journal alone it is worked out what each trial's last weights, and the best
result, were trained with; the exports have to say the same, iteration by iteration.  The C header is
compiled and run as C99 and C++ without a warning, the Python module is run.
"""
import ast
import csv
import io
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

import runs
from replay import Lives
from runs import check

ITERATIONS = 40
BEYOND = 3  # iterations behind the last one: what was then holds
WARNINGS = ['-Wall', '-Wextra', '-pedantic', '-Werror']

# Names and values that need care in C, in Python and in a table.
CONFIG = {
    'lr': {'loguniform': [0.0001, 0.02]},
    'float': {'choice': [1, 2.5, 4]},
    'net': {'act': {'choice': ['relu', 'tanh', '"\\ ??= \u00e9\n']},
            'batch size': {'randint': [-9007199254740992, 9]}},
    'any': {'choice': [None, [1, {'x': True}], 'text', 0.5]},
    'flag': {'choice': [True, False]},
    'net_act': 'same name in C',
    'first': 1e300, '_x': -3, '9lives': 'n' * 5000, '*\\ end*': '*/',
}
MUTATIONS = {name: CONFIG[name] for name in ('lr', 'float', 'net', 'any', 'flag')}


def schedule(build, run, *more):
    done = subprocess.run([build + '/pbt', 'schedule', run, *more],
                          capture_output=True, timeout=runs.DEADLINE_S, check=False)
    check(done.returncode == 0, 'pbt schedule %s: %s', more, done.stderr)
    return done.stdout.decode()


# --- the forms ---------------------------------------------------------------------


def by_iteration(ranges):
    found = {}
    for part in ranges:
        last = part['first'] - 1 if part['last'] is None else part['last']
        for iteration in range(part['first'], last + 1):
            check(iteration not in found, '%d stands twice', iteration)
            found[iteration] = (part['trial'], part['config'])
    return found


def flat(config, prefix=''):
    for name, value in config.items():
        if isinstance(value, dict) and prefix + name == 'net':
            yield from flat(value, prefix + name + '/')
        else:
            yield prefix + name, value


def check_csv(text, ranges):
    rows = list(csv.reader(io.StringIO(text, newline='')))
    check(len(rows) == len(ranges) + 1, '%d rows', len(rows))
    for row, part in zip(rows[1:], ranges):
        fields = dict(zip(rows[0], row))
        check(fields.pop('first') == str(part['first']) and
              fields.pop('last') == str(part['last']) and
              fields.pop('trial') == part['trial'], 'CSV: %s', row)
        for name, value in flat(part['config']):
            check(fields.pop('config/' + name) == str(value), 'CSV: %s', name)
        check(not fields, 'CSV: %s', fields)


def check_python(text, where, ranges, last):
    ast.parse(text, feature_version=(3, 9))
    path = os.path.join(where, 'schedule.py')
    with open(path, 'w', encoding='utf-8') as file:
        file.write(text)
    program = ('import json, schedule\n'
               'print(json.dumps([schedule.schedule(i) for i in range(1, %d)]))\n'
               'schedule.schedule(1).clear()\n'
               'assert schedule.schedule(1), "the table can be changed"'
               % (last + BEYOND + 1))
    done = subprocess.run([sys.executable, '-c', program], cwd=where, text=True,
                          capture_output=True, timeout=runs.DEADLINE_S, check=False)
    check(done.returncode == 0, 'the module: %s', done.stderr)
    expected = by_iteration(ranges)
    for iteration, config in enumerate(json.loads(done.stdout), 1):
        check(config == expected[min(iteration, last)][1], 'Python at %d: %s',
              iteration, config)


def compilers():
    """[(command, its language)]: gcc and, where it is there, clang."""
    found = []
    for names, flags in (((os.environ.get('CC', 'cc'),), ['-x', 'c', '-std=c99']),
                         (('clang', 'clang-14'), ['-x', 'c', '-std=c99']),
                         (('c++', 'g++'), ['-x', 'c++', '-std=c++11']),
                         (('clang++', 'clang++-14'), ['-x', 'c++', '-std=c++11'])):
        there = [name for name in names if shutil.which(name)]
        if there:
            found.append([there[0], *flags, *WARNINGS])
    check(len(found) >= 2, 'there is no compiler for C, or none for C++')
    return found


# How each member is printed, so that it can be compared.
PRINT = {'long long ': 'printf("%%lld\\n", now->%s);',
         'double ': 'printf("%%.17g\\n", now->%s);',
         'int ': 'printf("%%d\\n", now->%s);',
         'const char *': 'put(now->%s);'}
MAIN = '''#include "schedule.h"
#include <stdio.h>
#include <stdlib.h>
static void put(const char *text)
{
    for (; *text != '\\0'; text++) {
        printf("%%02x", (unsigned)(unsigned char)*text);
    }
    printf("\\n");
}
int main(int argc, char **argv)
{
    long long i;
    long long end = argc > 1 ? atoll(argv[1]) : 0;
    for (i = 1; i <= end; i++) {
        const struct pbt_schedule_range *now = pbt_schedule_at(i);
        put(now->trial);
        %s
    }
    return 0;
}
'''


def printed_value(kind, comment, line):
    if kind in ('long long ', 'int '):
        return int(line)
    if kind == 'double ':
        return float(line)
    text = bytes.fromhex(line).decode()
    return json.loads(text) if comment.endswith(', as JSON') else text


def check_c(text, where, ranges, last, command):
    with open(os.path.join(where, 'schedule.h'), 'w', encoding='utf-8') as file:
        file.write(text)
    body = text[text.index('struct pbt_schedule_range {'):]
    members = re.findall(r'^    (long long |double |int |const char \*)(\w+);'
                         r'(?: /\* (.*) \*/)?$', body[:body.index('};')], re.M)[1:]
    members = [m for m in members if m[1] not in ('last', 'trial')]
    names = [name for name, _ in flat(ranges[0]['config'])]
    check(len(members) == len(names), '%s are not %s', members, names)
    with open(os.path.join(where, 'main.c'), 'w', encoding='utf-8') as file:
        file.write(MAIN % '\n        '.join(PRINT[kind] % name
                                            for kind, name, _ in members))
    done = subprocess.run([*command, 'main.c', '-o', 'main'], cwd=where, text=True,
                          capture_output=True, timeout=runs.DEADLINE_S, check=False)
    check(done.returncode == 0, '%s: %s', command, done.stderr)
    out = subprocess.run(['./main', str(last + BEYOND)], cwd=where, text=True,
                         capture_output=True, timeout=runs.DEADLINE_S, check=True)
    lines = iter(out.stdout.splitlines())
    expected = by_iteration(ranges)
    for iteration in range(1, last + BEYOND + 1):
        trial, config = expected[min(iteration, last)]
        check(bytes.fromhex(next(lines)).decode() == trial, 'C: the trial')
        values = dict(flat(config))
        for (kind, name, comment), wanted in zip(members, names):
            value = printed_value(kind, comment, next(lines))
            check(value == values[wanted], 'C at %d: %s is %s, not %s', iteration,
                  name, value, values[wanted])


# --- runs ---------------------------------------------------------------------------


def lose(run, draw):
    """Whatever one trial would go on from now."""
    newest = {}
    for record in runs.records_of(run.path):
        if record['k'] in ('saved', 'exploit'):
            newest[record['trial']] = record['checkpoint']
    if newest:
        lost = run.checkpoint_dir(newest[draw.choice(sorted(newest))])
        shutil.rmtree(lost, ignore_errors=True)


def undone_exploits(records):
    """Those from which the trial has gone back before anything was saved."""
    open_ones, undone = {}, 0
    for record in records:
        trial, at = record.get('trial'), record.get('checkpoint')
        if record['k'] == 'exploit':
            open_ones[trial] = at
        elif record['k'] == 'saved':
            open_ones.pop(trial, None)
        elif record['k'] == 'start' and trial in open_ones:
            undone += open_ones[trial] != at
            if open_ones[trial] != at:
                open_ones.pop(trial)
    return undone


def killed_run(build, where, name, draw, **scheduler):
    """A run, killed again and again, that loses checkpoints meanwhile."""
    keys = runs.experiment(name, [build + '/tests/bad_toy'], num_samples=6,
                           stop={'training_iteration': ITERATIONS}, config=CONFIG,
                           seed=draw.randrange(10**6), resources={'cpu': 2})
    keys['scheduler'].update(scheduler, hyperparam_mutations=MUTATIONS,
                             quantile_fraction=0.5)
    run = runs.Run(build, where, keys, {'TOY_SLEEP_MS': '1'})
    for _ in range(12):
        seen = len(runs.records_of(run.path)) if run.begun() else 0
        run.start()
        more = seen + draw.randrange(10, 120)
        runs.wait_until('more records', lambda m=more: run.ended() or (
            run.begun() and len(runs.records_of(run.path)) > m))
        if run.ended():
            break
        run.kill()
        run.wait_gone()
        if draw.random() < 0.8:
            lose(run, draw)
    else:
        run.start()
    check(run.finish() == 0, '%s', run.said())
    return run


def ids(run):
    return {int(path.rsplit('_', 1)[1]): os.path.basename(path)
            for path in run.trial_dirs()}


def check_ranges(ranges, way, lives, names):
    """The ranges of an export against the lives that the journal tells of."""
    found = by_iteration(ranges)
    expected = {step: (names[lives.trial[epoch]], lives.config[epoch])
                for step, epoch in way.items()}
    check(found == expected, '%s is not %s', found, expected)
    check(sorted(found) == list(range(1, len(found) + 1)), 'a gap: %s', sorted(found))


def check_best(build, run, lives, names):
    shown = json.loads(subprocess.run([build + '/pbt', 'best', run.path, '--json'],
                                      capture_output=True, check=True).stdout)
    given = json.loads(schedule(build, run.path, '--format', 'json'))
    check(given == json.loads(schedule(build, run.path, '--best', '--format', 'json')),
          'without a trial it is the best')
    check((given['trial'], given['iteration']) ==
          (shown['trial']['trial'], shown['iteration']), '%s is not the best', given)
    [number] = [n for n, name in names.items() if name == given['trial']]
    epochs = [record['epoch'] for record in runs.records_of(run.path)
              if record['k'] == 'result' and record['trial'] == number and
              record['it'] == given['iteration'] and
              abs(record['score']) == abs(shown['value'])]
    check_ranges(given['ranges'], lives.way(epochs[-1], given['iteration']), lives, names)


def check_run(build, run, where):
    lives = Lives(runs.records_of(run.path))
    names = ids(run)
    commands = compilers()
    for number, name in names.items():
        given = json.loads(schedule(build, run.path, name, '--format', 'json'))
        ranges = given['ranges']
        check(given['iteration'] == ITERATIONS == ranges[-1]['last'], '%s', given)
        check_ranges(ranges, lives.way(lives.last[number]), lives, names)
        with open(os.path.join(run.trial_dir(number), 'params.json')) as file:
            check(json.load(file) == ranges[-1]['config'], 'params.json of %s', name)
        check_csv(schedule(build, run.path, name, '--format', 'csv'), ranges)
        check_python(schedule(build, run.path, name, '--format', 'python'), where,
                     ranges, ITERATIONS)
        check_c(schedule(build, run.path, name, '--format', 'c'), where, ranges,
                ITERATIONS, commands[number % len(commands)])
        table = schedule(build, run.path, str(number))
        for part in ranges:
            check('| %d-%d ' % (part['first'], part['last']) in table, '%s', table)
    check_best(build, run, lives, names)


def check_replayed(build, where):
    """A replay has the schedule that it replays, too."""
    keys = runs.experiment('plain', [build + '/examples/toy'], num_samples=6, seed=5,
                           stop={'training_iteration': ITERATIONS})
    run = runs.Run(build, where, keys)
    run.start()
    check(run.finish() == 0, '%s', run.said())
    policies = sorted(name for name in os.listdir(run.path) if 'pbt_policy_' in name)
    check(policies, 'nobody exploited')
    for policy in policies:
        trial = policy[len('pbt_policy_'):-len('.txt')]
        subprocess.run([build + '/pbt', 'replay', os.path.join(run.path, policy), '--dir',
                        where, '--name', trial, '-q'], check=True, capture_output=True,
                       timeout=runs.DEADLINE_S)
        old = json.loads(schedule(build, run.path, trial, '--format', 'json'))['ranges']
        new = json.loads(schedule(build, os.path.join(where, trial), '0', '--format',
                                  'json'))['ranges']
        for part in old + new:
            del part['trial']
        check(old == new, 'replayed %s, was %s', new, old)


def main():
    build = os.path.abspath(sys.argv[1])
    seed = int(os.environ.get('PBT_TEST_SEED', random.randrange(10**9)))
    print('PBT_TEST_SEED=%d' % seed, flush=True)
    draw = random.Random(seed)
    where = tempfile.mkdtemp(prefix='schedule.')
    undone = 0
    try:
        for count in range(12):
            run = killed_run(build, where, 'run-%d' % count, draw, synch=count % 2 == 1)
            undone += undone_exploits(runs.records_of(run.path))
            check_run(build, run, where)
            if count >= 1 and undone > 0:
                break
        check(undone > 0, 'no exploit was undone')
        # The weights are the trial's own, the hyperparameters are not.
        check_run(build, killed_run(build, where, 'adopting', draw,
                                    exploit_copies='hyperparameters'), where)
        check_replayed(build, where)
    except runs.Failed as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, where))
        return 1
    shutil.rmtree(where)
    print('%d exploits were undone in %d runs' % (undone, count + 1))
    return 0


if __name__ == '__main__':
    sys.exit(main())
