/* picture.h: images side by side, in a PNG file. */
#ifndef DCGAN_PICTURE_H
#define DCGAN_PICTURE_H

#include <stddef.h>

#include "common/failure.h"

struct picture;

/*
 * Room for `count` images of GAN_SIDE x GAN_SIDE pixels, `columns` in a row;
 * `labels` leaves room for a text to the left of each row.  NULL: out of memory.
 */
struct picture *picture_new(size_t count, size_t columns, int labels);

/* Takes NULL. */
void picture_free(struct picture *picture);

/* Image `at`: `channels` x GAN_PIXELS numbers from -1 to 1. */
void picture_put(struct picture *picture, size_t at, const float *image,
                 int channels);

/* The text beside the row of image `at`. */
void picture_label(struct picture *picture, size_t at, const char *text);

int picture_write(struct picture *picture, const char *path,
                  struct failure *failure);

#endif
