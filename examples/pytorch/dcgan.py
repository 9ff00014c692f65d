"""The guide's DCGAN as a class: guide_dcgan.py runs an experiment with it."""
import os

import gan
import libpbt
import score
import torch

FAKES = 256  # that are scored; the guide's 64 would give little but noise


class DcganTrainable(libpbt.Trainable):
    def setup(self, config):
        torch.manual_seed(self.seed)
        self.score_net = score.find_net()
        self.batches = gan.batches()
        self.gan = gan.Gan(config['netG_lr'], config['netD_lr'])

    def step(self):
        lossg, lossd = gan.train(self.gan, self.batches)
        return {'lossg': lossg, 'lossd': lossd,
                'is_score': score.inception_score(self.score_net, self.gan.draw(FAKES))}

    def save_checkpoint(self, checkpoint_dir):
        torch.save(self.gan.state_dict(), os.path.join(checkpoint_dir, 'gan.pt'))

    def load_checkpoint(self, checkpoint_dir):
        self.gan.load_state_dict(torch.load(os.path.join(checkpoint_dir, 'gan.pt')))

    def reset_config(self, new_config):
        """After each load: the rates that the optimisers have brought are overwritten."""
        torch.manual_seed(self.seed)
        self.gan.set_rates(new_config['netG_lr'], new_config['netD_lr'])
        return True
