"""What came of an experiment, with Ray's interface.

Trials, checkpoints, what is best, and which results count is what pbt answers, from its index.
The results themselves are read from result.json, which has each as the trainable reported it, with
Ray's columns.  Data frames need pandas; all else is the standard library's.
"""
import io
import json
import math
import os
import warnings
from typing import Any, Dict, Iterator, List, Optional, Sequence, Tuple, Union

from libpbt._checkpoint import Checkpoint
from libpbt._errors import TuneError, one_of
from libpbt._launch import ask_pbt, pbt_says
from libpbt._values import NOT_FINITE, native

Row = Dict[str, Any]
TAIL = 16384  # bytes of result.json that most likely hold its last line
SCOPES = ('last', 'all', 'avg', 'last-5-avg', 'last-10-avg')
KEYS = ['pbt_epoch', 'pbt_seq']  # of a result, in its trial
MANIFEST = '.pbt_manifest.json'
DESCENT = ['pbt_generation', 'pbt_parent_trial', 'pbt_parent_iteration']


def _pandas() -> Any:
    try:
        import pandas  # type: ignore[import-untyped, import-not-found, unused-ignore]
    except ImportError:
        raise ImportError('data frames need pandas: on Debian the package '
                          'python3-pandas, elsewhere `pip install pandas`') from None
    return pandas


def flattened(row: Row, prefix: str = '', into: Optional[Row] = None) -> Row:
    """Nested names as 'outer/inner', and what is no number in JSON as the number that it is."""
    flat: Row = {} if into is None else into
    for key, value in row.items():
        if isinstance(value, dict):
            flattened(value, prefix + key + '/', flat)
        elif isinstance(value, str):
            flat[prefix + key] = NOT_FINITE.get(value, value)
        else:
            flat[prefix + key] = native(value) if isinstance(value, list) else value
    return flat


def _frames(run: str, trials: Sequence['Trial']) -> Dict[str, Any]:
    """The results of trials that count, by trial; with whose weights they stand on."""
    pandas = _pandas()
    # In this order: the files may be behind, and a result that they lack is left out.
    read = {trial.trial_id: [flattened(row) for row in trial._lines()] for trial in trials}
    which = [trials[0].trial_id] if len(trials) == 1 else []
    counting = dict(tuple(pandas.read_csv(
        io.StringIO(pbt_says(['export', run, *which, '--format', 'csv'])),
        usecols=['trial_id', *KEYS, *DESCENT], dtype={'pbt_parent_trial': object}
    ).groupby('trial_id')))
    frames = {}
    for name, rows in read.items():
        frames[name] = pandas.DataFrame(rows)
        if name in counting and rows:
            frames[name] = frames[name].merge(counting[name].drop(columns='trial_id'),
                                              on=KEYS)
        else:
            frames[name] = frames[name].iloc[:0]
    return frames


def _better(value: Any, than: Any, mode: Optional[str]) -> bool:
    """NaN, or what isn't there, is never better."""
    if not isinstance(value, (int, float)) or not math.isfinite(value):
        return False
    return than is None or (value < than if mode == 'min' else value > than)


