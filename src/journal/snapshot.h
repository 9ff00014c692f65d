/*
 * snapshot.h: files that hold the state as of a record, so that a resume need not read the
 * whole journal.
 *
 *     snapshots/000000100000.bin
 *
 * A projection of the journal: they can be deleted, and one that can't be used is passed over.
 * The name is the number of the record that it stands at.  First a line,
 *
 *     {"snapshot":1,"record":100000,"segment":2,"bytes":40960,"lines":180,
 *      "closing":"<sum of the closing line there>","functions":false,"texts":3,
 *      "behind":123456,"body":"<XXH3-64 of what is behind>","xxh3":"<XXH3-64 of
 *      this line before ,"xxh3">"}
 *
 * (in one), then the texts of configurations in the order of their handles (each its length
 * in 4 bytes, little-endian, and its bytes), then the state as pbt_core_save() gives it.
 *
 * Written under a temporary name, synced and renamed; and only once a sync covers the
 * journal up to that record, so that no snapshot is ahead of its journal.
 */
#ifndef PBT_JOURNAL_SNAPSHOT_H
#define PBT_JOURNAL_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/buf.h"
#include "base/files.h"
#include "base/texts.h"
#include "journal/journal.h"

/* The newest ones that stay: one may be damaged. */
#define PBT_SNAPSHOTS_KEPT 2

struct pbt_snapshot {
    struct pbt_journal_place place;
    bool functions; /* the run explores with functions of its program */
    uint32_t text_count;
    const char **texts; /* in the order of their handles; not ended by a NUL */
    uint32_t *text_lengths;
    const char *state;
    size_t state_length;

    struct pbt_buf content; /* what the above points into */
};

/* The bytes of such a file.  Failures show in `out`. */
void pbt_snapshot_write(const struct pbt_journal_place *place, bool functions,
                        const struct pbt_texts *texts,
                        const struct pbt_buf *state, struct pbt_buf *out);

/* Puts it in its place, and removes those that are older than the newest few. */
int pbt_snapshot_store(struct pbt_files *files, const char *dir,
                       uint64_t record, const void *bytes, size_t length,
                       struct pbt_error *error);

/*
 * The records that there are snapshots of, the newest first, to be freed; none if there is no
 * such directory.
 */
int pbt_snapshot_list(struct pbt_files *files, const char *dir,
                      uint64_t **records, size_t *count,
                      struct pbt_error *error);

/*
 * PBT_EDATA: it is torn or damaged, or of a newer version.  On success release it with
 * pbt_snapshot_done().
 */
int pbt_snapshot_read(struct pbt_snapshot *snapshot, struct pbt_files *files,
                      const char *dir, uint64_t record,
                      struct pbt_error *error);
void pbt_snapshot_done(struct pbt_snapshot *snapshot);

int pbt_snapshot_remove(struct pbt_files *files, const char *dir,
                        uint64_t record, struct pbt_error *error);

/* Removes what a writer that died has left.  Nobody may be writing. */
int pbt_snapshot_sweep(struct pbt_files *files, const char *dir,
                       struct pbt_error *error);

#endif
