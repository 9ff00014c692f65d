"""nothing.c in Python: a class that does nothing in its steps, and says what they took.

BENCH_REPORT and BENCH_CPU are as there; the clock is read in the steps `warm` and `last`:
with grants of one step all before these is recorded, and answered.
"""
import json
import os
import time

import libpbt


class Nothing(libpbt.Trainable):
    def setup(self, config):
        self.warm, self.last = config['warm'], config['last']
        self.steps = 0
        if 'BENCH_CPU' in os.environ:
            os.sched_setaffinity(0, {int(os.environ['BENCH_CPU'])})

    def step(self):
        self.steps += 1
        if self.steps == self.warm:
            self.from_ns = time.monotonic_ns()
        elif self.steps == self.last:
            with open(os.environ['BENCH_REPORT'], 'a', encoding='ascii') as file:
                json.dump({'steps': self.last - self.warm, 'from_ns': self.from_ns,
                           'to_ns': time.monotonic_ns()}, file)
                file.write('\n')
        return {'score': 1e-6 * self.steps}

    def save_checkpoint(self, checkpoint_dir):
        return {}

    def load_checkpoint(self, checkpoint):
        pass


libpbt.worker(Nothing)
