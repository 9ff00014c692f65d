"""docs/guide.md can be followed: its commands run, and its excerpts are in the sources.

    guide.py BUILD_DIR SOURCE_DIR

With pictures that are easy to learn, and less training than the guide has.
"""
import importlib.machinery
import importlib.util
import os
import pathlib
import re
import shutil
import sys
import tempfile

import runs
from runs import check

EXCERPT = re.compile(r'<!-- from: (.*?) -->\n```\S+\n(.*?)```\n', re.S)
PICTURE = re.compile(r'!\[[^]]*\]\((images/[^)]+)\)')
SHORT = {
    # To exploits, however good the networks are.
    'pbt run examples/convnet/mnist.yaml ':
        'pbt run examples/convnet/mnist.yaml stop_all=null stop.training_iteration=30 ',
    'training_iteration=50': 'training_iteration=10',
    '{"name=mnist-c", NULL}': '{"name=mnist-c", "stop.training_iteration=10", NULL}',
    'make demo-dcgan ':
        'pbt run examples/dcgan/dcgan.yaml num_samples=2 stop.training_iteration=2 '
        'config.rank_fakes=64 config.fakes=64 config.rank_interval=1 ',
}


def excerpts(text, source):
    found = EXCERPT.findall(text)
    check(len(found) >= 8, 'only %d excerpts', len(found))
    for file, excerpt in found:
        check(excerpt.rstrip('\n') in runs.read(source / file).decode(),
              'docs/guide.md: this is not in %s:\n%s', file, excerpt)


def shortened(text):
    for before, after in SHORT.items():
        check(before in text, 'docs/guide.md has no "%s"', before)
        text = text.replace(before, after)
    return text


def load(script):
    loader = importlib.machinery.SourceFileLoader('docs_pictures', str(script))
    module = importlib.util.module_from_spec(
        importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    return module


def main():
    build, source = (pathlib.Path(path).resolve() for path in sys.argv[1:3])
    pictures = load(source / 'scripts/docs-pictures')
    dir = pathlib.Path(tempfile.mkdtemp(prefix='guide.'))
    os.environ['XDG_CACHE_HOME'] = str(dir / 'cache')
    os.environ['PBT_MNIST_DIR'] = str(dir / 'mnist')
    os.mkdir(dir / 'cache')
    try:
        text = (source / 'docs/guide.md').read_text(encoding='utf-8')
        excerpts(text, source)
        for name in PICTURE.findall(text):
            check((source / 'docs' / name).exists(), 'there is no docs/%s', name)
        runs.write_mnist(str(dir / 'mnist'))
        pictures.make_tree(dir / 'tree', build)
        for output in pictures.follow(shortened(text), dir / 'tree', build, None):
            check(output.strip(), 'a command of docs/guide.md prints nothing')
        for name in PICTURE.findall(text):
            made = dir / 'tree' / pathlib.Path(name).name
            check(made.exists() or 'how-pbt-works' in name, 'nothing makes docs/%s', name)
    except (runs.Failed, SystemExit) as failure:
        print('FAILED: %s\n(the runs are in %s)' % (failure, dir))
        return 1
    shutil.rmtree(dir)
    return 0


if __name__ == '__main__':
    sys.exit(main())
