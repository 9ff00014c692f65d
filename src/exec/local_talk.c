/*
 * local_talk.c: what workers and shims say, and what they are told.
 *
 * Everything that a worker may do wrong by docs/protocol.md is found here, before the
 * driver hears of it: such a worker is killed, and its end is told with the reason.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "exec/local_state.h"

/* What a worker has to end by itself after it has closed its socket. */
#define LINGER_MS 10000

/* --- sending ------------------------------------------------------------- */

static uv_poll_cb callback_of(const struct pbt_stream *stream)
{
    const struct pbt_process *process = stream->poll.data;
    return stream == &process->worker ? pbt_process_on_worker
                                      : pbt_process_on_control;
}

/* Writes what there is; the rest waits for room.  A gone reader is no error here. */
static int flush(struct pbt_stream *stream, struct pbt_error *error)
{
    while (stream->sent < stream->out.length) {
        /* No SIGPIPE: the process is our user's. */
        ssize_t put = send(stream->fd, stream->out.data + stream->sent,
                           stream->out.length - stream->sent, MSG_NOSIGNAL);
        if (put >= 0) {
            stream->sent += (size_t)put;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            break;
        } else if (errno != EINTR) {
            stream->sent = stream->out.length; /* its end will be seen */
            return pbt_error_set(error, PBT_EIO, "%s", strerror(errno));
        }
    }
    bool wants_room = stream->sent < stream->out.length;
    if (!wants_room) {
        pbt_buf_reset(&stream->out);
        stream->sent = 0;
    }
    if (wants_room != stream->wants_room) {
        stream->wants_room = wants_room;
        (void)uv_poll_start(
            &stream->poll, wants_room ? UV_READABLE | UV_WRITABLE : UV_READABLE,
            callback_of(stream));
    }
    return PBT_OK;
}

int pbt_stream_send(struct pbt_stream *stream,
                    const struct pbt_message *message, struct pbt_error *error)
{
    if (stream->fd < 0) {
        return pbt_error_set(error, PBT_EIO, "closed");
    }
    int status = pbt_message_encode(message, &stream->out, error);
    return status == PBT_OK ? flush(stream, error) : status;
}

/* To the worker; a command carries the ack that is due. */
static void tell_worker(struct pbt_process *process,
                        struct pbt_message *message)
{
    struct pbt_error error;
    if (process->ack_due && message->epoch == process->epoch &&
        message->type != PBT_MESSAGE_ACK) {
        message->ack = process->ack;
        process->ack_due = false;
    }
    int status = pbt_stream_send(&process->worker, message, &error);
    if (status != PBT_OK && status != PBT_EIO) {
        pbt_process_break(process, "can't send it a command: %s", error.text);
    }
}

/* --- commands ------------------------------------------------------------ */

/* Remembers what was asked, since the answer has to say the same. */
static bool note_life(struct pbt_process *process, const struct pbt_job *job)
{
    struct pbt_local *local = process->local;
    struct pbt_error error;
    process->asked = job->command;
    process->checkpoint[0] = '\0';
    json_decref(process->config);
    process->config = json_loadb(job->json, job->json_length, 0, NULL);
    if (process->config == NULL) {
        pbt_local_fail(local, PBT_ENOMEM, "out of memory");
        return false;
    }
    if (job->command.checkpoint.number != 0 &&
        pbt_local_checkpoint_path(
            local->options.spec, local->options.run_dir,
            job->command.checkpoint, false, process->checkpoint,
            sizeof process->checkpoint, &error) != PBT_OK) {
        pbt_local_fail(local, error.status, error.text);
        return false;
    }
    return true;
}

static void send_held(struct pbt_process *process)
{
    struct pbt_error error;
    process->awaited = PBT_AWAITED_READY;
    pbt_buf_put(&process->worker.out, process->held.data, process->held.length);
    if (pbt_buf_failed(&process->worker.out)) {
        pbt_local_fail(process->local, PBT_ENOMEM, "out of memory");
        return;
    }
    (void)flush(&process->worker, &error); /* a gone worker's end is news */
}

void pbt_process_verified(struct pbt_process *process, const char *bad)
{
    struct pbt_local *local = process->local;
    if (bad == NULL) {
        pbt_local_clear(local, process->asked.checkpoint);
        send_held(process);
        return;
    }
    struct pbt_input *input =
        pbt_local_input(local, PBT_INPUT_BAD, process->trial);
    if (input != NULL) {
        input->checkpoint = process->asked.checkpoint;
        input->text = pbt_local_keep(local, strdup(bad));
    }
}

