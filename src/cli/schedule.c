/*
 * pbt schedule: the hyperparameters behind weights, iteration by iteration, to be read or to
 * train by.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/results.h"
#include "base/shown.h"
#include "cli/schedule.h"
#include "log/csv.h"
#include "log/python.h"
#include "view/table.h"

enum format { TABLE, JSON, CSV, C, PYTHON };

const char *const pbt_cli_schedule_formats[] = {
    [TABLE] = "table", [JSON] = "json",     [CSV] = "csv",
    [C] = "c",         [PYTHON] = "python", NULL};

static const char *id_of(const struct pbt_results *results, uint32_t trial)
{
    return pbt_results_trial(results, trial)->id;
}

void pbt_cli_schedule_title(struct pbt_buf *out,
                            const struct pbt_results *results,
                            const struct pbt_schedule *schedule)
{
    pbt_buf_printf(out,
                   "the hyperparameters behind %s of %s, iterations 1 to "
                   "%" PRId64,
                   id_of(results, schedule->trial),
                   pbt_results_run(results)->name, schedule->iteration);
}

/* --- for people ----------------------------------------------------------------- */

static bool is_constant(const struct pbt_schedule *schedule, uint32_t param)
{
    for (size_t i = 1; i < schedule->count; i++) {
        if (!pbt_cell_same(schedule->ranges[0].cells[param],
                           schedule->ranges[i].cells[param])) {
            return false;
        }
    }
    return true;
}

static void put_cell(struct pbt_table *table, uint32_t column,
                     const struct pbt_spec *spec, struct pbt_cell cell)
{
    struct pbt_buf text;
    switch ((enum pbt_cell_type)cell.type) {
    case PBT_CELL_INT:
        pbt_table_integer(table, column, cell.u.i);
        break;
    case PBT_CELL_REAL:
        pbt_table_real(table, column, pbt_shown_real(cell.u.r));
        break;
    case PBT_CELL_NONE:
    case PBT_CELL_BOOL:
    case PBT_CELL_TEXT:
        pbt_buf_init(&text, PBT_CLI_OUTPUT_MAX);
        pbt_shape_cell_repr(spec, cell, false, &text);
        table->failed = table->failed || pbt_buf_failed(&text);
        pbt_table_text(table, column, text.data, text.length);
        pbt_buf_done(&text);
        break;
    }
}

static void put_row(struct pbt_table *table, const struct pbt_results *results,
                    const struct pbt_schedule *schedule, size_t row)
{
    const struct pbt_schedule_range *range = &schedule->ranges[row];
    const char *id = id_of(results, range->trial);
    char text[64];
    int length = range->last < range->first
                     ? snprintf(text, sizeof text, "%" PRId64 "-", range->first)
                     : snprintf(text, sizeof text, "%" PRId64 "-%" PRId64,
                                range->first, range->last);
    uint32_t column = 2;
    pbt_table_row(table);
    pbt_table_text(table, 0, text, (size_t)length);
    pbt_table_text(table, 1, id, strlen(id));
    for (uint32_t i = 0; i < schedule->spec->settings.space.count; i++) {
        if (!is_constant(schedule, i)) {
            put_cell(table, column++, schedule->spec, range->cells[i]);
        }
    }
}

/* What never changed stands below, once. */
static void put_constants(struct pbt_buf *out,
                          const struct pbt_schedule *schedule)
{
    const struct pbt_space *space = &schedule->spec->settings.space;
    bool any = false;
    for (uint32_t i = 0; i < space->count; i++) {
        if (is_constant(schedule, i)) {
            struct pbt_cell cell = schedule->ranges[0].cells[i];
            if (cell.type == PBT_CELL_REAL) {
                cell.u.r = pbt_shown_real(cell.u.r);
            }
            pbt_buf_printf(out, "%s%s=", any ? ", " : "throughout: ",
                           space->params[i].name);
            pbt_shape_cell_repr(schedule->spec, cell, false, out);
            any = true;
        }
    }
    pbt_buf_text(out, any ? "\n" : "");
}

static void put_table(struct pbt_buf *out, const struct pbt_results *results,
                      const struct pbt_schedule *schedule)
{
    const struct pbt_space *space = &schedule->spec->settings.space;
    struct pbt_table_look look = {.short_reals = false};
    struct pbt_screen screen;
    struct pbt_table table;
    pbt_screen_init(&screen, STDOUT_FILENO, PBT_COLOR_NEVER);
    look.width = screen.terminal ? pbt_screen_columns(&screen) : 0;
    pbt_table_init(&table);
    (void)pbt_table_column(&table, "iterations", PBT_TABLE_KEEP);
    (void)pbt_table_column(&table, "trained by", PBT_TABLE_KEEP);
    for (uint32_t i = 0; i < space->count; i++) {
        if (!is_constant(schedule, i)) {
            (void)pbt_table_column(&table, space->params[i].name, 0);
        }
    }
    for (size_t i = 0; i < schedule->count; i++) {
        put_row(&table, results, schedule, i);
    }
    pbt_cli_schedule_title(out, results, schedule);
    pbt_buf_char(out, '\n');
    uint32_t dropped = pbt_table_print(&table, &look, out);
    pbt_table_done(&table);
    if (dropped > 0) {
        pbt_buf_printf(out,
                       "... %" PRIu32 " more columns: make the terminal wider, "
                       "or use --format\n",
                       dropped);
    }
    put_constants(out, schedule);
}

