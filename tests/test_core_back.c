/*
 * Going back, as stories: crashes, damaged checkpoints, a driver that died, late news of lives
 * that are over (architecture.md, rules 9 and 13 to 17).  How to read them: trace.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace.h"

static void a_crash_goes_back_to_the_restart_point(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(4);
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             ". result 0 it=5 score=0.5\n"
             ". saved 0\n"
             ". result 0 it=8 score=0.7\n"
             "look 0\n"
             "  RUNNING it=8 score=0.5 pair=0/1 exploits=0 failures=0 x=0.548\n"
             "exited 0\n"
             "  exit 0: retry\n"
             "  start 0 (1.5) from 0/1 at 5\n"
             "owed 0\n"
             "  start 0 0/1\n"
             "look 0\n"
             "  RUNNING it=5 score=0.5 pair=0/1 exploits=0 failures=1 x=0.548\n"
             ". ready 0\n"
             "owed 0\n"
             "  run 0 until 10\n");
}

static void what_is_done_again_draws_the_same(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.explore.resample_probability = 1;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  exploit 0 (1.3) from 1/1 at 5, 0.1 < 0.9\n"
         "look 0\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 x=0.1193\n"
         "cut 1\n"
         "reopen 2\n"
         "  start 0 (2.1)\n"
         "  start 1 (2.2) from 1/1 at 5\n"
         ". ready 0-1\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  exploit 0 (2.3) from 1/1 at 5, 0.1 < 0.9\n"
         "look 0\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 x=0.1193\n");
}

static void an_exploit_is_a_restart_point(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=5 score=0.2\n"
         ". saved 0\n"
         ". result 1 it=10 score=0.9\n"
         ". saved 1\n"
         ". result 0 it=10 score=0.1\n"
         "look 0\n"
         "  RUNNING it=10 score=0.1 pair=none exploits=1 failures=0 x=0.425\n"
         "exited 0\n"
         "  exit 0: retry\n"
         "  start 0 (1.4) from 1/1 at 10\n"
         "look 0\n"
         "  RUNNING it=10 score=0.1 pair=none exploits=1 failures=1 x=0.425\n"
         ". ready 0\n"
         ". result 0 it=12 score=0.1\n"
         "exited 0\n"
         "  exit 0: retry\n"
         "  start 0 (1.5) from 1/1 at 10\n"
         "look 0\n"
         "  RUNNING it=10 score=0.1 pair=none exploits=1 failures=2 x=0.425\n");
}

static void without_a_checkpoint_a_crash_goes_back_to_the_start(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=4 score=0.2\n"
         "exited 0\n"
         "  exit 0: retry\n"
         "  start 0 (1.3)\n"
         "look 0\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=1 x=0.548\n");
}

static void failures_are_counted_and_never_go_back(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=1\n"
         "exited 0\n"
         "  exit 0: retry\n"
         "  start 0 (1.3)\n"
         ". ready 0\n"
         "exited 0\n"
         "  exit 0: retry\n"
         "  start 0 (1.4)\n"
         "look 0\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=2 x=0.548\n"
         "exited 0\n"
         "  exit 0: error\n"
         "look 0\n"
         "  ERROR it=0 score=- pair=none exploits=0 failures=3 x=0.548\n"
         "owed 0\n"
         "  none 0\n"
         "look 1\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n");
}

static void no_failures_allowed(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.max_failures = 0;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=1\n"
             "exited 0\n"
             "  exit 0: error\n"
             "look 0\n"
             "  ERROR it=1 score=- pair=none exploits=0 failures=1 x=0.548\n");
}

static void any_number_of_failures_allowed(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.max_failures = -1;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=1\n"
         ". exited 0\n"
         ". exited 0\n"
         ". exited 0\n"
         ". exited 0\n"
         "look 0\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=4 x=0.548\n");
}

static void who_fails_again_and_again_backs_off(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(1);
    s.max_failures = -1;
    s.backoff_ns = UINT64_C(1000000000);
    play(&s, ". open 1\n"
             ". ready 0\n"
             ". result 0 it=1\n"
             "exited 0\n"
             "  exit 0: retry\n"
             "  start 0 (1.2)\n"
             "exited 0\n"
             "  exit 0: retry, not before 1 s\n"
             "clock 0.5\n"
             "  (dropped)\n"
             "clock 1\n"
             "  start 0 (1.3)\n"
             "exited 0\n"
             "  exit 0: retry, not before 3 s\n"
             "clock 3.5\n"
             "  start 0 (1.4)\n"
             ". ready 0\n"
             ". result 0 it=1\n"
             "exited 0\n"
             "  exit 0: retry\n"
             "  start 0 (1.5)\n");
}

static void backing_off_doubles_up_to_64_times(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(1);
    s.max_failures = -1;
    s.backoff_ns = UINT64_C(1000000000);
    play(&s, ". open 1\n"
             ". ready 0\n"
             ". result 0 it=1\n"
             ". exited 0\n"
             ". exited 0\n"
             ". clock 10\n"
             ". exited 0\n"
             ". clock 20\n"
             ". exited 0\n"
             ". clock 30\n"
             ". exited 0\n"
             ". clock 40\n"
             ". exited 0\n"
             ". clock 100\n"
             ". exited 0\n"
             ". clock 200\n"
             "exited 0\n"
             "  exit 0: retry, not before 264 s\n"
             ". clock 300\n"
             "exited 0\n"
             "  exit 0: retry, not before 364 s\n");
}

static void who_backs_off_holds_no_slot_and_takes_none(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    s.backoff_ns = UINT64_C(1000000000);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=1\n"
             ". exited 0\n"
             "exited 0\n"
             "  exit 0: retry, not before 1 s\n"
             "  start 2 (1.4)\n"
             ". ready 2\n"
             ". result 1 it=5 score=0.5\n"
             /* It would go first, and doesn't: nobody pauses for it. */
             "saved 1\n"
             "owed 1\n"
             "  run 1 until 10\n"
             "clock 1; result 1 it=10 score=0.6\n"
             "  (dropped)\n"
             "  point 1\n"
             "  save 1/2\n");
}

