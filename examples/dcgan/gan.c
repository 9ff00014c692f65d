/* gan.c: see gan.h. */
#include "gan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/random.h"

static const struct dnn_layer generator_layers[] = {
    {.kind = DNN_TRANSPOSED, .channels = 128, .kernel = 4, .stride = 1},
    {.kind = DNN_NORM, .relu = true},
    {.kind = DNN_TRANSPOSED,
     .channels = 64,
     .kernel = 4,
     .stride = 2,
     .padding = 1},
    {.kind = DNN_NORM, .relu = true},
    {.kind = DNN_TRANSPOSED,
     .channels = 32,
     .kernel = 4,
     .stride = 2,
     .padding = 1},
    {.kind = DNN_NORM, .relu = true},
    {.kind = DNN_TRANSPOSED, .kernel = 4, .stride = 2, .padding = 1},
    {.kind = DNN_TANH}};

static const struct dnn_layer discriminator_layers[] = {
    {.kind = DNN_CONVOLUTION,
     .channels = 32,
     .kernel = 4,
     .stride = 2,
     .padding = 1},
    {.kind = DNN_LEAKY_RELU, .slope = 0.2f},
    {.kind = DNN_CONVOLUTION,
     .channels = 64,
     .kernel = 4,
     .stride = 2,
     .padding = 1},
    {.kind = DNN_NORM},
    {.kind = DNN_LEAKY_RELU, .slope = 0.2f},
    {.kind = DNN_CONVOLUTION,
     .channels = 128,
     .kernel = 4,
     .stride = 2,
     .padding = 1},
    {.kind = DNN_NORM},
    {.kind = DNN_LEAKY_RELU, .slope = 0.2f},
    {.kind = DNN_CONVOLUTION, .channels = 1, .kernel = 4, .stride = 1}};

enum {
    GENERATOR_LAYERS = sizeof generator_layers / sizeof generator_layers[0],
    DISCRIMINATOR_LAYERS =
        sizeof discriminator_layers / sizeof discriminator_layers[0],
    LAST_TRANSPOSED = GENERATOR_LAYERS - 2
};

static void draw_weights(struct dnn *net, size_t layers, uint64_t *random)
{
    const double deviation = 0.02;

    for (size_t i = 0; i < layers; i++) {
        const struct dnn_part part = dnn_part(net, i);
        float *weights = dnn_weights(net) + part.at;

        random_normal(random, deviation, weights, part.count);
        if (part.kind == DNN_NORM)
            for (size_t j = 0; j < part.count; j++)
                weights[j] += 1.0f;
    }
    dnn_weights_changed(net);
}

static int open_side(struct gan_side *side, const struct dnn_layer *layers,
                     size_t count, struct dnn_shape input, uint64_t *random,
                     struct failure *failure)
{
    const double lr = 2e-4;
    const double keep_mean = 0.5; /* 0.9 makes such training oscillate */

    side->net = dnn_new(layers, count, input, GAN_BATCH, failure);
    if (side->net == NULL)
        return EINVAL;
    if (adam_open(&side->adam, dnn_weight_count(side->net), lr, keep_mean) != 0)
        return failure_set(failure, ENOMEM, "no memory for an optimiser");
    draw_weights(side->net, count, random);
    return 0;
}

int gan_open(struct gan *gan, int channels, uint64_t *random,
             struct failure *failure)
{
    const struct dnn_shape noise = {GAN_NOISE, 1, 1};
    const struct dnn_shape image = {channels, GAN_SIDE, GAN_SIDE};
    struct dnn_layer layers[GENERATOR_LAYERS];
    int number;

    memset(gan, 0, sizeof *gan);
    gan->channels = channels;
    memcpy(layers, generator_layers, sizeof layers);
    layers[LAST_TRANSPOSED].channels = channels;
    number = open_side(&gan->generator, layers, GENERATOR_LAYERS, noise, random,
                       failure);
    if (number == 0)
        number = open_side(&gan->discriminator, discriminator_layers,
                           DISCRIMINATOR_LAYERS, image, random, failure);
    if (number == 0) {
        gan->real_gradient =
            malloc(dnn_weight_count(gan->discriminator.net) * sizeof(float));
        if (gan->real_gradient == NULL)
            number = failure_set(failure, ENOMEM, "no memory for a gradient");
    }
    if (number != 0)
        gan_close(gan);
    return number;
}

