/*
 * idx.h: reads images and labels in MNIST's IDX format.
 *
 * A set is two files in one directory, as they are or compressed by gzip (with
 * ".gz" at the end of the name):
 *
 *     <part>-images-idx3-ubyte   big-endian words 0x803, count, height, width;
 *                                then count x height x width bytes, 0 black to
 *                                255 white
 *     <part>-labels-idx1-ubyte   big-endian words 0x801, count;
 *                                then count bytes
 *
 * where <part> is "train" or "t10k".  A file that is not compressed is mapped,
 * not read: several processes on a machine share it, and only the pages that
 * are looked at are ever loaded.
 */
#ifndef COMMON_IDX_H
#define COMMON_IDX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

/* The bytes of a file: mapped, or in memory of our own. */
struct idx_file {
    uint8_t *bytes;
    size_t size;
    bool mapped;
};

/*
 * Opens <directory>/<name>, or <name>.gz; what it is, is told by its first bytes
 * and not by its name.  ENOENT if there is neither.
 */
int idx_file_open(struct idx_file *file, const char *directory,
                  const char *name, struct failure *failure);

/* Also of one that is all zeros. */
void idx_file_close(struct idx_file *file);

struct idx_set {
    size_t count; /* images, at least 1 */
    size_t height;
    size_t width;
    const uint8_t *images; /* count x height x width bytes */
    const uint8_t *labels; /* count bytes; NULL: not opened */
    struct idx_file image_file;
    struct idx_file label_file;
};

/*
 * Opens the images <directory>/<part>-*.  ENOENT if there is no such file,
 * EBADMSG if it is damaged or of another kind.
 */
int idx_open_images(struct idx_set *set, const char *directory,
                    const char *part, struct failure *failure);

/* Opens their labels, 0 to `most`.  After a failure the images stay open. */
int idx_open_labels(struct idx_set *set, const char *directory,
                    const char *part, uint8_t most, struct failure *failure);

/* Both; after a failure nothing is open. */
int idx_open(struct idx_set *set, const char *directory, const char *part,
             uint8_t most, struct failure *failure);

/* Also of a set that is all zeros. */
void idx_close(struct idx_set *set);

#endif
