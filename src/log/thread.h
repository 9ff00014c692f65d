/*
 * thread.h: the one thread that writes the log files, behind a bounded queue.
 *
 * Whoever drives the run feeds it with lines of records, as they stand in the journal, and
 * goes on at once: parsing them, folding them into the board and writing files is
 * the thread's.  Several lines that come close together are written together, so a file is
 * behind its records by a fifth of a second or so.
 *
 * All functions may be called from any thread, but start and stop by one of them only.  The
 * thread has every signal blocked.
 */
#ifndef PBT_LOG_THREAD_H
#define PBT_LOG_THREAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/hold.h"

#include "log/board.h"
#include "spec/spec.h"

struct pbt_log_thread;

/*
 * Opens the log files of the run directory (see log.h; `rebuild` as there) and starts the
 * thread.  `spec` is borrowed until stop, and is the thread's own copy: texts that
 * records bring are taken into it.  `hold` as in log.h.
 */
int pbt_log_thread_start(struct pbt_log_thread **thread, const char *run_dir,
                         struct pbt_spec *spec, bool rebuild,
                         const struct pbt_hold *hold, struct pbt_error *error);

/*
 * Queues whole lines of records, from the journal's first one on, in order; they are
 * copied.  Waits while more than 8 MiB are queued.  If the thread has failed
 * before, its error is returned, and nothing is taken.
 */
int pbt_log_thread_feed(struct pbt_log_thread *thread, const char *lines,
                        size_t length, struct pbt_error *error);

/*
 * Before the first feed: the records up to this one will not be fed, so the thread is to read
 * them from the run's journal.  Until it has, it writes no status.json, and what is fed waits.
 */
void pbt_log_thread_skipped(struct pbt_log_thread *thread, uint64_t record);

/* True while it reads what was skipped: its board is of the past. */
bool pbt_log_thread_is_behind(struct pbt_log_thread *thread);

/*
 * Shows the board, as far as the thread has come, which waits meanwhile: `fn` has to be
 * short, and must not keep pointers into the board.
 */
void pbt_log_thread_look(struct pbt_log_thread *thread,
                         void (*fn)(void *user, const struct pbt_board *board),
                         void *user);

/* Waits until all that was fed is on the board, or the thread has failed. */
void pbt_log_thread_drain(struct pbt_log_thread *thread);

/*
 * Lets the thread finish what is queued, writes all out, and closes.  Returns the first
 * failure that there was.  Takes NULL.
 */
int pbt_log_thread_stop(struct pbt_log_thread *thread, struct pbt_error *error);

#endif
