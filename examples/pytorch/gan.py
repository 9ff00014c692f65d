"""The DCGAN of Ray Tune's guide, in PyTorch: nothing in here knows of pbt."""
import mnist
import torch
from torch import nn
from torch.nn import functional
from torch.utils.data import DataLoader, RandomSampler

BATCH = 64
NOISE = 100
BATCHES = 5  # in an iteration


def normalised(channels):
    """By the batch at hand, also when images are drawn, as in the guide."""
    return nn.BatchNorm2d(channels, track_running_stats=False)


def generator(channels=1):
    """Makes images of 32 x 32, from -1 to 1, of random numbers."""
    def grow(inputs, outputs, stride=2, padding=1):
        return nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)

    return nn.Sequential(
        grow(NOISE, 128, stride=1, padding=0), normalised(128), nn.ReLU(),
        grow(128, 64), normalised(64), nn.ReLU(),
        grow(64, 32), normalised(32), nn.ReLU(),
        grow(32, channels), nn.Tanh())


def discriminator(channels=1):
    """How sure it is that an image is real: a number before the sigmoid."""
    def shrink(inputs, outputs, stride=2, padding=1):
        return nn.Conv2d(inputs, outputs, 4, stride, padding, bias=False)

    return nn.Sequential(
        shrink(channels, 32), nn.LeakyReLU(0.2),
        shrink(32, 64), normalised(64), nn.LeakyReLU(0.2),
        shrink(64, 128), normalised(128), nn.LeakyReLU(0.2),
        shrink(128, 1, stride=1, padding=0), nn.Flatten(0))


def initialise(module):
    if isinstance(module, nn.BatchNorm2d):
        nn.init.normal_(module.weight, 1.0, 0.02)
    elif isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(module.weight, 0.0, 0.02)


class Gan:
    """Both networks, and an optimiser for each."""

    def __init__(self, generator_lr, discriminator_lr, channels=1):
        self.generator = generator(channels).apply(initialise)
        self.discriminator = discriminator(channels).apply(initialise)
        self.optimizers = [
            torch.optim.Adam(net.parameters(), lr=rate, betas=(0.5, 0.999))
            for net, rate in ((self.generator, generator_lr),
                              (self.discriminator, discriminator_lr))]

    def set_rates(self, *rates):
        """Of the generator, and of the discriminator."""
        for optimizer, rate in zip(self.optimizers, rates):
            for group in optimizer.param_groups:
                group['lr'] = rate

    def state_dict(self):
        return {'generator': self.generator.state_dict(),
                'discriminator': self.discriminator.state_dict(),
                'optimizers': [optimizer.state_dict() for optimizer in self.optimizers]}

    def load_state_dict(self, state):
        self.generator.load_state_dict(state['generator'])
        self.discriminator.load_state_dict(state['discriminator'])
        for optimizer, part in zip(self.optimizers, state['optimizers']):
            optimizer.load_state_dict(part)

    def train(self, real, noise):
        """On one batch; returns the losses of the generator and of the discriminator."""
        fake = self.generator(noise)
        self.discriminator.zero_grad()
        loss_real = loss(self.discriminator(real), 1.0)
        loss_real.backward()
        loss_fake = loss(self.discriminator(fake.detach()), 0.0)
        loss_fake.backward()
        self.optimizers[1].step()

        self.generator.zero_grad()
        self.discriminator.requires_grad_(False)  # only its images are to get better
        loss_fooled = loss(self.discriminator(fake), 1.0)
        loss_fooled.backward()
        self.discriminator.requires_grad_(True)
        self.optimizers[0].step()
        return loss_fooled.item(), (loss_real + loss_fake).item()

    def draw(self, count):
        """So many images: of whole batches, by which they are normalised."""
        with torch.no_grad():
            return torch.cat([self.generator(noise())
                              for _ in range(-(-count // BATCH))])[:count]


def loss(answers, truth):
    """Binary cross-entropy."""
    return functional.binary_cross_entropy_with_logits(
        answers, torch.full_like(answers, truth))


def noise():
    return torch.randn(BATCH, NOISE, 1, 1)


def prepare(images):
    """Bytes of 28 x 28, to train on: 32 x 32, from -1 to 1."""
    return functional.interpolate(images / 127.5 - 1, size=32, mode='bilinear',
                                  align_corners=False)


def batches():
    """The images to train on, in batches without an end."""
    images = mnist.read(mnist.find(), 'train')[0]
    while True:
        for batch in DataLoader(images, batch_size=BATCH, drop_last=True,
                                sampler=RandomSampler(images)):
            yield prepare(batch)


def train(gan, source):
    """Trains for one iteration; returns both losses' means."""
    losses = [gan.train(next(source), noise()) for _ in range(BATCHES)]
    return [sum(each) / BATCHES for each in zip(*losses)]
