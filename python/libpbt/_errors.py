"""What is raised, and how keywords of Ray's that there aren't are refused."""
from typing import Any, Dict, Mapping

PAGE = 'docs/from-ray.md'


class TuneError(Exception):
    """An experiment did not come to its end, or a trial of it has failed."""


# Of several calls: what to do instead.
INSTEAD = {
    'search_alg': 'the population is drawn from the search space; a grid is '
                  'grid_search(...)',
    'trial_name_creator': 'trials are called as in Ray without it',
    'trial_dirname_creator': 'the directory of a trial is called after its id',
    'sync_config': 'runs lie on this machine\'s file systems',
    'storage_filesystem': 'runs lie on this machine\'s file systems',
    'callbacks': 'read the run\'s files, or do it in the trainable',
    'export_formats': '`pbt best RUN --export DIR` copies the best checkpoint',
    'resume_config': 'the same call goes on with an unfinished run',
}


def refuse(call: str, others: Mapping[str, Any]) -> None:
    """An error if any keyword is left; those that say nothing are let through."""
    for name, value in others.items():
        if name in INSTEAD and value in (None, False, [], ()):
            continue
        why = INSTEAD.get(name)
        raise TypeError('%s() does not take %r%s (%s)'
                        % (call, name, '' if why is None else ': ' + why, PAGE))


def one_of(call: str, name: str, value: Any, possible: Any) -> None:
    if value not in possible:
        raise ValueError('%s: %s is %r; it can be %s (%s)' % (
            call, name, value, ' or '.join(repr(word) for word in possible), PAGE))


def without_none(keys: Dict[str, Any]) -> Dict[str, Any]:
    return {key: value for key, value in keys.items() if value is not None}
