/*
 * case.h: what one seed stands for: an experiment, a world with its faults, and what
 * happens to the driver.
 */
#ifndef PBT_TESTS_SIM_CASE_H
#define PBT_TESTS_SIM_CASE_H

#include <stdbool.h>
#include <stdint.h>

#include "exec/sim.h"
#include "spec/spec.h"

/* How a driver's life ends. */
enum doom {
    DOOM_NONE,  /* it finishes */
    DOOM_POINT, /* dies at the n-th turn point from its start */
    DOOM_FILE,  /* dies in the n-th change of a file */
    DOOM_SYNC,  /* ends because the n-th sync fails */
    DOOM_STOP,  /* is asked to stop in the n-th turn */
    DOOMS
};

/* What the user asks of a driver at work. */
struct user_request {
    uint64_t after_ns; /* its start */
    enum pbt_control_kind kind;
    uint32_t trial; /* or PBT_ALL_TRIALS */
};

#define REQUESTS_MAX 6

struct driver_life {
    enum doom doom;
    uint32_t when; /* the n of the above */
    bool power;    /* it dies of a power loss */
    uint32_t slots;
    /* The number of slots falls (or rises) after a while, and comes back. */
    bool capacity_changes;
    uint64_t change_after_ns;
    uint64_t change_for_ns;
    uint32_t changed_slots;
    struct user_request requests[REQUESTS_MAX];
    uint32_t request_count;
};

#define LIVES_MAX 6

/* As many as a t-test may look at. */
#define CASE_SCORES_MAX 6

struct sim_case {
    uint64_t seed;
    struct pbt_spec spec;
    struct pbt_param params[4];
    struct pbt_sim_rates rates;
    struct driver_life lives[LIVES_MAX];
    uint32_t life_count;     /* with faults; then the world is calm */
    uint32_t calm_after;     /* turns of the last life */
    uint64_t snapshot_every; /* records; 0: no snapshots */
    uint32_t extensions;     /* the user extends it so often */
    double early_extensions; /* of drivers' ends at which it isn't over */
    double snapshot_damage;  /* of the newest one, when a driver dies */
};

/*
 * `keeping`: a small one of the same seed, where little happens but saves, exploits, deletions
 * and crashes: some ten of them take the time of one that is not small.
 */
void case_draw(struct sim_case *c, uint64_t seed, bool keeping);
void case_done(struct sim_case *c);
/* What was drawn, in a few lines for people. */
void case_print(const struct sim_case *c);

#endif
