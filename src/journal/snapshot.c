#include "journal/snapshot.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define XXH_INLINE_ALL /* libfyaml.a has its names, too */
#include <xxhash.h>

#include "journal/segment.h"

#define SNAPSHOT_VERSION 1
#define SNAPSHOT_BYTES_MAX ((size_t)1 << 31)
#define HEADER_MAX 1024
#define SUFFIX ".bin"
#define SUM_START ",\"xxh3\":\""

static int snapshot_path(const char *dir, uint64_t record,
                         char path[PBT_SEGMENT_PATH_SIZE],
                         struct pbt_error *error)
{
    int n = snprintf(path, PBT_SEGMENT_PATH_SIZE, "%s/%012" PRIu64 SUFFIX, dir,
                     record);
    return n >= 0 && n < PBT_SEGMENT_PATH_SIZE
               ? PBT_OK
               : pbt_error_set(error, PBT_EUSAGE, "path too long: %s", dir);
}

static void put_u32(struct pbt_buf *out, uint32_t value)
{
    unsigned char little[4];
    for (int i = 0; i < 4; i++) {
        little[i] = (unsigned char)(value >> (8 * i));
    }
    pbt_buf_put(out, little, sizeof little);
}

static void hex(const void *bytes, size_t length, char sum[17])
{
    (void)snprintf(sum, 17, "%016" PRIx64,
                   (uint64_t)XXH3_64bits(bytes, length));
}

/* --- writing ---------------------------------------------------------------- */

void pbt_snapshot_write(const struct pbt_journal_place *place, bool functions,
                        const struct pbt_texts *texts,
                        const struct pbt_buf *state, struct pbt_buf *out)
{
    struct pbt_buf body;
    char sum[17];
    pbt_buf_init(&body, SNAPSHOT_BYTES_MAX);
    for (uint32_t i = 0; i < texts->count; i++) {
        const char *text = pbt_texts_get(texts, i);
        size_t length = strlen(text);
        put_u32(&body, (uint32_t)length);
        pbt_buf_put(&body, text, length);
    }
    pbt_buf_put(&body, state->data, state->length);
    if (pbt_buf_failed(state) || pbt_buf_failed(&body)) {
        out->failed = true;
        pbt_buf_done(&body);
        return;
    }
    hex(body.data, body.length, sum);
    size_t start = out->length;
    pbt_buf_printf(
        out,
        "{\"snapshot\":%d,\"record\":%" PRIu64 ",\"segment\":%" PRIu64
        ",\"bytes\":%" PRIu64 ",\"lines\":%" PRIu64
        ",\"closing\":\"%s\",\"functions\":%s,\"texts\":%" PRIu32
        ",\"behind\":%zu,\"body\":\"%s\"",
        SNAPSHOT_VERSION, place->record, place->segment, place->bytes,
        place->lines, place->sum, functions ? "true" : "false", texts->count,
        body.length, sum);
    if (!pbt_buf_failed(out)) {
        hex(out->data + start, out->length - start, sum);
        pbt_buf_printf(out, SUM_START "%s\"}\n", sum);
        pbt_buf_put(out, body.data, body.length);
    }
    pbt_buf_done(&body);
}

/* --- the directory ---------------------------------------------------------- */

struct listing {
    uint64_t *records;
    size_t count;
    size_t capacity;
    bool failed;
};

/* False: not the name of a snapshot (with this behind it). */
static bool parse_name(const char *name, const char *behind, uint64_t *record)
{
    char *end;
    if (name[0] < '0' || name[0] > '9') {
        return false;
    }
    *record = strtoull(name, &end, 10);
    return strncmp(end, SUFFIX, sizeof SUFFIX - 1) == 0 &&
           strcmp(end + sizeof SUFFIX - 1, behind) == 0;
}

static void note_record(struct listing *listing, uint64_t record)
{
    if (listing->count == listing->capacity) {
        size_t capacity = listing->capacity == 0 ? 8 : 2 * listing->capacity;
        uint64_t *grown =
            realloc(listing->records, capacity * sizeof *listing->records);
        if (grown == NULL) {
            listing->failed = true;
            return;
        }
        listing->records = grown;
        listing->capacity = capacity;
    }
    listing->records[listing->count++] = record;
}

