/*
 * What is taken over, where it is not Ray's way: weights alone, hyperparameters alone.  How to
 * read these stories: trace.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace.h"

/* --- what an exploit copies ---------------------------------------------------- */

static void both_takes_the_donors_hyperparameters(void **state)
{
    (void)state;
    struct pbt_settings s = halving(2);
    play(&s,
         "open 2\n"
         "  trial 0 x=0.548\n"
         "  trial 1 x=0.3718\n"
         "  start 0 (1.1)\n"
         "  start 1 (1.2)\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=2\n"
         ". saved 1\n"
         "result 0 it=5 score=1\n"
         "  point 0\n"
         "  exploit 0 (1.3) from 1/1 at 5, 1 < 2\n"
         "look 0\n"
         "  RUNNING it=5 score=1 pair=none exploits=1 failures=0 x=0.1859\n");
}

static void weights_explores_ones_own_hyperparameters(void **state)
{
    (void)state;
    struct pbt_settings s = halving(2);
    s.copies = PBT_COPIES_WEIGHTS;
    play(&s,
         "open 2\n"
         "  trial 0 x=0.548\n"
         "  trial 1 x=0.3718\n"
         "  start 0 (1.1)\n"
         "  start 1 (1.2)\n"
         ". ready 0-1\n"
         ". result 1 it=7 score=2 halted\n"
         ". saved 1\n"
         "result 0 it=5 score=1\n"
         "  point 0\n"
         "  exploit 0 (1.3) from 1/1 at 7, 1 < 2\n"
         "owed 0\n"
         "  load 0 1/1\n"
         "look 0\n"
         "  RUNNING it=7 score=1 pair=none exploits=1 failures=0 x=0.274\n"
         "exited 0\n"
         "  exit 0: retry\n"
         "  start 0 (1.4) from 1/1 at 7\n"
         "look 0\n"
         "  RUNNING it=7 score=1 pair=none exploits=1 failures=1 x=0.274\n");
}

/* The width of a layer, say: its weights fit no other. */
static void what_is_never_explored_goes_along_with_the_weights(void **state)
{
    (void)state;
    struct pbt_param params[] = {
        {.name = "width",
         .initial = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1}},
        {.name = "x",
         .initial = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1},
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1}},
    };
    struct pbt_settings s = halving(2);
    s.space = (struct pbt_space){params, 2};
    s.copies = PBT_COPIES_WEIGHTS;
    struct trace *trace = trace_begin(&s);
    trace_tell(trace, ". open 2\n"
                      ". ready 0-1\n"
                      ". result 1 it=5 score=2\n"
                      ". saved 1\n");
    const struct pbt_core *core = trace_core(trace);
    double own = pbt_core_trial(core, 0).cells[1].u.r;
    double width = pbt_core_trial(core, 1).cells[0].u.r;
    trace_tell(trace, ". result 0 it=5 score=1\n");
    assert_true(pbt_core_trial(core, 0).cells[0].u.r == width);
    assert_true(pbt_core_trial(core, 0).cells[1].u.r == own / 2);
    trace_end(trace);
}

/* Nothing mutates, a function explores: all of it is the trial's own. */
static void with_a_function_alone_all_of_the_configuration_is_kept(void **state)
{
    (void)state;
    struct pbt_param params[] = {
        {.name = "x",
         .initial = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1}},
    };
    struct pbt_settings s = halving(2);
    s.space = (struct pbt_space){params, 1};
    s.custom_explore = true;
    s.copies = PBT_COPIES_WEIGHTS;
    struct trace *trace = trace_begin(&s);
    trace_tell(trace, ". open 2\n"
                      ". ready 0-1\n"
                      ". result 1 it=5 score=2\n"
                      ". saved 1\n"
                      "result 0 it=5 score=1\n"
                      "  point 0\n"
                      "  ask 0: from 1/1 at 5, 1 < 2\n");
    const struct pbt_core *core = trace_core(trace);
    struct pbt_command asked = pbt_core_owed(core, 0);
    assert_int_equal(asked.kind, PBT_COMMAND_ASK);
    assert_true(
        pbt_cell_same(asked.cells[0], pbt_core_trial(core, 0).cells[0]));
    assert_true(
        pbt_cell_same(asked.old_cells[0], pbt_core_trial(core, 1).cells[0]));
    trace_end(trace);
}

/* Of two that are equal the one with the higher number is above: the paper's toy. */
static void of_equal_scores_the_higher_number_is_copied(void **state)
{
    (void)state;
    struct pbt_settings s = halving(2);
    s.copies = PBT_COPIES_WEIGHTS;
    s.synch = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=5 score=1; result 1 it=5 score=1\n"
             "saved 0; saved 1\n"
             "  exploit 0 (1.3) from 1/1 at 5, 1 < 1\n"
             "  round to 10\n");
}

