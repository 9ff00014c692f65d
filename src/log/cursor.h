/*
 * cursor.h: log_cursor.json, which says how far the log files are: private to src/log.
 *
 *     {"version":2,"boot":"...","seed":"...","wall":N,"record":N,"global":BYTES,
 *      "trials":[[result.json, progress.csv, header of progress.csv, error.txt], ...]}
 *
 * It is written (and renamed into place) after the files, so what it says is on disk, as
 * long as the machine runs: files are not synced.  Therefore it counts only on the same boot
 * of the same machine ("boot"), and only for the run that begins with the same record
 * ("seed", "wall"); else all is written anew.
 */
#ifndef PBT_LOG_CURSOR_H
#define PBT_LOG_CURSOR_H

#include <stdbool.h>
#include <stdint.h>

#include <pbt/error.h>

#include "log/file.h"

struct pbt_log_cursor_trial {
    uint64_t result;
    uint64_t csv;
    uint64_t header;
    uint64_t errors;
};

struct pbt_log_cursor {
    uint64_t record; /* 0: nothing is written yet */
    uint64_t global;
    /* What the run began with: the seed, and the wall time of the first driver. */
    uint64_t seed;
    int64_t wall;
    struct pbt_log_cursor_trial *trials;
    uint32_t population;
};

/* Zeros for this many trials. */
int pbt_log_cursor_init(struct pbt_log_cursor *cursor, uint32_t population,
                        struct pbt_error *error);
void pbt_log_cursor_done(struct pbt_log_cursor *cursor);

/*
 * Reads the file.  One that is missing, does not fit, or does not count leaves
 * zeros: that is no error.
 */
int pbt_log_cursor_read(struct pbt_log_cursor *cursor,
                        const struct pbt_log_dir *dir, struct pbt_error *error);
/* What is on disk does not count any more. */
int pbt_log_cursor_remove(const struct pbt_log_dir *dir,
                          struct pbt_error *error);
int pbt_log_cursor_write(const struct pbt_log_cursor *cursor,
                         const struct pbt_log_dir *dir,
                         struct pbt_error *error);

#endif
