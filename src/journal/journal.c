/*
 * journal.c: the writer.
 */
#include "journal/journal.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL /* libfyaml.a has its names, too */
#include <xxhash.h>

#include "base/codes.h"
#include "journal/segment.h"

/* A segment that is missing shows in those behind it: so many are looked for. */
#define GAP_MAX 8

struct pbt_journal {
    struct pbt_files *files;
    struct pbt_file *file;
    struct pbt_journal_place end;
    /*
     * After a failure the segment may end in half a batch: nothing may follow.  A sync fails
     * beside an append, which then says why, too.
     */
    atomic_bool failed;
    pthread_mutex_t failing; /* guards the first failure until it shows */
    struct pbt_error failure;
};

int pbt_segment_path(const char *dir, uint64_t number,
                     char path[PBT_SEGMENT_PATH_SIZE], struct pbt_error *error)
{
    int n = snprintf(path, PBT_SEGMENT_PATH_SIZE, "%s/%06" PRIu64 ".jsonl", dir,
                     number);
    if (n < 0 || n >= PBT_SEGMENT_PATH_SIZE) {
        return pbt_error_set(error, PBT_EUSAGE, "path too long: %s", dir);
    }
    return PBT_OK;
}

int pbt_segment_count(struct pbt_files *files, const char *dir, uint64_t *count,
                      struct pbt_error *error)
{
    char path[PBT_SEGMENT_PATH_SIZE];
    uint64_t last = 0;
    for (uint64_t number = 1; number <= last + GAP_MAX; number++) {
        int status = pbt_segment_path(dir, number, path, error);
        if (status != PBT_OK) {
            return status;
        }
        if (!files->ops->exists(files, path)) {
            continue;
        }
        if (number != last + 1) {
            (void)pbt_segment_path(dir, last + 1, path, error);
            *count = last;
            return pbt_fail(error, PBT_E0804,
                            "%s is missing, though later segments of "
                            "the journal are there; restore it from a "
                            "backup",
                            path);
        }
        last = number;
    }
    *count = last;
    return PBT_OK;
}

static char *put_text(char *to, const char *text)
{
    while (*text != '\0') {
        *to++ = *text++;
    }
    return to;
}

static char *put_number(char *to, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    memcpy(to, digits + at, sizeof digits - at);
    return to + (sizeof digits - at);
}

/* By hand: it is on the step path, and at a resume there is one per batch. */
size_t pbt_segment_closing(const char *lines, size_t length, uint64_t count,
                           char closing[PBT_CLOSING_SIZE])
{
    XXH64_hash_t hash = XXH3_64bits(lines, length);
    char *to = put_text(closing, PBT_CLOSING_START);
    to = put_number(to, count);
    to = put_text(to, ",\"bytes\":");
    to = put_number(to, length);
    to = put_text(to, ",\"xxh3\":\"");
    for (int shift = 60; shift >= 0; shift -= 4) {
        *to++ = "0123456789abcdef"[(hash >> shift) & 15];
    }
    to = put_text(to, "\"}\n");
    return (size_t)(to - closing);
}

void pbt_segment_sum(const char *closing, size_t length, char sum[17])
{
    memcpy(sum, closing + length - PBT_CLOSING_TAIL_LENGTH - 16, 16);
    sum[16] = '\0';
}

/*
 * The last segment, and its name: the driver that made it may have died before it synced that,
 * and a power loss must not take it and leave the one that comes next.
 */
static int sync_last(struct pbt_files *files, const char *dir,
                     struct pbt_error *error)
{
    uint64_t count = 0;
    char path[PBT_SEGMENT_PATH_SIZE];
    int status = pbt_segment_count(files, dir, &count, error);
    if (status == PBT_OK && count > 0) {
        status = pbt_segment_path(dir, count, path, error);
        if (status == PBT_OK) {
            status = files->ops->sync_path(files, path, error);
        }
        if (status == PBT_OK) {
            status = files->ops->sync_path(files, dir, error);
        }
    }
    return status;
}

