"""examples/pytorch trains, to exploits and to its end, and its best model is evaluated.

    examples_pytorch.py BUILD_DIR SOURCE_DIR

So do the guide's programs.  Skipped (status 77) where PBT_TORCH_PYTHON, or else the Python that
runs this, lacks PyTorch, pandas or matplotlib.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import runs
from runs import check

PYTHON = os.environ.get('PBT_TORCH_PYTHON') or sys.executable
SKIPPED = 77
SLOW = 'config.lr={uniform: [0.0001, 0.005]}'  # the test's pictures are easy
HUNDREDTHS = 10  # by which all test images may differ from a sample of them


def run(*words, **env):
    done = subprocess.run(words, env={**os.environ, **env}, text=True, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=2 * runs.DEADLINE_S)
    check(done.returncode == 0, '%s: exit status %d:\n%s', words, done.returncode,
          (done.stdout + done.stderr)[-3000:])
    return done.stdout


def trained(build, source, dir, name, env):
    """Trains NAME.yaml, exports its best checkpoint; returns its exploits, and what was
    said of that."""
    example = source + '/examples/pytorch'
    run(build + '/pbt', 'run', '%s/%s.yaml' % (example, name), '--dir', dir,
        'name=' + name, SLOW, 'stop.training_iteration=20', 'stop_all.mean_accuracy=2',
        'command=' + json.dumps([PYTHON, '%s/%s.py' % (example, name)]), **env)
    path = dir + '/' + name
    records = runs.records_of(path)
    check(not [r for r in records if r['k'] == 'exited' and
               r['leave'] in ('retry', 'error')], '%s: a trial has failed', name)
    metrics = [r['data']['metrics'] for r in records if r['k'] == 'result']
    best = max(m['mean_accuracy'] for m in metrics)
    check(best > 0.8 > 0.5 > metrics[0]['mean_accuracy'], '%s learns nothing: %s ... %s',
          name, metrics[0], best)
    said = run(build + '/pbt', 'best', path, '--export', path + '.best')
    return [r for r in records if r['k'] == 'exploit'], said


def evaluated(source, directory, best, env):
    """The accuracy that evaluate.py finds agrees with the run's own."""
    said = run(PYTHON, source + '/examples/pytorch/evaluate.py', directory, **env)
    found = re.fullmatch(r'iteration (\d+): accuracy ([\d.]+) on 400 images\n', said)
    check(found, 'evaluate.py: %s', said)
    kept = re.search(r'\(iteration (\d+), mean_accuracy ([\d.]+)\)', best)
    check(kept and found[1] == kept[1] and
          abs(float(found[2]) - float(kept[2])) < HUNDREDTHS / 100,
          'evaluate.py: %s, where the run had %s', said, best)
    return said.strip()


def guide(build, source, dir, env):
    """The guide's programs, each as a user runs it; returns what they have said last."""
    example = source + '/examples/pytorch'
    env = {**env, 'PBT': build + '/pbt', 'PBT_DIR': dir}
    said = run(PYTHON, example + '/guide_class.py', '--smoke-test', **env)
    check(re.search(r'iteration (5|10): accuracy (0\.[89]|1\.0)\d+ on all', said),
          'guide_class.py: %s', said[-1000:])
    policy = dir + '/pbt_policy_0.txt'
    with open(policy, 'w') as file:
        file.write('["0", "1", 4, 4, {"lr": 0.01, "momentum": 0.9}, '
                   '{"lr": 0.02, "momentum": 0.8}]\n')
    said = run(PYTHON, example + '/guide_replay.py', policy, **env)
    check('by %s: accuracy ' % policy in said, 'guide_replay.py: %s', said[-1000:])
    said = run(PYTHON, example + '/guide_function.py', '--smoke-test', **env)
    best = re.search(r'^checkpoint: (.*)$', said, re.MULTILINE)
    check(best and os.path.exists(best[1] + '/state.pt'), 'guide_function.py: %s',
          said[-1000:])
    plotted = run(PYTHON, example + '/guide_plots.py', dir + '/guide-class', dir, **env)
    for name in ('accuracy', 'schedule'):
        check(runs.read('%s/%s.png' % (dir, name))[:4] == b'\x89PNG', 'no %s.png', name)
    check(len(plotted.splitlines()) == 5, 'guide_plots.py: %s', plotted)
    return plotted


def main():
    build, source = (os.path.abspath(path) for path in sys.argv[1:3])
    found = subprocess.run([PYTHON, '-c', 'import torch, pandas, matplotlib'],
                           capture_output=True, check=False)
    if found.returncode != 0:
        print('SKIPPED: %s lacks PyTorch, pandas or matplotlib; `make check-pytorch` '
              'installs Debian\'s' % PYTHON)
        return SKIPPED
    dir = tempfile.mkdtemp(prefix='examples_pytorch.')
    env = {'PBT_MNIST_DIR': dir + '/mnist', 'PYTHONDONTWRITEBYTECODE': '1',
           'PYTHONPATH': os.pathsep.join(
               [source + '/python'] + [path for path in
                                       [os.environ.get('PYTHONPATH')] if path])}
    try:
        runs.write_mnist(env['PBT_MNIST_DIR'])
        for name in ('convnet', 'convnet_function'):
            exploits, said = trained(build, source, dir, name, env)
            check(exploits, '%s: no exploit', name)
            print('%s: %d exploits, %s' % (name, len(exploits),
                                           evaluated(source, '%s/%s.best' % (dir, name),
                                                     said, env)))
        print(guide(build, source, dir, env))
    except runs.Failed as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
