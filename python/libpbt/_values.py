"""Values on their way: metrics to JSON, configurations from it."""
import math
from typing import Any, Dict, Tuple

EXACT_MAX = 1 << 53  # integers beyond it travel as text
NOT_FINITE = {'NaN': math.nan, 'Infinity': math.inf, '-Infinity': -math.inf}

# What pbt fills in itself: src/wire/metric.c, which a test compares.
RESERVED = frozenset((
    'training_iteration', 'time_this_iter_s', 'time_total_s', 'trial_id', 'date',
    'timestamp', 'pid', 'hostname', 'node_ip', 'config', 'done', 'experiment_tag',
    'experiment_id', 'time_since_restore', 'iterations_since_restore',
    'timesteps_since_restore', 'pbt_epoch', 'pbt_seq', 'pbt_lineage', 'pbt_parent'))
COUNTED = {'timesteps_this_iter': 'timesteps_total',
           'episodes_this_iter': 'episodes_total'}
TOTALS = frozenset(COUNTED.values())


def plain(value: Any, name: str) -> Any:
    """A metric as JSON holds it.  Scalars of NumPy and tensors of one value are numbers."""
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        return int(value) if abs(value) <= EXACT_MAX else str(int(value))
    if isinstance(value, float):
        return _real(float(value))
    if isinstance(value, dict):
        return {_key(key, name): plain(v, '%s/%s' % (name, key))
                for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(v, '%s[%d]' % (name, i)) for i, v in enumerate(value)]
    for method in ('item', 'tolist'):  # one value, or several
        try:
            return plain(getattr(value, method)(), name)
        except (AttributeError, ValueError, RuntimeError):
            pass
    raise TypeError('metric "%s" is a %s; it can be a number, a text, a truth value, '
                    'None, or lists and mappings of those'
                    % (name, type(value).__name__))


def _real(number: float) -> Any:
    if math.isfinite(number):
        return number
    if math.isnan(number):
        return 'NaN'
    return 'Infinity' if number > 0 else '-Infinity'


def _key(key: Any, name: str) -> str:
    if not isinstance(key, str):
        raise TypeError('metric "%s" has the key %r, which is no text' % (name, key))
    return key


def native(value: Any) -> Any:
    """A configuration's value, a copy: numbers that are not finite are numbers again."""
    if isinstance(value, dict):
        return {key: native(v) for key, v in value.items()}
    if isinstance(value, list):
        return [native(v) for v in value]
    return NOT_FINITE.get(value, value) if isinstance(value, str) else value


def merged(config: Any, kept: Dict[str, Any]) -> Any:
    """A configuration from pbt, with what has stayed in the script."""
    for key, value in kept.items():
        if isinstance(value, dict) and isinstance(config.get(key), dict):
            merged(config[key], value)
        else:
            config[key] = value
    return config


def take_done(reported: Any) -> Tuple[Any, bool]:
    """The metrics without `done`, and that."""
    if not isinstance(reported, dict) or 'done' not in reported:
        return reported, False
    rest = dict(reported)
    return rest, bool(rest.pop('done'))


def take_count(reported: Any, iteration: int) -> Any:
    """Without `training_iteration`, if that is what pbt counts anyway: for Ray it need
    not be left out."""
    if (not isinstance(reported, dict) or
            reported.get('training_iteration') != iteration):
        return reported
    return {name: value for name, value in reported.items()
            if name != 'training_iteration'}


def take_metrics(reported: Any, totals: Dict[str, Any]) -> Dict[str, Any]:
    """A step's metrics as they travel, with what follows from them by Ray's rules; what is
    counted over a model's life goes into `totals`."""
    if not isinstance(reported, dict):
        raise TypeError('the metrics of a step are a %s, not a dict'
                        % type(reported).__name__)
    metrics: Dict[str, Any] = {}
    for key, value in reported.items():
        name = _key(key, 'metrics')
        if name.partition('/')[0] in RESERVED or name in TOTALS:
            raise ValueError('metric "%s" can\'t be reported: pbt fills it itself'
                             % name)
        metrics[name] = plain(value, name)
    for increment, total in COUNTED.items():
        if increment in metrics and _is_number(metrics[increment]):
            totals[total] = totals.get(total, 0) + metrics[increment]
        if total in totals:
            metrics[total] = totals[total]
    loss = metrics.get('mean_loss')
    if loss is not None and _is_number(loss) and loss != 0:
        metrics['neg_mean_loss'] = -loss
    return metrics


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
