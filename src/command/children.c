/*
 * children.c: a program's end is the end of everything that it has started.  We are a
 * subreaper like the shim, so that also what called setsid() is found below us.
 */
#define _GNU_SOURCE /* SFD_CLOEXEC */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "command/command.h"
#include "shim/shim.h"

#define SWEEP_FIRST_MS 5
#define SWEEP_LAST_MS 1000

int pbt_children_watch(int *fd, struct pbt_error *error)
{
    sigset_t ends;
    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGCHLD);
    struct sigaction plain = {.sa_handler = SIG_DFL};
    if (sigaction(SIGCHLD, &plain, NULL) != 0 ||
        sigprocmask(SIG_BLOCK, &ends, NULL) != 0 ||
        prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 ||
        (*fd = signalfd(-1, &ends, SFD_CLOEXEC | SFD_NONBLOCK)) < 0) {
        return pbt_error_set(error, PBT_ENOMEM, "can't watch processes: %s",
                             strerror(errno));
    }
    return PBT_OK;
}

bool pbt_children_ended(int fd, pid_t pid, int *wait_status)
{
    struct signalfd_siginfo about;
    bool ended = false;
    while (read(fd, &about, sizeof about) > 0) {
        /* It only wakes us: several ends may be one signal. */
    }
    for (;;) {
        int status;
        pid_t child = waitpid(-1, &status, WNOHANG);
        if (child <= 0) {
            return ended;
        }
        if (child == pid) {
            ended = true;
            *wait_status = status;
        }
    }
}

void pbt_children_sweep(int fd)
{
    int patience = SWEEP_FIRST_MS;
    for (;;) {
        int status;
        pid_t child;
        while ((child = waitpid(-1, &status, WNOHANG)) > 0) {
        }
        if (child < 0) {
            return; /* there are none */
        }
        /* Without /proc there is nothing to be done: the shim will say so. */
        if (!pbt_shim_kill_below(0)) {
            return;
        }
        struct pollfd wake = {.fd = fd, .events = POLLIN};
        struct signalfd_siginfo about;
        (void)poll(&wake, 1, patience);
        (void)!read(fd, &about, sizeof about);
        patience = patience < SWEEP_LAST_MS / 2 ? 2 * patience : SWEEP_LAST_MS;
    }
}
