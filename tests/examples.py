"""The examples in other languages run, to their first exploit and to their end.

    examples.py BUILD_DIR SOURCE_DIR
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import runs
from runs import check

EXAMPLES = ('shell', 'make', 'perl', 'cpp')


def trained(build, source, dir, name):
    file = '%s/examples/any-language/%s.yaml' % (source, name)
    overrides = []
    if name == 'cpp':  # this build's, which need not be in build/
        overrides = ['command=' + json.dumps(
            [build + '/examples/any-language', 'points.txt'])]
    done = subprocess.run(
        [build + '/pbt', 'run', file, *overrides, '--dir', dir],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=runs.DEADLINE_S)
    said = done.stdout + done.stderr
    check(done.returncode == 0, '%s: exit status %d:\n%s', name,
          done.returncode, said[-3000:])
    records = runs.records_of(dir + '/' + name)
    exploits = [r for r in records if r['k'] == 'exploit']
    check(exploits, '%s: no exploit', name)
    losses = [r['data']['metrics']['loss'] for r in records
              if r['k'] == 'result']
    check(min(losses) < 0.5 < losses[0], '%s: it learns nothing: %s ... %s',
          name, losses[0], min(losses))
    return len(exploits)


def main():
    build, source = (os.path.abspath(path) for path in sys.argv[1:3])
    dir = tempfile.mkdtemp(prefix='examples.')
    try:
        for name in EXAMPLES:
            print('%s: %d exploits' % (name, trained(build, source, dir,
                                                     name)), flush=True)
    except runs.Failed as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
