/*
 * data.h: what plots show: results as points, and the line of descent of the best trial.
 */
#ifndef PBT_PLOT_DATA_H
#define PBT_PLOT_DATA_H

#include "plot/plot.h"

struct pbt_point {
    double x;
    double y;
    int64_t iteration;
    uint32_t exploit; /* behind it, or PBT_NONE */
    bool undone;
};

/* Of a trial, in the order in which they came. */
struct pbt_series {
    struct pbt_point *points;
    size_t count;
};

struct pbt_data {
    struct pbt_series *series; /* of each trial */
    uint32_t trials;
    /* Of the points that count; low > high: there is none. */
    double x_low;
    double x_high;
    double y_low;
    double y_high;
    uint64_t
        left_out; /* results that count whose value is not a finite number */
};

/*
 * The results of a run.  `metric` NULL: y is time_this_iter_s.  Timestamps become seconds since the
 * run began.  pbt_data_done() also after a failure.
 */
int pbt_data_read(struct pbt_data *data, struct pbt_results *results,
                  enum pbt_plot_x x, const char *metric,
                  struct pbt_error *error);
void pbt_data_done(struct pbt_data *data);

/* What a trial trained between two exploits. */
struct pbt_span {
    uint32_t trial;
    uint32_t
        exploit;  /* that it began with; PBT_NONE: the first configuration */
    uint32_t end; /* the exploit that ended it, or PBT_NONE */
    int64_t from; /* iterations */
    int64_t until;
};

/*
 * All of a run: of each trial the newest, and then those that exploits ended, in their order.  To
 * be freed.  NULL: PBT_ENOMEM.
 */
struct pbt_span *pbt_spans(const struct pbt_results *results, size_t *count,
                           struct pbt_error *error);

/* A line of descent: what each ancestor trained of the weights. */
struct pbt_descent {
    struct pbt_span *items; /* oldest first */
    size_t count;
    uint32_t trial; /* PBT_NONE: there is no best one */
};

/* Of the trial that is the best now, by the experiment's metric. */
int pbt_descent_of_best(struct pbt_descent *descent,
                        const struct pbt_results *results,
                        struct pbt_error *error);
void pbt_descent_done(struct pbt_descent *descent);

/* The radius of a dot that is an exploit, in strokes: many are small. */
double pbt_exploit_dot(const struct pbt_results *results);

/* The end of its id that tells trials apart: "00003"; into `name`, which is returned. */
const char *pbt_trial_short_name(const struct pbt_results *results,
                                 uint32_t trial, char name[32]);

#endif
