/*
 * The experiment file when it is right: what each key means, on the file's own, by overrides, as
 * JSON.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "spec/spec.h"

#include "spec_text.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),     cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_what_is_kept), cmocka_unit_test(test_stops),
        cmocka_unit_test(test_domains),      cmocka_unit_test(test_constants),
        cmocka_unit_test(test_table_order),  cmocka_unit_test(test_finish),
        cmocka_unit_test(test_overrides),    cmocka_unit_test(test_json_file),
        cmocka_unit_test(test_read_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
