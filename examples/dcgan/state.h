/*
 * state.h: networks in files.
 *
 * A file holds, little-endian:
 *
 *     offset  bytes
 *          0      8   "PBTDCGAN"
 *          8      4   version of this format: 1
 *         12      4   what it is: 1 a GAN in training, 2 a score net
 *         16      4   channels of the images
 *         20      4   classes that a score net tells apart; of a GAN 0
 *         24      8   number of floats
 *         32     64   eight numbers of 8 bytes: see dcgan_file.c and lenet.c
 *         96    4 n   floats
 *     96+4 n      4   CRC-32 (that of gzip) of all bytes before
 *
 * A reader refuses a file of any other size, version or checksum.
 */
#ifndef DCGAN_STATE_H
#define DCGAN_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "common/failure.h"

enum state_kind { STATE_GAN = 1, STATE_SCORE_NET = 2 };

enum { STATE_NUMBERS = 8 };

struct state_head {
    enum state_kind kind;
    int channels;
    int classes;
    uint64_t numbers[STATE_NUMBERS];
};

/* Some of the floats: a row in memory. */
struct state_part {
    float *at;
    size_t count;
};

/* Writes `path` anew.  It is not synced, nor replaced atomically. */
int state_save(const char *path, const struct state_head *head,
               const struct state_part *parts, size_t count,
               struct failure *failure);

/* A file in memory. */
struct state_file {
    struct state_head head;
    uint8_t *bytes;
    size_t floats;
};

/* Reads and checks a file that has to be of this kind. */
int state_open(struct state_file *file, const char *path, enum state_kind kind,
               struct failure *failure);

/* Its floats; EBADMSG, and nothing is changed, if there are not as many. */
int state_take(const struct state_file *file, const char *path,
               const struct state_part *parts, size_t count,
               struct failure *failure);

/* Also of one that is all zeros. */
void state_close(struct state_file *file);

#endif
