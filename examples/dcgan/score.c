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

static size_t most_images(const struct score *scores, size_t count)
{
    size_t most = 0;

    for (size_t i = 0; i < count; i++)
        if (scores[i].images > most)
            most = scores[i].images;
    return most;
}

int score_source_of(struct lenet *lenet, score_source source, void *user,
                    struct score *scores, size_t count, struct failure *failure)
{
    const size_t images = most_images(scores, count);
    const size_t batches = (images + GAN_BATCH - 1) / GAN_BATCH;
    const size_t row = GAN_BATCH * (size_t)lenet->classes;
    float *probabilities = calloc((batches + 1) * row, sizeof(float));
    int number = 0;

    if (probabilities == NULL)
        return failure_set(failure, ENOMEM, "no memory to score %zu images",
                           images);
    for (size_t i = 0; number == 0 && i < batches; i++) {
        const float *batch = NULL;

        number = source(user, &batch, failure);
        if (number == 0)
            number =
                lenet_classify(lenet, batch, probabilities + i * row, failure);
    }
    for (size_t i = 0; number == 0 && i < count; i++)
        scores[i] = score_of(probabilities, scores[i].images, lenet->classes);
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
