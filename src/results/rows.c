/*
 * rows.c: results, one after another, from the run's index.
 */
#include <stdlib.h>
#include <string.h>

#include "results/results.h"
#include "wire/message.h"

#define NAMES_MAX ((size_t)64 << 20)
#define CONFIG_MAX ((size_t)64 << 20)
#define DEPTH_MAX 32

/* What all results of a trial's life have in common. */
struct origin {
    uint32_t life;
    char from[PBT_BOARD_PARENT_SIZE];
};

struct reading {
    struct pbt_results *results;
    struct origin
        *origins; /* of each trial: of the life that was asked for last */
    enum pbt_row_filter filter;
    pbt_row_fn fn;
    void *user;
    struct pbt_row_data data; /* its memory is used again */
};

/* --- a row ---------------------------------------------------------------- */

static void forget_row(struct pbt_row_data *data)
{
    pbt_buf_reset(&data->names);
    data->named = false;
    free(data->json);
    data->json = NULL;
    data->configured = false;
}

static const char *from_of(const struct reading *reading, uint32_t trial,
                           uint32_t life)
{
    const struct pbt_fold *fold = &reading->results->fold;
    struct origin *origin = &reading->origins[trial];
    if (origin->life != life) {
        origin->life = life;
        pbt_board_parent(&fold->board, fold->trials[trial].lives[life].source,
                         origin->from);
    }
    return origin->from;
}

static int give_row(void *user, const struct pbt_index_row *indexed)
{
    struct reading *reading = user;
    const struct pbt_fold_life *life =
        &reading->results->fold.trials[indexed->trial].lives[indexed->life];
    struct pbt_row row = {
        .trial = indexed->trial,
        .iteration = indexed->iteration,
        .time_total_s = indexed->time_total_s,
        .time_this_iter_s = indexed->time_this_iter_s,
        .timestamp = indexed->timestamp,
        .epoch = life->epoch,
        .seq = indexed->seq,
        .exploit = life->exploit,
        .undone = indexed->iteration > life->until,
        .data = &reading->data,
        .lineage = life->lineage,
        .from = from_of(reading, indexed->trial, indexed->life),
        .from_trial = life->source.number > 0 ? life->source.trial : PBT_NONE,
        .from_iteration = life->from,
        .generation =
            pbt_fold_generation(&reading->results->fold, life->exploit)};
    if (row.undone && reading->filter == PBT_ROWS_COUNTING) {
        return PBT_OK;
    }
    forget_row(&reading->data);
    reading->data.trial = indexed->trial;
    reading->data.life = indexed->life;
    reading->data.record = indexed->record;
    reading->data.values = indexed->values;
    return reading->fn(reading->user, &row);
}

int pbt_results_rows_of(struct pbt_results *results,
                        const struct pbt_index_query *query,
                        enum pbt_row_filter filter, pbt_row_fn fn, void *user,
                        struct pbt_error *error)
{
    struct reading reading = {.results = results,
                              .filter = filter,
                              .fn = fn,
                              .user = user,
                              .data = {.results = results}};
    uint32_t population = results->run.population;
    int answer;
    if (query->trial != PBT_NONE && query->trial >= results->run.trials) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "there is no trial of this number");
    }
    reading.origins = malloc(population * sizeof *reading.origins);
    if (reading.origins == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < population; i++) {
        reading.origins[i].life = PBT_NONE;
    }
    pbt_buf_init(&reading.data.names, NAMES_MAX);
    int status = pbt_index_rows(results->index, query, give_row, &reading,
                                &answer, error);
    forget_row(&reading.data);
    pbt_buf_done(&reading.data.names);
    pbt_config_done(&reading.data.config);
    free(reading.origins);
    return status == PBT_OK ? answer : status;
}

int pbt_results_rows(struct pbt_results *results, uint32_t trial,
                     enum pbt_row_filter filter, pbt_row_fn fn, void *user,
                     struct pbt_error *error)
{
    struct pbt_index_query query = {.trial = trial};
    return pbt_results_rows_of(results, &query, filter, fn, user, error);
}

