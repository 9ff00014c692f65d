/*
 * convnet.c: the network of convnet.h.
 *
 * How it gets fast without a library: 64 images go through the network side by
 * side.  Every number of a pass is a row of 64 "lanes", one for each image, and
 * every inner loop runs over lanes.  The lanes do not depend on each other, so
 * the compiler turns such a loop into vector instructions (16 images at a time
 * with AVX-512, 8 with AVX2, 4 with SSE2 or NEON) without reordering a single
 * sum.  That is why it needs no -ffast-math and why, with -ffp-contract=off,
 * the vector width makes no difference to the result.
 *
 * The convolution is computed only where the pooling looks: the 8 x 8 windows
 * of 3 x 3 cover 24 x 24 of its 26 x 26 results, which in turn see 26 x 26 of
 * the 28 x 28 pixels.
 */
#include "convnet.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "common/random.h"
#include "common/wide.h"

enum {
    LANES = 64,
    SEEN = 26,  /* pixels that matter, both ways */
    WINDOW = 9, /* results in a pooling window, row by row */
    TAPS = CONVNET_TAPS,
    CHANNELS = CONVNET_CHANNELS,
    POOLED = CONVNET_POOLED,
    HIDDEN = CONVNET_HIDDEN,
    CLASSES = CONVNET_CLASSES
};

_Static_assert(sizeof(union convnet_parameters) ==
                   CONVNET_PARAMETERS * sizeof(float),
               "the parameters are one row without gaps");

#if defined(__GNUC__)
/* Into each clone: a call would leave the clone's instruction set. */
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

struct convnet_workspace {
    _Alignas(64) float pixels[SEEN][SEEN][LANES];
    float hidden[HIDDEN][LANES];
    /* Which result of its window won the pooling, 0 to 8.  As a float, since
       gcc vectorises a choice between floats, but not a mixed one. */
    float winner[HIDDEN][LANES];
    float scores[CLASSES][LANES]; /* before the softmax */
    /* The slope of the loss against the numbers of the same place above. */
    float hidden_slope[HIDDEN][LANES];
    float scores_slope[CLASSES][LANES];
    union convnet_parameters gradient;
    /* A byte of an image to a number of mean 0 and deviation 1 over MNIST's
       training set. */
    float normalised[256];
};

struct convnet_workspace *convnet_workspace_new(void)
{
    _Static_assert(sizeof(struct convnet_workspace) % 64 == 0,
                   "aligned_alloc() wants a multiple of the alignment");
    struct convnet_workspace *workspace =
        aligned_alloc(64, sizeof(struct convnet_workspace));

    if (workspace == NULL)
        return NULL;
    memset(workspace, 0, sizeof *workspace);
    for (int i = 0; i < 256; i++)
        workspace->normalised[i] = ((float)i / 255.0f - 0.1307f) / 0.3081f;
    return workspace;
}

void convnet_workspace_free(struct convnet_workspace *workspace)
{
    free(workspace);
}

/* ---- random numbers ----------------------------------------------------- */

uint64_t convnet_random(struct convnet *net, uint64_t below)
{
    return random_below(&net->generator, below);
}

static void draw_uniform(struct convnet *net, float *weights, size_t count,
                         double inputs)
{
    const double bound = 1.0 / sqrt(inputs);

    for (size_t i = 0; i < count; i++)
        weights[i] =
            (float)((2.0 * random_unit(&net->generator) - 1.0) * bound);
}

void convnet_init(struct convnet *net, uint64_t seed)
{
    union convnet_parameters *w = &net->weights;

    memset(net, 0, sizeof *net);
    net->generator = seed;
    net->lr = 0.01;
    net->momentum = 0.9;
    draw_uniform(net, w->filter[0], sizeof w->filter / sizeof(float), TAPS);
    draw_uniform(net, w->filter_bias, CHANNELS, TAPS);
    draw_uniform(net, w->full[0], sizeof w->full / sizeof(float), HIDDEN);
    draw_uniform(net, w->full_bias, CLASSES, HIDDEN);
}

/* ---- forward ------------------------------------------------------------ */

