#include "run/run.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/codes.h"
#include "base/names.h"
#include "checkpoint/checkpoint.h"
#include "driver/driver.h"
#include "driver/restore.h"
#include "exec/local.h"
#include "journal/lock.h"
#include "log/thread.h"
#include "run/display.h"

struct run {
    const char *path;
    const struct pbt_run_options *options;
    struct pbt_spec spec;
    struct pbt_spec log_spec; /* the log thread's own */
    bool has_spec;
    bool has_log_spec;
    char shim[PBT_RUN_PATH_SIZE];
    char journal_dir[PBT_RUN_PATH_SIZE + 16];
    char snapshot_dir[PBT_RUN_PATH_SIZE + 16];
    char host[256];
    struct pbt_budget budget;
    struct pbt_sink sink; /* `run` is found from it */
    struct pbt_lock *lock;
    struct pbt_control_listener control;
    struct pbt_log_thread *log;
    struct pbt_display *display;
    struct pbt_local *local;
    struct pbt_driver *driver;
};

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* --- checkpoints at open -------------------------------------------------- */

static int checkpoint_check(void *user, struct pbt_checkpoint_id checkpoint,
                            bool whole, struct pbt_error *why)
{
    const struct run *run = user;
    char path[PBT_RUN_PATH_SIZE];
    char manifest[PBT_RUN_PATH_SIZE + 32];
    int status = pbt_local_checkpoint_path(&run->spec, run->path, checkpoint,
                                           path, sizeof path, why);
    if (status != PBT_OK || whole) {
        return status == PBT_OK ? pbt_checkpoint_verify(path, why) : status;
    }
    (void)snprintf(manifest, sizeof manifest, "%s/" PBT_CHECKPOINT_MANIFEST,
                   path);
    if (access(manifest, F_OK) == 0) {
        return PBT_OK;
    }
    return pbt_checkpoint_look(path, why); /* it says what is missing */
}

/*
 * Whatever can't be removed is in nobody's way, and the next open tries again.  That may well be:
 * workers of a driver that was stopped on another host still write into it.
 */
static int remove_debris(void *user, const char *path, struct pbt_error *error)
{
    struct run *run = user;
    const struct pbt_hold hold = pbt_lock_as_hold(run->lock);
    struct pbt_error why;
    char text[PBT_ERROR_TEXT_MAX + 32];
    if (pbt_checkpoint_delete_held(path, &hold, &why) != PBT_OK &&
        run->options->say != NULL) {
        (void)snprintf(text, sizeof text, "warning[W0203]: %s", why.text);
        run->options->say(run->options->user, text);
    }
    return pbt_hold_ask(&hold, error);
}

/* Directories without a record go. */
static int sweep(void *user, const struct pbt_core *core,
                 struct pbt_error *error)
{
    struct run *run = user;
    return pbt_run_debris(run->path, &run->spec, core, remove_debris, run,
                          error);
}

/* --- the parts ------------------------------------------------------------ */

static int take_records(struct pbt_sink *sink, const char *lines, size_t length,
                        struct pbt_error *error)
{
    struct run *run =
        (struct run *)(void *)((char *)sink - offsetof(struct run, sink));
    return pbt_log_thread_feed(run->log, lines, length, error);
}

static int skip_records(struct pbt_sink *sink, uint64_t record,
                        struct pbt_error *error)
{
    struct run *run =
        (struct run *)(void *)((char *)sink - offsetof(struct run, sink));
    (void)error;
    pbt_log_thread_skipped(run->log, record);
    return PBT_OK;
}

static void say_nothing(void *user, const char *text)
{
    (void)user;
    (void)text;
}

/* Without it the run goes on all the same. */
static void listen_to_user(struct run *run)
{
    const struct pbt_run_options *options = run->options;
    struct pbt_error error;
    char text[PBT_ERROR_TEXT_MAX + 128];
    if (pbt_control_listen(run->path, &run->control, &error) == PBT_OK ||
        options->say == NULL) {
        return;
    }
    (void)snprintf(
        text, sizeof text,
        "warning[W0202]: pbt stop, pause and resume can't reach this run: "
        "%s",
        error.text);
    options->say(options->user, text);
}

