"""A worker of several processes: ranks.

Rank 0 speaks with pbt, as any worker does.  The others run the same code: whatever rank 0 hears
it repeats to them, and where an answer says that something is done, a load or a save, all of
them have done it.  So all ranks are set up, step, save and load at the same time.
"""
import hashlib
import json
import os
import socket
import sys
import time
from typing import Any, List, Optional

from libpbt._attach import peer, read_line
from libpbt._channel import Channel, Lines, Message, way
from libpbt._ranks import rank, world_size

TOGETHER = ('ready', 'saved')  # rank 0 says it when all have come to it
AGAIN_S = 0.02
LONG_S = 60
ONE_MACHINE = '''\
%s of %d ranks are on this machine: all processes of a trial have to be on one'''
COMES_LATE = '''\
libpbt: rank 0 waits: for a minute only %d of %d ranks have come to libpbt.worker()'''
WAITS = '''\
libpbt: rank %d waits for rank 0, which has not come to libpbt.worker() for a minute'''


def _token() -> str:
    assert way is not None
    here = os.environ.get('LOCAL_WORLD_SIZE', str(world_size()))
    if here != str(world_size()):
        raise RuntimeError(ONE_MACHINE % (here, world_size()))
    return way[1]


def _meeting() -> bytes:
    """A name in the kernel, not in the file system: nothing of it is left behind."""
    return b'\0pbt-' + hashlib.sha256(_token().encode()).hexdigest()[:32].encode()


class Leader(Channel):
    def __init__(self) -> None:
        self._door = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._door.bind(_meeting())
        self._door.listen(world_size())
        self._followers: List[Lines] = []
        super().__init__()

    def send(self, kind: str, **members: Any) -> None:
        if kind in TOGETHER:
            for follower in self._followers:
                follower.read(True)
        super().send(kind, **members)

    def receive(self, wait: bool) -> Optional[Message]:
        if len(self._followers) < world_size() - 1:
            self._gather()
        command = super().receive(wait)
        self._tell(command)
        return command

    def agree(self, done: bool) -> bool:
        self._tell(done)
        return done

    def _tell(self, what: Any) -> None:
        for follower in self._followers:
            follower.write([what])

    def _gather(self) -> None:
        while len(self._followers) < world_size() - 1:
            self._door.settimeout(LONG_S)
            try:
                connection, _ = self._door.accept()
            except socket.timeout:
                print(COMES_LATE % (len(self._followers) + 1, world_size()), file=sys.stderr)
                continue
            if _is_ours(connection) and _knows_token(connection):
                self._followers.append(Lines(connection.detach()))
            connection.close()
        self._door.close()


class Follower:
    """Takes what rank 0 has taken, and says nothing to pbt."""

    def __init__(self) -> None:
        self._leader = Lines(_met())
        self._leader.write([_token()])

    def send(self, kind: str, **members: Any) -> None:
        if kind in TOGETHER:
            self._leader.write(kind)

    def receive(self, wait: bool) -> Optional[Message]:
        command: Optional[Message] = self._leader.read(True)[0]
        return command

    def agree(self, done: bool) -> bool:
        return bool(self._leader.read(True)[0])


def _is_ours(sock: socket.socket) -> bool:
    """Whether no other user is at the other end: any may take a name in the kernel."""
    return peer(sock)[1] in (os.geteuid(), 0)


def _knows_token(sock: socket.socket) -> bool:
    sock.settimeout(LONG_S)
    try:
        return bool(json.loads(read_line(sock)) == [_token()])
    except (OSError, RuntimeError, ValueError):
        return False


def _met() -> int:
    """A descriptor: rank 0 is at the other end."""
    begun, said = time.monotonic(), False
    while True:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            sock.connect(_meeting())
            if _is_ours(sock):
                return sock.detach()
        except ConnectionRefusedError:
            pass
        sock.close()
        if not said and time.monotonic() - begun > LONG_S:
            print(WAITS % rank(), file=sys.stderr)
            said = True
        time.sleep(AGAIN_S)
