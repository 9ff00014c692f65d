"""The host of a Trainable."""
import gc
from typing import Any, Dict, List, Optional, Type

from libpbt._optimizers import Watch
from libpbt._ranks import rank
from libpbt._stop import Stops
from libpbt._trainable import Trainable
from libpbt._values import take_count, take_done, take_metrics
from libpbt._worker import Stopwatch, Worker


class ClassHost:
    """A further trial begins like the first one, with a new object; so the process is as
    good as a new one where reset_config() is there as well (Ray's condition)."""

    trains = 'step'

    def __init__(self, trainable: Type[Trainable]) -> None:
        for name in ('step', 'save_checkpoint', 'load_checkpoint'):
            if getattr(trainable, name) is getattr(Trainable, name):
                raise TypeError('%s has no %s(): a trainable needs it'
                                % (trainable.__name__, name))
        self._class = trainable
        self._resets = trainable.reset_config is not Trainable.reset_config
        self.capabilities: List[str] = ['reset_config', 'reuse'] if self._resets else []
        self._model: Optional[Trainable] = None
        self.kept: Dict[str, Any] = {}
        self.stopper: Optional[Stops] = None
        self.worker: Worker
        self._watch: Optional[Watch] = None
        self._waits = False  # for the first step after a load

    def serve(self) -> None:
        self.worker = worker = Worker(self)
        watch = Stopwatch()
        while True:
            worker.rest()
            assert self._model is not None
            watch.begin()
            reported, done = take_done(self._model.step())
            seconds = watch.seconds()
            forgotten = self._forgotten() if self._waits else []
            reported = take_count(reported, worker.iteration + 1)
            metrics = take_metrics(reported, self._model._totals)
            self._model._iteration += 1
            worker.result(metrics, seconds, done, forgotten)

    def leave(self, kind: str) -> None:
        if self._model is not None and kind != 'load':
            self._model.cleanup()
            self._model = None
            gc.collect()  # before the next one asks for memory

    def _forgotten(self) -> List[str]:
        self._waits = False
        return [] if self._watch is None else self._watch.forgotten(self._model)

    def start(self, config: Dict[str, Any], checkpoint: Optional[str]) -> None:
        self._model = self._class(config)
        self._watch = Watch(self._model, config) if self._resets else None
        self._waits = False
        if checkpoint is not None:
            self.load(config, checkpoint)

    def load(self, config: Dict[str, Any], checkpoint: str) -> None:
        """Weights first, hyperparameters after: a restored optimiser can't undo them."""
        assert self._model is not None
        self.worker.doing = 'load_checkpoint'
        self._model.restore(checkpoint)
        self._model._iteration = self.worker.iteration
        self._model.config = config
        if self._watch is None:
            return
        self._watch.loaded(self._model, config)
        self._waits = True
        self.worker.doing = 'reset_config'
        if not self._model.reset_config(config):
            raise ValueError('reset_config() has to take the new configuration and '
                             'return True')

    def save(self, path: str) -> None:
        assert self._model is not None
        if rank() == 0:
            self._model.save(path)
        else:  # what it returns is rank 0's to write
            self._model.save_checkpoint(path)
