/* training.c: see training.h. */
#include "training.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "convnet_file.h"
#include "common/data.h"
#include "common/random.h"

static int open_set(struct idx_set *set, const char *directory,
                    const char *part, struct failure *failure)
{
    int number = idx_open(set, directory, part, CONVNET_CLASSES - 1, failure);

    if (number == 0 &&
        (set->height != CONVNET_SIDE || set->width != CONVNET_SIDE))
        number =
            failure_set(failure, EBADMSG,
                        "the %s-images in %s are of %zu x %zu pixels, this "
                        "network takes %d x %d",
                        part, directory, set->height, set->width,
                        (int)CONVNET_SIDE, (int)CONVNET_SIDE);
    return number;
}

/* An iteration must not need more images than there are. */
static int check_counts(const struct training *t, const char *directory,
                        struct failure *failure)
{
    const size_t train = TRAINING_IMAGES + TRAINING_MAX_BATCH;
    const size_t test = (size_t)TRAINING_TEST_BATCHES * TRAINING_BATCH;

    if (t->train.count < train || t->test.count < test)
        return failure_set(failure, EBADMSG,
                           "%s holds %zu images to train on and %zu to test "
                           "on, an iteration takes up to %zu and %zu",
                           directory, t->train.count, t->test.count, train,
                           test);
    return 0;
}

int training_open(struct training *training, const char *directory,
                  uint64_t seed, struct failure *failure)
{
    char found[4096];
    size_t most;
    int number = 0;

    memset(training, 0, sizeof *training);
    if (directory == NULL) {
        number = data_find(found, sizeof found, failure);
        directory = found;
    }
    if (number == 0)
        number = open_set(&training->train, directory, "train", failure);
    if (number == 0)
        number = open_set(&training->test, directory, "t10k", failure);
    if (number == 0)
        number = check_counts(training, directory, failure);
    if (number != 0) {
        training_close(training);
        return number;
    }

    most = training->train.count > training->test.count ? training->train.count
                                                        : training->test.count;
    training->order = calloc(most, sizeof *training->order);
    training->workspace = convnet_workspace_new();
    if (training->order == NULL || training->workspace == NULL) {
        training_close(training);
        return failure_set(failure, ENOMEM, "no memory for the network");
    }
    training->batch_size = TRAINING_BATCH;
    convnet_init(&training->net, seed);
    return 0;
}

int training_set(struct training *training, double lr, double momentum,
                 int64_t batch_size, struct failure *failure)
{
    /* Written so that NaN is refused too. */
    if (!(lr >= 0.0 && isfinite(lr)))
        return failure_set(failure, EDOM, "lr is %g: must be 0 or more", lr);
    if (!(momentum >= 0.0 && isfinite(momentum)))
        return failure_set(failure, EDOM, "momentum is %g: must be 0 or more",
                           momentum);
    if (batch_size < 1 || batch_size > TRAINING_MAX_BATCH)
        return failure_set(failure, EDOM, "batch_size is %lld: must be 1 to %d",
                           (long long)batch_size, (int)TRAINING_MAX_BATCH);
    training->net.lr = lr;
    training->net.momentum = momentum;
    training->batch_size = (size_t)batch_size;
    return 0;
}

static int model_path(char *path, size_t size, const char *directory,
                      struct failure *failure)
{
    int length = snprintf(path, size, "%s/model.bin", directory);

    if (length < 0 || (size_t)length >= size)
        return failure_set(failure, ENAMETOOLONG, "%s: the path is too long",
                           directory);
    return 0;
}

int training_save(const struct training *training, const char *directory,
                  struct failure *failure)
{
    char path[4096];
    int number = model_path(path, sizeof path, directory, failure);

    return number != 0 ? number : convnet_save(&training->net, path, failure);
}

int training_load(struct training *training, const char *directory,
                  struct failure *failure)
{
    char path[4096];
    int number = model_path(path, sizeof path, directory, failure);

    return number != 0 ? number : convnet_load(&training->net, path, failure);
}

void training_close(struct training *training)
{
    convnet_workspace_free(training->workspace);
    free(training->order);
    idx_close(&training->train);
    idx_close(&training->test);
    memset(training, 0, sizeof *training);
}

/* The images of a batch, by pointer; the labels, by value. */
struct picked {
    const uint8_t *images[TRAINING_MAX_BATCH];
    uint8_t labels[TRAINING_MAX_BATCH];
};

static struct convnet_batch pick(struct training *t, const struct idx_set *set,
                                 size_t first, size_t count,
                                 struct picked *picked)
{
    for (size_t i = 0; i < count; i++) {
        uint32_t image =
            random_next(&t->net.generator, t->order, set->count, first + i);

        picked->images[i] = set->images + (size_t)image * CONVNET_PIXELS;
        picked->labels[i] = set->labels[image];
    }
    return (struct convnet_batch){count, picked->images, picked->labels};
}

size_t training_batches(const struct training *training)
{
    return TRAINING_IMAGES / training->batch_size + 1;
}

double training_train(struct training *training)
{
    const size_t batches = training_batches(training);
    const size_t size = training->batch_size;
    struct picked picked;
    double loss = 0.0;

    /* The order of the last one does not live on, or a checkpoint would have to
       hold it. */
    random_order(training->order, training->train.count);
    for (size_t i = 0; i < batches; i++) {
        struct convnet_batch batch =
            pick(training, &training->train, i * size, size, &picked);

        loss += convnet_train(&training->net, training->workspace, &batch);
    }
    return loss / (double)batches;
}

static double test(struct training *t)
{
    struct picked picked;
    size_t correct = 0;

    random_order(t->order, t->test.count);
    for (size_t i = 0; i < TRAINING_TEST_BATCHES; i++) {
        struct convnet_batch batch =
            pick(t, &t->test, i * TRAINING_BATCH, TRAINING_BATCH, &picked);
        size_t right;

        (void)convnet_test(&t->net, t->workspace, &batch, &right);
        correct += right;
    }
    return (double)correct / (TRAINING_TEST_BATCHES * TRAINING_BATCH);
}

void training_iteration(struct training *training,
                        struct training_result *result)
{
    result->loss = training_train(training);
    result->accuracy = test(training);
}
