/* dcgan_file.c: checkpoints; their format is that of state.h. */
#include "dcgan.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "state.h"

enum { PARTS = 6, PATH_SIZE = 4096 };

/* Numbers in the head of the file. */
enum { RANDOM, ITERATIONS, GENERATOR_STEPS, DISCRIMINATOR_STEPS };

static int file_path(char path[PATH_SIZE], const char *directory,
                     struct failure *failure)
{
    int length = snprintf(path, PATH_SIZE, "%s/gan.bin", directory);

    if (length < 0 || length >= PATH_SIZE)
        return failure_set(failure, ENAMETOOLONG, "%s: the path is too long",
                           directory);
    return 0;
}

/* Of each network its weights and the two averages of its optimiser. */
static void list_parts(const struct gan *gan, struct state_part parts[PARTS])
{
    const struct gan_side *sides[] = {&gan->generator, &gan->discriminator};

    for (int i = 0; i < 2; i++) {
        const struct gan_side *side = sides[i];
        const size_t count = dnn_weight_count(side->net);

        *parts++ = (struct state_part){dnn_weights(side->net), count};
        *parts++ = (struct state_part){side->adam.mean, count};
        *parts++ = (struct state_part){side->adam.square, count};
    }
}

int dcgan_save(const struct dcgan *dcgan, const char *directory,
               struct failure *failure)
{
    const struct gan *gan = &dcgan->gan;
    const struct state_head head = {
        .kind = STATE_GAN,
        .channels = gan->channels,
        .numbers[RANDOM] = dcgan->random,
        .numbers[ITERATIONS] = dcgan->iterations,
        .numbers[GENERATOR_STEPS] = gan->generator.adam.steps,
        .numbers[DISCRIMINATOR_STEPS] = gan->discriminator.adam.steps};
    struct state_part parts[PARTS];
    char path[PATH_SIZE];
    int number = file_path(path, directory, failure);

    if (number != 0)
        return number;
    list_parts(gan, parts);
    return state_save(path, &head, parts, PARTS, failure);
}

static int take(struct gan *gan, const struct state_file *file,
                const char *path, struct failure *failure)
{
    struct state_part parts[PARTS];
    int number;

    if (file->head.channels != gan->channels)
        return failure_set(failure, EBADMSG,
                           "%s holds networks for images of %d channels, those "
                           "here have %d",
                           path, file->head.channels, gan->channels);
    list_parts(gan, parts);
    number = state_take(file, path, parts, PARTS, failure);
    if (number != 0)
        return number;
    gan->generator.adam.steps = file->head.numbers[GENERATOR_STEPS];
    gan->discriminator.adam.steps = file->head.numbers[DISCRIMINATOR_STEPS];
    dnn_weights_changed(gan->generator.net);
    dnn_weights_changed(gan->discriminator.net);
    return 0;
}

static int open_file(struct state_file *file, char path[PATH_SIZE],
                     const char *directory, struct failure *failure)
{
    int number = file_path(path, directory, failure);

    if (number == 0)
        number = state_open(file, path, STATE_GAN, failure);
    return number;
}

int dcgan_load(struct dcgan *dcgan, const char *directory,
               struct failure *failure)
{
    struct state_file file;
    char path[PATH_SIZE];
    int number = open_file(&file, path, directory, failure);

    if (number != 0)
        return number;
    number = take(&dcgan->gan, &file, path, failure);
    if (number == 0) {
        dcgan->random = file.head.numbers[RANDOM];
        dcgan->iterations = file.head.numbers[ITERATIONS];
    }
    state_close(&file);
    return number;
}

int dcgan_load_networks(struct gan *gan, const char *directory,
                        struct failure *failure)
{
    struct state_file file;
    char path[PATH_SIZE];
    uint64_t random = 0;
    int number = open_file(&file, path, directory, failure);

    if (number != 0)
        return number;
    memset(gan, 0, sizeof *gan);
    if (file.head.channels != 1 && file.head.channels != 3)
        number = failure_set(failure, EBADMSG,
                             "%s holds another network: for images of %d "
                             "channels, not 1 or 3",
                             path, file.head.channels);
    if (number == 0)
        number = gan_open(gan, file.head.channels, &random, failure);
    if (number == 0)
        number = take(gan, &file, path, failure);
    if (number != 0)
        gan_close(gan);
    state_close(&file);
    return number;
}
