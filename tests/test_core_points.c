/*
 * Asynchronous PBT as stories: how far a trial trains by itself, when it is at its point, and what
 * it saves.  How to read them: trace.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace.h"

static void fifo_trains_every_trial_on_its_own(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    s.scheduler = PBT_SCHEDULER_FIFO;
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 7};
    s.stop_count = 1;
    play(&s,
         "open 2\n"
         "  trial 0 x=0.548\n"
         "  trial 1 x=0.3718\n"
         "  trial 2 x=0.7606\n"
         "  start 0 (1.1)\n"
         "  start 1 (1.2)\n"
         "ready 0\n"
         "owed 0-2\n"
         "  run 0 until 7\n"
         "  start 1\n"
         "  none 2\n"
         "result 0 it=1 score=0.1\n"
         "result 0 it=5 score=0.1\n"
         "result 0 it=7 score=0.1\n"
         "  stop 0\n"
         "  leave 0: terminate\n"
         "owed 0\n"
         "  stop 0\n"
         "exited 0\n"
         "  exit 0: terminate\n"
         "  start 2 (1.3)\n"
         "look 0-2\n"
         "  TERMINATED it=7 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.7606\n");
}

static void nothing_is_ranked_before_the_interval(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             "owed 0\n"
             "  run 0 until 5\n"
             "result 0 it=4 score=9\n"
             "look 0\n"
             "  RUNNING it=4 score=- pair=none exploits=0 failures=0 x=0.548\n"
             "result 0 it=5 score=1\n"
             "  point 0\n"
             "  save 0/1\n"
             "look 0\n"
             "  RUNNING it=5 score=1 pair=none exploits=0 failures=0 x=0.548\n"
             "owed 0\n"
             "  save 0 0/1\n"
             "saved 0\n"
             "look 0\n"
             "  RUNNING it=5 score=1 pair=0/1 exploits=0 failures=0 x=0.548\n"
             "owed 0\n"
             "  run 0 until 10\n");
}

static void burn_in_holds_the_first_point_back(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.burn_in_period = 12;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "owed 0\n"
             "  run 0 until 12\n"
             "result 0 it=11 score=1 halted\n"
             "owed 0\n"
             "  run 0 until 12\n"
             "result 0 it=12 score=1\n"
             "  point 0\n"
             "  save 0/1\n"
             ". saved 0\n"
             "owed 0\n"
             "  run 0 until 17\n");
}

static void the_interval_counts_from_the_last_point(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=7 score=1\n"
             "  point 0\n"
             "  save 0/1\n"
             ". saved 0\n"
             "owed 0\n"
             "  run 0 until 12\n"
             "result 0 it=11 score=1 halted\n"
             "result 0 it=12 score=1\n"
             "  point 0\n"
             "  save 0/2\n");
}

static void only_a_resting_trial_is_at_its_point(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         "result 0 it=6 score=1 running\n"
         "look 0\n"
         "  RUNNING it=6 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "owed 0\n"
         "  run 0 until 7\n"
         "result 0 it=7 score=2 halted\n"
         "  point 0\n"
         "  save 0/1\n"
         "look 0\n"
         "  RUNNING it=7 score=2 pair=none exploits=0 failures=0 x=0.548\n");
}

static void given_points_are_what_the_first_trials_start_with(void **state)
{
    (void)state;
    static const struct pbt_cell points[] = {
        {.type = PBT_CELL_REAL, .u.r = 0.5},
        {.type = PBT_CELL_NONE}, /* to be drawn */
        {.type = PBT_CELL_REAL, .u.r = 7},
    };
    struct pbt_settings s = trace_settings(4);
    s.points = points;
    s.point_count = 3;
    play(&s, "open 1\n"
             "  trial 0 x=0.5\n"
             "  trial 1 x=0.3718\n"
             "  trial 2 x=7\n"
             "  trial 3 x=0.8905\n"
             "  start 0 (1.1)\n");
}

/* Ray: after the first result at or past its iteration, one change a result. */
static void a_replay_changes_what_its_schedule_says(void **state)
{
    (void)state;
    static const struct pbt_cell cells[] = {
        {.type = PBT_CELL_REAL, .u.r = 0.25},
        {.type = PBT_CELL_REAL, .u.r = 0.5},
        {.type = PBT_CELL_REAL, .u.r = 0.75},
    };
    static const struct pbt_change schedule[] = {
        {4, &cells[0]}, {4, &cells[1]}, {9, &cells[2]}};
    struct pbt_settings s = trace_settings(1);
    s.scheduler = PBT_SCHEDULER_REPLAY;
    s.schedule = schedule;
    s.schedule_count = 3;
    play(&s,
         ". open 1\n"
         ". ready 0\n"
         "owed 0\n"
         "  run 0 until 4\n"
         "result 0 it=4 score=1\n"
         "  save 0/1\n"
         "saved 0\n"
         "  change 0 at 4 from 0/1\n"
         "owed 0\n"
         "  load 0 0/1\n"
         "ready 0\n"
         "owed 0\n"
         "  run 0 until 5\n"
         "result 0 it=5 score=1\n"
         "  save 0/2\n"
         "saved 0\n"
         "  change 0 at 5 from 0/2\n"
         "ready 0\n"
         "owed 0\n"
         "  run 0 until 9\n"
         "exited 0\n"
         "  exit 0: retry\n"
         "  start 0 (1.4) from 0/2 at 5\n"
         "ready 0\n"
         "result 0 it=12 score=1 halted\n"
         "  save 0/3\n"
         "saved 0\n"
         "  change 0 at 12 from 0/3\n"
         "ready 0\n"
         "owed 0\n"
         "  run 0 until 9007199254740991\n"
         "look 0\n"
         "  RUNNING it=12 score=- pair=none exploits=3 failures=1 x=0.75\n");
}

