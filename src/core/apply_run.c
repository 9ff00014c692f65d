/*
 * apply_run.c: records that concern the whole run, or what the user wants of a trial: drivers,
 * requests, rounds, ends.
 */
#include <math.h>

#include "core/apply.h"

/* Failed before any result: the user has mended something since. */
static void forgive(struct pbt_core *core, uint32_t number)
{
    struct pbt_trial *trial = &core->trials[number];
    if (trial->state == PBT_CORE_ERROR) {
        trial->state = PBT_CORE_PENDING;
        trial->failures = 0;
        trial->forgiven = 0;
        core->finished--;
        pbt_apply_go_back(core, number);
    }
}

bool pbt_apply_opened(struct pbt_core *core, const struct pbt_record *record)
{
    if (record->incarnation <= core->incarnation) {
        return false;
    }
    core->incarnation = record->incarnation;
    core->epoch_counter = 0;
    core->slots = record->slots;
    core->used = 0;
    /* A cut or an interruption may hide END_FAILED; a late result doesn't undo it. */
    bool failed = !pbt_core_end_is_final(core->end) &&
                  (core->end == PBT_END_FAILED || core->results == 0);
    if (!pbt_core_end_is_final(core->end)) {
        core->end = PBT_END_NOT;
    }
    core->end_due = PBT_END_NOT;
    /* What is due next does not depend on where the records were read from. */
    pbt_core_touch_none(core);
    for (uint32_t i = 0; i < core->settings->population; i++) {
        struct pbt_trial *trial = &core->trials[i];
        trial->setbacks = 0; /* somebody may have seen to what broke */
        trial->not_before = 0;
        pbt_core_set_startable(core, i);
        if (failed) {
            forgive(core, i);
        }
        if (trial->phase == PBT_PHASE_ASK && !pbt_core_is_over(core, trial)) {
            /* An exploit needs the donor's checkpoint, not the loser's process. */
            trial->state = trial->process_epoch != 0 ? pbt_apply_waiting(trial)
                                                     : trial->state;
            trial->process_epoch = 0;
            trial->rest = false;
            pbt_core_rank(core, i);
        } else if (trial->phase != PBT_PHASE_NONE) {
            /* Its process died with the former driver. */
            enum pbt_leave leave = pbt_core_is_over(core, trial)
                                       ? PBT_LEAVE_TERMINATE
                                       : trial->leave;
            pbt_apply_after_process(core, i,
                                    pbt_core_outcome(core, trial, leave));
        }
        pbt_core_touch(core, i);
    }
    return true;
}

/*
 * A grant may be under way, so only the answer to a halt says that it rests.  Not so at a
 * point, nor after a halt that was owed before: then its last word holds.
 */
static bool halt_run(const struct pbt_core *core, struct pbt_trial *trial)
{
    bool grant = trial->phase == PBT_PHASE_RUN && !trial->at_point &&
                 !trial->stopping && !trial->halting &&
                 core->end == PBT_END_NOT;
    trial->rest = trial->rest && !grant;
    return grant;
}

static void stop_trial(struct pbt_core *core, uint32_t number)
{
    struct pbt_trial *trial = &core->trials[number];
    trial->end_asked = true;
    if (!trial->created) {
        return; /* it ends when it is there */
    }
    if (trial->phase == PBT_PHASE_ASK) {
        pbt_apply_cancel_ask(core, number);
    }
    if (trial->state == PBT_CORE_ERROR) {
        return; /* it was to be replaced */
    }
    if (trial->process_epoch == 0) {
        pbt_apply_finish(core, number, PBT_CORE_TERMINATED);
        return;
    }
    (void)halt_run(core, trial);
    trial->stopping = true;
}

bool pbt_apply_request(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (!pbt_core_can_request(core, trial, record->request)) {
        return false;
    }
    if (record->request == PBT_REQUEST_STOP) {
        stop_trial(core, record->trial);
    } else {
        bool pause = record->request == PBT_REQUEST_PAUSE;
        pbt_apply_held(core, trial, pause);
        if (pause && halt_run(core, trial)) {
            trial->halting = true;
        }
        if (pause && trial->process_epoch == 0) {
            trial->state = PBT_CORE_PAUSED;
        }
        pbt_core_set_startable(core, record->trial);
        pbt_core_rank(core, record->trial);
    }
    pbt_core_touch(core, record->trial);
    return true;
}

bool pbt_apply_end(struct pbt_core *core, const struct pbt_record *record)
{
    for (uint32_t i = 0; i < core->settings->population; i++) {
        struct pbt_trial *trial = &core->trials[i];
        bool asks_alone =
            trial->phase == PBT_PHASE_ASK && trial->process_epoch == 0;
        if (asks_alone && !pbt_core_end_is_final(record->end)) {
            continue; /* nothing of it goes on: the next driver asks again */
        }
        if (trial->phase == PBT_PHASE_ASK) {
            pbt_apply_cancel_ask(core, i);
        }
        (void)halt_run(core, trial);
        bool over = trial->state == PBT_CORE_TERMINATED ||
                    trial->state == PBT_CORE_ERROR;
        if (trial->phase == PBT_PHASE_NONE && trial->created && !over &&
            pbt_core_end_is_final(record->end)) {
            pbt_apply_finish(core, i, PBT_CORE_TERMINATED);
        }
        pbt_core_touch(core, i);
    }
    core->end = record->end;
    core->end_due = PBT_END_NOT;
    return true;
}

bool pbt_apply_round(struct pbt_core *core, const struct pbt_record *record)
{
    if (!core->settings->synch || core->awaited > 0 ||
        !(record->target > core->target)) {
        return false;
    }
    core->round++;
    core->target = record->target;
    for (uint32_t i = 0; i < core->settings->population; i++) {
        pbt_core_touch(core, i);
    }
    return true;
}

bool pbt_apply_extend(struct pbt_core *core)
{
    if (!pbt_core_end_is_final(core->end)) {
        return false;
    }
    core->end = PBT_END_NOT;
    for (uint32_t i = 0; i < core->settings->population; i++) {
        pbt_core_touch(core, i);
    }
    return true;
}

bool pbt_apply_reopen(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->state != PBT_CORE_TERMINATED ||
        pbt_core_end_is_final(core->end)) {
        return false;
    }
    trial->state = PBT_CORE_PENDING;
    core->finished--;
    pbt_apply_go_back(core, record->trial);
    return true;
}
