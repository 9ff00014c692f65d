/*
 * The experiment file: what it says when it is right, and what is said when it is
 * wrong.
 *
 * tests/spec/broken/ holds wrong files; beside each lies the exact message (.expected).
 * PBT_UPDATE_GOLDEN=1 rewrites those: read the difference before it is committed.
 * Lines "#! key=value" at the start of a file are given as overrides, too.
 */
#include <dirent.h>
#include <inttypes.h>
#include <locale.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/draw.h"
#include "spec/schema.h"
#include "spec/spec.h"

#ifndef PBT_SOURCE_DIR
#define PBT_SOURCE_DIR "."
#endif

#define TEXT_MAX (4u << 20)
#define OVERRIDES_MAX 8

static const char minimal[] = "command: [train]\n"
                              "scheduler: {type: fifo}\n";

static const char good[] =
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

/* --- helpers ---------------------------------------------------------- */

static int parse_full(struct pbt_spec *spec, const char *text, size_t length,
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
static void parse(struct pbt_spec *spec, const char *text)
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

static void parse_over(struct pbt_spec *spec, const char *text,
                       char *const *overrides, size_t count)
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

static void write_spec(const struct pbt_spec *spec, struct pbt_buf *out)
{
    struct pbt_error error;
    pbt_buf_init(out, TEXT_MAX);
    assert_int_equal(pbt_spec_write(spec, out, &error), PBT_OK);
}

static const struct pbt_param *param(const struct pbt_spec *spec,
                                     const char *name)
{
    for (uint32_t i = 0; i < spec->settings.space.count; i++) {
        if (strcmp(spec->settings.space.params[i].name, name) == 0) {
            return &spec->settings.space.params[i];
        }
    }
    fail_msg("no parameter %s", name);
    return NULL;
}

static void assert_domain(const struct pbt_domain *domain,
                          enum pbt_domain_kind kind, double lower, double upper,
                          double quantum)
{
    assert_int_equal(domain->kind, kind);
    assert_true(domain->lower == lower);
    assert_true(domain->upper == upper);
    assert_true(domain->quantum == quantum);
}

static void assert_constant(const struct pbt_spec *spec, const char *name,
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

static char *read_all(const char *path, size_t *length)
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

/* --- what a right file gives ----------------------------------------- */

static void test_defaults(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec, minimal);
    assert_string_equal(spec.name, "good");
    assert_string_equal(spec.command[0], "train");
    assert_null(spec.command[1]);
    assert_string_equal(spec.command_dir, "/");
    assert_null(spec.cwd);
    assert_null(spec.env[0]);
    assert_null(spec.metric);
    assert_false(spec.minimize);
    assert_true(spec.require_attrs);
    assert_true(spec.log_config);
    assert_true(spec.resources_cpu == 0);
    assert_true(spec.trial_cpu == 1);
    assert_true(spec.timeout_setup == 0);
    assert_true(spec.timeout_step == 0);
    assert_true(spec.timeout_save == 1800);
    assert_true(spec.grace == 10);
    assert_true(spec.reuse_workers);
    assert_int_equal(spec.value_count, 0);
    const struct pbt_settings *settings = &spec.settings;
    assert_true(settings->seed < UINT64_C(1) << 53);
    assert_int_equal(settings->population, 1);
    assert_int_equal(settings->space.count, 0);
    assert_int_equal(settings->scheduler, PBT_SCHEDULER_FIFO);
    assert_int_equal(settings->time_attr, PBT_TIME_ITERATION);
    assert_true(settings->burn_in_period == 0);
    assert_true(settings->quantile_fraction == 0.25);
    assert_true(settings->explore.resample_probability == 0.25);
    assert_int_equal(settings->explore.factor_count, 2);
    assert_true(settings->explore.factors[0] == 1.2);
    assert_true(settings->explore.factors[1] == 0.8);
    assert_int_equal(settings->explore.out_of_range, PBT_RANGE_CLIP);
    assert_int_equal(settings->donors, PBT_DONORS_CURRENT);
    assert_int_equal(settings->exploit, PBT_EXPLOIT_TRUNCATION);
    assert_int_equal(settings->t_test_scores, 10);
    assert_true(settings->t_test_level == 0.05);
    assert_true(settings->gap == 0);
    assert_true(settings->gap_relative == 0);
    assert_true(settings->gap_sd == 0);
    assert_int_equal(settings->copies, PBT_COPIES_BOTH);
    assert_false(settings->custom_explore);
    assert_int_equal(settings->stop_count, 0);
    assert_true(settings->time_budget_ns == 0);
    assert_int_equal(settings->checkpoint_frequency, 0);
    assert_false(settings->checkpoint_at_end);
    assert_int_equal(settings->num_to_keep, 1);
    assert_int_equal(settings->max_failures, 0);
    assert_true(settings->backoff_ns == UINT64_C(1000000000));
    assert_null(spec.warnings.data);
    pbt_spec_done(&spec);
    pbt_spec_done(&spec); /* harmless */
}

/* What `checkpoint.score_attribute` and `score_order` come to. */
static void check_keep(const char *rest, enum pbt_keep keep, bool low)
{
    char text[512];
    struct pbt_spec spec;
    (void)snprintf(text, sizeof text,
                   "command: [x]\nmetric: loss\nscheduler: {type: fifo}\n%s\n",
                   rest);
    parse(&spec, text);
    assert_int_equal(spec.settings.keep, keep);
    assert_int_equal(spec.settings.keep_low, low);
    pbt_spec_done(&spec);
}

static void test_what_is_kept(void **state)
{
    (void)state;
    check_keep("mode: min\ncheckpoint: {num_to_keep: 2}", PBT_KEEP_NEWEST,
               false);
    /* The metric is better as its mode says, unless the file says otherwise. */
    check_keep("mode: min\ncheckpoint: {score_attribute: loss}", PBT_KEEP_BEST,
               true);
    check_keep("mode: max\ncheckpoint: {score_attribute: loss}", PBT_KEEP_BEST,
               false);
    check_keep(
        "mode: min\ncheckpoint: {score_attribute: loss, score_order: max}",
        PBT_KEEP_WORST, false);
    check_keep(
        "mode: max\ncheckpoint: {score_attribute: loss, score_order: min}",
        PBT_KEEP_WORST, true);
    check_keep("mode: min\ncheckpoint: {score_attribute: training_iteration}",
               PBT_KEEP_ITERATION, false);
    check_keep("mode: min\ncheckpoint: {score_attribute: time_total_s, "
               "score_order: min}",
               PBT_KEEP_SECONDS, true);
    check_keep("mode: min\ncheckpoint: {score_attribute: acc}", PBT_KEEP_VALUE,
               false);
    struct pbt_spec spec;
    parse(&spec, "command: [x]\nmetric: loss\nmode: min\n"
                 "scheduler: {type: fifo}\nstop: {a: 1, b: 2}\n"
                 "checkpoint: {score_attribute: b}\n");
    assert_int_equal(spec.value_count, 2); /* one that a stop looks at, too */
    assert_int_equal(spec.settings.keep_value, 1);
    pbt_spec_done(&spec);
}

static void check_rim(const struct pbt_spec *spec)
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

static void check_settings(const struct pbt_settings *settings)
{
    assert_true(settings->seed == UINT64_MAX);
    assert_int_equal(settings->population, 4);
    assert_int_equal(settings->scheduler, PBT_SCHEDULER_PBT);
    assert_int_equal(settings->time_attr, PBT_TIME_SECONDS);
    assert_true(settings->perturbation_interval == 5);
    assert_true(settings->burn_in_period == 2.5);
    assert_true(settings->quantile_fraction == 0.5);
    assert_true(settings->explore.resample_probability == 0);
    assert_int_equal(settings->explore.factor_count, 3);
    assert_true(settings->explore.factors[2] == 1);
    assert_int_equal(settings->explore.out_of_range, PBT_RANGE_REFLECT);
    assert_int_equal(settings->donors, PBT_DONORS_BEST_EVER);
    assert_int_equal(settings->exploit, PBT_EXPLOIT_T_TEST);
    assert_int_equal(settings->t_test_scores, 20);
    assert_true(settings->t_test_level == 0.01);
    assert_true(settings->gap == 0.5);
    assert_true(settings->gap_relative == 0.1);
    assert_true(settings->gap_sd == 1.5);
    assert_int_equal(settings->copies, PBT_COPIES_WEIGHTS);
    assert_true(settings->time_budget_ns == UINT64_C(3600250000000));
    assert_int_equal(settings->checkpoint_frequency, 5);
    assert_true(settings->checkpoint_at_end);
    assert_int_equal(settings->num_to_keep, 4);
    assert_int_equal(settings->keep, PBT_KEEP_VALUE);
    assert_true(settings->keep_low);
    assert_true(settings->max_bytes == UINT64_C(2147483648));
    assert_int_equal(settings->max_failures, -1);
    assert_true(settings->backoff_ns == UINT64_C(2500000000));
    assert_int_equal(settings->replace, 3);
}

static void test_every_key(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec, good);
    check_rim(&spec);
    check_settings(&spec.settings);
    pbt_spec_done(&spec);
}

