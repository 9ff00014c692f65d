/*
 * Synchronous PBT as stories: a round ends when all have arrived that still can, and none of
 * the ways in which Ray's hangs (a clock compared with "<") is one here.  How to read
 * them: trace.h.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "trace.h"

static struct pbt_settings rounds(uint32_t population)
{
    struct pbt_settings settings = trace_settings(population);
    settings.synch = true;
    return settings;
}

static void all_save_and_wait_then_the_lowest_copies_the_highest(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(4);
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             "owed 0\n"
             "  run 0 until 5\n"
             "result 3 it=5 score=9\n"
             "  point 3\n"
             "  save 3/1\n"
             "saved 3\n"
             "owed 3\n"
             "  none 3\n"
             "result 0 it=5 score=1; result 1 it=5 score=2\n"
             "  point 0\n"
             "  point 1\n"
             "  save 0/1\n"
             "  save 1/1\n"
             "saved 0-1\n"
             "result 2 it=5 score=3\n"
             "  point 2\n"
             "  save 2/1\n"
             "saved 2\n"
             "  exploit 0 (1.5) from 3/1 at 5, 1 < 9\n"
             "  round to 10\n"
             "owed 0-3\n"
             "  load 0 3/1\n"
             "  run 1 until 10\n"
             "  run 2 until 10\n"
             "  run 3 until 10\n"
             "ready 0\n"
             "owed 0\n"
             "  run 0 until 10\n");
}

static void with_few_slots_whoever_has_arrived_makes_room(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(3);
    play(&s,
         ". open 1\n"
         ". ready 0\n"
         "result 0 it=5 score=1\n"
         "  point 0\n"
         "  save 0/1\n"
         "saved 0\n"
         "  pause 0\n"
         "exited 0\n"
         "  exit 0: pause\n"
         "  start 1 (1.2)\n"
         ". ready 1\n"
         "result 1 it=5 score=2\n"
         "  point 1\n"
         "  save 1/1\n"
         "saved 1\n"
         "  pause 1\n"
         "exited 1\n"
         "  exit 1: pause\n"
         "  start 2 (1.3)\n"
         ". ready 2\n"
         "result 2 it=5 score=3\n"
         "  point 2\n"
         "  save 2/1\n"
         "saved 2\n"
         "  exploit 0 (1.4) from 2/1 at 5, 1 < 3\n"
         "  round to 10\n"
         "owed 2\n"
         "  run 2 until 10\n"
         "look 0-2\n"
         "  PAUSED it=5 score=1 pair=none exploits=1 failures=0 x=0.9128\n"
         "  PAUSED it=5 score=2 pair=1/1 exploits=0 failures=0 x=0.3718\n"
         "  RUNNING it=5 score=3 pair=2/1 exploits=0 failures=0 x=0.7606\n");
}

static void steps_beyond_the_target_hang_nobody(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(2);
    s.quantile_fraction = 0.5;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=12 score=1 halted; result 1 it=12 score=2 halted\n"
             "  point 0\n"
             "  point 1\n"
             "  save 0/1\n"
             "  save 1/1\n"
             "saved 0; saved 1\n"
             "  exploit 0 (1.3) from 1/1 at 12, 1 < 2\n"
             "  round to 15\n"
             ". ready 0\n"
             "owed 0-1\n"
             "  run 0 until 15\n"
             "  run 1 until 15\n"
             "result 0 it=24 score=3 halted; result 1 it=24 score=2 halted\n"
             "  point 0\n"
             "  point 1\n"
             "  save 0/2\n"
             "  save 1/2\n"
             "saved 0; saved 1\n"
             "  exploit 1 (1.4) from 0/2 at 24, 2 < 3\n"
             "  round to 25\n");
}

/* 0.4 + 0.2 * (floor((1 - 0.4) / 0.2) + 1) is 1, not 1.2: nobody would train. */
static void
the_next_target_is_beyond_the_lowest_however_sums_are_rounded(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(2);
    s.perturbation_interval = 0.2;
    s.quantile_fraction = 0;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=1 score=1; result 1 it=1 score=2\n"
             "  point 0\n"
             "  point 1\n"
             "  save 0/1\n"
             "  save 1/1\n"
             "saved 0; saved 1\n"
             "  round to 1.2\n"
             "owed 0-1\n"
             "  run 0 until 2\n"
             "  run 1 until 2\n");
}

