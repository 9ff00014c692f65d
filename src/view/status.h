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

struct pbt_status_options {
    const char *result_dir; /* shown as "Result logdir" */
    int64_t now;            /* unix time in ns: "Current time" */
    uint64_t running_ns;    /* "running for" */
    uint32_t columns;       /* width of the terminal; 0: no limit */
    bool unlimited;         /* every trial, not the first 20 */
};

/* Appends the block, ending in a newline. */
void pbt_status_print(const struct pbt_board *board,
                      const struct pbt_status_options *options,
                      struct pbt_buf *out);

/*
 * Shows blocks one after another: in place on a terminal (cursor up, clear), one
 * under the other elsewhere, there not more often than every 5 s (30 s if there is no end in
 * sight is the caller's choice).
 */
struct pbt_screen {
    int fd;
    bool terminal;
    uint32_t lines; /* of the last block, to be overwritten */
};

void pbt_screen_init(struct pbt_screen *screen, int fd);
/* Width in columns from the terminal, COLUMNS, or 0. */
uint32_t pbt_screen_columns(const struct pbt_screen *screen);
/* Draws a block; on a terminal over the one before. */
int pbt_screen_draw(struct pbt_screen *screen, const char *block,
                    size_t length);
/* Leaves the last block standing: what is printed next comes below it. */
void pbt_screen_release(struct pbt_screen *screen);

#endif
