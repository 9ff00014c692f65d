"""One step of examples/dcgan's training against examples/pytorch's, on the same weights and batch.

    dcgan_pytorch.py BUILD_DIR SOURCE_DIR

Both networks, both optimisers, grey and in colour.  Losses and gradients must agree to 1e-4
relative, and 99.9 percent of the new weights to 1e-5: where a gradient is next to 0, Adam's
first step turns rounding into a step of its full size.  Where a number falls on the other
side of a ReLU's kink in one of the two, a gradient is off by more: in about half of the
draws, and in a quarter of them between PyTorch with and without oneDNN.  So one of many draws has
to agree in everything.  The Python is PBT_TORCH_PYTHON, or else the
one that runs this.
"""
import array
import os
import subprocess
import sys
import tempfile

DEADLINE_S = 120
RATE = 2e-4  # gan_open()'s, of both
DRAWS = 30


def row(torch, parts):
    return torch.cat([part.detach().reshape(-1) for part in parts])


def write(torch, path, tensor):
    values = array.array('f', tensor.detach().reshape(-1).tolist())
    with open(path, 'wb') as file:
        values.tofile(file)


def read(torch, path):
    with open(path, 'rb') as file:
        return torch.frombuffer(bytearray(file.read()), dtype=torch.float32)


def compare(torch, gan, build, dir, channels):
    both = gan.Gan(RATE, RATE, channels)
    nets = {'generator': both.generator, 'discriminator': both.discriminator}
    for module in [*both.generator, *both.discriminator]:
        if isinstance(module, torch.nn.BatchNorm2d):  # a shift of 0 would hide what it is for
            torch.nn.init.normal_(module.bias, 0.0, 0.02)
    noise = gan.noise()
    real = torch.rand(gan.BATCH, channels, 32, 32) * 2 - 1
    for name, net in nets.items():
        write(torch, '%s/%s' % (dir, name), row(torch, net.parameters()))
    write(torch, dir + '/noise', noise)
    write(torch, dir + '/real', real)
    losses = both.train(real, noise)
    subprocess.run([build + '/tests/dcgan_step', dir, str(channels)], check=True,
                   stdin=subprocess.DEVNULL, timeout=DEADLINE_S)

    with open(dir + '/losses', encoding='ascii') as file:
        ours = [float(word) for word in file.read().split()]
    for mine, theirs in zip(ours, losses, strict=True):
        assert abs(mine - theirs) <= 1e-4 * abs(theirs), (ours, losses)
    print('%d channels: losses %s, PyTorch %s' % (channels, ours, list(losses)))
    for name, net in nets.items():
        check_side(torch, dir, name, net)


def compare_some(torch, gan, build, channels):
    for draw in range(DRAWS):
        try:
            with tempfile.TemporaryDirectory(prefix='dcgan_pytorch.') as dir:
                compare(torch, gan, build, dir, channels)
            return
        except AssertionError as difference:
            print('  draw %d: %s' % (draw, difference), flush=True)
            if draw == DRAWS - 1:
                raise


def check_side(torch, dir, name, net):
    gradients = row(torch, [part.grad for part in net.parameters()])
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
    build, source = (os.path.abspath(path) for path in sys.argv[1:3])
    python = os.environ.pop('PBT_TORCH_PYTHON', None)
    if python:
        return subprocess.call([python, *sys.argv])
    if not os.path.exists(build + '/tests/dcgan_step'):
        sys.exit('no oneDNN; Debian has it as libdnnl-dev')
    sys.path.insert(0, source + '/examples/pytorch')
    import gan
    import torch
    torch.manual_seed(int(os.environ.get('TEST_SEED', '1')))
    torch.set_num_threads(1)
    for channels in (1, 3):
        compare_some(torch, gan, build, channels)
    return 0


if __name__ == '__main__':
    sys.exit(main())
