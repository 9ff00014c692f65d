/*
 * sim.h: a world in virtual time: trainables, processes, messages and a disk, and all
 * that can go wrong with them, drawn from one seed (the rates too).
 *
 * The very same driver, journal and core run on it as on real processes: see
 * tests/sim_seeds.c.  Messages of one process keep their order, as on a socket; what a process
 * said before it died arrives before the news of its end.
 */
#ifndef PBT_EXEC_SIM_H
#define PBT_EXEC_SIM_H

#include <stdbool.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/files.h"
#include "driver/world.h"
#include "spec/spec.h"

/* Probabilities are per occasion; times in ns. */
struct pbt_sim_rates {
    double crash_step;
    double crash_setup; /* in setup and load */
    double crash_save;
    double full; /* a save finds no room on the disk */
    double hang; /* never answers again */
    double nan_score;
    double no_score;  /* a result without the experiment's metric */
    double damage;    /* a checkpoint is found bad when it is loaded */
    double lose;      /* a checkpoint is taken away while no driver runs */
    double duplicate; /* a result arrives twice */
    double stale;     /* a result of an older epoch arrives once more */
    double ask_fails;
    double late; /* a message takes long */
    double wait; /* a save has to wait, for others or for room, for long */
    double keep; /* a stopped worker is kept for a trial that waits */
    bool can_reset;
    uint64_t step_ns;
    uint64_t setup_ns;
    uint64_t save_ns;
    uint64_t ask_ns;
    uint64_t latency_ns;
    uint64_t late_ns;
    uint64_t sync_ns;
    uint64_t window_ns; /* news within it come in one batch */
};

/* A checkpoint on the simulated disk. */
struct pbt_sim_checkpoint {
    struct pbt_checkpoint_id id;
    int64_t iteration;
    double theta;
    double score; /* that the step before it reported */
    uint64_t bytes;
    uint64_t epoch;
    uint64_t seq;
    bool durable; /* survives a power loss */
    bool damaged; /* by the simulator, not by the driver */
    bool present;
    bool lost; /* not present: the simulator took it away */
};

struct pbt_sim;

/*
 * `spec` is borrowed.  Scores are reported as its metric, whose name needs no escapes.  NULL:
 * out of memory.
 */
struct pbt_sim *pbt_sim_create(const struct pbt_spec *spec, uint64_t seed,
                               const struct pbt_sim_rates *rates);
void pbt_sim_destroy(struct pbt_sim *sim);

struct pbt_world *pbt_sim_world(struct pbt_sim *sim);
struct pbt_files *pbt_sim_files(struct pbt_sim *sim);

/*
 * Between two drivers the specification may have got more trials; false: out of memory.
 */
bool pbt_sim_grow(struct pbt_sim *sim);

/* No faults from now on: a run must then end. */
void pbt_sim_calm(struct pbt_sim *sim);
/* The driver has died: every process with it; what is in flight is lost. */
void pbt_sim_kill(struct pbt_sim *sim);
/* The same, and the disk loses what was not synced. */
void pbt_sim_power_loss(struct pbt_sim *sim);
/* A stop is asked for at the next batch. */
void pbt_sim_ask_stop(struct pbt_sim *sim);
/* A request of the user comes after `delay` ns; PBT_ALL_TRIALS: about the run. */
void pbt_sim_ask_request(struct pbt_sim *sim, uint64_t delay,
                         enum pbt_control_kind kind, uint32_t trial);
/* The number of slots changes after `delay` ns. */
void pbt_sim_ask_capacity(struct pbt_sim *sim, uint64_t delay, uint32_t slots);
/*
 * The driver dies at its `operations`-th change of a file from now on: the operation fails,
 * and an append may have written a part.
 */
void pbt_sim_die_at(struct pbt_sim *sim, uint32_t operations);
/* The `number`-th sync from now on fails: the driver is to end. */
void pbt_sim_fail_sync(struct pbt_sim *sim, uint32_t number);
/* True if the driver has died: pbt_sim_kill() or pbt_sim_power_loss() must follow. */
bool pbt_sim_died(const struct pbt_sim *sim);

/* A draw in [0, 1) from the simulator's own sequence. */
double pbt_sim_draw(struct pbt_sim *sim);

/* For pbt_driver_options.checkpoint_check; `user` is the sim. */
int pbt_sim_checkpoint_check(void *user, struct pbt_checkpoint_id id,
                             bool whole, struct pbt_error *why);
/* For pbt_driver_options.sweep: removes checkpoints that have no record. */
int pbt_sim_sweep(void *user, const struct pbt_core *core,
                  struct pbt_error *error);
/* How many checkpoints are on the disk. */
size_t pbt_sim_checkpoint_count(struct pbt_sim *sim);
/* How many processes live. */
uint32_t pbt_sim_processes(const struct pbt_sim *sim);
/* NULL: there never was one, or it was unlinked. */
const struct pbt_sim_checkpoint *
pbt_sim_checkpoint(const struct pbt_sim *sim, struct pbt_checkpoint_id id);

/* True: somebody has taken it away, or it was given up damaged. */
bool pbt_sim_is_lost(const struct pbt_sim *sim, struct pbt_checkpoint_id id);

/* What the driver has asked for that it must never ask; NULL: nothing so far. */
const char *pbt_sim_violation(const struct pbt_sim *sim);

/* What a process was last told to start or load with. */
struct pbt_sim_life {
    uint32_t trial;
    uint64_t epoch;
    uint64_t seed;
    bool start; /* of a fresh process */
    struct pbt_checkpoint_id checkpoint;
    int64_t iteration;
    const char *config; /* JSON text */
};
/* Called at each start and load. */
void pbt_sim_on_life(struct pbt_sim *sim,
                     void (*fn)(void *user, const struct pbt_sim_life *life),
                     void *user);
/*
 * What trains in the place of the simulator's own model, which is one number.  A life begins
 * with the call above; what that and save() make of the trial's weights is the model's affair.
 */
struct pbt_sim_model {
    void *user;
    /* Trains a trial for one step; gives its score.  *done: it ends there. */
    double (*step)(void *user, uint32_t trial, bool *done);
    void (*save)(void *user, struct pbt_checkpoint_id id);
    /* Changes what is proposed for an exploit, in place.  NULL: there are no asks. */
    void (*explore)(void *user, const struct pbt_job *ask,
                    struct pbt_cell *cells);
};
/* Borrowed for the simulator's life. */
void pbt_sim_set_model(struct pbt_sim *sim, const struct pbt_sim_model *model);
/* Called at each acknowledgement that a worker gets. */
void pbt_sim_on_ack(struct pbt_sim *sim,
                    void (*fn)(void *user, uint32_t trial, uint64_t epoch,
                               uint64_t seq),
                    void *user);

#endif
