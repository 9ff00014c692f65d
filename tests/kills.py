"""Proof 1: a kill -9 of the driver costs nothing.

    kills.py BUILD_DIR

SIGKILLs pbt 200 times (times $PBT_TEST_SCALE) at random moments of several runs, and
resumes them each time.  $PBT_TEST_SEED repeats the draws (not the moments: those are
real time).  What is checked:

  - 2 s after a kill nothing of the run is left, also not what called setsid
  - the records up to a kill are the beginning of the later journal
  - every acknowledgement that a worker got is of a result in the journal
  - each (trial, epoch, seq) is there once; steps are done again without a gap, and
    points of perturbation are points again
  - all results are in the log files, in the journal's order
  - the checkpoints on disk are those of the journal, whole, and those that are to be kept
  - one slot, four trials, a deterministic trainable: pbt_global.txt is that of an
    undisturbed run

The phase of a kill is what is owed by the journal that it left: none may be missing.  ConvNets
have to be hit often enough while a save, an exploit, the retry of a failed trial and
a deletion are in flight: what is begun by the journal, and not over.
"""
import collections
import glob
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

INTERVAL = 5
PHASES = ('starting', 'loading', 'saving', 'exploiting', 'running')
# Which record to wait for, to find a trial in that phase.
AIMS = {'starting': b'"k":"start"', 'loading': b'"k":"start"',
        'saving': b'"k":"save"', 'exploiting': b'"k":"exploit"',
        'running': b'"k":"result"'}
# The same for what is in flight in ConvNets, each as often (times $PBT_TEST_SCALE).
FLIGHTS = {'save': b'"k":"save"', 'exploit': b'"k":"exploit"',
           'retry': b'"leave":"retry"', 'deletion': b'"k":"delete"'}
FLIGHTS_MIN = max(1, round(5 * runs.SCALE))
# What is kept, by turns.
KEEPS = ({'score_attribute': 'score'}, {'max_bytes': 1000}, {})
AIM_S = 0.4  # then it is killed wherever it is
FLIGHT_S = 5  # a ConvNet takes longer to get anywhere
SLOW_MS = {'TOY_SLOW_SAVE_MS': '12', 'TOY_SLOW_LOAD_MS': '12'}


def phases(owed):
    """What trials were at, by what is owed to them."""
    found = set()
    for trial in owed['trials']:
        if trial['owed'] == 'start':
            found.add('loading' if trial['checkpoint'] else 'starting')
        elif trial['owed'] in ('load', 'ask') or (
                trial['owed'] == 'none' and trial['process']):
            found.add('exploiting')  # or at its point, waiting for a donor
        elif trial['owed'] == 'save':
            found.add('saving')
        elif trial['owed'] == 'run':
            found.add('running')
    return found


def in_flight(run, records):
    """What was begun, and is not over."""
    begun = {}
    deleted = []
    for record in records:
        trial, kind = record.get('trial'), record['k']
        if kind in ('save', 'exploit'):
            begun[trial] = kind
        elif kind == 'exited' and begun.get(trial) != 'exploit':
            begun[trial] = 'retry' if record.get('leave') == 'retry' else None
        elif kind in ('saved', 'ready'):
            begun[trial] = None
        elif kind == 'delete':
            deleted.append(record['checkpoint'])
    found = set(begun.values()) - {None}
    if any(os.path.exists(run.checkpoint_dir(one)) for one in deleted):
        found.add('deletion')
    return found


class Tail:
    """Waits for a record in the newest segment of a run."""

    def __init__(self, run):
        self.dir = run.path + '/journal'
        self.before = set(os.listdir(self.dir)) if run.begun() else set()
        self.file = None

    def sees(self, mark):
        if self.file is None:
            new = (set(os.listdir(self.dir)) if os.path.isdir(self.dir)
                   else set()) - self.before
            if not new:
                return False
            self.file = open(os.path.join(self.dir, new.pop()), 'rb')
        return mark in self.file.read()

    def close(self):
        if self.file is not None:
            self.file.close()


