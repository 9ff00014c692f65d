/*
 * status.c: the block, in Ray's words and order.  What takes time is the width of the
 * table, not the population: only the rows that are shown are laid out.
 */
#include "view/status.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/printable.h"
#include "view/memory.h"
#include "view/table.h"
#include "view/trial_table.h"

#define ROWS_MAX 20
#define PARAMETERS_MAX ((size_t)16 * 1024 * 1024)
#define GIB (1024.0 * 1024.0 * 1024.0)
/* A table's frame and title. */
#define FRAME_LINES 4U

/* What is shown of each state. */
struct share {
    uint32_t total[PBT_TRIAL_STATUSES];
    uint32_t shown[PBT_TRIAL_STATUSES];
    uint32_t trials;
};

static const enum pbt_trial_status alphabetical[PBT_TRIAL_STATUSES] = {
    PBT_TRIAL_ERROR, PBT_TRIAL_PAUSED, PBT_TRIAL_PENDING, PBT_TRIAL_RUNNING,
    PBT_TRIAL_TERMINATED};

/* Hands the rows out one by one, state after state, while there are any. */
static void share_rows(struct share *share, uint32_t rows)
{
    bool any = true;
    while (rows > 0 && any) {
        any = false;
        for (int i = 0; i < PBT_TRIAL_STATUSES && rows > 0; i++) {
            enum pbt_trial_status status = alphabetical[i];
            if (share->shown[status] < share->total[status]) {
                share->shown[status]++;
                rows--;
                any = true;
            }
        }
    }
}

static void count(const struct pbt_board *board, struct share *share)
{
    *share = (struct share){0};
    for (uint32_t i = 0; i < board->spec->settings.population; i++) {
        if (board->trials[i].created) {
            share->total[board->trials[i].status]++;
            share->trials++;
        }
    }
}

/* --- the lines above the table ------------------------------------------- */

static void put_time(const struct pbt_status_options *options,
                     struct pbt_buf *out)
{
    char text[32];
    struct tm tm;
    time_t second = (time_t)(options->now / 1000000000);
    if (localtime_r(&second, &tm) == NULL ||
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S", &tm) == 0) {
        text[0] = '\0';
    }
    uint64_t hundredths = options->running_ns / 10000000;
    uint64_t days = hundredths / 8640000;
    pbt_buf_printf(out, "Current time: %s (running for ", text);
    if (days > 0) {
        pbt_buf_printf(out, "%" PRIu64 " days, ", days);
    }
    pbt_buf_printf(out,
                   "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64 ".%02" PRIu64 ")\n",
                   hundredths / 360000 % 24, hundredths / 6000 % 60,
                   hundredths / 100 % 60, hundredths % 100);
}

static void put_memory(const struct pbt_status_options *options,
                       struct pbt_buf *out)
{
    uint64_t used = options->memory_used;
    uint64_t total = options->memory_total;
    if (total > 0 || pbt_memory_look_up(&used, &total)) {
        pbt_buf_printf(out, "Memory usage on this node: %.1f/%.1f GiB\n",
                       (double)used / GIB, (double)total / GIB);
    }
}

static void put_scheduler(const struct pbt_board *board, struct pbt_buf *out)
{
    if (board->spec->settings.scheduler == PBT_SCHEDULER_FIFO) {
        pbt_buf_text(out, "Using FIFO scheduling algorithm.\n");
    } else {
        pbt_buf_printf(out,
                       "PopulationBasedTraining: %" PRIu64
                       " checkpoints, %" PRIu64 " perturbs\n",
                       board->checkpoints, board->perturbations);
    }
}

static void put_resources(const struct pbt_board *board, uint32_t running,
                          struct pbt_buf *out)
{
    const struct pbt_spec *spec = board->spec;
    double budget = spec->resources_cpu > 0
                        ? spec->resources_cpu
                        : spec->trial_cpu * (double)board->slots;
    pbt_buf_printf(out, "Resources requested: %g/%g CPUs",
                   spec->trial_cpu * (double)running, budget);
    if (spec->trial_gpu > 0) {
        uint32_t shared = pbt_spec_gpu_shares(spec);
        double gpus = shared > 0 ? ceil((double)board->slots / shared)
                                 : spec->trial_gpu * (double)board->slots;
        pbt_buf_printf(out, ", %g/%g GPUs", spec->trial_gpu * (double)running,
                       spec->resources_gpu > 0 ? spec->resources_gpu : gpus);
    }
    pbt_buf_char(out, '\n');
}

