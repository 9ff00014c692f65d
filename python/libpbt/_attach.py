"""The way to pbt behind a launcher that has closed PBT_FD: a connection to the run's control socket
(docs/control.md), which becomes the worker's."""
import json
import os
import socket
import struct
import time
from typing import Tuple

ADDRESS_MAX = 107  # bytes of a Unix socket's path
AGAIN_S = 0.05
PATIENCE_S = 60


def peer(sock: socket.socket) -> Tuple[int, int]:
    """The pid and the user of the process at the other end."""
    pid, user, _ = struct.unpack('iII', sock.getsockopt(
        socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize('iII')))
    return pid, user


def is_pbts(fd: int) -> bool:
    """Whether an open socket can be the one that pbt has given us."""
    sock = socket.socket(fileno=fd)
    try:
        return (sock.family, sock.type) == (socket.AF_UNIX, socket.SOCK_STREAM) and \
            peer(sock)[0] != os.getpid()
    finally:
        sock.detach()


def attach(path: str, token: str) -> int:
    """A descriptor, as PBT_FD would be."""
    begun = time.monotonic()
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        _connect(sock, path)  # waits while many others do; with a timeout it would fail then
        sock.settimeout(PATIENCE_S)
        try:
            sock.sendall(json.dumps({'request': 'attach', 'token': token}).encode() + b'\n')
        except (BrokenPipeError, ConnectionResetError):
            pass  # refused already: the answer says why
        answer = json.loads(read_line(sock))
        if answer['ok']:
            return sock.detach()
        sock.close()
        if 'try again' not in answer['error'] or time.monotonic() - begun > PATIENCE_S:
            raise RuntimeError('pbt gives this process no socket: ' + answer['error'])
        time.sleep(AGAIN_S)


def read_line(sock: socket.socket) -> bytes:
    line = b''
    while not line.endswith(b'\n'):
        got = sock.recv(1)  # what follows the line is said to the worker
        if not got:
            raise RuntimeError('the other end of a socket has closed it')
        line += got
    return line


def _connect(sock: socket.socket, path: str) -> None:
    if len(os.fsencode(path)) <= ADDRESS_MAX:
        sock.connect(path)
        return
    directory = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
    try:
        sock.connect('/proc/self/fd/%d/%s' % (directory, os.path.basename(path)))
    finally:
        os.close(directory)