static void test_stops(void **state)
{
    (void)state;
    static const struct pbt_stop expected[] = {
        {PBT_STOP_ITERATION, 0, 100, false, false},
        {PBT_STOP_SECONDS, 0, 7200.5, false, false},
        {PBT_STOP_VALUE, 0, 0.1, true, false}, /* the metric, mode min */
        {PBT_STOP_VALUE, 1, 0.96, false, false},
        {PBT_STOP_VALUE, 2, 0.5, true, false},
        {PBT_STOP_VALUE, 0, 50, false, true},
        {PBT_STOP_VALUE, 1, 0.99, false, true},
    };
    struct pbt_spec spec;
    parse(&spec, good);
    assert_int_equal(spec.settings.stop_count, 7);
    for (size_t i = 0; i < 7; i++) {
        const struct pbt_stop *stop = &spec.settings.stops[i];
        assert_int_equal(stop->source, expected[i].source);
        assert_int_equal(stop->index, expected[i].index);
        assert_true(stop->bound == expected[i].bound);
        assert_int_equal(stop->at_most, expected[i].at_most);
        assert_int_equal(stop->all, expected[i].all);
    }
    assert_int_equal(spec.value_count, 4);
    assert_string_equal(spec.value_names[0], "loss");
    assert_string_equal(spec.value_names[1], "mean_accuracy");
    assert_string_equal(spec.value_names[2], "gap");
    pbt_spec_done(&spec);
}

static void test_domains(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec, good);
    assert_domain(&param(&spec, "lr")->initial, PBT_DOMAIN_UNIFORM, 0.001, 1,
                  0);
    assert_domain(&param(&spec, "a")->initial, PBT_DOMAIN_QUNIFORM, 0, 1, 0.25);
    assert_domain(&param(&spec, "b")->initial, PBT_DOMAIN_LOGUNIFORM, 1e-5, 1,
                  0);
    assert_domain(&param(&spec, "c")->initial, PBT_DOMAIN_QLOGUNIFORM, 0.01, 1,
                  0.01);
    assert_domain(&param(&spec, "d")->initial, PBT_DOMAIN_RANDN, 1, 0.5, 0);
    assert_domain(&param(&spec, "e")->initial, PBT_DOMAIN_QRANDN, 1, 0.5, 0.1);
    assert_domain(&param(&spec, "f")->initial, PBT_DOMAIN_RANDINT, -5, 5, 0);
    assert_domain(&param(&spec, "g")->initial, PBT_DOMAIN_QRANDINT, 0, 10, 5);
    assert_domain(&param(&spec, "h")->initial, PBT_DOMAIN_LOGRANDINT, 1, 100,
                  0);
    assert_domain(&param(&spec, "i")->initial, PBT_DOMAIN_QLOGRANDINT, 4, 128,
                  4);
    const struct pbt_domain *choice = &param(&spec, "j")->initial;
    assert_int_equal(choice->kind, PBT_DOMAIN_CHOICE);
    assert_int_equal(choice->choice_count, 5);
    assert_int_equal(choice->choices[0].type, PBT_CELL_INT);
    assert_int_equal(choice->choices[1].type, PBT_CELL_REAL);
    assert_int_equal(choice->choices[4].type, PBT_CELL_TEXT);
    pbt_spec_done(&spec);

    parse(&spec, "command: x\nconfig: {a: {randn: []}, b: {randn: [3]},\n"
                 "  c: {qrandint: [1, 9]}}\nscheduler: {type: fifo}\n");
    assert_domain(&param(&spec, "a")->initial, PBT_DOMAIN_RANDN, 0, 1, 0);
    assert_domain(&param(&spec, "b")->initial, PBT_DOMAIN_RANDN, 3, 1, 0);
    assert_domain(&param(&spec, "c")->initial, PBT_DOMAIN_QRANDINT, 1, 9, 1);
    pbt_spec_done(&spec);
}

static void test_constants(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec, good);
    assert_constant(&spec, "net/layers",
                    "[1,2.0,\"x\",null,true,{\"k\":\"\x7f\xe2\x80\xa8\"}]");
    assert_constant(&spec, "net/act", "\"relu\"");
    assert_constant(&spec, "net/none", "null");
    assert_constant(&spec, "net/deep/er", "0.0001");
    assert_constant(&spec, "flag", "true");
    assert_constant(&spec, "batch", "64");
    assert_constant(&spec, "odd", "[{},[]]");
    assert_constant(&spec, "empty", "{}");
    assert_constant(&spec, "nan", "\"NaN\"");
    assert_constant(&spec, "inf", "\"-Infinity\"");
    assert_constant(&spec, "yes", "\"NO\"");
    assert_constant(&spec, "key: #", "31");
    pbt_spec_done(&spec);
}

/* `config` first, in its order, then what is only in the mutations. */
static void test_table_order(void **state)
{
    (void)state;
    static const char *const tail[] = {"net/width", "net/deep/est", "fresh"};
    struct pbt_spec spec;
    parse(&spec, good);
    const struct pbt_space *space = &spec.settings.space;
    assert_string_equal(space->params[0].name, "lr");
    assert_string_equal(space->params[1].name, "net/layers");
    for (uint32_t i = 0; i < 3; i++) {
        const struct pbt_param *last = &space->params[space->count - 3 + i];
        assert_string_equal(last->name, tail[i]);
        assert_int_equal(last->initial.kind, PBT_DOMAIN_NONE);
    }
    assert_int_equal(param(&spec, "batch")->mutation, PBT_MUTATION_LIST);
    assert_int_equal(param(&spec, "batch")->mutations.kind, PBT_DOMAIN_CHOICE);
    assert_int_equal(param(&spec, "j")->mutation, PBT_MUTATION_DOMAIN);
    assert_int_equal(param(&spec, "j")->mutations.kind, PBT_DOMAIN_CHOICE);
    assert_int_equal(param(&spec, "lr")->mutation, PBT_MUTATION_DOMAIN);
    assert_int_equal(param(&spec, "flag")->mutation, PBT_MUTATION_NONE);
    pbt_spec_done(&spec);
}

