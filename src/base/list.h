/*
 * list.h: lists that grow by one item at a time and keep no capacity.
 */
#ifndef PBT_BASE_LIST_H
#define PBT_BASE_LIST_H

#include <stddef.h>

/*
 * The list of `count` items of `size` bytes with room for one more, perhaps in another place;
 * NULL without memory, and then the list is as it was.  NULL at first; all its memory is from
 * here, though its count may have fallen since.  The caller's; released by free().
 */
void *pbt_list_room(void *list, size_t count, size_t size);

#endif
