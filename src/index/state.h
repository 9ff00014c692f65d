/*
 * state.h: which columns the rows of lives, checkpoints and exploits have.  Private to src/index.
 */
#ifndef PBT_INDEX_STATE_H
#define PBT_INDEX_STATE_H

#include "index/fields.h"

extern const struct pbt_field pbt_state_life[];
extern const struct pbt_field pbt_state_checkpoint[];
extern const struct pbt_field pbt_state_exploit[];

/* An INSERT of as many values as the table has columns; NULL: it failed. */
sqlite3_stmt *pbt_state_insert(struct pbt_sql *sql, const char *table,
                               size_t values);

#endif
