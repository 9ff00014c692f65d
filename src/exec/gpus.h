/*
 * gpus.h: the GPUs that this machine, or whoever started us, gives us.
 */
#ifndef PBT_EXEC_GPUS_H
#define PBT_EXEC_GPUS_H

#include <stdbool.h>
#include <stdint.h>

#include <pbt/error.h>

#define PBT_GPUS_MAX 256
#define PBT_GPU_NAME_SIZE 96

struct pbt_gpus {
    /*
     * The variable through which a program is given its devices; a static text.  The names
     * are what goes into it: indices, or UUIDs, which mean the same whatever the order.
     */
    const char *variable;
    /* Where they were found: "CUDA_VISIBLE_DEVICES", "libnvidia-ml", ...; NULL: nowhere. */
    const char *found_in;
    /* The names are indices in the order of the PCI bus, which programs must be told. */
    bool pci_order;
    uint32_t count;
    char names[PBT_GPUS_MAX][PBT_GPU_NAME_SIZE];
};

/* Where to look. */
struct pbt_gpu_places {
    /* NULL-terminated "NAME=value" lists; what is set in the first counts. */
    char *const *added;       /* of the experiment file; NULL: none */
    char *const *environment; /* ours */
    const char *nvml;         /* the library, as for dlopen() */
    const char *proc;         /* "/proc/driver/nvidia/gpus" */
};

/* Those of this process, with what an experiment file adds to its environment. */
struct pbt_gpu_places pbt_gpu_places(char *const *added);

/*
 * The first of these that says anything: CUDA_VISIBLE_DEVICES, HIP_VISIBLE_DEVICES,
 * ROCR_VISIBLE_DEVICES (also an empty one: no GPU is given); NVIDIA's management library;
 * its kernel module's directory.  None found is no error.  PBT_ECONFIG: a variable
 * names what can't be a device, or one twice.
 */
int pbt_gpus_find(const struct pbt_gpu_places *places, struct pbt_gpus *gpus,
                  struct pbt_error *error);

/*
 * nvml.c: the UUIDs of all devices, from the management library.  False: there is no such
 * library, or it finds no driver, or we are a static program, which can't load it.
 */
bool pbt_nvml_find(const char *library, struct pbt_gpus *gpus);

#endif
