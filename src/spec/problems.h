/*
 * problems.h: what is wrong with an experiment file, collected and shown.
 *
 * All problems of a file are reported in one go, in the order of their places:
 *
 *     error: unknown key `quantile_fracton` in `scheduler`
 *       --> sweep.yaml:14:3
 *        |
 *     14 |   quantile_fracton: 0.25
 *        |   ^^^^^^^^^^^^^^^^ did you mean `quantile_fraction`?
 */
#ifndef PBT_SPEC_PROBLEMS_H
#define PBT_SPEC_PROBLEMS_H

#include <stdint.h>

#include <pbt/error.h>

#include "base/buf.h"
#include "spec/source.h"

#define PBT_PROBLEMS_MAX 20

struct pbt_problem {
    struct pbt_span span;
    uint32_t order;
    char message[512];
    char label[256]; /* behind the carets; may be empty */
    char help[512];  /* a line of its own; may be empty */
};

struct pbt_problems {
    const struct pbt_source *sources;
    uint32_t count; /* may be beyond PBT_PROBLEMS_MAX: those are only counted */
    struct pbt_problem items[PBT_PROBLEMS_MAX];
    struct pbt_problem spare; /* written and not shown */
};

/* Adds a problem; the result is for the two functions that follow. */
struct pbt_problem *pbt_problem(struct pbt_problems *problems,
                                struct pbt_span span, const char *fmt, ...)
    PBT_PRINTF(3, 4);
void pbt_problem_label(struct pbt_problem *problem, const char *fmt, ...)
    PBT_PRINTF(2, 3);
void pbt_problem_help(struct pbt_problem *problem, const char *fmt, ...)
    PBT_PRINTF(2, 3);

/* Sorts and writes them all. */
void pbt_problems_write(struct pbt_problems *problems, struct pbt_buf *out);

/* Text of the user's for a message: cut to a length that fits, without control characters. */
struct pbt_quoted {
    char text[88];
};

struct pbt_quoted pbt_quote(const char *text, size_t length);

#endif
