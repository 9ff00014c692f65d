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
#include "base/shown.h"
#include "view/memory.h"
#include "view/progress.h"
#include "view/rows.h"
#include "view/trial_table.h"
#include "base/width.h"

#define PARAMETERS_MAX ((size_t)16 * 1024 * 1024)
#define GIB (1024.0 * 1024.0 * 1024.0)
/* A table's frame and title. */
#define FRAME_LINES 4U
#define WARNINGS_MAX 8192
/* On terminals lower than this the head says less. */
#define LINES_LOW 20
#define LINES_VERY_LOW 16
#define LINES_TINY 10

static const enum pbt_trial_status alphabetical[PBT_TRIAL_STATUSES] = {
    PBT_TRIAL_ERROR, PBT_TRIAL_PAUSED, PBT_TRIAL_PENDING, PBT_TRIAL_RUNNING,
    PBT_TRIAL_TERMINATED};

/* The trials that there are. */
struct counts {
    uint32_t trials;
    uint32_t by_status[PBT_TRIAL_STATUSES];
    uint64_t failures;
};

static struct counts count(const struct pbt_board *board)
{
    struct counts counts = {0};
    for (uint32_t i = 0; i < board->spec->settings.population; i++) {
        const struct pbt_board_trial *trial = &board->trials[i];
        if (trial->created) {
            counts.by_status[trial->status]++;
            counts.trials++;
        }
        counts.failures += trial->failures;
    }
    return counts;
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
    if (board->spec->settings.scheduler == PBT_SCHEDULER_REPLAY) {
        pbt_buf_printf(out,
                       "PopulationBasedTraining replay: Step %" PRId64
                       ", perturb %" PRIu64 "\n",
                       board->trials[0].iteration, board->perturbations);
        return;
    }
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
    pbt_buf_reset(&json);
    pbt_python_repr(&json, config);
    if (!pbt_buf_failed(&json)) {
        pbt_shown_put(&text, json.data, json.length);
    }
    if (!pbt_buf_failed(&text)) {
        pbt_printable_put(out, text.data, text.length, false);
    }
    pbt_buf_char(out, '\n');
    json_decref(config);
    pbt_buf_done(&json);
    pbt_buf_done(&text);
}

static void put_statuses(const struct counts *counts, struct pbt_buf *out)
{
    const char *before = "";
    for (int i = 0; i < PBT_TRIAL_STATUSES; i++) {
        enum pbt_trial_status status = alphabetical[i];
        if (counts->by_status[status] > 0) {
            pbt_buf_printf(out, "%s%" PRIu32 " %s", before,
                           counts->by_status[status],
                           pbt_trial_status_name(status));
            before = ", ";
        }
    }
}

static void put_counts(const struct pbt_board *board,
                       const struct counts *counts, struct pbt_buf *out)
{
    pbt_buf_printf(out, "Number of trials: %" PRIu32 "/%" PRIu32,
                   counts->trials, board->spec->settings.population);
    if (counts->trials > 0) {
        pbt_buf_text(out, " (");
        put_statuses(counts, out);
        pbt_buf_char(out, ')');
    }
    pbt_buf_char(out, '\n');
}

/* "57 %, about 1h02m left, 3 failures"; false where nothing of it can be told. */
static bool put_progress(const struct pbt_board *board, uint64_t running_ns,
                         uint64_t failures, const char *before,
                         struct pbt_buf *out)
{
    struct pbt_progress progress = pbt_progress_find(board, running_ns);
    const char *first = before;
    if (pbt_board_over(board) || board->end != PBT_END_NOT) {
        return false;
    }
    if (!isnan(progress.fraction)) {
        pbt_buf_printf(out, "%s%.0f %%", before,
                       floor(progress.fraction * 100));
        before = ", ";
    }
    if (!isnan(progress.seconds_left)) {
        pbt_buf_printf(out, "%sabout ", before);
        pbt_duration_put(out, progress.seconds_left);
        pbt_buf_text(out, " left");
        before = ", ";
    }
    if (failures > 0) {
        pbt_buf_printf(out, "%s%" PRIu64 " failure%s", before, failures,
                       failures == 1 ? "" : "s");
        before = ", ";
    }
    return before != first;
}

