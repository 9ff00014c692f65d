/*
 * result.c: the metrics of a step.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "wire/message.h"
#include "worker/worker.h"

#define NAME_MAX_LENGTH ((size_t)256)
#define EXACT_MAX (INT64_C(1) << 53)

void pbt_result_begin(struct pbt_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        result->metrics[i].set = false;
    }
    result->next = 0;
    result->done = false;
}

void pbt_result_free(struct pbt_result *result)
{
    for (size_t i = 0; i < result->count; i++) {
        free(result->metrics[i].name);
        free(result->metrics[i].text);
    }
    free(result->metrics);
    *result = (struct pbt_result){0};
}

/* Mostly the same metrics come in the same order. */
static struct pbt_metric *find(struct pbt_result *result, const char *name)
{
    for (size_t i = 0; i < result->count; i++) {
        size_t at = result->next + i;
        at -= at >= result->count ? result->count : 0;
        if (strcmp(result->metrics[at].name, name) == 0) {
            result->next = at + 1 < result->count ? at + 1 : 0;
            return &result->metrics[at];
        }
    }
    return NULL;
}

static int add(struct pbt_result *result, const char *name,
               struct pbt_metric **added, struct pbt_error *error)
{
    if (result->count == PBT_RESULT_METRICS_MAX) {
        return pbt_error_set(error, PBT_EUSAGE, "more than %d metrics",
                             PBT_RESULT_METRICS_MAX);
    }
    if (result->count == result->capacity) {
        size_t capacity = result->capacity == 0 ? 8 : 2 * result->capacity;
        struct pbt_metric *metrics =
            realloc(result->metrics, capacity * sizeof *metrics);
        if (metrics == NULL) {
            return pbt_error_set(error, PBT_ENOMEM, "out of memory");
        }
        result->metrics = metrics;
        result->capacity = capacity;
    }
    struct pbt_metric *metric = &result->metrics[result->count];
    *metric = (struct pbt_metric){.name = strdup(name)};
    if (metric->name == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    result->count++;
    *added = metric;
    return PBT_OK;
}

/* Finds or makes the place for a metric that a trainable reports. */
static int report(struct pbt_result *result, const char *name,
                  struct pbt_metric **metric, struct pbt_error *error)
{
    *metric = find(result, name);
    if (*metric != NULL && (*metric)->set) {
        return PBT_OK; /* a derived one is never set before */
    }
    size_t length = strlen(name);
    if (length == 0 || length > NAME_MAX_LENGTH ||
        pbt_utf8_span(name, length) != length) {
        return pbt_error_set(
            error, PBT_EUSAGE,
            "the name of a metric has to be UTF-8 of 1 to %zu bytes",
            NAME_MAX_LENGTH);
    }
    if (pbt_metric_reserved(name) || strcmp(name, "timesteps_total") == 0 ||
        strcmp(name, "episodes_total") == 0) {
        return pbt_error_set(
            error, PBT_EUSAGE,
            "metric \"%s\" can't be reported: pbt fills it itself", name);
    }
    return *metric != NULL ? PBT_OK : add(result, name, metric, error);
}

int pbt_result_real(struct pbt_result *result, const char *name, double value,
                    struct pbt_error *error)
{
    struct pbt_metric *metric;
    int status = report(result, name, &metric, error);
    if (status != PBT_OK) {
        return status;
    }
    metric->set = true;
    metric->kind = PBT_METRIC_REAL;
    metric->real = value;
    return PBT_OK;
}

int pbt_result_int(struct pbt_result *result, const char *name, int64_t value,
                   struct pbt_error *error)
{
    struct pbt_metric *metric;
    int status = report(result, name, &metric, error);
    if (status != PBT_OK) {
        return status;
    }
    metric->set = true;
    metric->kind = PBT_METRIC_INT;
    metric->integer = value;
    return PBT_OK;
}

int pbt_result_text(struct pbt_result *result, const char *name,
                    const char *value, struct pbt_error *error)
{
    struct pbt_metric *metric;
    int status = report(result, name, &metric, error);
    if (status != PBT_OK) {
        return status;
    }
    size_t length = strlen(value);
    if (length > PBT_RESULT_TEXT_MAX ||
        pbt_utf8_span(value, length) != length) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "metric \"%s\": a text has to be UTF-8 of at most "
                             "%d bytes",
                             name, PBT_RESULT_TEXT_MAX);
    }
    char *copy = strdup(value);
    if (copy == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    free(metric->text);
    metric->text = copy;
    metric->kind = PBT_METRIC_TEXT;
    metric->set = true;
    return PBT_OK;
}

