/*
 * Hyperparameters without effect: driver/effect.h, fed by hand.
 *
 * Trial 0 is the donor.  A value of x counts for what a trial reports or it does not, as the
 * test says.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "core/core.h"
#include "driver/effect.h"

#define TRIALS 4
#define PARAMS 2

struct world {
    struct pbt_param params[PARAMS];
    struct pbt_settings settings;
    struct pbt_effect *effect;
    struct pbt_cell cells[TRIALS][PARAMS];
    int64_t iterations[TRIALS];
    uint32_t saves;
    bool counts[PARAMS]; /* this parameter has an effect */
    int late;            /* results after an exploit until it shows */
    int since[TRIALS];
    bool noisy;
    bool constant;     /* the score is */
    const char *extra; /* a metric of another value in each trial */
    bool echoes;       /* reports x */
    bool found;
};

static void setup_world(struct world *world)
{
    *world = (struct world){.extra = NULL};
    for (uint32_t i = 0; i < PARAMS; i++) {
        world->params[i] = (struct pbt_param){
            .name = i == 0 ? "x" : "y",
            .mutation = PBT_MUTATION_DOMAIN,
            .mutations = {.kind = PBT_DOMAIN_UNIFORM, .upper = 1}};
    }
    world->settings = (struct pbt_settings){
        .population = TRIALS,
        .scheduler = PBT_SCHEDULER_PBT,
        .space = {.params = world->params, .count = PARAMS}};
    world->effect = pbt_effect_create(&world->settings);
    assert_non_null(world->effect);
    for (uint32_t i = 0; i < TRIALS; i++) {
        world->cells[i][0] = pbt_cell_real(0.125 * (i + 1));
        world->cells[i][1] = pbt_cell_real(0.5);
    }
}

static void start(struct world *world, uint32_t trial)
{
    struct pbt_record record = {.kind = PBT_RECORD_START,
                                .trial = trial,
                                .iteration = world->iterations[trial],
                                .cells = world->cells[trial]};
    assert_false(pbt_effect_feed(world->effect, &record, NULL));
}

/* A trainable whose state is its iteration. */
static double score_of(struct world *world, uint32_t trial)
{
    static int steps;
    double score = world->constant ? 1 : (double)world->iterations[trial];
    for (uint32_t i = 0; i < PARAMS; i++) {
        if (world->counts[i] && world->since[trial] > world->late) {
            score += world->cells[trial][i].u.r;
        }
    }
    return world->noisy ? score + ++steps : score;
}

static void step(struct world *world, uint32_t trial, int count)
{
    for (int i = 0; i < count; i++) {
        world->iterations[trial]++;
        world->since[trial]++;
        json_t *metrics =
            json_pack("{s:f,s:{s:i,s:b}}", "score", score_of(world, trial),
                      "inner", "n", 3, "flag", 1);
        if (world->extra != NULL) {
            assert_int_equal(json_object_set_new(metrics, world->extra,
                                                 json_real(100.5 + trial)),
                             0);
        }
        if (world->echoes) {
            assert_int_equal(
                json_object_set_new(metrics, "cur_x",
                                    json_real(world->cells[trial][0].u.r)),
                0);
        }
        struct pbt_record record = {
            .kind = PBT_RECORD_RESULT,
            .trial = trial,
            .iteration = world->iterations[trial],
            .score = json_real_value(json_object_get(metrics, "score"))};
        world->found =
            pbt_effect_feed(world->effect, &record, metrics) || world->found;
        json_decref(metrics);
    }
}

static struct pbt_checkpoint_id save(struct world *world, uint32_t trial)
{
    struct pbt_record record = {
        .kind = PBT_RECORD_SAVED,
        .trial = trial,
        .checkpoint = {.trial = trial, .number = ++world->saves}};
    assert_false(pbt_effect_feed(world->effect, &record, NULL));
    world->since[trial] = 0;
    return record.checkpoint;
}

