/*
 * Ends, as stories: a trial that is done, stop and stop_all, the time budget, interruptions, and
 * what is left of all that after a resume.  How to read them: trace.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace.h"

static void a_stop_ends_the_trial_and_no_other(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 8};
    s.stop_count = 1;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=5 score=0.5\n"
         ". saved 0\n"
         "result 0 it=8 score=0.5\n"
         "  stop 0\n"
         "  leave 0: terminate\n"
         "owed 0\n"
         "  stop 0\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "owed 1\n"
         "  run 1 until 5\n"
         "look 0\n"
         "  TERMINATED it=8 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void at_end_saves_before_it_ends(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 8};
    s.stop_count = 1;
    s.checkpoint_at_end = true;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=8 score=0.5\n"
             "  stop 0\n"
             "  save 0/1\n"
             "saved 0\n"
             "  leave 0: terminate\n"
             "exited 0\n"
             "  exit 0: terminate\n"
             "checkpoints 0\n"
             "  0/1 at 8, pins 2\n");
}

static void at_end_saves_nothing_twice(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 8};
    s.stop_count = 1;
    s.checkpoint_at_end = true;
    s.checkpoint_frequency = 8;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=8 score=0.5\n"
             "  stop 0\n"
             "  save 0/1\n"
             "saved 0\n"
             "  leave 0: terminate\n"
             "owed 0\n"
             "  stop 0\n");
}

static void a_trainable_may_say_that_it_is_done(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         "result 0 it=3 score=0.5 done\n"
         "  done 0\n"
         "  leave 0: terminate\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "look 0\n"
         "  TERMINATED it=3 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void done_in_mid_run_is_halted_first(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=3 score=0.5 done running\n"
             "  done 0\n"
             "owed 0\n"
             "  halt 0\n"
             "halted 0\n"
             "  leave 0: terminate\n"
             "owed 0\n"
             "  stop 0\n");
}

static void
a_process_that_ends_by_itself_when_all_is_done_is_no_failure(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.max_failures = 0;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         "result 0 it=3 score=0.5 done; exited 0\n"
         "  done 0\n"
         "  exit 0: terminate\n"
         "look 0\n"
         "  TERMINATED it=3 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void
what_is_to_be_saved_at_the_end_is_a_failure_if_it_is_not(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.checkpoint_at_end = true;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         "result 0 it=3 score=0.5 done; exited 0\n"
         "  done 0\n"
         "  exit 0: retry\n"
         "  start 0 (1.3)\n"
         "look 0\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=1 x=0.548\n");
}

static void a_finished_trial_is_not_trained_on_after_a_resume(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 8};
    s.stop_count = 1;
    s.checkpoint_at_end = true;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=8 score=0.5\n"
         "saved 0\n"
         "  leave 0: terminate\n"
         "cut 1\n"
         "reopen 2\n"
         "  start 1 (2.1)\n"
         "look 0\n"
         "  TERMINATED it=8 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void a_stop_on_a_metric_makes_grants_of_one_step(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] =
        (struct pbt_stop){.source = PBT_STOP_VALUE, .bound = 0.9, .all = true};
    s.stop_count = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "owed 0\n"
             "  run 0 until 1\n"
             "result 0 it=1 v0=0.5\n"
             "owed 0\n"
             "  run 0 until 2\n");
}

static void stop_all_ends_the_others_at_their_next_halt(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    s.stops[0] =
        (struct pbt_stop){.source = PBT_STOP_VALUE, .bound = 0.9, .all = true};
    s.stop_count = 1;
    s.checkpoint_at_end = true;
    play(
        &s,
        ". open 2\n"
        ". ready 0-1\n"
        "result 0 it=1 v0=0.95\n"
        "  stop_all 0\n"
        "  end: stop_all\n"
        "  save 0/1\n"
        "owed 0-1\n"
        "  save 0 0/1\n"
        "  halt 1\n"
        "saved 0\n"
        "  leave 0: terminate\n"
        "exited 0\n"
        "  exit 0: terminate\n"
        "result 1 it=1 v0=0.1\n"
        "  save 1/1\n"
        "saved 1\n"
        "  leave 1: terminate\n"
        "exited 1\n"
        "  exit 1: terminate\n"
        "look 0-2\n"
        "  TERMINATED it=1 score=- pair=none exploits=0 failures=0 x=0.548\n"
        "  TERMINATED it=1 score=- pair=none exploits=0 failures=0 x=0.3718\n"
        "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.7606\n");
}

static void stop_all_without_at_end_saves_nothing(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] =
        (struct pbt_stop){.source = PBT_STOP_VALUE, .bound = 0.9, .all = true};
    s.stop_count = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=1 v0=0.95\n"
             "  stop_all 0\n"
             "  end: stop_all\n"
             "  leave 0: terminate\n"
             "result 1 it=1\n"
             "  leave 1: terminate\n"
             "exited 0\n"
             "  exit 0: terminate\n"
             "exited 1\n"
             "  exit 1: terminate\n");
}

static void stop_all_ends_a_trial_that_waits_at_its_point(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] =
        (struct pbt_stop){.source = PBT_STOP_VALUE, .bound = 0.9, .all = true};
    s.stop_count = 1;
    s.quantile_fraction = 0.5;
    play(
        &s,
        ". open 2\n"
        ". ready 0-1\n"
        ". result 0 it=5 score=0.5\n"
        "result 1 it=5 score=0.2\n"
        "  point 1\n"
        "saved 0; result 0 it=6 v0=0.95\n"
        "  stop_all 0\n"
        "  end: stop_all\n"
        "  leave 0: terminate\n"
        "  leave 1: terminate\n"
        "exited 0-1\n"
        "  exit 0: terminate\n"
        "  exit 1: terminate\n"
        "look 0-1\n"
        "  TERMINATED it=6 score=- pair=none exploits=0 failures=0 x=0.548\n"
        "  TERMINATED it=5 score=- pair=none exploits=0 failures=0 x=0.3718\n");
}

static void a_trial_that_pauses_while_the_end_comes_is_terminated(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    s.stops[0] =
        (struct pbt_stop){.source = PBT_STOP_VALUE, .bound = 0.9, .all = true};
    s.stop_count = 1;
    play(
        &s,
        ". open 2\n"
        ". ready 0-1\n"
        ". result 0 it=5 score=0.5\n"
        "saved 0\n"
        "  pause 0\n"
        "result 1 it=1 v0=1\n"
        "  stop_all 1\n"
        "  end: stop_all\n"
        "  leave 1: terminate\n"
        "exited 0\n"
        "  exit 0: terminate\n"
        "exited 1\n"
        "  exit 1: terminate\n"
        "look 0-2\n"
        "  TERMINATED it=5 score=- pair=none exploits=0 failures=0 x=0.548\n"
        "  TERMINATED it=1 score=- pair=none exploits=0 failures=0 x=0.3718\n"
        "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.7606\n");
}

static void the_end_kills_who_has_not_started_yet(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] =
        (struct pbt_stop){.source = PBT_STOP_VALUE, .bound = 0.9, .all = true};
    s.stop_count = 1;
    play(
        &s,
        ". open 2\n"
        ". ready 0\n"
        "result 0 it=1 v0=1\n"
        "  stop_all 0\n"
        "  end: stop_all\n"
        "  leave 0: terminate\n"
        "  leave 1: terminate\n"
        "owed 1\n"
        "  kill 1\n"
        "exited 1\n"
        "  exit 1: terminate\n"
        "look 1\n"
        "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n");
}

static void nan_reaches_no_stop(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] =
        (struct pbt_stop){.source = PBT_STOP_VALUE, .bound = 0.9, .all = true};
    s.stop_count = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=1 v0=nan\n"
             "owed 0\n"
             "  run 0 until 2\n");
}

static void a_bound_from_above(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){
        .source = PBT_STOP_VALUE, .bound = 0.1, .at_most = true};
    s.stop_count = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=1 v0=0.2\n"
             "result 0 it=2 v0=0.1\n"
             "  stop 0\n"
             "  leave 0: terminate\n");
}

static void seconds_may_stop_too(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_SECONDS, .bound = 10};
    s.stop_count = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=1 t=9.5\n"
             "owed 0\n"
             "  run 0 until 2\n"
             "result 0 it=2 t=10\n"
             "  stop 0\n"
             "  leave 0: terminate\n");
}

static void the_time_budget_ends_the_experiment(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    s.checkpoint_at_end = true;
    play(
        &s,
        ". open 2\n"
        ". ready 0-1\n"
        ". result 0 it=2\n"
        "time_up\n"
        "  end: time_budget\n"
        "owed 0-1\n"
        "  halt 0\n"
        "  halt 1\n"
        "result 0 it=3\n"
        "  save 0/1\n"
        "saved 0\n"
        "  leave 0: terminate\n"
        "exited 0\n"
        "  exit 0: terminate\n"
        "halted 1\n"
        "  leave 1: terminate\n"
        "exited 1\n"
        "  exit 1: terminate\n"
        "look 0-2\n"
        "  TERMINATED it=3 score=- pair=none exploits=0 failures=0 x=0.548\n"
        "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
        "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.7606\n"
        "reopen 2\n"
        "look 0-2\n"
        "  TERMINATED it=3 score=- pair=none exploits=0 failures=0 x=0.548\n"
        "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
        "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.7606\n");
}

static void a_crash_after_the_end_is_not_tried_again(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=2\n"
         ". time_up\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "look 0\n"
         "  TERMINATED it=2 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void an_interruption_saves_and_can_be_resumed(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=2\n"
         "stop\n"
         "  end: interrupted\n"
         "owed 0-1\n"
         "  halt 0\n"
         "  halt 1\n"
         "result 0 it=3\n"
         "  save 0/1\n"
         "saved 0\n"
         "  leave 0: pause\n"
         "exited 0\n"
         "  exit 0: pause\n"
         "halted 1\n"
         "  leave 1: pause\n"
         "exited 1\n"
         "  exit 1: pause\n"
         "look 0-2\n"
         "  PAUSED it=3 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "  PAUSED it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
         "  PENDING it=0 score=- pair=none exploits=0 failures=0 x=0.7606\n"
         "reopen 2\n"
         "  start 1 (2.1)\n"
         "  start 2 (2.2)\n"
         "look 0-2\n"
         "  PAUSED it=3 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.7606\n");
}

static void a_second_interruption_is_no_news(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "stop\n"
             "  end: interrupted\n"
             "stop\n"
             "  (dropped)\n");
}

static void a_step_that_outlasts_the_grace_time_is_no_failure(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.max_failures = 0;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=5 score=0.5\n"
             ". saved 0\n"
             "stop\n"
             "  end: interrupted\n"
             "exited 0\n"
             "  exit 0: pause\n"
             "look 0\n"
             "  PAUSED it=5 score=0.5 pair=0/1 exploits=0 failures=0 x=0.548\n"
             "exited 1\n"
             "  exit 1: pause\n"
             "look 1\n"
             "  PAUSED it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
             "reopen 2\n"
             "  start 1 (2.1)\n"
             "  start 0 (2.2) from 0/1 at 5\n");
}

static void so_it_is_before_the_first_result(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "stop\n"
             "  end: interrupted\n"
             "exited 0-1\n"
             "  exit 0: pause\n"
             "  exit 1: pause\n"
             "look 0-1\n"
             "  PAUSED it=0 score=- pair=none exploits=0 failures=0 x=0.548\n"
             "  PAUSED it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
             "reopen 2\n"
             "  start 0 (2.1)\n"
             "  start 1 (2.2)\n");
}

static void a_bug_found_while_interrupting_is_tried_again(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 1\n"
             "exited 0; stop\n"
             "  exit 0: error\n"
             "  end: interrupted\n"
             "halted 1\n"
             "  leave 1: pause\n"
             "exited 1\n"
             "  exit 1: pause\n"
             "look 0-1\n"
             "  ERROR it=0 score=- pair=none exploits=0 failures=1 x=0.548\n"
             "  PAUSED it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
             "reopen 2\n"
             "  start 0 (2.1)\n"
             "  start 1 (2.2)\n");
}

static void a_bug_is_tried_again_though_its_end_was_not_recorded(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 1\n"
             "exited 0\n"
             "  exit 0: error\n"
             "  end: failed\n"
             "cut 1\n"
             "reopen 2\n"
             "  start 0 (2.1)\n"
             "  start 1 (2.2)\n");
}

static void a_trial_at_its_point_is_saved_when_interrupted(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". result 0 it=5 score=0.1\n"
             "stop\n"
             "  end: interrupted\n"
             "  save 0/1\n"
             "saved 0-1\n"
             "  leave 0: pause\n"
             "  leave 1: pause\n"
             "exited 0-1\n"
             "  exit 0: pause\n"
             "  exit 1: pause\n"
             "reopen 2\n"
             "  start 0 (2.1) from 0/1 at 5\n"
             "  start 1 (2.2) from 1/1 at 5\n"
             ". ready 0-1\n"
             "owed 0-1\n"
             "  run 0 until 10\n"
             "  run 1 until 10\n");
}

static void an_interruption_while_loading_keeps_the_exploit(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         ". result 0 it=5 score=0.1\n"
         "stop\n"
         "  end: interrupted\n"
         "  leave 0: pause\n"
         "owed 0\n"
         "  kill 0\n"
         "exited 0\n"
         "  exit 0: pause\n"
         "look 0\n"
         "  PAUSED it=5 score=0.1 pair=none exploits=1 failures=0 x=0.4462\n");
}

static void a_stop_reached_while_interrupted_still_counts(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 8};
    s.stop_count = 1;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=4\n"
         "stop\n"
         "  end: interrupted\n"
         "result 0 it=8\n"
         "  stop 0\n"
         "  leave 0: terminate\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "look 0\n"
         "  TERMINATED it=8 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void stop_all_reached_while_interrupted_still_counts(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    s.stops[0] =
        (struct pbt_stop){.source = PBT_STOP_VALUE, .bound = 0.9, .all = true};
    s.stop_count = 1;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=2\n"
         "stop\n"
         "  end: interrupted\n"
         "halted 1\n"
         "  leave 1: pause\n"
         "result 0 it=3 v0=1\n"
         "  stop_all 0\n"
         "  end: stop_all\n"
         "  leave 0: terminate\n"
         "exited 0-1\n"
         "  exit 0: terminate\n"
         "  exit 1: terminate\n"
         "look 0-2\n"
         "  TERMINATED it=3 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
         "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.7606\n"
         "reopen 2\n");
}

static void stop_all_in_the_batch_of_an_interruption(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    s.stops[0] =
        (struct pbt_stop){.source = PBT_STOP_VALUE, .bound = 0.9, .all = true};
    s.stop_count = 1;
    play(
        &s,
        ". open 2\n"
        ". ready 0-1\n"
        ". result 1 it=1\n"
        "stop; result 0 it=2 v0=1\n"
        "  end: interrupted\n"
        "  stop_all 0\n"
        "  end: stop_all\n"
        "  leave 0: terminate\n"
        "owed 0-1\n"
        "  stop 0\n"
        "  halt 1\n"
        "halted 1\n"
        "  leave 1: terminate\n"
        "exited 0-1\n"
        "  exit 0: terminate\n"
        "  exit 1: terminate\n"
        "look 0-2\n"
        "  TERMINATED it=2 score=- pair=none exploits=0 failures=0 x=0.548\n"
        "  TERMINATED it=1 score=- pair=none exploits=0 failures=0 x=0.3718\n"
        "  TERMINATED it=0 score=- pair=none exploits=0 failures=0 x=0.7606\n");
}

static void an_end_for_good_is_not_followed_by_another(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "time_up\n"
             "  end: time_budget\n"
             "stop\n"
             "  (dropped)\n"
             "time_up\n"
             "  (dropped)\n");
}

static void
a_finished_experiment_has_nothing_to_do_when_it_is_opened(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 8};
    s.stop_count = 1;
    play(
        &s,
        ". open 2\n"
        ". ready 0-1\n"
        ". result 0-1 it=8\n"
        ". exited 0-1\n"
        "reopen 2\n"
        "look 0-1\n"
        "  TERMINATED it=8 score=- pair=none exploits=0 failures=0 x=0.548\n"
        "  TERMINATED it=8 score=- pair=none exploits=0 failures=0 x=0.3718\n");
}

/* --- ends that the user puts further away: `s` changes between two drivers -------------- */

