/*
 * lanes.h: plots in which each trial has a lane: its row, from the first at the top.
 */
#ifndef PBT_PLOT_LANES_H
#define PBT_PLOT_LANES_H

#include "plot/data.h"

struct pbt_lanes {
    char (*texts)[32];
    const char **names; /* of each trial */
};

/* PBT_ENOINPUT: there are no trials.  pbt_lanes_done() also after a failure. */
int pbt_lanes_init(struct pbt_lanes *lanes, const struct pbt_results *results,
                   struct pbt_error *error);
void pbt_lanes_done(struct pbt_lanes *lanes);

/* Draws title and frame; frame->x is set before, the rest is done here. */
void pbt_lanes_draw(const struct pbt_lanes *lanes, const struct pbt_plot *plot,
                    struct pbt_frame *frame, const char *what,
                    const char *subtitle, const struct pbt_descent *descent);

/* How broad a line in a lane may be, in strokes. */
double pbt_lane_width(const struct pbt_frame *frame);

#endif