static void whoever_is_ahead_waits(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(2);
    s.quantile_fraction = 0;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=5 score=1; result 1 it=13 score=2 halted\n"
             "  point 0\n"
             "  point 1\n"
             "  save 0/1\n"
             "  save 1/1\n"
             "saved 0; saved 1\n"
             "  round to 10\n"
             "owed 0-1\n"
             "  run 0 until 10\n"
             "  none 1\n"
             "result 0 it=10 score=1\n"
             "  point 0\n"
             "  save 0/2\n"
             "saved 0\n"
             "  round to 15\n"
             "owed 0-1\n"
             "  run 0 until 15\n"
             "  run 1 until 15\n");
}

static void the_first_round_ends_after_the_burn_in(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(2);
    s.burn_in_period = 12;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "owed 0\n"
             "  run 0 until 12\n"
             "result 0 it=11 score=1 halted\n"
             "result 0 it=12 score=1; result 1 it=12 score=2\n"
             "  point 0\n"
             "  point 1\n"
             "  save 0/1\n"
             "  save 1/1\n"
             "saved 0; saved 1\n"
             "  exploit 0 (1.3) from 1/1 at 12, 1 < 2\n"
             "  round to 17\n");
}

static void a_trial_that_fails_for_good_is_not_waited_for(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(3);
    s.max_failures = 0;
    play(&s, ". open 3\n"
             ". ready 0-2\n"
             "result 0 it=5 score=1; result 1 it=5 score=2\n"
             "  point 0\n"
             "  point 1\n"
             "  save 0/1\n"
             "  save 1/1\n"
             "saved 0; saved 1\n"
             "exited 2\n"
             "  exit 2: error\n"
             "  exploit 0 (1.4) from 1/1 at 5, 1 < 2\n"
             "  round to 10\n"
             "owed 0-1\n"
             "  load 0 1/1\n"
             "  run 1 until 10\n");
}

static void a_trial_that_is_tried_again_is(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(2);
    s.quantile_fraction = 0.5;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=5 score=1\n"
             "  point 0\n"
             "  save 0/1\n"
             "saved 0\n"
             "exited 1\n"
             "  exit 1: retry\n"
             "  start 1 (1.3)\n"
             ". ready 1\n"
             "result 1 it=5 score=2\n"
             "  point 1\n"
             "  save 1/1\n"
             "saved 1\n"
             "  exploit 0 (1.4) from 1/1 at 5, 1 < 2\n"
             "  round to 10\n");
}

static void a_trial_that_never_starts_is_given_up(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(2);
    s.max_failures = 1;
    play(&s, ". open 2\n"
             ". ready 0\n"
             "result 0 it=5 score=1\n"
             "  point 0\n"
             "  save 0/1\n"
             "saved 0\n"
             "exited 1\n"
             "  exit 1: retry\n"
             "  start 1 (1.3)\n"
             "exited 1\n"
             "  exit 1: error\n"
             "  round to 10\n"
             "owed 0\n"
             "  run 0 until 10\n");
}

static void a_trial_that_stops_early_is_not_waited_for(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(3);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_VALUE, .bound = 1};
    s.stop_count = 1;
    play(&s, ". open 3\n"
             ". ready 0-2\n"
             "result 0 it=5 score=1 halted; result 1 it=5 score=2 halted\n"
             "  point 0\n"
             "  point 1\n"
             "  save 0/1\n"
             "  save 1/1\n"
             "saved 0; saved 1\n"
             "result 2 it=1 score=9 v0=1 halted\n"
             "  stop 2\n"
             "  leave 2: terminate\n"
             "  exploit 0 (1.4) from 1/1 at 5, 1 < 2\n"
             "  round to 10\n"
             "exited 2\n"
             "  exit 2: terminate\n");
}

