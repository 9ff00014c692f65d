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
    if (spec->templates == NULL) {
        spec->templates =
            pbt_arena_array(&spec->memory, 1, sizeof *spec->templates);
    }
    if (spec->order == NULL || spec->env == NULL || spec->templates == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < count; i++) {
        spec->order[i] = i;
    }
    pbt_group_params(&spec->settings.space, spec->order, count);
    return PBT_OK;
}

static bool has_function(const struct pbt_spec *spec, const char *name)
{
    for (const char *const *given = spec->functions;
         given != NULL && *given != NULL; given++) {
        if (strcmp(*given, name) == 0) {
            return true;
        }
    }
    return false;
}

static int check_function(const struct pbt_spec *spec,
                          const struct pbt_param *param,
                          const struct pbt_domain *domain,
                          struct pbt_error *error)
{
    if (domain->kind != PBT_DOMAIN_FUNCTION ||
        has_function(spec, domain->function)) {
        return PBT_OK;
    }
    return pbt_fail(error, PBT_E0326,
                    "`%s` comes from the function `%s`, which is the calling "
                    "program's to give: %s",
                    param->name, domain->function,
                    spec->functions == NULL
                        ? "run or resume this with that program"
                        : "it is not among the functions of struct "
                          "pbt_experiment");
}

static int check_functions(const struct pbt_spec *spec, struct pbt_error *error)
{
    const struct pbt_space *space = &spec->settings.space;
    int status = PBT_OK;
    for (uint32_t i = 0; i < space->count && status == PBT_OK; i++) {
        const struct pbt_param *param = &space->params[i];
        status = check_function(spec, param, &param->initial, error);
        if (status == PBT_OK) {
            status = check_function(spec, param, &param->mutations, error);
        }
    }
    return status;
}

bool pbt_spec_can_explore(const struct pbt_spec *spec)
{
    const struct pbt_settings *settings = &spec->settings;
    bool can = settings->scheduler != PBT_SCHEDULER_PBT ||
               settings->custom_explore || spec->functions_elsewhere;
    for (uint32_t i = 0; i < settings->space.count && !can; i++) {
        can = settings->space.params[i].mutation != PBT_MUTATION_NONE;
    }
    return can;
}

int pbt_spec_finish(const struct pbt_spec *spec, struct pbt_error *error)
{
    int status =
        spec->functions_elsewhere ? PBT_OK : check_functions(spec, error);
    if (status == PBT_OK) {
        status = pbt_check_templates(spec, error);
    }
    if (status != PBT_OK || pbt_spec_can_explore(spec)) {
        return status;
    }
    return pbt_fail(
        error, PBT_E0319,
        "nothing to explore: scheduler.hyperparam_mutations is empty, and "
        "there is no custom explore function (scheduler.type=fifo trains "
        "without PBT)");
}

/* Whole shares of a budget: ten of 0.1 fit into 1.  More than there can be trials don't matter. */
static double shares(double budget, double share)
{
    return fmin(floor(budget / share + 1e-9), PBT_POPULATION_MAX);
}

uint32_t pbt_spec_gpu_shares(const struct pbt_spec *spec)
{
    return spec->trial_gpu > 0 && spec->trial_gpu < 1
               ? (uint32_t)shares(1, spec->trial_gpu)
               : 0;
}

uint32_t pbt_spec_gpu_slots(const struct pbt_spec *spec, uint32_t gpus)
{
    uint32_t shared = pbt_spec_gpu_shares(spec);
    double budget = spec->resources_gpu > 0 && spec->resources_gpu < gpus
                        ? spec->resources_gpu
                        : gpus;
    return (uint32_t)(shared > 0 ? fmin(budget * shared, PBT_POPULATION_MAX)
                                 : shares(budget, spec->trial_gpu));
}

uint32_t pbt_spec_slots(const struct pbt_spec *spec,
                        const struct pbt_machine *machine, const char **scarce)
{
    double cpus = spec->resources_cpu > 0 ? spec->resources_cpu : machine->cpus;
    uint64_t memory =
        spec->resources_memory > 0 ? spec->resources_memory : machine->memory;
    double fit = spec->settings.population;
    if (spec->max_concurrent > 0 && spec->max_concurrent < fit) {
        fit = spec->max_concurrent;
    }
    const char *why = NULL;
    if (shares(cpus, spec->trial_cpu) < fit) {
        fit = shares(cpus, spec->trial_cpu);
        why = "cpu";
    }
    if (spec->trial_gpu > 0 && pbt_spec_gpu_slots(spec, machine->gpus) < fit) {
        fit = pbt_spec_gpu_slots(spec, machine->gpus);
        why = "gpu";
    }
    if (spec->trial_memory > 0 && memory > 0 &&
        shares((double)memory, (double)spec->trial_memory) < fit) {
        fit = shares((double)memory, (double)spec->trial_memory);
        why = "memory";
    }
    if (scarce != NULL) {
        *scarce = why;
    }
    return (uint32_t)fit;
}

void pbt_spec_done(struct pbt_spec *spec)
{
    pbt_texts_done(&spec->texts);
    pbt_buf_done(&spec->warnings);
    pbt_arena_done(&spec->memory);
    *spec = (struct pbt_spec){.settings.seed = 0};
}
