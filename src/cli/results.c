/*
 * Reading a run: finding it and its trials, and what is printed of them.
 */
#include "cli/results.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cli/upkeep.h"

#include "base/shown.h"

static void show(void *user, uint64_t bytes, uint64_t of_bytes)
{
    pbt_cli_meter_bar(user, bytes, of_bytes);
}

int pbt_cli_read_run(struct pbt_results **results, const char *dir,
                     struct pbt_error *error)
{
    struct pbt_cli_meter meter;
    const struct pbt_index_watch watch = {.fn = show, .user = &meter};
    pbt_cli_meter_init(&meter, "indexing the journal");
    int status = pbt_results_open_watched(results, dir, &watch, error);
    pbt_cli_meter_done(&meter);
    return status;
}

int pbt_cli_open_results(const struct pbt_cli_call *call, char dir[PATH_MAX],
                         struct pbt_results **results)
{
    struct pbt_error error;
    int status = pbt_cli_find_run(call->args[0], pbt_cli_value(call, "dir"),
                                  dir, PATH_MAX, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail_at(&error, call->args[0], NULL);
    }
    status = pbt_cli_read_run(results, dir, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    if (pbt_results_run(*results)->state == PBT_RUN_NEW) {
        pbt_results_close(*results);
        return pbt_cli_error(PBT_E0706,
                             "%s/journal: no journal here: the run has not "
                             "begun",
                             dir);
    }
    return PBT_OK;
}

int pbt_cli_pick_trial(const struct pbt_cli_call *call,
                       const struct pbt_results *results,
                       const struct pbt_trial_info **trial)
{
    struct pbt_error error;
    int status = pbt_results_find_trial(results, call->args[1], trial, &error);
    return status == PBT_OK ? PBT_OK
                            : pbt_cli_fail_at(&error, call->args[1], NULL);
}

int pbt_cli_print(struct pbt_buf *out)
{
    int status = PBT_OK;
    if (pbt_buf_failed(out)) {
        status = pbt_cli_error(PBT_E0971, "out of memory");
    } else {
        pbt_cli_put(out, false);
    }
    pbt_buf_done(out);
    return status;
}

void pbt_cli_time(double unix_time, char text[PBT_CLI_TIME_SIZE])
{
    struct tm local;
    time_t seconds = (time_t)unix_time;
    if (unix_time <= 0 || localtime_r(&seconds, &local) == NULL ||
        strftime(text, PBT_CLI_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &local) == 0) {
        memcpy(text, "-", 2);
    }
}

void pbt_cli_duration(double seconds, char text[PBT_CLI_TIME_SIZE])
{
    uint64_t whole =
        seconds >= 0 && seconds < 1e15 ? (uint64_t)(seconds + 0.5) : 0;
    if (seconds < 60) {
        (void)snprintf(text, PBT_CLI_TIME_SIZE, "%.3gs", seconds);
    } else if (whole < 3600) {
        (void)snprintf(text, PBT_CLI_TIME_SIZE, "%" PRIu64 "m%02" PRIu64 "s",
                       whole / 60, whole % 60);
    } else {
        (void)snprintf(text, PBT_CLI_TIME_SIZE, "%" PRIu64 "h%02" PRIu64 "m",
                       whole / 3600, whole / 60 % 60);
    }
}

void pbt_cli_put_config(struct pbt_buf *out, const char *label,
                        const struct pbt_config *config)
{
    const char *json = pbt_config_json(config);
    pbt_buf_text(out, label);
    pbt_shown_put(out, json, strlen(json));
    pbt_buf_char(out, '\n');
}

/* --- JSON ------------------------------------------------------------------- */

void pbt_cli_json_text(struct pbt_buf *out, const char *name, const char *text)
{
    pbt_buf_printf(out, ",\"%s\":", name);
    pbt_buf_json_string(out, text, strlen(text));
}

void pbt_cli_json_real(struct pbt_buf *out, const char *name, double value)
{
    pbt_buf_printf(out, ",\"%s\":", name);
    pbt_buf_real(out, value);
}

static const char *mode_name(enum pbt_mode mode)
{
    return mode == PBT_MODE_MIN ? "min" : "max";
}

static const char *trial_id(const struct pbt_results *results, uint32_t number)
{
    return pbt_results_trial(results, number)->id;
}

static void put_best(struct pbt_buf *out, const struct pbt_results *results)
{
    const struct pbt_board *board = pbt_results_board(results);
    if (!board->has_best) {
        pbt_buf_text(out, ",\"best\":null");
        return;
    }
    pbt_buf_printf(out, ",\"best\":{\"trial\":\"%s\",\"iteration\":%" PRId64,
                   trial_id(results, board->best_trial), board->best_iteration);
    pbt_cli_json_real(out, "score", board->best_score);
    pbt_buf_char(out, '}');
}

void pbt_cli_json_run(struct pbt_buf *out, const struct pbt_results *results)
{
    const struct pbt_run_info *run = pbt_results_run(results);
    pbt_buf_text(out, "{\"name\":");
    pbt_buf_json_string(out, run->name, strlen(run->name));
    pbt_cli_json_text(out, "dir", run->dir);
    pbt_cli_json_text(out, "state", pbt_run_state_name(run->state));
    if (run->metric == NULL) {
        pbt_buf_text(out, ",\"metric\":null");
    } else {
        pbt_cli_json_text(out, "metric", run->metric);
    }
    pbt_cli_json_text(out, "mode", mode_name(run->mode));
    pbt_buf_printf(
        out, ",\"population\":%" PRIu32 ",\"trials\":%" PRIu32 ",\"status\":{",
        run->population, run->trials);
    for (unsigned i = 0; i < PBT_TRIAL_STATUSES; i++) {
        pbt_buf_printf(out, "%s\"%s\":%" PRIu32, i > 0 ? "," : "",
                       pbt_trial_status_name(i), run->by_status[i]);
    }
    pbt_buf_printf(out,
                   "},\"results\":%" PRIu64 ",\"checkpoints\":%" PRIu64
                   ",\"exploits\":%" PRIu64,
                   run->results, run->checkpoints, run->exploits);
    pbt_cli_json_real(out, "started", run->started);
    pbt_cli_json_real(out, "updated", run->updated);
    pbt_cli_json_real(out, "elapsed_s", run->elapsed_s);
    pbt_buf_text(out, ",\"ignored\":");
    pbt_board_put_ignored(pbt_results_board(results), out);
    put_best(out, results);
    if (run->driver_pid == 0) {
        pbt_buf_text(out, ",\"driver\":null}");
        return;
    }
    pbt_buf_printf(out, ",\"driver\":{\"pid\":%" PRId64, run->driver_pid);
    pbt_cli_json_text(out, "host", run->driver_host);
    pbt_buf_text(out, "}}");
}

void pbt_cli_json_checkpoint(struct pbt_buf *out,
                             const struct pbt_results *results,
                             const struct pbt_checkpoint_info *checkpoint)
{
    if (checkpoint == NULL) {
        pbt_buf_text(out, "null");
        return;
    }
    pbt_buf_text(out, "{\"path\":");
    pbt_buf_json_string(out, checkpoint->path, strlen(checkpoint->path));
    pbt_cli_json_text(out, "trial", trial_id(results, checkpoint->trial));
    pbt_buf_printf(out, ",\"number\":%" PRIu32 ",\"iteration\":%" PRId64,
                   checkpoint->number, checkpoint->iteration);
    pbt_cli_json_real(out, "time_total_s", checkpoint->time_total_s);
    pbt_cli_json_real(out, "score", checkpoint->score);
    pbt_buf_printf(out, ",\"undone\":%s}",
                   checkpoint->undone ? "true" : "false");
}

void pbt_cli_json_trial(struct pbt_buf *out, const struct pbt_results *results,
                        const struct pbt_trial_info *trial)
{
    pbt_buf_printf(out, "{\"trial\":\"%s\",\"number\":%" PRIu32, trial->id,
                   trial->number);
    pbt_cli_json_text(out, "dir", trial->dir);
    pbt_cli_json_text(out, "status", pbt_trial_status_name(trial->status));
    pbt_buf_printf(out, ",\"iteration\":%" PRId64, trial->iteration);
    pbt_cli_json_real(out, "time_total_s", trial->time_total_s);
    pbt_cli_json_real(out, "score", trial->score);
    pbt_buf_printf(
        out,
        ",\"results\":%" PRIu64 ",\"exploits\":%" PRIu32
        ",\"failures\":%" PRIu32 ",\"generation\":%" PRIu32 ",\"parent\":",
        trial->results, trial->exploits, trial->failures, trial->generation);
    if (trial->parent == PBT_NONE) {
        pbt_buf_text(out, "null");
    } else {
        pbt_buf_printf(out, "\"%s\"", trial_id(results, trial->parent));
    }
    pbt_buf_printf(out, ",\"config\":%s,\"first_config\":%s",
                   pbt_config_json(trial->config),
                   pbt_config_json(trial->first_config));
    pbt_buf_text(out, ",\"checkpoint\":");
    pbt_cli_json_checkpoint(out, results, trial->checkpoint);
    if (trial->pid == 0) {
        pbt_buf_text(out, ",\"pid\":null");
    } else {
        pbt_buf_printf(out, ",\"pid\":%" PRId64, trial->pid);
    }
    pbt_cli_json_text(out, "host", trial->host);
    if (trial->error == NULL) {
        pbt_buf_text(out, ",\"error\":null}");
        return;
    }
    pbt_cli_json_text(out, "error", trial->error);
    pbt_buf_char(out, '}');
}

void pbt_cli_json_trials(struct pbt_buf *out, const struct pbt_results *results)
{
    pbt_buf_text(out, "{\"version\":1,\"run\":");
    pbt_cli_json_run(out, results);
    pbt_buf_text(out, ",\"trials\":[");
    for (uint32_t i = 0; i < pbt_results_run(results)->trials; i++) {
        pbt_buf_text(out, i > 0 ? "," : "");
        pbt_cli_json_trial(out, results, pbt_results_trial(results, i));
    }
    pbt_buf_text(out, "]}\n");
}

int pbt_cli_json_exploit(struct pbt_buf *out, struct pbt_results *results,
                         uint32_t number, struct pbt_error *error)
{
    size_t count;
    const struct pbt_config *config;
    const struct pbt_exploit_info *exploit =
        &pbt_results_exploits(results, &count)[number];
    int status = pbt_results_exploit_config(results, number, &config, error);
    if (status != PBT_OK) {
        return status;
    }
    pbt_buf_printf(out, "{\"exploit\":%" PRIu32 ",\"trial\":\"%s\"", number,
                   trial_id(results, exploit->trial));
    pbt_buf_printf(out, ",\"iteration\":%" PRId64, exploit->iteration);
    pbt_cli_json_real(out, "score", exploit->score);
    pbt_cli_json_text(out, "donor", trial_id(results, exploit->donor));
    pbt_buf_printf(out, ",\"donor_iteration\":%" PRId64,
                   exploit->donor_iteration);
    pbt_cli_json_real(out, "donor_score", exploit->donor_score);
    pbt_buf_printf(out, ",\"checkpoint\":%" PRIu32, exploit->checkpoint);
    pbt_cli_json_text(out, "config_from",
                      trial_id(results, exploit->config_from));
    pbt_cli_json_real(out, "timestamp", exploit->timestamp);
    if (exploit->parent == PBT_NONE) {
        pbt_buf_text(out, ",\"parent\":null");
    } else {
        pbt_buf_printf(out, ",\"parent\":%" PRIu32, exploit->parent);
    }
    pbt_buf_printf(out,
                   ",\"generation\":%" PRIu32 ",\"undone\":%s,\"config\":%s}",
                   exploit->generation, exploit->undone ? "true" : "false",
                   pbt_config_json(config));
    return PBT_OK;
}