static void the_next_driver_waits_for_nobody(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(1);
    s.backoff_ns = UINT64_C(1000000000);
    play(&s, ". open 1\n"
             ". ready 0\n"
             ". result 0 it=1\n"
             ". exited 0\n"
             "exited 0\n"
             "  exit 0: retry, not before 1 s\n"
             "reopen 1\n"
             "  start 0 (2.1)\n");
}

static void a_failure_before_the_first_result_ends_the_experiment(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 1\n"
         "exited 0\n"
         "  exit 0: error\n"
         "  end: failed\n"
         "owed 1\n"
         "  halt 1\n"
         "halted 1\n"
         "  leave 1: pause\n"
         "exited 1\n"
         "  exit 1: pause\n"
         "look 0-1\n"
         "  ERROR it=0 score=- pair=none exploits=0 failures=1 x=0.548\n"
         "  PAUSED it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n");
}

static void after_such_an_end_the_next_opening_tries_again(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 1\n"
         ". exited 0\n"
         ". halted 1\n"
         ". exited 1\n"
         "reopen 2\n"
         "  start 0 (2.1)\n"
         "  start 1 (2.2)\n"
         "look 0-1\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n");
}

static void a_crash_while_saving_uses_up_the_number(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "result 0 it=5 score=0.5\n"
             "  point 0\n"
             "  save 0/1\n"
             "exited 0\n"
             "  exit 0: retry\n"
             "  start 0 (1.3)\n"
             ". ready 0\n"
             "result 0 it=5 score=0.5\n"
             "  point 0\n"
             "  save 0/2\n"
             "saved 0\n"
             "checkpoints 0\n"
             "  0/2 at 5, pins 4\n");
}

static void without_room_for_a_save_it_is_no_failure(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.max_failures = 0;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=5 score=0.5\n"
             ". saved 0\n"
             ". result 0 it=10 score=0.6\n"
             "exited 0 no_room\n"
             "  exit 0: respawn\n"
             "  start 0 (1.3) from 0/1 at 5\n"
             ". ready 0\n"
             ". result 0 it=7\n"
             "exited 0 no_room\n"
             "  exit 0: error\n");
}

