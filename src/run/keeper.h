/*
 * keeper.h: the thread that renews the lease and shows the board: what has to go on
 * while the loop works.  Private to src/run.
 */
#ifndef PBT_RUN_KEEPER_H
#define PBT_RUN_KEEPER_H

#include "journal/lock.h"
#include "log/thread.h"
#include "run/run.h"

struct pbt_keeper;

/* All pointers are borrowed until stop. */
int pbt_keeper_start(struct pbt_keeper **out, struct pbt_lock *lock,
                     struct pbt_log_thread *log,
                     const struct pbt_run_options *options,
                     struct pbt_error *error);

/*
 * Waits until the log thread has taken in everything that it was fed, then shows
 * the board for the last time, and to `look`.
 */
void pbt_keeper_show_last(struct pbt_keeper *keeper,
                          void (*look)(void *user,
                                       const struct pbt_board *board),
                          void *user);

/* Takes NULL. */
void pbt_keeper_stop(struct pbt_keeper *keeper);

#endif
