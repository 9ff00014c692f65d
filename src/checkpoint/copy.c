#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/checkpoint.h"
#include "checkpoint/tree.h"

#define CHUNK ((size_t)1 << 20)

static int copy_bytes(int from, int to, const char *name, char *chunk,
                      struct pbt_error *error)
{
    for (;;) {
        ssize_t got = read(from, chunk, CHUNK);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return pbt_file_error(error, "read", name);
        }
        if (got == 0) {
            return PBT_OK;
        }
        for (ssize_t done = 0; done < got;) {
            ssize_t put = write(to, chunk + done, (size_t)(got - done));
            if (put < 0 && errno != EINTR) {
                return pbt_file_error(error, "write", name);
            }
            done += put > 0 ? put : 0;
        }
    }
}

/* Directories, also empty ones, which no list of files has. */
static int copy_dirs(int from, int to, int depth, struct pbt_error *error)
{
    int again = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *stream = again < 0 ? NULL : fdopendir(again);
    int status = PBT_OK;
    const struct dirent *item;
    if (stream == NULL) {
        status = pbt_file_error(error, "read", "a directory");
        if (again >= 0) {
            (void)close(again);
        }
        return status;
    }
    while (status == PBT_OK && (item = readdir(stream)) != NULL) {
        const char *name = item->d_name;
        struct stat about;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
            fstatat(from, name, &about, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISDIR(about.st_mode) || depth >= PBT_CHECKPOINT_DEPTH_MAX) {
            continue; /* what doesn't belong there is found with the files */
        }
        int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
        int inner = openat(from, name, flags);
        int copy = inner >= 0 && mkdirat(to, name, 0700) == 0
                       ? openat(to, name, flags)
                       : -1;
        status = copy < 0 ? pbt_file_error(error, "copy", name)
                          : copy_dirs(inner, copy, depth + 1, error);
        if (copy >= 0) {
            (void)close(copy);
        }
        if (inner >= 0) {
            (void)close(inner);
        }
    }
    (void)closedir(stream);
    return status;
}

static int copy_file(int from, int to, const char *name, char *chunk,
                     struct pbt_error *error)
{
    int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (in < 0) {
        return pbt_file_error(error, "open", name);
    }
    int out = openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    int status = out < 0 ? pbt_file_error(error, "make", name)
                         : copy_bytes(in, out, name, chunk, error);
    if (out >= 0 && close(out) != 0 && status == PBT_OK) {
        status = pbt_file_error(error, "write", name);
    }
    (void)close(in); /* it was only read */
    return status;
}

static int copy_all(int from, int to, bool manifest, struct pbt_error *error)
{
    struct pbt_tree_files files = {.items = NULL};
    char *chunk = malloc(CHUNK);
    int status = chunk == NULL
                     ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                     : pbt_tree_list(from, false, &files, error);
    if (status == PBT_OK) {
        status = copy_dirs(from, to, 0, error);
    }
    for (size_t i = 0; i < files.count && status == PBT_OK; i++) {
        status = copy_file(from, to, files.items[i].name, chunk, error);
    }
    /* Last: it is what a deletion takes first, so all else was there until now. */
    if (status == PBT_OK && manifest) {
        status = copy_file(from, to, PBT_CHECKPOINT_MANIFEST, chunk, error);
    }
    pbt_tree_files_done(&files);
    free(chunk);
    return status;
}

static int copy_tree(const char *from, const char *to, bool manifest,
                     struct pbt_error *error)
{
    int in;
    int out;
    int status = pbt_tree_open(from, &in, error);
    if (status != PBT_OK) {
        return status;
    }
    if (mkdir(to, 0700) != 0) {
        status = pbt_file_error(error, "make", to);
    } else {
        status = pbt_tree_open(to, &out, error);
        if (status == PBT_OK) {
            status = copy_all(in, out, manifest, error);
            (void)close(out);
        }
    }
    (void)close(in);
    return status;
}

int pbt_checkpoint_copy(const char *from, const char *to,
                        struct pbt_error *error)
{
    return copy_tree(from, to, false, error);
}

/* --- with its manifest ---------------------------------------------------- */

static int sync_manifest(const char *path, struct pbt_error *error)
{
    int fd;
    int status = pbt_tree_open(path, &fd, error);
    if (status != PBT_OK) {
        return status;
    }
    int manifest =
        openat(fd, PBT_CHECKPOINT_MANIFEST, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (manifest < 0 || fsync(manifest) != 0) {
        status = pbt_file_error(error, "sync", PBT_CHECKPOINT_MANIFEST);
    }
    if (manifest >= 0) {
        (void)close(manifest);
    }
    (void)close(fd);
    return status;
}

static void keep_first(void *user, const char *file, const char *what)
{
    struct pbt_error *first = user;
    if (first->status == PBT_OK) {
        (void)pbt_error_set(first, PBT_EDATA, "%s%s%s", file,
                            file[0] == '\0' ? "" : " ", what);
    }
}

int pbt_checkpoint_clone(const char *from, const char *to, uint64_t *bytes,
                         struct pbt_error *error)
{
    struct pbt_error first = {.status = PBT_OK};
    if (access(from, F_OK) != 0) {
        return pbt_error_set(error, PBT_ENOINPUT, "checkpoint %s is missing",
                             from);
    }
    int status = copy_tree(from, to, true, error);
    if (status == PBT_OK) {
        status = pbt_checkpoint_differences(to, true, keep_first, &first, bytes,
                                            error);
    }
    if (status == PBT_OK && first.status != PBT_OK) {
        status = pbt_error_set(error, PBT_EDATA, "%s", first.text);
    }
    if (status == PBT_OK) {
        status = sync_manifest(to, error);
    }
    return status == PBT_OK
               ? PBT_OK
               : pbt_error_prefix(error, status, "checkpoint %s", from);
}
