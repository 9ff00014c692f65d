/*
 * More trials than slots, as stories: who has to give its slot away, and who gets it.  How to
 * read them: trace.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace.h"

static void whoever_waits_starts_with_the_lowest_iteration_first(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    play(&s,
         "open 1\n"
         "  trial 0 x=0.548\n"
         "  trial 1 x=0.3718\n"
         "  trial 2 x=0.7606\n"
         "  start 0 (1.1)\n"
         ". ready 0\n"
         "result 0 it=5 score=0.5\n"
         "  point 0\n"
         "  save 0/1\n"
         "saved 0\n"
         "  pause 0\n"
         "owed 0\n"
         "  stop 0\n"
         "exited 0\n"
         "  exit 0: pause\n"
         "  start 1 (1.2)\n"
         ". ready 1\n"
         ". result 1 it=5 score=0.6\n"
         "saved 1\n"
         "  pause 1\n"
         "exited 1\n"
         "  exit 1: pause\n"
         "  start 2 (1.3)\n"
         ". ready 2\n"
         ". result 2 it=7 score=0.7\n"
         "saved 2\n"
         "  pause 2\n"
         "exited 2\n"
         "  exit 2: pause\n"
         "  start 0 (1.4) from 0/1 at 5\n"
         "look 0-2\n"
         "  RUNNING it=5 score=0.5 pair=0/1 exploits=0 failures=0 x=0.548\n"
         "  PAUSED it=5 score=0.6 pair=1/1 exploits=0 failures=0 x=0.3718\n"
         "  PAUSED it=7 score=0.7 pair=2/1 exploits=0 failures=0 x=0.7606\n");
}

static void a_trial_stays_if_it_would_be_the_next_to_start(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=20 score=0.5\n"
             "capacity 1\n"
             "saved 1\n"
             "  pause 1\n"
             "exited 1\n"
             "  exit 1: pause\n"
             "result 0 it=5 score=0.6\n"
             "  point 0\n"
             "  save 0/1\n"
             "saved 0\n"
             "owed 0\n"
             "  run 0 until 10\n");
}

static void
an_exploited_trial_pauses_at_the_iteration_of_its_donor(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=20 score=0.9\n"
         ". saved 1\n"
         "exited 1\n"
         "  exit 1: pause\n"
         "  start 2 (1.3)\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  exploit 0 (1.4) from 1/1 at 20, 0.1 < 0.9, pauses\n"
         "owed 0\n"
         "  stop 0\n"
         "exited 0\n"
         "  exit 0: pause\n"
         "  start 3 (1.5)\n"
         "look 0\n"
         "  PAUSED it=20 score=0.1 pair=none exploits=1 failures=0 x=0.4462\n");
}

static void a_copy_waits_for_its_turn_like_its_donor(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=20 score=0.9\n"
             ". saved 1\n"
             ". exited 1\n"
             ". ready 2\n"
             ". capacity 1\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  exploit 0 (1.4) from 1/1 at 20, 0.1 < 0.9, pauses\n"
             "exited 0\n"
             "  exit 0: pause\n"
             "result 2 it=15 score=0.6\n"
             "  point 2\n"
             "  save 2/1\n"
             "saved 2\n"
             "owed 2\n"
             "  run 2 until 20\n");
}

static void free_slots_keep_everybody_running(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 3\n"
             ". ready 0-1\n"
             ". result 1 it=1\n"
             ". result 0 it=5 score=0.5\n"
             "exited 1; saved 0\n"
             "  exit 1: retry\n"
             "  start 1 (1.3)\n"
             "owed 0\n"
             "  run 0 until 10\n");
}

static void a_slot_is_free_when_the_end_of_its_process_is_seen(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 1\n"
             ". ready 0\n"
             ". result 0 it=5 score=0.5\n"
             "saved 0\n"
             "  pause 0\n"
             "owed 0-1\n"
             "  stop 0\n"
             "  none 1\n"
             "exited 0\n"
             "  exit 0: pause\n"
             "  start 1 (1.2)\n"
             "owed 1\n"
             "  start 1\n");
}

static void only_as_many_pause_as_wait(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(5);
    s.quantile_fraction = 0;
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             ". result 0-3 it=5 score=0.5\n"
             "saved 0-3\n"
             "  pause 0\n"
             "exited 0\n"
             "  exit 0: pause\n"
             "  start 4 (1.5)\n"
             "owed 1-4\n"
             "  run 1 until 10\n"
             "  run 2 until 10\n"
             "  run 3 until 10\n"
             "  start 4\n");
}

static void only_as_many_pause_as_are_too_many(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    s.quantile_fraction = 0;
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             ". capacity 3\n"
             ". result 1-3 it=5 score=0.5\n"
             "saved 1-3\n"
             "  pause 1\n");
}

static void capacity_that_falls_ends_nobody(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "capacity 1\n"
             "owed 0-1\n"
             "  run 0 until 5\n"
             "  run 1 until 5\n"
             ". result 0 it=5 score=0.5\n"
             "saved 0\n"
             "  pause 0\n"
             "exited 0\n"
             "  exit 0: pause\n"
             ". result 1 it=5 score=0.6\n"
             "saved 1\n"
             "  pause 1\n"
             "exited 1\n"
             "  exit 1: pause\n"
             "  start 0 (1.3) from 0/1 at 5\n"
             "capacity 2\n"
             "  start 1 (1.4) from 1/1 at 5\n");
}

static void the_same_capacity_is_no_news(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             "capacity 2\n"
             "  (dropped)\n"
             "capacity 0\n"
             "capacity 1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whoever_waits_starts_with_the_lowest_iteration_first),
        cmocka_unit_test(a_trial_stays_if_it_would_be_the_next_to_start),
        cmocka_unit_test(
            an_exploited_trial_pauses_at_the_iteration_of_its_donor),
        cmocka_unit_test(a_copy_waits_for_its_turn_like_its_donor),
        cmocka_unit_test(free_slots_keep_everybody_running),
        cmocka_unit_test(a_slot_is_free_when_the_end_of_its_process_is_seen),
        cmocka_unit_test(only_as_many_pause_as_wait),
        cmocka_unit_test(only_as_many_pause_as_are_too_many),
        cmocka_unit_test(capacity_that_falls_ends_nobody),
        cmocka_unit_test(the_same_capacity_is_no_news),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
