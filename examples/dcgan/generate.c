/* generate.c: a picture of fakes. */
#include "commands.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "dcgan.h"
#include "models.h"
#include "picture.h"

enum { COUNT = 64, COUNT_OF_EACH = 16, MOST = 4096 };

/* A row for each of several, else about as many rows as columns. */
static size_t columns_for(size_t count, bool all)
{
    size_t columns = 1;

    if (all)
        return count < COUNT_OF_EACH ? count : COUNT_OF_EACH;
    while (columns * columns < count)
        columns++;
    return columns;
}

/* Images `first` to `first + count - 1` of the picture. */
static int draw(struct picture *picture, struct gan *gan, size_t first,
                size_t count, uint64_t seed, struct failure *failure)
{
    struct score_fakes fakes = {gan, seed};

    for (size_t i = 0; i < count; i++) {
        static const float *images;

        if (i % GAN_BATCH == 0) {
            int number = score_fakes(&fakes, &images, failure);

            if (number != 0)
                return number;
        }
        picture_put(picture, first + i,
                    images + i % GAN_BATCH * gan_image_size(gan),
                    gan->channels);
    }
    return 0;
}

static int draw_all(struct picture *picture, const struct models *models,
                    size_t room, size_t count, const struct options *options,
                    struct failure *failure)
{
    int number = 0;

    for (size_t i = 0; number == 0 && i < models->count; i++) {
        struct gan gan;

        number = dcgan_load_networks(&gan, models->list[i].directory, failure);
        if (number != 0)
            break;
        number = draw(picture, &gan, i * room, count, (uint64_t)options->seed,
                      failure);
        gan_close(&gan);
        if (options->all)
            picture_label(picture, i * room, models->list[i].label);
        (void)printf("%s: %zu images of %s\n", models->list[i].label, count,
                     models->list[i].directory);
    }
    return number;
}

int generate(const struct options *options, struct failure *failure)
{
    size_t count = (size_t)options->count;
    struct models models;
    struct picture *picture;
    size_t columns;
    size_t room; /* for the images of one, in whole rows */
    int number = models_find(&models, options->name, options->all, failure);

    if (number != 0)
        return number;
    if (count == 0)
        count = options->all ? COUNT_OF_EACH : COUNT;
    columns = columns_for(count, options->all);
    room = (count + columns - 1) / columns * columns;
    if (count > MOST) {
        number = failure_set(failure, EDOM, "-n is %zu: at most %d fit", count,
                             (int)MOST);
    } else {
        picture = picture_new(room * models.count, columns, options->all);
        number =
            picture == NULL
                ? failure_set(failure, ENOMEM, "no memory for a picture")
                : draw_all(picture, &models, room, count, options, failure);
        if (number == 0)
            number = picture_write(picture, options->output, failure);
        picture_free(picture);
    }
    models_close(&models);
    if (number == 0)
        (void)printf("written to %s\n", options->output);
    return number;
}
