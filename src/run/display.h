/*
 * display.h: shows the board while the loop works, on a thread of its own.  Private to
 * src/run.
 */
#ifndef PBT_RUN_DISPLAY_H
#define PBT_RUN_DISPLAY_H

#include "log/thread.h"
#include "run/run.h"

struct pbt_display;

/* All pointers are borrowed until stop. */
int pbt_display_start(struct pbt_display **out, struct pbt_log_thread *log,
                      const struct pbt_run_options *options,
                      struct pbt_error *error);

/*
 * Waits until the log thread has taken in everything that it was fed, then shows
 * the board for the last time, and to `look`.
 */
void pbt_display_show_last(struct pbt_display *display,
                           void (*look)(void *user,
                                        const struct pbt_board *board),
                           void *user);

/* Takes NULL. */
void pbt_display_stop(struct pbt_display *display);

#endif
