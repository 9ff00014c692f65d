"""What a person sees: whole runs on a terminal, which python3-pyte plays.

    test_screens.py BUILD_DIR

Screens are compared with tests/screens/run_*.txt once what differs from run to run (times,
processes, memory) is masked.  PBT_UPDATE_GOLDEN=1 writes them: look at them before you
commit.
"""
import difflib
import fcntl
import json
import os
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

import pyte

import runs

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else 'build')
PBT = os.path.join(BUILD, 'pbt')
UPDATE = 'PBT_UPDATE_GOLDEN' in os.environ
DEADLINE_S = 120
WRAPS = 7 << 5  # DECAWM, as pyte has it
SHOWS_CURSOR = 25 << 5

# tests/client.py, but that it waits at an iteration until there is a file.
GATED = '''
import sys
text = open(CLIENT).read()
step = "    if running:\\n        model['score']"
assert step in text
text = text.replace(step, "    while iteration >= AT and not os.path.exists(GATE):\\n"
                          "        if select.select([pbt], [], [], 0.01)[0]: break\\n"
                          "    running = running and (iteration < AT or\\n"
                          "                           os.path.exists(GATE))\\n" + step)
exec(compile(text, CLIENT, 'exec'))
'''

MASKS = [
    (r'Current time: .*', 'Current time: ~'),
    (r'Memory usage on this node: .*', 'Memory usage on this node: ~'),
    (r'about \w+ left', 'about ~ left'),
    (r'(results: |next: pbt \w+ |Result logdir: ).*/runs/', r'\1~/runs/'),
]


class Terminal:
    """A terminal of a size with one command on it."""

    def __init__(self, case, args, columns, rows, env=None):
        self.screen = pyte.HistoryScreen(columns, rows, history=1000)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b''
        self.master, self.slave = os.openpty()
        self.size(columns, rows)
        # At ^C a terminal throws away what it was given and has not shown yet; a test wants it.
        modes = termios.tcgetattr(self.slave)
        modes[3] |= termios.NOFLSH
        termios.tcsetattr(self.slave, termios.TCSANOW, modes)
        self.before = termios.tcgetattr(self.slave)
        clean = {name: value for name, value in os.environ.items() if name not in
                 ('NO_COLOR', 'CLICOLOR_FORCE', 'COLUMNS', 'LINES', 'LC_CTYPE')}
        self.process = subprocess.Popen(
            [PBT, *args], cwd=case.dir, stdin=self.slave, stdout=self.slave,
            stderr=self.slave, preexec_fn=self.take,
            env={**clean, 'TERM': 'xterm', 'LC_ALL': 'C.UTF-8', **(env or {})})
        case.addCleanup(self.close)

    def take(self):
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def size(self, columns, rows):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack('4H', rows, columns, 0, 0))

    def resize(self, columns, rows):
        self.screen.resize(rows, columns)
        self.size(columns, rows)

    def read(self, seconds):
        while select.select([self.master], [], [], seconds)[0]:
            got = os.read(self.master, 65536)
            self.raw += got
            self.stream.feed(got)
            seconds = 0

    def text(self):
        """The screen, without what is empty below and at the right."""
        return '\n'.join(line.rstrip() for line in self.screen.display).rstrip('\n') + '\n'

    def scrolled(self):
        """What has gone out of the top."""
        return '\n'.join(''.join(line[i].data for i in range(self.screen.columns)).rstrip()
                         for line in self.screen.history.top)

    def until(self, what, condition):
        end = time.monotonic() + DEADLINE_S
        while not condition(self.text()):
            if time.monotonic() > end:
                raise AssertionError('not %s:\n%s' % (what, self.text()))
            self.read(0.05)

    def wait(self):
        """The exit status, with all that was written taken in."""
        end = time.monotonic() + DEADLINE_S
        while self.process.poll() is None:
            if time.monotonic() > end:
                raise AssertionError('it does not end:\n' + self.text())
            self.read(0.05)
        self.read(0)
        return self.process.returncode

    def type(self, keys):
        os.write(self.master, keys)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
        os.close(self.slave)


