"""torchrun as a trial's program, and PyTorch's data loaders in a worker.

    torchrun_pytorch.py BUILD_DIR SOURCE_DIR

They need PyTorch: of PBT_TORCH_PYTHON, or else of the Python that runs this.  The stand-in for
torchrun in launchers.py is what `make check` has; here is the real one.
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import runs
from runs import check

PYTHON = os.environ.get('PBT_TORCH_PYTHON') or sys.executable
LONG = 1000000
TORCHRUN = [PYTHON, '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node=2']
STAND_IN = [PYTHON, os.path.dirname(os.path.abspath(__file__)) + '/python/launcher.py', '2', PYTHON]

LOADER = '''
import os
import libpbt
import torch
from torch.utils.data import DataLoader, TensorDataset

class Model(libpbt.Trainable):
    def setup(self, config):
        how = os.environ['LOADER']
        self.loader = iter(DataLoader(
            TensorDataset(torch.arange(10 ** 6)), batch_size=2, num_workers=2,
            persistent_workers=True, multiprocessing_context=how))
        self.total = 0.0

    def step(self):
        self.total += float(next(self.loader)[0].sum()) * self.config['lr']
        return {'score': self.total}

    def save_checkpoint(self, directory):
        return {'total': self.total}

    def load_checkpoint(self, state):
        self.total = state['total']

    def reset_config(self, config):
        return True

if __name__ == '__main__':
    libpbt.worker(Model)
'''


def launcher(dir):
    """torchrun; or, where that can't start anything (PyTorch 1.13 with Python 3.11: an
    AttributeError of its own), what starts ranks as it does."""
    script = dir + '/nothing.py'
    runs.write(script, '')
    done = subprocess.run([*TORCHRUN, script], stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, check=False, timeout=runs.DEADLINE_S)
    if done.returncode == 0:
        return TORCHRUN
    check("AttributeError: 'NoneType' object has no attribute 'get'" in done.stderr,
          'torchrun: %s', done.stderr)
    print("torchrun can't start anything here: a stand-in starts the ranks")
    return STAND_IN


def ddp(build, source, dir, env):
    """Trials of two ranks train, pause, exploit and come to their end."""
    done = subprocess.run(
        [build + '/pbt', 'run', source + '/examples/pytorch/ddp.yaml', '--dir', dir,
         'resources.cpu=4', 'command=' + json.dumps(
             [*launcher(dir), source + '/examples/pytorch/ddp.py'])],
        env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        timeout=2 * runs.DEADLINE_S)
    check(done.returncode == 0, 'ddp: exit status %d:\n%s', done.returncode,
          (done.stdout + done.stderr)[-3000:])
    records = runs.records_of(dir + '/pytorch-ddp')
    results = [r['data']['metrics'] for r in records if r['k'] == 'result']
    best = max(r['mean_accuracy'] for r in results)
    check(best > 0.8, 'ddp: learns nothing: %s', best)
    failed = [r for r in records if r['k'] == 'exited' and r['leave'] in ('retry', 'error')]
    check(not failed, 'ddp: %s', failed)
    check([r for r in records if r['k'] == 'exploit'], 'ddp: no exploit')
    print('ddp: %d results, %d exploits, best accuracy %.3f' % (
        len(results), len([r for r in records if r['k'] == 'exploit']), best))


def killed(build, source, dir, env):
    """Of a run of torchruns nothing is left when the driver is killed."""
    run = runs.Run(build, dir, runs.experiment(
        'killed', [*launcher(dir), source + '/examples/pytorch/ddp.py'], num_samples=2,
        metric='mean_accuracy', stop={'training_iteration': LONG}, resources={'cpu': 2},
        config={'lr': 0.01, 'momentum': 0.9}, scheduler={
            'type': 'pbt', 'perturbation_interval': 5,
            'hyperparam_mutations': {'lr': {'uniform': [0.01, 0.1]}}}), env)
    trains(run, 2)
    check(len(run.processes()) >= 2 * 4, 'only %s', run.processes())  # shim, torchrun, ranks
    run.kill()
    print('torchrun: gone after %.2f s' % run.wait_gone())


def trains(run, trials):
    run.start()

    def all_train():
        check(not run.ended(), 'it has ended: %s', run.said())
        return run.begun() and len({r['trial'] for r in runs.records_of(run.path)
                                    if r['k'] == 'result'}) == trials
    runs.wait_until('training', all_train)


def loaders(build, source, dir, env):
    """A DataLoader's workers end with theirs: at a pause, at the end, and when all is killed."""
    script = dir + '/loader.py'
    runs.write(script, LOADER)
    for how in ('fork', 'spawn'):
        for ends in (True, False):
            keys = runs.experiment('%s_%s' % (how, ends), [PYTHON, script], num_samples=2,
                                   resources={'cpu': 1 if ends else 2}, reuse_workers=False)
            keys['stop'] = {'training_iteration': 10 if ends else LONG}
            run = runs.Run(build, dir, keys, {**env, 'LOADER': how})
            if ends:
                run.start()
                check(run.finish() == 0, '%s', run.said())
                check(not run.processes(), 'left: %s', run.processes())
                continue
            trains(run, 2)
            check(len(run.processes()) >= 2 * 4, 'only %s', run.processes())
            run.kill()
            print('loaders by %s: gone after %.2f s' % (how, run.wait_gone()))


def main():
    build, source = (os.path.abspath(path) for path in sys.argv[1:3])
    dir = tempfile.mkdtemp(prefix='torchrun_pytorch.')
    env = {**os.environ, 'PBT_MNIST_DIR': dir + '/mnist', 'PYTHONDONTWRITEBYTECODE': '1',
           'PYTHONPATH': os.pathsep.join([source + '/python'] + [
               path for path in [os.environ.get('PYTHONPATH')] if path])}
    try:
        runs.write_mnist(env['PBT_MNIST_DIR'])
        for case in (ddp, killed, loaders):
            case(build, source, dir, env)
    except runs.Failed as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
