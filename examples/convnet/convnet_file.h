/*
 * convnet_file.h: a struct convnet in a file.
 *
 * The file is 15,724 bytes, all numbers little-endian:
 *
 *     offset  bytes
 *          0      8   "CONVNET\n"
 *          8      4   version of this format: 1
 *         12      4   number of weights: 1960
 *         16      8   state of the generator of random numbers
 *         24      8   learning rate, a double
 *         32      8   momentum, a double
 *         40   7840   weights, floats in the order of union convnet_parameters
 *       7880   7840   momentum buffers, in the same order
 *      15720      4   CRC-32 (that of gzip) of all bytes before
 *
 * A reader refuses a file of any other size, version, count or checksum.
 */
#ifndef CONVNET_FILE_H
#define CONVNET_FILE_H

#include "convnet.h"
#include "common/failure.h"

/* Writes `path` anew.  It is not synced, nor replaced atomically. */
int convnet_save(const struct convnet *net, const char *path,
                 struct failure *failure);

/* After a failure `net` is as it was. */
int convnet_load(struct convnet *net, const char *path,
                 struct failure *failure);

#endif
