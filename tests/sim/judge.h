/*
 * judge.h: an independent witness of a simulated run.
 *
 * It is told every record that was journalled and every life and acknowledgement that the
 * simulated world sees, keeps a simple model of its own (lists and full sorts, no code of
 * the core but the draws), and says which invariant is broken.
 */
#ifndef PBT_TESTS_SIM_JUDGE_H
#define PBT_TESTS_SIM_JUDGE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/core.h"
#include "exec/sim.h"
#include "spec/spec.h"

#define JUDGE_TRIALS 16 /* more can't be judged */

struct judge;

/* All is borrowed.  Ends the program when memory is out, as everything here does. */
struct judge *judge_create(const struct pbt_spec *spec, struct pbt_sim *sim);
void judge_destroy(struct judge *judge);

/*
 * Takes in one record.  `past`: it is told again after a loss of others, and the world has
 * gone on since.
 */
void judge_record(struct judge *judge, const struct pbt_record *record,
                  bool past);
/*
 * From now on trials that have finished may go on, and so may the experiment.  A driver that was
 * killed may have left records by the bounds of before.
 */
void judge_extend(struct judge *judge, bool killed);
/* The journal was cut: what follows are the records that are left, told again. */
void judge_cut(struct judge *judge);
/* All of these were told: nothing that was synced may be missing. */
void judge_cut_done(struct judge *judge);

void judge_life(struct judge *judge, const struct pbt_sim_life *life);
void judge_ack(struct judge *judge, uint32_t trial, uint64_t epoch,
               uint64_t seq);
/* After a batch, the state being settled. */
void judge_batch(struct judge *judge, const struct pbt_core *core);
/* After a run that is over for good. */
void judge_end(struct judge *judge, const struct pbt_core *core);

/* NULL: all is well. */
const char *judge_verdict(const struct judge *judge);
/* Says so for an invariant that the caller checks. */
void judge_object(struct judge *judge, const char *fmt, ...) PBT_PRINTF(2, 3);

/* What the seeds have exercised, summed over all. */
struct judge_counts {
    uint64_t records;
    uint64_t results;
    uint64_t saves;
    uint64_t exploits;
    uint64_t asks;
    uint64_t passes;
    uint64_t rounds;
    uint64_t bad;
    uint64_t undone; /* exploits */
    uint64_t deletes;
    uint64_t over_budget; /* of these, because all together were too large */
    uint64_t errors;
    uint64_t replacements; /* of trials that had failed for good */
    uint64_t delays;       /* of a trial that has failed again and again */
    uint64_t pauses;
    uint64_t reopened;
    uint64_t requests;
};
void judge_add_counts(const struct judge *judge, struct judge_counts *sum);

#endif
