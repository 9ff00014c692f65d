"""The worker's side of a Stopper: each result is shown to the script's process first."""
import json
import os
from typing import Any, Dict, Optional

ASKED = 'LIBPBT_STOPPER'  # that the run has one; in its `env`
SOCKET = 'LIBPBT_STOPPER_SOCKET'  # where it is, as long as the script runs


class Stops:
    def __init__(self, path: str) -> None:
        import socket  # not every worker needs it
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.connect(path)
        self._lines = self._socket.makefile('rb')

    def says_so(self, metrics: Dict[str, Any], done: bool, **members: Any) -> bool:
        """Whether the trial ends with this result.  EOFError: the script has ended."""
        line = json.dumps({**metrics, **members, 'done': done, 'pid': os.getpid()})
        try:
            self._socket.sendall(line.encode() + b'\n')
            answer = self._lines.readline()
        except OSError:
            answer = b''
        if not answer:
            raise EOFError
        return done or bool(json.loads(answer)['stop'])


def stopper_of_run() -> Optional[Stops]:
    if os.environ.get(ASKED) is None:
        return None
    path = os.environ.get(SOCKET)
    if path is None:
        raise RuntimeError('this run asks a stop function of the script that began it: '
                           'run that again, or use Tuner.restore(), not `pbt resume`')
    return Stops(path)
