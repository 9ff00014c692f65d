"""examples/pytorch trains, to exploits and to its end, and its best model is evaluated.

    examples_pytorch.py BUILD_DIR SOURCE_DIR

So do the guide's programs, and their pictures show something.  They need PyTorch, pandas and
matplotlib: of PBT_TORCH_PYTHON, or else of the Python that runs this.
"""
import glob
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
SLOW = 'config.lr={uniform: [0.0001, 0.005]}'  # the test's pictures are easy
HUNDREDTHS = 10  # by which all test images may differ from a sample of them
LINE = 300  # pixels: more than there are in a legend
PIXELS = '''
import json, sys
import matplotlib.image
rows = (matplotlib.image.imread(sys.argv[1])[..., :3] * 255).round().astype(int)
pixels = [tuple(pixel) for row in rows.tolist() for pixel in row]
print(json.dumps([len(set(pixels)), *map(pixels.count, (
    (31, 119, 180), (255, 127, 14), (44, 160, 44), (214, 39, 40)))]))
'''
RATES = '''
import sys
from dcgan import DcganTrainable

def rates(model):
    return [optimizer.param_groups[0]['lr'] for optimizer in model.gan.optimizers]

def weights(model):
    return [float(part.detach().sum()) for net in (model.gan.generator,
                                                   model.gan.discriminator)
            for part in net.parameters()]

donor = DcganTrainable({'netG_lr': 0.001, 'netD_lr': 0.002})
assert rates(donor) == [0.001, 0.002], rates(donor)
before = weights(donor)
assert 'is_score' in donor.train()
assert all(a != b for a, b in zip(before, weights(donor))), 'nothing was trained'
donor.save(sys.argv[1])
model = DcganTrainable({'netG_lr': 0.003, 'netD_lr': 0.004})
model.restore(sys.argv[1])
assert weights(model) == weights(donor)
assert model.reset_config({'netG_lr': 0.005, 'netD_lr': 0.006})
assert rates(model) == [0.005, 0.006], rates(model)
'''


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
        check_plot('%s/%s.png' % (dir, name))
    check(len(plotted.splitlines()) == 5, 'guide_plots.py: %s', plotted)
    return plotted


def pixels(path):
    """Of a picture: the number of colours, and of pixels in the colour of each of the four
    lines that matplotlib draws first."""
    return json.loads(run(PYTHON, '-c', PIXELS, path))


def check_plot(path):
    """It has lines, longer than those of a legend."""
    colours, *lines = pixels(path)
    check(colours > 20 and max(lines) > LINE, '%s: %d colours, lines of %s', path, colours,
          lines)


def guide_dcgan(build, source, dir, env):
    """Two trials train, exploit and draw; each with its own rates from its first step on."""
    example = source + '/examples/pytorch'
    env = {**env, 'PBT': build + '/pbt', 'PBT_DIR': dir}
    said = run(PYTHON, example + '/guide_dcgan.py', '--smoke-test', '-o', dir, **env)
    check(re.search(r'^best trial: \S+, is_score 1\.\d\d, trained with ', said, re.MULTILINE),
          'guide_dcgan.py: %s', said[-1000:])
    found = [accuracy for path in glob.glob(dir + '/guide-dcgan/*_0000?/stdout')
             for accuracy in re.findall(r'recognises (\S+) of 400', runs.read(path).decode())]
    check(len(found) == 1 and float(found[0]) > 0.9, 'the net that scores: %s', found)
    records = runs.records_of(dir + '/guide-dcgan')
    check([r['it'] for r in records if r['k'] == 'exploit'], 'guide-dcgan: no exploit')
    check_plot(dir + '/dcgan.png')
    check(pixels(dir + '/digits.png')[0] > 50, 'digits.png is empty')
    run(PYTHON, '-c', RATES, dir + '/gan', **{**env, 'PYTHONPATH': os.pathsep.join(
        [example, env['PYTHONPATH']])})
    return said.splitlines()[-1]


def main():
    build, source = (os.path.abspath(path) for path in sys.argv[1:3])
    dir = tempfile.mkdtemp(prefix='examples_pytorch.')
    env = {'PBT_MNIST_DIR': dir + '/mnist', 'PYTHONDONTWRITEBYTECODE': '1',
           'XDG_CACHE_HOME': dir + '/cache',
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
        print(guide_dcgan(build, source, dir, env))
    except runs.Failed as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
