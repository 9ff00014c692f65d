"""What the script's process answers while pbt runs: sources, custom explore, Stoppers.

Everything is called in the thread that called run(), one at a time.
"""
import contextlib
import hashlib
import json
import os
import random
import re
import socket
import sys
import tempfile
import traceback
from typing import Any, Callable, Dict, Iterator, List, Optional

from libpbt._errors import TuneError
from libpbt._values import merged, native, plain
from libpbt.stopper import Stopper

Config = Dict[str, Any]
SOCKET_PATH_MAX = 90  # so that the address of a socket in it holds it
TRIAL = re.compile(r'[0-9a-f]{5}_[0-9]{5,}')  # the name of a trial's directory


class Answers:
    """To the questions of docs/protocol.md, "Being asked"."""

    def __init__(self, first: Dict[str, Callable[[Config], Any]],
                 later: Dict[str, Callable[[Config], Any]],
                 explore: Optional[Callable[[Config], Config]], kept: Config) -> None:
        self._first = {**later, **first}
        self._later = later
        self._explore = explore
        self._kept = kept
        self.failure: Optional[Exception] = None  # of a first value: it ends the run

    def answer(self, question: Dict[str, Any]) -> Dict[str, Any]:
        config = native(question['config'])
        exploits = question['donor'] is not None
        seed = int(question['seed'])
        try:
            self._draw(self._later if exploits else self._first, config, seed)
            if exploits and self._explore is not None:
                with seeded(seed, 'explore'):
                    config = self._explored(config)
            return {'config': plain(config, 'config')}
        except Exception as failure:  # pylint: disable=broad-except
            if not exploits:
                self.failure = failure
            traceback.print_exc()
            return {'error': '%s: %s' % (type(failure).__name__, failure)}

    def _draw(self, functions: Dict[str, Callable[[Config], Any]], config: Config,
              seed: int) -> None:
        """A value for each that is open."""
        for name, function in functions.items():
            inside = config
            *path, key = name.split('/')
            for part in path:
                inside = inside[part]
            if inside[key] is None:
                with seeded(seed, name):
                    inside[key] = function(config)
                if inside[key] is None:
                    raise ValueError('the function for %r returned None' % name)

    def _explored(self, config: Config) -> Config:
        assert self._explore is not None
        explored = self._explore(merged(native(config), self._kept))
        if not isinstance(explored, dict):
            raise TypeError('custom_explore_fn returned a %s: it has to return the '
                            'configuration' % type(explored).__name__)
        return _without(explored, self._kept)


def _without(config: Config, kept: Config) -> Config:
    result = {}
    for key, value in config.items():
        if key in kept and isinstance(kept[key], dict) and isinstance(value, dict):
            result[key] = _without(value, kept[key])
        elif key not in kept:
            result[key] = value
    return result


@contextlib.contextmanager
def seeded(seed: int, name: str) -> Iterator[None]:
    """The global generators, seeded by the question: so the same one has the same answer.
    What they would have given to the script they give it afterwards."""
    digest = hashlib.sha256(('%d %s' % (seed, name)).encode()).digest()
    number = int.from_bytes(digest[:8], 'little')
    numpy = sys.modules.get('numpy')
    state, others = random.getstate(), None if numpy is None else numpy.random.get_state()
    random.seed(number)
    if numpy is not None:
        numpy.random.seed(number % (1 << 32))
    try:
        yield
    finally:
        random.setstate(state)
        if numpy is not None:
            numpy.random.set_state(others)


class StopServer:
    """Shows each result to the Stopper, and ends the experiment when it says so."""

    def __init__(self, stopper: Stopper) -> None:
        self._stopper = stopper
        self._directory = tempfile.mkdtemp(prefix='libpbt.')
        if len(self._directory) > SOCKET_PATH_MAX:
            os.rmdir(self._directory)
            self._directory = tempfile.mkdtemp(prefix='libpbt.', dir='/tmp')
        self.path = os.path.join(self._directory, 'stopper.sock')
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(self.path)
        self.listener.listen(128)
        self._all = False
        self._run: Optional[str] = None

    def close(self) -> None:
        self.listener.close()
        os.unlink(self.path)
        os.rmdir(self._directory)

    def begin(self, run: str) -> None:
        """The run lies there.  What it has already, the Stopper hasn't seen yet."""
        self._run = run
        for result in recorded(run):
            self._judge(result)

    def answer(self, line: bytes) -> bytes:
        stop = self._judge(native(json.loads(line)))
        if not self._all and self._stopper.stop_all():
            self._all = True
            self._end_all()
        return b'{"stop":%s}\n' % (b'true' if stop or self._all else b'false')

    def _judge(self, result: Dict[str, Any]) -> bool:
        return bool(self._stopper(result['trial_id'], result))

    def _end_all(self) -> None:
        """Each trial that hasn't ended, as `pbt stop RUN TRIAL` does."""
        assert self._run is not None
        control(self._run, [{'request': 'stop', 'trial': trial}
                            for trial in trials_of(self._run)])


def trials_of(run: str) -> List[str]:
    return sorted(name for name in os.listdir(run) if TRIAL.fullmatch(name))


def recorded(run: str) -> List[Dict[str, Any]]:
    """All results of a run's journal (docs/files.md), in their order."""
    trials = {int(name.split('_')[1]): name for name in trials_of(run)}
    results = []
    for line in _journal(os.path.join(run, 'journal')):
        record = json.loads(line)
        if record.get('k') == 'result':
            data = record['data']
            results.append(native({
                **data['metrics'], 'training_iteration': record['it'],
                'time_total_s': record.get('total', 0),
                'time_this_iter_s': data.get('time_this_iter_s', 0),
                'trial_id': trials[record.get('trial', 0)],
                'done': record.get('done', False)}))
    return results


def _journal(directory: str) -> List[bytes]:
    """The lines that count: each segment says how much of the one before it does."""
    number, limit = len(os.listdir(directory)), -1
    parts = []
    while number > 0:
        with open('%s/%06d.jsonl' % (directory, number), 'rb') as file:
            header = file.readline()
            content = file.read(limit - len(header) if limit >= 0 else -1)
        if header.endswith(b'\n'):  # else its driver died at once
            if limit < 0:
                content = content[:content.rfind(b'\n{"batch":') + 1]
            parts.append(content.splitlines())
            previous = json.loads(header)['previous']
            number, limit = previous['segment'], previous['bytes']
        else:
            number -= 1
    return [line for part in reversed(parts) for line in part]


def control(run: str, requests: List[Dict[str, Any]]) -> None:
    """docs/control.md; there may be no driver any more."""
    directory = os.open(run, os.O_RDONLY | os.O_DIRECTORY)
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(60)
            sock.connect('/proc/self/fd/%d/control.sock' % directory)
            lines = sock.makefile('rb')
            for request in requests:
                sock.sendall(json.dumps(request).encode() + b'\n')
                answer = json.loads(lines.readline() or b'{"ok":true}')
                if not answer['ok']:
                    raise TuneError('pbt can\'t stop a trial: %s' % answer['error'])
    finally:
        os.close(directory)