class Trial:
    """A trial of a run: where it was when it was read."""

    def __init__(self, run: str, found: Dict[str, Any]) -> None:
        self.trial_id: str = found['trial']
        self.status: str = found['status']
        self.config: Dict[str, Any] = native(found['config'] or {})
        self.first_config: Dict[str, Any] = native(found['first_config'] or {})
        self.path = os.path.join(run, self.trial_id)
        self.error: Optional[str] = found['error']
        self.iteration: int = found['iteration']
        checkpoint = found['checkpoint']
        self.checkpoint = None if checkpoint is None else _checkpoint(run, checkpoint)
        self._run = run

    def __repr__(self) -> str:
        return self.trial_id

    # Ray has had several names for it.
    local_path = logdir = property(lambda self: self.path)

    @property
    def error_file(self) -> Optional[str]:
        path = os.path.join(self.path, 'error.txt')
        return path if os.path.exists(path) else None

    def _lines(self) -> List[Row]:
        """Each result, as result.json has it, also those that were undone."""
        try:
            with open(os.path.join(self.path, 'result.json')) as file:
                whole = [line for line in file if line.endswith('\n')]  # none half written
        except FileNotFoundError:
            return []
        found: List[Row] = json.loads('[%s]' % ','.join(whole))
        return found

    def rows(self) -> List[Row]:
        """The same, NaN and infinities being numbers."""
        return [native(row) for row in self._lines()]

    @property
    def last_result(self) -> Row:
        """From the end of the file: of a large run not all is to be read for it."""
        try:
            with open(os.path.join(self.path, 'result.json'), 'rb') as file:
                size, length = file.seek(0, os.SEEK_END), TAIL
                while True:
                    file.seek(max(0, size - length))
                    lines = file.read().split(b'\n')[:-1]  # whole ones
                    if len(lines) > 1 or length >= size:
                        break
                    length *= 4
        except FileNotFoundError:
            return {}
        row: Row = native(json.loads(lines[-1])) if lines else {}
        return row

    def checkpoints(self) -> List[Tuple[Checkpoint, Row]]:
        """Those that are kept, oldest first, each with the result that its weights gave."""
        found = [_checkpoint(self._run, kept)
                 for kept in ask_pbt(['show', self._run, self.trial_id])['checkpoints']
                 if kept['trial'] == self.trial_id]
        rows = {tuple(row[key] for key in KEYS): row for row in self.rows()}
        # Not by iteration: a trial may have trained the same one more than once.
        return [(kept, rows.get(_made_by(kept), {})) for kept in found]

    def dataframe(self) -> Any:
        return _frames(self._run, [self])[self.trial_id]


def _checkpoint(run: str, found: Dict[str, Any]) -> Checkpoint:
    return Checkpoint(os.path.join(run, found['trial'],
                                   os.path.basename(found['path'])))


def _made_by(checkpoint: Checkpoint) -> Tuple[int, ...]:
    """The keys of the result before it."""
    try:
        with open(os.path.join(checkpoint.path, MANIFEST)) as file:
            made_by = json.load(file)['made_by']
    except FileNotFoundError:  # deleted just now
        return ()
    return made_by['epoch'], made_by['seq']


def _best_checkpoint(trial: Trial, metric: str, mode: Optional[str]
                     ) -> Optional[Checkpoint]:
    best, value = None, None
    for checkpoint, row in trial.checkpoints():
        here = flattened(row).get(metric)
        if _better(here, value, mode):
            best, value = checkpoint, here
    return best


