"""Population Based Training: the Python client of the command `pbt`.

A script becomes a trainable with its last line, `libpbt.worker(...)`: of a class,

    class Mine(libpbt.Trainable):
        def setup(self, config): ...
        def step(self): return {'score': ...}
        def save_checkpoint(self, checkpoint_dir): ...
        def load_checkpoint(self, checkpoint_dir): ...
        def reset_config(self, new_config): ...; return True

    libpbt.worker(Mine)

or of a function that calls `libpbt.report(metrics, checkpoint=...)` after each iteration,
and begins from `libpbt.get_checkpoint()` if that is there.  `pbt run` starts the script, once
for each trial.  docs/python.md leads through it.
"""
from typing import TYPE_CHECKING

from libpbt._checkpoint import Checkpoint
from libpbt._context import Context, get_context
from libpbt._function import get_checkpoint, report
from libpbt._main import worker
from libpbt._trainable import Trainable
from libpbt._worker import VERSION as __version__

__all__ = ['Checkpoint', 'Context', 'Trainable', 'get_checkpoint', 'get_context', 'report',
           'worker', '__version__']

# Names of Ray Tune's that scripts begin with.
_ELSEWHERE = frozenset((
    'Tuner', 'run', 'TuneConfig', 'RunConfig', 'CheckpointConfig', 'FailureConfig',
    'PopulationBasedTraining', 'uniform', 'loguniform', 'choice', 'randint'))

if not TYPE_CHECKING:  # to that, every name would be there
    def __getattr__(name):
        if name in _ELSEWHERE:
            raise AttributeError('libpbt has no %s: `pbt run` begins experiments '
                                 '(docs/python.md)' % name)
        raise AttributeError('module %r has no attribute %r' % (__name__, name))
