/* dcgan.c: see dcgan.h. */
#include "dcgan.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/random.h"

enum { IMAGES = DCGAN_BATCHES * GAN_BATCH, MOST_FAKES = 1000000 };

const struct dcgan_settings dcgan_defaults = {.generator_lr = 2e-4,
                                              .discriminator_lr = 2e-4,
                                              .fakes = 256,
                                              .rank_fakes = 2500,
                                              .rank_interval = 5};

static int open_score_net(struct dcgan *dcgan, const char *directory,
                          const char *score_net, struct failure *failure)
{
    int number;

    if (score_net == NULL)
        return lenet_for(&dcgan->lenet, directory, 0, failure);
    number = lenet_load(&dcgan->lenet, score_net, failure);
    if (number == 0 && dcgan->lenet.channels != dcgan->pictures.channels)
        return failure_set(failure, EBADMSG,
                           "the score net %s is for images of %d channels, "
                           "those in %s have %d",
                           score_net, dcgan->lenet.channels, directory,
                           dcgan->pictures.channels);
    return number;
}

static int open_parts(struct dcgan *dcgan, const char *directory,
                      const char *score_net, struct failure *failure)
{
    struct pictures *pictures = &dcgan->pictures;
    int number =
        pictures_open(pictures, directory, PICTURES_TRAIN, false, failure);

    if (number != 0)
        return number;
    if (pictures->count < IMAGES)
        return failure_set(failure, EBADMSG,
                           "%s holds %zu images, an iteration takes %d",
                           directory, pictures->count, (int)IMAGES);
    number = open_score_net(dcgan, directory, score_net, failure);
    if (number == 0)
        number =
            gan_open(&dcgan->gan, pictures->channels, &dcgan->random, failure);
    if (number != 0)
        return number;
    dcgan->order = malloc(pictures->count * sizeof *dcgan->order);
    dcgan->real =
        malloc(GAN_BATCH * gan_image_size(&dcgan->gan) * sizeof *dcgan->real);
    if (dcgan->order == NULL || dcgan->real == NULL)
        return failure_set(failure, ENOMEM, "no memory for a batch");
    return dcgan_set(dcgan, &dcgan_defaults, failure);
}

int dcgan_open(struct dcgan *dcgan, const char *directory,
               const char *score_net, uint64_t seed, struct failure *failure)
{
    int number;

    memset(dcgan, 0, sizeof *dcgan);
    dcgan->random = seed;
    number = open_parts(dcgan, directory, score_net, failure);
    if (number != 0)
        dcgan_close(dcgan);
    return number;
}

void dcgan_close(struct dcgan *dcgan)
{
    gan_close(&dcgan->gan);
    lenet_close(&dcgan->lenet);
    pictures_close(&dcgan->pictures);
    free(dcgan->order);
    free(dcgan->real);
    memset(dcgan, 0, sizeof *dcgan);
}

static int check_rate(const char *name, double rate, struct failure *failure)
{
    /* Written so that NaN is refused too. */
    if (rate >= 0.0 && isfinite(rate))
        return 0;
    return failure_set(failure, EDOM, "%s is %g: must be 0 or more", name,
                       rate);
}

static int check_count(const char *name, int64_t count, int64_t least,
                       struct failure *failure)
{
    if (count >= least && count <= MOST_FAKES)
        return 0;
    return failure_set(failure, EDOM, "%s is %lld: must be %lld to %d", name,
                       (long long)count, (long long)least, (int)MOST_FAKES);
}

int dcgan_set(struct dcgan *dcgan, const struct dcgan_settings *settings,
              struct failure *failure)
{
    int number = check_rate("netG_lr", settings->generator_lr, failure);

    if (number == 0)
        number = check_rate("netD_lr", settings->discriminator_lr, failure);
    if (number == 0)
        number = check_count("fakes", settings->fakes, 2, failure);
    if (number == 0)
        number = check_count("rank_fakes", settings->rank_fakes, 2, failure);
    if (number == 0)
        number =
            check_count("rank_interval", settings->rank_interval, 1, failure);
    if (number != 0)
        return number;
    dcgan->settings = *settings;
    dcgan->gan.generator.adam.lr = settings->generator_lr;
    dcgan->gan.discriminator.adam.lr = settings->discriminator_lr;
    return 0;
}

/* ---- an iteration --------------------------------------------------------- */

static void draw_batch(struct dcgan *dcgan, size_t first)
{
    const size_t size = gan_image_size(&dcgan->gan);

    for (size_t i = 0; i < GAN_BATCH; i++) {
        size_t image = random_next(&dcgan->random, dcgan->order,
                                   dcgan->pictures.count, first + i);

        pictures_get(&dcgan->pictures, image, dcgan->real + i * size);
    }
}

static int train(struct dcgan *dcgan, struct gan_losses *losses,
                 struct failure *failure)
{
    float noise[GAN_BATCH_NOISE];

    *losses = (struct gan_losses){0.0, 0.0};
    random_order(dcgan->order, dcgan->pictures.count);
    for (size_t i = 0; i < DCGAN_BATCHES; i++) {
        struct gan_losses each;
        int number;

        draw_batch(dcgan, i * GAN_BATCH);
        random_normal(&dcgan->random, 1.0, noise, GAN_BATCH_NOISE);
        number = gan_step(&dcgan->gan, dcgan->real, noise, &each, failure);
        if (number != 0)
            return number;
        losses->generator += each.generator / DCGAN_BATCHES;
        losses->discriminator += each.discriminator / DCGAN_BATCHES;
    }
    dcgan->iterations++;
    return 0;
}

int dcgan_iteration(struct dcgan *dcgan, struct dcgan_result *result,
                    struct failure *failure)
{
    const struct dcgan_settings *s = &dcgan->settings;
    /* Not from the training's own numbers: how many fakes are scored must make
       no difference to it. */
    struct score_fakes fakes = {&dcgan->gan, 0};
    int number = train(dcgan, &result->losses, failure);

    if (number != 0)
        return number;
    fakes.random = ~dcgan->random;
    result->ranked = dcgan->iterations % (uint64_t)s->rank_interval == 0;
    result->scores[DCGAN_QUICK].images = (size_t)s->fakes;
    result->scores[DCGAN_FEW].images = GAN_BATCH;
    result->scores[DCGAN_RANK].images = (size_t)s->rank_fakes;
    return score_source_of(&dcgan->lenet, score_fakes, &fakes, result->scores,
                           result->ranked ? DCGAN_SCORES : DCGAN_RANK, failure);
}
