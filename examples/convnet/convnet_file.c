/* convnet_file.c: see convnet_file.h for the format. */
#include "convnet_file.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/bytes.h"
#include "common/file.h"

enum {
    VERSION = 1,
    MAGIC_SIZE = 8,
    FILE_SIZE = 40 + 2 * 4 * CONVNET_PARAMETERS + FILE_SUM,
    MOST = 1 << 20 /* what is larger is not looked at */
};

static const char magic[MAGIC_SIZE + 1] = "CONVNET\n";

int convnet_save(const struct convnet *net, const char *path,
                 struct failure *failure)
{
    uint8_t bytes[FILE_SIZE];
    uint8_t *to = bytes + MAGIC_SIZE;

    memcpy(bytes, magic, MAGIC_SIZE);
    to = bytes_put(to, VERSION, 4);
    to = bytes_put(to, CONVNET_PARAMETERS, 4);
    to = bytes_put(to, net->generator, 8);
    to = bytes_put_double(to, net->lr);
    to = bytes_put_double(to, net->momentum);
    to = bytes_put_floats(to, net->weights.all, CONVNET_PARAMETERS);
    (void)bytes_put_floats(to, net->velocity.all, CONVNET_PARAMETERS);
    file_seal(bytes, sizeof bytes);
    return file_write(path, bytes, sizeof bytes, failure);
}

static int check_size(const uint8_t *bytes, size_t size, const char *path,
                      struct failure *failure)
{
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

static int parse(struct convnet *net, const uint8_t *bytes, const char *path,
                 struct failure *failure)
{
    const uint8_t *from = bytes + MAGIC_SIZE;
    struct convnet loaded;
    uint64_t version;
    uint64_t parameters;

    from = bytes_get(from, &version, 4);
    from = bytes_get(from, &parameters, 4);
    if (version != VERSION || parameters != CONVNET_PARAMETERS)
        return failure_set(failure, EBADMSG,
                           "%s is of version %u with %u weights, this program "
                           "reads version %d with %d: it was written by "
                           "another version of the program",
                           path, (unsigned)version, (unsigned)parameters,
                           (int)VERSION, (int)CONVNET_PARAMETERS);
    if (!file_is_whole(bytes, FILE_SIZE))
        return failure_set(failure, EBADMSG,
                           "%s is damaged: its checksum is wrong; use an older "
                           "one",
                           path);
    from = bytes_get(from, &loaded.generator, 8);
    from = bytes_get_double(from, &loaded.lr);
    from = bytes_get_double(from, &loaded.momentum);
    from = bytes_get_floats(from, loaded.weights.all, CONVNET_PARAMETERS);
    (void)bytes_get_floats(from, loaded.velocity.all, CONVNET_PARAMETERS);
    *net = loaded;
    return 0;
}

int convnet_load(struct convnet *net, const char *path, struct failure *failure)
{
    uint8_t *bytes;
    size_t size;
    int number = file_read(path, MOST, &bytes, &size, failure);

    if (number == 0)
        number = check_size(bytes, size, path, failure);
    if (number == 0)
        number = parse(net, bytes, path, failure);
    free(bytes);
    return number;
}
