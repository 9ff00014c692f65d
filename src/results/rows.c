/*
 * rows.c: results, one after another, from the journal.
 *
 * A second reading feeds a board of its own, which knows what a result's configuration and wall
 * time are.  It ends with the record at which the handle's first reading ended: what a
 * driver has appended since is of a later moment.
 */
#include <stdlib.h>
#include <string.h>

#include "journal/entries.h"
#include "results/results.h"
#include "wire/message.h"

#define NAMES_MAX ((size_t)64 << 20)
#define DEPTH_MAX 32

struct reading {
    struct pbt_results *results;
    struct pbt_board board;
    uint32_t *lives; /* of each trial: how many have begun */
    uint32_t trial;  /* PBT_NONE: all */
    enum pbt_row_filter filter;
    pbt_row_fn fn;
    void *user;
    struct pbt_row_data data; /* its memory is used again */
    char from[PBT_BOARD_PARENT_SIZE];
    bool ended; /* by `fn`, or by the moment of the handle */
    int answer; /* of `fn` */
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

static int give_row(struct reading *reading, const struct pbt_record *record,
                    const json_t *data)
{
    const struct pbt_fold_trial *folded =
        &reading->results->fold.trials[record->trial];
    uint32_t begun = reading->lives[record->trial];
    const struct pbt_fold_life *life =
        begun == 0 ? NULL : &folded->lives[begun - 1];
    struct pbt_row row = {
        .trial = record->trial,
        .iteration = record->iteration,
        .time_total_s = record->time_total,
        .time_this_iter_s =
            json_number_value(json_object_get(data, "time_this_iter_s")),
        .timestamp = (double)reading->board.wall / 1e9,
        .epoch = record->epoch,
        .seq = record->seq,
        .exploit = life == NULL ? PBT_NONE : life->exploit,
        .undone = life == NULL || record->iteration > life->until,
        .data = &reading->data,
        .lineage = reading->board.trials[record->trial].lineage,
        .from = reading->from};
    pbt_board_parent(&reading->board, &reading->board.trials[record->trial],
                     reading->from);
    if (row.undone && reading->filter == PBT_ROWS_COUNTING) {
        return PBT_OK;
    }
    forget_row(&reading->data);
    reading->data.cells = reading->board.trials[record->trial].cells;
    reading->data.metrics = json_object_get(data, "metrics");
    return reading->fn(reading->user, &row);
}

static int feed(void *user, const struct pbt_entry *entry,
                struct pbt_error *error)
{
    struct reading *reading = user;
    const struct pbt_record *record = &entry->record;
    if (record->number > reading->results->run.records) {
        reading->ended = true;
        return PBT_EINTERRUPTED;
    }
    int status = pbt_board_feed(&reading->board, entry, error);
    if (status != PBT_OK) {
        return status;
    }
    if (pbt_fold_opens_life(record->kind)) {
        reading->lives[record->trial]++;
    }
    if (record->kind == PBT_RECORD_RESULT &&
        (reading->trial == PBT_NONE || reading->trial == record->trial)) {
        reading->answer = give_row(reading, record, entry->data_json);
        reading->ended = reading->answer != 0;
    }
    return reading->ended ? PBT_EINTERRUPTED : PBT_OK;
}

static int read_all(struct reading *reading, struct pbt_error *error)
{
    struct pbt_results *results = reading->results;
    struct pbt_error inner = {.status = PBT_OK};
    struct pbt_journal_info info;
    pbt_buf_init(&reading->data.names, NAMES_MAX);
    int status = pbt_journal_entries(results->dir, &results->spec, feed,
                                     reading, &info, &inner);
    forget_row(&reading->data);
    pbt_buf_done(&reading->data.names);
    pbt_config_done(&reading->data.config);
    if (reading->ended) {
        return reading->answer;
    }
    if (status != PBT_OK && error != NULL) {
        *error = inner;
    }
    return status;
}

int pbt_results_rows(struct pbt_results *results, uint32_t trial,
                     enum pbt_row_filter filter, pbt_row_fn fn, void *user,
                     struct pbt_error *error)
{
    struct reading reading = {.results = results,
                              .trial = trial,
                              .filter = filter,
                              .fn = fn,
                              .user = user,
                              .data = {.spec = &results->spec}};
    if (trial != PBT_NONE && trial >= results->run.trials) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "there is no trial of this number");
    }
    if (results->run.records == 0) {
        return PBT_OK;
    }
    int status = pbt_board_init(&reading.board, &results->spec, error);
    if (status != PBT_OK) {
        return status;
    }
    reading.lives = calloc(results->run.population, sizeof *reading.lives);
    status = reading.lives == NULL
                 ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                 : read_all(&reading, error);
    free(reading.lives);
    pbt_board_done(&reading.board);
    return status;
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
        return pbt_metric_number(row->data->metrics, metric, value);
    }
    return true;
}

bool pbt_row_text(const struct pbt_row *row, const char *metric,
                  const char **text)
{
    double number;
    const json_t *member = pbt_json_member(row->data->metrics, metric);
    if (!json_is_string(member) || pbt_json_number(member, &number)) {
        return false;
    }
    *text = json_string_value(member);
    return true;
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
        put_names(&data->names, data->metrics, "", 0);
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
        data->json = data->metrics == NULL
                         ? strdup("{}")
                         : json_dumps(data->metrics, JSON_COMPACT);
    }
    return data->json;
}

int pbt_row_config(const struct pbt_row *row, const struct pbt_config **config,
                   struct pbt_error *error)
{
    struct pbt_row_data *data = row->data;
    int status = data->configured
                     ? PBT_OK
                     : pbt_results_make_config(data->spec, data->cells,
                                               &data->config, error);
    if (status == PBT_OK) {
        data->configured = true;
        *config = &data->config;
    }
    return status;
}
