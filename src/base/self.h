/*
 * self.h: which program this process runs.
 */
#ifndef PBT_BASE_SELF_H
#define PBT_BASE_SELF_H

#include <stdbool.h>
#include <stddef.h>

/*
 * The path of this process's program, absolute; false, and an empty text, if it can't be told.
 * Without /proc it is the name that the program was started by, which holds until the working
 * directory changes or the file is moved.
 */
bool pbt_self_path(char *path, size_t size);

/* Whether it was linked statically, so that no library can be loaded into it. */
bool pbt_self_is_static(void);

#endif
