/*
 * world.c: what is wrong with an experiment beside its own text: nothing to explore, a machine that is
 * too small, a program that isn't there.  It is shown where the file, or the command line, says it.
 */
#include <stdio.h>
#include <string.h>

#include "cli/experiment.h"
#include "exec/budget.h"
#include "spec/problems.h"
#include "spec/schema.h"

#define OUTPUT_MAX ((size_t)1 << 20)

/* An error at the value of the first of `keys` that was given, if one was. */
static int fail_at_key(const struct pbt_spec *spec, const int keys[2],
                       const struct pbt_error *error)
{
    struct pbt_problem problem = {.code = pbt_code_find(pbt_error_id(error))};
    struct pbt_buf out;
    int key = pbt_spec_is_given(spec, keys[0]) ? keys[0] : keys[1];
    if (problem.code == PBT_CODE_COUNT || !pbt_spec_is_given(spec, key)) {
        return pbt_cli_fail(error);
    }
    (void)snprintf(problem.message, sizeof problem.message, "%.500s",
                   error->text);
    pbt_buf_init(&out, OUTPUT_MAX);
    pbt_spec_problem_write(spec, key, &problem, &out);
    pbt_cli_put(&out, true);
    pbt_buf_done(&out);
    return error->status;
}

int pbt_cli_finish(const struct pbt_spec *spec)
{
    static const int EXPLORE[2] = {PBT_KEY_MUTATIONS, PBT_KEY_SCHEDULER};
    struct pbt_error error;
    int status = pbt_spec_finish(spec, &error);
    if (status == PBT_OK) {
        return PBT_OK;
    }
    return strcmp(pbt_error_id(&error), "E0319") == 0
               ? fail_at_key(spec, EXPLORE, &error)
               : pbt_cli_fail(&error);
}

/* What asks for more than there is. */
static int scarce_key(const struct pbt_budget *budget)
{
    static const struct {
        const char *what;
        int key;
    } KEYS[] = {{"cpu", PBT_KEY_PER_TRIAL_CPU},
                {"gpu", PBT_KEY_PER_TRIAL_GPU},
                {"memory", PBT_KEY_PER_TRIAL_MEMORY}};
    for (size_t i = 0; budget->scarce != NULL && i < sizeof KEYS / sizeof *KEYS;
         i++) {
        if (strcmp(KEYS[i].what, budget->scarce) == 0) {
            return KEYS[i].key;
        }
    }
    return PBT_KEY_RESOURCES_GPU;
}

int pbt_cli_no_budget(const struct pbt_spec *spec,
                      const struct pbt_budget *budget,
                      const struct pbt_error *error)
{
    bool variable = strcmp(pbt_error_id(error), "E0810") == 0;
    size_t length = strlen(budget->gpus.variable);
    int keys[2] = {scarce_key(budget), scarce_key(budget)};
    bool ours = false;
    for (char *const *e = spec->env; variable && e != NULL && *e != NULL; e++) {
        ours = ours || (strncmp(*e, budget->gpus.variable, length) == 0 &&
                        (*e)[length] == '=');
    }
    if (variable && !ours) {
        return pbt_cli_fail(error);
    }
    if (variable) {
        keys[0] = keys[1] = PBT_KEY_ENV;
    }
    return fail_at_key(spec, keys, error);
}

int pbt_cli_check_machine(const struct pbt_spec *spec)
{
    static const int KEYS[] = {PBT_KEY_ENV, PBT_KEY_RESOURCES_GPU,
                               PBT_KEY_PER_TRIAL_CPU, PBT_KEY_PER_TRIAL_GPU,
                               PBT_KEY_PER_TRIAL_MEMORY};
    struct pbt_budget budget;
    struct pbt_error error;
    bool asks = false;
    for (size_t i = 0; i < sizeof KEYS / sizeof *KEYS; i++) {
        asks = asks || pbt_spec_is_given(spec, KEYS[i]);
    }
    return !asks || pbt_budget_find(spec, &budget, &error) == PBT_OK
               ? PBT_OK
               : pbt_cli_no_budget(spec, &budget, &error);
}
