/*
 * The executor of this machine with real workers, told by this test in the place of the
 * driver: what becomes of a worker that was kept for another trial.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "exec/local.h"

#define TOY PBT_BUILD_DIR "/tests/bad_toy"

struct fixture {
    char dir[64];
    struct pbt_spec spec;
    struct pbt_budget budget;
    struct pbt_local *local;
    struct pbt_world *world;
    struct pbt_input_batch batch;
    size_t taken;
    uint64_t epoch;
    int64_t pid; /* of the last ready */
};

static void begin(struct fixture *f, uint32_t slots)
{
    static const char TEXT[] = "name: x\ncommand: [" TOY "]\nnum_samples: 3\n"
                               "metric: score\nmode: max\nseed: 1\n"
                               "config: {lr: 0.01}\n"
                               "scheduler: {type: fifo}\n"
                               "stop: {training_iteration: 9}\n";
    struct pbt_error error;
    *f = (struct fixture){.dir = "/tmp/pbt-test_local.XXXXXX",
                          .budget = {.slots = slots}};
    assert_non_null(mkdtemp(f->dir));
    if (pbt_spec_parse(&f->spec, TEXT, sizeof TEXT - 1, "x", NULL, NULL, 0,
                       NULL, &error) != PBT_OK) {
        fail_msg("%s", error.text);
    }
    struct pbt_local_options options = {.spec = &f->spec,
                                        .files = pbt_files_posix(),
                                        .run_dir = f->dir,
                                        .shim = getenv("PBT_SHIM"),
                                        .budget = &f->budget,
                                        .stop_fd = -1,
                                        .control_fd = -1};
    if (pbt_local_create(&f->local, &options, &error) != PBT_OK) {
        fail_msg("%s", error.text);
    }
    f->world = pbt_local_world(f->local);
}

static void end(struct fixture *f)
{
    char command[128];
    pbt_local_destroy(f->local);
    pbt_spec_done(&f->spec);
    (void)snprintf(command, sizeof command, "rm -rf %s", f->dir);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test */
}

/* Waits for the next news, which is to be of that kind and trial. */
static struct pbt_input expect(struct fixture *f, enum pbt_input_kind kind,
                               uint32_t trial)
{
    struct pbt_error error;
    while (f->taken == f->batch.count) {
        f->taken = 0;
        uint64_t limit = f->world->ops->now(f->world) + UINT64_C(60000000000);
        assert_int_equal(
            f->world->ops->next_batch(f->world, limit, &f->batch, &error),
            PBT_OK);
        assert_true(f->world->ops->now(f->world) < limit);
    }
    struct pbt_input input = f->batch.inputs[f->taken++];
    if (input.kind != kind || input.trial != trial) {
        fail_msg("input %d of trial %" PRIu32 ": %s", input.kind, input.trial,
                 input.text == NULL ? "" : input.text);
    }
    return input;
}

/* A turn in which nothing comes. */
static void idle(struct fixture *f)
{
    struct pbt_error error;
    assert_int_equal(f->world->ops->next_batch(f->world, 0, &f->batch, &error),
                     PBT_OK);
    assert_int_equal(f->batch.count, 0);
    f->taken = 0;
}

static void tell(struct fixture *f, enum pbt_command_kind kind, uint32_t trial,
                 uint64_t epoch, uint32_t waiting)
{
    static const char CONFIG[] = "{\"lr\":0.01}";
    struct pbt_error error;
    struct pbt_job job = {.kind = PBT_JOB_COMMAND,
                          .trial = trial,
                          .command = {.kind = kind,
                                      .trial = trial,
                                      .epoch = epoch,
                                      .process_epoch = epoch,
                                      .seed = 7},
                          .json = CONFIG,
                          .json_length = sizeof CONFIG - 1,
                          .waiting = waiting};
    assert_int_equal(f->world->ops->submit(f->world, &job, &error), PBT_OK);
}

static uint64_t start(struct fixture *f, uint32_t trial)
{
    f->epoch++;
    tell(f, PBT_COMMAND_START, trial, f->epoch, 0);
    return f->epoch;
}

static void expect_ready(struct fixture *f, uint32_t trial, uint64_t epoch)
{
    struct pbt_input input = expect(f, PBT_INPUT_READY, trial);
    assert_int_equal(input.epoch, epoch);
    f->pid = input.pid;
}

static void expect_end(struct fixture *f, uint32_t trial, uint64_t epoch)
{
    assert_int_equal(expect(f, PBT_INPUT_EXITED, trial).epoch, epoch);
}

static void a_kept_worker_serves_whoever_starts_next(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 1);
    uint64_t first = start(&f, 0);
    expect_ready(&f, 0, first);
    int64_t pid = f.pid;
    tell(&f, PBT_COMMAND_STOP, 0, first, 1);
    expect_end(&f, 0, first);
    uint64_t second = start(&f, 1);
    expect_ready(&f, 1, second);
    assert_int_equal(f.pid, pid);
    /* Nobody waits: this is its end. */
    tell(&f, PBT_COMMAND_STOP, 1, second, 0);
    expect_end(&f, 1, second);
    expect_ready(&f, 2, start(&f, 2));
    assert_int_not_equal(f.pid, pid);
    end(&f);
}

static void one_that_nobody_claims_ends_and_its_slot_is_waited_for(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 1);
    uint64_t first = start(&f, 0);
    expect_ready(&f, 0, first);
    int64_t pid = f.pid;
    tell(&f, PBT_COMMAND_STOP, 0, first, 1);
    expect_end(&f, 0, first);
    idle(&f); /* it is told to stop now */
    uint64_t second = start(&f, 1);
    uint64_t third = start(&f, 2); /* its command comes before it has a slot */
    tell(&f, PBT_COMMAND_KILL, 2, third, 0);
    expect_end(&f, 2, third);
    expect_ready(&f, 1, second);
    assert_int_not_equal(f.pid, pid);
    end(&f);
}

static void one_that_dies_meanwhile_concerns_nobody(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 1);
    uint64_t first = start(&f, 0);
    expect_ready(&f, 0, first);
    int64_t pid = f.pid;
    tell(&f, PBT_COMMAND_STOP, 0, first, 1);
    assert_int_equal(kill((pid_t)pid, SIGKILL), 0);
    expect_end(&f, 0, first);
    uint64_t second = start(&f, 1);
    expect_ready(&f, 1, second);
    assert_int_not_equal(f.pid, pid);
    end(&f);
}

static void the_end_takes_kept_and_waiting_ones_along(void **state)
{
    struct fixture f;
    (void)state;
    begin(&f, 1);
    uint64_t first = start(&f, 0);
    expect_ready(&f, 0, first);
    tell(&f, PBT_COMMAND_STOP, 0, first, 1);
    expect_end(&f, 0, first);
    end(&f); /* kept */
    begin(&f, 1);
    first = start(&f, 0);
    expect_ready(&f, 0, first);
    tell(&f, PBT_COMMAND_STOP, 0, first, 1);
    expect_end(&f, 0, first);
    idle(&f);
    (void)start(&f, 1);
    end(&f); /* waits for its slot */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kept_worker_serves_whoever_starts_next),
        cmocka_unit_test(
            one_that_nobody_claims_ends_and_its_slot_is_waited_for),
        cmocka_unit_test(one_that_dies_meanwhile_concerns_nobody),
        cmocka_unit_test(the_end_takes_kept_and_waiting_ones_along),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