class Killer:
    """One run that is killed and resumed."""

    def __init__(self, name, draw, counts, run, kills, keep, flights=None):
        self.name, self.draw, self.counts = name, draw, counts
        self.flights = flights  # what was in flight, if that is counted
        self.run, self.kills = run, kills
        self.lines = []
        self.acks = run.path + '.acks'
        self.ack_bytes = 0
        self.results = set()
        self.most_processes = 0
        self.again = 0
        self.slowest = 0
        run.env['PBT_ACK_LOG'] = self.acks
        self.keep = keep

    def aim(self):
        """What to wait for, so that it is hit what is wanted; None: any moment."""
        if self.flights is not None:
            missing = [one for one in FLIGHTS if self.flights[one] < FLIGHTS_MIN]
            return self.draw.choice(missing or (None,) + tuple(FLIGHTS))
        missing = [phase for phase in PHASES if not self.counts[phase]]
        if missing and self.draw.random() < 0.5:
            return self.draw.choice(missing)
        return self.draw.choice((None, None) + PHASES)

    def wait(self):
        aim = self.aim()
        if aim is None:
            time.sleep(self.draw.random() * 0.15)
            return
        tail = Tail(self.run)
        end = time.monotonic() + (AIM_S if self.flights is None else FLIGHT_S)
        # Some of them, so that it is not always the first.
        number = 1 if aim in ('starting', 'loading') else self.draw.randint(1, 4)
        mark = AIMS[aim] if aim in AIMS else FLIGHTS[aim]
        number = 1 if aim in FLIGHTS else number
        failed = aim != 'retry'
        while number and time.monotonic() < end and not self.run.ended():
            failed = failed or self.fail_worker(tail)
            number -= tail.sees(mark)
            time.sleep(0.001)
        tail.close()
        if self.flights is None:
            time.sleep(self.draw.random() * 0.008)
        elif aim == 'retry':  # it takes the start of a process, the others a moment
            time.sleep(self.draw.random() * 0.05)

    def fail_worker(self, tail):
        """Some worker dies; False: there is none yet, or no result, and the run would end."""
        if not self.results and not tail.sees(b'"k":"result"'):
            return False
        workers = [pid for pid in self.run.processes() if os.path.basename(
            runs.read('/proc/%s/cmdline' % pid).split(b'\0')[0]) == b'convnet']
        if workers:
            os.kill(int(self.draw.choice(workers)), signal.SIGKILL)
        return bool(workers)

    def kill_once(self):
        """False if the run had ended before."""
        self.run.start()
        self.wait()
        self.most_processes = max(self.most_processes,
                                  len(self.run.processes()))
        if self.run.ended():
            return False
        self.run.kill()
        self.slowest = max(self.slowest, self.run.wait_gone())
        if not self.run.begun():
            return True  # before there was anything
        self.look()
        self.counts.update(phases(self.run.owed()))
        if self.flights is not None:
            self.flights.update(in_flight(
                self.run, [json.loads(line) for line in self.lines]))
        return True

    def look(self):
        """Nothing was lost that was there, or was acknowledged."""
        lines = runs.read_journal(self.run.path)
        check(lines[:len(self.lines)] == self.lines,
              '%s: the journal has lost or changed records', self.run.path)
        for line in lines[len(self.lines):]:
            record = json.loads(line)
            if record['k'] == 'result':
                key = (record['trial'], int(record['epoch']), record['seq'])
                check(key not in self.results, '%s twice', key)
                self.results.add(key)
        self.lines = lines
        if not os.path.exists(self.acks):
            return
        with open(self.acks) as file:
            file.seek(self.ack_bytes)
            text = file.read()
        self.ack_bytes += len(text)
        for line in text.splitlines():
            trial, epoch, seq = line.split()
            key = (int(trial.rsplit('_', 1)[1]), int(epoch), int(seq))
            check(key in self.results,
                  '%s: acknowledged and not in the journal', key)

    def finish(self):
        """Undisturbed to the end; then everything that can be told from it."""
        while True:
            self.run.start()
            status = self.run.finish()
            check(status == 0, '%s: exit status %d:\n%s', self.run.path,
                  status, self.run.said()[-3000:])
            self.run.wait_gone()
            if self.run.owed()['finished']:
                break
        self.look()
        records = [json.loads(line) for line in self.lines]
        check([r['n'] for r in records] == list(range(1, len(records) + 1)),
              'the numbers of the records have gaps')
        self.again = check_steps(records)
        check_logs(self.run, records)
        check_kept(self.run, records, self.keep)
        check(self.ack_bytes > 0, 'no worker has logged acknowledgements')

    def go(self):
        done = 0
        while done < self.kills and self.kill_once():
            done += 1
        self.finish()
        print('%-10s %3d kills, %5d records, %4d results, %4d steps again, at '
              'most %d processes, gone within %.2f s' % (
                  self.name, done, len(self.lines), len(self.results),
                  self.again, self.most_processes, self.slowest), flush=True)
        return done


