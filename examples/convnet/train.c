/*
 * train.c: trains the network once, with fixed hyperparameters.
 *
 * This is the program as it was before anybody thought of population based
 * training; trainable.c is the same with pbt in charge.
 */
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/data.h"
#include "training.h"

struct options {
    double lr;
    double momentum;
    double iterations;
    double batch_size;
    double seed;
    const char *data;
    const char *from; /* a directory with a network to go on with */
    const char *to;   /* one to leave it in */
    bool bench;
};

static const char usage[] =
    "usage: convnet-train [option value] ...\n"
    "  --lr RATE          learning rate (0.05)\n"
    "  --momentum RATE    momentum (0.9)\n"
    "  --iterations N     of 9 batches each, then a test (100)\n"
    "  --batch-size N     images in a batch, 1 to 512 (64)\n"
    "  --seed N           for weights and shuffles (1)\n"
    "  --data DIR         where the images are (PBT_MNIST_DIR, or what\n"
    "                     scripts/get-mnist fetched)\n"
    "  --from DIR         go on with the network in this directory; '' begins\n"
    "  --to DIR           leave the network in this directory\n"
    "  --bench            only time training batches\n";

/* Reads a number from `least` to `most`, whole if `whole`. */
static bool read_number(const char *text, bool whole, double least, double most,
                        double *value)
{
    char *end;
    double number = strtod(text, &end);

    /* Written so that NaN is refused too. */
    if (end == text || *end != '\0' || !(number >= least && number <= most) ||
        (whole && number != floor(number)))
        return false;
    *value = number;
    return true;
}

static bool read_option(struct options *o, const char *name, const char *value)
{
    if (strcmp(name, "--lr") == 0)
        return read_number(value, false, 0.0, 1e6, &o->lr);
    if (strcmp(name, "--momentum") == 0)
        return read_number(value, false, 0.0, 1e6, &o->momentum);
    if (strcmp(name, "--iterations") == 0)
        return read_number(value, true, 1.0, 1e9, &o->iterations);
    if (strcmp(name, "--batch-size") == 0)
        return read_number(value, true, 1.0, TRAINING_MAX_BATCH,
                           &o->batch_size);
    if (strcmp(name, "--seed") == 0)
        return read_number(value, true, 0.0, 0x1p53, &o->seed);
    if (strcmp(name, "--data") == 0)
        o->data = value;
    else if (strcmp(name, "--from") == 0)
        o->from = *value == '\0' ? NULL : value;
    else if (strcmp(name, "--to") == 0)
        o->to = value;
    else
        return false;
    return true;
}

static bool read_options(struct options *o, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--bench") == 0) {
            o->bench = true;
            continue;
        }
        if (i + 1 == argc || !read_option(o, argv[i], argv[i + 1])) {
            (void)fprintf(stderr,
                          "convnet-train: wrong option or value: %s%s%s\n%s",
                          argv[i], i + 1 == argc ? "" : " ",
                          i + 1 == argc ? "" : argv[i + 1], usage);
            return false;
        }
        i++;
    }
    return true;
}

static double microseconds(void)
{
    struct timespec now = {0, 0};

    /* cannot fail on Linux */
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return 1e6 * (double)now.tv_sec + 1e-3 * (double)now.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
    const double *x = a;
    const double *y = b;

    return (*x > *y) - (*x < *y);
}

/*
 * Times the training half of iterations: drawing images, forward, backward and
 * update together.  The middle one of several rounds is what to quote; the best
 * one tells how noisy the machine is.  CPU time, of one thread: other programs
 * that run at the same time disturb it less than the wall clock.
 */
static void bench(struct training *training)
{
    enum { ROUNDS = 21, ITERATIONS = 50 };
    const double batches = (double)(ITERATIONS * training_batches(training));
    double rounds[ROUNDS];

    for (int i = 0; i < ITERATIONS; i++)
        (void)training_train(training); /* warm up */
    for (int round = 0; round < ROUNDS; round++) {
        double start = microseconds();

        for (int i = 0; i < ITERATIONS; i++)
            (void)training_train(training);
        rounds[round] = (microseconds() - start) / batches;
    }
    qsort(rounds, ROUNDS, sizeof rounds[0], by_value);
    (void)printf("%.1f us per training batch of %zu (best %.1f), "
                 "%.0f images/s, one thread\n",
                 rounds[ROUNDS / 2], training->batch_size, rounds[0],
                 1e6 * (double)training->batch_size / rounds[ROUNDS / 2]);
}

/* Opens all; the hyperparameters come after the weights, which bring others. */
static int prepare(struct training *training, const struct options *o,
                   struct failure *failure)
{
    int number = training_open(training, o->data, (uint64_t)o->seed, failure);

    if (number == 0 && o->from != NULL)
        number = training_load(training, o->from, failure);
    if (number == 0)
        number = training_set(training, o->lr, o->momentum,
                              (int64_t)o->batch_size, failure);
    return number;
}

static void train(struct training *training, long iterations)
{
    for (long i = 1; i <= iterations; i++) {
        struct training_result result;

        training_iteration(training, &result);
        (void)printf("iteration %3ld  loss %.4f  accuracy %.4f\n", i,
                     result.loss, result.accuracy);
    }
}

int main(int argc, char **argv)
{
    struct options options = {.lr = 0.05,
                              .momentum = 0.9,
                              .iterations = 100.0,
                              .batch_size = TRAINING_BATCH,
                              .seed = 1.0};
    struct training training;
    struct failure failure = {""};
    char found[4096];

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return fputs(usage, stdout) < 0;
    if (!read_options(&options, argc, argv))
        return 2;
    if (options.data == NULL && data_find(found, sizeof found, &failure) == 0)
        options.data = found;
    if (options.data == NULL || prepare(&training, &options, &failure) != 0) {
        (void)fprintf(stderr, "convnet-train: %s\n", failure.text);
        return 1;
    }
    /* Digits and clothes look alike in a table of losses. */
    (void)fprintf(stderr, "convnet-train: images from %s\n", options.data);
    if (options.bench)
        bench(&training);
    else
        train(&training, (long)options.iterations);
    if (options.to != NULL &&
        training_save(&training, options.to, &failure) != 0) {
        (void)fprintf(stderr, "convnet-train: %s\n", failure.text);
        return 1;
    }
    training_close(&training);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        (void)fprintf(stderr, "convnet-train: can't write: %s\n",
                      strerror(errno));
        return 1;
    }
    return 0;
}
