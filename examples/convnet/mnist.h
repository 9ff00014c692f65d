/*
 * mnist.h: reads images and labels in MNIST's IDX format.
 *
 * A set is two files in one directory, as they are or compressed by gzip (with
 * ".gz" at the end of the name):
 *
 *     <part>-images-idx3-ubyte   big-endian words 0x803, count, 28, 28;
 *                                then count x 784 bytes, 0 black to 255 white
 *     <part>-labels-idx1-ubyte   big-endian words 0x801, count;
 *                                then count bytes, 0 to 9
 *
 * where <part> is "train" or "t10k".  A file that is not compressed is mapped,
 * not read: several processes on a machine share it, and only the pages that
 * are looked at are ever loaded.
 */
#ifndef CONVNET_MNIST_H
#define CONVNET_MNIST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

/* The bytes of a file: mapped, or in memory of our own. */
struct mnist_file {
    uint8_t *bytes;
    size_t size;
    bool mapped;
};

struct mnist_set {
    size_t count;          /* images, at least 1 */
    const uint8_t *images; /* count x 784 bytes */
    const uint8_t *labels; /* count bytes, 0 to 9 */
    struct mnist_file image_file;
    struct mnist_file label_file;
};

/*
 * Opens <directory>/<part>-*.  ENOENT if there is no such file, EBADMSG if a
 * file is damaged or of another kind.
 */
int mnist_open(struct mnist_set *set, const char *directory, const char *part,
               struct failure *failure);

/* Also of a set that is all zeros. */
void mnist_close(struct mnist_set *set);

#endif
