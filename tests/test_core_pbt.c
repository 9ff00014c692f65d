/*
 * Asynchronous PBT as stories: when a trial is at its point, who is replaced by whom, and who
 * has to give its slot away.  How to read them: trace.h.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "trace.h"

static void play(const struct pbt_settings *settings, const char *story)
{
    struct trace *trace = trace_begin(settings);
    trace_tell(trace, story);
    trace_end(trace);
}

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

static void the_lowest_copies_the_highest(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    play(&s,
         ". open 4\n"
         ". ready 0-3\n"
         ". result 2 it=5 score=0.5\n"
         ". saved 2\n"
         ". result 1 it=5 score=0.6\n"
         ". saved 1\n"
         ". result 3 it=5 score=0.9\n"
         ". saved 3\n"
         "look 3\n"
         "  RUNNING it=5 score=0.9 pair=3/1 exploits=0 failures=0 x=0.8905\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  exploit 0 (1.5) from 3/1 at 5, 0.1 < 0.9\n"
         "owed 0\n"
         "  load 0 3/1\n"
         "look 0\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 x=1\n"
         "ready 0\n"
         "owed 0\n"
         "  run 0 until 10\n"
         "checkpoints 3\n"
         "  3/1 at 5, pins 5\n");
}

static void the_middle_saves_and_goes_on(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             ". result 0 it=5 score=0.1\n"
             ". saved 0\n"
             ". result 3 it=5 score=0.9\n"
             ". saved 3\n"
             "result 2 it=5 score=0.5\n"
             "  point 2\n"
             "  save 2/1\n"
             "saved 2\n"
             "owed 2\n"
             "  run 2 until 10\n");
}

static void one_trial_alone_has_nobody_to_copy(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(1);
    play(&s, "open 1\n"
             "  trial 0 x=0.548\n"
             "  start 0 (1.1)\n"
             ". ready 0\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  save 0/1\n"
             "saved 0\n"
             "owed 0\n"
             "  run 0 until 10\n");
}

static void fraction_zero_replaces_nobody(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.quantile_fraction = 0;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  save 0/1\n");
}

static void a_loser_waits_for_the_save_of_a_donor(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 1 it=5 score=0.9\n"
             "  point 1\n"
             "  save 1/1\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "owed 0\n"
             "  none 0\n"
             "saved 1\n"
             "  exploit 0 (1.3) from 1/1 at 5, 0.1 < 0.9\n"
             "owed 0\n"
             "  load 0 1/1\n");
}

static void a_loser_waits_for_a_donor_of_the_same_batch(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=5 score=0.1; result 1 it=5 score=0.9\n"
             "  point 0\n"
             "  point 1\n"
             "  save 1/1\n"
             "saved 1\n"
             "  exploit 0 (1.3) from 1/1 at 5, 0.1 < 0.9\n");
}

static void a_loser_goes_on_if_the_save_fails(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". result 0 it=5 score=0.1\n"
             "exited 1\n"
             "  exit 1: retry\n"
             "  save 0/1\n"
             "  start 1 (1.3)\n"
             "saved 0\n"
             "owed 0\n"
             "  run 0 until 10\n");
}

static void a_loser_that_waits_saves_once_it_is_no_loser(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    play(&s, ". open 3\n"
             ". ready 0-2\n"
             ". result 2 it=5 score=0.9\n"
             "result 0 it=5 score=0.5\n"
             "  point 0\n"
             "result 1 it=5 score=0.1\n"
             "  point 1\n"
             "  save 0/1\n"
             "saved 2\n"
             "  exploit 1 (1.4) from 2/1 at 5, 0.1 < 0.9\n");
}

static void a_donor_must_have_its_pair(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    /* 1 has risen to the top only since 2 fell: its last point was an exploit. */
    play(&s,
         ". open 3\n"
         ". ready 0-2\n"
         ". result 2 it=5 score=0.5\n"
         ". saved 2\n"
         ". result 1 it=5 score=0.4\n"
         ". ready 1\n"
         "look 1\n"
         "  RUNNING it=5 score=0.4 pair=none exploits=1 failures=0 x=0.9128\n"
         "result 2 it=10 score=0.3\n"
         "  point 2\n"
         "  pass 2: no donor has a finite score and its checkpoint\n"
         "  save 2/2\n"
         "saved 2\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  pass 0: no donor has a finite score and its checkpoint\n"
         "  save 0/1\n"
         "owed 0\n"
         "  save 0 0/1\n");
}

