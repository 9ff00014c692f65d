/*
 * pictures.h: images to train on, brought to the network's size.
 *
 * A set is a directory: images and labels in MNIST's IDX format (idx.h), grey,
 * square and of 16 to 64 pixels a side; or CIFAR-10 as its binary version
 * comes, in colour:
 *
 *     data_batch_1.bin ... data_batch_5.bin, test_batch.bin
 *                                records of 3,073 bytes: a label, 0 to 9, and
 *                                1,024 bytes each of red, green and blue
 *
 * What comes out is of GAN_SIDE x GAN_SIDE pixels with values from -1 to 1,
 * channel by channel, resized bilinearly where it has to be.
 */
#ifndef DCGAN_PICTURES_H
#define DCGAN_PICTURES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/failure.h"
#include "common/idx.h"
#include "resize.h"

enum { PICTURES_FILES = 5 };

struct pictures {
    size_t count;
    int channels; /* 1 or 3 */
    int classes;  /* one more than the largest label; 0: there are no labels */
    struct idx_set idx; /* if it is one */
    struct idx_file files[PICTURES_FILES];
    size_t ends[PICTURES_FILES]; /* the number of the first image behind each */
    size_t file_count;           /* 0: it is the IDX set */
    struct resize resize;
};

enum pictures_part { PICTURES_TRAIN, PICTURES_TEST };

/*
 * Opens a part of the set in `directory`.  An IDX set may come without labels,
 * if `labels` does not ask for them.  ENOENT if there is no set, or are no
 * labels; EBADMSG if it is damaged, or of another size.
 */
int pictures_open(struct pictures *pictures, const char *directory,
                  enum pictures_part part, bool labels,
                  struct failure *failure);

/* Also of one that is all zeros. */
void pictures_close(struct pictures *pictures);

/* Image `index`: channels x GAN_PIXELS numbers. */
void pictures_get(const struct pictures *pictures, size_t index, float *to);

/* Its label; only if there are classes. */
int pictures_label(const struct pictures *pictures, size_t index);

/* Tells sets apart: a checksum of the labels and of some images. */
uint32_t pictures_mark(const struct pictures *pictures);

#endif
