"""Trainables for tests/ignored.py, with faults that users' programs have: which, says FAULT.

A weight follows a slope; the `optimiser` has the learning rate and keeps what it has seen, as
PyTorch's do.  forgets: reset_config() takes the rate and doesn't hand it on; restores: the
loaded optimiser brings the old one back; weights: the checkpoint has no optimiser, so that each process
goes on with its own rate; groups: it has param_groups; noisy: the slope has chance in it; late: the loss is
measured before the step.
"""
import json
import os
import random
import sys

import libpbt

FAULT = os.environ.get('FAULT', '').split()


class Optimiser:
    def __init__(self, lr, decay):
        self.state = {'lr': lr, 'decay': decay, 'speed': 0.0}

    def step(self, weight):
        slope = weight + (random.gauss(0, 1) if 'noisy' in FAULT else 0)
        self.state['speed'] = 0.5 * self.state['speed'] - self.state['lr'] * slope
        return weight + self.state['speed'] - self.state['decay'] * weight


class Groups(Optimiser):
    """As PyTorch's look."""

    def __init__(self, lr, decay):
        super().__init__(lr, decay)
        self.param_groups = [self.state]


def metrics(weight, before, config):
    of = before if 'late' in FAULT else weight
    found = {'loss': of * of, 'score': -of * of, 'epoch_time': random.random(), 'name': 'x'}
    return {**found, 'cur_lr': config['lr'], 'lr_used': config['lr']}


class Model(libpbt.Trainable):
    def setup(self, config):
        self.weight = 10.0
        kind = Groups if 'groups' in FAULT else Optimiser
        self.parts = {'optimisers': [kind(config['lr'], config.get('decay', 0))]}
        self.optimiser = self.parts['optimisers'][0]

    def step(self):
        before = self.weight
        self.weight = self.optimiser.step(before)
        return metrics(self.weight, before, self.config)

    def save_checkpoint(self, checkpoint_dir):
        return {'weight': self.weight, 'optimiser': dict(self.optimiser.state)}

    def load_checkpoint(self, checkpoint):
        self.weight = checkpoint['weight']
        if 'weights' not in FAULT:
            self.optimiser.state.update(checkpoint['optimiser'])

    def reset_config(self, new_config):
        self.config = new_config
        if 'forgets' not in FAULT:
            self.optimiser.state['lr'] = new_config['lr']
        self.optimiser.state['decay'] = new_config.get('decay', 0)
        return True


def train(config):
    weight, optimiser = 10.0, Optimiser(config['lr'], config.get('decay', 0))
    checkpoint = libpbt.get_checkpoint()
    if checkpoint is not None:
        with open(os.path.join(checkpoint.path, 'state.json')) as file:
            weight, optimiser.state = json.load(file)
        if 'restores' not in FAULT:
            optimiser.state['lr'] = config['lr']

    def save(directory):
        with open(os.path.join(directory, 'state.json'), 'w') as file:
            json.dump([weight, optimiser.state], file)

    while True:
        before = weight
        weight = optimiser.step(weight)
        libpbt.report(metrics(weight, before, config), checkpoint=save)


libpbt.worker({'class': Model, 'function': train}[sys.argv[1]])
