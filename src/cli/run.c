/*
 * pbt run, pbt resume: an experiment from its start, or from where it was left.
 */
#define _XOPEN_SOURCE 700 /* realpath() */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/console.h"
#include "run/run.h"

/* --- signals -------------------------------------------------------------- */

static int stop_pipe[2] = {-1, -1};
static volatile sig_atomic_t stop_signal; /* the first one that came */

static void on_signal(int number)
{
    int saved = errno;
    if (stop_signal != 0) {
        /* Asked twice: the workers end with us, the journal keeps all that counts. */
        static const char TEXT[] =
            "\nasked twice: ended at once; pbt resume goes on\n";
        (void)!write(STDERR_FILENO, TEXT, sizeof TEXT - 1);
        _exit(128 + number);
    }
    stop_signal = number;
    (void)!write(stop_pipe[1], "", 1);
    errno = saved;
}

static int catch_signals(struct pbt_error *error)
{
    struct sigaction action = {.sa_handler = on_signal};
    (void)sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    if (pipe(stop_pipe) != 0) {
        return pbt_error_set(error, PBT_ENOMEM, "can't make a pipe: %s",
                             strerror(errno));
    }
    for (int i = 0; i < 2; i++) {
        if (fcntl(stop_pipe[i], F_SETFL, O_NONBLOCK) != 0 ||
            fcntl(stop_pipe[i], F_SETFD, FD_CLOEXEC) != 0) {
            return pbt_error_set(error, PBT_ENOMEM, "can't set up a pipe: %s",
                                 strerror(errno));
        }
    }
    if (sigaction(SIGINT, &action, NULL) != 0 ||
        sigaction(SIGTERM, &action, NULL) != 0) {
        return pbt_error_set(error, PBT_EINTERNAL, "can't catch signals: %s",
                             strerror(errno));
    }
    return PBT_OK;
}

/* --- going ---------------------------------------------------------------- */

static void print_cost(const struct pbt_run_outcome *outcome)
{
    /* For bench/run: what the loop's thread and the process have cost. */
    if (getenv("PBT_BENCH") != NULL) {
        (void)fprintf(stderr,
                      "{\"results\":%" PRIu64 ",\"loop_cpu_ns\":%" PRIu64
                      ",\"process_cpu_ns\":%" PRIu64 "}\n",
                      outcome->results, outcome->loop_cpu_ns,
                      outcome->process_cpu_ns);
    }
}

static void print_end(const char *path, const struct pbt_run_outcome *outcome)
{
    (void)printf("results: %s\n", path);
    if (outcome->unfinished > 0 || outcome->end == PBT_END_FAILED) {
        (void)printf("next: pbt resume %s\n", path);
    } else {
        (void)printf("next: pbt status %s\n", path);
    }
}