static void put_perturbation(const struct pbt_board *board, struct pbt_buf *out)
{
    if (board->perturbations + board->undone == 0 || pbt_board_over(board)) {
        return;
    }
    const struct pbt_board_trial *trial = &board->trials[board->last_exploited];
    const char *changes =
        trial->last_undone ? "undone: its checkpoint was lost" : trial->changes;
    pbt_buf_printf(out, "Last perturbation: %s <- %s @ %" PRId64 "%s",
                   trial->id, board->trials[trial->donor].id,
                   trial->donor_iteration, changes[0] == '\0' ? "" : "  ");
    pbt_printable_put(out, changes, strlen(changes), false);
    pbt_buf_char(out, '\n');
}

/* A line, broken between words where the terminal ends; what goes on is indented. */
static void put_wrapped(const char *line, size_t length, uint32_t columns,
                        struct pbt_buf *out)
{
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        const char *blank = memchr(line + at, ' ', length - at);
        size_t word = blank == NULL ? length - at : (size_t)(blank - line) - at;
        size_t width = pbt_text_width(line + at, word);
        if (used > 2 && columns > 0 && used + 1 + width > columns) {
            pbt_buf_text(out, "\n  ");
            used = 2;
        } else if (used > 0) {
            pbt_buf_char(out, ' ');
            used++;
        }
        pbt_buf_put(out, line + at, word);
        used += width;
        at += word + 1;
    }
}

static void put_warnings(const struct pbt_board *board,
                         const struct pbt_status_options *options,
                         struct pbt_buf *out)
{
    struct pbt_buf lines;
    uint64_t disk_free = options->disk_free;
    if (disk_free == 0) {
        disk_free = pbt_disk_look_up(options->result_dir);
    }
    pbt_buf_init(&lines, WARNINGS_MAX);
    pbt_warnings_put(board, disk_free, &lines);
    for (size_t at = 0; at < lines.length;) {
        size_t length = strcspn(lines.data + at, "\n");
        pbt_buf_text(out, options->color ? "\x1b[1;33m" : "");
        put_wrapped(lines.data + at, length, options->columns, out);
        pbt_buf_text(out, options->color ? "\x1b[0m\n" : "\n");
        at += length + 1;
    }
    pbt_buf_done(&lines);
}

static void put_head(const struct pbt_board *board,
                     const struct pbt_status_options *options,
                     const struct counts *counts, struct pbt_buf *out)
{
    bool low = options->lines > 0 && options->lines < LINES_LOW;
    bool very_low = options->lines > 0 && options->lines < LINES_VERY_LOW;
    /* A trial's row has to be in view: it comes first, and is the best one's. */
    bool tiny = options->lines > 0 && options->lines < LINES_TINY;
    if (!tiny) {
        pbt_buf_text(out, "== Status ==\n");
    }
    if (!very_low) {
        put_time(options, out);
    }
    if (!low) {
        put_memory(options, out);
    }
    if (!very_low) {
        put_scheduler(board, out);
    }
    if (!low) {
        put_resources(board, counts->by_status[PBT_TRIAL_RUNNING], out);
    }
    if (!tiny) {
        put_best(board, out);
    }
    if (options->result_dir != NULL && !low) {
        pbt_buf_printf(out, "Result logdir: %s\n", options->result_dir);
    }
    put_counts(board, counts, out);
    if (put_progress(board, options->running_ns, counts->failures,
                     "Progress: ", out)) {
        pbt_buf_char(out, '\n');
    }
    if (!very_low) {
        put_perturbation(board, out);
    }
    put_warnings(board, options, out);
}

/* --- the tables ---------------------------------------------------------- */

static struct pbt_table_look look_of(const struct pbt_status_options *options)
{
    return (struct pbt_table_look){.width = options->columns,
                                   .short_reals = options->columns > 0,
                                   .color = options->color,
                                   .widths = options->widths};
}

