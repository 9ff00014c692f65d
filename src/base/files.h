/*
 * files.h: the few file operations that the journal needs, behind a table, so that
 * the simulator can put a disk of its own below it: one that loses what was not synced.
 *
 * All return PBT_OK or a status with a message that names the path and the system's
 * reason.
 */
#ifndef PBT_BASE_FILES_H
#define PBT_BASE_FILES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/buf.h"

struct pbt_file; /* open for appending */
struct pbt_files;

struct pbt_files_ops {
    /* Creates; PBT_ECANTCREATE with errno EEXIST's text if there is one already. */
    int (*create)(struct pbt_files *files, const char *path,
                  struct pbt_file **file, struct pbt_error *error);
    /* Appends all bytes, in one write() unless the system splits it. */
    int (*append)(struct pbt_file *file, const void *bytes, size_t length,
                  struct pbt_error *error);
    /* What was appended is on the disk afterwards.  Thread-safe beside append. */
    int (*sync)(struct pbt_file *file, struct pbt_error *error);
    void (*close)(struct pbt_file *file);
    /* Syncs an existing file that is not open, or (its names) a directory. */
    int (*sync_path)(struct pbt_files *files, const char *path,
                     struct pbt_error *error);
    /*
     * Appends up to `length` bytes from `offset` on to `content`: fewer only at the end of
     * the file.  PBT_ENOINPUT if there is none.
     */
    int (*read)(struct pbt_files *files, const char *path, uint64_t offset,
                size_t length, struct pbt_buf *content,
                struct pbt_error *error);
    bool (*exists)(struct pbt_files *files, const char *path);
    /*
     * Replaces a file, or makes it, as a whole and synced; its name is safe after
     * sync_path() of the directory.
     */
    int (*replace)(struct pbt_files *files, const char *path, const void *bytes,
                   size_t length, struct pbt_error *error);
    /* Removes a file, if there is one. */
    int (*remove)(struct pbt_files *files, const char *path,
                  struct pbt_error *error);
    /* Calls fn with the name of everything in a directory; none if there is none. */
    int (*list)(struct pbt_files *files, const char *dir,
                void (*fn)(void *user, const char *name), void *user,
                struct pbt_error *error);
};

struct pbt_files {
    const struct pbt_files_ops *ops;
};

/* The real ones. */
struct pbt_files *pbt_files_posix(void);

/* Replaces a file as a whole: temporary name, sync if asked, rename. */
int pbt_file_replace(const char *path, const void *bytes, size_t length,
                     bool sync, struct pbt_error *error);

/* Makes a directory and those above it; existing ones are fine. */
int pbt_make_dirs(const char *path, struct pbt_error *error);

#endif
