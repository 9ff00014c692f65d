/*
 * results.h: the inside of pbt_results (pbt/results.h), and what the command needs of it.
 */
#ifndef PBT_RESULTS_RESULTS_H
#define PBT_RESULTS_RESULTS_H

#include <pbt/results.h>

#include "base/names.h"
#include "journal/lock.h"
#include "index/index.h"
#include "worker/worker.h" /* struct pbt_config */

struct pbt_results {
    char *dir;
    struct pbt_spec spec;
    struct pbt_index *index;
    struct pbt_fold fold; /* at the moment of the handle */
    struct pbt_lock_look look;
    struct pbt_run_info run;
    struct pbt_trial_info *trials; /* run.trials */
    struct pbt_config *configs;    /* of each: now, and at first */
    char **dirs;                   /* of each */
    /* Of each its kept checkpoints; one path after another in `paths`. */
    struct pbt_checkpoint_info **checkpoints;
    struct pbt_buf paths;
    struct pbt_config exploit_config;
    struct pbt_best best;
    struct pbt_config best_config;
    char *best_metric;
};

/* What a row is read from: see struct pbt_row. */
struct pbt_row_data {
    struct pbt_results *results;
    uint32_t trial;
    uint32_t life;
    uint64_t record;
    struct pbt_index_values *values;
    /* Made when asked for. */
    struct pbt_buf names; /* one after another, each with its NUL */
    bool named;
    char *json;
    bool configured;
    struct pbt_config config;
};

/* The board at the moment of the handle, and who drives the run. */
const struct pbt_board *pbt_results_board(const struct pbt_results *results);
const struct pbt_lock_look *pbt_results_look(const struct pbt_results *results);

/* Makes a configuration of cells; releases what was in it. */
int pbt_results_make_config(const struct pbt_spec *spec,
                            const struct pbt_cell *cells,
                            struct pbt_config *config, struct pbt_error *error);

/* The configuration of a life (struct pbt_fold_life); releases what was in it. */
int pbt_results_life_config(struct pbt_results *results, uint32_t trial,
                            uint32_t life, struct pbt_config *config,
                            struct pbt_error *error);

/* pbt_results_open() that tells how far it is: the first reading of a large run takes its time. */
int pbt_results_open_watched(struct pbt_results **out, const char *dir,
                             const struct pbt_index_watch *watch,
                             struct pbt_error *error);

/* pbt_results_rows() for one metric, which is then all that the rows have. */
int pbt_results_rows_of(struct pbt_results *results,
                        const struct pbt_index_query *query,
                        enum pbt_row_filter filter, pbt_row_fn fn, void *user,
                        struct pbt_error *error);

#endif
