#include "spec/spec.h"

#include <math.h>
#include <string.h>

#include "spec/reader.h"

size_t pbt_group_length(const char *name)
{
    const char *slash = strrchr(name, '/');
    return slash == NULL ? 0 : (size_t)(slash - name) + 1;
}

size_t pbt_shared_group(const char *a, const char *b)
{
    size_t shared = 0;
    for (size_t i = 0; a[i] != '\0' && a[i] == b[i]; i++) {
        if (a[i] == '/') {
            shared = i + 1;
        }
    }
    return shared;
}

/*
 * Each is put behind the last of those that share most with it; those stand
 * together already.
 */
void pbt_group_params(const struct pbt_space *space, uint32_t *indices,
                      uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        uint32_t moved = indices[i];
        const char *name = space->params[moved].name;
        uint32_t place = i;
        size_t most = 0;
        if (pbt_group_length(name) == 0) {
            continue;
        }
        for (uint32_t j = 0; j < i; j++) {
            size_t shared =
                pbt_shared_group(space->params[indices[j]].name, name);
            if (shared > 0 && shared >= most) {
                most = shared;
                place = j + 1;
            }
        }
        memmove(&indices[place + 1], &indices[place],
                (i - place) * sizeof *indices);
        indices[place] = moved;
    }
}

int pbt_spec_complete(struct pbt_spec *spec, struct pbt_error *error)
{
    uint32_t count = spec->settings.space.count;
    spec->order =
        pbt_arena_array(&spec->memory, (size_t)count + 1, sizeof *spec->order);
    if (spec->env == NULL) {
        spec->env = pbt_arena_array(&spec->memory, 1, sizeof *spec->env);
    }
    if (spec->order == NULL || spec->env == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < count; i++) {
        spec->order[i] = i;
    }
    pbt_group_params(&spec->settings.space, spec->order, count);
    return PBT_OK;
}

int pbt_spec_finish(const struct pbt_spec *spec, struct pbt_error *error)
{
    const struct pbt_settings *settings = &spec->settings;
    if (settings->scheduler != PBT_SCHEDULER_PBT || settings->custom_explore) {
        return PBT_OK;
    }
    for (uint32_t i = 0; i < settings->space.count; i++) {
        if (settings->space.params[i].mutation != PBT_MUTATION_NONE) {
            return PBT_OK;
        }
    }
    return pbt_error_set(
        error, PBT_ECONFIG,
        "nothing to explore: scheduler.hyperparam_mutations is empty, and "
        "there is no custom explore function (scheduler.type=fifo trains "
        "without PBT)");
}

uint32_t pbt_spec_slots(const struct pbt_spec *spec, double machine_cpus)
{
    double budget =
        spec->resources_cpu > 0 ? spec->resources_cpu : machine_cpus;
    /* Ten shares of 0.1 fit into 1. */
    double fit = floor(budget / spec->trial_cpu + 1e-9);
    uint32_t population = spec->settings.population;
    return fit < population ? (uint32_t)fit : population;
}

void pbt_spec_done(struct pbt_spec *spec)
{
    pbt_texts_done(&spec->texts);
    pbt_buf_done(&spec->warnings);
    pbt_arena_done(&spec->memory);
    *spec = (struct pbt_spec){.settings.seed = 0};
}
