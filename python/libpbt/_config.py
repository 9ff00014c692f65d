"""Configurations of an experiment, with Ray's names, and how they become its file."""
import datetime
from dataclasses import dataclass
from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Union

from libpbt._errors import PAGE, one_of, refuse, without_none

Columns = Union[List[str], Dict[str, str], None]


@dataclass
class CheckpointConfig:
    """When trials save, and what is kept; see docs/experiment-file.md."""

    num_to_keep: Optional[int] = None
    checkpoint_score_attribute: Optional[str] = None
    checkpoint_score_order: Optional[str] = 'max'
    checkpoint_frequency: Optional[int] = 0
    checkpoint_at_end: Optional[bool] = None

    def __post_init__(self) -> None:
        if self.num_to_keep is not None and self.num_to_keep <= 0:
            raise ValueError('CheckpointConfig: num_to_keep is %r; it has to be 1 at '
                             'least' % self.num_to_keep)
        if self.checkpoint_frequency is not None and self.checkpoint_frequency < 0:
            raise ValueError('CheckpointConfig: checkpoint_frequency is %r; it has to be '
                             '0 at least' % self.checkpoint_frequency)
        one_of('CheckpointConfig', 'checkpoint_score_order',
               self.checkpoint_score_order, (None, 'min', 'max'))

    def in_file(self) -> Dict[str, Any]:
        return without_none({
            'num_to_keep': self.num_to_keep,
            'score_attribute': self.checkpoint_score_attribute,
            'score_order': (None if self.checkpoint_score_attribute is None else
                            self.checkpoint_score_order),
            'frequency': self.checkpoint_frequency,
            'at_end': self.checkpoint_at_end})


@dataclass
class FailureConfig:
    """`max_failures`: so often a trial is tried again; -1: for ever."""

    max_failures: int = 0
    fail_fast: Union[bool, str] = False

    def __post_init__(self) -> None:
        one_of('FailureConfig', 'fail_fast', self.fail_fast, (False, True, 'raise'))
        if self.fail_fast and self.max_failures != 0:
            raise ValueError('FailureConfig: with fail_fast max_failures has to be 0')

    def in_file(self) -> Dict[str, Any]:
        return {'max_failures': self.max_failures, 'fail_fast': bool(self.fail_fast)}


class CLIReporter:
    """What the status table shows."""

    def __init__(self, *, metric_columns: Columns = None,
                 parameter_columns: Columns = None, total_samples: Optional[int] = None,
                 max_progress_rows: int = 20, max_error_rows: int = 20,
                 max_column_length: int = 20, max_report_frequency: int = 5,
                 infer_limit: int = 3, print_intermediate_tables: Optional[bool] = None,
                 metric: Optional[str] = None, mode: Optional[str] = None,
                 sort_by_metric: bool = False) -> None:
        self._metric_columns = metric_columns
        self._parameter_columns = parameter_columns
        self._rows = max_progress_rows
        # The rest says when and how Ray prints it; here it is shown in place.

    def add_metric_column(self, metric: str, representation: Optional[str] = None
                          ) -> None:
        self._metric_columns = _with(self._metric_columns, metric, representation)

    def add_parameter_column(self, parameter: str, representation: Optional[str] = None
                             ) -> None:
        self._parameter_columns = _with(self._parameter_columns, parameter,
                                        representation)

    def in_file(self) -> Dict[str, Any]:
        return without_none({'metric_columns': _columns(self._metric_columns),
                             'parameter_columns': _columns(self._parameter_columns),
                             'max_progress_rows': self._rows})


class JupyterNotebookReporter(CLIReporter):
    """The same table, in a notebook."""

    def __init__(self, overwrite: bool = True, **others: Any) -> None:
        super().__init__(**others)


def _columns(columns: Columns) -> Columns:
    return columns if columns is None or isinstance(columns, dict) else list(columns)


def _with(columns: Columns, name: str, label: Optional[str]) -> Columns:
    labels = dict(columns) if isinstance(columns, dict) else {
        column: column for column in columns or []}
    if name in labels:
        raise ValueError('the column %r is there already' % name)
    return {**labels, name: label or name}


class SyncConfig:
    """How Ray copies results.  Here they lie where they are written: nothing of it
    matters."""

    def __init__(self, sync_period: int = 300, sync_timeout: int = 1800,
                 sync_artifacts: bool = False, sync_artifacts_on_checkpoint: bool = True,
                 **others: Any) -> None:
        refuse('SyncConfig', others)


@dataclass
class TuneConfig:
    """What is searched, and how."""

    mode: Optional[str] = None
    metric: Optional[str] = None
    search_alg: Any = None
    scheduler: Any = None
    num_samples: int = 1
    max_concurrent_trials: Optional[int] = None
    time_budget_s: Union[int, float, datetime.timedelta, None] = None
    reuse_actors: bool = False
    trial_name_creator: Any = None
    trial_dirname_creator: Any = None


@dataclass
class RunConfig:
    """Where a run lies, when it stops, what is kept of it.

    `experiment` is ours: keys of the experiment file, laid over what follows from the
    rest, such as {'seed': 1, 'timeouts': {'step': 600}}.
    """

    name: Optional[str] = None
    storage_path: Optional[str] = None
    storage_filesystem: Any = None
    failure_config: Optional[FailureConfig] = None
    checkpoint_config: Optional[CheckpointConfig] = None
    sync_config: Optional[SyncConfig] = None
    verbose: Optional[int] = None
    stop: Union[Mapping[str, Any], Callable[[str, Mapping[str, Any]], bool], Any] = None
    callbacks: Optional[Sequence[Any]] = None
    progress_reporter: Optional[CLIReporter] = None
    log_to_file: Any = False
    local_dir: Optional[str] = None
    experiment: Optional[Dict[str, Any]] = None


def resources_in_file(call: str, resources: Optional[Mapping[str, Any]]
                      ) -> Dict[str, Any]:
    """resources_per_trial."""
    if resources is None:
        return {}
    if not isinstance(resources, Mapping):
        raise TypeError('%s: resources are a dict such as {"cpu": 2, "gpu": 0.5}, not a '
                        '%s (%s)' % (call, type(resources).__name__, PAGE))
    written = {}
    for name, value in resources.items():
        if name.lower() not in ('cpu', 'gpu', 'memory'):
            raise ValueError('%s: the resource %r isn\'t known here; cpu, gpu and memory '
                             'are (%s)' % (call, name, PAGE))
        if value or name.lower() == 'cpu':
            written[name.lower()] = value
    if written.get('cpu') == 0:
        del written['cpu']
        if not written:
            raise ValueError('%s: a trial has to take some CPU or GPU' % call)
    return written


def checkpoint_config_of(config: Optional[CheckpointConfig], keep: Optional[int],
                         score: Optional[str], frequency: int, at_end: bool
                         ) -> CheckpointConfig:
    """Ray's older keywords of run()."""
    if config is not None:
        if keep is not None or score is not None or frequency or at_end:
            raise ValueError('run: checkpoint_config and the older keywords '
                             'keep_checkpoints_num, checkpoint_score_attr, '
                             'checkpoint_freq and checkpoint_at_end: one of the two')
        return config
    order = 'max'
    if score is not None and score.startswith('min-'):
        order, score = 'min', score[len('min-'):]
    return CheckpointConfig(keep, score, order, frequency, at_end)
