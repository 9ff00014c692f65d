#!/usr/bin/env python3
"""The guide's ConvNet as a class: pbt run examples/pytorch/convnet.yaml"""
import os

import libpbt
import network
import torch


class ConvNetTrainable(libpbt.Trainable):
    def setup(self, config):
        torch.manual_seed(self.seed)
        self.train_loader, self.test_loader = network.load_data()
        self.model = network.ConvNet()
        self.optimizer = torch.optim.SGD(self.model.parameters(),
                                         lr=config.get('lr', 0.01),
                                         momentum=config.get('momentum', 0.9))

    def step(self):
        loss = network.train(self.model, self.optimizer, self.train_loader)
        accuracy = network.test(self.model, self.test_loader)
        return {'mean_accuracy': accuracy, 'mean_loss': loss}

    def save_checkpoint(self, checkpoint_dir):
        torch.save({'model': self.model.state_dict(),
                    'optimizer': self.optimizer.state_dict()},
                   os.path.join(checkpoint_dir, 'state.pt'))

    def load_checkpoint(self, checkpoint_dir):
        state = torch.load(os.path.join(checkpoint_dir, 'state.pt'))
        self.model.load_state_dict(state['model'])
        self.optimizer.load_state_dict(state['optimizer'])

    def reset_config(self, new_config):
        """After each load: what the optimiser has brought along is overwritten."""
        torch.manual_seed(self.seed)
        for group in self.optimizer.param_groups:
            group['lr'] = new_config['lr']
            group['momentum'] = new_config['momentum']
        return True


if __name__ == '__main__':
    libpbt.worker(ConvNetTrainable)
