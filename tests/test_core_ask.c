/*
 * The custom explore function, as stories: it is asked, and answers, fails, or is too late.  How to
 * read them: trace.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace.h"

static void an_answer_is_the_new_configuration(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.custom_explore = true;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  ask 0: from 1/1 at 5, 0.1 < 0.9\n"
         "owed 0\n"
         "  ask 0\n"
         "look 0\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=0 failures=0 x=0.548\n"
         "answer 0 x=0.25\n"
         "  exploit 0 (1.3) from 1/1 at 5, 0.1 < 0.9\n"
         "look 0\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 x=0.25\n"
         "owed 0\n"
         "  load 0 1/1\n"
         "checkpoints 1\n"
         "  1/1 at 5, pins 5\n");
}

/* For the whole configuration: not for each hyperparameter, nor each nested mapping. */
static void one_exploit_asks_once(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    const struct pbt_param x = s.space.params[0];
    struct pbt_param params[] = {x, x, x, x};
    params[1].name = "net/width";
    params[2].name = "net/opt/lr";
    params[3].name = "net/opt/decay";
    s.space = (struct pbt_space){params, 4};
    s.custom_explore = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  ask 0: from 1/1 at 5, 0.1 < 0.9\n"
             "answer 0 failed\n"
             "  pass 0: a function that was asked failed\n"
             "  save 0/1\n");
}

static void an_ask_pins_what_it_needs(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.custom_explore = true;
    s.num_to_keep = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             ". durable 1/1\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  ask 0: from 1/1 at 5, 0.1 < 0.9\n"
             ". result 1 it=10 score=1\n"
             ". saved 1\n"
             ". durable 1/2\n"
             ". result 1 it=15 score=2\n"
             ". saved 1\n"
             ". durable 1/3\n"
             ". result 1 it=20 score=3\n"
             ". saved 1\n"
             "checkpoints 1\n"
             "  1/1 at 5, pins 1, durable\n"
             "  1/2 at 10, pins 2, durable\n"
             "  1/3 at 15, pins 2, durable\n"
             "  1/4 at 20, pins 4\n"
             "answer 0 failed\n"
             "  pass 0: a function that was asked failed\n"
             "  delete 1/1\n"
             "  save 0/1\n"
             "checkpoints 1\n"
             "  1/2 at 10, pins 2, durable\n"
             "  1/3 at 15, pins 2, durable\n"
             "  1/4 at 20, pins 4\n");
}

static void without_an_answer_the_trial_goes_on_as_it_is(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.custom_explore = true;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  ask 0: from 1/1 at 5, 0.1 < 0.9\n"
         "answer 0 failed\n"
         "  pass 0: a function that was asked failed\n"
         "  save 0/1\n"
         "saved 0\n"
         "owed 0\n"
         "  run 0 until 10\n"
         "look 0\n"
         "  RUNNING it=5 score=0.1 pair=0/1 exploits=0 failures=0 x=0.548\n");
}

static void an_answer_comes_once(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.custom_explore = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             ". result 0 it=5 score=0.1\n"
             "answer 0 x=0.5; answer 0 x=0.75\n"
             "  exploit 0 (1.3) from 1/1 at 5, 0.1 < 0.9\n"
             "  (dropped)\n"
             "look 0\n"
             "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 x=0.5\n"
             "answer 0 x=0.75 ask=13\n"
             "  (dropped)\n");
}

static void an_answer_to_another_ask_is_dropped(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.custom_explore = true;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         ". result 0 it=5 score=0.1\n"
         "answer 0 x=0.5 ask=3\n"
         "  (dropped)\n"
         "look 0\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=0 failures=0 x=0.548\n");
}

static void the_loss_of_the_donor_cancels_the_ask(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    s.custom_explore = true;
    play(&s, ". open 3\n"
             ". ready 0-2\n"
             ". result 1 it=5 score=0.5\n"
             ". saved 1\n"
             ". result 2 it=5 score=0.9\n"
             ". saved 2\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  ask 0: from 2/1 at 5, 0.1 < 0.9\n"
             "bad 2/1\n"
             "  pass 0: no donor has a finite score and its checkpoint\n"
             "  save 0/1\n"
             "owed 0\n"
             "  save 0 0/1\n"
             "answer 0 x=0.5\n"
             "  (dropped)\n");
}

static void the_loss_of_one_donor_leads_to_another(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    s.custom_explore = true;
    s.quantile_fraction = 0.5;
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             ". result 1 it=5 score=0.5\n"
             ". saved 1\n"
             ". result 2 it=5 score=0.8\n"
             ". saved 2\n"
             ". result 3 it=5 score=0.9\n"
             ". saved 3\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  ask 0: from 2/1 at 5, 0.1 < 0.8\n"
             "bad 2/1\n"
             "  ask 0: from 3/1 at 5, 0.1 < 0.9\n"
             "answer 0 x=0.5\n"
             "  exploit 0 (1.5) from 3/1 at 5, 0.1 < 0.9\n"
             "bad 3/1\n"
             "  leave 0: respawn\n");
}

