/*
 * digits.h: the shortest text of a double that reads back to the same bits: what
 * Python's repr() prints, and valid JSON for every finite value.
 *
 * On the step path a result has several reals, and snprintf with a test reading costs more
 * than all the rest of its line: values from 1e-5 to 1e17 are done in exact 128-bit
 * integers, and smaller ones of few digits as whole numbers, some 20 times as fast.
 */
#ifndef PBT_BASE_DIGITS_H
#define PBT_BASE_DIGITS_H

#include <stddef.h>

#define PBT_REPR_SIZE 32

/*
 * Writes the text, NUL-terminated, and returns its length: "0.1", "1.0", "1e-05",
 * "1e+16", "-0.0", "nan", "inf", "-inf".  Ignores the locale.
 */
size_t pbt_real_repr(double value, char text[PBT_REPR_SIZE]);

#endif
