/*
 * control_socket.c: the socket file in a run's directory, from both sides.
 *
 * The address of a Unix socket holds 107 bytes of path.  A longer one is reached through
 * /proc/self/fd/N, N being the open directory: that needs no change of the working
 * directory, which belongs to the whole process.
 */
#define _GNU_SOURCE /* struct ucred, accept4() and their kin */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "wire/control.h"

#define BACKLOG 16

/* Where the socket is: its address, and the directory that this may lean on. */
struct place {
    int dir; /* -1: none */
    struct sockaddr_un address;
};

static int failed(struct pbt_error *error, int status, const char *what,
                  const char *run_dir)
{
    return pbt_error_set(error, status, "%s %s/" PBT_CONTROL_NAME ": %s", what,
                         run_dir, strerror(errno));
}

static int find_place(const char *run_dir, struct place *place,
                      struct pbt_error *error)
{
    size_t size = sizeof place->address.sun_path;
    memset(place, 0, sizeof *place);
    place->dir = -1;
    place->address.sun_family = AF_UNIX;
    if (strlen(run_dir) + sizeof "/" PBT_CONTROL_NAME <= size) {
        (void)snprintf(place->address.sun_path, size, "%s/" PBT_CONTROL_NAME,
                       run_dir);
        return PBT_OK;
    }
    place->dir = open(run_dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place->dir < 0) {
        return failed(error, PBT_ENOINPUT, "can't reach", run_dir);
    }
    (void)snprintf(place->address.sun_path, size,
                   "/proc/self/fd/%d/" PBT_CONTROL_NAME, place->dir);
    return PBT_OK;
}

static void leave_place(struct place *place)
{
    if (place->dir >= 0) {
        (void)close(place->dir);
    }
}

static int make_socket(struct pbt_error *error)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        (void)pbt_error_set(error, PBT_ENOMEM, "can't make a socket: %s",
                            strerror(errno));
    }
    return fd;
}

/* --- the driver's end ------------------------------------------------------ */

static int listen_at(const struct place *place, const char *run_dir,
                     struct pbt_control_listener *listener,
                     struct pbt_error *error)
{
    const char *path = place->address.sun_path;
    struct stat made;
    if (unlink(path) != 0 && errno != ENOENT) {
        return failed(error, PBT_EIO, "can't remove the old", run_dir);
    }
    /*
     * The file takes its mode from the socket: there is no moment at which others could
     * connect.
     */
    if (fchmod(listener->fd, 0600) != 0 ||
        bind(listener->fd, (const struct sockaddr *)&place->address,
             sizeof place->address) != 0) {
        return failed(error, PBT_ECANTCREATE, "can't make", run_dir);
    }
    if (stat(path, &made) != 0 || listen(listener->fd, BACKLOG) != 0 ||
        fcntl(listener->fd, F_SETFL, O_NONBLOCK) != 0) {
        return failed(error, PBT_ECANTCREATE, "can't listen at", run_dir);
    }
    listener->device = made.st_dev;
    listener->inode = made.st_ino;
    return PBT_OK;
}

int pbt_control_listen(const char *run_dir,
                       struct pbt_control_listener *listener,
                       struct pbt_error *error)
{
    struct place place;
    *listener = (struct pbt_control_listener){.fd = make_socket(error)};
    if (listener->fd < 0) {
        return PBT_ENOMEM;
    }
    int status = find_place(run_dir, &place, error);
    if (status == PBT_OK) {
        status = listen_at(&place, run_dir, listener, error);
        leave_place(&place);
    }
    if (status != PBT_OK) {
        (void)close(listener->fd);
        listener->fd = -1;
    }
    return status;
}

void pbt_control_close(const char *run_dir,
                       struct pbt_control_listener *listener)
{
    struct place place;
    struct pbt_error error;
    struct stat there;
    if (listener->fd < 0) {
        return;
    }
    if (find_place(run_dir, &place, &error) == PBT_OK) {
        if (stat(place.address.sun_path, &there) == 0 &&
            there.st_dev == listener->device &&
            there.st_ino == listener->inode) {
            (void)unlink(place.address.sun_path);
        }
        leave_place(&place);
    }
    (void)close(listener->fd);
    listener->fd = -1;
}

bool pbt_control_is_ours(int fd)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
           (peer.uid == geteuid() || peer.uid == 0);
}

