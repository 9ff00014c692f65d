"""The worker's side of docs/protocol.md: what pbt says, and what is answered.

A host (_class.py, _function.py) has the model.  `Worker` calls it for start, load and save;
the host calls `rest()` for its next grant and `result()` after each step.
"""
import os
import sys
import time
from typing import Any, Dict, List, Optional, Protocol, Sequence

from libpbt._channel import Message
from libpbt._context import Place, get_context
from libpbt._ranks import open_channel
from libpbt._stop import Stops
from libpbt._values import merged, native

VERSION = '0.1.0'


class Host(Protocol):
    capabilities: List[str]
    trains: str  # the name of what trains, for errors
    kept: Dict[str, Any]  # what each configuration has beside what pbt knows
    stopper: Optional[Stops]  # None: nobody is asked

    def leave(self, kind: str) -> None:
        """A start or load comes next, or the end: whatever was trained ends here.  If it
        raises, `enter()` is to be called when that has been caught."""

    def start(self, config: Dict[str, Any], checkpoint: Optional[str]) -> None: ...

    def load(self, config: Dict[str, Any], checkpoint: str) -> None: ...

    def save(self, path: str) -> None: ...


class Stopped(SystemExit):
    """pbt has said stop."""


class Worker:
    def __init__(self, host: Host) -> None:
        self.iteration = 0
        self.doing = 'setup'  # for whoever reads an error
        self.running = False  # under a grant
        self._host = host
        self._place = Place()
        self._channel = open_channel()
        self._epoch = self._seq = self._until = 0
        self._time_total_s = 0.0
        self._halt = False  # asked for in mid-run, not answered yet
        self._opening: Message = {}  # the start or load that is to be answered
        self._channel.send('hello', protocol=1, client='libpbt Python ' + VERSION,
                           capabilities=host.capabilities, pid=os.getpid(),
                           host=os.uname().nodename)

    def rest(self) -> None:
        """Obeys until there is a grant."""
        while not self.running:
            command = self._channel.receive(True)
            assert command is not None
            self._obey(command)

    def result(self, metrics: Dict[str, Any], seconds: float, done: bool,
               ignored: Sequence[str] = ()) -> None:
        """A step was done; `done`: the last one; `ignored`: hyperparameters that have had
        no effect on it."""
        while not self._halt:  # what came during the step, up to a halt
            command = self._channel.receive(False)
            if command is None:
                break
            self._obey(command)
        self.iteration += 1
        self._seq += 1
        self._time_total_s += seconds
        if self._host.stopper is not None:
            done = self._asked(self._host.stopper, metrics, seconds, done)
        done = self._channel.agree(done)
        self.running = self.iteration < self._until and not self._halt and not done
        self._halt = False
        members: Dict[str, Any] = {'done': True} if done else {}
        if ignored:
            members['ignored'] = list(ignored)
        self._channel.send('result', epoch=self._epoch, seq=self._seq,
                           iteration=self.iteration, halted=not self.running,
                           time_this_iter_s=seconds,
                           time_total_s=self._time_total_s, metrics=metrics,
                           **members)

    def _asked(self, stopper: Stops, metrics: Dict[str, Any], seconds: float,
               done: bool) -> bool:
        try:
            return stopper.says_so(
                metrics, training_iteration=self.iteration, done=done,
                time_this_iter_s=seconds, time_total_s=self._time_total_s,
                config=self._opening['config'], trial_id=get_context().get_trial_id())
        except EOFError:
            # With the script pbt stops the run, and this result, which the Stopper hasn't
            # seen, is made anew.  To leave before pbt says so would be a failed trial.
            while True:
                command = self._channel.receive(True)
                assert command is not None
                if command['type'] in ('halt', 'stop'):
                    sys.stdout.flush()
                    os._exit(1)

    def error(self, text: str) -> None:
        self._channel.send('error', epoch=self._epoch,
                           text='%s: %s' % (self.doing, text))

    def _obey(self, command: Message) -> None:
        kind, epoch = command['type'], int(command['epoch'])
        if epoch < self._epoch:
            return  # it was under way when that life ended
        if kind in ('start', 'load'):
            self._opening = command
            self._leave(kind)
            self.enter()
        elif kind == 'run':
            if command['until'] > self.iteration:
                self._until = command['until']
                self.running = True
        elif kind == 'save':
            self._save(command)
        elif kind == 'halt':
            if self.running:
                self._halt = True  # the result of this step is the answer
            else:
                self._channel.send('halted', epoch=epoch, iteration=self.iteration)
        elif kind == 'stop':
            self._leave(kind)
            _end_children()
            raise Stopped(0)
        elif kind != 'ack':
            raise RuntimeError('pbt says "%s", which this libpbt (%s) doesn\'t know'
                               % (kind, VERSION))

    def enter(self) -> None:
        """Begins what the last start or load says."""
        command = self._opening
        self._epoch, self._seq = int(command['epoch']), 0
        self.iteration = self._until = command['iteration']
        self._time_total_s = command['time_total_s']
        config = merged(native(command['config']), self._host.kept)
        checkpoint = command['checkpoint']
        if command['type'] == 'start':
            self.doing = 'setup'
            self._place.take(command)
            self._host.start(config, checkpoint)
        else:
            self.doing = 'load_checkpoint'
            get_context().set_seed(command)
            self._host.load(config, checkpoint)
        self._channel.send('ready', epoch=self._epoch, iteration=self.iteration,
                           checkpoint=checkpoint, config=command['config'])
        self.doing = self._host.trains

    def _leave(self, kind: str) -> None:
        self.doing = 'cleanup'
        self._host.leave(kind)

    def _save(self, command: Message) -> None:
        self.doing = 'save_checkpoint'
        self._host.save(command['path'])
        self.doing = self._host.trains
        self._channel.send('saved', epoch=self._epoch, iteration=self.iteration)


def _end_children() -> None:
    """What multiprocessing would wait for at the exit, perhaps for ever; daemons it ends."""
    processes = sys.modules.get('multiprocessing.process')
    if processes is not None:
        for child in processes.active_children():
            if not child.daemon:
                child.terminate()


class Stopwatch:
    """The seconds of a step."""

    def __init__(self) -> None:
        self.begin()

    def begin(self) -> None:
        self._begun = time.monotonic_ns()

    def seconds(self) -> float:
        """Divided, not multiplied: few digits, so that lines are short."""
        return (time.monotonic_ns() - self._begun) / 1e9
