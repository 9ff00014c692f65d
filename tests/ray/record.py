#!/usr/bin/env python3
"""Random traces of Ray Tune's own PBT scheduler, for our core to agree with.

    record.py --check BUILD/tests/ray_traces [--traces N] [--seed S]
    record.py --write DIR --traces N --seed S

Needs Ray, which libpbt does not: python3 -m venv /tmp/ray && /tmp/ray/bin/pip install
'ray[tune]==2.60.0', and then /tmp/ray/bin/python3 tests/ray/record.py.

A trace is an experiment and what happens in it, drawn from a seed; trials and controller are
fakes, the scheduler is ray.tune.schedulers.PopulationBasedTraining.  Below each event stand
Ray's answers: was it a perturbation point, who is compared, who may be the donor, who was
copied and with which configuration, who trains, and when each of these has its next point.
--check pipes the traces into ray_traces.c, which plays them on our core and compares;
--write keeps them (tests/ray/*.trace are made with --traces 12 --seed 76).

What docs/scheduler.md lists as different is kept out, or modelled here: all scores are
finite; whoever is not exploited saves; a donor without a checkpoint is not drawn; and a
trace ends where an exploit takes iterations back of a trial that has to share its slot.
"""
import argparse
import logging
import random
import subprocess
import sys

import ray
from ray import tune
from ray.tune.schedulers import pbt

LIST = [3, 4, 8, 10]
PAUSED, PENDING, RUNNING = 'PAUSED', 'PENDING', 'RUNNING'


class Trial:
    """What the scheduler asks of a trial, and where its fake worker is."""

    def __init__(self, number, config):
        self.number, self.config = number, config
        self.trial_id = '%05d' % number
        self.experiment_tag = str(number)
        self.status, self.last_result, self.checkpoint = PENDING, {}, 'saved'
        self.evaluated_params, self.run_metadata = {}, self
        self.temporary_state, self.saving_to = self, None
        self.checkpoint_manager, self.checkpoint_config = self, self
        self.num_to_keep = None
        self.iteration, self.seconds = 0, 0.0
        self.saved_at = None  # (iteration, seconds) of its pair

    def is_finished(self):
        return self.status in ('TERMINATED', 'ERROR')

    def set_experiment_tag(self, tag):
        self.experiment_tag = tag

    def set_config(self, config):
        self.config = config


class Controller:
    search_alg = None

    def __init__(self, trials):
        self.trials = trials

    def get_trials(self):
        return self.trials

    def get_live_trials(self):
        return [t for t in self.trials if not t.is_finished()]

    def _schedule_trial_save(self, trial, result=None):
        return 'saved'

    def pause_trial(self, trial, should_checkpoint=True):
        trial.status = PAUSED


class Draws:
    """In the place of the scheduler's `random`: from a seed, and donors among those who
    have a checkpoint, if there are any."""

    def __init__(self, dice):
        self.dice, self.random, self.offered = dice, dice.random, []

    def choice(self, items):
        items = list(items)
        if items and isinstance(items[0], Trial):
            donors = [t for t in items if t.saved_at is not None]
            donor = self.dice.choice(donors or items)
            self.offered.append((donors, donor))
            return donor
        return self.dice.choice(items)


