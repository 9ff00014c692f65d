/*
 * cpus.h: how many CPUs this machine gives us.
 */
#ifndef PBT_BASE_CPUS_H
#define PBT_BASE_CPUS_H

/*
 * The CPUs that this process may run on (its affinity), or less if its cgroup
 * (cgroup.h) or one above grants less time than that; a fraction is possible.  Above 0.
 */
double pbt_cpus(void);

#endif
