#include "journal/journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>
#include <xxhash.h>

#define JOURNAL_VERSION 1
#define SEGMENT_BYTES_MAX ((size_t)1 << 34)
#define PATH_SIZE 4096

struct pbt_journal {
    struct pbt_files *files;
    struct pbt_file *file;
};

/* A segment while it is read. */
struct segment {
    char path[PATH_SIZE];
    uint64_t number;
    struct pbt_buf content;
    size_t header_end; /* 0: the header is torn */
    uint64_t previous_segment;
    uint64_t previous_bytes;
};

static int segment_path(const char *dir, uint64_t number, char *path,
                        struct pbt_error *error)
{
    int n = snprintf(path, PATH_SIZE, "%s/%06" PRIu64 ".jsonl", dir, number);
    if (n < 0 || n >= PATH_SIZE) {
        return pbt_error_set(error, PBT_EUSAGE, "path too long: %s", dir);
    }
    return PBT_OK;
}

/* The end of the line that begins at `start`, past its newline; 0 for none. */
static size_t line_end(const struct pbt_buf *content, size_t start, size_t end)
{
    const char *newline =
        start < end ? memchr(content->data + start, '\n', end - start) : NULL;
    return newline == NULL ? 0 : (size_t)(newline - content->data) + 1;
}

static uint64_t line_number(const struct pbt_buf *content, size_t offset)
{
    uint64_t number = 1;
    for (size_t i = 0; i < offset && i < content->length; i++) {
        number += content->data[i] == '\n' ? 1 : 0;
    }
    return number;
}

/* --- reading ------------------------------------------------------------- */

static bool get_u64(const json_t *object, const char *key, uint64_t *value)
{
    const json_t *member = json_object_get(object, key);
    if (!json_is_integer(member) || json_integer_value(member) < 0) {
        return false;
    }
    *value = (uint64_t)json_integer_value(member);
    return true;
}

static int bad_header(const struct segment *segment, struct pbt_error *error)
{
    return pbt_error_set(error, PBT_EDATA,
                         "%s:1: not the first line of journal segment %" PRIu64
                         "; restore the file from a backup",
                         segment->path, segment->number);
}

/* A header that was cut off leaves header_end at 0: an empty segment. */
static int read_header(struct segment *segment, struct pbt_error *error)
{
    size_t end = line_end(&segment->content, 0, segment->content.length);
    if (end == 0) {
        return PBT_OK;
    }
    json_t *header =
        json_loadb(segment->content.data, end, JSON_REJECT_DUPLICATES, NULL);
    uint64_t version = 0;
    uint64_t number = 0;
    const json_t *previous = json_object_get(header, "previous");
    bool good = get_u64(header, "journal", &version) &&
                get_u64(header, "segment", &number) &&
                number == segment->number &&
                get_u64(previous, "segment", &segment->previous_segment) &&
                get_u64(previous, "bytes", &segment->previous_bytes);
    json_decref(header);
    if (good && version > JOURNAL_VERSION) {
        return pbt_error_set(error, PBT_EDATA,
                             "%s:1: written by a newer version of pbt (journal "
                             "version %" PRIu64 "; this one knows %d)",
                             segment->path, version, JOURNAL_VERSION);
    }
    if (!good || segment->previous_segment + 1 != segment->number) {
        return bad_header(segment, error);
    }
    segment->header_end = end;
    return PBT_OK;
}

static int read_segment(struct pbt_files *files, const char *dir,
                        uint64_t number, struct segment *segment,
                        struct pbt_error *error)
{
    segment->number = number;
    segment->header_end = 0;
    segment->previous_bytes = 0;
    pbt_buf_reset(&segment->content);
    int status = segment_path(dir, number, segment->path, error);
    if (status == PBT_OK) {
        status =
            files->ops->read(files, segment->path, &segment->content, error);
    }
    return status == PBT_OK ? read_header(segment, error) : status;
}

static const char CLOSING_START[] = "{\"batch\":";

/*
 * True if the line [at, end) is a closing line that fits the `count` lines in [start,
 * at).
 */
static bool closes_batch(const struct pbt_buf *content, size_t start, size_t at,
                         size_t end, uint64_t count)
{
    char expected[128];
    XXH64_hash_t hash = XXH3_64bits(content->data + start, at - start);
    int n =
        snprintf(expected, sizeof expected,
                 "%s%" PRIu64 ",\"bytes\":%zu,\"xxh3\":\"%016" PRIx64 "\"}\n",
                 CLOSING_START, count, at - start, (uint64_t)hash);
    return n > 0 && (size_t)n == end - at &&
           memcmp(content->data + at, expected, (size_t)n) == 0;
}

