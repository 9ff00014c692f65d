"""Do the optimisers of a Trainable take the new values of hyperparameters?

An optimiser is what has `param_groups`, a list of dicts, as all of PyTorch's have.  Which entry of
those is which hyperparameter is learnt after setup(), where both have the same value.  After
reset_config() and a step an entry that still has the value of before is one that was forgotten.
"""
from typing import Any, Dict, List, Tuple

OBJECTS_MAX = 1000  # that are looked into
Link = Tuple[str, str]  # the name of a hyperparameter, an entry


def _groups(model: Any) -> List[Dict[str, Any]]:
    """Of the optimisers among its attributes, in lists and dicts there, and in objects of its
    own."""
    found: List[Dict[str, Any]] = []
    level, seen = [model], {id(model)}
    for _ in range(3):
        inside: List[Any] = []
        for owner in level:
            if isinstance(owner, (list, tuple)):
                inside += owner
            elif isinstance(owner, dict):
                inside += owner.values()
            else:
                inside += getattr(owner, '__dict__', {}).values()
        level = []
        for value in inside:
            if id(value) in seen or len(seen) > OBJECTS_MAX:
                continue
            seen.add(id(value))
            groups = _param_groups(value)
            found += groups
            if not groups and not isinstance(value, (str, bytes, int, float, type)):
                level.append(value)
    return found


def _param_groups(value: Any) -> List[Dict[str, Any]]:
    try:
        groups = value.param_groups
    except Exception:  # pylint: disable=broad-except  # whatever it does to be asked
        return []
    good = isinstance(groups, list) and all(isinstance(group, dict) for group in groups)
    return groups if good else []


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _numbers(config: Any, before: str = '') -> Dict[str, float]:
    """By their names, nested ones as `outer/inner`."""
    found: Dict[str, float] = {}
    for key, value in config.items():
        if isinstance(value, dict):
            found.update(_numbers(value, '%s%s/' % (before, key)))
        elif _is_number(value):
            found['%s%s' % (before, key)] = value
    return found


def _values(groups: List[Dict[str, Any]], entry: str) -> List[Any]:
    return [group[entry] for group in groups if _is_number(group.get(entry))]


class Watch:
    def __init__(self, model: Any, config: Dict[str, Any]) -> None:
        """After setup()."""
        self._before: Dict[Link, List[Any]] = {}  # while a step is waited for
        self._new: Dict[str, float] = {}
        groups, numbers = _groups(model), _numbers(config)
        entries = sorted({entry for group in groups for entry in group})
        self._links: List[Link] = [
            (name, entry) for name, value in numbers.items() for entry in entries
            if value in _values(groups, entry) and
            (name.split('/')[-1] == entry or list(numbers.values()).count(value) == 1)]

    def loaded(self, model: Any, config: Dict[str, Any]) -> None:
        """Before reset_config() with it."""
        groups = _groups(model) if self._links else []
        self._new = _numbers(config)
        self._before = {link: _values(groups, link[1]) for link in self._links}

    def forgotten(self, model: Any) -> List[str]:
        """After the first step: whose values have not come through."""
        found, groups = [], _groups(model) if self._before else []
        for (name, entry), before in self._before.items():
            new = self._new.get(name)
            if new is not None and before and new not in before and \
                    _values(groups, entry) == before:
                found.append(name)
        self._before = {}
        return found