/* The trial goes on as the donor's copy, with x and y. */
static void exploit(struct world *world, uint32_t trial,
                    struct pbt_checkpoint_id from, int64_t iteration, double x,
                    double y)
{
    world->cells[trial][0] = pbt_cell_real(x);
    world->cells[trial][1] = pbt_cell_real(y);
    world->iterations[trial] = iteration;
    world->since[trial] = 0;
    struct pbt_record record = {.kind = PBT_RECORD_EXPLOIT,
                                .trial = trial,
                                .donor = from.trial,
                                .checkpoint = from,
                                .donor_iteration = iteration,
                                .donor_score = (double)iteration,
                                .cells = world->cells[trial]};
    assert_false(pbt_effect_feed(world->effect, &record, NULL));
}

/* Trial 0 saves, trial 1 copies it with another x, and both train on. */
static void round_of(struct world *world, double x, double y, int steps)
{
    struct pbt_checkpoint_id from = save(world, 0);
    exploit(world, 1, from, world->iterations[0], x, y);
    step(world, 0, steps);
    step(world, 1, steps);
}

/* As many as it takes; x is another than the donor's each time. */
static void rounds(struct world *world, int count, double y)
{
    for (int i = 0; i < count; i++) {
        round_of(world, i % 2 == 0 ? 0.75 : 0.625, y, 5);
    }
}

static void begin(struct world *world)
{
    for (uint32_t i = 0; i < TRIALS; i++) {
        start(world, i);
        step(world, i, 5);
    }
}

static bool is_found(const struct world *world, bool x, bool y)
{
    const struct pbt_effect_finding *finding =
        pbt_effect_finding(world->effect);
    return world->found && finding->ignored[0] == x && finding->ignored[1] == y;
}

static void what_has_no_effect_is_found_at_the_fourth_checkpoint(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    begin(&world);
    rounds(&world, 3, 0.5);
    assert_false(world.found);
    round_of(&world, 0.625, 0.5, 2);
    assert_false(world.found);
    step(&world, 0, 1);
    assert_false(world.found); /* the copy has two results only */
    step(&world, 1, 1);
    assert_true(is_found(&world, true, false));
    const struct pbt_effect_finding *finding = pbt_effect_finding(world.effect);
    assert_int_equal(finding->trials[0] + finding->trials[1], 1);
    assert_int_equal(finding->checkpoint.number, 4);
    assert_int_equal(finding->first, 21);
    assert_int_equal(finding->last, 23);
    world.found = false;
    rounds(&world, 8, 0.5);
    assert_false(world.found); /* once */
    pbt_effect_destroy(world.effect);
}

static void who_trains_first_does_not_matter(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    begin(&world);
    for (int i = 0; i < 4; i++) {
        struct pbt_checkpoint_id from = save(&world, 0);
        int64_t iteration = world.iterations[0];
        if (i == 0) {
            step(&world, 0, 5);
        }
        exploit(&world, 1, from, iteration, 0.75, 0.5);
        step(&world, 1, 5);
        step(&world, 0, i == 0 ? 0 : 5);
    }
    assert_true(is_found(&world, true, false));
    pbt_effect_destroy(world.effect);
}

static void two_copies_of_one_checkpoint_are_compared_too(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    begin(&world);
    for (int i = 0; i < 4; i++) {
        struct pbt_checkpoint_id from = save(&world, 0);
        int64_t iteration = world.iterations[0];
        world.noisy = true; /* the donor has state that it does not save */
        step(&world, 0, 5);
        world.noisy = false;
        exploit(&world, 1, from, iteration, 0.75, 0.5);
        exploit(&world, 2, from, iteration, 0.25, 0.5);
        step(&world, 1, 5);
        step(&world, 2, 5);
    }
    /* The donor differs from both: so x is taken to act. */
    assert_false(world.found);
    pbt_effect_destroy(world.effect);
    setup_world(&world);
    begin(&world);
    for (int i = 0; i < 4; i++) {
        struct pbt_checkpoint_id from = save(&world, 0);
        exploit(&world, 1, from, world.iterations[0], 0.75, 0.5);
        exploit(&world, 2, from, world.iterations[0], 0.25, 0.5);
        step(&world, 1, 5);
        step(&world, 2, 5);
        step(&world, 0, 1);
    }
    assert_true(is_found(&world, true, false));
    pbt_effect_destroy(world.effect);
}

