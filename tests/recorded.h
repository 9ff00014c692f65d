/*
 * recorded.h: the records of a whole run, made by the driver in virtual time, for tests of
 * what is folded from records.
 */
#ifndef PBT_TESTS_RECORDED_H
#define PBT_TESTS_RECORDED_H

#include <string.h>

#include "base/buf.h"
#include "driver/driver.h"
#include "exec/sim.h"
#include "spec/spec.h"

#define RECORDED_JOURNAL "journal"
#define RECORDED_SNAPSHOTS "snapshots"
#define RECORDED_EVERY 50 /* records, from one snapshot to the next */

static void recorded_spec(struct pbt_spec *spec, const char *text)
{
    struct pbt_error error = {0};
    struct pbt_buf problems;
    pbt_buf_init(&problems, 65536);
    if (pbt_spec_parse(spec, text, strlen(text), "recorded.yaml", "/tmp", NULL,
                       0, &problems, &error) != PBT_OK) {
        fail_msg("%s", problems.data == NULL ? error.text : problems.data);
    }
    pbt_buf_done(&problems);
}

static int recorded_line(void *user, const char *line, size_t length,
                         struct pbt_error *error)
{
    (void)error;
    struct pbt_buf *lines = user;
    pbt_buf_put(lines, line, length);
    pbt_buf_char(lines, '\n');
    return PBT_OK;
}

/* One life of the driver: at most so many turns, then it is killed. */
static bool recorded_life(struct pbt_sim *sim, struct pbt_spec *spec,
                          uint32_t slots, uint32_t turns, int64_t wall)
{
    struct pbt_error error = {0};
    struct pbt_driver_options options = {
        .files = pbt_sim_files(sim),
        .journal_dir = RECORDED_JOURNAL,
        .snapshot_dir = RECORDED_SNAPSHOTS,
        .snapshot_every = RECORDED_EVERY,
        .slots = slots,
        .wall_ns = wall,
        .pid = 4711,
        .host = "simulated",
        .checkpoint_check = pbt_sim_checkpoint_check,
        .checkpoint_user = sim,
    };
    struct pbt_driver *driver = NULL;
    bool finished = false;
    int status =
        pbt_driver_open(&driver, spec, pbt_sim_world(sim), &options, &error);
    while (status == PBT_OK && !finished && turns-- > 0) {
        status = pbt_driver_turn(driver, &finished, &error);
    }
    pbt_driver_close(driver);
    if (status != PBT_OK) {
        fail_msg("%s", error.text);
    }
    if (!finished) {
        pbt_sim_kill(sim);
    }
    return finished;
}

/*
 * Runs the experiment with crashes, and with a driver that dies after so many turns.  Whose
 * files it leaves is to be destroyed before `spec` is released.
 */
static struct pbt_sim *recorded_sim(struct pbt_spec *spec, const char *text,
                                    uint64_t seed, uint32_t slots,
                                    uint32_t turns)
{
    const struct pbt_sim_rates rates = {
        .crash_step = 0.04,
        .crash_setup = 0.02,
        .nan_score = 0.01,
        .can_reset = true,
        .step_ns = 1000000,
        .setup_ns = 3000000,
        .save_ns = 2000000,
        .latency_ns = 10000,
        .late_ns = 1000000,
        .sync_ns = 5000000,
        .window_ns = 100000,
    };
    recorded_spec(spec, text);
    struct pbt_sim *sim = pbt_sim_create(spec, seed, &rates);
    assert_non_null(sim);
    int64_t wall = INT64_C(1700000000000000000);
    for (uint32_t lives = 0; !recorded_life(sim, spec, slots, turns, wall);
         lives++) {
        assert_true(lives < 100);
        turns *= 2;
        wall += INT64_C(60000000000);
    }
    assert_null(pbt_sim_violation(sim));
    return sim;
}

/* The same; appends the lines of all its records. */
static inline void recorded_run(const char *text, uint64_t seed, uint32_t slots,
                                uint32_t turns, struct pbt_buf *lines)
{
    struct pbt_spec spec;
    struct pbt_error error = {0};
    struct pbt_journal_info info;
    struct pbt_sim *sim = recorded_sim(&spec, text, seed, slots, turns);
    if (pbt_journal_read(pbt_sim_files(sim), RECORDED_JOURNAL, recorded_line,
                         lines, &info, &error) != PBT_OK) {
        fail_msg("%s", error.text);
    }
    assert_false(pbt_buf_failed(lines));
    pbt_sim_destroy(sim);
    pbt_spec_done(&spec);
}

#endif
