"""Trainables of several processes for tests/launchers.py: in each step all ranks exchange a
number, so that one that isn't where the others are hangs, or is found out.

Each rank writes down what it is asked for, in <trial_dir>/calls.RANK.  BAD=where: rank 1 fails
there.
"""
import json
import os
import socket
import sys

import libpbt


class Group:
    """All ranks' numbers, and what for."""

    def __init__(self, name):
        context = libpbt.get_context()
        self.rank, size = context.get_world_rank(), context.get_world_size()
        address = b'\0' + name.encode()
        if self.rank == 0:
            with socket.socket(socket.AF_UNIX) as door:
                door.bind(address)
                door.listen(size)
                self.others = [door.accept()[0].makefile('rw') for _ in range(size - 1)]
            return
        while True:
            sock = socket.socket(socket.AF_UNIX)
            try:
                sock.connect(address)
            except ConnectionRefusedError:
                continue
            self.others = [sock.makefile('rw')]
            return

    def sum(self, what, number):
        if self.rank > 0:
            return self.tell(0, [what, number]) or self.hear(0, what)
        total = sum([number, *(self.hear(i, what) for i in range(len(self.others)))])
        for i in range(len(self.others)):
            self.tell(i, [what, total])
        return total

    def tell(self, other, what):
        print(json.dumps(what), file=self.others[other], flush=True)

    def hear(self, other, what):
        heard = json.loads(self.others[other].readline())
        assert heard[0] == what, 'rank %d is at %s, another at %s' % (self.rank, what, heard)
        return heard[1]


def note(group, *words):
    path = '%s/calls.%d' % (libpbt.get_context().get_trial_dir(), group.rank)
    with open(path, 'a') as file:
        print(*words, file=file)
    if group.rank == 1 and os.environ.get('BAD') == words[0]:
        raise ValueError('rank 1 fails on purpose: ' + words[0])


def write(directory, name, value):
    with open(os.path.join(directory, name), 'w') as file:
        json.dump(value, file)


def read(directory, name):
    with open(os.path.join(directory, name)) as file:
        return json.load(file)


groups = []  # made once a process


def group():
    if not groups:
        groups.append(Group(os.environ['PBT_RUN_ID'] + os.environ['PBT_TRIAL_ID']))
    return groups[0]


class Model(libpbt.Trainable):
    def setup(self, config):
        self.group, self.weight, self.lr = group(), 0.0, config['lr']
        note(self.group, 'setup', config['lr'])

    def step(self):
        note(self.group, 'step', self.iteration + 1)
        part = self.lr * (1 - self.weight) / len(self.group.others + [0])
        self.weight += self.group.sum('step %d' % self.iteration, part)
        return {'score': self.weight, 'size': libpbt.get_context().get_world_size()}

    def save_checkpoint(self, checkpoint_dir):
        note(self.group, 'save')
        write(checkpoint_dir, 'part%d.json' % self.group.rank, self.weight)
        return {'weight': self.weight} if self.group.rank == 0 else None

    def load_checkpoint(self, checkpoint):
        note(self.group, 'load')
        self.weight = checkpoint['weight']

    def reset_config(self, new_config):
        note(self.group, 'reset', new_config['lr'])
        self.lr = new_config['lr']
        return True


def train(config):
    mine, weight, at = group(), 0.0, 0
    note(mine, 'setup', config['lr'])
    checkpoint = libpbt.get_checkpoint()
    if checkpoint is not None:
        note(mine, 'load')
        weight, at = read(checkpoint.path, 'part0.json')

    def save(directory):
        note(mine, 'save')
        write(directory, 'part%d.json' % mine.rank, [weight, at])

    while True:
        note(mine, 'step')
        part = config['lr'] * (1 - weight) / len(mine.others + [0])
        weight += mine.sum('step %d' % at, part)
        at += 1
        libpbt.report({'score': weight}, checkpoint=save)


libpbt.worker({'class': Model, 'function': train}[sys.argv[1]])
