/*
 * steps: the driver, the core and the journal without any processes: over the simulated
 * world, in which nothing fails.
 *
 *     steps TRIALS STEPS INTERVAL
 *
 * Each trial takes STEPS steps, every one a grant of its own, with a perturbation every
 * INTERVAL (0: never).  Prints the number of results and of records, and the CPU time in
 * microseconds a result, the simulator's own part included.  `valgrind --tool=callgrind`
 * counts its instructions, which no noisy machine changes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "driver/driver.h"
#include "exec/sim.h"

#define MS UINT64_C(1000000)

static double cpu_us(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return 1e6 * (double)now.tv_sec + 1e-3 * (double)now.tv_nsec;
}

_Noreturn static void fail(const struct pbt_error *error)
{
    (void)fprintf(stderr, "steps: %s\n", error->text);
    exit(1);
}

static void read_spec(struct pbt_spec *spec, long trials, long steps,
                      long interval)
{
    struct pbt_error error;
    char text[1024];
    int length = snprintf(
        text, sizeof text,
        "command: [true]\nname: steps\nnum_samples: %ld\nmetric: score\n"
        "mode: max\nseed: 1\nstop: {training_iteration: %ld, score: 1e9}\n"
        "config: {x: {uniform: [0, 1]}}\n"
        "scheduler: {perturbation_interval: %ld, hyperparam_mutations: "
        "{x: {uniform: [0, 1]}}}\n",
        trials, steps, interval > 0 ? interval : 1000000000L);
    if (pbt_spec_parse(spec, text, (size_t)length, "steps", NULL, NULL, 0, NULL,
                       &error) != PBT_OK) {
        fail(&error);
    }
}

static uint64_t run(struct pbt_spec *spec, struct pbt_sim *sim, uint32_t slots)
{
    struct pbt_driver_options options = {.files = pbt_sim_files(sim),
                                         .journal_dir = "journal",
                                         .slots = slots,
                                         .host = "bench",
                                         .checkpoint_user = sim};
    struct pbt_driver *driver;
    struct pbt_error error;
    if (pbt_driver_open(&driver, spec, pbt_sim_world(sim), &options, &error) !=
            PBT_OK ||
        pbt_driver_run(driver, &error) != PBT_OK) {
        fail(&error);
    }
    uint64_t records = pbt_core_records(pbt_driver_core(driver));
    pbt_driver_close(driver);
    return records;
}

int main(int argc, char **argv)
{
    static const struct pbt_sim_rates rates = {.can_reset = true,
                                               .step_ns = 10 * MS,
                                               .setup_ns = MS,
                                               .save_ns = MS,
                                               .ask_ns = MS,
                                               .latency_ns = MS / 10,
                                               .sync_ns = MS};
    if (argc != 4) {
        (void)fputs("usage: steps TRIALS STEPS INTERVAL\n", stderr);
        return 2;
    }
    long trials = strtol(argv[1], NULL, 10);
    long steps = strtol(argv[2], NULL, 10);
    struct pbt_spec spec;
    read_spec(&spec, trials, steps, strtol(argv[3], NULL, 10));
    struct pbt_sim *sim = pbt_sim_create(&spec, 1, &rates);
    if (sim == NULL) {
        (void)fputs("steps: out of memory\n", stderr);
        return 1;
    }
    double begin = cpu_us();
    uint64_t records = run(&spec, sim, (uint32_t)trials);
    double spent = cpu_us() - begin;
    (void)printf("%ld results, %" PRIu64 " records, %.3f us a result\n",
                 trials * steps, records, spent / (double)(trials * steps));
    pbt_sim_destroy(sim);
    pbt_spec_done(&spec);
    return 0;
}
