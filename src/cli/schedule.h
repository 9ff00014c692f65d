/*
 * schedule.h: a hyperparameter schedule as source code, for programs that train by it.
 */
#ifndef PBT_CLI_SCHEDULE_H
#define PBT_CLI_SCHEDULE_H

#include "base/buf.h"
#include "results/schedule.h"

/* "the hyperparameters behind ba982_00003 of mnist, iterations 1 to 40" */
void pbt_cli_schedule_title(struct pbt_buf *out,
                            const struct pbt_results *results,
                            const struct pbt_schedule *schedule);

/* A header for C99, C++11 and later: a table, and a function that looks up an iteration. */
void pbt_cli_schedule_c(struct pbt_buf *out, const struct pbt_results *results,
                        const struct pbt_schedule *schedule);

/* A module for Python 3: a list, and a function that gives a configuration. */
void pbt_cli_schedule_python(struct pbt_buf *out,
                             const struct pbt_results *results,
                             const struct pbt_schedule *schedule);

#endif
