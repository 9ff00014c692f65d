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

#include "cli/change.h"
#include "cli/cli.h"
#include "cli/console.h"
#include "cli/control.h"
#include "cli/experiment.h"
#include "cli/forecast.h"
#include "cli/peer.h"
#include "run/run.h"

#define LAST_WORDS_MAX ((size_t)1 << 20)

/* --- signals -------------------------------------------------------------- */

static int stop_pipe[2] = {-1, -1};
static volatile sig_atomic_t stop_signal; /* the first one that came */
static volatile sig_atomic_t asked;       /* by Ctrl-C or SIGTERM */
/* Said when it is killed: made before, since a handler can't. */
static struct pbt_buf last_words;

/*
 * Asked a second time it ends at once: the workers end with us, and the journal has all
 * that counts.  SIGHUP is never that second time: who closes a terminal sends it more
 * than once, and beside others.
 */
static void on_signal(int number)
{
    int saved = errno;
    if (asked != 0 && number != SIGHUP) {
        (void)!write(STDERR_FILENO, last_words.data, last_words.length);
        _exit(128 + number);
    }
    asked = asked != 0 || number != SIGHUP;
    stop_signal = stop_signal == 0 ? number : stop_signal;
    (void)!write(stop_pipe[1], "", 1);
    errno = saved;
}

static int make_stop_pipe(struct pbt_error *error)
{
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
    return PBT_OK;
}

