"""One driver at a time, also where locks are without effect between hosts.

    leases.py BUILD_DIR

Another host is a UTS namespace of its own (where none can be made this is skipped, but not as
root).  stall.c makes locks ineffective, and leases are of seconds.  A driver is stopped: at a random
moment, or in the middle of a call that is about to write.  A driver on the other host takes the run
over, and then the first one goes on with what it was about.  It has to end by itself and say why;
nothing that it has written since counts; nothing that it has acknowledged is lost; no process of
its own is left; and journal, checkpoints and files are those of the second one's, which trains to
the end.  $PBT_TEST_SEED repeats the draws.
"""
import concurrent.futures
import ctypes
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import runs
from runs import check

SKIPPED = 77
STARTED = []  # all drivers, so that none is left behind
CLONE_NEWUTS = 0x04000000
LEASE_S = 2
ITERATIONS = 60
ROUNDS = max(2, round(6 * runs.SCALE))  # of stops at random moments

# What the first driver is about when it is stopped, and how often before that it was.
STALLS = {
    'an append': 'write:/journal/0:20',
    'the append of a save': 'write:/journal/0:45',
    'a publication': 'rename:/checkpoint_:4',
    'a deletion': 'unlink:/checkpoint_:2',
    'a log file': 'pwrite:/result.json:3',
    'a table': 'pwrite:/progress.csv:3',
    'its lease': 'pwrite:/lock:2',
}


def to_other_host(name):
    """For preexec_fn."""
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWUTS) != 0:
        raise OSError(ctypes.get_errno(), 'unshare')
    socket.sethostname(name)


def can_unshare():
    child = os.fork()
    if child == 0:
        try:
            to_other_host('elsewhere')
        except OSError:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


class Driver:
    """pbt run or pbt resume of a run, on a host of its own."""

    def __init__(self, run, host, stall=None):
        self.run = run
        self.host = host
        self.log = '%s.%s.log' % (run.path, host)
        env = dict(run.env)
        if stall is not None:
            env['PBT_STALL'] = stall
        words = (['resume', run.path, '-q'] if run.begun() else
                 ['run', run.file, '--dir', run.dir, '-q'])
        self.before = segments(run)
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                [os.path.join(run.build, runs.PBT)] + words, env=env, stdout=log, stderr=log,
                stdin=subprocess.DEVNULL, preexec_fn=lambda: to_other_host(host))
        STARTED.append(self.process)

    def said(self):
        return runs.read(self.log).decode()

    def drives(self):
        """Its segment's number, once it has one."""
        check(self.process.poll() in (None, 0), 'the driver on %s has ended with %s: %s',
              self.host, self.process.returncode, self.said())
        new = set(segments(self.run)) - set(self.before)
        return int(min(new)[:6]) if new else None

    def is_stopped(self):
        state = runs.read('/proc/%d/stat' % self.process.pid).rsplit(b') ', 1)[-1][:1]
        check(state not in (b'', b'Z'), 'the driver on %s has ended: %s', self.host, self.said())
        return state == b'T'

    def wait_stopped(self):
        runs.wait_until('stopped', self.is_stopped)

    def send(self, number):
        self.process.send_signal(number)

    def end(self):
        return self.process.wait(runs.DEADLINE_S)


def segments(run):
    path = run.path + '/journal'
    return sorted(os.listdir(path)) if os.path.isdir(path) else []


def make_run(build, dir, name, draw, keep=1, **more):
    env = {'LD_PRELOAD': build + '/tests/libstall.so', 'PBT_TEST_LEASE_S': str(LEASE_S),
           'ASAN_OPTIONS': 'verify_asan_link_order=0:' + os.environ.get('ASAN_OPTIONS', ''),
           'TOY_SLEEP_MS': '3', 'TOY_SLOW_SAVE_MS': '5', 'TZ': 'UTC'}
    keys = dict(stop={'training_iteration': ITERATIONS}, resources={'cpu': 2},
                seed=draw.randrange(10 ** 6),
                checkpoint={'num_to_keep': keep, 'at_end': True, 'frequency': 5}, **more)
    run = runs.Run(build, dir, runs.experiment(name, [build + '/tests/bad_toy'], **keys), env)
    run.env['PBT_ACK_LOG'] = run.path + '.acks'
    return run


