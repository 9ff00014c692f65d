"""examples/dcgan trains, to an exploit and to its end, and shows what it has learnt.

    dcgan.py BUILD_DIR SOURCE_DIR

Exits with 77 (skipped) where it wasn't built: no oneDNN.
"""
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import runs
from runs import check

SKIPPED = 77


def run(words, good=True, **env):
    done = subprocess.run(words, env={**os.environ, **env}, text=True, check=False,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=2 * runs.DEADLINE_S)
    check((done.returncode == 0) == good, '%s: exit status %d:\n%s', words,
          done.returncode, (done.stdout + done.stderr)[-3000:])
    return done.stdout if good else done.stderr


class Test:
    def __init__(self, build, source, dir):
        self.pbt = build + '/pbt'
        self.dcgan = build + '/examples/dcgan'
        self.file = source + '/examples/dcgan/dcgan.yaml'
        self.dir = dir
        self.env = {'XDG_CACHE_HOME': dir + '/cache',
                    'PBT_MNIST_DIR': dir + '/mnist'}
        os.mkdir(self.env['XDG_CACHE_HOME'])

    def pbt_run(self, name, *overrides, good=True, **env):
        return run([self.pbt, 'run', self.file, '--dir', self.dir, 'name=' + name,
                    'command=' + json.dumps([self.dcgan]), 'num_samples=2',
                    'scheduler.perturbation_interval=2', 'config.rank_interval=2',
                    'stop.training_iteration=4', 'config.fakes=64',
                    'config.rank_fakes=100', *overrides], good,
                   **{**self.env, **env})

    def trains(self):
        """Two trials, with an exploit; returns what their workers wrote to stdout."""
        self.pbt_run('digits', 'scheduler.quantile_fraction=0.5', 'scheduler.synch=true',
                     DNNL_VERBOSE='1')
        records = runs.records_of(self.dir + '/digits')
        check([r for r in records if r['k'] == 'exploit'], 'no exploit')
        results = [r['data']['metrics'] for r in records if r['k'] == 'result']
        check(len(results) >= 8, '%d results', len(results))
        for result in results:
            check(1 <= result['is_score_quick'] <= 10 and
                  result['is_score_quick_error'] >= 0 and
                  result['lossg'] > 0 and result['lossd'] > 0, '%s', result)
        self.ranks(records)
        said = b''
        for name in sorted(os.listdir(self.dir + '/digits')):
            path = '%s/digits/%s/stdout' % (self.dir, name)
            if os.path.exists(path):
                said += runs.read(path)
        return said.decode()

    def ranks(self, records):
        """The score is there where trials are compared, of more fakes, and only there."""
        scores = []
        for record in records:
            if record['k'] != 'result':
                continue
            metrics = record['data']['metrics']
            check(('is_score' in metrics) == (record['it'] % 2 == 0), '%s', record)
            if 'is_score' in metrics:
                check(1 <= metrics['is_score'] <= 10 and metrics['is_score_error'] >= 0 and
                      metrics['is_score'] != metrics['is_score_quick'], '%s', metrics)
                scores.append(metrics['is_score'])
        best = json.loads(run([self.pbt, 'best', self.dir + '/digits', '--json']))
        check(best['value'] == max(scores) == best['checkpoint_value'], 'best: %s of %s',
              best, scores)

    def goes_on(self):
        """Where each round pauses one trial for the other, nothing comes out otherwise."""
        self.pbt_run('paused', 'scheduler.quantile_fraction=0.5', 'scheduler.synch=true',
                     'max_concurrent=1')
        found = []
        for name in ('digits', 'paused'):
            records = runs.records_of('%s/%s' % (self.dir, name))
            found.append({(r['trial'], r['epoch'] >> 32, r['it']): r['data']['metrics']
                          for r in records if r['k'] == 'result'})
        check(found[0] == found[1], 'not the same: %s and %s', *found)

    def knows_digits(self):
        """Real ones, where there are some."""
        given = os.environ.get('PBT_MNIST_DIR')
        if not given or 'fashion' in given:
            return
        said = run([self.dcgan, 'score-net'], **{**self.env, 'PBT_MNIST_DIR': given})
        accuracy = float(re.match(r'accuracy ([\d.]+) on', said)[1])
        check(accuracy >= 0.97, 'real digits: %s', said)
        print('real digits: %s' % said.strip())

    def generates(self):
        picture = self.dir + '/digits.png'
        run([self.dcgan, 'generate', self.dir + '/digits', '-n', '70', '-o', picture])
        # Nine columns of 64 pixels, with gaps of 4, and eight rows.
        check(png_size(picture) == (9 * 68 + 4, 8 * 68 + 4), '%s', png_size(picture))
        first = runs.read(picture)
        run([self.dcgan, 'generate', self.dir + '/digits', '-n', '70', '-o', picture])
        check(runs.read(picture) == first, 'the same seed, another picture')
        run([self.dcgan, 'generate', self.dir + '/digits', '-n', '70', '-o', picture,
             '--seed', '2'])
        check(runs.read(picture) != first, 'another seed, the same picture')
        said = run([self.dcgan, 'generate', self.dir + '/digits', '--all', '-n', '20',
                    '-o', picture])
        check(said.count('20 images of ') == 2, '%s', said)
        check(png_size(picture)[1] == 4 * 68 + 4, '%s', png_size(picture))

    def checkpoint(self, name):
        best = run([self.pbt, 'best', '%s/%s' % (self.dir, name), '--export',
                    '%s/%s.best' % (self.dir, name)])
        check('checkpoint' in best, '%s', best)
        return '%s/%s.best' % (self.dir, name)

    def scores(self):
        said = run([self.dcgan, 'score', self.checkpoint('digits'), '-n', '500'],
                   **self.env)
        rows = re.findall(r'^(.*?) +([\d.]+) \+- [\d.]+ +([\d.]+) \+- [\d.]+$', said,
                          re.M)
        check([row[0] for row in rows][:2] == ['noise', 'real images'] and
              len(rows) == 3, '%s', said)
        # These pictures are easy: each net tells all ten kinds apart.
        for net in (1, 2):
            noise, real = (float(rows[i][net]) for i in (0, 1))
            check(real > 9 > 4 > noise, '%s', said)

    def says(self, words, *command, **env):
        said = run([self.dcgan, *command], good=False, **{**self.env, **env})
        check(said.startswith('dcgan: ') and words in said, 'not "%s": %s', words, said)

    def refuses(self):
        other = self.dir + '/other'
        os.mkdir(other)
        self.says('neither a checkpoint of this program', 'generate', other)
        self.says('neither a checkpoint', 'score', self.dir + '/nowhere')
        write(other + '/gan.bin', b'CONVNET\n' + bytes(200))
        self.says('holds no network of this program', 'generate', other)
        whole = runs.read(self.checkpoint('colour') + '/gan.bin')
        write(other + '/gan.bin', whole[:-5])
        self.says('is damaged', 'generate', other)
        write(other + '/gan.bin', whole)
        self.says('makes images of 3 channels, the data have 1', 'score', other,
                  '-n', '64')
        self.says("can't write /nowhere/a.png: No such file or directory", 'generate',
                  other, '-o', '/nowhere/a.png')
        self.says("can't write %s: Is a directory" % other, 'generate', other, '-o', other)
        if os.path.exists('/dev/full'):
            self.says("can't write /dev/full: No space left", 'generate', other, '-o',
                      '/dev/full')
        self.says('-n is 9223372036854775807: must be 2 to', 'score', other, '-n',
                  '9223372036854775807')

    def another_program(self):
        """A run, and its checkpoint, that are not of this program."""
        run([self.pbt, 'run', os.path.dirname(self.file) + '/../toy/toy.yaml', '--dir',
             self.dir, 'name=toy', 'stop.training_iteration=10',
             'command=' + json.dumps([os.path.dirname(self.dcgan) + '/toy'])], **self.env)
        for command in ('generate', 'score'):
            self.says('is no checkpoint of this program (there is no gan.bin in it): its '
                      'run trained something else', command, self.dir + '/toy')

    def fails(self, name, words, *overrides, **env):
        self.pbt_run(name, *overrides, good=False, **env)
        found = [runs.read(os.path.join(place, 'error.txt')).decode()
                 for place, _, files in os.walk('%s/%s' % (self.dir, name))
                 if 'error.txt' in files]
        check(found and words in found[0], 'not "%s": %s', words, found)

    def other_data(self):
        """In colour; of another size; without labels, but with a net of one's own."""
        write_cifar(self.dir + '/cifar')
        self.pbt_run('colour', 'config.data=' + self.dir + '/cifar',
                     'stop.training_iteration=2')
        picture = self.dir + '/colour.png'
        run([self.dcgan, 'generate', self.dir + '/colour', '-o', picture])
        # By nets that were trained on the images of the run, wherever MNIST is.
        said = run([self.dcgan, 'score', self.dir + '/colour', '-n', '64'], **self.env)
        check(len(said.splitlines()) == 4, '%s', said)

        small = self.dir + '/small-images'
        write_images(small, 400, 12)
        self.fails('small', '12 x 12 pixels', PBT_MNIST_DIR=small)
        unlabelled = self.dir + '/unlabelled-images'
        write_images(unlabelled, 400, 28)
        self.fails('unlabelled', 'there are no train-labels', PBT_MNIST_DIR=unlabelled)
        net = self.dir + '/net.bin'
        run([self.dcgan, 'score-net', '-o', net], **self.env)
        self.pbt_run('own-net', 'config.score_net=' + net, 'stop.training_iteration=2',
                     PBT_MNIST_DIR=unlabelled)


