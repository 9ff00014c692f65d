"""A function for tests/test_python.py.  `config` says when and how it saves; with `OLD` it
is one for Ray before 2.0."""
import json
import os
import tempfile
import threading

import libpbt


def begin():
    checkpoint = libpbt.get_checkpoint()
    if checkpoint is None:
        return 0.0, 0
    with checkpoint.as_directory() as directory:
        with open(os.path.join(directory, 'state.json')) as file:
            return json.load(file)


def train(config):
    score, step = begin()
    print('begins at', step)
    try:
        while step < config.get('steps', 10 ** 9):
            step += 1
            score += max(0.0, 1 - abs(config['lr'] / 0.1 - 1))
            if step == config.get('at'):
                misbehave(config['do'])
                if config['do'] == 'return' and caught():
                    return None
            say(config, score, step)
    finally:
        print('ends at', step)
    return config.get('returns')


def say(config, score, step):
    def save(directory):
        with open(os.path.join(directory, 'state.json'), 'w') as file:
            json.dump([score, step], file)
        print('saved', step)

    metrics = {'score': score, 'step': step, 'timesteps_this_iter': 1}
    if config.get('lazy'):
        libpbt.report(metrics, checkpoint=save)
    elif step % config.get('every', 1) == config.get('phase', 0):
        with tempfile.TemporaryDirectory() as directory:
            save(directory)
            libpbt.report(metrics,
                          checkpoint=libpbt.Checkpoint.from_directory(directory))
    else:
        libpbt.report(metrics)


def misbehave(do):
    if do == 'raise':
        raise ZeroDivisionError('on purpose')
    if do == 'thread':
        said = []

        def speak():
            try:
                libpbt.report({'score': 0})
            except RuntimeError as error:
                said.append(error)
        thread = threading.Thread(target=speak)
        thread.start()
        thread.join()
        raise said[0]
    if do == 'catch':
        caught()


def caught():
    try:
        libpbt.report({'score': -1.0})
    except:  # noqa: E722
        print('caught')
        return True
    return False


def train_as_of_old(config, checkpoint_dir=None, more=0):
    step = 0
    if checkpoint_dir:
        with open(os.path.join(checkpoint_dir, 'step')) as file:
            step = int(file.read())
    print('begins at', step)
    while True:
        step += 1
        if step % config.get('every', 1) == 0:
            with libpbt.checkpoint_dir(step=step) as directory:
                with open(os.path.join(directory, 'step'), 'w') as file:
                    file.write(str(step))
        if step == config.get('twice'):
            libpbt.report({'step': step}, score=1)
        libpbt.report(step=step, more=more,
                      training_iteration=step + (step == config.get('wrong')))


libpbt.worker(libpbt.with_parameters(train_as_of_old, more=7) if 'OLD' in os.environ
              else train)
