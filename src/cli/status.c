/*
 * pbt status: where a run is, from its journal alone: also beside a driver at work, and
 * on another host.
 */
#define _XOPEN_SOURCE 700 /* realpath() */

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "cli/results.h"
#include "view/progress.h"
#include "view/status.h"

/* Unix time, ns. */
static int64_t now_ns(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static int put_board(const char *run, const struct pbt_board *board, bool all,
                     bool driven, enum pbt_color color)
{
    struct pbt_screen screen;
    struct pbt_buf out;
    pbt_screen_init(&screen, STDOUT_FILENO, color);
    pbt_buf_init(&out, PBT_CLI_OUTPUT_MAX);
    char *real = realpath(run, NULL);
    int64_t now = now_ns();
    struct pbt_status_options options = {
        .result_dir = real != NULL ? real : run,
        .now = now,
        .running_ns = board->time,
        .columns = screen.terminal ? pbt_screen_columns(&screen) : 0,
        .unlimited = all,
        .color = screen.color};
    if (driven && board->wall > 0 && now > board->wall) {
        options.running_ns += (uint64_t)(now - board->wall);
    }
    pbt_status_print(board, &options, &out);
    free(real);
    bool failed = pbt_buf_failed(&out);
    if (!failed) {
        (void)pbt_cli_flush();
        (void)pbt_screen_finish(&screen, out.data, out.length);
    }
    pbt_buf_done(&out);
    return failed ? pbt_cli_error(PBT_E0971, "out of memory") : PBT_OK;
}

/* PAUSED says not whether a slot is waited for, or the user. */
static void put_held(const char *run, const struct pbt_board *board)
{
    uint32_t held = 0;
    for (uint32_t i = 0; i < board->spec->settings.population; i++) {
        held += board->trials[i].held ? 1 : 0;
    }
    if (held > 0) {
        (void)printf("Paused on request: %" PRIu32 ". ", held);
        pbt_cli_say_command("Go on: ", "resume", run, NULL);
    }
}

/* The sentence below the table: is anybody at work, and what to do next. */
static void put_end(const char *run, const struct pbt_board *board,
                    const struct pbt_lock_look *look)
{
    switch (look->state) {
    case PBT_LOCK_HELD:
        put_held(run, board);
        (void)printf("A driver is at work: pid %" PRId64 " on %s.\n", look->pid,
                     look->host[0] != '\0' ? look->host : "a host");
        return;
    case PBT_LOCK_ELSEWHERE:
        (void)printf("Last driven by pid %" PRId64 " on %s, which may be at "
                     "work.\n",
                     look->pid, look->host);
        return;
    case PBT_LOCK_FREE:
    case PBT_LOCK_UNKNOWN:
        break;
    }
    const char *who = look->state == PBT_LOCK_FREE
                          ? "No driver is at work"
                          : "Whether a driver is at work can't be told";
    if (board->end == PBT_END_FAILED) {
        pbt_cli_say_command(
            board->results == 0
                ? "It failed before its first result. When the cause is "
                  "mended: "
                : "A trial failed, and failure.fail_fast ended it. When the "
                  "cause is mended: ",
            "resume", run, NULL);
    } else if (pbt_board_over(board)) {
        (void)printf("It is over: %s.\n", board->end == PBT_END_STOP_ALL
                                              ? "stop_all was reached"
                                          : board->end == PBT_END_TIME_BUDGET
                                              ? "time_budget_s is spent"
                                              : "every trial is "
                                                "finished");
    } else {
        (void)fputs(who, stdout);
        pbt_cli_say_command(", and the run is not over. Go on: ", "resume", run,
                            NULL);
    }
}

int pbt_cli_status(const struct pbt_cli_call *call)
{
    char run[PATH_MAX];
    struct pbt_results *results;
    int status = pbt_cli_open_results(call, run, &results);
    if (status != PBT_OK) {
        return status;
    }
    const struct pbt_board *board = pbt_results_board(results);
    const struct pbt_lock_look *look = pbt_results_look(results);
    if (pbt_cli_given(call, "json")) {
        struct pbt_buf out;
        pbt_buf_init(&out, PBT_CLI_OUTPUT_MAX);
        pbt_cli_json_trials(&out, results);
        status = pbt_cli_print(&out);
    } else {
        status = put_board(run, board, pbt_cli_given(call, "all"),
                           look->state == PBT_LOCK_HELD, pbt_cli_color(call));
        put_end(run, board, look);
    }
    pbt_results_close(results);
    return status;
}
