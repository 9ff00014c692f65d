/*
 * printable.h: text of others, made harmless for a terminal.
 *
 * Names, metrics, and what programs print may hold whatever a terminal acts on: escape
 * sequences that retitle its window, move its cursor, or turn what follows around.  Files keep
 * such text as it is; what is shown to people goes through here.
 */
#ifndef PBT_BASE_PRINTABLE_H
#define PBT_BASE_PRINTABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/*
 * The length of the UTF-8 character at the start of `text` (`length` > 0), and its code;
 * a byte that is no UTF-8 counts as one character, with the code UINT32_MAX.
 */
size_t pbt_character(const char *text, size_t length, uint32_t *code);

/*
 * False for what is never to reach a terminal: C0 and C1 controls (with them every escape
 * sequence), DEL, line and paragraph separators, marks that turn the direction of writing,
 * bytes that are no UTF-8.
 */
bool pbt_printable(uint32_t code);

/* Appends the text with a "?" for each such character; `lines`: "\n" and tabs stay. */
void pbt_printable_put(struct pbt_buf *out, const char *text, size_t length,
                       bool lines);

/* "1.5 GiB" */
#define PBT_BYTES_TEXT_SIZE 32
void pbt_bytes_text(uint64_t bytes, char text[PBT_BYTES_TEXT_SIZE]);

#endif
