#!/usr/bin/env python3
"""The guide's ConvNet as a function: pbt run examples/pytorch/convnet_function.yaml"""
import os

import libpbt
import network
import torch


def train_convnet(config):
    torch.manual_seed(libpbt.get_context().get_seed())
    train_loader, test_loader = network.load_data()
    model = network.ConvNet()
    optimizer = torch.optim.SGD(model.parameters(), lr=config['lr'],
                                momentum=config['momentum'])

    checkpoint = libpbt.get_checkpoint()
    if checkpoint is not None:
        with checkpoint.as_directory() as directory:
            state = torch.load(os.path.join(directory, 'state.pt'))
        model.load_state_dict(state['model'])
        optimizer.load_state_dict(state['optimizer'])
        for group in optimizer.param_groups:  # this trial's, not the donor's
            group['lr'] = config['lr']
            group['momentum'] = config['momentum']

    def save(directory):
        torch.save({'model': model.state_dict(), 'optimizer': optimizer.state_dict()},
                   os.path.join(directory, 'state.pt'))

    while True:
        loss = network.train(model, optimizer, train_loader)
        accuracy = network.test(model, test_loader)
        libpbt.report({'mean_accuracy': accuracy, 'mean_loss': loss}, checkpoint=save)


if __name__ == '__main__':
    libpbt.worker(train_convnet)
