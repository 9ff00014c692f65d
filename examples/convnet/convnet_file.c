/* convnet_file.c: see convnet_file.h for the format. */
#include "convnet_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <zlib.h>

#include "common/bytes.h"

enum {
    VERSION = 1,
    MAGIC_SIZE = 8,
    FILE_SIZE = 40 + 2 * 4 * CONVNET_PARAMETERS + 4
};

static const char magic[MAGIC_SIZE + 1] = "CONVNET\n";

static uint32_t checksum(const uint8_t *file)
{
    return (uint32_t)crc32(crc32(0, NULL, 0), file, FILE_SIZE - 4);
}

/* ---- files -------------------------------------------------------------- */

int convnet_save(const struct convnet *net, const char *path,
                 struct failure *failure)
{
    uint8_t bytes[FILE_SIZE];
    uint8_t *to = bytes + MAGIC_SIZE;
    FILE *file;
    int number = 0;

    memcpy(bytes, magic, MAGIC_SIZE);
    to = bytes_put(to, VERSION, 4);
    to = bytes_put(to, CONVNET_PARAMETERS, 4);
    to = bytes_put(to, net->generator, 8);
    to = bytes_put_double(to, net->lr);
    to = bytes_put_double(to, net->momentum);
    to = bytes_put_floats(to, net->weights.all, CONVNET_PARAMETERS);
    to = bytes_put_floats(to, net->velocity.all, CONVNET_PARAMETERS);
    (void)bytes_put(to, checksum(bytes), 4);

    file = fopen(path, "wb");
    if (file == NULL)
        return failure_set(failure, errno, "can't create %s: %s", path,
                           strerror(errno));
    if (fwrite(bytes, sizeof bytes, 1, file) != 1)
        number = errno;
    /* What was buffered may fail to be written only now. */
    if (fclose(file) != 0 && number == 0)
        number = errno;
    if (number != 0)
        return failure_set(failure, number, "can't write %s: %s", path,
                           strerror(number));
    return 0;
}

/* One byte more is asked for, so that a longer file is noticed too. */
static int read_all(uint8_t bytes[FILE_SIZE + 1], const char *path,
                    struct failure *failure)
{
    FILE *file = fopen(path, "rb");
    size_t size;
    int number;

    if (file == NULL)
        return failure_set(failure, errno, "can't open %s: %s", path,
                           strerror(errno));
    size = fread(bytes, 1, FILE_SIZE + 1, file);
    number = ferror(file) ? errno : 0;
    (void)fclose(file); /* only read */
    if (number != 0)
        return failure_set(failure, number, "can't read %s: %s", path,
                           strerror(number));
    if (size < MAGIC_SIZE || memcmp(bytes, magic, MAGIC_SIZE) != 0)
        return failure_set(failure, EBADMSG,
                           "%s is not a checkpoint of this program: it does "
                           "not start with \"CONVNET\"",
                           path);
    if (size != FILE_SIZE)
        return failure_set(failure, EBADMSG,
                           "%s is damaged: it is %s than the %d bytes of a "
                           "checkpoint; use an older one",
                           path, size < FILE_SIZE ? "shorter" : "longer",
                           (int)FILE_SIZE);
    return 0;
}

int convnet_load(struct convnet *net, const char *path, struct failure *failure)
{
    uint8_t bytes[FILE_SIZE + 1] = {0};
    const uint8_t *from = bytes + MAGIC_SIZE;
    struct convnet loaded;
    uint64_t version;
    uint64_t parameters;
    uint64_t sum;
    int number = read_all(bytes, path, failure);

    if (number != 0)
        return number;
    from = bytes_get(from, &version, 4);
    from = bytes_get(from, &parameters, 4);
    if (version != VERSION || parameters != CONVNET_PARAMETERS)
        return failure_set(failure, EBADMSG,
                           "%s is of version %u with %u weights, this program "
                           "reads version %d with %d: it was written by "
                           "another version of the program",
                           path, (unsigned)version, (unsigned)parameters,
                           (int)VERSION, (int)CONVNET_PARAMETERS);
    from = bytes_get(from, &loaded.generator, 8);
    from = bytes_get_double(from, &loaded.lr);
    from = bytes_get_double(from, &loaded.momentum);
    from = bytes_get_floats(from, loaded.weights.all, CONVNET_PARAMETERS);
    from = bytes_get_floats(from, loaded.velocity.all, CONVNET_PARAMETERS);
    (void)bytes_get(from, &sum, 4);
    if (sum != checksum(bytes))
        return failure_set(failure, EBADMSG,
                           "%s is damaged: its checksum is 0x%08x, but 0x%08x "
                           "is written in it; use an older one",
                           path, (unsigned)checksum(bytes), (unsigned)sum);
    *net = loaded;
    return 0;
}