/* The warnings, each as one line: "warning[ID]: place: message". */
static void assert_warnings(const struct pbt_spec *spec, const char *expected)
{
    static char short_form[8192];
    size_t used = 0;
    const char *at = spec->warnings.data;
    assert_non_null(at);
    while ((at = strstr(at, "warning[")) != NULL) {
        const char *message = strstr(at, "]: ") + 3;
        const char *place = strstr(at, "--> ") + 4;
        int n = snprintf(short_form + used, sizeof short_form - used,
                         "%.*s%.*s: %.*s\n", (int)(message - at), at,
                         (int)strcspn(place, "\n"), place,
                         (int)strcspn(message, "\n"), message);
        used += (size_t)n;
        at = message;
    }
    assert_string_equal(short_form, expected);
}

static void test_yaml_words(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec, "command: x\nscheduler: {type: fifo}\nconfig:\n"
                 "  a: 1e-4\n  b: NO\n  c: 010\n  d: 12:30:45\n  e: 0o17\n"
                 "  f: +5\n  g: .5\n  h: 5.\n  i: True\n  j: 1_000\n"
                 "  k: 'NaN'\n  l: -0.0\n  m: 1e400\n  n: 0x\n  o: 1e\n"
                 "  p: -9007199254740992\n  q: |\n    text\n");
    assert_constant(&spec, "a", "0.0001");
    assert_constant(&spec, "b", "\"NO\"");
    assert_constant(&spec, "c", "10");
    assert_constant(&spec, "d", "\"12:30:45\"");
    assert_constant(&spec, "e", "15");
    assert_constant(&spec, "f", "5");
    assert_constant(&spec, "g", "0.5");
    assert_constant(&spec, "h", "5.0");
    assert_constant(&spec, "i", "true");
    assert_constant(&spec, "j", "\"1_000\"");
    assert_constant(&spec, "k", "\"NaN\"");
    assert_int_equal(param(&spec, "k")->initial.choices[0].type, PBT_CELL_REAL);
    assert_constant(&spec, "l", "-0.0");
    assert_constant(&spec, "m", "\"Infinity\"");
    assert_constant(&spec, "n", "\"0x\"");
    assert_constant(&spec, "o", "\"1e\"");
    assert_constant(&spec, "p", "-9007199254740992");
    assert_constant(&spec, "q", "\"text\\n\"");
    assert_warnings(
        &spec,
        "warning[W0101]: good.yaml:5:6: `NO` is a string here, though older "
        "YAML readers take it for a truth value; quote it to make that plain\n"
        "warning[W0101]: good.yaml:7:6: `12:30:45` is a string here, though "
        "older YAML readers take it for a number; quote it to make that "
        "plain\n"
        "warning[W0101]: good.yaml:13:6: `1_000` is a string here, though "
        "older YAML readers take it for a number; quote it to make that "
        "plain\n");
    pbt_spec_done(&spec);
}

/* What another program would take for a distribution, and here is a constant. */
static void test_warnings_on_constants(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec, "command: x\nscheduler: {type: fifo}\nconfig:\n"
                 "  a: loguniform(1e-4, 1e-1)\n  b: 'tune.uniform:0:1'\n"
                 "  c: {tune.choice: [1, 2]}\n  d: 'normal(0, 1)'\n"
                 "  e: http://x\n  f: uniform\n  g: {lr: [1, 2]}\n");
    assert_warnings(
        &spec,
        "warning[W0105]: good.yaml:4:6: `a` is always this text; a "
        "distribution is written {loguniform: [...]}\n"
        "warning[W0105]: good.yaml:5:6: `b` is always this text; a "
        "distribution is written {uniform: [...]}\n"
        "warning[W0105]: good.yaml:6:7: `tune.choice` is taken for a nested "
        "hyperparameter; did you mean the distribution `choice`?\n"
        "warning[W0105]: good.yaml:7:6: `d` is always this text; a "
        "distribution is written {randn: [...]}\n");
    pbt_spec_done(&spec);
}

/* Numbers are compared by value, and a point takes the form of the one that is listed. */
static void test_points_among_choices(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec, "command: x\nscheduler: {type: fifo}\nnum_samples: 4\n"
                 "config: {a: {choice: [1, 2.5]}}\n"
                 "points_to_evaluate: [{a: 1.0}, {a: 2.50}, {a: 2}]\n");
    assert_warnings(&spec, "warning[W0107]: good.yaml:5:47: `a` is none of the "
                           "values that it is drawn from otherwise\n");
    const struct pbt_cell *points = spec.settings.points;
    assert_true(pbt_cell_same(points[0], pbt_cell_int(1)));
    assert_true(pbt_cell_same(points[1], pbt_cell_real(2.5)));
    assert_true(pbt_cell_same(points[2], pbt_cell_int(2)));
    pbt_spec_done(&spec);
}

static void test_warnings_on_points(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec, "command: x\nscheduler: {type: fifo}\nnum_samples: 4\n"
                 "config: {lr: {uniform: [0, 1]}, opt: {choice: [a, b]}, "
                 "c: 1}\n"
                 "points_to_evaluate: [{lr: 7}, {opt: z}, {opt: b}, {c: 2}]\n");
    assert_warnings(&spec,
                    "warning[W0107]: good.yaml:5:27: `lr` is outside of what "
                    "it is drawn from otherwise\n"
                    "warning[W0107]: good.yaml:5:37: `opt` is none of the "
                    "values that it is drawn from otherwise\n");
    pbt_spec_done(&spec);
}

/* A file that is wrong: its first problem, without the first line, has these words. */
static void check_said(const char *text, const char *place, const char *said)
{
    struct pbt_spec spec;
    struct pbt_buf problems;
    pbt_buf_init(&problems, TEXT_MAX);
    assert_int_equal(
        parse_full(&spec, text, strlen(text), "bad.yaml", NULL, 0, &problems),
        PBT_ECONFIG);
    if (strstr(problems.data, place) == NULL ||
        strstr(problems.data, said) == NULL) {
        print_error("%s\n", problems.data);
        fail();
    }
    pbt_buf_done(&problems);
}

/* Where a quote was opened, and which text ended too early. */
static void test_quotes(void **state)
{
    (void)state;
    const char *line = "^ opened here, and not closed on this line\n";
    check_said("command: [\"./a, b]\nmetric: x\n", "bad.yaml:1:11\n", line);
    check_said("config:\n  a: 'x\n  b: 'y'\n", "bad.yaml:2:6\n", line);
    check_said("cwd: \"a\"\nname: \"x\n\n", "bad.yaml:2:7\n",
               "^ opened here\n");
    check_said("\"x\n", "bad.yaml:1:1\n", "^ opened here\n");
    check_said("name: a # it's\ncommand: [./a, 'b,\n  'c']\n", "bad.yaml:3:4\n",
               "^ the text in quotes that began at 2:16 has ended\n");
    check_said("name: 'don't'\n", "bad.yaml:1:12\n",
               "^ the text in quotes that began at 1:7 has ended\n  = help: a "
               "quote that belongs to it is written ''\n");
    check_said("name: \"a \\\" b\" c\n", "bad.yaml:1:16\n",
               "^ the text in quotes that began at 1:7 has ended\n  = help: a "
               "quote that belongs to it is written \\\"\n");
    check_said("name: {a: b\nc: d\n", "bad.yaml:2:2\n",
               "^ is a `{` or `[` before this not closed?\n");
}

