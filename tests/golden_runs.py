"""Runs that older versions have left half done are read as they were meant, and go on.

    golden_runs.py BUILD_DIR
    golden_runs.py BUILD_DIR --make [NAME ...]      the runs of this version, anew

tests/golden/runs/VERSION/NAME is a run's directory, as it was when its driver was killed or
interrupted, without what its programs printed.  No record may ever be given another meaning: from
its journal this version has to write the files again that the version which made it wrote, and
then to train on to the end.  And a run at work goes on under a build of another version.
Whatever is here stays; a version that writes new things adds its own.
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile

import runs
from runs import check

GOLDEN = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'golden', 'runs')
MARK = '@BUILD@'
EXPLORE = ("import json, sys; c = json.load(sys.stdin)['config']; c['lr'] *= 1.01; "
           "print(json.dumps(c))")
NOT_KEPT = ('lock', 'log_cursor.json', 'control.sock', 'stdout', 'stderr', 'work')


def pbt(build, *words, status=0):
    found = subprocess.run([build + '/pbt', *words], capture_output=True, text=True,
                           stdin=subprocess.DEVNULL, timeout=runs.DEADLINE_S, check=False,
                           env=dict(os.environ, TZ='UTC'))
    check(found.returncode == status, 'pbt %s: exit status %d: %s', ' '.join(words),
          found.returncode, found.stdout + found.stderr)
    return found.stdout


# --- making ---------------------------------------------------------------------


class Maker:
    def __init__(self, build, dir, name, scheduler=None, program='examples/toy', env=None, **keys):
        self.build = build
        made = runs.experiment(name, ['%s/%s' % (build, program)], resources={'cpu': 2}, **keys)
        made['config']['sleep_ms'] = 4
        made['scheduler'].update(scheduler or {})
        self.run = runs.Run(build, dir, made, {'TZ': 'UTC', **(env or {})})

    def wait(self, count, kind, *words):
        self.run.start(*words)
        runs.wait_until('%d of %s' % (count, kind), lambda: self.run.begun() and count <= len(
            [r for r in runs.records_of(self.run.path) if r['k'] == kind]))

    def ask(self, verb, trial):
        pbt(self.build, verb, self.run.path, str(trial))

    def keep(self):
        """Into the golden directory, with its log files as they are at its last record."""
        path = self.run.path
        pbt(self.build, 'rebuild', path)
        version = pbt(self.build, 'version').split()[1]
        to = os.path.join(GOLDEN, version, os.path.basename(path))
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(path, to, ignore=shutil.ignore_patterns(*NOT_KEPT))
        name = to + '/experiment.yaml'
        with open(name) as file:
            text = file.read()
        with open(name, 'w') as file:
            file.write(text.replace(self.build, MARK))
        kinds = sorted({r['k'] for r in runs.records_of(to)})
        print('%s: %d records: %s' % (to, len(runs.records_of(to)), ' '.join(kinds)))


def make_asynchronous(build, dir):
    """Asked explores, requests, two drivers, a lost checkpoint; a clean end, with a snapshot."""
    maker = Maker(build, dir, 'asynchronous', num_samples=5,
                  scheduler={'custom_explore': ['python3', '-c', EXPLORE]},
                  stop={'training_iteration': 40})
    maker.wait(2, 'exploit')
    maker.ask('pause', 0)
    maker.run.kill()
    maker.run.wait_gone()
    exploit = [r for r in runs.records_of(maker.run.path) if r['k'] == 'exploit'][-1]
    shutil.rmtree(maker.run.checkpoint_dir(exploit['checkpoint']), ignore_errors=True)
    maker.wait(4, 'exploit')
    maker.ask('stop', 1)
    maker.run.process.send_signal(signal.SIGINT)
    check(maker.run.finish() == 130, 'exit status: %s', maker.run.said())
    maker.keep()


def make_synchronous(build, dir):
    """Rounds; killed."""
    maker = Maker(build, dir, 'synchronous', scheduler={'synch': True}, mode='min',
                  stop={'training_iteration': 40})
    maker.wait(4, 'round')
    maker.run.kill()
    maker.run.wait_gone()
    maker.keep()


def make_replay(build, dir):
    """A schedule, played back; killed."""
    policy = dir + '/pbt_policy_x.txt'
    with open(policy, 'w') as file:
        file.write(''.join(json.dumps(row) + '\n' for row in (
            ['0_lr=0.001', '1_lr=0.002', 5, 5, {'lr': 0.002}, {'lr': 0.0024}],
            ['0_lr=0.001', '2_lr=0.003', 10, 10, {'lr': 0.0024}, {'lr': 0.00192}],
            ['0_lr=0.001', '3_lr=0.004', 30, 30, {'lr': 0.00192}, {'lr': 0.0023}])))
    maker = Maker(build, dir, 'replay', num_samples=1, stop={'training_iteration': 40})
    keys = runs.experiment('replay', [build + '/examples/toy'], num_samples=1,
                           stop={'training_iteration': 40}, config={'sleep_ms': 4},
                           scheduler={'type': 'replay', 'policy': policy})
    with open(maker.run.file, 'w') as file:
        json.dump(keys, file)
    maker.wait(1, 'change')
    maker.run.kill()
    maker.run.wait_gone()
    maker.keep()


def make_adopting(build, dir):
    """Hyperparameters alone, of what was best once; killed."""
    maker = Maker(build, dir, 'adopting', num_samples=3, stop={'training_iteration': 30},
                  scheduler={'exploit_copies': 'hyperparameters', 'donors': 'best_ever',
                             'exploit': 'tournament', 'perturbation_interval': 3})
    maker.wait(5, 'adopt')
    maker.run.kill()
    maker.run.wait_gone()
    maker.keep()


def make_extended(build, dir):
    """A trial that fails, waits and is replaced; an end that is put further away; killed."""
    maker = Maker(build, dir, 'extended', program='tests/bad_toy', env={'TOY_EXIT': '1:7'},
                  scheduler={'exploit_copies': 'hyperparameters'}, stop={'training_iteration': 30},
                  stop_all={'training_iteration': 20},
                  checkpoint={'frequency': 6, 'num_to_keep': 2, 'at_end': True},
                  failure={'max_failures': 2, 'backoff_s': 0.2, 'replace': 3})
    maker.run.start()
    check(maker.run.finish() == 0, 'exit status: %s', maker.run.said())
    maker.wait(110, 'result', '--change', '-n', '6', '--stop-all', 'training_iteration=30')
    maker.run.kill()
    maker.run.wait_gone()
    maker.keep()


MAKERS = (make_asynchronous, make_synchronous, make_replay, make_adopting, make_extended)
# What they have to hold between them, of what came after the first ones.
NEWER = {'adopt', 'extend', 'reopen', 'wait', 'replacement'}


# --- reading --------------------------------------------------------------------


def holds(there, here):
    """All that was there is here, with the same value; more may be."""
    if isinstance(there, dict):
        return isinstance(here, dict) and all(k in here and holds(v, here[k])
                                              for k, v in there.items())
    if isinstance(there, list):
        return (isinstance(here, list) and len(there) == len(here) and
                all(map(holds, there, here)))
    return there == here


def parse(path):
    return [json.loads(line) for line in runs.read(path).splitlines()]


def compare(golden, path):
    """The log files, written anew, with those of then."""
    compared = 0
    for top, _, names in os.walk(golden):
        for name in names:
            there = os.path.join(top, name)
            here = os.path.join(path, os.path.relpath(there, golden))
            if name in ('status.json', 'result.json'):
                check(holds(parse(there), parse(here)), '%s is not what it was', here)
            elif name == 'params.json' or name.startswith('pbt_'):
                check(runs.read(there) == runs.read(here), '%s is not what it was', here)
            else:
                continue
            compared += 1
            check(os.path.exists(here), '%s is missing', here)
    check(compared >= 3, '%s: only %d files', golden, compared)


def go_on(build, dir, golden):
    """As in a directory of its own, on another machine."""
    path = os.path.join(dir, os.path.relpath(golden, GOLDEN).replace('/', '-'))
    shutil.copytree(golden, path, copy_function=shutil.copyfile)
    name = path + '/experiment.yaml'
    with open(name) as file:
        text = file.read()
    with open(name, 'w') as file:
        file.write(text.replace(MARK, build))
    for top, _, names in os.walk(path):
        for other in names:
            if other.startswith(('pbt_', 'result', 'progress', 'params', 'status')):
                os.unlink(os.path.join(top, other))
    before = runs.read_journal(path)
    pbt(build, 'rebuild', path)
    compare(golden, path)
    pbt(build, 'resume', path)
    after = runs.read_journal(path)
    check(after[:len(before)] == before and len(after) > len(before),
          '%s: records of then are not in the journal', path)
    status = json.loads(runs.read(path + '/status.json'))
    check({t['status'] for t in status['trials']} == {'TERMINATED'}, '%s: %s', path, status)
    found = subprocess.run([build + '/tests/same_state', path], capture_output=True,
                           timeout=runs.DEADLINE_S, check=False)
    check(found.returncode == 0, 'same_state: %s', found.stderr)
    print('%s: %d records, then %d' % (os.path.relpath(golden, GOLDEN), len(before), len(after)))


def next_version(build, dir):
    """A build that differs in its version alone: its programs, with another number in them."""
    version = pbt(build, 'version').split()[1]
    number = '9' + version[1:]
    made = os.path.join(dir, 'next')
    os.mkdir(made)
    for name in ('pbt', 'pbt-shim', 'pbt-command'):
        content = runs.read('%s/%s' % (build, name))
        check(version.encode() in content or name == 'pbt-command', '%s has no version', name)
        with open('%s/%s' % (made, name), 'wb') as file:
            file.write(content.replace(version.encode(), number.encode()))
        os.chmod('%s/%s' % (made, name), 0o755)
    os.symlink(build + '/tests', made + '/tests')
    check(pbt(made, 'version').split()[1] == number, 'not another version')
    return made, [version, number]


def change_builds(build, dir):
    """A run at work is killed and goes on under a newer build, is killed, and goes on under this."""
    newer, versions = next_version(build, dir)
    keys = runs.experiment('live', [build + '/examples/toy'], resources={'cpu': 2},
                           stop={'training_iteration': 200})
    keys['config']['sleep_ms'] = 4
    run = runs.Run(build, dir, keys)
    for count, of in ((3, build), (6, newer)):
        run.build = of
        run.start()
        runs.wait_until('exploits', lambda n=count: run.begun() and n <= len(
            [r for r in runs.records_of(run.path) if r['k'] == 'exploit']))
        run.kill()
        run.wait_gone()
    before = runs.read_journal(run.path)
    for of in (build, newer):
        pbt(of, 'verify', run.path)
        pbt(of, 'rebuild', run.path)
    run.build = build
    run.start()
    check(run.finish() == 0, '%s', run.said())
    after = runs.read_journal(run.path)
    check(after[:len(before)] == before and len(after) > len(before), 'records have changed')
    opened = [r['data']['version'] for r in map(json.loads, after) if r['k'] == 'opened']
    check(opened == [versions[0], versions[1], versions[0]], 'opened by %s', opened)
    pbt(newer, 'verify', run.path)
    print('a run at work: %d records, then %d, under %s in turn' % (
        len(before), len(after), ', '.join(versions)))


def main():
    build = os.path.abspath(sys.argv[1])
    dir = os.path.realpath(tempfile.mkdtemp(prefix='golden_runs.'))
    try:
        if sys.argv[2:3] == ['--make']:
            for make in MAKERS:
                if make.__name__.split('_')[1] in sys.argv[3:] or not sys.argv[3:]:
                    make(build, dir)
            return
        found = sorted(os.path.join(GOLDEN, version, name) for version in os.listdir(GOLDEN)
                       for name in os.listdir(os.path.join(GOLDEN, version)))
        check(len(found) >= 3, 'only %s', found)
        held = {word for golden in found for record in runs.records_of(golden)
                for word in (record['k'], *record)}
        check(NEWER <= held, 'no run has %s', NEWER - held)
        for golden in found:
            go_on(build, dir, golden)
        change_builds(build, dir)
    except runs.Failed as failed:
        sys.exit('golden_runs: %s' % failed)
    finally:
        shutil.rmtree(dir, ignore_errors=True)


if __name__ == '__main__':
    main()
