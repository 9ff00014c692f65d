"""The ConvNet of Ray Tune's guide on MNIST, in PyTorch: nothing in here knows of pbt."""
import mnist
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, TensorDataset

EPOCH_SIZE = 512  # an iteration goes on to the batch that begins beyond it
TEST_SIZE = 256
BATCH_SIZE = 64


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
    directory = mnist.find()
    return tuple(DataLoader(read(directory, name), batch_size=BATCH_SIZE, shuffle=True)
                 for name in ('train', 't10k'))


def read(directory, name):
    """Normalised as in the guide."""
    images, labels = mnist.read(directory, name)
    return TensorDataset((images / 255 - 0.1307) / 0.3081, labels)
