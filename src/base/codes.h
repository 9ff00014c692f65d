/*
 * codes.h: the stable ids of errors and warnings (`error[E0104]`), and what is to be said
 * about each.  The table itself is codes.def.
 */
#ifndef PBT_BASE_CODES_H
#define PBT_BASE_CODES_H

#include <stddef.h>

#include <pbt/error.h>

enum pbt_code {
#define GROUP(digits, about)
#define CODE(id, status, title, why, wrong, right) PBT_##id,
#include "base/codes.def"
#undef GROUP
#undef CODE
    PBT_CODE_COUNT
};

struct pbt_code_text {
    const char *id; /* "E0104", "W0101" */
    int status; /* what a call fails with, and pbt ends with; PBT_OK of a warning */
    const char *title;
    const char *why;   /* lines, without a newline at the end */
    const char *wrong; /* an example; empty if there is none */
    const char *right;
};

extern const struct pbt_code_text pbt_codes[PBT_CODE_COUNT];

/* What the codes from this one on are about: in the first of each group, else NULL. */
const char *pbt_code_group(enum pbt_code code);

/* The code by its id, in any case, also without its E; PBT_CODE_COUNT: there is none. */
enum pbt_code pbt_code_find(const char *id);

/* The id of an error: its own, or that of its status. */
const char *pbt_error_id(const struct pbt_error *error);

/* pbt_error_set() with an id, and the status that belongs to it. */
int pbt_fail(struct pbt_error *error, enum pbt_code code, const char *fmt, ...)
    PBT_PRINTF(3, 4);

#endif
