/*
 * strict.h: reads JSON that stands in the very form in which we write it: no spaces, no
 * escapes, members in a known order.  That is some ten times as fast as a tree.
 *
 * Each function reads one thing at `at`, moves on, and says whether that thing was there.
 * If not, the text may still be good JSON in another form: then it is for jansson, which
 * also says what is wrong.
 */
#ifndef PBT_BASE_STRICT_H
#define PBT_BASE_STRICT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pbt_strict {
    const char *at;
    const char *end;
};

/* These two move on only over what must stand here. */
bool pbt_strict_skip(struct pbt_strict *in, const char *text, size_t length);
bool pbt_strict_char(struct pbt_strict *in, char c);

/* Digits without a leading zero, at most 18; whatever follows. */
bool pbt_strict_digits(struct pbt_strict *in, uint64_t *value);

/*
 * Values, up to a comma or a closing bracket.  u64: or all of 64 bits between quotes.
 * real: with a point or an exponent; or "NaN" between quotes.
 */
bool pbt_strict_u64(struct pbt_strict *in, uint64_t *value);
bool pbt_strict_u32(struct pbt_strict *in, uint32_t limit, uint32_t *value);
bool pbt_strict_i64(struct pbt_strict *in, int64_t *value);
bool pbt_strict_real(struct pbt_strict *in, double *value);
bool pbt_strict_bool(struct pbt_strict *in, bool *value);

/* The end of the object that begins here; NULL: there is an escape in it, or none. */
const char *pbt_strict_object_end(const struct pbt_strict *in);

#endif
