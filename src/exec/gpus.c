#include "exec/gpus.h"
#include "base/codes.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

extern char **environ;

#define CUDA "CUDA_VISIBLE_DEVICES"

struct pbt_gpu_places pbt_gpu_places(char *const *added)
{
    return (struct pbt_gpu_places){.added = added,
                                   .environment = environ,
                                   .nvml = "libnvidia-ml.so.1",
                                   .proc = "/proc/driver/nvidia/gpus"};
}

/* --- variables ------------------------------------------------------------- */

static const char *value_of(char *const *environment, const char *name)
{
    size_t length = strlen(name);
    for (; environment != NULL && *environment != NULL; environment++) {
        if (strncmp(*environment, name, length) == 0 &&
            (*environment)[length] == '=') {
            return *environment + length + 1;
        }
    }
    return NULL;
}

/* An index, or a UUID such as "GPU-8932f937-..." or "MIG-GPU-.../1/0". */
static bool is_device(const char *text, size_t length)
{
    static const char letters[] = "0123456789abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ-/";
    bool uuid = strncmp(text, "GPU-", 4) == 0 || strncmp(text, "MIG-", 4) == 0;
    size_t same = strspn(text, uuid ? letters : "0123456789");
    return length > 0 && length < PBT_GPU_NAME_SIZE && same >= length &&
           (uuid ? length > 4 : length < 6);
}

static bool is_listed(const struct pbt_gpus *gpus, const char *text,
                      size_t length)
{
    for (uint32_t i = 0; i < gpus->count; i++) {
        if (strlen(gpus->names[i]) == length &&
            memcmp(gpus->names[i], text, length) == 0) {
            return true;
        }
    }
    return false;
}

static int take_device(struct pbt_gpus *gpus, const char *value,
                       const char *text, size_t length, struct pbt_error *error)
{
    if (!is_device(text, length)) {
        return pbt_fail(error, PBT_E0810,
                        "%s=%s: \"%.*s\" is neither a device's number nor "
                        "a UUID (GPU-..., MIG-...)",
                        gpus->variable, value, (int)length, text);
    }
    if (is_listed(gpus, text, length)) {
        return pbt_fail(error, PBT_E0810, "%s=%s: %.*s is there twice",
                        gpus->variable, value, (int)length, text);
    }
    if (gpus->count == PBT_GPUS_MAX) {
        return pbt_fail(error, PBT_E0810, "%s names more than %d GPUs",
                        gpus->variable, PBT_GPUS_MAX);
    }
    char *name = gpus->names[gpus->count++];
    memcpy(name, text, length);
    name[length] = '\0';
    return PBT_OK;
}

/* "0,2" or UUIDs; "", "-1" and CUDA's "NoDevFiles" hide them all. */
static int take_list(struct pbt_gpus *gpus, const char *value,
                     struct pbt_error *error)
{
    const char *text = value;
    if (value[strspn(value, " ")] == '\0' || strcmp(value, "-1") == 0 ||
        strcmp(value, "NoDevFiles") == 0) {
        return PBT_OK;
    }
    for (;;) {
        text += strspn(text, " ");
        size_t length = strcspn(text, ", ");
        int status = take_device(gpus, value, text, length, error);
        if (status != PBT_OK) {
            return status;
        }
        text += length;
        text += strspn(text, " ");
        if (*text == '\0') {
            return PBT_OK;
        }
        if (*text != ',') {
            return pbt_fail(error, PBT_E0810, "%s=%s: commas part devices",
                            gpus->variable, value);
        }
        text++;
    }
}

/* --- the kernel module's directory ------------------------------------------ */

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

/* The directories of devices, "0000:3b:00.0", in the order of the bus. */
static uint32_t list_proc(const char *proc,
                          char names[PBT_GPUS_MAX][PBT_GPU_NAME_SIZE])
{
    uint32_t count = 0;
    DIR *dir = opendir(proc);
    const struct dirent *entry;
    if (dir == NULL) {
        return 0;
    }
    while (count < PBT_GPUS_MAX && (entry = readdir(dir)) != NULL) {
        size_t length = strlen(entry->d_name);
        if (entry->d_name[0] != '.' && length < PBT_GPU_NAME_SIZE) {
            memcpy(names[count++], entry->d_name, length + 1);
        }
    }
    (void)closedir(dir);
    qsort(names, count, PBT_GPU_NAME_SIZE, by_name);
    return count;
}

/* Its UUID, from the line "GPU UUID: ..."; it may be hidden behind question marks. */
static bool read_uuid(const char *proc, const char *device,
                      char uuid[PBT_GPU_NAME_SIZE])
{
    char path[4096];
    char line[256];
    bool found = false;
    (void)snprintf(path, sizeof path, "%s/%s/information", proc, device);
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        if (strncmp(line, "GPU UUID:", 9) == 0) {
            const char *text = line + 9 + strspn(line + 9, " \t");
            size_t length = strcspn(text, " \t\n");
            found = strncmp(text, "GPU-", 4) == 0 && is_device(text, length);
            if (found) {
                memcpy(uuid, text, length);
                uuid[length] = '\0';
            }
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

static bool find_proc(const char *proc, struct pbt_gpus *gpus)
{
    bool named = true;
    gpus->count = list_proc(proc, gpus->names);
    for (uint32_t i = 0; i < gpus->count && named; i++) {
        char uuid[PBT_GPU_NAME_SIZE];
        named = read_uuid(proc, gpus->names[i], uuid);
        if (named) {
            memcpy(gpus->names[i], uuid, sizeof uuid);
        }
    }
    gpus->pci_order = !named;
    for (uint32_t i = 0; i < gpus->count && !named; i++) {
        (void)snprintf(gpus->names[i], PBT_GPU_NAME_SIZE, "%u", (unsigned)i);
    }
    return gpus->count > 0;
}

int pbt_gpus_find(const struct pbt_gpu_places *places, struct pbt_gpus *gpus,
                  struct pbt_error *error)
{
    /*
     * HIP's numbers count what ROCr has left, so the inner one is ours to narrow.
     */
    static const char *const variables[] = {CUDA, "HIP_VISIBLE_DEVICES",
                                            "ROCR_VISIBLE_DEVICES"};
    *gpus = (struct pbt_gpus){.variable = CUDA};
    for (size_t i = 0; i < sizeof variables / sizeof variables[0]; i++) {
        const char *value = value_of(places->added, variables[i]);
        if (value == NULL) {
            value = value_of(places->environment, variables[i]);
        }
        if (value != NULL) {
            gpus->variable = variables[i];
            gpus->found_in = variables[i];
            return take_list(gpus, value, error);
        }
    }
    if (pbt_nvml_find(places->nvml, gpus)) {
        gpus->found_in = "libnvidia-ml";
    } else if (find_proc(places->proc, gpus)) {
        gpus->found_in = "/proc/driver/nvidia";
    }
    return PBT_OK;
}
