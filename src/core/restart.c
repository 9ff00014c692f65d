/*
 * restart.c: what a trial can go back to, and what is pinned by whom.
 */
#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/state.h"

void pbt_queue_push(struct pbt_queue *queue, uint32_t item, uint32_t capacity)
{
    if (!queue->queued[item]) {
        queue->queued[item] = true;
        queue->items[(queue->head + queue->count) % capacity] = item;
        queue->count++;
    }
}

void pbt_queue_pop(struct pbt_queue *queue, uint32_t capacity)
{
    assert(queue->count > 0);
    queue->queued[queue->items[queue->head]] = false;
    queue->head = (queue->head + 1) % capacity;
    queue->count--;
}

void pbt_core_touch(struct pbt_core *core, uint32_t trial)
{
    uint32_t capacity = core->settings->population;
    pbt_queue_push(&core->work->due, trial, capacity);
    pbt_queue_push(&core->touched, trial, capacity);
    pbt_core_note_arrival(core, trial);
}

void pbt_core_touch_none(struct pbt_core *core)
{
    while (core->work->due.count > 0) {
        pbt_queue_pop(&core->work->due, core->settings->population);
    }
    core->work->due.head = 0;
    pbt_core_touched_clear(core);
}

bool pbt_core_same_id(struct pbt_checkpoint_id a, struct pbt_checkpoint_id b)
{
    return a.trial == b.trial && a.number == b.number;
}

bool pbt_core_end_is_final(enum pbt_end end)
{
    return end == PBT_END_STOP_ALL || end == PBT_END_TIME_BUDGET;
}

bool pbt_core_can_request(const struct pbt_core *core,
                          const struct pbt_trial *trial,
                          enum pbt_request request)
{
    bool over = trial->state == PBT_CORE_TERMINATED ||
                trial->state == PBT_CORE_ERROR || trial->end_asked ||
                trial->leave == PBT_LEAVE_TERMINATE;
    if (over || pbt_core_end_is_final(core->end)) {
        return false;
    }
    switch (request) {
    case PBT_REQUEST_PAUSE:
        return !trial->held;
    case PBT_REQUEST_RESUME:
        return trial->held;
    case PBT_REQUEST_STOP:
        return true;
    case PBT_REQUEST_NOT:
        break;
    }
    return false;
}

double pbt_core_stop_value(const struct pbt_stop *stop, int64_t iteration,
                           double time_total,
                           const double values[PBT_VALUES_MAX])
{
    switch (stop->source) {
    case PBT_STOP_ITERATION:
        return (double)iteration;
    case PBT_STOP_SECONDS:
        return time_total;
    case PBT_STOP_VALUE:
        return values[stop->index];
    }
    return (double)NAN;
}

bool pbt_core_stop_reached(const struct pbt_stop *stop, double value)
{
    return stop->at_most ? value <= stop->bound : value >= stop->bound;
}

/* By the bounds of today; what has no value is as it was. */
static bool still_stopped(const struct pbt_core *core,
                          const struct pbt_trial *trial)
{
    return trial->stopped_by > 0 &&
           (isnan(trial->stop_value) ||
            pbt_core_stop_reached(&core->settings->stops[trial->stopped_by - 1],
                                  trial->stop_value));
}

bool pbt_core_can_reopen(const struct pbt_core *core,
                         const struct pbt_trial *trial)
{
    return trial->state == PBT_CORE_TERMINATED && !trial->end_asked &&
           !trial->done && core->end == PBT_END_NOT &&
           !still_stopped(core, trial);
}

bool pbt_core_can_extend(const struct pbt_core *core)
{
    const struct pbt_settings *settings = core->settings;
    if (core->end == PBT_END_TIME_BUDGET) {
        return settings->time_budget_ns == 0 ||
               core->time < settings->time_budget_ns;
    }
    for (uint32_t i = 0; i < settings->population; i++) {
        const struct pbt_trial *trial = &core->trials[i];
        if (still_stopped(core, trial) &&
            settings->stops[trial->stopped_by - 1].all) {
            return false;
        }
    }
    return core->end == PBT_END_STOP_ALL;
}

