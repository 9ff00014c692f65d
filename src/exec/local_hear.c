/*
 * local_hear.c: what workers and shims say.
 *
 * Everything that a worker may do wrong by docs/protocol.md is found here, before the
 * driver hears of it: such a worker is killed, and its end is told with the reason.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "checkpoint/checkpoint.h"
#include "exec/local_state.h"

/* --- what a worker says -------------------------------------------------- */

void pbt_process_wrong(struct pbt_process *process, const char *what)
{
    pbt_process_break(process,
                      "line %" PRIu64 " of what it says is against the "
                      "protocol: %s (docs/protocol.md)",
                      process->worker.lines.count, what);
}

static void hear_hello(struct pbt_process *process,
                       const struct pbt_message *message)
{
    if (message->protocol != PBT_PROTOCOL_VERSION) {
        pbt_process_break(process,
                          "it speaks version %" PRId64 " of the protocol; this "
                          "pbt speaks %d",
                          message->protocol, PBT_PROTOCOL_VERSION);
        return;
    }
    process->greeted = true;
    pbt_process_settle_socket(process);
    process->pid = message->pid;
    process->can_reset = (message->capabilities & PBT_CAN_RESET_CONFIG) != 0;
    process->can_reuse = (message->capabilities & PBT_CAN_REUSE) != 0;
    (void)snprintf(process->host, sizeof process->host, "%s", message->host);
    (void)snprintf(process->client, sizeof process->client, "%s",
                   message->client);
}

/* Some languages don't tell 1 from 1.0: numbers are compared by value. */
static bool same_json(const json_t *a, const json_t *b)
{
    const char *key;
    json_t *member;
    double x;
    double y;
    if (pbt_json_number(a, &x) && pbt_json_number(b, &y)) {
        return x == y || (x != x && y != y);
    }
    if (json_typeof(a) != json_typeof(b)) {
        return false;
    }
    if (json_is_array(a)) {
        bool same = json_array_size(a) == json_array_size(b);
        for (size_t i = 0; same && i < json_array_size(a); i++) {
            same = same_json(json_array_get(a, i), json_array_get(b, i));
        }
        return same;
    }
    if (!json_is_object(a)) {
        return json_equal(a, b) == 1;
    }
    if (json_object_size(a) != json_object_size(b)) {
        return false;
    }
    json_object_foreach((json_t *)(uintptr_t)a, key, member)
    {
        const json_t *other = json_object_get(b, key);
        if (other == NULL || !same_json(member, other)) {
            return false;
        }
    }
    return true;
}

static void hear_ready(struct pbt_process *process,
                       const struct pbt_message *message)
{
    struct pbt_local *local = process->local;
    const char *loaded = message->checkpoint == NULL ? "" : message->checkpoint;
    if (process->awaited != PBT_AWAITED_READY) {
        pbt_process_wrong(process, "\"ready\" without a start or load");
    } else if (strcmp(loaded, process->checkpoint) != 0) {
        pbt_process_break(
            process, "it was told to load %s, and says that it loaded %s",
            process->checkpoint[0] == '\0' ? "nothing" : process->checkpoint,
            loaded[0] == '\0' ? "nothing" : loaded);
    } else if (!same_json(message->config_json, process->config)) {
        pbt_process_break(process,
                          "it runs with another configuration than it was "
                          "told: %.*s",
                          (int)(message->config_length < 1000
                                    ? message->config_length
                                    : 1000),
                          message->config);
    } else if (message->iteration != process->iteration) {
        pbt_process_wrong(process,
                          "\"ready\" with another iteration than it was told");
    } else {
        struct pbt_input *input =
            pbt_local_input(local, PBT_INPUT_READY, process->trial);
        process->awaited = PBT_AWAITED_NOTHING;
        if (input == NULL) {
            return;
        }
        input->epoch = message->epoch;
        input->iteration = message->iteration;
        input->can_reset = process->can_reset;
        if (process->asked.kind == PBT_COMMAND_START) {
            input->pid = process->pid;
            input->host = process->host;
            input->client = process->client;
        }
    }
}