/* --- hyperparameters alone ------------------------------------------------------ */

static struct pbt_settings adopting(uint32_t population)
{
    struct pbt_settings settings = halving(population);
    settings.copies = PBT_COPIES_HYPERPARAMETERS;
    return settings;
}

/* It saves, and goes on from there with the donor's x, halved: at its own iteration. */
static void hyperparameters_keeps_weights_and_clocks(void **state)
{
    (void)state;
    struct pbt_settings s = adopting(2);
    play(&s, "open 2\n"
             "  trial 0 x=0.548\n"
             "  trial 1 x=0.3718\n"
             "  start 0 (1.1)\n"
             "  start 1 (1.2)\n"
             ". ready 0-1\n"
             ". result 1 it=7 t=70 score=2 halted\n"
             ". saved 1\n"
             "result 0 it=5 t=50 score=1\n"
             "  point 0\n"
             "  save 0/1, to adopt from 1\n"
             "owed 0\n"
             "  save 0 0/1\n"
             "saved 0\n"
             "  adopt 0 (1.3) on 0/1 from 1 at 7, 1 < 2\n"
             "owed 0\n"
             "  load 0 0/1\n"
             "look 0\n"
             "  RUNNING it=5 score=1 pair=none exploits=1 failures=0 x=0.1859\n"
             "ready 0\n"
             "owed 0\n"
             "  run 0 until 10\n"
             "exited 0\n"
             "  exit 0: retry\n"
             "  start 0 (1.4) from 0/1 at 5\n"
             "look 0\n"
             "  RUNNING it=5 score=1 pair=none exploits=1 failures=1 x=0.1859\n"
             "checkpoints 0\n"
             "  0/1 at 5, pins 1\n");
}

static void hyperparameters_in_a_fresh_process(void **state)
{
    (void)state;
    struct pbt_settings s = adopting(2);
    play(&s, ". open 2\n"
             "ready 0-1 no_reset\n"
             ". result 1 it=5 score=2\n"
             ". saved 1\n"
             ". result 0 it=5 score=1\n"
             "saved 0\n"
             "  adopt 0 (1.3) on 0/1 from 1 at 5, 1 < 2\n"
             "owed 0\n"
             "  stop 0\n"
             "exited 0\n"
             "  exit 0: respawn\n"
             "  start 0 (1.4) from 0/1 at 5\n");
}

/* What is never explored belongs to the weights: it stays with them. */
static void hyperparameters_leaves_what_is_never_explored(void **state)
{
    (void)state;
    struct pbt_param params[] = {
        {.name = "width",
         .initial = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1}},
        {.name = "x",
         .initial = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1},
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1}},
    };
    struct pbt_settings s = adopting(2);
    s.space = (struct pbt_space){params, 2};
    struct trace *trace = trace_begin(&s);
    trace_tell(trace, ". open 2\n"
                      ". ready 0-1\n"
                      ". result 1 it=5 score=2\n"
                      ". saved 1\n");
    const struct pbt_core *core = trace_core(trace);
    double width = pbt_core_trial(core, 0).cells[0].u.r;
    double x = pbt_core_trial(core, 1).cells[1].u.r;
    trace_tell(trace, ". result 0 it=5 score=1\n"
                      ". saved 0\n");
    assert_true(pbt_core_trial(core, 0).cells[0].u.r == width);
    assert_true(pbt_core_trial(core, 0).cells[1].u.r == x / 2);
    trace_end(trace);
}

/* Its donor may have exploited by the time that the trial has saved. */
static void hyperparameters_are_those_of_the_compared_score(void **state)
{
    (void)state;
    struct pbt_settings s = adopting(3);
    struct trace *trace = trace_begin(&s);
    const struct pbt_core *core = trace_core(trace);
    trace_tell(trace, ". open 3\n"
                      ". ready 0-2\n"
                      ". result 1 it=5 score=2\n"
                      ". saved 1\n");
    double x = pbt_core_trial(core, 1).cells[0].u.r;
    trace_tell(trace, "result 0 it=5 score=1\n"
                      "  point 0\n"
                      "  save 0/1, to adopt from 1\n"
                      "result 2 it=5 score=9\n"
                      "  point 2\n"
                      "  save 2/1\n"
                      "saved 2\n"
                      "result 1 it=10 score=-5\n"
                      "  point 1\n"
                      "  save 1/2, to adopt from 2\n"
                      "saved 1\n"
                      "  adopt 1 (1.4) on 1/2 from 2 at 5, -5 < 9\n"
                      "saved 0\n"
                      "  adopt 0 (1.5) on 0/1 from 1 at 5, 1 < 2\n");
    assert_true(pbt_core_trial(core, 0).cells[0].u.r == x / 2);
    trace_end(trace);
}

