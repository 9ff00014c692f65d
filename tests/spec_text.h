/*
 * spec_text.h: what tests of the experiment file share: two right files, and reading.
 */
#ifndef PBT_TESTS_SPEC_TEXT_H
#define PBT_TESTS_SPEC_TEXT_H

#include <stddef.h>

#include "base/buf.h"
#include "spec/spec.h"

#define TEXT_MAX (4u << 20)

extern const char minimal[];
/* Every key, none at its default. */
extern const char good[];
extern const size_t good_length;

/* What it gives is pbt_spec_parse()'s status; `label` is the file's name. */
int parse_full(struct pbt_spec *spec, const char *text, size_t length,
               const char *label, char *const *overrides, size_t count,
               struct pbt_buf *problems);
/* Of what has to be right. */
void parse(struct pbt_spec *spec, const char *text);
void parse_over(struct pbt_spec *spec, const char *text, char *const *overrides,
                size_t count);
void write_spec(const struct pbt_spec *spec, struct pbt_buf *out);

const struct pbt_param *param(const struct pbt_spec *spec, const char *name);
void assert_domain(const struct pbt_domain *domain, enum pbt_domain_kind kind,
                   double lower, double upper, double quantum);
/* Its first value is this constant. */
void assert_constant(const struct pbt_spec *spec, const char *name,
                     const char *json);
/* How and where it runs is what `good` says. */
void check_rim(const struct pbt_spec *spec);

/* With a NUL behind it, to be freed; NULL: there is no such file. */
char *read_all(const char *path, size_t *length);

#endif
