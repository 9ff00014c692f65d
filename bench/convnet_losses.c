/*
 * convnet_losses: trains the ConvNet on batches that another program can train on, too.
 *
 *     convnet_losses DIR
 *
 * Writes into DIR the first weights (floats, in the order of union convnet_parameters),
 * and for each of 100 batches its 64 images (bytes), their labels (bytes) and, as text, the
 * loss.  bench/accuracy gives the same weights and batches to PyTorch.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "training.h"

enum { BATCHES = 100, SIZE = TRAINING_BATCH };

static FILE *create(const char *directory, const char *name)
{
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/%s", directory, name);
    FILE *file = fopen(path, "w");

    if (file == NULL) {
        perror(path);
        exit(1);
    }
    return file;
}

static void finish(FILE *file)
{
    if (ferror(file) || fclose(file) != 0) {
        perror("convnet_losses");
        exit(1);
    }
}

/* The next batch in the order of the file, from its start again if it is too short. */
static struct convnet_batch take(const struct idx_set *set, size_t batch,
                                 const uint8_t **images, uint8_t *labels)
{
    for (size_t i = 0; i < SIZE; i++) {
        size_t image = (batch * SIZE + i) % set->count;

        images[i] = set->images + image * CONVNET_PIXELS;
        labels[i] = set->labels[image];
    }
    return (struct convnet_batch){SIZE, images, labels};
}

int main(int argc, char **argv)
{
    struct training training;
    struct failure why;

    if (argc != 2) {
        (void)fputs("usage: convnet_losses DIR\n", stderr);
        return 2;
    }
    if (training_open(&training, NULL, 1, &why) != 0 ||
        training_set(&training, 0.05, 0.9, SIZE, &why) != 0) {
        (void)fprintf(stderr, "convnet_losses: %s\n", why.text);
        return 1;
    }
    FILE *weights = create(argv[1], "weights");
    FILE *images = create(argv[1], "images");
    FILE *labels = create(argv[1], "labels");
    FILE *losses = create(argv[1], "losses");

    (void)fwrite(&training.net.weights, sizeof training.net.weights, 1,
                 weights);
    for (size_t i = 0; i < BATCHES; i++) {
        const uint8_t *rows[SIZE];
        uint8_t digits[SIZE];
        struct convnet_batch batch = take(&training.train, i, rows, digits);

        for (size_t k = 0; k < SIZE; k++)
            (void)fwrite(rows[k], CONVNET_PIXELS, 1, images);
        (void)fwrite(digits, sizeof digits, 1, labels);
        (void)fprintf(losses, "%.9g\n",
                      convnet_train(&training.net, training.workspace, &batch));
    }
    finish(weights);
    finish(images);
    finish(labels);
    finish(losses);
    training_close(&training);
    return 0;
}
