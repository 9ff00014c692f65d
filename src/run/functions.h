/*
 * functions.h: the functions of a program that calls pbt_run(): custom explore, and the
 * sources of hyperparameters.  Private to src/run.
 */
#ifndef PBT_RUN_FUNCTIONS_H
#define PBT_RUN_FUNCTIONS_H

#include <pbt/pbt.h>

#include "base/buf.h"
#include "spec/spec.h"

/* A hyperparameter that is asked for. */
struct pbt_sourced {
    char *name;
    const struct pbt_function *function;
};

struct pbt_functions {
    const struct pbt_experiment *experiment; /* borrowed */
    const char **names; /* of its functions, NULL-terminated */
    struct pbt_sourced *sourced;
    size_t count;
};

/*
 * Finds the functions for an experiment, and tells its specification of them, which borrows
 * their names.  pbt_functions_done() releases, after a failure too.
 */
int pbt_functions_find(struct pbt_functions *functions,
                       const struct pbt_experiment *experiment,
                       struct pbt_spec *spec, struct pbt_error *error);
/* True if there is any function that can be asked. */
bool pbt_functions_any(const struct pbt_functions *functions);
void pbt_functions_done(struct pbt_functions *functions);

/* For pbt_local_options.ask: `user` is the functions. */
int pbt_functions_ask(void *user, const char *json, size_t length,
                      struct pbt_buf *answer, struct pbt_error *error);

#endif
