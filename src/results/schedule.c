#include "results/schedule.h"

#include <stdlib.h>

static const struct pbt_cell *cells_of(const struct pbt_fold *fold,
                                       uint32_t exploit)
{
    return fold->exploit_cells +
           (size_t)exploit * fold->spec->settings.space.count;
}

/* From the end: what was taken over at the beginning of a range ends the one before it. */
static void put_ranges(struct pbt_schedule *schedule,
                       const struct pbt_fold *fold, uint32_t exploit)
{
    struct pbt_schedule_range range = {.last = schedule->iteration,
                                       .trial = schedule->trial};
    struct pbt_schedule_range *end = schedule->ranges + schedule->count;
    struct pbt_schedule_range *next = end;
    for (; exploit != PBT_NONE; exploit = fold->exploits[exploit].parent) {
        const struct pbt_exploit_info *taken = &fold->exploits[exploit];
        range.first = taken->donor_iteration + 1;
        range.trial = taken->trial;
        range.cells = cells_of(fold, exploit);
        if (range.first <= range.last || next == end) {
            *--next = range;
        }
        range.last = taken->donor_iteration;
        range.trial = taken->donor;
    }
    range.first = 1;
    range.cells = fold->trials[range.trial].first;
    if (range.first <= range.last || next == end) {
        *--next = range;
    }
    /* Where nothing was trained between two exploits there is no range. */
    size_t count = (size_t)(end - next);
    for (size_t i = 0; i < count; i++) {
        schedule->ranges[i] = next[i];
    }
    schedule->count = count;
}

static int make(struct pbt_schedule *schedule, const struct pbt_fold *fold,
                uint32_t trial, uint32_t exploit, int64_t iteration,
                struct pbt_error *error)
{
    *schedule = (struct pbt_schedule){
        .spec = fold->spec, .trial = trial, .iteration = iteration, .count = 1};
    for (uint32_t i = exploit; i != PBT_NONE; i = fold->exploits[i].parent) {
        schedule->count++;
    }
    schedule->ranges = calloc(schedule->count, sizeof *schedule->ranges);
    if (schedule->ranges == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    put_ranges(schedule, fold, exploit);
    return PBT_OK;
}

int pbt_schedule_of_trial(struct pbt_schedule *schedule,
                          const struct pbt_results *results, uint32_t trial,
                          struct pbt_error *error)
{
    const struct pbt_fold *fold = &results->fold;
    const struct pbt_fold_trial *folded = &fold->trials[trial];
    uint32_t exploit = folded->present == PBT_NONE
                           ? PBT_NONE
                           : folded->lives[folded->present].exploit;
    return make(schedule, fold, trial, exploit, folded->iteration, error);
}

int pbt_schedule_of_best(struct pbt_schedule *schedule,
                         struct pbt_results *results, struct pbt_error *error)
{
    struct pbt_best_query query = {.version = PBT_BEST_QUERY_INIT};
    const struct pbt_best *best;
    int status = pbt_results_best(results, &query, &best, error);
    if (status != PBT_OK) {
        return status;
    }
    /* The life that reported it: of those that count, the one that got so far. */
    const struct pbt_fold_trial *folded =
        &results->fold.trials[best->trial->number];
    uint32_t life = folded->present;
    while (life != PBT_NONE && folded->lives[life].from >= best->iteration) {
        life = folded->lives[life].before;
    }
    return make(schedule, &results->fold, best->trial->number,
                life == PBT_NONE ? PBT_NONE : folded->lives[life].exploit,
                best->iteration, error);
}

void pbt_schedule_done(struct pbt_schedule *schedule)
{
    free(schedule->ranges);
    *schedule = (struct pbt_schedule){.count = 0};
}
