"""The function API, with Ray's names: a function that trains on and on, and reports.

The function runs in the main thread; pbt's commands are obeyed inside report().  Where
pbt wants another state of it (an exploit), report() raises `Again` through the function,
which is then called anew.
"""
import contextlib
import os
import shutil
import sys
import threading
from typing import Any, Callable, Dict, Iterator, List, Optional, Union

from libpbt._checkpoint import (Checkpoint, Saver, copy_files, keep_files, read_notes,
                                write_notes)
from libpbt._context import current, get_context
from libpbt._ranks import rank
from libpbt._stop import Stops
from libpbt._values import take_count, take_done, take_metrics
from libpbt._worker import Stopwatch, Worker

Train = Callable[..., Any]  # of the configuration

KEPT = '.reported'  # in a trial's directory: the files reported last
GIVEN = '.checkpoint_dir'  # there, too: what checkpoint_dir() gives
TOO_FEW = '''\
libpbt: pbt saves after iteration %d, and report() has no checkpoint there: %s.
  Whoever goes on from here trains %d iteration%s again.  Report a checkpoint whenever
  one is due, counting from 1, or a function that writes one, which is called only when
  pbt saves: report(metrics, checkpoint=save).'''


class Again(BaseException):
    """Ends the function, which is to be called again."""


class FunctionHost:
    """Nothing is left of one call to the next but what a program keeps by itself, in
    globals: so a process is as good as a new one."""

    capabilities: List[str] = ['reset_config', 'reuse']

    def __init__(self, train: Train) -> None:
        self.trains: str = getattr(train, '__name__', 'the function')
        self._train = train
        self._wants_directory = _has_parameter(train, 'checkpoint_dir')
        self.kept: Dict[str, Any] = {}
        self.stopper: Optional[Stops] = None
        self.worker: Worker
        self._thread = threading.get_ident()
        self._config: Dict[str, Any] = {}
        self._totals: Dict[str, Any] = {}
        self._watch = Stopwatch()
        self._active = False  # in the function
        self._ending: Optional[BaseException] = None  # what ends it
        # The state to begin from: files, if any, and how far they are behind.
        self.loaded: Optional[Checkpoint] = None
        self._behind = 0  # reports that repeat what was reported before
        # What is saved where report() has no checkpoint.
        self._newest: Optional[str] = None
        self._newest_at = 0
        self._offered: Union[Checkpoint, Saver, None] = None
        self._given: Optional[Checkpoint] = None  # by checkpoint_dir(), for report()
        self._warned = False
        self._last: Optional[Dict[str, Any]] = None

    def serve(self) -> None:
        self.worker = worker = Worker(self)
        while True:
            worker.rest()
            try:
                returned = self._call()
            except Again:
                worker.enter()
            else:
                worker.result(self._final(returned), self._watch.seconds(), True)
                self._newest_at += 1  # the last one trained nothing

    def _call(self) -> Any:
        self._active = True
        self._watch.begin()
        try:
            returned = self._train(self._config, **self._directory())
            if self._ending is not None:
                raise self._ending  # the function has kept it to itself
            return returned
        finally:
            self._active = False
            self._ending = None

    def _directory(self) -> Dict[str, Optional[str]]:
        """Functions for Ray before 2.0 are told where to begin."""
        if not self._wants_directory:
            return {}
        return {'checkpoint_dir': None if self.loaded is None else self.loaded.path}

    def _final(self, returned: Any) -> Dict[str, Any]:
        """The function has come to its end: it returned metrics, or the last count again."""
        if returned is not None:
            return take_metrics(take_done(returned)[0], self._totals)
        if self._last is None:
            raise RuntimeError('the function has returned, and neither reported '
                               'metrics (libpbt.report) nor returned any')
        return self._last

    # What the function calls.

    def report(self, reported: Dict[str, Any],
               checkpoint: Union[Checkpoint, Saver, None]) -> None:
        if self._ending is not None:
            raise self._ending  # it was caught, and mustn't be
        if threading.get_ident() != self._thread:
            raise RuntimeError('report() is called in another thread than the function: '
                               'it could not be ended there')
        if not (checkpoint is None or isinstance(checkpoint, Checkpoint) or
                callable(checkpoint)):
            raise TypeError('report(checkpoint=...) is a Checkpoint, or a function that '
                            'writes one into a directory; not a %s'
                            % type(checkpoint).__name__)
        if checkpoint is None:
            checkpoint = self._given
        try:
            self._report(reported, checkpoint)
        finally:
            self._forget_given()

    def _report(self, reported: Dict[str, Any],
                checkpoint: Union[Checkpoint, Saver, None]) -> None:
        reported, done = take_done(reported)
        reported = take_count(reported, self.worker.iteration - self._behind + 1)
        if self._behind > 0:
            self._behind -= 1
            self._last = take_metrics(reported, {})
            self._keep(checkpoint, self.worker.iteration - self._behind)
            return
        self._last = take_metrics(reported, self._totals)
        self._offered = checkpoint
        try:
            self.worker.result(self._last, self._watch.seconds(), done)
            self.worker.rest()
            self._keep(self._offered, self.worker.iteration)
        except (Again, SystemExit) as ending:
            self._ending = ending
            raise
        finally:
            self._offered = None
        self._watch.begin()

    @contextlib.contextmanager
    def checkpoint_dir(self) -> Iterator[str]:
        self._forget_given()
        path = os.path.join(get_context().get_trial_dir(),
                            GIVEN if rank() == 0 else '%s.%d' % (GIVEN, rank()))
        shutil.rmtree(path, ignore_errors=True)  # of a process that was killed
        os.mkdir(path)
        yield path
        self._given = Checkpoint(path)

    def _forget_given(self) -> None:
        if self._given is not None:
            shutil.rmtree(self._given.path, ignore_errors=True)
            self._given = None

    # What pbt asks for.

    def leave(self, kind: str) -> None:
        self._forget_given()
        if kind != 'load' and current() is not None and rank() == 0:
            shutil.rmtree(self._kept(), ignore_errors=True)
        if self._active and kind != 'stop':
            raise Again

    def start(self, config: Dict[str, Any], checkpoint: Optional[str]) -> None:
        if rank() == 0:
            shutil.rmtree(self._kept(), ignore_errors=True)  # of a process that was killed
        self.load(config, checkpoint)

    def load(self, config: Dict[str, Any], checkpoint: Optional[str]) -> None:
        notes = {} if checkpoint is None else read_notes(checkpoint)
        reported = checkpoint is not None and notes.get('reported', True)
        self._config = config
        self._last = None
        self._totals = {name: notes[name] for name in ('timesteps_total',
                                                       'episodes_total')
                        if name in notes}
        self._newest = checkpoint if reported else None
        self._behind = notes.get('again', 0)
        self._newest_at = self.worker.iteration - self._behind
        self.loaded = Checkpoint(self._newest) if self._newest is not None else None

    def save(self, path: str) -> None:
        iteration = self.worker.iteration
        offered, self._offered = self._offered, None
        if rank() != 0:  # files that are not written on demand are rank 0's
            if not (offered is None or isinstance(offered, Checkpoint)):
                offered(path)
            return
        if offered is not None:
            self._newest_at = iteration
        if isinstance(offered, Checkpoint):
            copy_files(offered.path, path)
        elif offered is not None:
            offered(path)
        elif self._newest is not None:
            copy_files(self._newest, path)
        if offered is not None or self._newest is not None:
            keep_files(path, self._kept())
            self._newest = self._kept()
        again = iteration - self._newest_at
        if again > 0:
            self._warn(iteration, again)
        write_notes(path, {**self._totals, 'iteration': iteration, 'again': again,
                           'reported': self._newest is not None})

    def _keep(self, checkpoint: Union[Checkpoint, Saver, None], iteration: int) -> None:
        """Its files may be gone when report() has returned."""
        if isinstance(checkpoint, Checkpoint) and rank() == 0:
            fresh = self._kept() + '.tmp'
            shutil.rmtree(fresh, ignore_errors=True)
            copy_files(checkpoint.path, fresh)
            shutil.rmtree(self._kept(), ignore_errors=True)
            os.rename(fresh, self._kept())
            self._newest, self._newest_at = self._kept(), iteration

    def _kept(self) -> str:
        return os.path.join(get_context().get_trial_dir(), KEPT)

    def _warn(self, iteration: int, again: int) -> None:
        if not self._warned:
            self._warned = True
            newest = ('none was ever reported' if self._newest is None else
                      'the newest is of iteration %d' % self._newest_at)
            print(TOO_FEW % (iteration, newest, again, '' if again == 1 else 's'),
                  file=sys.stderr)


