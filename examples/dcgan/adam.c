/* adam.c: see adam.h. */
#include "adam.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/wide.h"

int adam_open(struct adam *adam, size_t count, double lr, double keep_mean)
{
    *adam = (struct adam){.lr = lr,
                          .keep_mean = keep_mean,
                          .keep_square = 0.999,
                          .mean = calloc(count, sizeof(float)),
                          .square = calloc(count, sizeof(float))};
    if (adam->mean != NULL && adam->square != NULL)
        return 0;
    adam_close(adam);
    return ENOMEM;
}

void adam_close(struct adam *adam)
{
    free(adam->mean);
    free(adam->square);
    memset(adam, 0, sizeof *adam);
}

/* All that is the same for each weight. */
struct rates {
    float keep_mean;
    float keep_square;
    float new_mean;   /* the shares of the new ones, exact to the last bit: */
    float new_square; /* 1 - 0.999f would be off by 5e-5 */
    float size;       /* of the step */
    float scale;      /* of the root of the mean square */
};

/* The arrays do not overlap, which lets the compiler make vectors of them. */
WIDE static void descend(const struct rates *r, float *restrict weights,
                         float *restrict mean, float *restrict square,
                         const float *restrict gradient,
                         const float *restrict more, size_t count)
{
    const float epsilon = 1e-8f;

    for (size_t i = 0; i < count; i++) {
        const float g = more == NULL ? gradient[i] : gradient[i] + more[i];

        mean[i] = r->keep_mean * mean[i] + r->new_mean * g;
        square[i] = r->keep_square * square[i] + r->new_square * g * g;
        weights[i] -=
            r->size * mean[i] / (sqrtf(square[i]) * r->scale + epsilon);
    }
}

void adam_step(struct adam *adam, float *weights, const float *gradient,
               const float *more, size_t count)
{
    const double steps = (double)++adam->steps;
    const double mean_weight = 1.0 - pow(adam->keep_mean, steps);
    const double square_weight = 1.0 - pow(adam->keep_square, steps);
    const struct rates rates = {.keep_mean = (float)adam->keep_mean,
                                .keep_square = (float)adam->keep_square,
                                .new_mean = (float)(1.0 - adam->keep_mean),
                                .new_square = (float)(1.0 - adam->keep_square),
                                .size = (float)(adam->lr / mean_weight),
                                .scale = (float)(1.0 / sqrt(square_weight))};

    descend(&rates, weights, adam->mean, adam->square, gradient, more, count);
}
