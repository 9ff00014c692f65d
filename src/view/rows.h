/*
 * rows.h: which trials are shown where there is no room for all.
 */
#ifndef PBT_VIEW_ROWS_H
#define PBT_VIEW_ROWS_H

#include <stdbool.h>
#include <stdint.h>

#include "log/board.h"

struct pbt_rows {
    uint32_t *trials; /* in the order of their rows */
    uint32_t count;
    /*
     * The place of each trial by its present score, from 1; 0: it has none.  By trial, not by
     * row.  NULL where all are shown.
     */
    uint32_t *ranks;
    uint32_t hidden;
    uint32_t hidden_by_status[PBT_TRIAL_STATUSES];
};

/*
 * At most `limit` of the trials.  If they all fit they come in Ray's order, by status; else by
 * rank: the best third, the worst third, and of the others first those that run.  False
 * without memory.
 */
bool pbt_rows_choose(struct pbt_rows *rows, const struct pbt_board *board,
                     uint32_t limit);
void pbt_rows_done(struct pbt_rows *rows);

#endif
