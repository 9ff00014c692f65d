#define _GNU_SOURCE /* sched_getaffinity(), CPU_ALLOC() */

#include "base/cpus.h"

#include <sched.h>
#include <unistd.h>

#include "base/cgroup.h"

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

double pbt_cpus(void)
{
    double cpus = affinity_cpus();
    double granted = pbt_cgroup_cpus("");
    return granted > 0 && granted < cpus ? granted : cpus;
}
