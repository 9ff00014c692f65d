/*
 * random.h: SplitMix64 (Steele, Lea, Flood 2014), a generator of random numbers
 * whose state is one word, so that a checkpoint holds all of it.
 */
#ifndef COMMON_RANDOM_H
#define COMMON_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* The next number, 64 bits; the first state is the seed. */
uint64_t random_draw(uint64_t *state);

/* A number in [0, below), below > 0; each is equally likely. */
uint64_t random_below(uint64_t *state, uint64_t below);

/* A number in [0, 1). */
double random_unit(uint64_t *state);

/*
 * Draws without putting back, by Fisher's and Yates' shuffle, which is gone only
 * as far as it is needed: random_order() begins with all `count` numbers, and
 * random_next() gives the one at place `at`; places are asked for from 0 on.
 */
void random_order(uint32_t *order, size_t count);
uint32_t random_next(uint64_t *state, uint32_t *order, size_t count, size_t at);

/* Normally distributed numbers of mean 0. */
void random_normal(uint64_t *state, double deviation, float *to, size_t count);

#endif