/* A life begins: in a new process, or in this one. */
static void tell_life(struct pbt_process *process, const struct pbt_job *job)
{
    const struct pbt_command *command = &job->command;
    struct pbt_error error;
    if (!note_life(process, job)) {
        return;
    }
    process->epoch = command->epoch;
    process->seq = 0;
    process->ack_due = false;
    process->iteration = command->iteration;
    process->time_total_s = command->time_total;
    struct pbt_message message = {
        .type = command->kind == PBT_COMMAND_START ? PBT_MESSAGE_START
                                                   : PBT_MESSAGE_LOAD,
        .epoch = command->epoch,
        .trial = process->trial_id,
        .trial_dir = process->trial_dir,
        .config = job->json,
        .config_length = job->json_length,
        .seed = command->seed,
        .checkpoint =
            process->checkpoint[0] == '\0' ? NULL : process->checkpoint,
        .iteration = command->iteration,
        .time_total_s = command->time_total,
    };
    pbt_buf_reset(&process->held);
    int status = pbt_message_encode(&message, &process->held, &error);
    if (status != PBT_OK) {
        pbt_process_break(process, "its configuration can't be sent: %s",
                          error.text);
    } else if (command->checkpoint.number != 0 &&
               pbt_local_is_suspect(process->local, command->checkpoint)) {
        process->awaited = PBT_AWAITED_VERIFY;
        pbt_local_verify(process->local, process);
    } else {
        send_held(process);
    }
}

static void tell_save(struct pbt_process *process, const struct pbt_job *job)
{
    const struct pbt_local *local = process->local;
    struct pbt_error error;
    process->asked = job->command;
    process->awaited = PBT_AWAITED_SAVED;
    pbt_buf_reset(&process->manifest);
    pbt_buf_put(&process->manifest, job->json, job->json_length);
    int status = pbt_local_checkpoint_path(
        local->options.spec, local->options.run_dir, job->command.checkpoint,
        true, process->checkpoint, sizeof process->checkpoint, &error);
    if (status == PBT_OK && pbt_buf_failed(&process->manifest)) {
        status = pbt_error_set(&error, PBT_ENOMEM, "out of memory");
    }
    if (status == PBT_OK && mkdir(process->checkpoint, 0700) != 0) {
        status = pbt_error_set(&error, PBT_EIO, "%s: %s", process->checkpoint,
                               strerror(errno));
    }
    if (status != PBT_OK) {
        pbt_process_break(process, "can't make a checkpoint's directory: %s",
                          error.text);
        return;
    }
    struct pbt_message message = {.type = PBT_MESSAGE_SAVE,
                                  .epoch = process->epoch,
                                  .iteration = job->command.iteration,
                                  .path = process->checkpoint};
    tell_worker(process, &message);
}

void pbt_local_command(struct pbt_local *local, const struct pbt_job *job)
{
    const struct pbt_command *command = &job->command;
    if (command->kind == PBT_COMMAND_START) {
        pbt_local_spawn(local, command);
    }
    struct pbt_process *process = local->processes[job->trial];
    if (process == NULL || process->spawned != command->process_epoch ||
        local->failure.status != PBT_OK) {
        return; /* its end is on its way to the driver */
    }
    struct pbt_message message = {.epoch = command->epoch};
    switch (command->kind) {
    case PBT_COMMAND_START:
    case PBT_COMMAND_LOAD:
        tell_life(process, job);
        return;
    case PBT_COMMAND_RUN:
        process->asked = *command;
        message.type = PBT_MESSAGE_RUN;
        message.until = command->until;
        break;
    case PBT_COMMAND_SAVE:
        tell_save(process, job);
        return;
    case PBT_COMMAND_HALT:
        message.type = PBT_MESSAGE_HALT;
        break;
    case PBT_COMMAND_STOP:
        message.type = PBT_MESSAGE_STOP;
        /* An exploit may have opened an epoch that this process never enters. */
        message.epoch = process->epoch;
        process->leaving = true;
        break;
    case PBT_COMMAND_KILL:
        pbt_process_kill(process);
        return;
    case PBT_COMMAND_NONE:
    case PBT_COMMAND_ASK:
        return;
    }
    tell_worker(process, &message);
}

void pbt_local_ack(struct pbt_local *local, const struct pbt_job *job)
{
    struct pbt_process *process = local->processes[job->trial];
    if (process == NULL || process->epoch != job->epoch) {
        return; /* whoever waits for it is gone, or lives another life */
    }
    process->ack = job->seq;
    if (!process->ack_due) {
        process->ack_due = true;
        local->ack_due[local->ack_due_count++] = job->trial;
    }
}

void pbt_local_flush_acks(struct pbt_local *local)
{
    for (size_t i = 0; i < local->ack_due_count; i++) {
        struct pbt_process *process = local->processes[local->ack_due[i]];
        if (process != NULL && process->ack_due && process->worker.fd >= 0) {
            struct pbt_message message = {.type = PBT_MESSAGE_ACK,
                                          .epoch = process->epoch,
                                          .seq = process->ack};
            process->ack_due = false;
            tell_worker(process, &message);
        }
    }
    local->ack_due_count = 0;
}

/* --- what a worker says -------------------------------------------------- */

static void wrong(struct pbt_process *process, const char *what)
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
    process->pid = message->pid;
    process->can_reset = message->can_reset_config;
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
        wrong(process, "\"ready\" without a start or load");
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
        wrong(process, "\"ready\" with another iteration than it was told");
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
        wrong(process, what);
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
}

