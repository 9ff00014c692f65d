"""The ConvNet of Ray Tune's guide on MNIST, in PyTorch: nothing in here knows of pbt."""
import array
import gzip
import os
import sys

try:
    import torch
    from torch import nn
    from torch.nn import functional
    from torch.utils.data import DataLoader, TensorDataset
except ImportError as error:
    sys.exit('%s\nThis example needs PyTorch: on Debian the package python3-torch, '
             'elsewhere `pip install torch`.' % error)

EPOCH_SIZE = 512  # an iteration goes on to the batch that begins beyond it
TEST_SIZE = 256
BATCH_SIZE = 64
DEBIAN = '/usr/share/datasets/fashion-mnist'


class ConvNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 3, kernel_size=3)
        self.full = nn.Linear(192, 10)

    def forward(self, x):
        x = functional.relu(functional.max_pool2d(self.conv(x), 3))
        return functional.log_softmax(self.full(x.flatten(1)), dim=1)


def train(model, optimizer, loader):
    """Trains for one iteration; returns the mean loss."""
    model.train()
    losses = []
    for index, (images, labels) in enumerate(loader):
        if index * BATCH_SIZE > EPOCH_SIZE:
            break
        optimizer.zero_grad()
        loss = functional.nll_loss(model(images), labels)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return sum(losses) / len(losses)


def test(model, loader, size=TEST_SIZE):
    """The accuracy on some of the test images; `size=None`: on all."""
    model.eval()
    right = total = 0
    with torch.no_grad():
        for index, (images, labels) in enumerate(loader):
            if size is not None and index * BATCH_SIZE > size:
                break
            right += int((model(images).argmax(1) == labels).sum())
            total += len(labels)
    return right / total


def load_data():
    """Loaders of the images to train and to test on."""
    directory = find_data()
    return tuple(DataLoader(read(directory, name), batch_size=BATCH_SIZE, shuffle=True)
                 for name in ('train', 't10k'))


def find_data():
    """Where examples/convnet looks, too."""
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
    """MNIST's own format, plain or gzipped, normalised as in the guide."""
    labels = read_bytes('%s/%s-labels-idx1-ubyte' % (directory, name))[8:]
    images = read_bytes('%s/%s-images-idx3-ubyte' % (directory, name))[16:]
    pixels = torch.frombuffer(images, dtype=torch.uint8).view(-1, 1, 28, 28)
    return TensorDataset((pixels / 255 - 0.1307) / 0.3081,
                         torch.frombuffer(labels, dtype=torch.uint8).long())


def read_bytes(path):
    """Writable, as PyTorch wants it."""
    if os.path.exists(path):
        with open(path, 'rb') as file:
            return array.array('B', file.read())
    with gzip.open(path + '.gz') as file:
        return array.array('B', file.read())
