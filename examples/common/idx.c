/* idx.c: see idx.h for the format. */
#include "idx.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zlib.h>

enum {
    MAGIC_LABELS = 0x801,
    MAGIC_IMAGES = 0x803,
    MAX_SIZE = 1 << 30, /* a compressed file may not grow beyond this */
    FIRST_SIZE = 1 << 20
};

#define GET_IT_AGAIN                                                           \
    "delete it and fetch the data again (MNIST's: scripts/get-mnist)"

void idx_file_close(struct idx_file *file)
{
    if (file->bytes != NULL && file->mapped)
        (void)munmap(file->bytes, file->size); /* fails on wrong use only */
    else
        free(file->bytes);
    memset(file, 0, sizeof *file);
}

static int file_map(struct idx_file *file, int fd, const char *path,
                    struct failure *failure)
{
    struct stat status;
    void *bytes;

    if (fstat(fd, &status) != 0)
        return failure_set(failure, errno, "can't read %s: %s", path,
                           strerror(errno));
    if (!S_ISREG(status.st_mode) || status.st_size <= 0)
        return failure_set(failure, EBADMSG,
                           "%s is empty or not a regular file: " GET_IT_AGAIN,
                           path);
    bytes = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (bytes == MAP_FAILED)
        return failure_set(failure, errno, "can't map %s: %s", path,
                           strerror(errno));
    file->bytes = bytes;
    file->size = (size_t)status.st_size;
    file->mapped = true;
    return 0;
}

/* Makes room for more; `*capacity` is a power of two. */
static int file_grow(struct idx_file *file, size_t *capacity, const char *path,
                     struct failure *failure)
{
    size_t wanted = *capacity == 0 ? FIRST_SIZE : *capacity * 2;
    uint8_t *bytes;

    if (wanted > MAX_SIZE)
        return failure_set(failure, EBADMSG,
                           "%s holds more than %d bytes, MNIST far less: "
                           "is this the right file?",
                           path, (int)MAX_SIZE);
    bytes = realloc(file->bytes, wanted);
    if (bytes == NULL)
        return failure_set(failure, ENOMEM, "no memory to unpack %s", path);
    file->bytes = bytes;
    *capacity = wanted;
    return 0;
}

/* What zlib says, without the "<fd:3>: " that it puts before. */
static const char *complaint(gzFile stream)
{
    int state;
    const char *text = gzerror(stream, &state);
    const char *colon = strstr(text, ">: ");

    return colon == NULL ? text : colon + 3;
}

static int file_unpack(struct idx_file *file, gzFile stream, const char *path,
                       struct failure *failure)
{
    size_t capacity = 0;
    int state = Z_OK;

    for (;;) {
        int got;

        if (file->size == capacity) {
            int number = file_grow(file, &capacity, path, failure);

            if (number != 0)
                return number;
        }
        got = gzread(stream, file->bytes + file->size,
                     (unsigned)(capacity - file->size));
        if (got < 0)
            break;
        if (got == 0) {
            /* At the end of a file that was cut short, zlib returns 0 and
               leaves a note. */
            (void)gzerror(stream, &state);
            if (state != Z_OK && state != Z_STREAM_END)
                break;
            return 0;
        }
        file->size += (size_t)got;
    }
    return failure_set(failure, EBADMSG,
                       "%s is damaged or cut short (%s): " GET_IT_AGAIN, path,
                       complaint(stream));
}

/* Takes over `fd`. */
static int file_read_gzip(struct idx_file *file, int fd, const char *path,
                          struct failure *failure)
{
    gzFile stream = gzdopen(fd, "rb");
    int number;

    if (stream == NULL) {
        (void)close(fd);
        return failure_set(failure, ENOMEM, "no memory to unpack %s", path);
    }
    (void)gzbuffer(stream, 1 << 17); /* an optimisation: may be refused */
    number = file_unpack(file, stream, path, failure);
    (void)gzclose_r(stream); /* read only: nothing can be lost */
    if (number != 0)
        idx_file_close(file);
    return number;
}

/*
 * Opens <directory>/<name>, else <name>.gz; what it is, is told by its first
 * bytes and not by its name.  `path` receives the name for messages.
 */
static int file_open(struct idx_file *file, const char *directory,
                     const char *name, char path[PATH_MAX],
                     struct failure *failure)
{
    static const char *const endings[] = {"", ".gz"};
    unsigned char start[2] = {0, 0};
    int fd = -1;

    for (size_t i = 0; i < 2 && fd < 0; i++) {
        int length =
            snprintf(path, PATH_MAX, "%s/%s%s", directory, name, endings[i]);

        if (length < 0 || length >= PATH_MAX)
            return failure_set(failure, ENAMETOOLONG,
                               "the path of %s is too long", name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd < 0 && errno != ENOENT)
            return failure_set(failure, errno, "can't open %s: %s", path,
                               strerror(errno));
    }
    if (fd < 0)
        return failure_set(
            failure, ENOENT,
            "there is no %s or %s.gz in %s: is this the right "
            "directory? MNIST's digits are fetched by "
            "scripts/get-mnist, which prints where they are; set "
            "PBT_MNIST_DIR to that",
            name, name, directory);
    /* A shorter file is found out later, by its size. */
    if (pread(fd, start, sizeof start, 0) < 0) {
        int number = errno;

        (void)close(fd);
        return failure_set(failure, number, "can't read %s: %s", path,
                           strerror(number));
    }
    if (start[0] == 0x1f && start[1] == 0x8b)
        return file_read_gzip(file, fd, path, failure);

