"""Asking a run at work: pbt stop, pause, resume, the control socket, and Ctrl-C.

    control.py BUILD_DIR [CASE ...]

Every case starts real runs.  What is waited for is in the journal or on the screen; no
case depends on how long anything takes.
"""
import json
import os
import pty
import re
import signal
import socket
import subprocess
import termios
import time
import fcntl

import runs
from runs import check

LONG = 1000000  # iterations: no run here ends by itself


def keys(build, name, **more):
    """Two trials, two slots, far apart points: what a request does is all that happens."""
    known = {'num_samples': 2, 'resources': {'cpu': 2},
             'stop': {'training_iteration': LONG}}
    made = runs.experiment(name, [build + '/tests/bad_toy'], **{**known, **more})
    made['scheduler']['perturbation_interval'] = made.pop('interval', LONG)
    return made


class Case:
    def __init__(self, build, dir, name, env=None, **more):
        self.build, self.name, self.screen = build, name, None
        self.run = runs.Run(build, dir, keys(build, name, **more),
                            {'TOY_SLEEP_MS': '5', **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.run.process is not None and not self.run.ended():
            self.run.kill()

    def said(self):
        screen = self.screen.read() if self.screen is not None else ''
        return screen + (self.run.said() if os.path.exists(self.run.log) else '')

    def begin(self):
        self.run.start()
        self.wait_trains(0)
        self.wait_trains(1)

    def records(self, kind, trial=None):
        return [r for r in runs.records_of(self.run.path) if r['k'] == kind and
                trial in (None, r.get('trial'))]

    def wait(self, what, condition):
        def holds():
            check(not self.run.ended(), 'the run has ended: %s', self.said())
            return self.run.begun() and condition()
        runs.wait_until(what, holds, runs.DEADLINE_S)

    def wait_trains(self, trial, more=1):
        before = len(self.records('result', trial)) if self.run.begun() else 0
        self.wait('trial %d trains' % trial, lambda: len(
            self.records('result', trial)) >= before + more)

    def wait_left(self, trial, why):
        self.wait('trial %d leaves' % trial, lambda: [
            r for r in self.records('exited', trial) if r['leave'] == why])

    def pbt(self, *words, status=0):
        """stdout and stderr of `pbt WORDS`, whose RUN is this run."""
        found = subprocess.run(
            [self.build + '/pbt'] + [self.run.path if w == 'RUN' else w for w in words],
            capture_output=True, text=True, stdin=subprocess.DEVNULL,
            timeout=runs.DEADLINE_S, check=False)
        text = found.stdout + found.stderr
        check(found.returncode == status, 'pbt %s: exit status %d: %s',
              ' '.join(words), found.returncode, text)
        return text

    def says(self, pattern, *words, status=0):
        text = self.pbt(*words, status=status)
        check(re.search(pattern, text), 'pbt %s: no %s in: %s', ' '.join(words),
              pattern, text)

    def id(self, trial):
        return os.path.basename(self.run.trial_dir(trial))


# --- the verbs -----------------------------------------------------------------


def pause_one(build, dir):
    """It saves and goes; the other takes its slot; another driver leaves it paused."""
    with Case(build, dir, 'pause_one', num_samples=3) as case:
        case.begin()
        name = case.id(0)
        case.says('trial %s pauses as soon as' % name, 'pause', 'RUN', '0')
        case.wait_left(0, 'pause')
        saved = case.records('saved', 0)
        check(len(saved) == 1, 'saved: %s', saved)
        case.wait_trains(2)
        case.says('trial %s was paused before' % name, 'pause', 'RUN', name)
        case.says('Paused on request: 1', 'status', 'RUN')
        case.says(r'stopping, saving \d trials\nstopped\nnext: pbt resume', 'stop', 'RUN')
        check(case.run.finish() == 130, 'exit status: %s', case.run.said())
        # The same experiment taken up by pbt run: what is paused stays so.
        with open(case.run.log, 'ab') as log:
            case.run.process = subprocess.Popen(
                [build + '/pbt', 'run', case.run.file, '--dir', dir],
                env=case.run.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        case.wait_trains(1)
        case.wait_trains(2)
        check(len(case.records('start', 0)) == 1, 'a paused trial was started')
        case.says('trial %s goes on' % name, 'resume', 'RUN', name)
        case.says('trial %s ends for good' % case.id(1), 'stop', 'RUN', '1')
        case.wait_left(1, 'terminate')
        case.wait_trains(0)
        again = case.records('start', 0)[-1]
        check(again['it'] == saved[0]['it'], 'goes on from %s, not %s', again, saved)
        case.says('trial %s is finished' % case.id(1), 'stop', 'RUN', '1')
        case.says('trial %s is finished' % case.id(1), 'pause', 'RUN', '1')
        case.says('has no trial `7`', 'pause', 'RUN', '7', status=66)
        case.says('has no trial `x`', 'pause', 'RUN', 'x', status=66)
        case.pbt('stop', 'RUN')


def cpu_ticks(pid):
    fields = runs.read('/proc/%d/stat' % pid).rsplit(b')', 1)[1].split()
    return int(fields[11]) + int(fields[12])


def pause_all(build, dir):
    """The driver stays and waits, without work; it can be stopped, and resumed."""
    with Case(build, dir, 'pause_all') as case:
        case.begin()
        case.says('2 trials pause', 'pause', 'RUN')
        runs.wait_until('all are paused', lambda: 'waiting for pbt resume' in
                        case.run.said(), runs.DEADLINE_S)
        check(not case.run.processes(), 'paused, and processes are left')
        before, records = cpu_ticks(case.run.process.pid), len(
            runs.records_of(case.run.path))
        time.sleep(1)  # not waited for: the time in which it is to do nothing
        used = cpu_ticks(case.run.process.pid) - before
        check(used < 0.3 * os.sysconf('SC_CLK_TCK'), 'idle, and %d ticks', used)
        after = len(runs.records_of(case.run.path))
        check(after - records <= 4, 'idle, and %d new records', after - records)
        case.says('2 trials go on', 'resume', 'RUN')
        case.wait_trains(0)
        case.wait_trains(1)
        case.says('nothing was paused', 'resume', 'RUN')
        case.pbt('pause', 'RUN')
        case.says('stopped', 'stop', 'RUN')
        check(case.run.finish() == 130, 'exit status')
        # With no driver at work.
        case.says('no driver is at work on .*: there is nothing to stop', 'stop', 'RUN')
        case.says('no driver is at work on', 'stop', 'RUN', '0', status=75)
        case.says('no driver is at work on', 'pause', 'RUN', status=75)
        # pbt resume RUN lets all go on that was paused.
        case.begin()
        case.pbt('stop', 'RUN', '0')
        case.pbt('stop', 'RUN', '1')
        check(case.run.finish() == 0, 'all were stopped: %s', case.run.said())
        case.says('is finished: there is nothing to pause', 'pause', 'RUN', '0')
        case.says('is finished: there is nothing to stop', 'stop', 'RUN')
        case.says('is finished', 'resume', 'RUN', '0')


def resume_one(build, dir):
    """pbt resume RUN TRIAL starts a driver, and lets that one go on alone."""
    with Case(build, dir, 'resume_one') as case:
        case.begin()
        case.pbt('pause', 'RUN')
        case.wait_left(0, 'pause')
        case.wait_left(1, 'pause')
        case.run.kill()  # a pause outlives this, too
        with open(case.run.log, 'ab') as log:
            case.run.process = subprocess.Popen(
                [build + '/pbt', 'resume', case.run.path, case.id(1)],
                env=case.run.env, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
        case.wait_trains(1)
        check(len(case.records('start', 0)) == 1, 'the other one was started')
        case.pbt('stop', 'RUN')


def mid_grant(build, dir):
    """A grant of a million steps is halted; a step that takes for ever is waited for."""
    with Case(build, dir, 'mid_grant', env={'TOY_SLEEP_MS': '600000'}) as case:
        case.run.start()
        case.wait('it is ready', lambda: len(case.records('ready')) == 2)
        case.says('pauses as soon as', 'pause', 'RUN', '0')
        case.says('ends for good after the step', 'stop', 'RUN', '1')
        check(not case.records('exited'), 'a step was not waited for')
        check([r['request'] for r in case.records('request')] == ['pause', 'stop'],
              'requests: %s', case.records('request'))


def grace_after_a_pause(build, dir):
    """Ctrl-C doesn't wait longer for a step because a pause has waited for it before."""
    with Case(build, dir, 'grace', env={'TOY_SLEEP_MS': '600000'}, grace=1) as case:
        case.run.start()
        case.wait('it is ready', lambda: len(case.records('ready')) == 2)
        case.pbt('pause', 'RUN', '0')
        case.run.process.send_signal(signal.SIGINT)
        check(case.run.finish() == 130, 'exit status')
        left = {r['trial']: r['leave'] for r in case.records('exited')}
        check(left == {0: 'pause', 1: 'pause'}, 'exits: %s', left)


def a_warning(build, dir):
    """A batch system warns: what can be saved in time is, and what goes back is said."""
    env = {'TOY_HANG': '1:8', 'TOY_SLEEP_MS': '5'}
    with Case(build, dir, 'warning', env=env, interval=5, grace=1) as case:
        case.run.start()
        # The second trial has a checkpoint of iteration 5, and is stuck in its eighth step.
        case.wait('it hangs', lambda: [r for r in case.records('result', 1) if r['it'] == 7])
        case.wait('the other one is further', lambda: case.records('result', 0)[-1]['it'] > 7)
        case.run.process.send_signal(signal.SIGTERM)
        check(case.run.finish() == 143, 'exit status')
        said = case.run.said()
        check('stopping, saving 2 trials' in said and 'terminated: the run can be resumed' in said
              and re.search(r'warning\[W0308\]: trial \w+_00001 is stopped in the middle of a '
                            r'step, after iteration 7: it did not end within 1 s \(grace\)\n'
                            r'  = it will go on from iteration 5\n', said), '%s', said)
        check(said.count('W0308') == 1, '%s', said)
        case.run.wait_gone()
        last = case.records('result', 0)[-1]['it']
        del case.run.env['TOY_HANG']
        case.run.start()
        case.wait('both go on', lambda: all(case.records('result', trial)[-1]['it'] > 12
                                            for trial in (0, 1)))
        starts = {r['trial']: r['it'] for r in case.records('start')}
        check(starts == {0: last, 1: 5}, 'they start from %s', starts)
        case.pbt('stop', 'RUN')


def a_driver_that_stops(build, dir):
    """It can't be resumed before it has stopped; pbt stop waits for that."""
    with Case(build, dir, 'stops', env={'TOY_SLOW_SAVE_MS': '600000'}) as case:
        case.begin()
        with subprocess.Popen([build + '/pbt', 'stop', case.run.path],
                              stdout=subprocess.PIPE, text=True) as stop:
            check(stop.stdout.readline() == 'stopping, saving 2 trials\n', 'stop')
            case.says('the driver is stopping', 'resume', 'RUN', status=75)
            case.says('the driver is stopping', 'resume', 'RUN', '1', status=75)
            check(stop.poll() is None, 'pbt stop has not waited')
            # A trial can be stopped for good, or paused, for the next driver.
            case.says('ends for good', 'stop', 'RUN', '0')
            case.says('pauses as soon', 'pause', 'RUN', '1')
            case.run.kill()
            rest = stop.stdout.read()
            check(rest.startswith('stopped\nnext: pbt resume'), 'pbt stop: %s', rest)
        del case.run.env['TOY_SLOW_SAVE_MS']
        case.run.start()
        case.wait_trains(1)
        check(len(case.records('start', 0)) == 1, 'a stopped trial was started')
        case.pbt('stop', 'RUN')


# --- the socket --------------------------------------------------------------------


def connect(path):
    client = socket.socket(socket.AF_UNIX)
    client.settimeout(runs.DEADLINE_S)
    fd = os.open(path, os.O_PATH)
    try:
        client.connect('/proc/self/fd/%d/control.sock' % fd)
    finally:
        os.close(fd)
    return client


def line_from(client):
    text = b''
    while not text.endswith(b'\n'):
        got = client.recv(1 if text.endswith(b'}') else 4096)
        check(got, 'the connection ended after %s', text)
        text += got
    return [json.loads(line) for line in text.splitlines()]


def is_closed(client):
    try:
        return client.recv(1) == b''
    except ConnectionResetError:  # not all that was sent was read
        return True


def ask(client, text):
    client.sendall(text.encode() + b'\n')
    return line_from(client)[0]


def raw_socket(build, dir):
    """Its mode, its limits, what is wrong with a request, and who comes next."""
    with Case(build, dir, 'raw_socket') as case:
        case.begin()
        path = case.run.path + '/control.sock'
        check(os.stat(path).st_mode & 0o777 == 0o600, 'mode %o', os.stat(path).st_mode)
        client = connect(case.run.path)
        for text, why in (('x', 'not a JSON object'), ('[]', 'not a JSON object'),
                          ('{}', '"request"'), ('{"request":"dance"}', '"request"'),
                          ('{"request":"pause","trial":3}', '"trial"'),
                          ('{"request":"pause","trial":""}', '"trial"'),
                          ('{"request":"stop","trial":"nobody"}', 'no such trial'),
                          ('{"request":"stop","trial":"00000_00000"}', 'no such trial'),
                          ('{"request":"stop","trial":"%s"}' % ('9' * 300), '"trial"')):
            answer = ask(client, text)
            check(answer['ok'] is False and why in answer['error'], '%s: %s', text, answer)
        # Several at once are answered one after another, in order.
        name = case.id(0)
        client.sendall(b''.join(
            b'{"request":"%s","trial":"%s","new":[1]}\n' % (word, name.encode())
            for word in (b'pause', b'pause', b'resume', b'resume')))
        answers = []
        while len(answers) < 4:
            answers += line_from(client)
        words = [list(answer['trials']) for answer in answers]
        check(words == [['pausing'], ['already'], ['resumed'], ['running']],
              'answers: %s', answers)
        check(len(case.records('request', 0)) == 2, 'requests without effect recorded')
        # In small pieces; and one whose end is never seen.
        for byte in b'{"request":"resume"}\n':
            client.sendall(bytes([byte]))
        check(line_from(client)[0] == {'ok': True, 'trials': {'running': 2}}, 'answer')
        client.sendall(b'{"request":"pause"')
        client.close()
        client = connect(case.run.path)
        client.sendall(b'x' * 5000)
        check('too long' in line_from(client)[0]['error'], 'answer')
        check(is_closed(client), 'still connected')
        # Many.
        clients = [connect(case.run.path) for _ in range(16)]
        check(ask(clients[-1], '{"request":"resume"}')['ok'], 'the last one')
        late = connect(case.run.path)
        check('too many' in line_from(late)[0]['error'], 'answer')
        clients.pop().close()
        runs.wait_until('a place is free', lambda: has_place(case.run.path),
                        runs.DEADLINE_S)
        # A driver that dies leaves its socket; the next one replaces it.
        case.wait_trains(0)
        case.run.kill()
        check(os.path.exists(path), 'no socket is left')
        case.says('no driver is at work', 'stop', 'RUN')
        case.begin()
        check(ask(connect(case.run.path), '{"request":"resume"}')['ok'], 'answer')
        waiting = connect(case.run.path)
        check(ask(waiting, '{"request":"stop"}')['ok'], 'answer')
        check(waiting.recv(1) == b'', 'not closed at the end')
        case.run.finish()
        check(not os.path.exists(path), 'the socket is left')


def has_place(path):
    client = connect(path)
    try:
        client.sendall(b'{"request":"resume"}\n')
        return line_from(client)[0]['ok']
    except (runs.Failed, OSError):
        return False
    finally:
        client.close()


def long_path(build, dir):
    """The address of a socket holds 107 bytes; a run's directory can be longer."""
    deep = os.path.join(dir, *['d' * 60] * 4)
    with Case(build, deep, 'long_path') as case:
        case.begin()
        case.says('pauses', 'pause', 'RUN', '0')
        case.says('stopped', 'stop', 'RUN')


def no_socket(build, dir):
    """Where none can be made the run says so, and is stopped by a signal."""
    with Case(build, dir, 'no_socket') as case:
        case.begin()
        case.run.process.send_signal(signal.SIGINT)
        check(case.run.finish() == 130, 'exit status')
        os.mkdir(case.run.path + '/control.sock')
        case.begin()
        check("can't reach this run" in case.run.said(), case.run.said())
        case.run.process.send_signal(signal.SIGTERM)
        check(case.run.finish() == 143, 'exit status')
        os.rmdir(case.run.path + '/control.sock')


def other_host(build, dir):
    """A run that was last driven elsewhere: it can be asked there only."""
    with Case(build, dir, 'other_host') as case:
        case.begin()
        case.run.kill()
        lock = case.run.path + '/lock'
        with open(lock) as file:
            text = file.read()
        own = socket.gethostname()
        away = ('x' + own[1:]) if own[0] != 'x' else 'y' + own[1:]
        with open(lock, 'w') as file:
            file.write(text.replace('"host":"%s"' % own, '"host":"%s"' % away)
                       .replace(re.search('"boot":"([^"]*)"', text).group(1), 'elsewhere'))
        for words in (('stop', 'RUN'), ('pause', 'RUN', '0')):
            case.says('on %s.*can only be asked there \\(on %s: pbt %s' % (
                away, away, words[0]), *words, status=69)


# --- Ctrl-C --------------------------------------------------------------------------


class Terminal:
    """pbt at a terminal of its own."""

    def __init__(self, case, *words):
        self.text = b''
        self.master, slave = pty.openpty()

        def take_terminal():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen(
            [case.build + '/pbt', *words], env=case.run.env, stdin=slave, stdout=slave,
            stderr=slave, preexec_fn=take_terminal)
        case.run.process, case.screen = self.process, self
        os.close(slave)
        os.set_blocking(self.master, False)

    def read(self):
        """All that was on the screen so far."""
        try:
            self.text += os.read(self.master, 65536)
        except OSError:  # nothing new, or its other end is closed
            pass
        return self.text.decode(errors='replace')

    def wait_for(self, pattern):
        def seen():
            return re.search(pattern, self.read())
        return runs.wait_until('%s on the screen' % pattern, seen, runs.DEADLINE_S)[0]

    def press(self, key):
        os.write(self.master, key)

    def end(self):
        def ended():
            self.read()
            return self.process.poll() is not None
        runs.wait_until('pbt ends', ended, runs.DEADLINE_S)
        self.read()
        return self.process.returncode


CTRL_C = b'\x03'


def ctrl_c_once(build, dir):
    with Case(build, dir, 'ctrl_c_once') as case:
        screen = Terminal(case, 'run', case.run.file, '--dir', dir)
        case.wait_trains(0)
        case.wait_trains(1)
        screen.press(CTRL_C)
        screen.wait_for(r'stopping, saving 2 trials \(Ctrl-C again to kill\)')
        check(screen.end() == 130, 'exit status: %s', screen.text)
        screen.wait_for('next: pbt resume ' + re.escape(case.run.path))
        saved = {r['trial']: r['it'] for r in case.records('saved')}
        check(sorted(saved) == [0, 1], 'saved: %s', saved)
        case.run.wait_gone()
        case.begin()
        starts = {r['trial']: r['it'] for r in case.records('start')[-2:]}
        check(starts == saved, 'it goes on from %s, and had saved %s', starts, saved)


def ctrl_c_twice(build, dir):
    """A save that takes ten minutes is not waited for."""
    with Case(build, dir, 'ctrl_c_twice', env={'TOY_SLOW_SAVE_MS': '600000'}) as case:
        screen = Terminal(case, 'run', case.run.file, '--dir', dir)
        case.wait_trains(0)
        case.wait_trains(1)
        screen.press(CTRL_C)
        screen.wait_for(r'stopping, saving 2 trials \(Ctrl-C again to kill\)')
        case.wait('they save', lambda: len(case.records('save')) == 2)
        screen.press(CTRL_C)
        check(screen.end() == 130, 'exit status: %s', screen.text)
        screen.wait_for('killed; .*: pbt resume ' + re.escape(case.run.path))
        case.run.wait_gone()
        results = len(case.records('result'))
        del case.run.env['TOY_SLOW_SAVE_MS']
        case.begin()
        check(len(case.records('result')) > results, 'nothing was trained')
        check(not [r for r in case.records('exited') if r['leave'] == 'retry'],
              'counted as a failure')


def signals(build, dir):
    """SIGTERM; a terminal that is closed; and nohup, which doesn't hear that."""
    with Case(build, dir, 'signals') as case:
        case.begin()
        case.run.process.send_signal(signal.SIGTERM)
        check(case.run.finish() == 143, 'exit status')
        screen = Terminal(case, 'resume', case.run.path)
        case.wait_trains(0)
        os.close(screen.master)
        check(case.run.finish() == 143, 'exit status')
        check(case.records('end')[-1]['end'] == 'interrupted', 'no gentle end')
        case.run.wait_gone()
        # More of them only ask.
        case.run.env['TOY_SLOW_SAVE_MS'] = '300'
        case.begin()
        for _ in range(3):
            case.run.process.send_signal(signal.SIGHUP)
        check(case.run.finish() == 143, 'exit status')
        check(case.records('end')[-1]['end'] == 'interrupted', 'no gentle end')
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        case.begin()
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        case.run.process.send_signal(signal.SIGHUP)
        case.wait_trains(0, 3)
        case.pbt('stop', 'RUN')


CASES = (pause_one, pause_all, resume_one, mid_grant, grace_after_a_pause,
         a_warning,
         a_driver_that_stops, raw_socket, long_path, no_socket,
         other_host, ctrl_c_once, ctrl_c_twice, signals)

if __name__ == '__main__':
    runs.run_cases(CASES)