static void what_has_an_effect_is_not(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    world.counts[0] = true;
    begin(&world);
    rounds(&world, 10, 0.5);
    assert_false(world.found);
    pbt_effect_destroy(world.effect);
}

static void an_effect_may_show_in_the_third_result_first(void **state)
{
    struct world world;
    (void)state;
    for (int late = 1; late <= 3; late++) {
        setup_world(&world);
        world.counts[0] = true;
        world.late = late;
        begin(&world);
        rounds(&world, 4, 0.5);
        assert_int_equal(world.found, late == 3);
        pbt_effect_destroy(world.effect);
    }
}

static void chance_proves_nothing(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    world.noisy = true;
    begin(&world);
    rounds(&world, 100, 0.5);
    assert_false(world.found);
    world.noisy = false;
    rounds(&world, 10, 0.5);
    assert_false(world.found); /* it was given up */
    pbt_effect_destroy(world.effect);
}

static void what_does_not_change_proves_nothing(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    world.constant = true;
    begin(&world);
    rounds(&world, 10, 0.5);
    assert_false(world.found);
    pbt_effect_destroy(world.effect);
}

static void all_that_is_reported_counts(void **state)
{
    static const struct {
        const char *name;
        bool found;
    } cases[] = {{"loss", false},
                 {"times_table", true},
                 {"step_time", true},
                 {"Samples/s", true},
                 {"walltime", true},
                 {"GPU-util", true},
                 {"a_very_long_name_of_the_runtime", true},
                 {"class_s_recall", true},
                 {"misses", false}};
    struct world world;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setup_world(&world);
        world.extra = cases[i].name;
        begin(&world);
        rounds(&world, 4, 0.5);
        if (world.found != cases[i].found) {
            fail_msg("%s", cases[i].name);
        }
        pbt_effect_destroy(world.effect);
    }
}

/* An accuracy on few examples, say: it is the same by chance at times. */
static void what_differed_in_between_does_not_count(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    begin(&world);
    for (int i = 0; i < 10; i++) {
        world.counts[0] = world.counts[1] = i % 4 == 3;
        round_of(&world, i % 2 == 0 ? 0.75 : 0.625, 0.25, 5);
    }
    assert_false(world.found);
    pbt_effect_destroy(world.effect);
}

/* Given up, it isn't taken up again, by a worker's word on another hyperparameter say. */
static void what_was_given_up_stays_so(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    world.noisy = true;
    begin(&world);
    rounds(&world, 80, 0.25);
    world.noisy = false;
    assert_true(pbt_effect_note(world.effect, 0));
    rounds(&world, 8, 0.25);
    assert_false(world.found);
    pbt_effect_destroy(world.effect);
}

static void what_repeats_a_hyperparameter_does_not(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    world.echoes = true;
    begin(&world);
    rounds(&world, 4, 0.5);
    assert_true(is_found(&world, true, false));
    pbt_effect_destroy(world.effect);
}

static void of_two_only_one_may_be_ignored(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    world.counts[1] = true;
    begin(&world);
    rounds(&world, 4, 0.25);
    assert_false(world.found); /* both differed: nothing can be said */
    rounds(&world, 4, 0.5);
    assert_true(is_found(&world, true, false));
    world.found = false;
    round_of(&world, 0.75, 0.25, 5); /* x has no effect: it was y */
    world.counts[1] = false;
    rounds(&world, 8, 0.25);
    assert_false(world.found);
    pbt_effect_destroy(world.effect);
}

