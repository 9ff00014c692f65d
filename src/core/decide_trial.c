/*
 * decide_trial.c: what is due of one trial, by what it is.
 */

#include "core/decide.h"

void pbt_due_leave(const struct pbt_core *core, uint32_t trial,
                   enum pbt_leave leave, struct pbt_record *record)
{
    *record = pbt_decide_new(core, PBT_RECORD_LEAVE, trial);
    record->leave = leave;
    record->iteration = core->trials[trial].iteration;
}

void pbt_due_save(const struct pbt_core *core, uint32_t trial,
                  struct pbt_record *record)
{
    const struct pbt_trial *t = &core->trials[trial];
    *record = pbt_decide_new(core, PBT_RECORD_SAVE, trial);
    record->checkpoint = (struct pbt_checkpoint_id){trial, t->last_number + 1};
    record->iteration = t->iteration;
    record->seq = t->seq;
    record->point = t->at_point;
}

static bool frequency_due(const struct pbt_core *core,
                          const struct pbt_trial *trial)
{
    uint32_t frequency = core->settings->checkpoint_frequency;
    return frequency > 0 && trial->seq != trial->saved_seq &&
           trial->iteration % frequency == 0;
}

/* It goes on from the checkpoint that it has just saved, with the next configuration. */
static void due_change(const struct pbt_core *core, uint32_t number,
                       const struct pbt_change *change,
                       struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[number];
    *record = pbt_decide_new(core, PBT_RECORD_CHANGE, number);
    record->epoch = pbt_decide_epoch(core);
    record->checkpoint = (struct pbt_checkpoint_id){number, trial->last_number};
    record->iteration = trial->iteration;
    record->time_total = trial->time_total;
    record->lineage =
        pbt_mix(trial->lineage, pbt_mix(number, trial->exploits + 1));
    record->seed = pbt_decide_seed(core, record->lineage, trial->iteration);
    record->cells = core->work->scratch;
    for (uint32_t i = 0; i < core->settings->space.count; i++) {
        bool given = change->cells[i].type != PBT_CELL_NONE;
        core->work->scratch[i] = given ? change->cells[i] : trial->cells[i];
    }
}

/* What a trial does by itself: replay's change, after a save; a save now and then. */
static bool due_own(const struct pbt_core *core, uint32_t number,
                    struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[number];
    const struct pbt_change *change = pbt_core_due_change(core, trial);
    if (change != NULL && trial->seq == trial->saved_seq) {
        due_change(core, number, change, record);
        return true;
    }
    if (change != NULL || frequency_due(core, trial)) {
        pbt_due_save(core, number, record);
        return true;
    }
    return false;
}

/* The trial rests, and its last step is behind it. */
static bool due_resting(const struct pbt_core *core, uint32_t number,
                        struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[number];
    bool interrupted =
        core->end == PBT_END_INTERRUPTED || core->end == PBT_END_FAILED;
    if (trial->stopping || core->end != PBT_END_NOT) {
        bool unsaved = trial->seq != trial->saved_seq;
        bool wanted = core->settings->checkpoint_at_end ||
                      (interrupted && !trial->stopping);
        if (unsaved && wanted) {
            pbt_due_save(core, number, record);
        } else {
            pbt_due_leave(core, number,
                          interrupted && !trial->stopping ? PBT_LEAVE_PAUSE
                                                          : PBT_LEAVE_TERMINATE,
                          record);
        }
        return true;
    }
    if (trial->at_point && core->settings->synch) {
        pbt_due_save(core, number, record); /* compared when all have arrived */
        return true;
    }
    if (trial->at_point) {
        return pbt_due_at_point(core, number, record);
    }
    if (trial->adopts) {
        pbt_due_noted_adoption(core, number, record);
        return true;
    }
    if (trial->held || trial->halting) {
        bool unsaved = trial->seq != trial->saved_seq;
        if (unsaved) {
            pbt_due_save(core, number, record);
        } else if (trial->held) {
            pbt_due_leave(core, number, PBT_LEAVE_PAUSE, record);
        }
        return unsaved || trial->held;
    }
    return due_own(core, number, record);
}

/* It has gone back to before exploits of its: what they gave it is lost. */
static void due_undo(const struct pbt_core *core, uint32_t number,
                     struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[number];
    *record = pbt_decide_new(core, PBT_RECORD_UNDO, number);
    record->iteration = trial->iteration;
    record->time_total = trial->time_total;
    record->score = trial->score;
    record->checkpoint = pbt_core_top(trial)->checkpoint;
    record->exploits = trial->exploits;
    record->lineage = trial->lineage;
    record->cells = trial->cells;
}

bool pbt_due_for_trial(const struct pbt_core *core, uint32_t number,
                       struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[number];
    if (trial->recorded_exploits > trial->exploits) {
        due_undo(core, number, record);
        return true;
    }
    if (pbt_core_can_reopen(core, trial)) {
        *record = pbt_decide_new(core, PBT_RECORD_REOPEN, number);
        record->checkpoint = pbt_core_top(trial)->checkpoint;
        record->iteration = pbt_core_top(trial)->iteration;
        return true;
    }
    bool ends = trial->stopping || pbt_core_end_is_final(core->end);
    bool pauses = trial->held || core->end != PBT_END_NOT;
    switch (trial->phase) {
    case PBT_PHASE_START:
    case PBT_PHASE_LOAD:
        if (trial->orphaned || ends || pauses) {
            pbt_due_leave(core, number,
                          ends     ? PBT_LEAVE_TERMINATE
                          : pauses ? PBT_LEAVE_PAUSE
                                   : PBT_LEAVE_RESPAWN,
                          record);
            return true;
        }
        break;
    case PBT_PHASE_RUN:
        if (trial->rest && due_resting(core, number, record)) {
            return true;
        }
        break;
    case PBT_PHASE_NONE:
    case PBT_PHASE_SAVE:
    case PBT_PHASE_ASK:
    case PBT_PHASE_LEAVE:
        break;
    }
    return pbt_due_delete(core, number, record);
}
