/*
 * What several keys have to agree on, and what is worth a warning.
 */
#include "spec/reader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The place of a key that is not there: its section, else the start of the file. */
static struct pbt_span place_of(const struct pbt_reader *reader,
                                const struct pbt_key *key)
{
    struct pbt_span span = {0, 0, 1};
    size_t section = pbt_key_section(key);
    bool overrides_only = reader->sources[0].length == 0;
    if (overrides_only || reader->root == NULL ||
        reader->root->kind != PBT_NODE_MAP) {
        return span;
    }
    const struct pbt_node *node =
        section > 0 ? pbt_node_find(reader->root, key->path, section)
                    : reader->root->first;
    if (node != NULL) {
        span = node->span;
        span.length = section > 0 ? span.length : 1;
    }
    return span;
}

static void missing(struct pbt_reader *reader, enum pbt_key_id id,
                    const char *why)
{
    const struct pbt_key *key = &pbt_keys[id];
    if (reader->meant[id]) {
        return; /* it has been spoken of */
    }
    struct pbt_problem *problem =
        pbt_problem(reader->problems, PBT_E0101, place_of(reader, key),
                    "missing key `%s`%s", key->path, why);
    pbt_problem_help(problem, "%s: %s", pbt_key_name(key), key->doc);
}

/* Ends that come before, or with, the first perturbation. */
static bool ends_too_soon(const struct pbt_settings *settings, char *why,
                          size_t size)
{
    bool seconds = settings->time_attr == PBT_TIME_SECONDS;
    double first =
        fmax(settings->perturbation_interval, settings->burn_in_period);
    double end = (double)INFINITY;
    for (uint32_t i = 0; i < settings->stop_count; i++) {
        const struct pbt_stop *stop = &settings->stops[i];
        if (stop->source == (seconds ? PBT_STOP_SECONDS : PBT_STOP_ITERATION)) {
            end = fmin(end, stop->bound);
        }
    }
    if (seconds && settings->time_budget_ns > 0) {
        end = fmin(end, (double)settings->time_budget_ns / 1e9);
    }
    if (end <= first) {
        (void)snprintf(why, size,
                       "training ends at %s %.15g, the first one would be at "
                       "%.15g",
                       seconds ? "second" : "iteration", end, first);
    }
    return end <= first;
}

static bool is_alone(const struct pbt_settings *settings, char *why,
                     size_t size)
{
    if (settings->population == 1) {
        (void)snprintf(why, size,
                       "with num_samples 1 there is nobody to learn from");
    }
    return settings->population == 1;
}

static bool replaces_nobody(const struct pbt_settings *settings)
{
    return settings->exploit == PBT_EXPLOIT_TRUNCATION &&
           settings->quantile_fraction <= 0;
}

bool pbt_spec_never_perturbs(const struct pbt_spec *spec, char *why,
                             size_t size)
{
    const struct pbt_settings *settings = &spec->settings;
    if (settings->scheduler != PBT_SCHEDULER_PBT) {
        return false;
    }
    if (settings->population > 1 && replaces_nobody(settings)) {
        (void)snprintf(why, size,
                       "with quantile_fraction 0 nobody is replaced");
        return true;
    }
    return is_alone(settings, why, size) || ends_too_soon(settings, why, size);
}

/* A key of another policy than the one that is chosen; its default says nothing. */
static void check_unused(struct pbt_reader *reader, enum pbt_key_id id,
                         const char *policy)
{
    const struct pbt_key *key = &pbt_keys[id];
    const struct pbt_node *node = reader->given[id];
    bool is_default =
        node == NULL || (node->kind == PBT_NODE_SCALAR &&
                         node->length == strlen(key->fallback) &&
                         memcmp(node->text, key->fallback, node->length) == 0);
    if (!is_default) {
        pbt_reader_warn(reader, PBT_W0112, node,
                        "`%s` has no effect: it is of `exploit: %s`", key->path,
                        policy);
    }
}

static void check_exploit(struct pbt_reader *reader)
{
    enum pbt_exploit exploit = reader->spec->settings.exploit;
    if (exploit != PBT_EXPLOIT_TRUNCATION) {
        check_unused(reader, PBT_KEY_QUANTILE, "truncation");
    }
    if (exploit != PBT_EXPLOIT_T_TEST) {
        check_unused(reader, PBT_KEY_T_TEST_SCORES, "t_test");
        check_unused(reader, PBT_KEY_T_TEST_LEVEL, "t_test");
    }
}

