/*
 * local_explore.c: scheduler.custom_explore: a program of the user's that explores.
 *
 * It is run for each ask on a thread of the pool, below a pbt-shim of its own: so it ends with
 * the driver, and takes along whatever it has started.  The question stands on its
 * stdin, as a file, so that neither side can wait for the other; its answer is what it
 * prints.
 */
#define _GNU_SOURCE /* memfd_create, pipe2 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "exec/local_state.h"

/* Of what it says on stderr, for the message of a failure. */
#define WORDS_MAX 1024
#define READ_SIZE 65536

struct explorer {
    const struct pbt_local *local;
    int theirs[4]; /* its stdin, stdout, stderr; the shim's control */
    int out;
    int err;
    int control;
    pid_t shim;
    struct pbt_lines lines;
    struct pbt_buf *answer;
    char words[WORDS_MAX];
    size_t word_count;
    bool ended; /* as `last` says */
    struct pbt_message last;
    char why[PBT_ERROR_TEXT_MAX]; /* what we end it for, or can't run it */
};

static int64_t now_ms(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now); /* can't fail for this clock */
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void close_one(int *fd)
{
    if (*fd >= 0) {
        (void)close(*fd);
        *fd = -1;
    }
}

static int failed(struct pbt_error *error, const char *what)
{
    return pbt_error_set(error, PBT_ENOMEM, "can't %s: %s", what,
                         strerror(errno));
}

/* A file with the question, to be read from its start. */
static int question_file(struct explorer *explorer, const char *json,
                         size_t length, struct pbt_error *error)
{
    int fd = pbt_local_moved(memfd_create("pbt-ask", MFD_CLOEXEC));
    explorer->theirs[0] = fd;
    size_t done = 0;
    while (fd >= 0 && done < length) {
        ssize_t put = write(fd, json + done, length - done);
        if (put < 0) {
            return failed(error, "write the question");
        }
        done += (size_t)put;
    }
    return fd >= 0 && lseek(fd, 0, SEEK_SET) == 0
               ? PBT_OK
               : failed(error, "make a file for the question");
}

static int make_pipe(int *ours, int *theirs, struct pbt_error *error)
{
    int fds[2];
    if (pipe2(fds, O_CLOEXEC) != 0) {
        return failed(error, "make a pipe");
    }
    *ours = pbt_local_moved(fds[0]);
    *theirs = pbt_local_moved(fds[1]);
    return *ours >= 0 && *theirs >= 0 && fcntl(*ours, F_SETFL, O_NONBLOCK) == 0
               ? PBT_OK
               : failed(error, "set up a pipe");
}

static int start(struct explorer *explorer, const struct pbt_job *job,
                 const char *json, size_t length, struct pbt_error *error)
{
    int control[2] = {-1, -1};
    int status = question_file(explorer, json, length, error);
    if (status == PBT_OK) {
        status = make_pipe(&explorer->out, &explorer->theirs[1], error);
    }
    if (status == PBT_OK) {
        status = make_pipe(&explorer->err, &explorer->theirs[2], error);
    }
    if (status == PBT_OK) {
        status = pbt_local_make_pair(control, error);
        explorer->control = control[0];
        explorer->theirs[3] = control[1];
    }
    if (status == PBT_OK) {
        status = pbt_local_exec_ask(explorer->local, job, explorer->theirs,
                                    &explorer->shim, error);
    }
    for (int i = 0; i < 4; i++) {
        close_one(&explorer->theirs[i]);
    }
    return status;
}

/* The shim ends all that is below it when nobody listens any more. */
static void end_it(struct explorer *explorer, const char *why)
{
    if (explorer->why[0] == '\0') {
        (void)snprintf(explorer->why, sizeof explorer->why, "%s", why);
    }
    close_one(&explorer->control);
}

/* Its last words: what was said before gives way. */
static void note_words(struct explorer *explorer, const char *text,
                       size_t length)
{
    if (length > WORDS_MAX) {
        text += length - WORDS_MAX;
        length = WORDS_MAX;
    }
    size_t keep = WORDS_MAX - length;
    size_t drop = explorer->word_count > keep ? explorer->word_count - keep : 0;
    memmove(explorer->words, explorer->words + drop,
            explorer->word_count - drop);
    explorer->word_count -= drop;
    memcpy(explorer->words + explorer->word_count, text, length);
    explorer->word_count += length;
}

/* Reads what there is of its stdout or stderr. */
static void read_output(struct explorer *explorer, int *fd)
{
    char bytes[READ_SIZE];
    ssize_t got;
    while (*fd >= 0 && (got = read(*fd, bytes, sizeof bytes)) != 0) {
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return; /* nothing for now */
        }
        if (fd == &explorer->err) {
            note_words(explorer, bytes, (size_t)got);
            return;
        }
        pbt_buf_put(explorer->answer, bytes, (size_t)got);
        if (pbt_buf_failed(explorer->answer)) {
            end_it(explorer, "its answer is longer than 1 MiB");
            close_one(fd);
        }
        return;
    }
    close_one(fd);
}

