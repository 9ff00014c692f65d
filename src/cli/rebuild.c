/*
 * pbt rebuild: the log files anew, from the journal.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "cli/cli.h"
#include "index/index.h"
#include "journal/entries.h"
#include "journal/lock.h"
#include "log/log.h"
#include "run/run.h"

static int feed(void *user, const struct pbt_entry *entry,
                struct pbt_error *error)
{
    struct pbt_log *log = user;
    return pbt_log_feed(log, entry, error);
}

static int ignore(void *user, const struct pbt_entry *entry,
                  struct pbt_error *error)
{
    (void)user;
    (void)entry;
    (void)error;
    return PBT_OK;
}

static int write_logs(const char *run, struct pbt_spec *spec, bool anew,
                      struct pbt_lock *lock, struct pbt_journal_info *info,
                      struct pbt_error *error)
{
    struct pbt_board board;
    struct pbt_log *log = NULL;
    const struct pbt_hold hold = pbt_lock_as_hold(lock);
    int status = PBT_OK;
    if (anew) { /* what a damaged journal can't give back must not be deleted */
        status = pbt_journal_entries(run, spec, ignore, NULL, info, error);
    }
    if (status == PBT_OK) {
        status = pbt_board_init(&board, spec, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_log_open(&log, run, spec, &board, anew, &hold, error);
    if (status == PBT_OK) {
        status = pbt_journal_entries(run, spec, feed, log, info, error);
        if (status == PBT_OK) {
            status = pbt_log_write_status(log, error);
        }
        struct pbt_error second;
        int closed = pbt_log_close(log, &second);
        if (status == PBT_OK && closed != PBT_OK) {
            *error = second;
            status = closed;
        }
    }
    pbt_board_done(&board);
    return status;
}

static void say(void *user, const char *text)
{
    (void)user;
    (void)fprintf(stderr, "%s\n", text);
}

/* Under the run's lock: no driver may be writing these files. */
static int write_locked(const char *run, struct pbt_spec *spec, bool anew,
                        struct pbt_journal_info *info, struct pbt_error *error)
{
    struct pbt_lock_settings settings = pbt_lock_settings();
    struct pbt_lock *lock = NULL;
    settings.say = say;
    int status = pbt_lock_take(&lock, run, &settings, error);
    if (status == PBT_OK) {
        status = write_logs(run, spec, anew, lock, info, error);
        pbt_lock_release(lock);
    }
    return status;
}

int pbt_cli_catch_up(const char *run, struct pbt_error *error)
{
    struct pbt_spec spec;
    struct pbt_journal_info info;
    int status = pbt_run_read_spec(run, &spec, error);
    if (status == PBT_OK) {
        status = write_locked(run, &spec, false, &info, error);
        pbt_spec_done(&spec);
    }
    return status;
}

int pbt_cli_rebuild(const struct pbt_cli_call *call)
{
    int status;
    char run[PATH_MAX];
    struct pbt_error error;
    struct pbt_spec spec;
    struct pbt_journal_info info;
    status = pbt_cli_find_run(call->args[0], pbt_cli_value(call, "dir"), run,
                              sizeof run, &error);
    if (status == PBT_OK) {
        status = pbt_run_read_spec(run, &spec, &error);
    }
    if (status != PBT_OK) {
        return pbt_cli_fail_at(&error, call->args[0], NULL);
    }
    status = write_locked(run, &spec, true, &info, &error);
    if (status == PBT_OK) {
        status = pbt_index_rebuild(run, &spec, &error);
    }
    pbt_spec_done(&spec);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    (void)printf("%s: log files written anew from %" PRIu64 " records\n", run,
                 info.records);
    return PBT_OK;
}
