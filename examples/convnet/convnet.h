/*
 * convnet.h: a small convolutional network for 28x28 grey images, in plain C.
 *
 *     image 28x28
 *       -> convolution, 3 channels, 3x3, no padding   3 x 26 x 26
 *       -> max-pooling, 3x3, stride 3                 3 x  8 x  8
 *       -> ReLU, laid out in a row                    192
 *       -> fully connected                            10
 *       -> log-softmax
 *
 * with the negative log likelihood as loss, and stochastic gradient descent
 * with momentum as PyTorch does it: v = momentum * v + g;  w -= lr * v.
 *
 *     struct convnet net;
 *     struct convnet_workspace *workspace = convnet_workspace_new();
 *     convnet_init(&net, seed);
 *     net.lr = 0.05;
 *     net.momentum = 0.9;
 *     loss = convnet_train(&net, workspace, &batch);
 *
 * `struct convnet` is all that training depends on.  Two equal ones, fed the
 * same batches, stay equal bit for bit; so it is also what a checkpoint holds.
 */
#ifndef CONVNET_H
#define CONVNET_H

#include <stddef.h>
#include <stdint.h>

enum {
    CONVNET_SIDE = 28,    /* pixels, both ways */
    CONVNET_PIXELS = 784, /* bytes of an image, row by row */
    CONVNET_CHANNELS = 3,
    CONVNET_TAPS = 9,     /* weights of a 3x3 filter, row by row */
    CONVNET_POOLED = 8,   /* windows of the max-pooling, both ways */
    CONVNET_HIDDEN = 192, /* CHANNELS * POOLED * POOLED */
    CONVNET_CLASSES = 10,
    CONVNET_PARAMETERS = 1960
};

/* The weights by name, and as the plain row that an optimiser wants. */
union convnet_parameters {
    struct {
        float filter[CONVNET_CHANNELS][CONVNET_TAPS];
        float filter_bias[CONVNET_CHANNELS];
        float full[CONVNET_CLASSES][CONVNET_HIDDEN];
        float full_bias[CONVNET_CLASSES];
    };
    float all[CONVNET_PARAMETERS];
};

struct convnet {
    union convnet_parameters weights;
    union convnet_parameters velocity; /* the momentum buffers */
    uint64_t generator;                /* of random numbers */
    double lr;                         /* learning rate, 0 or more */
    double momentum;                   /* 0 or more */
};

/* Images and their labels (0 to 9), borrowed for a call. */
struct convnet_batch {
    size_t count; /* 1 or more */
    const uint8_t *const *images;
    const uint8_t *labels;
};

/* Room for a pass through the network: nothing in it outlives a call. */
struct convnet_workspace;

/* NULL if out of memory. */
struct convnet_workspace *convnet_workspace_new(void);
void convnet_workspace_free(struct convnet_workspace *workspace);

/*
 * Draws weights as PyTorch does by default, uniform in +-1/sqrt(inputs of the
 * layer), and clears the velocity.  Sets lr to 0.01 and momentum to 0.9.
 */
void convnet_init(struct convnet *net, uint64_t seed);

/* A random number in [0, below), below > 0; each is equally likely. */
uint64_t convnet_random(struct convnet *net, uint64_t below);

/* One step of gradient descent.  Returns the mean loss before the step. */
double convnet_train(struct convnet *net, struct convnet_workspace *workspace,
                     const struct convnet_batch *batch);

/* Returns the mean loss; `*correct` is how many images were recognised. */
double convnet_test(const struct convnet *net,
                    struct convnet_workspace *workspace,
                    const struct convnet_batch *batch, size_t *correct);

#endif