def _has_parameter(function: Callable[..., Any], name: str) -> bool:
    import inspect  # not every worker needs it
    try:
        return name in inspect.signature(function).parameters
    except (TypeError, ValueError):  # one without a signature
        return False


_host: Optional[FunctionHost] = None


def host_of(train: Train) -> FunctionHost:
    global _host
    _host = FunctionHost(train)
    return _host


def report(metrics: Optional[Dict[str, Any]] = None, *,
           checkpoint: Union[Checkpoint, Saver, None] = None, **values: Any) -> None:
    """Ends an iteration with its metrics: a dict, or, as in Ray before 2.0, keywords.

    `checkpoint` is what training can go on from: Checkpoint.from_directory(dir), whose
    files are copied before this returns; or a function that writes the files into the
    directory that it is given, and is called only if pbt saves now.
    """
    if _host is None:
        raise RuntimeError('report() is for a function that libpbt.worker() runs; '
                           'a Trainable returns its metrics from step()')
    if metrics is not None and values:
        raise TypeError('report() takes metrics as a dict or as keywords, not as both: '
                        '%s' % ', '.join(values))
    _host.report(values if metrics is None else metrics, checkpoint)


def checkpoint_dir(step: Optional[int] = None) -> 'contextlib.AbstractContextManager[str]':
    """As in Ray before 2.0: an empty directory; what is written into it is the checkpoint
    of the next report()."""
    if _host is None:
        raise RuntimeError('checkpoint_dir() is for a function that libpbt.worker() runs')
    return _host.checkpoint_dir()


def get_checkpoint() -> Optional[Checkpoint]:
    """What the function is to go on from; None: it begins."""
    return None if _host is None else _host.loaded
