"""The least that a step can cost between two programs in Python: they send each other
lines over a socketpair, and neither reads anything out of them.

    pingpong.py STEPS ANSWERING_CPU ASKING_CPU

The asking side stands for the worker: its lines are as long as those of nothing.py's
results, and the answers as the grants.  Prints microseconds a step: wall time, then the
CPU time of both.
"""
import os
import resource
import socket
import sys
import time

QUESTION = b'x' * 159 + b'\n'
ANSWER = b'x' * 55 + b'\n'


def read_line(end):
    got = end.recv(65536)
    while got and not got.endswith(b'\n'):
        got = end.recv(65536)
    return got


def ask(end, steps):
    for _ in range(steps):
        end.sendall(QUESTION)
        if not read_line(end):
            os._exit(1)


def answer(end, steps):
    for _ in range(steps):
        if not read_line(end):
            sys.exit('pingpong.py: the other side is gone')
        end.sendall(ANSWER)


def main():
    steps, answering, asking = map(int, sys.argv[1:])
    warm = steps // 10
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        os.sched_setaffinity(0, {asking})
        ask(theirs, warm + steps)
        os._exit(0)
    theirs.close()
    os.sched_setaffinity(0, {answering})
    answer(ours, warm)
    begun, busy = time.monotonic_ns(), time.process_time_ns()
    answer(ours, steps)
    spent, busy = time.monotonic_ns() - begun, time.process_time_ns() - busy
    if os.waitpid(child, 0)[1] != 0:
        sys.exit('pingpong.py: the other side failed')
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    theirs = (usage.ru_utime + usage.ru_stime) * 1e6 / (warm + steps)
    print('%.3f %.3f' % (spent / 1e3 / steps, busy / 1e3 / steps + theirs))


main()
