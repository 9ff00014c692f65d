/*
 * sim_state.h: what the simulated world is made of: private to sim*.c.
 */
#ifndef PBT_EXEC_SIM_STATE_H
#define PBT_EXEC_SIM_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>

#include "exec/sim.h"
#include "exec/sim_disk.h"

/* Of a result: a name and a number. */
#define PBT_SIM_TEXT_SIZE 320

enum process_state {
    PROCESS_NONE,
    PROCESS_BUSY, /* setting up, loading, saving */
    PROCESS_RESTING,
    PROCESS_STEPPING,
    PROCESS_HUNG,
};

/* The one process that a trial may have. */
struct pbt_sim_process {
    enum process_state state;
    uint64_t spawned; /* its name: the epoch of its start */
    uint64_t epoch;
    uint64_t seq;
    int64_t iteration;
    int64_t until;
    bool halt;
    double theta;
    double lr;
    double score;
    bool no_score; /* the last result says nothing of it */
    double time_total;
    uint64_t seed;
    uint64_t last_news;    /* when its last message arrives: order is kept */
    uint64_t last_command; /* when the last command reached it */
    struct pbt_input old;  /* a result of an earlier epoch, to be told again */
    bool has_old;
    bool waits; /* its save does */
};

enum item_kind {
    ITEM_NEWS,    /* an input reaches the driver */
    ITEM_COMMAND, /* a command reaches a process */
    ITEM_STEP,    /* a step is done */
    ITEM_SETUP,   /* a start or load is done */
    ITEM_SAVE,    /* a save is done */
    ITEM_SYNC,    /* a sync is done */
    ITEM_ANSWER,  /* an ask is answered */
};

struct pbt_sim_item {
    uint64_t time;
    uint64_t order;
    enum item_kind kind;
    uint32_t trial;
    uint64_t spawned; /* for which process: others are gone */
    struct pbt_input input;
    struct pbt_command command;
    struct pbt_cell *cells;
    double score;
    bool no_score;
    struct pbt_checkpoint_id *synced;
    size_t synced_count;
    size_t length;
};

/* In the queue: what orders it lies here, so that looking for its place reads no item. */
struct pbt_sim_queued {
    uint64_t time;
    uint64_t order;
    struct pbt_sim_item *item;
};

struct pbt_sim {
    struct pbt_world world; /* first: a pbt_world is the sim */
    const struct pbt_spec *spec;
    struct pbt_sim_rates rates;
    struct pbt_sim_disk *disk;
    uint64_t seed;
    uint64_t draws;
    uint64_t now;
    uint64_t order;
    struct pbt_sim_process *processes;
    uint32_t process_count; /* places for one: the population */
    struct pbt_sim_queued *heap;
    size_t count;
    size_t capacity;
    bool stop_asked;
    bool stopping;       /* this driver has heard of that */
    uint64_t requests;   /* so far */
    uint32_t unanswered; /* of those that the driver has */
    uint32_t good_syncs; /* until one fails; 0: none does */

    struct pbt_input *inputs;    /* of the present batch */
    struct pbt_sim_item **given; /* what they borrow from */
    json_t **metrics;
    char (*texts)[PBT_SIM_TEXT_SIZE];
    size_t given_count;
    size_t given_capacity;

    uint64_t *seen; /* epochs started or loaded, over all drivers; ascending */
    size_t seen_count;
    size_t seen_capacity;

    char violation[256];
    const struct pbt_sim_model *model; /* NULL: its own */
    void (*on_life)(void *, const struct pbt_sim_life *);
    void *life_user;
    void (*on_ack)(void *, uint32_t, uint64_t, uint64_t);
    void *ack_user;
};

/* sim.c */

/* 1 to 2 x mean */
uint64_t pbt_sim_spread(struct pbt_sim *sim, uint64_t mean);
/* The driver has done what it must not; the first time counts. */
void pbt_sim_violate(struct pbt_sim *sim, const char *what, uint32_t trial,
                     uint64_t epoch);

/* sim_queue.c */

/* For the process that the trial has now. */
struct pbt_sim_item *pbt_sim_new_item(struct pbt_sim *sim, uint64_t time,
                                      enum item_kind kind, uint32_t trial);
void pbt_sim_item_free(struct pbt_sim_item *item);
/* Those of the same time stay in order. */
void pbt_sim_push(struct pbt_sim *sim, struct pbt_sim_item *item);
/* The next one; there has to be one. */
struct pbt_sim_item *pbt_sim_pop(struct pbt_sim *sim);
void pbt_sim_empty_queue(struct pbt_sim *sim);

/* sim_process.c */

uint64_t pbt_sim_latency(struct pbt_sim *sim);
void pbt_sim_spawn(struct pbt_sim *sim, const struct pbt_job *job);
/* Of a start or a load: it is looked at, and told to whoever wants to know. */
void pbt_sim_begin_life(struct pbt_sim *sim, const struct pbt_job *job);
/*
 * A worker is kept for another trial: its present one's process has ended at once as far as
 * the driver knows, before it could be told to stop.  What it has said may still be under
 * way.
 */
bool pbt_sim_keep(struct pbt_sim *sim, const struct pbt_job *job);
/* A save has to wait, for others or for room: by far longer than any time-out. */
uint64_t pbt_sim_wait_for(struct pbt_sim *sim, const struct pbt_job *job);
/* A command arrives. */
void pbt_sim_reach(struct pbt_sim *sim, uint32_t trial,
                   const struct pbt_command *command);
/* What was begun is done. */
void pbt_sim_end_step(struct pbt_sim *sim, uint32_t trial);
void pbt_sim_end_setup(struct pbt_sim *sim, uint32_t trial,
                       const struct pbt_command *command);
void pbt_sim_end_save(struct pbt_sim *sim, uint32_t trial,
                      const struct pbt_command *command);

/* sim_world.c */

extern const struct pbt_world_ops pbt_sim_ops;
/* The driver is done with its last batch. */
void pbt_sim_release(struct pbt_sim *sim);

#endif
