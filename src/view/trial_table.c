#include "view/trial_table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/width.h"
#include "wire/message.h"

/* Ray's infer_limit, and its known metrics in the order of their columns. */
#define INFERRED_MAX 3
#define METRICS_MAX 16
/* Texts longer than this are cut. */
#define TEXT_COLUMNS 20

/* Where the room is short the least goes first. */
enum keep {
    KEEP_LOC,
    KEEP_EVENT,
    KEEP_INFERRED,
    KEEP_KNOWN,
    KEEP_TIME,
    KEEP_RANK,
    KEEP_PARAM,
};

static const struct known {
    const char *name;
    const char *label;
    uint32_t keep;
} known[] = {
    {"mean_accuracy", "acc", KEEP_KNOWN},
    {"mean_loss", "loss", KEEP_KNOWN},
    {"training_iteration", "iter", PBT_TABLE_KEEP},
    {"time_total_s", "total time (s)", KEEP_TIME},
    {"timesteps_total", "ts", KEEP_KNOWN},
    {"episode_reward_mean", "reward", KEEP_KNOWN},
};
#define KNOWN_COUNT (sizeof known / sizeof known[0])

/* Numbers that results have beside metrics, and that say nothing here. */
static const char *const uninteresting[] = {
    "time_this_iter_s",
    "timesteps_this_iter",
    "episodes_this_iter",
    "episodes_total",
    "timestamp",
    "pid",
    "time_since_restore",
    "iterations_since_restore",
    "timesteps_since_restore",
    "epoch",
    "seq",
};

struct metric {
    const char *name; /* borrowed from the board */
    uint32_t column;
};

struct trial_table {
    const struct pbt_board *board;
    struct pbt_table table;
    uint32_t name;
    uint32_t status;
    uint32_t rank;
    uint32_t loc;
    uint32_t event;
    const uint32_t *ranks; /* NULL: no such column */
    bool events;           /* there is such a column */
    /* Indices of the parameters that differ between trials, by name. */
    uint32_t *params;
    uint32_t *param_columns;
    uint32_t param_count;
    struct metric metrics[METRICS_MAX];
    uint32_t metric_count;
};

/* --- columns ------------------------------------------------------------- */