def check_steps(records):
    """Each life goes on where its start or exploit says, step by step.  Returns how
    many steps were lost with a life and had to be done again.
    """
    lives, last = {}, {}
    again = 0
    for record in records:
        if record['k'] in ('start', 'exploit'):
            at = record['it' if record['k'] == 'start' else 'donor_it']
            if record['k'] == 'start':
                again += max(0, last.get(record['trial'], at) - at)
            lives[record['trial']] = {'epoch': record['epoch'], 'seq': 0,
                                      'it': at}
        elif record['k'] == 'result':
            life = lives[record['trial']]
            life['seq'] += 1
            life['it'] += 1
            check(all(record[key] == life[key] for key in life),
                  'after %s came %s', life, record)
            point = record['it'] % INTERVAL == 0 and 'stop' not in record
            check(record.get('point', False) == point,
                  'a point of perturbation is not ranked: %s', record)
            last[record['trial']] = record['it']
        if record['k'] == 'exploit':
            last[record['trial']] = record['donor_it']
    check(len(set(last.values())) == 1, 'trials end at %s', last)
    return again


def check_logs(run, records):
    """result.json and progress.csv have the journal's results, in its order."""
    wanted = collections.defaultdict(list)
    for record in records:
        if record['k'] == 'result':
            wanted[record['trial']].append(record['it'])
    for trial, iterations in wanted.items():
        path = run.trial_dir(trial)
        with open(path + '/result.json') as file:
            logged = [json.loads(line)['training_iteration'] for line in file]
        check(logged == iterations, '%s/result.json: %s, not %s', path, logged,
              iterations)
        with open(path + '/progress.csv') as file:
            rows = len(file.readlines())
        check(rows == len(iterations) + 1, '%s/progress.csv: %d rows, not %d',
              path, rows, len(iterations) + 1)


def best_of(saved, keep):
    """The checkpoints of a trial that are to be kept whoever needs them."""
    if 'max_bytes' in keep:
        return []
    by = 'score' if 'score_attribute' in keep else 'number'
    best = sorted(saved, key=lambda one: (one[by], one['number']))
    newest = max(saved, key=lambda one: one['number'])
    return best[-keep['num_to_keep']:] + [newest]


def check_kept(run, records, keep):
    saved, gone = collections.defaultdict(list), set()
    for record in records:
        if record['k'] == 'saved':
            saved[record['trial']].append(
                dict(record['checkpoint'], score=record.get('score', -1e9),
                     bytes=record['bytes']))
        elif record['k'] in ('delete', 'bad'):
            gone.add(tuple(record['checkpoint'].values()))
    most = total = 0
    for trial, ones in saved.items():
        live = {one['number']: one['bytes'] for one in ones
                if (trial, one['number']) not in gone}
        path = run.trial_dir(trial)
        found = [name for name in os.listdir(path) if 'checkpoint_' in name]
        check(sorted(found) == ['checkpoint_%06d' % number
                                for number in sorted(live)],
              '%s: %s, not %s', path, sorted(found), sorted(live))
        for one in best_of(ones, keep):
            check(one['number'] in live, '%s: %s is not kept', path, one)
        for number, size in live.items():
            check_whole('%s/checkpoint_%06d' % (path, number), size)
        most = max([most] + [one['bytes'] for one in ones])
        total += sum(live.values())
    check(gone, '%s: no checkpoint was given up', run.path)
    # Those that are needed: two durable ones, the newest, and a pair or the best.
    needed = 4 * most * len(saved)
    check(total <= max(keep.get('max_bytes', total), needed),
          '%s: %d bytes of checkpoints', run.path, total)


def check_whole(path, size):
    manifest = json.loads(runs.read(path + '/.pbt_manifest.json'))
    sizes = {one['name']: one['bytes'] for one in manifest['files']}
    check(sum(sizes.values()) == size, '%s: %s, not %d', path, sizes, size)
    check({name: os.path.getsize(path + '/' + name) for name in sizes} == sizes,
          '%s is not what its manifest says', path)