/* --- the user's end -------------------------------------------------------- */

static int connect_failed(const char *run_dir, struct pbt_error *error)
{
    int status = errno == ENOENT || errno == ENOTDIR ? PBT_ENOINPUT
                 : errno == EACCES || errno == EPERM ? PBT_EPERM
                                                     : PBT_EUNAVAILABLE;
    return failed(error, status, "can't connect to", run_dir);
}

int pbt_control_connect(const char *run_dir, int *fd, struct pbt_error *error)
{
    struct place place;
    int status = find_place(run_dir, &place, error);
    if (status != PBT_OK) {
        return status;
    }
    *fd = make_socket(error);
    if (*fd < 0) {
        status = PBT_ENOMEM;
    } else if (connect(*fd, (const struct sockaddr *)&place.address,
                       sizeof place.address) != 0) {
        status = connect_failed(run_dir, error);
        (void)close(*fd);
    }
    leave_place(&place);
    return status;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail for this clock */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int send_line(int fd, const struct pbt_buf *line,
                     struct pbt_error *error)
{
    for (size_t sent = 0; sent < line->length;) {
        ssize_t put =
            send(fd, line->data + sent, line->length - sent, MSG_NOSIGNAL);
        if (put >= 0) {
            sent += (size_t)put;
        } else if (errno != EINTR) {
            return pbt_error_set(error, PBT_EUNAVAILABLE,
                                 "the driver doesn't listen: %s",
                                 strerror(errno));
        }
    }
    return PBT_OK;
}

/* The first line that comes, without its newline, and nothing of what follows. */
static int receive_line(int fd, int seconds, char *line, size_t *length,
                        struct pbt_error *error)
{
    int64_t until = now_ms() + (int64_t)seconds * 1000;
    *length = 0;
    while (*length < PBT_CONTROL_LINE_MAX) {
        int64_t left = until - now_ms();
        struct pollfd wait = {.fd = fd, .events = POLLIN};
        int ready = poll(&wait, 1, left > 0 ? (int)left : 0);
        if (ready == 0) {
            return pbt_error_set(error, PBT_ETEMP,
                                 "the driver has not answered within %d s",
                                 seconds);
        }
        ssize_t got = recv(fd, line + *length, 1, 0);
        if (got == 0 || (got < 0 && errno != EINTR)) {
            return pbt_error_set(error, PBT_EUNAVAILABLE,
                                 "the driver has ended without an answer");
        }
        const char *newline =
            got > 0 ? memchr(line + *length, '\n', (size_t)got) : NULL;
        *length += got > 0 ? (size_t)got : 0;
        if (newline != NULL) {
            *length = (size_t)(newline - line);
            return PBT_OK;
        }
    }
    return pbt_error_set(error, PBT_EDATA, "the driver's answer is too long");
}

/* Sends the line, which is released, and reads its answer. */
static int ask(int fd, struct pbt_buf *out, int seconds,
               struct pbt_control_answer *answer, struct pbt_error *error)
{
    char line[PBT_CONTROL_LINE_MAX];
    size_t length;
    pbt_buf_char(out, '\n');
    int status = pbt_buf_failed(out)
                     ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                     : send_line(fd, out, error);
    pbt_buf_done(out);
    if (status == PBT_OK) {
        status = receive_line(fd, seconds, line, &length, error);
    }
    if (status == PBT_OK &&
        !pbt_control_read_answer(answer, line, length, error)) {
        status = PBT_EDATA;
    }
    return status;
}

int pbt_control_ask(int fd, const struct pbt_control_request *request,
                    int seconds, struct pbt_control_answer *answer,
                    struct pbt_error *error)
{
    struct pbt_buf out;
    pbt_buf_init(&out, PBT_CONTROL_LINE_MAX);
    pbt_control_put_request(request, &out);
    return ask(fd, &out, seconds, answer, error);
}

int pbt_control_attach(int fd, const char *token, int seconds,
                       struct pbt_error *error)
{
    struct pbt_control_answer answer;
    struct pbt_buf out;
    pbt_buf_init(&out, PBT_CONTROL_LINE_MAX);
    pbt_control_put_attach(token, &out);
    int status = ask(fd, &out, seconds, &answer, error);
    return status != PBT_OK || answer.ok
               ? status
               : pbt_error_set(error, PBT_EUNAVAILABLE, "%s", answer.error);
}
