#include "claims.h"

#include <stddef.h>

#include "toys.h"

#define ALONE "scheduler.type=fifo"
#define EVERY(steps) "scheduler.perturbation_interval=" #steps
#define STEPS(steps) "stop.training_iteration=" #steps
#define NO_NOISE "config.sigma=0"
#define ALPHA(alpha) "config.alpha=" #alpha

/* A trial's own h isn't kept: it belongs to the weights then. */
#define COPY_H                                                                 \
    "scheduler.exploit_copies=both",                                           \
        "scheduler.hyperparam_mutations={random: {randint: [0, "               \
        "1000000000]}}",                                                       \
        "scheduler.resample_probability=1"

#define FIGURE2 &toy_figure2
#define ONCE CLAIM_MEAN, 1, CLAIM_IS

/* PBT-Zoo counts steps, and compares after every iteration of so many. */
#define ZOO(toy, steps, iterations, figure)                                    \
    {                                                                          \
        NULL, "PBT, every " #steps " steps", toy, CLAIM_MEAN, 200, CLAIM_NEAR, \
            figure,                                                            \
        {                                                                      \
            "config.steps=" #steps, STEPS(iterations)                          \
        }                                                                      \
    }

/* Any first rate, and no end but the last iteration. */
#define CHASE                                                                  \
    "config.lr={uniform: [0.0001, 0.02]}", "config.done_at=0", STEPS(200)
#define ACCURACY &toy_accuracy, CLAIM_MEAN, 400, CLAIM_NEAR
#define DONE(seeds) &toy_accuracy, CLAIM_SHARE, seeds
#define TRIALS(count) "num_samples=" #count
#define ASYNCHRONOUS "scheduler.synch=false"

const struct claim claims[] = {
    {"PBT paper, figure 2: Q after 200 steps, best of two trials",
     "alone, alpha 0.01",
     FIGURE2,
     ONCE,
     0.389749437948697,
     {ALONE}},
    {NULL,
     "alone, alpha 0.02",
     FIGURE2,
     ONCE,
     0.389999934388762,
     {ALONE, ALPHA(0.02)}},
    {NULL, "alone, alpha 0.05", FIGURE2, ONCE, 0.39, {ALONE, ALPHA(0.05)}},
    {NULL,
     "exploit only, every 4",
     FIGURE2,
     ONCE,
     1.171507526498731,
     {NO_NOISE}},
    {NULL,
     "exploit only, every 4, 100 steps",
     FIGURE2,
     ONCE,
     0.984454431082926,
     {NO_NOISE, STEPS(100)}},
    {NULL,
     "exploit only, every 10",
     FIGURE2,
     ONCE,
     1.171507526498731,
     {NO_NOISE, EVERY(10)}},
    {NULL,
     "exploit only, every 10, 100 steps",
     FIGURE2,
     ONCE,
     0.985156319450500,
     {NO_NOISE, EVERY(10), STEPS(100)}},
    {NULL,
     "PBT, every 4",
     FIGURE2,
     CLAIM_MEDIAN,
     400,
     CLAIM_NEAR,
     1.177,
     {NULL}},
    {NULL,
     "PBT, every 10",
     FIGURE2,
     CLAIM_MEDIAN,
     400,
     CLAIM_NEAR,
     1.174,
     {EVERY(10)}},
    {NULL,
     "PBT, every 4, h is copied too",
     FIGURE2,
     CLAIM_MEDIAN,
     400,
     CLAIM_NEAR,
     1.1994,
     {COPY_H}},
    {NULL,
     "PBT, every 10, h is copied too",
     FIGURE2,
     CLAIM_MEDIAN,
     400,
     CLAIM_NEAR,
     1.155,
     {COPY_H, EVERY(10)}},
    {NULL,
     "PBT, every 4, alpha 0.02",
     FIGURE2,
     CLAIM_MEDIAN,
     400,
     CLAIM_NEAR,
     1.1996,
     {ALPHA(0.02)}},

    {"PBT-Zoo, Plain: 1.2 - theta^2 after 1000 steps, best of 22 trials",
     "alone",
     &toy_plain,
     CLAIM_MEAN,
     200,
     CLAIM_NEAR,
     1.18976,
     {ALONE}},
    ZOO(&toy_plain, 10, 100, 1.19971),
    ZOO(&toy_plain, 20, 50, 1.19968),
    ZOO(&toy_plain, 50, 20, 1.19956),
    ZOO(&toy_plain, 100, 10, 1.19930),
    ZOO(&toy_plain, 250, 4, 1.19809),
    ZOO(&toy_plain, 500, 2, 1.19546),
    {NULL,
     "h = 0.0001 from the beginning: the optimum",
     &toy_plain,
     CLAIM_MEAN,
     1,
     CLAIM_NEAR,
     1.19973,
     {ALONE, "num_samples=1", "config.h=0.0001"}},

    {"PBT-Zoo, Deceptive: the same",
     "alone",
     &toy_deceptive,
     CLAIM_MEAN,
     200,
     CLAIM_NEAR,
     1.04478,
     {ALONE}},
    ZOO(&toy_deceptive, 10, 100, 0.699),
    ZOO(&toy_deceptive, 20, 50, 0.910),
    ZOO(&toy_deceptive, 50, 20, 1.181),
    ZOO(&toy_deceptive, 100, 10, 1.197),
    ZOO(&toy_deceptive, 250, 4, 1.197),
    ZOO(&toy_deceptive, 500, 2, 1.195),

    {"The moving learning rate: accuracy after 200 iterations",
     "4 trials, alone",
     ACCURACY,
     30.0,
     {CHASE, TRIALS(4), ALONE}},
    {NULL, "4 trials, PBT, every 5", ACCURACY, 139.4, {CHASE, TRIALS(4)}},
    {NULL,
     "4 trials, PBT, every 20",
     ACCURACY,
     66.2,
     {CHASE, TRIALS(4), EVERY(20)}},
    {NULL, "16 trials, alone", ACCURACY, 61.8, {CHASE, TRIALS(16), ALONE}},
    {NULL, "16 trials, PBT, every 5", ACCURACY, 201.9, {CHASE, TRIALS(16)}},
    {NULL,
     "16 trials, PBT, every 20",
     ACCURACY,
     120.8,
     {CHASE, TRIALS(16), EVERY(20)}},

    {"Ray's pbt_function.py, pbt_example.py: does a trial get beyond 200?",
     "8 trials, alone, lr 0.0001",
     DONE(100),
     CLAIM_BELOW,
     0.05,
     {ALONE}},
    {NULL, "2 trials, PBT, every 5", DONE(100), CLAIM_ABOVE, 1, {TRIALS(2)}},
    {NULL, "4 trials, PBT, every 5", DONE(100), CLAIM_ABOVE, 1, {TRIALS(4)}},
    {NULL, "8 trials, PBT, every 5", DONE(100), CLAIM_ABOVE, 1, {NULL}},
    {NULL,
     "8 trials, PBT, every 5, asynchronous",
     DONE(100),
     CLAIM_ABOVE,
     1,
     {ASYNCHRONOUS}},
    {NULL, "8 trials, PBT, every 20", DONE(100), CLAIM_ABOVE, 1, {EVERY(20)}},
    {NULL, NULL, NULL, CLAIM_MEAN, 0, CLAIM_IS, 0, {NULL}},
};
