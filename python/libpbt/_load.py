"""python3 -m libpbt._load NAME PATH: a worker of what has no script (_script.py).

NAME is `module:name`, or a file that cloudpickle has written; PATH is sys.path.
"""
import os
import pickle
import sys


def main() -> None:
    name, path = sys.argv[1:]
    sys.path[:] = path.split(os.pathsep)
    from libpbt import _script
    from libpbt._main import serve
    if name.endswith('.pkl'):
        with open(name, 'rb') as file:
            trainable, kept = pickle.load(file)
    else:
        trainable, kept = _script.find(name), {}
    serve(trainable, kept)


if __name__ == '__main__':
    main()
