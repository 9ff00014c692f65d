/*
 * trial_table.h: trials as the rows of a table: name, status, where it runs, the
 * hyperparameters as they are now, metrics.
 */
#ifndef PBT_VIEW_TRIAL_TABLE_H
#define PBT_VIEW_TRIAL_TABLE_H

#include <stdint.h>

#include "base/buf.h"
#include "log/board.h"

/*
 * Appends the table of these trials, in this order.  A metric has a column if any
 * trial of the board has it: the experiment's own, those that Ray knows by name, and up to
 * 3 others that are numbers.
 */
void pbt_trial_table_print(const struct pbt_board *board, const uint32_t *rows,
                           uint32_t count, uint32_t width, struct pbt_buf *out);

#endif