/* A misspelt name that would be one of the program's own. */
static void test_warnings_on_names(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec,
          "command: x\nmetric: accuracy\nmode: max\nnum_samples: 4\n"
          "stop: {training_iterations: 9, iterations: 9, accuracy: 1, "
          "acuracy: 1,\n  time_total: 9, epochs: 9, training_iteration: 9}\n"
          "config: {momentum: 1.0, gamma_a: 1.0, lr: 1.0}\n"
          "scheduler:\n  perturbation_interval: 1\n"
          "  hyperparam_mutations: {momentm: {uniform: [0, 1]}, "
          "gamma_a: {uniform: [0, 1]},\n"
          "    gamma_b: {uniform: [0, 1]}, lr2: {uniform: [0, 1]}}\n");
    assert_warnings(
        &spec,
        "warning[W0110]: good.yaml:5:8: `training_iterations` is taken for a "
        "metric that the program reports; did you mean `training_iteration`?\n"
        "warning[W0110]: good.yaml:5:32: `iterations` is taken for a metric "
        "that the program reports; did you mean `training_iteration`?\n"
        "warning[W0110]: good.yaml:5:60: `acuracy` is taken for a metric that "
        "the program reports; did you mean `accuracy`?\n"
        "warning[W0110]: good.yaml:6:3: `time_total` is taken for a metric "
        "that the program reports; did you mean `time_total_s`?\n"
        "warning[W0111]: good.yaml:10:26: `momentm` is not in `config`, and so "
        "a hyperparameter of its own; did you mean `momentum`?\n");
    pbt_spec_done(&spec);
}

static void test_warnings_on_placeholders(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec, "command: [x, '{lr}', '{lrr}', '{checkpoint_in}', '{a: 1}', "
                 "'{other}']\n"
                 "scheduler: {type: fifo}\nconfig: {lr: 1}\n");
    assert_warnings(&spec,
                    "warning[W0108]: good.yaml:1:14: `{lr}` is filled in with "
                    "`trainable: command` only\n"
                    "warning[W0108]: good.yaml:1:22: `{lrr}` is filled in with "
                    "`trainable: command` only\n"
                    "warning[W0108]: good.yaml:1:31: `{checkpoint_in}` is "
                    "filled in with `trainable: command` only\n");
    pbt_spec_done(&spec);
}

static void test_warnings(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec, "command: x\nmetric: m\nmode: max\nstop: {training_iteration: "
                 "5}\nconfig:\n  lr: 1\n  a: {unifrom: [0, 1]}\n"
                 "scheduler:\n  perturbation_interval: 5\n"
                 "  hyperparam_mutations: {lr: {uniform: [1, 0]}}\n");
    assert_warnings(
        &spec,
        "warning[W0105]: good.yaml:7:7: `unifrom` is taken for a nested "
        "hyperparameter; did you mean the distribution `uniform`?\n"
        "warning[W0104]: good.yaml:10:40: the bounds of `lr` stand the wrong "
        "way "
        "round: taken as [0, 1]\n"
        "warning[W0106]: good.yaml:10:26: `lr` starts as the whole number 1 in "
        "`config` but mutates as a real: write 1.0\n"
        "warning[W0103]: good.yaml:1:1: no perturbation can happen: with "
        "num_samples 1 there is nobody to learn from (1 is its default)\n"
        "warning[W0102]: good.yaml:9:26: no perturbation can happen: training "
        "ends "
        "at iteration 5, the first one would be at 5\n");
    assert_domain(&param(&spec, "lr")->mutations, PBT_DOMAIN_UNIFORM, 0, 1, 0);
    pbt_spec_done(&spec);

    parse(&spec, "command: x\nmetric: m\nmode: max\nnum_samples: 4\n"
                 "time_budget_s: 60\n"
                 "scheduler:\n  perturbation_interval: 60\n"
                 "  time_attr: time_total_s\n  quantile_fraction: 0\n"
                 "  hyperparam_mutations: {lr: {uniform: [0, 1]}}\n");
    assert_warnings(
        &spec,
        "warning[W0102]: good.yaml:9:22: no perturbation can happen: with "
        "quantile_fraction 0 nobody is replaced\n"
        "warning[W0102]: good.yaml:7:26: no perturbation can happen: training "
        "ends "
        "at second 60, the first one would be at 60\n");
    pbt_spec_done(&spec);
}

static void test_finish(void **state)
{
    (void)state;
    struct pbt_spec spec;
    struct pbt_error error;
    parse(&spec, "command: x\nmetric: m\nmode: max\nnum_samples: 2\n"
                 "scheduler: {perturbation_interval: 5}\n");
    assert_int_equal(pbt_spec_finish(&spec, &error), PBT_ECONFIG);
    spec.settings.custom_explore = true;
    assert_int_equal(pbt_spec_finish(&spec, &error), PBT_OK);
    pbt_spec_done(&spec);
    parse(&spec, minimal);
    assert_int_equal(pbt_spec_finish(&spec, &error), PBT_OK);
    pbt_spec_done(&spec);
    parse(&spec, good);
    assert_int_equal(pbt_spec_finish(&spec, &error), PBT_OK);
    pbt_spec_done(&spec);
}

static void test_overrides(void **state)
{
    (void)state;
    char a[] = "scheduler.perturbation_interval=10";
    char b[] = "config.net.act={choice: [relu, \"a, b\"]}";
    char c[] = "config.new.deep.value=[1, 2]";
    char d[] = "checkpoint=";
    char e[] = "stop={loss: 0.5}";
    char f[] = "name=other";
    char g[] = "config.lr.uniform=[0, 2]";
    char h[] = "metric=loss";
    char *overrides[] = {a, b, c, d, e, f, g, h};
    struct pbt_spec spec;
    parse_over(&spec, good, overrides, 8);
    assert_true(spec.settings.perturbation_interval == 10);
    assert_int_equal(param(&spec, "net/act")->initial.choice_count, 2);
    assert_constant(&spec, "new/deep/value", "[1,2]");
    assert_int_equal(spec.settings.num_to_keep, 1);
    assert_int_equal(spec.value_count, 2);
    assert_true(spec.settings.stops[0].bound == 0.5);
    assert_string_equal(spec.name, "other");
    assert_domain(&param(&spec, "lr")->initial, PBT_DOMAIN_UNIFORM, 0, 2, 0);
    pbt_spec_done(&spec);

    /* A file need not say anything. */
    char i[] = "command=[x, 'y=z']";
    char j[] = "scheduler.type=fifo";
    char *few[] = {i, j};
    parse_over(&spec, "", few, 2);
    assert_string_equal(spec.command[1], "y=z");
    pbt_spec_done(&spec);
}

static void test_json_file(void **state)
{
    (void)state;
    static const char text[] =
        "{\"command\": [\"a\\/b\", \"\\ud83d\\ude00\"], \"num_samples\": 2,\n"
        " \"config\": {\"x\": [1, {\"y\": null}], \"z\": 1e-4, \"e\": {}},\n"
        " \"scheduler\": {\"type\": \"fifo\"}, \"seed\": 7}\n";
    struct pbt_spec spec;
    assert_int_equal(
        parse_full(&spec, text, strlen(text), "file.json", NULL, 0, NULL),
        PBT_OK);
    assert_string_equal(spec.name, "file");
    assert_string_equal(spec.command[0], "/a/b");
    assert_string_equal(spec.command[1], "\xf0\x9f\x98\x80");
    assert_constant(&spec, "x", "[1,{\"y\":null}]");
    assert_constant(&spec, "z", "0.0001");
    assert_constant(&spec, "e", "{}");
    assert_true(spec.settings.seed == 7);
    pbt_spec_done(&spec);
}

