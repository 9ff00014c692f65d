/*
 * results.h: the inside of pbt_results (pbt/results.h), and what `pbt status` needs of it.
 *
 * An index of a run's results would come behind these functions: open.c and rows.c are all
 * that reads a journal.
 */
#ifndef PBT_RESULTS_RESULTS_H
#define PBT_RESULTS_RESULTS_H

#include <pbt/results.h>

#include "base/names.h"
#include "journal/lock.h"
#include "results/fold.h"
#include "worker/worker.h" /* struct pbt_config */

struct pbt_results {
    char *dir;
    struct pbt_spec spec;
    struct pbt_fold fold;
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
    const struct pbt_spec *spec;
    const struct pbt_cell *cells;
    const json_t *metrics; /* NULL: none */
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

#endif
