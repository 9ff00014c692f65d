/* trainable.h: the DCGAN as a trainable of pbt. */
#ifndef DCGAN_TRAINABLE_H
#define DCGAN_TRAINABLE_H

/* Serves the experiment that started this program; see pbt_worker_main(). */
int trainable_main(int argc, char **argv);

#endif
