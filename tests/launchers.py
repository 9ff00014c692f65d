"""Workers behind launchers, which close PBT_FD, and workers that start processes.

    launchers.py BUILD_DIR [CASE ...]

The launcher is a stand-in for torchrun (python/launcher.py); the real one: examples_pytorch.py.
"""
import os
import signal
import sys

import runs
from runs import check

HERE = os.path.dirname(os.path.abspath(__file__))
LAUNCHER = [sys.executable, HERE + '/python/launcher.py']
LONG = 1000000
ENV = {'PYTHONPATH': os.path.dirname(HERE) + '/python', 'PYTHONDONTWRITEBYTECODE': '1'}


def script(name, *words):
    return [sys.executable, '%s/python/%s.py' % (HERE, name), *words]


def run_of(build, dir, name, command, env=None, **keys):
    keys = {'resources': {'cpu': 4}, 'num_samples': 3, **keys}
    made = runs.experiment(name, command, **keys)
    made['scheduler']['synch'] = True
    return runs.Run(build, dir, made, {**ENV, **(env or {})})


def done(run, status=0):
    run.start()
    found = run.finish()
    check(found == status, '%s: exit status %d: %s', run.path, found, run.said())
    check(not run.processes(), '%s: processes are left', run.path)
    return runs.records_of(run.path)


def kinds(records, kind):
    return [r for r in records if r['k'] == kind]


def calls(run, rank):
    return [runs.read('%s/calls.%d' % (path, rank)).decode() for path in run.trial_dirs()]


def together(run, records, size):
    """All ranks did the same, and it was all that the journal knows of."""
    first = calls(run, 0)
    for rank in range(1, size):
        check(calls(run, rank) == first, '%s: rank %d: %s; rank 0: %s', run.path, rank,
              calls(run, rank), first)
    said = ''.join(first).split('\n')
    for word, kind in (('step', 'result'), ('save', 'saved')):
        count = sum(line.split(' ')[0] == word for line in said)
        check(count == len(kinds(records, kind)), '%s: %d times %s, %d records', run.path, count,
              word, len(kinds(records, kind)))
    check(any(line.startswith('load') for line in said), 'nothing was loaded: %s', said)


def ranks(build, dir):
    """Three processes a trial: they step, save, load and pause together; exploits and pauses
    lead through running processes, and through new ones."""
    for kind in ('class', 'function'):
        for slots in (3, 2):
            name = '%s_%d' % (kind, slots)
            run = run_of(build, dir, name, [*LAUNCHER, '3', *script('ranks', kind)],
                         resources={'cpu': slots})
            records = done(run)
            check(kinds(records, 'exploit'), '%s: no exploit', name)
            together(run, records, 3)
            for saved in kinds(records, 'saved')[-1:]:
                parts = sorted(f for f in os.listdir(run.checkpoint_dir(saved['checkpoint']))
                               if f.startswith('part'))
                check(parts == ['part0.json', 'part1.json', 'part2.json'], '%s', parts)
            print('%s: %d exploits, %d saves' % (name, len(kinds(records, 'exploit')),
                                                 len(kinds(records, 'saved'))))


def failures(build, dir):
    """Rank 1 fails: its traceback is in error.txt, whatever the others say then."""
    for where in ('setup', 'step', 'save'):
        run = run_of(build, dir, 'bad_' + where, [*LAUNCHER, '2', *script('ranks', 'class')],
                     {'BAD': where}, failure={'max_failures': 0})
        done(run, status=1)
        texts = [runs.read(path + '/error.txt') for path in run.trial_dirs()]
        check(any(b'rank 1 fails on purpose: ' + where.encode() in text for text in texts),
              '%s', texts)


def kills(build, dir):
    """Whoever is killed, nothing of the trial is left; and it goes on afterwards."""
    run = run_of(build, dir, 'killed', [*LAUNCHER, '3', *script('ranks', 'class')],
                 stop={'training_iteration': LONG}, failure={'max_failures': -1})
    for who in ('driver', 'shim', 'rank', 'launcher'):
        begin = len(runs.records_of(run.path)) if run.begun() else 0
        run.start()
        wait_trains(run, begin)
        wait_processes(run, 3 * 4)
        victim = None if who == 'driver' else find(run, who)
        if victim is None:
            run.kill()
        else:
            failed = len(kinds(runs.records_of(run.path), 'exited'))
            os.kill(victim, signal.SIGKILL)
            runs.wait_until('a failure', lambda: len(kinds(
                runs.records_of(run.path), 'exited')) > failed)
            run.process.send_signal(signal.SIGTERM)
            check(run.finish() == 143, '%s: %s', who, run.said())
        print('%s killed: gone after %.2f s' % (who, run.wait_gone()))


