"""The socket to pbt: lines of JSON, as docs/protocol.md has them.

PBT_FD is taken when this is imported: from then on no program that we start inherits
the descriptor or takes itself for the worker.  Where a launcher (torchrun) has closed it there is
another way to pbt (_attach.py).
"""
import json
import os
import select
import stat
from typing import Any, Dict, NoReturn, Optional, Tuple

LINE_MAX = 1 << 20

Message = Dict[str, Any]


def _is_open(fd: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(fd).st_mode)
    except OSError:
        return False


def _take() -> Tuple[Optional[int], Optional[Tuple[str, str]]]:
    """The descriptor, or the way to another one; neither: pbt has not started us."""
    text = os.environ.pop('PBT_FD', None)
    path, token = os.environ.pop('PBT_SOCKET', None), os.environ.pop('PBT_TOKEN', None)
    if text is None:
        return None, None
    fd = int(text)
    good = _is_open(fd)
    if good and 'WORLD_SIZE' in os.environ:  # the number may be another socket's by now
        from libpbt._attach import is_pbts
        good = is_pbts(fd)
    if good:
        os.set_inheritable(fd, False)
        return fd, None
    if path is None or token is None:
        raise RuntimeError('PBT_FD=%s names no open socket (a launcher has closed it?), and '
                           'PBT_SOCKET and PBT_TOKEN, which lead to another one, are not '
                           'set' % text)
    return None, (path, token)


def _where() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:  # it has been deleted
        return '/'


# Made once: a result passes here for each step.
_encode = json.JSONEncoder(separators=(',', ':'), allow_nan=False).encode
_decode = json.JSONDecoder().decode

_fd, way = _take()
begun_in = _where()  # the script may go elsewhere before it runs an experiment


def is_worker() -> bool:
    """Whether pbt has started this process as a worker."""
    return _fd is not None or way is not None


class Lines:
    """Lines of JSON over a socket.  Its end ends the process, at once.

    Read and written as it is: the module socket would cost each worker its import, and
    socket.setdefaulttimeout() of a script would hold for us, too.
    """

    def __init__(self, fd: int) -> None:
        os.set_blocking(fd, True)
        self._fd = fd
        self._pending = b''
        self._poll = select.poll()
        self._poll.register(fd, select.POLLIN)
        os.register_at_fork(after_in_child=self._close)

    def _close(self) -> None:
        if self._fd >= 0:  # a child's child has no more to close
            os.close(self._fd)
            self._fd = -1

    def write(self, message: Any) -> None:
        line = _encode(message).encode() + b'\n'
        if len(line) > LINE_MAX:
            raise ValueError('a message of %d bytes is too long for pbt, which takes '
                             '1 MiB' % len(line))
        if self._fd < 0:
            raise RuntimeError('this process was forked by the worker: only the '
                               'worker itself speaks with pbt')
        try:
            sent = os.write(self._fd, line)
            while sent < len(line):
                sent += os.write(self._fd, line[sent:])
        except OSError:
            _gone()

    def read(self, wait: bool) -> Any:
        """The next one; None: none has come, and we don't wait."""
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
        return _decode(line.decode())


class Channel(Lines):
    """What is said to pbt, and what it says."""

    def __init__(self) -> None:
        if _fd is None:
            from libpbt._attach import attach
            assert way is not None
            super().__init__(attach(*way))
        else:
            super().__init__(_fd)

    def send(self, kind: str, **members: Any) -> None:
        self.write({'type': kind, **members})

    def receive(self, wait: bool) -> Optional[Message]:
        """The next command; None: none has come, and we don't wait."""
        command: Optional[Message] = self.read(wait)
        return command

    def agree(self, done: bool) -> bool:
        """What holds for all ranks: there are no others."""
        return done


def _gone() -> NoReturn:
    """The driver is gone: nobody would hear of what we still did."""
    os._exit(1)
