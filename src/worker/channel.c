/*
 * channel.c: the worker's end of the socket.
 */
#define _GNU_SOURCE /* struct ucred */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/control.h"
#include "worker/worker.h"

/* The driver answers within a turn of its loop. */
#define ATTACH_S 60

/* The driver is gone: nobody is left to train for, or to clean up for. */
_Noreturn static void end_at_once(void)
{
    _exit(PBT_EUNAVAILABLE);
}

/* The descriptor's number, if it is an open stream socket. */
static int socket_number(const char *text, int *fd)
{
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    if (errno != 0 || *text == '\0' || *end != '\0' || number < 0 ||
        number > 1 << 20) {
        return -1;
    }
    int type = 0;
    socklen_t size = sizeof type;
    *fd = (int)number;
    if (getsockopt(*fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
        return -1;
    }
    return type == SOCK_STREAM ? 0 : -1;
}

/* A launcher has closed it, and the number may be another file's by now. */
static bool is_pbts(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    int domain = 0;
    socklen_t domain_size = sizeof domain;
    return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &domain_size) == 0 &&
           domain == AF_UNIX &&
           getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           peer.pid != getpid();
}

/* The other way to pbt: by the run's control socket. */
static int attach(int *fd, struct pbt_error *error)
{
    const char *path = getenv("PBT_SOCKET");
    const char *token = getenv("PBT_TOKEN");
    const char *slash = path == NULL ? NULL : strrchr(path, '/');
    if (slash == NULL || token == NULL) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "PBT_FD=%s names no open socket (a launcher has "
                             "closed it?), and PBT_SOCKET and PBT_TOKEN, which "
                             "lead to another one, are not set",
                             getenv("PBT_FD"));
    }
    char *dir = strndup(path, (size_t)(slash - path));
    if (dir == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    int status = pbt_control_connect(dir, fd, error);
    free(dir);
    if (status == PBT_OK) {
        status = pbt_control_attach(*fd, token, ATTACH_S, error);
        if (status != PBT_OK) {
            (void)close(*fd);
        }
    }
    return status;
}

int pbt_channel_open(struct pbt_channel *channel, struct pbt_error *error)
{
    const char *text = getenv("PBT_FD");
    int fd = -1;
    if (text == NULL) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "this program is a worker of an experiment: name "
                             "it in the command: of an experiment file, and "
                             "start that with pbt run (PBT_FD is not set)");
    }
    if (socket_number(text, &fd) != 0 || !is_pbts(fd)) {
        int status = attach(&fd, error);
        if (status != PBT_OK) {
            return status;
        }
    }
    /* Blocking: a worker that waits for its next grant then makes one call, not two. */
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || fcntl(fd, F_SETFL, flags & ~O_NONBLOCK) != 0 ||
        fcntl(fd, F_SETFD, FD_CLOEXEC) != 0) {
        return pbt_error_set(error, PBT_EIO, "PBT_FD=%s: %s", text,
                             strerror(errno));
    }
    channel->fd = fd;
    pbt_lines_init(&channel->lines);
    pbt_buf_init(&channel->out, PBT_MESSAGE_LINE_MAX + 1);
    return PBT_OK;
}

void pbt_channel_close(struct pbt_channel *channel)
{
    (void)close(channel->fd);
    pbt_lines_done(&channel->lines);
    pbt_buf_done(&channel->out);
}

/* True if there is anything to read, the stream's end included. */
static bool has_word(const struct pbt_channel *channel)
{
    struct pollfd fd = {.fd = channel->fd, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

int pbt_channel_send(struct pbt_channel *channel,
                     const struct pbt_message *message, struct pbt_error *error)
{
    pbt_buf_reset(&channel->out);
    int status = pbt_message_encode(message, &channel->out, error);
    if (status != PBT_OK) {
        return status;
    }
    const char *from = channel->out.data;
    size_t left = channel->out.length;
    while (left > 0) {
        ssize_t sent = send(channel->fd, from, left, MSG_NOSIGNAL);
        if (sent >= 0) {
            from += sent;
            left -= (size_t)sent;
        } else if (errno == EPIPE || errno == ECONNRESET) {
            end_at_once();
        } else if (errno != EINTR) {
            return pbt_error_set(error, PBT_EIO, "can't write to pbt: %s",
                                 strerror(errno));
        }
    }
    return PBT_OK;
}

int pbt_channel_receive(struct pbt_channel *channel, bool wait, char **line,
                        size_t *length, struct pbt_error *error)
{
    for (;;) {
        *line = pbt_lines_next(&channel->lines, length);
        if (*line != NULL) {
            return PBT_OK;
        }
        if (!wait && !has_word(channel)) {
            return PBT_OK;
        }
        bool ended;
        int status =
            pbt_lines_read(&channel->lines, channel->fd, &ended, error);
        if (status != PBT_OK) {
            return status;
        }
        if (ended) {
            end_at_once();
        }
    }
}
