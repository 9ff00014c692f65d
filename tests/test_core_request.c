/*
 * What the user asks of single trials, as stories: to pause, to go on, to end for good, at
 * every moment of a trial's life.  How to read them: trace.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace.h"

static void a_pause_halts_saves_and_gives_the_slot_to_another(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         "result 0 it=2 score=0.5 running\n"
         "pause 0\n"
         "owed 0\n"
         "  halt 0\n"
         "result 0 it=3 score=0.5\n"
         "  save 0/1\n"
         "owed 0\n"
         "  save 0 0/1\n"
         "saved 0\n"
         "  pause 0\n"
         "owed 0\n"
         "  stop 0\n"
         "exited 0\n"
         "  exit 0: pause\n"
         "  start 2 (1.3)\n"
         "look 0\n"
         "  PAUSED held it=3 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "look 2\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.7606\n");
}

static void a_paused_trial_goes_on_from_there_when_it_is_resumed(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". pause 0\n"
         ". result 0 it=3 score=0.5\n"
         ". saved 0\n"
         ". exited 0\n"
         "look 0\n"
         "  PAUSED held it=3 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "capacity 3\n"
         "resume 0\n"
         "  start 0 (1.3) from 0/1 at 3\n"
         ". ready 0\n"
         "owed 0\n"
         "  run 0 until 5\n");
}

static void what_was_resumed_while_it_left_starts_again(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". pause 0\n"
             ". result 0 it=3 score=0.5\n"
             "saved 0\n"
             "  pause 0\n"
             "resume 0\n"
             "exited 0\n"
             "  exit 0: pause\n"
             "  start 0 (1.3) from 0/1 at 3\n");
}

static void a_request_that_has_its_way_already_is_none(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 3};
    s.stop_count = 1;
    play(&s, ". open 1\n"
             ". ready 0\n"
             "resume 0\n"
             "  (dropped)\n"
             "pause 1\n"
             "pause 1\n"
             "  (dropped)\n"
             "resume 1\n"
             "result 0 it=3 score=0.5\n"
             "  stop 0\n"
             "  leave 0: terminate\n"
             "pause 0\n"
             "  (dropped)\n"
             "exited 0\n"
             "  exit 0: terminate\n"
             "  start 1 (1.2)\n"
             "pause 0\n"
             "  (dropped)\n"
             "resume 0\n"
             "  (dropped)\n"
             "stop 0\n"
             "  (dropped)\n");
}

static void a_trial_that_waits_for_a_slot_is_paused_at_once(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 3};
    s.stop_count = 1;
    play(&s,
         ". open 1\n"
         ". ready 0\n"
         "pause 1\n"
         "look 1\n"
         "  PAUSED held it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
         "result 0 it=3 score=0.5\n"
         "  stop 0\n"
         "  leave 0: terminate\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "resume 1\n"
         "  start 1 (1.2)\n"
         "look 1\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n");
}

static void a_halt_between_two_points_ranks_nobody(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=5 score=0.5\n"
         ". saved 0\n"
         "pause 0\n"
         "result 0 it=6 score=0.9\n"
         "  save 0/2\n"
         "saved 0\n"
         "  pause 0\n"
         "exited 0\n"
         "  exit 0: pause\n"
         "resume 0\n"
         "  start 0 (1.3) from 0/2 at 6\n"
         "look 0\n"
         "  RUNNING it=6 score=0.5 pair=0/1 exploits=0 failures=0 x=0.548\n");
}

static void at_rest_with_nothing_new_it_leaves_without_a_save(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(
        &s,
        ". open 2\n"
        ". ready 0-1\n"
        "pause 0\n"
        "owed 0\n"
        "  halt 0\n"
        "halted 0\n"
        "  leave 0: pause\n"
        "owed 0\n"
        "  stop 0\n"
        "exited 0\n"
        "  exit 0: pause\n"
        "look 0\n"
        "  PAUSED held it=0 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void one_that_sets_up_or_loads_is_ended_and_has_not_failed(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.max_failures = 0;
    play(
        &s,
        ". open 2\n"
        "pause 0\n"
        "  leave 0: pause\n"
        "owed 0\n"
        "  kill 0\n"
        "exited 0\n"
        "  exit 0: pause\n"
        "look 0\n"
        "  PAUSED held it=0 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void a_pause_in_mid_save_waits_for_the_save(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=5 score=0.5\n"
             "  point 0\n"
             "  save 0/1\n"
             "pause 0\n"
             "owed 0\n"
             "  save 0 0/1\n"
             "saved 0\n"
             "  pause 0\n");
}

static void at_its_point_it_is_compared_first(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             ". result 1-3 it=5 score=0.5\n"
             ". result 0 it=4 score=0.1 running\n"
             "pause 0\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  save 1/1\n"
             "saved 1-3\n"
             "  exploit 0 (1.5) from 3/1 at 5, 0.1 < 0.5, pauses\n"
             "exited 0\n"
             "  exit 0: pause\n"
             "look 0\n"
             "  PAUSED held it=5 score=- pair=none exploits=1 failures=0 x=1\n"
             "resume 0\n"
             "  start 0 (1.6) from 3/1 at 5\n");
}

static void a_load_after_an_exploit_is_broken_off_and_done_again(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             ". result 1-3 it=5 score=0.5\n"
             ". saved 1-3\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  exploit 0 (1.6) from 3/1 at 5, 0.1 < 0.5\n"
             "owed 0\n"
             "  load 0 3/1\n"
             "pause 0\n"
             "  leave 0: pause\n"
             "owed 0\n"
             "  kill 0\n"
             "exited 0\n"
             "  exit 0: pause\n"
             "look 0\n"
             "  PAUSED held it=5 score=- pair=none exploits=1 failures=0 x=1\n"
             "resume 0\n"
             "  start 0 (1.7) from 3/1 at 5\n");
}

static void resumed_before_it_halts_it_saves_all_the_same(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=2 score=0.5 running\n"
             "pause 0\n"
             "resume 0\n"
             "owed 0\n"
             "  halt 0\n"
             "result 0 it=3 score=0.5 halted\n"
             "  save 0/1\n"
             "owed 0\n"
             "  save 0 0/1\n"
             "saved 0\n"
             "owed 0\n"
             "  run 0 until 5\n");
}

static void a_second_pause_is_no_second_halt(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=2 score=0.5 running\n"
             "pause 0; resume 0; pause 0\n"
             "owed 0\n"
             "  halt 0\n"
             "result 0 it=3 score=0.5\n"
             "  save 0/1\n"
             "saved 0\n"
             "  pause 0\n");
}

static void
halted_resumed_and_paused_in_one_batch_it_is_halted_again(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". pause 0\n"
             "halted 0; resume 0; pause 0\n"
             "owed 0\n"
             "  halt 0\n"
             "halted 0\n"
             "  leave 0: pause\n"
             "exited 0\n"
             "  exit 0: pause\n");
}

static void
one_that_dies_while_it_halts_goes_back_and_stays_paused(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.checkpoint_frequency = 1;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=1\n"
         ". result 0 it=1\n"
         ". saved 0\n"
         "pause 0\n"
         "exited 0\n"
         "  exit 0: retry\n"
         "look 0\n"
         "  PAUSED held it=1 score=- pair=none exploits=0 failures=1 x=0.548\n"
         "resume 0\n"
         "  start 0 (1.3) from 0/1 at 1\n");
}

static void a_pause_outlives_the_driver(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". pause 0\n"
         ". result 0 it=3 score=0.5\n"
         "saved 0\n"
         "  pause 0\n"
         "reopen 3\n"
         "  start 1 (2.1)\n"
         "  start 2 (2.2)\n"
         "look 0\n"
         "  PAUSED held it=3 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "stop\n"
         "  end: interrupted\n"
         "  leave 1: pause\n"
         "  leave 2: pause\n"
         "exited 1-2\n"
         "  exit 1: pause\n"
         "  exit 2: pause\n"
         "reopen 3\n"
         "  start 1 (3.1)\n"
         "  start 2 (3.2)\n"
         "resume 0\n"
         "  start 0 (3.3) from 0/1 at 3\n");
}

static void
a_pause_that_was_asked_for_holds_even_if_the_driver_dies_first(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(
        &s,
        ". open 2\n"
        ". ready 0-1\n"
        ". result 0 it=2 score=0.5 running\n"
        "pause 0\n"
        "reopen 2\n"
        "  start 1 (2.1)\n"
        "look 0\n"
        "  PAUSED held it=0 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void
an_interruption_of_a_trial_that_pauses_leaves_it_paused(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0-1 it=2 score=0.5 running\n"
             "pause 0\n"
             "stop\n"
             "  end: interrupted\n"
             "result 0-1 it=3 score=0.5\n"
             "  save 0/1\n"
             "  save 1/1\n"
             "saved 0-1\n"
             "  leave 0: pause\n"
             "  leave 1: pause\n"
             "exited 0-1\n"
             "  exit 0: pause\n"
             "  exit 1: pause\n"
             "reopen 2\n"
             "  start 1 (2.1) from 1/1 at 3\n");
}

static void
an_interruption_in_the_batch_of_the_halt_is_not_waited_for(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=2 score=0.5 running\n"
             ". pause 0\n"
             "result 0 it=3 score=0.5; stop\n"
             "  end: interrupted\n"
             "  save 0/1\n"
             "owed 0\n"
             "  save 0 0/1\n");
}

static void with_all_paused_it_waits_and_can_be_stopped(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         "pause 0-1\n"
         ". halted 0-1\n"
         ". exited 0-1\n"
         "look 0-1\n"
         "  PAUSED held it=0 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "  PAUSED held it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
         "stop\n"
         "  end: interrupted\n"
         "reopen 2\n"
         "resume 0-1\n"
         "  start 0 (2.1)\n"
         "  start 1 (2.2)\n");
}

static void what_is_paused_neither_counts_nor_gives(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    play(&s,
         ". open 4\n"
         ". ready 0-3\n"
         ". result 3 it=5 score=0.9\n"
         ". saved 3\n"
         "pause 3\n"
         "halted 3\n"
         "  leave 3: pause\n"
         "look 3\n"
         "  RUNNING held it=5 score=0.9 pair=3/1 exploits=0 failures=0 "
         "x=0.8905\n"
         "exited 3\n"
         "  exit 3: pause\n"
         "look 3\n"
         "  PAUSED held it=5 score=- pair=3/1 exploits=0 failures=0 x=0.8905\n"
         ". result 1-2 it=5 score=0.5\n"
         ". saved 1-2\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  exploit 0 (1.6) from 2/1 at 5, 0.1 < 0.5\n"
         ". capacity 5\n"
         "resume 3\n"
         "  start 3 (1.7) from 3/1 at 5\n"
         "look 3\n"
         "  RUNNING it=5 score=0.9 pair=3/1 exploits=0 failures=0 x=0.8905\n");
}

static void who_waits_for_a_save_of_one_that_pauses_gets_it(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.quantile_fraction = 0.5;
    play(
        &s,
        ". open 2\n"
        ". ready 0-1\n"
        ". result 1 it=5 score=0.9\n"
        "pause 1\n"
        "result 0 it=5 score=0.1\n"
        "  point 0\n"
        "saved 1\n"
        "  pause 1\n"
        "  exploit 0 (1.3) from 1/1 at 5, 0.1 < 0.9\n"
        "exited 1\n"
        "  exit 1: pause\n"
        "look 1\n"
        "  PAUSED held it=5 score=- pair=1/1 exploits=0 failures=0 x=0.3718\n");
}

static void a_pause_in_mid_ask_waits_for_the_answer(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    s.custom_explore = true;
    play(&s,
         ". open 4\n"
         ". ready 0-3\n"
         ". result 1-3 it=5 score=0.5\n"
         ". saved 1-3\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  ask 0: from 3/1 at 5, 0.1 < 0.5\n"
         "pause 0\n"
         "owed 0\n"
         "  ask 0\n"
         "answer 0 x=0.7\n"
         "  exploit 0 (1.5) from 3/1 at 5, 0.1 < 0.5, pauses\n"
         "exited 0\n"
         "  exit 0: pause\n"
         "look 0\n"
         "  PAUSED held it=5 score=- pair=none exploits=1 failures=0 x=0.7\n");
}

static void a_pause_in_mid_ask_saves_if_the_answer_fails(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    s.custom_explore = true;
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             ". result 1-3 it=5 score=0.5\n"
             ". saved 1-3\n"
             ". result 0 it=5 score=0.1\n"
             "pause 0\n"
             "answer 0 failed\n"
             "  pass 0: a function that was asked failed\n"
             "  save 0/1\n"
             "saved 0\n"
             "  pause 0\n");
}

static void a_paused_trial_is_asked_about_again_after_a_resume(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    s.custom_explore = true;
    play(&s,
         ". open 4\n"
         ". ready 0-3\n"
         ". result 1-3 it=5 score=0.5\n"
         ". saved 1-3\n"
         ". result 0 it=5 score=0.1\n"
         ". pause 0\n"
         "reopen 4\n"
         "  start 2 (2.1) from 2/1 at 5\n"
         "  start 3 (2.2) from 3/1 at 5\n"
         "owed 0\n"
         "  ask 0\n"
         "answer 0 x=0.7\n"
         "  exploit 0 (2.3) from 3/1 at 5, 0.1 < 0.5\n"
         "look 0\n"
         "  PAUSED held it=5 score=- pair=none exploits=1 failures=0 x=0.7\n"
         "resume 0\n"
         "  start 0 (2.4) from 3/1 at 5\n");
}

static void a_stop_ends_the_trial_at_its_next_halt(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         "result 0 it=2 score=0.5 running\n"
         "stop 0\n"
         "owed 0\n"
         "  halt 0\n"
         "result 0 it=3 score=0.5\n"
         "  leave 0: terminate\n"
         "owed 0\n"
         "  stop 0\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "  start 2 (1.3)\n"
         "look 0\n"
         "  TERMINATED it=3 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void a_stop_saves_if_at_end_says_so(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.checkpoint_at_end = true;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=2 score=0.5 running\n"
         "stop 0\n"
         "result 0 it=3 score=0.5\n"
         "  save 0/1\n"
         "saved 0\n"
         "  leave 0: terminate\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "look 0\n"
         "  TERMINATED it=3 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void who_has_no_process_ends_at_once(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    play(&s,
         ". open 1\n"
         ". ready 0\n"
         ". pause 0\n"
         ". halted 0\n"
         ". exited 0\n"
         "stop 0\n"
         "stop 2\n"
         "look 0\n"
         "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "look 2\n"
         "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.7606\n"
         "pause 0\n"
         "  (dropped)\n");
}

static void one_that_sets_up_or_loads_is_ended(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         "stop 0\n"
         "  leave 0: terminate\n"
         "owed 0\n"
         "  kill 0\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "look 0\n"
         "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void a_stop_in_mid_save_waits_for_the_save(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=5 score=0.5\n"
         "stop 0\n"
         "owed 0\n"
         "  save 0 0/1\n"
         "saved 0\n"
         "  leave 0: terminate\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "look 0\n"
         "  TERMINATED it=5 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void a_stop_at_the_point_needs_no_halt(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.quantile_fraction = 0.5;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "stop 0\n"
             "  leave 0: terminate\n"
             "exited 0\n"
             "  exit 0: terminate\n");
}

static void a_stop_in_mid_ask_does_not_wait_for_the_answer(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    s.custom_explore = true;
    play(&s,
         ". open 4\n"
         ". ready 0-3\n"
         ". result 1-3 it=5 score=0.5\n"
         ". saved 1-3\n"
         ". result 0 it=5 score=0.1\n"
         "stop 0\n"
         "  leave 0: terminate\n"
         "answer 0 x=0.7\n"
         "  (dropped)\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "look 0\n"
         "  TERMINATED it=5 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void
a_stop_of_one_asked_about_without_a_process_ends_it_at_once(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    s.custom_explore = true;
    play(&s,
         ". open 4\n"
         ". ready 0-3\n"
         ". result 1-3 it=5 score=0.5\n"
         ". saved 1-3\n"
         ". result 0 it=5 score=0.1\n"
         ". reopen 4\n"
         "stop 0\n"
         "answer 0 x=0.7\n"
         "  (dropped)\n"
         "look 0\n"
         "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void a_stopped_trial_that_dies_is_not_tried_again(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.checkpoint_frequency = 1;
    s.checkpoint_at_end = true;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=1\n"
         ". saved 0\n"
         "stop 0\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "look 0\n"
         "  TERMINATED it=1 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void a_stopped_trial_is_over_for_the_next_driver_too(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.checkpoint_at_end = true;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=2 score=0.5 running\n"
         "stop 0\n"
         "reopen 2\n"
         "  start 1 (2.1)\n"
         "look 0\n"
         "  TERMINATED it=2 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void a_stop_on_top_of_a_pause_ends_it(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=2 score=0.5 running\n"
         "pause 0; stop 0\n"
         "owed 0\n"
         "  halt 0\n"
         "result 0 it=3 score=0.5\n"
         "  leave 0: terminate\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "look 0\n"
         "  TERMINATED it=3 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void a_stop_while_it_leaves_to_pause_ends_it(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". pause 0\n"
         ". halted 0\n"
         "stop 0\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "look 0\n"
         "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void a_stop_in_an_interruption_ends_that_trial_for_good(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0-1 it=2 score=0.5 running\n"
         "stop\n"
         "  end: interrupted\n"
         "stop 0\n"
         "result 0-1 it=3 score=0.5\n"
         "  leave 0: terminate\n"
         "  save 1/1\n"
         "saved 1\n"
         "  leave 1: pause\n"
         "exited 0-1\n"
         "  exit 0: terminate\n"
         "  exit 1: pause\n"
         "reopen 2\n"
         "  start 1 (2.1) from 1/1 at 3\n"
         "look 0-1\n"
         "  TERMINATED it=3 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "  RUNNING it=3 score=- pair=none exploits=0 failures=0 x=0.3718\n");
}

static void when_all_are_stopped_the_run_is_over(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "stop 0-1\n"
             "halted 0-1\n"
             "  leave 0: terminate\n"
             "  leave 1: terminate\n"
             "exited 0-1\n"
             "  exit 0: terminate\n"
             "  exit 1: terminate\n"
             "reopen 2\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pause_halts_saves_and_gives_the_slot_to_another),
        cmocka_unit_test(a_paused_trial_goes_on_from_there_when_it_is_resumed),
        cmocka_unit_test(what_was_resumed_while_it_left_starts_again),
        cmocka_unit_test(a_request_that_has_its_way_already_is_none),
        cmocka_unit_test(a_trial_that_waits_for_a_slot_is_paused_at_once),
        cmocka_unit_test(a_halt_between_two_points_ranks_nobody),
        cmocka_unit_test(at_rest_with_nothing_new_it_leaves_without_a_save),
        cmocka_unit_test(one_that_sets_up_or_loads_is_ended_and_has_not_failed),
        cmocka_unit_test(a_pause_in_mid_save_waits_for_the_save),
        cmocka_unit_test(at_its_point_it_is_compared_first),
        cmocka_unit_test(a_load_after_an_exploit_is_broken_off_and_done_again),
        cmocka_unit_test(resumed_before_it_halts_it_saves_all_the_same),
        cmocka_unit_test(a_second_pause_is_no_second_halt),
        cmocka_unit_test(
            halted_resumed_and_paused_in_one_batch_it_is_halted_again),
        cmocka_unit_test(
            one_that_dies_while_it_halts_goes_back_and_stays_paused),
        cmocka_unit_test(a_pause_outlives_the_driver),
        cmocka_unit_test(
            a_pause_that_was_asked_for_holds_even_if_the_driver_dies_first),
        cmocka_unit_test(
            an_interruption_of_a_trial_that_pauses_leaves_it_paused),
        cmocka_unit_test(
            an_interruption_in_the_batch_of_the_halt_is_not_waited_for),
        cmocka_unit_test(with_all_paused_it_waits_and_can_be_stopped),
        cmocka_unit_test(what_is_paused_neither_counts_nor_gives),
        cmocka_unit_test(who_waits_for_a_save_of_one_that_pauses_gets_it),
        cmocka_unit_test(a_pause_in_mid_ask_waits_for_the_answer),
        cmocka_unit_test(a_pause_in_mid_ask_saves_if_the_answer_fails),
        cmocka_unit_test(a_paused_trial_is_asked_about_again_after_a_resume),
        cmocka_unit_test(a_stop_ends_the_trial_at_its_next_halt),
        cmocka_unit_test(a_stop_saves_if_at_end_says_so),
        cmocka_unit_test(who_has_no_process_ends_at_once),
        cmocka_unit_test(one_that_sets_up_or_loads_is_ended),
        cmocka_unit_test(a_stop_in_mid_save_waits_for_the_save),
        cmocka_unit_test(a_stop_at_the_point_needs_no_halt),
        cmocka_unit_test(a_stop_in_mid_ask_does_not_wait_for_the_answer),
        cmocka_unit_test(
            a_stop_of_one_asked_about_without_a_process_ends_it_at_once),
        cmocka_unit_test(a_stopped_trial_that_dies_is_not_tried_again),
        cmocka_unit_test(a_stopped_trial_is_over_for_the_next_driver_too),
        cmocka_unit_test(a_stop_on_top_of_a_pause_ends_it),
        cmocka_unit_test(a_stop_while_it_leaves_to_pause_ends_it),
        cmocka_unit_test(a_stop_in_an_interruption_ends_that_trial_for_good),
        cmocka_unit_test(when_all_are_stopped_the_run_is_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
