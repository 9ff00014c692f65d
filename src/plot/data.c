#include "plot/data.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"

static int no_memory(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

/* --- results -------------------------------------------------------------- */

struct reading {
    struct pbt_data *data;
    const char *metric;
    enum pbt_plot_x x;
    double started;
};

static bool add_point(struct pbt_series *series, struct pbt_point point)
{
    struct pbt_point *points =
        pbt_list_room(series->points, series->count, sizeof *points);
    if (points == NULL) {
        return false;
    }
    series->points = points;
    points[series->count++] = point;
    return true;
}

static double x_of(const struct reading *reading, const struct pbt_row *row)
{
    switch (reading->x) {
    case PBT_PLOT_TIME_TOTAL:
        return row->time_total_s;
    case PBT_PLOT_TIMESTAMP:
        return row->timestamp - reading->started;
    case PBT_PLOT_ITERATION:
        break;
    }
    return (double)row->iteration;
}

static int take_row(void *user, const struct pbt_row *row)
{
    struct reading *reading = user;
    struct pbt_data *data = reading->data;
    struct pbt_point point = {.x = x_of(reading, row),
                              .y = row->time_this_iter_s,
                              .iteration = row->iteration,
                              .exploit = row->exploit,
                              .undone = row->undone};
    if (reading->metric != NULL &&
        !pbt_row_real(row, reading->metric, &point.y)) {
        return PBT_OK; /* not in every result */
    }
    if (!isfinite(point.y) || !isfinite(point.x)) {
        data->left_out += row->undone ? 0 : 1;
        return PBT_OK;
    }
    if (!point.undone) {
        data->x_low = fmin(data->x_low, point.x);
        data->x_high = fmax(data->x_high, point.x);
        data->y_low = fmin(data->y_low, point.y);
        data->y_high = fmax(data->y_high, point.y);
    }
    return add_point(&data->series[row->trial], point) ? PBT_OK : PBT_ENOMEM;
}

int pbt_data_read(struct pbt_data *data, struct pbt_results *results,
                  enum pbt_plot_x x, const char *metric,
                  struct pbt_error *error)
{
    const struct pbt_run_info *run = pbt_results_run(results);
    *data = (struct pbt_data){.trials = run->trials,
                              .x_low = (double)INFINITY,
                              .x_high = -(double)INFINITY,
                              .y_low = (double)INFINITY,
                              .y_high = -(double)INFINITY};
    data->series = calloc((size_t)run->trials + 1, sizeof *data->series);
    if (data->series == NULL) {
        return no_memory(error);
    }
    struct reading reading = {
        .data = data, .metric = metric, .x = x, .started = run->started};
    struct pbt_index_query query = {
        .trial = PBT_NONE, .metric = metric != NULL ? metric : "time_total_s"};
    int status = pbt_results_rows_of(results, &query, PBT_ROWS_ALL, take_row,
                                     &reading, error);
    return status == PBT_ENOMEM ? no_memory(error) : status;
}

void pbt_data_done(struct pbt_data *data)
{
    for (uint32_t i = 0; data->series != NULL && i < data->trials; i++) {
        free(data->series[i].points);
    }
    free(data->series);
    *data = (struct pbt_data){0};
}

/* --- spans ---------------------------------------------------------------- */

struct pbt_span *pbt_spans(const struct pbt_results *results, size_t *count,
                           struct pbt_error *error)
{
    size_t all;
    uint32_t trials = pbt_results_run(results)->trials;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(results, &all);
    struct pbt_span *spans = calloc(trials + all + 1, sizeof *spans);
    if (spans == NULL) {
        (void)no_memory(error);
        return NULL;
    }
    *count = 0;
    for (uint32_t i = 0; i < trials; i++) {
        spans[(*count)++] = (struct pbt_span){
            .trial = i,
            .exploit = PBT_NONE,
            .end = PBT_NONE,
            .until = pbt_results_trial(results, i)->iteration};
    }
    /* The first ones are where each trial's newest is found. */
    for (size_t i = 0; i < all; i++) {
        const struct pbt_exploit_info *exploit = &exploits[i];
        if (exploit->undone) {
            continue;
        }
        struct pbt_span *newest = &spans[exploit->trial];
        struct pbt_span ended = *newest;
        ended.end = (uint32_t)i;
        ended.until = exploit->iteration;
        spans[(*count)++] = ended;
        newest->exploit = (uint32_t)i;
        newest->from = exploit->donor_iteration;
    }
    return spans;
}

/* --- descent -------------------------------------------------------------- */

static int trace_back(struct pbt_descent *descent,
                      const struct pbt_results *results,
                      struct pbt_error *error)
{
    size_t all;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(results, &all);
    const struct pbt_trial_info *trial =
        pbt_results_trial(results, descent->trial);
    size_t count = 1;
    for (uint32_t i = trial->exploit; i != PBT_NONE; i = exploits[i].parent) {
        count++;
    }
    descent->items = calloc(count, sizeof *descent->items);
    if (descent->items == NULL) {
        return no_memory(error);
    }
    descent->count = count;
    uint32_t exploit = trial->exploit;
    struct pbt_span item = {
        .trial = trial->number, .end = PBT_NONE, .until = trial->iteration};
    for (size_t at = count; at > 0; at--) {
        item.exploit = exploit;
        item.from = exploit == PBT_NONE ? 0 : exploits[exploit].donor_iteration;
        descent->items[at - 1] = item;
        if (exploit != PBT_NONE) {
            item.trial = exploits[exploit].donor;
            item.until = exploits[exploit].donor_iteration;
            item.end = exploit;
            exploit = exploits[exploit].parent;
        }
    }
    return PBT_OK;
}

int pbt_descent_of_best(struct pbt_descent *descent,
                        const struct pbt_results *results,
                        struct pbt_error *error)
{
    const struct pbt_run_info *run = pbt_results_run(results);
    double sign = run->mode == PBT_MODE_MIN ? -1 : 1;
    double best = -(double)INFINITY;
    *descent = (struct pbt_descent){.trial = PBT_NONE};
    for (uint32_t i = 0; i < run->trials; i++) {
        double score = sign * pbt_results_trial(results, i)->score;
        if (isfinite(score) && score > best) {
            best = score;
            descent->trial = i;
        }
    }
    return descent->trial == PBT_NONE ? PBT_OK
                                      : trace_back(descent, results, error);
}

void pbt_descent_done(struct pbt_descent *descent)
{
    free(descent->items);
    *descent = (struct pbt_descent){0};
}

double pbt_exploit_dot(const struct pbt_results *results)
{
    size_t count;
    (void)pbt_results_exploits(results, &count);
    return fmax(1, fmin(3, 3 * sqrt(60 / fmax((double)count, 1))));
}

const char *pbt_trial_short_name(const struct pbt_results *results,
                                 uint32_t trial, char name[32])
{
    const char *id = pbt_results_trial(results, trial)->id;
    const char *end = strrchr(id, '_');
    (void)snprintf(name, 32, "%s", end != NULL ? end + 1 : id);
    return name;
}
