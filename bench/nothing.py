"""nothing.c in Python: a class that does nothing in its steps, and says what they took.

BENCH_DRIVER, BENCH_REPORT and BENCH_CPU are as there; the clocks are read in the steps `warm`
and `last`: with grants of one step all before these is recorded, and answered.
"""
import glob
import json
import os
import time

import libpbt


def driver_ns():
    """CPU time of the driver's threads."""
    total = 0
    for path in glob.glob('/proc/%s/task/*/schedstat' % os.environ['BENCH_DRIVER']):
        with open(path, encoding='ascii') as file:
            total += int(file.read().split()[0])
    return total


class Nothing(libpbt.Trainable):
    def setup(self, config):
        self.warm, self.last = config['warm'], config['last']
        self.steps = 0
        self.report = {'steps': self.last - self.warm}
        if 'BENCH_CPU' in os.environ:
            os.sched_setaffinity(0, {int(os.environ['BENCH_CPU'])})

    def step(self):
        self.steps += 1
        if self.steps == 2:
            self.report['second_ns'] = time.monotonic_ns()
        if self.steps == self.warm:
            self.report['all_from_ns'] = driver_ns()
            self.report['worker_from_ns'] = time.process_time_ns()
            self.report['from_ns'] = time.monotonic_ns()
        elif self.steps == self.last:
            self.report['to_ns'] = time.monotonic_ns()
            self.report['worker_to_ns'] = time.process_time_ns()
            self.report['all_to_ns'] = driver_ns()
            with open(os.environ['BENCH_REPORT'], 'a', encoding='ascii') as file:
                json.dump(self.report, file)
                file.write('\n')
        return {'score': 1e-6 * self.steps}

    def save_checkpoint(self, checkpoint_dir):
        return {}

    def load_checkpoint(self, checkpoint):
        pass


libpbt.worker(Nothing)
