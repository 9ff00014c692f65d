/*
 * manifest.h: the manifest of a checkpoint (its format: checkpoint.h).  Private to
 * src/checkpoint.
 */
#ifndef PBT_CHECKPOINT_MANIFEST_H
#define PBT_CHECKPOINT_MANIFEST_H

#include "checkpoint/tree.h"

/* Writes and syncs the manifest in the directory `fd`; syncs not the directory. */
int pbt_manifest_write(int fd, const char *made_by, size_t made_by_length,
                       const struct pbt_tree_files *files,
                       struct pbt_error *error);

/* Reads the list of files, sorted.  PBT_EDATA: no or no whole manifest. */
int pbt_manifest_read(int fd, struct pbt_tree_files *files,
                      struct pbt_error *error);

#endif
