/*
 * dnn.h: neural networks that are a row of layers, computed by oneDNN.
 *
 * This is the only part of the example that knows the library.
 *
 *     struct dnn_layer layers[] = {
 *         {DNN_CONVOLUTION, .channels = 32, .kernel = 4, .stride = 2, .padding = 1},
 *         {DNN_LEAKY_RELU, .slope = 0.2f},
 *         ...
 *     };
 *     struct dnn *net = dnn_new(layers, 2, input, 64, &failure);
 *     ... fill dnn_weights(net), call dnn_weights_changed(net) ...
 *     ... fill dnn_input(net) ...
 *     dnn_forward(net, &failure);
 *     ... read dnn_output(net), fill dnn_output_slope(net) ...
 *     dnn_backward(net, DNN_WEIGHTS, &failure);
 *     ... read dnn_gradient(net) ...
 *
 * A network is made for batches of one size.  What its user fills and reads is
 * laid out as in PyTorch: image by image, channel by channel, row by row; in
 * between the library uses the layouts that it likes best.  Everything runs in
 * the thread that calls.
 */
#ifndef DCGAN_DNN_H
#define DCGAN_DNN_H

#include <stdbool.h>
#include <stddef.h>

#include "common/failure.h"

enum dnn_kind {
    DNN_CONVOLUTION,
    DNN_TRANSPOSED, /* convolution, as PyTorch's ConvTranspose2d */
    DNN_FULL,       /* fully connected: all pixels of all channels to each */
    DNN_NORM,       /* batch normalisation over the batch at hand */
    DNN_RELU,
    DNN_LEAKY_RELU,
    DNN_TANH,
    DNN_MAX_POOL
};

/* Members that a kind does not name are 0. */
struct dnn_layer {
    enum dnn_kind kind;
    int channels; /* of the result: CONVOLUTION, TRANSPOSED, FULL */
    int kernel;   /* pixels both ways: CONVOLUTION, TRANSPOSED, MAX_POOL */
    int stride;   /* those, too */
    int padding;  /* CONVOLUTION, TRANSPOSED */
    bool bias;    /* CONVOLUTION, TRANSPOSED, FULL */
    bool relu;    /* NORM: and ReLU */
    float slope;  /* LEAKY_RELU: of the left side */
};

struct dnn_shape {
    int channels;
    int height;
    int width;
};

struct dnn;

/* NULL: `failure` says why. */
struct dnn *dnn_new(const struct dnn_layer *layers, size_t count,
                    struct dnn_shape input, int batch, struct failure *failure);

/* Takes NULL. */
void dnn_free(struct dnn *net);

/* Numbers in an image that goes in or comes out. */
size_t dnn_input_size(const struct dnn *net);
size_t dnn_output_size(const struct dnn *net);

/* `batch` images each. */
float *dnn_input(struct dnn *net);
const float *dnn_output(const struct dnn *net);
float *dnn_output_slope(struct dnn *net);
const float *dnn_input_slope(const struct dnn *net);

/*
 * All weights in a row, layer by layer, each layer's weights before its biases;
 * DNN_NORM's are its scales and shifts.  The order within is PyTorch's.
 */
size_t dnn_weight_count(const struct dnn *net);
float *dnn_weights(struct dnn *net);
const float *dnn_gradient(const struct dnn *net);

/* One layer's part of them. */
struct dnn_part {
    enum dnn_kind kind;
    size_t at;     /* index of the first weight */
    size_t count;  /* 0: it has none */
    size_t biases; /* behind the weights */
    size_t inputs; /* numbers that add up to one of its results */
};
struct dnn_part dnn_part(const struct dnn *net, size_t layer);

/* Has to be called after the weights were changed, before the next pass. */
void dnn_weights_changed(struct dnn *net);

int dnn_forward(struct dnn *net, struct failure *failure);

/* What a pass back is for; without DNN_WEIGHTS the gradient is undefined. */
enum { DNN_WEIGHTS = 1, DNN_INPUT = 2 };

/* After dnn_forward(); dnn_output_slope() may be overwritten. */
int dnn_backward(struct dnn *net, unsigned wanted, struct failure *failure);

#endif