static void finished_trials_go_on_to_a_longer_stop(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 4};
    s.stop_count = 1;
    s.checkpoint_at_end = true;
    struct trace *trace = trace_begin(&s);
    trace_tell(trace, ". open 4\n"
                      ". ready 0-3\n"
                      ". result 0 it=4 score=0.5\n"
                      ". saved 0\n"
                      ". exited 0\n"
                      ". result 1 it=3 score=0.5 done\n"
                      ". saved 1\n"
                      ". exited 1\n"
                      "stop 2\n"
                      ". halted 2\n"
                      ". exited 2\n");
    s.stops[0].bound = 12;
    trace_tell(trace, "reopen 4\n"
                      "  go on 0 at 4\n"
                      "  start 3 (2.1)\n"
                      "  start 0 (2.2) from 0/1 at 4\n");
    trace_end(trace);
}

static void an_experiment_goes_on_beyond_a_longer_stop_all(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){
        .source = PBT_STOP_ITERATION, .bound = 4, .all = true};
    s.stop_count = 1;
    s.checkpoint_at_end = true;
    struct trace *trace = trace_begin(&s);
    trace_tell(trace, ". open 2\n"
                      ". ready 0-1\n"
                      ". result 1 it=2 score=0.5 running\n"
                      ". result 0 it=4 score=0.5\n"
                      ". saved 0\n"
                      ". exited 0\n"
                      ". halted 1\n"
                      ". saved 1\n"
                      ". exited 1\n"
                      "reopen 2\n");
    s.stops[0].bound = 12;
    trace_tell(trace, "reopen 2\n"
                      "  extend\n"
                      "  go on 0 at 4\n"
                      "  go on 1 at 2\n"
                      "  start 1 (3.1) from 1/1 at 2\n"
                      "  start 0 (3.2) from 0/1 at 4\n");
    trace_end(trace);
}

