/*
 * log.h: the log files of a run: projections of the journal's records.
 *
 *     pbt_global.txt, pbt_policy_<trial_id>.txt       Ray's policy files
 *     <trial_id>/params.json result.json progress.csv  Ray's result files
 *     <trial_id>/error.txt                            its failures
 *     status.json                                     the board (status_json.h)
 *
 * A log is fed with every record of the journal, from the first on, in order.  What an
 * earlier process has already written is skipped: the cursor file, `log_cursor.json`,
 * says up to which record each file holds what, and in how many bytes; at open the files are cut
 * back to that.  So they are continued after a crash, and equal, byte for byte, what
 * a rebuild from nothing gives.
 */
#ifndef PBT_LOG_LOG_H
#define PBT_LOG_LOG_H

#include <stdbool.h>

#include <pbt/error.h>

#include "base/hold.h"
#include "journal/entry.h"
#include "log/board.h"
#include "spec/spec.h"

struct pbt_log;

/*
 * Opens the logs in the run directory `dir`.  `spec` and `board` are borrowed until
 * pbt_log_close(); the log feeds the board with each entry itself.
 * `rebuild`: forget the cursor and write all files anew.  `hold` (copied; NULL: nobody else
 * writes here) is asked before each change of a file; once it says no nothing more is changed.
 */
int pbt_log_open(struct pbt_log **log, const char *dir,
                 const struct pbt_spec *spec, struct pbt_board *board,
                 bool rebuild, const struct pbt_hold *hold,
                 struct pbt_error *error);

/* Takes in one record; lines are buffered. */
int pbt_log_feed(struct pbt_log *log, const struct pbt_entry *entry,
                 struct pbt_error *error);

/* Writes out what is buffered, then the cursor (atomically). */
int pbt_log_flush(struct pbt_log *log, struct pbt_error *error);

/* Replaces status.json by what the board says now. */
int pbt_log_write_status(const struct pbt_log *log, struct pbt_error *error);

/* Closes without writing anything more: as if the process had died. */
void pbt_log_abandon(struct pbt_log *log);

/* Flushes and closes.  Takes NULL. */
int pbt_log_close(struct pbt_log *log, struct pbt_error *error);

#endif
