/*
 * What Ray Tune's own tests pin of its PBT scheduler, on our core and with their figures; the
 * rest of it, and which test shows what, is in docs/scheduler.md, "Each rule has its test".
 * How to read the stories: trace.h.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "trace.h"

/* Five trials, of which two are a quantile; an interval of 10, and no new draws. */
static struct pbt_settings five(void)
{
    struct pbt_settings settings = trace_settings(5);
    settings.perturbation_interval = 10;
    settings.explore.resample_probability = 0;
    return settings;
}

/* ... that have all been at their first point, with scores from 0 to 200. */
#define FIVE                                                                   \
    ". open 5\n"                                                               \
    ". ready 0-4\n"                                                            \
    ". result 0 it=10 score=0\n"                                               \
    ". result 1 it=10 score=50\n"                                              \
    ". result 2 it=10 score=100\n"                                             \
    ". result 3 it=10 score=150\n"                                             \
    ". result 4 it=10 score=200\n"                                             \
    ". saved 0-4\n"

/* --- who saves, who exploits ------------------------------------------------------ */

/* Ray saves 0 and 1 only: see docs/scheduler.md. */
static void promising_trials_save_and_nobody_is_copied(void **state)
{
    (void)state;
    struct pbt_settings s = five();
    play(
        &s, FIVE
        "result 0 it=15 score=200 halted\n"
        "result 0 it=20 score=200\n"
        "  point 0\n"
        "  save 0/2\n"
        "result 1 it=20 score=201\n"
        "  point 1\n"
        "  save 1/2\n"
        "result 4 it=20 score=199\n"
        "  point 4\n"
        "  save 4/2\n"
        "look 0-4\n"
        "  RUNNING it=20 score=200 pair=none exploits=0 failures=0 x=0.548\n"
        "  RUNNING it=20 score=201 pair=none exploits=0 failures=0 x=0.3718\n"
        "  RUNNING it=10 score=100 pair=2/1 exploits=0 failures=0 x=0.7606\n"
        "  RUNNING it=10 score=150 pair=3/1 exploits=0 failures=0 x=0.8905\n"
        "  RUNNING it=20 score=199 pair=none exploits=0 failures=0 x=0.0134\n");
}

static void low_performers_copy_a_high_one(void **state)
{
    (void)state;
    struct pbt_settings s = five();
    play(
        &s, FIVE
        "result 0 it=15 score=-100 halted\n"
        "result 0 it=20 score=-100\n"
        "  point 0\n"
        "  exploit 0 (1.6) from 4/1 at 10, -100 < 200\n"
        "result 2 it=20 score=40\n"
        "  point 2\n"
        "  exploit 2 (1.7) from 4/1 at 10, 40 < 200\n"
        "look 0-4\n"
        "  RUNNING it=10 score=-100 pair=none exploits=1 failures=0 x=0.01072\n"
        "  RUNNING it=10 score=50 pair=1/1 exploits=0 failures=0 x=0.3718\n"
        "  RUNNING it=10 score=40 pair=none exploits=1 failures=0 x=0.01608\n"
        "  RUNNING it=10 score=150 pair=3/1 exploits=0 failures=0 x=0.8905\n"
        "  RUNNING it=10 score=200 pair=4/1 exploits=0 failures=0 x=0.0134\n");
}

static void in_a_round_the_low_performers_copy_the_high_ones(void **state)
{
    (void)state;
    struct pbt_settings s = five();
    s.synch = true;
    play(&s,
         ". open 5\n"
         ". ready 0-4\n"
         "result 0 it=10 score=0; result 1 it=10 score=50; "
         "result 3 it=10 score=150; result 4 it=10 score=200\n"
         "  point 0\n"
         "  point 1\n"
         "  point 3\n"
         "  point 4\n"
         "  save 0/1\n"
         "  save 1/1\n"
         "  save 3/1\n"
         "  save 4/1\n"
         "saved 0-1; saved 3-4\n"
         "result 2 it=10 score=100\n"
         "  point 2\n"
         "  save 2/1\n"
         "saved 2\n"
         "  exploit 0 (1.6) from 4/1 at 10, 0 < 200\n"
         "  exploit 1 (1.7) from 4/1 at 10, 50 < 200\n"
         "  round to 20\n"
         "look 0-4\n"
         "  RUNNING it=10 score=0 pair=none exploits=1 failures=0 x=0.01072\n"
         "  RUNNING it=10 score=50 pair=none exploits=1 failures=0 x=0.01608\n"
         "  RUNNING it=10 score=100 pair=2/1 exploits=0 failures=0 x=0.7606\n"
         "  RUNNING it=10 score=150 pair=3/1 exploits=0 failures=0 x=0.8905\n"
         "  RUNNING it=10 score=200 pair=4/1 exploits=0 failures=0 x=0.0134\n");
}

