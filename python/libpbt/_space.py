"""Search spaces: Ray's functions, as the experiment file has them."""
import json
import math
import random
from types import SimpleNamespace
from typing import Any, Callable, Dict, Iterable, List, Optional, Sequence, Tuple

Space = Dict[str, Any]
Draw = Callable[[random.Random], Any]


class Domain:
    """A distribution: of a hyperparameter's first value, or of those to explore."""

    def __init__(self, name: str, values: Sequence[Any], draw: Draw) -> None:
        self._name = name
        self._values = list(values)
        self._draw = draw

    def __repr__(self) -> str:
        return '%s(%s)' % (self._name, ', '.join(map(repr, self._values)))

    def in_file(self) -> Dict[str, Any]:
        return {self._name: self._values}

    def sample(self, size: int = 1) -> Any:
        """A value, or a list of several: for trying it out."""
        drawn = [self._draw(_generator) for _ in range(size)]
        return drawn[0] if size == 1 else drawn


_generator = random.Random()


class Function:
    """sample_from(): a first value from the other values."""

    def __init__(self, func: Callable[..., Any]) -> None:
        if not callable(func):
            raise TypeError('sample_from() takes a function')
        self.func = func
        import inspect
        self._takes_spec = len(inspect.signature(func).parameters) > 0

    def __repr__(self) -> str:
        return 'sample_from(%r)' % self.func

    def call(self, config: Space) -> Any:
        spec = SimpleNamespace(config=_namespace(config))
        return self.func(spec) if self._takes_spec else self.func()


class _Config(SimpleNamespace):
    """spec.config: both spec.config.lr and spec.config['lr']."""

    def __getitem__(self, name: str) -> Any:
        return getattr(self, name)


def _namespace(value: Any) -> Any:
    if isinstance(value, dict):
        return _Config(**{key: _namespace(v) for key, v in value.items()})
    return value


def _rounded(value: float, step: float) -> float:
    return round(value / step) * step


def uniform(lower: float, upper: float) -> Domain:
    """A real in [lower, upper)."""
    return Domain('uniform', (lower, upper), lambda r: r.uniform(lower, upper))


def quniform(lower: float, upper: float, q: float) -> Domain:
    """A multiple of q, both ends included."""
    return Domain('quniform', (lower, upper, q),
                  lambda r: _rounded(r.uniform(lower, upper), q))


def loguniform(lower: float, upper: float, base: object = None) -> Domain:
    """A real in [lower, upper), uniform in its logarithm; its base changes nothing."""
    return Domain('loguniform', (lower, upper), lambda r: _log(r, lower, upper))


def qloguniform(lower: float, upper: float, q: float,
                base: object = None) -> Domain:
    return Domain('qloguniform', (lower, upper, q),
                  lambda r: _rounded(_log(r, lower, upper), q))


def _log(generator: random.Random, lower: float, upper: float) -> float:
    return math.exp(generator.uniform(math.log(lower), math.log(upper)))


def randn(mean: float = 0.0, sd: float = 1.0) -> Domain:
    """A normal real."""
    return Domain('randn', (mean, sd), lambda r: r.gauss(mean, sd))


def qrandn(mean: float, sd: float, q: float) -> Domain:
    return Domain('qrandn', (mean, sd, q), lambda r: _rounded(r.gauss(mean, sd), q))


def randint(lower: int, upper: int) -> Domain:
    """A whole number in [lower, upper)."""
    return Domain('randint', (lower, upper), lambda r: r.randrange(lower, upper))


def qrandint(lower: int, upper: int, q: int = 1) -> Domain:
    """A multiple of q, both ends included."""
    return Domain('qrandint', (lower, upper, q),
                  lambda r: r.randrange(lower, upper + 1, q))


def lograndint(lower: int, upper: int, base: object = None) -> Domain:
    """A whole number in [lower, upper), uniform in its logarithm."""
    return Domain('lograndint', (lower, upper), lambda r: int(_log(r, lower, upper)))


def qlograndint(lower: int, upper: int, q: int, base: object = None) -> Domain:
    return Domain('qlograndint', (lower, upper, q),
                  lambda r: int(_rounded(_log(r, lower, upper), q)))


def choice(categories: Sequence[Any]) -> Domain:
    """One of the values."""
    values = list(categories)
    return Domain('choice', values, lambda r: r.choice(values))


def sample_from(func: Callable[..., Any]) -> Function:
    """What `func` says, from `spec.config`: the trial's other values."""
    return Function(func)


def grid_search(values: Iterable[Any]) -> Dict[str, List[Any]]:
    """Each of the values, for as many trials."""
    return {'grid_search': list(values)}


# --- into the experiment file -----------------------------------------------------

class Written:
    """A space as the file has it; what stays in the script; what is asked for."""

    def __init__(self, space: Optional[Space], mutations: bool = False) -> None:
        self.kept: Space = {}  # constants that are no JSON: the script has them
        self.functions: Dict[str, Callable[[Space], Any]] = {}  # 'outer/inner'
        self._mutations = mutations
        self.space: Space = self._mapping(space or {}, ())

    def _mapping(self, space: Space, path: Tuple[str, ...]) -> Space:
        written: Space = {}
        for key, value in space.items():
            if not isinstance(key, str):
                raise TypeError('%r is the name of a hyperparameter, and no text'
                                % (key,))
            self._value(value, path + (key,), written)
        return written

    def _value(self, value: Any, path: Tuple[str, ...], written: Space) -> None:
        key, name = path[-1], '/'.join(path)
        if isinstance(value, Domain):
            written[key] = _plain(value.in_file(), name)
        elif isinstance(value, Function):
            if self._mutations:
                raise ValueError('hyperparam_mutations: sample_from() can\'t be in '
                                 'there; give the function itself for %r' % name)
            self._function(value.call, name, written, key)
        elif isinstance(value, dict):
            written[key] = (_plain(value, name) if set(value) == {'grid_search'}
                            else self._mapping(value, path))
        elif self._mutations and callable(value):
            self._function(lambda config: value(), name, written, key)
        else:
            try:
                written[key] = _plain(value, name)
            except TypeError:
                if self._mutations:
                    raise
                self._keep(value, path)

    def _function(self, call: Callable[[Space], Any], name: str, written: Space,
                  key: str) -> None:
        self.functions[name] = call
        kind = 'mutation' if self._mutations else 'config'
        written[key] = {'function': '%s %s' % (kind, name)}

    def names(self) -> List[str]:
        kind = 'mutation' if self._mutations else 'config'
        return ['%s %s' % (kind, name) for name in self.functions]

    def _keep(self, value: Any, path: Tuple[str, ...]) -> None:
        inside = self.kept
        for key in path[:-1]:
            inside = inside.setdefault(key, {})
        inside[path[-1]] = value


def _plain(value: Any, name: str) -> Any:
    """A constant, as JSON has it."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        if math.isfinite(value):
            return value
        return json.dumps(value)  # 'NaN', 'Infinity': the file's names of them
    if isinstance(value, dict):
        return {_text(key, name): _plain(v, name) for key, v in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(v, name) for v in value]
    if type(value).__module__ == 'numpy':
        return _plain(value.tolist(), name)
    raise TypeError('hyperparameter %r: a %s can\'t be among its values: numbers, '
                    'texts, truth values, None, and lists and dicts of them can'
                    % (name, type(value).__name__))


def _text(key: Any, name: str) -> str:
    if not isinstance(key, str):
        raise TypeError('hyperparameter %r has the key %r, which is no text'
                        % (name, key))
    return key
