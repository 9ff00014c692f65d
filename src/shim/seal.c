/*
 * seal.c: seals checkpoints, in a child process.
 *
 * A seal syncs and may take minutes.  In a child it can be killed at any moment, even
 * in the middle of one large file, and the shim stays what it has to be: a loop that
 * hears the end of the driver.  No thread: the shim forks, and who forks next to
 * threads has to be careful for ever.
 */
#define _GNU_SOURCE /* pipe2 */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "shim/shim.h"

/* One write into the pipe: at most PIPE_BUF bytes arrive as a whole or not. */
struct outcome {
    int status;
    uint64_t bytes;
    struct pbt_error error;
};

_Static_assert(sizeof(struct outcome) <= PIPE_BUF, "not atomic");

_Noreturn static void run_child(const struct pbt_message *order, int report,
                                int control, pid_t parent)
{
    struct outcome outcome = {0};
    if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != parent) {
        _exit(1);
    }
    (void)close(control); /* its end has to be the shim's end */
    outcome.status = pbt_checkpoint_seal(order->path, order->manifest,
                                         order->manifest_length, &outcome.bytes,
                                         &outcome.error);
    (void)!write(report, &outcome, sizeof outcome);
    _exit(0);
}

int pbt_shim_seal_start(struct pbt_shim_seal *seal,
                        const struct pbt_message *order, int control,
                        struct pbt_error *error)
{
    int report[2];
    pid_t parent = getpid();
    if (pipe2(report, O_CLOEXEC) != 0) {
        return pbt_error_set(error, PBT_ENOMEM, "can't make a pipe: %s",
                             strerror(errno));
    }
    pid_t pid = fork();
    if (pid < 0) {
        int status = pbt_error_set(
            error, PBT_ENOMEM, "can't start a process: %s", strerror(errno));
        (void)close(report[0]);
        (void)close(report[1]);
        return status;
    }
    if (pid == 0) {
        (void)close(report[0]);
        run_child(order, report[1], control, parent);
    }
    (void)close(report[1]);
    *seal = (struct pbt_shim_seal){.pid = pid,
                                   .fd = report[0],
                                   .epoch = order->epoch,
                                   .iteration = order->iteration};
    return PBT_OK;
}

void pbt_shim_seal_finish(struct pbt_shim_seal *seal,
                          struct pbt_message *answer, struct pbt_error *error)
{
    struct outcome outcome;
    ssize_t got;
    do {
        got = read(seal->fd, &outcome, sizeof outcome);
    } while (got < 0 && errno == EINTR);
    (void)close(seal->fd);
    *answer = (struct pbt_message){.type = PBT_MESSAGE_SEALED,
                                   .epoch = seal->epoch,
                                   .iteration = seal->iteration};
    if (got != (ssize_t)sizeof outcome) {
        pbt_error_set(error, PBT_EIO, "the sealing process was killed");
        answer->text = error->text;
    } else if (outcome.status != PBT_OK) {
        *error = outcome.error;
        answer->text = error->text;
    } else {
        answer->bytes = outcome.bytes;
    }
    *seal = (struct pbt_shim_seal){.fd = -1};
}
