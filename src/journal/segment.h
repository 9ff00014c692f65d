/*
 * segment.h: what the writer and the reader of segments share: private to journal.c
 * and journal_read.c.
 */
#ifndef PBT_JOURNAL_SEGMENT_H
#define PBT_JOURNAL_SEGMENT_H

#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/files.h"

#define PBT_JOURNAL_VERSION 1
#define PBT_SEGMENT_PATH_SIZE 4096
#define PBT_SEGMENT_HEADER_MAX 512 /* bytes, with room for later members */

#define PBT_CLOSING_START "{\"batch\":"
#define PBT_CLOSING_START_LENGTH (sizeof PBT_CLOSING_START - 1)
#define PBT_CLOSING_TAIL_LENGTH (sizeof "\"}\n" - 1)
#define PBT_CLOSING_SIZE 128

/* PBT_EUSAGE: too long. */
int pbt_segment_path(const char *dir, uint64_t number,
                     char path[PBT_SEGMENT_PATH_SIZE], struct pbt_error *error);

/*
 * How many segments there are; they are numbered from 1 without gaps, else PBT_EDATA, and the
 * count is of those in front of the gap.
 */
int pbt_segment_count(struct pbt_files *files, const char *dir, uint64_t *count,
                      struct pbt_error *error);

/*
 * The line that closes a batch of `count` lines of `length` bytes; returns its
 * length, with the newline.  Nothing else writes such a line, and a reader writes
 * it anew and compares.
 */
size_t pbt_segment_closing(const char *lines, size_t length, uint64_t count,
                           char closing[PBT_CLOSING_SIZE]);

/* The sum in a closing line of `length` bytes, with its newline. */
void pbt_segment_sum(const char *closing, size_t length, char sum[17]);

#endif
