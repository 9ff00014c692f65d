/*
 * lanes.h: plots in which each trial has a lane: its row, from the first at the top.  Many trials of a
 * family tree are in the order of descent, so that those of one family lie side by side; where even
 * that is too much, as in a terminal, only those have lanes that led to the best ones.
 */
#ifndef PBT_PLOT_LANES_H
#define PBT_PLOT_LANES_H

#include "plot/data.h"

struct pbt_lanes {
    char (*texts)[32];
    const char **names; /* of each row */
    uint32_t *rows;     /* of each trial; PBT_NONE: it has no lane */
    uint32_t count;     /* of lanes */
};

/* PBT_ENOMEM.  pbt_lanes_done() also after a failure. */
int pbt_lanes_init(struct pbt_lanes *lanes, const struct pbt_results *results,
                   struct pbt_error *error);
void pbt_lanes_done(struct pbt_lanes *lanes);

/* In the order of descent. */
int pbt_lanes_by_descent(struct pbt_lanes *lanes,
                         const struct pbt_results *results,
                         struct pbt_error *error);
/*
 * Only the trials that led to the best one, oldest first, and then to the next best, as long as there
 * are no more than `limit`.
 */
void pbt_lanes_of_best(struct pbt_lanes *lanes,
                       const struct pbt_results *results,
                       const struct pbt_descent *descent, uint32_t limit);

/* Where a trial's lane is, which it has. */
double pbt_lane_y(const struct pbt_lanes *lanes, const struct pbt_frame *frame,
                  uint32_t trial);

/*
 * Draws title and frame; frame->x is set before, the rest is done here.  `legend`: room is left for
 * one, but in a terminal.
 */
void pbt_lanes_draw(const struct pbt_lanes *lanes, const struct pbt_plot *plot,
                    struct pbt_frame *frame, const char *what,
                    const char *subtitle, const struct pbt_descent *descent,
                    bool legend);

/* How broad a line in a lane may be, in strokes. */
double pbt_lane_width(const struct pbt_frame *frame);

#endif