static void late_news_of_an_older_life_are_dropped(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=1\n"
             ". exited 0\n"
             "ready 0 epoch=1.1\n"
             "  (dropped)\n"
             "exited 0 epoch=1.1\n"
             "  (dropped)\n"
             ". ready 0\n"
             "result 0 it=2 epoch=1.1\n"
             "  (dropped)\n"
             "halted 0 epoch=1.1\n"
             "  (dropped)\n"
             "owed 0\n"
             "  run 0 until 5\n");
}

static void duplicates_are_dropped(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             "ready 0\n"
             "  (dropped)\n"
             "result 0 it=1 seq=1\n"
             "result 0 it=1 seq=1\n"
             "  (dropped)\n"
             "result 0 it=3 seq=3\n"
             "result 0 it=2 seq=2\n"
             "  (dropped)\n"
             "result 0 it=5 seq=4 score=1\n"
             "  point 0\n"
             "  save 0/1\n"
             "saved 0; saved 0\n"
             "  (dropped)\n"
             "halted 0\n"
             "  (dropped)\n");
}

static void news_in_the_wrong_phase_are_dropped(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             "result 0 it=1\n"
             "  (dropped)\n"
             "halted 0\n"
             "  (dropped)\n"
             "saved 0\n"
             "  (dropped)\n"
             "answer 0 x=1\n"
             "  (dropped)\n"
             ". ready 0\n"
             "saved 0\n"
             "  (dropped)\n"
             "durable 0/1\n"
             "  (dropped)\n"
             "bad 0/1\n"
             "  (dropped)\n");
}

static void a_process_is_named_by_the_epoch_of_its_start(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  exploit 0 (1.3) from 1/1 at 5, 0.1 < 0.9\n"
             ". ready 0\n"
             "exited 0 epoch=1.3\n"
             "  (dropped)\n"
             "exited 0 epoch=1.1\n"
             "  exit 0: retry\n"
             "  start 0 (1.4) from 1/1 at 5\n");
}

static void epochs_after_reopening_are_new(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=5 score=0.5\n"
             ". saved 0\n"
             "reopen 2\n"
             "  start 1 (2.1)\n"
             "  start 0 (2.2) from 0/1 at 5\n"
             "look 0-1\n"
             "  RUNNING it=5 score=0.5 pair=0/1 exploits=0 failures=0 x=0.548\n"
             "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n"
             "ready 0 epoch=1.1\n"
             "  (dropped)\n"
             "exited 0 epoch=1.1\n"
             "  (dropped)\n"
             ". ready 0\n"
             "owed 0\n"
             "  run 0 until 10\n");
}

static void a_journal_cut_short_never_gives_an_epoch_out_twice(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         ". result 0 it=5 score=0.1\n"
         "cut 1\n"
         "reopen 2\n"
         "  start 0 (2.1)\n"
         "  start 1 (2.2) from 1/1 at 5\n"
         "look 0-1\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "  RUNNING it=5 score=0.9 pair=1/1 exploits=0 failures=0 x=0.3718\n");
}

static void a_driver_dies_between_the_records_of_one_batch(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=5 score=0.5\n"
             "cut 1\n"
             "reopen 2\n"
             "  start 0 (2.1)\n"
             "  start 1 (2.2)\n"
             "look 0\n"
             "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.548\n"
             ". ready 0\n"
             "result 0 it=5 score=0.5\n"
             "  point 0\n"
             "  save 0/1\n");
}

static void reopening_is_no_failure(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.max_failures = 0;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=1\n"
         ". reopen 2\n"
         ". reopen 2\n"
         "look 0-1\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n");
}

static void a_pause_under_way_is_over_after_reopening(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 1\n"
         ". ready 0\n"
         ". result 0 it=5 score=0.5\n"
         "saved 0\n"
         "  pause 0\n"
         "reopen 1\n"
         "  start 1 (2.1)\n"
         "look 0-1\n"
         "  PAUSED it=5 score=0.5 pair=0/1 exploits=0 failures=0 x=0.548\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.3718\n");
}

static void a_bad_checkpoint_is_gone_for_everybody(void **state)
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
         "bad 1/1\n"
         "look 1\n"
         "  RUNNING it=5 score=0.9 pair=none exploits=0 failures=0 x=0.3718\n"
         "checkpoints 1\n"
         "bad 1/1\n"
         "  (dropped)\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "  pass 0: no donor has a finite score and its checkpoint\n"
         "  save 0/1\n");
}

