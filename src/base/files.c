#define _GNU_SOURCE /* fallocate */

#include "base/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct pbt_file {
    int fd;
    off_t bytes;
    off_t reserved; /* blocks of the file, up to here */
    char path[];
};

/* A file that is open for appending has blocks for so much more: see reserve(). */
#define AHEAD ((off_t)256 * 1024)

static int status_of_errno(int number)
{
    switch (number) {
    case EACCES:
    case EPERM:
    case EROFS:
        return PBT_EPERM;
    case ENOENT:
    case ENOTDIR:
        return PBT_ENOINPUT;
    case ENOSPC:
    case EDQUOT:
        return PBT_ETEMP;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
        return PBT_ENOMEM;
    default:
        return PBT_EIO;
    }
}

static int fail(struct pbt_error *error, const char *what, const char *path)
{
    int number = errno;
    return pbt_error_set(error, status_of_errno(number), "can't %s %s: %s",
                         what, path, strerror(number));
}

/*
 * On a full disk the journal goes on for a while: what is to make room there, a save that found
 * none for one, has records, too.  Where blocks can't be had ahead we do without.
 */
static void reserve(struct pbt_file *file, size_t length)
{
    off_t wanted = file->bytes + (off_t)length + AHEAD / 2;
    if (wanted <= file->reserved) {
        return;
    }
    wanted += AHEAD / 2;
    if (fallocate(file->fd, FALLOC_FL_KEEP_SIZE, file->reserved,
                  wanted - file->reserved) == 0) {
        file->reserved = wanted;
    } else if (errno != ENOSPC && errno != EDQUOT) {
        file->reserved = INT64_MAX; /* not on this file system: never again */
    }
}

static int posix_create(struct pbt_files *files, const char *path,
                        struct pbt_file **file, struct pbt_error *error)
{
    (void)files;
    size_t length = strlen(path) + 1;
    struct pbt_file *new = malloc(sizeof *new + length);
    if (new == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    memcpy(new->path, path, length);
    new->fd =
        open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);
    if (new->fd < 0) {
        int status = errno == EEXIST ? PBT_ECANTCREATE : status_of_errno(errno);
        (void)fail(error, "create", path);
        free(new);
        return status;
    }
    new->bytes = new->reserved = 0;
    reserve(new, 0);
    *file = new;
    return PBT_OK;
}

/*
 * A full disk may have room again in a moment: what a save that found none has left is being
 * removed (exec/local_room.c).  So an append tries again, `patience` times, before it fails.
 */
#define APPEND_PATIENCE 40

static bool try_again(unsigned *patience)
{
    static const struct timespec WAIT = {.tv_nsec = 50000000};
    bool full = errno == ENOSPC || errno == EDQUOT;
    if (!full || *patience == 0) {
        return errno == EINTR;
    }
    --*patience;
    (void)nanosleep(&WAIT, NULL);
    return true;
}

static int write_all(int fd, const void *bytes, size_t length,
                     unsigned patience)
{
    const char *at = bytes;
    while (length > 0) {
        ssize_t written = write(fd, at, length);
        if (written < 0) {
            if (try_again(&patience)) {
                continue;
            }
            return -1;
        }
        if (written == 0) { /* no system does; but it must not loop */
            errno = EIO;
            return -1;
        }
        at += written;
        length -= (size_t)written;
    }
    return 0;
}

static int posix_append(struct pbt_file *file, const void *bytes, size_t length,
                        struct pbt_error *error)
{
    reserve(file, length);
    if (write_all(file->fd, bytes, length, APPEND_PATIENCE) != 0) {
        return fail(error, "append to", file->path);
    }
    file->bytes += (off_t)length;
    return PBT_OK;
}

static int posix_sync(struct pbt_file *file, struct pbt_error *error)
{
    if (fdatasync(file->fd) != 0) {
        (void)fail(error, "sync", file->path);
        /* Whatever the reason: after a failed sync nothing is known. */
        return pbt_error_prefix(error, PBT_EIO, "the disk lost data");
    }
    return PBT_OK;
}

static void posix_close(struct pbt_file *file)
{
    struct stat about;
    if (file != NULL) {
        /* To the size that it has: what it has reserved goes. */
        if (fstat(file->fd, &about) == 0 &&
            ftruncate(file->fd, about.st_size) != 0) {
            file->reserved = 0; /* it takes a little more of the disk */
        }
        (void)close(file->fd); /* what matters was synced before */
        free(file);
    }
}