static void trials_that_are_added_start_with_values_of_their_own(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 4};
    s.stop_count = 1;
    struct trace *trace = trace_begin(&s);
    trace_tell(trace, ". open 2\n"
                      ". ready 0-1\n"
                      ". result 0-1 it=4 score=0.5\n"
                      ". exited 0-1\n");
    trace_add_trials(trace, &s, 2);
    trace_tell(trace, "reopen 2\n"
                      "  trial 2 x=0.7606\n"
                      "  trial 3 x=0.8905\n"
                      "  start 2 (2.1)\n"
                      "  start 3 (2.2)\n");
    trace_end(trace);
}

static void trials_are_added_to_a_round_that_waits_for_them(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.synch = true;
    s.quantile_fraction = 0;
    struct trace *trace = trace_begin(&s);
    trace_tell(trace, ". open 2\n"
                      ". ready 0-1\n"
                      ". result 0-1 it=5 score=0.5\n"
                      ". saved 0-1\n"
                      ". stop\n"
                      ". halted 0-1\n"
                      ". exited 0-1\n");
    trace_add_trials(trace, &s, 1);
    trace_tell(trace, "reopen 3\n"
                      "  trial 2 x=0.7606\n"
                      "  start 2 (2.1)\n"
                      "  start 0 (2.2) from 0/1 at 5\n"
                      "  start 1 (2.3) from 1/1 at 5\n"
                      ". ready 0-2\n"
                      "owed 0-2\n"
                      "  run 0 until 10\n"
                      "  run 1 until 10\n"
                      "  run 2 until 10\n"
                      ". result 0-1 it=10 score=0.5\n"
                      ". saved 0-1\n"
                      "owed 0-1\n"
                      "  none 0\n"
                      "  none 1\n"
                      ". result 2 it=10 score=0.5\n"
                      "saved 2\n"
                      "  round to 15\n");
    trace_end(trace);
}