def pbt(build, *words, status=0):
    done = subprocess.run([os.path.join(build, runs.PBT), *words], capture_output=True,
                          text=True, timeout=runs.DEADLINE_S, check=False)
    check(done.returncode == status, '%s: %d, not %d: %s', words, done.returncode, status,
          done.stdout + done.stderr)
    return done.stdout + done.stderr


def processes_of(run, segment):
    """Of the driver with this segment."""
    mark = ('PBT_RUN_ID=%s#%d' % (os.path.realpath(run.path), segment)).encode()
    return [pid for pid in os.listdir('/proc') if pid.isdigit() and
            mark in runs.environment(pid)]


def counted(run, segment):
    """How many bytes of a segment count, by its successor."""
    after = json.loads(runs.read('%s/journal/%06d.jsonl' % (run.path, segment + 1))
                       .split(b'\n', 1)[0])
    check(after['previous']['segment'] == segment, '%s', after)
    return after['previous']['bytes']


def results_in(run, segment):
    return runs.read('%s/journal/%06d.jsonl' % (run.path, segment)).count(b'"k":"result"')


def check_loser(first, second, segment):
    """It says what has happened, and nothing of it is left."""
    check(first.end() == 75, 'the driver on %s ended with %d: %s', first.host,
          first.process.returncode, first.said())
    expected = (r'error\[E0802\]: \S+/lock: this run was taken over by pid %d on %s while this '
                r"driver stood still, so this one stops" % (second.process.pid, second.host))
    check(re.search(expected, first.said()), '%s', first.said())
    runs.wait_until('gone', lambda: not processes_of(first.run, segment), runs.GONE_S)


def check_whole(run):
    """After the end of the run."""
    build = run.build
    check(pbt(build, 'verify', run.path) != '', 'nothing was verified')
    records = runs.records_of(run.path)
    check([r['n'] for r in records] == list(range(1, len(records) + 1)), 'numbers have gaps')
    last, lives, known = {}, {}, set()
    for record in records:
        if record['k'] in ('start', 'exploit'):
            lives[record['trial']] = record['epoch']
        elif record['k'] == 'result':
            key = (record['trial'], int(record['epoch']), record['seq'])
            check(key not in known, '%s twice', key)
            check(record['epoch'] == lives[record['trial']], 'of an old life: %s', record)
            known.add(key)
            last[record['trial']] = record['it']
    check(set(last.values()) == {ITERATIONS} and len(last) == 4, 'trials end at %s', last)
    acks = 0
    for line in runs.read(run.path + '.acks').decode().splitlines():
        trial, epoch, seq = line.split()
        acks += 1
        check((int(trial.rsplit('_', 1)[1]), int(epoch), int(seq)) in known,
              '%s: acknowledged and not in the journal', line)
    check(acks > 50, 'only %d acknowledgements', acks)
    check_checkpoints(run, records)
    check_files(run)


def check_checkpoints(run, records):
    """Each that the journal has is there, of the life that saved it, and no other is."""
    saved = {}
    for record in records:
        key = tuple(record.get('checkpoint', {}).values())
        if record['k'] == 'saved':
            saved[key] = record['epoch']
        elif record['k'] in ('delete', 'bad'):
            saved.pop(key, None)
    found = {}
    for path in run.trial_dirs():
        for name in os.listdir(path):
            if 'checkpoint_' in name:
                check(re.fullmatch(r'checkpoint_\d{6}', name), '%s/%s is left', path, name)
                manifest = json.loads(runs.read('%s/%s/.pbt_manifest.json' % (path, name)))
                found[int(path.rsplit('_', 1)[1]), int(name[-6:])] = manifest['made_by']['epoch']
    check(saved == found, '%s: checkpoints %s, not %s', run.path, found, saved)