void pbt_result_done(struct pbt_result *result)
{
    result->done = true;
}

/* The number reported under `name` in this step. */
static bool reported(struct pbt_result *result, const char *name, double *value)
{
    const struct pbt_metric *metric = find(result, name);
    if (metric == NULL || !metric->set || metric->kind == PBT_METRIC_TEXT) {
        return false;
    }
    *value =
        metric->kind == PBT_METRIC_INT ? (double)metric->integer : metric->real;
    return true;
}

static int put_derived(struct pbt_result *result, const char *name,
                       double value, struct pbt_error *error)
{
    struct pbt_metric *metric = find(result, name);
    if (metric == NULL) {
        int status = add(result, name, &metric, error);
        if (status != PBT_OK) {
            return status;
        }
    }
    assert(metric != NULL);
    bool whole =
        fabs(value) < (double)EXACT_MAX && value == (double)(int64_t)value;
    metric->set = true;
    metric->kind = whole ? PBT_METRIC_INT : PBT_METRIC_REAL;
    metric->integer = whole ? (int64_t)value : 0;
    metric->real = value;
    return PBT_OK;
}

static int count_up(struct pbt_result *result, struct pbt_total *total,
                    const char *increment_name, const char *total_name,
                    struct pbt_error *error)
{
    double increment;
    if (reported(result, increment_name, &increment)) {
        total->known = true;
        total->sum += increment;
    }
    return total->known ? put_derived(result, total_name, total->sum, error)
                        : PBT_OK;
}

/* What follows from the metrics by Ray's rules. */
static int derive(struct pbt_result *result, struct pbt_totals *totals,
                  struct pbt_error *error)
{
    double loss;
    int status = count_up(result, &totals->timesteps, "timesteps_this_iter",
                          "timesteps_total", error);
    if (status == PBT_OK) {
        status = count_up(result, &totals->episodes, "episodes_this_iter",
                          "episodes_total", error);
    }
    if (status == PBT_OK && reported(result, "mean_loss", &loss) && loss != 0) {
        status = put_derived(result, "neg_mean_loss", -loss, error);
    }
    return status;
}

static void put_metric(struct pbt_buf *out, const struct pbt_metric *metric)
{
    pbt_buf_json_string(out, metric->name, strlen(metric->name));
    pbt_buf_char(out, ':');
    if (metric->kind == PBT_METRIC_REAL) {
        pbt_buf_real(out, metric->real);
    } else if (metric->kind == PBT_METRIC_TEXT) {
        pbt_buf_json_string(out, metric->text, strlen(metric->text));
    } else if (metric->integer > EXACT_MAX || metric->integer < -EXACT_MAX) {
        pbt_buf_char(out, '"');
        pbt_buf_i64(out, metric->integer);
        pbt_buf_char(out, '"');
    } else {
        pbt_buf_i64(out, metric->integer);
    }
}

int pbt_result_finish(struct pbt_result *result, struct pbt_totals *totals,
                      struct pbt_buf *out, struct pbt_error *error)
{
    int status = derive(result, totals, error);
    if (status != PBT_OK) {
        return status;
    }
    char before = '{';
    for (size_t i = 0; i < result->count; i++) {
        if (result->metrics[i].set) {
            pbt_buf_char(out, before);
            put_metric(out, &result->metrics[i]);
            before = ',';
        }
    }
    pbt_buf_text(out, before == '{' ? "{}" : "}");
    if (pbt_buf_failed(out)) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "the metrics of one step are longer than %zu "
                             "bytes, or memory is short",
                             out->limit);
    }
    return PBT_OK;
}
