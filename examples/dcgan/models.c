/* models.c: see models.h. */
#include "models.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <pbt/results.h>
#include <pbt/trainable.h>

static const char checkpoint_file[] = "gan.bin";

static bool is_checkpoint(const char *directory)
{
    char path[4096];
    int length =
        snprintf(path, sizeof path, "%s/%s", directory, checkpoint_file);

    return length > 0 && (size_t)length < sizeof path &&
           access(path, F_OK) == 0;
}

static int add(struct models *models, const struct pbt_trial_info *trial,
               const struct pbt_checkpoint_info *checkpoint,
               struct failure *failure)
{
    struct model *model = &models->list[models->count];
    int length = snprintf(model->directory, sizeof model->directory, "%s",
                          checkpoint->path);

    if (length < 0 || (size_t)length >= sizeof model->directory)
        return failure_set(failure, ENAMETOOLONG, "%s: the path is too long",
                           checkpoint->path);
    if (!is_checkpoint(checkpoint->path))
        return failure_set(failure, ENOENT,
                           "%s is no checkpoint of this program (there is no "
                           "%s in it): its run trained something else",
                           checkpoint->path, checkpoint_file);
    /* One that was saved at the end, or when it was stopped, may have no score. */
    (void)snprintf(model->label, sizeof model->label,
                   isnan(checkpoint->score) ? "%.40s" : "%.40s  %.2f",
                   trial->id, checkpoint->score);
    models->count++;
    return 0;
}

static int add_best(struct models *models, struct pbt_results *run,
                    const char *name, struct failure *failure)
{
    const struct pbt_best_query query = {.version = PBT_BEST_QUERY_INIT};
    const struct pbt_best *best;
    struct pbt_error error;

    if (pbt_results_best(run, &query, &best, &error) != PBT_OK)
        return failure_set(failure, ENOENT, "%s: %s", name, error.text);
    if (best->checkpoint == NULL)
        return failure_set(failure, ENOENT,
                           "%s: its best trial, %s, has no checkpoint", name,
                           best->trial->id);
    return add(models, best->trial, best->checkpoint, failure);
}

static int add_all(struct models *models, struct pbt_results *run,
                   const char *name, struct failure *failure)
{
    const uint32_t trials = pbt_results_run(run)->trials;
    int number = 0;

    for (uint32_t i = 0; number == 0 && i < trials; i++) {
        const struct pbt_trial_info *trial = pbt_results_trial(run, i);

        if (trial->checkpoint != NULL)
            number = add(models, trial, trial->checkpoint, failure);
    }
    if (number == 0 && models->count == 0)
        return failure_set(failure, ENOENT, "%s has no checkpoints yet", name);
    return number;
}

/* Where a run's images are, is one for all of its trials. */
static int read_data(struct models *models, struct pbt_results *run,
                     struct failure *failure)
{
    const struct pbt_trial_info *trial = pbt_results_trial(run, 0);
    struct pbt_error error;
    const char *data;

    if (trial == NULL || trial->config == NULL ||
        !pbt_config_has(trial->config, "data"))
        return 0;
    if (pbt_config_text(trial->config, "data", &data, &error) != PBT_OK)
        return failure_set(failure, EINVAL, "%s", error.text);
    models->data = strdup(data);
    return models->data != NULL
               ? 0
               : failure_set(failure, ENOMEM, "no memory for a name");
}

static int read_run(struct models *models, const char *name, bool all,
                    struct failure *failure)
{
    struct pbt_results *run;
    struct pbt_error error;
    int number;

    if (pbt_results_open(&run, name, &error) != PBT_OK)
        return failure_set(failure, ENOENT,
                           "%s is neither a checkpoint of this program (there "
                           "is no %s in it) nor a run: %s",
                           name, checkpoint_file, error.text);
    models->list =
        calloc(pbt_results_run(run)->trials + 1, sizeof *models->list);
    if (models->list == NULL)
        number = failure_set(failure, ENOMEM, "no memory for a list");
    else if (all)
        number = add_all(models, run, name, failure);
    else
        number = add_best(models, run, name, failure);
    if (number == 0)
        number = read_data(models, run, failure);
    pbt_results_close(run);
    return number;
}

static int read_checkpoint(struct models *models, const char *name,
                           struct failure *failure)
{
    models->list = calloc(1, sizeof *models->list);
    if (models->list == NULL)
        return failure_set(failure, ENOMEM, "no memory for a list");
    models->count = 1;
    (void)snprintf(models->list[0].label, sizeof models->list[0].label, "%.60s",
                   name);
    (void)snprintf(models->list[0].directory, sizeof models->list[0].directory,
                   "%s", name);
    return 0;
}

int models_find(struct models *models, const char *name, bool all,
                struct failure *failure)
{
    char in_runs[4096];
    int number;

    memset(models, 0, sizeof *models);
    if (snprintf(in_runs, sizeof in_runs, "runs/%s", name) >=
        (int)sizeof in_runs)
        return failure_set(failure, ENAMETOOLONG, "%s: the path is too long",
                           name);
    if (access(name, F_OK) != 0 && access(in_runs, F_OK) == 0)
        name = in_runs;
    if (is_checkpoint(name))
        number = read_checkpoint(models, name, failure);
    else
        number = read_run(models, name, all, failure);
    if (number != 0)
        models_close(models);
    return number;
}

void models_close(struct models *models)
{
    free(models->list);
    free(models->data);
    memset(models, 0, sizeof *models);
}
