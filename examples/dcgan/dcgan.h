/*
 * dcgan.h: one iteration of training after another, and the score of each.
 *
 * An iteration is that of Ray's example: five batches of 64 images, drawn anew,
 * each of which both networks learn from once.  Then the generator makes fakes,
 * and the score net judges them: a few each time, many where trials are compared.
 */
#ifndef DCGAN_DCGAN_H
#define DCGAN_DCGAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/failure.h"
#include "gan.h"
#include "lenet.h"
#include "pictures.h"
#include "score.h"

enum { DCGAN_BATCHES = 5 };

struct dcgan_settings {
    double generator_lr;
    double discriminator_lr;
    int64_t fakes;         /* that are scored after an iteration, 2 or more */
    int64_t rank_fakes;    /* after each rank_interval-th so many, too */
    int64_t rank_interval; /* 1 or more */
};

/* Learning rates 2e-4, 256 fakes, 2,500 after each fifth iteration. */
extern const struct dcgan_settings dcgan_defaults;

struct dcgan {
    struct gan gan;
    struct lenet lenet;
    struct pictures pictures;
    struct dcgan_settings settings;
    uint64_t random;     /* the generator of random numbers */
    uint64_t iterations; /* done */
    uint32_t *order;     /* to draw images from */
    float *real;         /* a batch */
};

/* What fakes are scored for. */
enum dcgan_score {
    DCGAN_QUICK, /* to be watched: settings.fakes of them, and noisy */
    DCGAN_FEW,   /* as in Ray's example: 64 */
    DCGAN_RANK,  /* to be compared by: settings.rank_fakes */
    DCGAN_SCORES
};

struct dcgan_result {
    struct gan_losses losses; /* means over the batches */
    /* Each of the first so many of the same fakes. */
    struct score scores[DCGAN_SCORES];
    bool ranked; /* a rank_interval-th iteration: else there is no DCGAN_RANK */
};

/*
 * Makes networks for the images in `directory`.  `score_net`: a file of
 * lenet.h; NULL: one that was or is trained on the same images.
 */
int dcgan_open(struct dcgan *dcgan, const char *directory,
               const char *score_net, uint64_t seed, struct failure *failure);

/* Also of one that is all zeros. */
void dcgan_close(struct dcgan *dcgan);

/* Takes other settings; after a failure (EDOM) nothing has changed. */
int dcgan_set(struct dcgan *dcgan, const struct dcgan_settings *settings,
              struct failure *failure);

int dcgan_iteration(struct dcgan *dcgan, struct dcgan_result *result,
                    struct failure *failure);

/*
 * Both networks, both optimisers, the random numbers, as `directory`/gan.bin.
 * Rates and other settings are not in it.
 */
int dcgan_save(const struct dcgan *dcgan, const char *directory,
               struct failure *failure);

/* After a failure `dcgan` is as it was. */
int dcgan_load(struct dcgan *dcgan, const char *directory,
               struct failure *failure);

/* Opens `gan` with the networks of a checkpoint, whatever their images are. */
int dcgan_load_networks(struct gan *gan, const char *directory,
                        struct failure *failure);

#endif
