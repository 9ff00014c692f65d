/*
 * trainable.c: the DCGAN as a trainable of pbt.  `pbt run dcgan.yaml` starts
 * it, once for each trial that runs at a time.
 */
#include "trainable.h"

#include <stdlib.h>
#include <string.h>

#include <pbt/trainable.h>

#include "common/data.h"
#include "dcgan.h"

/* Hands a failure of ours, if it is one, to pbt. */
static int told(int number, const struct failure *why, struct pbt_error *error)
{
    return number == 0 ? PBT_OK
                       : pbt_error_set(error, PBT_EFAILED, "%s", why->text);
}

static int optional_int(const struct pbt_config *config, const char *name,
                        int64_t *value, struct pbt_error *error)
{
    return pbt_config_has(config, name)
               ? pbt_config_int(config, name, value, error)
               : PBT_OK;
}

static int optional_text(const struct pbt_config *config, const char *name,
                         const char **value, struct pbt_error *error)
{
    *value = NULL;
    return pbt_config_has(config, name)
               ? pbt_config_text(config, name, value, error)
               : PBT_OK;
}

/* After each load, too: the rates are never those of the donor. */
static int reset_config(void *self, const struct pbt_config *config,
                        struct pbt_error *error)
{
    struct dcgan_settings settings = dcgan_defaults;
    struct failure why;
    int status =
        pbt_config_real(config, "netG_lr", &settings.generator_lr, error);

    if (status == PBT_OK)
        status = pbt_config_real(config, "netD_lr", &settings.discriminator_lr,
                                 error);
    if (status == PBT_OK)
        status = optional_int(config, "fakes", &settings.fakes, error);
    if (status == PBT_OK)
        status =
            optional_int(config, "rank_fakes", &settings.rank_fakes, error);
    if (status == PBT_OK)
        status = optional_int(config, "rank_interval", &settings.rank_interval,
                              error);
    if (status != PBT_OK)
        return status;
    return told(dcgan_set(self, &settings, &why), &why, error);
}

static void cleanup(void *self)
{
    dcgan_close(self);
    free(self);
}

static int open_dcgan(struct dcgan *dcgan, const struct pbt_context *context,
                      struct pbt_error *error)
{
    const char *data;
    const char *score_net;
    char found[4096];
    struct failure why;
    int status = optional_text(context->config, "data", &data, error);

    if (status == PBT_OK)
        status = optional_text(context->config, "score_net", &score_net, error);
    if (status != PBT_OK)
        return status;
    if (data == NULL) {
        status = told(data_find(found, sizeof found, &why), &why, error);
        data = found;
    }
    if (status != PBT_OK)
        return status;
    return told(dcgan_open(dcgan, data, score_net, context->seed, &why), &why,
                error);
}

static int setup(const struct pbt_context *context, void **self,
                 struct pbt_error *error)
{
    struct dcgan *dcgan = calloc(1, sizeof *dcgan);
    int status;

    if (dcgan == NULL)
        return pbt_error_set(error, PBT_ENOMEM, "no memory for the networks");
    status = open_dcgan(dcgan, context, error);
    if (status == PBT_OK)
        status = reset_config(dcgan, context->config, error);
    if (status == PBT_OK)
        *self = dcgan;
    else
        cleanup(dcgan);
    return status;
}

static int step(void *self, struct pbt_result *result, struct pbt_error *error)
{
    struct dcgan_result outcome;
    struct failure why;
    int status = told(dcgan_iteration(self, &outcome, &why), &why, error);

    if (status == PBT_OK)
        status =
            pbt_result_real(result, "is_score", outcome.score.value, error);
    if (status == PBT_OK)
        status = pbt_result_real(result, "is_score_error", outcome.score.error,
                                 error);
    if (status == PBT_OK)
        status =
            pbt_result_real(result, "is_score_64", outcome.first.value, error);
    if (status == PBT_OK)
        status =
            pbt_result_real(result, "lossg", outcome.losses.generator, error);
    if (status == PBT_OK)
        status = pbt_result_real(result, "lossd", outcome.losses.discriminator,
                                 error);
    return status;
}

static int save_checkpoint(void *self, const char *dir, struct pbt_error *error)
{
    struct failure why;

    return told(dcgan_save(self, dir, &why), &why, error);
}

static int load_checkpoint(void *self, const char *dir, struct pbt_error *error)
{
    struct failure why;

    return told(dcgan_load(self, dir, &why), &why, error);
}

int trainable_main(int argc, char **argv)
{
    static const struct pbt_trainable dcgan = {
        PBT_TRAINABLE_INIT, setup,        step,   save_checkpoint,
        load_checkpoint,    reset_config, cleanup};

    return pbt_worker_main(&dcgan, argc, argv);
}
