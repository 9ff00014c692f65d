#!/usr/bin/env python3
"""The corpus of errors: broken experiment files and command lines, and what is said.

    tests/broken.py --build build [--seed N]

tests/spec/broken/ holds experiment files; each is run, has to end with 78, and to print
exactly what lies beside it (which test_spec writes).  tests/broken.txt holds command lines,
each followed by what it prints and `[exit N]`; PBT_UPDATE_GOLDEN=1 rewrites it: read the
difference as the one who typed that line would.  None may leave anything on disk, and none
may print what a terminal acts on.

Then the corpus is counted, and the sources are searched for messages without an id.
"""
import argparse
import collections
import os
import pathlib
import random
import re
import shutil
import subprocess
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
FILES = HERE / 'spec' / 'broken'
LINES = HERE / 'broken.txt'
SOURCE = HERE.parent / 'src'
TABLE = SOURCE / 'base' / 'codes.def'

CASES_MIN = 150
IDS_MIN = 50
CASES_OF_ONE_ID_MAX = 6

HEAD = re.compile(r'^(?:error|warning)\[([EW]\d{4})\]: ', re.M)
# Controls, and marks that turn the direction of writing.
HARMFUL = re.compile('[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]')

EXPERIMENT = '''command: [{build}/examples/toy]
num_samples: 4
metric: score
mode: max
stop: {{training_iteration: 20}}
config:
  lr: {{loguniform: [0.0001, 0.02]}}
scheduler:
  perturbation_interval: 5
  hyperparam_mutations:
    lr: {{loguniform: [0.0001, 0.02]}}
seed: 1
'''


def everything(top):
    """What is on disk, but for the locks and indexes, which are there to look."""
    found = []
    for path in sorted(top.rglob('*')):
        about = path.lstat()
        if path.name not in ('lock', 'experiment.db'):
            found.append((str(path.relative_to(top)), about.st_mode,
                          None if path.is_dir() else (about.st_size, about.st_mtime_ns)))
    return found


def parse_lines(text):
    """(comment lines, command, expected output, exit code) of each case."""
    cases = []
    comments, command, output = [], None, []
    for line in text.splitlines():
        if command is None:
            if line.startswith('$ '):
                command = line[2:]
            else:
                comments.append(line)
            continue
        end = re.fullmatch(r'\[exit (\d+)\]', line)
        if end:
            cases.append((comments, command, '\n'.join(output), int(end[1])))
            comments, command, output = [], None, []
        else:
            output.append(line)
    if command is not None:
        raise ValueError(f'no [exit N] behind: {command}')
    return cases


def as_typed(text, command):
    """What is said of an override when its command line is known: it stands in that."""
    lines = text.split('\n')
    for i, line in enumerate(lines):
        if line == ' --> override':
            lines[i] = ' --> command line'
            lines[i + 2] = lines[i + 2].replace('  | ', f'  | {command} ', 1)
            lines[i + 3] = lines[i + 3].replace('  | ', '  | ' + ' ' * (len(command) + 1), 1)
    return '\n'.join(lines)