static void a_round_goes_on_where_the_driver_died(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(2);
    s.quantile_fraction = 0.5;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=5 score=1\n"
             "  point 0\n"
             "  save 0/1\n"
             "saved 0\n"
             "reopen 2\n"
             "  start 1 (2.1)\n"
             "look 0-1\n"
             "  PENDING it=5 score=1 pair=0/1 exploits=0 failures=0 x=0.548\n"
             "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
             ". ready 1\n"
             "result 1 it=5 score=2\n"
             "  point 1\n"
             "  save 1/1\n"
             "saved 1\n"
             "  exploit 0 (2.2) from 1/1 at 5, 1 < 2\n"
             "  round to 10\n"
             "  start 0 (2.3) from 1/1 at 5\n");
}

/* Else it would train an iteration more before the round is decided. */
static void whoever_arrives_while_interrupted_has_arrived(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(2);
    s.quantile_fraction = 0.5;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=5 score=1\n"
             ". saved 0\n"
             "stop\n"
             "  end: interrupted\n"
             "result 1 it=5 score=2\n"
             "  point 1\n"
             "  save 1/1\n"
             "saved 1\n"
             "  leave 1: pause\n"
             "exited 0-1\n"
             "  exit 0: pause\n"
             "  exit 1: pause\n"
             "reopen 2\n"
             "  exploit 0 (2.1) from 1/1 at 5, 1 < 2\n"
             "  round to 10\n"
             "  start 0 (2.2) from 1/1 at 5\n"
             "  start 1 (2.3) from 1/1 at 5\n");
}

static void half_a_round_is_finished_by_the_next_driver(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(4);
    s.quantile_fraction = 0.5;
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             ". result 0 it=5 score=1; result 1 it=5 score=2\n"
             ". result 2 it=5 score=3; result 3 it=5 score=4\n"
             ". saved 0-2\n"
             "saved 3\n"
             "  exploit 0 (1.5) from 2/1 at 5, 1 < 3\n"
             "  exploit 1 (1.6) from 2/1 at 5, 2 < 3\n"
             "  round to 10\n"
             "cut 2\n"
             "reopen 4\n"
             "  exploit 1 (2.1) from 2/1 at 5, 2 < 3\n"
             "  round to 10\n"
             "  start 0 (2.2) from 2/1 at 5\n"
             "  start 1 (2.3) from 2/1 at 5\n"
             "  start 2 (2.4) from 2/1 at 5\n"
             "  start 3 (2.5) from 3/1 at 5\n");
}

static void a_trial_that_the_user_paused_is_not_waited_for(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(3);
    play(&s, ". open 3\n"
             ". ready 0-2\n"
             "result 0 it=5 score=1; result 1 it=5 score=2\n"
             "  point 0\n"
             "  point 1\n"
             "  save 0/1\n"
             "  save 1/1\n"
             "saved 0; saved 1\n"
             "pause 2\n"
             "  exploit 0 (1.4) from 1/1 at 5, 1 < 2\n"
             "  round to 10\n"
             "halted 2\n"
             "  leave 2: pause\n"
             "exited 2\n"
             "  exit 2: pause\n"
             "resume 2\n"
             "  start 2 (1.5)\n"
             ". ready 2\n"
             "owed 0-2\n"
             "  load 0 1/1\n"
             "  run 1 until 10\n"
             "  run 2 until 10\n");
}

static void whoever_waits_gives_way_to_a_trial_that_is_waited_for(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=5 score=1\n"
             "  point 0\n"
             "  save 0/1\n"
             "saved 0\n"
             "capacity 1\n"
             "exited 1\n"
             "  exit 1: retry\n"
             "  leave 0: pause\n"
             "owed 0\n"
             "  stop 0\n"
             "exited 0\n"
             "  exit 0: pause\n"
             "  start 1 (1.3)\n");
}