static int begin_segment(struct pbt_journal *journal, const char *dir,
                         const struct pbt_journal_info *info,
                         struct pbt_error *error)
{
    char path[PBT_SEGMENT_PATH_SIZE];
    char header[PBT_SEGMENT_HEADER_MAX];
    uint64_t number = info->segments + 1;
    struct pbt_files *files = journal->files;
    int status = pbt_segment_path(dir, number, path, error);
    if (status == PBT_OK) {
        status = files->ops->create(files, path, &journal->file, error);
    }
    if (status == PBT_OK) {
        status = files->ops->sync_path(files, dir, error);
    }
    if (status == PBT_OK) {
        int n = snprintf(
            header, sizeof header,
            "{\"journal\":%d,\"segment\":%" PRIu64
            ",\"previous\":{\"segment\":%" PRIu64 ",\"bytes\":%" PRIu64 "}}\n",
            PBT_JOURNAL_VERSION, number, info->last_segment, info->last_bytes);
        status = files->ops->append(journal->file, header, (size_t)n, error);
        journal->end = (struct pbt_journal_place){.record = info->records,
                                                  .segment = number,
                                                  .bytes = (uint64_t)n,
                                                  .lines = 1};
    }
    if (status == PBT_OK) {
        status = files->ops->sync(journal->file, error);
    }
    return status;
}

int pbt_journal_open(struct pbt_journal **out, struct pbt_files *files,
                     const char *dir, const struct pbt_journal_place *from,
                     pbt_journal_line_fn fn, void *user,
                     struct pbt_journal_info *info, uint64_t *incarnation,
                     struct pbt_error *error)
{
    *info = (struct pbt_journal_info){0};
    /* What is read must not be less after a power loss later. */
    int status = sync_last(files, dir, error);
    if (status == PBT_OK) {
        status = pbt_journal_read_from(files, dir, from, fn, user, info, error);
        if (status == PBT_ENOINPUT && info->segments == 0) {
            status = PBT_OK; /* a new one */
        }
    }
    if (status != PBT_OK) {
        return status;
    }
    struct pbt_journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    journal->files = files;
    atomic_init(&journal->failed, false);
    (void)pthread_mutex_init(&journal->failing, NULL); /* can't fail on Linux */
    status = begin_segment(journal, dir, info, error);
    if (status != PBT_OK) {
        pbt_journal_close(journal);
        return status;
    }
    *incarnation = info->segments + 1;
    *out = journal;
    return PBT_OK;
}

static int refuse_failed(struct pbt_journal *journal, struct pbt_error *error)
{
    if (!atomic_load(&journal->failed)) {
        return PBT_OK;
    }
    *error = journal->failure;
    return journal->failure.status;
}

static int note(struct pbt_journal *journal, int status,
                struct pbt_error *error)
{
    if (status == PBT_OK) {
        return PBT_OK;
    }
    (void)pthread_mutex_lock(&journal->failing);
    if (!atomic_load(&journal->failed)) {
        journal->failure = *error;
        atomic_store(&journal->failed, true);
    }
    (void)pthread_mutex_unlock(&journal->failing);
    return status;
}

int pbt_journal_append(struct pbt_journal *journal, struct pbt_buf *lines,
                       uint64_t count, struct pbt_error *error)
{
    char closing[PBT_CLOSING_SIZE];
    size_t length = lines->length;
    struct pbt_error unwanted = {.status = PBT_OK};
    error = error != NULL ? error : &unwanted;
    int status = refuse_failed(journal, error);
    if (status != PBT_OK) {
        return status;
    }
    size_t closing_length =
        pbt_segment_closing(lines->data, length, count, closing);
    pbt_buf_put(lines, closing, closing_length);
    if (pbt_buf_failed(lines)) {
        return note(
            journal,
            pbt_error_set(error, PBT_ENOMEM, "a batch of records is too big"),
            error);
    }
    status = journal->files->ops->append(journal->file, lines->data,
                                         lines->length, error);
    journal->end.record += count;
    journal->end.bytes += lines->length;
    journal->end.lines += count + 1;
    pbt_segment_sum(closing, closing_length, journal->end.sum);
    lines->length = length;
    lines->data[length] = '\0';
    return note(journal, status, error);
}

int pbt_journal_sync(struct pbt_journal *journal, struct pbt_error *error)
{
    struct pbt_error unwanted = {.status = PBT_OK};
    error = error != NULL ? error : &unwanted;
    int status = refuse_failed(journal, error);
    if (status != PBT_OK) {
        return status;
    }
    return note(journal, journal->files->ops->sync(journal->file, error),
                error);
}

struct pbt_journal_place pbt_journal_end(const struct pbt_journal *journal)
{
    return journal->end;
}

void pbt_journal_close(struct pbt_journal *journal)
{
    if (journal != NULL) {
        if (journal->file != NULL) {
            journal->files->ops->close(journal->file);
        }
        (void)pthread_mutex_destroy(&journal->failing);
        free(journal);
    }
}
