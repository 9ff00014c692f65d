"""What a trial knows of itself, and what its process was given for it."""
import os
import sys
from typing import Any, Dict, Optional

from libpbt._ranks import local_rank, rank, world_size


class Context:
    """The trial that this process trains."""

    def __init__(self, start: Dict[str, Any]) -> None:
        self._trial_id: str = start['trial']
        self._trial_dir: str = start['trial_dir']
        self.set_seed(start)

    def set_seed(self, command: Dict[str, Any]) -> None:
        self._seed = int(command['seed'])

    def get_trial_id(self) -> str:
        return self._trial_id

    def get_trial_name(self) -> str:
        return self._trial_id

    def get_experiment_name(self) -> str:
        """That of the run's directory."""
        return os.path.basename(os.path.dirname(self._trial_dir))

    def get_trial_dir(self) -> str:
        """Its directory, for whatever it wants to write beside checkpoints."""
        return self._trial_dir

    def get_world_size(self) -> int:
        """How many processes a launcher such as torchrun has started for the trial."""
        return world_size()

    def get_world_rank(self) -> int:
        """Which of them this one is; rank 0 speaks with pbt."""
        return rank()

    def get_local_rank(self) -> int:
        return local_rank()

    def get_seed(self) -> int:
        """64 bits that follow from the experiment's seed; others after each exploit."""
        return self._seed


_current: Optional[Context] = None


def current() -> Optional[Context]:
    return _current


def get_context() -> Context:
    """The trial that this process trains."""
    if _current is None:
        raise RuntimeError('there is no trial: this process was not started by '
                           '`pbt run`, or libpbt.worker() has not begun')
    return _current


def get_trial_id() -> str:
    return get_context().get_trial_id()


def get_trial_name() -> str:
    return get_context().get_trial_name()


def get_trial_dir() -> str:
    return get_context().get_trial_dir()


class Place:
    """Log files, environment and working directory go along to another trial."""

    def __init__(self) -> None:
        self._cwd = os.getcwd()

    def take(self, start: Dict[str, Any]) -> None:
        global _current
        if _current is not None:
            self._move(_current.get_trial_dir(), start)
        _current = Context(start)

    def _move(self, old: str, start: Dict[str, Any]) -> None:
        sys.stdout.flush()  # what was said of the former trial is its own
        sys.stderr.flush()
        for fd, name in ((1, 'stdout'), (2, 'stderr')):
            if _is_log(fd, os.path.join(old, name)):
                _open_log(fd, os.path.join(start['trial_dir'], name))
        os.chdir(self._cwd)
        os.environ.update(PBT_TRIAL_ID=start['trial'], PBT_SEED=str(start['seed']),
                          PBT_TRIAL_DIR=start['trial_dir'])


def _is_log(fd: int, path: str) -> bool:
    """A program may have sent its output elsewhere: that stays."""
    try:
        return os.path.samestat(os.fstat(fd), os.stat(path))
    except OSError:
        return False


def _open_log(fd: int, path: str) -> None:
    log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    os.dup2(log, fd)
    os.close(log)
