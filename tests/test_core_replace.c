/*
 * Replacements, as stories: what becomes of a trial that failed for good.  How to read them:
 * trace.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace.h"

static struct pbt_settings settings_of(uint32_t population)
{
    struct pbt_settings settings = trace_settings(population);
    settings.max_failures = 0;
    settings.replace = 1;
    return settings;
}

static void a_copy_of_the_best_takes_its_place(void **state)
{
    (void)state;
    struct pbt_settings s = settings_of(3);
    play(&s, ". open 3\n"
             ". ready 0-2\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             ". result 2 it=5 score=0.5\n"
             ". saved 2\n"
             ". result 0 it=3\n"
             "exited 0\n"
             "  exit 0: error\n"
             "  replace 0 (1.5) from 1/1 at 5, nan < 0.9\n"
             "  start 0 (1.6) from 1/1 at 5\n"
             "owed 0\n"
             "  start 0 1/1\n"
             "look 0\n"
             "  RUNNING it=5 score=- pair=none exploits=1 failures=1 x=0.4462\n"
             ". ready 0\n"
             "owed 0\n"
             "  run 0 until 10\n");
}

static void the_copy_may_fail_as_often_as_the_first_one(void **state)
{
    (void)state;
    struct pbt_settings s = settings_of(2);
    s.max_failures = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             "exited 0\n"
             "  exit 0: retry\n"
             "  start 0 (1.3)\n"
             "exited 0\n"
             "  exit 0: error\n"
             "  replace 0 (1.4) from 1/1 at 5, nan < 0.9\n"
             "  start 0 (1.5) from 1/1 at 5\n"
             "exited 0\n"
             "  exit 0: retry\n"
             "  start 0 (1.6) from 1/1 at 5\n"
             /* That was all. */
             "exited 0\n"
             "  exit 0: error\n"
             "look 0\n"
             "  ERROR it=5 score=- pair=none exploits=1 failures=4 x=0.4462\n");
}

static void it_is_replaced_once_there_is_a_donor(void **state)
{
    (void)state;
    struct pbt_settings s = settings_of(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=4 score=0.8\n"
             "exited 0\n"
             "  exit 0: error\n"
             "look 0\n"
             "  ERROR it=0 score=- pair=none exploits=0 failures=1 x=0.548\n"
             "result 1 it=5 score=0.9\n"
             "  point 1\n"
             "  save 1/1\n"
             "saved 1\n"
             "  replace 0 (1.3) from 1/1 at 5, nan < 0.9\n"
             "  start 0 (1.4) from 1/1 at 5\n");
}

static void who_has_finished_gives_nothing(void **state)
{
    (void)state;
    struct pbt_settings s = settings_of(2);
    s.stops[0] = (struct pbt_stop){.bound = 6};
    s.stop_count = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=4\n"
             ". exited 0\n"
             "result 1 it=6\n"
             "  stop 1\n"
             "  leave 1: terminate\n"
             "exited 1\n"
             "  exit 1: terminate\n"
             "look 0\n"
             "  ERROR it=0 score=- pair=none exploits=0 failures=1 x=0.548\n");
}

static void a_failure_before_the_first_result_is_not_replaced(void **state)
{
    (void)state;
    struct pbt_settings s = settings_of(2);
    play(&s, ". open 2\n"
             "exited 0\n"
             "  exit 0: error\n"
             "  end: failed\n"
             "  leave 1: pause\n");
}

static void a_lost_copy_goes_back_to_its_own(void **state)
{
    (void)state;
    struct pbt_settings s = settings_of(2);
    s.checkpoint_frequency = 3;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=3\n"
             ". saved 0\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             ". exited 0\n"
             "look 0\n"
             "  RUNNING it=5 score=- pair=none exploits=1 failures=1 x=0.4462\n"
             "bad 1/1\n"
             "  leave 0: respawn\n"
             "exited 0\n"
             "  exit 0: respawn\n"
             "  undo 0 to 0, at 3 on 0/1\n"
             "  start 0 (1.5) from 0/1 at 3\n"
             /* It is no failure, and it isn't replaced once more. */
             "exited 0\n"
             "  exit 0: error\n");
}

static void functions_are_asked_for_the_copy_too(void **state)
{
    (void)state;
    struct pbt_settings s = settings_of(2);
    s.custom_explore = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             "exited 0\n"
             "  exit 0: error\n"
             "  ask 0: from 1/1 at 5, nan < 0.9\n"
             /* Also by the next driver. */
             "reopen 2\n"
             "  start 1 (2.1) from 1/1 at 5\n"
             "owed 0\n"
             "  ask 0\n"
             "answer 0 x=0.25\n"
             "  replace 0 (2.2) from 1/1 at 5, nan < 0.9\n"
             "  start 0 (2.3) from 1/1 at 5\n"
             "look 0\n"
             "  RUNNING it=5 score=- pair=none exploits=1 failures=1 x=0.25\n");
}

static void without_an_answer_it_has_failed(void **state)
{
    (void)state;
    struct pbt_settings s = settings_of(2);
    s.custom_explore = true;
    s.replace = 3;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             ". exited 0\n"
             "answer 0 failed\n"
             "  pass 0: a function that was asked failed\n"
             "  ask 0: from 1/1 at 5, nan < 0.9\n"
             /* The user's stop ends that. */
             "stop 0\n"
             "look 0\n"
             "  ERROR it=0 score=- pair=none exploits=0 failures=1 x=0.548\n");
}

static void in_rounds_it_waits_until_all_have_arrived(void **state)
{
    (void)state;
    struct pbt_settings s = settings_of(3);
    s.synch = true;
    s.quantile_fraction = 0;
    play(&s, ". open 3\n"
             ". ready 0-2\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             "exited 0\n"
             "  exit 0: error\n"
             ". result 2 it=5 score=0.5\n"
             "saved 2\n"
             "  replace 0 (1.4) from 1/1 at 5, nan < 0.9\n"
             "  round to 10\n"
             "  start 0 (1.5) from 1/1 at 5\n"
             "owed 1\n"
             "  run 1 until 10\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_of_the_best_takes_its_place),
        cmocka_unit_test(the_copy_may_fail_as_often_as_the_first_one),
        cmocka_unit_test(it_is_replaced_once_there_is_a_donor),
        cmocka_unit_test(who_has_finished_gives_nothing),
        cmocka_unit_test(a_failure_before_the_first_result_is_not_replaced),
        cmocka_unit_test(a_lost_copy_goes_back_to_its_own),
        cmocka_unit_test(functions_are_asked_for_the_copy_too),
        cmocka_unit_test(without_an_answer_it_has_failed),
        cmocka_unit_test(in_rounds_it_waits_until_all_have_arrived),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