def wait_trains(run, begin):
    def trained():
        check(not run.ended(), 'it has ended: %s', run.said())
        new = runs.records_of(run.path)[begin:] if run.begun() else []
        return {r['trial'] for r in kinds(new, 'result')} == {0, 1, 2}
    runs.wait_until('all train', trained)


def wait_processes(run, least):
    runs.wait_until('%d processes' % least, lambda: len(run.processes()) >= least)


def find(run, who):
    """A process of the run: by what it is called with."""
    for pid in run.processes():
        words = runs.read('/proc/%s/cmdline' % pid).split(b'\0')
        kind = ('shim' if words[0].endswith(b'pbt-shim') else
                'launcher' if words[1].endswith(b'launcher.py') else 'rank')
        if kind == who:
            return int(pid)
    raise runs.Failed('there is no %s' % who)


def loaders(build, dir):
    """Processes that the worker starts and leaves behind end with it: at its end, at a pause and
    at a kill.  Fewer slots than trials, so that trials pause."""
    for method in ('fork', 'spawn'):
        run = run_of(build, dir, 'loaders_' + method, script('loaders', method),
                     resources={'cpu': 2}, reuse_workers=False)
        records = done(run)
        ends = kinds(records, 'exited')
        check([r for r in ends if r['leave'] == 'pause'], 'no pause')
        check(not [r for r in ends if 'signal' in r['data']], 'had to be killed: %s', ends)
        run = run_of(build, dir, 'loaders_killed_' + method, script('loaders', method),
                     stop={'training_iteration': LONG})
        run.start()
        wait_trains(run, 0)
        wait_processes(run, 3 * 5)  # shim, worker, two of the pool, feeder
        run.kill()
        print('%s: gone after %.2f s' % (method, run.wait_gone()))


def plain(build, dir):
    """A launcher of one process, of the worker in C too; one that has closed its own copy; a run
    whose socket has no place in an address."""
    long = dir + '/' + 'a-long-name-' * 12
    for name, where, command, env in (
            ('python', dir, script('by_class'), {}),
            ('c', dir, [build + '/tests/bad_toy'], {}),
            ('closed', dir, [build + '/tests/bad_toy'], {'LAUNCHER_CLOSES': '1'}),
            ('long', long, script('by_class'), {}),
            ('long_c', long, [build + '/tests/bad_toy'], {})):
        run = run_of(build, where, name, [*LAUNCHER, '1', *command], env)
        records = done(run)
        check(not kinds(records, 'bad') and {r['leave'] for r in kinds(records, 'exited')} <=
              {'terminate', 'none'}, '%s: %s', name, kinds(records, 'exited'))


def in_a_job(build, dir):
    """pbt itself is one of several processes: what says so is not the workers' concern."""
    wrapped = [sys.executable, '-c', 'import subprocess, sys\n'
               'sys.exit(subprocess.call(sys.argv[1:]))', *script('by_class')]
    job = {'RANK': '1', 'LOCAL_RANK': '1', 'WORLD_SIZE': '4', 'LOCAL_WORLD_SIZE': '4',
           'PBT_SOCKET': '/nowhere/control', 'PBT_TOKEN': 'of another run'}
    for name, command in (('job', script('by_class')), ('job_wrapped', wrapped)):
        done(run_of(build, dir, name, command, job))


# Two that speak for one worker, and one who guesses: only the first is heard.
STRANGERS = '''
import json, os, socket, sys
sys.path.insert(0, os.environ['PYTHONPATH'])
path, token = os.environ['PBT_SOCKET'], os.environ['PBT_TOKEN']
def ask(token):
    sock = socket.socket(socket.AF_UNIX)
    sock.connect(path)
    sock.sendall(json.dumps({'request': 'attach', 'token': token}).encode() + b'\\n')
    return sock.makefile('r').readline()
with open(os.environ['PBT_TRIAL_DIR'] + '/refused', 'w') as file:
    print(ask('0' * 32), ask(''), ask(token + '0'), file=file)
import runpy
sys.argv = sys.argv[1:]
import libpbt._worker as worker
say = worker.Worker.result
def result(self, *rest):
    with open(os.environ['PBT_TRIAL_DIR'] + '/refused', 'a') as file:
        print(ask(token), file=file)
    worker.Worker.result = say
    return say(self, *rest)
worker.Worker.result = result
runpy.run_path(sys.argv[0], run_name='__main__')
'''


def strangers(build, dir):
    run = run_of(build, dir, 'strangers', [*LAUNCHER, '1', sys.executable, '-c', STRANGERS,
                                           HERE + '/python/by_class.py'], num_samples=1)
    done(run)
    said = runs.read(run.trial_dir(0) + '/refused').decode()
    check(said.count('no worker with this token') == 3, '%s', said)
    check(said.count('speaks for the worker with this token') == 1, '%s', said)


if __name__ == '__main__':
    runs.run_cases((plain, in_a_job, ranks, failures, kills, loaders,
                    strangers))
