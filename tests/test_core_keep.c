/*
 * Which checkpoints are kept, as stories: by age, by score, within so many bytes.  How to read
 * them: trace.h.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "trace.h"

/* A trial by itself that saves after each step. */
static struct pbt_settings each_step(uint32_t population, enum pbt_keep keep,
                                     uint32_t count)
{
    struct pbt_settings s = trace_settings(population);
    s.scheduler = PBT_SCHEDULER_FIFO;
    s.checkpoint_frequency = 1;
    s.keep = keep;
    s.num_to_keep = count;
    return s;
}

static void the_best_are_kept_and_the_newest(void **state)
{
    (void)state;
    struct pbt_settings s = each_step(1, PBT_KEEP_BEST, 2);
    play(&s, ". open 1\n"
             ". ready 0\n"
             ". result 0 it=1 score=0.5\n"
             ". saved 0\n"
             ". durable 0/1\n"
             ". result 0 it=2 score=0.9\n"
             ". saved 0\n"
             ". durable 0/2\n"
             ". result 0 it=3 score=0.2\n"
             ". saved 0\n"
             ". durable 0/3\n"
             ". result 0 it=4 score=0.7\n"
             "saved 0\n"
             "  delete 0/1\n"
             "durable 0/4\n"
             ". result 0 it=5 score=0.6\n"
             "saved 0\n"
             "durable 0/5\n"
             ". result 0 it=6 score=0.1\n"
             "saved 0\n"
             "  delete 0/3\n"
             "durable 0/6\n"
             "checkpoints 0\n"
             "  0/2 at 2, pins 1, durable\n"
             "  0/4 at 4, pins 1, durable\n"
             "  0/5 at 5, pins 1, durable\n"
             "  0/6 at 6, pins 1, durable\n");
}

static void of_equals_the_newer_is_kept(void **state)
{
    (void)state;
    struct pbt_settings s = each_step(1, PBT_KEEP_BEST, 1);
    play(&s, ". open 1\n"
             ". ready 0\n"
             ". result 0 it=1 score=0.5\n"
             ". saved 0\n"
             ". durable 0/1\n"
             ". result 0 it=2 score=0.5\n"
             ". saved 0\n"
             ". durable 0/2\n"
             ". result 0 it=3 score=0.5\n"
             ". saved 0\n"
             ". durable 0/3\n"
             ". result 0 it=4 score=0.1\n"
             "saved 0\n"
             ". durable 0/4\n"
             ". result 0 it=5 score=0.1\n"
             "saved 0\n"
             "  delete 0/2\n"
             ". durable 0/5\n"
             "checkpoints 0\n"
             "  0/1 at 1, pins 1, durable\n"
             "  0/3 at 3, pins 1, durable\n"
             "  0/4 at 4, pins 1, durable\n"
             "  0/5 at 5, pins 1, durable\n");
}

static void what_has_no_number_goes_first(void **state)
{
    (void)state;
    struct pbt_settings s = each_step(1, PBT_KEEP_VALUE, 2);
    s.keep_low = true;
    play(&s, ". open 1\n"
             ". ready 0\n"
             ". result 0 it=1 score=0.5 v0=3\n"
             ". saved 0\n"
             ". durable 0/1\n"
             ". result 0 it=2 score=0.1 v0=1\n"
             ". saved 0\n"
             ". durable 0/2\n"
             ". result 0 it=3 score=0.1 v0=2\n"
             ". saved 0\n"
             ". durable 0/3\n"
             ". result 0 it=4 score=0.1\n"
             "saved 0\n"
             "durable 0/4\n"
             ". result 0 it=5 score=0.1 v0=5\n"
             "saved 0\n"
             "durable 0/5\n"
             ". result 0 it=6 score=0.1 v0=4\n"
             "saved 0\n"
             "durable 0/6\n"
             ". result 0 it=7 score=0.1 v0=9\n"
             "saved 0\n"
             "  delete 0/4\n"
             "durable 0/7\n"
             "checkpoints 0\n"
             "  0/1 at 1, pins 1, durable\n"
             "  0/2 at 2, pins 0, durable\n"
             "  0/3 at 3, pins 0, durable\n"
             "  0/5 at 5, pins 1, durable\n"
             "  0/6 at 6, pins 1, durable\n"
             "  0/7 at 7, pins 1, durable\n");
}

