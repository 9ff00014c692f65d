/*
 * apply.c: the only writer of the state, here and in apply_*.c.  It reads the state and the
 * record and nothing else, so that the fold of a journal is the state that wrote it.
 *
 * Each handler first checks that the record can follow on this state (a journal may
 * be damaged in ways that its checksums don't see), then changes it.
 */
#include <string.h>

#include "core/apply.h"

void pbt_apply_cells(const struct pbt_core *core, struct pbt_cell *to,
                     const struct pbt_cell *from)
{
    memmove(to, from, core->settings->space.count * sizeof *to);
}

void pbt_apply_clear_ask(struct pbt_core *core, struct pbt_trial *trial)
{
    if (trial->ask != 0) {
        struct pbt_checkpoint_id held = trial->ask_checkpoint;
        trial->ask = 0;
        trial->ask_checkpoint = (struct pbt_checkpoint_id){0, 0};
        pbt_core_unpin(core, held);
    }
}

void pbt_apply_go_back(struct pbt_core *core, uint32_t number)
{
    pbt_apply_clear_ask(core, &core->trials[number]);
    pbt_core_go_back(core, number);
}

void pbt_apply_held(struct pbt_core *core, struct pbt_trial *trial, bool held)
{
    core->held += held && !trial->held ? 1 : 0;
    core->held -= trial->held && !held ? 1 : 0;
    trial->held = held;
}

void pbt_apply_finish(struct pbt_core *core, uint32_t number,
                      enum pbt_core_trial_state state)
{
    struct pbt_trial *trial = &core->trials[number];
    pbt_apply_clear_ask(core, trial);
    trial->replaces = false;
    pbt_core_set_point(core, number, false);
    trial->state = state;
    pbt_apply_held(core, trial, false);
    trial->halting = false;
    pbt_core_clear_leave(core, number);
    trial->phase = PBT_PHASE_NONE;
    trial->process_epoch = 0;
    trial->rest = false;
    trial->adopts = false;
    core->finished++;
    pbt_core_set_pair(core, number, (struct pbt_checkpoint_id){0, 0});
    pbt_core_lose_best(core, number); /* it gives nothing any more */
    pbt_core_trim_restarts(core, number);
    pbt_core_set_startable(core, number);
    pbt_core_touch(core, number);
}

void pbt_apply_cancel_ask(struct pbt_core *core, uint32_t number)
{
    struct pbt_trial *trial = &core->trials[number];
    if (!trial->created) { /* nor will it be */
        pbt_apply_clear_ask(core, trial);
        trial->phase = PBT_PHASE_NONE;
        return;
    }
    if (trial->replaces) {
        pbt_apply_finish(core, number, PBT_CORE_ERROR);
        return;
    }
    if (trial->process_epoch == 0) {
        pbt_apply_go_back(core, number);
        return;
    }
    pbt_apply_clear_ask(core, trial);
    trial->phase = PBT_PHASE_RUN;
    pbt_core_rank(core, number);
    pbt_core_touch(core, number);
}

enum pbt_core_trial_state pbt_apply_waiting(const struct pbt_trial *trial)
{
    return trial->held ? PBT_CORE_PAUSED : PBT_CORE_PENDING;
}

void pbt_apply_after_process(struct pbt_core *core, uint32_t number,
                             enum pbt_leave leave)
{
    struct pbt_trial *trial = &core->trials[number];
    switch (leave) {
    case PBT_LEAVE_TERMINATE:
        pbt_apply_finish(core, number, PBT_CORE_TERMINATED);
        return;
    case PBT_LEAVE_ERROR:
        trial->failures++;
        trial->setbacks++;
        pbt_apply_finish(core, number, PBT_CORE_ERROR);
        return;
    case PBT_LEAVE_PAUSE:
        trial->state = PBT_CORE_PAUSED;
        break;
    case PBT_LEAVE_RETRY:
        trial->failures++;
        trial->setbacks++;
        trial->state = pbt_apply_waiting(trial);
        break;
    case PBT_LEAVE_RESPAWN:
    case PBT_LEAVE_NOT:
        trial->state = pbt_apply_waiting(trial);
        break;
    }
    pbt_apply_go_back(core, number);
}

bool pbt_apply_epoch(struct pbt_core *core, uint64_t epoch)
{
    if (epoch >> PBT_EPOCH_SHIFT != core->incarnation) {
        return false;
    }
    uint64_t counter = epoch & ((UINT64_C(1) << PBT_EPOCH_SHIFT) - 1);
    if (counter != core->epoch_counter + 1) {
        return false;
    }
    core->epoch_counter = counter;
    return true;
}

static bool apply_kind(struct pbt_core *core, const struct pbt_record *record)
{
    switch (record->kind) {
    case PBT_RECORD_OPENED:
        return pbt_apply_opened(core, record);
    case PBT_RECORD_READY:
        return pbt_apply_ready(core, record);
    case PBT_RECORD_RESULT:
        return pbt_apply_result(core, record);
    case PBT_RECORD_HALTED:
        return pbt_apply_halted(core, record);
    case PBT_RECORD_SAVED:
        return pbt_apply_saved(core, record);
    case PBT_RECORD_EXITED:
        return pbt_apply_exited(core, record);
    case PBT_RECORD_DURABLE:
        return pbt_apply_durable(core, record);
    case PBT_RECORD_BAD:
        return pbt_apply_bad(core, record);
    case PBT_RECORD_REQUEST:
        return pbt_apply_request(core, record);
    case PBT_RECORD_CAPACITY:
        core->slots = record->slots;
        return true;
    case PBT_RECORD_TRIAL:
        return pbt_apply_trial(core, record);
    case PBT_RECORD_ASK_FIRST:
        return pbt_apply_ask_first(core, record);
    case PBT_RECORD_START:
        return pbt_apply_start(core, record);
    case PBT_RECORD_SAVE:
        return pbt_apply_save(core, record);
    case PBT_RECORD_EXPLOIT:
    case PBT_RECORD_ADOPT:
        return pbt_apply_exploit(core, record);
    case PBT_RECORD_PASS:
        return pbt_apply_pass(core, record);
    case PBT_RECORD_ASK:
        return pbt_apply_ask(core, record);
    case PBT_RECORD_LEAVE:
        return pbt_apply_leave(core, record);
    case PBT_RECORD_DELETE:
        return pbt_apply_delete(core, record);
    case PBT_RECORD_END:
        return pbt_apply_end(core, record);
    case PBT_RECORD_ROUND:
        return pbt_apply_round(core, record);
    case PBT_RECORD_CHANGE:
        return pbt_apply_change(core, record);
    case PBT_RECORD_UNDO:
        return pbt_apply_undo(core, record);
    case PBT_RECORD_EXTEND:
        return pbt_apply_extend(core);
    case PBT_RECORD_REOPEN:
        return pbt_apply_reopen(core, record);
    case PBT_RECORD_KINDS:
        break;
    }
    return false;
}

bool pbt_core_apply(struct pbt_core *core, const struct pbt_record *record)
{
    if (record->number != core->records + 1 ||
        record->trial >= core->settings->population ||
        record->time < core->time ||
        (core->incarnation == 0 && record->kind != PBT_RECORD_OPENED)) {
        return false;
    }
    if (!apply_kind(core, record)) {
        return false;
    }
    core->records = record->number;
    core->time = record->time;
    pbt_core_end_delays(core);
    return true;
}