static bool is_closing(const struct pbt_buf *content, size_t at, size_t end)
{
    size_t n = sizeof CLOSING_START - 1;
    return end - at > n && memcmp(content->data + at, CLOSING_START, n) == 0;
}

/*
 * The end of the batch that begins at `start` (past its closing line); 0 if none is whole
 * there.
 */
static size_t batch_end(const struct pbt_buf *content, size_t start, size_t end,
                        uint64_t *count)
{
    uint64_t lines = 0;
    for (size_t at = start; at < end;) {
        size_t next = line_end(content, at, end);
        if (next == 0) {
            return 0;
        }
        if (is_closing(content, at, next)) {
            *count = lines;
            return closes_batch(content, start, at, next, lines) ? next : 0;
        }
        lines++;
        at = next;
    }
    return 0;
}

static int give_lines(const struct segment *segment, size_t start,
                      uint64_t count, pbt_journal_line_fn fn, void *user,
                      struct pbt_error *error)
{
    const struct pbt_buf *content = &segment->content;
    for (uint64_t i = 0; i < count; i++) {
        size_t end = line_end(content, start, content->length);
        int status = fn(user, content->data + start, end - start - 1, error);
        if (status != PBT_OK) {
            return pbt_error_prefix(error, status, "%s:%" PRIu64, segment->path,
                                    line_number(content, start));
        }
        start = end;
    }
    return PBT_OK;
}

/*
 * True if a whole batch begins anywhere in the tail: then what is before it was
 * damaged, not torn.  A batch begins after a closing line, good or bad.
 */
static bool tail_has_batch(const struct segment *segment, size_t start)
{
    const struct pbt_buf *content = &segment->content;
    uint64_t count;
    for (size_t at = start; at < content->length;) {
        size_t next = line_end(content, at, content->length);
        if (next == 0) {
            return false;
        }
        if (is_closing(content, at, next) &&
            batch_end(content, next, content->length, &count) != 0) {
            return true;
        }
        at = next;
    }
    return false;
}

static int damaged(const struct segment *segment, size_t offset,
                   struct pbt_error *error)
{
    return pbt_error_set(
        error, PBT_EDATA,
        "%s:%" PRIu64 ": this batch of records is damaged: its sum does not "
        "fit.  Everything before it is whole; restore the file from a backup",
        segment->path, line_number(&segment->content, offset));
}

/* Gives out the batches of a segment; `limit`: how many bytes count, or all good ones. */
static int read_batches(const struct segment *segment, bool last,
                        uint64_t limit, pbt_journal_line_fn fn, void *user,
                        struct pbt_journal_info *info, struct pbt_error *error)
{
    const struct pbt_buf *content = &segment->content;
    size_t end = content->length;
    if (!last) {
        if (limit > content->length || limit < segment->header_end) {
            return pbt_error_set(error, PBT_EDATA,
                                 "%s: shorter than the next segment says "
                                 "(%" PRIu64 " bytes); restore the file",
                                 segment->path, limit);
        }
        end = (size_t)limit;
    }
    size_t start = segment->header_end;
    while (start < end && segment->header_end > 0) {
        uint64_t count = 0;
        size_t next = batch_end(content, start, end, &count);
        if (next == 0) {
            if (!last || tail_has_batch(segment, start)) {
                return damaged(segment, start, error);
            }
            break;
        }
        int status = give_lines(segment, start, count, fn, user, error);
        if (status != PBT_OK) {
            return status;
        }
        info->records += count;
        start = next;
    }
    info->torn = content->length - start;
    info->last_bytes = start;
    return PBT_OK;
}

static int count_segments(struct pbt_files *files, const char *dir,
                          uint64_t *count, struct pbt_error *error)
{
    char path[PATH_SIZE];
    for (uint64_t number = 1;; number++) {
        int status = segment_path(dir, number, path, error);
        if (status != PBT_OK) {
            return status;
        }
        if (!files->ops->exists(files, path)) {
            *count = number - 1;
            return PBT_OK;
        }
    }
}

static int read_all(struct pbt_files *files, const char *dir, uint64_t count,
                    struct segment segments[2], pbt_journal_line_fn fn,
                    void *user, struct pbt_journal_info *info,
                    struct pbt_error *error)
{
    /* Each segment is judged by the header of the next: two are held. */
    struct segment *now = &segments[0];
    struct segment *next = &segments[1];
    int status = read_segment(files, dir, 1, now, error);
    for (uint64_t number = 1; status == PBT_OK; number++) {
        bool last = number == count;
        if (!last) {
            status = read_segment(files, dir, number + 1, next, error);
            if (status != PBT_OK) {
                return status;
            }
        }
        /*
         * A successor with a torn header never got to write anything: this one is judged
         * as if it were the last.
         */
        bool open_end = last || next->header_end == 0;
        status = read_batches(now, open_end, next->previous_bytes, fn, user,
                              info, error);
        if (last) {
            return status;
        }
        struct segment *swap = now;
        now = next;
        next = swap;
    }
    return status;
}

