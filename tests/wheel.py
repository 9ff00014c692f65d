#!/usr/bin/env python3
"""The wheel of `make wheel`: what is in it, and that it needs nothing else.

    wheel.py BUILD_DIR CMAKE CC

Makes it; installs it by pip, without an index, into a fresh virtual environment, where a
script trains with an empty PATH; and has its programs train in a directory that is the whole
system to them, without /dev, /proc and fonts.
"""
import base64
import csv
import glob
import hashlib
import io
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import zipfile

SOURCE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CC = sys.argv.pop(3) if len(sys.argv) > 3 else 'cc'
CMAKE = sys.argv.pop(2) if len(sys.argv) > 2 else 'cmake'
BUILD = os.path.abspath(sys.argv.pop(1) if len(sys.argv) > 1 else 'build')
TIMEOUT_S = 200
PROGRAMS = ('pbt', 'pbt-shim', 'pbt-command', 'pbt-plot')
SCRIPT = '''
import libpbt as tune

def train(config):
    weight = 0
    while True:
        weight += config['lr']
        tune.report({'score': weight})

results = tune.Tuner(train, param_space={'lr': tune.uniform(0, 1)},
                     tune_config=tune.TuneConfig(metric='score', mode='max', num_samples=3),
                     run_config=tune.RunConfig(name='small', verbose=0,
                                               stop={'training_iteration': 4})).fit()
print(len(results), results.get_best_result().metrics['training_iteration'])
'''


def run(*words, status=0, env=None, cwd=None, **more):
    """What it printed, on both ends together."""
    done = subprocess.run(words, cwd=cwd, env=env, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=TIMEOUT_S, check=False, **more)
    assert done.returncode == status, (words, done.returncode, done.stdout)
    return done.stdout