def mask(text):
    """The same text for any run: columns of times and processes keep their titles only."""
    for pattern, by in MASKS:
        text = re.sub(pattern, by, text)
    lines = text.split('\n')
    hidden = []
    for i, line in enumerate(lines):
        if line[:1] not in ('|', '+'):
            hidden = []
            continue
        rule = '-' in line and set(line) <= set('+-|')
        cells = line[1:-1].split('+' if rule else '|')
        if not rule and any(cell.strip() == 'Trial name' for cell in cells):
            hidden = [n for n, cell in enumerate(cells) if cell.strip() in
                      ('loc', 'total time (s)')]
            for n in hidden:
                cells[n] = ' %s ' % cells[n].strip()
        elif rule and not hidden and i + 1 < len(lines):
            titles = [cell.strip() for cell in lines[i + 1][1:-1].split('|')]
            for n, title in enumerate(titles):
                if title in ('loc', 'total time (s)') and n < len(cells):
                    cells[n] = '-' * (len(title) + 2)
        else:
            for n in hidden:
                title = {0: 'loc', 1: 'total time (s)'}[hidden.index(n)]
                if len(hidden) == 1:
                    title = 'total time (s)'
                cells[n] = '-' * (len(title) + 2) if rule else ' ~'.ljust(len(title) + 2)
        lines[i] = line[0] + ('+' if rule else '|').join(cells) + line[-1]
    return '\n'.join(lines)


class Case(unittest.TestCase):
    maxDiff = None

    def setUp(self):
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix='test_screens.'))
        self.addCleanup(shutil.rmtree, self.dir)

    def experiment(self, at=4, trials=4, **keys):
        """Every trial runs, and stops after `at` iterations until open()."""
        self.gate = self.dir + '/gate'
        worker = self.dir + '/worker.py'
        with open(worker, 'w') as file:
            file.write('CLIENT = %r\nAT = %d\nGATE = %r\n' % (
                HERE + '/client.py', at, self.gate) + GATED)
        keys = runs.experiment('exp', [sys.executable, worker], num_samples=trials,
                               resources={'cpu': trials},
                               stop={'training_iteration': 12}, **keys)
        keys['env'] = {'PYTHONDONTWRITEBYTECODE': '1'}
        with open(self.dir + '/exp.json', 'w') as file:
            json.dump(keys, file)
        return 'exp.json'

    def open(self):
        with open(self.gate, 'w'):
            pass

    def expect_screen(self, terminal, name):
        """The screen becomes the golden one."""
        path = '%s/screens/run_%s.txt' % (HERE, name)
        if UPDATE:
            terminal.until('steady', lambda text: not terminal.read(1.5))
            with open(path, 'w', encoding='utf-8') as file:
                file.write(mask(terminal.text()))
        with open(path, encoding='utf-8') as file:
            golden = file.read()
        try:
            terminal.until(name, lambda text: mask(text) == golden)
        except AssertionError:
            self.fail('run_%s.txt:\n%s' % (name, '\n'.join(difflib.unified_diff(
                golden.split('\n'), mask(terminal.text()).split('\n'), 'golden', 'screen',
                lineterm=''))))
        self.expect_sane(terminal)

    def expect_sane(self, terminal):
        """One table, in one piece."""
        lines = terminal.text().split('\n')
        self.assertLessEqual(lines.count('== Status =='), 1, terminal.text())
        table = [line for line in lines if line[:1] in ('|', '+')]
        if not any('failures' in line for line in table):
            self.assertEqual(len({len(line) for line in table} - {0}), 1 if table else 0,
                             terminal.text())

    def expect_restored(self, terminal):
        self.assertEqual(termios.tcgetattr(terminal.slave), terminal.before)
        self.assertIn(WRAPS, terminal.screen.mode)
        self.assertIn(SHOWS_CURSOR, terminal.screen.mode)
        # The terminal echoes ^C when it likes: maybe after what the signal led to.
        last = terminal.screen.display[terminal.screen.cursor.y].rstrip()
        self.assertIn((terminal.screen.cursor.x, last), ((0, ''), (2, '^C')))
        attributes = terminal.screen.cursor.attrs
        self.assertEqual((attributes.fg, attributes.bold), ('default', False))

    def iterations(self, wanted, rows=4):
        """True once the table has so many rows at this iteration."""
        return lambda text: len(re.findall(r'RUNNING .*\| +%d \|' % wanted, text)) >= rows