bool pbt_core_is_over(const struct pbt_core *core,
                      const struct pbt_trial *trial)
{
    bool saved = trial->seq == trial->saved_seq;
    return trial->phase == PBT_PHASE_RUN && trial->rest && trial->stopping &&
           (saved || !core->settings->checkpoint_at_end);
}

enum pbt_leave pbt_core_outcome(const struct pbt_core *core,
                                const struct pbt_trial *trial,
                                enum pbt_leave leave)
{
    bool ends = trial->end_asked || pbt_core_end_is_final(core->end);
    return ends ? PBT_LEAVE_TERMINATE : leave;
}

int64_t pbt_core_turn(int64_t turn, int64_t iteration)
{
    return turn > iteration ? turn : iteration;
}

double pbt_core_clock(const struct pbt_core *core, int64_t iteration,
                      double time_total)
{
    return core->settings->time_attr == PBT_TIME_ITERATION ? (double)iteration
                                                           : time_total;
}

const struct pbt_change *pbt_core_next_change(const struct pbt_core *core,
                                              const struct pbt_trial *trial)
{
    const struct pbt_settings *settings = core->settings;
    bool more = settings->scheduler == PBT_SCHEDULER_REPLAY &&
                trial->exploits < settings->schedule_count;
    return more ? &settings->schedule[trial->exploits] : NULL;
}

const struct pbt_change *pbt_core_due_change(const struct pbt_core *core,
                                             const struct pbt_trial *trial)
{
    const struct pbt_change *next = pbt_core_next_change(core, trial);
    /* One change a result, as in Ray: the next life has yet to report. */
    bool due =
        next != NULL && trial->seq > 0 && trial->iteration >= next->iteration;
    return due ? next : NULL;
}

/* --- ranks and orders ---------------------------------------------------- */

bool pbt_core_is_compared(const struct pbt_core *core,
                          const struct pbt_trial *trial)
{
    bool over =
        trial->state == PBT_CORE_TERMINATED || trial->state == PBT_CORE_ERROR;
    bool set_aside = trial->held && trial->process_epoch == 0;
    if (core->settings->synch) {
        /* Whether its process has ended yet must not count. */
        set_aside = trial->held;
        over = over || trial->stopping || trial->end_asked;
    }
    return trial->ranked && !over && !set_aside;
}

double pbt_core_standing(const struct pbt_core *core,
                         const struct pbt_trial *trial)
{
    bool means =
        core->settings->exploit == PBT_EXPLOIT_T_TEST && isfinite(trial->score);
    return means ? trial->sample_mean : trial->score;
}

uint32_t pbt_core_window(const struct pbt_settings *settings)
{
    return settings->scheduler == PBT_SCHEDULER_PBT &&
                   settings->exploit == PBT_EXPLOIT_T_TEST
               ? settings->t_test_scores
               : 0;
}

/* At its point; synch: arrived, in a process that could give its slot to others. */
static bool waits_at_point(const struct pbt_core *core,
                           const struct pbt_trial *trial)
{
    return trial->phase == PBT_PHASE_RUN &&
           (core->settings->synch
                ? trial->rest && pbt_core_has_arrived(core, trial)
                : trial->at_point);
}

static bool will_save(const struct pbt_trial *trial)
{
    if (trial->phase == PBT_PHASE_SAVE) {
        return trial->point_save;
    }
    return trial->phase == PBT_PHASE_RUN && trial->at_point;
}