static void hear_saved(struct pbt_process *process,
                       const struct pbt_message *message)
{
    struct pbt_error error;
    if (process->awaited != PBT_AWAITED_SAVED ||
        message->iteration != process->asked.iteration) {
        wrong(process, "\"saved\" without such a save");
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

static void hear_worker(struct pbt_process *process,
                        const struct pbt_message *message)
{
    bool hello = message->type == PBT_MESSAGE_HELLO;
    if (hello == process->greeted) {
        wrong(process, hello ? "a second \"hello\"" : "\"hello\" comes first");
        return;
    }
    if (hello) {
        hear_hello(process, message);
        return;
    }
    if (message->type != PBT_MESSAGE_ERROR &&
        message->epoch != process->epoch) {
        if (message->epoch > process->epoch) {
            wrong(process, "an epoch from the future");
        }
        return; /* it was under way when the trial went on */
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
    wrong(process, "a message that a worker doesn't send");
}

/* --- what a shim says ---------------------------------------------------- */

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
    int status = message->text == NULL
                     ? PBT_OK
                     : pbt_error_set(&error, PBT_EIO, "%s", message->text);
    if (status == PBT_OK) {
        status = pbt_local_checkpoint_path(
            local->options.spec, local->options.run_dir,
            process->asked.checkpoint, false, name, sizeof name, &error);
    }
    if (status == PBT_OK) {
        status = pbt_checkpoint_publish(process->checkpoint, name, &error);
    }
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
    }
}

static void hear_shim(struct pbt_process *process,
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

/* --- reading ------------------------------------------------------------- */

static int hear_line(struct pbt_process *process, bool worker, char *line,
                     size_t length, struct pbt_error *error)
{
    struct pbt_local *local = process->local;
    struct pbt_message *message = pbt_local_new_message(local);
    if (message == NULL) {
        return PBT_ENOMEM;
    }
    int status = pbt_message_decode(message, line, length, error);
    if (status != PBT_OK) {
        return status;
    }
    struct pbt_message copy = *message; /* the array may move meanwhile */
    local->message_count++;
    if (worker) {
        hear_worker(process, &copy);
    } else {
        hear_shim(process, &copy);
    }
    return PBT_OK;
}

static void on_linger(uv_timer_t *timer)
{
    struct pbt_process *process = timer->data;
    struct pbt_message kill_order = {.type = PBT_MESSAGE_KILL};
    struct pbt_error error;
    process->lingered = true;
    (void)pbt_stream_send(&process->control, &kill_order, &error);
}

/* Reads once, and hears all whole lines.  True if there was anything. */
static bool read_stream(struct pbt_process *process, struct pbt_stream *stream)
{
    struct pbt_error error = {.status = PBT_OK};
    bool worker = stream == &process->worker;
    bool ended = false;
    if (stream->fd < 0) {
        return false;
    }
    if (worker && stream->heard_batch == process->local->batch) {
        return true; /* what was heard lies in the buffer: later */
    }
    size_t before = stream->lines.buf.length - stream->lines.start;
    int status = pbt_lines_read(&stream->lines, stream->fd, &ended, &error);
    bool some = stream->lines.buf.length > before;
    char *line;
    size_t length;
    /* One that is being killed is read, but not heard any more. */
    while (status == PBT_OK && (!worker || process->why == NULL) &&
           (line = pbt_lines_next(&stream->lines, &length)) != NULL) {
        size_t inputs = process->local->input_count;
        status = hear_line(process, worker, line, length, &error);
        if (process->local->input_count > inputs) {
            stream->heard_batch = process->local->batch;
        }
    }
    if (worker && process->why != NULL) {
        stream->lines.start = stream->lines.buf.length;
        stream->lines.scanned = stream->lines.start;
    }
    if (status != PBT_OK && worker) {
        wrong(process, error.text);
    } else if (status != PBT_OK) {
        pbt_local_fail(process->local, status, error.text);
    }
    if (ended) {
        (void)uv_poll_stop(&stream->poll);
        if (worker) {
            (void)uv_timer_start(&process->linger, on_linger, LINGER_MS, 0);
        }
    }
    return some;
}

bool pbt_process_read_worker(struct pbt_process *process)
{
    return read_stream(process, &process->worker);
}

bool pbt_process_read_control(struct pbt_process *process)
{
    return read_stream(process, &process->control);
}

static void on_stream(struct pbt_process *process, struct pbt_stream *stream,
                      int events)
{
    struct pbt_error error;
    if ((events & UV_WRITABLE) != 0) {
        (void)flush(stream, &error); /* a gone reader's end is news */
    }
    if ((events & UV_READABLE) != 0) {
        (void)read_stream(process, stream);
    }
}

void pbt_process_on_worker(uv_poll_t *poll, int status, int events)
{
    struct pbt_process *process = poll->data;
    if (status != 0) {
        (void)uv_poll_stop(poll); /* its end will be seen */
        return;
    }
    on_stream(process, &process->worker, events);
}

void pbt_process_on_control(uv_poll_t *poll, int status, int events)
{
    struct pbt_process *process = poll->data;
    if (status != 0) {
        (void)uv_poll_stop(poll);
        return;
    }
    on_stream(process, &process->control, events);
}
