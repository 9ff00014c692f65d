/*
 * settings.h: the part of an experiment's specification that the core knows.
 * It never changes while a driver is at work, and is borrowed by the state.  Between two drivers
 * the user may add trials and put ends further away; no record means anything else then.
 */
#ifndef PBT_CORE_SETTINGS_H
#define PBT_CORE_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/space.h"

enum pbt_scheduler {
    PBT_SCHEDULER_FIFO, /* no exploits: every trial trains on its own */
    PBT_SCHEDULER_PBT,
    PBT_SCHEDULER_REPLAY, /* one trial, whose hyperparameters follow a schedule */
};

/* Who is replaced, and by whom: exploit.c. */
enum pbt_exploit {
    PBT_EXPLOIT_TRUNCATION, /* the lowest quantile, by the highest */
    PBT_EXPLOIT_TOURNAMENT, /* each, by another that is drawn, if that is better */
    PBT_EXPLOIT_T_TEST, /* the same, if Welch's t-test on the last scores says so */
};

#define PBT_T_TEST_SCORES_MAX 1000

/* Which checkpoint a donor gives. */
enum pbt_donors {
    PBT_DONORS_CURRENT,   /* that of its last perturbation point */
    PBT_DONORS_BEST_EVER, /* that of its best one so far */
};

/* What a loser takes over from its donor. */
enum pbt_copies {
    PBT_COPIES_BOTH,
    PBT_COPIES_WEIGHTS,         /* it explores its own hyperparameters */
    PBT_COPIES_HYPERPARAMETERS, /* it keeps its weights, and its clocks */
};

/* Which checkpoints of a trial are kept. */
enum pbt_keep {
    PBT_KEEP_NEWEST,
    PBT_KEEP_BEST,  /* by the score */
    PBT_KEEP_WORST, /* somebody may want that */
    /* Those with the most of it, or the least (keep_low). */
    PBT_KEEP_ITERATION,
    PBT_KEEP_SECONDS, /* time_total_s */
    PBT_KEEP_VALUE,   /* values[keep_value] of the result */
};

enum pbt_time_attr {
    PBT_TIME_ITERATION, /* training_iteration */
    PBT_TIME_SECONDS,   /* time_total_s */
};

/* Metrics that stop criteria and `keep` look at, beside iteration and time. */
#define PBT_VALUES_MAX 8
#define PBT_STOPS_MAX 16

enum pbt_stop_source {
    PBT_STOP_ITERATION,
    PBT_STOP_SECONDS, /* time_total_s */
    PBT_STOP_VALUE,   /* values[index] of a result */
};

struct pbt_stop {
    enum pbt_stop_source source;
    uint32_t index;
    double bound;
    bool at_most; /* reached at <= bound; else at >= bound */
    bool all;     /* stop_all: ends the experiment, not just the trial */
};

/* A change of a schedule: after the first result at or past its iteration. */
struct pbt_change {
    int64_t iteration;
    const struct pbt_cell *cells; /* PBT_CELL_NONE: it stays as it is */
};

struct pbt_settings {
    uint64_t seed;
    uint32_t population; /* number of trials, >= 1 */
    struct pbt_space space;

    enum pbt_scheduler scheduler;
    bool synch; /* PBT by rounds: round.c */
    enum pbt_time_attr time_attr;
    double perturbation_interval; /* > 0, in units of time_attr */
    double burn_in_period;
    double quantile_fraction; /* 0 to 0.5 */
    enum pbt_exploit exploit;
    uint32_t t_test_scores; /* t_test: so many last scores are compared, >= 2 */
    double t_test_level; /* t_test: better is what has a p-value below this */
    /* Copied only if better by more than each of these; 0: no such bound. */
    double gap;
    double gap_relative; /* times the donor's score without its sign */
    double gap_sd;       /* standard deviations of the population's scores */
    enum pbt_donors donors;
    enum pbt_copies copies;
    struct pbt_explore explore;
    bool custom_explore; /* exploits ask the user's function */

    const struct pbt_change *schedule; /* replay: iterations never fall */
    uint32_t schedule_count;

    struct pbt_stop stops[PBT_STOPS_MAX];
    uint32_t stop_count;
    uint64_t time_budget_ns; /* of experiment time; 0: none */

    uint32_t checkpoint_frequency; /* in iterations; 0: none beside PBT's own */
    bool checkpoint_at_end;
    uint32_t num_to_keep; /* of each trial, >= 1, beside the newest */
    enum pbt_keep keep;   /* which */
    uint32_t keep_value;
    bool keep_low;
    uint64_t max_bytes;   /* of all checkpoints; 0: no limit */
    int32_t max_failures; /* per trial; -1: no limit */
    uint64_t backoff_ns;  /* before the third try of the same; 0: none */
    uint32_t
        replace;    /* PBT: so often a failed trial goes on as another's copy */
    bool fail_fast; /* the first that fails for good ends the experiment */

    /*
     * First configurations that are given: of trial i the cells from i * space.count on;
     * PBT_CELL_NONE where a value is to be drawn.
     */
    const struct pbt_cell *points;
    uint32_t point_count;
};

#endif