/* --- as data -------------------------------------------------------------------- */

static void put_json(struct pbt_buf *out, const struct pbt_results *results,
                     const struct pbt_schedule *schedule)
{
    pbt_buf_printf(out, "{\"version\":1,\"trial\":\"%s\"",
                   id_of(results, schedule->trial));
    pbt_cli_json_text(out, "name", pbt_results_run(results)->name);
    pbt_buf_printf(out, ",\"iteration\":%" PRId64 ",\"ranges\":[",
                   schedule->iteration);
    for (size_t i = 0; i < schedule->count; i++) {
        const struct pbt_schedule_range *range = &schedule->ranges[i];
        pbt_buf_printf(out,
                       "%s{\"first\":%" PRId64 ",\"last\":", i > 0 ? "," : "",
                       range->first);
        if (range->last < range->first) {
            pbt_buf_text(out, "null");
        } else {
            pbt_buf_i64(out, range->last);
        }
        pbt_buf_printf(
            out, ",\"trial\":\"%s\",\"config\":", id_of(results, range->trial));
        pbt_spec_config_json(schedule->spec, range->cells, out);
        pbt_buf_char(out, '}');
    }
    pbt_buf_text(out, "]}\n");
}

/* Hyperparameters are called config/NAME, as in the tables of Ray Tune's results. */
static void put_csv(struct pbt_buf *out, const struct pbt_results *results,
                    const struct pbt_schedule *schedule)
{
    const struct pbt_space *space = &schedule->spec->settings.space;
    struct pbt_buf text;
    pbt_buf_init(&text, PBT_CLI_OUTPUT_MAX);
    pbt_buf_text(out, "first,last,trial");
    for (uint32_t i = 0; i < space->count; i++) {
        pbt_buf_reset(&text);
        pbt_buf_printf(&text, "config/%s", space->params[i].name);
        pbt_buf_char(out, ',');
        pbt_csv_put(out, text.data, text.length);
    }
    for (size_t i = 0; i < schedule->count; i++) {
        const struct pbt_schedule_range *range = &schedule->ranges[i];
        pbt_buf_printf(out, "\r\n%" PRId64 ",", range->first);
        if (range->last >= range->first) {
            pbt_buf_i64(out, range->last);
        }
        pbt_buf_printf(out, ",%s", id_of(results, range->trial));
        for (uint32_t k = 0; k < space->count; k++) {
            pbt_buf_reset(&text);
            pbt_shape_cell_repr(schedule->spec, range->cells[k], false, &text);
            out->failed = out->failed || pbt_buf_failed(&text);
            pbt_buf_char(out, ',');
            pbt_csv_put(out, text.data, text.length);
        }
    }
    pbt_buf_text(out, "\r\n");
    pbt_buf_done(&text);
}

/* --- the verb ------------------------------------------------------------------- */

static enum format format_of(const struct pbt_cli_call *call)
{
    const char *word = pbt_cli_value(call, "format");
    for (unsigned i = 0; word != NULL && pbt_cli_schedule_formats[i] != NULL;
         i++) {
        if (strcmp(word, pbt_cli_schedule_formats[i]) == 0) {
            return i;
        }
    }
    if (pbt_cli_given(call, "json")) {
        return JSON;
    }
    return TABLE;
}

static int print(const struct pbt_results *results,
                 const struct pbt_schedule *schedule, enum format format)
{
    struct pbt_buf out;
    pbt_buf_init(&out, PBT_CLI_OUTPUT_MAX);
    switch (format) {
    case TABLE:
        put_table(&out, results, schedule);
        break;
    case JSON:
        put_json(&out, results, schedule);
        break;
    case CSV:
        put_csv(&out, results, schedule);
        break;
    case C:
        pbt_cli_schedule_c(&out, results, schedule);
        break;
    case PYTHON:
        pbt_cli_schedule_python(&out, results, schedule);
        break;
    }
    return pbt_cli_print(&out);
}

static int show(const struct pbt_cli_call *call, struct pbt_results *results)
{
    struct pbt_schedule schedule;
    struct pbt_error error;
    const struct pbt_trial_info *trial;
    int status;
    if (call->count > 1) {
        status = pbt_cli_pick_trial(call, results, &trial);
        if (status != PBT_OK) {
            return status;
        }
        status =
            pbt_schedule_of_trial(&schedule, results, trial->number, &error);
    } else {
        status = pbt_schedule_of_best(&schedule, results, &error);
    }
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    status = print(results, &schedule, format_of(call));
    pbt_schedule_done(&schedule);
    return status;
}

int pbt_cli_schedule(const struct pbt_cli_call *call)
{
    char dir[PATH_MAX];
    struct pbt_results *results;
    if (call->count > 1 && pbt_cli_given(call, "best")) {
        return pbt_cli_usage(PBT_E0606, "schedule", call->args[1],
                             "leave this out, or --best",
                             "--best stands in the place of a trial");
    }
    int status = pbt_cli_open_results(call, dir, &results);
    if (status == PBT_OK) {
        status = show(call, results);
        pbt_results_close(results);
    }
    return status;
}
