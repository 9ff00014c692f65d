/*
 * What Ray Tune, Weights & Biases, Katib, NNI and Optuna call things: a key of theirs is told
 * ours, where it is clear which one is meant.
 */
#include <string.h>

#include "spec/schema.h"

static const struct pbt_foreign keys[] = {
    /* the program */
    {"program", PBT_KEY_COMMAND, NULL},
    {"script", PBT_KEY_COMMAND, NULL},
    {"cmd", PBT_KEY_COMMAND, NULL},
    {"entrypoint", PBT_KEY_COMMAND, NULL},
    {"args", PBT_KEY_COMMAND, "arguments stand in `command`, as a list"},
    {"environment", PBT_KEY_ENV, NULL},
    {"env_vars", PBT_KEY_ENV, NULL},
    {"working_dir", PBT_KEY_CWD, NULL},
    {"workdir", PBT_KEY_CWD, NULL},
    /* the population */
    {"population", PBT_KEY_NUM_SAMPLES, NULL},
    {"population_size", PBT_KEY_NUM_SAMPLES, NULL},
    {"n_population", PBT_KEY_NUM_SAMPLES, NULL},
    {"num_policies", PBT_KEY_NUM_SAMPLES, NULL},
    {"num_trials", PBT_KEY_NUM_SAMPLES, NULL},
    {"n_trials", PBT_KEY_NUM_SAMPLES, NULL},
    {"max_trials", PBT_KEY_NUM_SAMPLES, NULL},
    {"maxTrialCount", PBT_KEY_NUM_SAMPLES, NULL},
    {"run_cap", PBT_KEY_NUM_SAMPLES, NULL},
    {"max_concurrent_trials", PBT_KEY_MAX_CONCURRENT, NULL},
    {"parallelTrialCount", PBT_KEY_MAX_CONCURRENT, NULL},
    {"trialConcurrency", PBT_KEY_MAX_CONCURRENT, NULL},
    {"concurrency", PBT_KEY_MAX_CONCURRENT, NULL},
    {"n_jobs", PBT_KEY_MAX_CONCURRENT, NULL},
    {"num_workers", PBT_KEY_MAX_CONCURRENT, NULL},
    {"initial_params", PBT_KEY_POINTS, NULL},
    {"enqueue_trial", PBT_KEY_POINTS, NULL},
    {"restore", PBT_KEY_START_CHECKPOINT, NULL},
    {"resume_from_checkpoint", PBT_KEY_START_CHECKPOINT, NULL},
    /* the metric */
    {"goal", PBT_KEY_MODE, NULL},
    {"optimize_mode", PBT_KEY_MODE, NULL},
    {"direction", PBT_KEY_MODE, NULL},
    {"objective", PBT_KEY_METRIC, NULL},
    {"objectiveMetricName", PBT_KEY_METRIC, NULL},
    /* the end */
    {"max_t", PBT_KEY_STOP, "write stop: {training_iteration: N}"},
    {"max_iterations", PBT_KEY_STOP, "write stop: {training_iteration: N}"},
    {"max_iters", PBT_KEY_STOP, "write stop: {training_iteration: N}"},
    {"iterations", PBT_KEY_STOP, "write stop: {training_iteration: N}"},
    {"training_iteration", PBT_KEY_STOP, "write stop: {training_iteration: N}"},
    {"epochs", PBT_KEY_STOP, "write stop: {training_iteration: N}"},
    {"max_epochs", PBT_KEY_STOP, "write stop: {training_iteration: N}"},
    {"time_total_s", PBT_KEY_STOP, "write stop: {time_total_s: N}"},
    {"stopping_criteria", PBT_KEY_STOP, NULL},
    {"stop_criteria", PBT_KEY_STOP, NULL},
    {"stopper", PBT_KEY_STOP, NULL},
    {"maxExperimentDuration", PBT_KEY_TIME_BUDGET, NULL},
    /* hyperparameters */
    {"param_space", PBT_KEY_CONFIG, NULL},
    {"parameters", PBT_KEY_CONFIG, NULL},
    {"params", PBT_KEY_CONFIG, NULL},
    {"hyperparameters", PBT_KEY_CONFIG, NULL},
    {"hyperparams", PBT_KEY_CONFIG, NULL},
    {"search_space", PBT_KEY_CONFIG, NULL},
    {"searchSpace", PBT_KEY_CONFIG, NULL},
    {"search_alg", PBT_KEY_COUNT,
     "values are drawn from the distributions in `config`: leave it out"},
    /* the scheduler */
    {"method", PBT_KEY_TYPE, "this is `scheduler.type` here, pbt or fifo"},
    {"algorithm", PBT_KEY_TYPE, "this is `scheduler.type` here, pbt or fifo"},
    {"tuner", PBT_KEY_TYPE, "this is `scheduler.type` here, pbt or fifo"},
    {"pbt", PBT_KEY_SCHEDULER, NULL},
    {"time_attribute", PBT_KEY_TIME_ATTR, NULL},
    {"interval", PBT_KEY_INTERVAL, NULL},
    {"interval_steps", PBT_KEY_INTERVAL, NULL},
    {"perturb_interval", PBT_KEY_INTERVAL, NULL},
    {"ready_interval", PBT_KEY_INTERVAL, NULL},
    {"burn_in", PBT_KEY_BURN_IN, NULL},
    {"mutations", PBT_KEY_MUTATIONS, NULL},
    {"hyperparameter_mutations", PBT_KEY_MUTATIONS, NULL},
    {"hyperparam_bounds", PBT_KEY_MUTATIONS, NULL},
    {"quantile", PBT_KEY_QUANTILE, NULL},
    {"fraction", PBT_KEY_QUANTILE, NULL},
    {"truncation_threshold", PBT_KEY_QUANTILE, NULL},
    {"pbt_replace_fraction", PBT_KEY_QUANTILE, NULL},
    {"pbt_replace_reward_gap", PBT_KEY_GAP_RELATIVE, NULL},
    {"pbt_replace_reward_gap_absolute", PBT_KEY_GAP, NULL},
    {"replace_threshold_frac_absolute", PBT_KEY_GAP_RELATIVE, NULL},
    {"replace_threshold_frac_std", PBT_KEY_GAP_SD, NULL},
    {"mutation_rate", PBT_KEY_RESAMPLE, NULL},
    {"resample_prob", PBT_KEY_RESAMPLE, NULL},
    {"factor", PBT_KEY_FACTORS, NULL},
    {"factors", PBT_KEY_FACTORS, NULL},
    {"custom_explore_fn", PBT_KEY_CUSTOM_EXPLORE, NULL},
    /* resources */
    {"cpus", PBT_KEY_RESOURCES_CPU, NULL},
    {"num_cpus", PBT_KEY_RESOURCES_CPU, NULL},
    {"gpus", PBT_KEY_RESOURCES_GPU, NULL},
    {"num_gpus", PBT_KEY_RESOURCES_GPU, NULL},
    {"cpus_per_trial", PBT_KEY_PER_TRIAL_CPU, NULL},
    {"gpus_per_trial", PBT_KEY_PER_TRIAL_GPU, NULL},
    {"reuse_actors", PBT_KEY_REUSE_WORKERS, NULL},
    /* files */
    {"checkpoint_config", PBT_KEY_CHECKPOINT, NULL},
    {"checkpoint_frequency", PBT_KEY_FREQUENCY, NULL},
    {"checkpoint_freq", PBT_KEY_FREQUENCY, NULL},
    {"checkpoint_at_end", PBT_KEY_AT_END, NULL},
    {"checkpoint_score_attribute", PBT_KEY_SCORE_ATTRIBUTE, NULL},
    {"checkpoint_score_attr", PBT_KEY_SCORE_ATTRIBUTE, NULL},
    {"checkpoint_score_order", PBT_KEY_SCORE_ORDER, NULL},
    {"keep_checkpoints_num", PBT_KEY_NUM_TO_KEEP, NULL},
    {"local_dir", PBT_KEY_COUNT, "where runs are made is said by --dir DIR"},
    {"storage_path", PBT_KEY_COUNT, "where runs are made is said by --dir DIR"},
    /* failures */
    {"failure_config", PBT_KEY_FAILURE, NULL},
    {"failures", PBT_KEY_FAILURE, NULL},
    {"max_retries", PBT_KEY_MAX_FAILURES, NULL},
    {"maxFailedTrialCount", PBT_KEY_MAX_FAILURES, NULL},
    /* the rest */
    {"random_seed", PBT_KEY_SEED, NULL},
    {"random_state", PBT_KEY_SEED, NULL},
};

