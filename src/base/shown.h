/*
 * shown.h: numbers as people read them.
 *
 * 0.1 x 1.2 is 0.12, and in doubles 0.11999999999999999558.  Files and --json hold every bit;
 * where a person looks, what rounding alone has added is noise.
 */
#ifndef PBT_BASE_SHOWN_H
#define PBT_BASE_SHOWN_H

#include <stddef.h>

#include "base/buf.h"

/* The number of at most 12 digits that this differs from by rounding alone, or itself. */
double pbt_shown_real(double value);

/*
 * Copies JSON, or what Python's repr() gives, with its numbers so: 0.1 for
 * 0.09999999999999999.
 */
void pbt_shown_put(struct pbt_buf *out, const char *text, size_t length);

#endif