static void a_new_result_takes_the_old_pair_away(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         "look 1\n"
         "  RUNNING it=5 score=0.9 pair=1/1 exploits=0 failures=0 x=0.3718\n"
         "result 1 it=10 score=0.8\n"
         "  point 1\n"
         "  save 1/2\n"
         "look 1\n"
         "  RUNNING it=10 score=0.8 pair=none exploits=0 failures=0 x=0.3718\n"
         "saved 1\n"
         "look 1\n"
         "  RUNNING it=10 score=0.8 pair=1/2 exploits=0 failures=0 x=0.3718\n");
}

static void nan_ranks_last_and_is_replaced(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    play(&s,
         ". open 4\n"
         ". ready 0-3\n"
         ". result 0 it=5 score=-100\n"
         ". saved 0\n"
         ". result 1 it=5 score=2\n"
         ". saved 1\n"
         ". result 2 it=5 score=1\n"
         ". saved 2\n"
         "result 3 it=5 score=nan\n"
         "  point 3\n"
         "  exploit 3 (1.5) from 1/1 at 5, nan < 2\n"
         "look 3\n"
         "  RUNNING it=5 score=nan pair=none exploits=1 failures=0 x=0.5879\n");
}

static void infinite_scores_rank_like_nan(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=5 score=-3\n"
             ". saved 0\n"
             "result 1 it=5 score=inf\n"
             "  point 1\n"
             "  exploit 1 (1.3) from 0/1 at 5, inf < -3\n");
}

static void nan_never_gives(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         "result 1 it=5 score=nan\n"
         "  point 1\n"
         "  save 1/1\n"
         "saved 1\n"
         "look 1\n"
         "  RUNNING it=5 score=nan pair=1/1 exploits=0 failures=0 x=0.3718\n"
         "result 0 it=5\n"
         "  point 0\n"
         "  pass 0: no donor has a finite score and its checkpoint\n"
         "  save 0/1\n"
         "saved 0\n"
         "owed 0\n"
         "  run 0 until 10\n");
}

static void ties_go_by_number(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    play(&s, ". open 3\n"
             ". ready 0-2\n"
             ". result 1-2 it=5 score=0.5\n"
             ". saved 1-2\n"
             "result 0 it=5 score=0.5\n"
             "  point 0\n"
             "  exploit 0 (1.5) from 2/1 at 5, 0.5 < 0.5\n");
}

static void a_copy_inherits_clock_and_iteration_of_the_donor(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=100 score=0.9\n"
         ". saved 1\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  exploit 0 (1.3) from 1/1 at 100, 0.1 < 0.9\n"
         "ready 0\n"
         "look 0\n"
         "  RUNNING it=100 score=0.1 pair=none exploits=1 failures=0 x=0.4462\n"
         "owed 0\n"
         "  run 0 until 105\n"
         "result 0 it=104 score=0.95 halted\n"
         "result 0 it=105 score=0.95\n"
         "  point 0\n"
         "  save 0/1\n");
}

static void a_copy_keeps_its_own_score_until_its_next_point(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         ". result 0 it=5 score=0.1\n"
         ". ready 0\n"
         "look 0\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 x=0.4462\n"
         "result 1 it=10 score=0.2\n"
         "  point 1\n"
         "  save 1/2\n");
}