static void a_crash_while_asking_goes_back(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.custom_explore = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             ". result 0 it=5 score=0.1\n"
             "exited 0\n"
             "  exit 0: retry\n"
             "  start 0 (1.3)\n"
             "look 0\n"
             "  RUNNING it=0 score=- pair=none exploits=0 failures=1 x=0.548\n"
             "answer 0 x=0.5\n"
             "  (dropped)\n"
             "checkpoints 1\n"
             "  1/1 at 5, pins 4\n");
}

static void it_is_asked_again_after_reopening(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.custom_explore = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  ask 0: from 1/1 at 5, 0.1 < 0.9\n"
             "reopen 2\n"
             "  start 1 (2.1) from 1/1 at 5\n"
             "answer 0 x=0.5\n"
             "  exploit 0 (2.2) from 1/1 at 5, 0.1 < 0.9\n"
             "  start 0 (2.3) from 1/1 at 5\n");
}

/* Its process is gone, and with it where it was: what it can start from is left. */
static void a_failed_answer_after_reopening_goes_back(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.custom_explore = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             ". result 0 it=5 score=0.1\n"
             ". reopen 2\n"
             "answer 0 failed\n"
             "  pass 0: a function that was asked failed\n"
             "  start 0 (2.2)\n");
}

static void an_end_does_not_wait_for_the_answer(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.custom_explore = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             ". result 0 it=5 score=0.1\n"
             "stop\n"
             "  end: interrupted\n"
             "  save 0/1\n"
             "answer 0 x=0.5\n"
             "  (dropped)\n"
             "saved 0\n"
             "  leave 0: pause\n"
             "exited 0\n"
             "  exit 0: pause\n");
}

static void an_end_for_good_does_not_either(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.custom_explore = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             ". result 0 it=5 score=0.1\n"
             "time_up\n"
             "  end: time_budget\n"
             "  leave 0: terminate\n"
             "exited 0\n"
             "  exit 0: terminate\n");
}

static void the_score_is_that_of_the_moment_of_asking(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.custom_explore = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  ask 0: from 1/1 at 5, 0.1 < 0.9\n"
             ". result 1 it=10 score=2\n"
             ". saved 1\n"
             "answer 0 x=0.5\n"
             "  exploit 0 (1.3) from 1/1 at 5, 0.1 < 0.9\n");
}

static void two_ask_at_once(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    s.custom_explore = true;
    s.quantile_fraction = 0.5;
    play(&s,
         ". open 4\n"
         ". ready 0-3\n"
         ". result 2-3 it=5 score=0.9\n"
         ". saved 2-3\n"
         "result 0-1 it=5 score=0.1\n"
         "  point 0\n"
         "  point 1\n"
         "  ask 0: from 3/1 at 5, 0.1 < 0.9\n"
         "  ask 1: from 3/1 at 5, 0.1 < 0.9\n"
         "owed 0-1\n"
         "  ask 0\n"
         "  ask 1\n"
         "answer 1 x=0.75\n"
         "  exploit 1 (1.5) from 3/1 at 5, 0.1 < 0.9\n"
         "answer 0 x=0.25\n"
         "  exploit 0 (1.6) from 3/1 at 5, 0.1 < 0.9\n"
         "look 0-1\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 x=0.25\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 x=0.75\n");
}

static void an_answer_may_pause(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    s.custom_explore = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             ". exited 1\n"
             ". ready 2\n"
             ". result 2 it=1\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  ask 0: from 1/1 at 5, 0.1 < 0.9\n"
             "capacity 1\n"
             "answer 0 x=0.5\n"
             "  exploit 0 (1.4) from 1/1 at 5, 0.1 < 0.9, pauses\n"
             "exited 0\n"
             "  exit 0: pause\n"
             "look 0\n"
             "  PAUSED it=5 score=0.1 pair=none exploits=1 failures=0 x=0.5\n");
}

/* x comes from a function, at first and when it is drawn anew. */
static struct pbt_settings asked_settings(uint32_t population, double resample)
{
    static struct pbt_param asked = {
        .name = "x",
        .mutation = PBT_MUTATION_DOMAIN,
        .mutations = {.kind = PBT_DOMAIN_FUNCTION, .function = "f"}};
    struct pbt_settings s = trace_settings(population);
    s.space.params = &asked;
    s.explore.resample_probability = resample;
    return s;
}

static void first_values_are_asked_for_one_after_the_other(void **state)
{
    (void)state;
    struct pbt_settings s = asked_settings(2, 0);
    play(&s, "open 2\n"
             "  ask 0: first values\n"
             "owed 0\n"
             "  ask 0\n"
             "owed 1\n"
             "  none 1\n"
             "answer 0 x=0.5\n"
             "  trial 0 x=0.5\n"
             "  ask 1: first values\n"
             "  start 0 (1.1)\n"
             "owed 0\n"
             "  start 0\n"
             "owed 1\n"
             "  ask 1\n"
             "answer 1 x=0.25\n"
             "  trial 1 x=0.25\n"
             "  start 1 (1.2)\n"
             "look 1\n"
             "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.25\n");
}

