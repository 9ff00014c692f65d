"""The ConvNet of examples/convnet in PyTorch, on one thread: what bench/accuracy compares
ours with.

    torch_convnet.py losses DIR      the losses on the batches that convnet_losses wrote
    torch_convnet.py train SEED      trains, without PBT, members whose hyperparameters
                                     come as lines "lr momentum" on stdin; prints the best
                                     accuracy of any of them and the images a second
"""
import gzip
import os
import struct
import sys
import time

import torch

SHAPES = ((3, 1, 3, 3), (3,), (10, 192), (10,))  # as in union convnet_parameters
MEAN, DEVIATION = 0.1307, 0.3081


def network():
    return torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3), torch.nn.MaxPool2d(3), torch.nn.ReLU(),
        torch.nn.Flatten(), torch.nn.Linear(192, 10),
        torch.nn.LogSoftmax(dim=1))


def normalised(images):
    """Bytes to what both networks see."""
    return ((images.float() / 255 - MEAN) / DEVIATION).view(-1, 1, 28, 28)


def train_batch(net, optimizer, images, labels):
    optimizer.zero_grad()
    loss = torch.nn.functional.nll_loss(net(images), labels)
    loss.backward()
    optimizer.step()
    return float(loss)


def read_bytes(path):
    with open(path, 'rb') as file:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.uint8)


def losses(directory):
    net = network()
    with open(directory + '/weights', 'rb') as file:
        weights = torch.frombuffer(bytearray(file.read()), dtype=torch.float32)
    at = 0
    with torch.no_grad():
        for shape, parameter in zip(SHAPES, net.parameters()):
            size = parameter.numel()
            parameter.copy_(weights[at:at + size].view(shape))
            at += size
    assert at == len(weights)
    images = normalised(read_bytes(directory + '/images')).split(64)
    labels = read_bytes(directory + '/labels').long().split(64)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)
    for batch, digits in zip(images, labels):
        print('%.9g' % train_batch(net, optimizer, batch, digits))


def read_idx(path):
    """The bytes of an IDX file behind its header; gzipped or not."""
    if not os.path.exists(path):
        path += '.gz'
    with open(path, 'rb') as file:
        content = file.read()
    if path.endswith('.gz'):
        content = gzip.decompress(content)
    dimensions = content[3]
    size = struct.unpack('>%dI' % dimensions, content[4:4 + 4 * dimensions])
    return torch.frombuffer(bytearray(content[4 + 4 * dimensions:]),
                            dtype=torch.uint8).view(size)


def read_set(name):
    directory = os.environ['PBT_MNIST_DIR']
    return (normalised(read_idx('%s/%s-images-idx3-ubyte' % (directory, name))),
            read_idx('%s/%s-labels-idx1-ubyte' % (directory, name)).long())


def accuracy(net, images, labels):
    """On 320 images, drawn anew."""
    chosen = torch.randperm(len(images))[:320]
    with torch.no_grad():
        return float((net(images[chosen]).argmax(1) == labels[chosen])
                     .float().mean())


def train(seed):
    members = [tuple(map(float, line.split())) for line in sys.stdin]
    torch.manual_seed(seed)
    images, labels = read_set('train')
    test = read_set('t10k')
    best, seen, seconds = 0.0, 0, 0.0
    for lr, momentum in members:
        net = network()
        optimizer = torch.optim.SGD(net.parameters(), lr=lr, momentum=momentum)
        for _ in range(100):
            begin = time.process_time()
            order = torch.randperm(len(images))
            for i in range(9):
                chosen = order[i * 64:(i + 1) * 64]
                train_batch(net, optimizer, images[chosen], labels[chosen])
            seconds += time.process_time() - begin
            seen += 9 * 64
            best = max(best, accuracy(net, *test))
    print(best, seen / seconds)


torch.set_num_threads(1)
if sys.argv[1] == 'losses':
    losses(sys.argv[2])
else:
    train(int(sys.argv[2]))