static bool is_uninteresting(const char *name)
{
    for (size_t i = 0; i < sizeof uninteresting / sizeof uninteresting[0];
         i++) {
        if (strcmp(name, uninteresting[i]) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_known(const char *name)
{
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        if (strcmp(name, known[i].name) == 0) {
            return true;
        }
    }
    return false;
}

static bool has_metric(const struct trial_table *t, const char *name)
{
    for (uint32_t i = 0; i < t->metric_count; i++) {
        if (strcmp(t->metrics[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_metric(struct trial_table *t, const char *name,
                       const char *label, uint32_t keep)
{
    const char *main = t->board->spec->metric;
    if (t->metric_count < METRICS_MAX) {
        if (main != NULL && strcmp(main, name) == 0) {
            keep = PBT_TABLE_KEEP;
        }
        t->metrics[t->metric_count++] = (struct metric){
            .name = name, .column = pbt_table_column(&t->table, label, keep)};
    }
}

/* The metric that trials are ranked by, which is not in every result (require_attrs: false). */
static bool is_older_score(const struct pbt_board *board,
                           const struct pbt_board_trial *trial,
                           const char *name)
{
    double newest;
    return board->spec->metric != NULL &&
           strcmp(name, board->spec->metric) == 0 && isfinite(trial->score) &&
           !pbt_metric_number(trial->metrics, name, &newest);
}

/* Whether any trial has reported a metric; the two of ours go with any. */
static bool was_reported(const struct pbt_board *board, const char *name,
                         bool ours)
{
    for (uint32_t i = 0; i < board->spec->settings.population; i++) {
        const struct pbt_board_trial *trial = &board->trials[i];
        if (trial->metrics != NULL &&
            (ours || pbt_json_member(trial->metrics, name) != NULL ||
             is_older_score(board, trial, name))) {
            return true;
        }
    }
    return false;
}

/* Adds what other numbers a trial reports. */
static void infer_metrics(struct trial_table *t, const json_t *metrics,
                          uint32_t limit)
{
    const char *key;
    json_t *value;
    /* jansson's loop wants an object that it could change, and doesn't. */
    json_object_foreach((json_t *)(uintptr_t)metrics, key, value)
    {
        if (t->metric_count >= limit) {
            return;
        }
        if (json_is_number(value) && !is_known(key) && !is_uninteresting(key) &&
            !has_metric(t, key)) {
            add_metric(t, key, key, KEEP_INFERRED);
        }
    }
}

/* Those that the user wants, where any trial has reported them. */
static void add_wanted_metrics(struct trial_table *t)
{
    char *const *columns = t->board->spec->metric_columns;
    for (size_t i = 0; columns[i] != NULL; i += 2) {
        bool ours = strcmp(columns[i], "training_iteration") == 0 ||
                    strcmp(columns[i], "time_total_s") == 0;
        if (was_reported(t->board, columns[i], ours)) {
            add_metric(t, columns[i], columns[i + 1], KEEP_KNOWN);
        }
    }
}

static void add_metrics(struct trial_table *t)
{
    const struct pbt_board *board = t->board;
    if (board->spec->metric_columns != NULL) {
        add_wanted_metrics(t);
        return;
    }
    const char *main = board->spec->metric;
    for (size_t i = 0; i < KNOWN_COUNT; i++) {
        bool ours =
            strcmp(known[i].label, "iter") == 0 || known[i].keep == KEEP_TIME;
        if (was_reported(board, known[i].name, ours)) {
            add_metric(t, known[i].name, known[i].label, known[i].keep);
        }
    }
    if (main != NULL && !has_metric(t, main) &&
        was_reported(board, main, false)) {
        add_metric(t, main, main, PBT_TABLE_KEEP);
    }
    uint32_t limit = t->metric_count + INFERRED_MAX;
    limit = limit < METRICS_MAX ? limit : METRICS_MAX;
    for (uint32_t i = 0;
         i < board->spec->settings.population && t->metric_count < limit; i++) {
        if (board->trials[i].metrics != NULL) {
            infer_metrics(t, board->trials[i].metrics, limit);
        }
    }
}

static bool is_evaluated(const struct pbt_param *param)
{
    return param->mutation != PBT_MUTATION_NONE ||
           param->initial.kind > PBT_DOMAIN_CONSTANT;
}

/* By name; there are few, and they are nearly always sorted already. */
static void sort_params(struct trial_table *t)
{
    const struct pbt_param *params = t->board->spec->settings.space.params;
    for (uint32_t i = 1; i < t->param_count; i++) {
        uint32_t param = t->params[i];
        uint32_t at = i;
        while (at > 0 &&
               strcmp(params[t->params[at - 1]].name, params[param].name) > 0) {
            t->params[at] = t->params[at - 1];
            at--;
        }
        t->params[at] = param;
    }
}

static uint32_t find_param(const struct pbt_space *space, const char *name)
{
    uint32_t i = 0;
    while (i < space->count && strcmp(space->params[i].name, name) != 0) {
        i++;
    }
    return i;
}

/* Those that the user wants; the reader has seen that they are there. */
static void add_wanted_params(struct trial_table *t)
{
    const struct pbt_space *space = &t->board->spec->settings.space;
    char *const *columns = t->board->spec->parameter_columns;
    for (size_t i = 0; columns[i] != NULL && t->param_count < space->count;
         i += 2) {
        uint32_t param = find_param(space, columns[i]);
        if (param < space->count) {
            t->params[t->param_count] = param;
            t->param_columns[t->param_count++] =
                pbt_table_column(&t->table, columns[i + 1], KEEP_PARAM);
        }
    }
}

static bool add_params(struct trial_table *t)
{
    const struct pbt_space *space = &t->board->spec->settings.space;
    t->params = calloc((size_t)space->count + 1, sizeof *t->params);
    t->param_columns =
        calloc((size_t)space->count + 1, sizeof *t->param_columns);
    if (t->params == NULL || t->param_columns == NULL) {
        return false;
    }
    if (t->board->spec->parameter_columns != NULL) {
        add_wanted_params(t);
        return true;
    }
    for (uint32_t i = 0; i < space->count; i++) {
        if (is_evaluated(&space->params[i])) {
            t->params[t->param_count++] = i;
        }
    }
    sort_params(t);
    for (uint32_t i = 0; i < t->param_count; i++) {
        t->param_columns[i] = pbt_table_column(
            &t->table, space->params[t->params[i]].name, KEEP_PARAM);
    }
    return true;
}

static bool add_columns(struct trial_table *t)
{
    t->name = pbt_table_column(&t->table, "Trial name", PBT_TABLE_KEEP);
    t->status = pbt_table_column(&t->table, "status", PBT_TABLE_KEEP);
    if (t->ranks != NULL) {
        t->rank = pbt_table_column(&t->table, "rank", KEEP_RANK);
    }
    t->loc = pbt_table_column(&t->table, "loc", KEEP_LOC);
    if (!add_params(t)) {
        return false;
    }
    add_metrics(t);
    if (t->events) {
        t->event = pbt_table_column(&t->table, "perturbed", KEEP_EVENT);
    }
    return true;
}

/* --- rows ---------------------------------------------------------------- */

/* A text, with its end only if it is long. */
static void put_text(struct trial_table *t, uint32_t column, const char *text,
                     size_t length)
{
    if (pbt_text_width(text, length) <= TEXT_COLUMNS) {
        pbt_table_text(&t->table, column, text, length);
        return;
    }
    char cut[4 * TEXT_COLUMNS + 8] = "...";
    size_t fits = pbt_text_fit(text, length, TEXT_COLUMNS - 3);
    if (fits > sizeof cut - 8) {
        fits = 0; /* a heap of combining marks */
    }
    memcpy(cut, text, fits);
    memcpy(cut + fits, "...", sizeof "...");
    pbt_table_text(&t->table, column, cut, fits + 3);
}

static void put_cell(struct trial_table *t, uint32_t column,
                     struct pbt_cell cell)
{
    if (cell.type == PBT_CELL_INT) {
        pbt_table_integer(&t->table, column, cell.u.i);
    } else if (cell.type == PBT_CELL_REAL) {
        pbt_table_real(&t->table, column, cell.u.r);
    } else if (cell.type != PBT_CELL_NONE) {
        struct pbt_buf text;
        pbt_buf_init(&text, (size_t)1024 * 1024);
        pbt_shape_cell_repr(t->board->spec, cell, false, &text);
        if (text.data != NULL) {
            put_text(t, column, text.data, text.length);
        }
        pbt_buf_done(&text);
    }
}

static void put_json(struct trial_table *t, uint32_t column,
                     const json_t *value)
{
    const char *text = json_string_value(value);
    if (json_is_integer(value)) {
        pbt_table_integer(&t->table, column, json_integer_value(value));
    } else if (json_is_real(value)) {
        pbt_table_real(&t->table, column, json_real_value(value));
    } else if (text != NULL && strcmp(text, "NaN") == 0) {
        pbt_table_real(&t->table, column, (double)NAN);
    } else if (text != NULL && strcmp(text, "Infinity") == 0) {
        pbt_table_real(&t->table, column, (double)INFINITY);
    } else if (text != NULL && strcmp(text, "-Infinity") == 0) {
        pbt_table_real(&t->table, column, -(double)INFINITY);
    } else if (text != NULL) {
        put_text(t, column, text, strlen(text));
    }
}

static void put_metrics(struct trial_table *t,
                        const struct pbt_board_trial *trial)
{
    if (trial->metrics == NULL) {
        return;
    }
    for (uint32_t i = 0; i < t->metric_count; i++) {
        const struct metric *metric = &t->metrics[i];
        if (strcmp(metric->name, "training_iteration") == 0) {
            pbt_table_integer(&t->table, metric->column, trial->iteration);
        } else if (strcmp(metric->name, "time_total_s") == 0) {
            pbt_table_real(&t->table, metric->column, trial->time_total);
        } else if (is_older_score(t->board, trial, metric->name)) {
            pbt_table_real(&t->table, metric->column, trial->score);
        } else {
            put_json(t, metric->column,
                     pbt_json_member(trial->metrics, metric->name));
        }
    }
}

/* "<- 00003 @ 40  lr x1.2": from whose weights it goes on, and what was changed; or that it
 * no longer does: "<- 00003 @ 40  undone". */
static void put_event(struct trial_table *t,
                      const struct pbt_board_trial *trial)
{
    char text[128];
    const char *id = t->board->trials[trial->donor].id;
    const char *number = strchr(id, '_');
    const char *changes = trial->last_undone ? "undone" : trial->changes;
    int n = snprintf(text, sizeof text, "<- %s @ %" PRId64 "%s%s",
                     number == NULL ? id : number + 1, trial->donor_iteration,
                     changes[0] == '\0' ? "" : "  ", changes);
    pbt_table_text(&t->table, t->event, text, n > 0 ? (size_t)n : 0);
}

static void put_row(struct trial_table *t, uint32_t index)
{
    const struct pbt_board_trial *trial = &t->board->trials[index];
    const char *status = pbt_trial_status_name(trial->status);
    pbt_table_row(&t->table);
    pbt_table_text(&t->table, t->name, trial->id, strlen(trial->id));
    pbt_table_text(&t->table, t->status, status, strlen(status));
    if (t->ranks != NULL && t->ranks[index] > 0) {
        pbt_table_integer(&t->table, t->rank, t->ranks[index]);
    }
    if (trial->pid != 0) {
        char loc[sizeof trial->host + 24];
        int n =
            snprintf(loc, sizeof loc, "%s:%" PRId64, trial->host, trial->pid);
        pbt_table_text(&t->table, t->loc, loc, n > 0 ? (size_t)n : 0);
    }
    for (uint32_t i = 0; i < t->param_count; i++) {
        put_cell(t, t->param_columns[i], trial->cells[t->params[i]]);
    }
    put_metrics(t, trial);
    if (t->events && (trial->exploits > 0 || trial->last_undone)) {
        put_event(t, trial);
    }
    if (trial->status == PBT_TRIAL_ERROR) {
        pbt_table_style(&t->table, "31");
    } else if (t->board->has_best && t->board->best_trial == index) {
        pbt_table_style(&t->table, "1");
    }
}

uint32_t pbt_trial_table_print(const struct pbt_board *board,
                               const struct pbt_rows *rows,
                               const struct pbt_table_look *look,
                               struct pbt_buf *out)
{
    struct trial_table t = {
        .board = board,
        .ranks = rows->ranks,
        .events = look->width > 0 && board->perturbations + board->undone > 0,
    };
    uint32_t dropped = 0;
    pbt_table_init(&t.table);
    t.table.title_columns = look->width > 0 ? TEXT_COLUMNS : 0;
    if (add_columns(&t)) {
        for (uint32_t i = 0; i < rows->count; i++) {
            put_row(&t, rows->trials[i]);
        }
        dropped = pbt_table_print(&t.table, look, out);
    } else {
        out->failed = true;
    }
    free(t.params);
    free(t.param_columns);
    pbt_table_done(&t.table);
    return dropped;
}