static void finished_trials_neither_count_nor_give(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    s.stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION, .bound = 8};
    s.stop_count = 1;
    play(&s,
         ". open 3\n"
         ". ready 0-2\n"
         ". result 2 it=5 score=0.9\n"
         ". saved 2\n"
         ". result 1 it=5 score=0.5\n"
         ". saved 1\n"
         "result 2 it=8 score=1\n"
         "  stop 2\n"
         "  leave 2: terminate\n"
         "exited 2\n"
         "  exit 2: terminate\n"
         "look 2\n"
         "  TERMINATED it=8 score=- pair=none exploits=0 failures=0 x=0.7606\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  pass 0: no donor has a finite score and its checkpoint\n"
         "  save 0/1\n");
}

static void failed_trials_neither_count_nor_give(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    s.max_failures = 0;
    play(&s, ". open 3\n"
             ". ready 0-2\n"
             ". result 2 it=5 score=0.9\n"
             ". saved 2\n"
             ". result 1 it=5 score=0.5\n"
             ". saved 1\n"
             "exited 2\n"
             "  exit 2: error\n"
             "look 2\n"
             "  ERROR it=5 score=- pair=none exploits=0 failures=1 x=0.7606\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  pass 0: no donor has a finite score and its checkpoint\n"
             "  save 0/1\n");
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

static void a_copy_inherits_seconds(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.time_attr = PBT_TIME_SECONDS;
    s.perturbation_interval = 60;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=10 t=600 score=0.9\n"
         ". saved 1\n"
         ". result 0 it=2 t=61 score=0.1\n"
         ". ready 0\n"
         "look 0\n"
         "  RUNNING it=10 score=0.1 pair=none exploits=1 failures=0 x=0.4462\n"
         "result 0 it=11 t=659 score=0.5\n"
         "result 0 it=12 t=660 score=0.5\n"
         "  point 0\n"
         "  exploit 0 (1.4) from 1/1 at 10, 0.5 < 0.9\n");
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

static void a_donated_checkpoint_outlives_retention(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.num_to_keep = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  exploit 0 (1.3) from 1/1 at 5, 0.1 < 0.9\n"
             ". durable 1/1\n"
             ". result 1 it=10 score=1; saved 1; durable 1/2\n"
             ". saved 1; durable 1/2\n"
             ". result 1 it=15 score=2\n"
             ". saved 1; durable 1/3\n"
             ". result 1 it=20 score=3\n"
             ". saved 1; durable 1/4\n"
             "checkpoints 1\n"
             "  1/1 at 5, pins 1, durable\n"
             "  1/2 at 10, pins 2, durable\n"
             "  1/3 at 15, pins 2, durable\n"
             "  1/4 at 20, pins 4, durable\n"
             ". ready 0\n"
             "result 0 it=10 score=5\n"
             "  point 0\n"
             "  save 0/1\n"
             "saved 0; durable 0/1\n"
             "checkpoints 1\n"
             "  1/1 at 5, pins 1, durable\n"
             "  1/2 at 10, pins 2, durable\n"
             "  1/3 at 15, pins 2, durable\n"
             "  1/4 at 20, pins 3, durable\n"
             "result 0 it=15 score=6\n"
             "  point 0\n"
             "  save 0/2\n"
             "saved 0; durable 0/2\n"
             "result 0 it=20 score=7\n"
             "  point 0\n"
             "  save 0/3\n"
             "saved 0; durable 0/3\n"
             "  delete 1/1\n"
             "checkpoints 1\n"
             "  1/2 at 10, pins 2, durable\n"
             "  1/3 at 15, pins 2, durable\n"
             "  1/4 at 20, pins 3, durable\n");
}

/* --- more trials than slots ------------------------------------------------ */

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

/* --- how many: every n ------------------------------------------------------- */

/* ceil(n p / q), but at most half: in whole numbers, not as the core does it. */
static uint32_t expected_losers(uint32_t n, uint32_t p, uint32_t q)
{
    uint32_t k = (n * p + q - 1) / q;
    if (n < 2) {
        return 0;
    }
    return 2 * k > n ? n / 2 : k;
}