static void put_best(const struct pbt_board *board, struct pbt_buf *out)
{
    if (!board->has_best || board->spec->metric == NULL) {
        return;
    }
    struct pbt_buf text;
    struct pbt_buf json;
    pbt_buf_init(&text, PARAMETERS_MAX);
    pbt_buf_init(&json, PARAMETERS_MAX);
    pbt_buf_printf(&text, "Current best trial: %s with %s=",
                   board->trials[board->best_trial].id, board->spec->metric);
    pbt_buf_real(&text, board->best_score);
    pbt_buf_text(&text, " and parameters=");
    pbt_spec_config_json(board->spec, board->best_cells, &json);
    json_t *config = pbt_buf_failed(&json)
                         ? NULL
                         : json_loadb(json.data, json.length, 0, NULL);
    pbt_python_repr(&text, config);
    if (!pbt_buf_failed(&text)) {
        pbt_printable_put(out, text.data, text.length, false);
    }
    pbt_buf_char(out, '\n');
    json_decref(config);
    pbt_buf_done(&json);
    pbt_buf_done(&text);
}

static void put_counts(const struct pbt_board *board, const struct share *share,
                       struct pbt_buf *out)
{
    pbt_buf_printf(out, "Number of trials: %" PRIu32 "/%" PRIu32, share->trials,
                   board->spec->settings.population);
    const char *before = " (";
    for (int i = 0; i < PBT_TRIAL_STATUSES; i++) {
        enum pbt_trial_status status = alphabetical[i];
        if (share->total[status] > 0) {
            pbt_buf_printf(out, "%s%" PRIu32 " %s", before,
                           share->total[status], pbt_trial_status_name(status));
            before = ", ";
        }
    }
    pbt_buf_text(out, share->trials > 0 ? ")\n" : "\n");
}

static void put_head(const struct pbt_board *board,
                     const struct pbt_status_options *options,
                     const struct share *share, struct pbt_buf *out)
{
    pbt_buf_text(out, "== Status ==\n");
    put_time(options, out);
    put_memory(options, out);
    put_scheduler(board, out);
    put_resources(board, share->total[PBT_TRIAL_RUNNING], out);
    put_best(board, out);
    if (options->result_dir != NULL) {
        pbt_buf_printf(out, "Result logdir: %s\n", options->result_dir);
    }
    put_counts(board, share, out);
}

/* --- the tables ---------------------------------------------------------- */

/* The trials that are shown, in the order of their rows. */
static uint32_t choose_rows(const struct pbt_board *board,
                            const struct share *share, uint32_t *rows)
{
    uint32_t chosen = 0;
    for (int status = 0; status < PBT_TRIAL_STATUSES; status++) {
        uint32_t left = share->shown[status];
        for (uint32_t i = 0; left > 0 && i < board->spec->settings.population;
             i++) {
            const struct pbt_board_trial *trial = &board->trials[i];
            if (trial->created && (int)trial->status == status) {
                rows[chosen++] = i;
                left--;
            }
        }
    }
    return chosen;
}

static void put_trials(const struct pbt_board *board, const struct share *share,
                       uint32_t columns, struct pbt_buf *out)
{
    uint32_t *rows = calloc((size_t)share->trials + 1, sizeof *rows);
    if (rows == NULL) {
        out->failed = true;
        return;
    }
    uint32_t chosen = choose_rows(board, share, rows);
    pbt_trial_table_print(board, rows, chosen, columns, out);
    if (chosen < share->trials) {
        pbt_buf_printf(out, "... %" PRIu32 " more trials not shown",
                       share->trials - chosen);
        const char *before = " (";
        for (int i = 0; i < PBT_TRIAL_STATUSES; i++) {
            uint32_t more = share->total[i] - share->shown[i];
            if (more > 0) {
                pbt_buf_printf(out, "%s%" PRIu32 " %s", before, more,
                               pbt_trial_status_name((enum pbt_trial_status)i));
                before = ", ";
            }
        }
        pbt_buf_text(out, ")\n");
    }
    free(rows);
}

