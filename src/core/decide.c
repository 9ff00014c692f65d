/*
 * decide.c: all policy, here and in decide_*.c.  What follows from an event, and what is due
 * without one: here what is due among trials, and in which order.
 *
 * The rules are Ray Tune's Population Based Training, with the departures that
 * docs/scheduler.md lists.
 */
#include <math.h>

#include "core/decide.h"

struct pbt_record pbt_decide_new(const struct pbt_core *core,
                                 enum pbt_record_kind kind, uint32_t trial)
{
    struct pbt_record record = {.kind = kind, .trial = trial};
    record.number = core->records + 1;
    record.time = core->time;
    record.score = (double)NAN;
    record.donor_score = (double)NAN;
    for (uint32_t i = 0; i < PBT_VALUES_MAX; i++) {
        record.values[i] = (double)NAN;
    }
    if (trial < core->settings->population) {
        record.epoch = core->trials[trial].epoch;
    }
    return record;
}

uint64_t pbt_decide_seed(const struct pbt_core *core, uint64_t lineage,
                         int64_t iteration)
{
    return pbt_mix(pbt_mix(core->settings->seed, lineage), (uint64_t)iteration);
}

uint64_t pbt_decide_epoch(const struct pbt_core *core)
{
    return (core->incarnation << PBT_EPOCH_SHIFT) + core->epoch_counter + 1;
}

bool pbt_decide_pauses(const struct pbt_core *core, uint32_t trial,
                       int64_t turn)
{
    uint32_t staying = core->used - core->leaving;
    if (staying > core->slots) {
        return true;
    }
    /* In a round whoever has arrived needs no slot. */
    uint32_t ahead =
        core->settings->synch
            ? pbt_order_count(&core->startable)
            : pbt_order_before(&core->startable, (double)turn, trial);
    return ahead > core->slots - staying;
}

void pbt_decide_creation(const struct pbt_core *core, enum pbt_record_kind kind,
                         const struct pbt_cell *cells,
                         struct pbt_record *record)
{
    uint32_t number = core->created;
    *record = pbt_decide_new(core, kind, number);
    record->cells = cells;
    record->lineage = pbt_mix(core->settings->seed, number + 1);
}

/*
 * Synchronous: all have arrived that can, so the losers are replaced, one record each; when
 * the last one is, the next round begins.
 */
static bool due_round(const struct pbt_core *core, struct pbt_record *record)
{
    double target;
    bool asking = false;
    if (core->end != PBT_END_NOT || core->awaited > 0 ||
        core->created < core->settings->population) {
        return false;
    }
    if (pbt_due_replacement(core, record)) {
        return true;
    }
    uint32_t contested = pbt_exploit_contested(core);
    for (uint32_t i = 0; i < contested; i++) {
        uint32_t number = pbt_order_at(&core->ranks, i);
        const struct pbt_trial *trial = &core->trials[number];
        if (trial->phase == PBT_PHASE_ASK) {
            asking = true;
        } else if (trial->settled != core->round &&
                   pbt_due_loser(core, number, record)) {
            return true;
        }
    }
    if (asking || !pbt_core_next_target(core, &target)) {
        return false;
    }
    *record = pbt_decide_new(core, PBT_RECORD_ROUND, 0);
    record->epoch = 0;
    record->target = target;
    return true;
}

/* Who could start at this time, by turn; or whose delay is over then, if nobody else can. */
static const struct pbt_order *waiting_at(const struct pbt_core *core,
                                          uint64_t now)
{
    const struct pbt_order *delayed = &core->delayed;
    if (pbt_order_count(&core->startable) > 0) {
        return &core->startable;
    }
    bool over = pbt_order_count(delayed) > 0 &&
                core->trials[pbt_order_at(delayed, 0)].not_before <= now;
    return over ? delayed : NULL;
}

/* Synchronous: whoever waits for the others gives its slot to those that it waits for. */
static bool due_give_way(const struct pbt_core *core, uint64_t now,
                         struct pbt_record *record)
{
    if (!pbt_core_gives_way(core) || waiting_at(core, now) == NULL) {
        return false;
    }
    pbt_due_leave(core, pbt_order_marked_at(&core->ranks, 0, PBT_MARK_POINT, 0),
                  PBT_LEAVE_PAUSE, record);
    return true;
}

