/*
 * decide_event.c: what follows from an event.
 */
#include <assert.h>
#include <string.h>

#include "core/decide.h"

static bool stop_reached(const struct pbt_stop *stop,
                         const struct pbt_event *event)
{
    return pbt_core_stop_reached(
        stop, pbt_core_stop_value(stop, event->iteration, event->time_total,
                                  event->values));
}

/* 1 + the criterion that a result reaches: one of stop_all before others. */
static uint32_t reached_stop(const struct pbt_settings *settings,
                             const struct pbt_event *event)
{
    uint32_t reached = 0;
    for (uint32_t i = 0; i < settings->stop_count; i++) {
        if (stop_reached(&settings->stops[i], event)) {
            if (settings->stops[i].all) {
                return i + 1;
            }
            reached = reached == 0 ? i + 1 : reached;
        }
    }
    return reached;
}

/* Ray's conditions, in its order: burn-in, then the interval. */
static bool is_point(const struct pbt_core *core, const struct pbt_trial *trial,
                     const struct pbt_event *event)
{
    const struct pbt_settings *settings = core->settings;
    double clock = pbt_core_clock(core, event->iteration, event->time_total);
    if (settings->scheduler == PBT_SCHEDULER_PBT && settings->synch) {
        return event->halted && clock >= core->target;
    }
    return settings->scheduler == PBT_SCHEDULER_PBT && event->halted &&
           clock >= settings->burn_in_period &&
           clock - trial->last_perturbation >= settings->perturbation_interval;
}

static bool decide_result(const struct pbt_core *core,
                          const struct pbt_event *event,
                          struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[event->trial];
    /* At its point a trial rests: what it says beyond is out of turn. */
    if (event->epoch != trial->epoch || trial->phase != PBT_PHASE_RUN ||
        trial->at_point || event->seq <= trial->seq) {
        return false;
    }
    *record = pbt_decide_new(core, PBT_RECORD_RESULT, event->trial);
    record->seq = event->seq;
    record->iteration = event->iteration;
    record->time_total = event->time_total;
    record->score = event->score;
    memcpy(record->values, event->values, sizeof record->values);
    record->halted = event->halted;
    record->done = event->done;
    record->stop = reached_stop(core->settings, event);
    /* Whoever arrives while the run is interrupted would else train on before its round. */
    bool counts = core->end == PBT_END_NOT ||
                  (core->settings->synch && !pbt_core_end_is_final(core->end));
    /* Ray asks the stop criteria first: such a result isn't ranked. */
    record->point = record->stop == 0 && !event->done && !trial->stopping &&
                    counts && is_point(core, trial, event);
    return true;
}

static bool decide_saved(const struct pbt_core *core,
                         const struct pbt_event *event,
                         struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[event->trial];
    if (event->epoch != trial->epoch || trial->phase != PBT_PHASE_SAVE ||
        event->checkpoint.trial != event->trial ||
        event->checkpoint.number != trial->last_number) {
        return false;
    }
    *record = pbt_decide_new(core, PBT_RECORD_SAVED, event->trial);
    record->checkpoint = event->checkpoint;
    record->seq = trial->seq;
    record->iteration = trial->iteration;
    record->time_total = trial->time_total;
    record->bytes = event->bytes;
    bool of_point = trial->ranked && trial->ranked_epoch == trial->epoch &&
                    trial->ranked_seq == trial->seq;
    record->score = trial->result_score;
    record->point = of_point;
    bool gives_way =
        trial->point_save && pbt_decide_pauses(core, event->trial, trial->turn);
    /* With other hyperparameters it goes on at once, or pauses with them. */
    record->pause = !trial->stopping && core->end == PBT_END_NOT &&
                    !trial->adopts && (trial->held || gives_way);
    return true;
}

static enum pbt_leave exit_outcome(const struct pbt_core *core,
                                   const struct pbt_trial *trial, bool no_room)
{
    if (trial->phase == PBT_PHASE_LEAVE) {
        return pbt_core_outcome(core, trial, trial->leave);
    }
    if (pbt_core_end_is_final(core->end) || trial->end_asked ||
        pbt_core_is_over(core, trial)) {
        return PBT_LEAVE_TERMINATE;
    }
    /* Killed because its step outlasted the grace time, most likely. */
    if (core->end != PBT_END_NOT) {
        return PBT_LEAVE_PAUSE;
    }
    /*
     * It died of a checkpoint that is known to be bad by now (rule 17), or of a full disk: its
     * next save waits for room.
     */
    if (trial->orphaned || (no_room && trial->phase == PBT_PHASE_SAVE)) {
        return PBT_LEAVE_RESPAWN;
    }
    /* Before any result of the experiment it is a bug, not bad luck. */
    int32_t allowed = core->settings->max_failures;
    bool again =
        core->results > 0 &&
        (allowed < 0 || trial->failures - trial->forgiven < (uint32_t)allowed);
    return again ? PBT_LEAVE_RETRY : PBT_LEAVE_ERROR;
}

/*
 * What broke may take its time to mend: the first failure is taken for chance, each further one
 * in a row, without a result between, lets the trial wait twice as long, 64 times at most.
 */
static uint64_t wait_after_failure(const struct pbt_core *core,
                                   const struct pbt_trial *trial)
{
    if (trial->setbacks == 0) {
        return 0;
    }
    uint32_t doublings = trial->setbacks > 6 ? 6 : trial->setbacks - 1;
    return core->settings->backoff_ns << doublings;
}

