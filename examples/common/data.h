/* data.h: where the images are. */
#ifndef COMMON_DATA_H
#define COMMON_DATA_H

#include <stddef.h>

#include "failure.h"

/*
 * Puts the directory of the data into `path`: $PBT_MNIST_DIR; else the cache
 * that scripts/get-mnist fills; else Debian's dataset-fashion-mnist.  ENOENT if
 * there is none.
 */
int data_find(char *path, size_t size, struct failure *failure);

#endif
