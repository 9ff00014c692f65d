/*
 * decide_keep.c: which checkpoints are given up.
 */
#include <math.h>

#include "core/decide.h"

static void delete_checkpoint(const struct pbt_core *core, uint32_t number,
                              const struct pbt_saved *saved,
                              struct pbt_record *record)
{
    *record = pbt_decide_new(core, PBT_RECORD_DELETE, number);
    record->checkpoint = (struct pbt_checkpoint_id){number, saved->number};
    record->iteration = saved->iteration;
}

/* True if `a` is given up before `b`, which is newer or another trial's. */
static bool is_worth_less(const struct pbt_saved *a, const struct pbt_saved *b)
{
    if (isnan(a->worth) || isnan(b->worth)) {
        return isnan(a->worth);
    }
    return a->worth <= b->worth;
}

/* The first of these checkpoints of a trial to be given up: nobody needs it; or NULL. */
static const struct pbt_saved *find_spare(const struct pbt_trial *trial,
                                          uint32_t count)
{
    const struct pbt_saved *least = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct pbt_saved *saved = &trial->saved[i];
        if (saved->pins == 0 &&
            (least == NULL || !is_worth_less(least, saved))) {
            least = saved;
        }
    }
    return least;
}

bool pbt_due_delete(const struct pbt_core *core, uint32_t number,
                    struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[number];
    uint32_t keep = core->settings->num_to_keep;
    if (trial->saved_count <= keep) {
        return false;
    }
    const struct pbt_saved *least = find_spare(trial, trial->saved_count - 1);
    if (least == NULL) {
        return false;
    }
    uint32_t better = 0;
    for (const struct pbt_saved *s = trial->saved; s < least; s++) {
        better += is_worth_less(s, least) ? 0 : 1;
    }
    for (const struct pbt_saved *s = least + 1;
         s < trial->saved + trial->saved_count; s++) {
        better += is_worth_less(least, s) ? 1 : 0;
    }
    if (better < keep) {
        return false;
    }
    delete_checkpoint(core, number, least, record);
    return true;
}

bool pbt_due_budget(const struct pbt_core *core, struct pbt_record *record)
{
    uint64_t budget = core->settings->max_bytes;
    const struct pbt_saved *least = NULL;
    uint32_t owner = 0;
    if (budget == 0 || core->bytes <= budget || core->spare_bytes == 0) {
        return false;
    }
    for (uint32_t i = 0; i < core->settings->population; i++) {
        const struct pbt_trial *trial = &core->trials[i];
        const struct pbt_saved *spare = find_spare(trial, trial->saved_count);
        if (spare != NULL && (least == NULL || !is_worth_less(least, spare))) {
            least = spare;
            owner = i;
        }
    }
    if (least == NULL) {
        return false;
    }
    delete_checkpoint(core, owner, least, record);
    return true;
}
