#include "log/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A file that grows keeps its buffer up to this size. */
#define KEPT_CAPACITY ((size_t)16 * 1024)

static int failed(struct pbt_error *error, const char *what, const char *path)
{
    int code = errno;
    int status = code == ENOSPC || code == EDQUOT  ? PBT_ETEMP
                 : code == EACCES || code == EPERM ? PBT_EPERM
                                                   : PBT_EIO;
    return pbt_error_set(error, status, "can't %s %s: %s", what, path,
                         strerror(code));
}

/* Opens a file to write it, with its directory if that is missing. */
static int open_write(const struct pbt_log_dir *dir, const char *path,
                      int flags)
{
    int all = flags | O_WRONLY | O_CREAT | O_CLOEXEC;
    int fd = openat(dir->fd, path, all, 0600);
    const char *slash = strrchr(path, '/');
    if (fd < 0 && errno == ENOENT && slash != NULL) {
        char parent[PBT_LOG_PATH_SIZE];
        size_t length = (size_t)(slash - path);
        if (length >= sizeof parent) {
            errno = ENAMETOOLONG;
            return -1;
        }
        memcpy(parent, path, length);
        parent[length] = '\0';
        if (mkdirat(dir->fd, parent, 0700) != 0 && errno != EEXIST) {
            return -1;
        }
        fd = openat(dir->fd, path, all, 0600);
    }
    return fd;
}

static int write_all(int fd, const char *bytes, size_t length, off_t at)
{
    while (length > 0) {
        ssize_t n = pwrite(fd, bytes, length, at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            if (n == 0) {
                errno = ENOSPC;
            }
            return -1;
        }
        bytes += n;
        at += n;
        length -= (size_t)n;
    }
    return 0;
}

int pbt_log_file_cut(const struct pbt_log_dir *dir, const char *path,
                     struct pbt_log_file *file, struct pbt_error *error)
{
    int status = pbt_hold_ask(&dir->hold, error);
    if (status != PBT_OK) {
        return status;
    }
    int fd = openat(dir->fd, path, O_WRONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        file->bytes = 0;
        file->record = 0;
        return PBT_OK;
    }
    if (fd < 0) {
        return failed(error, "open", path);
    }
    struct stat info;
    if (fstat(fd, &info) != 0) {
        status = failed(error, "look at", path);
    } else {
        if ((uint64_t)info.st_size < file->bytes) {
            file->bytes = 0;
            file->record = 0;
        }
        if ((uint64_t)info.st_size > file->bytes &&
            ftruncate(fd, (off_t)file->bytes) != 0) {
            status = failed(error, "cut", path);
        }
    }
    if (close(fd) != 0 && status == PBT_OK) {
        status = failed(error, "close", path);
    }
    /* What it held may never come again, and a rebuild makes no empty file. */
    return status == PBT_OK && file->bytes == 0
               ? pbt_log_remove(dir, path, error)
               : status;
}

int pbt_log_file_append(const struct pbt_log_dir *dir, const char *path,
                        struct pbt_log_file *file, struct pbt_error *error)
{
    struct pbt_buf *pending = &file->pending;
    if (pending->length == 0) {
        return PBT_OK;
    }
    int status = pbt_hold_ask(&dir->hold, error);
    if (status != PBT_OK) {
        return status;
    }
    int fd = open_write(dir, path, 0);
    if (fd < 0) {
        return failed(error, "open", path);
    }
    /* At the known place, not the end: an earlier try may have written half. */
    if (write_all(fd, pending->data, pending->length, (off_t)file->bytes) !=
        0) {
        status = failed(error, "write", path);
    }
    if (close(fd) != 0 && status == PBT_OK) {
        status = failed(error, "close", path);
    }
    if (status == PBT_OK) {
        file->bytes += pending->length;
        if (pending->capacity > KEPT_CAPACITY) {
            pbt_buf_done(pending);
        }
        pbt_buf_reset(pending);
    }
    return status;
}

int pbt_log_open_read(const struct pbt_log_dir *dir, const char *path, int *fd,
                      struct pbt_error *error)
{
    *fd = openat(dir->fd, path, O_RDONLY | O_CLOEXEC);
    if (*fd < 0 && errno != ENOENT) {
        return failed(error, "open", path);
    }
    return PBT_OK;
}