static void a_lost_checkpoint_sends_a_trial_back_into_the_round(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(2);
    s.quantile_fraction = 0.5;
    play(&s, ". open 1\n"
             ". ready 0\n"
             "result 0 it=5 score=1\n"
             "  point 0\n"
             "  save 0/1\n"
             "saved 0\n"
             "  pause 0\n"
             "exited 0\n"
             "  exit 0: pause\n"
             "  start 1 (1.2)\n"
             "bad 0/1\n"
             ". ready 1\n"
             "result 1 it=5 score=2\n"
             "  point 1\n"
             "  save 1/1\n"
             "saved 1\n"
             "  pause 1\n"
             "exited 1\n"
             "  exit 1: pause\n"
             "  start 0 (1.3)\n"
             ". ready 0\n"
             "result 0 it=5 score=1\n"
             "  point 0\n"
             "  save 0/2\n"
             "saved 0\n"
             "  exploit 0 (1.4) from 1/1 at 5, 1 < 2\n"
             "  round to 10\n");
}

static void an_explore_function_holds_the_round_open(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(4);
    s.custom_explore = true;
    s.quantile_fraction = 0.5;
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             ". result 0 it=5 score=1; result 1 it=5 score=2\n"
             ". result 2 it=5 score=3; result 3 it=5 score=4\n"
             ". saved 0-2\n"
             "saved 3\n"
             "  ask 0: from 2/1 at 5, 1 < 3\n"
             "  ask 1: from 2/1 at 5, 2 < 3\n"
             "answer 0 x=0.25\n"
             "  exploit 0 (1.5) from 2/1 at 5, 1 < 3\n"
             ". ready 0\n"
             "owed 0-3\n"
             "  none 0\n"
             "  ask 1\n"
             "  none 2\n"
             "  none 3\n"
             "answer 1 failed\n"
             "  pass 1: a function that was asked failed\n"
             "  round to 10\n"
             "owed 0-3\n"
             "  run 0 until 10\n"
             "  run 1 until 10\n"
             "  run 2 until 10\n"
             "  run 3 until 10\n");
}

/* Nobody else is there to free a slot. */
static void whoever_has_arrived_makes_room_for_one_that_backs_off(void **state)
{
    (void)state;
    struct pbt_settings s = rounds(2);
    s.max_failures = -1;
    s.backoff_ns = UINT64_C(1000000000);
    play(&s, ". open 1\n"
             ". ready 0\n"
             ". result 0 it=1\n"
             ". exited 0\n"
             "exited 0\n"
             "  exit 0: retry, not before 1 s\n"
             "  start 1 (1.3)\n"
             ". ready 1\n"
             ". result 1 it=5 score=1\n"
             "saved 1\n"
             "clock 0.5\n"
             "  (dropped)\n"
             "clock 1\n"
             "  leave 1: pause\n"
             "exited 1\n"
             "  exit 1: pause\n"
             "  start 0 (1.4)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_save_and_wait_then_the_lowest_copies_the_highest),
        cmocka_unit_test(with_few_slots_whoever_has_arrived_makes_room),
        cmocka_unit_test(steps_beyond_the_target_hang_nobody),
        cmocka_unit_test(
            the_next_target_is_beyond_the_lowest_however_sums_are_rounded),
        cmocka_unit_test(whoever_is_ahead_waits),
        cmocka_unit_test(the_first_round_ends_after_the_burn_in),
        cmocka_unit_test(a_trial_that_fails_for_good_is_not_waited_for),
        cmocka_unit_test(a_trial_that_is_tried_again_is),
        cmocka_unit_test(a_trial_that_never_starts_is_given_up),
        cmocka_unit_test(a_trial_that_stops_early_is_not_waited_for),
        cmocka_unit_test(a_round_goes_on_where_the_driver_died),
        cmocka_unit_test(whoever_arrives_while_interrupted_has_arrived),
        cmocka_unit_test(half_a_round_is_finished_by_the_next_driver),
        cmocka_unit_test(a_trial_that_the_user_paused_is_not_waited_for),
        cmocka_unit_test(whoever_waits_gives_way_to_a_trial_that_is_waited_for),
        cmocka_unit_test(a_lost_checkpoint_sends_a_trial_back_into_the_round),
        cmocka_unit_test(an_explore_function_holds_the_round_open),
        cmocka_unit_test(whoever_has_arrived_makes_room_for_one_that_backs_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
