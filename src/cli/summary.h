/*
 * summary.h: an experiment in words, for `pbt check`.
 */
#ifndef PBT_CLI_SUMMARY_H
#define PBT_CLI_SUMMARY_H

#include "base/buf.h"
#include "exec/budget.h"
#include "spec/spec.h"

/* What would run, here and now. */
void pbt_cli_put_summary(const struct pbt_spec *spec,
                         const struct pbt_budget *budget, struct pbt_buf *out);

/* first_run.c: the first command line of a program without a client, filled in. */
void pbt_cli_put_first_run(const struct pbt_spec *spec, struct pbt_buf *out);

/* Every key, its value in one line, and where it comes from: `file` is the file's name. */
void pbt_cli_put_settings(const struct pbt_spec *spec, const char *file,
                          struct pbt_buf *out);

#endif