def check_files(run):
    """Those that can be written anew are as if they were."""
    names = [os.path.relpath(os.path.join(top, name), run.path)
             for top, _, files in os.walk(run.path) for name in files
             if name in ('result.json', 'progress.csv', 'params.json') or
             name.startswith('pbt_')]
    check(len(names) >= 12, '%s', names)
    before = {name: runs.read(os.path.join(run.path, name)) for name in names}
    pbt(run.build, 'rebuild', run.path)
    for name in names:
        now = runs.read(os.path.join(run.path, name)).splitlines()
        was = before[name].splitlines()
        check(now == was, '%s/%s is not what its journal says: %d lines, not %d; %s', run.path,
              name, len(was), len(now), [pair for pair in zip(was, now) if pair[0] != pair[1]][:1])


# --- the cases --------------------------------------------------------------------


def stalls(build, dir, what, draw):
    """It is stopped in the middle of a call, and does it when it goes on."""
    # Of what is to stay it would show for ever that it was replaced.
    keep = 1 if what == 'a deletion' else 1000
    run = make_run(build, dir, what.replace(' ', '-'), draw, keep)
    first = Driver(run, 'here', STALLS[what])
    first.wait_stopped()
    segment = first.drives()
    second = Driver(run, 'elsewhere')
    runs.wait_until('taken over', lambda: second.drives() and
                    results_in(run, second.drives()) > 20)
    check('on here; waiting 2 s to see whether it still lives' in second.said(), '%s',
          second.said())
    first.send(signal.SIGCONT)
    check_loser(first, second, segment)
    check(second.end() == 0, 'the driver on %s: %s', second.host, second.said())
    check('W0207' not in first.said(), '%s', first.said())
    size = os.path.getsize('%s/journal/%06d.jsonl' % (run.path, segment))
    beyond = size - counted(run, segment)
    check(beyond > 0 or 'append' not in what, 'nothing was appended')
    check_whole(run)
    return '%s: %d bytes that do not count' % (what, beyond)


def stops_anywhere(build, dir, number, draw):
    """At random moments, and more than once."""
    run = make_run(build, dir, 'anywhere-%d' % number, draw)
    drivers = [Driver(run, 'host-0')]
    for turn in range(1, 3):
        runs.wait_until('begun', lambda d=drivers[-1]: d.drives() and
                        results_in(run, d.drives()) >= draw.randint(1, 30))
        time.sleep(draw.random() * 0.05)
        drivers[-1].send(signal.SIGSTOP)
        drivers[-1].wait_stopped()
        drivers.append(Driver(run, 'host-%d' % turn))
    last = drivers[-1]
    runs.wait_until('taken over', lambda: last.drives() and results_in(run, last.drives()) > 5)
    for driver in drivers[:-1]:
        segment = driver.drives()
        driver.send(signal.SIGCONT)
        check_loser(driver, last, segment)
    check(last.end() == 0, 'the last driver: %s', last.said())
    check_whole(run)
    return 'stopped at random moments: 2 taken over'


def sweeps_late(build, dir, draw):
    """Stopped while it opens, about to remove what had no record then, and has one now."""
    run = make_run(build, dir, 'sweep', draw)
    first = Driver(run, 'here')
    runs.wait_until('saved', lambda: run.begun() and
                    [r for r in runs.records_of(run.path) if r['k'] == 'saved'])
    first.send(signal.SIGKILL)
    first.end()
    run.wait_gone()
    numbers = {}
    for record in runs.records_of(run.path):
        if record['k'] in ('save', 'saved'):
            key = record['checkpoint']
            numbers[key['trial']] = max(numbers.get(key['trial'], 0), key['number'])
    trial = min(numbers)
    path = '%s/checkpoint_%06d' % (run.trial_dir(trial), numbers[trial] + 1)
    os.makedirs(path)
    late = Driver(run, 'here', 'open:%s:1' % os.path.relpath(path, run.path))
    late.wait_stopped()
    segment = late.drives()
    second = Driver(run, 'elsewhere')
    runs.wait_until('saved anew', lambda: os.path.exists(path + '/.pbt_manifest.json'))
    late.send(signal.SIGCONT)
    check_loser(late, second, segment)
    check(second.end() == 0, '%s', second.said())
    check_whole(run)
    return 'a sweep: what has a record now was not removed'


