/*
 * budget.h: what this machine gives an experiment, and which GPUs each of its slots is.
 *
 * The core counts equal slots; which devices a slot stands for is known here only.  Slots
 * are all alike, so the packing is fixed: of trials that take 1/k of a GPU, k slots stand
 * for the same device; of those that take n, each slot stands for n devices of its
 * own.  A share never spans two devices.
 */
#ifndef PBT_EXEC_BUDGET_H
#define PBT_EXEC_BUDGET_H

#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

#include "exec/gpus.h"
#include "spec/spec.h"

struct pbt_budget {
    struct pbt_machine machine;
    struct pbt_gpus gpus; /* those within the budget, if a trial takes any */
    uint32_t slots;
    const char
        *scarce; /* what limits the slots: "cpu", "gpu", "memory"; or NULL */
};

/* Bytes of memory that this machine has, or that our control group may use. */
uint64_t pbt_machine_memory(void);

/*
 * Looks at this machine.  PBT_ECONFIG: not even one trial fits, or the variable that
 * names our GPUs is wrong, or the budget names more GPUs than there are; `budget->machine` is
 * filled if the look itself went well.
 */
int pbt_budget_find(const struct pbt_spec *spec, struct pbt_budget *budget,
                    struct pbt_error *error);

/* The same with what was found already. */
int pbt_budget_make(const struct pbt_spec *spec, struct pbt_budget *budget,
                    struct pbt_error *error);

/*
 * GPUs that are here but not asked for: every trial then sees all of them, which is seldom
 * meant.  False: there is nothing to say; else `text` is a line for the user.
 */
bool pbt_budget_warning(const struct pbt_spec *spec,
                        const struct pbt_budget *budget, char *text,
                        size_t size);

/*
 * What a slot's program is told in `budget->gpus.variable`: "0,1", or UUIDs.  False: it is
 * told nothing, since a trial takes no GPU.
 */
bool pbt_budget_devices(const struct pbt_spec *spec,
                        const struct pbt_budget *budget, uint32_t slot,
                        char *text, size_t size);

/*
 * So many slots the GPUs could stand for, if that is more than `budget->slots`: all of them can be
 * given out, if not at the same time.
 */
uint32_t pbt_budget_places(const struct pbt_spec *spec,
                           const struct pbt_budget *budget);

/* Both slots stand for the same GPU, or shares of it. */
bool pbt_budget_share_device(const struct pbt_spec *spec, uint32_t a,
                             uint32_t b);

#endif
