/*
 * forecast.h: how much room an experiment's checkpoints will take.
 */
#ifndef PBT_CLI_FORECAST_H
#define PBT_CLI_FORECAST_H

#include <limits.h>

#include "spec/spec.h"

struct pbt_cli_forecast {
    uint64_t count; /* checkpoints that there are at a time, at most; 0: none */
    uint64_t each;  /* bytes of one; 0: not known before the first save */
    uint64_t most;  /* of all, by checkpoint.max_bytes; UINT64_MAX: no limit */
    char from[PATH_MAX]; /* the directory that `each` was seen in */
    uint64_t free;       /* bytes left for runs; UINT64_MAX: not known */
};

/*
 * The size of one is taken from the largest that the newest run of this name in `runs` has kept,
 * else from start_checkpoint.
 */
void pbt_cli_forecast(const struct pbt_spec *spec, const char *runs,
                      struct pbt_cli_forecast *forecast);

/* What they all take together, at most. */
uint64_t pbt_cli_forecast_bytes(const struct pbt_cli_forecast *forecast);

/* Says so if they don't fit. */
void pbt_cli_forecast_warn(const struct pbt_cli_forecast *forecast);

#endif