class Trace:
    def __init__(self, seed, number):
        self.dice = random.Random('%d/%d' % (seed, number))
        dice = self.dice
        self.lines = ['# Ray %s, seed %d, trace %d' % (ray.__version__, seed, number)]
        self.synch = dice.random() < 0.25
        self.in_seconds = not self.synch and dice.random() < 0.25
        count = dice.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20])
        shares = not self.synch and not self.in_seconds and count > 1 and dice.random() < 0.4
        self.slots = dice.randint(1, count - 1) if shares else count
        self.step = 1 if shares else dice.choice([1, 1, 2, 3])
        if self.synch:
            self.interval = self.step * dice.randint(1, 4)
            burn_in = self.step * dice.choice([0, 0, dice.randint(0, 10)])
        else:
            self.interval = dice.choice([1, 2, 2.5, 3, 5, 7.25])
            burn_in = dice.choice([0, 0, 0, dice.randint(1, 12), 4.5])
        self.burn_in = burn_in
        fraction = dice.choice([0, 0.1, 0.25, 0.25, 0.5, dice.uniform(0, 0.5)])
        self.mode = dice.choice(['max', 'min'])
        self.scores = dice.choice(['reals', 'ties', 'equal', 'large'])
        self.draws = Draws(dice)
        pbt.random = self.draws
        self.scheduler = pbt.PopulationBasedTraining(
            time_attr='time_total_s' if self.in_seconds else 'training_iteration',
            metric='score', mode=self.mode, perturbation_interval=self.interval,
            burn_in_period=burn_in, quantile_fraction=fraction,
            resample_probability=0, log_config=False, synch=self.synch,
            hyperparam_mutations={'x': tune.uniform(0, 1),
                                  'b': tune.randint(1, 100), 'l': LIST})
        self.lines.append('trials %d slots %d interval %r burn_in %r fraction %r '
                          'synch %d seconds %d min %d' %
                          (count, self.slots, self.interval, burn_in, fraction,
                           self.synch, self.in_seconds, self.mode == 'min'))
        self.trials = [Trial(i, {'x': dice.uniform(0, 1), 'b': dice.randint(1, 100),
                                 'l': dice.choice(LIST + [7])})
                       for i in range(count)]
        self.controller = Controller(self.trials)
        for trial in self.trials:
            self.scheduler.on_trial_add(self.controller, trial)
            self.lines.append('config %s' % self.config(trial))
        self.results, self.diverged = 0, False
        self.fill()

    @staticmethod
    def config(trial):
        return '%r %d %d' % (trial.config['x'], trial.config['b'], trial.config['l'])

    def state(self, trial):
        return self.scheduler._trial_state[trial]

    def say(self, word, trials):
        self.lines.append(' '.join([word] + [str(t.number) for t in trials]))

    def fill(self):
        """Free slots go to whom Ray chooses; then, how all stand."""
        while len([t for t in self.trials if t.status == RUNNING]) < self.slots:
            chosen = self.scheduler.choose_trial_to_run(self.controller)
            if chosen is None:
                break
            chosen.status = RUNNING
        if self.diverged:
            return
        self.say('train', [t for t in self.trials if t.status == RUNNING])
        self.say('compared', [
            t for t in self.trials
            if self.state(t).last_score is not None and not t.is_finished()])
        if not self.in_seconds:
            self.lines.append(' '.join(['next'] + [
                '%r' % self.next_point(t) for t in self.trials if t.status == RUNNING]))

    def next_point(self, trial):
        return (self.scheduler._next_perturbation_sync if self.synch else
                max(self.burn_in,
                    self.interval + self.state(trial).last_perturbation_time))

    def score(self):
        dice = self.dice
        return {'reals': dice.gauss(0, 1), 'ties': float(dice.randint(-1, 2)),
                'equal': 0.5, 'large': dice.gauss(0, 1) * 10.0 ** dice.randint(-300, 300)
                }[self.scores]

    def advance(self, trial):
        trial.iteration += self.step
        trial.seconds += self.dice.uniform(0.1, 2)
        return '%d %d %r' % (trial.number, trial.iteration, trial.seconds)

    def result(self, trial):
        told = self.advance(trial)
        score = self.score()
        self.lines.append('result %s %r' % (told, score))
        self.results += 1
        result = {'training_iteration': trial.iteration,
                  'time_total_s': trial.seconds, 'score': score}
        for t in self.trials:  # in ours all save who are not exploited
            self.state(t).last_checkpoint = 'saved' if t.saved_at else None
        exploits = self.scheduler._num_perturbations
        was = self.state(trial).last_result
        self.draws.offered = []
        clock = trial.seconds if self.in_seconds else trial.iteration
        all_arrived = self.all_wait_for(trial)
        # In this very round it may be a donor.
        would_point = (clock >= self.burn_in and clock -
                       self.state(trial).last_perturbation_time >= self.interval)
        if would_point:
            trial.saved_at = (trial.iteration, trial.seconds)
        decision = self.scheduler.on_trial_result(self.controller, trial, result)
        trial.last_result = result
        point = self.state(trial).last_result is not was
        assert point == would_point
        if point:
            self.lines.append('point %d' % trial.number)
        self.copies(trial, self.scheduler._num_perturbations - exploits,
                    all_arrived)
        if decision == 'PAUSE':
            trial.status = PAUSED
        self.fill()

    def all_wait_for(self, trial):
        return all(self.state(t).last_train_time >=
                   self.scheduler._next_perturbation_sync
                   for t in self.controller.get_live_trials() if t is not trial)

    def copies(self, reporter, count, all_arrived):
        """Who took whose place.  The losers of a round come in Ray's order, by score."""
        lower, _ = self.scheduler._quantiles()
        losers = (lower if all_arrived else []) if self.synch else [reporter]
        made = 0
        for loser, (donors, donor) in zip(losers, self.draws.offered):
            if not donors:
                self.lines.append('pass %d' % loser.number)
                continue
            self.say('donors', donors)
            iteration, seconds = donor.saved_at
            behind = iteration < loser.iteration
            self.diverged = self.diverged or (behind and
                                              self.slots < len(self.trials))
            loser.iteration, loser.seconds = iteration, seconds
            self.lines.append('exploit %d %d %d %s' % (
                loser.number, donor.number, iteration, self.config(loser)))
            loser.saved_at = None
            made += 1
        assert made == count, (made, count)

    def finish(self, trial):
        if self.synch and self.all_wait_for(trial):
            return  # Ray asks only at a result: it would wait for ever
        if not self.synch and self.results > 0 and self.dice.random() < 0.4:
            self.lines.append('fail %d' % trial.number)
            trial.status = 'ERROR'
            self.scheduler.on_trial_error(self.controller, trial)
        else:
            self.lines.append('finish %s' % self.advance(trial))
            trial.status = 'TERMINATED'
            self.scheduler.on_trial_complete(self.controller, trial, {})
        trial.saved_at = None
        self.results += 1
        self.fill()

    def run(self, events):
        for _ in range(events):
            training = [t for t in self.trials if t.status == RUNNING]
            if not training or self.diverged:
                break
            trial = self.dice.choice(training)
            if self.dice.random() < 0.01:
                self.finish(trial)
            else:
                self.result(trial)
        return '\n'.join(self.lines) + '\n'


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--traces', type=int, default=10000)
    parser.add_argument('--first', type=int, default=0)
    parser.add_argument('--seed', type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument('--check', metavar='PROGRAM')
    parser.add_argument('--write', metavar='DIR')
    options = parser.parse_args()
    if (options.check is None) == (options.write is None):
        parser.error('one of --check and --write')
    logging.disable(logging.CRITICAL)
    print('record.py: seed %d' % options.seed, flush=True)
    traces = (Trace(options.seed, number).run(40 if options.write else 120)
              for number in range(options.first, options.first + options.traces))
    if options.write:
        for number, text in enumerate(traces):
            with open('%s/%02d.trace' % (options.write, number), 'w',
                      encoding='ascii') as file:
                file.write(text)
        return 0
    with subprocess.Popen([options.check, '-'], stdin=subprocess.PIPE,
                          text=True) as checker:
        try:
            for text in traces:
                checker.stdin.write(text)
            checker.stdin.close()
        except BrokenPipeError:
            pass
    return checker.returncode


if __name__ == '__main__':
    sys.exit(main())
