/*
 * nvml.c: NVIDIA's management library, found at run time: machines without GPUs don't have
 * it, and Debian's main archive neither.
 *
 * The few prototypes that are needed, from NVIDIA's "NVML API Reference Guide": their
 * binary form has not changed since version 2 of each function.
 */
#include <dlfcn.h>
#include <string.h>

#include "base/self.h"
#include "exec/gpus.h"

typedef int nvml_return; /* 0: success */
typedef void *nvml_device;

struct nvml {
    nvml_return (*init)(void);
    nvml_return (*shutdown)(void);
    nvml_return (*count)(unsigned *count);
    nvml_return (*handle)(unsigned index, nvml_device *device);
    nvml_return (*uuid)(nvml_device device, char *text, unsigned size);
};

/* POSIX lets a pointer to data be one to a function; ISO C has no cast for it. */
static bool find_symbol(void *library, const char *name, void *function)
{
    void *symbol = dlsym(library, name);
    memcpy(function, &symbol, sizeof symbol);
    return symbol != NULL;
}

static bool find_symbols(void *library, struct nvml *nvml)
{
    return find_symbol(library, "nvmlInit_v2", &nvml->init) &&
           find_symbol(library, "nvmlShutdown", &nvml->shutdown) &&
           find_symbol(library, "nvmlDeviceGetCount_v2", &nvml->count) &&
           find_symbol(library, "nvmlDeviceGetHandleByIndex_v2",
                       &nvml->handle) &&
           find_symbol(library, "nvmlDeviceGetUUID", &nvml->uuid);
}

static bool list_devices(const struct nvml *nvml, struct pbt_gpus *gpus)
{
    unsigned count = 0;
    if (nvml->count(&count) != 0) {
        return false;
    }
    gpus->count = 0;
    for (unsigned i = 0; i < count && i < PBT_GPUS_MAX; i++) {
        nvml_device device;
        char *name = gpus->names[gpus->count];
        /* One that can't be asked is in no state to train. */
        if (nvml->handle(i, &device) == 0 &&
            nvml->uuid(device, name, PBT_GPU_NAME_SIZE) == 0) {
            name[PBT_GPU_NAME_SIZE - 1] = '\0';
            gpus->count++;
        }
    }
    return true;
}

bool pbt_nvml_find(const char *library, struct pbt_gpus *gpus)
{
    /* glibc's dlopen() in a static program wants the very glibc that it was linked with. */
    if (pbt_self_is_static()) {
        return false;
    }
    void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
    struct nvml nvml;
    bool found = false;
    if (loaded == NULL) {
        return false;
    }
    if (find_symbols(loaded, &nvml) && nvml.init() == 0) {
        found = list_devices(&nvml, gpus);
        (void)nvml.shutdown();
    }
    (void)dlclose(loaded);
    return found;
}
