/*
 * world.h: whole runs of an example's trainable in virtual time: the very same driver, core and
 * journal as in `pbt run`, over the simulator, with the trainable's functions called in this
 * process.
 */
#ifndef PAPERS_WORLD_H
#define PAPERS_WORLD_H

#include <stdint.h>

#include <pbt/pbt.h>

struct toy {
    const char *file; /* the experiment */
    const struct pbt_trainable *trainable;
    pbt_explore_fn explore; /* NULL: none */
};

/* As the journal has it.  Of scores the greatest counts: mode is max in all of these. */
struct outcome {
    double best;      /* among the trials' last results */
    double best_ever; /* of all results */
    uint32_t trials;
    uint32_t done; /* trials that said they were */
    uint64_t results;
    uint64_t exploits;
};

/*
 * Runs the toy's experiment with overrides on top (NULL-terminated) and this seed.  One at a
 * time: checkpoints are in memory, in the place of examples/papers/numbers.c.
 */
int world_run(const struct toy *toy, const char *const *overrides,
              uint64_t seed, struct outcome *outcome, struct pbt_error *error);

#endif
