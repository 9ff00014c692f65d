"""An experiment: from what run() and fit() are given to a file and a call of pbt."""
import functools
import json
import os
import re
import sys
from typing import Any, Callable, Dict, List, Mapping, Optional, Tuple, Union

from libpbt import _script, _stop
from libpbt._channel import begun_in, is_worker
from libpbt._config import (CheckpointConfig, CLIReporter, FailureConfig, RunConfig,
                            SyncConfig, TuneConfig, resources_in_file)
from libpbt._errors import PAGE, TuneError, refuse, without_none
from libpbt._main import serve
from libpbt._space import Written
from libpbt._trainable import Trainable
from libpbt.schedulers import (FIFOScheduler, metric_and_mode, say_notes,
                               scheduler_of)
from libpbt.stopper import TimeoutStopper, flags_of, seconds_of, stop_in_file, stopper_of

RESOURCES = '_libpbt_resources'  # what with_resources() leaves at a trainable


def with_parameters(trainable: Any, **kwargs: Any) -> Any:
    """Hands objects to a function as keywords, to a class as keywords of its setup().

    They are the script's, which each worker runs again: they need not be small."""
    inner: Any
    if isinstance(trainable, type):
        class Inner(trainable):  # type: ignore[misc]
            def setup(self, config: Dict[str, Any]) -> None:
                super().setup(config, **kwargs)

        Inner.__name__, Inner.__qualname__ = trainable.__name__, trainable.__qualname__
        inner = Inner
    else:
        inner = functools.partial(trainable, **kwargs)
        inner.__name__ = getattr(trainable, '__name__', 'train')
    if hasattr(trainable, RESOURCES):
        setattr(inner, RESOURCES, getattr(trainable, RESOURCES))
    return inner


def with_resources(trainable: Any, resources: Mapping[str, float]) -> Any:
    """What a trial of it takes: {'cpu': 2, 'gpu': 0.5}."""
    inner = with_parameters(trainable)
    setattr(inner, RESOURCES, resources_in_file('with_resources', resources))
    return inner


class Experiment:
    """What one call of run() or fit() is about."""

    def __init__(self, call: str, trainable: Any, space: Optional[Dict[str, Any]],
                 tune: TuneConfig, run: RunConfig,
                 resources: Optional[Mapping[str, Any]] = None,
                 more: Optional[Dict[str, Any]] = None) -> None:
        refuse(call, _refused(tune, run))
        self.trainable = trainable
        self.name = run.name or name_of(trainable)
        self.storage = storage_of(run.storage_path or run.local_dir)
        self._scheduler = scheduler_of(tune.scheduler)
        self.metric, self.mode = metric_and_mode(self._scheduler, tune.metric, tune.mode)
        # Whoever compares nothing needs no mode; results are read by the metric still.
        compared = self.mode is not None or type(self._scheduler) is not FIFOScheduler
        self._first = Written(space)
        self._later = self._scheduler.written()
        self._stopper = flags_of(run.stop)
        stop = stop_in_file(run.stop)
        budget = tune.time_budget_s
        if stop is None and isinstance(run.stop, TimeoutStopper) and budget is None:
            stop, budget = {}, run.stop._seconds
        if stop is None:
            self._stopper = stopper_of(run.stop)
        self._silent = run.verbose == 0
        self._tune = tune
        self._keys = without_none({
            'name': self.name, 'num_samples': tune.num_samples,
            'metric': self.metric if compared else None,
            'mode': self.mode, 'stop': stop or None,
            'time_budget_s': None if budget is None else seconds_of(budget),
            'max_concurrent': tune.max_concurrent_trials,
            'config': self._first.space,
            'scheduler': {**self._scheduler.in_file(),
                          **({'hyperparam_mutations': self._later.space}
                             if self._later.space else {})},
            'resources_per_trial': (resources_in_file(call, resources) or
                                    getattr(trainable, RESOURCES, None)),
            'checkpoint': (run.checkpoint_config or CheckpointConfig()).in_file(),
            'failure': (run.failure_config or FailureConfig()).in_file(),
            'table': _table(run.progress_reporter), **(more or {})})
        self._laid_over = run.experiment or {}

    def serve(self) -> None:
        """In a worker: trains, to the end of the process."""
        serve(self.trainable, self._first.kept)

    # --- in the file --------------------------------------------------------------

    def in_file(self) -> Dict[str, Any]:
        command = _script.command_of(self.trainable, self._first.kept, self.storage)
        environment = {_script.CALL: str(_script.calls.number)}
        if self._stopper is not None:
            environment[_stop.ASKED] = '1'
        keys = {**self._keys, 'command': command, 'cwd': begun_in}
        keys = _laid_over(keys, self._laid_over)
        keys['env'] = {**keys.get('env', {}), **environment}
        return keys

    # --- the run ------------------------------------------------------------------

    def run(self) -> Tuple[str, bool]:
        """The run's directory, and whether trials of it have failed."""
        import shutil
        import tempfile
        say_notes(self._scheduler)
        directory = tempfile.mkdtemp(prefix='libpbt.')
        path = os.path.join(directory, self.name + '.json')
        with open(path, 'w') as file:
            json.dump(self.in_file(), file, indent=2)
            file.write('\n')
        ended = self._launch(['run', path, '--dir', self.storage])
        shutil.rmtree(directory)  # left where pbt found something wrong in it
        return ended

    def resume(self, run: str) -> Tuple[str, bool]:
        """It may be over: then pbt says so, and where it is we know."""
        command = _script.command_again(self.trainable, self._first.kept, run,
                                        os.path.dirname(run))
        words = [] if command is None else ['command=' + json.dumps(command), '--change']
        return self._launch(['resume', run, *words], run)

    def _launch(self, words: List[str], run: Optional[str] = None) -> Tuple[str, bool]:
        # No worker needs these, and each runs the script.
        from libpbt._answers import Answers, StopServer
        from libpbt._launch import Launch, judged
        explore = self._scheduler.explores
        answers = Answers(self._first.functions, self._later.functions, explore,
                          self._first.kept)
        stops = None if self._stopper is None else StopServer(self._stopper)
        try:
            launch = Launch(words, answers, self._first.names() + self._later.names(),
                            explore is not None, stops, _script.calls.environment(),
                            self._silent)
            launch.run_dir = run
            directory, failed = judged(launch, launch.go())
            if failed and answers.failure is not None:
                raise TuneError('a function for first values has failed; when it is '
                                'mended the same call goes on') from answers.failure
            return directory, failed
        finally:
            if stops is not None:
                stops.close()


