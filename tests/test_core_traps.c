/*
 * What goes wrong elsewhere, as stories that go right here: of the table "Bugs of others" in
 * docs/scheduler.md those that no other test tells.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/core.h"
#include "trace.h"

/* Ray (PR 28509) and Katib gave the donor's hyperparameters to the loser's own weights. */
static void a_loser_loads_its_donor_though_its_own_is_newer(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=5 score=8\n"
             ". saved 0\n"
             ". result 0 it=10 score=8\n"
             ". saved 0\n"
             ". result 1 it=5 score=9\n"
             ". saved 1\n"
             "result 0 it=15 score=1\n"
             "  point 0\n"
             "  exploit 0 (1.3) from 1/1 at 5, 1 < 9\n"
             "owed 0\n"
             "  load 0 1/1\n"
             "exited 0\n"
             "  exit 0: retry\n"
             "  start 0 (1.4) from 1/1 at 5\n");
}

/* Katib perturbs all; Ray 53831: good trials fell back to checkpoints of before. */
static void who_survives_keeps_its_weights_and_hyperparameters(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    struct trace *trace = trace_begin(&s);
    const struct pbt_core *core = trace_core(trace);
    double x[4];
    trace_tell(trace, ". open 4\n"
                      ". ready 0-3\n");
    for (uint32_t i = 0; i < 4; i++) {
        x[i] = pbt_core_trial(core, i).cells[0].u.r;
    }
    trace_tell(trace, ". result 0 it=5 score=1\n"
                      ". saved 0\n"
                      ". result 1 it=5 score=7\n"
                      ". saved 1\n"
                      ". result 2 it=5 score=8\n"
                      ". saved 2\n"
                      ". result 3 it=5 score=9\n"
                      ". saved 3\n"
                      "result 2 it=10 score=8.5\n"
                      "  point 2\n"
                      "  save 2/2\n"
                      "result 3 it=10 score=6\n" /* a dip */
                      "  point 3\n"
                      "  save 3/2\n"
                      "saved 2; saved 3\n"
                      "result 0 it=10 score=2\n"
                      "  point 0\n"
                      "  exploit 0 (1.5) from 2/2 at 10, 2 < 8.5\n"
                      "owed 2\n"
                      "  run 2 until 15\n"
                      "owed 3\n"
                      "  run 3 until 15\n");
    for (uint32_t i = 2; i < 4; i++) {
        assert_true(pbt_core_trial(core, i).cells[0].u.r == x[i]);
        assert_int_equal(pbt_core_trial(core, i).iteration, 10);
    }
    assert_true(pbt_core_trial(core, 0).cells[0].u.r != x[0]);
    trace_end(trace);
}

/* Syne Tune: the copy's clock began at 0, so that it was judged at its first report. */
static void a_copy_is_not_judged_before_a_whole_interval(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=17 score=2 halted\n"
             ". saved 1\n"
             ". result 0 it=5 score=1\n"
             ". ready 0\n"
             "owed 0\n"
             "  run 0 until 22\n"
             "result 0 it=18 score=0 running\n"
             "result 0 it=21 score=0 running\n"
             "result 0 it=22 score=0\n"
             "  point 0\n"
             "  exploit 0 (1.4) from 1/1 at 17, 0 < 2\n");
}

/* NNI: a trial that had crashed was to load a checkpoint that it had never written. */
static void
who_crashes_before_its_save_gives_nothing_and_begins_anew(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 1 it=5 score=9\n"
             "  point 1\n"
             "  save 1/1\n"
             "exited 1\n"
             "  exit 1: retry\n"
             "  start 1 (1.3)\n"
             "look 1\n"
             "  RUNNING it=0 score=- pair=none exploits=0 failures=1 x=0.3718\n"
             "result 0 it=5 score=1\n"
             "  point 0\n"
             "  save 0/1\n"
             "owed 1\n"
             "  start 1\n");
}

