/*
 * board.h: what a person wants to know of a run, folded from its records: the rows
 * of the status table.
 *
 * It is fed by the log thread or by a reader of the journal, and knows nothing of the core's
 * state.
 */
#ifndef PBT_LOG_BOARD_H
#define PBT_LOG_BOARD_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>
#include <pbt/error.h>
#include <pbt/results.h> /* enum pbt_trial_status */

#include "base/buf.h"
#include "journal/entry.h"
#include "log/python.h"
#include "spec/spec.h"

struct pbt_board_trial {
    bool created;
    bool held;      /* the user has paused it, or it is about to pause */
    bool end_asked; /* the user has asked for its end */
    enum pbt_trial_status status;
    /* what the end of its process leads to, once decided */
    enum pbt_leave leave;
    uint64_t epoch;
    /* What its present life goes on from: number 0: nothing, or start_checkpoint. */
    struct pbt_checkpoint_id parent;
    uint64_t lineage;
    char id[20];
    /* Ray's experiment tag of the first configuration, "3_lr=0.1602,momentum=0.0277" */
    char *tag;
    struct pbt_cell *cells; /* as they are now: space.count */
    int64_t pid;            /* 0: no process */
    char host[256];
    /* of the last result that counts (falls when it goes back) */
    int64_t iteration;
    double time_total;
    /* of the last result, shared and not changed; NULL: none yet */
    json_t *metrics;
    double
        score; /* of the last result with one, in the user's sign; NaN: none */
    int64_t life_iteration; /* where its present life began */
    double life_time_total;
    double life_seconds; /* trained in it: the sum of time_this_iter_s */
    uint32_t failures;
    uint32_t replaced; /* so often it went on as a copy when it had failed */
    /* Functions are asked before that, and this is what it would copy; 0: they aren't. */
    struct pbt_checkpoint_id replaces;
    uint32_t exploits; /* that stand */
    uint32_t undone;   /* that are undone */
    /* of the last exploit, if there was one: from whom, where, and what it changed */
    uint32_t donor;
    int64_t donor_iteration;
    char changes[64];
    bool last_undone; /* that one does not stand */
    bool scored;      /* it has had a score */
    uint32_t checkpoints;
    char *error; /* the last failure's text; NULL: none */
};

struct pbt_board {
    const struct pbt_spec *spec;
    struct pbt_shape shape;
    struct pbt_board_trial *trials; /* settings.population */
    uint64_t records;               /* number of the last one */
    uint64_t results;
    /* saved at perturbation points: Ray's num_checkpoints */
    uint64_t checkpoints;
    uint64_t perturbations; /* exploits that stand */
    uint64_t undone;        /* exploits that don't: a checkpoint was lost */
    uint32_t slots;
    uint64_t incarnations;
    uint64_t time;     /* experiment clock of the last record, ns */
    int64_t wall;      /* unix time of the last record, ns */
    int64_t wall_base; /* wall - experiment clock, of the present incarnation */
    enum pbt_end end;
    /* The best result so far. */
    bool has_best;
    uint32_t best_trial;
    double best_score; /* in the user's sign */
    int64_t best_iteration;
    struct pbt_cell *best_cells; /* the configuration that it ran with */
    double
        first_score; /* the best of the trials' first scores; NaN: none yet */
    uint32_t last_exploited; /* trial; if there were perturbations */
    /* Names of hyperparameters that were found to have no effect; NULL: none was. */
    json_t *ignored;
};

/* `spec` is borrowed. */
int pbt_board_init(struct pbt_board *board, const struct pbt_spec *spec,
                   struct pbt_error *error);
void pbt_board_done(struct pbt_board *board);

/*
 * Takes in one record; they come in order.  A result's metrics are kept by reference
 * (jansson counts atomically), so nobody may change them afterwards; where an entry has its
 * data only as text they are parsed.  PBT_ENOMEM; PBT_EDATA if the data is no JSON.
 */
int pbt_board_feed(struct pbt_board *board, const struct pbt_entry *entry,
                   struct pbt_error *error);

/*
 * The driver is known to be gone, and its processes died with it: what ran waits for the next one.
 * The record of that one's start says the same.
 */
void pbt_board_driver_gone(struct pbt_board *board);

/* The present wall time of a record, from the records alone: unix time in ns. */
int64_t pbt_board_wall(const struct pbt_board *board, uint64_t time);

/*
 * The name of what a life goes on from (a trial's present one: pbt_board_trial.parent), below the
 * run; "": nothing.
 */
#define PBT_BOARD_PARENT_SIZE 64
void pbt_board_parent(const struct pbt_board *board,
                      struct pbt_checkpoint_id from,
                      char parent[PBT_BOARD_PARENT_SIZE]);

/* Appends the names of the hyperparameters without effect, as a list. */
void pbt_board_put_ignored(const struct pbt_board *board, struct pbt_buf *out);

/* True if score `a` is better than `b`, both in the user's sign. */
bool pbt_board_better(const struct pbt_board *board, double a, double b);

/* True if trials do not go on after it: stop_all, time_budget. */
bool pbt_board_end_is_final(enum pbt_end end);

#endif
