"""Stoppers, with Ray's names: objects that say when a trial, or all, are to end.

They live in the script's process, which each result asks before it is recorded
(docs/python.md).
"""
import datetime
import time
from collections import defaultdict, deque
from typing import Any, Callable, Deque, Dict, Iterable, List, Optional, Union

Result = Dict[str, Any]


class Stopper:
    """`__call__` says whether a trial ends with this result, `stop_all` whether all do."""

    def __call__(self, trial_id: str, result: Result) -> bool:
        raise NotImplementedError('%s has no __call__(trial_id, result)'
                                  % type(self).__name__)

    def stop_all(self) -> bool:
        raise NotImplementedError('%s has no stop_all()' % type(self).__name__)


class NoopStopper(Stopper):
    def __call__(self, trial_id: str, result: Result) -> bool:
        return False

    def stop_all(self) -> bool:
        return False


class FunctionStopper(Stopper):
    """A function of (trial_id, result)."""

    def __init__(self, function: Callable[[str, Result], bool]) -> None:
        self._function = function

    def __call__(self, trial_id: str, result: Result) -> bool:
        return bool(self._function(trial_id, result))

    def stop_all(self) -> bool:
        return False


class MaximumIterationStopper(Stopper):
    """Ends each trial after so many iterations."""

    def __init__(self, max_iter: int) -> None:
        self._max_iter = max_iter

    def __call__(self, trial_id: str, result: Result) -> bool:
        return bool(result['training_iteration'] >= self._max_iter)

    def stop_all(self) -> bool:
        return False


class TimeoutStopper(Stopper):
    """Ends everything after so many seconds, at the next result."""

    def __init__(self, timeout: Union[int, float, datetime.timedelta]) -> None:
        self._seconds = seconds_of(timeout)
        self._begun = time.monotonic()

    def __call__(self, trial_id: str, result: Result) -> bool:
        return False

    def stop_all(self) -> bool:
        return time.monotonic() - self._begun >= self._seconds


def _deviation(values: Iterable[float]) -> float:
    import statistics  # few need it
    return statistics.pstdev(values)


class TrialPlateauStopper(Stopper):
    """Ends a trial whose last results have a standard deviation below `std`."""

    def __init__(self, metric: str, std: float = 0.01, num_results: int = 4,
                 grace_period: int = 4, metric_threshold: Optional[float] = None,
                 mode: Optional[str] = None) -> None:
        if metric_threshold is not None and mode not in ('min', 'max'):
            raise ValueError('TrialPlateauStopper: with a metric_threshold mode has to '
                             'be "min" or "max"')
        self._metric = metric
        self._std = std
        self._grace = max(grace_period, num_results)
        self._threshold = metric_threshold
        self._mode = mode
        self._count: Dict[str, int] = defaultdict(int)
        self._last: Dict[str, Deque[float]] = defaultdict(
            lambda: deque(maxlen=num_results))

    def __call__(self, trial_id: str, result: Result) -> bool:
        value = result.get(self._metric)
        if value is None:
            return False
        self._count[trial_id] += 1
        self._last[trial_id].append(value)
        if self._count[trial_id] < self._grace:
            return False
        if self._threshold is not None:
            reached = (value <= self._threshold if self._mode == 'min' else
                       value >= self._threshold)
            if not reached:
                return False
        return _deviation(self._last[trial_id]) < self._std

    def stop_all(self) -> bool:
        return False


class ExperimentPlateauStopper(Stopper):
    """Ends everything when the best `top` results stay within `std` of each other for
    `patience` results more."""

    def __init__(self, metric: str, std: float = 0.001, top: int = 10, mode: str = 'min',
                 patience: int = 0) -> None:
        if mode not in ('min', 'max'):
            raise ValueError('ExperimentPlateauStopper: mode has to be "min" or "max"')
        if not (isinstance(top, int) and top > 1):
            raise ValueError('ExperimentPlateauStopper: top has to be above 1')
        if not (isinstance(patience, int) and patience >= 0):
            raise ValueError('ExperimentPlateauStopper: patience has to be 0 at least')
        if not (isinstance(std, float) and std > 0):
            raise ValueError('ExperimentPlateauStopper: std has to be a number above 0')
        self._metric = metric
        self._std = std
        self._top = top
        self._mode = mode
        self._patience = patience
        self._idle = 0
        self._best: List[float] = []

    def __call__(self, trial_id: str, result: Result) -> bool:
        self._best.append(result[self._metric])
        self._best.sort(reverse=self._mode == 'max')
        del self._best[self._top:]
        still = (len(self._best) == self._top and
                 _deviation(self._best) <= self._std)
        self._idle = self._idle + 1 if still else 0
        return self.stop_all()

    def stop_all(self) -> bool:
        return self._idle > 0 and self._idle >= self._patience


class CombinedStopper(Stopper):
    """Any of several."""

    def __init__(self, *stoppers: Stopper) -> None:
        self._stoppers = stoppers

    def __call__(self, trial_id: str, result: Result) -> bool:
        return any([stopper(trial_id, result) for stopper in self._stoppers])

    def stop_all(self) -> bool:
        return any([stopper.stop_all() for stopper in self._stoppers])


def seconds_of(value: Union[int, float, datetime.timedelta]) -> float:
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    return value


def stopper_of(stop: Any) -> Optional[Stopper]:
    """What has to be asked at each result; None: nothing."""
    if isinstance(stop, Stopper):
        return stop
    return FunctionStopper(stop) if callable(stop) else None


class _Flags(Stopper):
    """Ends a trial whose result has one of these as true."""

    def __init__(self, names: List[str]) -> None:
        self._names = names

    def __call__(self, trial_id: str, result: Result) -> bool:
        return any(result.get(name) is True for name in self._names)

    def stop_all(self) -> bool:
        return False


def flags_of(stop: Any) -> Optional[Stopper]:
    """For the bounds that are no numbers, which the file doesn't have: {'diverged': True}."""
    names = [name for name, bound in stop.items() if bound is True and name != 'done'
             ] if isinstance(stop, dict) else []
    return _Flags(names) if names else None


def stop_in_file(stop: Any) -> Optional[Dict[str, Any]]:
    """Criteria that pbt looks at itself, as the file has them; None: it can't."""
    if isinstance(stop, MaximumIterationStopper):
        return {'training_iteration': stop._max_iter}
    if stop is None or isinstance(stop, dict):  # a result that is done always ends it
        return {key: bound for key, bound in (stop or {}).items() if bound is not True}
    if not isinstance(stop, Stopper) and not callable(stop):
        raise TypeError('stop is a dict of bounds, a function of (trial_id, result), '
                        'or a Stopper; not a %s' % type(stop).__name__)
    return None
