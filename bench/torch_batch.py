"""One training batch of the MNIST example in PyTorch, on one thread.

The yardstick of bench/run's "training batch": the network, batch and optimiser
of examples/convnet, with the images ready as floats in memory, which is the
kindest that one can be to PyTorch.  Prints microseconds of CPU time per batch,
the middle one of several rounds, and PyTorch's version.
"""

import sys
import time

try:
    import torch
except ImportError:
    sys.exit(77)  # not installed: there is nothing to compare with

BATCH, BATCHES, ROUNDS = 64, 9, 9
ITERATIONS = 5


def main():
    torch.set_num_threads(1)
    torch.manual_seed(1)
    images = torch.randn(8000, 1, 28, 28)
    labels = torch.randint(0, 10, (8000,))
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 3, 3),
        torch.nn.MaxPool2d(3),
        torch.nn.ReLU(),
        torch.nn.Flatten(),
        torch.nn.Linear(192, 10),
        torch.nn.LogSoftmax(dim=1),
    )
    optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9)

    def iteration():
        order = torch.randperm(len(images))
        for i in range(BATCHES):
            chosen = order[i * BATCH:(i + 1) * BATCH]
            optimizer.zero_grad()
            loss = torch.nn.functional.nll_loss(net(images[chosen]),
                                                labels[chosen])
            loss.backward()
            optimizer.step()

    for _ in range(ITERATIONS):
        iteration()
    rounds = []
    for _ in range(ROUNDS):
        start = time.process_time()
        for _ in range(ITERATIONS):
            iteration()
        rounds.append((time.process_time() - start) * 1e6
                      / (ITERATIONS * BATCHES))
    print(f"{sorted(rounds)[ROUNDS // 2]:.1f} {torch.__version__}")


main()
