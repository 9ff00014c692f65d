/*
 * pbt backup: a copy of a run, also while it runs.
 */
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "cli/cli.h"
#include "cli/upkeep.h"
#include "upkeep/upkeep.h"

static void show_progress(void *user, uint32_t done, uint32_t all,
                          uint64_t bytes)
{
    pbt_cli_meter_show(user, done, all, bytes);
}

static void say_trouble(void *user, const char *path, const char *what)
{
    char text[PBT_ERROR_TEXT_MAX + 64];
    pbt_cli_meter_done(user);
    (void)snprintf(text, sizeof text, "%s: %s", what, path);
    pbt_cli_say(text);
}

/* What was saved, and what is lost. */
static void say_saved(const struct pbt_backed_up *done, const char *to)
{
    char size[PBT_BYTES_TEXT_SIZE];
    pbt_bytes_text(done->bytes, size);
    (void)printf("%s: %" PRIu64 " records, %" PRIu32 " checkpoints (%s)\n", to,
                 done->journal.records, done->checkpoints, size);
    if (done->damage.status != PBT_OK) {
        pbt_bytes_text(done->lost_bytes, size);
        (void)printf("lost: the last %s of the journal\n", size);
    }
    if (done->left_out > 0) {
        (void)printf("lost: %" PRIu32 " checkpoint%s; trials that stood on "
                     "%s go back further\n",
                     done->left_out, done->left_out == 1 ? "" : "s",
                     done->left_out == 1 ? "it" : "them");
    }
    if (done->damage.status != PBT_OK || done->left_out > 0) {
        (void)printf("the original is as it was\n");
    }
}

static volatile sig_atomic_t stop_signal;

/* The second one ends us at once. */
static void on_signal(int number)
{
    stop_signal = number;
}

static bool stopped(void *user)
{
    (void)user;
    return stop_signal != 0;
}

static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART | (int)SA_RESETHAND;
    (void)sigaction(SIGINT, &action, NULL); /* can't fail for these signals */
    (void)sigaction(SIGTERM, &action, NULL);
}

int pbt_cli_backup(const struct pbt_cli_call *call)
{
    char run[PATH_MAX];
    char to[PATH_MAX];
    struct pbt_error error;
    struct pbt_cli_meter meter;
    struct pbt_backed_up done;
    const struct pbt_upkeep_watch watch = {.progress = show_progress,
                                           .trouble = say_trouble,
                                           .stopped = stopped,
                                           .user = &meter};
    int status = pbt_cli_find_run(call->args[0], pbt_cli_value(call, "dir"),
                                  run, sizeof run, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail_at(&error, call->args[0], NULL);
    }
    size_t length = strlen(call->args[1]);
    while (length > 1 && call->args[1][length - 1] == '/') {
        length--;
    }
    (void)snprintf(to, sizeof to, "%.*s", (int)length, call->args[1]);
    pbt_cli_meter_init(&meter, "copying");
    catch_signals();
    status = pbt_backup(run, to, pbt_cli_given(call, "salvage"), &watch, &done,
                        &error);
    pbt_cli_meter_done(&meter);
    if (status == PBT_EINTERRUPTED) {
        pbt_cli_say(error.text);
        return stop_signal == SIGTERM ? PBT_ETERMINATED : status;
    }
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    if (done.damage.status != PBT_OK) {
        pbt_cli_say(done.damage.text);
    }
    status = pbt_cli_catch_up(to, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    say_saved(&done, to);
    return PBT_OK;
}
