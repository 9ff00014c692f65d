/*
 * shim.h: what the parts of pbt-shim share.
 */
#ifndef PBT_SHIM_SHIM_H
#define PBT_SHIM_SHIM_H

#include <stdbool.h>
#include <sys/types.h>

#include <pbt/error.h>

#include "wire/message.h"

/* reap.c: the processes below us */

/*
 * Sends SIGKILL to every process below this one, however far, but for `spare` and
 * what is below it (0: none spared).  One pass: what is born meanwhile is found by
 * the next.  False if /proc can't be read.
 */
bool pbt_shim_kill_below(pid_t spare);

/* spawn.c: the worker */

/*
 * Starts `argv` with default signals, bound to this process's life.  `parent` is
 * this process.  PBT_EUNAVAILABLE: it can't be run, the text says why.
 */
int pbt_shim_spawn(char *const argv[], pid_t *pid, struct pbt_error *error);

/* seal.c: a seal under way in a child process */

struct pbt_shim_seal {
    pid_t pid;         /* 0: none */
    int fd;            /* -1, or the pipe on which it tells its outcome */
    uint64_t epoch;    /* of the order, to be told back */
    int64_t iteration; /* the same */
};

/* Starts the seal that `order` asks for. */
int pbt_shim_seal_start(struct pbt_shim_seal *seal,
                        const struct pbt_message *order, int control,
                        struct pbt_error *error);

/*
 * Reads the outcome when `fd` is readable, ends the seal and fills `answer`, whose
 * text lies in `error`.
 */
void pbt_shim_seal_finish(struct pbt_shim_seal *seal,
                          struct pbt_message *answer, struct pbt_error *error);

#endif
