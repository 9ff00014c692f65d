/*
 * Asynchronous PBT as stories: who is replaced by whom at a trial's point.  How to read them:
 * trace.h.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "trace.h"

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
        cmocka_unit_test(a_copy_inherits_seconds),
        cmocka_unit_test(a_donated_checkpoint_outlives_retention),
        cmocka_unit_test(quantiles_hold_for_every_population),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
