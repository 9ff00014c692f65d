/*
 * changes.h: what an exploit has done to a configuration, in a few words: "lr x1.2".
 */
#ifndef PBT_LOG_CHANGES_H
#define PBT_LOG_CHANGES_H

#include <stddef.h>

#include "spec/spec.h"

/*
 * Compares the donor's configuration with what was made of it, both in the table's order.
 * Numbers of the same sign that are near each other as a factor, all else as the new value;
 * what comes after the text is full is left out as "...".
 */
void pbt_changes_text(const struct pbt_spec *spec, const struct pbt_cell *from,
                      const struct pbt_cell *to, char *text, size_t size);

#endif
