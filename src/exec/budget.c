#include "exec/budget.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/cgroup.h"
#include "base/codes.h"
#include "base/cpus.h"

#define GIB 0x1p30

uint64_t pbt_machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES);
    long size = sysconf(_SC_PAGESIZE);
    uint64_t here =
        pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
    uint64_t granted = pbt_cgroup_memory("");
    return granted > 0 && (here == 0 || granted < here) ? granted : here;
}

/* A budget in the file that is too small was refused with the file. */
static int no_room(const struct pbt_spec *spec, const struct pbt_budget *budget,
                   struct pbt_error *error)
{
    const struct pbt_machine *machine = &budget->machine;
    if (strcmp(budget->scarce, "gpu") == 0) {
        return pbt_fail(
            error, PBT_E0809,
            "a trial takes %g GPUs (resources_per_trial.gpu), and %u %s: no "
            "trial can run%s%s",
            spec->trial_gpu, (unsigned)machine->gpus,
            machine->gpus == 1 ? "is here" : "are here",
            budget->gpus.found_in != NULL ? "; looked at " : "",
            budget->gpus.found_in != NULL ? budget->gpus.found_in : "");
    }
    if (strcmp(budget->scarce, "memory") == 0) {
        return pbt_fail(error, PBT_E0809,
                        "a trial takes %.3g GiB (resources_per_trial."
                        "memory), this machine gives us %.3g GiB: no "
                        "trial can run",
                        (double)spec->trial_memory / GIB,
                        (double)machine->memory / GIB);
    }
    return pbt_fail(
        error, PBT_E0809,
        "a trial takes %.15g CPUs (resources_per_trial.cpu), this machine "
        "gives us %.15g: no trial can run",
        spec->trial_cpu, machine->cpus);
}

int pbt_budget_make(const struct pbt_spec *spec, struct pbt_budget *budget,
                    struct pbt_error *error)
{
    if (spec->trial_gpu > 0 && spec->resources_gpu > budget->machine.gpus) {
        return pbt_fail(
            error, PBT_E0809, "resources.gpu is %u, but %u %s here%s%s",
            (unsigned)spec->resources_gpu, (unsigned)budget->machine.gpus,
            budget->machine.gpus == 1 ? "is" : "are",
            budget->gpus.found_in != NULL ? ": see " : "",
            budget->gpus.found_in != NULL ? budget->gpus.found_in : "");
    }
    budget->slots = pbt_spec_slots(spec, &budget->machine, &budget->scarce);
    return budget->slots > 0 ? PBT_OK : no_room(spec, budget, error);
}

int pbt_budget_find(const struct pbt_spec *spec, struct pbt_budget *budget,
                    struct pbt_error *error)
{
    struct pbt_gpu_places places = pbt_gpu_places(spec->env);
    *budget = (struct pbt_budget){
        .machine = {.cpus = pbt_cpus(), .memory = pbt_machine_memory()}};
    int status = pbt_gpus_find(&places, &budget->gpus, error);
    if (status != PBT_OK) {
        return status;
    }
    budget->machine.gpus = budget->gpus.count;
    return pbt_budget_make(spec, budget, error);
}

bool pbt_budget_warning(const struct pbt_spec *spec,
                        const struct pbt_budget *budget, char *text,
                        size_t size)
{
    if (spec->trial_gpu > 0 || budget->gpus.count == 0) {
        return false;
    }
    (void)snprintf(text, size,
                   "%u %s here (%s) but not asked for: every trial sees %s; "
                   "resources_per_trial: {gpu: 1} gives each its own",
                   (unsigned)budget->gpus.count,
                   budget->gpus.count == 1 ? "GPU is" : "GPUs are",
                   budget->gpus.found_in,
                   budget->gpus.count == 1 ? "it" : "all of them");
    return true;
}

bool pbt_budget_devices(const struct pbt_spec *spec,
                        const struct pbt_budget *budget, uint32_t slot,
                        char *text, size_t size)
{
    uint32_t shared = pbt_spec_gpu_shares(spec);
    uint32_t each = shared > 0 ? 1 : (uint32_t)spec->trial_gpu;
    uint32_t first = shared > 0 ? slot / shared : slot * each;
    size_t length = 0;
    if (spec->trial_gpu <= 0) {
        return false;
    }
    text[0] = '\0';
    for (uint32_t i = first; i < first + each && i < budget->gpus.count; i++) {
        int more = snprintf(text + length, size - length, "%s%s",
                            i > first ? "," : "", budget->gpus.names[i]);
        length += more > 0 && (size_t)more < size - length ? (size_t)more : 0;
    }
    return true;
}

uint32_t pbt_budget_places(const struct pbt_spec *spec,
                           const struct pbt_budget *budget)
{
    uint32_t all =
        spec->trial_gpu > 0 ? pbt_spec_gpu_slots(spec, budget->gpus.count) : 0;
    return all > budget->slots ? all : budget->slots;
}

bool pbt_budget_share_device(const struct pbt_spec *spec, uint32_t a,
                             uint32_t b)
{
    uint32_t shared = pbt_spec_gpu_shares(spec);
    return spec->trial_gpu > 0 &&
           (shared > 0 ? a / shared == b / shared : a == b);
}
