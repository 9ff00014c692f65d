/*
 * What is behind a trial's weights between two of its lives: after an exploit was undone, and
 * before it has gone back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "results/schedule.h"

static const char experiment[] =
    "command: [train]\nnum_samples: 3\nmetric: score\nmode: max\n"
    "config: {lr: 0.5}\n"
    "scheduler: {perturbation_interval: 5,\n"
    "            hyperparam_mutations: {lr: {uniform: [0, 1]}}}\n";

/* A run in the making: records are told one by one. */
struct story {
    struct pbt_results results;
    uint64_t records;
    uint64_t epoch;
    uint64_t seq;
};

static void begin(struct story *story)
{
    struct pbt_error error;
    *story = (struct story){.records = 0};
    assert_int_equal(pbt_spec_parse(&story->results.spec, experiment,
                                    sizeof experiment - 1, "e.yaml", "/", NULL,
                                    0, NULL, &error),
                     PBT_OK);
    assert_int_equal(
        pbt_fold_init(&story->results.fold, &story->results.spec, &error),
        PBT_OK);
}

static void end(struct story *story)
{
    pbt_fold_done(&story->results.fold);
    pbt_spec_done(&story->results.spec);
}

static void tell(struct story *story, struct pbt_record record)
{
    struct pbt_error error;
    record.number = ++story->records;
    struct pbt_entry entry = {.record = record};
    assert_int_equal(pbt_fold_feed(&story->results.fold, &entry, &error),
                     PBT_OK);
}

static void create(struct story *story, uint32_t trial, double lr)
{
    struct pbt_cell cells[1] = {pbt_cell_real(lr)};
    tell(story, (struct pbt_record){
                    .kind = PBT_RECORD_TRIAL, .trial = trial, .cells = cells});
}

/* A life that trains to iteration `to` and saves there. */
static void train(struct story *story, uint32_t trial,
                  struct pbt_checkpoint_id from, int64_t at, int64_t to,
                  double lr, uint32_t number)
{
    struct pbt_cell cells[1] = {pbt_cell_real(lr)};
    uint64_t epoch = ++story->epoch;
    tell(story, (struct pbt_record){.kind = PBT_RECORD_START,
                                    .trial = trial,
                                    .epoch = epoch,
                                    .iteration = at,
                                    .checkpoint = from,
                                    .cells = cells});
    for (int64_t i = at + 1; i <= to; i++) {
        tell(story, (struct pbt_record){.kind = PBT_RECORD_RESULT,
                                        .trial = trial,
                                        .epoch = epoch,
                                        .seq = (uint64_t)(i - at),
                                        .iteration = i,
                                        .score = (double)i});
    }
    tell(story, (struct pbt_record){.kind = PBT_RECORD_SAVED,
                                    .trial = trial,
                                    .epoch = epoch,
                                    .iteration = to,
                                    .checkpoint = {trial, number}});
}

static void take_over(struct story *story, uint32_t trial,
                      struct pbt_checkpoint_id from, int64_t at, double lr)
{
    struct pbt_cell cells[1] = {pbt_cell_real(lr)};
    tell(story, (struct pbt_record){.kind = PBT_RECORD_EXPLOIT,
                                    .trial = trial,
                                    .epoch = ++story->epoch,
                                    .pause = true,
                                    .checkpoint = from,
                                    .donor = from.trial,
                                    .donor_iteration = at,
                                    .cells = cells});
}

static void leave(struct story *story, uint32_t trial, enum pbt_leave why)
{
    tell(story, (struct pbt_record){.kind = PBT_RECORD_EXITED,
                                    .trial = trial,
                                    .epoch = story->epoch,
                                    .leave = why});
}

static void lose(struct story *story, uint32_t trial, uint32_t number)
{
    tell(story, (struct pbt_record){.kind = PBT_RECORD_BAD,
                                    .checkpoint = {trial, number}});
}

/* "1-5 by 0: 0.1; ..." */
static void expect(struct story *story, uint32_t trial, const char *expected)
{
    char text[256] = "";
    size_t length = 0;
    struct pbt_schedule schedule;
    struct pbt_error error;
    pbt_fold_finish(&story->results.fold);
    assert_int_equal(
        pbt_schedule_of_trial(&schedule, &story->results, trial, &error),
        PBT_OK);
    for (size_t i = 0; i < schedule.count; i++) {
        const struct pbt_schedule_range *range = &schedule.ranges[i];
        length += (size_t)snprintf(
            text + length, sizeof text - length, "%s%lld-%lld by %u: %g",
            i > 0 ? "; " : "", (long long)range->first, (long long)range->last,
            (unsigned)range->trial, range->cells[0].u.r);
    }
    pbt_schedule_done(&schedule);
    assert_string_equal(text, expected);
}

static void an_exploit_that_is_undone_leaves_no_trace(void **state)
{
    struct story story;
    (void)state;
    begin(&story);
    create(&story, 0, 0.125);
    create(&story, 1, 0.25);
    create(&story, 2, 0.5);
    expect(&story, 1, "1-0 by 1: 0.25");
    train(&story, 0, (struct pbt_checkpoint_id){0, 0}, 0, 5, 0.125, 1);
    leave(&story, 0, PBT_LEAVE_PAUSE);
    train(&story, 1, (struct pbt_checkpoint_id){0, 0}, 0, 4, 0.25, 1);
    expect(&story, 1, "1-4 by 1: 0.25");
    take_over(&story, 1, (struct pbt_checkpoint_id){0, 1}, 5, 0.75);
    leave(&story, 1, PBT_LEAVE_PAUSE);
    expect(&story, 1, "1-5 by 0: 0.125; 6-5 by 1: 0.75");
    /* Lost while it waits for a slot: back to its own, and its own values. */
    lose(&story, 0, 1);
    expect(&story, 1, "1-4 by 1: 0.25");
    expect(&story, 0, "1-0 by 0: 0.125");
    lose(&story, 1, 1);
    expect(&story, 1, "1-0 by 1: 0.25");
    train(&story, 1, (struct pbt_checkpoint_id){0, 0}, 0, 3, 0.25, 2);
    expect(&story, 1, "1-3 by 1: 0.25");
    end(&story);
}

