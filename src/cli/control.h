/*
 * control.h: asking the driver that is at work on a run, for the verbs stop, pause and
 * resume.
 */
#ifndef PBT_CLI_CONTROL_H
#define PBT_CLI_CONTROL_H

#include <stdbool.h>
#include <stdint.h>

#include "journal/lock.h"
#include "wire/control.h"

struct pbt_cli_driver {
    int fd; /* -1: it can't be reached */
    struct pbt_lock_look look;
    struct pbt_error error; /* why it can't be reached */
};

/*
 * Connects to the driver that is at work on a run; false: there is none, or it can't be
 * reached.  One that has just begun is waited for.
 */
bool pbt_cli_reach(const char *run, struct pbt_cli_driver *driver);

/*
 * The number of the trial that the user means by `text`, an id or a number; with NULL
 * *number stays as it is.
 */
int pbt_cli_find_trial(const char *run, const char *text, int64_t *number,
                       struct pbt_error *error);

/*
 * Asks, says what comes of it, and closes the connection.  `trial` as above; NULL: the
 * whole run.  Returns an exit code.
 */
int pbt_cli_request(struct pbt_cli_driver *driver, const char *run,
                    const char *trial, enum pbt_control_kind kind);

#endif
