#include "checkpoint/tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>
#define XXH_INLINE_ALL /* libfyaml.a has its names, too */
#include <xxhash.h>

#include "base/buf.h"
#include "checkpoint/checkpoint.h"

#define READ_SIZE ((size_t)262144)
#define NAME_LIMIT ((size_t)4096)
#define CLEAR_DEPTH_MAX 128 /* each level holds a descriptor */

int pbt_file_error(struct pbt_error *error, const char *doing, const char *name)
{
    int status = PBT_EIO;
    int cause = errno;
    if (cause == ENOSPC || cause == EDQUOT) {
        status = PBT_ETEMP;
    } else if (cause == EACCES || cause == EPERM) {
        status = PBT_EPERM;
    } else if (cause == ENOMEM || cause == EMFILE || cause == ENFILE) {
        status = PBT_ENOMEM;
    } else if (cause == ENOENT) {
        status = PBT_ENOINPUT;
    } else if (cause == ELOOP || cause == ENOTDIR) {
        status = PBT_EDATA;
    }
    return pbt_error_set(error, status, "can't %s %s: %s", doing, name,
                         strerror(cause));
}

void pbt_tree_files_done(struct pbt_tree_files *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i].name);
    }
    free(files->items);
    *files = (struct pbt_tree_files){0};
}

int pbt_tree_files_add(struct pbt_tree_files *files, const char *name,
                       uint64_t bytes, const char *sum, struct pbt_error *error)
{
    if (files->count == PBT_CHECKPOINT_FILES_MAX) {
        return pbt_error_set(error, PBT_EDATA, "more than %d files",
                             PBT_CHECKPOINT_FILES_MAX);
    }
    if (files->count == files->capacity) {
        size_t capacity = files->capacity == 0 ? 8 : 2 * files->capacity;
        struct pbt_tree_file *items =
            realloc(files->items, capacity * sizeof *items);
        if (items == NULL) {
            return pbt_error_set(error, PBT_ENOMEM, "out of memory");
        }
        files->items = items;
        files->capacity = capacity;
    }
    struct pbt_tree_file *file = &files->items[files->count];
    *file = (struct pbt_tree_file){.name = strdup(name), .bytes = bytes};
    if (file->name == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    (void)snprintf(file->sum, sizeof file->sum, "%s", sum);
    files->count++;
    return PBT_OK;
}

static int compare_files(const void *left, const void *right)
{
    const struct pbt_tree_file *a = left;
    const struct pbt_tree_file *b = right;
    return strcmp(a->name, b->name);
}

int pbt_tree_open(const char *path, int *fd, struct pbt_error *error)
{
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (*fd < 0) {
        return pbt_file_error(error, "open the directory", path);
    }
    return PBT_OK;
}

/* A stream over the directory `name` in `fd`, of its own descriptor. */
static DIR *open_stream(int fd, const char *name)
{
    int inner =
        openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0) {
        return NULL;
    }
    DIR *stream = fdopendir(inner);
    if (stream == NULL) {
        int cause = errno;
        close(inner);
        errno = cause;
    }
    return stream;
}

/* The next entry but "." and "..", or NULL with errno 0 at the end. */
static const char *next_name(DIR *stream)
{
    for (;;) {
        errno = 0;
        const struct dirent *entry = readdir(stream);
        if (entry == NULL) {
            return NULL;
        }
        if (strcmp(entry->d_name, ".") != 0 &&
            strcmp(entry->d_name, "..") != 0) {
            return entry->d_name;
        }
    }
}

static bool is_utf8(const char *name)
{
    json_t *text = json_string(name);
    json_decref(text);
    return text != NULL;
}

struct listing {
    struct pbt_tree_files *files;
    struct pbt_buf prefix; /* "a/b/" */
    bool sync;
    int depth;
};

static int list_directory(struct listing *listing, DIR *stream,
                          struct pbt_error *error);

static int list_below(struct listing *listing, int fd, const char *name,
                      struct pbt_error *error)
{
    DIR *inner = open_stream(fd, name);
    if (inner == NULL) {
        return pbt_file_error(error, "open the directory", name);
    }
    int status = PBT_OK;
    if (listing->depth == PBT_CHECKPOINT_DEPTH_MAX) {
        status = pbt_error_set(error, PBT_EDATA,
                               "%s: directories more than %d levels deep", name,
                               PBT_CHECKPOINT_DEPTH_MAX);
    }
    if (status == PBT_OK) {
        pbt_buf_char(&listing->prefix, '/');
        listing->depth++;
        status = list_directory(listing, inner, error);
        listing->depth--;
    }
    if (status == PBT_OK && listing->sync && fsync(dirfd(inner)) != 0) {
        status = pbt_file_error(error, "sync", name);
    }
    (void)closedir(inner);
    return status;
}

