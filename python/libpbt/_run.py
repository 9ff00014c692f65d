"""run() and Tuner: experiments from Python."""
import datetime
import os
from typing import TYPE_CHECKING, Any, Callable, Dict, Mapping, Optional, Sequence, Union

from libpbt import _script
from libpbt._config import (CheckpointConfig, CLIReporter, FailureConfig, RunConfig,
                            SyncConfig, TuneConfig, checkpoint_config_of)
from libpbt._errors import PAGE, TuneError, refuse
from libpbt._experiment import Experiment, carried_out, check_trainable

if TYPE_CHECKING:
    from libpbt._results import ExperimentAnalysis, ResultGrid

Path = Union[str, 'os.PathLike[str]']


def run(run_or_experiment: Any, *, name: Optional[str] = None,
        metric: Optional[str] = None, mode: Optional[str] = None, stop: Any = None,
        time_budget_s: Union[int, float, datetime.timedelta, None] = None,
        config: Optional[Dict[str, Any]] = None,
        resources_per_trial: Optional[Mapping[str, Any]] = None, num_samples: int = 1,
        storage_path: Optional[str] = None, scheduler: Any = None,
        checkpoint_config: Optional[CheckpointConfig] = None,
        verbose: Optional[int] = None,
        progress_reporter: Optional[CLIReporter] = None, log_to_file: Any = False,
        max_failures: int = 0, fail_fast: Union[bool, str] = False,
        restore: Optional[str] = None, resume: Union[bool, str, None] = None,
        reuse_actors: bool = False, raise_on_failed_trial: bool = True,
        callbacks: Optional[Sequence[Any]] = None,
        sync_config: Optional[SyncConfig] = None,
        max_concurrent_trials: Optional[int] = None,
        keep_checkpoints_num: Optional[int] = None,
        checkpoint_score_attr: Optional[str] = None, checkpoint_freq: int = 0,
        checkpoint_at_end: bool = False, local_dir: Optional[str] = None,
        experiment: Optional[Dict[str, Any]] = None,
        **others: Any) -> 'ExperimentAnalysis':
    """Runs an experiment, and returns what came of it: Ray's tune.run().

    `experiment` is ours: keys of the experiment file, laid over what follows from the rest.
    In a worker, which runs the same script, this never returns (docs/python.md).
    """
    refuse('run', others)
    check_trainable('run', run_or_experiment)
    _script.calls.begin()
    if resume not in (None, False, True, 'AUTO', 'LOCAL'):
        raise ValueError('run: resume is %r; an unfinished run of the same experiment '
                         'is always gone on with (%s)' % (resume, PAGE))
    kept = checkpoint_config_of(checkpoint_config, keep_checkpoints_num,
                                checkpoint_score_attr, checkpoint_freq,
                                checkpoint_at_end)
    this = Experiment(
        'run', run_or_experiment, config,
        TuneConfig(mode, metric, None, scheduler, num_samples, max_concurrent_trials,
                   time_budget_s, reuse_actors),
        RunConfig(name, storage_path or local_dir,
                  failure_config=FailureConfig(max_failures, fail_fast),
                  checkpoint_config=kept, sync_config=sync_config,
                  verbose=verbose, stop=stop,
                  callbacks=callbacks, progress_reporter=progress_reporter,
                  log_to_file=log_to_file, experiment=experiment),
        resources_per_trial,
        None if restore is None else {'start_checkpoint': os.path.abspath(restore)})
    directory, failed = carried_out(this, this.run)
    from libpbt._results import ExperimentAnalysis
    analysis = ExperimentAnalysis(directory, default_metric=this.metric,
                                  default_mode=this.mode)
    if failed and raise_on_failed_trial:
        raise analysis.failure()
    return analysis


class Tuner:
    """An experiment that fit() runs: Ray's."""

    def __init__(self, trainable: Any = None, *,
                 param_space: Optional[Dict[str, Any]] = None,
                 tune_config: Optional[TuneConfig] = None,
                 run_config: Optional[RunConfig] = None, **others: Any) -> None:
        refuse('Tuner', others)
        check_trainable('Tuner', trainable)
        self._experiment = Experiment('Tuner', trainable, param_space,
                                      tune_config or TuneConfig(),
                                      run_config or RunConfig())
        self._go: Callable[[], Any] = self._experiment.run
        self._directory: Optional[str] = None

    def fit(self) -> 'ResultGrid':
        """Runs it to its end.  In a worker, which runs the same script, this never
        returns."""
        _script.calls.begin()
        self._directory, _ = carried_out(self._experiment, self._go)
        grid = self.get_results()
        if grid._experiment_analysis.state == 'running':
            raise TuneError('another process drives %s' % self._directory)
        return grid

    def get_results(self) -> 'ResultGrid':
        if self._directory is None:
            raise RuntimeError('there are no results before fit()')
        from libpbt._results import ExperimentAnalysis, ResultGrid
        return ResultGrid(ExperimentAnalysis(
            self._directory, default_metric=self._experiment.metric,
            default_mode=self._experiment.mode))

    @classmethod
    def restore(cls, path: Path, trainable: Any, resume_unfinished: bool = True,
                resume_errored: bool = False, restart_errored: bool = False,
                param_space: Optional[Dict[str, Any]] = None, *,
                tune_config: Optional[TuneConfig] = None,
                run_config: Optional[RunConfig] = None, **others: Any) -> 'Tuner':
        """The run in the directory `path`, for fit() to go on with.

        Everything that it needs is there, but for functions: those of param_space, of the
        scheduler and of `stop` are given again, the last two in tune_config and run_config
        (which are ours).
        """
        refuse('Tuner.restore', others)
        if resume_errored or restart_errored or not resume_unfinished:
            raise ValueError('Tuner.restore: what is unfinished goes on; a trial that has '
                             'failed for good stays so (FailureConfig.max_failures) (%s)'
                             % PAGE)
        if not cls.can_restore(path):
            raise ValueError('Tuner.restore: %s is not the directory of a run' % path)
        directory = os.path.abspath(os.path.expanduser(os.fspath(path)))
        restored = cls(trainable, param_space=param_space, tune_config=tune_config,
                       run_config=run_config)
        restored._go = lambda: restored._experiment.resume(directory)
        restored._directory = directory
        return restored

    @staticmethod
    def can_restore(path: Path, **others: Any) -> bool:
        """Whether there is a run."""
        directory = os.path.expanduser(os.fspath(path))
        return os.path.isfile(os.path.join(directory, 'experiment.yaml'))


__all__ = ['TuneError', 'Tuner', 'run']
