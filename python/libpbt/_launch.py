"""The command pbt as a child: found, started, answered, and waited for."""
import json
import os
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import threading
from types import FrameType
from typing import Any, Callable, Dict, IO, List, Optional, Set, Tuple

from libpbt import _stop
from libpbt._answers import Answers, StopServer
from libpbt._errors import TuneError

HERE = os.path.dirname(os.path.abspath(__file__))
BESIDE = ('../../../../bin/pbt',  # PREFIX/lib/python3.x/site-packages/libpbt
          '../bin/pbt',  # what `pip install --target` lays there
          '../../build/pbt')  # a clone
NO_PBT = '''\
the command pbt was not found: install it (README.md of libpbt), put its directory into PATH, \
or name it in the variable PBT'''
HURRY_S = 0.5  # after this pbt is asked to end for a second time, which it does at once


def find_pbt() -> str:
    given = os.environ.get('PBT')
    if given:
        if not os.access(given, os.X_OK):
            raise TuneError('PBT names %s, which can\'t be run' % given)
        return given
    for path in BESIDE:
        path = os.path.normpath(os.path.join(HERE, path))
        if os.access(path, os.X_OK):
            return path
    found = shutil.which('pbt')
    if found is None:
        raise TuneError(NO_PBT)
    return found


def pbt_says(words: List[str]) -> str:
    done = subprocess.run([find_pbt(), *words], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise TuneError(done.stderr.strip() or 'pbt %s: exit status %d'
                        % (words[0], done.returncode))
    return done.stdout


def ask_pbt(words: List[str]) -> Any:
    """What pbt knows, as it says it in JSON."""
    return json.loads(pbt_says([*words, '--json']))


class Launch:
    """One call of pbt, from its start to its end."""

    def __init__(self, words: List[str], answers: Answers, functions: List[str],
                 explores: bool, stops: Optional[StopServer],
                 environment: Dict[str, str], silent: bool) -> None:
        self._words = words
        self._answers = answers
        self._hello = {'functions': functions, 'explores': explores}
        self._stops = stops
        self._environment = environment
        self._silent = silent
        self._selector = selectors.DefaultSelector()
        self._ends: Set[Any] = set()  # what pbt closes when it ends
        self._failure: Optional[BaseException] = None
        self._interrupts = 0
        self._passes_on = False  # Ctrl-C, to a pbt that it doesn't come to by itself
        self._process: Optional['subprocess.Popen[bytes]'] = None
        self.run_dir: Optional[str] = None

    def go(self) -> int:
        """The exit status of pbt."""
        ours, theirs = socket.socketpair()
        ours.sendall(_line(self._hello))
        handlers = self._catch()
        self._passes_on = handlers is not None and sys.stdout is not sys.__stdout__
        try:
            self._start(theirs)
            theirs.close()
            self._listen(ours)
            return self._status()
        finally:
            ours.close()  # nobody is answered any more
            self._status()
            self._uncatch(handlers)
            self._selector.close()

    def _status(self) -> int:
        """pbt's, when it has ended."""
        return 0 if self._process is None else self._process.wait()

    def _end(self) -> None:
        """Asks pbt to."""
        if self._process is not None:
            self._process.send_signal(signal.SIGTERM)

    def _start(self, theirs: socket.socket) -> None:
        environment = {**os.environ, **self._environment}
        environment.pop(_stop.SOCKET, None)
        if self._stops is not None:
            environment[_stop.SOCKET] = self._stops.path
        sys.stdout.flush()
        sys.stderr.flush()
        outputs = [self._output(sys.stdout, sys.__stdout__),
                   self._output(sys.stderr, sys.__stderr__)]
        if self._silent:
            outputs[0] = subprocess.DEVNULL
        self._process = subprocess.Popen(
            [find_pbt(), *self._words, '--ask-fd', str(theirs.fileno())],
            pass_fds=[theirs.fileno()], env=environment, start_new_session=self._passes_on,
            stdin=None if sys.stdin is sys.__stdin__ else subprocess.DEVNULL,
            stdout=outputs[0], stderr=outputs[1])
        for pipe, stream in ((self._process.stdout, sys.stdout),
                             (self._process.stderr, sys.stderr)):
            if pipe is not None:
                self._ends.add(pipe)
                self._selector.register(pipe, selectors.EVENT_READ,
                                        _copier(pipe, stream))

    @staticmethod
    def _output(stream: Any, original: Any) -> Optional[int]:
        """pbt writes to the terminal itself; to a notebook's cell we copy it."""
        return None if stream is original else subprocess.PIPE

    # --- listening ----------------------------------------------------------------

    def _listen(self, ours: socket.socket) -> None:
        """Until pbt has ended, and all that it printed is copied."""
        self._selector.register(ours, selectors.EVENT_READ,
                                Connection(ours, self._hear_pbt).read)
        if self._stops is not None:
            self._selector.register(self._stops.listener, selectors.EVENT_READ,
                                    self._accept)
        self._ends.add(ours)
        hurried = False
        while self._ends:
            late = None if self._failure is None or hurried else HURRY_S
            events = self._selector.select(late)
            if not events and late is not None:
                hurried = True
                self._end()
            # pbt says first where its run is
            for key, _ in sorted(events, key=lambda event: event[0].fileobj is not ours):
                if not key.data():
                    self._selector.unregister(key.fileobj)
                    self._ends.discard(key.fileobj)
        if self._failure is not None:
            raise self._failure

    def _accept(self) -> bool:
        assert self._stops is not None
        connection, _ = self._stops.listener.accept()
        self._selector.register(connection, selectors.EVENT_READ,
                                Connection(connection, self._hear_worker).read)
        return True

    def _hear_pbt(self, line: bytes) -> Optional[bytes]:
        message = json.loads(line)
        if message['type'] == 'run':
            self.run_dir = message['dir']
            return self._guard(lambda: self._stops.begin(message['dir'])
                               if self._stops is not None else None)
        return self._guard(lambda: _line(self._answers.answer(message['question'])))

    def _hear_worker(self, line: bytes) -> Optional[bytes]:
        stops = self._stops
        assert stops is not None
        return self._guard(lambda: stops.answer(line))

    def _guard(self, call: Callable[[], Optional[bytes]]) -> Optional[bytes]:
        """The script's own functions: if one fails so does run(), when pbt has ended."""
        if self._failure is not None:
            return None
        try:
            return call()
        except BaseException as failure:  # pylint: disable=broad-except
            self._failure = failure
            self._end()
            return None

    # --- Ctrl-C -------------------------------------------------------------------

    def _catch(self) -> Any:
        """Ctrl-C comes to pbt as well, which saves and ends; the second one is for
        functions of the script that hang.  The interrupt of a notebook's cell may come to
        its kernel alone, or to all that the kernel has started: there pbt is out of its
        reach, and hears of it from us."""
        if threading.current_thread() is not threading.main_thread():
            return None
        return signal.signal(signal.SIGINT, self._interrupted)

    def _uncatch(self, handler: Any) -> None:
        if handler is not None:
            signal.signal(signal.SIGINT, handler)

    def _interrupted(self, number: int, frame: Optional[FrameType]) -> None:
        self._interrupts += 1
        if self._passes_on and self._process is not None:
            self._process.send_signal(signal.SIGINT)
        if self._interrupts > 1:
            raise KeyboardInterrupt


class Connection:
    """Lines that come from a socket, and what is answered to each."""

    def __init__(self, sock: socket.socket,
                 hear: Callable[[bytes], Optional[bytes]]) -> None:
        self._socket = sock
        self._hear = hear
        self._pending = b''

    def read(self) -> bool:
        """False: it has ended."""
        try:
            got = self._socket.recv(65536)
        except ConnectionError:
            got = b''
        *lines, self._pending = (self._pending + got).split(b'\n')
        for line in lines:
            answer = self._hear(line)
            if answer is not None:
                try:
                    self._socket.sendall(answer)
                except ConnectionError:
                    got = b''
        if not got:
            self._socket.close()
        return bool(got)


def _line(message: Dict[str, Any]) -> bytes:
    return json.dumps(message).encode() + b'\n'


def _copier(pipe: IO[bytes], stream: Any) -> Callable[[], bool]:
    def copy() -> bool:
        got = os.read(pipe.fileno(), 65536)
        stream.write(got.decode(errors='replace'))
        stream.flush()
        return bool(got)
    return copy


def judged(launch: Launch, status: int) -> Tuple[str, bool]:
    """The run's directory, and whether trials have failed; other ends are raised."""
    if status in (130, -signal.SIGINT):
        raise KeyboardInterrupt
    if status in (143, -signal.SIGTERM):
        raise TuneError('pbt was terminated; the same call goes on with the run')
    if status < 0:
        raise TuneError('pbt was killed by signal %d; the same call goes on with the run'
                        % -status)
    if status not in (0, 1) or launch.run_dir is None:
        raise TuneError('pbt ended with exit status %d; it has said why' % status)
    return launch.run_dir, status == 1