static void beyond_the_budget_the_oldest_of_all_goes(void **state)
{
    (void)state;
    struct pbt_settings s = each_step(2, PBT_KEEP_NEWEST, 10);
    s.max_bytes = 800;
    play(&s, ". open 2\n"
             ". ready 0-1\n"
             ". result 0 it=1 score=0\n"
             ". saved 0\n"
             ". durable 0/1\n"
             ". result 1 it=1 score=0\n"
             ". saved 1\n"
             ". durable 1/1\n"
             ". result 0 it=2 score=0\n"
             ". saved 0\n"
             ". durable 0/2\n"
             ". result 1 it=2 score=0\n"
             ". saved 1\n"
             ". durable 1/2\n"
             ". result 0 it=3 score=0\n"
             ". saved 0\n"
             ". durable 0/3\n"
             ". result 1 it=3 score=0\n"
             ". saved 1\n"
             ". durable 1/3\n"
             ". result 1 it=4 score=0\n"
             "saved 1\n"
             "durable 1/4\n"
             ". result 0 it=4 score=0\n"
             "saved 0\n"
             "durable 0/4\n"
             ". result 0 it=5 score=0\n"
             "saved 0 bytes=300\n"
             "  delete 1/1\n"
             "  delete 0/2\n"
             "durable 0/5\n"
             "checkpoints 0\n"
             "  0/1 at 1, pins 1, durable\n"
             "  0/3 at 3, pins 1, durable\n"
             "  0/4 at 4, pins 1, durable\n"
             "  0/5 at 5, pins 1, durable\n"
             "checkpoints 1\n"
             "  1/2 at 2, pins 1, durable\n"
             "  1/3 at 3, pins 1, durable\n"
             "  1/4 at 4, pins 1, durable\n");
}

static void what_is_needed_is_kept_beyond_the_budget(void **state)
{
    (void)state;
    struct pbt_settings s = each_step(1, PBT_KEEP_NEWEST, 10);
    s.max_bytes = 150;
    play(&s, ". open 1\n"
             ". ready 0\n"
             ". result 0 it=1 score=0\n"
             "saved 0\n"
             ". durable 0/1\n"
             ". result 0 it=2 score=0\n"
             "saved 0\n"
             ". durable 0/2\n"
             ". result 0 it=3 score=0\n"
             "saved 0\n"
             ". durable 0/3\n"
             ". result 0 it=4 score=0\n"
             "saved 0\n"
             ". durable 0/4\n"
             ". result 0 it=5 score=0\n"
             "saved 0\n"
             "  delete 0/2\n"
             ". durable 0/5\n"
             "checkpoints 0\n"
             "  0/1 at 1, pins 1, durable\n"
             "  0/3 at 3, pins 1, durable\n"
             "  0/4 at 4, pins 1, durable\n"
             "  0/5 at 5, pins 1, durable\n");
}

static void what_a_loser_stands_on_is_kept(void **state)
{
    (void)state;
    struct pbt_settings s = trace_settings(3);
    s.num_to_keep = 1;
    s.max_bytes = 1;
    play(&s, ". open 3\n"
             ". ready 0-2\n"
             ". result 1 it=5 score=0.5\n"
             ". saved 1\n"
             ". result 2 it=5 score=0.9\n"
             ". saved 2\n"
             ". durable 1/1; durable 2/1\n"
             "result 0 it=5 score=0.1\n"
             "  point 0\n"
             "  exploit 0 (1.4) from 2/1 at 5, 0.1 < 0.9\n"
             ". ready 0\n"
             ". result 2 it=10 score=1\n"
             "saved 2\n"
             ". durable 2/2\n"
             ". result 2 it=15 score=1.1\n"
             "saved 2\n"
             ". durable 2/3\n"
             ". result 2 it=20 score=1.2\n"
             "saved 2\n"
             ". durable 2/4\n"
             "checkpoints 2\n"
             "  2/1 at 5, pins 1, durable\n"
             "  2/2 at 10, pins 2, durable\n"
             "  2/3 at 15, pins 2, durable\n"
             "  2/4 at 20, pins 4, durable\n"
             ". result 0 it=10 score=0.8\n"
             "saved 0\n"
             ". durable 0/1\n"
             ". result 0 it=15 score=0.8\n"
             "saved 0\n"
             ". durable 0/2\n"
             ". result 0 it=20 score=0.8\n"
             "saved 0\n"
             "  delete 2/1\n"
             ". durable 0/3\n"
             "checkpoints 2\n"
             "  2/2 at 10, pins 2, durable\n"
             "  2/3 at 15, pins 2, durable\n"
             "  2/4 at 20, pins 4, durable\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_are_kept_and_the_newest),
        cmocka_unit_test(of_equals_the_newer_is_kept),
        cmocka_unit_test(what_has_no_number_goes_first),
        cmocka_unit_test(beyond_the_budget_the_oldest_of_all_goes),
        cmocka_unit_test(what_is_needed_is_kept_beyond_the_budget),
        cmocka_unit_test(what_a_loser_stands_on_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
