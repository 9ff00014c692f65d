"""MNIST's images, or others in its format: nothing in here knows of pbt."""
import array
import gzip
import os
import sys
import zlib

try:
    import torch
except ImportError as error:
    sys.exit('%s\nThis example needs PyTorch: on Debian the package python3-torch, '
             'elsewhere `pip install torch`.' % error)

DEBIAN = '/usr/share/datasets/fashion-mnist'


def find():
    """Their directory: where examples/convnet looks, too."""
    given = os.environ.get('PBT_MNIST_DIR')
    if given:
        return given
    cache = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    for directory in (cache + '/pbt/mnist', DEBIAN):
        for ending in ('', '.gz'):
            if os.path.exists(directory + '/train-images-idx3-ubyte' + ending):
                return directory
    sys.exit('no MNIST images found: run scripts/get-mnist once, or set PBT_MNIST_DIR to '
             'their directory')


def read(directory, name):
    """Images, as bytes of 1 x 28 x 28, and labels; `name`: train or t10k."""
    labels = read_bytes('%s/%s-labels-idx1-ubyte' % (directory, name))[8:]
    images = read_bytes('%s/%s-images-idx3-ubyte' % (directory, name))[16:]
    return (torch.frombuffer(images, dtype=torch.uint8).view(-1, 1, 28, 28),
            torch.frombuffer(labels, dtype=torch.uint8).long())


def read_bytes(path):
    """Writable, as PyTorch wants it."""
    if os.path.exists(path):
        with open(path, 'rb') as file:
            return array.array('B', file.read())
    with gzip.open(path + '.gz') as file:
        return array.array('B', file.read())


def checksum(directory):
    """Another one for other images, or labels, to train on."""
    total = 0
    for name in ('train-images-idx3-ubyte', 'train-labels-idx1-ubyte'):
        total = zlib.crc32(read_bytes('%s/%s' % (directory, name)), total)
    return total