def _refused(tune: TuneConfig, run: RunConfig) -> Dict[str, Any]:
    return {name: value for config, names in (
        (tune, ('search_alg', 'trial_name_creator', 'trial_dirname_creator')),
        (run, ('storage_filesystem', 'sync_config', 'callbacks')))
        for name in names for value in [getattr(config, name)]
        if value and not isinstance(value, SyncConfig)}


def _table(reporter: Optional[CLIReporter]) -> Optional[Dict[str, Any]]:
    if reporter is None:
        return None
    if not isinstance(reporter, CLIReporter):
        raise TypeError('the progress_reporter is a %s, and no CLIReporter (%s)'
                        % (type(reporter).__name__, PAGE))
    return reporter.in_file()


def _laid_over(keys: Dict[str, Any], over: Dict[str, Any]) -> Dict[str, Any]:
    result = dict(keys)
    for key, value in over.items():
        both = isinstance(value, dict) and isinstance(result.get(key), dict)
        result[key] = _laid_over(result[key], value) if both else value
    return result


def name_of(trainable: Any) -> str:
    name = getattr(trainable, '__name__', type(trainable).__name__)
    return re.sub(r'[^A-Za-z0-9._-]+', '-', name).strip('-._') or 'experiment'


def storage_of(path: Union[str, 'os.PathLike[str]', None]) -> str:
    given = path or os.environ.get('PBT_DIR') or 'runs'
    if '://' in os.fspath(given):
        raise ValueError('storage_path is %r: runs lie on this machine\'s file systems '
                         '(%s)' % (given, PAGE))
    return os.path.abspath(os.path.expanduser(os.fspath(given)))


def check_trainable(call: str, trainable: Any) -> None:
    if isinstance(trainable, type) and issubclass(trainable, Trainable):
        return
    if isinstance(trainable, type) or not callable(trainable):
        raise TypeError('%s() takes a subclass of libpbt.Trainable, or a function of '
                        'the configuration; not %r (%s)' % (call, trainable, PAGE))


def carried_out(experiment: Experiment,
                go: Callable[[], Tuple[str, bool]]) -> Tuple[str, bool]:
    """One call: in the script it runs pbt, in a worker of it it is the worker, and in a
    worker of a later call it has run already."""
    calls = _script.calls
    if is_worker():
        if calls.is_ours():
            experiment.serve()
            sys.exit(0)
        return calls.earlier(), False
    run, failed = go()
    calls.ended(run)
    return run, failed