static void of_two_both_may_be_ignored(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    begin(&world);
    rounds(&world, 4, 0.25);
    assert_true(is_found(&world, true, true));
    pbt_effect_destroy(world.effect);
}

static void with_a_save_after_each_step_too(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    begin(&world);
    for (int i = 0; i < 4; i++) {
        struct pbt_checkpoint_id from = save(&world, 0);
        exploit(&world, 1, from, world.iterations[0], 0.75 - 0.125 * i, 0.5);
        for (int k = 0; k < 3; k++) {
            step(&world, 0, 1);
            step(&world, 1, 1);
            (void)save(&world, 0);
            (void)save(&world, 1);
        }
    }
    assert_true(is_found(&world, true, false));
    pbt_effect_destroy(world.effect);
}

static void a_process_set_up_anew_acquits_nobody(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    world.counts[0] = true;
    begin(&world);
    struct pbt_checkpoint_id from = save(&world, 0);
    exploit(&world, 1, from, world.iterations[0], 0.75, 0.5);
    start(&world, 1);
    step(&world, 0, 5);
    step(&world, 1, 5);
    world.counts[0] = false;
    rounds(&world, 4, 0.5);
    assert_true(is_found(&world, true, false));
    pbt_effect_destroy(world.effect);
}

static void what_is_done_again_is_compared_again(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    begin(&world);
    for (int i = 0; i < 4; i++) {
        struct pbt_checkpoint_id from = save(&world, 0);
        int64_t iteration = world.iterations[0];
        exploit(&world, 1, from, iteration, 0.75 - 0.125 * i, 0.5);
        step(&world, 0, 5);
        step(&world, 1, 2);
        world.iterations[1] = iteration; /* it crashed */
        start(&world, 1);
        assert_false(world.found);
        step(&world, 1, 5);
    }
    assert_true(is_found(&world, true, false));
    pbt_effect_destroy(world.effect);
}

static void what_was_found_before_is_not_found_again(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    assert_true(pbt_effect_note(world.effect, 0));
    begin(&world);
    rounds(&world, 4, 0.25);
    assert_true(is_found(&world, false, true));
    assert_false(pbt_effect_note(world.effect, 1));
    pbt_effect_destroy(world.effect);
}

static void without_exploits_nothing_is_looked_at(void **state)
{
    struct world world;
    (void)state;
    setup_world(&world);
    pbt_effect_destroy(world.effect);
    world.settings.scheduler = PBT_SCHEDULER_FIFO;
    world.effect = pbt_effect_create(&world.settings);
    begin(&world);
    rounds(&world, 4, 0.5);
    assert_false(world.found);
    pbt_effect_destroy(world.effect);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_has_no_effect_is_found_at_the_fourth_checkpoint),
        cmocka_unit_test(who_trains_first_does_not_matter),
        cmocka_unit_test(two_copies_of_one_checkpoint_are_compared_too),
        cmocka_unit_test(what_has_an_effect_is_not),
        cmocka_unit_test(an_effect_may_show_in_the_third_result_first),
        cmocka_unit_test(chance_proves_nothing),
        cmocka_unit_test(what_does_not_change_proves_nothing),
        cmocka_unit_test(all_that_is_reported_counts),
        cmocka_unit_test(what_differed_in_between_does_not_count),
        cmocka_unit_test(what_was_given_up_stays_so),
        cmocka_unit_test(what_repeats_a_hyperparameter_does_not),
        cmocka_unit_test(of_two_only_one_may_be_ignored),
        cmocka_unit_test(of_two_both_may_be_ignored),
        cmocka_unit_test(with_a_save_after_each_step_too),
        cmocka_unit_test(a_process_set_up_anew_acquits_nobody),
        cmocka_unit_test(what_is_done_again_is_compared_again),
        cmocka_unit_test(what_was_found_before_is_not_found_again),
        cmocka_unit_test(without_exploits_nothing_is_looked_at),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
