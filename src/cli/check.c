/*
 * pbt check: an experiment file's errors, or what it would do.
 */
#include "cli/experiment.h"
#include "cli/results.h"
#include "cli/summary.h"
#include "exec/budget.h"

#define OUTPUT_MAX (4u << 20)

/* What is wrong beside the file's own errors. */
static int check_world(const struct pbt_spec *spec)
{
    int status = pbt_cli_finish(spec);
    int found = pbt_cli_check_programs(spec);
    return status == PBT_OK ? found : status;
}

static void warn(const struct pbt_spec *spec, const struct pbt_budget *budget,
                 const struct pbt_cli_forecast *forecast)
{
    char warning[256];
    pbt_cli_put(&spec->warnings, true);
    if (pbt_budget_warning(spec, budget, warning, sizeof warning)) {
        pbt_cli_warn(PBT_W0201, "%s", warning);
    }
    pbt_cli_forecast_warn(forecast);
}

static int show(const struct pbt_cli_call *call, const struct pbt_spec *spec)
{
    struct pbt_budget budget;
    struct pbt_error lacks;
    struct pbt_cli_forecast forecast;
    struct pbt_buf out;
    int fits = pbt_budget_find(spec, &budget, &lacks);
    pbt_cli_forecast(spec, pbt_cli_runs_dir(pbt_cli_value(call, "dir")),
                     &forecast);
    pbt_buf_init(&out, OUTPUT_MAX);
    if (pbt_cli_given(call, "json")) {
        pbt_cli_put_check_json(spec, &budget, &forecast, &out);
    } else {
        pbt_cli_put_summary(spec, &budget, &forecast, &out);
        if (pbt_cli_given(call, "all")) {
            pbt_cli_put_settings(spec, call->args[0], &out);
        }
    }
    if (pbt_cli_print(&out) != PBT_OK) {
        return PBT_ENOMEM;
    }
    warn(spec, &budget, &forecast);
    int status = check_world(spec);
    return fits == PBT_OK ? status : pbt_cli_no_budget(spec, &budget, &lacks);
}

int pbt_cli_check(const struct pbt_cli_call *call)
{
    struct pbt_spec spec;
    int status = pbt_cli_read_experiment(call, &spec);
    if (status == PBT_OK) {
        status = show(call, &spec);
        pbt_spec_done(&spec);
    }
    return status;
}