int pbt_journal_read(struct pbt_files *files, const char *dir,
                     pbt_journal_line_fn fn, void *user,
                     struct pbt_journal_info *info, struct pbt_error *error)
{
    *info = (struct pbt_journal_info){0};
    int status = count_segments(files, dir, &info->segments, error);
    if (status != PBT_OK) {
        return status;
    }
    if (info->segments == 0) {
        return pbt_error_set(error, PBT_ENOINPUT, "%s: no journal here", dir);
    }
    struct segment *segments = calloc(2, sizeof *segments);
    if (segments == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    pbt_buf_init(&segments[0].content, SEGMENT_BYTES_MAX);
    pbt_buf_init(&segments[1].content, SEGMENT_BYTES_MAX);
    status =
        read_all(files, dir, info->segments, segments, fn, user, info, error);
    pbt_buf_done(&segments[0].content);
    pbt_buf_done(&segments[1].content);
    free(segments);
    return status;
}

/* --- writing ------------------------------------------------------------- */

static int sync_last(struct pbt_files *files, const char *dir,
                     struct pbt_error *error)
{
    uint64_t count;
    char path[PATH_SIZE];
    int status = count_segments(files, dir, &count, error);
    if (status == PBT_OK && count > 0) {
        status = segment_path(dir, count, path, error);
        if (status == PBT_OK) {
            status = files->ops->sync_path(files, path, error);
        }
    }
    return status;
}

static int begin_segment(struct pbt_journal *journal, const char *dir,
                         uint64_t number, uint64_t previous_bytes,
                         struct pbt_error *error)
{
    char path[PATH_SIZE];
    char header[160];
    struct pbt_files *files = journal->files;
    int status = segment_path(dir, number, path, error);
    if (status == PBT_OK) {
        status = files->ops->create(files, path, &journal->file, error);
    }
    if (status == PBT_OK) {
        status = files->ops->sync_path(files, dir, error);
    }
    if (status == PBT_OK) {
        int n = snprintf(header, sizeof header,
                         "{\"journal\":%d,\"segment\":%" PRIu64
                         ",\"previous\":{\"segment\":%" PRIu64
                         ",\"bytes\":%" PRIu64 "}}\n",
                         JOURNAL_VERSION, number, number - 1, previous_bytes);
        status = files->ops->append(journal->file, header, (size_t)n, error);
    }
    if (status == PBT_OK) {
        status = files->ops->sync(journal->file, error);
    }
    return status;
}

int pbt_journal_open(struct pbt_journal **out, struct pbt_files *files,
                     const char *dir, pbt_journal_line_fn fn, void *user,
                     struct pbt_journal_info *info, uint64_t *incarnation,
                     struct pbt_error *error)
{
    /* What is read must not be less after a power loss later. */
    int status = sync_last(files, dir, error);
    if (status == PBT_OK) {
        status = pbt_journal_read(files, dir, fn, user, info, error);
    }
    if (status != PBT_OK && !(status == PBT_ENOINPUT && info->segments == 0)) {
        return status;
    }
    struct pbt_journal *journal = calloc(1, sizeof *journal);
    if (journal == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    journal->files = files;
    *incarnation = info->segments + 1;
    status = begin_segment(journal, dir, *incarnation, info->last_bytes, error);
    if (status != PBT_OK) {
        pbt_journal_close(journal);
        return status;
    }
    *out = journal;
    return PBT_OK;
}

int pbt_journal_append(struct pbt_journal *journal, struct pbt_buf *lines,
                       uint64_t count, struct pbt_error *error)
{
    size_t length = lines->length;
    XXH64_hash_t hash = XXH3_64bits(lines->data, length);
    pbt_buf_printf(lines,
                   "%s%" PRIu64 ",\"bytes\":%zu,\"xxh3\":\"%016" PRIx64 "\"}\n",
                   CLOSING_START, count, length, (uint64_t)hash);
    if (pbt_buf_failed(lines)) {
        return pbt_error_set(error, PBT_ENOMEM,
                             "a batch of records is too big");
    }
    int status = journal->files->ops->append(journal->file, lines->data,
                                             lines->length, error);
    lines->length = length;
    lines->data[length] = '\0';
    return status;
}

int pbt_journal_sync(struct pbt_journal *journal, struct pbt_error *error)
{
    return journal->files->ops->sync(journal->file, error);
}

void pbt_journal_close(struct pbt_journal *journal)
{
    if (journal != NULL) {
        if (journal->file != NULL) {
            journal->files->ops->close(journal->file);
        }
        free(journal);
    }
}