static void tell(struct trace *trace, const char *verb, uint32_t trial,
                 int64_t iteration, uint32_t score)
{
    char line[100];
    (void)snprintf(line, sizeof line,
                   ". %s %" PRIu32 " it=%" PRId64 " score=%" PRIu32 "\n", verb,
                   trial, iteration, score);
    trace_tell(trace, line);
}

/* Each trial's score is its number; all are ranked, and then each is at its point again. */
static void check_quantiles(uint32_t n, uint32_t p, uint32_t q)
{
    struct pbt_settings s = trace_settings(n);
    s.quantile_fraction = (double)p / q;
    struct trace *trace = trace_begin(&s);
    char line[100];
    (void)snprintf(line, sizeof line,
                   ". open %" PRIu32 "\n. ready 0-%" PRIu32 "\n", n, n - 1);
    trace_tell(trace, line);
    for (uint32_t i = 0; i < n; i++) {
        tell(trace, "result", i, 5, i);
        tell(trace, "saved", i, 5, i);
        assert_int_not_equal(pbt_core_trial(trace_core(trace), i).pair.number,
                             0);
    }
    uint32_t k = expected_losers(n, p, q);
    for (uint32_t i = 0; i < n; i++) {
        tell(trace, "result", i, 10, i);
        struct pbt_command owed = pbt_core_owed(trace_core(trace), i);
        assert_int_equal(owed.kind,
                         i < k ? PBT_COMMAND_LOAD : PBT_COMMAND_SAVE);
        assert_true(i >= k || owed.checkpoint.trial >= n - k);
        tell(trace, i < k ? "ready" : "saved", i, 10, i);
    }
    trace_end(trace);
}

static void quantiles_hold_for_every_population(void **state)
{
    (void)state;
    static const uint32_t fractions[][2] = {{0, 1}, {1, 10}, {1, 4}, {1, 2}};
    for (size_t f = 0; f < sizeof fractions / sizeof fractions[0]; f++) {
        for (uint32_t n = 1; n <= 40; n++) {
            check_quantiles(n, fractions[f][0], fractions[f][1]);
        }
    }
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
        cmocka_unit_test(the_lowest_copies_the_highest),
        cmocka_unit_test(the_middle_saves_and_goes_on),
        cmocka_unit_test(one_trial_alone_has_nobody_to_copy),
        cmocka_unit_test(fraction_zero_replaces_nobody),
        cmocka_unit_test(a_loser_waits_for_the_save_of_a_donor),
        cmocka_unit_test(a_loser_waits_for_a_donor_of_the_same_batch),
        cmocka_unit_test(a_loser_goes_on_if_the_save_fails),
        cmocka_unit_test(a_loser_that_waits_saves_once_it_is_no_loser),
        cmocka_unit_test(a_donor_must_have_its_pair),
        cmocka_unit_test(a_new_result_takes_the_old_pair_away),
        cmocka_unit_test(nan_ranks_last_and_is_replaced),
        cmocka_unit_test(infinite_scores_rank_like_nan),
        cmocka_unit_test(nan_never_gives),
        cmocka_unit_test(ties_go_by_number),
        cmocka_unit_test(a_copy_inherits_clock_and_iteration_of_the_donor),
        cmocka_unit_test(a_copy_keeps_its_own_score_until_its_next_point),
        cmocka_unit_test(finished_trials_neither_count_nor_give),
        cmocka_unit_test(failed_trials_neither_count_nor_give),
        cmocka_unit_test(a_result_that_stops_is_not_ranked),
        cmocka_unit_test(with_seconds_a_grant_is_one_step),
        cmocka_unit_test(a_copy_inherits_seconds),
        cmocka_unit_test(a_worker_that_cannot_reset_gets_a_fresh_process),
        cmocka_unit_test(checkpoints_at_a_frequency_of_their_own),
        cmocka_unit_test(one_save_serves_frequency_and_point),
        cmocka_unit_test(the_newest_are_kept_and_what_is_needed),
        cmocka_unit_test(a_donated_checkpoint_outlives_retention),
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
        cmocka_unit_test(quantiles_hold_for_every_population),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
