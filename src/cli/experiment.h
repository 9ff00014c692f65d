/*
 * experiment.h: the experiment that `pbt run` and `pbt check` are about: a file, flags, or
 * both.
 */
#ifndef PBT_CLI_EXPERIMENT_H
#define PBT_CLI_EXPERIMENT_H

#include "cli/cli.h"
#include "cli/verbs.h"
#include "spec/spec.h"

/*
 * Reads it; flags are overrides in other words.  What is wrong has been said when a status is
 * returned.
 */
int pbt_cli_read_experiment(const struct pbt_cli_call *call,
                            struct pbt_spec *spec);

#endif