class Proof:
    def __init__(self, build, dir):
        self.build, self.dir = build, dir
        self.kills = max(10, round(200 * runs.SCALE))
        seed = int(os.environ.get('PBT_TEST_SEED', time.time_ns() % 10 ** 9))
        print('PBT_TEST_SEED=%d, %d kills' % (seed, self.kills), flush=True)
        self.draw = random.Random(seed)
        self.counts = collections.Counter()
        self.flights = collections.Counter()
        self.done = 0
        self.again = 0

    def toy(self, name, iterations, slots, **keys):
        return runs.experiment(
            name, [self.build + '/tests/bad_toy'],
            stop={'training_iteration': iterations}, resources={'cpu': slots},
            failure={'max_failures': -1}, **keys)

    def go(self, name, keys, kills, env, flights=None):
        run = runs.Run(self.build, self.dir, keys, env)
        killer = Killer(name, self.draw, self.counts, run, kills,
                        keys['checkpoint'], flights)
        self.done += killer.go()
        self.again += killer.again
        return killer

    def toys(self, number, kills):
        """Every worker has a daemon; more trials than slots in every second run."""
        more = number % 2
        keys = self.toy('toy-%d' % number, 50 if more else 150,
                        slots=3 - more, num_samples=3 + 3 * more, seed=number,
                        checkpoint={'num_to_keep': 2, 'at_end': True,
                                    'frequency': 2, **KEEPS[number % 3]})
        killer = self.go(keys['name'], keys, kills,
                         dict(SLOW_MS, TOY_SLEEP_MS='1', TOY_SETSID_CHILD='1'))
        # Each worker's daemon leaves its number when it begins.
        check(glob.glob(killer.run.path + '/*/daemon.pid'),
              'there were no daemons')

    def convnets(self, number, kills):
        data = self.dir + '/mnist'
        if not os.path.isdir(data):
            runs.write_mnist(data)
        rate = {'uniform': [0.001, 0.1]}
        keys = runs.experiment(
            'convnet-%d' % number, [self.build + '/examples/convnet'],
            metric='mean_accuracy',
            stop={'training_iteration': 100 if runs.SCALE >= 1 else 40},
            resources={'cpu': 3}, seed=number,
            config={'lr': rate, 'momentum': rate},
            scheduler={'type': 'pbt', 'perturbation_interval': INTERVAL,
                       'hyperparam_mutations': {'lr': rate}},
            checkpoint={'num_to_keep': 1, 'at_end': True, 'frequency': 2},
            failure={'max_failures': -1})
        self.go(keys['name'], keys, kills, {'PBT_MNIST_DIR': data},
                self.flights)

    def lone(self, kills):
        """One slot: whatever happens, the same is decided."""
        env = dict(SLOW_MS, TOY_SLEEP_MS='1')
        keys = self.toy('lone', 60, slots=1)
        killer = self.go('lone', keys, kills, env)
        calm = runs.Run(self.build, self.dir + '/calm', keys)
        calm.start()
        check(calm.finish() == 0, 'undisturbed: %s', calm.said())
        texts = [runs.read(run.path + '/pbt_global.txt')
                 for run in (killer.run, calm)]
        check(texts[0] == texts[1] and texts[1].count(b'\n') >= 5,
              'pbt_global.txt differs from that of an undisturbed run: %s, %s',
              killer.run.path, calm.path)

    def prove(self):
        begin = time.monotonic()
        shares = [self.kills * share // 20 for share in (3, 3, 3, 4, 3)]
        for number, share in enumerate(shares[:3], 1):
            self.toys(number, share)
        self.lone(shares[3])
        self.convnets(1, shares[4])
        number = 4
        while not self.is_enough():
            check(number < 40, 'phases: %s, in flight: %s', dict(self.counts),
                  dict(self.flights))
            kills = max(5, min(self.kills - self.done, self.kills // 10))
            flights = min(self.flights[one] for one in FLIGHTS)
            (self.convnets if number % 2 or flights < FLIGHTS_MIN else
             self.toys)(number, kills)
            number += 1
        check(self.again > 0, 'no step was ever lost: that proves little')
        print('%d kills in %.0f s; trials were %s' % (
            self.done, time.monotonic() - begin,
            ', '.join('%s in %d' % (phase, self.counts[phase])
                      for phase in PHASES)), flush=True)
        print('ConvNets had in flight %s' % ', '.join(
            '%s: %d times' % (one, self.flights[one]) for one in FLIGHTS),
            flush=True)

    def is_enough(self):
        return (self.done >= self.kills and
                all(self.counts[phase] for phase in PHASES) and
                all(self.flights[one] >= FLIGHTS_MIN for one in FLIGHTS))


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else 'build')
    dir = tempfile.mkdtemp(prefix='kills.')
    try:
        Proof(build, dir).prove()
    except (runs.Failed, subprocess.SubprocessError) as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