/* NULL: nothing is wrong with it. */
static const char *wrong_with_result(const struct pbt_process *process,
                                     const struct pbt_message *message)
{
    if (process->awaited != PBT_AWAITED_NOTHING ||
        process->asked.kind != PBT_COMMAND_RUN) {
        return "a result without a grant";
    }
    if (message->seq != process->seq + 1) {
        return "the results' \"seq\" must go up by one";
    }
    if (message->iteration <= process->iteration) {
        return "a result's \"iteration\" must be greater than the one before";
    }
    if (message->time_total_s < process->time_total_s) {
        return "\"time_total_s\" must not fall";
    }
    if (message->iteration >= process->asked.until && !message->halted) {
        return "\"halted\" must be true at the end of a grant";
    }
    if (message->done && !message->halted) {
        return "\"halted\" must be true with \"done\"";
    }
    const char *key = NULL;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)message->metrics_json, key, value)
    {
        (void)value;
        if (pbt_metric_reserved(key)) {
            return "\"metrics\" has a name that pbt fills itself";
        }
    }
    return NULL;
}

static void hear_result(struct pbt_process *process,
                        const struct pbt_message *message)
{
    const char *what = wrong_with_result(process, message);
    if (what != NULL) {
        pbt_process_wrong(process, what);
        return;
    }
    process->seq = message->seq;
    process->iteration = message->iteration;
    process->time_total_s = message->time_total_s;
    struct pbt_input *input =
        pbt_local_input(process->local, PBT_INPUT_RESULT, process->trial);
    if (input == NULL) {
        return;
    }
    input->epoch = message->epoch;
    input->seq = message->seq;
    input->iteration = message->iteration;
    input->time_this_iter_s = message->time_this_iter_s;
    input->time_total_s = message->time_total_s;
    input->halted = message->halted;
    input->done = message->done;
    input->metrics = message->metrics;
    input->metrics_length = message->metrics_length;
    input->metrics_json = message->metrics_json;
    input->ignored_json = message->ignored_json;
}

static void hear_saved(struct pbt_process *process,
                       const struct pbt_message *message)
{
    struct pbt_error error;
    if (process->awaited != PBT_AWAITED_SAVED ||
        message->iteration != process->asked.iteration) {
        pbt_process_wrong(process, "\"saved\" without such a save");
        return;
    }
    struct pbt_message seal = {.type = PBT_MESSAGE_SEAL,
                               .epoch = process->epoch,
                               .iteration = message->iteration,
                               .path = process->checkpoint,
                               .manifest = process->manifest.data,
                               .manifest_length = process->manifest.length};
    process->awaited = PBT_AWAITED_SEALED;
    if (pbt_stream_send(&process->control, &seal, &error) != PBT_OK) {
        pbt_process_break(process, "its shim can't be told to seal: %s",
                          error.text);
    }
}

static void hear_halted(struct pbt_process *process,
                        const struct pbt_message *message)
{
    struct pbt_input *input =
        pbt_local_input(process->local, PBT_INPUT_HALTED, process->trial);
    if (input != NULL) {
        input->epoch = message->epoch;
        input->iteration = message->iteration;
    }
}

void pbt_process_hear_worker(struct pbt_process *process,
                             const struct pbt_message *message)
{
    bool hello = message->type == PBT_MESSAGE_HELLO;
    if (hello == process->greeted) {
        pbt_process_wrong(process, hello ? "a second \"hello\""
                                         : "\"hello\" comes first");
        return;
    }
    if (hello) {
        hear_hello(process, message);
        return;
    }
    if (message->type != PBT_MESSAGE_ERROR &&
        message->epoch != process->epoch) {
        if (message->epoch > process->epoch) {
            pbt_process_wrong(process, "an epoch from the future");
        }
        return; /* it was under way when the trial went on */
    }
    if (process->kept && message->type != PBT_MESSAGE_ERROR) {
        return; /* the answer to a halt that crossed its last result */
    }
    switch (message->type) {
    case PBT_MESSAGE_READY:
        hear_ready(process, message);
        return;
    case PBT_MESSAGE_RESULT:
        hear_result(process, message);
        return;
    case PBT_MESSAGE_HALTED:
        hear_halted(process, message);
        return;
    case PBT_MESSAGE_SAVED:
        hear_saved(process, message);
        return;
    case PBT_MESSAGE_ERROR:
        pbt_process_break(process, "%s", message->text);
        return;
    case PBT_MESSAGE_HELLO:
    case PBT_MESSAGE_START:
    case PBT_MESSAGE_LOAD:
    case PBT_MESSAGE_RUN:
    case PBT_MESSAGE_SAVE:
    case PBT_MESSAGE_HALT:
    case PBT_MESSAGE_STOP:
    case PBT_MESSAGE_ACK:
    case PBT_MESSAGE_SEAL:
    case PBT_MESSAGE_KILL:
    case PBT_MESSAGE_SPAWNED:
    case PBT_MESSAGE_SEALED:
    case PBT_MESSAGE_EXITED:
        break;
    }
    pbt_process_wrong(process, "a message that a worker doesn't send");
}

