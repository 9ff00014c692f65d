/*
 * translate.c: news from the world into events for the core, and into what the
 * journal keeps beside their records.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "driver/state.h"
#include "wire/message.h"

/* Of the last words at most 8 KiB, and what is said before them. */
#define EXIT_TEXT_MAX ((size_t)16 << 10)

static void put_text(struct pbt_buf *buf, const char *text)
{
    pbt_buf_json_string(buf, text, strlen(text));
}

static struct pbt_event new_event(const struct pbt_driver *driver,
                                  enum pbt_event_kind kind,
                                  const struct pbt_input *input)
{
    struct pbt_event event = {
        .kind = kind,
        .trial = input->trial,
        .epoch = input->epoch,
        .time = pbt_driver_clock(driver),
        .seq = input->seq,
        .iteration = input->iteration,
        .time_total = input->time_total_s,
        .halted = input->halted,
        .done = input->done,
        .can_reset = input->can_reset,
        .checkpoint = input->checkpoint,
        .bytes = input->bytes,
        .no_room = input->no_room,
    };
    event.score = (double)NAN;
    for (uint32_t i = 0; i < PBT_VALUES_MAX; i++) {
        event.values[i] = (double)NAN;
    }
    return event;
}

/* --- results ---------------------------------------------------------------- */

static bool is_present(const json_t *metrics, const char *name)
{
    double ignored;
    return pbt_metric_number(metrics, name, &ignored);
}

/* Which numbers there are, for the message about the one that is missing. */
static void list_metrics(const json_t *metrics, char *text, size_t size)
{
    size_t at = 0;
    const char *key;
    json_t *value;
    text[0] = '\0';
    json_object_foreach((json_t *)(uintptr_t)metrics, key, value)
    {
        (void)value;
        int n = snprintf(text + at, size - at, "%s%s", at > 0 ? ", " : "", key);
        if (n < 0 || (size_t)n >= size - at) {
            break;
        }
        at += (size_t)n;
    }
}

static int missing_metric(struct pbt_driver *driver,
                          const struct pbt_input *input,
                          struct pbt_error *error)
{
    char names[512];
    char why[1024];
    list_metrics(input->metrics_json, names, sizeof names);
    (void)snprintf(why, sizeof why,
                   "the result of iteration %" PRId64
                   " has no number `%s`, the experiment's metric (it has: %s); "
                   "mend `metric`, or set scheduler.require_attrs: false",
                   input->iteration, driver->spec->metric, names);
    return pbt_driver_kill(driver, input->trial, why, error);
}

/* Once for each life: it may well be so in every step from now on. */
static void say_no_number(struct pbt_driver *driver,
                          const struct pbt_input *input, double value)
{
    struct pbt_drive *drive = &driver->drives[input->trial];
    char id[PBT_TRIAL_ID_SIZE];
    if (drive->odd_epoch == input->epoch) {
        return;
    }
    drive->odd_epoch = input->epoch;
    pbt_trial_id(driver->spec->settings.seed, input->trial, id);
    pbt_driver_say(
        driver,
        "warning[W0302]: trial %s reports %s as `%s` at iteration %" PRId64 "\n"
        "  = with such a score it ranks below all others, and is "
        "replaced at its next perturbation",
        id, isnan(value) ? "NaN" : "an infinite number", driver->spec->metric,
        input->iteration);
}

/* Results between the points may lack the score (require_attrs: false); at one it counts. */
static void say_no_score(struct pbt_driver *driver,
                         const struct pbt_input *input)
{
    struct pbt_drive *drive = &driver->drives[input->trial];
    struct pbt_core_trial trial = pbt_core_trial(driver->core, input->trial);
    char id[PBT_TRIAL_ID_SIZE];
    if (trial.epoch != input->epoch || trial.point_seq != input->seq ||
        drive->odd_epoch == input->epoch) {
        return;
    }
    drive->odd_epoch = input->epoch;
    pbt_trial_id(driver->spec->settings.seed, input->trial, id);
    pbt_driver_say(
        driver,
        "warning[W0310]: trial %s reports no `%s` at iteration %" PRId64
        ", where trials are compared\n"
        "  = without a score it ranks below all others: let its program report "
        "it there, or change scheduler.perturbation_interval",
        id, driver->spec->metric, input->iteration);
}

