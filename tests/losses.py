"""A checkpoint that is lost costs what stood on it, and nothing else.

    losses.py BUILD_DIR

Every kind of loss (a directory that is gone, a file that is cut, a bit that is flipped, a
manifest that is gone) at every kind of moment (a donor's pair; what a loser is loading, while
the driver is dead and while it lives; one that is only retained; the best; the only one).
After each the run is resumed and has to end well.  A plain model of each trial's restart
points, fed by the journal, says where every trial has to go on from, which exploits stand,
and what the files have to show.
"""
import collections
import json
import os
import shutil
import subprocess
import sys
import tempfile

import runs
from runs import check

ITERATIONS = 25
MANIFEST = '.pbt_manifest.json'


# --- what is lost ---------------------------------------------------------------


def remove(path):
    shutil.rmtree(path)


def cut(path):
    os.truncate(path + '/iteration.txt', 0)


def flip(path):
    name = path + '/toy.txt'
    content = bytearray(runs.read(name))
    content[len(content) // 2] ^= 4
    with open(name, 'wb') as file:
        file.write(content)


def unmanifest(path):
    os.unlink(path + '/' + MANIFEST)


KINDS = {'missing': remove, 'truncated': cut, 'flipped': flip,
         'no manifest': unmanifest}
# What shows when the run is opened, without reading any file.
SHOWS = ('missing', 'no manifest')


# --- the model ------------------------------------------------------------------

Point = collections.namedtuple('Point', 'checkpoint it config exploits lineage')


def name_of(checkpoint):
    return (checkpoint['trial'], checkpoint['number']) if checkpoint else None


class Trial:
    def __init__(self):
        self.points = []
        self.exploits = []  # that stand: (it, donor, donor_it)
        self.policies = []  # before each of them
        self.policy = []
        self.undone = 0
        self.it = 0
        self.config = None
        self.lineage = None
        self.pair = None


class Model:
    """Where each trial can go back to, by the journal."""

    def __init__(self):
        self.trials = collections.defaultdict(Trial)
        self.durable = set()
        self.live = {}  # checkpoint: score
        self.bad = {}
        self.lives = {}  # epoch: (checkpoint, lineage)
        self.undone = 0

    def feed(self, record):
        trial = self.trials[record['trial']] if 'trial' in record else None
        feed = getattr(self, 'feed_' + record['k'], None)
        if feed:
            feed(record, trial)

    def push(self, trial, checkpoint):
        kept, durable = [], 0
        for point in reversed(trial.points[1:]):
            if durable < 2:
                kept.insert(0, point)
                durable += point.checkpoint in self.durable
        trial.points[1:] = kept
        trial.points.append(Point(checkpoint, trial.it, trial.config,
                                  len(trial.exploits), trial.lineage))

    def feed_trial(self, record, trial):
        trial.config, trial.lineage = record['config'], record['lineage']
        self.push(trial, None)

    def feed_start(self, record, trial):
        top = trial.points[-1]
        check((name_of(record.get('checkpoint')), record['it'],
               record['config'], len(trial.exploits)) ==
              (top.checkpoint, top.it, top.config, top.exploits),
              '%s does not start from %s', record, top)
        trial.it, trial.config = top.it, top.config
        self.lives[record['epoch']] = (top.checkpoint, trial.lineage)

    def feed_result(self, record, trial):
        trial.it = record['it']
        if record.get('point'):
            trial.pair = None

    def feed_saved(self, record, trial):
        checkpoint = name_of(record['checkpoint'])
        self.live[checkpoint] = record['score']
        if record.get('point'):
            trial.pair = checkpoint
        self.push(trial, checkpoint)

    def feed_durable(self, record, _):
        self.durable.add(name_of(record['checkpoint']))

    def feed_delete(self, record, _):
        del self.live[name_of(record['checkpoint'])]

    def feed_exploit(self, record, trial):
        checkpoint = name_of(record['checkpoint'])
        check(checkpoint in self.live, '%s: that is gone', record)
        line = (record['trial'], record['donor'], record['it'],
                record['donor_it'])
        trial.exploits.append(line)
        trial.policies.append(trial.policy)
        trial.policy = self.trials[record['donor']].policy + [line]
        trial.it, trial.config = record['donor_it'], record['config']
        trial.lineage, trial.pair = record['lineage'], None
        self.lives[record['epoch']] = (checkpoint, trial.lineage)
        self.push(trial, checkpoint)

    def feed_bad(self, record, _):
        checkpoint = name_of(record['checkpoint'])
        check(record['data']['text'], '%s does not say why', record)
        del self.live[checkpoint]
        self.bad[checkpoint] = record['data']['text']
        for trial in self.trials.values():
            trial.points[1:] = [point for point in trial.points[1:]
                                if point.checkpoint != checkpoint]
            trial.pair = None if trial.pair == checkpoint else trial.pair

    def feed_undo(self, record, trial):
        top = trial.points[-1]
        check((record['exploits'], record['it'], record['config'],
               record['lineage'], name_of(record.get('checkpoint'))) ==
              (top.exploits, top.it, top.config, top.lineage, top.checkpoint)
              and top.exploits < len(trial.exploits),
              '%s is not back at %s', record, top)
        while len(trial.exploits) > top.exploits:
            trial.exploits.pop()
            trial.policy = trial.policies.pop()
            trial.undone += 1
            self.undone += 1
        trial.lineage = top.lineage

    def tops(self):
        return [trial.points[-1].checkpoint
                for trial in self.trials.values() if trial.points]


def model_of(run):
    model = Model()
    for record in runs.records_of(run.path):
        model.feed(record)
    return model


# --- moments --------------------------------------------------------------------


def of_pair(model):
    """A donor's pair that nobody has taken over."""
    taken = [point.checkpoint for number, trial in model.trials.items()
             for point in trial.points[1:] if point.checkpoint[0] != number]
    return [trial.pair for trial in model.trials.values()
            if trial.pair and trial.pair not in taken]


def of_loading(model):
    """What a loser has taken over and saved nothing since."""
    return [trial.points[-1].checkpoint
            for number, trial in model.trials.items()
            if trial.points and trial.points[-1].checkpoint and
            trial.points[-1].checkpoint[0] != number]


def of_best(model):
    return [max(model.live, key=model.live.get)] if len(model.live) > 6 else []


def of_retained(model):
    """One that is kept because the file says so, and nobody would go back to."""
    needed = {point.checkpoint for trial in model.trials.values()
              for point in trial.points}
    needed |= {trial.pair for trial in model.trials.values()}
    needed |= set(of_best(model))
    return [checkpoint for checkpoint in model.live
            if checkpoint not in needed]


def of_only(model):
    return [trial.points[1].checkpoint for trial in model.trials.values()
            if len(trial.points) == 2 and not trial.exploits]


MOMENTS = {'pair': of_pair, 'loading': of_loading, 'live': of_loading,
           'retained': of_retained, 'best': of_best, 'only': of_only}


class Case:
    def __init__(self, build, dir, kind, moment, seed):
        self.kind, self.moment = kind, moment
        name = '%s-%s' % (moment, kind.replace(' ', '-'))
        # A load that lasts can be met under way.
        slow = {'live': '1500', 'loading': '400'}.get(moment, '0')
        self.run = runs.Run(build, dir, runs.experiment(
            name, [build + '/tests/bad_toy'], seed=seed,
            stop={'training_iteration': ITERATIONS}, resources={'cpu': 4},
            failure={'max_failures': 0},
            checkpoint={'num_to_keep': 4, 'at_end': True, 'frequency': 2}),
            {'TOY_SLEEP_MS': '4', 'TOY_SLOW_LOAD_MS': slow})
        self.lost = None
        self.build = build

    def find(self):
        """The checkpoint to lose, as soon as there is one at such a moment."""
        check(not self.run.ended(), '%s ended before there was one:\n%s',
              self.run.path, self.run.said()[-2000:])
        if not self.run.begun():
            return None
        found = [checkpoint for checkpoint in
                 MOMENTS[self.moment](model_of(self.run))
                 if os.path.exists(self.path(checkpoint))]
        return found[0] if found else None

    def path(self, checkpoint):
        return self.run.checkpoint_dir({'trial': checkpoint[0],
                                        'number': checkpoint[1]})

    def lose(self):
        self.run.start()
        self.lost = runs.wait_until('at such a moment', self.find)[0]
        if self.moment != 'live':
            self.run.kill()
            self.run.wait_gone()
            # It was read while the run went on: what is there now?
            found = [c for c in MOMENTS[self.moment](model_of(self.run))
                     if os.path.exists(self.path(c))]
            if not found:
                return False
            self.lost = found[0]
        before = model_of(self.run)
        try:
            KINDS[self.kind](self.path(self.lost))
        except FileNotFoundError:
            if self.moment != 'live':
                raise
            self.run.kill()  # the run has deleted it itself, just now
            self.run.wait_gone()
            return False
        self.must_show = self.moment != 'live' and (
            self.kind in SHOWS or self.lost not in before.durable or
            self.lost in before.tops())
        if self.moment == 'live':
            # Whoever reads it now fails; what loads all the same needs no manifest.
            self.must_show = self.kind in ('missing', 'truncated')
        else:
            self.run.start()
        return True

    def check_end(self):
        run = self.run
        status = run.finish()
        check(status == 0, '%s: exit status %d:\n%s', run.path, status,
              run.said()[-3000:])
        model = model_of(run)
        records = runs.records_of(run.path)
        check(all(trial.it == ITERATIONS for trial in model.trials.values()),
              '%s: trials end at %s', run.path,
              [trial.it for trial in model.trials.values()])
        check(not any(record.get('leave') in ('retry', 'error')
                      for record in records if record['k'] == 'exited'),
              '%s: the loss counts as a failure', run.path)
        noticed = self.lost in model.bad
        check(noticed or not self.must_show,
              '%s: nobody has noticed that %s is lost', run.path, self.lost)
        if noticed:
            check(not os.path.exists(self.path(self.lost)),
                  '%s is still there', self.path(self.lost))
            check('W0303' in run.said() and
                  self.path(self.lost)[len(run.path) + 1:] in run.said(),
                  '%s does not say that %s is lost', run.log, self.lost)
        check(set(model.bad) <= {self.lost}, '%s: %s', run.path, model.bad)
        check(('W0305' in run.said()) == (model.undone > 0),
              '%s: %d exploits are undone', run.log, model.undone)
        for checkpoint in model.live:
            check(os.path.exists(self.path(checkpoint)) or
                  checkpoint == self.lost, '%s is gone', self.path(checkpoint))
        self.check_files(model, records)
        return noticed, model.undone

    def check_files(self, model, records):
        run = self.run
        files = [run.path + '/' + name for name in os.listdir(run.path)
                 if name.startswith('pbt_')] + [
            path + '/' + name for path in run.trial_dirs()
            for name in ('result.json', 'progress.csv', 'params.json')]
        content = {file: runs.read(file) for file in files}
        standing = [line for trial in model.trials.values()
                    for line in trial.exploits]
        check(sorted(lines_of(run.path + '/pbt_global.txt')) ==
              sorted(standing), '%s/pbt_global.txt has not the exploits that '
              'stand: %s', run.path, standing)
        for number, trial in model.trials.items():
            path = run.trial_dir(number)
            policy = '%s/pbt_policy_%s.txt' % (run.path,
                                               os.path.basename(path))
            check(lines_of(policy) == trial.policy, '%s is not %s', policy,
                  trial.policy)
            check(json.loads(content[path + '/params.json']) == trial.config,
                  '%s/params.json is not %s', path, trial.config)
        self.check_rows(model, records)
        status = json.loads(runs.read(run.path + '/status.json'))
        check((status['perturbations'], status['undone']) ==
              (len(standing), model.undone),
              '%s/status.json: %s', run.path, status)
        check([(each['exploits'], each['undone'], each['lineage'])
               for each in status['trials']] ==
              [(len(trial.exploits), trial.undone, trial.lineage)
               for _, trial in sorted(model.trials.items())],
              '%s/status.json: %s', run.path, status['trials'])
        subprocess.run([self.build + '/pbt', 'rebuild', run.path], check=True,
                       stdout=subprocess.DEVNULL, timeout=runs.DEADLINE_S)
        for file in files:
            check(runs.read(file) == content[file],
                  '%s is not what a rebuild gives', file)

    def check_rows(self, model, records):
        wanted = collections.Counter(
            (record['trial'], record['epoch'], record['seq'])
            for record in records if record['k'] == 'result')
        for number in model.trials:
            for line in runs.read(self.run.trial_dir(number) +
                                  '/result.json').splitlines():
                row = json.loads(line)
                wanted[number, row['pbt_epoch'], row['pbt_seq']] -= 1
                checkpoint, lineage = model.lives[row['pbt_epoch']]
                parent = checkpoint and self.path(checkpoint)[
                    len(self.run.path) + 1:]
                check((row['pbt_lineage'], row['pbt_parent']) ==
                      (lineage, parent), '%s: %s', self.run.path, row)
        check(not any(wanted.values()), '%s: result.json has not the results '
              'of the journal', self.run.path)


def lines_of(path):
    """(trial, donor, iteration, iteration of the donor's checkpoint)."""
    lines = [json.loads(line) for line in runs.read(path).splitlines()]
    return [(int(line[0].split('_')[0]), int(line[1].split('_')[0]), line[2],
             line[3]) for line in lines]


def one(build, dir, kind, moment):
    """Tried again where the moment had passed before the kill."""
    for seed in range(1, 20):
        case = Case(build, '%s/%d' % (dir, seed), kind, moment, seed)
        if case.lose():
            return case.check_end()
    raise runs.Failed('%s, %s: the moment always passes' % (kind, moment))


def main():
    build = os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else 'build')
    dir = tempfile.mkdtemp(prefix='losses.')
    undone = 0
    try:
        for moment in MOMENTS:
            for kind in KINDS:
                noticed, count = one(build, dir, kind, moment)
                undone += count
                print('%-9s %-12s %s' % (
                    moment, kind, 'noticed' if noticed else 'not noticed') +
                      (', %d exploit(s) undone' % count if count else ''),
                      flush=True)
        check(undone > 0, 'no exploit was undone: that proves little')
    except (runs.Failed, subprocess.SubprocessError) as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