/* What the user gives instead of what was drawn. */
static void take_point(const struct pbt_core *core, uint32_t number,
                       struct pbt_cell *cells)
{
    uint32_t count = core->settings->space.count;
    if (number >= core->settings->point_count) {
        return;
    }
    const struct pbt_cell *point =
        core->settings->points + (size_t)number * count;
    for (uint32_t i = 0; i < count; i++) {
        cells[i] = point[i].type != PBT_CELL_NONE ? point[i] : cells[i];
    }
}

static bool due_creation(const struct pbt_core *core, struct pbt_record *record)
{
    uint32_t number = core->created;
    if (core->incarnation == 0 || number == core->settings->population ||
        core->trials[number].phase == PBT_PHASE_ASK ||
        pbt_core_end_is_final(core->end)) {
        return false;
    }
    struct pbt_draw_key key = pbt_core_draw_key(core, number, PBT_DRAW_INITIAL);
    pbt_space_initial(&core->settings->space, &key, core->work->scratch);
    take_point(core, number, core->work->scratch);
    bool open = pbt_space_is_open(&core->settings->space, core->work->scratch);
    pbt_decide_creation(core, open ? PBT_RECORD_ASK_FIRST : PBT_RECORD_TRIAL,
                        core->work->scratch, record);
    return true;
}

/* Free slots go to the trials that are furthest behind. */
static bool due_start(const struct pbt_core *core, uint64_t now,
                      struct pbt_record *record)
{
    const struct pbt_order *order = waiting_at(core, now);
    if (core->end != PBT_END_NOT || core->end_due != PBT_END_NOT ||
        core->used >= core->slots || order == NULL) {
        return false;
    }
    uint32_t number = pbt_order_at(order, 0);
    const struct pbt_trial *trial = &core->trials[number];
    *record = pbt_decide_new(core, PBT_RECORD_START, number);
    record->epoch = pbt_decide_epoch(core);
    record->checkpoint = pbt_core_top(trial)->checkpoint;
    record->iteration = trial->iteration;
    record->time_total = trial->time_total;
    record->seed = pbt_decide_seed(core, trial->lineage, trial->iteration);
    record->cells = trial->cells;
    return true;
}

/* It was ended for good, and the user has put that end further away since. */
static bool due_extend(const struct pbt_core *core, struct pbt_record *record)
{
    if (!pbt_core_end_is_final(core->end) || core->used > 0 ||
        core->finished != core->created || !pbt_core_can_extend(core)) {
        return false;
    }
    *record = pbt_decide_new(core, PBT_RECORD_EXTEND, 0);
    record->epoch = 0;
    return true;
}

/* The next decision that is due at this time. */
static bool due(const struct pbt_core *core, uint64_t now,
                struct pbt_record *record)
{
    if (due_creation(core, record)) {
        return true;
    }
    if (core->end_due != PBT_END_NOT &&
        pbt_decide_end(core, core->end_due, record)) {
        return true;
    }
    struct pbt_queue *touched = &core->work->due;
    while (touched->count > 0) {
        if (pbt_due_for_trial(core, touched->items[touched->head], record)) {
            return true;
        }
        pbt_queue_pop(touched, core->settings->population);
    }
    if (pbt_due_budget(core, record) || due_extend(core, record)) {
        return true;
    }
    if (core->settings->synch) {
        return due_round(core, record) || due_give_way(core, now, record) ||
               due_start(core, now, record);
    }
    return pbt_due_waiting(core, record) || pbt_due_replacement(core, record) ||
           due_start(core, now, record);
}

bool pbt_core_decide(const struct pbt_core *core, const struct pbt_event *event,
                     struct pbt_record *record)
{
    if (event == NULL) {
        return due(core, core->time, record);
    }
    bool follows = event->kind == PBT_EVENT_WAKE
                       ? due(core, event->time, record)
                       : pbt_decide_event(core, event, record);
    if (follows && event->time > record->time) {
        record->time = event->time;
    }
    return follows;
}