/*
 * What was sent is answered, so that the same is sent again if it is owed again: a worker
 * may rest before its grant is used up, and a trial be resumed and paused anew.
 */
static void note_rest(struct pbt_drive *drive, uint64_t epoch)
{
    bool answers = drive->sent.kind == PBT_COMMAND_RUN ||
                   drive->sent.kind == PBT_COMMAND_HALT;
    if (answers && epoch == drive->sent.epoch) {
        drive->sent.kind = PBT_COMMAND_NONE;
    }
}

static int take_result(struct pbt_driver *driver, const struct pbt_input *input,
                       struct pbt_error *error)
{
    const struct pbt_spec *spec = driver->spec;
    struct pbt_event event = new_event(driver, PBT_EVENT_RESULT, input);
    struct pbt_drive *drive = &driver->drives[input->trial];
    if (drive->why != NULL) {
        return PBT_OK; /* it is being killed: nothing of it counts any more */
    }
    bool no_score =
        spec->metric != NULL && !is_present(input->metrics_json, spec->metric);
    if (spec->metric != NULL) {
        if (no_score && spec->require_attrs) {
            return missing_metric(driver, input, error);
        }
        double value = (double)NAN;
        if (pbt_metric_number(input->metrics_json, spec->metric, &value) &&
            !isfinite(value)) {
            say_no_number(driver, input, value);
        }
        event.score = spec->minimize ? -value : value;
    }
    for (uint32_t i = 0; i < spec->value_count; i++) {
        (void)pbt_metric_number(input->metrics_json, spec->value_names[i],
                                &event.values[i]);
    }
    pbt_buf_text(&driver->data, "{\"time_this_iter_s\":");
    pbt_buf_real(&driver->data, input->time_this_iter_s);
    pbt_buf_text(&driver->data, ",\"metrics\":");
    pbt_buf_put(&driver->data, input->metrics, input->metrics_length);
    pbt_buf_char(&driver->data, '}');

    /* Old news are acknowledged too: the worker may forget them. */
    if (input->epoch == drive->sent.epoch) {
        drive->acked = input->seq;
        drive->ack_epoch = input->epoch;
        if (!drive->ack_due) {
            drive->ack_due = true;
            driver->acks[driver->ack_count++] = input->trial;
        }
    }
    if (input->halted) {
        note_rest(drive, input->epoch);
    }
    if (drive->deadline != PBT_NEVER && spec->timeout_step > 0) {
        /* The step is over; a further one of the same grant has its own time. */
        drive->deadline = driver->world->ops->now(driver->world) +
                          (uint64_t)(spec->timeout_step * 1e9);
    }
    driver->metrics = input->metrics_json;
    driver->ignored = input->ignored_json;
    int status = pbt_driver_event(driver, &event, error);
    driver->metrics = NULL;
    driver->ignored = NULL;
    if (status == PBT_OK && no_score) {
        say_no_score(driver, input);
    }
    return status;
}

/* --- other news --------------------------------------------------------------- */

static int take_ready(struct pbt_driver *driver, const struct pbt_input *input,
                      struct pbt_error *error)
{
    struct pbt_event event = new_event(driver, PBT_EVENT_READY, input);
    if (input->host != NULL) {
        pbt_buf_text(&driver->data, "{\"pid\":");
        pbt_buf_i64(&driver->data, input->pid);
        pbt_buf_text(&driver->data, ",\"host\":");
        put_text(&driver->data, input->host);
        pbt_buf_text(&driver->data, ",\"client\":");
        put_text(&driver->data, input->client == NULL ? "" : input->client);
        pbt_buf_char(&driver->data, '}');
    }
    return pbt_driver_event(driver, &event, error);
}

/* `before`: what the trial was before that. */
static void after_exit(struct pbt_driver *driver, const struct pbt_input *input,
                       const struct pbt_core_trial *before, const char *text)
{
    struct pbt_drive *drive = &driver->drives[input->trial];
    free(drive->why);
    drive->why = NULL;
    drive->deadline = PBT_NEVER;
    pbt_driver_end_waiting(driver, input->trial);
    struct pbt_core_trial after = pbt_core_trial(driver->core, input->trial);
    if (input->no_room && after.failures == before->failures) {
        pbt_driver_say_spoilt(driver, input->trial, text);
    }
    if (after.failures > before->failures) {
        pbt_driver_say_failure(driver, input->trial, before->iteration, text);
    }
}