def makes_room(build, dir, draw):
    """A save finds its name taken by what a driver that was taken over has published."""
    run = make_run(build, dir, 'room', draw, failure={'max_failures': 0})
    first = Driver(run, 'here', 'rename:/checkpoint_000002:1')
    first.wait_stopped()
    save = [r for r in runs.records_of(run.path) if r['k'] == 'save' and
            r['checkpoint']['number'] == 2]
    for record in save:
        path = run.trial_dir(record['trial']) + '/checkpoint_000002'
        if not os.path.isdir(path):
            os.makedirs(path)
            with open(path + '/toy.txt', 'w') as file:
                file.write('stale')
    first.send(signal.SIGCONT)
    check(first.end() == 0, '%s', first.said())
    check('warning[W0207]' in first.said(), '%s', first.said())
    check_whole(run)
    return 'a name that was taken: made room'


def check_refusal(first, said):
    check('error[E0801]' in said and 'another pbt is driving this run: pid %d on here' %
          first.process.pid in said, '%s', said)


def is_refused(build, dir, draw):
    """One that lives is left alone, by this host and by another."""
    run = make_run(build, dir, 'alive', draw)
    run.env['TOY_SLEEP_MS'] = '40'
    run.env['PBT_TEST_LEASE_S'] = '20'  # it must not seem dead, however loaded the machine is
    preload = run.env.pop('LD_PRELOAD')  # on one host locks are effective
    first = Driver(run, 'here')
    runs.wait_until('begun', lambda: first.drives() and results_in(run, first.drives()) > 1)
    begin = time.monotonic()
    refused = pbt(build, 'run', run.file, '--dir', run.dir, '-q', status=75)
    spent = time.monotonic() - begin
    check_refusal(first, refused)
    run.env['LD_PRELOAD'] = preload
    other = Driver(run, 'elsewhere')
    check(other.end() == 75, '%s', other.said())
    check_refusal(first, other.said())
    first.send(signal.SIGKILL)
    first.end()
    run.env['TOY_SLEEP_MS'] = '1'
    last = Driver(run, 'here')  # at once: locks or not, its process is gone
    check(last.end() == 0, '%s', last.said())
    check('waiting' not in last.said(), '%s', last.said())
    check_whole(run)
    return 'alive: refused after %.2f s' % spent


def main():
    build = os.path.abspath(sys.argv[1])
    if not can_unshare():
        if os.geteuid() == 0:
            print('FAILED: root may not make a UTS namespace here (leases.py needs it: run '
                  'the tests without `--cap-drop`, or in a user namespace of your own)')
            return 1
        print('skipped: no UTS namespace can be made here')
        return SKIPPED
    seed = int(os.environ.get('PBT_TEST_SEED', time.time_ns() % 10 ** 9))
    print('PBT_TEST_SEED=%d' % seed, flush=True)
    dir = os.path.realpath(tempfile.mkdtemp(prefix='leases.'))
    jobs = [(stalls, what) for what in STALLS]
    jobs += [(stops_anywhere, number) for number in range(ROUNDS)]
    jobs += [(sweeps_late,), (makes_room,), (is_refused,)]
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        asked = [pool.submit(job[0], build, dir, *job[1:], random.Random('%d %s' % (seed, job[1:])))
                 for job in jobs]
        for future, job in zip(asked, jobs):
            try:
                print(future.result(), flush=True)
            except (runs.Failed, subprocess.SubprocessError, OSError) as failure:
                print('FAILED: %s %s: %s\n(the runs are in %s)' % (
                    job[0].__name__, job[1:], failure, dir), flush=True)
                failed += 1
    for process in STARTED:
        if process.poll() is None:
            process.kill()
            process.wait()
    if failed:
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