void pbt_core_rank(struct pbt_core *core, uint32_t number)
{
    struct pbt_trial *trial = &core->trials[number];
    if (!pbt_core_is_compared(core, trial)) {
        pbt_order_erase(&core->ranks, number);
        return;
    }
    const struct pbt_order_node *node = &core->ranks.nodes[number];
    double standing = pbt_core_standing(core, trial);
    if (node->size == 0 || !(node->key == standing)) {
        pbt_order_put(&core->ranks, number, standing);
    }
    pbt_order_mark(&core->ranks, number, PBT_MARK_GIVES, pbt_core_gives(trial));
    pbt_order_mark(&core->ranks, number, PBT_MARK_SAVING,
                   isfinite(standing) && will_save(trial));
    pbt_order_mark(&core->ranks, number, PBT_MARK_POINT,
                   waits_at_point(core, trial));
}

/* Neither goes on in a fresh process: the slot will be free. */
static bool frees_slot(enum pbt_leave leave)
{
    return leave == PBT_LEAVE_PAUSE || leave == PBT_LEAVE_TERMINATE;
}

void pbt_core_set_leave(struct pbt_core *core, uint32_t number,
                        enum pbt_leave leave)
{
    struct pbt_trial *trial = &core->trials[number];
    pbt_core_clear_leave(core, number);
    trial->phase = PBT_PHASE_LEAVE;
    trial->leave = leave;
    core->leaving += frees_slot(leave) ? 1 : 0;
}

void pbt_core_clear_leave(struct pbt_core *core, uint32_t number)
{
    struct pbt_trial *trial = &core->trials[number];
    core->leaving -= frees_slot(trial->leave) ? 1 : 0;
    trial->leave = PBT_LEAVE_NOT;
}

/* donors: best_ever: a pair that is better than all before is kept, with what it is of. */
static void note_best(struct pbt_core *core, struct pbt_trial *trial)
{
    struct pbt_checkpoint_id old = trial->best;
    if (core->settings->donors != PBT_DONORS_BEST_EVER ||
        trial->pair.number == 0 || !isfinite(trial->score) ||
        trial->score <= trial->best_score) {
        return;
    }
    trial->best = trial->pair;
    trial->best_score = trial->score;
    trial->best_lineage = trial->lineage;
    memcpy(trial->best_cells, trial->cells,
           core->settings->space.count * sizeof *trial->cells);
    pbt_core_pin(core, trial->best);
    pbt_core_unpin(core, old);
}

void pbt_core_set_pair(struct pbt_core *core, uint32_t number,
                       struct pbt_checkpoint_id pair)
{
    struct pbt_trial *trial = &core->trials[number];
    struct pbt_checkpoint_id old = trial->pair;
    trial->pair = pair;
    pbt_core_pin(core, pair);
    pbt_core_unpin(core, old);
    note_best(core, trial);
    pbt_core_rank(core, number);
}

static void drop_best(struct pbt_core *core, struct pbt_trial *trial)
{
    struct pbt_checkpoint_id old = trial->best;
    trial->best = (struct pbt_checkpoint_id){0, 0};
    pbt_core_unpin(core, old);
}

void pbt_core_lose_best(struct pbt_core *core, uint32_t number)
{
    struct pbt_trial *trial = &core->trials[number];
    drop_best(core, trial);
    trial->best_score = (double)NAN;
    note_best(core, trial);
    pbt_core_rank(core, number);
}

void pbt_core_give_best(struct pbt_core *core, uint32_t donor)
{
    if (core->trials[donor].best.number != 0) {
        drop_best(core, &core->trials[donor]);
        pbt_core_rank(core, donor);
    }
}

void pbt_core_give(struct pbt_core *core, uint32_t donor,
                   struct pbt_checkpoint_id checkpoint)
{
    if (pbt_core_same_id(core->trials[donor].best, checkpoint)) {
        pbt_core_give_best(core, donor);
    }
}

struct pbt_gift pbt_core_gift(const struct pbt_trial *trial)
{
    if (trial->best.number != 0) {
        return (struct pbt_gift){.checkpoint = trial->best,
                                 .score = trial->best_score,
                                 .lineage = trial->best_lineage,
                                 .cells = trial->best_cells};
    }
    return (struct pbt_gift){.checkpoint = trial->pair,
                             .score = trial->score,
                             .lineage = trial->lineage,
                             .cells = trial->cells};
}