static void the_exploit_below_is_what_is_left(void **state)
{
    struct story story;
    (void)state;
    begin(&story);
    create(&story, 0, 0.125);
    create(&story, 1, 0.25);
    create(&story, 2, 0.5);
    train(&story, 0, (struct pbt_checkpoint_id){0, 0}, 0, 5, 0.125, 1);
    leave(&story, 0, PBT_LEAVE_PAUSE);
    train(&story, 2, (struct pbt_checkpoint_id){0, 0}, 0, 7, 0.5, 1);
    leave(&story, 2, PBT_LEAVE_PAUSE);
    train(&story, 1, (struct pbt_checkpoint_id){0, 0}, 0, 4, 0.25, 1);
    take_over(&story, 1, (struct pbt_checkpoint_id){0, 1}, 5, 0.75);
    leave(&story, 1, PBT_LEAVE_PAUSE);
    train(&story, 1, (struct pbt_checkpoint_id){0, 1}, 5, 9, 0.75, 2);
    take_over(&story, 1, (struct pbt_checkpoint_id){2, 1}, 7, 0.875);
    leave(&story, 1, PBT_LEAVE_PAUSE);
    expect(&story, 1, "1-7 by 2: 0.5; 8-7 by 1: 0.875");
    lose(&story, 2, 1);
    expect(&story, 1, "1-5 by 0: 0.125; 6-9 by 1: 0.75");
    lose(&story, 1, 2); /* the donor's own is still there */
    expect(&story, 1, "1-5 by 0: 0.125; 6-5 by 1: 0.75");
    lose(&story, 0, 1);
    expect(&story, 1, "1-4 by 1: 0.25");
    end(&story);
}

/* Two exploits without a step between them: what was never in force has no range. */
static void what_was_never_in_force_has_no_range(void **state)
{
    struct story story;
    (void)state;
    begin(&story);
    create(&story, 0, 0.125);
    create(&story, 1, 0.25);
    train(&story, 0, (struct pbt_checkpoint_id){0, 0}, 0, 5, 0.125, 1);
    take_over(&story, 1, (struct pbt_checkpoint_id){0, 1}, 5, 0.75);
    train(&story, 1, (struct pbt_checkpoint_id){0, 1}, 5, 5, 0.75, 1);
    take_over(&story, 0, (struct pbt_checkpoint_id){1, 1}, 5, 0.875);
    train(&story, 0, (struct pbt_checkpoint_id){1, 1}, 5, 6, 0.875, 2);
    expect(&story, 0, "1-5 by 0: 0.125; 6-6 by 0: 0.875");
    end(&story);
}

/* Whose hyperparameters were explored, that is, and not of the donor in any case. */
static void
a_change_is_told_of_the_hyperparameters_that_it_began_with(void **state)
{
    static const struct {
        enum pbt_copies copies;
        enum pbt_record_kind kind;
        const char *change;
        uint32_t config_from;
    } CASES[] = {
        {PBT_COPIES_BOTH, PBT_RECORD_EXPLOIT, "lr x0.5", 1},
        {PBT_COPIES_WEIGHTS, PBT_RECORD_EXPLOIT, "lr x2", 0},
        {PBT_COPIES_HYPERPARAMETERS, PBT_RECORD_ADOPT, "lr x0.5", 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof CASES / sizeof CASES[0]; i++) {
        struct story story;
        struct pbt_cell old[1] = {pbt_cell_real(0.4)};
        struct pbt_cell new[1] = {pbt_cell_real(0.2)};
        begin(&story);
        story.results.spec.settings.copies = CASES[i].copies;
        story.results.spec.settings.donors = PBT_DONORS_BEST_EVER;
        create(&story, 0, 0.1);
        create(&story, 1, 0.4);
        train(&story, 0, (struct pbt_checkpoint_id){0, 0}, 0, 4, 0.1, 1);
        train(&story, 1, (struct pbt_checkpoint_id){0, 0}, 0, 5, 0.4, 1);
        bool own = CASES[i].kind == PBT_RECORD_ADOPT;
        tell(&story, (struct pbt_record){.kind = CASES[i].kind,
                                         .epoch = ++story.epoch,
                                         .iteration = 4,
                                         .donor_score = 5,
                                         .checkpoint = {own ? 0 : 1, 1},
                                         .donor = 1,
                                         .donor_iteration = 5,
                                         .old_cells = old,
                                         .cells = new});
        assert_string_equal(story.results.fold.board.trials[0].changes,
                            CASES[i].change);
        /* The donor's last result is shown, if the trial goes on from there. */
        assert_true(story.results.fold.board.trials[0].score == (own ? 4 : 5));
        assert_int_equal(story.results.fold.exploits[0].config_from,
                         CASES[i].config_from);
        assert_int_equal(story.results.fold.exploits[0].donor, own ? 0 : 1);
        end(&story);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_exploit_that_is_undone_leaves_no_trace),
        cmocka_unit_test(the_exploit_below_is_what_is_left),
        cmocka_unit_test(what_was_never_in_force_has_no_range),
        cmocka_unit_test(
            a_change_is_told_of_the_hyperparameters_that_it_began_with),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
