"""The class API, with Ray's names."""
import copy
import os
from typing import Any, Dict, Optional, Union

from libpbt._checkpoint import Checkpoint, read_notes, write_notes
from libpbt._context import current
from libpbt._values import take_metrics

DICT_FILE = 'checkpoint.pkl'  # where save_checkpoint() returned a dict


class Trainable:
    """A model that is trained step by step.  A subclass has setup(), step(),
    save_checkpoint() and load_checkpoint(), and best reset_config() as well.

    `libpbt.worker(MyTrainable)` hands it to pbt.  Elsewhere `MyTrainable(config)` makes
    one, and restore() loads a checkpoint of a run into it.
    """

    def __init__(self, config: Optional[Dict[str, Any]] = None) -> None:
        self.config: Dict[str, Any] = copy.deepcopy(config) if config else {}
        self._iteration = 0
        self._totals: Dict[str, Any] = {}
        self.setup(copy.deepcopy(self.config))

    # What a subclass has.

    def setup(self, config: Dict[str, Any]) -> None:
        """Makes the model."""

    def step(self) -> Dict[str, Any]:
        """Trains for one iteration, and returns its metrics.  `'done': True` among them
        ends the trial."""
        raise NotImplementedError('%s has no step()' % type(self).__name__)

    def save_checkpoint(self, checkpoint_dir: str
                        ) -> Optional[Union[str, Dict[str, Any]]]:
        """Writes everything that training depends on into the empty directory
        `checkpoint_dir`, and returns nothing, the directory, or the path of a file in it;
        or returns it all as a dict, which is pickled."""
        raise NotImplementedError('%s has no save_checkpoint()' % type(self).__name__)

    def load_checkpoint(self, checkpoint: Any) -> None:
        """Takes what save_checkpoint() returned: the dict, or the path, which lies in
        another directory now."""
        raise NotImplementedError('%s has no load_checkpoint()' % type(self).__name__)

    def reset_config(self, new_config: Dict[str, Any]) -> bool:
        """Goes on with other hyperparameters, and returns True.  Called after each
        load_checkpoint().  Without it every exploit starts a new process."""
        return False

    def cleanup(self) -> None:
        """Releases what the garbage collector doesn't."""

    # What it has from us.

    @property
    def iteration(self) -> int:
        return self._iteration

    @property
    def training_iteration(self) -> int:
        return self._iteration

    @property
    def trial_id(self) -> str:
        """'default' outside a run."""
        context = current()
        return 'default' if context is None else context.get_trial_id()

    @property
    def trial_name(self) -> str:
        """The id."""
        return self.trial_id

    @property
    def logdir(self) -> str:
        """The trial's directory; outside a run the working directory."""
        context = current()
        return os.getcwd() if context is None else context.get_trial_dir()

    @property
    def seed(self) -> int:
        """64 bits for this trial, others after each exploit; 0 outside a run."""
        context = current()
        return 0 if context is None else context.get_seed()

    def get_config(self) -> Dict[str, Any]:
        return self.config

    def train(self) -> Dict[str, Any]:
        """One step, outside a run; its metrics with what follows from them."""
        reported = dict(self.step())
        done = bool(reported.pop('done', False))
        metrics = take_metrics(reported, self._totals)
        self._iteration += 1
        return {**metrics, 'done': done, 'training_iteration': self._iteration}

    def save(self, checkpoint_dir: Optional[str] = None) -> Checkpoint:
        """Saves it into an empty or new directory."""
        if checkpoint_dir is None:
            import tempfile
            checkpoint_dir = tempfile.mkdtemp(prefix='checkpoint.')
        os.makedirs(checkpoint_dir, exist_ok=True)
        notes = _write_saved(self.save_checkpoint(checkpoint_dir), checkpoint_dir)
        write_notes(checkpoint_dir, {**notes, **self._totals,
                                     'iteration': self._iteration})
        return Checkpoint(checkpoint_dir)

    def restore(self, checkpoint_path: Union[str, 'os.PathLike[str]', Checkpoint]
                ) -> None:
        """Loads a checkpoint: of a run, or of save()."""
        if isinstance(checkpoint_path, Checkpoint):
            checkpoint_path = checkpoint_path.path
        path = os.fspath(checkpoint_path)
        if not os.path.isdir(path):
            raise FileNotFoundError('%s: there is no such checkpoint' % path)
        notes = read_notes(path)
        self._iteration = notes.get('iteration', 0)
        self._totals = {name: notes[name] for name in ('timesteps_total',
                                                       'episodes_total')
                        if name in notes}
        self.load_checkpoint(_read_saved(notes, path))

    def stop(self) -> None:
        """The end of a trainable that was made by hand."""
        self.cleanup()


def _write_saved(saved: Any, path: str) -> Dict[str, Any]:
    """Keeps what save_checkpoint() returned; the notes say what that was."""
    if saved is None:
        return {}
    if isinstance(saved, dict):
        import pickle
        with open(os.path.join(path, DICT_FILE), 'xb') as file:
            pickle.dump(saved, file)
        return {'returned': 'dict'}
    if not isinstance(saved, (str, os.PathLike)):
        raise TypeError('save_checkpoint() returned a %s: it has to be nothing, a path '
                        'or a dict' % type(saved).__name__)
    inside = os.path.relpath(os.path.realpath(saved), os.path.realpath(path))
    if inside.split(os.sep)[0] == os.pardir:
        raise ValueError('save_checkpoint() returned %s, which is not in %s'
                         % (os.fspath(saved), path))
    if not os.path.exists(saved):
        raise ValueError('save_checkpoint() returned %s, which isn\'t there'
                         % os.fspath(saved))
    return {} if inside == os.curdir else {'returned': 'path', 'path': inside}


def _read_saved(notes: Dict[str, Any], path: str) -> Any:
    returned = notes.get('returned')
    if returned == 'dict':
        import pickle
        with open(os.path.join(path, DICT_FILE), 'rb') as file:
            return pickle.load(file)
    return os.path.join(path, notes['path']) if returned == 'path' else path
