/*
 * summary.h: an experiment in words, for `pbt check`.
 */
#ifndef PBT_CLI_SUMMARY_H
#define PBT_CLI_SUMMARY_H

#include "base/buf.h"
#include "cli/forecast.h"
#include "exec/budget.h"
#include "spec/spec.h"

/* What would run, here and now. */
void pbt_cli_put_summary(const struct pbt_spec *spec,
                         const struct pbt_budget *budget,
                         const struct pbt_cli_forecast *forecast,
                         struct pbt_buf *out);

/* check_json.c: the same for programs. */
void pbt_cli_put_check_json(const struct pbt_spec *spec,
                            const struct pbt_budget *budget,
                            const struct pbt_cli_forecast *forecast,
                            struct pbt_buf *out);

/* When perturbations fall, in units of time_attr. */
struct pbt_cli_points {
    double first;
    bool known; /* by `stop`: the next two */
    double last;
    double count; /* of each trial; 0: none */
};

struct pbt_cli_points pbt_cli_points(const struct pbt_spec *spec);

/* One key's value in a line; "..." for mappings, and for what may be secret. */
void pbt_cli_put_setting(const struct pbt_spec *spec, int key,
                         struct pbt_buf *out);

/* first_run.c: the first command line of a program without a client, filled in. */
void pbt_cli_put_first_run(const struct pbt_spec *spec, struct pbt_buf *out);

/* Every key, its value in one line, and where it comes from: `file` is the file's name. */
void pbt_cli_put_settings(const struct pbt_spec *spec, const char *file,
                          struct pbt_buf *out);

#endif
