/*
 * trial_table.h: trials as the rows of a table: name, status, where it runs, the
 * hyperparameters as they are now, metrics.
 */
#ifndef PBT_VIEW_TRIAL_TABLE_H
#define PBT_VIEW_TRIAL_TABLE_H

#include <stdint.h>

#include "base/buf.h"
#include "log/board.h"
#include "view/rows.h"
#include "view/table.h"

/*
 * Appends the table of these trials; returns how many columns were dropped.  A metric has a
 * column if any trial of the board has it: the experiment's own, those that Ray knows by
 * name, and up to 3 others that are numbers.  In a look of some width long names are cut,
 * and there is a column with the last perturbation.
 */
uint32_t pbt_trial_table_print(const struct pbt_board *board,
                               const struct pbt_rows *rows,
                               const struct pbt_table_look *look,
                               struct pbt_buf *out);

#endif
