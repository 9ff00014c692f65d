/* print_scores.c: a checkpoint's score, by two nets, beside noise and reality. */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/data.h"
#include "common/random.h"
#include "dcgan.h"
#include "models.h"

enum { COUNT = 10000, MOST = 1000000, NETS = 2 };

/* Images that no generator made. */
struct other_source {
    const struct pictures *pictures; /* NULL: noise */
    float *batch;
    size_t size; /* numbers in an image */
    uint64_t random;
};

static int other_images(void *user, const float **images,
                        struct failure *failure)
{
    struct other_source *source = user;

    (void)failure;
    for (size_t i = 0; i < GAN_BATCH; i++) {
        float *to = source->batch + i * source->size;

        if (source->pictures != NULL)
            pictures_get(
                source->pictures,
                (size_t)random_below(&source->random, source->pictures->count),
                to);
        else
            for (size_t j = 0; j < source->size; j++)
                to[j] = (float)(2.0 * random_unit(&source->random) - 1.0);
    }
    *images = source->batch;
    return 0;
}

/* Both nets judge images that are drawn by the same numbers. */
struct judges {
    struct lenet nets[NETS];
    size_t count;
    uint64_t seed;
};

static int print_row(struct judges *judges, const char *name,
                     score_source source, void *user, uint64_t *random,
                     struct failure *failure)
{
    (void)printf("%-32s", name);
    for (int i = 0; i < NETS; i++) {
        struct score score = {.images = judges->count};
        int number;

        *random = judges->seed;
        number =
            score_source_of(&judges->nets[i], source, user, &score, 1, failure);
        if (number != 0)
            return number;
        (void)printf("  %7.3f +- %.3f", score.value, score.error);
    }
    (void)printf("\n");
    return 0;
}

static int print_model(struct judges *judges, const struct model *model,
                       struct failure *failure)
{
    struct gan gan;
    struct score_fakes fakes = {&gan, 0};
    int number = dcgan_load_networks(&gan, model->directory, failure);

    if (number != 0)
        return number;
    if (gan.channels != judges->nets[0].channels)
        number = failure_set(failure, EBADMSG,
                             "%s makes images of %d channels, the data have "
                             "%d: name those that it was trained on (--data)",
                             model->directory, gan.channels,
                             judges->nets[0].channels);
    else
        number = print_row(judges, model->label, score_fakes, &fakes,
                           &fakes.random, failure);
    gan_close(&gan);
    return number;
}

static int print_others(struct judges *judges, const struct pictures *pictures,
                        struct failure *failure)
{
    struct other_source source = {.size =
                                      (size_t)pictures->channels * GAN_PIXELS};
    int number;

    source.batch = malloc(GAN_BATCH * source.size * sizeof(float));
    if (source.batch == NULL)
        return failure_set(failure, ENOMEM, "no memory for a batch");
    number = print_row(judges, "noise", other_images, &source, &source.random,
                       failure);
    source.pictures = pictures;
    if (number == 0)
        number = print_row(judges, "real images", other_images, &source,
                           &source.random, failure);
    free(source.batch);
    return number;
}

static int print_all(struct judges *judges, const struct models *models,
                     const char *data, struct failure *failure)
{
    struct pictures pictures;
    int number = pictures_open(&pictures, data, PICTURES_TRAIN, false, failure);

    if (number != 0)
        return number;
    (void)printf("inception score of %zu images %*s net 1%*s net 2\n",
                 judges->count, 8, "", 11, "");
    number = print_others(judges, &pictures, failure);
    for (size_t i = 0; number == 0 && i < models->count; i++)
        number = print_model(judges, &models->list[i], failure);
    pictures_close(&pictures);
    return number;
}

/* Where the images are, if the user does not say: the usual place. */
static int find(const char **data, char *found, size_t size,
                struct failure *failure)
{
    int number = *data == NULL ? data_find(found, size, failure) : 0;

    if (*data == NULL)
        *data = found;
    return number;
}

int print_scores(const struct options *options, struct failure *failure)
{
    struct judges judges = {.count = options->count > 0 ? (size_t)options->count
                                                        : COUNT,
                            .seed = (uint64_t)options->seed};
    const char *data = options->data;
    char found[4096];
    struct models models = {0};
    int number = 0;

    if (judges.count < 2 || judges.count > MOST)
        number = failure_set(failure, EDOM, "-n is %zu: must be 2 to %d",
                             judges.count, (int)MOST);
    if (number == 0)
        number = models_find(&models, options->name, options->all, failure);
    if (data == NULL)
        data = models.data; /* those that it was trained on */
    if (number == 0)
        number = find(&data, found, sizeof found, failure);
    for (int i = 0; number == 0 && i < NETS; i++)
        number = lenet_for(&judges.nets[i], data, (uint64_t)i, failure);
    if (number == 0)
        number = print_all(&judges, &models, data, failure);
    for (int i = 0; i < NETS; i++)
        lenet_close(&judges.nets[i]);
    models_close(&models);
    return number;
}

int train_score_net(const struct options *options, struct failure *failure)
{
    const char *data = options->data;
    char found[4096];
    struct lenet lenet;
    int number = find(&data, found, sizeof found, failure);

    if (number == 0)
        number = lenet_for(&lenet, data, (uint64_t)options->seed, failure);
    if (number != 0)
        return number;
    (void)printf("accuracy %.4f on %llu images\n", lenet.accuracy,
                 (unsigned long long)lenet.tested);
    if (options->output != NULL)
        number = lenet_save(&lenet, options->output, failure);
    lenet_close(&lenet);
    return number;
}
