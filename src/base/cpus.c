#define _GNU_SOURCE /* sched_getaffinity(), CPU_ALLOC() */

#include "base/cpus.h"

#include <limits.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CPUS_MAX (1u << 20)

static double affinity_cpus(void)
{
    /* The kernel refuses a set that is smaller than its own. */
    for (unsigned room = 1024; room <= CPUS_MAX; room *= 2) {
        cpu_set_t *set = CPU_ALLOC(room);
        if (set == NULL) {
            break;
        }
        size_t size = CPU_ALLOC_SIZE(room);
        CPU_ZERO_S(size, set);
        int got = sched_getaffinity(0, size, set);
        int count = got == 0 ? CPU_COUNT_S(size, set) : 0;
        CPU_FREE(set);
        if (count > 0) {
            return count;
        }
    }
    long online = sysconf(_SC_NPROCESSORS_ONLN);
    return online > 0 ? (double)online : 1;
}

/* What a cpu.max file ("150000 100000", or "max 100000") grants; 0: no limit. */
static double quota_cpus(const char *path)
{
    FILE *file = fopen(path, "re");
    char text[128] = "";
    if (file == NULL) {
        return 0;
    }
    const char *line = fgets(text, sizeof text, file);
    (void)fclose(file);
    if (line == NULL) {
        return 0;
    }
    char *end;
    double quota = strtod(text, &end);
    double period = end == text ? 0 : strtod(end, NULL);
    return quota > 0 && period > 0 ? quota / period : 0;
}

/* The path of our cgroup, "/user.slice/...", from its line "0::PATH". */
static bool cgroup_path(char *path, size_t size)
{
    FILE *file = fopen("/proc/self/cgroup", "re");
    bool found = false;
    if (file == NULL) {
        return false;
    }
    while (!found && fgets(path, (int)size, file) != NULL) {
        found = strncmp(path, "0::/", 4) == 0;
    }
    (void)fclose(file);
    if (found) {
        memmove(path, path + 3, strlen(path + 3) + 1);
        path[strcspn(path, "\n")] = '\0';
    }
    return found;
}

double pbt_cpus(void)
{
    double cpus = affinity_cpus();
    char cgroup[PATH_MAX];
    if (!cgroup_path(cgroup, sizeof cgroup)) {
        return cpus;
    }
    for (;;) {
        char path[PATH_MAX + 32];
        (void)snprintf(path, sizeof path, "/sys/fs/cgroup%s/cpu.max", cgroup);
        double quota = quota_cpus(path);
        if (quota > 0 && quota < cpus) {
            cpus = quota;
        }
        char *slash = strrchr(cgroup, '/');
        if (slash == NULL) {
            return cpus;
        }
        *slash = '\0';
    }
}