static void the_time_budget_can_be_larger(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.time_budget_ns = 1000;
    struct trace *trace = trace_begin(&s);
    trace_tell(trace, ". open 2\n"
                      ". ready 0-1\n"
                      ". time_up\n");
    s.time_budget_ns = 1000000000000;
    trace_tell(trace, "reopen 2\n"
                      "  extend\n"
                      "  go on 0 at 0\n"
                      "  go on 1 at 0\n"
                      "  start 0 (2.1)\n"
                      "  start 1 (2.2)\n");
    trace_end(trace);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stop_ends_the_trial_and_no_other),
        cmocka_unit_test(at_end_saves_before_it_ends),
        cmocka_unit_test(at_end_saves_nothing_twice),
        cmocka_unit_test(a_trainable_may_say_that_it_is_done),
        cmocka_unit_test(done_in_mid_run_is_halted_first),
        cmocka_unit_test(
            a_process_that_ends_by_itself_when_all_is_done_is_no_failure),
        cmocka_unit_test(
            what_is_to_be_saved_at_the_end_is_a_failure_if_it_is_not),
        cmocka_unit_test(a_finished_trial_is_not_trained_on_after_a_resume),
        cmocka_unit_test(a_stop_on_a_metric_makes_grants_of_one_step),
        cmocka_unit_test(stop_all_ends_the_others_at_their_next_halt),
        cmocka_unit_test(stop_all_without_at_end_saves_nothing),
        cmocka_unit_test(stop_all_ends_a_trial_that_waits_at_its_point),
        cmocka_unit_test(a_trial_that_pauses_while_the_end_comes_is_terminated),
        cmocka_unit_test(the_end_kills_who_has_not_started_yet),
        cmocka_unit_test(nan_reaches_no_stop),
        cmocka_unit_test(a_bound_from_above),
        cmocka_unit_test(seconds_may_stop_too),
        cmocka_unit_test(the_time_budget_ends_the_experiment),
        cmocka_unit_test(a_crash_after_the_end_is_not_tried_again),
        cmocka_unit_test(an_interruption_saves_and_can_be_resumed),
        cmocka_unit_test(a_second_interruption_is_no_news),
        cmocka_unit_test(a_step_that_outlasts_the_grace_time_is_no_failure),
        cmocka_unit_test(so_it_is_before_the_first_result),
        cmocka_unit_test(a_bug_found_while_interrupting_is_tried_again),
        cmocka_unit_test(a_bug_is_tried_again_though_its_end_was_not_recorded),
        cmocka_unit_test(a_trial_at_its_point_is_saved_when_interrupted),
        cmocka_unit_test(an_interruption_while_loading_keeps_the_exploit),
        cmocka_unit_test(a_stop_reached_while_interrupted_still_counts),
        cmocka_unit_test(stop_all_reached_while_interrupted_still_counts),
        cmocka_unit_test(stop_all_in_the_batch_of_an_interruption),
        cmocka_unit_test(an_end_for_good_is_not_followed_by_another),
        cmocka_unit_test(
            a_finished_experiment_has_nothing_to_do_when_it_is_opened),
        cmocka_unit_test(finished_trials_go_on_to_a_longer_stop),
        cmocka_unit_test(an_experiment_goes_on_beyond_a_longer_stop_all),
        cmocka_unit_test(trials_that_are_added_start_with_values_of_their_own),
        cmocka_unit_test(trials_are_added_to_a_round_that_waits_for_them),
        cmocka_unit_test(the_time_budget_can_be_larger),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
