/*
 * draw.h: keyed random numbers.
 *
 * A draw is a pure function of what it is for: (seed, trial, exploits so far,
 * iteration, purpose, index).  Nothing is consumed in order, so that what is
 * done again draws the same, and the order in which results arrive changes
 * nobody's draws.
 *
 * The generator is Philox-4x32-10 (Salmon et al., "Parallel random numbers: as
 * easy as 1, 2, 3", SC 2011).  Logarithm, exponential and normal draws use only
 * +, -, *, / and sqrt, which IEEE 754 fixes to the bit: glibc's exp and log differ
 * between builds.  tests/golden/draws.txt holds what must never change.
 */
#ifndef PBT_BASE_DRAW_H
#define PBT_BASE_DRAW_H

#include <stdint.h>

enum pbt_draw_purpose {
    PBT_DRAW_INITIAL = 1,
    PBT_DRAW_DONOR = 2,
    PBT_DRAW_EXPLORE = 3,
    PBT_DRAW_LIFE_SEED = 4,
    PBT_DRAW_LINEAGE = 5,
    PBT_DRAW_ASK = 6,    /* the seed that goes with an ask */
    PBT_DRAW_TEST = 200, /* tests and the simulator */
};

struct pbt_draw_key {
    uint64_t seed;
    uint32_t trial;
    uint32_t exploits;
    uint64_t iteration;
    uint8_t purpose;
    uint32_t index; /* counted up by each draw; below 2^24 */
};

/* 64 random bits. */
uint64_t pbt_draw_u64(struct pbt_draw_key *key);
/* Uniform in [0, 1), 53 bits. */
double pbt_draw_unit(struct pbt_draw_key *key);
/* Uniform in [0, n), without bias; n > 0. */
uint64_t pbt_draw_below(struct pbt_draw_key *key, uint64_t n);
/* Standard normal (Marsaglia's polar method). */
double pbt_draw_normal(struct pbt_draw_key *key);

/* Natural logarithm of x > 0 and exponential: the same bits on every machine. */
double pbt_exact_log(double x);
double pbt_exact_exp(double x);

/* A strong mix of two words into one: lineages, digests (SplitMix64's finaliser). */
uint64_t pbt_mix(uint64_t a, uint64_t b);

#endif
