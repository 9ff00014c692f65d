"""Hyperparameters that are perturbed and have no effect: who is warned, and who isn't.

    ignored.py BUILD_DIR [CASE ...]

Whole runs of trainables with the faults that users' programs have, and of right ones.
"""
import json
import os
import subprocess
import sys

import runs
from runs import check

HERE = os.path.dirname(os.path.abspath(__file__))
SAYS = 'warning[W0309]: changing `lr` has no effect'

# A program without a client; where FAULT is `restores` it takes the rate from its state, too.
COMMAND = '''
import json, os, sys
lr, weight = float(sys.argv[1]), 10.0
if os.environ['PBT_CHECKPOINT_IN']:
    with open(os.environ['PBT_CHECKPOINT_IN'] + '/state.json') as file:
        weight, old = json.load(file)
    lr = old if os.environ['FAULT'] == 'restores' else lr
with open(os.environ['PBT_METRICS'], 'w') as file:
    for _ in range(int(os.environ['PBT_STEPS'])):
        weight *= 1 - lr
        print(json.dumps({'score': -weight}), file=file)
with open(os.environ['PBT_CHECKPOINT_OUT'] + '/state.json', 'w') as file:
    json.dump([weight, lr], file)
'''


class Case:
    def __init__(self, build, dir, name, command, fault='', rates=(0.01, 0.2),
                 **keys):
        self.build = build
        made = runs.experiment(name, command, **keys)
        made['config']['lr'] = {'loguniform': rates}
        made['scheduler']['hyperparam_mutations']['lr'] = {'loguniform': rates}
        made['scheduler'].update(synch=True, perturbation_interval=4)
        made['stop'] = {'training_iteration': 24}
        made['resources'] = made.get('resources', {'cpu': 4})
        env = {'FAULT': fault, 'PYTHONPATH': os.path.dirname(HERE) + '/python',
               'PYTHONDONTWRITEBYTECODE': '1'}
        if fault == 'forgets in C':
            env['TOY_FORGETS'] = '1'
        self.run = runs.Run(build, dir, made, env)

    def go(self):
        self.run.start()
        status = self.run.finish()
        check(status == 0, '%s: exit status %d: %s', self.run.path, status, self.run.said())
        return self

    def status(self, *words):
        return subprocess.run([self.build + '/pbt', 'status', self.run.path, *words],
                              capture_output=True, text=True, timeout=runs.DEADLINE_S,
                              check=True).stdout

    def told(self):
        """What the journal has, and the same from every place where it is shown."""
        found = [name for record in runs.records_of(self.run.path)
                 for name in record.get('data', {}).get('ignored', [])]
        check(json.loads(self.status('--json'))['run']['ignored'] == found,
              'pbt status --json: not %s', found)
        with open(self.run.path + '/status.json') as file:
            check(json.load(file)['ignored'] == found, 'status.json: not %s', found)
        for name in found:
            check('WARNING: changing ' in self.status(), 'pbt status: %s', self.status())
        check(self.run.said().count('warning[W0309]') == min(len(found), 1),
              'said: %s', self.run.said())
        return found


def python(kind):
    return [sys.executable, HERE + '/python/effect.py', kind]


def expect(case, ignored):
    told = case.go().told()
    check(told == ignored, '%s: told %s: %s', case.run.path, told, case.run.said())
    check(not ignored or SAYS in case.run.said(), case.run.said())
    exploits = [r for r in runs.records_of(case.run.path) if r['k'] == 'exploit']
    check(len(exploits) >= 3, '%s: only %d exploits', case.run.path, len(exploits))


def classes(build, dir):
    for name, fault, ignored in (('right', '', []), ('forgets', 'forgets', ['lr']),
                                 ('late', 'late', []), ('noisy', 'noisy', []),
                                 ('noisy_forgets', 'noisy forgets', []),
                                 ('groups', 'groups weights', []),
                                 ('groups_noisy', 'groups noisy', []),
                                 ('groups_forgets', 'groups weights noisy forgets', ['lr'])):
        expect(Case(build, dir, 'class_' + name, python('class'), fault), ignored)


def functions(build, dir):
    for name, fault, ignored in (('right', '', []), ('restores', 'restores', ['lr']),
                                 ('late', 'late', []), ('noisy', 'noisy', [])):
        expect(Case(build, dir, 'function_' + name, python('function'), fault), ignored)


def in_c(build, dir):
    for name, fault, ignored in (('right', '', []), ('forgets', 'forgets in C', ['lr'])):
        expect(Case(build, dir, 'c_' + name, [build + '/tests/bad_toy'], fault,
                    rates=(0.0005, 0.002)), ignored)


def commands(build, dir):
    for name, fault, ignored in (('right', '', []), ('restores', 'restores', ['lr'])):
        expect(Case(build, dir, 'command_' + name, [sys.executable, '-c', COMMAND, '{lr}'],
                    fault, trainable='command'), ignored)


def fewer_slots(build, dir):
    """Each exploit begins in a process that was set up anew: a loaded optimiser brings the
    old rate back there, too; and who forgets is right there, and wrong elsewhere."""
    expect(Case(build, dir, 'few_restores', python('function'), 'restores',
                resources={'cpu': 1}), ['lr'])
    expect(Case(build, dir, 'few_right', python('class'), '', resources={'cpu': 1}), [])


def two(build, dir):
    """One that acts doesn't hide one that doesn't, where it stays what it was at times."""
    case = Case(build, dir, 'two', python('class'), 'forgets', num_samples=8,
                config={'decay': {'choice': [0.001, 0.002]}},
                stop={'training_iteration': 80}, resources={'cpu': 8})
    with open(case.run.file) as file:
        keys = json.load(file)
    keys['stop'] = {'training_iteration': 80}
    keys['scheduler']['hyperparam_mutations']['decay'] = [0.001, 0.002]
    with open(case.run.file, 'w') as file:
        json.dump(keys, file)
    expect(case, ['lr'])


def resumed(build, dir):
    """It is said once for each run, not for each driver; and a driver that was killed has not
    forgotten what it had seen."""
    case = Case(build, dir, 'resumed', python('class'), 'forgets')
    case.run.env['PBT_SNAPSHOT_EVERY'] = '1000000'
    case.run.start()
    runs.wait_until('an exploit', lambda: case.run.begun() and [
        r for r in runs.records_of(case.run.path) if r['k'] == 'exploit'])
    case.run.kill()
    case.run.wait_gone()
    expect(case, ['lr'])


if __name__ == '__main__':
    runs.run_cases((classes, functions, in_c, commands, fewer_slots, two,
                    resumed))
