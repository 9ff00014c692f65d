"""A Trainable for tests/test_python.py.  The score rises by 1 a step where lr is 0.1, by
less elsewhere; `config` says what else it does, `BARE` leaves reset_config out, `TIMEOUT`
is that of the script's sockets, `ENDING` a file that is written at its end."""
import atexit
import multiprocessing
import os
import signal
import socket
import subprocess
import sys

import libpbt


class Scalar:
    """As NumPy's and PyTorch's are."""

    def item(self):
        return 2.5


class Array:
    def item(self):
        raise ValueError('only one value')

    def tolist(self):
        return [1, [Scalar()]]


SOCKETS = '''
import os
print(os.environ.get('PBT_FD'), [fd for fd in range(100)
      if os.path.exists('/proc/self/fd/%d' % fd)
      and os.readlink('/proc/self/fd/%d' % fd).startswith('socket')])
'''


def children():
    """What a process that we start has of pbt's socket."""
    return subprocess.run([sys.executable, '-c', SOCKETS], close_fds=False, text=True,
                          capture_output=True, check=True).stdout.strip()


def square(x):
    return x * x


def spawned():
    """The child runs this script as well, to its end, and goes on to its task."""
    with multiprocessing.get_context('spawn').Pool(1) as pool:
        return pool.map(square, [3])[0]


def forked():
    """A child may leave by an exception: pbt must not hear of it."""
    child = os.fork()
    if child == 0:
        raise RuntimeError('the child has had enough')
    return os.waitpid(child, 0)[1] != 0


# What a step reports beside its score.
EXTRA = {
    'done': lambda model: {'done': True},
    'calls': lambda model: {'calls': model.calls},
    'children': lambda model: {'children': children()},
    'spawned': lambda model: {'spawned': spawned()},
    'forked': lambda model: {'forked': forked()},
    'reserved': lambda model: {'pid': 1},
    'object': lambda model: {'it': {'deep': object()}},
    'keys': lambda model: {'it': {1: 1}},
    'count': lambda model: {'timesteps_this_iter': 10, 'mean_loss': 0.5},
    'values': lambda model: {
        'nan': float('nan'), 'inf': -float('inf'), 'big': 1 << 60, 'bool': True,
        'text': 'ü', 'none': None, 'one': Scalar(), 'many': Array(),
        'deep': {'er': (1, Scalar())}},
    'about': lambda model: {
        'id': model.trial_id, 'name': model.trial_name, 'dir': model.logdir,
        'lr': model.get_config()['lr'], 'seed': str(model.seed),
        'env': os.environ['PBT_TRIAL_ID']},
}


class Score(libpbt.Trainable):
    def setup(self, config):
        self.calls = ['setup']
        self.score = 0.0
        self.lr = config['lr']
        config['lr'] = 'ours'  # a copy
        if config.get('fail') == 'setup':
            raise ValueError('setup fails on purpose')

    def step(self):
        config, this = self.config, self.iteration + 1
        self.calls.append('step')
        self.score += max(0.0, 1 - abs(self.lr / 0.1 - 1))
        if this == config.get('at'):
            return self.misbehave(config['do'])
        return {'score': self.score}

    def misbehave(self, do):
        if do == 'raise':
            raise ZeroDivisionError('on purpose')
        if do == 'exit':
            sys.exit('enough')
        if do == 'interrupt':
            os.kill(os.getpid(), signal.SIGINT)
        if do == 'terminate' and not os.path.exists(self.logdir + '/once'):
            open(self.logdir + '/once', 'w').close()
            os.kill(os.getpid(), signal.SIGTERM)
            signal.pause()
        if do == 'print':
            print('a word')
        extra = EXTRA.get(do, lambda model: {})(self)
        return {'score': self.score, **extra}

    def save_checkpoint(self, checkpoint_dir):
        how = self.config.get('save', 'dict')
        if how == 'dict':
            return {'score': self.score}
        if how == 'outside':
            return '/etc/passwd'
        with open(checkpoint_dir + '/score', 'w') as file:
            file.write(repr(self.score))
        return {'path': checkpoint_dir + '/score', 'dir': checkpoint_dir,
                'nothing': None, 'list': []}[how]

    def load_checkpoint(self, checkpoint):
        self.calls.append('load_checkpoint')
        if 'BARE' not in os.environ:
            self.lr = 'overwritten'  # until reset_config()
        if isinstance(checkpoint, dict):
            self.score = checkpoint['score']
            return
        if os.path.isdir(checkpoint):
            checkpoint += '/score'
        with open(checkpoint) as file:
            self.score = float(file.read())

    if 'BARE' not in os.environ:
        def reset_config(self, new_config):
            self.calls.append('reset_config')
            self.lr = new_config['lr']
            return self.config.get('resets', True)

    def cleanup(self):
        print('cleaned up')


def at_end():
    """What a script does at its end is done, and no file is left unwritten."""
    ENDING.write('to the end\n')


if 'ENDING' in os.environ:
    ENDING = open(os.environ['ENDING'], 'w')
    atexit.register(at_end)
if 'TIMEOUT' in os.environ:
    socket.setdefaulttimeout(float(os.environ['TIMEOUT']))
libpbt.worker(Score)
