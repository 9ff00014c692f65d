/*
 * problems.h: what is wrong with an experiment file or a command line, collected and shown.
 *
 * All problems of a file are reported in one go, in the order of their places:
 *
 *     error[E0104]: unknown key `quantile_fracton` in `scheduler`
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
#include "base/codes.h"
#include "spec/source.h"

#define PBT_PROBLEMS_MAX 20

struct pbt_problem {
    enum pbt_code code;
    struct pbt_span span;
    uint32_t order;
    char message[512];
    char label[256]; /* behind the carets; may be empty */
    char help[512];  /* a line of its own; may be empty */
};

struct pbt_problems {
    struct pbt_sources sources;
    uint32_t count; /* may be beyond PBT_PROBLEMS_MAX: those are only counted */
    struct pbt_problem items[PBT_PROBLEMS_MAX];
    struct pbt_problem spare; /* written and not shown */
};

/* Adds a problem; the result is for the two functions that follow. */
struct pbt_problem *pbt_problem(struct pbt_problems *problems,
                                enum pbt_code code, struct pbt_span span,
                                const char *fmt, ...) PBT_PRINTF(4, 5);
void pbt_problem_label(struct pbt_problem *problem, const char *fmt, ...)
    PBT_PRINTF(2, 3);
void pbt_problem_help(struct pbt_problem *problem, const char *fmt, ...)
    PBT_PRINTF(2, 3);

/* Sorts and writes them all. */
void pbt_problems_write(struct pbt_problems *problems, struct pbt_buf *out);
/* Writes one, which may be a warning. */
void pbt_problem_write(const struct pbt_sources *sources,
                       const struct pbt_problem *problem, struct pbt_buf *out);

/*
 * Adds a word to a command line that is to be shown: quoted if a shell would need it,
 * without control characters.  `span`, if not NULL, is moved from the word to the line.
 */
void pbt_line_word(struct pbt_buf *line, const char *word,
                   struct pbt_span *span);
/*
 * Adds a command line, its first word as "pbt".  True if `from` stands in it, and then `span` is
 * what lies between that and `to`, in the line.
 */
bool pbt_line_words(struct pbt_buf *line, char *const *words, size_t count,
                    const char *from, const char *to, struct pbt_span *span);
/* The same form as pbt_problem_write(), with a line from pbt_line_word(). */
void pbt_line_write(const struct pbt_problem *problem, const char *label,
                    const struct pbt_buf *line, struct pbt_buf *out);

/* Text of the user's for a message: cut to a length that fits, without control characters. */
struct pbt_quoted {
    char text[88];
};

struct pbt_quoted pbt_quote(const char *text, size_t length);

#endif