    int number = file_map(file, fd, path, failure);

    (void)close(fd); /* a mapping outlives its descriptor */
    return number;
}

static uint32_t word(const struct idx_file *file, size_t index)
{
    const uint8_t *b = file->bytes + 4 * index;

    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 |
           (uint32_t)b[3];
}

/* The bytes of an item, from the words at the start of its file. */
static uint64_t item_size(const struct idx_file *file, uint32_t magic)
{
    return magic == MAGIC_IMAGES
               ? (uint64_t)word(file, 2) * (uint64_t)word(file, 3)
               : 1;
}

/* Checks the words at the start and the size that follows from them. */
static int check(const struct idx_file *file, const char *path, uint32_t magic,
                 struct failure *failure)
{
    const size_t start = magic == MAGIC_IMAGES ? 16 : 8;
    uint64_t size;
    uint64_t wanted;

    if (file->size < start)
        return failure_set(failure, EBADMSG,
                           "%s is cut short: %zu bytes; " GET_IT_AGAIN, path,
                           file->size);
    if (word(file, 0) != magic)
        return failure_set(failure, EBADMSG,
                           "%s is not a file of MNIST's %s: it starts with "
                           "0x%08x instead of 0x%08x; " GET_IT_AGAIN,
                           path, magic == MAGIC_IMAGES ? "images" : "labels",
                           (unsigned)word(file, 0), (unsigned)magic);
    size = item_size(file, magic);
    if (word(file, 1) == 0 || size == 0)
        return failure_set(failure, EBADMSG, "%s is empty: " GET_IT_AGAIN,
                           path);
    if (size > MAX_SIZE)
        return failure_set(
            failure, EBADMSG,
            "%s holds images of %u x %u: is this the right file?", path,
            (unsigned)word(file, 2), (unsigned)word(file, 3));
    wanted = start + word(file, 1) * size; /* below 2^62 + 16 */
    if (file->size != wanted)
        return failure_set(failure, EBADMSG,
                           "%s is %s: %zu bytes, for %u items it takes "
                           "%llu; " GET_IT_AGAIN,
                           path, file->size < wanted ? "cut short" : "too long",
                           file->size, (unsigned)word(file, 1),
                           (unsigned long long)wanted);
    return 0;
}

int idx_open_images(struct idx_set *set, const char *directory,
                    const char *part, struct failure *failure)
{
    char name[64];
    char path[PATH_MAX];
    int number;

    memset(set, 0, sizeof *set);
    (void)snprintf(name, sizeof name, "%.32s-images-idx3-ubyte", part);
    number = file_open(&set->image_file, directory, name, path, failure);
    if (number == 0)
        number = check(&set->image_file, path, MAGIC_IMAGES, failure);
    if (number != 0) {
        idx_close(set);
        return number;
    }
    set->count = word(&set->image_file, 1);
    set->height = word(&set->image_file, 2);
    set->width = word(&set->image_file, 3);
    set->images = set->image_file.bytes + 16;
    return 0;
}

static int check_labels(const struct idx_set *set, const char *path,
                        uint8_t most, struct failure *failure)
{
    const uint8_t *labels = set->label_file.bytes + 8;

    if (word(&set->label_file, 1) != set->count)
        return failure_set(failure, EBADMSG,
                           "%s holds %u labels, but there are %zu images "
                           "beside it: the two files do not belong together; "
                           "fetch the data again (MNIST's: scripts/get-mnist)",
                           path, (unsigned)word(&set->label_file, 1),
                           set->count);
    for (size_t i = 0; i < set->count; i++)
        if (labels[i] > most)
            return failure_set(
                failure, EBADMSG,
                "%s is damaged: label %zu is %d, not 0 to %d; " GET_IT_AGAIN,
                path, i, labels[i], most);
    return 0;
}

int idx_open_labels(struct idx_set *set, const char *directory,
                    const char *part, uint8_t most, struct failure *failure)
{
    char name[64];
    char path[PATH_MAX];
    int number;

    (void)snprintf(name, sizeof name, "%.32s-labels-idx1-ubyte", part);
    number = file_open(&set->label_file, directory, name, path, failure);
    if (number == 0)
        number = check(&set->label_file, path, MAGIC_LABELS, failure);
    if (number == 0)
        number = check_labels(set, path, most, failure);
    if (number == 0)
        set->labels = set->label_file.bytes + 8;
    else
        idx_file_close(&set->label_file);
    return number;
}

int idx_open(struct idx_set *set, const char *directory, const char *part,
             uint8_t most, struct failure *failure)
{
    int number = idx_open_images(set, directory, part, failure);

    if (number == 0)
        number = idx_open_labels(set, directory, part, most, failure);
    if (number != 0)
        idx_close(set);
    return number;
}

int idx_file_open(struct idx_file *file, const char *directory,
                  const char *name, struct failure *failure)
{
    char path[PATH_MAX];

    memset(file, 0, sizeof *file);
    return file_open(file, directory, name, path, failure);
}

void idx_close(struct idx_set *set)
{
    idx_file_close(&set->image_file);
    idx_file_close(&set->label_file);
    memset(set, 0, sizeof *set);
}
