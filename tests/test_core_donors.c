/*
 * donors: best_ever, as stories: a trial gives what was best of it, once.  How to read them:
 * trace.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace.h"

static struct pbt_settings remembering(uint32_t population)
{
    struct pbt_settings settings = halving(population);
    settings.donors = PBT_DONORS_BEST_EVER;
    settings.num_to_keep = 1;
    return settings;
}

/* Three points of trial 1, of which the second one was the best. */
#define FALLING                                                                \
    ". open 2\n"                                                               \
    ". ready 0-1\n"                                                            \
    ". result 1 it=5 score=5\n"                                                \
    ". saved 1; durable 1/1\n"                                                 \
    ". result 1 it=10 score=9\n"                                               \
    ". saved 1; durable 1/2\n"                                                 \
    ". result 1 it=15 score=4\n"                                               \
    ". saved 1; durable 1/3\n"

static void best_ever_gives_the_best_one_not_the_last(void **state)
{
    (void)state;
    struct pbt_settings s = remembering(2);
    play(&s, FALLING "result 0 it=5 score=1\n"
                     "  point 0\n"
                     "  exploit 0 (1.3) from 1/2 at 10, 1 < 9\n");
}

/* Where scores fall with training, all would else go back to it for ever. */
static void best_ever_gives_it_once(void **state)
{
    (void)state;
    struct pbt_settings s = remembering(2);
    play(&s, FALLING ". result 0 it=5 score=1\n"
                     ". ready 0\n"
                     "result 0 it=15 score=1\n"
                     "  point 0\n"
                     "  exploit 0 (1.4) from 1/3 at 15, 1 < 4\n");
}

/* But a better one that comes later. */
static void best_ever_gives_what_is_better_than_that(void **state)
{
    (void)state;
    struct pbt_settings s = remembering(2);
    play(&s, FALLING ". result 0 it=5 score=1\n"
                     ". ready 0\n"
                     ". result 1 it=20 score=8\n"
                     ". saved 1\n"
                     ". result 1 it=25 score=10\n"
                     ". saved 1\n"
                     ". result 1 it=30 score=3\n"
                     ". saved 1\n"
                     "result 0 it=15 score=1\n"
                     "  point 0\n"
                     "  exploit 0 (1.4) from 1/5 at 25, 1 < 10\n");
}

static void best_ever_is_kept_until_it_is_given(void **state)
{
    (void)state;
    struct pbt_settings s = remembering(2);
    play(&s, FALLING ". result 1 it=20 score=3\n"
                     ". saved 1; durable 1/4\n"
                     ". result 1 it=25 score=2\n"
                     ". saved 1; durable 1/5\n"
                     "checkpoints 1\n"
                     "  1/2 at 10, pins 2, durable\n" /* and best of all */
                     "  1/3 at 15, pins 2, durable\n"
                     "  1/4 at 20, pins 2, durable\n"
                     "  1/5 at 25, pins 3, durable\n"
                     ". result 0 it=5 score=1\n"
                     ". ready 0\n"
                     ". result 0 it=15 score=11\n"
                     "saved 0\n"
                     "durable 0/1\n"
                     ". result 0 it=20 score=10\n"
                     "saved 0\n"
                     "durable 0/2\n"
                     ". result 0 it=25 score=10\n"
                     "saved 0\n"
                     "  delete 1/2\n");
}

static void best_ever_that_is_lost_is_the_last_one(void **state)
{
    (void)state;
    struct pbt_settings s = remembering(2);
    play(&s, FALLING "bad 1/2\n"
                     "result 0 it=5 score=1\n"
                     "  point 0\n"
                     "  exploit 0 (1.3) from 1/3 at 15, 1 < 4\n");
}

/* Its donor has another configuration by now, and other weights. */
static void best_ever_goes_with_what_it_was_made_with(void **state)
{
    (void)state;
    struct pbt_settings s = remembering(3);
    struct trace *trace = trace_begin(&s);
    const struct pbt_core *core = trace_core(trace);
    trace_tell(trace, ". open 3\n"
                      ". ready 0-2\n"
                      ". result 1 it=5 score=9\n"
                      ". saved 1\n"
                      ". result 2 it=5 score=20\n"
                      ". saved 2\n");
    double x = pbt_core_trial(core, 1).cells[0].u.r;
    trace_tell(trace, "result 1 it=10 score=4\n"
                      "  point 1\n"
                      "  exploit 1 (1.4) from 2/1 at 5, 4 < 20\n"
                      ". ready 1\n"
                      ". result 1 it=10 score=8\n"
                      ". saved 1\n"
                      "result 2 it=10 score=3\n"
                      "  point 2\n"
                      "  exploit 2 (1.6) from 1/1 at 5, 3 < 9\n");
    assert_true(pbt_core_trial(core, 2).cells[0].u.r == x / 2);
    trace_end(trace);
}

/* Its clock is behind the target then: it trains in the next round, not in this one. */
static void best_ever_may_lead_back_behind_the_round(void **state)
{
    (void)state;
    struct pbt_settings s = remembering(4);
    s.synch = true;
    s.custom_explore = true;
    s.gap = 5;
    play(&s, ". open 4\n"
             ". ready 0-3\n"
             ". result 0 it=5 score=1; result 1 it=5 score=1\n"
             ". result 2 it=5 score=4; result 3 it=5 score=4\n"
             ". saved 0-3\n" /* no gap is large enough */
             ". result 0 it=10 score=-9; result 1 it=10 score=-9\n"
             ". result 2 it=10 score=0; result 3 it=10 score=0\n"
             ". saved 0-2\n"
             "saved 3\n"
             "  ask 0: from 3/1 at 5, -9 < 4\n"
             "  ask 1: from 3/2 at 10, -9 < 0\n"
             "answer 0 x=0.5\n"
             "  exploit 0 (1.5) from 3/1 at 5, -9 < 4\n"
             "ready 0\n"
             "owed 0\n"
             "  none 0\n"
             "answer 1 x=0.5\n"
             "  exploit 1 (1.6) from 3/2 at 10, -9 < 0\n"
             "  round to 15\n"
             "owed 0\n"
             "  run 0 until 15\n");
}

/* All have diverged: what they were once is all that helps. */
static void best_ever_heals_a_population_without_a_number(void **state)
{
    (void)state;
    struct pbt_settings s = remembering(2);
    play(&s,
         FALLING ". result 1 it=20 score=nan\n"
                 ". saved 1\n"
                 "result 0 it=5 score=nan\n"
                 "  point 0\n"
                 "  exploit 0 (1.3) from 1/2 at 10, nan < 9\n"
                 ". ready 0\n"
                 "result 0 it=15 score=nan\n" /* it gives it once */
                 "  point 0\n"
                 "  pass 0: no donor has a finite score and its checkpoint\n"
                 "  save 0/1\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(best_ever_gives_the_best_one_not_the_last),
        cmocka_unit_test(best_ever_gives_it_once),
        cmocka_unit_test(best_ever_gives_what_is_better_than_that),
        cmocka_unit_test(best_ever_is_kept_until_it_is_given),
        cmocka_unit_test(best_ever_that_is_lost_is_the_last_one),
        cmocka_unit_test(best_ever_goes_with_what_it_was_made_with),
        cmocka_unit_test(best_ever_may_lead_back_behind_the_round),
        cmocka_unit_test(best_ever_heals_a_population_without_a_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
