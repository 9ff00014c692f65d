/*
 * core.c: creation and looks from outside.
 */
#include "core/core.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/state.h"

static bool queue_init(struct pbt_queue *queue, uint32_t capacity)
{
    queue->items = calloc(capacity, sizeof *queue->items);
    queue->queued = calloc(capacity, sizeof *queue->queued);
    return queue->items != NULL && queue->queued != NULL;
}

static void queue_done(struct pbt_queue *queue)
{
    free(queue->items);
    free(queue->queued);
}

/* Hands out the one block of scores: present ones, and those of restart points. */
static void place_scores(struct pbt_core *core)
{
    uint32_t count = pbt_core_window(core->settings);
    double *next = core->scores;
    for (uint32_t i = 0; i < core->settings->population; i++) {
        struct pbt_trial *trial = &core->trials[i];
        trial->scores = next;
        next += count;
        for (uint32_t r = 0; r < PBT_RESTARTS_MAX; r++) {
            trial->restarts[r].scores = next;
            next += count;
        }
    }
}

/* Hands out the one block of cells: present, asks, best, restart points, scratch. */
static void place_cells(struct pbt_core *core)
{
    size_t count = core->settings->space.count;
    struct pbt_cell *next = core->cells;
    for (uint32_t i = 0; i < core->settings->population; i++) {
        struct pbt_trial *trial = &core->trials[i];
        trial->cells = next;
        trial->ask_old = next + count;
        trial->ask_new = next + 2 * count;
        trial->best_cells = next + 3 * count;
        next += 4 * count;
        for (uint32_t r = 0; r < PBT_RESTARTS_MAX; r++) {
            trial->restarts[r].cells = next;
            next += count;
        }
    }
    core->work->scratch = next;
}

static bool allocate(struct pbt_core *core)
{
    uint32_t population = core->settings->population;
    size_t configs = (size_t)population * (4 + PBT_RESTARTS_MAX) + 1;
    size_t cells = configs * core->settings->space.count;
    core->trials = calloc(population, sizeof *core->trials);
    core->cells = calloc(cells == 0 ? 1 : cells, sizeof *core->cells);
    size_t scores = (size_t)population * (1 + PBT_RESTARTS_MAX) *
                    pbt_core_window(core->settings);
    core->scores = calloc(scores == 0 ? 1 : scores, sizeof *core->scores);
    core->work = calloc(1, sizeof *core->work);
    if (core->trials == NULL || core->cells == NULL || core->scores == NULL ||
        core->work == NULL) {
        return false;
    }
    place_cells(core);
    place_scores(core);
    bool ranks =
        pbt_order_init(&core->ranks, population) &&
        (core->settings->gap_sd <= 0 || pbt_order_keep_moments(&core->ranks));
    bool startable = pbt_order_init(&core->startable, population) &&
                     pbt_order_init(&core->delayed, population) &&
                     pbt_order_init(&core->dead, population);
    bool due = queue_init(&core->work->due, population);
    bool touched = queue_init(&core->touched, population);
    return ranks && startable && due && touched;
}

struct pbt_core *pbt_core_create(const struct pbt_settings *settings)
{
    assert(settings->population > 0);
    struct pbt_core *core = calloc(1, sizeof *core);
    if (core == NULL) {
        return NULL;
    }
    core->settings = settings;
    if (!allocate(core)) {
        pbt_core_destroy(core);
        return NULL;
    }
    pbt_core_first_round(core);
    return core;
}

void pbt_core_destroy(struct pbt_core *core)
{
    if (core == NULL) {
        return;
    }
    for (uint32_t i = 0; core->trials != NULL && i < core->settings->population;
         i++) {
        free(core->trials[i].saved);
    }
    if (core->work != NULL) {
        queue_done(&core->work->due);
        free(core->work);
    }
    queue_done(&core->touched);
    pbt_order_done(&core->ranks);
    pbt_order_done(&core->startable);
    pbt_order_done(&core->delayed);
    pbt_order_done(&core->dead);
    free(core->cells);
    free(core->scores);
    free(core->trials);
    free(core);
}

size_t pbt_core_touched(const struct pbt_core *core, const uint32_t **trials)
{
    /* The queue starts at 0 after each clear, so it never wraps. */
    assert(core->touched.head == 0);
    *trials = core->touched.items;
    return core->touched.count;
}

void pbt_core_touched_clear(struct pbt_core *core)
{
    for (size_t i = 0; i < core->touched.count; i++) {
        core->touched.queued[core->touched.items[i]] = false;
    }
    core->touched.count = 0;
}

uint64_t pbt_core_records(const struct pbt_core *core)
{
    return core->records;
}

