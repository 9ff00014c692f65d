/* commands.h: what the program does when it is started by hand. */
#ifndef DCGAN_COMMANDS_H
#define DCGAN_COMMANDS_H

#include <stdbool.h>
#include <stdint.h>

#include "common/failure.h"

struct options {
    const char *name; /* a checkpoint or a run */
    const char *data; /* NULL: where data_find() looks */
    const char *output;
    int64_t count; /* of images; 0: the command's default */
    int64_t seed;
    bool all;
};

/* Draws a picture of fakes. */
int generate(const struct options *options, struct failure *failure);

/* Prints scores of fakes by two nets, beside those of noise and of real images. */
int print_scores(const struct options *options, struct failure *failure);

/* Trains the score net, or finds it in the cache. */
int train_score_net(const struct options *options, struct failure *failure);

#endif