static void with_an_interval_of_one_the_first_result_may_exploit(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.perturbation_interval = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 1 it=1 score=2\n"
             "  point 1\n"
             "  save 1/1\n"
             "saved 1\n"
             "result 0 it=1 score=1\n"
             "  point 0\n"
             "  exploit 0 (1.3) from 1/1 at 1, 1 < 2\n");
}

static void a_donor_far_ahead_gives_its_clock(void **state)
{
    (void)state;
    struct pbt_settings s = five();
    s.time_attr = PBT_TIME_SECONDS;
    s.perturbation_interval = 500;
    s.quantile_fraction = 0.5;
    s.population = 2;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=100 t=10000 score=1000\n"
             ". saved 1\n"
             "result 0 it=5 t=500 score=-100\n"
             "  point 0\n"
             "  exploit 0 (1.3) from 1/1 at 100, -100 < 1000\n"
             ". ready 0\n"
             "result 0 it=101 t=10100 score=2000\n"
             "result 0 it=110 t=11000 score=2000\n"
             "  point 0\n"
             "  save 0/1\n");
}

/* --- without and with rounds ------------------------------------------------------- */

/* A score is the iteration and 10, 20, or 40, which is in the checkpoint. */
static struct pbt_settings three_steps(void)
{
    struct pbt_settings settings = trace_settings(3);
    settings.perturbation_interval = 1;
    settings.stops[0] =
        (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 3};
    settings.stop_count = 1;
    return settings;
}

static void without_rounds_the_good_and_slow_help_nobody(void **state)
{
    (void)state;
    struct pbt_settings s = three_steps();
    play(
        &s,
        ". open 3\n"
        ". ready 0-2\n"
        "result 0 it=1 score=11\n"
        "  point 0\n"
        "  save 0/1\n"
        "saved 0\n"
        "result 0 it=2 score=12\n"
        "  point 0\n"
        "  save 0/2\n"
        "saved 0\n"
        "result 0 it=3 score=13\n"
        "  stop 0\n"
        "  leave 0: terminate\n"
        "exited 0\n"
        "  exit 0: terminate\n"
        "result 1 it=1 score=21\n"
        "  point 1\n"
        "  save 1/1\n"
        "saved 1\n"
        "result 1 it=2 score=22\n"
        "  point 1\n"
        "  save 1/2\n"
        "saved 1\n"
        "result 1 it=3 score=23\n"
        "  stop 1\n"
        "  leave 1: terminate\n"
        "exited 1\n"
        "  exit 1: terminate\n"
        "result 2 it=1 score=41\n"
        "  point 2\n"
        "  save 2/1\n"
        "saved 2\n"
        "result 2 it=2 score=42\n"
        "  point 2\n"
        "  save 2/2\n"
        "saved 2\n"
        "result 2 it=3 score=43\n"
        "  stop 2\n"
        "  leave 2: terminate\n"
        "exited 2\n"
        "  exit 2: terminate\n"
        "look 0-2\n"
        "  TERMINATED it=3 score=- pair=none exploits=0 failures=0 x=0.548\n"
        "  TERMINATED it=3 score=- pair=none exploits=0 failures=0 x=0.3718\n"
        "  TERMINATED it=3 score=- pair=none exploits=0 failures=0 x=0.7606\n");
}

static void with_rounds_all_get_the_best_that_comes_last(void **state)
{
    (void)state;
    struct pbt_settings s = three_steps();
    s.synch = true;
    play(&s, ". open 3\n"
             ". ready 0-2\n"
             ". result 0 it=1 score=11; result 1 it=1 score=21\n"
             ". result 2 it=1 score=41\n"
             "saved 0-2\n"
             "  exploit 0 (1.4) from 2/1 at 1, 11 < 41\n"
             "  round to 2\n"
             ". ready 0\n"
             ". result 0 it=2 score=42; result 1 it=2 score=22\n"
             ". result 2 it=2 score=42\n"
             "saved 0-2\n"
             "  exploit 1 (1.5) from 2/2 at 2, 22 < 42\n"
             "  round to 3\n"
             ". ready 1\n"
             "result 0 it=3 score=43; result 1 it=3 score=43; "
             "result 2 it=3 score=43\n"
             "  stop 0\n"
             "  stop 1\n"
             "  stop 2\n"
             "  leave 0: terminate\n"
             "  leave 1: terminate\n"
             "  leave 2: terminate\n");
}