static void see_snapshot(void *user, const char *name)
{
    uint64_t record;
    if (parse_name(name, "", &record)) {
        note_record(user, record);
    }
}

static void see_debris(void *user, const char *name)
{
    uint64_t record;
    if (parse_name(name, ".tmp", &record)) {
        note_record(user, record);
    }
}

static int newest_first(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return x > y ? -1 : x < y ? 1 : 0;
}

static int list(struct pbt_files *files, const char *dir,
                void (*see)(void *user, const char *name),
                struct listing *listing, struct pbt_error *error)
{
    *listing = (struct listing){.count = 0};
    int status = files->ops->list(files, dir, see, listing, error);
    if (status == PBT_OK && listing->failed) {
        status = pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    if (status != PBT_OK) {
        free(listing->records);
        return status;
    }
    if (listing->count > 1) {
        qsort(listing->records, listing->count, sizeof *listing->records,
              newest_first);
    }
    return PBT_OK;
}

int pbt_snapshot_list(struct pbt_files *files, const char *dir,
                      uint64_t **records, size_t *count,
                      struct pbt_error *error)
{
    struct listing listing;
    int status = list(files, dir, see_snapshot, &listing, error);
    if (status == PBT_OK) {
        *records = listing.records;
        *count = listing.count;
    }
    return status;
}

int pbt_snapshot_remove(struct pbt_files *files, const char *dir,
                        uint64_t record, struct pbt_error *error)
{
    char path[PBT_SEGMENT_PATH_SIZE];
    int status = snapshot_path(dir, record, path, error);
    return status == PBT_OK ? files->ops->remove(files, path, error) : status;
}

int pbt_snapshot_store(struct pbt_files *files, const char *dir,
                       uint64_t record, const void *bytes, size_t length,
                       struct pbt_error *error)
{
    char path[PBT_SEGMENT_PATH_SIZE];
    struct listing listing;
    int status = snapshot_path(dir, record, path, error);
    if (status == PBT_OK) {
        status = files->ops->replace(files, path, bytes, length, error);
    }
    if (status == PBT_OK) {
        status = files->ops->sync_path(files, dir, error);
    }
    if (status == PBT_OK) {
        status = list(files, dir, see_snapshot, &listing, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    for (size_t i = PBT_SNAPSHOTS_KEPT; status == PBT_OK && i < listing.count;
         i++) {
        status = pbt_snapshot_remove(files, dir, listing.records[i], error);
    }
    free(listing.records);
    return status;
}

int pbt_snapshot_sweep(struct pbt_files *files, const char *dir,
                       struct pbt_error *error)
{
    char path[PBT_SEGMENT_PATH_SIZE];
    char debris[PBT_SEGMENT_PATH_SIZE + 8];
    struct listing listing;
    int status = list(files, dir, see_debris, &listing, error);
    if (status != PBT_OK) {
        return status;
    }
    for (size_t i = 0; status == PBT_OK && i < listing.count; i++) {
        status = snapshot_path(dir, listing.records[i], path, error);
        if (status == PBT_OK) {
            (void)snprintf(debris, sizeof debris, "%s.tmp", path);
            status = files->ops->remove(files, debris, error);
        }
    }
    free(listing.records);
    return status;
}

/* --- reading ----------------------------------------------------------------- */

static int damaged(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_EDATA, "it is torn or damaged");
}

static bool get_u64(const json_t *root, const char *key, uint64_t *value)
{
    const json_t *member = json_object_get(root, key);
    bool good = json_is_integer(member) && json_integer_value(member) >= 0;
    *value = good ? (uint64_t)json_integer_value(member) : 0;
    return good;
}

/* Whether the line [text, text + length), without its newline, has its sum. */
static bool line_is_whole(const char *text, size_t length)
{
    char sum[17];
    size_t tail = sizeof SUM_START - 1 + 16 + 2;
    if (length <= tail ||
        memcmp(text + length - tail, SUM_START, sizeof SUM_START - 1) != 0) {
        return false;
    }
    hex(text, length - tail, sum);
    return memcmp(text + length - 18, sum, 16) == 0;
}

static bool take_header(struct pbt_snapshot *snapshot, const json_t *root,
                        const char *body, size_t length)
{
    uint64_t texts;
    uint64_t behind;
    char sum[17];
    struct pbt_journal_place *place = &snapshot->place;
    const char *closing = json_string_value(json_object_get(root, "closing"));
    const char *whole = json_string_value(json_object_get(root, "body"));
    if (!get_u64(root, "record", &place->record) ||
        !get_u64(root, "segment", &place->segment) ||
        !get_u64(root, "bytes", &place->bytes) ||
        !get_u64(root, "lines", &place->lines) ||
        !get_u64(root, "texts", &texts) || !get_u64(root, "behind", &behind) ||
        closing == NULL || strlen(closing) != 16 || whole == NULL ||
        behind != length || texts > length / 4) {
        return false;
    }
    memcpy(place->sum, closing, 17);
    snapshot->text_count = (uint32_t)texts;
    snapshot->functions = json_is_true(json_object_get(root, "functions"));
    hex(body, length, sum);
    return strcmp(sum, whole) == 0;
}

static int take_texts(struct pbt_snapshot *snapshot, const char *body,
                      size_t length, struct pbt_error *error)
{
    uint32_t count = snapshot->text_count;
    snapshot->texts = calloc((size_t)count + 1, sizeof *snapshot->texts);
    snapshot->text_lengths =
        calloc((size_t)count + 1, sizeof *snapshot->text_lengths);
    if (snapshot->texts == NULL || snapshot->text_lengths == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < count; i++) {
        uint32_t bytes = 0;
        for (int b = 0; b < 4 && length >= 4; b++) {
            bytes |= (uint32_t)(unsigned char)body[b] << (8 * b);
        }
        if (length < 4 || length - 4 < bytes) {
            return damaged(error);
        }
        snapshot->texts[i] = body + 4;
        snapshot->text_lengths[i] = bytes;
        body += 4 + (size_t)bytes;
        length -= 4 + (size_t)bytes;
    }
    snapshot->state = body;
    snapshot->state_length = length;
    return PBT_OK;
}

static int parse(struct pbt_snapshot *snapshot, uint64_t record,
                 struct pbt_error *error)
{
    const char *text = snapshot->content.data;
    size_t length = snapshot->content.length;
    size_t seen = length < HEADER_MAX ? length : HEADER_MAX;
    const char *newline = length == 0 ? NULL : memchr(text, '\n', seen);
    if (newline == NULL || !line_is_whole(text, (size_t)(newline - text))) {
        return damaged(error);
    }
    json_t *root = json_loadb(text, (size_t)(newline - text), 0, NULL);
    const char *body = newline + 1;
    size_t behind = length - (size_t)(body - text);
    uint64_t version;
    bool versioned = get_u64(root, "snapshot", &version);
    int status = PBT_OK;
    if (versioned && version != SNAPSHOT_VERSION) {
        status =
            pbt_error_set(error, PBT_EDATA, "it is of another version of pbt");
    } else if (!versioned || !take_header(snapshot, root, body, behind) ||
               snapshot->place.record != record) {
        status = damaged(error);
    }
    json_decref(root);
    return status == PBT_OK ? take_texts(snapshot, body, behind, error)
                            : status;
}

int pbt_snapshot_read(struct pbt_snapshot *snapshot, struct pbt_files *files,
                      const char *dir, uint64_t record, struct pbt_error *error)
{
    char path[PBT_SEGMENT_PATH_SIZE];
    *snapshot = (struct pbt_snapshot){.text_count = 0};
    pbt_buf_init(&snapshot->content, SNAPSHOT_BYTES_MAX);
    int status = snapshot_path(dir, record, path, error);
    size_t before;
    do {
        before = snapshot->content.length;
        status = status == PBT_OK
                     ? files->ops->read(files, path, before, (size_t)1 << 20,
                                        &snapshot->content, error)
                     : status;
    } while (status == PBT_OK && snapshot->content.length > before);
    if (status == PBT_OK) {
        status = parse(snapshot, record, error);
    }
    if (status != PBT_OK) {
        pbt_snapshot_done(snapshot);
    }
    return status;
}

void pbt_snapshot_done(struct pbt_snapshot *snapshot)
{
    free(snapshot->texts);
    free(snapshot->text_lengths);
    pbt_buf_done(&snapshot->content);
    *snapshot = (struct pbt_snapshot){.text_count = 0};
}
