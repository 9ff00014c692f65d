/*
 * trainable.c: makes the training program a trainable of pbt.
 *
 * The network, its data and its file know nothing of pbt; this is all that it
 * takes.  `pbt run mnist.yaml` starts the program, once for each trial that
 * runs at a time.
 */
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <pbt/trainable.h>

#include "convnet_file.h"
#include "training.h"

/* Hands a failure of ours to pbt.  Of a trainable only the words count. */
static int fail(struct pbt_error *error, const struct failure *why)
{
    return pbt_error_set(error, PBT_EFAILED, "%s", why->text);
}

/* A rate from 0 on.  Written so that NaN is refused too. */
static int read_rate(const struct pbt_config *config, const char *name,
                     double *rate, struct pbt_error *error)
{
    int status = pbt_config_real(config, name, rate, error);

    if (status == PBT_OK && !(*rate >= 0.0 && isfinite(*rate)))
        return pbt_error_set(error, PBT_ECONFIG, "%s is %g: must be 0 or more",
                             name, *rate);
    return status;
}

static int reset_config(void *self, const struct pbt_config *config,
                        struct pbt_error *error)
{
    struct training *training = self;
    int64_t batch_size = TRAINING_BATCH;
    double lr;
    double momentum;
    int status = read_rate(config, "lr", &lr, error);

    if (status == PBT_OK)
        status = read_rate(config, "momentum", &momentum, error);
    if (status == PBT_OK && pbt_config_has(config, "batch_size"))
        status = pbt_config_int(config, "batch_size", &batch_size, error);
    if (status != PBT_OK)
        return status;
    if (batch_size < 1 || batch_size > TRAINING_MAX_BATCH)
        return pbt_error_set(error, PBT_ECONFIG,
                             "batch_size is %lld: must be 1 to %d",
                             (long long)batch_size, (int)TRAINING_MAX_BATCH);
    training->net.lr = lr;
    training->net.momentum = momentum;
    training->batch_size = (size_t)batch_size;
    return PBT_OK;
}

static void cleanup(void *self)
{
    training_close(self);
    free(self);
}

static int setup(const struct pbt_context *context, void **self,
                 struct pbt_error *error)
{
    struct training *training = malloc(sizeof *training);
    struct failure why;

    if (training == NULL)
        return pbt_error_set(error, PBT_ENOMEM, "no memory for the network");
    if (training_open(training, NULL, context->seed, &why) != 0) {
        free(training);
        return fail(error, &why);
    }
    *self = training;
    int status = reset_config(training, context->config, error);

    if (status != PBT_OK)
        cleanup(training);
    return status;
}

static int step(void *self, struct pbt_result *result, struct pbt_error *error)
{
    struct training_result outcome;
    int status;

    training_iteration(self, &outcome);
    status = pbt_result_real(result, "mean_accuracy", outcome.accuracy, error);
    if (status == PBT_OK)
        status = pbt_result_real(result, "mean_loss", outcome.loss, error);
    return status;
}

/* The checkpoint is one file: model, optimiser and random numbers. */
static int model_path(char path[PATH_MAX], const char *dir,
                      struct pbt_error *error)
{
    int length = snprintf(path, PATH_MAX, "%s/model.bin", dir);

    if (length < 0 || length >= PATH_MAX)
        return pbt_error_set(error, PBT_EIO, "%s: the path is too long", dir);
    return PBT_OK;
}

static int save_checkpoint(void *self, const char *dir, struct pbt_error *error)
{
    const struct training *training = self;
    struct failure why;
    char path[PATH_MAX];
    int status = model_path(path, dir, error);

    if (status == PBT_OK && convnet_save(&training->net, path, &why) != 0)
        return fail(error, &why);
    return status;
}

static int load_checkpoint(void *self, const char *dir, struct pbt_error *error)
{
    struct training *training = self;
    struct failure why;
    char path[PATH_MAX];
    int status = model_path(path, dir, error);

    if (status == PBT_OK && convnet_load(&training->net, path, &why) != 0)
        return fail(error, &why);
    return status;
}

int main(int argc, char **argv)
{
    static const struct pbt_trainable convnet = {
        PBT_TRAINABLE_INIT, setup,        step,   save_checkpoint,
        load_checkpoint,    reset_config, cleanup};

    return pbt_worker_main(&convnet, argc, argv);
}