static void who_trains_on_happily_only_loses_the_restart_point(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         ". result 1 it=7 score=0.9\n"
         "bad 1/1\n"
         "owed 1\n"
         "  run 1 until 10\n"
         "exited 1\n"
         "  exit 1: retry\n"
         "  start 1 (1.3)\n"
         "look 1\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=1 x=0.3718\n");
}

static void a_load_of_a_bad_checkpoint_is_ended_and_no_failure(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.max_failures = 0;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         ". result 0 it=5 score=0.1\n"
         "owed 0\n"
         "  load 0 1/1\n"
         "bad 1/1\n"
         "  leave 0: respawn\n"
         "owed 0\n"
         "  kill 0\n"
         "look 0\n"
         "  RUNNING it=5 score=0.1 pair=none exploits=1 failures=0 x=0.4462\n"
         "exited 0\n"
         "  exit 0: respawn\n"
         "  undo 0 to 0, at 0 on none\n"
         "  start 0 (1.4)\n"
         "look 0\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "owed 0\n"
         "  start 0\n");
}

static void so_it_is_if_the_loader_has_died_of_it_at_once(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.max_failures = 0;
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 1 it=5 score=0.9\n"
         ". saved 1\n"
         ". result 0 it=5 score=0.1\n"
         "bad 1/1; exited 0\n"
         "  exit 0: respawn\n"
         "  undo 0 to 0, at 0 on none\n"
         "  start 0 (1.4)\n"
         "look 0\n"
         "  RUNNING it=0 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void a_start_from_a_bad_checkpoint_goes_one_further_back(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=5 score=0.5\n"
         ". saved 0\n"
         ". result 0 it=10 score=0.6\n"
         ". saved 0\n"
         "exited 0\n"
         "  exit 0: retry\n"
         "  start 0 (1.3) from 0/2 at 10\n"
         "bad 0/2\n"
         "  leave 0: respawn\n"
         "exited 0\n"
         "  exit 0: respawn\n"
         "  start 0 (1.4) from 0/1 at 5\n"
         "look 0\n"
         "  RUNNING it=5 score=0.5 pair=0/1 exploits=0 failures=1 x=0.548\n");
}

static void a_paused_trial_goes_back_where_it_stands(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 1\n"
             ". ready 0\n"
             ". result 0 it=5 score=0.5\n"
             ". saved 0\n"
             ". exited 0\n"
             "look 0\n"
             "  PAUSED it=5 score=0.5 pair=0/1 exploits=0 failures=0 x=0.548\n"
             "bad 0/1\n"
             "look 0\n"
             "  PAUSED it=0 score=- pair=none exploits=0 failures=0 x=0.548\n");
}

static void
a_bad_checkpoint_of_a_finished_trial_changes_nothing_else(void **state)
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
         ". saved 0\n"
         ". exited 0\n"
         "look 0\n"
         "  TERMINATED it=8 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "bad 0/1\n"
         "look 0\n"
         "  TERMINATED it=8 score=- pair=none exploits=0 failures=0 x=0.548\n"
         "checkpoints 0\n");
}

static void a_bad_checkpoint_under_an_older_restart_point(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s,
         ". open 2\n"
         ". ready 0-1\n"
         ". result 0 it=5 score=0.5\n"
         ". saved 0\n"
         ". result 0 it=10 score=0.6\n"
         ". saved 0\n"
         "bad 0/1\n"
         "exited 0\n"
         "  exit 0: retry\n"
         "  start 0 (1.3) from 0/2 at 10\n"
         "look 0\n"
         "  RUNNING it=10 score=0.6 pair=0/2 exploits=0 failures=1 x=0.548\n");
}

static void the_best_is_pinned_until_a_better_one_is_saved(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.num_to_keep = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=5 score=0.9\n"
             ". saved 0; durable 0/1\n"
             ". durable 0/1\n"
             ". result 0 it=10 score=0.5\n"
             ". saved 0\n"
             ". durable 0/2\n"
             ". result 0 it=15 score=0.4\n"
             ". saved 0\n"
             ". durable 0/3\n"
             ". result 0 it=20 score=0.3\n"
             ". saved 0\n"
             "checkpoints 0\n"
             "  0/1 at 5, pins 1, durable\n"
             "  0/2 at 10, pins 2, durable\n"
             "  0/3 at 15, pins 2, durable\n"
             "  0/4 at 20, pins 3\n"
             ". result 0 it=25 score=1\n"
             "saved 0\n"
             "  delete 0/1\n");
}

