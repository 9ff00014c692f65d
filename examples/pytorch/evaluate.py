#!/usr/bin/env python3
"""The accuracy of a checkpoint on all test images: evaluate.py DIRECTORY"""
import sys

import network
from convnet import ConvNetTrainable

model = ConvNetTrainable({})
model.restore(sys.argv[1])
print('iteration %d: accuracy %.4f on %d images' % (
    model.iteration, network.test(model.model, model.test_loader, size=None),
    len(model.test_loader.dataset)))
