/*
 * What is said of experiment files that are right and may not be what was meant.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "spec/spec.h"

#include "spec_text.h"

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
                 "'{other}']\ntrainable: worker\n"
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_yaml_words),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_warnings_on_constants),
        cmocka_unit_test(test_quotes),
        cmocka_unit_test(test_points_among_choices),
        cmocka_unit_test(test_warnings_on_points),
        cmocka_unit_test(test_warnings_on_names),
        cmocka_unit_test(test_warnings_on_placeholders),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