WIDE static void load_pixels(struct convnet_workspace *ws,
                             const uint8_t *const images[LANES])
{
    for (int row = 0; row < SEEN; row++)
        for (int column = 0; column < SEEN; column++)
            for (int lane = 0; lane < LANES; lane++)
                ws->pixels[row][column][lane] =
                    ws->normalised[images[lane][row * CONVNET_SIDE + column]];
}

/* One result of the convolution; the filter's upper left pixel is at (y, x). */
INLINE float filtered(const struct convnet_workspace *ws, const float *filter,
                      float bias, int y, int x, int lane)
{
    return bias + filter[0] * ws->pixels[y][x][lane] +
           filter[1] * ws->pixels[y][x + 1][lane] +
           filter[2] * ws->pixels[y][x + 2][lane] +
           filter[3] * ws->pixels[y + 1][x][lane] +
           filter[4] * ws->pixels[y + 1][x + 1][lane] +
           filter[5] * ws->pixels[y + 1][x + 2][lane] +
           filter[6] * ws->pixels[y + 2][x][lane] +
           filter[7] * ws->pixels[y + 2][x + 1][lane] +
           filter[8] * ws->pixels[y + 2][x + 2][lane];
}

/* The first of equals wins, as in PyTorch. */
INLINE void compete(float result, float number, float *best, float *winner)
{
    const bool wins = result > *best;

    *winner = wins ? number : *winner;
    *best = wins ? result : *best;
}

/* Convolution, pooling and ReLU of the window at (y, x) for one channel. */
INLINE void window_forward(struct convnet_workspace *ws, const float *filter,
                           float bias, int y, int x, int unit)
{
    float results[WINDOW][LANES];

    for (int i = 0; i < WINDOW; i++)
        for (int lane = 0; lane < LANES; lane++)
            results[i][lane] =
                filtered(ws, filter, bias, y + i / 3, x + i % 3, lane);
    for (int lane = 0; lane < LANES; lane++) {
        float best = results[0][lane];
        float winner = 0.0f;

        /* Written out: as a loop in a loop, gcc does not vectorise it. */
        compete(results[1][lane], 1.0f, &best, &winner);
        compete(results[2][lane], 2.0f, &best, &winner);
        compete(results[3][lane], 3.0f, &best, &winner);
        compete(results[4][lane], 4.0f, &best, &winner);
        compete(results[5][lane], 5.0f, &best, &winner);
        compete(results[6][lane], 6.0f, &best, &winner);
        compete(results[7][lane], 7.0f, &best, &winner);
        compete(results[8][lane], 8.0f, &best, &winner);
        ws->winner[unit][lane] = winner;
        ws->hidden[unit][lane] = best > 0.0f ? best : 0.0f;
    }
}

WIDE static void convolution_forward(struct convnet_workspace *ws,
                                     const union convnet_parameters *w)
{
    for (int row = 0; row < POOLED; row++)
        for (int column = 0; column < POOLED; column++)
            for (int c = 0; c < CHANNELS; c++)
                window_forward(ws, w->filter[c], w->filter_bias[c], 3 * row,
                               3 * column,
                               (c * POOLED + row) * POOLED + column);
}

WIDE static void full_forward(struct convnet_workspace *ws,
                              const union convnet_parameters *w)
{
    for (int digit = 0; digit < CLASSES; digit++) {
        float sum[LANES];

        for (int lane = 0; lane < LANES; lane++)
            sum[lane] = w->full_bias[digit];
        for (int unit = 0; unit < HIDDEN; unit++)
            for (int lane = 0; lane < LANES; lane++)
                sum[lane] += w->full[digit][unit] * ws->hidden[unit][lane];
        memcpy(ws->scores[digit], sum, sizeof sum);
    }
}

/*
 * Log-softmax and negative log likelihood of the first `count` lanes, with the
 * slope of (sum of losses) * scale.  Unused lanes get slope 0 and so add
 * nothing to any gradient.  Returns the sum of the losses.
 */