static int take_exit(struct pbt_driver *driver, const struct pbt_input *input,
                     struct pbt_error *error)
{
    struct pbt_drive *drive = &driver->drives[input->trial];
    struct pbt_core_trial before = pbt_core_trial(driver->core, input->trial);
    struct pbt_event event = new_event(driver, PBT_EVENT_EXITED, input);
    struct pbt_buf text;
    pbt_buf_init(&text, EXIT_TEXT_MAX);
    pbt_driver_describe_exit(input, drive->why, &text);
    if (pbt_buf_failed(&text)) {
        pbt_buf_done(&text);
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    pbt_buf_text(&driver->data,
                 input->signal != 0 ? "{\"signal\":" : "{\"exit_code\":");
    pbt_buf_i64(&driver->data,
                input->signal != 0 ? input->signal : input->exit_code);
    pbt_buf_text(&driver->data, ",\"text\":");
    put_text(&driver->data, text.data);
    pbt_buf_char(&driver->data, '}');
    int status = pbt_driver_event(driver, &event, error);
    if (status == PBT_OK && input->epoch == before.process_epoch) {
        after_exit(driver, input, &before, text.data);
    }
    pbt_buf_done(&text);
    return status;
}

static int take_answer(struct pbt_driver *driver, const struct pbt_input *input,
                       struct pbt_error *error)
{
    struct pbt_event event = new_event(driver, PBT_EVENT_ANSWERED, input);
    event.cells = input->cells;
    event.failed = input->cells == NULL;
    if (event.failed) {
        const char *text = input->text == NULL ? "no answer" : input->text;
        char id[PBT_TRIAL_ID_SIZE];
        pbt_trial_id(driver->spec->settings.seed, input->trial, id);
        bool created = pbt_core_trial(driver->core, input->trial).created;
        pbt_driver_say(
            driver,
            "warning[W0304]: trial %s got no %s configuration: %s\n  = %s", id,
            created ? "new" : "first", text,
            created ? "it goes on as it is until its next point"
                    : "no trial can begin so: the run ends, and "
                      "asks again when it is resumed");
        pbt_buf_text(&driver->data, "{\"text\":");
        put_text(&driver->data, text);
        pbt_buf_char(&driver->data, '}');
    }
    return pbt_driver_event(driver, &event, error);
}

int pbt_driver_input(struct pbt_driver *driver, const struct pbt_input *input,
                     struct pbt_error *error)
{
    struct pbt_event event;
    pbt_buf_reset(&driver->data);
    switch (input->kind) {
    case PBT_INPUT_READY:
        return take_ready(driver, input, error);
    case PBT_INPUT_RESULT:
        return take_result(driver, input, error);
    case PBT_INPUT_HALTED:
        note_rest(&driver->drives[input->trial], input->epoch);
        event = new_event(driver, PBT_EVENT_HALTED, input);
        return pbt_driver_event(driver, &event, error);
    case PBT_INPUT_WAITING:
        return pbt_driver_waiting(driver, input, error);
    case PBT_INPUT_SAVED:
        event = new_event(driver, PBT_EVENT_SAVED, input);
        return pbt_driver_event(driver, &event, error);
    case PBT_INPUT_EXITED:
        return take_exit(driver, input, error);
    case PBT_INPUT_BAD:
        return pbt_driver_lost(driver, input, error);
    case PBT_INPUT_ANSWERED:
        return take_answer(driver, input, error);
    case PBT_INPUT_SYNCED:
        if (input->text != NULL) {
            return pbt_error_set(error, PBT_EIO, "%s", input->text);
        }
        return pbt_driver_synced(driver, input->seq, error);
    case PBT_INPUT_CAPACITY:
        event = new_event(driver, PBT_EVENT_CAPACITY, input);
        event.trial = 0;
        event.slots = input->slots;
        return pbt_driver_event(driver, &event, error);
    case PBT_INPUT_STOP:
        return pbt_driver_stop(driver, error);
    case PBT_INPUT_REQUEST:
        return pbt_driver_request(driver, input, error);
    case PBT_INPUT_FATAL:
        return pbt_error_set(error, input->status, "%s", input->text);
    }
    return PBT_OK;
}
