/*
 * read.h: a run's journal, read record by record.
 */
#ifndef PBT_CLI_READ_H
#define PBT_CLI_READ_H

#include "journal/entry.h"
#include "journal/journal.h"

typedef int (*pbt_cli_entry_fn)(void *user, const struct pbt_entry *entry,
                                struct pbt_error *error);

/* Gives each record of the run in the directory `run` to `fn`; see pbt_journal_read(). */
int pbt_cli_read_journal(const char *run, struct pbt_spec *spec,
                         pbt_cli_entry_fn fn, void *user,
                         struct pbt_journal_info *info,
                         struct pbt_error *error);

#endif
