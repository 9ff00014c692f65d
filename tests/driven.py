"""A worker driven by a test, over a socketpair: what the driver would say to it."""
import json
import os
import socket
import subprocess

DEADLINE_S = 300


class Worker:
    """A process with PBT_FD; `env` adds variables, all output goes to `log`."""

    def __init__(self, command, log, env=None):
        self.socket, theirs = socket.socketpair()
        self.socket.settimeout(DEADLINE_S)
        self.pending = b''
        self.epoch = 0
        variables = dict(os.environ, PBT_FD=str(theirs.fileno()), **(env or {}))
        with open(log, 'ab') as output:
            self.process = subprocess.Popen(
                command, env=variables, pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        theirs.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.socket.close()

    def send(self, *messages):
        """In one write.  A message is (type, members); its epoch is the current one."""
        lines = [json.dumps({'type': kind, 'epoch': self.epoch, **members})
                 for kind, members in messages]
        self.socket.sendall(''.join(line + '\n' for line in lines).encode())

    def say(self, kind, **members):
        self.send((kind, members))

    def next(self):
        """The next message; None when the worker has closed its end."""
        while b'\n' not in self.pending:
            try:
                got = self.socket.recv(65536)
            except ConnectionResetError:  # it left something unread
                got = b''
            if not got:
                return None
            self.pending += got
        line, self.pending = self.pending.split(b'\n', 1)
        return json.loads(line)

    def start(self, config, checkpoint=None, iteration=0, total=0, epoch=1,
              trial='t_00000', trial_dir='/tmp', kind='start'):
        """Says start or load; returns the answer."""
        self.epoch = epoch
        members = {'config': config, 'seed': '77', 'checkpoint': checkpoint,
                   'iteration': iteration, 'time_total_s': total}
        if kind == 'start':
            members.update(trial=trial, trial_dir=trial_dir)
        self.say(kind, **members)
        return self.next()

    def load(self, config, checkpoint, epoch, iteration, total=0):
        return self.start(config, checkpoint, iteration, total, epoch,
                          kind='load')

    def results(self):
        """The results up to the one after which the worker rests."""
        found = [self.next()]
        while not found[-1]['halted']:
            found.append(self.next())
        return found

    def run(self, until):
        self.say('run', until=until)
        return self.results()

    def save(self, path, iteration):
        os.makedirs(path)
        self.say('save', iteration=iteration, path=path)
        return self.next()

    def wait(self):
        """The exit status, once it has ended."""
        return self.process.wait(DEADLINE_S)
