/*
 * memory.h: the memory of this node.
 */
#ifndef PBT_VIEW_MEMORY_H
#define PBT_VIEW_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* In bytes, from /proc/meminfo; false if that can't be read. */
bool pbt_memory_look_up(uint64_t *used, uint64_t *total);

#endif
