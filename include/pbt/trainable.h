/*
 * pbt/trainable.h: make one trainable of your training program.
 *
 * A trainable is six functions.  Write them, hand them to pbt_worker_main(),
 * and name the program in the `command:` of an experiment file:
 *
 *     struct model { double theta, lr; };
 *
 *     static int setup(const struct pbt_context *context, void **self,
 *                      struct pbt_error *error);     // allocate *self
 *     static int step(void *self, struct pbt_result *result,
 *                     struct pbt_error *error)
 *     {
 *         struct model *m = self;
 *         m->theta += m->lr;
 *         return pbt_result_real(result, "score", m->theta, error);
 *     }
 *     ...
 *     int main(int argc, char **argv)
 *     {
 *         static const struct pbt_trainable model = {
 *             PBT_TRAINABLE_INIT, setup, step, save, load, reset, cleanup};
 *         return pbt_worker_main(&model, argc, argv);
 *     }
 *
 * Rules for all six: return PBT_OK, or fail with pbt_error_set(): the trial
 * then goes back to its newest checkpoint, as often as `max_failures` says, and
 * the text stands in its error.txt.  They are called one at a time on the main
 * thread.  Pointers handed in are borrowed for the call.  stdout and stderr are
 * yours: they go to files in the trial's directory.
 *
 * The shape is Ray Tune's class Trainable.
 */
#ifndef PBT_TRAINABLE_H
#define PBT_TRAINABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

#ifdef __cplusplus
extern "C" {
#endif

/* A trial's hyperparameters, read-only.  Nested ones are "outer/inner". */
struct pbt_config;

/* The metrics of one step, filled by the trainable. */
struct pbt_result;

/* What setup() is told. */
struct pbt_context {
    const struct pbt_config *config;
    const char *trial_id;  /* "ba982_00003" */
    const char *trial_dir; /* the trial's directory, absolute */
    uint64_t seed;         /* this life's own: repeatable, never shared */
};

struct pbt_trainable {
    uint32_t version; /* PBT_TRAINABLE_INIT */

    /*
     * Makes the model for `context->config` and stores it in `*self`.  After a
     * failure `*self` must hold nothing that needs a cleanup.
     */
    int (*setup)(const struct pbt_context *context, void **self,
                 struct pbt_error *error);

    /*
     * Trains for one iteration and reports its metrics with pbt_result_real()
     * and its kin.
     */
    int (*step)(void *self, struct pbt_result *result, struct pbt_error *error);

    /*
     * Writes everything that training needs (model, optimiser, generators of
     * random numbers) to files in the empty directory `dir`.  No need to sync.
     */
    int (*save_checkpoint)(void *self, const char *dir,
                           struct pbt_error *error);

    /* Reads what save_checkpoint() wrote: perhaps another trial's. */
    int (*load_checkpoint)(void *self, const char *dir,
                           struct pbt_error *error);

    /*
     * Takes new hyperparameters without building the model anew.  It is called
     * after every load_checkpoint() too, so that a restored optimiser can't
     * undo an explored learning rate.  May be NULL: then a fresh process is
     * started whenever the hyperparameters change, and setup() must cope with
     * load_checkpoint() being the last to speak.
     */
    int (*reset_config)(void *self, const struct pbt_config *config,
                        struct pbt_error *error);

    /*
     * Frees `self`.  May be NULL.  With it and reset_config a process that its trial has left
     * may serve another one (`reuse_workers`): cleanup(), then setup() for that
     * trial.  What belongs to a trial therefore lies in `self`, not in globals.
     */
    void (*cleanup)(void *self);
};

/* The version of struct pbt_trainable that the caller was compiled with. */
#define PBT_TRAINABLE_INIT 1u

/*
 * Serves the experiment that started this program, until told to end.  Returns
 * the exit code for main().  Started by hand (without PBT_FD in the
 * environment) it says so on stderr and returns PBT_EUSAGE.
 */
PBT_API int pbt_worker_main(const struct pbt_trainable *trainable, int argc,
                            char **argv);

/* True in a process that pbt started as a worker: PBT_FD is set. */
PBT_API bool pbt_is_worker(void);

/*
 * A hyperparameter as a number.  Fails with PBT_ECONFIG, naming the key, if it
 * is absent or of another type (an integer is accepted as a real, a whole real
 * as an integer).
 */
PBT_API int pbt_config_real(const struct pbt_config *config, const char *name,
                            double *value, struct pbt_error *error);
PBT_API int pbt_config_int(const struct pbt_config *config, const char *name,
                           int64_t *value, struct pbt_error *error);
PBT_API int pbt_config_bool(const struct pbt_config *config, const char *name,
                            bool *value, struct pbt_error *error);

/* `*value` is borrowed: it lives as long as `config`. */
PBT_API int pbt_config_text(const struct pbt_config *config, const char *name,
                            const char **value, struct pbt_error *error);

/* True if there is such a key. */
PBT_API bool pbt_config_has(const struct pbt_config *config, const char *name);

/* The whole configuration as JSON text, borrowed like pbt_config_text(). */
PBT_API const char *pbt_config_json(const struct pbt_config *config);

/*
 * Reports a metric.  `name` is copied; reported twice, the last value counts.
 * NaN and infinities are allowed: such a trial ranks below all others.  The
 * names that pbt fills itself (training_iteration, time_this_iter_s,
 * time_total_s, ...: docs/files.md) are refused with PBT_EUSAGE, except
 * timesteps_this_iter and episodes_this_iter, which are summed up.
 */
PBT_API int pbt_result_real(struct pbt_result *result, const char *name,
                            double value, struct pbt_error *error);
PBT_API int pbt_result_int(struct pbt_result *result, const char *name,
                           int64_t value, struct pbt_error *error);
PBT_API int pbt_result_text(struct pbt_result *result, const char *name,
                            const char *value, struct pbt_error *error);

/* Says that this trial is done: it ends after this step, TERMINATED. */
PBT_API void pbt_result_done(struct pbt_result *result);

#ifdef __cplusplus
}
#endif
#endif
