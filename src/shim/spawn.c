/*
 * spawn.c: starts the worker.
 *
 * A failure of exec is an error here, and no mysterious exit: the child writes its
 * errno into a pipe that a successful exec closes.
 */
#define _GNU_SOURCE /* pipe2 */

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shim/shim.h"

/* The worker begins like any program: nothing blocked, nothing ignored. */
static void reset_signals(void)
{
    struct sigaction plain = {.sa_handler = SIG_DFL};
    sigset_t none;
    for (int number = 1; number < _NSIG; number++) {
        (void)sigaction(number, &plain, NULL); /* KILL and STOP refuse */
    }
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

_Noreturn static void run_child(char *const argv[], int report, pid_t parent)
{
    reset_signals();
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
        _exit(127); /* the shim is gone already: nobody waits for a report */
    }
    (void)execvp(argv[0], argv);
    int cause = errno;
    (void)!write(report, &cause, sizeof cause);
    _exit(127);
}

int pbt_shim_spawn(char *const argv[], pid_t *pid, struct pbt_error *error)
{
    int report[2];
    pid_t parent = getpid();
    if (pipe2(report, O_CLOEXEC) != 0) {
        return pbt_error_set(error, PBT_ENOMEM, "can't make a pipe: %s",
                             strerror(errno));
    }
    *pid = fork();
    if (*pid < 0) {
        int status =
            pbt_error_set(error, PBT_EUNAVAILABLE, "can't start a process: %s",
                          strerror(errno));
        (void)close(report[0]);
        (void)close(report[1]);
        return status;
    }
    if (*pid == 0) {
        run_child(argv, report[1], parent);
    }
    (void)close(report[1]);
    int cause = 0;
    ssize_t got;
    do {
        got = read(report[0], &cause, sizeof cause);
    } while (got < 0 && errno == EINTR);
    (void)close(report[0]);
    if (got != (ssize_t)sizeof cause) {
        return PBT_OK;
    }
    (void)waitpid(*pid, NULL, 0);
    return pbt_error_set(error, PBT_EUNAVAILABLE, "can't run %s: %s", argv[0],
                         strerror(cause));
}
