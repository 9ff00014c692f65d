/*
 * pbt/pbt.h: run an experiment from a program of your own.
 *
 * The program starts itself as its workers, so that one source file holds both the
 * training and the experiment:
 *
 *     int main(int argc, char **argv)
 *     {
 *         static const struct pbt_trainable model = {PBT_TRAINABLE_INIT, ...};
 *         if (pbt_is_worker()) {
 *             return pbt_worker_main(&model, argc, argv);
 *         }
 *         struct pbt_experiment experiment = {.version = PBT_EXPERIMENT_INIT};
 *         struct pbt_outcome outcome;
 *         struct pbt_error error;
 *         experiment.file = "experiment.yaml";
 *         int status = pbt_run(&experiment, &outcome, &error);
 *         if (status != PBT_OK) {
 *             fprintf(stderr, "%s\n", error.text);
 *         }
 *         return status;
 *     }
 *
 * pbt_run() installs no signal handler, adopts no processes and changes no global
 * state of its caller.  Should the caller die, its workers die with it, and the same call
 * goes on where the run was: nothing that a worker was told is safe is ever lost.
 *
 * Strings handed in are borrowed for the call.
 */
#ifndef PBT_PBT_H
#define PBT_PBT_H

#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>
#include <pbt/trainable.h>

#ifdef __cplusplus
extern "C" {
#endif

/*
 * A custom explore function (Ray Tune's custom_explore_fn): changes the configuration that
 * the rules of exploring propose for a loser, in place, with pbt_config_set_real()
 * and its kin; pbt_config_real() and its kin read it.  Called once for each exploit, one
 * call at a time, on a thread of the library's.  It may take its time: only the trial
 * that it is for waits.  A failure, or a value of another kind (a text for a number), leaves
 * that trial as it is until its next perturbation point, and is said.  A call that was
 * under way when the program died is made again.  The experiment file may name a program instead
 * (scheduler.custom_explore).
 */
typedef int (*pbt_explore_fn)(void *user, struct pbt_config *config,
                              struct pbt_error *error);

/*
 * For draws of a custom explore function's own: 64 bits that depend on the experiment's
 * seed, the trial, its exploits so far and its iteration, and on nothing else, so that the same is
 * explored whenever it is done again (and in synchronous rounds on any number of slots).  A
 * program that explores reads it as `seed`.  0: `config` is not that of an explore function.
 */
PBT_API uint64_t pbt_explore_seed(const struct pbt_config *config);

/*
 * The source of a hyperparameter (Ray Tune: a function in hyperparam_mutations): sets
 * the hyperparameter `name` in `config` to a value, with pbt_config_set_real() and its kin.  A
 * file asks for it by the name that it has in `functions` below:
 *
 *     config: {lr: {function: my_lr}}                # first values
 *     hyperparam_mutations: {lr: {function: my_lr}}  # and new draws when exploring
 *
 * `config` has the trial's other values, for reading; those that are still to be asked for
 * are null.  `seed` is for draws of its own: it depends on the experiment's seed, the trial, its
 * exploits so far, its iteration and `name`, and on nothing else, so that the same is
 * asked whenever a call that was under way when the program died is made again.
 *
 * When exploring it is called as often as `resample_probability` says; else the present value
 * is multiplied by a perturbation factor, which whole numbers leave whole and by a step at
 * least; a value that is no number is always asked for.  Calls come one at a time, on a
 * thread of the library's; only the trial that one is for waits.  A failure for a first
 * value ends the run, which can go on when it is mended; later it leaves the trial as
 * it is until its next perturbation point.
 */
typedef int (*pbt_draw_fn)(void *user, const char *name, uint64_t seed,
                           struct pbt_config *config, struct pbt_error *error);

struct pbt_function {
    const char *name; /* in the file: {function: name} */
    pbt_draw_fn draw;
    void *user;
};

struct pbt_experiment {
    uint32_t version; /* PBT_EXPERIMENT_INIT */

    /* The experiment file (docs/experiment-file.md).  Its `command` may be left out. */
    const char *file;
    /* "key.key=value" on top of it; NULL-terminated, or NULL. */
    const char *const *overrides;
    /* Where runs are made: <dir>/<name of the experiment>.  NULL: "runs". */
    const char *dir;
    /*
     * argv of a worker, NULL-terminated, if the file has no `command`.  NULL: this
     * program without arguments.
     */
    const char *const *command;

    pbt_explore_fn explore; /* NULL: the rules alone */
    void *explore_user;

    /*
     * Messages of one or more lines for people, without a newline at the end; on
     * the thread that called pbt_run().  NULL: to stderr.
     */
    void (*say)(void *user, const char *text);
    void *say_user;

    /*
     * A descriptor; once a byte can be read from it the run is interrupted as by Ctrl-C: steps
     * under way end, trials save.  0: there is none.
     */
    int stop_fd;

    /* Since version 2: the sources of hyperparameters. */
    const struct pbt_function *functions;
    size_t function_count;
};

/* The version of struct pbt_experiment that the caller was compiled with. */
#define PBT_EXPERIMENT_INIT 2u

struct pbt_outcome {
    char run_dir[4096];  /* absolute */
    uint32_t terminated; /* trials that ended as they should */
    uint32_t errors;     /* trials that failed for good */
    uint32_t unfinished; /* trials that a resume would go on with */
    uint64_t results;
    uint64_t perturbations; /* exploits */
};

/*
 * Runs an experiment to its end; if an unfinished run of it is there already, goes on with
 * that.  Nothing is overwritten: a finished run keeps its name, and the new one is called
 * "<name>-2".
 *
 * PBT_OK: it came to its end.  PBT_EFAILED: it did, but some trials failed for good (their
 * error.txt says why).  PBT_EINTERRUPTED: it was stopped, and the same call goes on.  For
 * these three `outcome` is filled.  PBT_ECONFIG: the file is wrong; `error` has every
 * problem, as far as they fit.  PBT_ETEMP: another process drives this run.  Others:
 * pbt/error.h.
 */
PBT_API int pbt_run(const struct pbt_experiment *experiment,
                    struct pbt_outcome *outcome, struct pbt_error *error);

/*
 * Sets a hyperparameter; nested names as "outer/inner".  The key must be there:
 * PBT_ECONFIG names it if not.  Reals must be finite.
 */
PBT_API int pbt_config_set_real(struct pbt_config *config, const char *name,
                                double value, struct pbt_error *error);
PBT_API int pbt_config_set_int(struct pbt_config *config, const char *name,
                               int64_t value, struct pbt_error *error);
PBT_API int pbt_config_set_bool(struct pbt_config *config, const char *name,
                                bool value, struct pbt_error *error);
PBT_API int pbt_config_set_text(struct pbt_config *config, const char *name,
                                const char *value, struct pbt_error *error);

#ifdef __cplusplus
}
#endif
#endif
