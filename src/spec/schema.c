#include "spec/schema.h"

#include <float.h>
#include <string.h>

#include "spec/spec.h"

#define FIELD(member)                                                          \
    .field = offsetof(struct pbt_spec, member),                                \
    .size = sizeof(((struct pbt_spec *)0)->member)

#define SECONDS_MAX 1e9

static const char *const trainables[] = {"worker", "command", NULL};
static const char *const durabilities[] = {"process", "power", NULL};
static const char *const modes[] = {"max", "min", NULL};
static const char *const schedulers[] = {"fifo", "pbt", "replay", NULL};
static const char *const time_attrs[] = {"training_iteration", "time_total_s",
                                         NULL};
static const char *const exploits[] = {"truncation", "tournament", "t_test",
                                       NULL};
static const char *const donors[] = {"current", "best_ever", NULL};
static const char *const copies[] = {"both", "weights", "hyperparameters",
                                     NULL};
static const char *const ranges[] = {"clip", "reflect", "resample", "allow",
                                     NULL};

/* Words are stored as their index: their order is the enums'. */
_Static_assert(PBT_SCHEDULER_FIFO == 0 && PBT_SCHEDULER_PBT == 1 &&
                   PBT_SCHEDULER_REPLAY == 2,
               "order");
_Static_assert(PBT_TIME_ITERATION == 0 && PBT_TIME_SECONDS == 1, "order");
_Static_assert(PBT_EXPLOIT_TRUNCATION == 0 && PBT_EXPLOIT_TOURNAMENT == 1 &&
                   PBT_EXPLOIT_T_TEST == 2,
               "order");
_Static_assert(PBT_DONORS_CURRENT == 0 && PBT_DONORS_BEST_EVER == 1, "order");
_Static_assert(PBT_COPIES_BOTH == 0 && PBT_COPIES_WEIGHTS == 1 &&
                   PBT_COPIES_HYPERPARAMETERS == 2,
               "order");
_Static_assert(PBT_RANGE_CLIP == 0 && PBT_RANGE_REFLECT == 1 &&
                   PBT_RANGE_RESAMPLE == 2 && PBT_RANGE_ALLOW == 3,
               "order");

