"""Replay: the schedule of each trial's policy file, played back, gives iteration by
iteration the configurations behind that trial's last weights, as the journal has them.

    replay.py BUILD_DIR
"""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import runs
from runs import check

ITERATIONS = 40
RUNS = {'asynch': {},
        'synch': {'synch': True},
        'weights': {'synch': True, 'exploit_copies': 'weights'},
        'hyperparameters': {'exploit_copies': 'hyperparameters'},
        'hyperparameters-synch': {'synch': True,
                                  'exploit_copies': 'hyperparameters'},
        # A donor's best weights may be from before its own last exploit.
        'best': {'synch': True, 'donors': 'best_ever', 'exploit': 'tournament'}}
# Its score goes up and down, and depends on the trial and the iteration alone.
NOISE = """#!/bin/sh
awk -v i="$PBT_FROM" -v until="$PBT_UNTIL" -v trial="$PBT_TRIAL_NUMBER" 'BEGIN {
    while (i++ < until) {
        x = 1 + 1009 * trial + i
        for (k = 0; k < 4; k++) x = (16807 * x) % 2147483647
        print "{\\"score\\": " x / 2147483647 "}"
    }
}' > "$PBT_METRICS"
: > "$PBT_CHECKPOINT_OUT/state"
"""


class Lives:
    """Each life (epoch) of a run: its configuration, its steps, where it came from."""

    def __init__(self, records):
        self.config, self.steps, self.parent, self.trial = {}, {}, {}, {}
        saved, first, self.last, exploited = {}, {}, {}, {}
        self.former = 0  # exploits from what a donor was before its own last one
        for record in records:
            kind, trial = record['k'], record.get('trial')
            if kind == 'trial':
                first[trial] = record['config']
            elif kind in ('start', 'exploit', 'adopt', 'change'):
                epoch = record['epoch']
                if kind == 'exploit':
                    at = record['checkpoint']
                    life = saved[at['trial'], at['number']][0]
                    self.former += life < exploited.get(record['donor'], 0)
                    exploited[trial] = epoch
                self.config[epoch] = record['config']
                self.trial[epoch] = trial
                at = record.get('checkpoint')
                if at is not None:
                    self.parent[epoch] = saved[at['trial'], at['number']]
                self.last[trial] = epoch
            elif kind == 'result':
                self.steps.setdefault(record['epoch'], []).append(record['it'])
            elif kind == 'saved':
                at = record['checkpoint']
                saved[at['trial'], at['number']] = (
                    self.last[trial], max(self.steps[self.last[trial]]))

    def way(self, epoch, limit=10**9):
        """{iteration: life} of what a life had come to at iteration `limit`."""
        found = {}
        while True:
            for step in self.steps.get(epoch, []):
                if step <= limit:
                    found.setdefault(step, epoch)
            if epoch not in self.parent:
                return found
            epoch, limit = self.parent[epoch]

    def history(self, trial):
        """{iteration: configuration} of the trial's last weights."""
        return {step: self.config[epoch]
                for step, epoch in self.way(self.last[trial]).items()}


def replayed(build, dir, policy, name):
    done = subprocess.run(
        [build + '/pbt', 'replay', policy, '--name', name, '--dir', dir, '-q'],
        capture_output=True, text=True, timeout=runs.DEADLINE_S, check=False)
    check(done.returncode == 0, 'pbt replay %s: %s', policy, done.stderr)
    [trial] = [entry.path for entry in os.scandir(os.path.join(dir, name))
               if entry.is_dir() and os.path.exists(entry.path + '/result.json')]
    with open(trial + '/result.json') as file:
        rows = [json.loads(line) for line in file]
    return {row['training_iteration']: row['config'] for row in rows}


def check_global(run):
    """Its lines are the exploits: from whom, at which iterations, both configurations."""
    with open(run.path + '/pbt_global.txt') as file:
        lines = [json.loads(line) for line in file]
    found = [[int(line[0].split('_')[0]), int(line[1].split('_')[0]), *line[2:]]
             for line in lines]
    expected = [[record['trial'], record['donor'], record['it'], record['donor_it'],
                 record['old_config'], record['config']]
                for record in runs.records_of(run.path)
                if record['k'] in ('exploit', 'adopt')]
    check(found == expected, 'pbt_global.txt: %s, and not %s', found, expected)


def check_show(build, run):
    """`pbt show` says whose hyperparameters a trial has, and that its weights are its own."""
    newest = {record['trial']: record for record in runs.records_of(run.path)
              if record['k'] == 'adopt'}
    for trial, record in newest.items():
        shown = subprocess.run([build + '/pbt', 'show', run.path, str(trial), '--json'],
                               capture_output=True, check=True, timeout=runs.DEADLINE_S)
        last = json.loads(shown.stdout)['lineage'][-1]
        ids = [last[name] for name in ('trial', 'donor', 'config_from')]
        check([int(name.rsplit('_', 1)[1]) for name in ids] ==
              [trial, trial, record['donor']] and
              last['donor_iteration'] == record['it'], '%s is not %s', last, record)
        text = subprocess.run([build + '/pbt', 'show', run.path, str(trial)],
                              capture_output=True, check=True, text=True,
                              timeout=runs.DEADLINE_S).stdout
        check('at %d  %s took the hyperparameters of %s' % (record['it'], ids[0], ids[2])
              in text, '%s', text)
    return len(newest)


def main():
    build = os.path.abspath(sys.argv[1])
    dir = tempfile.mkdtemp(prefix='replay.')
    compared = 0
    try:
        noise = os.path.join(dir, 'noise.sh')
        with open(noise, 'w') as file:
            file.write(NOISE)
        os.chmod(noise, 0o755)
        for name, settings in RUNS.items():
            best = name == 'best'
            program = {'trainable': 'command'} if best else {}
            command = noise if best else build + '/examples/toy'
            keys = runs.experiment(name, [command], num_samples=6,
                                   stop={'training_iteration': ITERATIONS},
                                   resources={'cpu': 2}, seed=2, **program)
            keys['scheduler'].update(settings)
            run = runs.Run(build, dir, keys)
            run.start()
            check(run.finish() == 0, '%s', run.said())
            lives = Lives(runs.records_of(run.path))
            check_global(run)
            adopted = check_show(build, run)
            check(adopted > 0 or 'hyperparameters' not in name, 'nobody adopted')
            check(not best or lives.former > 0,
                  'no donor gave what it was before its last exploit')
            for entry in sorted(os.scandir(run.path), key=lambda e: e.name):
                if not entry.name.startswith('pbt_policy_'):
                    continue
                trial = int(entry.name[:-4].rsplit('_', 1)[1])
                name = '%s-%d' % (keys['name'], trial)
                found = replayed(build, dir, entry.path, name)
                expected = lives.history(trial)
                check(len(expected) == ITERATIONS, 'a history of %d steps',
                      len(expected))
                check(found == expected, 'trial %d: replayed %s, was %s', trial,
                      found, expected)
                compared += 1
        check(compared >= 4, 'only %d policy files', compared)
    finally:
        shutil.rmtree(dir)
    print('%d schedules replayed' % compared)


if __name__ == '__main__':
    main()