/* What is not shown, in one line, as Ray says it; nothing if all is. */
static void put_hidden(const struct pbt_rows *rows, uint32_t columns,
                       struct pbt_buf *out)
{
    const char *before = "... ";
    if (rows->hidden > 0) {
        struct counts hidden = {.trials = rows->hidden};
        memcpy(hidden.by_status, rows->hidden_by_status,
               sizeof hidden.by_status);
        pbt_buf_printf(out, "... %" PRIu32 " more trials not shown (",
                       rows->hidden);
        put_statuses(&hidden, out);
        pbt_buf_char(out, ')');
        before = "; ";
    }
    if (columns > 0) {
        pbt_buf_printf(out, "%s%" PRIu32 " column%s not shown", before, columns,
                       columns == 1 ? "" : "s");
    }
    if (rows->hidden > 0 || columns > 0) {
        pbt_buf_char(out, '\n');
    }
}

static void put_trials(const struct pbt_board *board,
                       const struct pbt_status_options *options, uint32_t limit,
                       struct pbt_buf *out)
{
    struct pbt_rows rows;
    struct pbt_table_look look = look_of(options);
    if (pbt_rows_choose(&rows, board, limit)) {
        uint32_t columns = pbt_trial_table_print(board, &rows, &look, out);
        put_hidden(&rows, columns, out);
    } else {
        out->failed = true;
    }
    pbt_rows_done(&rows);
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
    struct pbt_table_look look = look_of(options);
    look.widths = NULL;
    (void)pbt_table_print(&table, &look, out);
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
static void plan_rows(const struct counts *counts, uint32_t limit,
                      uint32_t lines_left, bool unlimited, uint32_t *trials,
                      uint32_t *errors)
{
    uint32_t errored = counts->by_status[PBT_TRIAL_ERROR];
    bool all = unlimited || lines_left != UINT32_MAX;
    *trials = all ? counts->trials : least(counts->trials, limit);
    *errors = all ? errored : least(errored, limit);
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
    /* The frame, and what is not shown. */
    uint32_t beside = FRAME_LINES + 1;
    *trials = least(*trials, lines_left > beside ? lines_left - beside : 1);
}

void pbt_status_print(const struct pbt_board *board,
                      const struct pbt_status_options *options,
                      struct pbt_buf *out)
{
    struct counts counts = count(board);
    size_t start = out->length;
    put_head(board, options, &counts, out);
    uint32_t lines_left = UINT32_MAX;
    if (options->lines > 0 && !options->unlimited) {
        /* The last line of a screen stays free: the cursor is there. */
        uint32_t used = count_lines(out, start) + 1;
        lines_left = options->lines - least(options->lines, used);
    }
    uint32_t rows;
    uint32_t error_rows;
    plan_rows(&counts, board->spec->max_rows, lines_left, options->unlimited,
              &rows, &error_rows);
    if (counts.trials > 0) {
        put_trials(board, options, rows, out);
    }
    if (counts.by_status[PBT_TRIAL_ERROR] > 0) {
        put_errors(board, options, counts.by_status[PBT_TRIAL_ERROR],
                   error_rows, out);
    }
}

void pbt_status_line(const struct pbt_board *board, uint64_t running_ns,
                     struct pbt_buf *out)
{
    struct counts counts = count(board);
    pbt_buf_char(out, '[');
    pbt_duration_put(out, (double)running_ns / 1e9);
    pbt_buf_text(out, "]");
    (void)put_progress(board, running_ns, counts.failures, " ", out);
    pbt_buf_text(out, "; ");
    put_statuses(&counts, out);
    if (board->has_best && board->spec->metric != NULL) {
        pbt_buf_text(out, "; best ");
        pbt_printable_put(out, board->spec->metric, strlen(board->spec->metric),
                          false);
        pbt_buf_printf(out, "=%.4g (%s @ %" PRId64 ")", board->best_score,
                       board->trials[board->best_trial].id,
                       board->best_iteration);
    }
    if (board->spec->settings.scheduler == PBT_SCHEDULER_PBT) {
        pbt_buf_printf(out, "; %" PRIu64 " perturbs", board->perturbations);
    }
    pbt_buf_char(out, '\n');
    pbt_warnings_put(board, UINT64_MAX, out);
}
