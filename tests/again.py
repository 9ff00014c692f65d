"""The same experiment again: gone on with, told apart, extended, and moved elsewhere.

    again.py BUILD_DIR [CASE ...]

Every case starts real runs, as a user would.  What is waited for is in the journal.
"""
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time

import runs
from runs import SCALE, check

LONG = 1000000  # iterations: no run here ends by itself
LATE_S = 5  # for what a user needn't wait for, on a machine with much else to do


class House:
    """A directory with a program, experiment files and runs."""

    def __init__(self, build, dir):
        self.build, self.dir = build, dir
        os.makedirs(dir)
        self.program = os.path.join(dir, 'train')
        shutil.copy(build + '/examples/toy', self.program)
        self.living = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.living:
            process.kill()
            process.wait()

    def write(self, name='exp', stop=20, **more):
        keys = runs.experiment(name, ['./train'], resources={'cpu': 2}, **more)
        keys['stop'] = {'training_iteration': stop}
        keys['config']['sleep_ms'] = 5 if stop == LONG else 0
        with open('%s/%s.json' % (self.dir, name), 'w') as file:
            json.dump(keys, file)

    def pbt(self, *words, status=0, where=None):
        """Returns what it says, on both streams."""
        done = subprocess.run([self.build + '/pbt', *words], cwd=where or self.dir,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=runs.DEADLINE_S, check=False)
        check(done.returncode == status, 'pbt %s ended with %d: %s%s', ' '.join(words),
              done.returncode, done.stdout, done.stderr)
        return done.stdout + done.stderr

    def start(self, *words):
        """Leaves it at work."""
        with open(self.dir + '/log', 'ab') as log:
            process = subprocess.Popen([self.build + '/pbt', *words], cwd=self.dir,
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        self.living.append(process)
        return process

    def path(self, run='exp'):
        return '%s/runs/%s' % (self.dir, run)

    def names(self):
        return sorted(name for name in os.listdir(self.dir + '/runs') if name[0] != '.')

    def records(self, run='exp', kind=None, where=None):
        found = []
        journal = (where or self.path(run)) + '/journal'
        for name in sorted(os.listdir(journal)):
            for line in runs.read('%s/%s' % (journal, name)).split(b'\n')[:-1]:
                record = json.loads(line)
                if kind is None or record.get('k') == kind:
                    found.append(record)
        return found

    def wait_results(self, count, run='exp'):
        runs.wait_until('trained', lambda: os.path.isdir(self.path(run) + '/journal') and
                        len(self.whole(run, 'result')) >= count)

    def whole(self, run, kind):
        try:
            return self.records(run, kind)
        except ValueError:  # a line is being written
            return []


def interrupt(house, run, process):
    process.send_signal(signal.SIGINT)
    check(process.wait(runs.DEADLINE_S) == 130, 'no gentle end')
    check(house.records(run, 'end')[-1]['end'] == 'interrupted', 'no gentle end')


def same_name(build, dir):
    """pbt run: the unfinished one goes on; a living one is refused; others get a number."""
    with House(build, dir) as house:
        house.write(stop=LONG)
        first = house.start('run', 'exp.json', '-q')
        house.wait_results(20)
        begin = time.monotonic()
        said = house.pbt('run', 'exp.json', '-q', status=75)
        check(time.monotonic() - begin < LATE_S, 'refused late')
        check('pid %d on %s' % (first.pid, socket.gethostname()) in said, said)
        check(house.names() == ['exp'], 'another run of the same experiment')
        # It isn't changed under its driver's feet.
        before = runs.read(house.path() + '/experiment.yaml')
        said = house.pbt('resume', 'exp', 'stop.training_iteration=2000000', '--change', status=75)
        check('pid %d on' % first.pid in said, said)
        check(runs.read(house.path() + '/experiment.yaml') == before, 'changed')
        # Another one beside it, and a third.
        second = house.start('run', 'exp.json', '-q', 'num_samples=3')
        house.wait_results(5, 'exp-2')
        third = house.start('run', 'exp.json', '-q', 'num_samples=2')
        house.wait_results(5, 'exp-3')
        interrupt(house, 'exp', first)
        second.kill()
        second.wait()
        interrupt(house, 'exp-3', third)
        # Each is found again by what it is, also the one that was killed.
        for run, more in (('exp', ()), ('exp-2', ('num_samples=3',)),
                          ('exp-3', ('num_samples=2',))):
            results = len(house.records(run, 'result'))
            process = house.start('run', 'exp.json', '-q', *more)
            house.wait_results(results + 5, run)
            interrupt(house, run, process)
            check(len(house.records(run, 'opened')) == 2, 'not gone on with')
        check(house.names() == ['exp', 'exp-2', 'exp-3'], 'a run too many')
        with open(house.dir + '/log') as log:
            said = log.read()
        check(said.count('is unfinished: resuming it') == 3, said)
        check(said.count('a run of that name is there already') == 2, said)


def extended(build, dir):
    """What had ended goes on, with more trials, in every view; an end that stays is an end."""
    with House(build, dir) as house:
        house.write(stop_all={'score': 3}, stop=400)
        house.pbt('run', 'exp.json', '-q')
        check(house.records('exp', 'end')[-1]['end'] == 'stop_all', 'no end')
        said = house.pbt('resume', 'exp', '-n', '6', '--change')
        check('nothing left to do' in said and 'is further away' in said, said)
        house.pbt('resume', 'exp', '--stop-all', 'score=6', '--change', '-q')
        check(len(house.records('exp', 'extend')) == 1, 'not extended')
        reopened = [record['trial'] for record in house.records('exp', 'reopen')]
        check(sorted(reopened) == [0, 1, 2, 3], 'trials %s go on', reopened)
        check(len(house.records('exp', 'trial')) == 6, 'no more trials')
        ends = [record['end'] for record in house.records('exp', 'end')]
        check(ends == ['stop_all', 'stop_all'], 'ends %s', ends)
        shown = house.pbt('status', 'exp', '--all', '--json')
        check(len(json.loads(shown)['trials']) == 6, shown)
        best = json.loads(house.pbt('best', 'exp', '--json'))
        check(best['value'] >= 6, '%s', best)
        house.pbt('verify', 'exp')
        check('is finished' in house.pbt('resume', 'exp'), 'not over')


def kill_change(house, draw, text):
    """A change that is killed at some moment."""
    process = house.start('resume', 'exp', '--change', '-q', text)
    time.sleep(draw.uniform(0, 0.06))  # the moment, which is drawn
    process.kill()
    process.wait()


def killed_changes(build, dir):
    """Whenever it is killed, the run is the old one or the new one, and goes on as that."""
    seed = random.SystemRandom().randrange(1 << 32)
    print('seed %d' % seed)
    draw = random.Random(seed)
    with House(build, dir) as house:
        house.write(num_samples=2)
        house.pbt('run', 'exp.json', '-q')
        taken, stop = 0, 20
        for step in range(max(6, int(30 * SCALE))):
            before = runs.read(house.path() + '/experiment.yaml').decode()
            more = stop + 5
            kill_change(house, draw, 'stop.training_iteration=%d' % more)
            after = runs.read(house.path() + '/experiment.yaml').decode()
            there = 'training_iteration: %d}' % more in after
            check(there or after == before, 'neither the old nor the new one')
            taken, stop = taken + there, more if there else stop
            if step % 3 == 0:
                house.pbt('verify', 'exp')
            if step % 5 == 0:
                house.pbt('resume', 'exp', '-q')
        house.pbt('resume', 'exp', '-q')
        house.pbt('verify', 'exp')
        last = {record['trial']: record['it'] for record in house.records('exp', 'result')}
        check(last == {0: stop, 1: stop}, 'trials ended at %s instead of %d', last, stop)
        print('%d of the changes were made' % taken)


def mentions(path, text):
    """The files below `path` that have this text in them."""
    found = []
    for root, _, names in os.walk(path):
        found += [os.path.join(root, name) for name in names
                  if text.encode() in runs.read(os.path.join(root, name))]
    return found


def moved(build, dir):
    """A run that was stopped is moved with its program, renamed, and copied."""
    with House(build, dir + '/old') as house:
        house.write(stop=LONG)
        process = house.start('run', 'exp.json', '-q')
        house.wait_results(200)
        interrupt(house, 'exp', process)
        results = house.records('exp', 'result')
    new = dir + '/new/place'
    os.makedirs(new)
    os.rename(dir + '/old/runs/exp', new + '/mine')
    os.rename(dir + '/old/train', new + '/train')
    shutil.rmtree(dir + '/old')
    # Of its old place only the command's path is left, in what holds and in what held.
    left = {os.path.relpath(path, new + '/mine') for path in mentions(new + '/mine', dir + '/old')}
    check(left <= {'experiment.yaml', 'journal/000001.jsonl'}, 'the old place is in %s', left)
    old = [record for record in house.records(where=new + '/mine')
           if dir + '/old' in json.dumps(record)]
    check([record['k'] for record in old] == ['opened'], 'the old place is in %s', old)
    # Everything can be looked at without the program.
    house.pbt('verify', 'mine', '--dir', '.', where=new)
    house.pbt('status', './mine', where=new)
    house.pbt('best', './mine', '--export', 'model', where=new)
    check(os.listdir(new + '/model'), 'nothing exported')
    house.pbt('plot', './mine', '-o', 'plot.svg', where=new)
    house.pbt('rebuild', './mine', where=new)
    # It is missed before anything is done, and found where the user says.
    said = house.pbt('resume', './mine', '-q', status=78, where=new)
    check('E0705' in said and '--change -- PROGRAM' in said, said)
    check(len(house.records(where=new + '/mine', kind='opened')) == 1, 'opened in vain')
    stop = max(record['it'] for record in results) + 50
    house.pbt('resume', './mine', '-q', '--change', 'stop.training_iteration=%d' % stop, '--',
              './train', where=new)
    # What was done before was not done again.
    again = house.records(where=new + '/mine', kind='result')
    check(again[:len(results)] == results, 'results were lost')
    starts = house.records(where=new + '/mine', kind='start')
    check(any(record['it'] > 0 for record in starts[-4:]), 'it began anew')
    house.pbt('verify', './mine', where=new)
    # A copy is a run of its own.
    shutil.copytree(new + '/mine', new + '/copy')
    house.pbt('resume', './copy', '-q', '--change', 'stop.training_iteration=%d' % (stop + 20),
              where=new)
    check('is finished' in house.pbt('resume', './mine', where=new), 'the first one changed')
    for run in ('mine', 'copy'):
        house.pbt('verify', './' + run, where=new)
        house.pbt('best', './' + run, '--export', 'model-' + run, where=new)


CASES = (same_name, extended, killed_changes, moved)

if __name__ == '__main__':
    runs.run_cases(CASES)