/* Ray 7356 and 11499: trials trained beyond the iteration of `stop`, or for ever. */
static void training_ends_where_stop_says(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 7};
    s.stop_count = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "owed 0\n"
             "  run 0 until 5\n"
             ". result 0 it=5 score=1\n"
             ". saved 0\n"
             "owed 0\n"
             "  run 0 until 7\n"
             "result 0 it=7 score=1\n"
             "  stop 0\n"
             "  leave 0: terminate\n"
             "exited 0\n"
             "  exit 0: terminate\n");
}

/* Syne Tune stores the size of the population, and never looks at it. */
static void there_are_as_many_trials_as_the_population_says(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    play(&s, "open 8\n"
             "  trial 0 x=0.548\n"
             "  trial 1 x=0.3718\n"
             "  trial 2 x=0.7606\n"
             "  start 0 (1.1)\n"
             "  start 1 (1.2)\n"
             "  start 2 (1.3)\n"
             "ready 0-2\n");
}

/* Ray 8441, 9036: the donor had its checkpoint deleted under the loser that was to load it. */
static void what_a_loser_is_about_to_load_outlives_its_donor(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.num_to_keep = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=9\n"
             ". saved 1; durable 1/1\n"
             "result 0 it=5 score=1\n"
             "  point 0\n"
             "  exploit 0 (1.3) from 1/1 at 5, 1 < 9\n"
             ". result 1 it=10 score=9\n"
             ". saved 1; durable 1/2\n"
             ". result 1 it=15 score=9\n"
             ". saved 1; durable 1/3\n"
             ". result 1 it=20 score=9\n"
             ". saved 1; durable 1/4\n"
             "stop 1\n"
             "exited 1\n"
             "  exit 1: terminate\n"
             "  delete 1/2\n"
             "  delete 1/3\n"
             "checkpoints 1\n"
             "  1/1 at 5, pins 2, durable\n"
             "  1/4 at 20, pins 2, durable\n"
             "owed 0\n"
             "  load 0 1/1\n");
}

/* Ray 12717: quniform(0, 0.9, 0.1) gave 1.08. */
static void a_quniform_of_tenths_stays_below_its_bound(void **state)
{
    (void)state;
    struct pbt_param param = {.name = "momentum",
                              .mutation = PBT_MUTATION_DOMAIN,
                              .mutations = {.kind = PBT_DOMAIN_QUNIFORM,
                                            .lower = 0,
                                            .upper = 0.9,
                                            .quantum = 0.1}};
    struct pbt_space space = {&param, 1};
    static const double factors[] = {1.2, 0.8};
    struct pbt_explore rules = {.resample_probability = 0.25,
                                .factors = factors,
                                .factor_count = 2,
                                .out_of_range = PBT_RANGE_CLIP};
    struct pbt_cell cell = pbt_cell_real(0.9);
    bool reached[10] = {false};
    for (uint64_t n = 0; n < 10000; n++) {
        struct pbt_draw_key key = {
            .seed = 1, .iteration = n, .purpose = PBT_DRAW_TEST};
        struct pbt_cell old = cell;
        pbt_space_explore(&space, &rules, &old, &key, &cell);
        double tenths = cell.u.r * 10;
        assert_true(cell.u.r >= 0 && cell.u.r <= 0.9);
        assert_true(fabs(tenths - round(tenths)) < 1e-9);
        reached[(size_t)round(tenths)] = true;
    }
    for (size_t i = 0; i < 10; i++) {
        assert_true(reached[i]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_loser_loads_its_donor_though_its_own_is_newer),
        cmocka_unit_test(who_survives_keeps_its_weights_and_hyperparameters),
        cmocka_unit_test(a_copy_is_not_judged_before_a_whole_interval),
        cmocka_unit_test(
            who_crashes_before_its_save_gives_nothing_and_begins_anew),
        cmocka_unit_test(training_ends_where_stop_says),
        cmocka_unit_test(there_are_as_many_trials_as_the_population_says),
        cmocka_unit_test(what_a_loser_is_about_to_load_outlives_its_donor),
        cmocka_unit_test(a_quniform_of_tenths_stays_below_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
