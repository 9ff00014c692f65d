"""What docs/security.md promises, tried with what an attacker would write.

    test_security.py BUILD_DIR
"""
import csv
import glob
import json
import os
import pty
import re
import resource
import shutil
import stat
import subprocess
import sys
import tempfile
import unittest

import runs

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(HERE)
BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else 'build')
PBT = os.path.join(BUILD, 'pbt')
TOY = os.path.join(BUILD, 'examples', 'toy')

# A worker that does as HOSTILE says (JSON): extra metrics, words on stderr, and the end.
HOSTILE = '''
import json, os, sys
sys.argv[0] = CLIENT
plan = json.loads(os.environ['HOSTILE'])
with open(os.environ['PBT_TRIAL_DIR'] + '/argv', 'w') as file:
    json.dump(sys.argv[1:], file)
text = open(CLIENT).read()
text = text.replace('metrics=model', "metrics={**model, **plan['metrics']}")
text = text.replace("if running:\\n        iteration,",
    "if running and iteration + 1 == plan.get('end'):\\n"
    "        sys.stderr.write(os.path.expandvars(plan['words'])); sys.stderr.flush(); os._exit(9)\\n"
    "    if running:\\n        iteration,")
exec(compile(text, CLIENT, 'exec'))
'''

ATTACKS = [
    '\x1b]0;owned\x07', '\x1b]52;c;cm0gLXJm\x07', '\x1b[2J\x1b[H', '\x1b[31m', '\x1bc',
    '\x1b[?1049h', '\x1b[8m', '\x1bP+q544e\x1b\\', '\x1b[6n', '\x9b2J', '\x9d0;x\x9c',
    '\x90x\x9c', '\x08\x08\x08', '\x0b\x0c', '\rfake', '\x7f', '\u202egnp.exe', '\u2066x\u2069',
    '\u2028line', '\x05', '\x0e']

# What a terminal may be sent: our own drawing (src/view/screen.c) and lines of text.
OWN = re.compile(r'\x1b\[(\?7[lh]|[HJK]|2J|\d+A|[0-9;]*m)|\r|\n|\t')


def dangerous(text):
    return sorted({c for c in OWN.sub('', text)
                   if ord(c) < 32 or 0x7f <= ord(c) < 0xa0 or c in
                   '\u061c\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e'
                   '\u2066\u2067\u2068\u2069'})