static void where_the_best_is_lost_the_best_of_the_rest_is_pinned(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.num_to_keep = 3;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=5 score=0.9\n"
             ". saved 0\n"
             ". result 0 it=10 score=0.7\n"
             ". saved 0\n"
             ". result 0 it=15 score=0.8\n"
             ". saved 0\n"
             ". durable 0/2; durable 0/3\n"
             "checkpoints 0\n"
             "  0/1 at 5, pins 3\n"
             "  0/2 at 10, pins 2, durable\n"
             "  0/3 at 15, pins 3, durable\n"
             "bad 0/1\n"
             "checkpoints 0\n"
             "  0/2 at 10, pins 2, durable\n"
             "  0/3 at 15, pins 4, durable\n");
}

static void a_lost_checkpoint_wakes_who_waits(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    play(&s,
         ". open 3\n"
         ". ready 0-2\n"
         ". result 1 it=5 score=0.5\n"
         ". saved 1\n"
         ". result 2 it=5 score=0.9\n"
         "look 1\n"
         "  RUNNING it=5 score=0.5 pair=1/1 exploits=0 failures=0 x=0.3718\n"
         "result 0 it=5 score=0.1\n"
         "  point 0\n"
         "saved 2\n"
         "  exploit 0 (1.4) from 2/1 at 5, 0.1 < 0.9\n");
}

static void the_best_is_known_without_points_too(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(1);
    s.scheduler = PBT_SCHEDULER_FIFO;
    s.checkpoint_frequency = 2;
    s.num_to_keep = 1;
    play(&s, ". open 1\n"
             ". ready 0\n"
             ". result 0 it=2 score=0.9\n"
             ". saved 0\n"
             ". durable 0/1\n"
             ". result 0 it=4 score=0.5\n"
             ". saved 0\n"
             ". durable 0/2\n"
             ". result 0 it=6 score=0.6\n"
             ". saved 0\n"
             ". durable 0/3\n"
             ". result 0 it=8 score=nan\n"
             "saved 0\n"
             "checkpoints 0\n"
             "  0/1 at 2, pins 1, durable\n"
             "  0/2 at 4, pins 1, durable\n"
             "  0/3 at 6, pins 1, durable\n"
             "  0/4 at 8, pins 1\n");
}

static void
older_restart_points_are_given_up_once_two_newer_are_durable(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    s.num_to_keep = 1;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=5 score=0.9\n"
             ". saved 0\n"
             ". durable 0/1\n"
             ". result 0 it=10 score=1\n"
             ". saved 0\n"
             ". durable 0/2\n"
             ". result 0 it=15 score=2\n"
             ". saved 0\n"
             ". durable 0/3\n"
             ". result 0 it=20 score=3\n"
             "saved 0\n"
             "  delete 0/1\n");
}

static void a_load_of_a_bad_checkpoint_that_succeeds_is_ended_too(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             ". saved 1\n"
             ". result 0 it=5 score=0.1\n"
             "bad 1/1; ready 0\n"
             "  (dropped)\n"
             "  leave 0: respawn\n"
             "exited 0\n"
             "  exit 0: respawn\n"
             "  undo 0 to 0, at 0 on none\n"
             "  start 0 (1.4)\n");
}

static void who_waits_at_its_point_has_no_more_results(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(2);
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 1 it=5 score=0.9\n"
             "result 0 it=5 score=0.1; result 0 it=6 running\n"
             "  point 0\n"
             "  (dropped)\n"
             "result 0 it=6 running\n"
             "  (dropped)\n"
             "exited 1\n"
             "  exit 1: retry\n"
             "  save 0/1\n"
             "  start 1 (1.3)\n");
}

/* One turn, without a story. */
static void tell(struct pbt_core *core, struct pbt_event event)
{
    struct pbt_record record;
    assert_true(pbt_core_decide(core, &event, &record));
    do {
        assert_true(pbt_core_apply(core, &record));
    } while (pbt_core_decide(core, NULL, &record));
}