static double loss_and_slope(struct convnet_workspace *ws,
                             const uint8_t *labels, size_t count, float scale)
{
    double total = 0.0;

    memset(ws->scores_slope, 0, sizeof ws->scores_slope);
    for (size_t lane = 0; lane < count; lane++) {
        float exponential[CLASSES];
        float sum = 0.0f;
        float best = ws->scores[0][lane];

        for (int digit = 1; digit < CLASSES; digit++)
            if (ws->scores[digit][lane] > best)
                best = ws->scores[digit][lane];
        for (int digit = 0; digit < CLASSES; digit++) {
            exponential[digit] = expf(ws->scores[digit][lane] - best);
            sum += exponential[digit];
        }
        for (int digit = 0; digit < CLASSES; digit++) {
            float wanted = digit == labels[lane] ? 1.0f : 0.0f;

            ws->scores_slope[digit][lane] =
                (exponential[digit] / sum - wanted) * scale;
        }
        total += (double)(logf(sum) + (best - ws->scores[labels[lane]][lane]));
    }
    return total;
}

/* ---- backward ----------------------------------------------------------- */

/* In a fixed order that vectorises: 64 lanes fold to 8, to 4, to 1. */
INLINE float sum_of_lanes(const float *row)
{
    float eight[8];
    float four[4];

    for (int i = 0; i < 8; i++)
        eight[i] = row[i];
    for (int lane = 8; lane < LANES; lane += 8)
        for (int i = 0; i < 8; i++)
            eight[i] += row[lane + i];
    for (int i = 0; i < 4; i++)
        four[i] = eight[i] + eight[i + 4];
    return (four[0] + four[2]) + (four[1] + four[3]);
}

WIDE static void full_backward(struct convnet_workspace *ws,
                               const union convnet_parameters *w)
{
    for (int unit = 0; unit < HIDDEN; unit++) {
        float slope[LANES] = {0.0f};

        for (int digit = 0; digit < CLASSES; digit++)
            for (int lane = 0; lane < LANES; lane++)
                slope[lane] +=
                    w->full[digit][unit] * ws->scores_slope[digit][lane];
        for (int digit = 0; digit < CLASSES; digit++) {
            float product[LANES];

            for (int lane = 0; lane < LANES; lane++)
                product[lane] =
                    ws->scores_slope[digit][lane] * ws->hidden[unit][lane];
            ws->gradient.full[digit][unit] += sum_of_lanes(product);
        }
        /* Back through the ReLU. */
        for (int lane = 0; lane < LANES; lane++)
            ws->hidden_slope[unit][lane] =
                ws->hidden[unit][lane] > 0.0f ? slope[lane] : 0.0f;
    }
    for (int digit = 0; digit < CLASSES; digit++)
        ws->gradient.full_bias[digit] += sum_of_lanes(ws->scores_slope[digit]);
}

/* filtered() with a filter of its own for each lane. */
INLINE float filtered_by_lane(const struct convnet_workspace *ws,
                              float filter[TAPS][LANES], int y, int x, int lane)
{
    return filter[0][lane] * ws->pixels[y][x][lane] +
           filter[1][lane] * ws->pixels[y][x + 1][lane] +
           filter[2][lane] * ws->pixels[y][x + 2][lane] +
           filter[3][lane] * ws->pixels[y + 1][x][lane] +
           filter[4][lane] * ws->pixels[y + 1][x + 1][lane] +
           filter[5][lane] * ws->pixels[y + 1][x + 2][lane] +
           filter[6][lane] * ws->pixels[y + 2][x][lane] +
           filter[7][lane] * ws->pixels[y + 2][x + 1][lane] +
           filter[8][lane] * ws->pixels[y + 2][x + 2][lane];
}

/*
 * Adds the share of the window at (y, x) to the slopes of its channel's filter.
 * Pooling sends the slope to the winner of the window and 0 to the others; each
 * lane has a winner of its own, so all nine are gone through.
 */
