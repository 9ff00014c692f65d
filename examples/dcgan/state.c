/* state.c: see state.h for the format. */
#include "state.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "common/bytes.h"

enum {
    VERSION = 1,
    MAGIC_SIZE = 8,
    HEAD_SIZE = 32 + 8 * STATE_NUMBERS,
    SUM_SIZE = 4,
    MOST = 64 << 20 /* bytes in a file: far more than any network has */
};

static const char magic[MAGIC_SIZE + 1] = "PBTDCGAN";

static uint32_t checksum(const uint8_t *bytes, size_t size)
{
    return (uint32_t)crc32(crc32(0, NULL, 0), bytes, (uInt)size);
}

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
    (void)bytes_put(to, checksum(bytes, (size_t)(to - bytes)), SUM_SIZE);
}

static int write_all(const char *path, const uint8_t *bytes, size_t size,
                     struct failure *failure)
{
    FILE *file = fopen(path, "wb");
    int number = 0;

    if (file == NULL)
        return failure_set(failure, errno, "can't create %s: %s", path,
                           strerror(errno));
    if (fwrite(bytes, size, 1, file) != 1)
        number = errno;
    /* What was buffered may fail to be written only now. */
    if (fclose(file) != 0 && number == 0)
        number = errno;
    if (number != 0)
        return failure_set(failure, number, "can't write %s: %s", path,
                           strerror(number));
    return 0;
}

int state_save(const char *path, const struct state_head *head,
               const struct state_part *parts, size_t count,
               struct failure *failure)
{
    const size_t floats = all_floats(parts, count);
    const size_t size = HEAD_SIZE + 4 * floats + SUM_SIZE;
    uint8_t *bytes = malloc(size);
    int number;

    if (bytes == NULL)
        return failure_set(failure, ENOMEM, "no memory to write %s", path);
    fill(bytes, head, floats, parts, count);
    number = write_all(path, bytes, size, failure);
    free(bytes);
    return number;
}

/* ---- reading -------------------------------------------------------------- */

/* `*size` receives how many bytes there are. */
static int read_all(uint8_t **bytes, size_t *size, const char *path,
                    struct failure *failure)
{
    FILE *file = fopen(path, "rb");
    long end = -1;
    int number;

    if (file == NULL)
        return failure_set(failure, errno, "can't open %s: %s", path,
                           strerror(errno));
    if (fseek(file, 0, SEEK_END) == 0)
        end = ftell(file);
    if (end < 0 || end > MOST || fseek(file, 0, SEEK_SET) != 0) {
        (void)fclose(file); /* only read */
        return failure_set(failure, EBADMSG,
                           "%s is no file of a network: it can't be read, or "
                           "is far too large",
                           path);
    }
    *size = (size_t)end;
    *bytes = malloc(*size + 1);
    number = *bytes == NULL ? ENOMEM : 0;
    if (number == 0 && fread(*bytes, 1, *size, file) != *size)
        number = ferror(file) ? errno : EBADMSG;
    (void)fclose(file);
    if (number != 0)
        return failure_set(failure, number, "can't read %s: %s", path,
                           strerror(number));
    return 0;
}

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
    const uint8_t *bytes = file->bytes;
    uint64_t sum;

    if (version != VERSION)
        return failure_set(failure, EBADMSG,
                           "%s is of version %u, this program reads version "
                           "%d: it was written by another one",
                           path, (unsigned)version, (int)VERSION);
    if (kind != (uint64_t)wanted)
        return failure_set(failure, EBADMSG, "%s holds %s, wanted is %s", path,
                           kind_name(kind), kind_name((uint64_t)wanted));
    if (floats > MOST || size != HEAD_SIZE + 4 * floats + SUM_SIZE)
        return failure_set(failure, EBADMSG,
                           "%s is damaged: it is not as long as its first "
                           "bytes say; use an older one",
                           path);
    (void)bytes_get(bytes + size - SUM_SIZE, &sum, SUM_SIZE);
    if (sum != checksum(bytes, size - SUM_SIZE))
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

    if (size < HEAD_SIZE + SUM_SIZE ||
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
    number = read_all(&file->bytes, &size, path, failure);
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
