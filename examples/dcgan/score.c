/* score.c: see score.h. */
#include "score.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "common/random.h"

enum { CLASSES_MAX = 256 };

static double kl(const float *p, const double *mean, int classes)
{
    double sum = 0.0;

    /* 0 log 0 is 0; a NaN has to go through. */
    for (int i = 0; i < classes; i++)
        if (!(p[i] <= 0.0f))
            sum += (double)p[i] * (log((double)p[i]) - log(mean[i]));
    return sum;
}

struct score score_of(const float *probabilities, size_t count, int classes)
{
    const double n = (double)count;
    double mean[CLASSES_MAX] = {0.0};
    double sum = 0.0;
    double squares = 0.0;
    struct score score = {.images = count};

    for (size_t i = 0; i < count; i++)
        for (int j = 0; j < classes; j++)
            mean[j] +=
                (double)probabilities[i * (size_t)classes + (size_t)j] / n;
    for (size_t i = 0; i < count; i++) {
        double each = kl(probabilities + i * (size_t)classes, mean, classes);

        sum += each;
        squares += each * each;
    }
    score.value = exp(sum / n);
    /*
     * p(y) depends on each image, too, but not to first order: moving it
     * away from the mean of the rows never makes the sum smaller.
     */
    if (count > 1)
        score.error =
            score.value *
            sqrt(fmax(squares / n - sum / n * (sum / n), 0.0) / (n - 1.0));
    return score;
}

int score_source_of(struct lenet *lenet, score_source source, void *user,
                    size_t count, struct score *score, struct score *first,
                    struct failure *failure)
{
    const size_t batches = (count + GAN_BATCH - 1) / GAN_BATCH;
    const size_t row = GAN_BATCH * (size_t)lenet->classes;
    float *probabilities = calloc((batches + 1) * row, sizeof(float));
    int number = 0;

    if (probabilities == NULL)
        return failure_set(failure, ENOMEM, "no memory to score %zu images",
                           count);
    for (size_t i = 0; number == 0 && i < batches; i++) {
        const float *images = NULL;

        number = source(user, &images, failure);
        if (number == 0)
            number =
                lenet_classify(lenet, images, probabilities + i * row, failure);
    }
    if (number == 0) {
        *score = score_of(probabilities, count, lenet->classes);
        if (first != NULL)
            *first =
                score_of(probabilities, count < GAN_BATCH ? count : GAN_BATCH,
                         lenet->classes);
    }
    free(probabilities);
    return number;
}

int score_fakes(void *user, const float **images, struct failure *failure)
{
    struct score_fakes *fakes = user;
    float noise[GAN_BATCH_NOISE];

    random_normal(&fakes->random, 1.0, noise, GAN_BATCH_NOISE);
    return gan_generate(fakes->gan, noise, images, failure);
}