static int catch_signals(const char *run, struct pbt_error *error)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction before;
    (void)sigemptyset(&action.sa_mask);
    action.sa_flags = SA_RESTART;
    pbt_buf_init(&last_words, LAST_WORDS_MAX);
    pbt_buf_text(&last_words, "\nkilled; the run goes on from its newest "
                              "checkpoints with: ");
    pbt_cli_put_command(&last_words, "resume", run, NULL);
    pbt_buf_char(&last_words, '\n');
    int status = make_stop_pipe(error);
    if (status != PBT_OK) {
        return status;
    }
    /* Under nohup it is not to be heard. */
    bool hears =
        sigaction(SIGHUP, NULL, &before) == 0 && before.sa_handler != SIG_IGN;
    if (sigaction(SIGINT, &action, NULL) != 0 ||
        sigaction(SIGTERM, &action, NULL) != 0 ||
        (hears && sigaction(SIGHUP, &action, NULL) != 0)) {
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

static void print_end(const char *run, const struct pbt_run_outcome *outcome)
{
    bool open = outcome->unfinished > 0 || outcome->end == PBT_END_FAILED;
    (void)printf("results: %s\n", run);
    pbt_cli_say_command("next: ",
                        open                ? "resume"
                        : outcome->has_best ? "best"
                                            : "status",
                        run, NULL);
}

/* `shown`: the same directory, as the user called it. */
static int go(const char *path, const char *shown,
              const struct pbt_cli_call *call, struct pbt_cli_peer *peer,
              int64_t unpause)
{
    struct pbt_error error;
    struct pbt_console console;
    struct pbt_run_outcome outcome;
    if (catch_signals(shown, &error) != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    pbt_console_init(&console, path, pbt_cli_given(call, "quiet"),
                     pbt_cli_color(call));
    struct pbt_run_options options = {.stop_fd = stop_pipe[0],
                                      .kill_hint = "Ctrl-C again to kill",
                                      .unpause = unpause,
                                      .say = pbt_console_say,
                                      .show = pbt_console_show,
                                      .user = &console};
    pbt_cli_peer_use(peer, &options, path);
    int status = pbt_run_go(path, &options, &outcome, &error);
    pbt_console_done(&console);
    print_cost(&outcome);
    if (status == PBT_OK || status == PBT_EFAILED ||
        status == PBT_EINTERRUPTED) {
        print_end(shown, &outcome);
    }
    if (status == PBT_OK) {
        return PBT_OK;
    }
    (void)fflush(stdout); /* before what is said on stderr */
    if (status == PBT_EINTERRUPTED &&
        (stop_signal == SIGTERM || stop_signal == SIGHUP)) {
        (void)fprintf(stderr, "terminated: the run can be resumed\n");
        return PBT_ETERMINATED;
    }
    if (status == PBT_EINTERRUPTED) {
        (void)fprintf(stderr, "interrupted: the run can be resumed\n");
        return status;
    }
    return pbt_cli_fail(&error);
}

/* What is wrong has been said when a status is returned. */
static int make_run(const struct pbt_cli_call *call, struct pbt_spec *spec,
                    const struct pbt_cli_peer *peer,
                    struct pbt_run_place *place)
{
    struct pbt_error error;
    struct pbt_cli_forecast forecast;
    const char *runs = pbt_cli_runs_dir(pbt_cli_value(call, "dir"));
    pbt_cli_put(&spec->warnings, true);
    pbt_cli_peer_tell(peer, spec);
    int status = pbt_cli_finish(spec);
    if (status == PBT_OK) {
        status = pbt_cli_check_machine(spec);
    }
    if (status == PBT_OK) {
        status = pbt_cli_check_programs(spec);
    }
    if (status != PBT_OK) {
        return status;
    }
    pbt_cli_forecast(spec, runs, &forecast);
    pbt_cli_forecast_warn(&forecast);
    status = pbt_run_create(spec, runs, place, &error);
    return status == PBT_OK ? PBT_OK : pbt_cli_fail(&error);
}

/* The run's directory, below the one that the user named. */
static void show_place(const struct pbt_cli_call *call,
                       const struct pbt_run_place *place, char shown[PATH_MAX])
{
    const char *dir = pbt_cli_runs_dir(pbt_cli_value(call, "dir"));
    const char *name = strrchr(place->path, '/');
    size_t length = strlen(dir);
    while (length > 1 && dir[length - 1] == '/') {
        length--;
    }
    (void)snprintf(shown, PATH_MAX, "%.*s%s", (int)length, dir,
                   name != NULL ? name : "");
}

int pbt_cli_train(const struct pbt_cli_call *call, struct pbt_spec *spec)
{
    struct pbt_run_place place = {0};
    struct pbt_cli_peer peer;
    char shown[PATH_MAX];
    int status = pbt_cli_peer_open(&peer, call);
    if (status == PBT_OK) {
        status = make_run(call, spec, &peer, &place);
    }
    pbt_spec_done(spec);
    if (status != PBT_OK) {
        pbt_cli_peer_done(&peer);
        return status;
    }
    show_place(call, &place, shown);
    if (place.resumed) {
        (void)fprintf(stderr, "note: %s is unfinished: resuming it\n", shown);
    } else if (place.renamed) {
        (void)fprintf(stderr,
                      "note: a run of that name is there already: this one is "
                      "%s\n",
                      shown);
    }
    status = go(place.path, shown, call, &peer, PBT_RUN_NONE);
    pbt_cli_peer_done(&peer);
    return status;
}

int pbt_cli_run(const struct pbt_cli_call *call)
{
    struct pbt_spec spec;
    int status = pbt_cli_read_experiment(call, &spec);
    return status == PBT_OK ? pbt_cli_train(call, &spec) : status;
}

/* Its program may be gone: each trial would fail over that, for good in the end. */
static int check_programs(const char *run, const char *shown)
{
    struct pbt_spec spec;
    struct pbt_error error;
    int status = pbt_run_read_spec(run, &spec, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    status = pbt_cli_check_programs(&spec);
    pbt_spec_done(&spec);
    if (status != PBT_OK) {
        (void)fprintf(stderr,
                      "  = help: if it has moved: pbt resume %s --change -- "
                      "PROGRAM ARGUMENT ...\n",
                      shown);
    }
    return status;
}

static int say_over(const char *shown, bool changed)
{
    (void)printf("%s is finished: there is nothing left to do\n", shown);
    if (changed) {
        (void)fprintf(stderr, "note: trials go on, and new ones start, when "
                              "the end that was reached is further away: "
                              "stop, stop_all or time_budget_s\n");
    }
    return PBT_OK;
}

/* `changed`: with --change it has become another experiment just now. */
static int resume(const char *run, const char *shown, const char *trial,
                  bool changed, const struct pbt_cli_call *call)
{
    struct pbt_cli_peer peer;
    struct pbt_error error;
    struct pbt_cli_driver driver;
    int64_t unpause = PBT_RUN_ALL;
    bool over = false;
    int status = pbt_cli_find_trial(run, trial, &unpause, &error);
    if (status == PBT_OK) {
        status = pbt_run_is_over(run, &over, &error);
    }
    bool writable = access(run, W_OK) == 0;
    int cause = errno;
    if (status == PBT_OK && over && writable) {
        status = pbt_cli_catch_up(run, &error);
    }
    if (status == PBT_OK && over && writable) {
        status = pbt_cli_sweep(run, &error);
    }
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    if (over) {
        return say_over(shown, changed);
    }
    if (!writable) {
        return pbt_cli_error(PBT_E0977,
                             "%s can't be written to, and to go on is to write "
                             "there: %s (make it writable, or resume a copy: "
                             "pbt backup)",
                             shown, strerror(cause));
    }
    if (pbt_cli_reach(run, &driver)) {
        return pbt_cli_request(&driver, shown, trial, PBT_CONTROL_RESUME);
    }
    status = check_programs(run, shown);
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_cli_peer_open(&peer, call);
    if (status == PBT_OK) {
        status = go(run, shown, call, &peer, unpause);
    }
    pbt_cli_peer_done(&peer);
    return status;
}

/* The word behind RUN that is a trial's; NULL: there is none. */
static const char *given_trial(const struct pbt_cli_call *call)
{
    bool there = call->dashes > 1 && strchr(call->args[1], '=') == NULL;
    return there ? call->args[1] : NULL;
}

/* Words that say something of the experiment. */
static bool says_more(const struct pbt_cli_call *call, size_t first)
{
    static const char *const others[] = {"dir", "quiet", "color", "ask-fd",
                                         "change"};
    bool more = first < call->count;
    for (size_t i = 0; i < call->given_count && !more; i++) {
        more = true;
        for (size_t o = 0; o < sizeof others / sizeof *others; o++) {
            more = more && strcmp(call->given[i].option->name, others[o]) != 0;
        }
    }
    return more;
}

int pbt_cli_resume(const struct pbt_cli_call *call)
{
    char shown[PATH_MAX];
    struct pbt_error error;
    bool changed = false;
    const char *trial = given_trial(call);
    size_t first = trial != NULL ? 2 : 1;
    int status = pbt_cli_find_run(call->args[0], pbt_cli_value(call, "dir"),
                                  shown, sizeof shown, &error);
    char *full = status == PBT_OK ? realpath(shown, NULL) : NULL;
    if (status == PBT_OK && full == NULL) {
        status = pbt_fail(&error, PBT_E0702, "%s: %s", shown, strerror(errno));
    }
    if (status != PBT_OK) {
        return pbt_cli_fail_at(&error, call->args[0], NULL);
    }
    if (says_more(call, first)) {
        status = pbt_cli_change(call, full, shown, first, &changed);
    } else if (pbt_cli_given(call, "change")) {
        status =
            pbt_cli_usage(PBT_E0605, call->verb->name, NULL,
                          "key=value, or a flag", "what is to be changed?");
    }
    if (status == PBT_OK) {
        status = resume(full, shown, trial, changed, call);
    }
    free(full);
    return status;
}
