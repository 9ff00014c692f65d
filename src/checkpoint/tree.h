/*
 * tree.h: the files below a directory, relative to an open descriptor.  Private to
 * src/checkpoint.
 */
#ifndef PBT_CHECKPOINT_TREE_H
#define PBT_CHECKPOINT_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

#define PBT_SUM_DIGITS 32

struct pbt_tree_file {
    char *name; /* "a/b", owned */
    uint64_t bytes;
    char sum[PBT_SUM_DIGITS + 1]; /* XXH3-128 in hexadecimal, or "" */
};

struct pbt_tree_files {
    struct pbt_tree_file *items; /* sorted by name after pbt_tree_list() */
    size_t count;
    size_t capacity;
};

void pbt_tree_files_done(struct pbt_tree_files *files);
/* Takes a copy of `name`. */
int pbt_tree_files_add(struct pbt_tree_files *files, const char *name,
                       uint64_t bytes, const char *sum,
                       struct pbt_error *error);

/* Sets `error` from errno, "can't <doing> <name>: ...", and returns its status. */
int pbt_file_error(struct pbt_error *error, const char *doing,
                   const char *name);

/*
 * Opens the directory `path` itself, never through a symbolic link at its end.
 * PBT_ENOINPUT: there is none.  PBT_EDATA: it is something else.
 */
int pbt_tree_open(const char *path, int *fd, struct pbt_error *error);

/*
 * Lists the regular files below `fd`, all but the manifest on its top level, sorted.
 * `sync`: syncs each directory below it on the way.  PBT_EDATA: something that is
 * neither file nor directory, or a limit of checkpoint.h.
 */
int pbt_tree_list(int fd, bool sync, struct pbt_tree_files *files,
                  struct pbt_error *error);

/* Fills the sum of `file` from its content, and syncs it if asked to. */
int pbt_tree_sum(int fd, struct pbt_tree_file *file, bool sync,
                 struct pbt_error *error);

/* Removes all that lies below `fd`. */
int pbt_tree_clear(int fd, struct pbt_error *error);

/* The sum of bytes in memory, with its NUL. */
void pbt_sum_bytes(const void *bytes, size_t length,
                   char sum[PBT_SUM_DIGITS + 1]);

#endif