class ExperimentAnalysis:
    """Ray's: of a run that is over, or interrupted, or at work."""

    def __init__(self, experiment_checkpoint_path: Union[str, 'os.PathLike[str]'], *,
                 default_metric: Optional[str] = None,
                 default_mode: Optional[str] = None) -> None:
        one_of('ExperimentAnalysis', 'default_mode', default_mode, (None, 'min', 'max'))
        path = os.path.expanduser(os.fspath(experiment_checkpoint_path))
        self._directory = os.path.abspath(path)
        found = ask_pbt(['ls', self._directory])
        self.default_metric: Optional[str] = default_metric or found['run']['metric']
        self.default_mode: Optional[str] = default_mode or found['run']['mode']
        self.state: str = found['run']['state']
        self.trials = [Trial(self._directory, trial) for trial in found['trials']]

    @property
    def experiment_path(self) -> str:
        return self._directory

    # --- the best -----------------------------------------------------------------

    def _meant(self, metric: Optional[str], mode: Optional[str]) -> Tuple[str, str]:
        one_of('mode', 'mode', mode, (None, 'min', 'max'))
        metric, mode = metric or self.default_metric, mode or self.default_mode
        if metric is None or mode is None:
            raise ValueError('no metric and mode were given, here or to the experiment')
        return metric, mode

    def _ask_best(self, metric: Optional[str], mode: Optional[str], scope: str
                  ) -> Optional[Dict[str, Any]]:
        metric, mode = self._meant(metric, mode)
        one_of('scope', 'scope', scope, SCOPES)
        try:
            found: Dict[str, Any] = ask_pbt(['best', self._directory, '--metric', metric,
                                             '--mode', mode, '--scope', scope])
        except TuneError as failure:
            warnings.warn('there is no best trial: %s' % failure, stacklevel=3)
            return None
        return found

    def trial(self, trial_id: str) -> Trial:
        return next(trial for trial in self.trials if trial.trial_id == trial_id)

    def get_best_trial(self, metric: Optional[str] = None, mode: Optional[str] = None,
                       scope: str = 'last', filter_nan_and_inf: bool = True
                       ) -> Optional[Trial]:
        """None, with a warning, where no trial has reported a number; of one trial, that."""
        one_of('get_best_trial', 'filter_nan_and_inf', filter_nan_and_inf, (True,))
        if len(self.trials) == 1:
            return self.trials[0]
        found = self._ask_best(metric, mode, scope)
        return None if found is None else self.trial(found['trial']['trial'])

    def get_best_config(self, metric: Optional[str] = None, mode: Optional[str] = None,
                        scope: str = 'last') -> Optional[Dict[str, Any]]:
        """What the best result was trained with; `pbt schedule` has what led to it."""
        found = self._ask_best(metric, mode, scope)
        return None if found is None else native(found['config'])

    def get_best_checkpoint(self, trial: Trial, metric: Optional[str] = None,
                            mode: Optional[str] = None) -> Optional[Checkpoint]:
        """Among those of the trial that are kept."""
        return _best_checkpoint(trial, metric or self.default_metric or
                                'training_iteration', mode or self.default_mode)

    def get_last_checkpoint(self, trial: Optional[Trial] = None,
                            metric: str = 'training_iteration', mode: str = 'max'
                            ) -> Optional[Checkpoint]:
        trial = trial or self.get_best_trial(metric, mode)
        return None if trial is None else trial.checkpoint

    @property
    def best_trial(self) -> Trial:
        trial = self.get_best_trial(scope='last')
        if trial is None:
            raise TuneError('no trial has reported a number for %s' % self.default_metric)
        return trial

    @property
    def best_config(self) -> Dict[str, Any]:
        config = self.get_best_config()
        return self.best_trial.config if config is None else config

    @property
    def best_checkpoint(self) -> Optional[Checkpoint]:
        return self.get_best_checkpoint(self.best_trial)

    @property
    def best_result(self) -> Row:
        return self.best_trial.last_result

    @property
    def best_dataframe(self) -> Any:
        return self.best_trial.dataframe()

    @property
    def best_result_df(self) -> Any:
        return _indexed([self.best_trial])

    @property
    def best_logdir(self) -> str:
        return self.best_trial.path

    # --- all ----------------------------------------------------------------------

    @property
    def results(self) -> Dict[str, Row]:
        """The last result of each trial, by its id."""
        return {trial.trial_id: trial.last_result for trial in self.trials}

    @property
    def results_df(self) -> Any:
        return _indexed(self.trials)

    def get_all_configs(self, prefix: bool = False) -> Dict[str, Dict[str, Any]]:
        """By the trial's id."""
        return {trial.trial_id: (flattened(trial.config, 'config/') if prefix else
                                 trial.config) for trial in self.trials}

    @property
    def trial_dataframes(self) -> Dict[str, Any]:
        """All results of each trial that count, by its id."""
        return _frames(self._directory, self.trials)

    def fetch_trial_dataframes(self) -> Dict[str, Any]:
        """The same by the trial's directory."""
        frames = self.trial_dataframes
        return {trial.path: frames[trial.trial_id] for trial in self.trials}

    def dataframe(self, metric: Optional[str] = None, mode: Optional[str] = None) -> Any:
        """A row for each trial: its last, or, with a mode, that with its best `metric`."""
        one_of('dataframe', 'mode', mode, (None, 'min', 'max'))
        if mode is not None and metric is None:
            raise ValueError('dataframe: a mode without a metric')
        pandas = _pandas()
        chosen = []
        for path, frame in self.fetch_trial_dataframes().items():
            if frame.empty:
                row = pandas.DataFrame({'trial_id': [os.path.basename(path)]})
            else:
                row = frame.iloc[[_best_row(frame, metric, mode)]]
            chosen.append(row.assign(logdir=path))
        return pandas.concat(chosen, ignore_index=True) if chosen else pandas.DataFrame()

    def failure(self) -> TuneError:
        """Of the trials that have failed for good."""
        failed = [trial for trial in self.trials if trial.status == 'ERROR']
        text = ['%d of the trials failed for good: %s' % (
            len(failed), ', '.join(trial.trial_id for trial in failed[:20]))]
        if failed:
            text.append(_failure_text(failed[0]))
        return TuneError('\n'.join(text))


