"""The socket to pbt: lines of JSON, as docs/protocol.md has them.

PBT_FD is taken when this is imported: from then on no program that we start inherits
the descriptor or takes itself for the worker.
"""
import json
import os
import select
from typing import Any, Dict, NoReturn, Optional

LINE_MAX = 1 << 20

Message = Dict[str, Any]


def _take() -> Optional[int]:
    text = os.environ.pop('PBT_FD', None)
    if text is None:
        return None
    os.set_inheritable(int(text), False)
    return int(text)


def _where() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # it has been deleted
        return '/'


# Made once: a result passes here for each step.
_encode = json.JSONEncoder(separators=(',', ':'), allow_nan=False).encode
_decode = json.JSONDecoder().decode

_fd = _take()
begun_in = _where()  # the script may go elsewhere before it runs an experiment


def is_worker() -> bool:
    """Whether pbt has started this process as a worker."""
    return _fd is not None


class Channel:
    """The descriptor.  Its end ends the process, at once.

    Read and written as it is: the module socket would cost each worker its import, and
    socket.setdefaulttimeout() of a script would hold for us, too.
    """

    def __init__(self) -> None:
        assert _fd is not None
        os.set_blocking(_fd, True)
        self._fd = _fd
        self._pending = b''
        self._poll = select.poll()
        self._poll.register(_fd, select.POLLIN)
        os.register_at_fork(after_in_child=self._close)

    def _close(self) -> None:
        os.close(self._fd)
        self._fd = -1

    def send(self, kind: str, **members: Any) -> None:
        line = _encode({'type': kind, **members}).encode() + b'\n'
        if len(line) > LINE_MAX:
            raise ValueError('a "%s" of %d bytes is too long for pbt, which takes '
                             '1 MiB' % (kind, len(line)))
        if self._fd < 0:
            raise RuntimeError('this process was forked by the worker: only the '
                               'worker itself speaks with pbt')
        try:
            sent = os.write(self._fd, line)
            while sent < len(line):
                sent += os.write(self._fd, line[sent:])
        except OSError:
            _gone()

    def receive(self, wait: bool) -> Optional[Message]:
        """The next command; None: none has come, and we don't wait."""
        while b'\n' not in self._pending:
            if not wait and not self._poll.poll(0):
                return None
            try:
                got = os.read(self._fd, 65536)
            except OSError:
                got = b''
            if not got:
                _gone()
            self._pending += got
        line, self._pending = self._pending.split(b'\n', 1)
        message: Message = _decode(line.decode())
        return message


def _gone() -> NoReturn:
    """The driver is gone: nobody would hear of what we still did."""
    os._exit(1)
