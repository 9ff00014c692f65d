"""What tests of whole runs share: starting pbt, finding the processes of a run, and
reading a journal without any code of pbt's.
"""
import json
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

DEADLINE_S = 300
SCALE = float(os.environ.get('PBT_TEST_SCALE', '1'))  # below 1: slow builds
GONE_S = 2  # by then every process of a killed driver has ended
PBT = 'pbt'


class Failed(Exception):
    """A proof does not hold."""


def check(good, text, *values):
    if not good:
        raise Failed(text % values if values else text)


def wait_until(what, condition, seconds=DEADLINE_S):
    """Polls; returns what the condition returned, and how long it took."""
    begin = time.monotonic()
    while True:
        found = condition()
        spent = time.monotonic() - begin
        if found:
            return found, spent
        check(spent < seconds, 'after %.1f s: still not %s', spent, what)
        time.sleep(0.002)


def write_mnist(path, train=1100, test=400):
    """Pictures in MNIST's format that can be learnt: a bright block for each digit."""
    os.makedirs(path)
    draw = random.Random(1)
    for name, count in (('train', train), ('t10k', test)):
        labels = bytes(i % 10 for i in range(count))
        images = bytearray(draw.randbytes(784 * count).translate(
            bytes(i // 4 for i in range(256))))
        for i, label in enumerate(labels):
            corner = i * 784 + 28 * (4 + 10 * (label // 5)) + 5 * (label % 5)
            for row in range(8):
                images[corner + 28 * row:corner + 28 * row + 5] = b'\xff' * 5
        with open('%s/%s-images-idx3-ubyte' % (path, name), 'wb') as file:
            file.write(struct.pack('>4I', 0x803, count, 28, 28) + images)
        with open('%s/%s-labels-idx1-ubyte' % (path, name), 'wb') as file:
            file.write(struct.pack('>2I', 0x801, count) + labels)


def experiment(name, command, **keys):
    """The keys of an experiment file, on top of what most tests want."""
    return {'name': name, 'command': command, 'num_samples': 4,
            'metric': 'score', 'mode': 'max', 'seed': 1,
            'stop': {'training_iteration': 20},
            'config': {'lr': {'loguniform': [0.0001, 0.02]}},
            'scheduler': {'type': 'pbt', 'perturbation_interval': 5,
                          'hyperparam_mutations': {
                              'lr': {'loguniform': [0.0001, 0.02]}}},
            'checkpoint': {'num_to_keep': 2, 'at_end': True}, **keys}


def run_cases(cases):
    """Of a test with BUILD_DIR [CASE ...] behind it: each case in a directory of its own."""
    build = os.path.abspath(sys.argv[1])
    name = os.path.splitext(os.path.basename(sys.argv[0]))[0]
    dir = tempfile.mkdtemp(prefix=name + '.')
    try:
        for case in cases:
            if not sys.argv[2:] or case.__name__ in sys.argv[2:]:
                case(build, os.path.join(dir, case.__name__))
                print('%s: ok' % case.__name__, flush=True)
    finally:
        shutil.rmtree(dir, ignore_errors=True)


def finished(build, dir, keys, env=None, status=0):
    """A run that has come to its end, which had to be `status`, with nothing left behind."""
    run = Run(build, dir, keys, env)
    run.start()
    got = run.finish()
    check(got == status, '%s: exit status %d, not %d:\n%s', run.path, got, status,
          run.said()[-3000:])
    run.wait_gone()
    return run


class Run:
    """A run in <dir>/<name>, and the pbt processes that carry it on."""

    def __init__(self, build, dir, keys, env=None):
        self.build = build
        self.dir = dir
        self.path = os.path.join(dir, keys['name'])
        self.file = self.path + '.json'
        self.log = self.path + '.log'
        # Every resume of a test begins from a snapshot, if there is time for one.
        self.env = dict({'PBT_SNAPSHOT_EVERY': '50'}, **os.environ)
        self.env.update(env or {})
        self.process = None
        self.group = None  # of control; see memory_group()
        os.makedirs(dir, exist_ok=True)
        with open(self.file, 'w') as file:
            json.dump(keys, file)

    def begun(self):
        return os.path.exists(self.path + '/journal/000001.jsonl')

    def start(self, *words):
        """pbt run, or pbt resume if there is something to resume."""
        pbt = os.path.join(self.build, PBT)
        command = ([pbt, 'resume', self.path] if self.begun() else
                   [pbt, 'run', self.file, '--dir', self.dir]) + list(words)
        with open(self.log, 'ab') as log:
            self.process = subprocess.Popen(
                command, env=self.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                preexec_fn=self.group and (lambda: write(self.group + '/cgroup.procs', '0')))

    def ended(self):
        return self.process.poll() is not None

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def finish(self, seconds=DEADLINE_S):
        """Waits for the end of pbt; returns its exit status."""
        try:
            status = self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed('%s: pbt did not end within %d s' % (
                self.path, seconds)) from None
        if self.begun():
            self.check_snapshots()
        return status

    def check_snapshots(self):
        """Each is the fold of the journal up to its record; returns how many."""
        found = subprocess.run([self.build + '/tests/same_state', self.path],
                               capture_output=True, timeout=DEADLINE_S,
                               check=False)
        check(found.returncode == 0, 'same_state: %s%s', found.stdout,
              found.stderr)
        return int(found.stdout)

    def said(self):
        with open(self.log) as log:
            return log.read()

    def processes(self):
        """The pids of workers, shims and whatever they have started."""
        mark = b'PBT_RUN_ID=' + os.path.realpath(self.path).encode() + b'#'
        return [pid for pid in os.listdir('/proc') if pid.isdigit() and
                any(text.startswith(mark) for text in environment(pid))]

    def wait_gone(self):
        """The seconds until the last process has ended."""
        try:
            return wait_until('gone', lambda: not self.processes(), GONE_S)[1]
        except Failed as late:
            left = [(pid, read('/proc/%s/cmdline' % pid))
                    for pid in self.processes()]
            if not left:
                return GONE_S
            raise Failed('%s: %s' % (late, left)) from None

    def trial_dirs(self):
        return sorted(entry.path for entry in os.scandir(self.path)
                      if entry.is_dir() and '_' in entry.name)

    def trial_dir(self, trial):
        found = [path for path in self.trial_dirs()
                 if int(path.rsplit('_', 1)[1]) == trial]
        check(len(found) == 1, '%d directories of trial %d', len(found), trial)
        return found[0]

    def checkpoint_dir(self, checkpoint):
        return '%s/checkpoint_%06d' % (self.trial_dir(checkpoint['trial']),
                                       checkpoint['number'])

    def owed(self):
        """What the journal says is to be done: see owed_of.c."""
        found = subprocess.run([self.build + '/tests/owed_of', self.path],
                               capture_output=True, timeout=DEADLINE_S,
                               check=False)
        check(found.returncode == 0, 'owed_of: %s', found.stderr)
        return json.loads(found.stdout)


def read(path):
    """b'' for what is gone."""
    try:
        with open(path, 'rb') as file:
            return file.read()
    except OSError:
        return b''


def write(path, text):
    with open(path, 'w') as file:
        file.write(text)


def memory_group(name, limit):
    """A control group with so many bytes of memory and no swap; None where we may make none."""
    for top, files in (('/sys/fs/cgroup', ('memory.max', 'memory.swap.max')),
                       ('/sys/fs/cgroup/memory', ('memory.limit_in_bytes',
                                                  'memory.memsw.limit_in_bytes'))):
        path = '%s/%s.%d' % (top, name, os.getpid())
        try:
            os.mkdir(path)
        except OSError:
            continue
        there = [name for name in files if os.path.exists('%s/%s' % (path, name))]
        try:
            for name in there:
                write('%s/%s' % (path, name), '0' if 'swap' in name else str(limit))
        except OSError:
            there = []
        if files[0] in there:  # elsewhere it is a plain directory, or has no memory
            return path
        os.rmdir(path)
    return None


def environment(pid):
    return read('/proc/%s/environ' % pid).split(b'\0')


# --- the journal, by src/journal/journal.h alone ------------------------------


def header_of(content, number):
    """(bytes of the header, the segment before, bytes of that which count); None: torn."""
    end = content.find(b'\n') + 1
    if end == 0:
        return None
    header = json.loads(content[:end])
    previous = header['previous']
    check(header['journal'] == 1 and header['segment'] == number and
          previous['segment'] < number,
          'segment %d begins with %s', number, header)
    return end, previous['segment'], previous['bytes']


def batches(content, start, end, whole):
    """The lines of a segment's records; `whole`: nothing torn is allowed at the end."""
    lines, batch, size = [], [], 0
    for line in content[start:end].splitlines(keepends=True):
        if line.startswith(b'{"batch":') and line.endswith(b'\n'):
            closing = json.loads(line)
            check((closing['batch'], closing['bytes']) == (len(batch), size),
                  'a batch of %d lines, %d bytes ends with %s', len(batch),
                  size, closing)
            lines += batch
            batch, size = [], 0
        else:
            batch.append(line)
            size += len(line)
    check(not (whole and batch), 'a torn batch counts: %s', batch)
    return lines


def read_journal(path):
    """The lines of all records that count, in order: from the last header backwards."""
    names = sorted(os.listdir(path + '/journal'))
    check(names == ['%06d.jsonl' % (i + 1) for i in range(len(names))],
          'journal: %s', names)
    number, limit = len(names), None  # None: the last one, to its last batch
    parts = []
    while number > 0:
        content = read('%s/journal/%06d.jsonl' % (path, number))
        header = header_of(content, number)
        if header is None:
            check(limit is None, 'segment %d is torn and counts', number)
            number -= 1  # its driver wrote nothing
            continue
        end = len(content) if limit is None else limit
        check(end <= len(content), 'segment %d is too short', number)
        parts.append(batches(content, header[0], end, limit is not None))
        number, limit = header[1:]
    return [line for part in reversed(parts) for line in part]


def records_of(path):
    return [json.loads(line) for line in read_journal(path)]