class InPlace(Case):
    def test_all_sizes_of_a_run(self):
        """From its first table over two new sizes to its end."""
        terminal = Terminal(self, ['run', self.experiment()], 250, 40)
        terminal.until('at the gate', self.iterations(4))
        self.expect_screen(terminal, '250x40')
        terminal.resize(60, 24)
        self.expect_screen(terminal, '60x24')
        terminal.resize(80, 12)
        self.expect_screen(terminal, '80x12')
        terminal.resize(250, 40)
        self.expect_screen(terminal, '250x40')
        self.assertNotIn('+--', terminal.scrolled())
        self.open()
        self.assertEqual(terminal.wait(), 0)
        self.assertEqual(terminal.text().count('== Status =='), 1)
        self.assertRegex(terminal.text(), r'4 TERMINATED[^$]*best result: score = ')
        self.assertRegex(terminal.text().rstrip().split('\n')[-1], '^next: pbt best ')
        self.expect_restored(terminal)

    def test_more_trials_than_lines(self):
        """Nothing goes out of the top, however often it is drawn."""
        file = self.experiment(trials=30, scheduler={'type': 'fifo'}, max_concurrent=30)
        terminal = Terminal(self, ['run', file], 80, 20)
        terminal.until('at the gate', lambda text: re.search(r'more trials not shown \(\d+ '
                                                             r'RUNNING\)', text) and
                       self.iterations(4, 3)(text))
        drawn = terminal.raw.count(b'== Status ==')
        terminal.until('drawn again', lambda text:
                       terminal.raw.count(b'== Status ==') >= drawn + 3)
        self.assertNotIn('== Status ==', terminal.scrolled())
        self.expect_sane(terminal)
        self.open()
        self.assertEqual(terminal.wait(), 0)
        self.assertEqual((terminal.scrolled() + terminal.text()).count('== Status =='), 1)
        self.expect_restored(terminal)

    def test_enter(self):
        """What it moves the cursor by can't be told: no table is torn, here or in the history."""
        terminal = Terminal(self, ['run', self.experiment()], 120, 30)
        terminal.until('at the gate', self.iterations(4))
        for tables in (2, 3):
            terminal.type(b'\r' if tables == 2 else b'ls\r\r')
            terminal.until('drawn below', lambda text: (terminal.scrolled() + text).count(
                '== Status ==') >= tables and text.rstrip().endswith('+'))
        terminal.type(b'not yet')  # no line: drawn in place
        drawn = terminal.raw.count(b'== Status ==')
        terminal.until('drawn again', lambda text:
                       terminal.raw.count(b'== Status ==') >= drawn + 2)
        self.open()
        self.assertEqual(terminal.wait(), 0)
        blocks = (terminal.scrolled() + '\n' + terminal.text()).split('== Status ==')[1:]
        self.assertEqual(len(blocks), 3, blocks)
        for block in blocks:
            table = [line for line in block.split('\n') if line[:1] in ('|', '+')]
            self.assertEqual(len(table), 8, block)
            self.assertEqual(len({len(line) for line in table}), 1, block)
        # What was typed is for whom the terminal belongs to next.
        self.assertEqual(os.read(terminal.slave, 100), b'\n')

    def test_continued_after_a_stop(self):
        """What the shell has written in between stays."""
        terminal = Terminal(self, ['run', self.experiment()], 120, 60)
        terminal.until('at the gate', self.iterations(4))
        terminal.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, terminal.process.pid, os.WSTOPPED | os.WNOWAIT)
        terminal.read(0)
        os.write(terminal.slave, b'[1]+  Stopped\n$ fg\n')
        terminal.process.send_signal(signal.SIGCONT)
        terminal.until('drawn below', lambda text: re.search(
            r'(?s)Stopped\n\$ fg\n== Status ==.*\+\n', text))
        self.assertEqual(terminal.text().count('== Status =='), 2)
        self.open()
        self.assertEqual(terminal.wait(), 0)
        self.assertIn('[1]+  Stopped\n$ fg\n== Status ==', terminal.text())
        self.expect_restored(terminal)