def _indexed(trials: Sequence[Trial]) -> Any:
    """The last results, by trial."""
    return _pandas().DataFrame(
        [{'trial_id': trial.trial_id, **flattened(trial.last_result)}
         for trial in trials]).set_index('trial_id')


def _best_row(frame: Any, metric: Optional[str], mode: Optional[str]) -> int:
    """Where it is in the frame; the last one, where nothing is better."""
    if mode is not None and metric in frame:
        numbers = _pandas().to_numeric(frame[metric], errors='coerce')
        numbers = numbers[numbers.abs() < math.inf]
        if not numbers.empty:
            return int(numbers.idxmax() if mode == 'max' else numbers.idxmin())
    return -1


def _failure_text(trial: Trial) -> str:
    return 'trial %s after iteration %d: %s' % (trial.trial_id, trial.iteration,
                                                trial.error)


class Result:
    """What came of a trial."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial
        self.path = trial.path
        self.checkpoint = trial.checkpoint
        self.error = (TuneError(_failure_text(trial)) if trial.status == 'ERROR'
                      else None)
        self.metrics: Row = trial.last_result

    def __repr__(self) -> str:
        return 'Result(path=%r, metrics=%r, error=%r)' % (self.path, self.metrics,
                                                          self.error)

    @property
    def config(self) -> Dict[str, Any]:
        return self._trial.config

    @property
    def metrics_dataframe(self) -> Any:
        return self._trial.dataframe()

    @property
    def best_checkpoints(self) -> List[Tuple[Checkpoint, Row]]:
        """All that are kept."""
        return self._trial.checkpoints()

    def get_best_checkpoint(self, metric: str, mode: str) -> Optional[Checkpoint]:
        one_of('get_best_checkpoint', 'mode', mode, ('min', 'max'))
        return _best_checkpoint(self._trial, metric, mode)

    @classmethod
    def from_path(cls, path: Union[str, 'os.PathLike[str]']) -> 'Result':
        """From a trial's directory."""
        run, trial = os.path.split(os.path.abspath(os.path.expanduser(os.fspath(path))))
        return cls(ExperimentAnalysis(run).trial(trial))


class ResultGrid:
    """What Tuner.fit() returns: a Result for each trial."""

    def __init__(self, experiment_analysis: ExperimentAnalysis) -> None:
        self._experiment_analysis = experiment_analysis
        self._results = [Result(trial) for trial in experiment_analysis.trials]

    def __len__(self) -> int:
        return len(self._results)

    def __getitem__(self, i: int) -> Result:
        return self._results[i]

    def __iter__(self) -> Iterator[Result]:
        return iter(self._results)

    def __repr__(self) -> str:
        return 'ResultGrid<%s>' % self._results

    @property
    def experiment_path(self) -> str:
        return self._experiment_analysis.experiment_path

    @property
    def errors(self) -> List[Exception]:
        return [result.error for result in self._results if result.error is not None]

    @property
    def num_errors(self) -> int:
        return len(self.errors)

    @property
    def num_terminated(self) -> int:
        return sum(trial.status == 'TERMINATED'
                   for trial in self._experiment_analysis.trials)

    def get_best_result(self, metric: Optional[str] = None, mode: Optional[str] = None,
                        scope: str = 'last', filter_nan_and_inf: bool = True) -> Result:
        if len(self._results) == 1:
            return self._results[0]
        best = self._experiment_analysis.get_best_trial(metric, mode, scope,
                                                        filter_nan_and_inf)
        if best is None:
            raise RuntimeError('No best trial found for the given metric: %s'
                               % (metric or self._experiment_analysis.default_metric))
        return next(result for result in self._results
                    if result.path == best.path)

    def get_dataframe(self, filter_metric: Optional[str] = None,
                      filter_mode: Optional[str] = None) -> Any:
        return self._experiment_analysis.dataframe(filter_metric, filter_mode)