static bool decide_exited(const struct pbt_core *core,
                          const struct pbt_event *event,
                          struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[event->trial];
    if (trial->phase == PBT_PHASE_NONE ||
        event->epoch != trial->process_epoch) {
        return false;
    }
    *record = pbt_decide_new(core, PBT_RECORD_EXITED, event->trial);
    record->epoch = event->epoch;
    record->leave = exit_outcome(core, trial, event->no_room);
    record->wait =
        record->leave == PBT_LEAVE_RETRY ? wait_after_failure(core, trial) : 0;
    record->iteration = trial->iteration;
    return true;
}

static bool decide_life_event(const struct pbt_core *core,
                              const struct pbt_event *event,
                              struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[event->trial];
    bool ready = event->kind == PBT_EVENT_READY;
    bool loads =
        trial->phase == PBT_PHASE_START || trial->phase == PBT_PHASE_LOAD;
    bool fits = ready ? loads && !trial->orphaned
                      : trial->phase == PBT_PHASE_RUN && !trial->rest;
    if (event->epoch != trial->epoch || !fits) {
        return false;
    }
    *record = pbt_decide_new(core, ready ? PBT_RECORD_READY : PBT_RECORD_HALTED,
                             event->trial);
    record->can_reset = event->can_reset;
    record->iteration = trial->iteration;
    return true;
}

static bool decide_checkpoint_event(const struct pbt_core *core,
                                    const struct pbt_event *event,
                                    struct pbt_record *record)
{
    const struct pbt_saved *saved = pbt_core_find(core, event->checkpoint);
    bool durable = event->kind == PBT_EVENT_DURABLE;
    if (saved == NULL || (durable && saved->durable)) {
        return false;
    }
    *record =
        pbt_decide_new(core, durable ? PBT_RECORD_DURABLE : PBT_RECORD_BAD,
                       event->checkpoint.trial);
    record->checkpoint = event->checkpoint;
    record->iteration = saved->iteration;
    return true;
}

static bool decide_opened(const struct pbt_core *core,
                          const struct pbt_event *event,
                          struct pbt_record *record)
{
    assert(event->incarnation > core->incarnation);
    *record = pbt_decide_new(core, PBT_RECORD_OPENED, 0);
    record->epoch = 0;
    record->incarnation = event->incarnation;
    record->slots = event->slots;
    record->seed = core->settings->seed;
    return true;
}

/* An end for good may follow on an interruption; nothing follows on an end for good. */
static bool may_end(const struct pbt_core *core, enum pbt_end end)
{
    return core->end == PBT_END_NOT ||
           (core->end == PBT_END_INTERRUPTED && pbt_core_end_is_final(end));
}

bool pbt_decide_end(const struct pbt_core *core, enum pbt_end end,
                    struct pbt_record *record)
{
    if (!may_end(core, end)) {
        return false;
    }
    *record = pbt_decide_new(core, PBT_RECORD_END, 0);
    record->epoch = 0;
    record->end = end;
    return true;
}

static bool decide_capacity(const struct pbt_core *core,
                            const struct pbt_event *event,
                            struct pbt_record *record)
{
    if (event->slots == core->slots) {
        return false;
    }
    *record = pbt_decide_new(core, PBT_RECORD_CAPACITY, 0);
    record->epoch = 0;
    record->slots = event->slots;
    return true;
}

/* What has its way already, or comes too late, leads to nothing. */
static bool decide_request(const struct pbt_core *core,
                           const struct pbt_event *event,
                           struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[event->trial];
    if (!pbt_core_can_request(core, trial, event->request)) {
        return false;
    }
    *record = pbt_decide_new(core, PBT_RECORD_REQUEST, event->trial);
    record->request = event->request;
    record->iteration = trial->iteration;
    return true;
}

bool pbt_decide_event(const struct pbt_core *core,
                      const struct pbt_event *event, struct pbt_record *record)
{
    assert(event->trial < core->settings->population);
    switch (event->kind) {
    case PBT_EVENT_OPENED:
        return decide_opened(core, event, record);
    case PBT_EVENT_READY:
    case PBT_EVENT_HALTED:
        return decide_life_event(core, event, record);
    case PBT_EVENT_RESULT:
        return decide_result(core, event, record);
    case PBT_EVENT_SAVED:
        return decide_saved(core, event, record);
    case PBT_EVENT_EXITED:
        return decide_exited(core, event, record);
    case PBT_EVENT_DURABLE:
    case PBT_EVENT_BAD:
        return decide_checkpoint_event(core, event, record);
    case PBT_EVENT_CAPACITY:
        return decide_capacity(core, event, record);
    case PBT_EVENT_STOP_ASKED:
        return pbt_decide_end(core, PBT_END_INTERRUPTED, record);
    case PBT_EVENT_REQUEST:
        return decide_request(core, event, record);
    case PBT_EVENT_TIME_UP:
        return pbt_decide_end(core, PBT_END_TIME_BUDGET, record);
    case PBT_EVENT_ANSWERED:
        return pbt_decide_answered(core, event, record);
    case PBT_EVENT_WAKE: /* no news: pbt_core_decide() */
        break;
    }
    return false;
}