class Case(unittest.TestCase):
    def setUp(self):
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix='test_security.'))
        self.addCleanup(shutil.rmtree, self.dir)

    def file(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return path

    def pbt(self, *args, env=None, mask=0o022, limit=None):
        """The exit status, stdout, stderr."""
        def before():
            os.umask(mask)
            if limit is not None:
                limit()
        done = subprocess.run([PBT, *args], cwd=self.dir, env={**os.environ, **(env or {})},
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=120,
                              preexec_fn=before)
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    def on_terminal(self, *args, env=None):
        """What pbt writes to a terminal."""
        pid, fd = pty.fork()
        if pid == 0:
            os.chdir(self.dir)
            os.execve(PBT, [PBT, *args], {**os.environ, 'TERM': 'xterm',
                                          'LC_ALL': 'C.UTF-8', **(env or {})})
        got = b''
        while True:
            try:
                piece = os.read(fd, 65536)
            except OSError:
                break
            if not piece:
                break
            got += piece
        os.close(fd)
        os.waitpid(pid, 0)
        return got.decode(errors='surrogateescape')

    def experiment(self, name='exp', metrics=None, words='', end=None, argv=(), **keys):
        """A file with a worker that is up to no good."""
        plan = {'metrics': metrics or {}, 'words': words, 'end': end}
        worker = self.file('worker.py', 'CLIENT = %r\n' % (HERE + '/client.py') + HOSTILE)
        keys = runs.experiment(name, [sys.executable, worker, *argv], num_samples=2,
                               stop={'training_iteration': 10},
                               failure={'max_failures': 0}, **keys)
        env = {'HOSTILE': json.dumps(plan), 'PYTHONDONTWRITEBYTECODE': '1'}
        keys['env'] = {**env, **keys.get('env', {})}
        return self.file(name + '.json', json.dumps(keys))

    def everything(self, *but):
        """Each file below, as bytes."""
        for path in glob.glob(self.dir + '/**', recursive=True, include_hidden=True) \
                if sys.version_info >= (3, 11) else glob.glob(self.dir + '/**', recursive=True):
            if os.path.isfile(path) and not path.endswith(but):
                with open(path, 'rb') as file:
                    yield path, file.read()


class Modes(Case):
    def test_nobody_else_can_read_a_run(self):
        for mask in (0o000, 0o022, 0o077):
            with self.subTest(umask=oct(mask)):
                name = 'm%o' % mask
                keys = runs.experiment(name, [TOY])
                file = self.file(name + '.json', json.dumps(keys))
                code, _, said = self.pbt('run', file, '--quiet', mask=mask)
                self.assertEqual(code, 0, said)
                self.expect_modes(self.dir + '/runs/' + name)
                code, _, said = self.pbt('rebuild', name, mask=mask)
                self.assertEqual(code, 0, said)
                self.expect_modes(self.dir + '/runs/' + name)

    def test_nobody_else_can_ask_a_run_at_work(self):
        keys = runs.experiment('work', [TOY], config={
            'lr': {'loguniform': [0.0001, 0.02]}, 'sleep_ms': 1000})
        run = runs.Run(BUILD, self.dir + '/runs', keys)
        before = os.umask(0)
        try:
            run.start()
        finally:
            os.umask(before)
        try:
            socket = run.path + '/control.sock'
            runs.wait_until('there', lambda: os.path.exists(socket))
            runs.wait_until('begun', run.begun)
            self.assertEqual(stat.S_IMODE(os.lstat(socket).st_mode), 0o600)
            self.assertEqual(stat.S_IMODE(os.lstat(run.path).st_mode), 0o700)

            def all_ready():  # a process that is just being made can't be found yet
                kinds = [r['k'] for r in runs.records_of(run.path)]
                return 0 < kinds.count('start') <= kinds.count('ready')
            runs.wait_until('ready', all_ready)
        finally:
            run.kill()
        run.wait_gone()

    def expect_modes(self, run):
        seen = 0
        for path, dirs, files in os.walk(run):
            own = '/checkpoint_' not in path
            for name in ['.'] + [name for name in files
                                 if own or name.startswith('.pbt_')]:
                mode = os.lstat(os.path.join(path, name)).st_mode
                wanted = 0o700 if stat.S_ISDIR(mode) else 0o600
                self.assertEqual(oct(stat.S_IMODE(mode)), oct(wanted),
                                 os.path.join(path, name))
                seen += 1
        self.assertGreater(seen, 30)


NASTY = ['$(touch pwned)', '`touch pwned`', "'; touch pwned; '", '"; touch pwned; "',
         '| touch pwned', '&& touch pwned', '\ntouch pwned\n', '../../pwned', '/tmp/pwned',
         '-rf', '..', '.', '*', '~', '$HOME', '\\', '%s%n', 'a\tb', 'a b', 'ü']


class Names(Case):
    def test_an_experiments_name_is_a_word(self):
        for name in NASTY + ['', '.hidden', 'x' * 129, 'a/b', 'a\x00b']:
            with self.subTest(name=name):
                keys = runs.experiment('exp', [TOY])
                keys['name'] = name
                code, _, _ = self.pbt('run', self.file('exp.json', json.dumps(keys)))
                self.assertEqual(code, 78)
        self.assertEqual(os.listdir(self.dir), ['exp.json'])

    def test_metrics_name_columns_and_nothing_else(self):
        metrics = {name: 1.5 for name in NASTY}
        code, _, said = self.pbt('run', self.experiment(metrics=metrics), '--quiet')
        self.assertEqual(code, 0, said)
        self.assertEqual(sorted(os.listdir(self.dir)), ['exp.json', 'runs', 'worker.py'])
        self.assertFalse(glob.glob(self.dir + '/**/pwned', recursive=True))
        for path in glob.glob(self.dir + '/runs/exp/*/progress.csv'):
            with open(path, newline='', encoding='utf-8') as file:
                rows = list(csv.DictReader(file))
            for row in rows:
                for name in NASTY:
                    self.assertEqual(row[name], '1.5', (path, name))

    def test_hyperparameters_and_arguments_are_never_read_by_a_shell(self):
        names = [name for name in NASTY if '/' not in name and not
                 any(ord(c) < 32 for c in name)]
        config = {'lr': {'loguniform': [0.0001, 0.02]}, **{name: 1 for name in names}}
        code, _, said = self.pbt('run', self.experiment(config=config, argv=NASTY), '--quiet')
        self.assertEqual(code, 0, said)
        self.assertFalse(glob.glob(self.dir + '/**/pwned', recursive=True))
        trials = glob.glob(self.dir + '/runs/exp/*/argv')
        self.assertEqual(len(trials), 2)
        for path in trials:
            with open(path) as file:
                self.assertEqual(json.load(file), NASTY)

    def test_no_shell_in_the_source(self):
        call = re.compile(r'\b(system|popen|wordexp|execlp?|execle)\s*\(|/bin/(ba)?sh|"sh"')
        found = []
        for path in glob.glob(SOURCE + '/src/*/*.[ch]'):
            with open(path) as file:
                found += [(path, line) for line in file if call.search(line)]
        self.assertEqual(found, [])


class Secrets(Case):
    FILE = 'canary-in-the-file-123'
    SHELL = 'canary-of-the-shell-456'

    def silent(self, *texts):
        for text in texts:
            self.assertNotIn('canary', text)

    def test_values_stay_where_a_resume_needs_them(self):
        words = "my key is $WANDB_API_KEY, and $db_password\n"
        file = self.experiment(words=words, end=4, env={'WANDB_API_KEY': self.FILE})
        env = {'db_password': self.SHELL}
        for args in (['check', file], ['check', '--all', file],
                     ['check', '--all', file, 'env.A_TOKEN=' + self.FILE]):
            code, out, said = self.pbt(*args, env=env)
            self.assertEqual(code, 0, said)
            self.silent(out, said)
        code, out, said = self.pbt('run', file, env=env)
        self.assertEqual(code, 1, said)
        self.assertIn('my key is ****', said)
        self.silent(out, said)
        for verb in ('status', 'resume', 'rebuild'):
            code, out, said = self.pbt(verb, 'exp', env=env)
            self.silent(out, said)
        self.silent(self.on_terminal('status', 'exp'))
        # The program's own words are its own; the specification is what a resume reads.
        kept = {'exp.json', 'experiment.yaml', 'stderr'}
        for path, data in self.everything():
            if b'canary' in data:
                self.assertIn(os.path.basename(path), kept, path)
                self.assertEqual(stat.S_IMODE(os.stat(path).st_mode) & 0o077,
                                 0 if '/runs/' in path else 0o044, path)
        spec = self.dir + '/runs/exp/experiment.yaml'
        with open(spec) as text:
            self.assertIn('WANDB_API_KEY: "%s"' % self.FILE, text.read())

    def test_a_program_that_explores_tells_nothing(self):
        explore = ['/bin/sh', '-c', 'echo "with $WANDB_API_KEY" >&2; exit 3']
        keys = runs.experiment('exp', [TOY], env={'WANDB_API_KEY': self.FILE})
        keys['scheduler']['custom_explore'] = explore
        file = self.file('exp.json', json.dumps(keys))
        code, out, said = self.pbt('run', file)
        self.assertIn('with ****', said)
        self.silent(out, said)
        for path, data in self.everything():
            if not path.endswith(('exp.json', 'experiment.yaml')):
                self.assertNotIn(b'canary', data, path)

    def test_errors_do_not_show_the_line(self):
        for text in (
                'env:\n  API_TOKEN: canary\n    x: 1\n',
                'env: {API_TOKEN: canary-1, 1x: 2}\n',
                'env:\n  aws_secret: [canary]\n',
                'env:\n  aws_secret: {a: canary}\n',
                'env:\n  A_KEY: |\n    canary\n    canary\n  1x: 2\n',
                'env:\n  A_KEY: "a\n    canary"\n  A_KEY: canary\n',
                'env:\n  A_KEY: *canary\n',
                'env:\n  A_KEY: "canary\n',
                '{"env": {"A_KEY": "canary", "A_KEY": "canary"}}\n'):
            with self.subTest(text=text):
                code, out, said = self.pbt('check', self.file('bad.yaml', text))
                self.assertEqual(code, 78)
                self.assertRegex(said, r'error\[E\d{4}\]: ')
                if '*canary' not in text:
                    self.silent(out, said)
        file = self.experiment()
        for key in ('env.MY_TOKEN=[canary', 'env.MY_TOKEN=[canary]', 'env.1TOKEN=canary'):
            code, out, said = self.pbt('check', file, key)
            self.assertEqual(code, 78)
            self.silent(out, said)


class Escapes(Case):
    def test_a_terminal_gets_none(self):
        metrics = {'m%d%s' % (i, text): i for i, text in enumerate(ATTACKS[:3])}
        metrics['text'] = ''.join(ATTACKS)
        words = ''.join('%s\n' % text for text in ATTACKS)
        file = self.experiment(metrics=metrics, words=words, end=4)
        run = self.on_terminal('run', file)
        self.assertIn('last words', run)
        self.assertEqual(dangerous(run), [])
        self.assertTrue(dangerous(words))
        for args in (('status', 'exp'), ('resume', 'exp')):
            self.assertEqual(dangerous(self.on_terminal(*args)), [], args)
        # Files keep what was said.
        kept = ''
        for path in glob.glob(self.dir + '/runs/exp/*/stderr'):
            with open(path, newline='', encoding='utf-8') as text:
                kept += text.read()
        self.assertIn(words, kept)

    def test_messages_about_arguments_have_none(self):
        for text in ATTACKS:
            for args in ([text], ['status', text], ['run', text], ['run', '--' + text],
                         ['check', text + '.yaml'], ['help', text],
                         ['run', self.experiment(), text + '=1']):
                with self.subTest(args=args):
                    _, out, said = self.pbt(*args)
                    self.assertEqual(dangerous(out + said), [])


class Bombs(Case):
    def refused(self, text, said):
        def limit():
            resource.setrlimit(resource.RLIMIT_CPU, (20, 20))
            if 'asan' not in BUILD:  # its shadow is larger
                resource.setrlimit(resource.RLIMIT_AS, (1 << 28, 1 << 28))
        code, _, got = self.pbt('check', self.file('bomb.yaml', text), limit=limit)
        self.assertEqual(code, 78, got)
        self.assertIn(said, got)
        self.assertLess(len(got), 20000)

    def test_laughs(self):
        lines = ['a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\n']
        lines += ['%s: &%s [%s]\n' % (c, c, ', '.join(['*' + p] * 9))
                  for p, c in zip('abcdefgh', 'bcdefghi')]
        self.refused(''.join(lines), 'are not taken')

    def test_depth(self):
        self.refused('config: ' + '[' * 5000 + ']' * 5000, 'levels')
        self.refused('config: ' + '{a: ' * 200000, 'levels')

    def test_size(self):
        self.refused('# ' + 'x' * (1 << 20) + '\n', '1 MiB')


if __name__ == '__main__':
    unittest.main()
