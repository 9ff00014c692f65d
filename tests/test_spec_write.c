/*
 * From a specification back to text: an experiment file, and configurations as JSON.  What was
 * written reads as the same, also where the file was chance.
 */
#include <inttypes.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <jansson.h>

#include "base/draw.h"
#include "spec/schema.h"
#include "spec/spec.h"

#include "spec_text.h"

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
    char *text = malloc(good_length + 1);
    assert_non_null(text);
    print_message("PBT_TEST_SEED=%" PRIu64 "\n", seed);
    for (uint32_t i = 0; i < 3000; i++) {
        struct pbt_spec spec;
        struct pbt_buf problems;
        key.trial = i;
        key.index = 0;
        pbt_buf_init(&problems, TEXT_MAX);
        memcpy(text, good, good_length + 1);
        size_t length = mutate(text, good_length, &key);
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
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_mutations),
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
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