static void with_rounds_all_get_the_best_that_comes_first(void **state)
{
    (void)state;
    struct pbt_settings s = three_steps();
    s.synch = true;
    play(&s, ". open 3\n"
             ". ready 0-2\n"
             ". result 0 it=1 score=31; result 1 it=1 score=21\n"
             ". result 2 it=1 score=11\n"
             "saved 0-2\n"
             "  exploit 2 (1.4) from 0/1 at 1, 11 < 31\n"
             "  round to 2\n"
             ". ready 2\n"
             ". result 0 it=2 score=32; result 1 it=2 score=22\n"
             ". result 2 it=2 score=32\n"
             "saved 0-2\n"
             "  exploit 1 (1.5) from 2/2 at 2, 22 < 32\n"
             "  round to 3\n"
             ". ready 1\n"
             "result 0 it=3 score=33; result 1 it=3 score=33; "
             "result 2 it=3 score=33\n"
             "  stop 0\n"
             "  stop 1\n"
             "  stop 2\n"
             "  leave 0: terminate\n"
             "  leave 1: terminate\n"
             "  leave 2: terminate\n");
}

static void a_slow_save_of_the_loser_hangs_no_round(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.synch = true;
    s.perturbation_interval = 2;
    s.checkpoint_frequency = 2;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=2 score=1; result 1 it=2 score=2\n"
             "  point 0\n"
             "  point 1\n"
             "  save 0/1\n"
             "  save 1/1\n"
             "saved 1\n"
             "owed 0-1\n"
             "  save 0 0/1\n"
             "  none 1\n"
             "saved 0\n"
             "  exploit 0 (1.3) from 1/1 at 2, 1 < 2\n"
             "  round to 4\n"
             "owed 0-1\n"
             "  load 0 1/1\n"
             "  run 1 until 4\n");
}

/* mode: min, so the scores are those of Ray's test times -1. */
static void after_the_burn_in_somebody_trains_though_all_wait(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    s.synch = true;
    s.burn_in_period = 50;
    play(&s,
         ". open 1\n"
         ". ready 0\n"
         "result 0 it=1 score=-1 halted\n"
         "result 0 it=30 score=-1 halted\n"
         "owed 0\n"
         "  run 0 until 50\n"
         "result 0 it=50 score=-10\n"
         "  point 0\n"
         "  save 0/1\n"
         "saved 0\n"
         "  pause 0\n"
         "exited 0\n"
         "  exit 0: pause\n"
         "  start 1 (1.2)\n"
         ". ready 1\n"
         "result 1 it=50 score=-100\n"
         "  point 1\n"
         "  save 1/1\n"
         "saved 1\n"
         "  pause 1\n"
         "exited 1\n"
         "  exit 1: pause\n"
         "  start 2 (1.3)\n"
         ". ready 2\n"
         "result 2 it=1 score=0 halted done\n"
         "  done 2\n"
         "  leave 2: terminate\n"
         "exited 2\n"
         "  exit 2: terminate\n"
         "  start 3 (1.4)\n"
         ". ready 3\n"
         "result 3 it=50 score=-50\n"
         "  point 3\n"
         "  save 3/1\n"
         "saved 3\n"
         "  exploit 1 (1.5) from 0/1 at 50, -100 < -10\n"
         "  round to 55\n"
         "owed 0-3\n"
         "  none 0\n"
         "  none 1\n"
         "  none 2\n"
         "  run 3 until 55\n"
         "look 0-3\n"
         "  PAUSED it=50 score=-10 pair=0/1 exploits=0 failures=0 x=0.548\n"
         "  PAUSED it=50 score=-100 pair=none exploits=1 failures=0 x=0.6576\n"
         "  TERMINATED it=1 score=- pair=none exploits=0 failures=0 x=0.7606\n"
         "  RUNNING it=50 score=-50 pair=3/1 exploits=0 failures=0 x=0.8905\n");
}

