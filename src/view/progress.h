/*
 * progress.h: how far a run is, when it may be done, and what is going wrong with it.
 */
#ifndef PBT_VIEW_PROGRESS_H
#define PBT_VIEW_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "log/board.h"

struct pbt_progress {
    double fraction;     /* 0 to 1; NaN: no stop criterion tells */
    double seconds_left; /* NaN: unknown */
};

/*
 * From what ends a run: each trial's stop criteria on iterations or seconds, stop_all,
 * and the time budget; whichever comes first.  `running_ns`: the time that it has taken.  The
 * rest is taken to go as fast as all so far.
 */
struct pbt_progress pbt_progress_find(const struct pbt_board *board,
                                      uint64_t running_ns);

/* "42s", "12m05s", "1h02m", "2d03h" */
void pbt_duration_put(struct pbt_buf *out, double seconds);

/* True if no trial will ever train again. */
bool pbt_board_over(const struct pbt_board *board);

/* The best of the trials' present scores; false if none has one (all NaN, or none yet). */
bool pbt_best_now(const struct pbt_board *board, uint32_t *trial,
                  double *score);

/*
 * A collapse: the best present score has lost more than half of what the best score ever had
 * gained over the best of the trials' first ones; or no trial has a number for a score any
 * more.  Not before every trial has had 5 results, on average.
 */
bool pbt_board_collapsed(const struct pbt_board *board);

/*
 * Appends what a user has to know now, each a line that starts with "WARNING: " and says
 * what to do: a collapse, hyperparameters without effect, perturbations that can never happen, a disk that is nearly full
 * (`disk_free`: bytes; UINT64_MAX: unknown).
 */
void pbt_warnings_put(const struct pbt_board *board, uint64_t disk_free,
                      struct pbt_buf *out);

#endif
