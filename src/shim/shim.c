/*
 * pbt-shim --control FD [--parent PID] -- command args...
 * pbt-shim --version       says its own, which has to be that of pbt
 *
 * Runs one worker and answers for everything below it.  Started by the driver, on
 * the worker's node, from a thread that lives as long as the driver does.  It
 * - leads a process group of its own, and adopts the orphans below it (subreaper);
 * - seals checkpoints;
 * - ends with the driver, and takes the whole subtree along;
 * - leaves the worker's socket (PBT_FD) to the worker alone.
 *
 * FD is a stream socket to the driver.  On it, JSON lines (src/wire/message.h):
 *
 *   driver  {"type":"seal","epoch":E,"iteration":I,"path":DIR,"manifest":{...}}
 *   driver  {"type":"kill"}
 *   shim    {"type":"spawned","pid":P}            first; or, if the command can't
 *           {"type":"spawned","pid":0,"text":"can't run ...: ..."}    be run, last
 *   shim    {"type":"sealed","epoch":E,"iteration":I,"bytes":N}
 *           {"type":"sealed","epoch":E,"iteration":I,"bytes":0,"text":"can't ..."}
 *   shim    {"type":"exited","exit_code":C,"signal":0}  last: the worker is gone and
 *           nothing of it is left; a seal under way at its exit was finished and
 *           told before.  After a kill, seals are dropped.
 *
 * The end of the control channel is a kill that nobody waits to hear about.  It is how
 * the driver's death is noticed, as soon as no copy of its end is left; PDEATHSIG tells
 * of it even if one leaked.  That signal is not SIGKILL, since the dead sweep nothing: it
 * is one that the loop reads like all else.  Should the shim itself be killed, the
 * worker dies by its own PDEATHSIG.
 *
 * All signals are blocked: the shim ends when its worker has ended, not because a
 * terminal or a batch system tells everybody to go; the driver decides on that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/shim.h"

#define SWEEP_FIRST_MS 5
#define SWEEP_LAST_MS 1000

struct shim {
    int control;
    int signals;
    pid_t parent; /* 0: not told */
    pid_t worker;
    int wait_status;
    bool ended;  /* the worker has, and wait_status tells how */
    bool ending; /* all has to go, seals too */
    bool gone;   /* nobody listens on `control` */
    int sweep_ms;
    struct pbt_shim_seal seal;
    struct pbt_lines lines;
    struct pbt_buf out;
};

static void driver_is_gone(struct shim *shim)
{
    shim->gone = true;
    shim->ending = true;
}

/* Writes one message; nobody there to read it is no error but the driver's end. */
static void tell(struct shim *shim, const struct pbt_message *message)
{
    struct pbt_error error;
    pbt_buf_reset(&shim->out);
    if (pbt_message_encode(message, &shim->out, &error) != PBT_OK) {
        (void)fprintf(stderr, "pbt-shim: %s\n", error.text);
        driver_is_gone(shim);
    }
    size_t done = 0;
    while (!shim->gone && done < shim->out.length) {
        ssize_t put = write(shim->control, shim->out.data + done,
                            shim->out.length - done);
        if (put >= 0) {
            done += (size_t)put;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            struct pollfd room = {.fd = shim->control, .events = POLLOUT};
            (void)poll(&room, 1, -1);
        } else if (errno != EINTR) {
            driver_is_gone(shim);
        }
    }
}

static void start_seal(struct shim *shim, const struct pbt_message *order)
{
    struct pbt_error error;
    int status = PBT_OK;
    if (shim->seal.pid != 0) {
        status = pbt_error_set(&error, PBT_EUSAGE, "a seal is under way");
    } else if (!shim->ending) {
        status = pbt_shim_seal_start(&shim->seal, order, shim->control, &error);
    }
    if (status != PBT_OK) {
        struct pbt_message answer = {.type = PBT_MESSAGE_SEALED,
                                     .epoch = order->epoch,
                                     .iteration = order->iteration,
                                     .text = error.text};
        tell(shim, &answer);
    }
}

