/*
 * file.h: files that only grow, and files that are replaced: private to src/log.
 *
 * A growing file is never held open: between two flushes its lines wait in memory, and a
 * flush opens, writes and closes it.  So a thousand trials take no descriptors.  Paths are
 * relative to the directory `dir`.
 */
#ifndef PBT_LOG_FILE_H
#define PBT_LOG_FILE_H

#include <stdint.h>

#include <pbt/error.h>

#include "base/buf.h"
#include "base/hold.h"

#define PBT_LOG_PATH_SIZE 64
#define PBT_LOG_PENDING_MAX ((size_t)256 * 1024 * 1024)

/*
 * The run's directory.  Whatever changes a file asks `hold` right before: a driver that was taken
 * over would put an old file in place of a newer one.
 */
struct pbt_log_dir {
    int fd;
    struct pbt_hold hold;
};

struct pbt_log_file {
    /* What is on disk: this many bytes, and all records up to this one. */
    uint64_t bytes;
    uint64_t record;
    struct pbt_buf pending; /* what follows */
};

/*
 * Cuts a file back to file->bytes.  If it is shorter than that, `bytes` and
 * `record` are set to 0: it is to be written anew.  A file of 0 bytes is removed.
 */
int pbt_log_file_cut(const struct pbt_log_dir *dir, const char *path,
                     struct pbt_log_file *file, struct pbt_error *error);

/* Writes what is pending; a failed write can be tried again. */
int pbt_log_file_append(const struct pbt_log_dir *dir, const char *path,
                        struct pbt_log_file *file, struct pbt_error *error);

/* Puts `length` bytes in place of a file, or nothing. */
int pbt_log_replace(const struct pbt_log_dir *dir, const char *path,
                    const void *bytes, size_t length, struct pbt_error *error);

/* Opens for reading; *fd is -1 if there is no such file. */
int pbt_log_open_read(const struct pbt_log_dir *dir, const char *path, int *fd,
                      struct pbt_error *error);
/* Reads the whole of a small file; *found is false if there is none. */
int pbt_log_read(const struct pbt_log_dir *dir, const char *path,
                 struct pbt_buf *out, bool *found, struct pbt_error *error);

/*
 * A new file in place of an old one, written in pieces: begin, write, then commit or
 * abandon.  The name for the meantime is `path` with ".tmp".
 */
struct pbt_log_swap {
    const struct pbt_log_dir *dir;
    int fd;
    char temporary[PBT_LOG_PATH_SIZE + 4];
    const char *path; /* borrowed */
};

int pbt_log_swap_begin(struct pbt_log_swap *swap, const struct pbt_log_dir *dir,
                       const char *path, struct pbt_error *error);
int pbt_log_swap_write(struct pbt_log_swap *swap, const void *bytes,
                       size_t length, struct pbt_error *error);
int pbt_log_swap_commit(struct pbt_log_swap *swap, struct pbt_error *error);
void pbt_log_swap_abandon(struct pbt_log_swap *swap);

/* Removes a file; it need not be there. */
int pbt_log_remove(const struct pbt_log_dir *dir, const char *path,
                   struct pbt_error *error);
/* Removes what a swap of `path` that was cut short left behind. */
int pbt_log_remove_temporary(const struct pbt_log_dir *dir, const char *path,
                             struct pbt_error *error);

#endif
