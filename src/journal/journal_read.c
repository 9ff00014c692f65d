/*
 * journal_read.c: the reader.
 *
 * First the headers: from the last segment that has one backwards, each names the
 * segment before it and how much of that counts.  Then the batches, through a window
 * that holds no more than the batch at hand: a segment may be larger than memory.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "base/codes.h"
#include "journal/journal.h"
#include "journal/segment.h"

#define CHUNK_BYTES ((size_t)1 << 20)
#define WINDOW_BYTES_MAX ((size_t)1 << 31)

/* A segment that counts. */
struct link {
    uint64_t number;
    uint64_t header_end;
    uint64_t
        limit; /* how many bytes of it count; UINT64_MAX: all good batches */
};

/* What a header says. */
struct header {
    uint64_t end; /* 0: the header is torn */
    uint64_t previous_segment;
    uint64_t previous_bytes;
};

/* The part of a segment that is in memory. */
struct window {
    struct pbt_files *files;
    char path[PBT_SEGMENT_PATH_SIZE];
    uint64_t segment; /* its number */
    struct pbt_buf content;
    uint64_t offset; /* of content in the segment */
    uint64_t limit;
    bool ended;     /* there is no more behind it */
    size_t start;   /* in content: of the batch at hand */
    size_t at;      /* in content: of the line to be looked at */
    uint64_t lines; /* before `start`, for messages */
    uint64_t count; /* of lines from `start` to `at` */
};

/* --- headers ------------------------------------------------------------- */

static bool get_u64(const json_t *object, const char *key, uint64_t *value)
{
    const json_t *member = json_object_get(object, key);
    if (!json_is_integer(member) || json_integer_value(member) < 0) {
        return false;
    }
    *value = (uint64_t)json_integer_value(member);
    return true;
}

static int parse_header(const char *path, uint64_t number, const char *line,
                        size_t length, struct header *header,
                        struct pbt_error *error)
{
    json_t *root = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
    uint64_t version = 0;
    uint64_t own = 0;
    bool versioned = get_u64(root, "journal", &version);
    const json_t *previous = json_object_get(root, "previous");
    bool good = versioned && get_u64(root, "segment", &own) && own == number &&
                get_u64(previous, "segment", &header->previous_segment) &&
                get_u64(previous, "bytes", &header->previous_bytes) &&
                header->previous_segment < number && version > 0 &&
                (header->previous_segment > 0 || header->previous_bytes == 0);
    json_decref(root);
    if (versioned && version > PBT_JOURNAL_VERSION) {
        return pbt_fail(error, PBT_E0805,
                        "%s:1: written by a newer version of pbt (journal "
                        "version %" PRIu64 "; this one knows %d)",
                        path, version, PBT_JOURNAL_VERSION);
    }
    if (!good) {
        return pbt_fail(error, PBT_E0803,
                        "%s:1: not the first line of journal segment "
                        "%" PRIu64 "; restore the file from a backup",
                        path, number);
    }
    header->end = length + 1;
    return PBT_OK;
}

