/*
 * change.h: `pbt resume RUN key=value ...`.
 */
#ifndef PBT_CLI_CHANGE_H
#define PBT_CLI_CHANGE_H

#include <stdbool.h>

#include "cli/verbs.h"

/*
 * What the call's flags, and its operands from `first` on, say of the run, against what it is:
 * where they differ it is refused, or with --change made so (*changed).  What is wrong has been said
 * when a status is returned.  `shown`: the run as the user calls it.
 */
int pbt_cli_change(const struct pbt_cli_call *call, const char *run,
                   const char *shown, size_t first, bool *changed);

#endif
