/* pictures.c: see pictures.h. */
#include "pictures.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "gan.h"

enum {
    RECORD = 1 + 3 * GAN_PIXELS,
    LEAST_SIDE = 16,
    MOST_SIDE = 64,
    MARKED = 64 /* images at each end that the mark depends on */
};

_Static_assert((int)MOST_SIDE <= (int)RESIZE_MAX, "each size can be resized");

/* ---- CIFAR-10 ------------------------------------------------------------- */

static bool is_cifar(const char *directory)
{
    char path[4096];
    int length = snprintf(path, sizeof path, "%s/data_batch_1.bin", directory);

    return length > 0 && (size_t)length < sizeof path &&
           access(path, F_OK) == 0;
}

static int check_records(const struct idx_file *file, const char *directory,
                         const char *name, struct failure *failure)
{
    if (file->size % RECORD != 0)
        return failure_set(failure, EBADMSG,
                           "%s/%s is damaged, or is not of CIFAR-10's binary "
                           "version: %zu bytes are no whole number of records "
                           "of %d",
                           directory, name, file->size, (int)RECORD);
    for (size_t at = 0; at < file->size; at += RECORD)
        if (file->bytes[at] > 9)
            return failure_set(failure, EBADMSG,
                               "%s/%s is damaged: label %zu is %d, not 0 to 9",
                               directory, name, at / RECORD, file->bytes[at]);
    return 0;
}

static int open_cifar(struct pictures *p, const char *directory,
                      enum pictures_part part, struct failure *failure)
{
    const size_t files = part == PICTURES_TRAIN ? PICTURES_FILES : 1;

    p->channels = 3;
    p->classes = 10;
    p->resize = resize_plan(GAN_SIDE, GAN_SIDE);
    for (size_t i = 0; i < files; i++) {
        char name[32] = "test_batch.bin";
        int number;

        if (part == PICTURES_TRAIN)
            (void)snprintf(name, sizeof name, "data_batch_%zu.bin", i + 1);
        number = idx_file_open(&p->files[i], directory, name, failure);
        if (number != 0)
            return number;
        p->file_count = i + 1; /* to be closed */
        number = check_records(&p->files[i], directory, name, failure);
        if (number != 0)
            return number;
        p->count += p->files[i].size / RECORD;
        p->ends[i] = p->count;
    }
    return 0;
}

static const uint8_t *record(const struct pictures *p, size_t index)
{
    size_t file = 0;
    size_t begin = 0;

    while (index >= p->ends[file])
        begin = p->ends[file++];
    return p->files[file].bytes + (index - begin) * RECORD;
}

/* ---- IDX ------------------------------------------------------------------ */

static int open_grey(struct pictures *p, const char *directory,
                     enum pictures_part part, bool labels,
                     struct failure *failure)
{
    const char *name = part == PICTURES_TRAIN ? "train" : "t10k";
    int number = idx_open_images(&p->idx, directory, name, failure);
    const size_t side = p->idx.width;

    if (number != 0)
        return number;
    if (side != p->idx.height || side < LEAST_SIDE || side > MOST_SIDE)
        return failure_set(failure, EBADMSG,
                           "the %s-images in %s are of %zu x %zu pixels: they "
                           "have to be square, of %d to %d a side",
                           name, directory, p->idx.height, side,
                           (int)LEAST_SIDE, (int)MOST_SIDE);
    p->count = p->idx.count;
    p->channels = 1;
    p->resize = resize_plan((int)side, GAN_SIDE);
    if (!labels)
        return 0;
    number = idx_open_labels(&p->idx, directory, name, UINT8_MAX, failure);
    if (number == ENOENT)
        return failure_set(failure, ENOENT,
                           "there are no %s-labels in %s: the net that scores "
                           "fakes can't be trained on these images; name one "
                           "that was trained on others (in `config:`, "
                           "score_net: FILE)",
                           name, directory);
    for (size_t i = 0; number == 0 && i < p->count; i++)
        if (p->idx.labels[i] >= p->classes)
            p->classes = p->idx.labels[i] + 1;
    return number;
}

/* ---- both ----------------------------------------------------------------- */

int pictures_open(struct pictures *pictures, const char *directory,
                  enum pictures_part part, bool labels, struct failure *failure)
{
    int number;

    memset(pictures, 0, sizeof *pictures);
    if (is_cifar(directory))
        number = open_cifar(pictures, directory, part, failure);
    else
        number = open_grey(pictures, directory, part, labels, failure);
    if (number != 0)
        pictures_close(pictures);
    return number;
}

void pictures_close(struct pictures *pictures)
{
    idx_close(&pictures->idx);
    for (size_t i = 0; i < pictures->file_count; i++)
        idx_file_close(&pictures->files[i]);
    memset(pictures, 0, sizeof *pictures);
}

static const uint8_t *pixels(const struct pictures *p, size_t index)
{
    const size_t size = (size_t)p->resize.from * (size_t)p->resize.from;

    return p->file_count > 0 ? record(p, index) + 1
                             : p->idx.images + index * size;
}

void pictures_get(const struct pictures *pictures, size_t index, float *to)
{
    const int size = pictures->resize.from * pictures->resize.from;
    const uint8_t *from = pixels(pictures, index);
    float image[RESIZE_MAX * RESIZE_MAX];

    for (int channel = 0; channel < pictures->channels; channel++) {
        for (int i = 0; i < size; i++)
            image[i] = (float)from[i] / 127.5f - 1.0f;
        resize_apply(&pictures->resize, image, to);
        from += size;
        to += GAN_PIXELS;
    }
}

int pictures_label(const struct pictures *pictures, size_t index)
{
    return pictures->file_count > 0 ? record(pictures, index)[0]
                                    : pictures->idx.labels[index];
}

uint32_t pictures_mark(const struct pictures *pictures)
{
    const size_t size = (size_t)pictures->channels *
                        (size_t)pictures->resize.from *
                        (size_t)pictures->resize.from;
    uLong mark = crc32(0, NULL, 0);

    for (size_t i = 0; i < pictures->count; i++) {
        const uint8_t label =
            pictures->classes > 0 ? (uint8_t)pictures_label(pictures, i) : 0;

        mark = crc32(mark, &label, 1);
        if (i < MARKED || i + MARKED >= pictures->count)
            mark = crc32(mark, pixels(pictures, i), (uInt)size);
    }
    return (uint32_t)mark;
}
