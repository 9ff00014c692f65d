/*
 * peer.c: questions to the program that has started us, over a socket, one at a time.
 */
#define _GNU_SOURCE /* prctl */

#include "cli/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- lines ------------------------------------------------------------------ */

static int gone(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_EUNAVAILABLE,
                         "the program that answers for them (--ask-fd) has "
                         "ended");
}

static int send_line(const struct pbt_cli_peer *peer, const char *text,
                     size_t length, struct pbt_error *error)
{
    while (length > 0) {
        ssize_t put = send(peer->fd, text, length, MSG_NOSIGNAL);
        if (put < 0 && errno != EINTR) {
            return gone(error);
        }
        text += put < 0 ? 0 : put;
        length -= put < 0 ? 0 : (size_t)put;
    }
    return PBT_OK;
}

/* The next line, an object; NULL: there is none, as `error` says. */
static json_t *receive(struct pbt_cli_peer *peer, struct pbt_error *error)
{
    size_t length;
    char *line;
    bool ended = false;
    while ((line = pbt_lines_next(&peer->lines, &length)) == NULL) {
        int status = pbt_lines_read(&peer->lines, peer->fd, &ended, error);
        if (status != PBT_OK || ended) {
            (void)(status == PBT_OK ? gone(error) : status);
            return NULL;
        }
    }
    json_error_t why;
    json_t *message = json_loadb(line, length, 0, &why);
    if (json_is_object(message)) {
        return message;
    }
    json_decref(message);
    (void)pbt_error_set(error, PBT_EDATA,
                        "no JSON object comes from the "
                        "program behind --ask-fd");
    return NULL;
}

/* --- the beginning ---------------------------------------------------------- */

static int take_names(struct pbt_cli_peer *peer, struct pbt_error *error)
{
    const json_t *functions = json_object_get(peer->hello, "functions");
    size_t count = json_array_size(functions);
    peer->explores = json_is_true(json_object_get(peer->hello, "explores"));
    peer->names = calloc(count + 1, sizeof *peer->names);
    if (peer->names == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < count; i++) {
        peer->names[i] = json_string_value(json_array_get(functions, i));
        if (peer->names[i] == NULL) {
            return pbt_error_set(error, PBT_EDATA,
                                 "the program behind --ask-fd names a "
                                 "function that has no name");
        }
    }
    return PBT_OK;
}

/*
 * Should it die the run is stopped: nobody would answer any more.  SIGHUP only ever asks;
 * SIGTERM beside one that was sent to the program as well would end us at once.
 */
static int greet(struct pbt_cli_peer *peer, struct pbt_error *error)
{
    struct sigaction hangup;
    bool heard = sigaction(SIGHUP, NULL, &hangup) == 0 &&
                 hangup.sa_handler != SIG_IGN; /* not so under nohup */
    if (fcntl(peer->fd, F_SETFD, FD_CLOEXEC) != 0 ||
        prctl(PR_SET_PDEATHSIG, heard ? SIGHUP : SIGTERM) != 0) {
        return pbt_error_set(error, PBT_ENOMEM, "can't set up --ask-fd: %s",
                             strerror(errno));
    }
    peer->hello = receive(peer, error);
    return peer->hello == NULL ? error->status : take_names(peer, error);
}

int pbt_cli_peer_open(struct pbt_cli_peer *peer,
                      const struct pbt_cli_call *call)
{
    const char *given = pbt_cli_value(call, "ask-fd");
    struct pbt_error error;
    char *end;
    int type = 0;
    socklen_t size = sizeof type;
    *peer = (struct pbt_cli_peer){.fd = -1};
    pbt_lines_init(&peer->lines);
    if (given == NULL) {
        return PBT_OK;
    }
    errno = 0;
    long fd = strtol(given, &end, 10);
    if (errno != 0 || *end != '\0' || end == given || fd < 0 ||
        fd > INT32_MAX ||
        getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &size) != 0) {
        return pbt_cli_usage(PBT_E0613, call->verb->name, given,
                             "the number of a socket's descriptor is needed",
                             "`--ask-fd` names no socket");
    }
    peer->fd = (int)fd;
    return greet(peer, &error) == PBT_OK ? PBT_OK : pbt_cli_fail(&error);
}

void pbt_cli_peer_done(struct pbt_cli_peer *peer)
{
    free(peer->names);
    json_decref(peer->hello);
    pbt_lines_done(&peer->lines);
    if (peer->fd >= 0) {
        (void)close(peer->fd);
    }
    *peer = (struct pbt_cli_peer){.fd = -1};
}

/* --- asking ----------------------------------------------------------------- */

/* The answer is text of its own: what it has to hold the caller checks. */
static int take_answer(json_t *message, struct pbt_buf *answer,
                       struct pbt_error *error)
{
    const char *failure = json_string_value(json_object_get(message, "error"));
    const json_t *config = json_object_get(message, "config");
    if (failure != NULL) {
        return pbt_error_set(error, PBT_EFAILED, "%s", failure);
    }
    char *text =
        json_is_object(config) ? json_dumps(config, JSON_COMPACT) : NULL;
    if (text == NULL) {
        return pbt_error_set(error, PBT_EDATA,
                             "the answer has neither `config` nor `error`");
    }
    pbt_buf_text(answer, text);
    free(text);
    return PBT_OK;
}

static int ask(void *user, const char *json, size_t length,
               struct pbt_buf *answer, struct pbt_error *error)
{
    struct pbt_cli_peer *peer = user;
    struct pbt_buf line;
    pbt_buf_init(&line, PBT_MESSAGE_LINE_MAX);
    pbt_buf_text(&line, "{\"type\":\"ask\",\"question\":");
    pbt_buf_put(&line, json, length);
    pbt_buf_text(&line, "}\n");
    int status =
        pbt_buf_failed(&line)
            ? pbt_error_set(error, PBT_EDATA, "the question is too long")
            : send_line(peer, line.data, line.length, error);
    pbt_buf_done(&line);
    json_t *message = status == PBT_OK ? receive(peer, error) : NULL;
    if (status == PBT_OK) {
        status = message == NULL ? error->status
                                 : take_answer(message, answer, error);
    }
    json_decref(message);
    return status;
}

void pbt_cli_peer_tell(const struct pbt_cli_peer *peer, struct pbt_spec *spec)
{
    if (peer->fd >= 0) {
        spec->functions = peer->names;
        spec->settings.custom_explore |= peer->explores;
    }
}

void pbt_cli_peer_use(struct pbt_cli_peer *peer,
                      struct pbt_run_options *options, const char *run)
{
    struct pbt_buf line;
    if (peer->fd < 0) {
        return;
    }
    options->functions = peer->names;
    options->explores = peer->explores;
    if (peer->names[0] != NULL || peer->explores) {
        options->ask = ask;
        options->ask_user = peer;
    }
    pbt_buf_init(&line, PBT_MESSAGE_LINE_MAX);
    pbt_buf_text(&line, "{\"type\":\"run\",\"dir\":");
    pbt_buf_json_string(&line, run, strlen(run));
    pbt_buf_text(&line, "}\n");
    if (!pbt_buf_failed(&line)) {
        /* If it has ended we are about to hear of that. */
        (void)send_line(peer, line.data, line.length, NULL);
    }
    pbt_buf_done(&line);
}