static void a_result_that_stops_is_not_ranked(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 5};
    s.stop_count = 1;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         "result 0 it=5 score=0.9\n"
         "  stop 0\n"
         "  leave 0: terminate\n"
         "look 0\n"
         "  RUNNING it=5 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void with_seconds_a_grant_is_one_step(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.time_attr = PBT_TIME_SECONDS;
    s.perturbation_interval = 60;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "owed 0\n"
             "  run 0 until 1\n"
             "result 0 it=1 t=59.5 score=0.9\n"
             "owed 0\n"
             "  run 0 until 2\n"
             "result 0 it=2 t=61 score=0.9\n"
             "  point 0\n"
             "  save 0/1\n"
             "saved 0\n"
             "owed 0\n"
             "  run 0 until 3\n"
             "result 0 it=3 t=120.5 score=0.9\n"
             "result 0 it=4 t=121 score=0.9\n"
             "  point 0\n"
             "  save 0/2\n");
}

static void a_worker_that_cannot_reset_gets_a_fresh_process(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1 no_reset\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  exploit 0 (1.3) from 1/1 at 5, 0.1 < 0.9\n"
         "owed 0\n"
         "  stop 0\n"
         "look 0\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 x=0.4462\n"
         "exited 0\n"
         "  exit 0: respawn\n"
         "  start 0 (1.4) from 1/1 at 5\n"
         "look 0\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 x=0.4462\n"
         "owed 0\n"
         "  start 0 1/1\n");
}

static void checkpoints_at_a_frequency_of_their_own(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.checkpoint_frequency = 2;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "owed 0\n"
             "  run 0 until 2\n"
             "result 0 it=2 score=1\n"
             "  save 0/1\n"
             "saved 0\n"
             "look 0\n"
             "  RUNNING it=2 score=- pair=none exploits=0 failures=0 x=0.548\n"
             "owed 0\n"
             "  run 0 until 4\n"
             ". result 0 it=4 score=1\n"
             ". saved 0\n"
             "owed 0\n"
             "  run 0 until 5\n");
}

static void one_save_serves_frequency_and_point(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.checkpoint_frequency = 5;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=5 score=1\n"
             "  point 0\n"
             "  save 0/1\n"
             "saved 0\n"
             "owed 0\n"
             "  run 0 until 10\n");
}

static void the_newest_are_kept_and_what_is_needed(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.num_to_keep = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=5 score=9\n"
             ". saved 0\n"
             "durable 0/1\n"
             ". result 0 it=10 score=1\n"
             "saved 0\n"
             "durable 0/2\n"
             ". result 0 it=15 score=1\n"
             "saved 0\n"
             "durable 0/3\n"
             ". result 0 it=20 score=1\n"
             "saved 0\n"
             "checkpoints 0\n"
             "  0/1 at 5, pins 1, durable\n"
             "  0/2 at 10, pins 2, durable\n"
             "  0/3 at 15, pins 2, durable\n"
             "  0/4 at 20, pins 3\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fifo_trains_every_trial_on_its_own),
        cmocka_unit_test(nothing_is_ranked_before_the_interval),
        cmocka_unit_test(burn_in_holds_the_first_point_back),
        cmocka_unit_test(the_interval_counts_from_the_last_point),
        cmocka_unit_test(only_a_resting_trial_is_at_its_point),
        cmocka_unit_test(given_points_are_what_the_first_trials_start_with),
        cmocka_unit_test(a_replay_changes_what_its_schedule_says),
        cmocka_unit_test(a_result_that_stops_is_not_ranked),
        cmocka_unit_test(with_seconds_a_grant_is_one_step),
        cmocka_unit_test(a_worker_that_cannot_reset_gets_a_fresh_process),
        cmocka_unit_test(checkpoints_at_a_frequency_of_their_own),
        cmocka_unit_test(one_save_serves_frequency_and_point),
        cmocka_unit_test(the_newest_are_kept_and_what_is_needed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
