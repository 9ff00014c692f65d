"""One script for Ray Tune and for libpbt, of which only the imports differ: a trainable
that does nothing, or the ConvNet of examples/pytorch, under PBT.  bench/compare runs it.

    tune_side.py ray|libpbt NOTES WHAT TRIALS STEPS INTERVAL MIB WAITS

NOTES is a file, to which each worker appends, at its second step and at its last one, a
line: "second TIME" or "last TIME" (CLOCK_MONOTONIC, ns).  WHAT: nothing or convnet.
INTERVAL 0: no perturbation ever comes.  MIB: the size of a checkpoint.  WAITS 1: each
step waits until its result has been looked at, as always with Ray; here a bound on the
metric has that effect.  Defaults are left as they are, but for 2 CPUs; Ray's loggers are
off where TUNE_DISABLE_AUTO_CALLBACK_LOGGERS=1.
"""
import os
import sys
import time

SYSTEM, NOTES, WHAT = sys.argv[1], os.path.abspath(sys.argv[2]), sys.argv[3]
TRIALS, STEPS, INTERVAL, MIB, WAITS = map(int, sys.argv[4:])

if SYSTEM == 'ray':
    import ray
    from ray import tune
    from ray.tune.schedulers import PopulationBasedTraining
else:
    import libpbt as ray
    from libpbt import tune
    from libpbt.schedulers import PopulationBasedTraining

if WHAT == 'convnet':
    import torch

    import network  # of examples/pytorch, in PYTHONPATH


class Noting(tune.Trainable):
    def note(self, word):
        with open(NOTES, 'a') as file:
            file.write('%s %d\n' % (word, time.monotonic_ns()))

    def step(self):
        if self.iteration == 1:
            self.note('second')  # the first result has been processed
        if self.iteration + 1 == STEPS and SYSTEM == 'ray':
            self.note('last')
        return self.train_once()

    def cleanup(self):
        if SYSTEM != 'ray':  # all results are recorded
            self.note('last')


class Nothing(Noting):
    def setup(self, config):
        self.x = config['x']
        self.weights = os.urandom(1 << 20) * MIB

    def train_once(self):
        return {'score': self.x}

    def save_checkpoint(self, checkpoint_dir):
        with open(checkpoint_dir + '/weights', 'wb') as file:
            file.write(self.weights)

    def load_checkpoint(self, checkpoint_dir):
        with open(checkpoint_dir + '/weights', 'rb') as file:
            self.weights = file.read()

    def reset_config(self, new_config):
        self.x = new_config['x']
        return True


class ConvNet(Noting):
    def setup(self, config):
        torch.set_num_threads(1)
        torch.manual_seed(1)
        self.train_loader, self.test_loader = network.load_data()
        self.model = network.ConvNet()
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=config['x'],
                                         momentum=0.8)

    def train_once(self):
        network.train(self.model, self.optimizer, self.train_loader)
        return {'score': network.test(self.model, self.test_loader)}

    def save_checkpoint(self, checkpoint_dir):
        torch.save((self.model.state_dict(), self.optimizer.state_dict()),
                   checkpoint_dir + '/state.pt')

    def load_checkpoint(self, checkpoint_dir):
        model, optimizer = torch.load(checkpoint_dir + '/state.pt')
        self.model.load_state_dict(model)
        self.optimizer.load_state_dict(optimizer)

    def reset_config(self, new_config):
        for group in self.optimizer.param_groups:
            group['lr'] = new_config['x']
        return True


ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
scheduler = PopulationBasedTraining(
    time_attr='training_iteration', perturbation_interval=INTERVAL or 10 ** 9,
    metric='score', mode='max', quantile_fraction=0.5 if INTERVAL else 0.25,
    hyperparam_mutations={'x': tune.uniform(0.001, 0.1)})
stop = {'training_iteration': STEPS}
if WAITS:
    stop['score'] = 1e9
# Trials that do nothing run all at once, on two CPUs; ConvNets by twos.
share = 2 / TRIALS if WHAT == 'nothing' and TRIALS > 2 else 1
trainable = tune.with_resources({'nothing': Nothing, 'convnet': ConvNet}[WHAT],
                                {'cpu': share if SYSTEM == 'ray' else 1})
ours = {} if SYSTEM == 'ray' else {  # no part of a script: what ray.init() says above
    'experiment': {'resources': {'cpu': 2 if share == 1 else TRIALS}}}
grid = tune.Tuner(
    trainable, param_space={'x': tune.uniform(0.001, 0.1)},
    tune_config=tune.TuneConfig(scheduler=scheduler, num_samples=TRIALS,
                                reuse_actors=True),
    run_config=tune.RunConfig(storage_path=os.path.dirname(NOTES) + '/tune',
                              name='side', verbose=0, stop=stop, **ours)).fit()
assert not grid.num_errors, grid.errors
assert len(grid) == TRIALS, len(grid)
ray.shutdown()
