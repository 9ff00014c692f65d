/*
 * random.h: SplitMix64 (Steele, Lea, Flood 2014), a generator of random numbers
 * whose state is one word, so that a checkpoint holds all of it.
 */
#ifndef COMMON_RANDOM_H
#define COMMON_RANDOM_H

#include <stdint.h>

/* The next number, 64 bits; the first state is the seed. */
uint64_t random_draw(uint64_t *state);

/* A number in [0, below), below > 0; each is equally likely. */
uint64_t random_below(uint64_t *state, uint64_t below);

/* A number in [0, 1). */
double random_unit(uint64_t *state);

/* Normally distributed numbers of mean 0. */
void random_normal(uint64_t *state, double deviation, float *to,
                   uint64_t count);

#endif
