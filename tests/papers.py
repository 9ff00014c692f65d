"""The toys of papers (docs/papers.md): their figures over a tenth of the seeds in virtual
time; and one seed of each with real processes, which has to give the very same.

    papers.py BUILD_DIR SOURCE_DIR
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import runs
from runs import check

TOYS = ('figure2', 'plain', 'deceptive', 'accuracy')
# Not 1000 iterations; and on slow builds not 22 processes that save 50 times.
SHORT = {'accuracy': ['stop.training_iteration=%d'
                      % (200 if runs.SCALE >= 1 else 60)]}
if runs.SCALE < 1:
    SHORT['plain'] = SHORT['deceptive'] = ['config.steps=100',
                                           'stop.training_iteration=10']


def output(command, dir):
    done = subprocess.run(command, cwd=dir, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, check=False,
                          timeout=runs.DEADLINE_S)
    check(done.returncode == 0, '%s: exit status %d:\n%s', command,
          done.returncode, (done.stdout + done.stderr)[-5000:])
    return done.stdout


def real(build, source, dir, toy):
    """Runs it as a user does; figure2 runs its own experiment."""
    program = '%s/examples/%s' % (build, 'zoo' if toy in ('plain', 'deceptive')
                                  else toy)
    start = [program] if toy == 'figure2' else [build + '/pbt', 'run']
    output([*start, '%s/examples/papers/%s.yaml' % (source, toy),
            *SHORT.get(toy, []), 'command=' + json.dumps([program])], dir)
    records = runs.records_of('%s/runs/%s' % (dir, toy))
    results = [r for r in records if r['k'] == 'result']
    last = {r['trial']: r['score'] for r in results}
    return [max(last.values()), max(r['score'] for r in results),
            sum(1 for r in results if r.get('done')), len(results),
            sum(1 for r in records if r['k'] == 'exploit')]


def virtual(build, dir, toy):
    said = output([build + '/bench/papers', toy, '1', *SHORT.get(toy, [])], dir)
    return [float(word) for word in said.split()]


def main():
    build, source = (os.path.abspath(path) for path in sys.argv[1:3])
    dir = tempfile.mkdtemp(prefix='papers.')
    try:
        print(output([build + '/bench/papers', '--quick'], dir), flush=True)
        for toy in TOYS:
            found = real(build, source, dir, toy)
            check(found == virtual(build, dir, toy), '%s: real processes give '
                  '%s, virtual time %s', toy, found, virtual(build, dir, toy))
            check(found[4] > 0, '%s: no exploit', toy)
            print('%s: best %.17g, %d exploits' % (toy, found[0], found[4]))
    except runs.Failed as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
