"""launcher.py N PROGRAM [ARGUMENT ...]: what torchrun does, as far as pbt can tell.

Each of N processes gets RANK and its kin, a free port to meet at, and no descriptor of ours but 0
to 2; if one fails the others are ended.  LAUNCHER_CLOSES: we close ours as well, as a daemon would.
"""
import os
import socket
import subprocess
import sys
import time

count, command = int(sys.argv[1]), sys.argv[2:]
if 'LAUNCHER_CLOSES' in os.environ:
    os.closerange(3, 100)
with socket.socket() as free:
    free.bind(('127.0.0.1', 0))
    os.environ.update(MASTER_ADDR='127.0.0.1', MASTER_PORT=str(free.getsockname()[1]))
ranks = []
for rank in range(count):
    env = dict(os.environ, RANK=str(rank), LOCAL_RANK=str(rank), WORLD_SIZE=str(count),
               LOCAL_WORLD_SIZE=str(count))
    ranks.append(subprocess.Popen(command, env=env, close_fds=True))
while True:
    ends = [rank.poll() for rank in ranks]
    if any(end not in (None, 0) for end in ends):
        for rank in ranks:
            rank.kill()
        sys.exit('a rank has failed: %s' % ends)
    if all(end == 0 for end in ends):
        sys.exit(0)
    time.sleep(0.01)
