/*
 * cgroup.h: what the control groups above us grant, and whom they have killed: versions 1, 2,
 * and both at once.
 */
#ifndef PBT_BASE_CGROUP_H
#define PBT_BASE_CGROUP_H

#include <stdint.h>

/*
 * All read /proc/self/cgroup and /proc/self/mountinfo, and the limits of our group and
 * of those above it, as far as they are mounted; the smallest counts.  `root` is put
 * before every path: "" on a real machine, a recorded tree in tests.
 */

/* CPUs' worth of time, a fraction is possible.  0: no limit. */
double pbt_cgroup_cpus(const char *root);

/* Bytes of memory.  0: no limit. */
uint64_t pbt_cgroup_memory(const char *root);

/*
 * How many processes the kernel has killed so far for lack of memory: of our group, or, where that
 * can't be seen, of the machine.  0 if nothing can be seen.
 */
uint64_t pbt_cgroup_oom_kills(const char *root);

#endif
