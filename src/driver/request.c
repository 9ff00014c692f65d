/*
 * request.c: what the user asks of a run at work: by the control socket, a signal or a
 * call.  What a request leads to is decided in the core, like everything else.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "base/printable.h"
#include "driver/state.h"

/* --- stopping the run -------------------------------------------------------- */

/* Trials that will save now: not those that have yet to begin. */
static uint32_t count_saving(const struct pbt_driver *driver)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < driver->spec->settings.population; i++) {
        struct pbt_command owed = pbt_core_owed(driver->core, i);
        bool ends =
            owed.kind == PBT_COMMAND_START || owed.kind == PBT_COMMAND_LOAD ||
            owed.kind == PBT_COMMAND_STOP || owed.kind == PBT_COMMAND_KILL;
        count += pbt_core_trial(driver->core, i).has_process && !ends ? 1 : 0;
    }
    return count;
}

static void say_stopping(const struct pbt_driver *driver, uint32_t saving)
{
    const char *hint = driver->options.kill_hint;
    char trials[48] = "";
    char kill[64] = "";
    if (saving > 0) {
        (void)snprintf(trials, sizeof trials, ", saving %" PRIu32 " trial%s",
                       saving, saving == 1 ? "" : "s");
    }
    if (hint != NULL) {
        (void)snprintf(kill, sizeof kill, " (%s)", hint);
    }
    pbt_driver_say(driver, "stopping%s%s", trials, kill);
}

/* Returns how many trials will save in *saving. */
static int stop_run(struct pbt_driver *driver, uint32_t *saving,
                    struct pbt_error *error)
{
    struct pbt_event event = {.kind = PBT_EVENT_STOP_ASKED,
                              .time = pbt_driver_clock(driver)};
    int status = pbt_driver_event(driver, &event, error);
    *saving = count_saving(driver);
    if (status != PBT_OK) {
        return status;
    }
    say_stopping(driver, *saving);
    return pbt_driver_stop_waiting(driver, error);
}

int pbt_driver_stop(struct pbt_driver *driver, struct pbt_error *error)
{
    uint32_t saving;
    return stop_run(driver, &saving, error);
}

/* --- trials -------------------------------------------------------------------- */

static enum pbt_request request_of(enum pbt_control_kind kind)
{
    switch (kind) {
    case PBT_CONTROL_PAUSE:
        return PBT_REQUEST_PAUSE;
    case PBT_CONTROL_RESUME:
        return PBT_REQUEST_RESUME;
    case PBT_CONTROL_STOP:
        return PBT_REQUEST_STOP;
    case PBT_CONTROL_KINDS:
        break;
    }
    return PBT_REQUEST_NOT;
}

static bool is_over(const struct pbt_core_trial *trial)
{
    return trial->state == PBT_CORE_TERMINATED ||
           trial->state == PBT_CORE_ERROR;
}

/* The request led to a record. */
static enum pbt_control_outcome accepted(enum pbt_control_kind kind,
                                         bool has_process)
{
    switch (kind) {
    case PBT_CONTROL_PAUSE:
        return has_process ? PBT_OUTCOME_PAUSING : PBT_OUTCOME_PAUSED;
    case PBT_CONTROL_RESUME:
        return PBT_OUTCOME_RESUMED;
    case PBT_CONTROL_STOP:
    case PBT_CONTROL_KINDS:
        break;
    }
    return has_process ? PBT_OUTCOME_STOPPING : PBT_OUTCOME_STOPPED;
}

static enum pbt_control_outcome refused(enum pbt_control_kind kind,
                                        const struct pbt_core_trial *before)
{
    if (is_over(before)) {
        return PBT_OUTCOME_FINISHED;
    }
    if (kind == PBT_CONTROL_PAUSE && before->held) {
        return PBT_OUTCOME_ALREADY;
    }
    if (kind == PBT_CONTROL_RESUME && !before->ending) {
        return PBT_OUTCOME_RUNNING;
    }
    return PBT_OUTCOME_ENDING;
}

static int request_trial(struct pbt_driver *driver, uint32_t trial,
                         enum pbt_control_kind kind,
                         struct pbt_control_answer *answer,
                         struct pbt_error *error)
{
    struct pbt_core_trial before = pbt_core_trial(driver->core, trial);
    uint64_t records = pbt_core_records(driver->core);
    struct pbt_event event = {.kind = PBT_EVENT_REQUEST,
                              .trial = trial,
                              .request = request_of(kind),
                              .time = pbt_driver_clock(driver)};
    int status = pbt_driver_event(driver, &event, error);
    bool follows = pbt_core_records(driver->core) > records;
    answer->trials[follows ? accepted(kind, before.has_process)
                           : refused(kind, &before)]++;
    return status;
}

/* --- for people ------------------------------------------------------------------ */

