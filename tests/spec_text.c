/*
 * spec_text.c: see spec_text.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "spec_text.h"

const char minimal[] = "command: [train]\n"
                       "scheduler: {type: fifo}\n";

const char good[] =
    "name: mnist-convnet\n"
    "command: [./convnet, --fast, 'a b', \"\"]\n"
    "cwd: data\n"
    "env: {B_2: \"x: y\", a: 010, N: , T: yes}\n"
    "num_samples: 4\n"
    "metric: loss\n"
    "mode: min\n"
    "stop: {training_iteration: 100, time_total_s: 7200.5, loss: 0.1,\n"
    "       mean_accuracy: 0.96, gap: {min: 0.5}}\n"
    "stop_all: {loss: {max: 50}, mean_accuracy: {max: 0.99}}\n"
    "time_budget_s: 3600.25\n"
    "config:\n"
    "  lr: {uniform: [0.001, 1]}\n"
    "  net:\n"
    "    layers: [1, 2.0, x, null, true, {k: \"\\x7f\\u2028\"}]\n"
    "    act: relu\n"
    "    none: ~\n"
    "    deep: {er: 1e-4}\n"
    "  flag: true\n"
    "  batch: 64\n"
    "  odd: [{}, []]\n"
    "  empty: {}\n"
    "  nan: .nan\n"
    "  inf: -.inf\n"
    "  yes: 'NO'\n"
    "  \"key: #\": 0x1F\n"
    "  a: {quniform: [0, 1, 0.25]}\n"
    "  b: {loguniform: [1e-5, 1]}\n"
    "  c: {qloguniform: [0.01, 1, 0.01]}\n"
    "  d: {randn: [1, 0.5]}\n"
    "  e: {qrandn: [1, 0.5, 0.1]}\n"
    "  f: {randint: [-5, 5]}\n"
    "  g: {qrandint: [0, 10, 5]}\n"
    "  h: {lograndint: [1, 100]}\n"
    "  i: {qlograndint: [4, 128, 4]}\n"
    "  j: {choice: [1, 1.0, one, null, [1]]}\n"
    "scheduler:\n"
    "  type: pbt\n"
    "  time_attr: time_total_s\n"
    "  perturbation_interval: 5\n"
    "  burn_in_period: 2.5\n"
    "  hyperparam_mutations:\n"
    "    batch: [16, 32, 64]\n"
    "    net: {width: {randint: [1, 9]}, deep: {er: {loguniform: [1e-5, 1]},"
    " est: [a, b]}}\n"
    "    fresh: {uniform: [0, 1]}\n"
    "    lr: {uniform: [0.0001, 1]}\n"
    "    j: {choice: [1, 2]}\n"
    "  quantile_fraction: 0.5\n"
    "  resample_probability: 0\n"
    "  perturbation_factors: [1.5, 0.5, 1]\n"
    "  out_of_range: reflect\n"
    "  donors: best_ever\n"
    "  exploit: t_test\n"
    "  t_test_scores: 20\n"
    "  t_test_level: 0.01\n"
    "  exploit_gap: 0.5\n"
    "  exploit_gap_relative: 0.1\n"
    "  exploit_gap_sd: 1.5\n"
    "  exploit_copies: weights\n"
    "  log_config: false\n"
    "  require_attrs: false\n"
    "  synch: true\n"
    "  custom_explore: [python3, 'x y.py']\n"
    "resources: {cpu: 2.5, gpu: 3, memory: 1.5 GiB}\n"
    "resources_per_trial: {cpu: 0.5, gpu: 0.25, memory: 100 MB, tasks: 2}\n"
    "checkpoint: {frequency: 5, at_end: true, num_to_keep: 4, "
    "score_attribute: acc, score_order: min, max_bytes: 2 GiB}\n"
    "failure: {max_failures: -1, backoff_s: 2.5, replace: 3}\n"
    "max_concurrent: 3\n"
    "start_checkpoint: pre/trained\n"
    "points_to_evaluate: [{lr: 0.25, net: {deep: {er: 0.5}}}, {}]\n"
    "timeouts: {setup: 600, step: 60.5, save: 0, explore: 5}\n"
    "grace: 3\n"
    "reuse_workers: false\n"
    "seed: 18446744073709551615\n";

const size_t good_length = sizeof good - 1;

int parse_full(struct pbt_spec *spec, const char *text, size_t length,
               const char *label, char *const *overrides, size_t count,
               struct pbt_buf *problems)
{
    struct pbt_error error = {.status = PBT_OK};
    int status = pbt_spec_parse(spec, text, length, label, "/", overrides,
                                count, problems, &error);
    if (status != PBT_OK) {
        assert_int_equal(error.status, status);
        assert_true(strlen(error.text) > 0);
    }
    return status;
}

/* Parses what has to be right. */
void parse(struct pbt_spec *spec, const char *text)
{
    struct pbt_buf problems;
    pbt_buf_init(&problems, TEXT_MAX);
    int status =
        parse_full(spec, text, strlen(text), "good.yaml", NULL, 0, &problems);
    if (status != PBT_OK) {
        print_error("%s\n", problems.data != NULL ? problems.data : "?");
    }
    assert_int_equal(status, PBT_OK);
    assert_int_equal(problems.length, 0);
    pbt_buf_done(&problems);
}

