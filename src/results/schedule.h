/*
 * schedule.h: the hyperparameters behind weights, iteration by iteration.
 *
 * A trial's weights may have been trained by many trials: each exploit took over a donor's
 * checkpoint.  Followed back from the end, whatever was undone on the way leaves no trace.
 */
#ifndef PBT_RESULTS_SCHEDULE_H
#define PBT_RESULTS_SCHEDULE_H

#include "results/results.h"

struct pbt_schedule_range {
    int64_t first; /* of these iterations, from 1 on, to the last */
    int64_t
        last; /* only in the last range may it be below `first`: nothing yet */
    uint32_t trial;               /* that trained them */
    const struct pbt_cell *cells; /* with this: space.count */
};

struct pbt_schedule {
    const struct pbt_spec *spec;
    uint32_t trial; /* whose weights they are */
    int64_t iteration;
    struct pbt_schedule_range *ranges; /* oldest first, without gaps */
    size_t count;
};

/*
 * What is behind the weights that a trial has now: those of its process or, where it
 * has none and is not finished, those that it would go on from.  The cells live as long as
 * `results`; pbt_schedule_done() releases the rest.
 */
int pbt_schedule_of_trial(struct pbt_schedule *schedule,
                          const struct pbt_results *results, uint32_t trial,
                          struct pbt_error *error);

/* What is behind the best result (the experiment's metric), whether its weights are kept or not. */
int pbt_schedule_of_best(struct pbt_schedule *schedule,
                         struct pbt_results *results, struct pbt_error *error);

void pbt_schedule_done(struct pbt_schedule *schedule);

#endif