/* --- what a shim says ---------------------------------------------------- */

/*
 * Where a checkpoint of ours is to be there is none, unless a driver that was taken over
 * published one before it looked: that one has no record, and makes room.
 */
static int publish(struct pbt_process *process, const char *name,
                   struct pbt_error *error)
{
    struct pbt_local *local = process->local;
    char aside[PBT_LOCAL_PATH_SIZE];
    int status = pbt_checkpoint_publish(process->checkpoint, name, error);
    if (status != PBT_EDATA) {
        return status;
    }
    struct pbt_error why = {.status = PBT_OK};
    /* It was there before this is asked: so it is not of whoever has taken us over. */
    if (pbt_hold_ask(&local->options.hold, &why) != PBT_OK) {
        pbt_local_fail_with(local, &why);
        return status;
    }
    if (pbt_local_temporary_path(local, &process->asked, "stale", aside,
                                 sizeof aside, &why) != PBT_OK ||
        pbt_checkpoint_publish(name, aside, &why) != PBT_OK) {
        return status;
    }
    pbt_local_say(local,
                  "warning[W0207]: %s was there already, of a driver that "
                  "doesn't drive this run any more; it is removed",
                  name);
    pbt_local_remove(local, aside);
    return pbt_checkpoint_publish(process->checkpoint, name, error);
}

static void hear_sealed(struct pbt_process *process,
                        const struct pbt_message *message)
{
    struct pbt_local *local = process->local;
    struct pbt_error error = {.status = PBT_OK};
    char name[PBT_LOCAL_PATH_SIZE];
    if (process->awaited != PBT_AWAITED_SEALED ||
        message->epoch != process->epoch) {
        return;
    }
    process->awaited = PBT_AWAITED_NOTHING;
    if (pbt_hold_ask(&local->options.hold, &error) != PBT_OK) {
        pbt_local_fail_with(local, &error);
        return;
    }
    int status = message->text == NULL
                     ? PBT_OK
                     : pbt_error_set(&error, PBT_EIO, "%s", message->text);
    if (status == PBT_OK) {
        status = pbt_local_checkpoint_path(
            local->options.spec, local->options.run_dir,
            process->asked.checkpoint, name, sizeof name, &error);
    }
    if (status == PBT_OK) {
        status = publish(process, name, &error);
    }
    if (message->bytes > local->largest) {
        local->largest = message->bytes;
    }
    if (status != PBT_OK) {
        process->no_room = pbt_process_spoil_save(process, error.text);
    }
    pbt_process_end_save(process);
    if (status != PBT_OK) {
        pbt_process_break(process, "its checkpoint can't be kept: %s",
                          error.text);
        return;
    }
    struct pbt_input *input =
        pbt_local_input(local, PBT_INPUT_SAVED, process->trial);
    if (input != NULL) {
        input->epoch = process->epoch;
        input->checkpoint = process->asked.checkpoint;
        input->bytes = message->bytes;
    }
}

void pbt_process_hear_shim(struct pbt_process *process,
                           const struct pbt_message *message)
{
    if (message->type == PBT_MESSAGE_SEALED) {
        hear_sealed(process, message);
    } else if (message->type == PBT_MESSAGE_EXITED) {
        process->has_status = true;
        process->exit_code = message->exit_code;
        process->signal = message->signal;
    } else if (message->type == PBT_MESSAGE_SPAWNED && message->text != NULL) {
        pbt_process_break(process, "%s", message->text);
    }
}