int pbt_log_read(const struct pbt_log_dir *dir, const char *path,
                 struct pbt_buf *out, bool *found, struct pbt_error *error)
{
    int fd;
    int status = pbt_log_open_read(dir, path, &fd, error);
    *found = fd >= 0;
    if (fd < 0) {
        return status;
    }
    char block[65536];
    ssize_t n;
    do {
        n = read(fd, block, sizeof block);
        if (n > 0) {
            pbt_buf_put(out, block, (size_t)n);
        }
    } while (n > 0 || (n < 0 && errno == EINTR));
    if (n < 0) {
        status = failed(error, "read", path);
    } else if (pbt_buf_failed(out)) {
        status = pbt_error_set(error, PBT_ENOMEM, "%s is too long", path);
    }
    (void)close(fd); /* it was only read */
    return status;
}

/* --- replacing ----------------------------------------------------------- */

static void temporary_name(char name[PBT_LOG_PATH_SIZE + 4], const char *path)
{
    (void)snprintf(name, PBT_LOG_PATH_SIZE + 4, "%s.tmp", path);
}

int pbt_log_swap_begin(struct pbt_log_swap *swap, const struct pbt_log_dir *dir,
                       const char *path, struct pbt_error *error)
{
    *swap = (struct pbt_log_swap){.dir = dir, .fd = -1, .path = path};
    temporary_name(swap->temporary, path);
    swap->fd = open_write(dir, swap->temporary, O_TRUNC | O_APPEND);
    if (swap->fd < 0) {
        return failed(error, "create", swap->temporary);
    }
    return PBT_OK;
}

int pbt_log_swap_write(struct pbt_log_swap *swap, const void *bytes,
                       size_t length, struct pbt_error *error)
{
    const char *from = bytes;
    while (length > 0) {
        ssize_t n = write(swap->fd, from, length);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n < 0) {
            return failed(error, "write", swap->temporary);
        }
        from += n;
        length -= (size_t)n;
    }
    return PBT_OK;
}

int pbt_log_swap_commit(struct pbt_log_swap *swap, struct pbt_error *error)
{
    int fd = swap->fd;
    swap->fd = -1;
    if (close(fd) != 0) {
        return failed(error, "close", swap->temporary);
    }
    int status = pbt_hold_ask(&swap->dir->hold, error);
    if (status != PBT_OK) {
        return status;
    }
    if (renameat(swap->dir->fd, swap->temporary, swap->dir->fd, swap->path) !=
        0) {
        return failed(error, "replace", swap->path);
    }
    return PBT_OK;
}

void pbt_log_swap_abandon(struct pbt_log_swap *swap)
{
    /* Whatever failed has been told; the next begin truncates what is left. */
    if (swap->fd >= 0) {
        (void)close(swap->fd);
        swap->fd = -1;
    }
    (void)unlinkat(swap->dir->fd, swap->temporary, 0);
}

int pbt_log_replace(const struct pbt_log_dir *dir, const char *path,
                    const void *bytes, size_t length, struct pbt_error *error)
{
    struct pbt_log_swap swap;
    int status = pbt_log_swap_begin(&swap, dir, path, error);
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_log_swap_write(&swap, bytes, length, error);
    if (status == PBT_OK) {
        status = pbt_log_swap_commit(&swap, error);
    }
    if (status != PBT_OK) {
        pbt_log_swap_abandon(&swap);
    }
    return status;
}

int pbt_log_remove(const struct pbt_log_dir *dir, const char *path,
                   struct pbt_error *error)
{
    int status = pbt_hold_ask(&dir->hold, error);
    if (status == PBT_OK && unlinkat(dir->fd, path, 0) != 0 &&
        errno != ENOENT) {
        status = failed(error, "remove", path);
    }
    return status;
}

int pbt_log_remove_temporary(const struct pbt_log_dir *dir, const char *path,
                             struct pbt_error *error)
{
    char temporary[PBT_LOG_PATH_SIZE + 4];
    temporary_name(temporary, path);
    return pbt_log_remove(dir, temporary, error);
}