static void test_read_file(void **state)
{
    (void)state;
    char path[] = "/tmp/pbt-spec-XXXXXX";
    char file[64];
    struct pbt_spec spec;
    struct pbt_error error;
    struct pbt_buf problems;
    pbt_buf_init(&problems, TEXT_MAX);
    assert_non_null(mkdtemp(path));
    (void)snprintf(file, sizeof file, "%s/exp-1.yaml", path);
    assert_int_equal(pbt_spec_read(&spec, file, NULL, 0, &problems, &error),
                     PBT_ENOINPUT);
    assert_int_equal(pbt_spec_read(&spec, path, NULL, 0, &problems, &error),
                     PBT_ENOINPUT);
    FILE *out = fopen(file, "wb");
    assert_non_null(out);
    (void)fputs("command: bin/train\nscheduler: {type: fifo}\n", out);
    (void)fclose(out);
    assert_int_equal(pbt_spec_read(&spec, file, NULL, 0, &problems, &error),
                     PBT_OK);
    assert_string_equal(spec.name, "exp-1");
    (void)snprintf(file, sizeof file, "%s/bin/train", spec.command_dir);
    assert_string_equal(spec.command[0], file);
    pbt_spec_done(&spec);

    /* One byte more than may be. */
    (void)snprintf(file, sizeof file, "%s/exp-1.yaml", path);
    out = fopen(file, "wb");
    assert_non_null(out);
    for (int i = 0; i < 1024 * 1024 + 1; i++) {
        (void)fputc('#', out);
    }
    (void)fclose(out);
    assert_int_equal(pbt_spec_read(&spec, file, NULL, 0, &problems, &error),
                     PBT_ECONFIG);
    assert_non_null(strstr(error.text, "larger than 1 MiB"));
    (void)unlink(file);
    (void)rmdir(path);
    pbt_buf_done(&problems);
}

/* --- writing ----------------------------------------------------------- */

static void assert_same_domain(const struct pbt_spec *a,
                               const struct pbt_domain *x,
                               const struct pbt_spec *b,
                               const struct pbt_domain *y)
{
    assert_domain(y, x->kind, x->lower, x->upper, x->quantum);
    assert_int_equal(x->choice_count, y->choice_count);
    assert_int_equal(x->stride, y->stride);
    for (uint32_t i = 0; i < x->choice_count; i++) {
        assert_int_equal(x->choices[i].type, y->choices[i].type);
        if (x->choices[i].type == PBT_CELL_TEXT) {
            assert_string_equal(pbt_texts_get(&a->texts, x->choices[i].text),
                                pbt_texts_get(&b->texts, y->choices[i].text));
        } else {
            assert_true(pbt_cell_same(x->choices[i], y->choices[i]));
        }
    }
}

/* Reads what was written, compares all that has a meaning, writes that again. */
static void check_round_trip(const struct pbt_spec *spec)
{
    struct pbt_spec again;
    struct pbt_buf first;
    struct pbt_buf second;
    write_spec(spec, &first);
    parse(&again, first.data);
    write_spec(&again, &second);
    assert_string_equal(first.data, second.data);
    assert_true(again.warnings.data == NULL || spec->warnings.data != NULL);
    const struct pbt_space *x = &spec->settings.space;
    const struct pbt_space *y = &again.settings.space;
    assert_int_equal(x->count, y->count);
    for (uint32_t i = 0; i < x->count; i++) {
        assert_string_equal(x->params[i].name, y->params[i].name);
        assert_int_equal(x->params[i].mutation, y->params[i].mutation);
        assert_int_equal(x->params[i].log_scale, y->params[i].log_scale);
        assert_int_equal(x->params[i].factor_count, y->params[i].factor_count);
        assert_int_equal(spec->order[i], again.order[i]);
        assert_same_domain(spec, &x->params[i].initial, &again,
                           &y->params[i].initial);
        assert_same_domain(spec, &x->params[i].mutations, &again,
                           &y->params[i].mutations);
    }
    assert_true(spec->settings.seed == again.settings.seed);
    assert_int_equal(spec->settings.population, again.settings.population);
    assert_true(spec->settings.time_budget_ns == again.settings.time_budget_ns);
    assert_int_equal(spec->settings.stop_count, again.settings.stop_count);
    pbt_spec_done(&again);
    pbt_buf_done(&first);
    pbt_buf_done(&second);
}

static void test_round_trip(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec, good);
    check_round_trip(&spec);
    check_rim(&spec);
    pbt_spec_done(&spec);
    parse(&spec, minimal);
    check_round_trip(&spec);
    pbt_spec_done(&spec);
    parse(&spec, "command: x\ntime_budget_s: 123456789.4\nscheduler: {type: "
                 "fifo}\nmode: min\nconfig: {'null': {choice: [\"\\u0085\", "
                 "\"\\ufeff\", '-', '.5', off]}, '1': {'true': -0.0}}\n");
    check_round_trip(&spec);
    pbt_spec_done(&spec);
}

/* Trial `number`'s first configuration. */
static void assert_first(const struct pbt_spec *spec, uint32_t number,
                         const char *json)
{
    struct pbt_cell cells[8];
    struct pbt_buf out;
    struct pbt_draw_key key = {
        .seed = 5, .trial = number, .purpose = PBT_DRAW_INITIAL};
    assert_true(spec->settings.space.count <= 8);
    pbt_space_initial(&spec->settings.space, &key, cells);
    pbt_buf_init(&out, TEXT_MAX);
    pbt_spec_config_json(spec, cells, &out);
    assert_string_equal(out.data, json);
    pbt_buf_done(&out);
}

/*
 * Ray's order: the first of the sorted paths changes from trial to trial, and ("a", "z") comes
 * before ("a-b",).  All of it num_samples times.
 */
static void test_grid(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec, "command: x\nnum_samples: 2\nscheduler: {type: fifo}\n"
                 "config: {b: {grid_search: [[1], null]}, a-b: {grid_search: "
                 "[x, y, z]}, a: {z: {grid_search: [1, 2.0]}}}\n");
    assert_int_equal(spec.settings.population, 24);
    assert_first(&spec, 0, "{\"b\":[1],\"a-b\":\"x\",\"a\":{\"z\":1}}");
    assert_first(&spec, 1, "{\"b\":[1],\"a-b\":\"x\",\"a\":{\"z\":2.0}}");
    assert_first(&spec, 2, "{\"b\":[1],\"a-b\":\"y\",\"a\":{\"z\":1}}");
    assert_first(&spec, 6, "{\"b\":null,\"a-b\":\"x\",\"a\":{\"z\":1}}");
    assert_first(&spec, 11, "{\"b\":null,\"a-b\":\"z\",\"a\":{\"z\":2.0}}");
    assert_first(&spec, 12, "{\"b\":[1],\"a-b\":\"x\",\"a\":{\"z\":1}}");
    check_round_trip(&spec);
    pbt_spec_done(&spec);
}

/* Others draw as if there were none; a mutation of the same name explores from it. */
static void test_grid_beside_others(void **state)
{
    (void)state;
    static const double values[] = {0.1, 0.2, 0.3};
    struct pbt_spec with;
    struct pbt_spec without;
    const char *rest = "command: x\nnum_samples: 4\nmetric: m\nmode: min\n"
                       "points_to_evaluate: [{}, {lr: 0.5}]\n"
                       "scheduler: {perturbation_interval: 1, "
                       "hyperparam_mutations: {lr: {uniform: [0, 1]}}}\n";
    char text[512];
    (void)snprintf(text, sizeof text, "%s%s", rest,
                   "config: {lr: {grid_search: [0.1, 0.2, 0.3]}, "
                   "m: {loguniform: [0.001, 1]}}\n");
    parse(&with, text);
    (void)snprintf(text, sizeof text, "%s%s", rest,
                   "config: {lr: 0.1, m: {loguniform: [0.001, 1]}}\n");
    parse(&without, text);
    assert_int_equal(with.settings.population, 12);
    assert_int_equal(with.settings.point_count, 2);
    assert_int_equal(with.settings.space.params[0].mutation,
                     PBT_MUTATION_DOMAIN);
    for (uint32_t i = 0; i < 12; i++) {
        struct pbt_cell a[2];
        struct pbt_cell b[2];
        struct pbt_draw_key key = {
            .seed = 5, .trial = i, .purpose = PBT_DRAW_INITIAL};
        pbt_space_initial(&with.settings.space, &key, a);
        pbt_space_initial(&without.settings.space, &key, b);
        assert_true(pbt_cell_same(a[1], b[1]));
        assert_true(a[0].u.r == values[i % 3]);
    }
    check_round_trip(&with);
    pbt_spec_done(&with);
    pbt_spec_done(&without);
}