static int list_entry(struct listing *listing, int fd, const char *name,
                      struct pbt_error *error)
{
    const char *path = listing->prefix.data;
    struct stat about;
    if (listing->prefix.failed) {
        return pbt_error_set(error, PBT_EDATA, "a name is longer than %zu",
                             NAME_LIMIT);
    }
    if (!is_utf8(name)) {
        return pbt_error_set(error, PBT_EDATA,
                             "the name of a file is not UTF-8");
    }
    if (fstatat(fd, name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
        return pbt_file_error(error, "look at", path);
    }
    if (S_ISDIR(about.st_mode)) {
        return list_below(listing, fd, name, error);
    }
    if (!S_ISREG(about.st_mode)) {
        return pbt_error_set(
            error, PBT_EDATA,
            "%s is %s: a checkpoint holds files and directories only", path,
            S_ISLNK(about.st_mode) ? "a symbolic link" : "a special file");
    }
    return pbt_tree_files_add(listing->files, path, (uint64_t)about.st_size, "",
                              error);
}

static int list_directory(struct listing *listing, DIR *stream,
                          struct pbt_error *error)
{
    size_t prefix = listing->prefix.length;
    const char *name;
    while ((name = next_name(stream)) != NULL) {
        if (listing->depth == 0 && strcmp(name, PBT_CHECKPOINT_MANIFEST) == 0) {
            continue;
        }
        pbt_buf_text(&listing->prefix, name);
        int status = list_entry(listing, dirfd(stream), name, error);
        listing->prefix.length = prefix;
        if (status != PBT_OK) {
            return status;
        }
    }
    if (errno != 0) {
        return pbt_file_error(error, "read", "a directory");
    }
    return PBT_OK;
}

int pbt_tree_list(int fd, bool sync, struct pbt_tree_files *files,
                  struct pbt_error *error)
{
    struct listing listing = {.files = files, .sync = sync};
    DIR *stream = open_stream(fd, ".");
    if (stream == NULL) {
        return pbt_file_error(error, "read", "the directory");
    }
    pbt_buf_init(&listing.prefix, NAME_LIMIT);
    int status = list_directory(&listing, stream, error);
    pbt_buf_done(&listing.prefix);
    (void)closedir(stream);
    if (status == PBT_OK && files->count > 1) {
        qsort(files->items, files->count, sizeof *files->items, compare_files);
    }
    return status;
}

static void put_sum(XXH128_hash_t hash, char sum[PBT_SUM_DIGITS + 1])
{
    (void)snprintf(sum, PBT_SUM_DIGITS + 1, "%016llx%016llx",
                   (unsigned long long)hash.high64,
                   (unsigned long long)hash.low64);
}

void pbt_sum_bytes(const void *bytes, size_t length,
                   char sum[PBT_SUM_DIGITS + 1])
{
    put_sum(XXH3_128bits(bytes, length), sum);
}

/* Reads all of `in`.  PBT_EDATA if it holds more or less than the list says. */
static int sum_stream(int in, struct pbt_tree_file *file, XXH3_state_t *state,
                      char *block, struct pbt_error *error)
{
    uint64_t total = 0;
    for (;;) {
        ssize_t got = read(in, block, READ_SIZE);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return pbt_file_error(error, "read", file->name);
        }
        if (got == 0) {
            break;
        }
        total += (uint64_t)got;
        if (XXH3_128bits_update(state, block, (size_t)got) != XXH_OK) {
            return pbt_error_set(error, PBT_EINTERNAL, "XXH3 failed");
        }
    }
    if (total != file->bytes) {
        return pbt_error_set(error, PBT_EDATA,
                             "%s changed while it was being read", file->name);
    }
    put_sum(XXH3_128bits_digest(state), file->sum);
    return PBT_OK;
}

int pbt_tree_sum(int fd, struct pbt_tree_file *file, bool sync,
                 struct pbt_error *error)
{
    /* O_NONBLOCK: a fifo in its place must not make us wait. */
    int in =
        openat(fd, file->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (in < 0) {
        return pbt_file_error(error, "open", file->name);
    }
    int status;
    char *block = malloc(READ_SIZE);
    XXH3_state_t *state = XXH3_createState();
    if (block == NULL || state == NULL || XXH3_128bits_reset(state) != XXH_OK) {
        status = pbt_error_set(error, PBT_ENOMEM, "out of memory");
    } else {
        status = sum_stream(in, file, state, block, error);
    }
    if (status == PBT_OK && sync && fsync(in) != 0) {
        status = pbt_file_error(error, "sync", file->name);
    }
    (void)XXH3_freeState(state);
    free(block);
    (void)close(in);
    return status;
}

static int clear_directory(DIR *stream, int depth, struct pbt_error *error);

static int clear_entry(int fd, const char *name, int depth,
                       struct pbt_error *error)
{
    if (unlinkat(fd, name, 0) == 0 || errno == ENOENT) {
        return PBT_OK;
    }
    if (errno != EISDIR && errno != EPERM) {
        return pbt_file_error(error, "remove", name);
    }
    DIR *inner = open_stream(fd, name);
    if (inner == NULL) {
        return pbt_file_error(error, "remove", name);
    }
    int status = PBT_OK;
    if (depth == CLEAR_DEPTH_MAX) {
        status = pbt_error_set(error, PBT_EIO,
                               "directories more than %d levels deep", depth);
    } else {
        status = clear_directory(inner, depth + 1, error);
    }
    (void)closedir(inner);
    if (status == PBT_OK && unlinkat(fd, name, AT_REMOVEDIR) != 0 &&
        errno != ENOENT) {
        status = pbt_file_error(error, "remove", name);
    }
    return status;
}

static int clear_directory(DIR *stream, int depth, struct pbt_error *error)
{
    const char *name;
    while ((name = next_name(stream)) != NULL) {
        int status = clear_entry(dirfd(stream), name, depth, error);
        if (status != PBT_OK) {
            return status;
        }
    }
    return errno == 0 ? PBT_OK : pbt_file_error(error, "read", "a directory");
}

int pbt_tree_clear(int fd, struct pbt_error *error)
{
    DIR *stream = open_stream(fd, ".");
    if (stream == NULL) {
        return pbt_file_error(error, "read", "the directory");
    }
    int status = clear_directory(stream, 0, error);
    (void)closedir(stream);
    return status;
}