static void close_side(struct gan_side *side)
{
    dnn_free(side->net);
    adam_close(&side->adam);
}

void gan_close(struct gan *gan)
{
    close_side(&gan->generator);
    close_side(&gan->discriminator);
    free(gan->real_gradient);
    memset(gan, 0, sizeof *gan);
}

size_t gan_image_size(const struct gan *gan)
{
    return (size_t)gan->channels * GAN_PIXELS;
}

/* ---- training ------------------------------------------------------------- */

static int run(struct dnn *net, const float *input, struct failure *failure)
{
    memcpy(dnn_input(net), input,
           GAN_BATCH * dnn_input_size(net) * sizeof(float));
    return dnn_forward(net, failure);
}

int gan_generate(struct gan *gan, const float *noise, const float **images,
                 struct failure *failure)
{
    int number = run(gan->generator.net, noise, failure);

    *images = dnn_output(gan->generator.net);
    return number;
}

/*
 * The mean of the binary cross-entropies of sigmoid(x) with `label`, 0 or 1,
 * and its slopes.  log(1 + e^x) is written so that nothing overflows.
 */
static double cross_entropy(struct dnn *net, float label)
{
    const float *x = dnn_output(net);
    float *slope = dnn_output_slope(net);
    double sum = 0.0;

    for (int i = 0; i < GAN_BATCH; i++) {
        const float e = expf(-fabsf(x[i]));
        const float sigmoid = x[i] >= 0.0f ? 1.0f / (1.0f + e) : e / (1.0f + e);

        sum += (double)(fmaxf(x[i], 0.0f) - label * x[i] + log1pf(e));
        slope[i] = (sigmoid - label) / (float)GAN_BATCH;
    }
    return sum / GAN_BATCH;
}

/* Forward and back on one kind of images. */
static int judge(struct dnn *discriminator, const float *images, float label,
                 unsigned wanted, double *loss, struct failure *failure)
{
    int number = run(discriminator, images, failure);

    if (number != 0)
        return number;
    *loss = cross_entropy(discriminator, label);
    return dnn_backward(discriminator, wanted, failure);
}

static void descend(struct gan_side *side, const float *more)
{
    adam_step(&side->adam, dnn_weights(side->net), dnn_gradient(side->net),
              more, dnn_weight_count(side->net));
    dnn_weights_changed(side->net);
}

/* Its gradient is that of both halves, each normalised by itself. */
static int train_discriminator(struct gan *gan, const float *real,
                               const float *fakes, double *loss,
                               struct failure *failure)
{
    struct dnn *net = gan->discriminator.net;
    double fake_loss = 0.0;
    int number = judge(net, real, 1.0f, DNN_WEIGHTS, loss, failure);

    if (number != 0)
        return number;
    memcpy(gan->real_gradient, dnn_gradient(net),
           dnn_weight_count(net) * sizeof(float));
    number = judge(net, fakes, 0.0f, DNN_WEIGHTS, &fake_loss, failure);
    if (number != 0)
        return number;
    *loss += fake_loss;
    descend(&gan->discriminator, gan->real_gradient);
    return 0;
}

/* It wants its fakes to be taken for real. */
static int train_generator(struct gan *gan, const float *fakes, double *loss,
                           struct failure *failure)
{
    struct dnn *judges = gan->discriminator.net;
    struct dnn *net = gan->generator.net;
    int number = judge(judges, fakes, 1.0f, DNN_INPUT, loss, failure);

    if (number != 0)
        return number;
    memcpy(dnn_output_slope(net), dnn_input_slope(judges),
           GAN_BATCH * dnn_output_size(net) * sizeof(float));
    number = dnn_backward(net, DNN_WEIGHTS, failure);
    if (number == 0)
        descend(&gan->generator, NULL);
    return number;
}

int gan_step(struct gan *gan, const float *real, const float *noise,
             struct gan_losses *losses, struct failure *failure)
{
    const float *fakes;
    int number = gan_generate(gan, noise, &fakes, failure);

    if (number == 0)
        number = train_discriminator(gan, real, fakes, &losses->discriminator,
                                     failure);
    if (number == 0)
        number = train_generator(gan, fakes, &losses->generator, failure);
    return number;
}