/* --- its metrics ---------------------------------------------------------- */

bool pbt_row_real(const struct pbt_row *row, const char *metric, double *value)
{
    if (strcmp(metric, "training_iteration") == 0) {
        *value = (double)row->iteration;
    } else if (strcmp(metric, "time_total_s") == 0) {
        *value = row->time_total_s;
    } else if (strcmp(metric, "time_this_iter_s") == 0) {
        *value = row->time_this_iter_s;
    } else if (strcmp(metric, "timestamp") == 0) {
        *value = row->timestamp;
    } else {
        return pbt_index_real(row->data->values, metric, value);
    }
    return true;
}

bool pbt_row_text(const struct pbt_row *row, const char *metric,
                  const char **text)
{
    *text = pbt_index_text(row->data->values, metric);
    return *text != NULL;
}

/* Appends the names below `object`, each after `outer`. */
static void put_names(struct pbt_buf *names, const json_t *object,
                      const char *outer, int depth)
{
    const char *key;
    json_t *member;
    /* jansson's loop wants an object that it could change, and doesn't. */
    json_object_foreach((json_t *)(uintptr_t)object, key, member)
    {
        if (!json_is_object(member) || depth == DEPTH_MAX) {
            pbt_buf_text(names, outer);
            pbt_buf_text(names, key);
            pbt_buf_put(names, "", 1);
            continue;
        }
        struct pbt_buf inner;
        pbt_buf_init(&inner, NAMES_MAX);
        pbt_buf_printf(&inner, "%s%s/", outer, key);
        if (pbt_buf_failed(&inner)) {
            names->failed = true;
        } else {
            put_names(names, member, inner.data, depth + 1);
        }
        pbt_buf_done(&inner);
    }
}

const char *pbt_row_metric(const struct pbt_row *row, size_t index)
{
    struct pbt_row_data *data = row->data;
    if (!data->named) {
        const json_t *metrics = pbt_index_json(data->values);
        put_names(&data->names, metrics, "", 0);
        data->names.failed = data->names.failed || metrics == NULL;
        data->named = true;
    }
    if (pbt_buf_failed(&data->names)) {
        return NULL;
    }
    const char *name = data->names.data;
    const char *end = name + data->names.length;
    while (index > 0 && name < end) {
        name += strlen(name) + 1;
        index--;
    }
    return name < end ? name : NULL;
}

const char *pbt_row_json(const struct pbt_row *row)
{
    struct pbt_row_data *data = row->data;
    if (data->json == NULL) {
        const json_t *metrics = pbt_index_json(data->values);
        data->json = metrics == NULL ? NULL : json_dumps(metrics, JSON_COMPACT);
    }
    return data->json;
}

int pbt_row_config(const struct pbt_row *row, const struct pbt_config **config,
                   struct pbt_error *error)
{
    struct pbt_row_data *data = row->data;
    int status =
        data->configured
            ? PBT_OK
            : pbt_results_life_config(data->results, data->trial, data->life,
                                      &data->config, error);
    if (status == PBT_OK) {
        data->configured = true;
        *config = &data->config;
    }
    return status;
}

int pbt_results_life_config(struct pbt_results *results, uint32_t trial,
                            uint32_t life, struct pbt_config *config,
                            struct pbt_error *error)
{
    struct pbt_buf text;
    pbt_buf_init(&text, CONFIG_MAX);
    int status = pbt_index_config(results->index, trial, life, &text, error);
    json_t *root =
        status == PBT_OK ? json_loadb(text.data, text.length, 0, NULL) : NULL;
    if (status == PBT_OK) {
        status =
            root == NULL
                ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                : pbt_config_take(config, root, text.data, text.length, error);
    }
    json_decref(root);
    pbt_buf_done(&text);
    return status;
}
