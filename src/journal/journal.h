/*
 * journal.h: the truth of a run: records as JSON lines in segments, appended in
 * batches.
 *
 *     journal/000001.jsonl, 000002.jsonl, ...
 *
 * One segment per driver start; its number is the incarnation.  The first line is
 *
 *     {"journal":1,"segment":2,"previous":{"segment":1,"bytes":40960}}
 *
 * and says which segment comes before it (0: none) and how much of that counts: what
 * a driver thought dead may still write there is not part of the history.  It is
 * the one with the next smaller number, unless that has only a torn first line: then its
 * driver died before it wrote anything, and if it should wake, nothing counts.  Then batches: lines of records
 * (journal/entry.h), and a closing line
 *
 *     {"batch":3,"bytes":512,"xxh3":"0123456789abcdef"}
 *
 * with the number of records, the length of their lines in bytes and the XXH3-64 of
 * them.  The closing line is a checksum, not a transaction.
 *
 * Validity: all batches of a segment up to the length that its successor gives; of
 * the last segment, all up to its last good closing line.  What follows there is
 * a torn tail: it is cut and reported.  Damage anywhere else is refused.
 */
#ifndef PBT_JOURNAL_JOURNAL_H
#define PBT_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/buf.h"
#include "base/files.h"

struct pbt_journal;

/* Is given each line of a record in order; a failure ends the reading. */
typedef int (*pbt_journal_line_fn)(void *user, const char *line, size_t length,
                                   struct pbt_error *error);

/*
 * A place between two batches: what a snapshot stands at.  Reading can begin there; what is
 * before it is then not looked at.
 */
struct pbt_journal_place {
    uint64_t record; /* the number of the last record before it */
    uint64_t segment;
    uint64_t bytes; /* of the segment, before it */
    uint64_t lines; /* of these */
    char sum
        [17]; /* xxh3 of the closing line right before it, as it stands there */
};

struct pbt_journal_info {
    uint64_t segments;     /* that exist */
    uint64_t records;      /* that count */
    uint64_t torn;         /* bytes after the last good closing line */
    uint64_t last_segment; /* that counts; 0: none */
    /* Of it that count; after PBT_EDATA: that are whole. */
    uint64_t last_bytes;
    /* Behind the last batch that was read, while it is read and after; segment 0: none was. */
    struct pbt_journal_place end;
};

/*
 * Reads what counts, and writes nothing: also beside a running driver.  `dir` is the
 * journal directory.  `fn` may be NULL: is it whole?  PBT_ENOINPUT: there is no segment.  PBT_EDATA: damage, with file and
 * line.
 */
int pbt_journal_read(struct pbt_files *files, const char *dir,
                     pbt_journal_line_fn fn, void *user,
                     struct pbt_journal_info *info, struct pbt_error *error);

/* True if what is there is not what was written; a newer version's journal is whole. */
bool pbt_journal_is_damage(const struct pbt_error *error);

/*
 * Finds how much of a damaged journal is whole, in `info`: the batches from its beginning that
 * pbt_journal_read() would give before it fails.  A segment whose first line is
 * damaged is left out with all that are behind it; of the one in front of it all good batches
 * are whole, since nobody says any more how much of it counts.  `damage` is what comes after the
 * last whole batch; its status is PBT_OK if nothing does.
 *
 * PBT_EDATA: not one record is whole, or a newer version of pbt wrote it.
 */
int pbt_journal_salvage(struct pbt_files *files, const char *dir,
                        struct pbt_journal_info *info, struct pbt_error *damage,
                        struct pbt_error *error);

/*
 * The same from a place on (NULL: from the beginning), which must have been found good by
 * pbt_journal_has().  info->records counts those before it too.
 */
int pbt_journal_read_from(struct pbt_files *files, const char *dir,
                          const struct pbt_journal_place *from,
                          pbt_journal_line_fn fn, void *user,
                          struct pbt_journal_info *info,
                          struct pbt_error *error);

/*
 * PBT_OK: the place is in what counts of this journal.  PBT_EDATA: it is not, `error` says
 * why.
 */
int pbt_journal_has(struct pbt_files *files, const char *dir,
                    const struct pbt_journal_place *place,
                    struct pbt_error *error);

/*
 * Opens for a new incarnation: syncs the last segment and its name, reads all that counts from a place on
 * (a journal without segments is a new one), and makes the next segment, its name synced
 * before anything else.  *incarnation is its number.
 */
int pbt_journal_open(struct pbt_journal **out, struct pbt_files *files,
                     const char *dir, const struct pbt_journal_place *from,
                     pbt_journal_line_fn fn, void *user,
                     struct pbt_journal_info *info, uint64_t *incarnation,
                     struct pbt_error *error);

/*
 * Appends a batch: `lines` are `count` whole lines; the closing line is added to them (and
 * taken away again).  After a failure, also one of a sync beside it, nothing is appended: it
 * is returned again.
 */
int pbt_journal_append(struct pbt_journal *journal, struct pbt_buf *lines,
                       uint64_t count, struct pbt_error *error);

/* Syncs all that was appended before the call.  May run beside appends. */
int pbt_journal_sync(struct pbt_journal *journal, struct pbt_error *error);

/* Behind the last batch that was appended. */
struct pbt_journal_place pbt_journal_end(const struct pbt_journal *journal);

/* Takes NULL.  Does not sync. */
void pbt_journal_close(struct pbt_journal *journal);

#endif
