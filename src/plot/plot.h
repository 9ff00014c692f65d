/*
 * plot.h: the plots of a run: what `pbt plot` draws.
 *
 * A plot is data (data.h) on axes (axes.h) on a canvas (canvas.h).  A population of up to
 * PBT_PLOT_LINES is drawn line by line; a larger one as bands, with the lines that matter on top.
 */
#ifndef PBT_PLOT_PLOT_H
#define PBT_PLOT_PLOT_H

#include "plot/axes.h"
#include "plot/canvas.h"
#include "results/results.h"

enum pbt_plot_kind {
    PBT_PLOT_METRIC,     /* a metric, one line a trial */
    PBT_PLOT_PARAMETERS, /* by iteration, the best trial's schedule in bold */
    PBT_PLOT_LINEAGE,    /* who descends from whom, and how good */
    PBT_PLOT_TIMELINE    /* which trial ran when */
};

enum pbt_plot_x { PBT_PLOT_ITERATION, PBT_PLOT_TIME_TOTAL, PBT_PLOT_TIMESTAMP };

struct pbt_plot {
    struct pbt_results *results;
    struct pbt_canvas *canvas;
    enum pbt_plot_x x;  /* of PBT_PLOT_METRIC */
    const char *metric; /* that it shows; NULL: the experiment's */
    bool logarithmic;   /* its y axis */
};

/* Trials that are drawn one by one; with legend only as many as there are hues. */
#define PBT_PLOT_LINES 24

/*
 * Each draws onto the canvas.  PBT_EUSAGE: no such metric; PBT_ENOINPUT: nothing to draw yet;
 * PBT_ENOMEM; PBT_EDATA.
 */
int pbt_plot_metric(const struct pbt_plot *plot, struct pbt_error *error);
int pbt_plot_parameters(const struct pbt_plot *plot, struct pbt_error *error);
int pbt_plot_lineage(const struct pbt_plot *plot, struct pbt_error *error);
int pbt_plot_timeline(const struct pbt_plot *plot, struct pbt_error *error);

/* How many hyperparameters pbt_plot_parameters() draws: those that differ anywhere. */
uint32_t pbt_plot_panels(const struct pbt_results *results);

#endif
