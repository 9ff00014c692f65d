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

/*
 * The same from a file (NULL: none), with `base` (NULL-terminated) below the call's flags and
 * its operands from `first` on.
 */
int pbt_cli_read_with(const struct pbt_cli_call *call, const char *file,
                      size_t first, char *const *base, struct pbt_spec *spec);

/*
 * The experiment of a run with the call's words on top, looked up from where the user stands.
 */
int pbt_cli_read_changed(const struct pbt_cli_call *call, const char *run,
                         size_t first, struct pbt_spec *spec);

/*
 * program.c: 0 if the program can be started, else the errno with which it can't.  Where the
 * worker's PATH is another one than ours, both are searched.
 */
int pbt_cli_program_problem(const struct pbt_spec *spec, const char *program);

/* All that the experiment names; what is wrong has been said when a status is returned. */
int pbt_cli_check_programs(const struct pbt_spec *spec);

/*
 * world.c: pbt_spec_finish(), and whether the machine has what one trial takes, as far as the
 * experiment says that.  What is wrong has been said, with its place, when a status is returned.
 */
int pbt_cli_finish(const struct pbt_spec *spec);
int pbt_cli_check_machine(const struct pbt_spec *spec);
/* Says so, and returns the status: pbt_budget_find() has failed. */
struct pbt_budget;
int pbt_cli_no_budget(const struct pbt_spec *spec,
                      const struct pbt_budget *budget,
                      const struct pbt_error *error);

/* bash, dash, fish, ...: the name of a shell, by its end. */
bool pbt_cli_is_shell(const char *name);

/* run.c: makes its run, or finds it, and trains; releases `spec`.  Returns an exit code. */
int pbt_cli_train(const struct pbt_cli_call *call, struct pbt_spec *spec);

#endif
