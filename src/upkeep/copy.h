/*
 * copy.h: files of a run, copied one by one.  Private to src/upkeep.
 */
#ifndef PBT_UPKEEP_COPY_H
#define PBT_UPKEEP_COPY_H

#include <stdbool.h>
#include <stdint.h>

#include <pbt/error.h>

#include "journal/journal.h"

/*
 * Copies the first `limit` bytes of the file `name`, or all that are there, from a run's directory
 * to another; they are on the disk afterwards.  `optional`: one that isn't there is none.
 */
int pbt_copy_file(const char *run, const char *to, const char *name,
                  uint64_t limit, bool optional, struct pbt_error *error);

/*
 * Copies a journal up to where it was read, into the directory `to`, which has an empty one, and
 * reads the copy.
 */
int pbt_copy_journal(const char *run, const char *to,
                     const struct pbt_journal_info *read,
                     struct pbt_error *error);

/* The bytes of the journal of a run behind where it was read. */
uint64_t pbt_journal_rest(const char *run, const struct pbt_journal_info *read);

#endif