static void an_open_first_ask_is_asked_again(void **state)
{
    (void)state;
    struct pbt_settings s = asked_settings(2, 0);
    play(&s, "open 2\n"
             "  ask 0: first values\n"
             "answer 0 x=0.5\n"
             "  trial 0 x=0.5\n"
             "  ask 1: first values\n"
             "  start 0 (1.1)\n"
             "open 2\n"
             "  start 0 (2.1)\n"
             "owed 1\n"
             "  ask 1\n"
             "stop\n"
             "  end: interrupted\n"
             "  leave 0: pause\n"
             "open 2\n"
             "  start 0 (3.1)\n"
             "owed 1\n"
             "  ask 1\n"
             "answer 1 x=0.25\n"
             "  trial 1 x=0.25\n"
             "  start 1 (3.2)\n"
             "look 1\n"
             "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.25\n");
}

static void a_request_before_there_are_first_values_holds(void **state)
{
    (void)state;
    struct pbt_settings s = asked_settings(2, 0);
    play(&s,
         "open 2\n"
         "  ask 0: first values\n"
         "stop 0\n"
         "pause 1\n"
         "answer 0 x=0.5\n"
         "  trial 0 x=0.5\n"
         "  ask 1: first values\n"
         "look 0\n"
         "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.5\n"
         "answer 1 x=0.25\n"
         "  trial 1 x=0.25\n"
         "look 1\n"
         "  PAUSED held it=0 score=- pair=none exploits=0 failures=0 x=0.25\n"
         "resume 1\n"
         "  start 1 (1.1)\n");
}

static void without_a_first_value_nothing_begins(void **state)
{
    (void)state;
    struct pbt_settings s = asked_settings(2, 0);
    play(&s, "open 2\n"
             "  ask 0: first values\n"
             "answer 0 failed\n"
             "  end: failed\n"
             "open 2\n"
             "owed 0\n"
             "  ask 0\n"
             "answer 0 x=0.5\n"
             "  trial 0 x=0.5\n"
             "  ask 1: first values\n"
             "  start 0 (2.1)\n"
             "time_up\n"
             "  end: time_budget\n"
             "  leave 0: terminate\n"
             "answer 1 x=0.25\n"
             "  (dropped)\n"
             "open 2\n");
}

static void exploring_asks_where_a_value_is_drawn_anew(void **state)
{
    (void)state;
    struct pbt_settings s = asked_settings(2, 0);
    play(&s,
         ". open 2\n"
         ". answer 0 x=0.5\n"
         ". answer 1 x=0.25\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  exploit 0 (1.3) from 1/1 at 5, 0.1 < 0.9\n"
         "look 0\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 x=0.3\n");
    s = asked_settings(2, 1);
    play(&s, ". open 2\n"
             ". answer 0 x=0.5\n"
             ". answer 1 x=0.25\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  ask 0: from 1/1 at 5, 0.1 < 0.9\n"
             "answer 0 x=0.75\n"
             "  exploit 0 (1.3) from 1/1 at 5, 0.1 < 0.9\n"
             "look 0\n"
             "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 "
             "x=0.75\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_values_are_asked_for_one_after_the_other),
        cmocka_unit_test(an_open_first_ask_is_asked_again),
        cmocka_unit_test(a_request_before_there_are_first_values_holds),
        cmocka_unit_test(without_a_first_value_nothing_begins),
        cmocka_unit_test(exploring_asks_where_a_value_is_drawn_anew),
        cmocka_unit_test(an_answer_is_the_new_configuration),
        cmocka_unit_test(one_exploit_asks_once),
        cmocka_unit_test(an_ask_pins_what_it_needs),
        cmocka_unit_test(without_an_answer_the_trial_goes_on_as_it_is),
        cmocka_unit_test(an_answer_comes_once),
        cmocka_unit_test(an_answer_to_another_ask_is_dropped),
        cmocka_unit_test(the_loss_of_the_donor_cancels_the_ask),
        cmocka_unit_test(the_loss_of_one_donor_leads_to_another),
        cmocka_unit_test(a_crash_while_asking_goes_back),
        cmocka_unit_test(it_is_asked_again_after_reopening),
        cmocka_unit_test(a_failed_answer_after_reopening_goes_back),
        cmocka_unit_test(an_end_does_not_wait_for_the_answer),
        cmocka_unit_test(an_end_for_good_does_not_either),
        cmocka_unit_test(the_score_is_that_of_the_moment_of_asking),
        cmocka_unit_test(two_ask_at_once),
        cmocka_unit_test(an_answer_may_pause),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
