"""A step of the DCGAN's training in PyTorch, and its scoring, on one thread.

The yardstick of bench/dcgan_steps: the networks, batch and optimisers of examples/dcgan,
with the images ready as floats in memory.  Prints the milliseconds of CPU time of a step, and
of 64 fakes made and judged, each the middle one of several rounds, and PyTorch's version.
"""

import sys
import time

try:
    import torch
except ImportError:
    sys.exit(77)  # not installed: there is nothing to compare with

ROUNDS, STEPS, JUDGED, BATCH = 9, 5, 4, 64


def transposed(inputs, outputs, stride, padding):
    return torch.nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)


def convolution(inputs, outputs, stride, padding):
    return torch.nn.Conv2d(inputs, outputs, 4, stride, padding, bias=False)


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    nn = torch.nn
    generator = nn.Sequential(
        transposed(100, 128, 1, 0), nn.BatchNorm2d(128), nn.ReLU(True),
        transposed(128, 64, 2, 1), nn.BatchNorm2d(64), nn.ReLU(True),
        transposed(64, 32, 2, 1), nn.BatchNorm2d(32), nn.ReLU(True),
        transposed(32, 1, 2, 1), nn.Tanh())
    discriminator = nn.Sequential(
        convolution(1, 32, 2, 1), nn.LeakyReLU(0.2, True),
        convolution(32, 64, 2, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2, True),
        convolution(64, 128, 2, 1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2, True),
        convolution(128, 1, 1, 0), nn.Sigmoid())
    optimizers = [torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999))
                  for net in (generator, discriminator)]
    bce = nn.BCELoss()
    real = torch.randn(BATCH, 1, 32, 32)
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)

    def step():
        discriminator.zero_grad()
        bce(discriminator(real).view(-1), ones).backward()
        fake = generator(torch.randn(BATCH, 100, 1, 1))
        bce(discriminator(fake.detach()).view(-1), zeros).backward()
        optimizers[1].step()
        generator.zero_grad()
        bce(discriminator(fake).view(-1), ones).backward()
        optimizers[0].step()

    lenet = nn.Sequential(
        nn.Upsample(size=28, mode="bilinear"),
        nn.Conv2d(1, 10, 5), nn.MaxPool2d(2), nn.ReLU(),
        nn.Conv2d(10, 20, 5), nn.MaxPool2d(2), nn.ReLU(), nn.Flatten(),
        nn.Linear(320, 50), nn.ReLU(), nn.Linear(50, 10), nn.Softmax(1))

    @torch.no_grad()
    def judge():
        return lenet(generator(torch.randn(BATCH, 100, 1, 1)))

    def timed(what, count):
        start = time.process_time()
        for _ in range(count):
            what()
        return (time.process_time() - start) * 1e3 / count

    found = [[], []]
    for i in range(1 + ROUNDS):
        for times, what, count in zip(found, (step, judge), (STEPS, JUDGED)):
            spent = timed(what, count)
            if i > 0:  # the first one warms up
                times.append(spent)
    print(*(f"{sorted(times)[ROUNDS // 2]:.2f}" for times in found), torch.__version__)


main()
