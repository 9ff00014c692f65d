/*
 * judge_keep.c: what is kept of the checkpoints, and what is given up: lists and counting, no
 * code of the core.
 */
#include <inttypes.h>
#include <math.h>

#include "model.h"

static struct pbt_checkpoint_id id_of(uint32_t trial, uint32_t index)
{
    return (struct pbt_checkpoint_id){trial, index + 1};
}

/* --- the best ----------------------------------------------------------------- */

static void see_best(struct judge *judge, struct pbt_checkpoint_id id)
{
    double score = judge_checkpoint(judge, id)->score;
    if (isfinite(score) &&
        (judge->best.number == 0 ||
         score > judge_checkpoint(judge, judge->best)->score)) {
        judge->best = id;
    }
}

void judge_saved(struct judge *judge, const struct pbt_record *record)
{
    struct judge_checkpoint *saved =
        judge_checkpoint(judge, record->checkpoint);
    saved->record = record->number;
    saved->iteration = record->iteration;
    saved->seconds = record->time_total;
    saved->score = record->score;
    saved->value = judge->trials[record->trial].value;
    saved->bytes = record->bytes;
    see_best(judge, record->checkpoint);
}

void judge_lost(struct judge *judge, struct pbt_checkpoint_id id)
{
    if (!judge_same_id(judge->best, id)) {
        return;
    }
    judge->best = (struct pbt_checkpoint_id){0, 0};
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        for (uint32_t c = 0; c < judge->trials[i].checkpoint_count; c++) {
            if (judge->trials[i].checkpoints[c].fate == JUDGE_SAVED) {
                see_best(judge, id_of(i, c));
            }
        }
    }
}

/* --- who needs it --------------------------------------------------------------- */

/* The trial that needs this checkpoint, or JUDGE_TRIALS. */
static uint32_t who_needs(const struct judge *judge,
                          struct pbt_checkpoint_id id)
{
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        const struct judge_trial *trial = &judge->trials[i];
        for (uint32_t p = 0; p < trial->point_count; p++) {
            if (judge_same_id(trial->points[p].checkpoint, id) ||
                judge_same_id(trial->points[p].pair, id)) {
                return i;
            }
        }
        bool best = judge->settings->donors == PBT_DONORS_BEST_EVER &&
                    judge_same_id(trial->best, id);
        if (best || judge_same_id(trial->pair, id) ||
            (trial->asked && judge_same_id(trial->asked_checkpoint, id))) {
            return i;
        }
    }
    return judge_same_id(judge->best, id) ? id.trial : JUDGE_TRIALS;
}

/* --- what it is worth ------------------------------------------------------------ */

static double worth(const struct judge *judge,
                    const struct judge_checkpoint *saved)
{
    double sign = judge->settings->keep_low ? -1 : 1;
    switch (judge->settings->keep) {
    case PBT_KEEP_NEWEST:
        return (double)saved->record;
    case PBT_KEEP_BEST:
        return saved->score;
    case PBT_KEEP_WORST:
        return -saved->score;
    case PBT_KEEP_ITERATION:
        return sign * (double)saved->iteration;
    case PBT_KEEP_SECONDS:
        return sign * saved->seconds;
    case PBT_KEEP_VALUE:
        return sign * saved->value;
    }
    return (double)NAN;
}

/* True if `a` is kept longer than `b`: no number is the least; of equals, the later. */
static bool beats(const struct judge *judge, struct pbt_checkpoint_id a,
                  struct pbt_checkpoint_id b)
{
    const struct judge_trial *trials = judge->trials;
    double x = worth(judge, &trials[a.trial].checkpoints[a.number - 1]);
    double y = worth(judge, &trials[b.trial].checkpoints[b.number - 1]);
    bool later = a.trial == b.trial ? a.number > b.number : a.trial > b.trial;
    if (isnan(x) || isnan(y)) {
        return isnan(x) && isnan(y) ? later : isnan(y);
    }
    return x == y ? later : x > y;
}

/* By num_to_keep alone. */
static bool is_to_be_kept(const struct judge *judge,
                          struct pbt_checkpoint_id id)
{
    const struct judge_trial *trial = &judge->trials[id.trial];
    uint32_t better = 0;
    bool newest = true;
    for (uint32_t c = 0; c < trial->checkpoint_count; c++) {
        struct pbt_checkpoint_id other = id_of(id.trial, c);
        if (trial->checkpoints[c].fate == JUDGE_SAVED &&
            other.number != id.number) {
            newest = newest && other.number < id.number;
            better += beats(judge, other, id) ? 1 : 0;
        }
    }
    return newest || better < judge->settings->num_to_keep;
}

static uint64_t bytes_of_all(const struct judge *judge)
{
    uint64_t bytes = 0;
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        const struct judge_trial *trial = &judge->trials[i];
        for (uint32_t c = 0; c < trial->checkpoint_count; c++) {
            const struct judge_checkpoint *saved = &trial->checkpoints[c];
            bytes += saved->fate == JUDGE_SAVED ? saved->bytes : 0;
        }
    }
    return bytes;
}

/* All together are too large, and of what nobody needs this is the least. */
static bool is_over_budget(const struct judge *judge,
                           struct pbt_checkpoint_id id)
{
    uint64_t budget = judge->settings->max_bytes;
    if (budget == 0 || bytes_of_all(judge) <= budget) {
        return false;
    }
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        const struct judge_trial *trial = &judge->trials[i];
        for (uint32_t c = 0; c < trial->checkpoint_count; c++) {
            struct pbt_checkpoint_id other = id_of(i, c);
            if (trial->checkpoints[c].fate == JUDGE_SAVED &&
                !judge_same_id(other, id) && beats(judge, id, other) &&
                who_needs(judge, other) == JUDGE_TRIALS) {
                return false;
            }
        }
    }
    return true;
}

/* --- what must hold ---------------------------------------------------------------- */

void judge_delete(struct judge *judge, struct pbt_checkpoint_id id)
{
    uint32_t needs = who_needs(judge, id);
    if (needs < JUDGE_TRIALS) {
        judge_object(judge,
                     "checkpoint %" PRIu32 " of trial %" PRIu32
                     " is deleted, and trial %" PRIu32 " needs it, or it is "
                     "the best",
                     id.number, id.trial, needs);
    }
    bool of_budget = is_over_budget(judge, id);
    if (is_to_be_kept(judge, id) && !of_budget) {
        judge_object(judge,
                     "checkpoint %" PRIu32 " of trial %" PRIu32
                     " is deleted, and is among those that are to be kept",
                     id.number, id.trial);
    }
    judge->counts.over_budget += of_budget ? 1 : 0;
}

void judge_kept(struct judge *judge)
{
    uint64_t budget = judge->settings->max_bytes;
    bool fits = budget == 0 || bytes_of_all(judge) <= budget;
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        for (uint32_t c = 0; c < judge->trials[i].checkpoint_count; c++) {
            struct pbt_checkpoint_id id = id_of(i, c);
            if (judge->trials[i].checkpoints[c].fate == JUDGE_SAVED &&
                who_needs(judge, id) == JUDGE_TRIALS &&
                !(fits && is_to_be_kept(judge, id))) {
                judge_object(judge,
                             "checkpoint %" PRIu32 " of trial %" PRIu32
                             " is kept for nothing",
                             id.number, id.trial);
            }
        }
    }
}