static int open_parts(struct run *run, struct pbt_error *error)
{
    const struct pbt_run_options *options = run->options;
    struct pbt_lock_settings lock = pbt_lock_settings();
    lock.say = options->say == NULL ? say_nothing : options->say;
    lock.user = options->user;
    int status = pbt_lock_take(&run->lock, run->path, &lock, error);
    if (status != PBT_OK) {
        return status;
    }
    const struct pbt_hold hold = pbt_lock_as_hold(run->lock);
    status = pbt_make_dirs(run->snapshot_dir, error);
    if (status == PBT_OK) {
        status = pbt_log_thread_start(&run->log, run->path, &run->log_spec,
                                      false, &hold, error);
    }
    if (status == PBT_OK) {
        status = pbt_display_start(&run->display, run->log, options, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    listen_to_user(run);
    struct pbt_local_options local = {.spec = &run->spec,
                                      .files = pbt_files_posix(),
                                      .run_dir = run->path,
                                      .shim = run->shim,
                                      .budget = &run->budget,
                                      .stop_fd = options->stop_fd,
                                      .control_fd = run->control.fd,
                                      .ask = options->ask,
                                      .ask_user = options->ask_user,
                                      .hold = hold,
                                      .say = options->say,
                                      .say_user = options->user};
    return pbt_local_create(&run->local, &local, error);
}

/* Tests have more of them: a run of theirs is short.  0: as always. */
static uint64_t snapshot_every(void)
{
    const char *every = getenv("PBT_SNAPSHOT_EVERY");
    return every == NULL ? 0 : strtoull(every, NULL, 10);
}

static int open_driver(struct run *run, struct pbt_error *error)
{
    struct pbt_input unpause = {.kind = PBT_INPUT_REQUEST,
                                .request = PBT_CONTROL_RESUME,
                                .trial = run->options->unpause == PBT_RUN_ALL
                                             ? PBT_ALL_TRIALS
                                             : (uint32_t)run->options->unpause};
    run->sink.records = take_records;
    run->sink.skipped = skip_records;
    struct pbt_driver_options options = {
        .files = pbt_files_posix(),
        .journal_dir = run->journal_dir,
        .snapshot_dir = run->snapshot_dir,
        .snapshot_every = snapshot_every(),
        .slots = run->budget.slots,
        .wall_ns = (int64_t)clock_ns(CLOCK_REALTIME),
        .pid = getpid(),
        .host = run->host,
        .request = run->options->unpause == PBT_RUN_NONE ? NULL : &unpause,
        .kill_hint = run->options->kill_hint,
        .sink = &run->sink,
        .hold = pbt_lock_as_hold(run->lock),
        .checkpoint_check = checkpoint_check,
        .sweep = sweep,
        .checkpoint_user = run,
        .say = run->options->say,
        .say_user = run->options->user,
    };
    return pbt_driver_open(&run->driver, &run->spec,
                           pbt_local_world(run->local), &options, error);
}

static int find_budget(struct run *run, struct pbt_error *error)
{
    char warning[256];
    char text[sizeof warning + 16];
    int status = pbt_budget_find(&run->spec, &run->budget, error);
    if (status == PBT_OK && run->options->say != NULL &&
        pbt_budget_warning(&run->spec, &run->budget, warning, sizeof warning)) {
        (void)snprintf(text, sizeof text, "warning[W0201]: %s", warning);
        run->options->say(run->options->user, text);
    }
    return status;
}

/* The run's own copy: whoever trains from it must find what was there at first. */
static int verify_start(const struct run *run, struct pbt_error *error)
{
    char path[PBT_RUN_PATH_SIZE + 32];
    struct pbt_error why;
    if (run->spec.start_checkpoint == NULL) {
        return PBT_OK;
    }
    (void)snprintf(path, sizeof path, "%s/" PBT_START_CHECKPOINT, run->path);
    int status = pbt_checkpoint_verify(path, &why);
    return status == PBT_OK
               ? PBT_OK
               : pbt_fail(error, PBT_E0831, "%s: %s", path, why.text);
}

static int prepare(struct run *run, struct pbt_error *error)
{
    int status = pbt_run_read_spec(run->path, &run->spec, error);
    run->has_spec = status == PBT_OK;
    if (status == PBT_OK) {
        status = pbt_run_read_spec(run->path, &run->log_spec, error);
        run->has_log_spec = status == PBT_OK;
    }
    if (status != PBT_OK) {
        return status;
    }
    run->spec.functions = run->options->functions;
    run->spec.settings.custom_explore |= run->options->explores;
    run->log_spec.settings.custom_explore |= run->options->explores;
    /* It could when it was made: by its program's function. */
    status = pbt_spec_can_explore(&run->spec)
                 ? pbt_spec_finish(&run->spec, error)
                 : pbt_restore_no_functions(error);
    if (status == PBT_OK) {
        status = find_budget(run, error);
    }
    if (status == PBT_OK) {
        status = verify_start(run, error);
    }
    if (status == PBT_OK && run->options->shim != NULL) {
        (void)snprintf(run->shim, sizeof run->shim, "%s", run->options->shim);
    } else if (status == PBT_OK) {
        status = pbt_run_find_shim(run->shim, sizeof run->shim, error);
    }
    (void)snprintf(run->journal_dir, sizeof run->journal_dir, "%s/journal",
                   run->path);
    (void)snprintf(run->snapshot_dir, sizeof run->snapshot_dir,
                   "%s/" PBT_RUN_SNAPSHOTS, run->path);
    if (gethostname(run->host, sizeof run->host - 1) != 0) {
        (void)snprintf(run->host, sizeof run->host, "unknown");
    }
    return status;
}

/* --- the end -------------------------------------------------------------- */

/*
 * In this order: nobody is left who could write when the lock goes.  The threads end before
 * the loop: libuv closes its descriptors behind ThreadSanitizer's back, which then takes
 * a number that a thread has been given anew for the old one.
 */
static int close_parts(struct run *run, struct pbt_error *error)
{
    pbt_display_stop(run->display);
    int status = pbt_log_thread_stop(run->log, error);
    pbt_local_destroy(run->local);
    pbt_driver_close(run->driver);
    pbt_control_close(run->path, &run->control);
    pbt_lock_release(run->lock);
    if (run->has_log_spec) {
        pbt_spec_done(&run->log_spec);
    }
    if (run->has_spec) {
        pbt_spec_done(&run->spec);
    }
    return status;
}

static void count_trials(const struct run *run, const struct pbt_core *core,
                         struct pbt_run_outcome *outcome)
{
    outcome->end = pbt_core_end(core);
    for (uint32_t i = 0; i < run->spec.settings.population; i++) {
        struct pbt_core_trial trial = pbt_core_trial(core, i);
        outcome->terminated += trial.state == PBT_CORE_TERMINATED ? 1 : 0;
        outcome->errors += trial.state == PBT_CORE_ERROR ? 1 : 0;
        outcome->unfinished +=
            trial.state != PBT_CORE_TERMINATED && trial.state != PBT_CORE_ERROR
                ? 1
                : 0;
    }
}

static void note_board(void *user, const struct pbt_board *board)
{
    struct pbt_run_outcome *outcome = user;
    outcome->perturbations = board->perturbations;
    outcome->results = board->results;
    outcome->has_best = board->has_best && board->spec->metric != NULL;
}

static int judge(const struct pbt_run_outcome *outcome, struct pbt_error *error)
{
    if (outcome->end == PBT_END_INTERRUPTED) {
        return pbt_error_set(error, PBT_EINTERRUPTED, "interrupted");
    }
    if (outcome->end == PBT_END_FAILED && outcome->errors == 0) {
        return pbt_fail(error, PBT_E0832,
                        "a trial got no first configuration, so "
                        "everything was stopped; mend the function, then "
                        "run the program again");
    }
    if (outcome->end == PBT_END_FAILED && outcome->results > 0) {
        return pbt_fail(error, PBT_E0830,
                        "a trial failed for good, and failure.fail_fast ends "
                        "the experiment; the others have saved: pbt resume "
                        "tries it again");
    }
    if (outcome->end == PBT_END_FAILED) {
        return pbt_fail(error, PBT_E0806,
                        "a trial failed before there was any result: that "
                        "is no bad luck, so everything was stopped; mend "
                        "the program, then go on with pbt resume");
    }
    if (outcome->errors > 0) {
        return pbt_fail(error, PBT_E0807,
                        "%" PRIu32 " of the trials failed for good",
                        outcome->errors);
    }
    return PBT_OK;
}

int pbt_run_go(const char *path, const struct pbt_run_options *options,
               struct pbt_run_outcome *outcome, struct pbt_error *error)
{
    *outcome = (struct pbt_run_outcome){.end = PBT_END_NOT};
    struct run *run = calloc(1, sizeof *run);
    if (run == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    run->path = path;
    run->control.fd = -1;
    run->options = options;
    int status = prepare(run, error);
    if (status == PBT_OK) {
        status = open_parts(run, error);
    }
    if (status == PBT_OK) {
        status = open_driver(run, error);
    }
    if (status == PBT_OK) {
        status = pbt_driver_run(run->driver, error);
        outcome->loop_cpu_ns = clock_ns(CLOCK_THREAD_CPUTIME_ID);
    }
    bool ended = status == PBT_OK;
    if (ended) {
        count_trials(run, pbt_driver_core(run->driver), outcome);
    }
    if (run->display != NULL) {
        pbt_display_show_last(run->display, note_board, outcome);
    }
    struct pbt_error failed;
    int closed = close_parts(run, &failed);
    free(run);
    outcome->process_cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID);
    if (ended && closed != PBT_OK) {
        if (error != NULL) {
            *error = failed;
        }
        return closed;
    }
    return ended ? judge(outcome, error) : status;
}
