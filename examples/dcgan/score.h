/*
 * score.h: the inception score (Salimans and others 2016): high if a net that
 * tells classes apart is sure of each image, and sees all classes among them.
 *
 *     score = exp(mean over the images of KL(p(y|x) || p(y)))
 *
 * where p(y) is the mean of the p(y|x).  It is 1 at least, and the number of
 * classes at most.  Of few images it comes out low: of n, by a factor of about
 * exp(-(classes - 1) / 2n).
 */
#ifndef DCGAN_SCORE_H
#define DCGAN_SCORE_H

#include <stddef.h>
#include <stdint.h>

#include "common/failure.h"
#include "gan.h"
#include "lenet.h"
#include "pictures.h"

struct score {
    double value;
    double error; /* its standard error, from the spread of the KLs */
    size_t images;
};

/* Of `count` rows of probabilities. */
struct score score_of(const float *probabilities, size_t count, int classes);

/* Where images come from: GAN_BATCH of them, anew each time. */
typedef int (*score_source)(void *user, const float **images,
                            struct failure *failure);

/*
 * Several scores of one source: each of its first `images`, which the caller has
 * set.
 */
int score_source_of(struct lenet *lenet, score_source source, void *user,
                    struct score *scores, size_t count,
                    struct failure *failure);

/* A generator's fakes as a source. */
struct score_fakes {
    struct gan *gan;
    uint64_t random;
};
int score_fakes(void *user, const float **images, struct failure *failure);

#endif
