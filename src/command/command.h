/*
 * command.h: what the parts of pbt-command share.
 */
#ifndef PBT_COMMAND_COMMAND_H
#define PBT_COMMAND_COMMAND_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <jansson.h>
#include <pbt/error.h>

#include "base/buf.h"

#define PBT_COMMAND_PATH_SIZE 4096u

/* state.c: the directories with a program's state */

/* The mark of a checkpoint without any. */
#define PBT_NO_STATE_FILE ".pbt_no_state"

struct pbt_state {
    uint64_t files;
    uint64_t print; /* changes if a file's name, size or time of change does */
};

/*
 * Looks at everything below `path`.  PBT_EDATA: something that is no regular file and no
 * directory.
 */
int pbt_state_look(const char *path, struct pbt_state *state,
                   struct pbt_error *error);
/*
 * Puts the files of `from` into the empty directory `to`: by links if the file system has
 * them, else as copies.  What a seal has added to `from` is left out.
 */
int pbt_state_link(const char *from, const char *to, struct pbt_error *error);
bool pbt_state_none(const char *checkpoint);
int pbt_state_mark_none(const char *checkpoint, struct pbt_error *error);

/* metrics.c: what a program reported */

struct pbt_reports {
    struct pbt_buf *items; /* each the JSON text of an object, on one line */
    size_t count;
    bool done; /* the last one said that the trial is finished */
};

/*
 * Reads `path`, or, if nothing is there, the last line of what was written to stdout
 * (our own descriptor) from `start` on.  `steps`: how many iterations were asked for.
 */
int pbt_reports_read(struct pbt_reports *reports, const char *path, off_t start,
                     int64_t steps, struct pbt_error *error);
void pbt_reports_done(struct pbt_reports *reports);

/* children.c: the program and all below it */

/* Once, at the start.  The descriptor is readable when a child has ended. */
int pbt_children_watch(int *fd, struct pbt_error *error);
/* Takes the ends of children: true once `pid` is among them, with its status. */
bool pbt_children_ended(int fd, pid_t pid, int *wait_status);
/* Kills what is left below us, and waits until it is gone. */
void pbt_children_sweep(int fd);

#endif