static void hyperparameters_with_a_function_that_explores(void **state)
{
    (void)state;
    struct pbt_settings s = adopting(2);
    s.custom_explore = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=2\n"
             ". saved 1\n"
             "result 0 it=5 score=1\n"
             "  point 0\n"
             "  save 0/1, to adopt from 1\n"
             "saved 0\n"
             "  ask 0: from 0/1 at 5, 1 < 2\n"
             "reopen 2\n" /* the answer needs no process */
             "  start 1 (2.1) from 1/1 at 5\n"
             "answer 0 x=0.25\n"
             "  adopt 0 (2.2) on 0/1 from 1 at 5, 1 < 2\n"
             "  start 0 (2.3) from 0/1 at 5\n"
             "look 0\n"
             "  RUNNING it=5 score=1 pair=none exploits=1 failures=0 x=0.25\n"
             ". ready 0-1\n"
             ". result 1 it=10 score=2\n"
             ". saved 1\n"
             ". result 0 it=10 score=1\n"
             ". saved 0\n"
             "answer 0 failed\n"
             "  pass 0: a function that was asked failed\n"
             "owed 0\n"
             "  run 0 until 15\n");
}

/* Other trials wait for its slot: it pauses with its new hyperparameters. */
static void hyperparameters_go_along_into_a_pause(void **state)
{
    (void)state;
    struct pbt_settings s = adopting(3);
    play(&s,
         ". open 3\n"
         ". ready 0-2\n"
         ". result 1 it=5 score=2\n"
         ". saved 1\n"
         ". result 0 it=5 score=1\n"
         "pause 0\n"
         "saved 0\n"
         "  adopt 0 (1.4) on 0/1 from 1 at 5, 1 < 2, pauses\n"
         "exited 0\n"
         "  exit 0: pause\n"
         "look 0\n"
         "  PAUSED held it=5 score=- pair=none exploits=1 failures=0 x=0.1859\n"
         "resume 0\n"
         "  start 0 (1.5) from 0/1 at 5\n");
}

static void
hyperparameters_of_weights_that_are_lost_are_saved_again(void **state)
{
    (void)state;
    struct pbt_settings s = adopting(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=2\n"
             ". saved 1\n"
             ". result 0 it=5 score=1\n"
             "saved 0; bad 0/1\n"
             "  save 0/2\n"
             "saved 0\n"
             "  adopt 0 (1.3) on 0/2 from 1 at 5, 1 < 2\n");
}

/* All have saved by then. */
static void hyperparameters_in_a_round(void **state)
{
    (void)state;
    struct pbt_settings s = adopting(2);
    s.synch = true;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=5 score=1; result 1 it=5 score=2\n"
         "saved 0; saved 1\n"
         "  adopt 0 (1.3) on 0/1 from 1 at 5, 1 < 2\n"
         "  round to 10\n"
         "look 0\n"
         "  RUNNING it=5 score=1 pair=none exploits=1 failures=0 x=0.1859\n");
}

/* A trial whose process has ended in the middle of it is compared anew. */
static void hyperparameters_of_who_dies_before_its_save(void **state)
{
    (void)state;
    struct pbt_settings s = adopting(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=2\n"
             ". saved 1\n"
             "result 0 it=5 score=1\n"
             "  point 0\n"
             "  save 0/1, to adopt from 1\n"
             "exited 0\n"
             "  exit 0: retry\n"
             "  start 0 (1.3)\n"
             ". ready 0\n"
             "result 0 it=5 score=3\n"
             "  point 0\n"
             "  save 0/2\n"
             "saved 0\n"
             "owed 0\n"
             "  run 0 until 10\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_takes_the_donors_hyperparameters),
        cmocka_unit_test(weights_explores_ones_own_hyperparameters),
        cmocka_unit_test(what_is_never_explored_goes_along_with_the_weights),
        cmocka_unit_test(
            with_a_function_alone_all_of_the_configuration_is_kept),
        cmocka_unit_test(of_equal_scores_the_higher_number_is_copied),
        cmocka_unit_test(hyperparameters_keeps_weights_and_clocks),
        cmocka_unit_test(hyperparameters_in_a_fresh_process),
        cmocka_unit_test(hyperparameters_leaves_what_is_never_explored),
        cmocka_unit_test(hyperparameters_are_those_of_the_compared_score),
        cmocka_unit_test(hyperparameters_with_a_function_that_explores),
        cmocka_unit_test(hyperparameters_go_along_into_a_pause),
        cmocka_unit_test(
            hyperparameters_of_weights_that_are_lost_are_saved_again),
        cmocka_unit_test(hyperparameters_in_a_round),
        cmocka_unit_test(hyperparameters_of_who_dies_before_its_save),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