void parse_over(struct pbt_spec *spec, const char *text, char *const *overrides,
                size_t count)
{
    struct pbt_buf problems;
    pbt_buf_init(&problems, TEXT_MAX);
    int status = parse_full(spec, text, strlen(text), "good.yaml", overrides,
                            count, &problems);
    if (status != PBT_OK) {
        print_error("%s\n", problems.data != NULL ? problems.data : "?");
    }
    assert_int_equal(status, PBT_OK);
    pbt_buf_done(&problems);
}

void write_spec(const struct pbt_spec *spec, struct pbt_buf *out)
{
    struct pbt_error error;
    pbt_buf_init(out, TEXT_MAX);
    assert_int_equal(pbt_spec_write(spec, out, &error), PBT_OK);
}

const struct pbt_param *param(const struct pbt_spec *spec, const char *name)
{
    for (uint32_t i = 0; i < spec->settings.space.count; i++) {
        if (strcmp(spec->settings.space.params[i].name, name) == 0) {
            return &spec->settings.space.params[i];
        }
    }
    fail_msg("no parameter %s", name);
    return NULL;
}

void assert_domain(const struct pbt_domain *domain, enum pbt_domain_kind kind,
                   double lower, double upper, double quantum)
{
    assert_int_equal(domain->kind, kind);
    assert_true(domain->lower == lower);
    assert_true(domain->upper == upper);
    assert_true(domain->quantum == quantum);
}

void assert_constant(const struct pbt_spec *spec, const char *name,
                     const char *json)
{
    struct pbt_buf out;
    pbt_buf_init(&out, TEXT_MAX);
    const struct pbt_domain *domain = &param(spec, name)->initial;
    assert_int_equal(domain->kind, PBT_DOMAIN_CONSTANT);
    pbt_spec_cell_json(spec, domain->choices[0], &out);
    assert_string_equal(out.data, json);
    pbt_buf_done(&out);
}

char *read_all(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return NULL;
    }
    char *text = malloc(TEXT_MAX);
    assert_non_null(text);
    *length = fread(text, 1, TEXT_MAX - 1, file);
    text[*length] = '\0';
    (void)fclose(file);
    return text;
}

void check_rim(const struct pbt_spec *spec)
{
    static const char *const command[] = {"/convnet", "--fast", "a b", "",
                                          NULL};
    static const char *const env[] = {"B_2=x: y", "a=010", "N=", "T=yes", NULL};
    for (size_t i = 0; command[i] != NULL; i++) {
        assert_string_equal(spec->command[i], command[i]);
    }
    assert_null(spec->command[4]);
    for (size_t i = 0; env[i] != NULL; i++) {
        assert_string_equal(spec->env[i], env[i]);
    }
    assert_null(spec->env[4]);
    assert_string_equal(spec->name, "mnist-convnet");
    assert_string_equal(spec->cwd, "/data");
    assert_string_equal(spec->metric, "loss");
    assert_true(spec->minimize);
    assert_false(spec->require_attrs);
    assert_false(spec->log_config);
    assert_true(spec->resources_cpu == 2.5);
    assert_true(spec->trial_cpu == 0.5);
    assert_true(spec->timeout_setup == 600);
    assert_true(spec->timeout_step == 60.5);
    assert_true(spec->timeout_save == 0);
    assert_true(spec->grace == 3);
    assert_false(spec->reuse_workers);
}
