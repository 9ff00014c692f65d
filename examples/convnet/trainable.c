/*
 * trainable.c: makes the training program a trainable of pbt.
 *
 * The network, its data and its file know nothing of pbt; this is all that it
 * takes.  `pbt run mnist.yaml` starts the program, once for each trial that
 * runs at a time.
 */
#include <stdlib.h>

#include <pbt/trainable.h>

#include "training.h"

/* Hands a failure of ours, if it is one, to pbt. */
static int told(int number, const struct failure *why, struct pbt_error *error)
{
    return number == 0 ? PBT_OK
                       : pbt_error_set(error, PBT_EFAILED, "%s", why->text);
}

static int reset_config(void *self, const struct pbt_config *config,
                        struct pbt_error *error)
{
    int64_t batch_size = TRAINING_BATCH;
    double lr;
    double momentum;
    struct failure why;
    int status = pbt_config_real(config, "lr", &lr, error);

    if (status == PBT_OK)
        status = pbt_config_real(config, "momentum", &momentum, error);
    if (status == PBT_OK && pbt_config_has(config, "batch_size"))
        status = pbt_config_int(config, "batch_size", &batch_size, error);
    if (status != PBT_OK)
        return status;
    return told(training_set(self, lr, momentum, batch_size, &why), &why,
                error);
}

static void cleanup(void *self)
{
    training_close(self);
    free(self);
}

static int setup(const struct pbt_context *context, void **self,
                 struct pbt_error *error)
{
    struct training *training = calloc(1, sizeof *training);
    struct failure why;
    int status;

    if (training == NULL)
        return pbt_error_set(error, PBT_ENOMEM, "no memory for the network");
    status =
        told(training_open(training, NULL, context->seed, &why), &why, error);
    if (status == PBT_OK)
        status = reset_config(training, context->config, error);
    if (status == PBT_OK)
        *self = training;
    else
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

static int save_checkpoint(void *self, const char *dir, struct pbt_error *error)
{
    struct failure why;

    return told(training_save(self, dir, &why), &why, error);
}

static int load_checkpoint(void *self, const char *dir, struct pbt_error *error)
{
    struct failure why;

    return told(training_load(self, dir, &why), &why, error);
}

int main(int argc, char **argv)
{
    static const struct pbt_trainable convnet = {
        PBT_TRAINABLE_INIT, setup,        step,   save_checkpoint,
        load_checkpoint,    reset_config, cleanup};

    return pbt_worker_main(&convnet, argc, argv);
}
