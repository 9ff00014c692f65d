/*
 * restore.h: where a state begins: at the newest snapshot that can be used, or at nothing.
 */
#ifndef PBT_DRIVER_RESTORE_H
#define PBT_DRIVER_RESTORE_H

#include <pbt/error.h>

#include "core/core.h"
#include "journal/journal.h"
#include "spec/spec.h"

struct pbt_restore {
    struct pbt_files *files;
    const char *journal_dir;
    const char *snapshot_dir; /* NULL: there are none */
    /* The run is to go on: it needs the functions that it explores with, and snapshots that
       can't be used are removed. */
    bool drives;
    /* Is told of each that can't be used, in one line; NULL: nobody. */
    void (*say)(void *user, const char *line);
    void *user;
};

/*
 * Makes a core, and says where in the journal the records are that follow on it
 * (place->record 0: at its beginning).  A snapshot that is damaged, of another version, or not of
 * this journal is passed over.  `spec` is its own, takes in texts, and is borrowed.
 */
int pbt_restore_core(const struct pbt_restore *restore, struct pbt_spec *spec,
                     struct pbt_core **core, struct pbt_journal_place *place,
                     struct pbt_error *error);

/* This run explores with functions of a program, and we are another. */
int pbt_restore_no_functions(struct pbt_error *error);

#endif