static void put_errors(const struct pbt_board *board,
                       const struct pbt_status_options *options, uint32_t total,
                       uint32_t rows, struct pbt_buf *out)
{
    struct pbt_table table;
    uint32_t shown = 0;
    pbt_buf_printf(out, "Number of errored trials: %" PRIu32 "\n", total);
    if (rows == 0) {
        return;
    }
    pbt_table_init(&table);
    uint32_t name = pbt_table_column(&table, "Trial name", PBT_TABLE_KEEP);
    uint32_t failures = pbt_table_column(&table, "# failures", PBT_TABLE_KEEP);
    uint32_t file = pbt_table_column(&table, "error file", 0);
    for (uint32_t i = 0; shown < rows && i < board->spec->settings.population;
         i++) {
        const struct pbt_board_trial *trial = &board->trials[i];
        if (trial->status != PBT_TRIAL_ERROR) {
            continue;
        }
        char path[1024];
        (void)snprintf(path, sizeof path, "%s%s%s/error.txt",
                       options->result_dir == NULL ? "" : options->result_dir,
                       options->result_dir == NULL ? "" : "/", trial->id);
        pbt_table_row(&table);
        pbt_table_text(&table, name, trial->id, strlen(trial->id));
        pbt_table_integer(&table, failures, trial->failures);
        pbt_table_text(&table, file, path, strlen(path));
        shown++;
    }
    pbt_table_print(&table, options->columns, out);
    pbt_table_done(&table);
    if (shown < total) {
        pbt_buf_printf(out, "... %" PRIu32 " more errored trials not shown\n",
                       total - shown);
    }
}

/* --- the block ----------------------------------------------------------- */

static uint32_t count_lines(const struct pbt_buf *out, size_t start)
{
    uint32_t lines = 0;
    for (size_t i = start; i < out->length; i++) {
        lines += out->data[i] == '\n' ? 1 : 0;
    }
    return lines;
}

static uint32_t least(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/*
 * How many rows each table has: at least one for trials, and for errors what is left over
 * when they have at most a third.
 */
static void plan_rows(const struct share *share, uint32_t lines_left,
                      bool unlimited, uint32_t *trials, uint32_t *errors)
{
    uint32_t errored = share->total[PBT_TRIAL_ERROR];
    *trials = unlimited ? share->trials : least(share->trials, ROWS_MAX);
    *errors = unlimited ? errored : least(errored, ROWS_MAX);
    if (lines_left == UINT32_MAX) {
        return;
    }
    if (errored > 0) {
        /* Its line, the frame, and that there are more. */
        uint32_t beside = 1 + FRAME_LINES + 1;
        uint32_t third = lines_left / 3;
        *errors = least(*errors, third > beside ? third - beside : 0);
        lines_left -= least(lines_left, *errors > 0 ? beside + *errors : 1);
    }
    bool all = *trials == share->trials && *trials + FRAME_LINES <= lines_left;
    uint32_t beside = FRAME_LINES + (all ? 0U : 1U);
    *trials = least(*trials, lines_left > beside ? lines_left - beside : 1);
}

void pbt_status_print(const struct pbt_board *board,
                      const struct pbt_status_options *options,
                      struct pbt_buf *out)
{
    struct share share;
    size_t start = out->length;
    count(board, &share);
    put_head(board, options, &share, out);
    uint32_t lines_left = UINT32_MAX;
    if (options->lines > 0 && !options->unlimited) {
        /* The last line of a screen stays free: the cursor is there. */
        uint32_t used = count_lines(out, start) + 1;
        lines_left = options->lines - least(options->lines, used);
    }
    uint32_t rows;
    uint32_t error_rows;
    plan_rows(&share, lines_left, options->unlimited, &rows, &error_rows);
    share_rows(&share, rows);
    if (share.trials > 0) {
        put_trials(board, &share, options->columns, out);
    }
    if (share.total[PBT_TRIAL_ERROR] > 0) {
        put_errors(board, options, share.total[PBT_TRIAL_ERROR], error_rows,
                   out);
    }
}