class Ends(Case):
    def started(self):
        terminal = Terminal(self, ['run', self.experiment()], 120, 40)
        terminal.until('at the gate', self.iterations(4))
        return terminal

    def test_ctrl_c(self):
        terminal = self.started()
        terminal.type(b'\x03')
        terminal.until('stopping', lambda text: 'stopping' in text)
        self.expect_sane(terminal)
        self.open()
        self.assertEqual(terminal.wait(), 130)
        self.assertEqual(terminal.text().count('== Status =='), 1, terminal.text())
        self.assertIn('next: pbt resume', terminal.text())
        self.expect_restored(terminal)

    def test_ctrl_c_twice(self):
        terminal = self.started()
        terminal.type(b'\x03')
        terminal.until('stopping', lambda text: re.search('stopping[^$]*== Status ==', text))
        terminal.type(b'\x03')
        self.assertEqual(terminal.wait(), 130)
        # (The first one may have been enough by then.)
        self.assertRegex(terminal.text(), r'\+-+\+\n(\^C)?\n?(killed; |best result)')
        self.assertRegex(terminal.text(), r'pbt resume runs/exp\n')
        self.expect_restored(terminal)
        # The table is never away: the very one that stood there comes back below the message.
        before, after = terminal.raw.split(b'stopping, saving', 1)
        times = [re.findall(rb'running for ([0-9:.]*)', part) for part in (before, after)]
        self.assertEqual(times[0][-1], times[1][0])

    def test_terminated(self):
        terminal = self.started()
        terminal.process.send_signal(signal.SIGTERM)
        self.open()
        self.assertEqual(terminal.wait(), 143)
        self.expect_restored(terminal)

    def test_killed(self):
        """Nothing of it is left behind: no mode is ever on between two draws."""
        terminal = self.started()
        terminal.process.kill()
        self.assertEqual(terminal.wait(), -signal.SIGKILL)
        self.expect_restored(terminal)


RENDITION = re.compile(rb'\x1b\[[0-9;]*m')


class Colours(Case):
    def finished(self, *args, tty=True, **env):
        """What is written by a run from its start to its end."""
        file = self.experiment(at=99)
        shutil.rmtree(self.dir + '/runs', ignore_errors=True)
        if tty:
            terminal = Terminal(self, ['run', file, *args], 120, 40, env)
            self.assertEqual(terminal.wait(), 0, terminal.text())
            self.expect_restored(terminal)
            return terminal.raw
        clean = {name: value for name, value in os.environ.items() if name not in
                 ('NO_COLOR', 'CLICOLOR_FORCE', 'COLUMNS', 'LINES')}
        done = subprocess.run([PBT, 'run', file, *args], cwd=self.dir, env={**clean, **env},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_who_wants_them(self):
        for tty, args, env, wanted in (
                (True, [], {}, True),
                (True, [], {'NO_COLOR': '1'}, False),
                (True, [], {'NO_COLOR': ''}, True),
                (True, [], {'NO_COLOR': '1', 'CLICOLOR_FORCE': '1'}, False),
                (True, ['--color=never'], {}, False),
                (True, ['--color=always'], {'NO_COLOR': '1'}, True),
                (False, [], {}, False),
                (False, [], {'CLICOLOR_FORCE': '0'}, False),
                (False, [], {'CLICOLOR_FORCE': '1'}, True),
                (False, ['--color=always'], {}, True)):
            with self.subTest(tty=tty, args=args, env=env):
                raw = self.finished(*args, tty=tty, **env)
                self.assertEqual(RENDITION.search(raw) is not None, wanted)

    def test_messages(self):
        """On a terminal the heads of messages and what points to their places have colours."""
        file = self.experiment()
        for args, env, wanted in (([], {}, True), ([], {'NO_COLOR': '1'}, False),
                                  ([], {'TERM': 'dumb'}, False), (['--color=never'], {}, False)):
            with self.subTest(args=args, env=env):
                terminal = Terminal(self, ['run', file, 'grace=x\x1bm', *args], 100, 30, env)
                self.assertEqual(terminal.wait(), 78)
                found = RENDITION.findall(terminal.raw)
                self.assertEqual(found, [b'\x1b[1;31m', b'\x1b[0m'] * 2 if wanted else [])
                self.assertRegex(terminal.text(), r'\^+ this is the string `x\?m`\n')

    def test_a_dumb_terminal_and_a_file_are_written_line_by_line(self):
        for raw in (self.finished(TERM='dumb'), self.finished(tty=False)):
            self.assertNotIn(b'\x1b', raw)
            self.assertIn(raw.count(b'== Status =='), (1, 2))

    def test_ascii_where_the_locale_is(self):
        with_accent = ['env.LC_X=é', 'config.état=été', 'config.naïf={uniform: [0, 1]}']
        self.assertIn('naïf'.encode(), self.finished(*with_accent))
        raw = self.finished(*with_accent, LC_ALL='C')
        self.assertEqual([c for c in raw if c >= 0x80], [])
        self.assertIn(b'na?f', raw)
        # A file gets what is meant: no terminal is there to be confused.
        self.assertIn('naïf'.encode(), self.finished(*with_accent, tty=False, LC_ALL='C'))


if __name__ == '__main__':
    unittest.main()
