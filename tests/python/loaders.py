"""A Trainable with data loaders, for tests/launchers.py: processes of multiprocessing that it
never ends itself, forked and spawned, as a DataLoader with num_workers has them."""
import multiprocessing
import sys
import time

import libpbt


def square(x):
    return x * x


def feed(queue):
    """Like a loader's worker: it is ahead, and waits for room."""
    while True:
        queue.put(time.monotonic())


class Model(libpbt.Trainable):
    def setup(self, config):
        context = multiprocessing.get_context(sys.argv[1])
        self.pool = context.Pool(2)
        self.queue = context.Queue(4)
        self.feeder = context.Process(target=feed, args=[self.queue])  # no daemon
        self.feeder.start()
        self.total = 0.0

    def step(self):
        self.queue.get()
        self.total += sum(self.pool.map(square, [1, 2, 3])) * self.config['lr']
        return {'score': self.total}

    def save_checkpoint(self, checkpoint_dir):
        return {'total': self.total}

    def load_checkpoint(self, checkpoint):
        self.total = checkpoint['total']

    def reset_config(self, new_config):
        return True


libpbt.worker(Model)
