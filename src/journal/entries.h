/*
 * entries.h: a journal, read record by record.
 */
#ifndef PBT_JOURNAL_ENTRIES_H
#define PBT_JOURNAL_ENTRIES_H

#include "journal/entry.h"
#include "journal/journal.h"

/* Is given each record in order; a failure ends the reading. */
typedef int (*pbt_journal_entry_fn)(void *user, const struct pbt_entry *entry,
                                    struct pbt_error *error);

/*
 * Reads the journal of the run in the directory `run` as pbt_journal_read() does, and so also
 * beside a driver at work.  `spec` takes in new texts.  A journal without segments is
 * PBT_ENOINPUT with info->segments 0: that run has not begun yet.
 */
int pbt_journal_entries(const char *run, struct pbt_spec *spec,
                        pbt_journal_entry_fn fn, void *user,
                        struct pbt_journal_info *info, struct pbt_error *error);

/* The same from a place on, as pbt_journal_read_from(). */
int pbt_journal_entries_from(const char *run, struct pbt_spec *spec,
                             const struct pbt_journal_place *from,
                             pbt_journal_entry_fn fn, void *user,
                             struct pbt_journal_info *info,
                             struct pbt_error *error);

#endif