static void test_moves(void **state)
{
    (void)state;
    struct pbt_spec spec;
    parse(&spec,
          "command: x\nmetric: m\nmode: min\nnum_samples: 2\n"
          "scheduler:\n  perturbation_interval: 1\n"
          "  hyperparam_mutations:\n"
          "    a: {scale: log, loguniform: [1e-5, 1], factors: [2, 0.5, "
          "1e-3]}\n"
          "    b: {randint: [1, 9], scale: linear}\n"
          "    n: {factors: [1, 2], scale: {randn: [], factors: [3]}}\n");
    const struct pbt_param *params = spec.settings.space.params;
    assert_int_equal(spec.settings.space.count, 4);
    assert_domain(&params[0].mutations, PBT_DOMAIN_LOGUNIFORM, 1e-5, 1, 0);
    assert_int_equal(params[0].factor_count, 3);
    assert_true(params[0].factors[2] == 1e-3);
    assert_true(params[0].log_scale);
    assert_int_equal(params[1].factor_count, 0);
    assert_false(params[1].log_scale);
    assert_string_equal(params[2].name, "n/factors");
    assert_int_equal(params[2].mutation, PBT_MUTATION_LIST);
    assert_string_equal(params[3].name, "n/scale");
    assert_int_equal(params[3].factor_count, 1);
    assert_false(params[3].log_scale);
    check_round_trip(&spec);
    pbt_spec_done(&spec);
    struct pbt_error error;
    const char *wrong = "command: x\nscheduler: {type: fifo, "
                        "hyperparam_mutations: {a: {uniform: [1, 2], scale: "
                        "ln}}}\n";
    assert_int_equal(pbt_spec_parse(&spec, wrong, strlen(wrong), "x.yaml", NULL,
                                    NULL, 0, NULL, &error),
                     PBT_ECONFIG);
    assert_non_null(strstr(error.text, "`scale` has to be `linear` or `log`"));
}

static void test_function(void **state)
{
    (void)state;
    static const char *const given[] = {"other", "my lr", NULL};
    struct pbt_spec spec;
    struct pbt_error error;
    parse(&spec, "command: x\nmetric: m\nmode: min\nnum_samples: 2\n"
                 "config: {a: {function: my lr}}\nscheduler: "
                 "{perturbation_interval: 1, hyperparam_mutations: {net: {b: "
                 "{function: 'my lr'}}}}\n");
    const struct pbt_param *params = spec.settings.space.params;
    assert_int_equal(params[0].initial.kind, PBT_DOMAIN_FUNCTION);
    assert_string_equal(params[0].initial.function, "my lr");
    assert_int_equal(params[1].mutation, PBT_MUTATION_DOMAIN);
    assert_int_equal(params[1].mutations.kind, PBT_DOMAIN_FUNCTION);
    check_round_trip(&spec);
    assert_int_equal(pbt_spec_finish(&spec, &error), PBT_ECONFIG);
    assert_non_null(strstr(error.text, "`my lr`"));
    spec.functions = given + 2;
    assert_int_equal(pbt_spec_finish(&spec, &error), PBT_ECONFIG);
    spec.functions = given;
    assert_int_equal(pbt_spec_finish(&spec, &error), PBT_OK);

    /* null stands for what it has not said yet, in journals, and only there. */
    struct pbt_cell cells[2];
    static const char open[] = "{\"a\":null,\"net\":{\"b\":2}}";
    assert_int_equal(
        pbt_spec_config_read(&spec, open, sizeof open - 1, cells, &error),
        PBT_OK);
    assert_int_equal(cells[0].type, PBT_CELL_NONE);
    struct pbt_buf out;
    pbt_buf_init(&out, 1000);
    pbt_spec_config_json(&spec, cells, &out);
    assert_string_equal(out.data, open);
    pbt_buf_done(&out);
    pbt_spec_done(&spec);

    /* A point may give what a function might: anything but that. */
    parse(&spec, "command: x\nscheduler: {type: fifo}\nconfig: {a: {function: "
                 "f}}\npoints_to_evaluate: [{a: text}]\n");
    assert_int_equal(spec.settings.points[0].type, PBT_CELL_TEXT);
    check_round_trip(&spec);
    pbt_spec_done(&spec);
    const char *wrong = "command: x\nscheduler: {type: fifo}\nconfig: {a: "
                        "{function: f}}\npoints_to_evaluate: [{a: null}]\n";
    assert_int_equal(pbt_spec_parse(&spec, wrong, strlen(wrong), "x.yaml", NULL,
                                    NULL, 0, NULL, &error),
                     PBT_ECONFIG);
    assert_non_null(strstr(error.text, "comes from a function"));
}

static void test_written_text(void **state)
{
    (void)state;
    struct pbt_spec spec;
    struct pbt_buf out;
    parse(&spec, "command: [bin/x, y z]\nmetric: m\nmode: min\nseed: 3\n"
                 "num_samples: 2\nstop: {m: 1, k: 2}\n"
                 "config: {a: {b: 1}, c: x}\n"
                 "scheduler: {perturbation_interval: 5, hyperparam_mutations: "
                 "{z: [1], a: {d: {randn: [0, 1]}, b: [2]}}}\n");
    write_spec(&spec, &out);
    assert_string_equal(
        out.data,
        "# The experiment as it runs: defaults filled in, overrides applied.\n"
        "name: good\ncommand: [/bin/x, \"y z\"]\ntrainable: worker\n"
        "templates: {}\nstateless: false\ncwd: null\nenv: {}\n"
        "num_samples: 2\nmetric: m\nmode: min\nstop: {m: 1, k: 2}\n"
        "stop_all: {}\ntime_budget_s: 0\nmax_concurrent: 0\n"
        "config:\n  a:\n    b: 1\n"
        "  c: \"x\"\npoints_to_evaluate: []\nstart_checkpoint: null\n"
        "scheduler:\n  type: pbt\n"
        "  time_attr: training_iteration\n  perturbation_interval: 5\n"
        "  burn_in_period: 0\n  hyperparam_mutations:\n    z: [1]\n    a:\n"
        "      d: {randn: [0, 1]}\n      b: [2]\n  quantile_fraction: 0.25\n"
        "  resample_probability: 0.25\n  perturbation_factors: [1.2, 0.8]\n"
        "  out_of_range: clip\n  log_config: true\n  require_attrs: true\n"
        "  synch: false\n  schedule: []\n"
        "  custom_explore: null\n  donors: current\n  exploit: truncation\n"
        "  t_test_scores: 10\n  t_test_level: 0.05\n  exploit_gap: 0\n"
        "  exploit_gap_relative: 0\n  exploit_gap_sd: 0\n"
        "  exploit_copies: both\n"
        "resources:\n  cpu: 0\n  gpu: 0\n  memory: 0\n"
        "resources_per_trial:\n  cpu: 1\n  gpu: 0\n  memory: 0\n  tasks: 1\n"
        "checkpoint:\n"
        "  frequency: 0\n  at_end: false\n  num_to_keep: 1\n"
        "  score_attribute: null\n  score_order: max\n  max_bytes: 0\n"
        "failure:\n"
        "  max_failures: 0\n  backoff_s: 1\n  fail_fast: false\n  replace: 0\n"
        "timeouts:\n  setup: 0\n  step: 0\n  save: 1800\n  "
        "explore: 60\n"
        "table:\n  metric_columns: null\n"
        "  parameter_columns: null\n  max_progress_rows: 20\ngrace: "
        "10\nreuse_workers: true\nseed: 3\ndurability: process\n");
    pbt_buf_done(&out);
    pbt_spec_done(&spec);
}

/* --- configurations as JSON ------------------------------------------- */