static void finish_seal(struct shim *shim)
{
    struct pbt_error error;
    struct pbt_message answer;
    pbt_shim_seal_finish(&shim->seal, &answer, &error);
    if (!shim->ending) {
        tell(shim, &answer);
    }
}

static int obey(struct shim *shim, const char *line, size_t length,
                struct pbt_error *error)
{
    struct pbt_message order;
    int status = pbt_message_decode(&order, line, length, error);
    if (status != PBT_OK) {
        return status;
    }
    if (order.type == PBT_MESSAGE_SEAL) {
        start_seal(shim, &order);
    } else if (order.type == PBT_MESSAGE_KILL) {
        shim->ending = true;
    } else {
        status = pbt_error_set(error, PBT_EDATA, "unexpected message \"%s\"",
                               pbt_message_name(order.type));
    }
    pbt_message_done(&order);
    return status;
}

static void read_control(struct shim *shim)
{
    struct pbt_error error;
    bool ended = false;
    int status = pbt_lines_read(&shim->lines, shim->control, &ended, &error);
    char *line;
    size_t length;
    while (status == PBT_OK &&
           (line = pbt_lines_next(&shim->lines, &length)) != NULL) {
        status = obey(shim, line, length, &error);
    }
    if (status != PBT_OK) {
        (void)fprintf(stderr, "pbt-shim: control channel: %s\n", error.text);
    }
    if (ended || status != PBT_OK) {
        driver_is_gone(shim);
    }
}

static void read_signals(struct shim *shim)
{
    struct signalfd_siginfo about;
    while (read(shim->signals, &about, sizeof about) == (ssize_t)sizeof about) {
        /* SIGCHLD only wakes us.  The other one comes at the end of the thread
         * that started us: which need not be the end of the driver. */
        if (about.ssi_signo != (uint32_t)SIGCHLD && shim->parent != 0 &&
            getppid() != shim->parent) {
            driver_is_gone(shim);
        }
    }
}

/* Takes the ends of children.  True if there are others left. */
static bool reap(struct shim *shim)
{
    for (;;) {
        int wait_status;
        pid_t pid = waitpid(-1, &wait_status, WNOHANG);
        if (pid <= 0) {
            return pid == 0;
        }
        if (pid == shim->worker) {
            shim->ended = true;
            shim->wait_status = wait_status;
            shim->sweep_ms = SWEEP_FIRST_MS;
        }
    }
}

static void sweep(struct shim *shim)
{
    if (pbt_shim_kill_below(shim->ending ? 0 : shim->seal.pid)) {
        return;
    }
    (void)fprintf(stderr, "pbt-shim: can't read /proc: killing the process "
                          "group only\n");
    if (getpgrp() == getpid()) {
        (void)kill(0, SIGKILL); /* us too: the driver sees that */
    }
    (void)kill(shim->worker, SIGKILL);
}

/* Waits for something to do, and does it. */
static void wait_and_serve(struct shim *shim, int timeout)
{
    struct pollfd fds[3] = {
        {.fd = shim->signals, .events = POLLIN},
        {.fd = shim->gone ? -1 : shim->control, .events = POLLIN},
        {.fd = shim->seal.fd, .events = POLLIN},
    };
    if (poll(fds, 3, timeout) <= 0) {
        return;
    }
    if (fds[0].revents != 0) {
        read_signals(shim);
    }
    if (fds[2].revents != 0) {
        finish_seal(shim);
    }
    if (fds[1].revents != 0) {
        read_control(shim);
    }
}

/* Serves until nothing is left below. */
static void serve(struct shim *shim)
{
    for (;;) {
        bool left = reap(shim);
        int timeout = -1;
        if (shim->ended || shim->ending) {
            if (!left && (shim->ending || shim->seal.fd < 0)) {
                return;
            }
            if (left) {
                sweep(shim);
            }
            /* Ends below us wake us; this is for what slips through. */
            timeout = shim->sweep_ms;
            shim->sweep_ms = shim->sweep_ms < SWEEP_LAST_MS / 2
                                 ? 2 * shim->sweep_ms
                                 : SWEEP_LAST_MS;
        }
        wait_and_serve(shim, timeout);
    }
}

