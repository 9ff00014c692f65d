"""The inception score of the guide's digits, by a LeNet: nothing in here knows of pbt."""
import fcntl
import os

import gan
import mnist
import torch
from torch import nn
from torch.nn import functional

EPOCHS = 12


class LeNet(nn.Module):
    """Tells what digit it is, of images of 32 x 32."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(),
            nn.Conv2d(10, 20, 5), nn.Dropout2d(), nn.MaxPool2d(2), nn.ReLU(),
            nn.Flatten(), nn.Linear(320, 50), nn.ReLU(),
            nn.Dropout(), nn.Linear(50, 10), nn.LogSoftmax(1))

    def forward(self, images):
        return self.layers(functional.interpolate(images, size=28, mode='bilinear',
                                                  align_corners=False))


def inception_score(net, images):
    """From 1 to 10: high where the net is sure of each image, and finds all digits."""
    with torch.no_grad():
        logs = torch.cat([net(part) for part in images.split(gan.BATCH)])
    sure = logs.exp()
    of_all = sure.mean(0, keepdim=True).clamp_min(1e-30).log()
    return float((sure * (logs - of_all)).sum(1).mean().exp())


def find_net():
    """Trained on the images at hand, once, and kept."""
    directory = mnist.find()
    cache = os.environ.get('XDG_CACHE_HOME') or os.path.expanduser('~/.cache')
    path = '%s/pbt/dcgan/pytorch-%08x.pt' % (cache, mnist.checksum(directory))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    net = LeNet()
    with open(path + '.lock', 'w') as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # of several processes one trains
        if not os.path.exists(path):
            train(net, directory)
            torch.save(net.state_dict(), path + '.new')
            os.replace(path + '.new', path)
    net.load_state_dict(torch.load(path))
    return net.eval()


def train(net, directory):
    images, labels = mnist.read(directory, 'train')
    optimizer = torch.optim.Adam(net.parameters(), lr=2e-3)
    for _ in range(EPOCHS):
        net.train()
        for chosen in torch.randperm(len(images)).split(gan.BATCH):
            optimizer.zero_grad()
            functional.nll_loss(net(gan.prepare(images[chosen])),
                                labels[chosen]).backward()
            optimizer.step()
    print('the net that scores recognises %.4f of %d other images' % test(net, directory))


def test(net, directory):
    """Its accuracy, and on how many images that was."""
    images, labels = mnist.read(directory, 't10k')
    net.eval()
    with torch.no_grad():
        right = sum(int((net(gan.prepare(part)).argmax(1) == truth).sum())
                    for part, truth in zip(images.split(gan.BATCH),
                                           labels.split(gan.BATCH)))
    return right / len(images), len(images)
