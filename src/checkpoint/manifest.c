#include "checkpoint/manifest.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <jansson.h>

#include "base/buf.h"
#include "checkpoint/checkpoint.h"

#define VERSION 1
#define MANIFEST_LIMIT ((size_t)64 * 1024 * 1024)
#define SUM_LEAD ", \"xxh3\": \""
#define SUM_TAIL "\"}\n"

static void put_manifest(struct pbt_buf *out, const char *made_by,
                         size_t made_by_length,
                         const struct pbt_tree_files *files)
{
    pbt_buf_printf(out, "{\"version\": %d, \"made_by\": ", VERSION);
    pbt_buf_put(out, made_by, made_by_length);
    pbt_buf_text(out, ", \"files\": [");
    for (size_t i = 0; i < files->count; i++) {
        const struct pbt_tree_file *file = &files->items[i];
        pbt_buf_text(out, i > 0 ? ", {\"name\": " : "{\"name\": ");
        pbt_buf_json_string(out, file->name, strlen(file->name));
        pbt_buf_text(out, ", \"bytes\": ");
        pbt_buf_u64(out, file->bytes);
        pbt_buf_printf(out, ", \"xxh3\": \"%s\"}", file->sum);
    }
    pbt_buf_char(out, ']');
    if (!pbt_buf_failed(out)) {
        char sum[PBT_SUM_DIGITS + 1];
        pbt_sum_bytes(out->data, out->length, sum);
        pbt_buf_printf(out, SUM_LEAD "%s" SUM_TAIL, sum);
    }
}

static int write_all(int fd, const char *data, size_t length)
{
    while (length > 0) {
        ssize_t put = write(fd, data, length);
        if (put < 0 && errno == EINTR) {
            continue;
        }
        if (put < 0) {
            return -1;
        }
        data += put;
        length -= (size_t)put;
    }
    return 0;
}

int pbt_manifest_write(int fd, const char *made_by, size_t made_by_length,
                       const struct pbt_tree_files *files,
                       struct pbt_error *error)
{
    struct pbt_buf text;
    pbt_buf_init(&text, MANIFEST_LIMIT);
    put_manifest(&text, made_by, made_by_length, files);
    if (pbt_buf_failed(&text)) {
        pbt_buf_done(&text);
        return pbt_error_set(error, PBT_ENOMEM, "no room for the manifest");
    }
    int status = PBT_OK;
    int out = -1;
    if (unlinkat(fd, PBT_CHECKPOINT_MANIFEST, 0) == 0 || errno == ENOENT) {
        out =
            openat(fd, PBT_CHECKPOINT_MANIFEST,
                   O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    if (out < 0 || write_all(out, text.data, text.length) != 0 ||
        fsync(out) != 0) {
        status = pbt_file_error(error, "write", PBT_CHECKPOINT_MANIFEST);
    }
    if (out >= 0 && close(out) != 0 && status == PBT_OK) {
        status = pbt_file_error(error, "write", PBT_CHECKPOINT_MANIFEST);
    }
    pbt_buf_done(&text);
    return status;
}

/* Reads the whole file into `text`. */
static int read_text(int fd, struct pbt_buf *text, struct pbt_error *error)
{
    struct stat about;
    int in = openat(fd, PBT_CHECKPOINT_MANIFEST,
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (in < 0 && (errno == ENOENT || errno == ELOOP)) {
        return pbt_error_set(error, PBT_EDATA, "the manifest is missing");
    }
    if (in < 0 || fstat(in, &about) != 0) {
        int status = pbt_file_error(error, "open", PBT_CHECKPOINT_MANIFEST);
        if (in >= 0) {
            (void)close(in);
        }
        return status;
    }
    int status = PBT_OK;
    ssize_t got = 1;
    if (!S_ISREG(about.st_mode) || about.st_size > (off_t)MANIFEST_LIMIT) {
        status = pbt_error_set(error, PBT_EDATA,
                               "the manifest is no file of "
                               "a sensible size");
    }
    while (status == PBT_OK && got != 0) {
        char block[16384];
        got = read(in, block, sizeof block);
        if (got > 0) {
            pbt_buf_put(text, block, (size_t)got);
        } else if (got < 0 && errno != EINTR) {
            status = pbt_file_error(error, "read", PBT_CHECKPOINT_MANIFEST);
        }
        if (pbt_buf_failed(text)) {
            status = pbt_error_set(error, PBT_ENOMEM, "out of memory");
        }
    }
    (void)close(in);
    return status;
}

/* True if the text ends with the sum of what precedes it. */
static bool sum_holds(const struct pbt_buf *text)
{
    char sum[PBT_SUM_DIGITS + 1];
    char end[sizeof SUM_LEAD SUM_TAIL + PBT_SUM_DIGITS];
    size_t length = sizeof end - 1;
    if (text->length < length) {
        return false;
    }
    pbt_sum_bytes(text->data, text->length - length, sum);
    (void)snprintf(end, sizeof end, SUM_LEAD "%s" SUM_TAIL, sum);
    return memcmp(text->data + text->length - length, end, length) == 0;
}

static int take_files(const json_t *root, struct pbt_tree_files *files,
                      struct pbt_error *error)
{
    const json_t *list = json_object_get(root, "files");
    if (json_integer_value(json_object_get(root, "version")) != VERSION) {
        return pbt_error_set(error, PBT_EDATA,
                             "the manifest is of an unknown version");
    }
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *item = json_array_get(list, i);
        const char *name = json_string_value(json_object_get(item, "name"));
        const char *sum = json_string_value(json_object_get(item, "xxh3"));
        const json_t *bytes = json_object_get(item, "bytes");
        if (name == NULL || sum == NULL || strlen(sum) != PBT_SUM_DIGITS ||
            !json_is_integer(bytes) || json_integer_value(bytes) < 0) {
            return pbt_error_set(error, PBT_EDATA,
                                 "the manifest's list of files is damaged");
        }
        int status = pbt_tree_files_add(
            files, name, (uint64_t)json_integer_value(bytes), sum, error);
        if (status != PBT_OK) {
            return status;
        }
    }
    return PBT_OK;
}

int pbt_manifest_read(int fd, struct pbt_tree_files *files,
                      struct pbt_error *error)
{
    struct pbt_buf text;
    pbt_buf_init(&text, MANIFEST_LIMIT);
    int status = read_text(fd, &text, error);
    if (status == PBT_OK && !sum_holds(&text)) {
        status = pbt_error_set(error, PBT_EDATA,
                               "the manifest is damaged (its XXH3 differs)");
    }
    if (status == PBT_OK) {
        json_t *root =
            json_loadb(text.data, text.length, JSON_REJECT_DUPLICATES, NULL);
        status = take_files(root, files, error);
        json_decref(root);
    }
    pbt_buf_done(&text);
    return status;
}