struct pbt_checkpoint_id pbt_core_own(const struct pbt_core *core,
                                      uint32_t number)
{
    const struct pbt_trial *trial = &core->trials[number];
    struct pbt_checkpoint_id saved = {number, trial->last_number};
    if (trial->process_epoch == 0) {
        return pbt_core_top(trial)->checkpoint;
    }
    return trial->seq == trial->saved_seq && pbt_core_find(core, saved) != NULL
               ? saved
               : (struct pbt_checkpoint_id){0, 0};
}

bool pbt_core_gives(const struct pbt_trial *trial)
{
    struct pbt_gift gift = pbt_core_gift(trial);
    return gift.checkpoint.number != 0 && isfinite(gift.score);
}

static void set_member(struct pbt_order *order, uint32_t number, bool member,
                       double key)
{
    if (member) {
        pbt_order_put(order, number, key);
    } else {
        pbt_order_erase(order, number);
    }
}

void pbt_core_set_startable(struct pbt_core *core, uint32_t number)
{
    const struct pbt_trial *trial = &core->trials[number];
    bool waits = core->settings->synch && pbt_core_has_arrived(core, trial);
    bool alone = trial->created && trial->phase == PBT_PHASE_NONE;
    bool startable =
        alone && !trial->held && !waits &&
        (trial->state == PBT_CORE_PENDING || trial->state == PBT_CORE_PAUSED);
    bool delayed = trial->not_before > core->time;
    set_member(&core->startable, number, startable && !delayed,
               (double)trial->turn);
    set_member(&core->delayed, number, startable && delayed,
               (double)trial->not_before);
    set_member(&core->dead, number,
               alone && trial->state == PBT_CORE_ERROR && !trial->end_asked &&
                   trial->replaced < core->settings->replace,
               (double)number);
}

bool pbt_core_gives_way(const struct pbt_core *core)
{
    return core->settings->synch && core->used - core->leaving >= core->slots &&
           pbt_order_marked(&core->ranks, 0, PBT_MARK_POINT) > 0;
}

void pbt_core_end_delays(struct pbt_core *core)
{
    while (pbt_order_count(&core->delayed) > 0) {
        uint32_t first = pbt_order_at(&core->delayed, 0);
        if (core->trials[first].not_before > core->time) {
            return;
        }
        pbt_core_set_startable(core, first);
    }
}

void pbt_core_set_point(struct pbt_core *core, uint32_t number, bool at_point)
{
    struct pbt_trial *trial = &core->trials[number];
    trial->passed = false;
    if (trial->at_point != at_point) {
        trial->at_point = at_point;
        pbt_core_rank(core, number);
    }
}

/* --- checkpoints and pins ------------------------------------------------ */

struct pbt_saved *pbt_core_find(const struct pbt_core *core,
                                struct pbt_checkpoint_id id)
{
    if (id.number == 0 || id.trial >= core->settings->population) {
        return NULL;
    }
    const struct pbt_trial *trial = &core->trials[id.trial];
    for (uint32_t i = trial->saved_count; i > 0; i--) {
        if (trial->saved[i - 1].number == id.number) {
            return &trial->saved[i - 1];
        }
    }
    return NULL;
}

bool pbt_core_add_saved(struct pbt_core *core, uint32_t number,
                        const struct pbt_saved *saved)
{
    struct pbt_trial *trial = &core->trials[number];
    if (trial->saved_count == trial->saved_capacity) {
        uint32_t capacity =
            trial->saved_capacity == 0 ? 8 : 2 * trial->saved_capacity;
        struct pbt_saved *grown =
            realloc(trial->saved, capacity * sizeof *grown);
        if (grown == NULL) {
            return false;
        }
        trial->saved = grown;
        trial->saved_capacity = capacity;
    }
    trial->saved[trial->saved_count++] = *saved;
    return true;
}