uint64_t pbt_core_incarnation(const struct pbt_core *core)
{
    return core->incarnation;
}

uint64_t pbt_core_time(const struct pbt_core *core)
{
    return core->time;
}

bool pbt_core_finished(const struct pbt_core *core)
{
    bool all = core->created == core->settings->population &&
               core->finished == core->created;
    return core->used == 0 && (all || core->end != PBT_END_NOT);
}

bool pbt_core_idle(const struct pbt_core *core)
{
    uint32_t unfinished = core->settings->population - core->finished;
    return core->end == PBT_END_NOT && core->used == 0 && unfinished > 0 &&
           core->held == unfinished;
}

static bool ends(const struct pbt_core *core)
{
    return core->end != PBT_END_NOT || core->end_due != PBT_END_NOT;
}

uint32_t pbt_core_waiting(const struct pbt_core *core)
{
    return ends(core) ? 0 : pbt_order_count(&core->startable);
}

uint64_t pbt_core_wake(const struct pbt_core *core)
{
    bool slot = core->used < core->slots || pbt_core_gives_way(core);
    bool none = ends(core) || !slot || pbt_order_count(&core->delayed) == 0;
    return none ? UINT64_MAX
                : core->trials[pbt_order_at(&core->delayed, 0)].not_before;
}

bool pbt_core_over(const struct pbt_core *core)
{
    bool all = core->created == core->settings->population ||
               pbt_core_end_is_final(core->end);
    if (!all || core->finished != core->created ||
        core->end == PBT_END_FAILED || pbt_core_can_extend(core)) {
        return false;
    }
    for (uint32_t i = 0; i < core->settings->population; i++) {
        if (pbt_core_can_reopen(core, &core->trials[i])) {
            return false;
        }
    }
    return true;
}

enum pbt_end pbt_core_end(const struct pbt_core *core)
{
    return core->end;
}

struct pbt_core_trial pbt_core_trial(const struct pbt_core *core,
                                     uint32_t number)
{
    assert(number < core->settings->population);
    const struct pbt_trial *trial = &core->trials[number];
    const struct pbt_restart *top = trial->created ? pbt_core_top(trial) : NULL;
    const struct pbt_checkpoint_id none = {0, 0};
    return (struct pbt_core_trial){
        .state = trial->state,
        .created = trial->created,
        .has_process = trial->process_epoch != 0,
        .resting = trial->rest,
        .held = trial->held,
        .ending = trial->stopping || trial->end_asked ||
                  trial->leave == PBT_LEAVE_TERMINATE ||
                  pbt_core_end_is_final(core->end),
        .epoch = trial->epoch,
        .process_epoch = trial->process_epoch,
        .iteration = trial->iteration,
        .time_total = trial->time_total,
        .seq = trial->seq,
        .score = trial->score,
        .result_score = trial->result_score,
        .ranked = pbt_order_has(&core->ranks, number),
        .point_seq =
            trial->ranked_epoch == trial->epoch ? trial->ranked_seq : 0,
        .pair = trial->pair,
        .exploits = trial->exploits,
        .failures = trial->failures,
        .not_before = trial->not_before,
        .replaced = trial->replaced,
        .lineage = trial->lineage,
        .restart = top == NULL ? none : top->checkpoint,
        .restart_iteration = top == NULL ? 0 : top->iteration,
        .cells = trial->cells,
    };
}

static struct pbt_core_checkpoint describe(uint32_t trial,
                                           const struct pbt_saved *saved)
{
    return (struct pbt_core_checkpoint){
        .id = {trial, saved->number},
        .durable = saved->durable,
        .pins = saved->pins,
        .epoch = saved->epoch,
        .seq = saved->seq,
        .iteration = saved->iteration,
        .time_total = saved->time_total,
        .score = saved->score,
        .bytes = saved->bytes,
    };
}

bool pbt_core_checkpoint(const struct pbt_core *core,
                         struct pbt_checkpoint_id id,
                         struct pbt_core_checkpoint *checkpoint)
{
    const struct pbt_saved *saved = pbt_core_find(core, id);
    if (saved != NULL) {
        *checkpoint = describe(id.trial, saved);
    }
    return saved != NULL;
}

bool pbt_core_checkpoint_at(const struct pbt_core *core, uint32_t number,
                            uint32_t index,
                            struct pbt_core_checkpoint *checkpoint)
{
    const struct pbt_trial *trial = &core->trials[number];
    if (index < trial->saved_count) {
        *checkpoint = describe(number, &trial->saved[index]);
    }
    return index < trial->saved_count;
}

uint64_t pbt_core_bytes(const struct pbt_core *core, uint64_t *spare)
{
    *spare = core->spare_bytes;
    return core->bytes;
}