static void hear(struct explorer *explorer, const struct pbt_message *message)
{
    if (message->type == PBT_MESSAGE_EXITED) {
        explorer->ended = true;
        explorer->last = *message;
    } else if (message->type == PBT_MESSAGE_SPAWNED && message->text != NULL) {
        (void)snprintf(explorer->why, sizeof explorer->why, "%s",
                       message->text);
    }
}

static void read_control(struct explorer *explorer)
{
    struct pbt_error error;
    struct pbt_message message;
    bool ended = false;
    char *line;
    size_t length;
    int status =
        pbt_lines_read(&explorer->lines, explorer->control, &ended, &error);
    while (status == PBT_OK &&
           (line = pbt_lines_next(&explorer->lines, &length)) != NULL) {
        status = pbt_message_decode(&message, line, length, &error);
        if (status == PBT_OK) {
            hear(explorer, &message);
            pbt_message_done(&message);
        }
    }
    if (status != PBT_OK) {
        end_it(explorer, error.text);
    } else if (ended) {
        close_one(&explorer->control);
    }
}

/* Until it has ended, or is to. */
static void listen_to(struct explorer *explorer)
{
    double limit = explorer->local->options.spec->timeout_explore;
    int64_t deadline = limit > 0 ? now_ms() + (int64_t)(limit * 1000) : -1;
    char late[64];
    while (!explorer->ended && explorer->control >= 0) {
        struct pollfd fds[4] = {
            {.fd = explorer->control, .events = POLLIN},
            {.fd = explorer->out, .events = POLLIN},
            {.fd = explorer->err, .events = POLLIN},
            {.fd = explorer->local->asks_end[0], .events = POLLIN},
        };
        int64_t left = deadline < 0 ? -1 : deadline - now_ms();
        if (deadline >= 0 && left <= 0) {
            (void)snprintf(late, sizeof late,
                           "no answer within %g s (timeouts.explore)", limit);
            end_it(explorer, late);
            return;
        }
        if (poll(fds, 4, left > 60000 ? 60000 : (int)left) <= 0) {
            continue;
        }
        if (fds[1].revents != 0) {
            read_output(explorer, &explorer->out);
        }
        if (fds[2].revents != 0) {
            read_output(explorer, &explorer->err);
        }
        if (fds[3].revents != 0) {
            end_it(explorer, "the run ends");
        } else if (explorer->control >= 0 && fds[0].revents != 0) {
            read_control(explorer);
        }
    }
}

/* Whatever is left in the pipes: nobody writes to them any more. */
static void read_rest(struct explorer *explorer)
{
    size_t before;
    do {
        before = explorer->answer->length;
        read_output(explorer, &explorer->out);
    } while (explorer->answer->length > before);
    read_output(explorer, &explorer->err);
}

static int judge(struct explorer *explorer, struct pbt_error *error)
{
    size_t length = explorer->word_count;
    while (length > 0 && explorer->words[length - 1] == '\n') {
        length--;
    }
    char how[sizeof explorer->why];
    if (explorer->why[0] != '\0') {
        (void)snprintf(how, sizeof how, "%s", explorer->why);
    } else if (!explorer->ended) {
        (void)snprintf(how, sizeof how, "its pbt-shim was killed");
    } else if (explorer->last.signal != 0) {
        (void)snprintf(how, sizeof how, "killed by signal %d (%s)",
                       explorer->last.signal, strsignal(explorer->last.signal));
    } else if (explorer->last.exit_code != 0) {
        (void)snprintf(how, sizeof how, "exited with status %d",
                       explorer->last.exit_code);
    } else if (explorer->answer->length == 0) {
        (void)snprintf(how, sizeof how, "it printed nothing on stdout");
    } else {
        return PBT_OK;
    }
    (void)pbt_error_set(error, PBT_EFAILED, "%s%s%.*s", how,
                        length > 0 ? "\n  its last words on stderr:\n" : "",
                        (int)length, explorer->words);
    if (error != NULL) {
        pbt_local_hide_secrets(explorer->local, error->text);
    }
    return PBT_EFAILED;
}

int pbt_local_explore(const struct pbt_local *local, const struct pbt_job *job,
                      const char *json, size_t length, struct pbt_buf *answer,
                      struct pbt_error *error)
{
    struct explorer explorer = {.local = local,
                                .theirs = {-1, -1, -1, -1},
                                .out = -1,
                                .err = -1,
                                .control = -1,
                                .answer = answer};
    pbt_lines_init(&explorer.lines);
    int status = start(&explorer, job, json, length, error);
    if (status == PBT_OK) {
        listen_to(&explorer);
        close_one(&explorer.control);
        while (waitpid(explorer.shim, NULL, 0) < 0 && errno == EINTR) {
        }
        read_rest(&explorer);
        status = judge(&explorer, error);
    }
    close_one(&explorer.control);
    close_one(&explorer.out);
    close_one(&explorer.err);
    pbt_lines_done(&explorer.lines);
    return status;
}
