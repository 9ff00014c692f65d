"""Schedulers, with Ray's names: what becomes the file's section `scheduler`."""
import os
import sys
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

from libpbt._errors import PAGE, TuneError, one_of, refuse
from libpbt._space import Domain, Function, Written

Config = Dict[str, Any]

CLOCK = '''\
libpbt: note: the clock of PopulationBasedTraining is time_total_s, as in Ray: trials are
  compared after every %g seconds of training; time_attr="training_iteration" counts
  iterations'''


class FIFOScheduler:
    """Each trial by itself."""

    def __init__(self) -> None:
        self.metric: Optional[str] = None
        self.mode: Optional[str] = None

    def in_file(self) -> Dict[str, Any]:
        return {'type': 'fifo'}

    def written(self) -> Written:
        """How hyperparameters change."""
        return Written(None, True)

    @property
    def explores(self) -> Optional[Callable[[Config], Config]]:
        return None

    def notes(self) -> List[str]:
        return []


class PopulationBasedTraining(FIFOScheduler):
    """Ray's, with its defaults: docs/scheduler.md has the rules, and where they differ."""

    def __init__(self, time_attr: str = 'time_total_s', metric: Optional[str] = None,
                 mode: Optional[str] = None, perturbation_interval: float = 60.0,
                 burn_in_period: float = 0.0,
                 hyperparam_mutations: Optional[Dict[str, Any]] = None,
                 quantile_fraction: float = 0.25, resample_probability: float = 0.25,
                 perturbation_factors: Sequence[float] = (1.2, 0.8),
                 custom_explore_fn: Optional[Callable[[Config], Config]] = None,
                 log_config: bool = True, require_attrs: bool = True,
                 synch: bool = False, **others: Any) -> None:
        super().__init__()
        call = type(self).__name__
        refuse(call, others)
        one_of(call, 'time_attr', time_attr, ('training_iteration', 'time_total_s'))
        one_of(call, 'mode', mode, (None, 'min', 'max'))
        mutations = hyperparam_mutations or {}
        for name, value in mutations.items():
            self._check(name, value)
        if not mutations and custom_explore_fn is None:
            raise TuneError('%s: neither hyperparam_mutations nor custom_explore_fn say '
                            'what is to change' % call)
        if not 0 <= quantile_fraction <= 0.5:
            raise ValueError('%s: quantile_fraction is %r; it has to be from 0 to 0.5'
                             % (call, quantile_fraction))
        if perturbation_interval <= 0:
            raise ValueError('%s: perturbation_interval is %r; it has to be above 0'
                             % (call, perturbation_interval))
        self.metric = metric
        self.mode = mode
        self._explore = custom_explore_fn
        self._mutations = mutations
        self._file = {
            'type': 'pbt', 'time_attr': time_attr,
            'perturbation_interval': perturbation_interval,
            'burn_in_period': burn_in_period, 'quantile_fraction': quantile_fraction,
            'resample_probability': resample_probability,
            'perturbation_factors': list(perturbation_factors),
            'log_config': log_config, 'require_attrs': require_attrs, 'synch': synch}

    @staticmethod
    def _check(name: str, value: Any) -> None:
        if isinstance(value, Function):
            raise ValueError('hyperparam_mutations: sample_from() can\'t be in there; '
                             'give the function itself for %r' % name)
        if not (isinstance(value, (dict, list, tuple, Domain)) or callable(value)):
            raise TypeError('hyperparam_mutations: %r has to be a list, a tuple, a dict, '
                            'a distribution or a function' % name)

    def in_file(self) -> Dict[str, Any]:
        return dict(self._file)

    def written(self) -> Written:
        return Written(self._mutations, True)

    @property
    def explores(self) -> Optional[Callable[[Config], Config]]:
        return self._explore

    def notes(self) -> List[str]:
        if self._file['time_attr'] == 'training_iteration':
            return []
        return [CLOCK % self._file['perturbation_interval']]


class PopulationBasedTrainingReplay(FIFOScheduler):
    """One trial, whose hyperparameters follow a policy file, ours or Ray's."""

    def __init__(self, policy_file: Union[str, 'os.PathLike[str]']) -> None:
        super().__init__()
        self._file = os.path.abspath(os.path.expanduser(os.fspath(policy_file)))
        if not os.path.isfile(self._file):
            raise ValueError('Policy file not found: %s' % self._file)

    def in_file(self) -> Dict[str, Any]:
        return {'type': 'replay', 'policy': self._file}


def scheduler_of(scheduler: Any) -> FIFOScheduler:
    if scheduler is None:
        return FIFOScheduler()
    if not isinstance(scheduler, FIFOScheduler):
        raise TypeError('the scheduler is a %s; it can be PopulationBasedTraining, '
                        'PopulationBasedTrainingReplay or FIFOScheduler (%s)'
                        % (type(scheduler).__name__, PAGE))
    return scheduler


def metric_and_mode(scheduler: FIFOScheduler, metric: Optional[str],
                    mode: Optional[str]) -> Tuple[Optional[str], Optional[str]]:
    """Either says; both must not."""
    one_of('run', 'mode', mode, (None, 'min', 'max'))
    for name, here, there in (('metric', metric, scheduler.metric),
                              ('mode', mode, scheduler.mode)):
        if here is not None and there is not None:
            raise ValueError('%s is given twice, to the scheduler and beside it: one of '
                             'the two' % name)
    return metric or scheduler.metric, mode or scheduler.mode


def say_notes(scheduler: FIFOScheduler) -> None:
    for note in scheduler.notes():
        print(note, file=sys.stderr)
