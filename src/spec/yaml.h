/*
 * yaml.h: values as YAML text that reads back as the same value.
 */
#ifndef PBT_SPEC_YAML_H
#define PBT_SPEC_YAML_H

#include <stddef.h>

#include "base/buf.h"

/* JSON text, which is YAML but for a few characters (that only strings have). */
void pbt_yaml_json(struct pbt_buf *out, const char *text);
/* A string in quotes. */
void pbt_yaml_quoted(struct pbt_buf *out, const char *text, size_t length);
/* A string, without quotes where it can't be taken for something else. */
void pbt_yaml_string(struct pbt_buf *out, const char *text, size_t length);
/* A real; whole ones with their ".0". */
void pbt_yaml_real(struct pbt_buf *out, double value);
/* The same where the reader wants a real anyway: 5 for 5.0. */
void pbt_yaml_number(struct pbt_buf *out, double value);

#endif
