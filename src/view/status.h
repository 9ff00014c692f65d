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

struct pbt_status_options {
    const char *result_dir; /* shown as "Result logdir"; NULL: not shown */
    int64_t now;            /* unix time in ns: "Current time" */
    uint64_t running_ns;    /* "running for" */
    /* The terminal's size, which the block then fits into; 0: no limit. */
    uint32_t columns;
    uint32_t lines;
    bool unlimited; /* every trial, not the first 20, whatever `lines` is */
    /* Bytes; total 0: looked up, and left out where it can't be. */
    uint64_t memory_used;
    uint64_t memory_total;
};

/* Appends the block, ending in a newline. */
void pbt_status_print(const struct pbt_board *board,
                      const struct pbt_status_options *options,
                      struct pbt_buf *out);

#endif
