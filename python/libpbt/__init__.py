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
from libpbt._checkpoint import Checkpoint
from libpbt._context import Context, get_context
from libpbt._function import get_checkpoint, report
from libpbt._main import worker
from libpbt._trainable import Trainable
from libpbt._worker import VERSION as __version__

__all__ = ['Checkpoint', 'Context', 'Trainable', 'get_checkpoint', 'get_context', 'report',
           'worker', '__version__']
