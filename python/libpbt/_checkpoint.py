"""Checkpoint, with Ray's interface; and what the client notes in one."""
import contextlib
import json
import os
from typing import Any, Callable, Dict, Iterator, Optional, Union

Path = Union[str, 'os.PathLike[str]']

MANIFEST = '.pbt_manifest.json'  # pbt's, written last: docs/files.md
NOTES = '.pbt_worker.json'  # ours


class Checkpoint:
    """A directory with the files that a trainable has saved."""

    def __init__(self, path: Path) -> None:
        self.path = os.fspath(path)

    def __repr__(self) -> str:
        return 'Checkpoint(path=%r)' % self.path

    def __fspath__(self) -> str:
        """What takes a path takes a checkpoint."""
        return self.path

    @classmethod
    def from_directory(cls, path: Path) -> 'Checkpoint':
        """The files in `path`, which report() copies."""
        return cls(path)

    @contextlib.contextmanager
    def as_directory(self) -> Iterator[str]:
        """The directory itself.  One that pbt has given is only for reading."""
        yield self.path

    def to_directory(self, path: Optional[Path] = None) -> str:
        """Copies the files to `path`, or a new directory; returns that."""
        if path is None:
            import tempfile
            path = tempfile.mkdtemp(prefix='checkpoint.')
        copy_files(self.path, os.fspath(path))
        return os.fspath(path)


def copy_files(source: str, target: str) -> None:
    """Copies what a trainable has saved; the content of links, not the links."""
    import shutil
    shutil.copytree(source, target, dirs_exist_ok=True, ignore=_not_its_own)


def keep_files(source: str, target: str) -> None:
    """The same, in the place of what was there.  Ours, and never written again: linked."""
    import shutil
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(source, target, copy_function=_link, ignore=_not_its_own)


def _not_its_own(_: str, names: Any) -> Any:
    return [name for name in names if name in (MANIFEST, NOTES)]


def _link(source: str, target: str) -> str:
    try:
        os.link(source, target)
        return target
    except OSError:  # not every file system has links
        import shutil
        return shutil.copy2(source, target)


def read_notes(path: str) -> Dict[str, Any]:
    """Nothing, where another program made the checkpoint."""
    try:
        with open(os.path.join(path, NOTES)) as file:
            notes: Dict[str, Any] = json.load(file)
            return notes
    except FileNotFoundError:
        return {}


def write_notes(path: str, notes: Dict[str, Any]) -> None:
    with open(os.path.join(path, NOTES), 'w') as file:
        json.dump({'version': 1, **notes}, file)
        file.write('\n')


Saver = Callable[[str], Any]  # writes a checkpoint's files into an empty directory
