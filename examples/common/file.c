/* file.c: see file.h. */
#include "file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "bytes.h"

static uint32_t sum_of(const uint8_t *bytes, size_t size)
{
    return (uint32_t)crc32(crc32(0, NULL, 0), bytes, (uInt)(size - FILE_SUM));
}

void file_seal(uint8_t *bytes, size_t size)
{
    (void)bytes_put(bytes + size - FILE_SUM, sum_of(bytes, size), FILE_SUM);
}

bool file_is_whole(const uint8_t *bytes, size_t size)
{
    uint64_t sum;

    if (size < FILE_SUM)
        return false;
    (void)bytes_get(bytes + size - FILE_SUM, &sum, FILE_SUM);
    return sum == sum_of(bytes, size);
}

int file_write(const char *path, const uint8_t *bytes, size_t size,
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

/* In memory of its size, which a file that isn't one does not tell. */
static int read_open(FILE *file, const char *path, size_t most, uint8_t **bytes,
                     size_t *size, struct failure *failure)
{
    long end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;

    if (end < 0 || (size_t)end > most || fseek(file, 0, SEEK_SET) != 0)
        return failure_set(failure, EBADMSG,
                           "%s is not a file of this program: it can't be "
                           "read, or is far too large",
                           path);
    *size = (size_t)end;
    *bytes = malloc(*size + 1);
    if (*bytes == NULL)
        return failure_set(failure, ENOMEM, "no memory to read %s", path);
    errno = 0;
    if (fread(*bytes, 1, *size, file) == *size)
        return 0;
    free(*bytes);
    *bytes = NULL;
    return failure_set(failure, errno != 0 ? errno : EBADMSG,
                       "can't read %s: %s", path,
                       errno != 0 ? strerror(errno) : "it became shorter");
}

int file_read(const char *path, size_t most, uint8_t **bytes, size_t *size,
              struct failure *failure)
{
    FILE *file = fopen(path, "rb");
    int number;

    *bytes = NULL;
    *size = 0;
    if (file == NULL)
        return failure_set(failure, errno, "can't open %s: %s", path,
                           strerror(errno));
    number = read_open(file, path, most, bytes, size, failure);
    (void)fclose(file); /* only read */
    return number;
}
