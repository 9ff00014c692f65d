/*
 * status.h: the `== Status ==` block: Ray Tune's console table.
 */
#ifndef PBT_VIEW_STATUS_H
#define PBT_VIEW_STATUS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "log/board.h"
#include "view/screen.h" /* where blocks are shown */
#include "view/table.h"

struct pbt_status_options {
    const char *result_dir; /* shown as "Result logdir"; NULL: not shown */
    int64_t now;            /* unix time in ns: "Current time" */
    uint64_t running_ns;    /* "running for" */
    /* The terminal's size, which the block then fits into; 0: no limit. */
    uint32_t columns;
    uint32_t lines;
    bool
        unlimited; /* every trial, whatever `lines` is; else at most `table.max_progress_rows` without lines */
    bool color;
    struct pbt_widths
        *widths; /* of the trials' table (view/table.h); NULL: none */
    /* Bytes; total 0: looked up, and left out where it can't be. */
    uint64_t memory_used;
    uint64_t memory_total;
    uint64_t
        disk_free; /* where result_dir is; 0: looked up; UINT64_MAX: unknown */
};

/*
 * Appends one line for a log: "[12m05s] 57 %, about 9m20s left; 8 RUNNING, 2 PAUSED; best
 * acc=0.9719 (ba982_00001 @ 46); 12 perturbs", and a line of its own for each warning.
 */
void pbt_status_line(const struct pbt_board *board, uint64_t running_ns,
                     struct pbt_buf *out);

/* Appends the block, ending in a newline. */
void pbt_status_print(const struct pbt_board *board,
                      const struct pbt_status_options *options,
                      struct pbt_buf *out);

#endif
