/*
 * pbt ls: the runs that there are; the trials of one.
 */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/columns.h"
#include "cli/results.h"

/* --- the trials of a run ------------------------------------------------------ */

static void put_trials(struct pbt_buf *out, const struct pbt_results *results,
                       bool plain)
{
    const struct pbt_run_info *run = pbt_results_run(results);
    struct pbt_cli_columns columns;
    char metric[256];
    (void)snprintf(metric, sizeof metric, "#%s",
                   run->metric != NULL ? run->metric : "score");
    const char *titles[] = {"TRIAL",     "STATUS", "#ITERATION",
                            "#TIME",     metric,   "#EXPLOITS",
                            "#FAILURES", "PARENT", "CHECKPOINT"};
    pbt_cli_columns_init(&columns, titles, sizeof titles / sizeof *titles);
    for (uint32_t i = 0; i < run->trials; i++) {
        const struct pbt_trial_info *trial = pbt_results_trial(results, i);
        char time[PBT_CLI_TIME_SIZE];
        pbt_cli_duration(trial->time_total_s, time);
        if (plain) {
            (void)snprintf(time, sizeof time, "%.6g", trial->time_total_s);
        }
        pbt_cli_column(&columns, "%s", trial->id);
        pbt_cli_column(&columns, "%s", pbt_trial_status_name(trial->status));
        pbt_cli_column(&columns, "%" PRId64, trial->iteration);
        pbt_cli_column(&columns, "%s", time);
        pbt_cli_column(&columns, isnan(trial->score) ? "-" : "%.6g",
                       trial->score);
        pbt_cli_column(&columns, "%" PRIu32, trial->exploits);
        pbt_cli_column(&columns, "%" PRIu32, trial->failures);
        pbt_cli_column(&columns, "%s",
                       trial->parent == PBT_NONE
                           ? "-"
                           : pbt_results_trial(results, trial->parent)->id);
        pbt_cli_column(&columns, "%s",
                       trial->checkpoint == NULL ? "-"
                                                 : trial->checkpoint->path);
    }
    pbt_cli_columns_print(&columns, plain, out);
}

static int list_trials(const struct pbt_cli_call *call)
{
    char dir[PATH_MAX];
    struct pbt_results *results;
    struct pbt_buf out;
    int status = pbt_cli_open_results(call, dir, &results);
    if (status != PBT_OK) {
        return status;
    }
    pbt_buf_init(&out, PBT_CLI_OUTPUT_MAX);
    if (pbt_cli_given(call, "json")) {
        pbt_cli_json_trials(&out, results);
    } else {
        put_trials(&out, results, pbt_cli_given(call, "plain"));
    }
    pbt_results_close(results);
    return pbt_cli_print(&out);
}

/* --- runs --------------------------------------------------------------------- */

static void add_run(struct pbt_cli_columns *columns,
                    const struct pbt_results *results)
{
    const struct pbt_run_info *run = pbt_results_run(results);
    const struct pbt_board *board = pbt_results_board(results);
    char updated[PBT_CLI_TIME_SIZE];
    uint32_t ended =
        run->by_status[PBT_TRIAL_TERMINATED] + run->by_status[PBT_TRIAL_ERROR];
    const char *slash = strrchr(run->dir, '/');
    pbt_cli_time(run->updated, updated);
    pbt_cli_column(columns, "%s", slash == NULL ? run->dir : slash + 1);
    pbt_cli_column(columns, "%s", pbt_run_state_name(run->state));
    pbt_cli_column(columns, "%" PRIu32 "/%" PRIu32, ended, run->population);
    pbt_cli_column(columns, "%" PRIu64, run->results);
    if (board->has_best && run->metric != NULL) {
        pbt_cli_column(columns, "%s=%.6g", run->metric, board->best_score);
    } else {
        pbt_cli_column(columns, "-");
    }
    pbt_cli_column(columns, "%s", updated);
}

struct listing {
    struct pbt_cli_columns columns;
    struct pbt_buf json;
    uint32_t runs;
    int status; /* the worst so far */
};

/* One that can't be read is said, and doesn't hide the others. */
static void list_run(struct listing *listing, const char *dir)
{
    struct pbt_results *results;
    struct pbt_error error;
    int status = pbt_cli_read_run(&results, dir, &error);
    if (status != PBT_OK) {
        listing->status = pbt_cli_fail(&error);
        return;
    }
    pbt_buf_text(&listing->json, listing->runs > 0 ? "," : "");
    pbt_cli_json_run(&listing->json, results);
    add_run(&listing->columns, results);
    listing->runs++;
    pbt_results_close(results);
}

static int all_but_dots(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static int list_runs(struct listing *listing, const char *runs)
{
    struct dirent **names;
    int count = scandir(runs, &names, all_but_dots, alphasort);
    if (count < 0) {
        int cause = errno;
        return pbt_cli_error(PBT_E0702,
                             "can't read %s, where runs are: %s (--dir DIR or "
                             "PBT_DIR say where they are)",
                             runs, strerror(cause));
    }
    for (int i = 0; i < count; i++) {
        char dir[PATH_MAX];
        int length = snprintf(dir, sizeof dir, "%s/%s", runs, names[i]->d_name);
        if (length > 0 && (size_t)length < sizeof dir && pbt_cli_is_run(dir)) {
            list_run(listing, dir);
        }
        free(names[i]);
    }
    free(names);
    return PBT_OK;
}

static int list_all(const struct pbt_cli_call *call)
{
    static const char *const titles[] = {"NAME",     "STATE", "#ENDED",
                                         "#RESULTS", "BEST",  "UPDATED"};
    struct listing listing = {.runs = 0};
    struct pbt_buf out;
    const char *runs = pbt_cli_runs_dir(pbt_cli_value(call, "dir"));
    pbt_buf_init(&listing.json, PBT_CLI_OUTPUT_MAX);
    pbt_buf_init(&out, PBT_CLI_OUTPUT_MAX);
    pbt_cli_columns_init(&listing.columns, titles,
                         sizeof titles / sizeof *titles);
    int status = list_runs(&listing, runs);
    if (pbt_cli_given(call, "json")) {
        pbt_buf_text(&out, "{\"version\":1,\"runs\":[");
        pbt_buf_put(&out, listing.json.data, listing.json.length);
        pbt_buf_text(&out, "]}\n");
        out.failed = out.failed || pbt_buf_failed(&listing.json);
        pbt_buf_done(&listing.columns.cells);
    } else {
        bool plain = pbt_cli_given(call, "plain");
        pbt_cli_columns_print(&listing.columns, plain || listing.runs == 0,
                              &out);
    }
    pbt_buf_done(&listing.json);
    if (status != PBT_OK) {
        pbt_buf_done(&out);
        return status;
    }
    if (listing.runs == 0 && listing.status == PBT_OK) {
        (void)fprintf(stderr, "no runs in %s\n", runs);
    }
    status = pbt_cli_print(&out);
    return status != PBT_OK ? status : listing.status;
}

int pbt_cli_ls(const struct pbt_cli_call *call)
{
    return call->count > 0 ? list_trials(call) : list_all(call);
}