class Broken(unittest.TestCase):
    build = pathlib.Path('build')
    seed = 0
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.top = pathlib.Path(tempfile.mkdtemp(prefix='pbt-broken-')).resolve()
        cls.scratch = cls.top / 'scratch'
        cls.scratch.mkdir()
        cls.env = {name: value for name, value in os.environ.items()
                   if not name.startswith(('PBT_', 'COLUMNS', 'LINES', 'LC_', 'CUDA', 'LANG'))}
        cls.env.update(PATH=f'{cls.build}:{os.environ["PATH"]}', HOME=str(cls.top), LC_ALL='C')
        if 'PBT_SHIM' in os.environ:
            cls.env['PBT_SHIM'] = os.environ['PBT_SHIM']
        cls.furnish()

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.top)

    @classmethod
    def furnish(cls):
        """What the command lines find: an experiment, a run, and damaged ones."""
        (cls.scratch / 'exp.yaml').write_text(EXPERIMENT.format(build=cls.build))
        # What is never run, whatever stands behind it.
        (cls.scratch / 'bad.yaml').write_text('colour: blue\n')
        (cls.scratch / 'plain').write_text('no program\n')
        (cls.scratch / 'dir').mkdir()
        code, _, said = cls.shell('pbt run exp.yaml name=done --quiet >/dev/null')
        if code != 0:
            raise RuntimeError(said)
        runs = cls.scratch / 'runs'
        for name in ('hurt', 'cut', 'newer', 'half', 'kind', 'mnist'):
            shutil.copytree(runs / 'done', runs / name)
        segment = runs / 'hurt' / 'journal' / '000001.jsonl'
        lines = segment.read_bytes().split(b'\n')
        records = [i for i, line in enumerate(lines) if b'"t":' in line]
        middle = records[len(records) // 2]
        lines[middle] = re.sub(rb'("t":\d*)(\d)', lambda t: b'%s%d' % (t[1], 9 - int(t[2])),
                               lines[middle])
        segment.write_bytes(b'\n'.join(lines))
        shutil.rmtree(runs / 'cut' / 'journal')
        segment = runs / 'newer' / 'journal' / '000001.jsonl'
        first, rest = segment.read_bytes().split(b'\n', 1)
        segment.write_bytes(re.sub(rb'"journal":\d+', b'"journal":99', first) + b'\n' + rest)
        segment = runs / 'half' / 'journal' / '000001.jsonl'
        segment.write_bytes(b'\n'.join(segment.read_bytes().split(b'\n')[:40]))
        subprocess.run([cls.build / 'tests' / 'add_record', runs / 'kind',
                        '{"n":1000,"k":"teleport","t":1,"trial":0}'], check=True)
        (runs / 'empty').mkdir()

    @classmethod
    def execute(cls, command, cwd):
        done = subprocess.run(command, cwd=cwd, env=cls.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60,
                              check=False)
        said = []
        for stream in (done.stdout, done.stderr):
            text = stream.decode(errors='surrogateescape')
            text = text.replace(str(cls.scratch), '$SCRATCH')
            said.append(re.sub(r'jsonl:\d+', 'jsonl:N', text))
        return done.returncode, said[0], said[1]

    @classmethod
    def shell(cls, line):
        return cls.execute(['bash', '-c', line], cls.scratch)

    def check_harmless(self, text):
        found = HARMFUL.search(text)
        self.assertIsNone(found, f'{found} in {text!r}')
        text.encode()  # no stray bytes either

    def check_form(self, said):
        self.check_harmless(said)
        self.assertRegex(said, HEAD)
        self.assertTrue(HEAD.match(said), said)

    def test_files(self):
        for file in sorted(FILES.iterdir()):
            if file.suffix not in ('.yaml', '.json'):
                continue
            with self.subTest(file=file.name):
                place = self.top / 'file'
                place.mkdir()
                shutil.copy(file, place)
                overrides = re.findall(rb'^#! (.*)$', file.read_bytes(), re.M)
                before = everything(place)
                code, out, said = self.execute([b'pbt', b'run', file.name.encode(), *overrides],
                                               place)
                self.assertEqual(everything(place), before)
                shutil.rmtree(place)
                expected = as_typed(file.with_name(file.name + '.expected').read_text(), 'pbt run')
                first = HEAD.match(expected)[1]
                self.assertEqual(said, f'{expected}\nmore on an error: pbt explain {first}\n')
                self.assertEqual((code, out), (78, ''))
                self.check_form(said)

    def test_lines(self):
        update = os.environ.get('PBT_UPDATE_GOLDEN') == '1'
        before = everything(self.scratch)
        blocks = []
        for comments, command, expected, code in parse_lines(LINES.read_text()):
            got, out, said = self.shell(command)
            said = said.rstrip('\n')
            blocks.append('\n'.join([*comments, f'$ {command}', said, f'[exit {got}]\n']))
            with self.subTest(command=command):
                self.assertEqual(sorted(set(everything(self.scratch)) ^ set(before)), [])
                self.assertEqual(out, '')
                self.check_form(said)
                if not update:
                    self.assertEqual((said, got), (expected, code))
        if update:
            LINES.write_text(''.join(blocks))

    def test_explained_lines(self):
        """The wrong command lines that `pbt explain` shows are wrong in that way."""
        before = everything(self.scratch)
        for code in re.findall(r'^CODE\(([EW]\d{4}),', TABLE.read_text(), re.M):
            _, page, _ = self.shell(f'pbt explain {code}')
            for line in re.findall(r'Wrong:\n\n    \$ (.*)\n', page):
                with self.subTest(line=line):
                    self.assertIn(f'[{code}]: ', self.shell(line)[2])
        self.assertEqual(everything(self.scratch), before)

    def test_count(self):
        cases = collections.Counter()
        total = 0
        texts = [file.read_text() for file in FILES.glob('*.expected')]
        texts += [expected for _, _, expected, _ in parse_lines(LINES.read_text())]
        for text in texts:
            total += 1
            cases.update(set(HEAD.findall(text)))
        known = re.findall(r'^CODE\(([EW]\d{4}),', TABLE.read_text(), re.M)
        self.assertEqual(sorted(set(cases) - set(known)), [])
        self.assertGreaterEqual(total, CASES_MIN)
        self.assertGreaterEqual(len(cases), IDS_MIN)
        many = {code: count for code, count in cases.items() if count > CASES_OF_ONE_ID_MAX}
        self.assertEqual(many, {}, 'too often: the corpus is to be varied')

    def test_any_bytes(self):
        """Arguments, names of files and texts of any bytes keep the form."""
        draw = random.Random(self.seed)
        print(f'seed {self.seed}', flush=True)
        verbs = [b'run', b'check', b'status', b'resume', b'explain', b'stop', b'rebuild', b'']
        pieces = [b'\x1b[31m', b'\x1b]0;t\x07', b'\n', b'\r', b'\t', b"'", b'=', b'.', b'--', b'-',
                  '\u202e'.encode(), b'\xff', b'\xc3', '\u9f98'.encode(), b'%s%n', b'[', b'{', b'x']
        before = everything(self.scratch)
        for _ in range(150):
            words = [b'pbt', draw.choice(verbs)]
            if draw.random() < 0.5:
                words.append(b'bad.yaml')
            for _ in range(draw.randint(1, 3)):
                words.append(b''.join(draw.choice(pieces) for _ in range(draw.randint(1, 6))))
            if b'-h' in b' '.join(words) or words[1] == b'explain' and words[2] == b'--':
                continue
            with self.subTest(words=words):
                code, _, said = self.execute(words, self.scratch)
                self.assertIn(code, (2, 66, 73, 74, 78))
                self.check_form(said)
                self.assertEqual(everything(self.scratch), before)

    def test_any_text(self):
        draw = random.Random(self.seed + 1)
        place = self.top / 'text'
        place.mkdir()
        good = EXPERIMENT.format(build=self.build).encode()
        pieces = [b'\x1b[2J', b'\x07', b'\x00', b'\r', b'\xe2\x80\xae', b'\xff', b'"\\e[1m": 1\n',
                  b'&', b'*', b': ', b'{', b']', b'%', b'? ', b'a' * 300]
        for _ in range(100):
            text = bytearray(good)
            for _ in range(draw.randint(1, 4)):
                at = draw.randrange(len(text))
                text[at:at + draw.randint(0, 3)] = draw.choice(pieces)
            file = place / 'a\x1b[31m\nb.yaml'
            file.write_bytes(text)
            with self.subTest(text=bytes(text)):
                code, _, said = self.execute(['pbt', 'check', file.name], place)
                self.assertIn(code, (0, 78))
                self.check_harmless(said)
                if said:
                    self.check_form(said)

    def test_every_message_has_an_id(self):
        """A message is printed by one of two files; what a user meets is made by pbt_fail()."""
        allowed = {'src/cli/message.c', 'src/spec/problems.c'}
        # These have a general id each, by their status: there is nothing more to say.
        general = ('PBT_ENOMEM', 'PBT_EIO', 'PBT_EINTERNAL', 'PBT_EINTERRUPTED')
        rooms = ('cli', 'spec', 'run')
        # Said to a program, or about a record with its place before it.
        programmers = ('src/run/api.c', 'src/run/functions.c', 'src/spec/config_read.c',
                       'src/cli/peer.c')
        table = TABLE.read_text()
        used = set()
        for file in sorted(SOURCE.rglob('*.[ch]')):
            name = str(file.relative_to(SOURCE.parent))
            text = file.read_text()
            used.update(re.findall(r'PBT_([EW]\d{4})\b', text))
            used.update(re.findall(r'"(?:(?:warning|error)\[)?([EW]\d{4})[]"]', text))
            if name not in allowed:
                self.assertNotRegex(text, r'"(?:error|warning): ', f'{name}: a message without id')
            if file.parent.name not in rooms or name in programmers:
                continue
            for status in re.findall(r'pbt_error_set\(\s*[^,]+,\s*([\w.>-]+)', text):
                self.assertIn(status, general, f'{name}: use pbt_fail() with an id')
        known = set(re.findall(r'^CODE\(([EW]\d{4}),', table, re.M))
        self.assertEqual(sorted(known - used), [], 'ids that nothing says')


if __name__ == '__main__':
    parser = argparse.ArgumentParser()
    parser.add_argument('--build', default='build')
    parser.add_argument('--seed', type=int, default=random.SystemRandom().randrange(1 << 32))
    options, rest = parser.parse_known_args()
    Broken.build = pathlib.Path(options.build).resolve()
    Broken.seed = options.seed
    unittest.main(argv=[__file__, *rest])
