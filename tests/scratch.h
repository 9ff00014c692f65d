/*
 * scratch.h: a directory for the files of one test program, and files in it.
 */
#ifndef PBT_TESTS_SCRATCH_H
#define PBT_TESTS_SCRATCH_H

#include <stddef.h>

extern char scratch[]; /* its path */

/* Of the whole group of tests: make it, and remove it with all that lies in it. */
int make_scratch(void **state);
int remove_scratch(void **state);

/* The path of a file in it, until the next call. */
const char *in_scratch(const char *name);
void write_file(const char *name, const void *bytes, size_t size);
/* Returns how many bytes there were, `size` at most. */
size_t read_file(const char *name, void *bytes, size_t size);

#endif
