/*
 * local_stream.c: the sockets to workers and shims: writing what there is room for, reading
 * whole lines.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "exec/local_state.h"

/* What a worker has to end by itself after it has closed its socket. */
#define LINGER_MS 10000
/* What a launcher has that has closed it. */
#define LAUNCH_MS 600000

/* --- sending ------------------------------------------------------------- */

static uv_poll_cb callback_of(const struct pbt_stream *stream)
{
    const struct pbt_process *process = stream->poll.data;
    return stream == &process->worker ? pbt_process_on_worker
                                      : pbt_process_on_control;
}

/* Writes what there is; the rest waits for room.  A gone reader is no error here. */
int pbt_stream_flush(struct pbt_stream *stream, struct pbt_error *error)
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
    if (!wants_room && !stream->keeps) {
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
    return status == PBT_OK ? pbt_stream_flush(stream, error) : status;
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
        pbt_process_hear_worker(process, &copy);
    } else {
        pbt_process_hear_shim(process, &copy);
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

void pbt_process_linger(struct pbt_process *process)
{
    /* Before its first word a launcher may have closed it: whom that starts may attach. */
    (void)uv_timer_start(&process->linger, on_linger,
                         process->greeted ? LINGER_MS : LAUNCH_MS, 0);
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
        pbt_process_wrong(process, error.text);
    } else if (status != PBT_OK) {
        pbt_local_fail(process->local, status, error.text);
    }
    if (ended) {
        (void)uv_poll_stop(&stream->poll);
        if (worker) {
            pbt_process_linger(process);
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
        (void)pbt_stream_flush(stream,
                               &error); /* a gone reader's end is news */
    }
    if ((events & UV_READABLE) != 0) {
        (void)read_stream(process, stream);
    }
}

void pbt_process_on_worker(uv_poll_t *poll, int status, int events)
{
    struct pbt_process *process = poll->data;
    if (status != 0) { /* closed, with something of ours unread */
        (void)uv_poll_stop(poll);
        pbt_process_linger(process);
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
