"""How what a script trains reaches its workers: each of them runs the script again.

In a worker the call of run() or fit() that the experiment is of becomes the worker, and never
returns; calls before it return the results of their runs.  Where there is no script to run again
(a notebook, a test), a worker imports what it trains, or loads it with cloudpickle.
"""
import builtins
import importlib
import os
import re
import sys
from typing import Any, Dict, List, Optional

from libpbt._channel import begun_in
from libpbt._errors import TuneError

PICKLES = '.libpbt'  # the directory of what workers load, beside the runs
LOADS = re.compile(r'^command: .*, libpbt\._load, ("[^"\n]*"|[^,\n]*)', re.M)
CELL = re.compile(r'\S*[/\\]ipykernel_\d+[/\\]\d+\.py|<ipython-input-\d+-\w+>')
CALL = 'LIBPBT_CALL'  # of which call of the script a worker is; in the run's `env`
RUNS = 'LIBPBT_RUNS'  # where the runs of the calls before it lie
OTHERS = ('pytest', 'py.test', 'unittest', 'ipykernel')  # they run scripts of others

IN_CHILD = '''\
run() was called in a process that multiprocessing has started, which runs the script again: \
put it below `if __name__ == '__main__':`'''
TO_A_FILE = '''\
%s is defined in a notebook, or at a prompt, where no worker can find it: move it to a file \
and import that, or install cloudpickle (pip install cloudpickle)'''

_runs: List[str] = []  # of the calls before this one; '' for one that has none


class Calls:
    """The calls of run() and fit() in this process."""

    def __init__(self) -> None:
        self.number = 0

    def begin(self) -> None:
        if _is_child():
            raise RuntimeError(IN_CHILD)
        self.number += 1

    def is_ours(self) -> bool:
        """In a worker: whether this call is the one that it is started for."""
        return self.number == int(os.environ.get(CALL, '1'))

    def earlier(self) -> str:
        """In a worker: where the run of this call, before the worker's own, lies."""
        before = os.environ.get(RUNS, '').split(os.pathsep)
        if self.number > len(before) or not before[self.number - 1]:
            raise TuneError('an earlier call of run() or fit() in %s is needed again: run '
                            'the script itself, not `pbt resume`' % sys.argv[0])
        return before[self.number - 1]

    def ended(self, directory: str) -> None:
        _runs.append(directory)

    def environment(self) -> Dict[str, str]:
        return {RUNS: os.pathsep.join(_runs)} if _runs else {}


calls = Calls()


def _is_child() -> bool:
    return sys.modules.get('__mp_main__') not in (None, sys.modules['__main__'])


# --- the command of a worker --------------------------------------------------------

def command_of(trainable: Any, kept: Dict[str, Any], storage: str) -> List[str]:
    """`kept`: the part of its configuration that isn't in the file."""
    script = _script()
    if script is not None:
        return [sys.executable, *_flags(), *script]
    name = None if kept else _importable(trainable)
    if name is None:
        name = _pickled(trainable, kept, storage)
    return [sys.executable, *_flags(), '-m', 'libpbt._load', name,
            os.pathsep.join(path or os.getcwd() for path in sys.path)]


def _flags() -> List[str]:
    """-O, -W, -X and their like: what multiprocessing passes on."""
    from subprocess import _args_from_interpreter_flags  # type: ignore[attr-defined]
    flags: List[str] = _args_from_interpreter_flags()
    return flags


def _script() -> Optional[List[str]]:
    """The script with its arguments; None: there is none to be run again."""
    main = sys.modules['__main__']
    path = getattr(main, '__file__', None)
    spec = getattr(main, '__spec__', None)
    if path is None or hasattr(sys, 'ps1') or hasattr(builtins, '__IPYTHON__'):
        return None
    name = os.path.basename(path) if spec is None else spec.name.split('.')[0]
    if name in OTHERS:
        return None
    if spec is None:
        return [os.path.join(begun_in, path), *sys.argv[1:]]
    module = re.sub(r'\.__main__$', '', spec.name)
    return ['-m', module, *sys.argv[1:]]


def _importable(trainable: Any) -> Optional[str]:
    """'module:name', if that leads to it."""
    module = getattr(trainable, '__module__', None)
    name = getattr(trainable, '__qualname__', None)
    if module in (None, '__main__') or name is None or '<' in name:
        return None
    try:
        found = find('%s:%s' % (module, name))
    except (ImportError, AttributeError):
        return None
    return '%s:%s' % (module, name) if found is trainable else None


def find(name: str) -> Any:
    module, _, inside = name.partition(':')
    found: Any = importlib.import_module(module)
    for part in inside.split('.'):
        found = getattr(found, part)
    return found


def _digest(content: bytes, cloudpickle: Any) -> str:
    """The same for a cell that is run again, also by another kernel.

    Left out: the files that IPython calls cells by, and cloudpickle's name for a class, which
    is new each time."""
    import hashlib
    import pickletools
    classes = set(getattr(cloudpickle.cloudpickle, '_DYNAMIC_CLASS_TRACKER_BY_CLASS',
                          {}).values())
    digest = hashlib.sha256()
    for opcode, value, _ in pickletools.genops(content):
        if opcode.name == 'FRAME':
            continue
        if isinstance(value, str):
            value = '' if value in classes else CELL.sub('', value)
        digest.update(opcode.name.encode())
        digest.update(value if isinstance(value, bytes) else repr(value).encode())
    return digest.hexdigest()


def command_again(trainable: Any, kept: Dict[str, Any], run: str,
                  storage: str) -> Optional[List[str]]:
    """For a run whose workers load what was pickled: the command that loads what is there
    now, a class that was mended say.  None: its command finds that by itself."""
    with open(os.path.join(run, 'experiment.yaml')) as file:
        found = LOADS.search(file.read())
    if found is None or _script() is not None:
        return None
    path = found.group(1).strip('"')
    if not kept and path.endswith('.pkl') and os.path.exists(path):
        import pickle
        with open(path, 'rb') as pickled:
            kept = {sys.intern(name): value  # as a script's own, so that it is pickled alike
                    for name, value in pickle.load(pickled)[1].items()}
    return command_of(trainable, kept, storage)


def _pickled(trainable: Any, kept: Dict[str, Any], storage: str) -> str:
    """A file with it, called after its content: so that the same one is the same run."""
    try:
        import cloudpickle  # type: ignore
    except ImportError:
        name = getattr(trainable, '__name__', 'the trainable')
        raise TuneError(TO_A_FILE % name) from None
    content = cloudpickle.dumps((trainable, kept))
    directory = os.path.join(storage, PICKLES)
    path = os.path.join(directory, _digest(content, cloudpickle)[:16] + '.pkl')
    os.makedirs(storage, exist_ok=True)
    os.makedirs(directory, 0o700, exist_ok=True)
    if not os.path.exists(path):
        with open('%s.%d' % (path, os.getpid()), 'wb') as file:
            file.write(content)
        os.rename(file.name, path)
    return path
