/*
 * pbt show: one trial: what it is, which weights it stands on, what is kept of it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/results.h"

/*
 * The exploits behind a trial's weights, from the beginning; to be freed.  NULL if there is none,
 * or without memory, which `out` then says.
 */
static uint32_t *line_of_descent(const struct pbt_results *results,
                                 const struct pbt_trial_info *trial,
                                 size_t *count, struct pbt_buf *out)
{
    size_t all;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(results, &all);
    *count = 0;
    for (uint32_t i = trial->exploit; i != PBT_NONE; i = exploits[i].parent) {
        (*count)++;
    }
    uint32_t *line = *count > 0 ? malloc(*count * sizeof *line) : NULL;
    if (*count > 0 && line == NULL) {
        out->failed = true;
        *count = 0;
    }
    size_t at = *count;
    for (uint32_t i = trial->exploit; line != NULL && i != PBT_NONE;
         i = exploits[i].parent) {
        line[--at] = i;
    }
    return line;
}

/* --- as JSON -------------------------------------------------------------------- */

static int put_json(struct pbt_buf *out, struct pbt_results *results,
                    const struct pbt_trial_info *trial, const uint32_t *line,
                    size_t count, struct pbt_error *error)
{
    size_t kept;
    const struct pbt_checkpoint_info *checkpoints =
        pbt_results_checkpoints(results, trial->number, &kept);
    pbt_buf_text(out, "{\"version\":1,\"trial\":");
    pbt_cli_json_trial(out, results, trial);
    pbt_buf_text(out, ",\"checkpoints\":[");
    for (size_t i = 0; i < kept; i++) {
        pbt_buf_text(out, i > 0 ? "," : "");
        pbt_cli_json_checkpoint(out, results, &checkpoints[i]);
    }
    pbt_buf_text(out, "],\"lineage\":[");
    for (size_t i = 0; i < count; i++) {
        pbt_buf_text(out, i > 0 ? "," : "");
        int status = pbt_cli_json_exploit(out, results, line[i], error);
        if (status != PBT_OK) {
            return status;
        }
    }
    pbt_buf_text(out, "]}\n");
    return PBT_OK;
}

/* --- for people ----------------------------------------------------------------- */

static void put_trial(struct pbt_buf *out, const struct pbt_results *results,
                      const struct pbt_trial_info *trial)
{
    const char *metric = pbt_results_run(results)->metric;
    char time[PBT_CLI_TIME_SIZE];
    pbt_cli_duration(trial->time_total_s, time);
    pbt_buf_printf(out, "trial       %s (number %" PRIu32 ")\n", trial->id,
                   trial->number);
    pbt_buf_printf(out, "status      %s\n",
                   pbt_trial_status_name(trial->status));
    pbt_buf_printf(out, "trained     %" PRId64 " iterations, %s\n",
                   trial->iteration, time);
    if (!isnan(trial->score)) {
        pbt_buf_printf(out, "%-11s %.6g\n", metric != NULL ? metric : "score",
                       trial->score);
    }
    pbt_cli_put_config(out, "config      ", trial->config);
    if (strcmp(pbt_config_json(trial->config),
               pbt_config_json(trial->first_config)) != 0) {
        pbt_cli_put_config(out, "at first    ", trial->first_config);
    }
    pbt_buf_printf(out, "directory   %s\n", trial->dir);
    if (trial->checkpoint != NULL) {
        bool over = trial->status == PBT_TRIAL_TERMINATED;
        pbt_buf_printf(out, "%s  %s (iteration %" PRId64 ")\n",
                       over ? "ended with" : "goes on at",
                       trial->checkpoint->path, trial->checkpoint->iteration);
    }
    if (trial->pid != 0) {
        pbt_buf_printf(out, "process     %" PRId64 " on %s\n", trial->pid,
                       trial->host);
    }
    if (trial->failures > 0) {
        pbt_buf_printf(out, "failures    %" PRIu32 "; the last one: %s\n",
                       trial->failures,
                       trial->error != NULL ? trial->error : "?");
    }
}

static int put_line(struct pbt_buf *out, struct pbt_results *results,
                    const struct pbt_trial_info *trial, const uint32_t *line,
                    size_t count, struct pbt_error *error)
{
    size_t all;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(results, &all);
    uint32_t origin = count > 0 ? exploits[line[0]].donor : trial->number;
    if (count == 0) {
        pbt_buf_text(out,
                     "its weights are its own: no exploit is behind them\n");
        return PBT_OK;
    }
    pbt_buf_printf(out, "\nits weights began as those of %s; then:\n",
                   pbt_results_trial(results, origin)->id);
    for (size_t i = 0; i < count; i++) {
        const struct pbt_exploit_info *exploit = &exploits[line[i]];
        const struct pbt_config *config;
        int status =
            pbt_results_exploit_config(results, line[i], &config, error);
        if (status != PBT_OK) {
            return status;
        }
        bool adopts = exploit->config_from != exploit->trial;
        bool change = exploit->donor == exploit->trial;
        pbt_buf_printf(
            out, "  at %" PRId64 "  %s %s%s", exploit->donor_iteration,
            pbt_results_trial(results, exploit->trial)->id,
            !change  ? "took over "
            : adopts ? "took the hyperparameters of "
                     : "changed to",
            change && !adopts
                ? "" /* of a replay */
                : pbt_results_trial(results, adopts ? exploit->config_from
                                                    : exploit->donor)
                      ->id);
        pbt_cli_put_config(out, "  ", config);
    }
    return PBT_OK;
}

static void put_checkpoints(struct pbt_buf *out,
                            const struct pbt_results *results,
                            const struct pbt_trial_info *trial)
{
    size_t count;
    const struct pbt_checkpoint_info *checkpoints =
        pbt_results_checkpoints(results, trial->number, &count);
    pbt_buf_text(out, count > 0 ? "\ncheckpoints that are kept:\n" : "");
    for (size_t i = 0; i < count; i++) {
        pbt_buf_printf(out, "  %s  iteration %" PRId64, checkpoints[i].path,
                       checkpoints[i].iteration);
        if (!isnan(checkpoints[i].score)) {
            pbt_buf_printf(out, "  %.6g", checkpoints[i].score);
        }
        pbt_buf_text(out, checkpoints[i].undone ? "  (undone)\n" : "\n");
    }
}

/* --- the verb ----------------------------------------------------------------- */

static int show(const struct pbt_cli_call *call, struct pbt_results *results,
                const struct pbt_trial_info *trial)
{
    size_t count;
    struct pbt_error error;
    struct pbt_buf out;
    int status;
    pbt_buf_init(&out, PBT_CLI_OUTPUT_MAX);
    uint32_t *line = line_of_descent(results, trial, &count, &out);
    if (pbt_cli_given(call, "json")) {
        status = put_json(&out, results, trial, line, count, &error);
    } else {
        put_trial(&out, results, trial);
        status = put_line(&out, results, trial, line, count, &error);
        put_checkpoints(&out, results, trial);
    }
    free(line);
    if (status != PBT_OK) {
        pbt_buf_done(&out);
        return pbt_cli_fail(&error);
    }
    return pbt_cli_print(&out);
}

int pbt_cli_show(const struct pbt_cli_call *call)
{
    char dir[PATH_MAX];
    struct pbt_results *results;
    const struct pbt_trial_info *trial;
    int status = pbt_cli_open_results(call, dir, &results);
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_cli_pick_trial(call, results, &trial);
    if (status == PBT_OK) {
        status = show(call, results, trial);
    }
    pbt_results_close(results);
    return status;
}
