/*
 * lenet.h: the net that scores fakes: LeNet's kin, which tells digits apart.
 *
 *     image, brought from 32 x 32 to 28 x 28 pixels
 *       -> convolution 5x5, max-pooling 2x2, ReLU   10 x 12 x 12
 *       -> convolution 5x5, max-pooling 2x2, ReLU   20 x  4 x  4
 *       -> fully connected, ReLU                    50
 *       -> fully connected                          classes
 *       -> softmax
 *
 * It is that of Ray's example, which ships trained weights; here it is trained
 * first, on the real images as the discriminator sees them, in seconds, and
 * kept in a file.  Ray's was trained with dropout, ours without: so few batches
 * do not need it.
 */
#ifndef DCGAN_LENET_H
#define DCGAN_LENET_H

#include <stdint.h>

#include "common/failure.h"
#include "dnn.h"
#include "pictures.h"
#include "resize.h"

struct lenet {
    int channels;
    int classes;
    double accuracy; /* on images that it was not trained on, 0 to 1 */
    uint64_t tested; /* how many these were */
    struct resize resize;
    struct dnn *net;
};

/* One whose weights are zeros. */
int lenet_open(struct lenet *lenet, int channels, int classes,
               struct failure *failure);

/* Trains one. */
int lenet_train(struct lenet *lenet, const struct pictures *train,
                const struct pictures *test, uint64_t seed,
                struct failure *failure);

/* Also of one that is all zeros. */
void lenet_close(struct lenet *lenet);

int lenet_save(const struct lenet *lenet, const char *path,
               struct failure *failure);
int lenet_load(struct lenet *lenet, const char *path, struct failure *failure);

/*
 * The one for a set, from the cache, or trained and put there; what happens is
 * told on stderr.  `which` tells apart nets that are trained independently of
 * each other.
 */
int lenet_for(struct lenet *lenet, const char *directory, uint64_t which,
              struct failure *failure);

/* GAN_BATCH images to as many rows of probabilities. */
int lenet_classify(struct lenet *lenet, const float *images,
                   float *probabilities, struct failure *failure);

#endif