INLINE void window_backward(const struct convnet_workspace *ws,
                            float filter_slope[TAPS][LANES], int y, int x,
                            int unit)
{
    float sent[WINDOW][LANES];

    for (int i = 0; i < WINDOW; i++) {
        const float number = (float)i;

        for (int lane = 0; lane < LANES; lane++) {
            const float slope = ws->hidden_slope[unit][lane];

            sent[i][lane] = ws->winner[unit][lane] == number ? slope : 0.0f;
        }
    }
    for (int tap = 0; tap < TAPS; tap++)
        for (int lane = 0; lane < LANES; lane++)
            filter_slope[tap][lane] +=
                filtered_by_lane(ws, sent, y + tap / 3, x + tap % 3, lane);
}

WIDE static void convolution_backward(struct convnet_workspace *ws)
{
    for (int c = 0; c < CHANNELS; c++) {
        float filter_slope[TAPS][LANES] = {{0.0f}};
        float bias_slope[LANES] = {0.0f};

        for (int row = 0; row < POOLED; row++)
            for (int column = 0; column < POOLED; column++) {
                int unit = (c * POOLED + row) * POOLED + column;

                window_backward(ws, filter_slope, 3 * row, 3 * column, unit);
                for (int lane = 0; lane < LANES; lane++)
                    bias_slope[lane] += ws->hidden_slope[unit][lane];
            }
        for (int tap = 0; tap < TAPS; tap++)
            ws->gradient.filter[c][tap] += sum_of_lanes(filter_slope[tap]);
        ws->gradient.filter_bias[c] += sum_of_lanes(bias_slope);
    }
}

/* ---- batches ------------------------------------------------------------ */

/*
 * Takes up to 64 images of the batch from `first` on through the network.
 * Returns how many; adds their losses to `*loss`.
 */
static size_t forward(const struct convnet *net, struct convnet_workspace *ws,
                      const struct convnet_batch *batch, size_t first,
                      double *loss)
{
    const size_t left = batch->count - first;
    const size_t count = left < LANES ? left : LANES;
    const uint8_t *images[LANES];

    /* Lanes without an image repeat one; nobody looks at what comes of it. */
    for (size_t lane = 0; lane < LANES; lane++)
        images[lane] = batch->images[first + (lane < count ? lane : 0)];
    load_pixels(ws, images);
    convolution_forward(ws, &net->weights);
    full_forward(ws, &net->weights);
    *loss += loss_and_slope(ws, batch->labels + first, count,
                            1.0f / (float)batch->count);
    return count;
}

WIDE static void descend(struct convnet *net,
                         const union convnet_parameters *gradient)
{
    const float lr = (float)net->lr;
    const float momentum = (float)net->momentum;
    float *w = net->weights.all;
    float *v = net->velocity.all;

    for (int i = 0; i < CONVNET_PARAMETERS; i++) {
        v[i] = momentum * v[i] + gradient->all[i];
        w[i] -= lr * v[i];
    }
}

double convnet_train(struct convnet *net, struct convnet_workspace *workspace,
                     const struct convnet_batch *batch)
{
    double loss = 0.0;

    memset(&workspace->gradient, 0, sizeof workspace->gradient);
    for (size_t done = 0; done < batch->count;) {
        done += forward(net, workspace, batch, done, &loss);
        full_backward(workspace, &net->weights);
        convolution_backward(workspace);
    }
    descend(net, &workspace->gradient);
    return loss / (double)batch->count;
}

static int best_digit(const struct convnet_workspace *ws, size_t lane)
{
    int best = 0;

    for (int digit = 1; digit < CLASSES; digit++)
        if (ws->scores[digit][lane] > ws->scores[best][lane])
            best = digit;
    return best;
}

double convnet_test(const struct convnet *net,
                    struct convnet_workspace *workspace,
                    const struct convnet_batch *batch, size_t *correct)
{
    double loss = 0.0;

    *correct = 0;
    for (size_t done = 0; done < batch->count;) {
        size_t count = forward(net, workspace, batch, done, &loss);

        for (size_t lane = 0; lane < count; lane++)
            if (best_digit(workspace, lane) == batch->labels[done + lane])
                ++*correct;
        done += count;
    }
    return loss / (double)batch->count;
}