static void check_pbt(struct pbt_reader *reader)
{
    const struct pbt_settings *settings = &reader->spec->settings;
    const char *why = ": PBT ranks trials by it (`scheduler: {type: fifo}` "
                      "trains without PBT)";
    char reason[PBT_NEVER_SIZE];
    if (reader->given[PBT_KEY_METRIC] == NULL) {
        missing(reader, PBT_KEY_METRIC, why);
    }
    if (reader->given[PBT_KEY_INTERVAL] == NULL) {
        missing(reader, PBT_KEY_INTERVAL, "");
    }
    if (is_alone(settings, reason, sizeof reason)) {
        pbt_reader_warn(reader, PBT_W0103, reader->given[PBT_KEY_NUM_SAMPLES],
                        "no perturbation can happen: %s%s", reason,
                        reader->given[PBT_KEY_NUM_SAMPLES] == NULL
                            ? " (1 is its default)"
                            : "");
    }
    if (replaces_nobody(settings)) {
        pbt_reader_warn(reader, PBT_W0102, reader->given[PBT_KEY_QUANTILE],
                        "no perturbation can happen: with quantile_fraction 0 "
                        "nobody is replaced");
    }
    check_exploit(reader);
    if (ends_too_soon(settings, reason, sizeof reason)) {
        pbt_reader_warn(reader, PBT_W0102, reader->given[PBT_KEY_INTERVAL],
                        "no perturbation can happen: %s", reason);
    }
}

/* A budget that is given, and what one trial takes of it. */
static void check_budget(struct pbt_reader *reader, enum pbt_key_id id,
                         double budget, double share)
{
    const struct pbt_node *node = reader->given[id];
    const char *name = pbt_key_name(&pbt_keys[id]);
    if (node != NULL && budget > 0 && budget < share) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0221, node->span,
                                      "`%s` is less than one trial takes",
                                      pbt_keys[id].path),
                          "resources_per_trial.%s is %.15g", name, share);
    }
}

static void check_resources(struct pbt_reader *reader)
{
    const struct pbt_spec *spec = reader->spec;
    const struct pbt_node *gpu = reader->given[PBT_KEY_PER_TRIAL_GPU];
    if (gpu != NULL && spec->trial_gpu > 1 &&
        spec->trial_gpu != floor(spec->trial_gpu)) {
        struct pbt_problem *problem =
            pbt_problem(reader->problems, PBT_E0220, gpu->span,
                        "`resources_per_trial.gpu` is neither a share of one "
                        "GPU nor a whole number of them");
        pbt_problem_help(problem, "below 1, trials share a device: with 0.25, "
                                  "four run on each");
    }
    check_budget(reader, PBT_KEY_RESOURCES_CPU, spec->resources_cpu,
                 spec->trial_cpu);
    check_budget(reader, PBT_KEY_RESOURCES_GPU, spec->resources_gpu,
                 spec->trial_gpu);
    check_budget(reader, PBT_KEY_RESOURCES_MEMORY,
                 (double)spec->resources_memory, (double)spec->trial_memory);
}

/* Replacing needs somebody to be copied, and time for it. */
static void check_replace(struct pbt_reader *reader)
{
    const struct pbt_settings *settings = &reader->spec->settings;
    const struct pbt_node *node = reader->given[PBT_KEY_REPLACE];
    if (settings->replace == 0 || node == NULL) {
        return;
    }
    if (settings->scheduler != PBT_SCHEDULER_PBT) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0343, node->span,
                                      "`failure.replace` needs `scheduler: "
                                      "{type: pbt}`"),
                          "no other scheduler compares trials");
    } else if (settings->fail_fast) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0343, node->span,
                                      "`failure.replace` and "
                                      "`failure.fail_fast` contradict each "
                                      "other"),
                          "the first trial to be replaced ends the experiment");
    }
}

void pbt_read_check(struct pbt_reader *reader)
{
    const struct pbt_spec *spec = reader->spec;
    pbt_read_placeholders(reader);
    if (reader->given[PBT_KEY_COMMAND] == NULL) {
        missing(reader, PBT_KEY_COMMAND, "");
    }
    if (spec->settings.scheduler == PBT_SCHEDULER_PBT) {
        check_pbt(reader);
    }
    if (spec->settings.scheduler == PBT_SCHEDULER_REPLAY &&
        spec->settings.population != 1) {
        bool grid = spec->num_samples != spec->settings.population;
        const struct pbt_node *node =
            reader->given[grid ? PBT_KEY_CONFIG : PBT_KEY_NUM_SAMPLES];
        struct pbt_problem *problem =
            pbt_problem(reader->problems, PBT_E0341, node->span,
                        "a replay is of one trial");
        pbt_problem_label(problem, grid ? "its grid_search makes several"
                                        : "leave it out, or write 1");
    }
    if (reader->given[PBT_KEY_METRIC] != NULL &&
        reader->given[PBT_KEY_MODE] == NULL) {
        missing(reader, PBT_KEY_MODE, "");
    }
    check_resources(reader);
    check_replace(reader);
}
