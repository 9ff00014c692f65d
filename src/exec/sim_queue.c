/*
 * sim_queue.c: what will happen in the simulated world, by time.
 */
#include <stdlib.h>

#include "exec/sim_state.h"

static bool comes_first(const struct pbt_sim_queued *a,
                        const struct pbt_sim_queued *b)
{
    return a->time != b->time ? a->time < b->time : a->order < b->order;
}

void pbt_sim_item_free(struct pbt_sim_item *item)
{
    if (item != NULL) {
        free(item->cells);
        free(item->synced);
        free(item);
    }
}

struct pbt_sim_item *pbt_sim_new_item(struct pbt_sim *sim, uint64_t time,
                                      enum item_kind kind, uint32_t trial)
{
    struct pbt_sim_item *item = calloc(1, sizeof *item);
    if (item == NULL) {
        abort(); /* a test program */
    }
    item->time = time;
    item->order = sim->order++;
    item->kind = kind;
    item->trial = trial;
    item->spawned = sim->processes[trial].spawned;
    return item;
}

void pbt_sim_push(struct pbt_sim *sim, struct pbt_sim_item *item)
{
    if (sim->count == sim->capacity) {
        sim->capacity = sim->capacity == 0 ? 64 : 2 * sim->capacity;
        sim->heap = realloc(sim->heap, sim->capacity * sizeof *sim->heap);
        if (sim->heap == NULL) {
            abort();
        }
    }
    struct pbt_sim_queued queued = {item->time, item->order, item};
    size_t at = sim->count++;
    while (at > 0 && comes_first(&queued, &sim->heap[(at - 1) / 2])) {
        sim->heap[at] = sim->heap[(at - 1) / 2];
        at = (at - 1) / 2;
    }
    sim->heap[at] = queued;
}

struct pbt_sim_item *pbt_sim_pop(struct pbt_sim *sim)
{
    struct pbt_sim_item *top = sim->heap[0].item;
    const struct pbt_sim_queued *last = &sim->heap[--sim->count];
    size_t at = 0;
    for (;;) {
        size_t child = 2 * at + 1;
        if (child >= sim->count) {
            break;
        }
        if (child + 1 < sim->count &&
            comes_first(&sim->heap[child + 1], &sim->heap[child])) {
            child++;
        }
        if (!comes_first(&sim->heap[child], last)) {
            break;
        }
        sim->heap[at] = sim->heap[child];
        at = child;
    }
    sim->heap[at] = *last;
    /* The analyser doesn't see that heap[0] is another one each time. */
    return top; /* NOLINT(clang-analyzer-unix.Malloc) */
}

void pbt_sim_empty_queue(struct pbt_sim *sim)
{
    while (sim->count > 0) {
        pbt_sim_item_free(sim->heap[--sim->count].item);
    }
}