static void test_config_json(void **state)
{
    (void)state;
    struct pbt_spec spec;
    struct pbt_cell cells[64];
    struct pbt_cell back[64];
    struct pbt_buf out;
    struct pbt_buf again;
    struct pbt_error error;
    struct pbt_draw_key key = {.seed = 5, .purpose = PBT_DRAW_INITIAL};
    parse(&spec, good);
    assert_true(spec.settings.space.count <= 64);
    pbt_space_initial(&spec.settings.space, &key, cells);
    pbt_buf_init(&out, TEXT_MAX);
    pbt_buf_init(&again, TEXT_MAX);
    pbt_spec_config_json(&spec, cells, &out);
    json_t *root = json_loads(out.data, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(root);
    /* net: layers act none deep width: one object, though the table has them apart. */
    assert_int_equal(json_object_size(json_object_get(root, "net")), 5);
    json_decref(root);
    assert_int_equal(
        pbt_spec_config_read(&spec, out.data, out.length, back, &error),
        PBT_OK);
    for (uint32_t i = 0; i < spec.settings.space.count; i++) {
        assert_true(pbt_cell_same(cells[i], back[i]));
    }
    pbt_spec_config_json(&spec, back, &again);
    assert_string_equal(out.data, again.data);
    pbt_buf_done(&out);
    pbt_buf_done(&again);
    pbt_spec_done(&spec);
}

static void test_config_read_errors(void **state)
{
    (void)state;
    static const struct {
        const char *json;
        const char *message; /* NULL: right */
    } cases[] = {
        {"{\"a\":{\"b\":1,\"d\":{\"e\":2}},\"c\":{\"x\":[1]}}", NULL},
        {"{\"c\":null,\"a\":{\"d\":{\"e\":\"new\"},\"b\":1.5}}", NULL},
        {"{\"a\":{\"b\":1,\"d\":{\"e\":2}}}", "\"c\" is missing"},
        {"{\"a\":{\"b\":1,\"d\":3},\"c\":1}", "\"a/d/e\" is missing"},
        {"{\"a\":{\"b\":1,\"d\":{\"e\":2,\"f\":3}},\"c\":1}",
         "unknown hyperparameter \"a/d/f\""},
        {"{\"a\":{\"b\":1,\"d\":{\"e\":2}},\"c\":1,\"z\":{}}",
         "unknown hyperparameter \"z\""},
        {"{\"a\":{\"b\":1,\"d\":{\"e\":2}},\"c\":1,\"a/b\":2}",
         "unknown hyperparameter \"a/b\""},
        {"{\"a\":{\"b\":1,\"d\":{\"e\":2}},\"c\":1,\"c\":1}", "duplicate"},
        {"[1]", "not a JSON object"},
        {"{", "wrong JSON"},
        {"", "wrong JSON"},
    };
    struct pbt_spec spec;
    struct pbt_cell cells[3];
    struct pbt_error error;
    parse(&spec, "command: x\nconfig: {a: {b: 1, d: {e: 2}}, c: 3}\n"
                 "scheduler: {type: fifo}\n");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        int status = pbt_spec_config_read(&spec, cases[i].json,
                                          strlen(cases[i].json), cells, &error);
        if (cases[i].message == NULL) {
            assert_int_equal(status, PBT_OK);
        } else {
            assert_int_equal(status, PBT_EDATA);
            assert_non_null(strstr(error.text, cases[i].message));
        }
    }
    pbt_spec_done(&spec);
}

/* Numbers must not depend on where the user lives. */
static void test_locale(void **state)
{
    (void)state;
    struct pbt_spec spec;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL) {
        skip();
    }
    parse(&spec, good);
    assert_constant(&spec, "net/deep/er", "0.0001");
    check_round_trip(&spec);
    pbt_spec_done(&spec);
    (void)setlocale(LC_ALL, "C");
}

static void test_texts(void **state)
{
    (void)state;
    struct pbt_texts texts = {.items = NULL};
    char text[16];
    uint32_t handle;
    for (uint32_t i = 0; i < 2000; i++) {
        int length = snprintf(text, sizeof text, "%u", (unsigned)(i / 2));
        assert_int_equal(pbt_texts_add(&texts, text, (size_t)length, &handle),
                         PBT_OK);
        assert_int_equal(handle, i / 2);
        assert_string_equal(pbt_texts_get(&texts, handle), text);
    }
    /* A prefix is another text. */
    assert_int_equal(pbt_texts_add(&texts, "9990", 3, &handle), PBT_OK);
    assert_int_equal(handle, 999);
    assert_int_equal(pbt_texts_add(&texts, "", 0, &handle), PBT_OK);
    assert_int_equal(handle, 1000);
    assert_int_equal(texts.count, 1001);
    pbt_texts_done(&texts);
}

static void test_distance(void **state)
{
    (void)state;
    static const struct {
        const char *a;
        const char *b;
        size_t distance;
    } cases[] = {{"", "", 0},        {"", "abc", 3},
                 {"abc", "abc", 0},  {"abc", "acb", 1},
                 {"abc", "abd", 1},  {"abc", "ab", 1},
                 {"abc", "xabc", 1}, {"mode", "moed", 1},
                 {"ab", "ba", 1},    {"kitten", "sitting", 3}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(pbt_word_distance(cases[i].a, strlen(cases[i].a),
                                           cases[i].b, strlen(cases[i].b)),
                         cases[i].distance);
        assert_int_equal(pbt_word_distance(cases[i].b, strlen(cases[i].b),
                                           cases[i].a, strlen(cases[i].a)),
                         cases[i].distance);
    }
}

/* --- wrong files ------------------------------------------------------- */

/* The overrides that a file's first lines give. */
static size_t find_overrides(const char *text, char **overrides)
{
    size_t count = 0;
    while (strncmp(text, "#! ", 3) == 0 && count < OVERRIDES_MAX) {
        size_t length = strcspn(text, "\n");
        overrides[count] = calloc(1, length);
        assert_non_null(overrides[count]);
        memcpy(overrides[count++], text + 3, length - 3);
        text += length + 1;
    }
    return count;
}

static void check_golden(const char *path, const struct pbt_buf *problems)
{
    size_t length;
    if (getenv("PBT_UPDATE_GOLDEN") != NULL) {
        FILE *file = fopen(path, "wb");
        assert_non_null(file);
        (void)fwrite(problems->data, 1, problems->length, file);
        (void)fclose(file);
        return;
    }
    char *expected = read_all(path, &length);
    if (expected == NULL) {
        fail_msg("there is no %s: run with PBT_UPDATE_GOLDEN=1", path);
    }
    if (strcmp(expected, problems->data) != 0) {
        print_error("%s:\n--- expected\n%s--- found\n%s", path, expected,
                    problems->data);
    }
    assert_string_equal(expected, problems->data);
    free(expected);
}

static void check_broken(const char *dir, const char *name)
{
    char path[4096];
    char *overrides[OVERRIDES_MAX];
    struct pbt_spec spec;
    struct pbt_buf problems;
    size_t length;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    char *text = read_all(path, &length);
    assert_non_null(text);
    size_t count = find_overrides(text, overrides);
    pbt_buf_init(&problems, TEXT_MAX);
    int status =
        parse_full(&spec, text, length, name, overrides, count, &problems);
    if (status != PBT_ECONFIG) {
        fail_msg("%s is not refused", name);
    }
    (void)snprintf(path, sizeof path, "%s/%s.expected", dir, name);
    check_golden(path, &problems);
    for (size_t i = 0; i < count; i++) {
        free(overrides[i]);
    }
    free(text);
    pbt_buf_done(&problems);
}

