/*
 * fold.h: all of a run that is asked for later but its results, folded from its records.
 *
 * The board (log/board.h) knows where each trial is; this adds how it got there: its lives,
 * its checkpoints, the exploits.  What is kept grows with these, not with the results.
 *
 * Lives.  Each start, each exploit and each change of a replay opens one; a change is an exploit
 * of the trial itself, and so is one that takes over hyperparameters alone.  Undoing exploits opens one without results.  A life goes on from a point of an earlier one of its trial: an exploit
 * from the life that it ends; a start from the life that saved the checkpoint which it loads, or
 * from the one that took this checkpoint over.  The chain from a trial's present life back is
 * what counts, and of each life in it the results up to the lowest iteration at which a later
 * one began.  The present life is the newest, but for a trial that is about to go back further.
 */
#ifndef PBT_INDEX_FOLD_H
#define PBT_INDEX_FOLD_H

#include <stdbool.h>
#include <stdint.h>

#include <pbt/results.h>

#include "journal/entry.h"
#include "log/board.h"
#include "spec/spec.h"

struct pbt_fold_life {
    uint64_t epoch;
    int64_t from;  /* the iteration that it began at */
    int64_t until; /* its results count up to here; INT64_MIN: it is undone */
    struct pbt_checkpoint_id source; /* what it began with; number 0: nothing */
    uint32_t
        before; /* the life of its trial that it goes on from, or PBT_NONE */
    uint32_t exploit; /* the newest one behind its weights, or PBT_NONE */
    uint64_t lineage; /* the line of descent that it belongs to */
};

struct pbt_fold_checkpoint {
    uint32_t number;
    uint32_t life; /* that saved it */
    uint64_t seq;  /* of the last result before it, in that life */
    int64_t iteration;
    double time_total;
    double score; /* in the user's sign */
};

struct pbt_fold_trial {
    struct pbt_cell *first; /* its first configuration: space.count */
    uint64_t results;
    struct pbt_fold_life *lives;
    uint32_t life_count;
    struct pbt_fold_checkpoint *checkpoints; /* that are kept, oldest first */
    uint32_t checkpoint_count;
    /* The checkpoint that its newest life would go back to; number 0: none. */
    struct pbt_checkpoint_id newest;
    /* Where its weights are now: the life, or PBT_NONE, and the iteration. */
    uint32_t present;
    int64_t iteration;
};

struct pbt_fold {
    const struct pbt_spec *spec;
    struct pbt_board board;
    struct pbt_fold_trial *trials; /* settings.population */
    struct pbt_exploit_info *exploits;
    struct pbt_cell *exploit_cells; /* of each: space.count */
    uint32_t *exploit_lives;        /* of each: the life that it opened */
    uint32_t exploit_count;
    int64_t started; /* unix time in ns; 0: not yet */
};

/* `spec` is borrowed. */
int pbt_fold_init(struct pbt_fold *fold, const struct pbt_spec *spec,
                  struct pbt_error *error);
void pbt_fold_done(struct pbt_fold *fold);

/* Takes in one record; they come in order.  PBT_ENOMEM, PBT_EDATA. */
int pbt_fold_feed(struct pbt_fold *fold, const struct pbt_entry *entry,
                  struct pbt_error *error);

/* After the last record: what counts (until, undone). */
void pbt_fold_finish(struct pbt_fold *fold);

/* Makes room for one more exploit; false without memory. */
bool pbt_fold_grow_exploits(struct pbt_fold *fold);

/* How many exploits are behind weights whose newest one it is; 0 for PBT_NONE. */
uint32_t pbt_fold_generation(const struct pbt_fold *fold, uint32_t exploit);

/* True of the records each of which opens a life of its trial. */
bool pbt_fold_opens_life(enum pbt_record_kind kind);

/* A kept checkpoint, or NULL. */
const struct pbt_fold_checkpoint *pbt_fold_find(const struct pbt_fold *fold,
                                                struct pbt_checkpoint_id id);

#endif
