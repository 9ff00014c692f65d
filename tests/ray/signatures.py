#!/usr/bin/env python3
"""Prints how the Python client's names and signatures differ from those of the Ray that is
installed.  It is run by hand, with both in the path: docs/from-ray.md says why they differ.
"""
import inspect

import libpbt
import libpbt.schedulers
import libpbt.stopper
import ray.tune
import ray.tune.schedulers
import ray.tune.stopper


def parameters(function):
    """Name: (default, kind); None: it has no signature."""
    try:
        found = inspect.signature(function).parameters
    except (TypeError, ValueError):
        return None
    return {name: (repr(one.default), one.kind.description)
            for name, one in found.items() if not name.startswith('_')}


def differences(theirs, ours):
    theirs, ours = parameters(theirs), parameters(ours)
    if theirs is None or ours is None:
        return []
    found = ['no %s' % name for name in theirs if name not in ours]
    found += ['%s is ours' % name for name in ours if name not in theirs]
    for name in theirs:
        if name in ours and theirs[name] != ours[name]:
            found.append('%s: %s, in Ray %s' % (name, ours[name], theirs[name]))
    if [n for n in theirs if n in ours] != [n for n in ours if n in theirs]:
        found.append('another order')
    return found


def compare(name, theirs, ours):
    for line in differences(theirs, ours):
        print('%s: %s' % (name, line))
    if not inspect.isclass(theirs):
        return
    for method, function in inspect.getmembers(theirs):
        if method.startswith('_'):
            continue
        if not hasattr(ours, method):
            print('%s.%s isn\'t there' % (name, method))
        elif callable(function):
            compare('%s.%s' % (name, method), function, getattr(ours, method))


def main():
    for theirs, ours in ((ray.tune, libpbt), (ray.tune.schedulers, libpbt.schedulers),
                         (ray.tune.stopper, libpbt.stopper)):
        for name in sorted(getattr(theirs, '__all__', dir(theirs))):
            if name.startswith('_') or not callable(getattr(theirs, name)):
                continue
            if not hasattr(ours, name):
                print('%s isn\'t there' % name)
            else:
                compare(name, getattr(theirs, name), getattr(ours, name))


if __name__ == '__main__':
    main()