static void tell_exit(struct shim *shim)
{
    struct pbt_message message = {.type = PBT_MESSAGE_EXITED};
    if (WIFSIGNALED(shim->wait_status)) {
        message.signal = WTERMSIG(shim->wait_status);
    } else {
        message.exit_code = WEXITSTATUS(shim->wait_status);
    }
    tell(shim, &message);
}

static bool parse_number(const char *text, int *number)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    *number = (int)value;
    return errno == 0 && *text != '\0' && *end == '\0' && value >= 0 &&
           value <= INT32_MAX;
}

/* Fills control and parent; returns the command, or NULL if the usage is wrong. */
static char **parse(struct shim *shim, int argc, char **argv)
{
    for (int i = 1; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--") == 0) {
            return shim->control >= 0 ? argv + i + 1 : NULL;
        }
        bool control = strcmp(argv[i], "--control") == 0;
        if ((!control && strcmp(argv[i], "--parent") != 0) ||
            !parse_number(argv[i + 1],
                          control ? &shim->control : &shim->parent)) {
            return NULL;
        }
    }
    return NULL;
}

/* Everything that has to be so before the worker starts. */
static bool prepare(struct shim *shim)
{
    sigset_t all;
    sigset_t heard;
    int death = SIGRTMIN;
    (void)sigfillset(&all);
    (void)sigemptyset(&heard);
    (void)sigaddset(&heard, SIGCHLD);
    (void)sigaddset(&heard, death);
    /* Ignored by whoever started us, it would be reaped behind our back. */
    struct sigaction plain = {.sa_handler = SIG_DFL};
    if (sigaction(SIGCHLD, &plain, NULL) != 0 ||
        sigprocmask(SIG_SETMASK, &all, NULL) != 0 ||
        fcntl(shim->control, F_SETFD, FD_CLOEXEC) != 0) {
        return false;
    }
    shim->signals = signalfd(-1, &heard, SFD_CLOEXEC | SFD_NONBLOCK);
    if (shim->signals < 0 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
        return false;
    }
    (void)setpgid(0, 0); /* a session's leader can't, and need not */
    return shim->parent == 0 || prctl(PR_SET_PDEATHSIG, death) == 0;
}

/* Without our copy, the socket ends when the worker does. */
static void close_worker_socket(const struct shim *shim)
{
    const char *text = getenv("PBT_FD");
    int fd;
    if (text != NULL && parse_number(text, &fd) && fd > STDERR_FILENO &&
        fd != shim->control && fd != shim->signals) {
        (void)close(fd);
    }
}

int main(int argc, char **argv)
{
    struct pbt_error error;
    struct shim shim = {
        .control = -1, .seal.fd = -1, .sweep_ms = SWEEP_FIRST_MS};
    if (argc == 2 && strcmp(argv[1], "--version") == 0) {
        return puts("pbt-shim " PBT_VERSION) < 0 || fflush(stdout) != 0;
    }
    char **command = parse(&shim, argc, argv);
    if (command == NULL) {
        (void)fputs("usage: pbt-shim --control FD [--parent PID] -- command "
                    "[argument ...]\n",
                    stderr);
        return PBT_EUSAGE;
    }
    if (!prepare(&shim)) {
        (void)fprintf(stderr, "pbt-shim: %s\n", strerror(errno));
        return PBT_ENOMEM;
    }
    if (shim.parent != 0 && getppid() != shim.parent) {
        return PBT_OK; /* the driver died before it could be watched */
    }
    pbt_lines_init(&shim.lines);
    pbt_buf_init(&shim.out, PBT_MESSAGE_LINE_MAX + 1);
    struct pbt_message spawned = {.type = PBT_MESSAGE_SPAWNED};
    int status = pbt_shim_spawn(command, &shim.worker, &error);
    close_worker_socket(&shim);
    if (status != PBT_OK) {
        spawned.text = error.text;
    } else {
        spawned.pid = shim.worker;
    }
    tell(&shim, &spawned);
    if (status == PBT_OK) {
        serve(&shim);
        if (!shim.gone) {
            tell_exit(&shim);
        }
    }
    pbt_lines_done(&shim.lines);
    pbt_buf_done(&shim.out);
    return status;
}