static int go(const char *path, bool quiet)
{
    struct pbt_error error;
    struct pbt_console console;
    struct pbt_run_outcome outcome;
    if (catch_signals(&error) != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    pbt_console_init(&console, path, quiet);
    struct pbt_run_options options = {.stop_fd = stop_pipe[0],
                                      .kill_hint = "Ctrl-C again to kill",
                                      .unpause = PBT_RUN_NONE,
                                      .say = pbt_console_say,
                                      .show = pbt_console_show,
                                      .user = &console};
    int status = pbt_run_go(path, &options, &outcome, &error);
    pbt_console_done(&console);
    print_cost(&outcome);
    if (status == PBT_OK || status == PBT_EFAILED ||
        status == PBT_EINTERRUPTED) {
        print_end(path, &outcome);
    }
    if (status == PBT_OK) {
        return PBT_OK;
    }
    (void)fflush(stdout); /* before what is said on stderr */
    if (status == PBT_EINTERRUPTED && stop_signal == SIGTERM) {
        (void)fprintf(stderr, "terminated: the run can be resumed\n");
        return PBT_ETERMINATED;
    }
    if (status == PBT_EINTERRUPTED) {
        (void)fprintf(stderr, "interrupted: the run can be resumed\n");
        return status;
    }
    return pbt_cli_fail(&error);
}

int pbt_cli_run(int argc, char **argv)
{
    const char *dir = NULL;
    bool quiet = false;
    const struct pbt_cli_option options[] = {
        {"dir", "DIR", PBT_CLI_DIR_TEXT, &dir, NULL},
        {"quiet", NULL, "no status while it runs, only at the end", NULL,
         &quiet}};
    const struct pbt_cli_syntax syntax = {
        .arguments = "FILE [key=value ...] [--dir DIR]",
        .text = "Runs the experiment that FILE describes; key=value goes on "
                "top of it.  The run's\ndirectory is named after the "
                "experiment; nothing is ever overwritten: an\nunfinished run "
                "of the same experiment is resumed, else a number is added to "
                "the\nname.  Ctrl-C lets the steps under way end, saves, and "
                "stops; twice: at once.\n\n"
                "  pbt run exp.yaml num_samples=8 --dir /data/runs\n",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .min = 1,
        .max = -1};
    char **args;
    size_t count;
    int status;
    if (!pbt_cli_parse(&syntax, argc, argv, &args, &count, &status)) {
        return status;
    }
    struct pbt_error error;
    struct pbt_spec spec;
    struct pbt_buf problems;
    struct pbt_run_place place;
    pbt_buf_init(&problems, (size_t)1 << 20);
    status =
        pbt_spec_read(&spec, args[0], args + 1, count - 1, &problems, &error);
    if (status != PBT_OK) {
        if (problems.length > 0) {
            pbt_cli_put(&problems, true);
        } else {
            (void)pbt_cli_fail(&error);
        }
        pbt_buf_done(&problems);
        return status;
    }
    pbt_buf_done(&problems);
    pbt_cli_put(&spec.warnings, true);
    status = pbt_spec_finish(&spec, &error);
    if (status == PBT_OK) {
        status = pbt_run_create(&spec, pbt_cli_runs_dir(dir), &place, &error);
    }
    pbt_spec_done(&spec);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    if (place.resumed) {
        (void)fprintf(stderr, "note: %s is unfinished: resuming it\n",
                      place.path);
    } else if (place.renamed) {
        (void)fprintf(stderr,
                      "note: a run of that name is there already: this one is "
                      "%s\n",
                      place.path);
    }
    return go(place.path, quiet);
}

/* True if nothing is left to be done. */
static int is_over(const char *run, bool *over, struct pbt_error *error)
{
    struct pbt_spec spec;
    struct pbt_core *core;
    int status = pbt_run_read_spec(run, &spec, error);
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_run_fold(run, &spec, &core, error);
    if (status == PBT_OK) {
        *over = pbt_core_over(core);
        pbt_core_destroy(core);
    }
    pbt_spec_done(&spec);
    return status;
}

int pbt_cli_resume(int argc, char **argv)
{
    const char *dir = NULL;
    bool quiet = false;
    const struct pbt_cli_option options[] = {
        {"dir", "DIR", PBT_CLI_DIR_TEXT, &dir, NULL},
        {"quiet", NULL, "no status while it runs, only at the end", NULL,
         &quiet}};
    const struct pbt_cli_syntax syntax = {
        .arguments = "RUN [--dir DIR]",
        .text = "Goes on with a run that was interrupted or killed, from what "
                "its journal and\ncheckpoints say.  RUN is the run's name or "
                "its directory.\n\n"
                "  pbt resume mnist-convnet\n",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .min = 1,
        .max = 1};
    char **args;
    size_t count;
    int status;
    if (!pbt_cli_parse(&syntax, argc, argv, &args, &count, &status)) {
        return status;
    }
    char run[PATH_MAX];
    struct pbt_error error;
    bool over = false;
    status = pbt_cli_find_run(args[0], dir, run, sizeof run, &error);
    char *full = status == PBT_OK ? realpath(run, NULL) : NULL;
    if (status == PBT_OK && full == NULL) {
        status =
            pbt_error_set(&error, PBT_ENOINPUT, "%s: %s", run, strerror(errno));
    }
    if (status == PBT_OK) {
        status = is_over(full, &over, &error);
    }
    if (status == PBT_OK && over) {
        status = pbt_cli_catch_up(full, &error);
    }
    if (status != PBT_OK) {
        free(full);
        return pbt_cli_fail(&error);
    }
    if (over) {
        (void)printf("%s is finished: there is nothing left to do\n", full);
    } else {
        status = go(full, quiet);
    }
    free(full);
    return status;
}
