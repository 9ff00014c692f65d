/*
 * training.h: one iteration of training after another, on MNIST.
 *
 * An iteration draws training images that it has not seen yet in this
 * iteration, trains on 9 batches of them, and then tests on 5 batches of 64 of
 * the test images, drawn likewise.  That is the iteration of Ray's MNIST
 * example: 576 images to train on, 320 to test on.  The accuracy is therefore a
 * multiple of 1/320.
 */
#ifndef CONVNET_TRAINING_H
#define CONVNET_TRAINING_H

#include <stddef.h>
#include <stdint.h>

#include "convnet.h"
#include "common/failure.h"
#include "common/idx.h"

enum {
    TRAINING_BATCH = 64,      /* the usual size of a batch */
    TRAINING_MAX_BATCH = 512, /* the largest */
    TRAINING_IMAGES = 512,    /* batches = 512 / (size of a batch) + 1 */
    TRAINING_TEST_BATCHES = 5
};

struct training {
    struct convnet net;
    size_t batch_size; /* 1 to TRAINING_MAX_BATCH */
    struct idx_set train;
    struct idx_set test;
    struct convnet_workspace *workspace;
    uint32_t *order; /* to draw images from */
};

struct training_result {
    double loss;     /* mean over the training batches */
    double accuracy; /* on the test images, 0 to 1 */
};

/* Makes a network, the data from `directory`, or NULL for the usual places. */
int training_open(struct training *training, const char *directory,
                  uint64_t seed, struct failure *failure);

/*
 * Takes other hyperparameters, also in the middle of a training: rates from 0 on, a batch
 * of 1 to TRAINING_MAX_BATCH images.  After a failure (EDOM) nothing has changed.
 */
int training_set(struct training *training, double lr, double momentum,
                 int64_t batch_size, struct failure *failure);

/* The network, its optimiser and its random numbers as a file in `directory`. */
int training_save(const struct training *training, const char *directory,
                  struct failure *failure);
int training_load(struct training *training, const char *directory,
                  struct failure *failure);

/* Also of one that is all zeros. */
void training_close(struct training *training);

/* Batches in an iteration. */
size_t training_batches(const struct training *training);

/* The first half of an iteration; returns the mean loss. */
double training_train(struct training *training);

/* A whole iteration. */
void training_iteration(struct training *training,
                        struct training_result *result);

#endif
