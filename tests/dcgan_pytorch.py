"""One step of examples/dcgan's training against PyTorch, on the same weights and batch.

    dcgan_pytorch.py BUILD_DIR SOURCE_DIR

Both networks, both optimisers, grey and in colour.  Losses and gradients must agree to 1e-4
relative, and 99.9 percent of the new weights to 1e-5: where a gradient is next to 0, Adam's
first step turns rounding into a step of its full size.  Where a number falls on the other
side of a ReLU's kink in one of the two, a gradient is off by more, about one draw in six: so
one of a few draws has to agree in everything.  Skipped (status 77) where
PBT_TORCH_PYTHON, or else the Python that runs this, has no PyTorch, or there is no oneDNN.
"""
import array
import os
import subprocess
import sys
import tempfile

SKIPPED = 77
DEADLINE_S = 120
RATES = {'generator': 2e-4, 'discriminator': 2e-4}  # gan_open()'s
BATCH = 64
DRAWS = 6


def networks(torch, channels):
    """As in Ray Tune's example."""
    nn = torch.nn

    def transposed(inputs, outputs, stride, padding):
        return nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)

    def convolution(inputs, outputs, stride, padding):
        return nn.Conv2d(inputs, outputs, 4, stride, padding, bias=False)

    return {
        'generator': nn.Sequential(
            transposed(100, 128, 1, 0), nn.BatchNorm2d(128), nn.ReLU(),
            transposed(128, 64, 2, 1), nn.BatchNorm2d(64), nn.ReLU(),
            transposed(64, 32, 2, 1), nn.BatchNorm2d(32), nn.ReLU(),
            transposed(32, channels, 2, 1), nn.Tanh()),
        'discriminator': nn.Sequential(
            convolution(channels, 32, 2, 1), nn.LeakyReLU(0.2),
            convolution(32, 64, 2, 1), nn.BatchNorm2d(64), nn.LeakyReLU(0.2),
            convolution(64, 128, 2, 1), nn.BatchNorm2d(128), nn.LeakyReLU(0.2),
            convolution(128, 1, 1, 0), nn.Sigmoid()),
    }


def initialise(torch, nets):
    """The guide's way; but for the test, a shift of 0 would hide what it is for."""
    for net in nets.values():
        for module in net:
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.normal_(module.weight, 1.0, 0.02)
                torch.nn.init.normal_(module.bias, 0.0, 0.02)
            elif getattr(module, 'weight', None) is not None:
                torch.nn.init.normal_(module.weight, 0.0, 0.02)


def row(torch, parts):
    return torch.cat([part.detach().reshape(-1) for part in parts])


def step(torch, nets, real, noise):
    """Returns both losses; the gradients of both sides stay where they are."""
    bce = torch.nn.BCELoss()
    optimisers = {name: torch.optim.Adam(net.parameters(), lr=RATES[name],
                                         betas=(0.5, 0.999))
                  for name, net in nets.items()}
    generator, discriminator = nets['generator'], nets['discriminator']
    ones, zeros = torch.ones(BATCH), torch.zeros(BATCH)

    discriminator.zero_grad()
    loss_real = bce(discriminator(real).view(-1), ones)
    loss_real.backward()
    fake = generator(noise)
    loss_fake = bce(discriminator(fake.detach()).view(-1), zeros)
    loss_fake.backward()
    gradients = {'discriminator': row(torch, [p.grad for p in
                                              discriminator.parameters()])}
    optimisers['discriminator'].step()

    generator.zero_grad()
    loss = bce(discriminator(fake).view(-1), ones)
    loss.backward()
    gradients['generator'] = row(torch, [p.grad for p in generator.parameters()])
    optimisers['generator'].step()
    return (loss.item(), (loss_real + loss_fake).item()), gradients


def write(torch, path, tensor):
    values = array.array('f', tensor.detach().reshape(-1).tolist())
    with open(path, 'wb') as file:
        values.tofile(file)


def read(torch, path):
    with open(path, 'rb') as file:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.float32)


def compare(torch, build, dir, channels):
    nets = networks(torch, channels)
    initialise(torch, nets)
    noise = torch.randn(BATCH, 100, 1, 1)
    real = torch.rand(BATCH, channels, 32, 32) * 2 - 1
    for name, net in nets.items():
        write(torch, '%s/%s' % (dir, name), row(torch, net.parameters()))
    write(torch, dir + '/noise', noise)
    write(torch, dir + '/real', real)
    losses, gradients = step(torch, nets, real, noise)
    subprocess.run([build + '/tests/dcgan_step', dir, str(channels)], check=True,
                   stdin=subprocess.DEVNULL, timeout=DEADLINE_S)

    with open(dir + '/losses', encoding='ascii') as file:
        ours = [float(word) for word in file.read().split()]
    for mine, theirs in zip(ours, losses, strict=True):
        assert abs(mine - theirs) <= 1e-4 * abs(theirs), (ours, losses)
    print('%d channels: losses %s, PyTorch %s' % (channels, ours, list(losses)))
    for name, net in nets.items():
        check_side(torch, dir, name, net, gradients[name])


def compare_some(torch, build, channels):
    for draw in range(DRAWS):
        try:
            with tempfile.TemporaryDirectory(prefix='dcgan_pytorch.') as dir:
                compare(torch, build, dir, channels)
            return
        except AssertionError as difference:
            print('  draw %d: %s' % (draw, difference))
            if draw == DRAWS - 1:
                raise


def check_side(torch, dir, name, net, gradients):
    mine = read(torch, '%s/%s.gradient' % (dir, name))
    at = 0
    for label, part in net.named_parameters():
        a, b = (all[at:at + part.numel()] for all in (mine, gradients))
        off = float((a - b).norm() / b.norm())
        assert off <= 1e-4, '%s %s: gradient off by %g' % (name, label, off)
        at += part.numel()
    assert at == mine.numel(), (at, mine.numel())
    off = (read(torch, '%s/%s.new' % (dir, name)) - row(torch, net.parameters())).abs()
    near = float((off <= 1e-5).float().mean())
    assert near >= 0.999, '%s: only %g of the weights agree' % (name, near)
    print('  %s: gradient of %d weights agrees, and %.4f %% of the new weights'
          % (name, at, 100 * near))


def main():
    build = os.path.abspath(sys.argv[1])
    python = os.environ.pop('PBT_TORCH_PYTHON', None)
    if python:
        return subprocess.call([python, *sys.argv])
    if not os.path.exists(build + '/tests/dcgan_step'):
        print('SKIPPED: no oneDNN; Debian has it as libdnnl-dev')
        return SKIPPED
    try:
        import torch
    except ImportError:
        print("SKIPPED: %s has no PyTorch; `make check-pytorch` installs Debian's"
              % sys.executable)
        return SKIPPED
    torch.manual_seed(int(os.environ.get('TEST_SEED', '1')))
    torch.set_num_threads(1)
    for channels in (1, 3):
        compare_some(torch, build, channels)
    return 0


if __name__ == '__main__':
    sys.exit(main())
