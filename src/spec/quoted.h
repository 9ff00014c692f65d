/*
 * quoted.h: quoted scalars of YAML that stand on one line.
 *
 * libfyaml 0.7.12 gives their text, too, but loses memory with each that has more than a few
 * escapes; strings of JSON that we wrote ourselves may have many.  (What runs
 * over several lines still comes from there.)
 */
#ifndef PBT_SPEC_QUOTED_H
#define PBT_SPEC_QUOTED_H

#include <stddef.h>

/*
 * The text of what stands between the quotes, in `out` (of twice the length at least); its
 * length is returned.  The parser has passed it: what is no escape is taken as it is.
 */
size_t pbt_unquote_single(const char *raw, size_t length, char *out);
size_t pbt_unquote_double(const char *raw, size_t length, char *out);

#endif