static void say_request(const struct pbt_driver *driver,
                        const struct pbt_input *input,
                        const struct pbt_control_answer *answer)
{
    static const char *const MEANINGS[PBT_OUTCOMES] = {
        [PBT_OUTCOME_PAUSING] = "pausing after the step under way",
        [PBT_OUTCOME_PAUSED] = "paused",
        [PBT_OUTCOME_RESUMED] = "resumed",
        [PBT_OUTCOME_STOPPING] = "stopping after the step under way",
        [PBT_OUTCOME_STOPPED] = "stopped"};
    char id[PBT_TRIAL_ID_SIZE];
    for (int i = 0; i < PBT_OUTCOMES; i++) {
        if (MEANINGS[i] == NULL || answer->trials[i] == 0) {
            continue;
        }
        if (input->trial != PBT_ALL_TRIALS) {
            pbt_trial_id(driver->spec->settings.seed, input->trial, id);
            pbt_driver_say(driver, "asked for: trial %s %s", id, MEANINGS[i]);
        } else {
            pbt_driver_say(driver, "asked for: %" PRIu32 " trial%s %s",
                           answer->trials[i], answer->trials[i] == 1 ? "" : "s",
                           MEANINGS[i]);
        }
    }
}

void pbt_driver_say_idle(struct pbt_driver *driver)
{
    bool idle = pbt_core_idle(driver->core);
    if (idle && !driver->said_idle) {
        pbt_driver_say(driver, "every trial that is not finished is paused: "
                               "waiting for pbt resume");
    }
    driver->said_idle = idle;
}

void pbt_driver_say_bytes(struct pbt_driver *driver)
{
    uint64_t spare;
    uint64_t most = driver->spec->settings.max_bytes;
    uint64_t bytes = pbt_core_bytes(driver->core, &spare);
    if (most > 0 && bytes > most && !driver->said_bytes) {
        char have[PBT_BYTES_TEXT_SIZE];
        char want[PBT_BYTES_TEXT_SIZE];
        pbt_bytes_text(bytes, have);
        pbt_bytes_text(most, want);
        pbt_driver_say(driver,
                       "warning[W0306]: the checkpoints that are needed take "
                       "%s, and checkpoint.max_bytes is %s\n"
                       "  = nothing else is kept; what is needed stays all "
                       "the same",
                       have, want);
        driver->said_bytes = true;
    }
}

/* --- requests and replies -------------------------------------------------------- */

static int add_reply(struct pbt_driver *driver, uint64_t request,
                     const struct pbt_control_answer *answer,
                     struct pbt_error *error)
{
    void *items = driver->replies;
    if (!pbt_driver_grow(&items, driver->reply_count, &driver->reply_capacity,
                         sizeof *driver->replies)) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    driver->replies = items;
    driver->replies[driver->reply_count++] =
        (struct pbt_reply){.request = request, .answer = *answer};
    return PBT_OK;
}

int pbt_driver_request(struct pbt_driver *driver, const struct pbt_input *input,
                       struct pbt_error *error)
{
    struct pbt_control_answer answer = {.ok = true};
    int status = PBT_OK;
    if (input->request == PBT_CONTROL_RESUME &&
        pbt_core_end(driver->core) == PBT_END_INTERRUPTED) {
        /* This driver starts nothing any more. */
        static const char TEXT[] = "the driver is stopping: when it has ended, "
                                   "pbt resume starts another";
        answer.ok = false;
        memcpy(answer.error, TEXT, sizeof TEXT);
    } else if (input->trial != PBT_ALL_TRIALS) {
        status =
            request_trial(driver, input->trial, input->request, &answer, error);
    } else if (input->request == PBT_CONTROL_STOP) {
        status = stop_run(driver, &answer.trials[PBT_OUTCOME_STOPPING], error);
    } else {
        for (uint32_t i = 0;
             status == PBT_OK && i < driver->spec->settings.population; i++) {
            status = request_trial(driver, i, input->request, &answer, error);
        }
    }
    if (status != PBT_OK) {
        return status;
    }
    if (input->request != PBT_CONTROL_STOP || input->trial != PBT_ALL_TRIALS) {
        say_request(driver, input, &answer);
    }
    return input->seq == 0 ? PBT_OK
                           : add_reply(driver, input->seq, &answer, error);
}

int pbt_driver_send_replies(struct pbt_driver *driver, struct pbt_error *error)
{
    int status = PBT_OK;
    for (size_t i = 0; i < driver->reply_count && status == PBT_OK; i++) {
        struct pbt_job job = {.kind = PBT_JOB_REPLY,
                              .seq = driver->replies[i].request,
                              .answer = &driver->replies[i].answer};
        status = driver->world->ops->submit(driver->world, &job, error);
    }
    driver->reply_count = 0;
    return status;
}