class Wheel(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        run(CMAKE, '--build', BUILD, '--target', 'wheel',
            env={name: value for name, value in os.environ.items()
                 if name not in ('MAKEFLAGS', 'MAKELEVEL')})
        cls.path, = glob.glob(BUILD + '/wheel/*.whl')
        cls.scratch = tempfile.mkdtemp(prefix='test-wheel-')
        cls.addClassCleanup(shutil.rmtree, cls.scratch)

    def directory(self, name):
        path = os.path.join(self.scratch, name)
        os.mkdir(path)
        return path

    def test_content(self):
        with zipfile.ZipFile(self.path) as wheel:
            names = set(wheel.namelist())
            record, = (name for name in names if name.endswith('.dist-info/RECORD'))
            about = os.path.dirname(record)
            rows = {row[0]: row[1:] for row in csv.reader(
                io.StringIO(wheel.read(record).decode()))}
            self.assertEqual(set(rows), names)
            for name, (digest, size) in rows.items():
                content = wheel.read(name)
                if name != record:
                    kind, value = digest.split('=')
                    made = base64.urlsafe_b64encode(hashlib.new(kind, content).digest())
                    self.assertEqual((value, int(size)),
                                     (made.decode().rstrip('='), len(content)), name)
            self.check_about(wheel, about)
        for name in os.listdir(SOURCE + '/python/libpbt'):
            if not name.startswith('__pycache__'):
                self.assertIn('libpbt/' + name, names)

    def check_about(self, wheel, about):
        tags = re.findall(r'^Tag: (.*)$', wheel.read(about + '/WHEEL').decode(), re.M)
        self.assertEqual({tag.split('-', 2)[2] for tag in tags},
                         set(self.path[:-len('.whl')].split('-')[-1].split('.')))
        parties = wheel.read(about + '/licenses/THIRD-PARTY').decode()
        listed = re.findall(r'^    (\S+), of the source ', parties, re.M)
        for name in ('libc6-dev', 'libuv1-dev', 'libcairo2-dev', 'libpixman-1-dev',
                     'libxxhash-dev', 'libsqlite3-dev'):
            self.assertIn(name, listed)
        for name in (*listed, 'LGPL-2.1'):
            self.assertRegex(parties, r'(?m)^=== %s$' % re.escape(name))
        self.assertIn(b'Apache License', wheel.read(about + '/licenses/LICENSE'))

    def test_static(self):
        with zipfile.ZipFile(self.path) as wheel:
            wheel.extractall(self.directory('content'))
        for name in PROGRAMS:
            path, = glob.glob(self.scratch + '/content/*.data/scripts/' + name)
            said = run('readelf', '--wide', '--program-headers', '--dynamic', path)
            self.assertIn('LOAD', said)
            self.assertNotIn('INTERP', said)
            self.assertNotIn('NEEDED', said)

    def test_no_library_is_loaded(self):
        directory = self.directory('libraries')
        shutil.copy(BUILD + '/tests/libfake_nvml.so', directory + '/libnvidia-ml.so.1')
        for pbt, found in ((BUILD + '/pbt', True), (BUILD + '/static/pbt', False)):
            said = run(pbt, 'doctor', cwd=directory, env={'LD_LIBRARY_PATH': directory})
            self.assertEqual('libnvidia-ml' in said, found, said)

    def test_installed(self):
        place = self.directory('venv')
        run(sys.executable, '-m', 'venv', '--without-pip', place)
        python = place + '/bin/python'
        pip = [sys.executable, '-m', 'pip', '--disable-pip-version-check']
        run(*pip, '--python', python, 'install', '--no-index', self.path)
        self.check_trains(python, place + '/bin/pbt', {})
        self.assertRegex(run(place + '/bin/pbt', 'doctor'), '(?m)^0 errors')
        target = self.directory('target')
        run(*pip, 'install', '--no-index', '--target', target, self.path)
        self.check_trains(sys.executable, target + '/bin/pbt', {'PYTHONPATH': target})

    def check_trains(self, python, pbt, environment):
        directory = tempfile.mkdtemp(dir=self.scratch)
        with open(directory + '/script.py', 'w') as file:
            file.write(SCRIPT)
        env = {'PATH': '', 'PYTHONDONTWRITEBYTECODE': '1', **environment}
        self.assertEqual(run(python, '-c', 'from libpbt import _launch;'
                             'print(_launch.find_pbt())', env=env), pbt + '\n')
        self.assertEqual(run(python, 'script.py', env=env, cwd=directory)[-4:], '3 4\n')
        self.assertIn('small', run(pbt, 'ls', env=env, cwd=directory))

    # --- nothing but the programs ---------------------------------------------------

    def into(self, root, *words, status=0):
        if os.geteuid() == 0:
            enter = ['chroot', root]
        else:
            enter = ['unshare', '--user', '--map-root-user', 'chroot', root]
        enter[enter.index('chroot')] = shutil.which('chroot', path='/usr/sbin:/usr/bin')
        return run(*enter, *words, status=status, env={})

    def test_empty_system(self):
        root = self.directory('root')
        os.mkdir(root + '/bin')
        for name in PROGRAMS:
            shutil.copy(BUILD + '/static/' + name, root + '/bin')
        try:
            self.into(root, '/bin/pbt', '--version')
        except AssertionError as error:
            if os.geteuid() != 0:
                self.skipTest('not root, and no user namespaces: %s' % error)
            raise
        self.compile(SOURCE + '/examples/toy/toy.c', root + '/train')
        with open(self.scratch + '/nothing.c', 'w') as file:
            file.write('int main(void) { return 0; }')
        self.compile(self.scratch + '/nothing.c', root + '/nothing')
        self.assertRegex(self.into(root, '/bin/pbt', 'doctor'), '(?m)^warning  /proc ')
        common = ['/bin/pbt', 'run', '-n', '4', '-m', 'lr=uniform:0.001:0.02', '-p',
                  'lr=uniform:0.001:0.02', '--metric', 'score', '--mode', 'max', '-i', '5',
                  '-s', 'training_iteration=20']
        self.into(root, *common, '--name', 'toy', '--', '/train')
        self.assertIn('TERMINATED', self.into(root, '/bin/pbt', 'status', 'toy'))
        for name in ('a.svg', 'a.png'):
            self.assertEqual(self.into(root, '/bin/pbt', 'plot', 'toy', '-o', name), '')
            self.assertGreater(os.path.getsize(root + '/' + name), 10000)
        said = self.into(root, *common, '--name', 'nothing', 'trainable=command', '--',
                         '/nothing', '{lr}', status=1)
        self.assertIn('can\'t be read without /proc', said)

    @staticmethod
    def compile(source, out):
        flags = run('pkg-config', '--static', '--libs', 'libpbt',
                    env={**os.environ, 'PKG_CONFIG_PATH': BUILD})
        run(CC, '-static', '-w', '-Wl,--no-warnings', '-I' + SOURCE + '/include', source, '-o', out,
            BUILD + '/libpbt.a', '-L' + BUILD, *flags.split())


unittest.main()
