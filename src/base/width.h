/*
 * width.h: how many columns of a terminal a text takes.
 */
#ifndef PBT_BASE_WIDTH_H
#define PBT_BASE_WIDTH_H

#include <stddef.h>
#include <stdint.h>

/*
 * Columns of a UTF-8 text: 2 for East Asian wide characters and emoji, 0 for combining
 * marks, 1 for all else (also for bytes that are no UTF-8).
 */
size_t pbt_text_width(const char *text, size_t length);

/* The bytes at the start of a text that fit into so many columns. */
size_t pbt_text_fit(const char *text, size_t length, size_t columns);

#endif
