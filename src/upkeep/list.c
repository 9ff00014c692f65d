/*
 * list.c: which checkpoints a run needs.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/names.h"
#include "upkeep/upkeep.h"

static size_t count_all(const struct pbt_spec *spec,
                        const struct pbt_core *core)
{
    size_t count = spec->start_checkpoint != NULL ? 1 : 0;
    for (uint32_t i = 0; i < spec->settings.population; i++) {
        struct pbt_core_checkpoint about;
        for (uint32_t c = 0; pbt_core_checkpoint_at(core, i, c, &about); c++) {
            count++;
        }
    }
    return count;
}

int pbt_needed_list(struct pbt_needed *needed, const struct pbt_spec *spec,
                    const struct pbt_core *core, struct pbt_error *error)
{
    struct pbt_core_checkpoint about;
    /* calloc(0) may be NULL: one more than needed */
    *needed = (struct pbt_needed){
        .items = calloc(count_all(spec, core) + 1, sizeof *needed->items)};
    if (needed->items == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    if (spec->start_checkpoint != NULL) {
        needed->items[needed->count++] = (struct pbt_checkpoint_id){0, 0};
    }
    for (uint32_t i = 0; i < spec->settings.population; i++) {
        for (uint32_t c = 0; pbt_core_checkpoint_at(core, i, c, &about); c++) {
            needed->items[needed->count++] = about.id;
        }
    }
    return PBT_OK;
}

void pbt_needed_done(struct pbt_needed *needed)
{
    free(needed->items);
    *needed = (struct pbt_needed){.count = 0};
}

void pbt_needed_path(const struct pbt_spec *spec, const char *run,
                     struct pbt_checkpoint_id id, char path[PBT_RUN_PATH_SIZE])
{
    char trial[PBT_TRIAL_ID_SIZE];
    char name[PBT_CHECKPOINT_NAME_SIZE];
    if (id.number == 0) {
        (void)snprintf(path, PBT_RUN_PATH_SIZE, "%s/" PBT_START_CHECKPOINT,
                       run);
        return;
    }
    pbt_trial_id(spec->settings.seed, id.trial, trial);
    pbt_checkpoint_name(id.number, name);
    (void)snprintf(path, PBT_RUN_PATH_SIZE, "%s/%s/%s", run, trial, name);
}

bool pbt_is_needed(const struct pbt_core *core, struct pbt_checkpoint_id id)
{
    struct pbt_core_checkpoint about;
    return id.number == 0 || pbt_core_checkpoint(core, id, &about);
}