static void test_broken(void **state)
{
    (void)state;
    static const char dir_name[] = PBT_SOURCE_DIR "/tests/spec/broken";
    DIR *dir = opendir(dir_name);
    assert_non_null(dir);
    size_t count = 0;
    for (struct dirent *entry = readdir(dir); entry != NULL;
         entry = readdir(dir)) {
        const char *dot = strrchr(entry->d_name, '.');
        if (dot != NULL &&
            (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".json") == 0)) {
            check_broken(dir_name, entry->d_name);
            count++;
        }
    }
    (void)closedir(dir);
    assert_true(count >= 100);
}

/* --- anything at all --------------------------------------------------- */

static size_t mutate(char *text, size_t length, struct pbt_draw_key *key)
{
    static const char bytes[] = "\n\t :-[]{},'\"|>&*!%#?\\0a\xc3\xff";
    uint64_t edits = 1 + pbt_draw_below(key, 6);
    for (uint64_t i = 0; i < edits && length > 2; i++) {
        size_t at = pbt_draw_below(key, length);
        size_t run = 1 + pbt_draw_below(key, 12);
        run = run < length - at ? run : length - at;
        size_t from = pbt_draw_below(key, length - run + 1);
        switch (pbt_draw_below(key, 4)) {
        case 0: /* another byte */
            text[at] = bytes[pbt_draw_below(key, sizeof bytes)];
            break;
        case 1: /* a piece less */
            memmove(text + at, text + at + run, length - at - run);
            length -= run;
            break;
        case 2: /* a piece over another */
            memmove(text + at, text + from, run);
            break;
        default: /* an end */
            length = pbt_draw_below(key, 20) == 0 ? at : length;
            break;
        }
    }
    return length;
}

static void test_mutations(void **state)
{
    (void)state;
    const char *given = getenv("PBT_TEST_SEED");
    uint64_t seed =
        given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    struct pbt_draw_key key = {.seed = seed, .purpose = PBT_DRAW_TEST};
    char text[sizeof good];
    print_message("PBT_TEST_SEED=%" PRIu64 "\n", seed);
    for (uint32_t i = 0; i < 3000; i++) {
        struct pbt_spec spec;
        struct pbt_buf problems;
        key.trial = i;
        key.index = 0;
        pbt_buf_init(&problems, TEXT_MAX);
        memcpy(text, good, sizeof good);
        size_t length = mutate(text, sizeof good - 1, &key);
        const char *label = i % 8 == 0 ? "x.json" : "x.yaml";
        int status = parse_full(&spec, text, length, label, NULL, 0, &problems);
        if (status == PBT_OK) {
            check_round_trip(&spec);
            pbt_spec_done(&spec);
        } else {
            assert_int_equal(status, PBT_ECONFIG);
            assert_true(problems.length > 0);
        }
        pbt_buf_done(&problems);
    }
}

/* --- scheduler.policy -------------------------------------------------- */

/* The policy file of a replay lies on the file's `config`, and later overrides on it. */
static void test_policy(void **state)
{
    static const char text[] =
        "command: [train]\n"
        "config: {lr: {uniform: [0, 1]}, net: {act: relu, depth: 2}, more: 3,\n"
        "         batch: 16}\n"
        "scheduler: {type: replay}\n";
    char path[] = "/tmp/pbt-policy-XXXXXX";
    char policy[64];
    char lr[] = "config.lr=0.75";
    char deep[] = "config.net.depth=5";
    char *overrides[] = {deep, policy, lr};
    struct pbt_spec spec;
    struct pbt_buf problems;
    struct pbt_buf config;
    (void)state;
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");
    assert_non_null(file);
    (void)fputs("\n[\"0\", \"1\", 5, 4, {\"lr\": 0.5, \"net\": {\"depth\": 3}, "
                "\"batch\": 32}, {\"lr\": 0.25, \"net\": {\"depth\": 4}, "
                "\"batch\": 64}]\n",
                file);
    assert_int_equal(fclose(file), 0);
    (void)snprintf(policy, sizeof policy, "scheduler.policy=%s", path);
    pbt_buf_init(&problems, TEXT_MAX);
    pbt_buf_init(&config, TEXT_MAX);
    assert_int_equal(parse_full(&spec, text, strlen(text), "r.yaml", overrides,
                                3, &problems),
                     PBT_OK);
    struct pbt_cell cells[8];
    assert_int_equal(spec.settings.space.count, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(spec.settings.space.params[i].initial.kind,
                         PBT_DOMAIN_CONSTANT);
        cells[i] = spec.settings.space.params[i].initial.choices[0];
    }
    pbt_spec_config_json(&spec, cells, &config);
    assert_string_equal(config.data, "{\"lr\":0.75,\"net\":{\"act\":\"relu\","
                                     "\"depth\":3},\"more\":3,\"batch\":32}");
    assert_int_equal(spec.settings.schedule_count, 1);
    assert_int_equal(spec.settings.schedule[0].iteration, 4);
    pbt_buf_reset(&config);
    pbt_spec_point_json(&spec, spec.settings.schedule[0].cells, &config);
    assert_string_equal(config.data,
                        "{\"lr\":0.25,\"net\":{\"depth\":4},\"batch\":64}");
    assert_non_null(strstr(spec.warnings.data, "W0109"));
    assert_non_null(strstr(spec.warnings.data, ":1: skipped: a blank line"));
    /* What is written holds the schedule itself. */
    struct pbt_buf written;
    struct pbt_error error;
    pbt_buf_init(&written, TEXT_MAX);
    assert_int_equal(pbt_spec_write(&spec, &written, &error), PBT_OK);
    assert_null(strstr(written.data, path));
    assert_int_equal(unlink(path), 0);
    pbt_spec_done(&spec);
    parse(&spec, written.data);
    assert_int_equal(spec.settings.schedule_count, 1);
    pbt_spec_done(&spec);
    pbt_buf_done(&written);
    pbt_buf_done(&config);
    pbt_buf_done(&problems);
}

/* --- the documentation ------------------------------------------------ */

static void test_documented(void **state)
{
    (void)state;
    size_t length;
    char *text = read_all(PBT_SOURCE_DIR "/docs/experiment-file.md", &length);
    assert_non_null(text);
    for (size_t i = 0; i < PBT_KEY_COUNT; i++) {
        char part[160];
        const struct pbt_key *key = &pbt_keys[i];
        assert_non_null(key->path);
        assert_non_null(key->doc);
        (void)snprintf(part, sizeof part, "| `%s` |", key->path);
        if (key->type == PBT_TYPE_SECTION && strstr(text, part) == NULL) {
            (void)snprintf(part, sizeof part, "## `%s`", key->path);
        }
        const char *row = strstr(text, part);
        if (row == NULL) {
            fail_msg("docs/experiment-file.md does not have %s", part);
        }
        (void)snprintf(part, sizeof part, "| `%s` |",
                       key->fallback != NULL ? key->fallback : "");
        const char *found = strstr(row, part);
        if (key->fallback != NULL &&
            (found == NULL || found > strchr(row, '\n'))) {
            fail_msg("docs/experiment-file.md: `%s` without its default %s",
                     key->path, part);
        }
    }
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_what_is_kept),
        cmocka_unit_test(test_stops),
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_table_order),
        cmocka_unit_test(test_yaml_words),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_warnings_on_constants),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_points_among_choices),
        cmocka_unit_test(test_warnings_on_points),
        cmocka_unit_test(test_warnings_on_names),
        cmocka_unit_test(test_warnings_on_placeholders),
        cmocka_unit_test(test_finish),
        cmocka_unit_test(test_overrides),
        cmocka_unit_test(test_json_file),
        cmocka_unit_test(test_read_file),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_moves),
        cmocka_unit_test(test_grid_beside_others),
        cmocka_unit_test(test_function),
        cmocka_unit_test(test_written_text),
        cmocka_unit_test(test_config_json),
        cmocka_unit_test(test_config_read_errors),
        cmocka_unit_test(test_locale),
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_distance),
        cmocka_unit_test(test_broken),
        cmocka_unit_test(test_mutations),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_documented),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
