/*
 * checkpoint.h: checkpoints on disk: sealed, immutable directories.
 *
 * A worker writes files into a temporary directory; pbt_checkpoint_seal() makes
 * them a checkpoint: each file is synced and hashed (XXH3-128), then the manifest is
 * written last, and the directory synced.  pbt_checkpoint_publish() gives it the
 * name that a record in the journal has for it.  From then on nothing changes it;
 * it is deleted as a whole.
 *
 * The manifest, PBT_CHECKPOINT_MANIFEST, is one JSON object:
 *     {"version": 1, "made_by": {...}, "files": [{"name": "model.bin",
 *      "bytes": 123, "xxh3": "<32 hex digits>"}, ...], "xxh3": "<of what precedes>"}
 * `files` is sorted by name (bytes); nested directories give names like "a/b"; empty
 * ones are kept but not listed.  The sum at the end is of all bytes before the text
 * `, "xxh3": "` that introduces it.  Anything but regular files and directories is
 * refused, and so are names that are no UTF-8, more than PBT_CHECKPOINT_FILES_MAX
 * files, and more than PBT_CHECKPOINT_DEPTH_MAX levels of directories.  A directory
 * without a whole manifest is no checkpoint.
 */
#ifndef PBT_CHECKPOINT_CHECKPOINT_H
#define PBT_CHECKPOINT_CHECKPOINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/hold.h"

#define PBT_CHECKPOINT_MANIFEST ".pbt_manifest.json"
#define PBT_CHECKPOINT_FILES_MAX 100000
#define PBT_CHECKPOINT_DEPTH_MAX 32

/*
 * Seals the directory `path`.  `made_by` is the JSON text of an object that says what
 * made the checkpoint (trial, epoch, iteration, configuration, ...).  *bytes is the sum of
 * the files' sizes.  A manifest that is there already (copied along by a worker) is
 * replaced.  PBT_ENOINPUT (no such directory), PBT_EIO, PBT_ETEMP (no space left),
 * PBT_EPERM, PBT_EDATA (something that is no regular file), PBT_ENOMEM.
 */
int pbt_checkpoint_seal(const char *path, const char *made_by,
                        size_t made_by_length, uint64_t *bytes,
                        struct pbt_error *error);

/*
 * Checks every file against the manifest: names and sizes first, then the sums.
 * PBT_OK, or PBT_EDATA with the first difference (missing or foreign file, size,
 * sum, manifest or directory missing or damaged); PBT_EIO, PBT_EPERM, PBT_ENOMEM if
 * that can't be told.
 */
int pbt_checkpoint_verify(const char *path, struct pbt_error *error);

/* The same without the sums: a list of the files and their sizes, which reads none of them. */
int pbt_checkpoint_look(const char *path, struct pbt_error *error);

/* The sum of the sizes of a checkpoint's files, or of those in any directory. */
int pbt_checkpoint_bytes(const char *path, uint64_t *bytes,
                         struct pbt_error *error);

/* `file`: its name below the checkpoint, or "" for the checkpoint itself; `what`: "is missing". */
typedef void (*pbt_difference_fn)(void *user, const char *file,
                                  const char *what);

/*
 * Tells `fn` everything that pbt_checkpoint_verify() would stop at, and what can't be read.
 * `sync`: what is looked at is on the disk afterwards.  *bytes is the sum of the files' sizes.
 * PBT_OK whatever was found; PBT_ENOMEM, or with `sync` PBT_EIO.
 */
int pbt_checkpoint_differences(const char *path, bool sync,
                               pbt_difference_fn fn, void *user,
                               uint64_t *bytes, struct pbt_error *error);

/*
 * Renames `from` to `to`, which must not exist (PBT_EDATA), both in one directory
 * (else PBT_EUSAGE).  PBT_ENOINPUT: there is no `from`.  It waits for no disk: the name
 * is durable once the caller has synced that directory.
 */
int pbt_checkpoint_publish(const char *from, const char *to,
                           struct pbt_error *error);

/*
 * Copies the files of a directory, all but a manifest, into the new directory `to`, which
 * must not exist: to be sealed then.  What a failure leaves there is the caller's to
 * delete.  PBT_ENOINPUT: there is no `from`; else as pbt_checkpoint_seal().
 */
int pbt_checkpoint_copy(const char *from, const char *to,
                        struct pbt_error *error);

/*
 * Copies a checkpoint with its manifest, into the new directory `to`, syncs the copy and verifies
 * it.  *bytes is the sum of the files' sizes.  PBT_ENOINPUT: there is none, or it was deleted
 * meanwhile.  PBT_EDATA: it is damaged.  What a failure leaves is the caller's to delete.
 */
int pbt_checkpoint_clone(const char *from, const char *to, uint64_t *bytes,
                         struct pbt_error *error);

/*
 * Removes a checkpoint or a temporary directory, its manifest first, so that what an
 * interrupted delete leaves is no checkpoint; none there is no error.  No symbolic
 * link is followed: one in place of `path` is PBT_EDATA, one inside is removed.
 */
int pbt_checkpoint_delete(const char *path, struct pbt_error *error);

/*
 * The same if `hold` says yes once the directory is open; what is removed is what was opened.  So
 * whoever was stopped after he found it, and wakes when the run has another driver, removes
 * nothing that was put in its place.
 */
int pbt_checkpoint_delete_held(const char *path, const struct pbt_hold *hold,
                               struct pbt_error *error);

#endif