void pbt_core_drop_saved(struct pbt_core *core, struct pbt_checkpoint_id id)
{
    struct pbt_saved *saved = pbt_core_find(core, id);
    assert(saved != NULL);
    struct pbt_trial *trial = &core->trials[id.trial];
    core->bytes -= saved->bytes;
    core->spare_bytes -= saved->pins == 0 ? saved->bytes : 0;
    size_t at = (size_t)(saved - trial->saved);
    memmove(saved, saved + 1, (trial->saved_count - at - 1) * sizeof *saved);
    trial->saved_count--;
}

void pbt_core_pin(struct pbt_core *core, struct pbt_checkpoint_id id)
{
    struct pbt_saved *saved = pbt_core_find(core, id);
    if (saved != NULL) {
        core->spare_bytes -= saved->pins == 0 ? saved->bytes : 0;
        saved->pins++;
    }
}

void pbt_core_unpin(struct pbt_core *core, struct pbt_checkpoint_id id)
{
    struct pbt_saved *saved = pbt_core_find(core, id);
    if (saved != NULL) {
        assert(saved->pins > 0);
        saved->pins--;
        if (saved->pins == 0) {
            core->spare_bytes += saved->bytes;
            pbt_core_touch(core, id.trial); /* may be given up now */
        }
    }
}

/* --- restart points ------------------------------------------------------ */

const struct pbt_restart *pbt_core_top(const struct pbt_trial *trial)
{
    assert(trial->restart_count > 0);
    return &trial->restarts[trial->restart_count - 1];
}

static void drop_restart(struct pbt_core *core, struct pbt_trial *trial,
                         uint32_t at)
{
    assert(at > 0 && at < trial->restart_count); /* the bottom can't be lost */
    struct pbt_restart dropped = trial->restarts[at];
    memmove(&trial->restarts[at], &trial->restarts[at + 1],
            (trial->restart_count - at - 1) * sizeof dropped);
    trial->restart_count--;
    /* Its cells and scores stay with the free place at the end. */
    trial->restarts[trial->restart_count].cells = dropped.cells;
    trial->restarts[trial->restart_count].scores = dropped.scores;
    pbt_core_unpin(core, dropped.checkpoint);
    pbt_core_unpin(core, dropped.pair);
}

static bool is_durable(const struct pbt_core *core,
                       const struct pbt_restart *restart)
{
    const struct pbt_saved *saved = pbt_core_find(core, restart->checkpoint);
    return saved != NULL && saved->durable;
}

/*
 * Keeps the newest two durable restart points and what is above them (one would
 * do, if no durable checkpoint was ever damaged later), and makes room for one more.
 */
static void prune_restarts(struct pbt_core *core, struct pbt_trial *trial)
{
    uint32_t durable = 0;
    for (uint32_t i = trial->restart_count; i > 1; i--) {
        if (durable >= 2) {
            drop_restart(core, trial, i - 1);
        } else if (is_durable(core, &trial->restarts[i - 1])) {
            durable++;
        }
    }
    for (uint32_t i = 1; trial->restart_count == PBT_RESTARTS_MAX; i++) {
        assert(i < trial->restart_count);
        if (!is_durable(core, &trial->restarts[i])) {
            drop_restart(core, trial, i);
        }
    }
}

static void copy_scores(const struct pbt_core *core, double *to,
                        const double *from)
{
    memcpy(to, from, pbt_core_window(core->settings) * sizeof *to);
}

void pbt_core_push_restart(struct pbt_core *core, uint32_t number,
                           struct pbt_checkpoint_id checkpoint)
{
    struct pbt_trial *trial = &core->trials[number];
    /* Pinned first: pruning may let go of the last other pin. */
    pbt_core_pin(core, checkpoint);
    pbt_core_pin(core, trial->pair);
    prune_restarts(core, trial);
    struct pbt_restart *restart = &trial->restarts[trial->restart_count++];
    restart->checkpoint = checkpoint;
    restart->iteration = trial->iteration;
    restart->turn = trial->turn;
    restart->time_total = trial->time_total;
    restart->last_perturbation = trial->last_perturbation;
    restart->score = trial->score;
    restart->ranked = trial->ranked;
    restart->pair = trial->pair;
    restart->exploits = trial->exploits;
    restart->lineage = trial->lineage;
    restart->settled = trial->settled;
    restart->score_count = trial->score_count;
    copy_scores(core, restart->scores, trial->scores);
    restart->sample_count = trial->sample_count;
    restart->sample_mean = trial->sample_mean;
    restart->sample_squares = trial->sample_squares;
    memcpy(restart->cells, trial->cells,
           core->settings->space.count * sizeof *restart->cells);
}

