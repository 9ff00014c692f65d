#define _GNU_SOURCE /* renameat2 */

#include "checkpoint/checkpoint.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "checkpoint/manifest.h"
#include "checkpoint/tree.h"

static int seal_files(int fd, const char *made_by, size_t made_by_length,
                      struct pbt_tree_files *files, uint64_t *bytes,
                      struct pbt_error *error)
{
    int status = pbt_tree_list(fd, true, files, error);
    uint64_t sum = 0;
    for (size_t i = 0; status == PBT_OK && i < files->count; i++) {
        status = pbt_tree_sum(fd, &files->items[i], true, error);
        sum += files->items[i].bytes;
    }
    if (status == PBT_OK) {
        status = pbt_manifest_write(fd, made_by, made_by_length, files, error);
    }
    if (status == PBT_OK && fsync(fd) != 0) {
        status = pbt_file_error(error, "sync", "the directory");
    }
    if (status == PBT_OK) {
        *bytes = sum;
    }
    return status;
}

int pbt_checkpoint_seal(const char *path, const char *made_by,
                        size_t made_by_length, uint64_t *bytes,
                        struct pbt_error *error)
{
    int fd;
    struct pbt_tree_files files = {0};
    int status = pbt_tree_open(path, &fd, error);
    if (status != PBT_OK) {
        return status;
    }
    status = seal_files(fd, made_by, made_by_length, &files, bytes, error);
    pbt_tree_files_done(&files);
    (void)close(fd);
    return status == PBT_OK
               ? PBT_OK
               : pbt_error_prefix(error, status, "can't seal %s", path);
}

/* Both lists are sorted: the first name that only one of them has. */
static int compare_lists(const struct pbt_tree_files *found,
                         const struct pbt_tree_files *listed,
                         struct pbt_error *error)
{
    for (size_t i = 0; i < found->count || i < listed->count; i++) {
        const struct pbt_tree_file *have =
            i < found->count ? &found->items[i] : NULL;
        const struct pbt_tree_file *want =
            i < listed->count ? &listed->items[i] : NULL;
        assert(have != NULL || want != NULL);
        int order = have == NULL   ? 1
                    : want == NULL ? -1
                                   : strcmp(have->name, want->name);
        if (order < 0) {
            return pbt_error_set(error, PBT_EDATA, "%s is not in the manifest",
                                 have->name);
        }
        if (order > 0) {
            return pbt_error_set(error, PBT_EDATA, "%s is missing", want->name);
        }
        assert(have != NULL && want != NULL);
        if (have->bytes != want->bytes) {
            return pbt_error_set(error, PBT_EDATA,
                                 "%s has %llu bytes, not %llu", have->name,
                                 (unsigned long long)have->bytes,
                                 (unsigned long long)want->bytes);
        }
    }
    return PBT_OK;
}

static int verify_files(int fd, bool sums, struct pbt_tree_files *found,
                        struct pbt_tree_files *listed, struct pbt_error *error)
{
    int status = pbt_manifest_read(fd, listed, error);
    if (status == PBT_OK) {
        status = pbt_tree_list(fd, false, found, error);
    }
    if (status == PBT_OK) {
        status = compare_lists(found, listed, error);
    }
    for (size_t i = 0; sums && status == PBT_OK && i < found->count; i++) {
        assert(found->items != NULL && listed->items != NULL);
        status = pbt_tree_sum(fd, &found->items[i], false, error);
        if (status == PBT_OK &&
            strcmp(found->items[i].sum, listed->items[i].sum) != 0) {
            status = pbt_error_set(error, PBT_EDATA,
                                   "%s is damaged (its XXH3 differs)",
                                   found->items[i].name);
        }
    }
    return status;
}

