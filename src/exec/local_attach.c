/*
 * local_attach.c: workers behind launchers.
 *
 * Launchers (torchrun, accelerate, conda run, Python's subprocess) close what they don't know
 * before they start a program, and so PBT_FD.  That program finds the way by PBT_SOCKET, the
 * run's control socket, and PBT_TOKEN, which says whose worker it is.  Its connection then takes the place
 * of the socket pair, whose other end nobody reads: what was written there before is written again.
 */
#define _GNU_SOURCE /* dup3(), getrandom() */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "exec/local_state.h"

bool pbt_process_make_token(struct pbt_process *process)
{
    unsigned char bytes[(PBT_TOKEN_SIZE - 1) / 2];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes) {
        return false;
    }
    for (size_t i = 0; i < sizeof bytes; i++) {
        (void)snprintf(process->token + 2 * i, 3, "%02x", bytes[i]);
    }
    return true;
}

static struct pbt_process *find(const struct pbt_local *local,
                                const char *token)
{
    for (uint32_t i = 0; i < local->options.spec->settings.population; i++) {
        struct pbt_process *process = local->processes[i];
        if (process != NULL && process->token[0] != '\0' &&
            strcmp(process->token, token) == 0) {
            return process;
        }
    }
    return NULL;
}

/* NULL: nothing speaks against it. */
static const char *why_not(const struct pbt_process *process)
{
    if (process == NULL) {
        return "no worker with this token (PBT_TOKEN) is at work";
    }
    if (process->leaving || process->worker.fd < 0) {
        return "the worker with this token (PBT_TOKEN) is to end";
    }
    if (process->greeted || process->attached) {
        return "another process speaks for the worker with this token "
               "(PBT_TOKEN) already: only one can";
    }
    return NULL;
}

/* libuv knows descriptors by their numbers: this one's becomes another socket. */
static bool replace(struct pbt_stream *stream, int fd)
{
    uv_poll_cb callback = pbt_process_on_worker;
    (void)uv_poll_stop(&stream->poll);
    bool done = dup3(fd, stream->fd, O_CLOEXEC) >= 0;
    stream->wants_room = false;
    return uv_poll_start(&stream->poll, UV_READABLE, callback) == 0 && done;
}

const char *pbt_local_attach(struct pbt_local *local, const char *token, int fd)
{
    static const char answer[] = "{\"ok\":true}\n";
    struct pbt_process *process = find(local, token);
    const char *why = why_not(process);
    struct pbt_error error;
    if (why != NULL) {
        return why;
    }
    if (send(fd, answer, sizeof answer - 1, MSG_NOSIGNAL | MSG_DONTWAIT) !=
        (ssize_t)sizeof answer - 1) {
        return "it doesn't read";
    }
    process->attached = true;
    if (!replace(&process->worker, fd)) {
        pbt_process_break(process, "its new socket can't be polled: %s",
                          strerror(errno));
        return NULL;
    }
    (void)uv_timer_stop(&process->linger);
    process->worker.sent = 0;
    (void)pbt_stream_flush(&process->worker, &error); /* its end is news */
    return NULL;
}

void pbt_process_settle_socket(struct pbt_process *process)
{
    struct pbt_error error;
    process->worker.keeps = false;
    (void)pbt_stream_flush(&process->worker, &error); /* its end is news */
}
