/*
 * store.h: checkpoints in memory: what examples/papers/numbers.h says, for a directory that is
 * but a name.
 */
#ifndef PAPERS_STORE_H
#define PAPERS_STORE_H

#include "core/core.h"

#define STORE_DIR_SIZE 32

/* What numbers_save() and numbers_load() are given as a directory. */
void store_dir(struct pbt_checkpoint_id id, char dir[STORE_DIR_SIZE]);
/* Forgets all. */
void store_clear(void);

#endif
