/* state.c: see state.h for the format. */
#include "state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/file.h"

enum {
    VERSION = 1,
    MAGIC_SIZE = 8,
    HEAD_SIZE = 32 + 8 * STATE_NUMBERS,
    MOST = 64 << 20 /* bytes in a file: far more than any network has */
};

static const char magic[MAGIC_SIZE + 1] = "PBTDCGAN";

static size_t all_floats(const struct state_part *parts, size_t count)
{
    size_t floats = 0;

    for (size_t i = 0; i < count; i++)
        floats += parts[i].count;
    return floats;
}

static void fill(uint8_t *bytes, const struct state_head *head, size_t floats,
                 const struct state_part *parts, size_t count)
{
    uint8_t *to = bytes + MAGIC_SIZE;

    memcpy(bytes, magic, MAGIC_SIZE);
    to = bytes_put(to, VERSION, 4);
    to = bytes_put(to, (uint64_t)head->kind, 4);
    to = bytes_put(to, (uint64_t)head->channels, 4);
    to = bytes_put(to, (uint64_t)head->classes, 4);
    to = bytes_put(to, floats, 8);
    for (int i = 0; i < STATE_NUMBERS; i++)
        to = bytes_put(to, head->numbers[i], 8);
    for (size_t i = 0; i < count; i++)
        to = bytes_put_floats(to, parts[i].at, parts[i].count);
    file_seal(bytes, (size_t)(to - bytes) + FILE_SUM);
}

int state_save(const char *path, const struct state_head *head,
               const struct state_part *parts, size_t count,
               struct failure *failure)
{
    const size_t floats = all_floats(parts, count);
    const size_t size = HEAD_SIZE + 4 * floats + FILE_SUM;
    uint8_t *bytes = malloc(size);
    int number;

    if (bytes == NULL)
        return failure_set(failure, ENOMEM, "no memory to write %s", path);
    fill(bytes, head, floats, parts, count);
    number = file_write(path, bytes, size, failure);
    free(bytes);
    return number;
}

/* ---- reading -------------------------------------------------------------- */

static const char *kind_name(uint64_t kind)
{
    switch (kind) {
    case STATE_GAN:
        return "a GAN";
    case STATE_SCORE_NET:
        return "a net that scores";
    default:
        return "something else";
    }
}

static int check(const struct state_file *file, size_t size, uint64_t version,
                 uint64_t kind, enum state_kind wanted, uint64_t floats,
                 const char *path, struct failure *failure)
{
    if (version != VERSION)
        return failure_set(failure, EBADMSG,
                           "%s is of version %u, this program reads version "
                           "%d: it was written by another one",
                           path, (unsigned)version, (int)VERSION);
    if (kind != (uint64_t)wanted)
        return failure_set(failure, EBADMSG, "%s holds %s, wanted is %s", path,
                           kind_name(kind), kind_name((uint64_t)wanted));
    if (floats > MOST || size != HEAD_SIZE + 4 * floats + FILE_SUM)
        return failure_set(failure, EBADMSG,
                           "%s is damaged: it is not as long as its first "
                           "bytes say; use an older one",
                           path);
    if (!file_is_whole(file->bytes, size))
        return failure_set(failure, EBADMSG,
                           "%s is damaged: its checksum is wrong; use an older "
                           "one",
                           path);
    return 0;
}

/* Numbers of the head that a network can have; others are damage. */
static int small_number(uint64_t number)
{
    return number < 1000 ? (int)number : -1;
}

static int parse(struct state_file *file, size_t size, const char *path,
                 enum state_kind wanted, struct failure *failure)
{
    const uint8_t *from = file->bytes + MAGIC_SIZE;
    uint64_t version;
    uint64_t kind;
    uint64_t channels;
    uint64_t classes;
    uint64_t floats;
    int number;

    if (size < HEAD_SIZE + FILE_SUM ||
        memcmp(file->bytes, magic, MAGIC_SIZE) != 0)
        return failure_set(failure, EBADMSG,
                           "%s holds no network of this program: it does not "
                           "start with \"%s\"",
                           path, magic);
    from = bytes_get(from, &version, 4);
    from = bytes_get(from, &kind, 4);
    from = bytes_get(from, &channels, 4);
    from = bytes_get(from, &classes, 4);
    from = bytes_get(from, &floats, 8);
    number = check(file, size, version, kind, wanted, floats, path, failure);
    if (number != 0)
        return number;
    file->head.kind = wanted;
    file->head.channels = small_number(channels);
    file->head.classes = small_number(classes);
    file->floats = (size_t)floats;
    for (int i = 0; i < STATE_NUMBERS; i++)
        from = bytes_get(from, &file->head.numbers[i], 8);
    return 0;
}

int state_open(struct state_file *file, const char *path, enum state_kind kind,
               struct failure *failure)
{
    size_t size = 0;
    int number;

    memset(file, 0, sizeof *file);
    number = file_read(path, MOST, &file->bytes, &size, failure);
    if (number == 0)
        number = parse(file, size, path, kind, failure);
    if (number != 0)
        state_close(file);
    return number;
}

int state_take(const struct state_file *file, const char *path,
               const struct state_part *parts, size_t count,
               struct failure *failure)
{
    const uint8_t *from = file->bytes + HEAD_SIZE;

    if (file->floats != all_floats(parts, count))
        return failure_set(failure, EBADMSG,
                           "%s holds another network: %zu numbers, this one "
                           "has %zu",
                           path, file->floats, all_floats(parts, count));
    for (size_t i = 0; i < count; i++)
        from = bytes_get_floats(from, parts[i].at, parts[i].count);
    return 0;
}

void state_close(struct state_file *file)
{
    free(file->bytes);
    memset(file, 0, sizeof *file);
}
