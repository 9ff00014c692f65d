/*
 * apply_keep.c: records of checkpoints: saved, durable, lost, given up.
 */
#include <math.h>

#include "core/apply.h"

static void note_best(struct pbt_core *core, struct pbt_checkpoint_id id,
                      double score)
{
    if (!isfinite(score) || (core->has_best && score <= core->best_score)) {
        return;
    }
    struct pbt_checkpoint_id old = core->best;
    core->has_best = true;
    core->best_score = score;
    core->best = id;
    pbt_core_pin(core, id);
    pbt_core_unpin(core, old);
}

/* Of the checkpoint that is saved: those of the highest worth are kept. */
static double worth_of(const struct pbt_core *core,
                       const struct pbt_trial *trial,
                       const struct pbt_record *record)
{
    double worth = (double)NAN;
    switch (core->settings->keep) {
    case PBT_KEEP_NEWEST:
        return (double)record->number;
    case PBT_KEEP_BEST:
        return record->score;
    case PBT_KEEP_WORST:
        return -record->score;
    case PBT_KEEP_ITERATION:
        worth = (double)trial->iteration;
        break;
    case PBT_KEEP_SECONDS:
        worth = trial->time_total;
        break;
    case PBT_KEEP_VALUE:
        worth = trial->result_value;
        break;
    }
    return core->settings->keep_low ? -worth : worth;
}

bool pbt_apply_saved(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    struct pbt_checkpoint_id id = record->checkpoint;
    if (trial->phase != PBT_PHASE_SAVE || id.trial != record->trial ||
        id.number != trial->last_number) {
        return false;
    }
    struct pbt_saved saved = {.number = id.number,
                              .epoch = trial->epoch,
                              .seq = trial->seq,
                              .iteration = trial->iteration,
                              .time_total = trial->time_total,
                              .score = record->score,
                              .worth = worth_of(core, trial, record),
                              .bytes = record->bytes};
    if (!pbt_core_add_saved(core, record->trial, &saved)) {
        return false;
    }
    core->bytes += record->bytes;
    core->spare_bytes += record->bytes;
    trial->phase = PBT_PHASE_RUN;
    trial->rest = true;
    trial->point_save = false;
    trial->halting = false;
    trial->saved_seq = trial->seq;
    if (record->point) {
        pbt_core_set_pair(core, record->trial, id);
    }
    note_best(core, id, record->score);
    pbt_core_push_restart(core, record->trial, id);
    if (record->pause) {
        pbt_core_set_leave(core, record->trial, PBT_LEAVE_PAUSE);
    }
    pbt_core_rank(core, record->trial);
    pbt_core_touch(core, record->trial);
    return true;
}

bool pbt_apply_durable(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_saved *saved = pbt_core_find(core, record->checkpoint);
    if (saved == NULL) {
        return false;
    }
    saved->durable = true;
    return true;
}

/* What the loss of a checkpoint means for one trial (rule 17). */
static void lose_checkpoint(struct pbt_core *core, uint32_t number,
                            struct pbt_checkpoint_id id)
{
    struct pbt_trial *trial = &core->trials[number];
    bool top_lost = pbt_core_lose_restart(core, number, id);
    if (pbt_core_same_id(trial->pair, id)) {
        pbt_core_set_pair(core, number, (struct pbt_checkpoint_id){0, 0});
    }
    if (pbt_core_same_id(trial->best, id)) {
        pbt_core_lose_best(core, number);
    }
    if (trial->ask != 0 && pbt_core_same_id(trial->ask_checkpoint, id)) {
        pbt_apply_cancel_ask(core, number);
    }
    if (!top_lost) {
        return;
    }
    if (trial->phase == PBT_PHASE_START || trial->phase == PBT_PHASE_LOAD) {
        trial->orphaned = true;
        pbt_core_touch(core, number);
    } else if (trial->phase == PBT_PHASE_NONE &&
               (trial->state == PBT_CORE_PENDING ||
                trial->state == PBT_CORE_PAUSED)) {
        pbt_apply_go_back(core, number);
    }
}

/* The best is lost: the best of what is left takes its place. */
static void find_best(struct pbt_core *core)
{
    core->has_best = false;
    core->best = (struct pbt_checkpoint_id){0, 0};
    for (uint32_t i = 0; i < core->settings->population; i++) {
        const struct pbt_trial *trial = &core->trials[i];
        for (uint32_t s = 0; s < trial->saved_count; s++) {
            struct pbt_checkpoint_id id = {i, trial->saved[s].number};
            note_best(core, id, trial->saved[s].score);
        }
    }
}

bool pbt_apply_bad(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_checkpoint_id id = record->checkpoint;
    if (pbt_core_find(core, id) == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < core->settings->population; i++) {
        lose_checkpoint(core, i, id);
    }
    bool was_best = pbt_core_same_id(core->best, id);
    pbt_core_drop_saved(core, id);
    if (was_best) {
        find_best(core);
    }
    return true;
}

bool pbt_apply_delete(struct pbt_core *core, const struct pbt_record *record)
{
    const struct pbt_saved *saved = pbt_core_find(core, record->checkpoint);
    if (saved == NULL || saved->pins > 0) {
        return false;
    }
    pbt_core_drop_saved(core, record->checkpoint);
    pbt_core_touch(core, record->checkpoint.trial);
    return true;
}

bool pbt_apply_undo(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->recorded_exploits <= trial->exploits ||
        record->exploits != trial->exploits || record->cells == NULL) {
        return false;
    }
    trial->recorded_exploits = trial->exploits;
    pbt_core_touch(core, record->trial);
    return true;
}
