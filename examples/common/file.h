/*
 * file.h: files of numbers that are read and written whole, and end in a
 * checksum: the CRC-32 (that of gzip) of all bytes before, little-endian.
 */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "failure.h"

enum { FILE_SUM = 4 };

/* `size` counts the checksum, for which there has to be room. */
void file_seal(uint8_t *bytes, size_t size);
bool file_is_whole(const uint8_t *bytes, size_t size);

/* Writes `path` anew.  It is not synced, nor replaced atomically. */
int file_write(const char *path, const uint8_t *bytes, size_t size,
               struct failure *failure);

/*
 * `*bytes` receives what has to be freed, `*size` how many there are: EBADMSG if
 * they are more than `most`.
 */
int file_read(const char *path, size_t most, uint8_t **bytes, size_t *size,
              struct failure *failure);

#endif
