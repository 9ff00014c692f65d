/*
 * secret_line.h: which part of an experiment file's line must not be shown in a message.
 */
#ifndef PBT_SPEC_SECRET_LINE_H
#define PBT_SPEC_SECRET_LINE_H

#include <stddef.h>

#include "spec/source.h"

/*
 * The bytes of the line at `place` from the result on may hold the value of a secret
 * variable.  It goes by the text alone, since a file that can't be parsed is shown as well:
 * the block of `env`, and a name in capitals anywhere.
 */
size_t pbt_secret_start(const struct pbt_source *source,
                        const struct pbt_place *place);

#endif
