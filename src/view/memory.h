/*
 * memory.h: the memory of this node, and the room on a disk.
 */
#ifndef PBT_VIEW_MEMORY_H
#define PBT_VIEW_MEMORY_H

#include <stdbool.h>
#include <stdint.h>

/* In bytes, from /proc/meminfo; false if that can't be read. */
bool pbt_memory_look_up(uint64_t *used, uint64_t *total);

/* The bytes that are left for us where `path` is; UINT64_MAX: that can't be told. */
uint64_t pbt_disk_look_up(const char *path);

#endif