static int verify(const char *path, bool sums, struct pbt_error *error)
{
    int fd;
    struct pbt_tree_files found = {0};
    struct pbt_tree_files listed = {0};
    int status = pbt_tree_open(path, &fd, error);
    if (status == PBT_OK) {
        status = verify_files(fd, sums, &found, &listed, error);
        pbt_tree_files_done(&found);
        pbt_tree_files_done(&listed);
        (void)close(fd);
    }
    if (status == PBT_ENOINPUT) { /* it is gone, as a whole or in part */
        status = PBT_EDATA;
    }
    return status == PBT_OK
               ? PBT_OK
               : pbt_error_prefix(error, status, "checkpoint %s", path);
}

int pbt_checkpoint_verify(const char *path, struct pbt_error *error)
{
    return verify(path, true, error);
}

int pbt_checkpoint_look(const char *path, struct pbt_error *error)
{
    return verify(path, false, error);
}

int pbt_checkpoint_bytes(const char *path, uint64_t *bytes,
                         struct pbt_error *error)
{
    int fd;
    struct pbt_tree_files files = {0};
    int status = pbt_tree_open(path, &fd, error);
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_tree_list(fd, false, &files, error);
    (void)close(fd);
    if (status == PBT_OK) {
        *bytes = 0;
        for (size_t i = 0; i < files.count; i++) {
            *bytes += files.items[i].bytes;
        }
    }
    pbt_tree_files_done(&files);
    return status;
}

/*
 * Renames without replacing.  Some network file systems don't know the flag: there
 * we look first, which is enough while the driver is the only writer.
 */
static int rename_new(const char *from, const char *to)
{
    struct stat about;
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0) {
        return 0;
    }
    if (errno != EINVAL && errno != ENOSYS && errno != EOPNOTSUPP) {
        return -1;
    }
    if (lstat(to, &about) == 0) {
        errno = EEXIST;
        return -1;
    }
    return errno == ENOENT ? rename(from, to) : -1;
}

/* The length of the directory part of `path`, its last slash included. */
static size_t parent_length(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash == NULL ? 0 : (size_t)(slash - path) + 1;
}

int pbt_checkpoint_publish(const char *from, const char *to,
                           struct pbt_error *error)
{
    size_t length = parent_length(from);
    if (length != parent_length(to) || memcmp(from, to, length) != 0 ||
        to[length] == '\0' || from[length] == '\0') {
        return pbt_error_set(error, PBT_EUSAGE,
                             "%s and %s are not in one directory", from, to);
    }
    if (rename_new(from, to) != 0) {
        if (errno == EEXIST || errno == ENOTEMPTY) {
            return pbt_error_set(error, PBT_EDATA, "%s exists already", to);
        }
        return pbt_file_error(error, "rename to a checkpoint:", from);
    }
    return PBT_OK;
}

int pbt_checkpoint_delete(const char *path, struct pbt_error *error)
{
    const struct pbt_hold nobody_else = {NULL, NULL};
    return pbt_checkpoint_delete_held(path, &nobody_else, error);
}

int pbt_checkpoint_delete_held(const char *path, const struct pbt_hold *hold,
                               struct pbt_error *error)
{
    int fd;
    struct pbt_error cause;
    int status = pbt_tree_open(path, &fd, &cause);
    if (status == PBT_ENOINPUT) {
        return PBT_OK;
    }
    if (status != PBT_OK) {
        return pbt_error_set(error, status, "%s", cause.text);
    }
    status = pbt_hold_ask(hold, error);
    if (status != PBT_OK) {
        (void)close(fd);
        return status;
    }
    if (unlinkat(fd, PBT_CHECKPOINT_MANIFEST, 0) != 0 && errno != ENOENT &&
        errno != EISDIR && errno != EPERM) {
        status = pbt_file_error(error, "remove the manifest of", path);
    } else {
        status = pbt_tree_clear(fd, error);
    }
    (void)close(fd);
    if (status == PBT_OK && rmdir(path) != 0 && errno != ENOENT) {
        status = pbt_file_error(error, "remove", path);
    }
    return status == PBT_OK
               ? PBT_OK
               : pbt_error_prefix(error, status, "can't delete %s", path);
}