const struct pbt_key pbt_keys[PBT_KEY_COUNT] = {
    [PBT_KEY_NAME] = {.path = "name",
                      .type = PBT_TYPE_NAME,
                      FIELD(name),
                      .doc = "the experiment's name, and its directory's; "
                             "default: the file's name"},
    [PBT_KEY_COMMAND] = {.path = "command",
                         .type = PBT_TYPE_COMMAND,
                         FIELD(command),
                         .change = PBT_CHANGE_FREE,
                         .doc = "the program that trains, and its arguments"},
    [PBT_KEY_TRAINABLE] = {.path = "trainable",
                           .type = PBT_TYPE_WORD,
                           .words = trainables,
                           .fallback = "worker",
                           FIELD(no_client),
                           .doc = "worker: the program speaks the worker "
                                  "protocol; command: any program, run anew "
                                  "for each grant"},
    [PBT_KEY_TEMPLATES] = {.path = "templates",
                           .type = PBT_TYPE_TEMPLATES,
                           FIELD(templates),
                           .doc = "input files that are filled in before each "
                                  "run of a command: name and template"},
    [PBT_KEY_STATELESS] = {.path = "stateless",
                           .type = PBT_TYPE_BOOL,
                           .fallback = "false",
                           FIELD(stateless),
                           .doc = "the command keeps nothing from run to run, "
                                  "and writes no checkpoint"},
    [PBT_KEY_CWD] = {.path = "cwd",
                     .type = PBT_TYPE_DIR,
                     FIELD(cwd),
                     .change = PBT_CHANGE_FREE,
                     .doc = "the program's working directory; default: where "
                            "pbt was started"},
    [PBT_KEY_ENV] = {.path = "env",
                     .type = PBT_TYPE_ENV,
                     FIELD(env),
                     .change = PBT_CHANGE_FREE,
                     .doc = "more environment variables for the program"},
    [PBT_KEY_NUM_SAMPLES] = {.path = "num_samples",
                             .type = PBT_TYPE_WHOLE,
                             .fallback = "1",
                             .min = 1,
                             .max = PBT_POPULATION_MAX,
                             FIELD(num_samples),
                             .change = PBT_CHANGE_FURTHER,
                             .doc = "the number of trials, for each point of "
                                    "the grid if there is one"},
    [PBT_KEY_METRIC] = {.path = "metric",
                        .type = PBT_TYPE_TEXT,
                        FIELD(metric),
                        .doc = "the metric that ranks trials; required for "
                               "PBT"},
    [PBT_KEY_MODE] = {.path = "mode",
                      .type = PBT_TYPE_WORD,
                      .words = modes,
                      FIELD(minimize),
                      .doc = "whether the metric is better large (max) or "
                             "small (min); required with `metric`"},
    [PBT_KEY_STOP] = {.path = "stop",
                      .type = PBT_TYPE_STOPS,
                      .change = PBT_CHANGE_FURTHER,
                      .doc = "bounds; a trial that reaches any one ends"},
    [PBT_KEY_STOP_ALL] = {.path = "stop_all",
                          .type = PBT_TYPE_STOPS,
                          .change = PBT_CHANGE_FURTHER,
                          .doc = "bounds; if any trial reaches any one, the "
                                 "experiment ends"},
    [PBT_KEY_TIME_BUDGET] = {.path = "time_budget_s",
                             .type = PBT_TYPE_SECONDS,
                             .fallback = "0",
                             .max = SECONDS_MAX,
                             FIELD(settings.time_budget_ns),
                             .change = PBT_CHANGE_FURTHER,
                             .doc = "seconds after which the experiment ends; "
                                    "0: no limit"},
    [PBT_KEY_MAX_CONCURRENT] = {.path = "max_concurrent",
                                .type = PBT_TYPE_WHOLE,
                                .fallback = "0",
                                .max = 1e6,
                                FIELD(max_concurrent),
                                .change = PBT_CHANGE_FREE,
                                .doc = "trials that run at a time at most; 0: "
                                       "as many as fit into the budget"},
    [PBT_KEY_CONFIG] = {.path = "config",
                        .type = PBT_TYPE_CONFIG,
                        .doc = "what each trial is given: constants, and "
                               "distributions that first values are drawn "
                               "from"},

    [PBT_KEY_POINTS] = {.path = "points_to_evaluate",
                        .type = PBT_TYPE_POINTS,
                        .doc = "configurations that the first trials start "
                               "with, whole or in part"},
    [PBT_KEY_START_CHECKPOINT] = {.path = "start_checkpoint",
                                  .type = PBT_TYPE_DIR,
                                  FIELD(start_checkpoint),
                                  .doc = "a checkpoint's directory that all "
                                         "trials start from"},
    [PBT_KEY_SCHEDULER] = {.path = "scheduler",
                           .type = PBT_TYPE_SECTION,
                           .doc = "how the population is trained"},
    [PBT_KEY_TYPE] = {.path = "scheduler.type",
                      .type = PBT_TYPE_WORD,
                      .words = schedulers,
                      .fallback = "pbt",
                      FIELD(settings.scheduler),
                      .doc = "pbt: population based training; fifo: each "
                             "trial by itself"},
    [PBT_KEY_TIME_ATTR] = {.path = "scheduler.time_attr",
                           .type = PBT_TYPE_WORD,
                           .words = time_attrs,
                           .fallback = "training_iteration",
                           FIELD(settings.time_attr),
                           .doc = "the clock of perturbation_interval and "
                                  "burn_in_period"},
    [PBT_KEY_INTERVAL] = {.path = "scheduler.perturbation_interval",
                          .type = PBT_TYPE_REAL,
                          .above_min = true,
                          .max = DBL_MAX,
                          FIELD(settings.perturbation_interval),
                          .doc = "how often a trial is compared with the "
                                 "others, in units of time_attr; required "
                                 "for PBT"},
    [PBT_KEY_BURN_IN] = {.path = "scheduler.burn_in_period",
                         .type = PBT_TYPE_REAL,
                         .fallback = "0",
                         .max = DBL_MAX,
                         FIELD(settings.burn_in_period),
                         .doc = "no perturbation before this, in units of "
                                "time_attr"},
    [PBT_KEY_MUTATIONS] = {.path = "scheduler.hyperparam_mutations",
                           .type = PBT_TYPE_MUTATIONS,
                           .doc = "how hyperparameters are explored: "
                                  "distributions, or lists of ordered "
                                  "values"},
    [PBT_KEY_QUANTILE] = {.path = "scheduler.quantile_fraction",
                          .type = PBT_TYPE_REAL,
                          .fallback = "0.25",
                          .max = 0.5,
                          FIELD(settings.quantile_fraction),
                          .doc = "the part of the population that is replaced "
                                 "by as many of the best"},
    [PBT_KEY_RESAMPLE] = {.path = "scheduler.resample_probability",
                          .type = PBT_TYPE_REAL,
                          .fallback = "0.25",
                          .max = 1,
                          FIELD(settings.explore.resample_probability),
                          .doc = "how often exploring draws a value anew "
                                 "instead of moving it"},
    [PBT_KEY_FACTORS] = {.path = "scheduler.perturbation_factors",
                         .type = PBT_TYPE_FACTORS,
                         .fallback = "[1.2, 0.8]",
                         .doc = "what exploring multiplies a value by, one of "
                                "these"},
    [PBT_KEY_OUT_OF_RANGE] = {.path = "scheduler.out_of_range",
                              .type = PBT_TYPE_WORD,
                              .words = ranges,
                              .fallback = "clip",
                              FIELD(settings.explore.out_of_range),
                              .doc = "what happens to a value that a factor "
                                     "moved out of its range"},
    [PBT_KEY_LOG_CONFIG] = {.path = "scheduler.log_config",
                            .type = PBT_TYPE_BOOL,
                            .fallback = "true",
                            FIELD(log_config),
                            .doc = "write pbt_global.txt and "
                                   "pbt_policy_*.txt"},
    [PBT_KEY_REQUIRE_ATTRS] = {.path = "scheduler.require_attrs",
                               .type = PBT_TYPE_BOOL,
                               .fallback = "true",
                               FIELD(require_attrs),
                               .doc = "a result without the metric is an "
                                      "error"},
    [PBT_KEY_SYNCH] = {.path = "scheduler.synch",
                       .type = PBT_TYPE_BOOL,
                       .fallback = "false",
                       FIELD(settings.synch),
                       .doc = "all trials wait for each other at each "
                              "perturbation"},
    [PBT_KEY_SCHEDULE] = {.path = "scheduler.schedule",
                          .type = PBT_TYPE_SCHEDULE,
                          .doc = "replay: when the hyperparameters change, "
                                 "and to what"},
    [PBT_KEY_POLICY] = {.path = "scheduler.policy",
                        .type = PBT_TYPE_POLICY,
                        .doc = "replay: the policy file that has config and "
                               "schedule"},
    [PBT_KEY_CUSTOM_EXPLORE] = {.path = "scheduler.custom_explore",
                                .type = PBT_TYPE_COMMAND,
                                FIELD(explore_command),
                                .doc = "a program that changes what exploring "
                                       "proposes: JSON in, JSON out"},
    [PBT_KEY_DONORS] = {.path = "scheduler.donors",
                        .type = PBT_TYPE_WORD,
                        .words = donors,
                        .fallback = "current",
                        FIELD(settings.donors),
                        .doc = "which checkpoint a donor gives: that of its "
                               "last perturbation point, or of its best one"},
    [PBT_KEY_EXPLOIT] = {.path = "scheduler.exploit",
                         .type = PBT_TYPE_WORD,
                         .words = exploits,
                         .fallback = "truncation",
                         FIELD(settings.exploit),
                         .doc = "who takes over from whom: the worst quantile "
                                "from the best, or each from another that is "
                                "drawn, if that is better"},
    [PBT_KEY_T_TEST_SCORES] = {.path = "scheduler.t_test_scores",
                               .type = PBT_TYPE_WHOLE,
                               .fallback = "10",
                               .min = 2,
                               .max = PBT_T_TEST_SCORES_MAX,
                               FIELD(settings.t_test_scores),
                               .doc = "exploit: t_test: so many last scores "
                                      "of each trial are compared"},
    [PBT_KEY_T_TEST_LEVEL] = {.path = "scheduler.t_test_level",
                              .type = PBT_TYPE_REAL,
                              .fallback = "0.05",
                              .max = 1,
                              .above_min = true,
                              FIELD(settings.t_test_level),
                              .doc = "exploit: t_test: means differ where the "
                                     "p-value is below this"},
    [PBT_KEY_GAP] = {.path = "scheduler.exploit_gap",
                     .type = PBT_TYPE_REAL,
                     .fallback = "0",
                     .max = DBL_MAX,
                     FIELD(settings.gap),
                     .doc = "an exploit only if the donor's score is better "
                            "by more than this"},
    [PBT_KEY_GAP_RELATIVE] = {.path = "scheduler.exploit_gap_relative",
                              .type = PBT_TYPE_REAL,
                              .fallback = "0",
                              .max = DBL_MAX,
                              FIELD(settings.gap_relative),
                              .doc = "an exploit only if the donor's score is "
                                     "better by more than this part of it"},
    [PBT_KEY_GAP_SD] = {.path = "scheduler.exploit_gap_sd",
                        .type = PBT_TYPE_REAL,
                        .fallback = "0",
                        .max = DBL_MAX,
                        FIELD(settings.gap_sd),
                        .doc = "an exploit only if the donor's score is better "
                               "by more than so many standard deviations of "
                               "the population's"},
    [PBT_KEY_EXPLOIT_COPIES] = {.path = "scheduler.exploit_copies",
                                .type = PBT_TYPE_WORD,
                                .words = copies,
                                .fallback = "both",
                                FIELD(settings.copies),
                                .doc = "what an exploit copies: both, the "
                                       "weights, or the hyperparameters"},

    [PBT_KEY_RESOURCES] = {.path = "resources",
                           .type = PBT_TYPE_SECTION,
                           .doc = "what the experiment may use"},
    [PBT_KEY_RESOURCES_CPU] = {.path = "resources.cpu",
                               .type = PBT_TYPE_REAL,
                               .fallback = "0",
                               .max = 1e6,
                               FIELD(resources_cpu),
                               .change = PBT_CHANGE_FREE,
                               .doc = "CPUs; 0: all that this machine gives "
                                      "us"},
    [PBT_KEY_RESOURCES_GPU] = {.path = "resources.gpu",
                               .type = PBT_TYPE_WHOLE,
                               .fallback = "0",
                               .max = 256,
                               FIELD(resources_gpu),
                               .change = PBT_CHANGE_FREE,
                               .doc = "GPUs; 0: all that we are given"},
    [PBT_KEY_RESOURCES_MEMORY] = {.path = "resources.memory",
                                  .type = PBT_TYPE_BYTES,
                                  .fallback = "0",
                                  FIELD(resources_memory),
                                  .change = PBT_CHANGE_FREE,
                                  .doc = "bytes of memory, or \"32 GiB\"; 0: "
                                         "all that this machine gives us"},
    [PBT_KEY_PER_TRIAL] = {.path = "resources_per_trial",
                           .type = PBT_TYPE_SECTION,
                           .doc = "what one running trial takes"},
    [PBT_KEY_PER_TRIAL_CPU] = {.path = "resources_per_trial.cpu",
                               .type = PBT_TYPE_REAL,
                               .fallback = "1",
                               .above_min = true,
                               .max = 1e6,
                               FIELD(trial_cpu),
                               .change = PBT_CHANGE_FREE,
                               .doc = "CPUs"},
    [PBT_KEY_PER_TRIAL_GPU] = {.path = "resources_per_trial.gpu",
                               .type = PBT_TYPE_REAL,
                               .fallback = "0",
                               .max = 256,
                               FIELD(trial_gpu),
                               .change = PBT_CHANGE_FREE,
                               .doc = "GPUs, or a share of one: 0.5"},
    [PBT_KEY_PER_TRIAL_MEMORY] = {.path = "resources_per_trial.memory",
                                  .type = PBT_TYPE_BYTES,
                                  .fallback = "0",
                                  FIELD(trial_memory),
                                  .change = PBT_CHANGE_FREE,
                                  .doc = "bytes of memory, or \"4 GiB\"; 0: "
                                         "not counted"},
    [PBT_KEY_PER_TRIAL_TASKS] = {.path = "resources_per_trial.tasks",
                                 .type = PBT_TYPE_WHOLE,
                                 .fallback = "1",
                                 .min = 1,
                                 .max = 65536,
                                 FIELD(trial_tasks),
                                 .change = PBT_CHANGE_FREE,
                                 .doc = "processes into which the program "
                                        "divides its CPUs by itself"},

    [PBT_KEY_CHECKPOINT] = {.path = "checkpoint",
                            .type = PBT_TYPE_SECTION,
                            .doc = "when trials save, and what is kept"},
    [PBT_KEY_FREQUENCY] = {.path = "checkpoint.frequency",
                           .type = PBT_TYPE_WHOLE,
                           .fallback = "0",
                           .max = UINT32_MAX,
                           FIELD(settings.checkpoint_frequency),
                           .doc = "save every so many iterations; 0: only "
                                  "where PBT needs it"},
    [PBT_KEY_AT_END] = {.path = "checkpoint.at_end",
                        .type = PBT_TYPE_BOOL,
                        .fallback = "false",
                        FIELD(settings.checkpoint_at_end),
                        .doc = "save when a trial ends"},
    [PBT_KEY_NUM_TO_KEEP] = {.path = "checkpoint.num_to_keep",
                             .type = PBT_TYPE_WHOLE,
                             .fallback = "1",
                             .min = 1,
                             .max = UINT32_MAX,
                             FIELD(settings.num_to_keep),
                             .doc = "checkpoints kept of each trial, beside "
                                    "its newest and those still needed"},
    [PBT_KEY_SCORE_ATTRIBUTE] = {.path = "checkpoint.score_attribute",
                                 .type = PBT_TYPE_TEXT,
                                 FIELD(keep_by),
                                 .doc = "the metric by which checkpoints are "
                                        "kept; default: the newest are"},
    [PBT_KEY_SCORE_ORDER] = {.path = "checkpoint.score_order",
                             .type = PBT_TYPE_WORD,
                             .words = modes,
                             .fallback = "max",
                             FIELD(settings.keep_low),
                             .doc = "whether those with the largest or the "
                                    "smallest score_attribute are kept"},
    [PBT_KEY_MAX_BYTES] = {.path = "checkpoint.max_bytes",
                           .type = PBT_TYPE_BYTES,
                           .fallback = "0",
                           FIELD(settings.max_bytes),
                           .doc = "what all checkpoints may take together; "
                                  "0: no limit"},

    [PBT_KEY_FAILURE] = {.path = "failure",
                         .type = PBT_TYPE_SECTION,
                         .doc = "what happens when a trial fails"},
    [PBT_KEY_MAX_FAILURES] = {.path = "failure.max_failures",
                              .type = PBT_TYPE_WHOLE,
                              .fallback = "0",
                              .min = -1,
                              .max = INT32_MAX,
                              FIELD(settings.max_failures),
                              .doc = "how often a trial is tried again from "
                                     "its last checkpoint; -1: for ever"},
    [PBT_KEY_BACKOFF] = {.path = "failure.backoff_s",
                         .type = PBT_TYPE_SECONDS,
                         .fallback = "1",
                         .max = 86400,
                         FIELD(settings.backoff_ns),
                         .doc = "seconds before a trial that has failed twice "
                                "in a row is tried again, then twice as long"},
    [PBT_KEY_FAIL_FAST] = {.path = "failure.fail_fast",
                           .type = PBT_TYPE_BOOL,
                           .fallback = "false",
                           FIELD(settings.fail_fast),
                           .doc = "the first trial that fails for good ends "
                                  "the experiment"},
    [PBT_KEY_REPLACE] = {.path = "failure.replace",
                         .type = PBT_TYPE_WHOLE,
                         .fallback = "0",
                         .max = INT32_MAX,
                         FIELD(settings.replace),
                         .doc = "how often a trial that failed for good goes "
                                "on as a copy of a good one; 0: never"},

    [PBT_KEY_TIMEOUTS] = {.path = "timeouts",
                          .type = PBT_TYPE_SECTION,
                          .doc = "after which a silent program is killed, in "
                                 "seconds"},
    [PBT_KEY_TIMEOUT_SETUP] = {.path = "timeouts.setup",
                               .type = PBT_TYPE_REAL,
                               .fallback = "0",
                               .max = SECONDS_MAX,
                               FIELD(timeout_setup),
                               .change = PBT_CHANGE_FREE,
                               .doc = "from its start to its being ready; 0: "
                                      "no limit"},
    [PBT_KEY_TIMEOUT_STEP] = {.path = "timeouts.step",
                              .type = PBT_TYPE_REAL,
                              .fallback = "0",
                              .max = SECONDS_MAX,
                              FIELD(timeout_step),
                              .change = PBT_CHANGE_FREE,
                              .doc = "for one step; 0: no limit"},
    [PBT_KEY_TIMEOUT_SAVE] = {.path = "timeouts.save",
                              .type = PBT_TYPE_REAL,
                              .fallback = "1800",
                              .max = SECONDS_MAX,
                              FIELD(timeout_save),
                              .change = PBT_CHANGE_FREE,
                              .doc = "for saving a checkpoint; 0: no limit"},
    [PBT_KEY_TIMEOUT_EXPLORE] = {.path = "timeouts.explore",
                                 .type = PBT_TYPE_REAL,
                                 .fallback = "60",
                                 .max = SECONDS_MAX,
                                 FIELD(timeout_explore),
                                 .change = PBT_CHANGE_FREE,
                                 .doc = "for the program of "
                                        "scheduler.custom_explore; 0: no "
                                        "limit"},
    [PBT_KEY_TABLE] = {.path = "table",
                       .type = PBT_TYPE_SECTION,
                       .doc = "what the status table shows"},
    [PBT_KEY_METRIC_COLUMNS] = {.path = "table.metric_columns",
                                .type = PBT_TYPE_COLUMNS,
                                FIELD(metric_columns),
                                .change = PBT_CHANGE_FREE,
                                .doc = "metrics with a column, in this order; "
                                       "a mapping gives labels"},
    [PBT_KEY_PARAMETER_COLUMNS] = {.path = "table.parameter_columns",
                                   .type = PBT_TYPE_COLUMNS,
                                   FIELD(parameter_columns),
                                   .change = PBT_CHANGE_FREE,
                                   .doc = "hyperparameters with a column, in "
                                          "this order; a mapping gives "
                                          "labels"},
    [PBT_KEY_MAX_ROWS] = {.path = "table.max_progress_rows",
                          .type = PBT_TYPE_WHOLE,
                          .fallback = "20",
                          .min = 1,
                          .max = 1000000,
                          FIELD(max_rows),
                          .change = PBT_CHANGE_FREE,
                          .doc = "trials that are shown at most where there "
                                 "is no terminal to fit"},
    [PBT_KEY_GRACE] = {.path = "grace",
                       .type = PBT_TYPE_REAL,
                       .fallback = "10",
                       .max = SECONDS_MAX,
                       FIELD(grace),
                       .change = PBT_CHANGE_FREE,
                       .doc = "seconds that the steps under way have left "
                              "after Ctrl-C"},
    [PBT_KEY_REUSE_WORKERS] = {.path = "reuse_workers",
                               .type = PBT_TYPE_BOOL,
                               .fallback = "true",
                               FIELD(reuse_workers),
                               .change = PBT_CHANGE_FREE,
                               .doc = "a process that a trial has left serves "
                                      "the next one, if it can"},
    [PBT_KEY_SEED] = {.path = "seed",
                      .type = PBT_TYPE_SEED,
                      FIELD(settings.seed),
                      .doc = "fixes every draw and decision; default: drawn "
                             "and shown"},
    [PBT_KEY_DURABILITY] = {.path = "durability",
                            .type = PBT_TYPE_WORD,
                            .words = durabilities,
                            .fallback = "process",
                            FIELD(power_durable),
                            .change = PBT_CHANGE_FREE,
                            .doc = "what an acknowledged result survives: the "
                                   "death of any process, or a power loss"},
};

const char *pbt_key_name(const struct pbt_key *key)
{
    const char *dot = strchr(key->path, '.');
    return dot == NULL ? key->path : dot + 1;
}

size_t pbt_key_section(const struct pbt_key *key)
{
    const char *dot = strchr(key->path, '.');
    return dot == NULL ? 0 : (size_t)(dot - key->path);
}

bool pbt_key_is_kept(const struct pbt_key *key)
{
    return key->type != PBT_TYPE_POLICY;
}

bool pbt_key_in(const struct pbt_key *key, const char *section)
{
    size_t length = strlen(section);
    return pbt_key_section(key) == length &&
           memcmp(key->path, section, length) == 0;
}

static bool is_name(const char *known, const char *name, size_t length)
{
    return strlen(known) == length && memcmp(known, name, length) == 0;
}

const struct pbt_key *pbt_key_find(const char *section, const char *name,
                                   size_t length)
{
    for (size_t i = 0; i < PBT_KEY_COUNT; i++) {
        const struct pbt_key *key = &pbt_keys[i];
        if (pbt_key_in(key, section) &&
            is_name(pbt_key_name(key), name, length)) {
            return key;
        }
    }
    return NULL;
}