void pbt_core_replace_restart(struct pbt_core *core, uint32_t number,
                              struct pbt_checkpoint_id checkpoint)
{
    struct pbt_trial *trial = &core->trials[number];
    struct pbt_checkpoint_id top = pbt_core_top(trial)->checkpoint;
    pbt_core_pin(core,
                 checkpoint); /* dropping may let go of the last other pin */
    if (checkpoint.number != 0 && pbt_core_same_id(top, checkpoint)) {
        drop_restart(core, trial, trial->restart_count - 1);
    }
    pbt_core_push_restart(core, number, checkpoint);
    pbt_core_unpin(core, checkpoint);
}

bool pbt_core_lose_restart(struct pbt_core *core, uint32_t number,
                           struct pbt_checkpoint_id checkpoint)
{
    struct pbt_trial *trial = &core->trials[number];
    bool top_lost = false;
    for (uint32_t i = trial->restart_count; i > 1; i--) {
        struct pbt_restart *restart = &trial->restarts[i - 1];
        if (pbt_core_same_id(restart->pair, checkpoint)) {
            pbt_core_unpin(core, restart->pair);
            restart->pair = (struct pbt_checkpoint_id){0, 0};
        }
        if (pbt_core_same_id(restart->checkpoint, checkpoint)) {
            top_lost = top_lost || i == trial->restart_count;
            drop_restart(core, trial, i - 1);
        }
    }
    return top_lost;
}

void pbt_core_trim_restarts(struct pbt_core *core, uint32_t number)
{
    struct pbt_trial *trial = &core->trials[number];
    while (trial->restart_count > 2) {
        drop_restart(core, trial, trial->restart_count - 2);
    }
}

void pbt_core_go_back(struct pbt_core *core, uint32_t number)
{
    struct pbt_trial *trial = &core->trials[number];
    const struct pbt_restart *top = pbt_core_top(trial);
    pbt_core_set_point(core, number, false);
    pbt_core_clear_leave(core, number);
    trial->phase = PBT_PHASE_NONE;
    trial->process_epoch = 0;
    trial->rest = false;
    trial->stopping = false;
    trial->stopped_by = 0;
    trial->stop_value = 0;
    trial->done = false;
    trial->halting = false;
    trial->orphaned = false;
    trial->point_save = false;
    trial->adopts = false;
    trial->seq = 0;
    trial->saved_seq = 0;
    trial->iteration = top->iteration;
    trial->turn = top->turn;
    trial->time_total = top->time_total;
    trial->result_score = (double)NAN;
    trial->result_value = (double)NAN;
    trial->last_perturbation = top->last_perturbation;
    trial->score = top->score;
    trial->ranked = top->ranked;
    trial->ranked_epoch = 0;
    trial->ranked_seq = 0;
    trial->exploits = top->exploits;
    trial->lineage = top->lineage;
    trial->settled = top->settled;
    trial->score_count = top->score_count;
    copy_scores(core, trial->scores, top->scores);
    trial->sample_count = top->sample_count;
    trial->sample_mean = top->sample_mean;
    trial->sample_squares = top->sample_squares;
    memcpy(trial->cells, top->cells,
           core->settings->space.count * sizeof *trial->cells);
    pbt_core_set_pair(core, number, top->pair);
    pbt_core_set_startable(core, number);
    pbt_core_touch(core, number);
}