static int posix_sync_path(struct pbt_files *files, const char *path,
                           struct pbt_error *error)
{
    (void)files;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail(error, "open", path);
    }
    int status = PBT_OK;
    /* Some file systems can't sync a directory, and need not. */
    if (fsync(fd) != 0 && errno != EINVAL) {
        status = fail(error, "sync", path);
    }
    (void)close(fd);
    return status;
}

/* The bytes are there already: -1, or how many were read. */
static ssize_t read_all(int fd, char *to, size_t length, uint64_t offset)
{
    size_t done = 0;
    while (done < length) {
        ssize_t got =
            pread(fd, to + done, length - done, (off_t)(offset + done));
        if (got == 0) {
            break;
        }
        if (got < 0 && errno != EINTR) {
            return -1;
        }
        done += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)done;
}

static int posix_read(struct pbt_files *files, const char *path,
                      uint64_t offset, size_t length, struct pbt_buf *content,
                      struct pbt_error *error)
{
    (void)files;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail(error, "read", path);
    }
    int status = PBT_OK;
    if (!pbt_buf_reserve(content, length)) {
        status = pbt_error_set(error, PBT_ENOMEM,
                               "out of memory while reading %s", path);
    } else {
        ssize_t got =
            read_all(fd, content->data + content->length, length, offset);
        if (got < 0) {
            status = fail(error, "read", path);
        } else {
            content->length += (size_t)got;
        }
        content->data[content->length] = '\0';
    }
    (void)close(fd); /* it was only read */
    return status;
}

static bool posix_exists(struct pbt_files *files, const char *path)
{
    (void)files;
    return access(path, F_OK) == 0;
}

static int posix_replace(struct pbt_files *files, const char *path,
                         const void *bytes, size_t length,
                         struct pbt_error *error)
{
    (void)files;
    return pbt_file_replace(path, bytes, length, true, error);
}

static int posix_remove(struct pbt_files *files, const char *path,
                        struct pbt_error *error)
{
    (void)files;
    return unlink(path) == 0 || errno == ENOENT ? PBT_OK
                                                : fail(error, "remove", path);
}

static int posix_list(struct pbt_files *files, const char *dir,
                      void (*fn)(void *user, const char *name), void *user,
                      struct pbt_error *error)
{
    (void)files;
    DIR *open = opendir(dir);
    if (open == NULL) {
        return errno == ENOENT ? PBT_OK : fail(error, "read", dir);
    }
    const struct dirent *item;
    errno = 0;
    while ((item = readdir(open)) != NULL) {
        fn(user, item->d_name);
        errno = 0;
    }
    int status = errno == 0 ? PBT_OK : fail(error, "read", dir);
    (void)closedir(open);
    return status;
}

struct pbt_files *pbt_files_posix(void)
{
    static const struct pbt_files_ops OPS = {
        .create = posix_create,
        .append = posix_append,
        .sync = posix_sync,
        .close = posix_close,
        .sync_path = posix_sync_path,
        .read = posix_read,
        .exists = posix_exists,
        .replace = posix_replace,
        .remove = posix_remove,
        .list = posix_list,
    };
    static struct pbt_files posix = {.ops = &OPS};
    return &posix;
}

int pbt_file_replace(const char *path, const void *bytes, size_t length,
                     bool sync, struct pbt_error *error)
{
    char temporary[4096];
    int n = snprintf(temporary, sizeof temporary, "%s.tmp", path);
    if (n < 0 || (size_t)n >= sizeof temporary) {
        return pbt_error_set(error, PBT_EUSAGE, "path too long: %s", path);
    }
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return fail(error, "create", temporary);
    }
    bool written = write_all(fd, bytes, length, 0) == 0;
    written = written && (!sync || fsync(fd) == 0);
    int saved = errno;
    bool closed = close(fd) == 0;
    if (!written) {
        errno = saved;
    }
    if (!written || !closed) {
        int status = fail(error, "write", temporary);
        (void)unlink(temporary);
        return status;
    }
    if (rename(temporary, path) != 0) {
        return fail(error, "rename to", path);
    }
    return PBT_OK;
}

int pbt_make_dirs(const char *path, struct pbt_error *error)
{
    char part[4096];
    size_t length = strlen(path);
    if (length >= sizeof part) {
        return pbt_error_set(error, PBT_EUSAGE, "path too long: %s", path);
    }
    for (size_t i = 1; i <= length; i++) {
        if (path[i] != '/' && path[i] != '\0') {
            continue;
        }
        memcpy(part, path, i);
        part[i] = '\0';
        if (mkdir(part, 0700) != 0 && errno != EEXIST) {
            return fail(error, "make the directory", part);
        }
    }
    return PBT_OK;
}