/* Names of values. */
static const struct {
    const char *name;
    const char *ours;
} words[] = {
    {"PopulationBasedTraining", "pbt"},
    {"population_based_training", "pbt"},
    {"PBTTuner", "pbt"},
    {"FIFOScheduler", "fifo"},
    {"random", "fifo"},
    {"lower", "min"},
    {"loss", "min"},
    {"higher", "max"},
    {"accuracy", "max"},
    {"epoch", "training_iteration"},
    {"epochs", "training_iteration"},
    {"iteration", "training_iteration"},
    {"iterations", "training_iteration"},
    {"seconds", "time_total_s"},
    {"time", "time_total_s"},
};

/* Names of distributions, and of the keys that take their place. */
static const struct {
    const char *name;
    const char *ours;
} distributions[] = {
    {"log_uniform", "loguniform"},
    {"log_uniform_values", "loguniform"},
    {"float", "uniform"},
    {"double", "uniform"},
    {"int", "randint"},
    {"int_uniform", "randint"},
    {"q_uniform", "quniform"},
    {"q_log_uniform", "qloguniform"},
    {"normal", "randn"},
    {"gauss", "randn"},
    {"values", "choice"},
    {"categorical", "choice"},
    {"choices", "choice"},
    {"grid", "grid_search"},
};

static bool is(const char *known, const char *name, size_t length)
{
    return strlen(known) == length && memcmp(known, name, length) == 0;
}

const struct pbt_foreign *pbt_foreign_key(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        if (is(keys[i].name, name, length)) {
            return &keys[i];
        }
    }
    return NULL;
}

const char *pbt_foreign_word(const char *name, size_t length,
                             const char *const *known)
{
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (!is(words[i].name, name, length)) {
            continue;
        }
        for (size_t k = 0; known[k] != NULL; k++) {
            if (strcmp(known[k], words[i].ours) == 0) {
                return known[k];
            }
        }
    }
    return NULL;
}

const char *pbt_foreign_distribution(const char *name, size_t length)
{
    for (size_t i = 0; i < sizeof distributions / sizeof distributions[0];
         i++) {
        if (is(distributions[i].name, name, length)) {
            return distributions[i].ours;
        }
    }
    return NULL;
}
