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

static int report(struct pbt_result *result, const struct dcgan_result *outcome,
                  struct pbt_error *error)
{
    const struct score *scores = outcome->scores;
    /* Where trials aren't compared there is no `is_score`: a score of few fakes,
       which is noisy, would be taken for the best one by luck. */
    const struct {
        const char *name;
        double value;
        bool is_there;
    } metrics[] = {
        {"is_score", scores[DCGAN_RANK].value, outcome->ranked},
        {"is_score_error", scores[DCGAN_RANK].error, outcome->ranked},
        {"is_score_quick", scores[DCGAN_QUICK].value, true},
        {"is_score_quick_error", scores[DCGAN_QUICK].error, true},
        {"is_score_64", scores[DCGAN_FEW].value, true},
        {"lossg", outcome->losses.generator, true},
        {"lossd", outcome->losses.discriminator, true}};
    int status = PBT_OK;

    for (size_t i = 0; i < sizeof metrics / sizeof metrics[0]; i++)
        if (status == PBT_OK && metrics[i].is_there)
            status = pbt_result_real(result, metrics[i].name, metrics[i].value,
                                     error);
    return status;
}

static int step(void *self, struct pbt_result *result, struct pbt_error *error)
{
    struct dcgan_result outcome = {.ranked = false};
    struct failure why;
    int status = told(dcgan_iteration(self, &outcome, &why), &why, error);

    return status == PBT_OK ? report(result, &outcome, error) : status;
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