/* *length: what was read, for a segment with a torn header. */
static int read_header(struct window *w, const char *dir, uint64_t number,
                       struct header *header, uint64_t *length,
                       struct pbt_error *error)
{
    *header = (struct header){0};
    pbt_buf_reset(&w->content);
    int status = pbt_segment_path(dir, number, w->path, error);
    if (status == PBT_OK) {
        status = w->files->ops->read(
            w->files, w->path, 0, PBT_SEGMENT_HEADER_MAX, &w->content, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    const char *text = w->content.data;
    *length = w->content.length;
    const char *newline =
        *length > 0 ? memchr(text, '\n', w->content.length) : NULL;
    if (newline == NULL && *length < PBT_SEGMENT_HEADER_MAX) {
        return PBT_OK;
    }
    size_t line = newline != NULL ? (size_t)(newline - text) : *length;
    return parse_header(w->path, number, text, line, header, error);
}

/*
 * The segments that count, the last one first.  One whose header is torn never got to
 * write anything.  One that a later segment passes over was begun by a driver that was
 * thought dead: nothing in it counts.
 */
static int follow_headers(struct window *w, const char *dir, struct link *links,
                          size_t *count, struct pbt_journal_info *info,
                          struct pbt_error *error)
{
    uint64_t limit = UINT64_MAX;
    uint64_t number = info->segments;
    *count = 0;
    while (number > 0) {
        struct header header;
        uint64_t length;
        int status = read_header(w, dir, number, &header, &length, error);
        if (status != PBT_OK) {
            return status;
        }
        if (header.end == 0 && limit != UINT64_MAX) {
            return pbt_fail(error, PBT_E0804,
                            "%s:1: this line is cut off, though later "
                            "segments go on from it; restore the file "
                            "from a backup",
                            w->path);
        }
        if (header.end == 0) {
            info->torn += length;
            number--;
            continue;
        }
        links[(*count)++] = (struct link){
            .number = number, .header_end = header.end, .limit = limit};
        number = header.previous_segment;
        limit = header.previous_bytes;
    }
    return PBT_OK;
}

/* --- the window ---------------------------------------------------------- */

static int fill(struct window *w, struct pbt_error *error)
{
    if (w->start > CHUNK_BYTES) {
        struct pbt_buf *content = &w->content;
        memmove(content->data, content->data + w->start,
                content->length - w->start);
        content->length -= w->start;
        w->offset += w->start;
        w->at -= w->start;
        w->start = 0;
    }
    uint64_t end = w->offset + w->content.length;
    size_t want =
        CHUNK_BYTES > w->content.length ? CHUNK_BYTES : w->content.length;
    if (want > w->limit - end) {
        want = (size_t)(w->limit - end);
    }
    size_t before = w->content.length;
    int status = want == 0 ? PBT_OK
                           : w->files->ops->read(w->files, w->path, end, want,
                                                 &w->content, error);
    w->ended = w->content.length == before;
    return status;
}

/*
 * Goes to the end of the line at w->at: *end is past its newline, or 0 if the rest is no
 * whole line.
 */
static int find_line(struct window *w, size_t *end, struct pbt_error *error)
{
    size_t scanned = w->at;
    *end = 0;
    for (;;) {
        const char *newline = scanned < w->content.length
                                  ? memchr(w->content.data + scanned, '\n',
                                           w->content.length - scanned)
                                  : NULL;
        if (newline != NULL) {
            *end = (size_t)(newline - w->content.data) + 1;
            return PBT_OK;
        }
        if (w->ended) {
            return PBT_OK;
        }
        size_t back = w->content.length - w->at; /* of the line so far */
        int status = fill(w, error);
        if (status != PBT_OK) {
            return status;
        }
        scanned = w->at + back;
    }
}

static bool is_closing(const struct window *w, size_t at, size_t end)
{
    return end - at > PBT_CLOSING_START_LENGTH &&
           memcmp(w->content.data + at, PBT_CLOSING_START,
                  PBT_CLOSING_START_LENGTH) == 0;
}

/* Whether the closing line [at, end) fits the `count` lines in [start, at). */
static bool closes(const struct window *w, size_t start, size_t at, size_t end,
                   uint64_t count)
{
    char expected[PBT_CLOSING_SIZE];
    size_t length = pbt_segment_closing(w->content.data + start, at - start,
                                        count, expected);
    return length == end - at &&
           memcmp(w->content.data + at, expected, length) == 0;
}

/* Moves on to the next closing line: [w->at, *end), or *end is 0 if there is none. */
static int find_closing(struct window *w, size_t *end, struct pbt_error *error)
{
    for (;;) {
        int status = find_line(w, end, error);
        if (status != PBT_OK || *end == 0 || is_closing(w, w->at, *end)) {
            return status;
        }
        w->at = *end;
        w->count++;
    }
}

/* A number in a closing line behind `key`. */
static bool closing_number(const char **text, const char *key, uint64_t *value)
{
    size_t length = strlen(key);
    if (strncmp(*text, key, length) != 0) {
        return false;
    }
    const char *digits = *text + length;
    *value = 0;
    while (*digits >= '0' && *digits <= '9' && *value < UINT32_MAX) {
        *value = *value * 10 + (uint64_t)(*digits++ - '0');
    }
    *text = digits;
    return true;
}

static uint64_t count_lines(const char *text, size_t length)
{
    uint64_t count = 0;
    const char *end = text + length;
    while (text < end &&
           (text = memchr(text, '\n', (size_t)(end - text))) != NULL) {
        text++;
        count++;
    }
    return count;
}

/* Whether the lines right before this closing line are a whole batch by its own word. */
static bool closes_something(const struct window *w, size_t end)
{
    const char *text = w->content.data + w->at;
    uint64_t count;
    uint64_t bytes;
    if (!closing_number(&text, PBT_CLOSING_START, &count) ||
        !closing_number(&text, ",\"bytes\":", &bytes) ||
        bytes > w->at - w->start) {
        return false;
    }
    size_t start = w->at - (size_t)bytes;
    return count == count_lines(w->content.data + start, (size_t)bytes) &&
           closes(w, start, w->at, end, count);
}

/* --- batches ------------------------------------------------------------- */

static int damaged(const struct window *w, struct pbt_error *error)
{
    return pbt_fail(
        error, PBT_E0803,
        "%s:%" PRIu64 ": this batch of records is damaged: its sum does not "
        "fit.  Everything before it is whole; restore the file from a backup",
        w->path, w->lines + 1);
}

static int give_batch(struct window *w, pbt_journal_line_fn fn, void *user,
                      struct pbt_error *error)
{
    size_t start = w->start;
    for (uint64_t i = 0; fn != NULL && i < w->count; i++) {
        const char *line = w->content.data + start;
        size_t length =
            (size_t)((const char *)memchr(line, '\n', w->at - start) - line);
        int status = fn(user, line, length, error);
        if (status != PBT_OK) {
            return pbt_error_prefix(error, status, "%s:%" PRIu64, w->path,
                                    w->lines + 1 + i);
        }
        start += length + 1;
    }
    return PBT_OK;
}

/*
 * What does not fit begins at w->start.  At the open end of the journal it is a torn
 * tail, unless a whole batch lies in it: then what is before that was damaged.
 */
static int judge_tail(struct window *w, size_t end, struct pbt_error *error)
{
    int status = PBT_OK;
    if (w->limit != UINT64_MAX) {
        return damaged(w, error);
    }
    while (status == PBT_OK && end != 0) {
        if (closes_something(w, end)) {
            return damaged(w, error);
        }
        w->at = end;
        status = find_closing(w, &end, error);
    }
    while (status == PBT_OK && !w->ended) {
        status = fill(w, error); /* how much it is */
    }
    return status;
}

/* A batch was read: w->start is behind its closing line, which begins at w->at. */
static void note_end(const struct window *w, struct pbt_journal_info *info)
{
    struct pbt_journal_place *end = &info->end;
    end->record = info->records;
    end->segment = w->segment;
    end->bytes = w->offset + w->start;
    end->lines = w->lines;
    pbt_segment_sum(w->content.data + w->at, w->start - w->at, end->sum);
}

static int read_batches(struct window *w, pbt_journal_line_fn fn, void *user,
                        struct pbt_journal_info *info, struct pbt_error *error)
{
    for (;;) {
        size_t end;
        w->at = w->start;
        w->count = 0;
        int status = find_closing(w, &end, error);
        if (status != PBT_OK) {
            return status;
        }
        if (end == 0 && w->start == w->content.length) {
            return PBT_OK;
        }
        if (end == 0 || !closes(w, w->start, w->at, end, w->count)) {
            return judge_tail(w, end, error);
        }
        status = give_batch(w, fn, user, error);
        if (status != PBT_OK) {
            return status;
        }
        info->records += w->count;
        w->lines += w->count + 1;
        w->start = end;
        note_end(w, info);
    }
}

/* `from`: where to begin, if it is in this segment. */
static int read_segment(struct window *w, const char *dir,
                        const struct link *link,
                        const struct pbt_journal_place *from,
                        pbt_journal_line_fn fn, void *user,
                        struct pbt_journal_info *info, struct pbt_error *error)
{
    bool within = from != NULL && from->segment == link->number;
    int status = pbt_segment_path(dir, link->number, w->path, error);
    pbt_buf_reset(&w->content);
    w->segment = link->number;
    w->offset = within ? from->bytes : link->header_end;
    w->limit = link->limit;
    w->ended = false;
    w->start = 0;
    w->lines = within ? from->lines : 1;
    if (status == PBT_OK && link->limit >= link->header_end) {
        status = read_batches(w, fn, user, info, error);
    }
    uint64_t good = w->offset + w->start;
    info->last_segment = link->number;
    info->last_bytes = good;
    if (status != PBT_OK) {
        return status;
    }
    if (link->limit != UINT64_MAX && good != link->limit) {
        return pbt_fail(error, PBT_E0804,
                        "%s: the next segment goes on from byte %" PRIu64
                        ", but it ends at %" PRIu64
                        "; restore the file from a backup",
                        w->path, link->limit, good);
    }
    info->torn += w->content.length - w->start;
    return PBT_OK;
}

static int read_links(struct window *w, const char *dir,
                      const struct pbt_journal_place *from,
                      pbt_journal_line_fn fn, void *user,
                      struct pbt_journal_info *info, struct pbt_error *error)
{
    size_t count;
    struct link *links = calloc((size_t)info->segments, sizeof *links);
    if (links == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    int status = follow_headers(w, dir, links, &count, info, error);
    while (status == PBT_OK && count > 0) {
        const struct link *link = &links[--count];
        if (from == NULL || link->number >= from->segment) {
            status = read_segment(w, dir, link, from, fn, user, info, error);
        }
    }
    free(links);
    return status;
}

/* The line that ends at the place: is it the closing line that the place names? */
static int ends_at(struct window *w, const struct pbt_journal_place *place,
                   struct pbt_error *error)
{
    char sum[17];
    uint64_t before =
        place->bytes < PBT_CLOSING_SIZE ? place->bytes : PBT_CLOSING_SIZE;
    pbt_buf_reset(&w->content);
    int status = w->files->ops->read(w->files, w->path, place->bytes - before,
                                     (size_t)before, &w->content, error);
    if (status != PBT_OK) {
        return status;
    }
    if (w->content.length == before && before > sizeof sum + 8) {
        pbt_segment_sum(w->content.data, (size_t)before, sum);
        if (w->content.data[before - 1] == '\n' &&
            strcmp(sum, place->sum) == 0) {
            return PBT_OK;
        }
    }
    return pbt_error_set(error, PBT_EDATA,
                         "%s has no batch of records that ends at byte "
                         "%" PRIu64,
                         w->path, place->bytes);
}

static int find_place(struct window *w, const char *dir,
                      const struct pbt_journal_place *place,
                      struct pbt_journal_info *info, struct pbt_error *error)
{
    size_t count;
    struct link *links = calloc((size_t)info->segments + 1, sizeof *links);
    if (links == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    int status = follow_headers(w, dir, links, &count, info, error);
    bool counts = false;
    for (size_t i = 0; status == PBT_OK && i < count; i++) {
        counts = counts || (links[i].number == place->segment &&
                            place->bytes > links[i].header_end &&
                            place->bytes <= links[i].limit);
    }
    free(links);
    if (status != PBT_OK) {
        return status;
    }
    if (!counts) {
        return pbt_error_set(error, PBT_EDATA,
                             "what it stands at is no part of the journal");
    }
    status = pbt_segment_path(dir, place->segment, w->path, error);
    return status == PBT_OK ? ends_at(w, place, error) : status;
}

static struct window *new_window(struct pbt_files *files)
{
    struct window *w = calloc(1, sizeof *w);
    if (w != NULL) {
        w->files = files;
        pbt_buf_init(&w->content, WINDOW_BYTES_MAX);
    }
    return w;
}

static void free_window(struct window *w)
{
    pbt_buf_done(&w->content);
    free(w);
}

int pbt_journal_has(struct pbt_files *files, const char *dir,
                    const struct pbt_journal_place *place,
                    struct pbt_error *error)
{
    struct pbt_journal_info info = {0};
    int status = pbt_segment_count(files, dir, &info.segments, error);
    if (status != PBT_OK) {
        return status;
    }
    struct window *w = new_window(files);
    if (w == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    status = find_place(w, dir, place, &info, error);
    free_window(w);
    return status;
}

/* As if the segments behind info->segments were not there. */
static int read_first(struct pbt_files *files, const char *dir,
                      const struct pbt_journal_place *from,
                      pbt_journal_line_fn fn, void *user,
                      struct pbt_journal_info *info, struct pbt_error *error)
{
    struct window *w = new_window(files);
    if (w == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    int status = read_links(w, dir, from, fn, user, info, error);
    free_window(w);
    return status;
}

int pbt_journal_read(struct pbt_files *files, const char *dir,
                     pbt_journal_line_fn fn, void *user,
                     struct pbt_journal_info *info, struct pbt_error *error)
{
    return pbt_journal_read_from(files, dir, NULL, fn, user, info, error);
}

int pbt_journal_read_from(struct pbt_files *files, const char *dir,
                          const struct pbt_journal_place *from,
                          pbt_journal_line_fn fn, void *user,
                          struct pbt_journal_info *info,
                          struct pbt_error *error)
{
    *info =
        (struct pbt_journal_info){.records = from == NULL ? 0 : from->record};
    int status = pbt_segment_count(files, dir, &info->segments, error);
    if (status != PBT_OK) {
        return status;
    }
    if (info->segments == 0) {
        return pbt_fail(error, PBT_E0706, "%s: no journal here", dir);
    }
    return read_first(files, dir, from, fn, user, info, error);
}

/* --- salvage ------------------------------------------------------------- */

bool pbt_journal_is_damage(const struct pbt_error *error)
{
    return error->status == PBT_EDATA &&
           strcmp(error->id, pbt_codes[PBT_E0805].id) != 0;
}

int pbt_journal_salvage(struct pbt_files *files, const char *dir,
                        struct pbt_journal_info *info, struct pbt_error *damage,
                        struct pbt_error *error)
{
    struct pbt_error cause = {.status = PBT_OK};
    uint64_t first = 0; /* segments to look at, the first ones */
    int status = pbt_segment_count(files, dir, &first, &cause);
    *info = (struct pbt_journal_info){0};
    *damage = cause;
    /* A first line that is damaged takes its segment and those behind it along. */
    while ((status == PBT_OK || pbt_journal_is_damage(&cause)) && first > 0 &&
           info->last_segment == 0) {
        *info = (struct pbt_journal_info){.segments = first--};
        status = read_first(files, dir, NULL, NULL, NULL, info, &cause);
        *damage = status == PBT_OK ? *damage : cause;
    }
    if (status != PBT_OK && !pbt_journal_is_damage(&cause)) {
        if (error != NULL) {
            *error = cause;
        }
        return status;
    }
    if (info->records == 0) {
        return pbt_fail(error, PBT_E0803, "%s: not one record is whole%s%s",
                        dir, damage->status == PBT_OK ? "" : ": ",
                        damage->status == PBT_OK ? "" : damage->text);
    }
    return PBT_OK;
}
