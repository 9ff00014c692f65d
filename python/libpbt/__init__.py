"""Population Based Training with Ray Tune's names: the Python client of the command `pbt`.

A class with setup(), step(), save_checkpoint(), load_checkpoint() and reset_config(), or a
function that calls report() after each iteration, is a trainable.  run() and Tuner(...).fit()
run an experiment with it from the script itself:

    import libpbt as tune

    tune.run(Model, metric='score', mode='max', num_samples=8,
             stop={'training_iteration': 100}, config={'lr': tune.loguniform(1e-4, 0.1)},
             scheduler=tune.PopulationBasedTraining(
                 time_attr='training_iteration', perturbation_interval=5,
                 hyperparam_mutations={'lr': tune.loguniform(1e-4, 0.1)}))

Or the script ends in worker(Model), and `pbt run` begins the experiment.  docs/python.md leads
through it, docs/from-ray.md says what differs from Ray.
"""
import importlib
import sys
from typing import TYPE_CHECKING, Any

from libpbt._checkpoint import Checkpoint
from libpbt._context import (Context, get_context, get_trial_dir, get_trial_id,
                             get_trial_name)
from libpbt._main import worker
from libpbt._trainable import Trainable
from libpbt._worker import VERSION as __version__

if TYPE_CHECKING:
    from libpbt._config import (CheckpointConfig, CLIReporter, FailureConfig,
                                JupyterNotebookReporter, RunConfig, SyncConfig,
                                TuneConfig)
    from libpbt._errors import TuneError
    from libpbt._experiment import with_parameters, with_resources
    from libpbt._function import checkpoint_dir, get_checkpoint, report
    from libpbt._nothing import init, is_initialized, shutdown
    from libpbt._results import ExperimentAnalysis, Result, ResultGrid, Trial
    from libpbt._run import Tuner, run
    from libpbt._space import (choice, grid_search, lograndint, loguniform, qlograndint,
                               qloguniform, qrandint, qrandn, quniform, randint, randn,
                               sample_from, uniform)
    from libpbt.schedulers import (FIFOScheduler, PopulationBasedTraining,
                                   PopulationBasedTrainingReplay)
    from libpbt.stopper import Stopper

# Where the rest is: imported when it is first used, so that a worker begins at once.
_PLACES = {
    '_config': ('CheckpointConfig', 'CLIReporter', 'FailureConfig',
                'JupyterNotebookReporter', 'RunConfig', 'SyncConfig', 'TuneConfig'),
    '_errors': ('TuneError',),
    '_experiment': ('with_parameters', 'with_resources'),
    '_function': ('checkpoint_dir', 'get_checkpoint', 'report'),
    '_nothing': ('init', 'is_initialized', 'shutdown'),
    '_results': ('ExperimentAnalysis', 'Result', 'ResultGrid', 'Trial'),
    '_run': ('Tuner', 'run'),
    '_space': ('choice', 'grid_search', 'lograndint', 'loguniform', 'qlograndint',
               'qloguniform', 'qrandint', 'qrandn', 'quniform', 'randint', 'randn',
               'sample_from', 'uniform'),
    'schedulers': ('FIFOScheduler', 'PopulationBasedTraining',
                   'PopulationBasedTrainingReplay'),
    'stopper': ('Stopper',),
}
_MODULE_OF = {name: module for module, names in _PLACES.items() for name in names}

__all__ = ['CLIReporter', 'Checkpoint', 'CheckpointConfig', 'Context',
           'ExperimentAnalysis', 'FIFOScheduler', 'FailureConfig',
           'JupyterNotebookReporter', 'PopulationBasedTraining',
           'PopulationBasedTrainingReplay', 'Result', 'ResultGrid', 'RunConfig', 'Stopper',
           'SyncConfig', 'Trainable', 'Trial', 'TuneConfig', 'TuneError', 'Tuner',
           '__version__', 'checkpoint_dir', 'choice', 'get_checkpoint', 'get_context',
           'get_trial_dir', 'get_trial_id', 'get_trial_name', 'grid_search', 'init',
           'is_initialized', 'lograndint', 'loguniform', 'qlograndint', 'qloguniform',
           'qrandint', 'qrandn', 'quniform', 'randint', 'randn', 'report', 'run',
           'sample_from', 'shutdown', 'uniform', 'with_parameters', 'with_resources',
           'worker']

# `from ray import train, tune` becomes `from libpbt import train, tune`.
train = tune = sys.modules[__name__]

if not TYPE_CHECKING:  # to that, every name would be there
    def __getattr__(name: str) -> Any:
        module = _MODULE_OF.get(name)
        if module is not None:
            value = getattr(importlib.import_module('libpbt.' + module), name)
        elif name in ('schedulers', 'stopper'):
            value = importlib.import_module('libpbt.' + name)
        else:
            raise AttributeError('module %r has no attribute %r; what there is of Ray\'s '
                                 'is in docs/from-ray.md' % (__name__, name))
        globals()[name] = value
        return value
