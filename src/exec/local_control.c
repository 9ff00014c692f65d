/*
 * local_control.c: the control socket: requests become news, and are answered when what
 * they led to is in the journal.
 *
 * A few clients at a time, each with one request at a time: what it sends meanwhile waits
 * in its socket.  One that has a worker's token becomes that worker's socket (local_attach.c).
 */
#define _GNU_SOURCE /* accept4() */

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/names.h"
#include "exec/local_state.h"

struct pbt_control_client {
    struct pbt_local *local;
    int fd;
    uv_poll_t poll;
    uint64_t request; /* that waits for its reply; 0: none */
    char line[PBT_CONTROL_LINE_MAX];
    size_t length;
    bool closing;
};

static void on_closed(uv_handle_t *handle)
{
    struct pbt_control_client *client = handle->data;
    (void)close(client->fd);
    free(client);
}

static void close_client(struct pbt_control_client *client)
{
    struct pbt_local *local = client->local;
    if (client->closing) {
        return;
    }
    client->closing = true;
    for (int i = 0; i < PBT_CONTROL_CLIENTS; i++) {
        if (local->clients[i] == client) {
            local->clients[i] = NULL;
        }
    }
    uv_close((uv_handle_t *)&client->poll, on_closed);
}

/* An answer is a fraction of what a socket takes: who hasn't room for it doesn't read. */
static bool send_answer(int fd, const struct pbt_control_answer *answer)
{
    struct pbt_buf line;
    pbt_buf_init(&line, PBT_CONTROL_LINE_MAX);
    pbt_control_put_answer(answer, &line);
    pbt_buf_char(&line, '\n');
    bool sent = !pbt_buf_failed(&line) &&
                send(fd, line.data, line.length, MSG_NOSIGNAL | MSG_DONTWAIT) ==
                    (ssize_t)line.length;
    pbt_buf_done(&line);
    return sent;
}

static bool refuse(int fd, const char *text)
{
    struct pbt_control_answer answer = {.ok = false};
    size_t length = strnlen(text, sizeof answer.error - 1);
    memcpy(answer.error, text, length);
    return send_answer(fd, &answer);
}

/* --- requests --------------------------------------------------------------- */

/* The number of the trial with that id; false: there is none. */
static bool find_trial(const struct pbt_local *local, const char *id,
                       uint32_t *trial)
{
    const struct pbt_settings *settings = &local->options.spec->settings;
    char own[PBT_TRIAL_ID_SIZE];
    const char *digits = strchr(id, '_');
    unsigned long number =
        digits == NULL ? ULONG_MAX : strtoul(digits + 1, NULL, 10);
    if (number >= settings->population) {
        return false;
    }
    *trial = (uint32_t)number;
    pbt_trial_id(settings->seed, *trial, own);
    return strcmp(own, id) == 0;
}

/* A worker wants this for its socket: it goes on as that, or not at all. */
static void attach(struct pbt_control_client *client, const char *token)
{
    const char *why = pbt_local_attach(client->local, token, client->fd);
    if (why != NULL) {
        (void)refuse(client->fd, why);
    }
}

/* False: the client is no use any more. */
static bool take_line(struct pbt_control_client *client, size_t length)
{
    struct pbt_local *local = client->local;
    struct pbt_control_request request;
    struct pbt_error why;
    char token[PBT_TOKEN_SIZE];
    uint32_t trial = PBT_ALL_TRIALS;
    if (pbt_control_read_attach(client->line, length, token)) {
        attach(client, token);
        return false;
    }
    if (!pbt_control_read_request(&request, client->line, length, &why)) {
        return refuse(client->fd, why.text);
    }
    if (request.trial[0] != '\0' && !find_trial(local, request.trial, &trial)) {
        return refuse(client->fd, "this run has no such trial");
    }
    struct pbt_input *input = pbt_local_input(local, PBT_INPUT_REQUEST, trial);
    if (input != NULL) {
        client->request = ++local->requests;
        input->seq = client->request;
        input->request = request.kind;
    }
    return true;
}

/* Takes lines until one waits for its reply. */
static void take_lines(struct pbt_control_client *client)
{
    char *newline;
    while (client->request == 0 &&
           (newline = memchr(client->line, '\n', client->length)) != NULL) {
        size_t taken = (size_t)(newline - client->line) + 1;
        if (!take_line(client, taken - 1)) {
            close_client(client);
            return;
        }
        client->length -= taken;
        memmove(client->line, client->line + taken, client->length);
    }
    if (client->request == 0 && client->length == sizeof client->line) {
        (void)refuse(client->fd, "a line is too long");
        close_client(client);
    }
}

static void on_request(uv_poll_t *poll, int status, int events)
{
    struct pbt_control_client *client = poll->data;
    (void)events;
    size_t room = sizeof client->line - client->length;
    ssize_t got = status != 0 || room == 0
                      ? 0
                      : recv(client->fd, client->line + client->length, room,
                             MSG_DONTWAIT);
    if (got > 0) {
        client->length += (size_t)got;
        take_lines(client);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
        close_client(client); /* it may be gone before its reply */
    }
}

void pbt_local_reply(struct pbt_local *local, const struct pbt_job *job)
{
    for (int i = 0; i < PBT_CONTROL_CLIENTS; i++) {
        struct pbt_control_client *client = local->clients[i];
        if (client == NULL || client->request != job->seq) {
            continue;
        }
        client->request = 0;
        if (send_answer(client->fd, job->answer)) {
            take_lines(client);
        } else {
            close_client(client);
        }
    }
}

/* --- clients ---------------------------------------------------------------- */

static void add_client(struct pbt_local *local, int fd)
{
    int place = 0;
    while (place < PBT_CONTROL_CLIENTS && local->clients[place] != NULL) {
        place++;
    }
    struct pbt_control_client *client =
        place < PBT_CONTROL_CLIENTS ? calloc(1, sizeof *client) : NULL;
    if (client == NULL) {
        (void)refuse(fd, "too many are connected: try again");
        (void)close(fd);
        return;
    }
    client->local = local;
    client->fd = fd;
    if (uv_poll_init(&local->loop, &client->poll, fd) != 0) {
        (void)close(fd);
        free(client);
        return;
    }
    client->poll.data = client;
    local->clients[place] = client;
    if (uv_poll_start(&client->poll, UV_READABLE, on_request) != 0) {
        close_client(client);
    }
}

static void on_connection(uv_poll_t *poll, int status, int events)
{
    struct pbt_local *local = poll->loop->data;
    (void)events;
    int fd = status != 0 ? -1
                         : accept4(local->options.control_fd, NULL, NULL,
                                   SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0 && pbt_control_is_ours(fd)) {
        add_client(local, fd);
    } else if (fd >= 0) {
        (void)close(fd);
    } else if (status != 0 || errno == EMFILE || errno == ENFILE) {
        (void)uv_poll_stop(poll); /* else it would spin */
    }
}

int pbt_local_control_start(struct pbt_local *local)
{
    int code = uv_poll_init(&local->loop, &local->control_poll,
                            local->options.control_fd);
    return code == 0
               ? uv_poll_start(&local->control_poll, UV_READABLE, on_connection)
               : code;
}

void pbt_local_control_stop(struct pbt_local *local)
{
    for (int i = 0; i < PBT_CONTROL_CLIENTS; i++) {
        if (local->clients[i] != NULL) {
            close_client(local->clients[i]);
        }
    }
}
