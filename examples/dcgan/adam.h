/*
 * adam.h: the optimiser Adam (Kingma and Ba 2014), as PyTorch computes it.
 */
#ifndef DCGAN_ADAM_H
#define DCGAN_ADAM_H

#include <stddef.h>
#include <stdint.h>

struct adam {
    double lr;
    double keep_mean;   /* share of the old average that stays: 0.9 or so */
    double keep_square; /* 0.999 */
    uint64_t steps;
    float *mean;   /* running averages: of each weight's gradients, */
    float *square; /* and of their squares */
};

/* Averages of `count` weights, all 0.  Returns 0, or ENOMEM. */
int adam_open(struct adam *adam, size_t count, double lr, double keep_mean);

/* Also of one that is all zeros. */
void adam_close(struct adam *adam);

/* One step against `gradient`, plus `more` unless that is NULL. */
void adam_step(struct adam *adam, float *weights, const float *gradient,
               const float *more, size_t count);

#endif
