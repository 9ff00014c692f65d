/*
 * yaml_hint.h: what libfyaml's complaints most likely come from.
 */
#ifndef PBT_SPEC_YAML_HINT_H
#define PBT_SPEC_YAML_HINT_H

#include "spec/problems.h"

/*
 * Gives a problem that says `message` of libfyaml's a label, and moves it to the quote that it
 * is about.  The problem's span lies in `source`.
 */
void pbt_yaml_hint(const struct pbt_source *source, const char *message,
                   struct pbt_problem *problem);

#endif