/* What a driver starts in one life, at thousands of trials and exploits. */
static void a_million_lives_are_not_too_many(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(1);
    s.max_failures = -1;
    struct pbt_core *core = pbt_core_create(&s);
    assert_non_null(core);
    tell(core, (struct pbt_event){
                   .kind = PBT_EVENT_OPENED, .incarnation = 1, .slots = 1});
    uint64_t epoch = pbt_core_trial(core, 0).epoch;
    tell(core, (struct pbt_event){.kind = PBT_EVENT_READY, .epoch = epoch});
    tell(core, (struct pbt_event){.kind = PBT_EVENT_RESULT,
                                  .epoch = epoch,
                                  .seq = 1,
                                  .iteration = 1});
    for (uint32_t life = 0; life < (1u << 20) + 1; life++) {
        epoch = pbt_core_trial(core, 0).process_epoch;
        tell(core,
             (struct pbt_event){.kind = PBT_EVENT_EXITED, .epoch = epoch});
        assert_true(pbt_core_trial(core, 0).process_epoch > epoch);
    }
    pbt_core_destroy(core);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_crash_goes_back_to_the_restart_point),
        cmocka_unit_test(what_is_done_again_draws_the_same),
        cmocka_unit_test(an_exploit_is_a_restart_point),
        cmocka_unit_test(without_a_checkpoint_a_crash_goes_back_to_the_start),
        cmocka_unit_test(failures_are_counted_and_never_go_back),
        cmocka_unit_test(no_failures_allowed),
        cmocka_unit_test(any_number_of_failures_allowed),
        cmocka_unit_test(who_fails_again_and_again_backs_off),
        cmocka_unit_test(backing_off_doubles_up_to_64_times),
        cmocka_unit_test(who_backs_off_holds_no_slot_and_takes_none),
        cmocka_unit_test(the_next_driver_waits_for_nobody),
        cmocka_unit_test(a_failure_before_the_first_result_ends_the_experiment),
        cmocka_unit_test(after_such_an_end_the_next_opening_tries_again),
        cmocka_unit_test(a_crash_while_saving_uses_up_the_number),
        cmocka_unit_test(without_room_for_a_save_it_is_no_failure),
        cmocka_unit_test(late_news_of_an_older_life_are_dropped),
        cmocka_unit_test(duplicates_are_dropped),
        cmocka_unit_test(news_in_the_wrong_phase_are_dropped),
        cmocka_unit_test(a_process_is_named_by_the_epoch_of_its_start),
        cmocka_unit_test(epochs_after_reopening_are_new),
        cmocka_unit_test(a_journal_cut_short_never_gives_an_epoch_out_twice),
        cmocka_unit_test(a_driver_dies_between_the_records_of_one_batch),
        cmocka_unit_test(reopening_is_no_failure),
        cmocka_unit_test(a_pause_under_way_is_over_after_reopening),
        cmocka_unit_test(a_bad_checkpoint_is_gone_for_everybody),
        cmocka_unit_test(who_trains_on_happily_only_loses_the_restart_point),
        cmocka_unit_test(a_load_of_a_bad_checkpoint_is_ended_and_no_failure),
        cmocka_unit_test(so_it_is_if_the_loader_has_died_of_it_at_once),
        cmocka_unit_test(a_start_from_a_bad_checkpoint_goes_one_further_back),
        cmocka_unit_test(a_paused_trial_goes_back_where_it_stands),
        cmocka_unit_test(
            a_bad_checkpoint_of_a_finished_trial_changes_nothing_else),
        cmocka_unit_test(a_bad_checkpoint_under_an_older_restart_point),
        cmocka_unit_test(the_best_is_pinned_until_a_better_one_is_saved),
        cmocka_unit_test(where_the_best_is_lost_the_best_of_the_rest_is_pinned),
        cmocka_unit_test(a_lost_checkpoint_wakes_who_waits),
        cmocka_unit_test(the_best_is_known_without_points_too),
        cmocka_unit_test(
            older_restart_points_are_given_up_once_two_newer_are_durable),
        cmocka_unit_test(a_load_of_a_bad_checkpoint_that_succeeds_is_ended_too),
        cmocka_unit_test(who_waits_at_its_point_has_no_more_results),
        cmocka_unit_test(a_million_lives_are_not_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
