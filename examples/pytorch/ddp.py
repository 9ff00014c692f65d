#!/usr/bin/env python3
"""The guide's ConvNet, each trial on two processes: pbt run examples/pytorch/ddp.yaml

Every process (rank) runs this script: setup(), step(), save_checkpoint() and all the others are
called in each of them at the same time.  What rank 0 reports counts.
"""
import os

import libpbt
import mnist
import network
import torch
from torch import distributed
from torch.nn.parallel import DistributedDataParallel
from torch.utils.data import DataLoader, DistributedSampler


class DdpTrainable(libpbt.Trainable):
    def setup(self, config):
        if not distributed.is_initialized():  # a process may serve several trials
            distributed.init_process_group('gloo')
        torch.manual_seed(self.seed)  # the same in all ranks
        images = network.read(mnist.find(), 'train')
        self.sampler = DistributedSampler(images, seed=self.seed % 2 ** 31)
        self.train_loader = DataLoader(
            images, batch_size=network.BATCH_SIZE, sampler=self.sampler)
        _, self.test_loader = network.load_data()
        self.model = network.ConvNet()
        self.parallel = DistributedDataParallel(self.model)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=config['lr'],
                                         momentum=config['momentum'])

    def step(self):
        self.sampler.set_epoch(self.iteration)
        loss = network.train(self.parallel, self.optimizer, self.train_loader)
        accuracy = network.test(self.model, self.test_loader)
        return {'mean_accuracy': accuracy, 'mean_loss': loss}

    def save_checkpoint(self, checkpoint_dir):
        if distributed.get_rank() == 0:
            torch.save({'model': self.model.state_dict(),
                        'optimizer': self.optimizer.state_dict()},
                       os.path.join(checkpoint_dir, 'state.pt'))

    def load_checkpoint(self, checkpoint_dir):
        state = torch.load(os.path.join(checkpoint_dir, 'state.pt'))
        self.model.load_state_dict(state['model'])
        self.optimizer.load_state_dict(state['optimizer'])

    def reset_config(self, new_config):
        for group in self.optimizer.param_groups:
            group['lr'] = new_config['lr']
            group['momentum'] = new_config['momentum']
        return True


if __name__ == '__main__':
    libpbt.worker(DdpTrainable)
