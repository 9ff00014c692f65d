"""worker(): a script becomes a worker."""
import atexit
import io
import os
import sys
from typing import TYPE_CHECKING, Any, Callable, Dict, NoReturn, Type, Union

from libpbt._channel import is_worker
from libpbt._class import ClassHost
from libpbt._ranks import rank
from libpbt._stop import stopper_of_run
from libpbt._trainable import Trainable
from libpbt._worker import Stopped

if TYPE_CHECKING:
    from libpbt._function import FunctionHost

_begun = False

OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep
TEXT_MAX = 500  # of an error; the whole of it is in stderr
HOW_TO = '''\
%(script)s is a worker: pbt starts it, once for each trial.
    pbt init exp.yaml -- %(command)s    # writes an experiment file, to be looked at
    pbt run exp.yaml'''


NEVER = '''\
libpbt: the script came to its end without its call number %s of run() or fit(), which is
  to train here. Each worker runs the script again: up to there it has to do the same.'''


def worker(trainable: Union[Type[Trainable], Callable[[Dict[str, Any]], Any]]) -> None:
    """Trains what pbt says, to the end of the process: the last line of a script.

    `trainable` is a subclass of Trainable, or a function of one argument, the
    configuration.  Started otherwise than by pbt, the script says how to run it.
    """
    if not is_worker():
        if _is_child():
            return  # multiprocessing runs the script in each child: it goes on to its task
        import shlex
        script = os.path.basename(sys.argv[0]) or 'this program'
        command = shlex.join([os.path.basename(sys.executable) or 'python3', *sys.argv])
        print(HOW_TO % {'script': script, 'command': command}, file=sys.stderr)
        sys.exit(2)
    serve(trainable, {})


def serve(trainable: Any, kept: Dict[str, Any]) -> None:
    """The worker itself.  `kept`: the part of each configuration that is not pbt's."""
    global _begun
    _begun = True
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # a log, read while it grows
    host = _host_of(trainable)
    host.kept = kept
    host.stopper = stopper_of_run() if rank() == 0 else None
    try:
        host.serve()
    except Stopped:
        raise
    except BaseException as failure:
        _fail(host, failure)


def _say_never() -> None:
    """At the end of a script that run() has made the command of a worker."""
    if not _begun and not hasattr(sys, 'last_type'):
        print(NEVER % os.environ['LIBPBT_CALL'], file=sys.stderr)


if is_worker() and 'LIBPBT_CALL' in os.environ:
    atexit.register(_say_never)


def _is_child() -> bool:
    """Whether multiprocessing has started this process, and runs the script to know what
    is defined in it."""
    return sys.modules.get('__mp_main__') not in (None, sys.modules['__main__'])


def _host_of(trainable: Any) -> 'Union[ClassHost, FunctionHost]':
    if isinstance(trainable, type):
        if not issubclass(trainable, Trainable):
            raise TypeError('%s is no subclass of libpbt.Trainable' % trainable.__name__)
        return ClassHost(trainable)
    if not callable(trainable):
        raise TypeError('worker() takes a subclass of Trainable, or a function; not a %s'
                        % type(trainable).__name__)
    from libpbt._function import host_of
    return host_of(trainable)


def _fail(host: 'Union[ClassHost, FunctionHost]', failure: BaseException) -> NoReturn:
    """The traceback goes to stderr, whose last words pbt adds to what we say: so it is in
    the trial's error.txt, too."""
    import traceback
    frames = failure.__traceback__
    while frames is not None and frames.tb_frame.f_code.co_filename.startswith(OURS):
        frames = frames.tb_next
    traceback.print_exception(type(failure), failure,
                              frames or failure.__traceback__)
    sys.stdout.flush()
    sys.stderr.flush()
    what = ''.join(traceback.format_exception_only(type(failure), failure)).strip()
    if hasattr(host, 'worker'):  # else there is nobody to be told
        host.worker.error(what if len(what) <= TEXT_MAX else what[:TEXT_MAX] + ' ...')
    os._exit(1)
