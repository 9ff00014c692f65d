/*
 * gan.h: a deep convolutional generative adversarial network (Radford, Metz and
 * Chintala 2015) for images of 32 x 32 pixels.
 *
 * The generator makes an image of 100 random numbers; the discriminator says
 * how likely an image is a real one.  Each is trained against the other:
 *
 *   generator                                discriminator
 *     100 numbers                              image, values -1 to 1
 *     transposed 4x4           128 x  4 x  4   convolution 4x4, stride 2   32 x 16 x 16
 *     norm, ReLU                               leaky ReLU
 *     transposed 4x4, stride 2  64 x  8 x  8   convolution 4x4, stride 2   64 x  8 x  8
 *     norm, ReLU                               norm, leaky ReLU
 *     transposed 4x4, stride 2  32 x 16 x 16   convolution 4x4, stride 2  128 x  4 x  4
 *     norm, ReLU                               norm, leaky ReLU
 *     transposed 4x4, stride 2  image          convolution 4x4              1
 *     tanh                                     (sigmoid, in the loss)
 *
 * No convolution has biases; the leaky ReLU's slope is 0.2; both networks
 * normalise over the batch at hand, when they are used as well as in training.
 */
#ifndef DCGAN_GAN_H
#define DCGAN_GAN_H

#include <stddef.h>
#include <stdint.h>

#include "adam.h"
#include "common/failure.h"
#include "dnn.h"

enum {
    GAN_BATCH = 64,
    GAN_NOISE = 100, /* numbers that an image is made of */
    GAN_BATCH_NOISE = GAN_BATCH * GAN_NOISE,
    GAN_SIDE = 32,
    GAN_PIXELS = 1024 /* of one channel */
};

/* One of the two, with its optimiser. */
struct gan_side {
    struct dnn *net;
    struct adam adam;
};

struct gan {
    int channels; /* of the images: 1 or 3 */
    struct gan_side generator;
    struct gan_side discriminator;
    float *real_gradient; /* the discriminator's, of the real half */
};

struct gan_losses {
    double generator;
    double discriminator; /* of its real and of its fake half together */
};

/*
 * Draws the weights from `*random`: of convolutions normally distributed with
 * deviation 0.02, scales likewise around 1, shifts 0.
 */
int gan_open(struct gan *gan, int channels, uint64_t *random,
             struct failure *failure);

/* Also of one that is all zeros. */
void gan_close(struct gan *gan);

/* Numbers in an image. */
size_t gan_image_size(const struct gan *gan);

/* Images of `noise`, GAN_BATCH x GAN_NOISE numbers; they live until the next. */
int gan_generate(struct gan *gan, const float *noise, const float **images,
                 struct failure *failure);

/*
 * One step of training: the discriminator learns from GAN_BATCH real images and
 * as many fakes, then the generator from the same fakes.
 */
int gan_step(struct gan *gan, const float *real, const float *noise,
             struct gan_losses *losses, struct failure *failure);

#endif