static void the_most_behind_of_a_round_trains_next(void **state)
{
    (void)state;
    struct pbt_settings s = five();
    s.synch = true;
    play(
        &s,
        ". open 1\n"
        ". ready 0\n"
        ". result 0 it=800 score=1000\n"
        ". saved 0; exited 0\n"
        ". ready 1\n"
        ". result 1 it=700 score=1001\n"
        ". saved 1; exited 1\n"
        ". ready 2\n"
        ". result 2 it=600 score=1002\n"
        ". saved 2; exited 2\n"
        ". ready 3\n"
        ". result 3 it=500 score=1003\n"
        ". saved 3; exited 3\n"
        ". ready 4\n"
        "result 4 it=700 score=1004\n"
        "  point 4\n"
        "  save 4/1\n"
        "saved 4\n"
        "  exploit 0 (1.6) from 3/1 at 500, 1000 < 1003\n"
        "  exploit 1 (1.7) from 4/1 at 700, 1001 < 1004\n"
        "  round to 510\n"
        "  leave 4: pause\n"
        "exited 4\n"
        "  exit 4: pause\n"
        "  start 3 (1.8) from 3/1 at 500\n"
        "look 0-4\n"
        "  PAUSED it=500 score=1000 pair=none exploits=1 failures=0 x=0.7124\n"
        "  PAUSED it=700 score=1001 pair=none exploits=1 failures=0 x=0.01608\n"
        "  PAUSED it=600 score=1002 pair=2/1 exploits=0 failures=0 x=0.7606\n"
        "  RUNNING it=500 score=1003 pair=3/1 exploits=0 failures=0 x=0.8905\n"
        "  PAUSED it=700 score=1004 pair=4/1 exploits=0 failures=0 x=0.0134\n");
}

/* --- what is left behind --------------------------------------------------------------- */

static uint32_t live_checkpoints(const struct pbt_core *core,
                                 uint32_t population)
{
    struct pbt_core_checkpoint checkpoint;
    uint32_t count = 0;
    for (uint32_t trial = 0; trial < population; trial++) {
        for (uint32_t i = 0;
             pbt_core_checkpoint_at(core, trial, i, &checkpoint); i++) {
            count++;
        }
    }
    return count;
}

/* One step, and what follows from it: it loads another's checkpoint, or saves its own. */
static bool exploits_at(struct trace *trace, uint32_t trial, uint32_t iteration)
{
    char line[100];
    (void)snprintf(line, sizeof line,
                   ". result %" PRIu32 " it=%" PRIu32 " score=%" PRIu32 "\n",
                   trial, iteration, (7 * iteration + 5 * trial) % 11);
    trace_tell(trace, line);
    struct pbt_command owed = pbt_core_owed(trace_core(trace), trial);
    bool loads = owed.kind == PBT_COMMAND_LOAD;
    if (loads) {
        (void)snprintf(line, sizeof line, ". ready %" PRIu32 "\n", trial);
    } else {
        assert_int_equal(owed.kind, PBT_COMMAND_SAVE);
        (void)snprintf(line, sizeof line,
                       ". saved %" PRIu32 "; durable %" PRIu32 "/%" PRIu32 "\n",
                       trial, trial, owed.checkpoint.number);
    }
    trace_tell(trace, line);
    return loads;
}

static void checkpoints_do_not_pile_up(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    s.perturbation_interval = 1;
    s.quantile_fraction = 0.5;
    s.num_to_keep = 1;
    struct trace *trace = trace_begin(&s);
    uint32_t exploits = 0;
    uint32_t most = 0;
    trace_tell(trace, ". open 4\n. ready 0-3\n");
    for (uint32_t step = 1; step <= 500; step++) {
        for (uint32_t trial = 0; trial < 4; trial++) {
            exploits += exploits_at(trace, trial, step) ? 1 : 0;
            uint32_t live = live_checkpoints(trace_core(trace), 4);
            most = live > most ? live : most;
        }
    }
    assert_true(exploits > 100);
    /* `pbt check` promises so much for four trials. */
    assert_in_range(most, 4, 16);
    trace_end(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(promising_trials_save_and_nobody_is_copied),
        cmocka_unit_test(low_performers_copy_a_high_one),
        cmocka_unit_test(in_a_round_the_low_performers_copy_the_high_ones),
        cmocka_unit_test(with_an_interval_of_one_the_first_result_may_exploit),
        cmocka_unit_test(a_donor_far_ahead_gives_its_clock),
        cmocka_unit_test(without_rounds_the_good_and_slow_help_nobody),
        cmocka_unit_test(with_rounds_all_get_the_best_that_comes_last),
        cmocka_unit_test(with_rounds_all_get_the_best_that_comes_first),
        cmocka_unit_test(a_slow_save_of_the_loser_hangs_no_round),
        cmocka_unit_test(after_the_burn_in_somebody_trains_though_all_wait),
        cmocka_unit_test(the_most_behind_of_a_round_trains_next),
        cmocka_unit_test(checkpoints_do_not_pile_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