def write(path, content):
    with open(path, 'wb') as file:
        file.write(content)


def png_size(path):
    head = runs.read(path)[:24]
    check(head[:8] == b'\x89PNG\r\n\x1a\n', '%s is no PNG file', path)
    return struct.unpack('>2I', head[16:24])


def write_images(path, count, side):
    os.mkdir(path)
    with open(path + '/train-images-idx3-ubyte', 'wb') as file:
        file.write(struct.pack('>4I', 0x803, count, side, side) +
                   random.Random(1).randbytes(count * side * side))


def write_cifar(path):
    """As CIFAR-10 comes; where a bright block is, tells the label."""
    os.mkdir(path)
    draw = random.Random(1)
    for name in ['data_batch_%d.bin' % i for i in range(1, 6)] + ['test_batch.bin']:
        with open('%s/%s' % (path, name), 'wb') as file:
            for i in range(100):
                image = bytearray(draw.randbytes(3072))
                for row in range(8):
                    at = 32 * (4 + row + 10 * (i % 2)) + 3 * (i % 10)
                    image[at:at + 5] = b'\xff' * 5
                file.write(bytes([i % 10]) + image)


def check_kernels(said):
    """What DNNL_VERBOSE=1 has printed: one thread, and no slow kernels."""
    lines = [line for line in said.splitlines() if line.startswith('onednn_verbose,')]
    kernels = {line.split(',')[4] for line in lines if ',exec,' in line}
    check(len(kernels) > 2, 'no verbose log: %s', said[:300])
    check('onednn_verbose,info,cpu,runtime:OpenMP,nthr:1' in lines or
          not [line for line in lines if 'runtime:OpenMP' in line],
          'not one thread: %s', lines[:5])
    with open('/proc/cpuinfo', encoding='ascii', errors='replace') as file:
        fast = ' avx2 ' in file.read()
    slow = sorted(name for name in kernels
                  if name.startswith(('ref', 'simple')) or ':ref' in name)
    check(not (fast and slow), 'slow kernels: %s', slow)
    return len(kernels)


def main():
    build, source = (os.path.abspath(path) for path in sys.argv[1:3])
    if not os.path.exists(build + '/examples/dcgan'):
        print('SKIPPED: no oneDNN; Debian has it as libdnnl-dev')
        return SKIPPED
    dir = tempfile.mkdtemp(prefix='dcgan.')
    try:
        test = Test(build, source, dir)
        runs.write_mnist(dir + '/mnist')
        print('%d kinds of kernels, none slow' % check_kernels(test.trains()))
        test.goes_on()
        test.knows_digits()
        test.generates()
        test.other_data()
        test.scores()
        test.refuses()
        test.another_program()
    except runs.Failed as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
