/*
 * state.h: the state of the core, private to src/core.
 *
 * Trials hold no pointers to each other: what refers to a checkpoint names it by (trial,
 * number).  Everything is allocated at creation but the lists of checkpoints.
 */
#ifndef PBT_CORE_STATE_H
#define PBT_CORE_STATE_H

#include "core/core.h"
#include "core/order.h"

/* Where a trial that has a process is.  Which command is owed follows from it. */
enum pbt_phase {
    PBT_PHASE_NONE,  /* no process */
    PBT_PHASE_START, /* a start is owed, until `ready` */
    PBT_PHASE_LOAD,  /* a load is owed, until `ready` */
    PBT_PHASE_RUN,   /* training, or resting until something is decided */
    PBT_PHASE_SAVE,  /* a save is owed, until `saved` */
    /*
     * The user's functions are asked; for its first values, and after a new start of the
     * driver, without a process (process_epoch 0).
     */
    PBT_PHASE_ASK,
    PBT_PHASE_LEAVE, /* the process is to end, until `exited` */
};

/*
 * Restart points that a trial holds: the bottom, two durable ones, and those
 * since.  If syncs stall for longer, the oldest that is not durable gives way.
 */
#define PBT_RESTARTS_MAX 12

/* What they are made of stands in state.def: the one table of the state's fields. */
#define PBT_STATE_FIELD(type, name) type name;
#define PBT_STATE_CELLS(name) struct pbt_cell *name;
#define PBT_STATE_SCORES(name) double *name;
#define PBT_STATE_OTHER(declaration) declaration;

struct pbt_restart {
#define PBT_RESTART_FIELD PBT_STATE_FIELD
#define PBT_RESTART_CELLS PBT_STATE_CELLS
#define PBT_RESTART_SCORES PBT_STATE_SCORES
#include "core/state.def"
};

struct pbt_saved {
#define PBT_SAVED_FIELD PBT_STATE_FIELD
#include "core/state.def"
};

struct pbt_trial {
#define PBT_TRIAL_FIELD PBT_STATE_FIELD
#define PBT_TRIAL_CELLS PBT_STATE_CELLS
#define PBT_TRIAL_SCORES PBT_STATE_SCORES
#define PBT_TRIAL_OTHER PBT_STATE_OTHER
#include "core/state.def"
};

/* A queue of trials without duplicates. */
struct pbt_queue {
    uint32_t *items;
    bool *queued;
    size_t head;
    size_t count;
};

/* Derived from the state: what decide(NULL) has still to look at. */
struct pbt_work {
    struct pbt_queue due;
    struct pbt_cell *scratch; /* a drawn configuration */
};

struct pbt_core {
#define PBT_CORE_FIELD PBT_STATE_FIELD
#define PBT_CORE_OTHER PBT_STATE_OTHER
#include "core/state.def"
};

/* Marks in `ranks`. */
#define PBT_MARK_GIVES 0  /* can be a donor */
#define PBT_MARK_SAVING 1 /* will be one when its save is done */
/* At its point, to be settled or waiting for a donor; synch: arrived, in a process. */
#define PBT_MARK_POINT 2

/* restart.c: restart points, pins, checkpoints */
void pbt_core_touch(struct pbt_core *core, uint32_t trial);
/* Forgets who was touched. */
void pbt_core_touch_none(struct pbt_core *core);
void pbt_core_set_point(struct pbt_core *core, uint32_t number, bool at_point);
/* Puts the trial's score and marks into `ranks`. */
void pbt_core_rank(struct pbt_core *core, uint32_t number);
void pbt_core_set_pair(struct pbt_core *core, uint32_t number,
                       struct pbt_checkpoint_id pair);
/* donors: best_ever: the best one is lost; its pair, if any, takes its place. */
void pbt_core_lose_best(struct pbt_core *core, uint32_t number);
/*
 * A donor's checkpoint is taken.  Its best one is given once: where scores fall with training,
 * all would else go back to it for ever.
 */
void pbt_core_give(struct pbt_core *core, uint32_t donor,
                   struct pbt_checkpoint_id checkpoint);
/* The same of its hyperparameters alone. */
void pbt_core_give_best(struct pbt_core *core, uint32_t donor);
/* What a trial gives as a donor; number 0: nothing. */
struct pbt_gift {
    struct pbt_checkpoint_id checkpoint;
    double score;
    uint64_t lineage;
    const struct pbt_cell *cells;
};
struct pbt_gift pbt_core_gift(const struct pbt_trial *trial);
/* The checkpoint of the very weights that a trial at rest has; number 0: it is lost. */
struct pbt_checkpoint_id pbt_core_own(const struct pbt_core *core,
                                      uint32_t number);
/* It can be a donor.  With its best one also where its present score is no number. */
bool pbt_core_gives(const struct pbt_trial *trial);
/* The only ways into and out of PBT_PHASE_LEAVE: they count who is leaving. */
void pbt_core_set_leave(struct pbt_core *core, uint32_t number,
                        enum pbt_leave leave);
void pbt_core_clear_leave(struct pbt_core *core, uint32_t number);
/*
 * (Re)enters or leaves the orders of trials that can be started, or can be later, or are to be
 * replaced.
 */
void pbt_core_set_startable(struct pbt_core *core, uint32_t number);
/* Time has gone by: whose delay is over can be started. */
void pbt_core_end_delays(struct pbt_core *core);
/* Synchronous: no slot is free, and one has arrived that would leave its own to others. */
bool pbt_core_gives_way(const struct pbt_core *core);

struct pbt_saved *pbt_core_find(const struct pbt_core *core,
                                struct pbt_checkpoint_id id);
bool pbt_core_add_saved(struct pbt_core *core, uint32_t trial,
                        const struct pbt_saved *saved);
void pbt_core_drop_saved(struct pbt_core *core, struct pbt_checkpoint_id id);
void pbt_core_pin(struct pbt_core *core, struct pbt_checkpoint_id id);
void pbt_core_unpin(struct pbt_core *core, struct pbt_checkpoint_id id);

/* Pushes the trial's present self as a restart point with that checkpoint. */
void pbt_core_push_restart(struct pbt_core *core, uint32_t number,
                           struct pbt_checkpoint_id checkpoint);
/*
 * The same, in place of the top if that has the same checkpoint: other hyperparameters for these
 * weights, and nobody goes back to the former ones.
 */
void pbt_core_replace_restart(struct pbt_core *core, uint32_t number,
                              struct pbt_checkpoint_id checkpoint);
/* Takes a lost checkpoint off a trial's list; true if it was the top. */
bool pbt_core_lose_restart(struct pbt_core *core, uint32_t trial,
                           struct pbt_checkpoint_id checkpoint);
/* Of a finished trial: only the top and the bottom stay. */
void pbt_core_trim_restarts(struct pbt_core *core, uint32_t number);
const struct pbt_restart *pbt_core_top(const struct pbt_trial *trial);
/* Everything is as it was at the top restart point; no process. */
void pbt_core_go_back(struct pbt_core *core, uint32_t number);

/* exploit.c: who loses against whom */
enum pbt_fate {
    PBT_FATE_STAYS,  /* what it is: it saves, and trains on */
    PBT_FATE_WAITS,  /* for a save in flight */
    PBT_FATE_COPIES, /* `gift` */
    PBT_FATE_PASSES, /* it is to exploit, and can't: `pass` */
};
struct pbt_verdict {
    enum pbt_fate fate;
    uint32_t donor;
    struct pbt_gift gift;
    enum pbt_pass pass;
};
/* Of a trial at its point; synch: of one that has arrived, when all have. */
struct pbt_verdict pbt_exploit_verdict(const struct pbt_core *core,
                                       uint32_t trial);
/* Of one that has failed for good: it copies, or stays as it is. */
struct pbt_verdict pbt_exploit_replacement(const struct pbt_core *core,
                                           uint32_t trial);
/* So many from the lowest rank on may have to exploit. */
uint32_t pbt_exploit_contested(const struct pbt_core *core);
/* The first of those at their points from this rank on need not wait for a save in flight. */
uint32_t pbt_exploit_waits_no_more(const struct pbt_core *core);
uint32_t pbt_exploit_quantile(const struct pbt_core *core);
/*
 * What is to be explored: the donor's configuration, or with weights only its own; but what
 * exploring never changes belongs to the weights, and goes along with them.
 */
void pbt_exploit_take_over(const struct pbt_core *core,
                           const struct pbt_cell *own,
                           const struct pbt_cell *donor,
                           struct pbt_cell *cells);
/* So many last scores of each trial are kept. */
uint32_t pbt_core_window(const struct pbt_settings *settings);
/* What it is compared by: bigger is better; no number is below all. */
double pbt_core_standing(const struct pbt_core *core,
                         const struct pbt_trial *trial);
struct pbt_draw_key pbt_core_draw_key(const struct pbt_core *core,
                                      uint32_t trial,
                                      enum pbt_draw_purpose purpose);

/* Replay: the change that is due after the trial's last result; NULL: none is. */
const struct pbt_change *pbt_core_due_change(const struct pbt_core *core,
                                             const struct pbt_trial *trial);
/* The change after those that the trial has made; NULL: it was the last one. */
const struct pbt_change *pbt_core_next_change(const struct pbt_core *core,
                                              const struct pbt_trial *trial);

/* round.c: synchronous rounds */
void pbt_core_first_round(struct pbt_core *core);
/* In the present round there is nothing left to wait for. */
bool pbt_core_has_arrived(const struct pbt_core *core,
                          const struct pbt_trial *trial);
bool pbt_core_is_awaited(const struct pbt_core *core,
                         const struct pbt_trial *trial);
/* Whatever has changed of a trial: who is awaited, and who can be started. */
void pbt_core_note_arrival(struct pbt_core *core, uint32_t number);
bool pbt_core_next_target(const struct pbt_core *core, double *target);

/* Its place among those that wait, once it is at that iteration. */
int64_t pbt_core_turn(int64_t turn, int64_t iteration);
/* The trial's clock in units of time_attr. */
double pbt_core_clock(const struct pbt_core *core, int64_t iteration,
                      double time_total);
bool pbt_core_same_id(struct pbt_checkpoint_id a, struct pbt_checkpoint_id b);
/* Ended for good (as opposed to interrupted). */
bool pbt_core_end_is_final(enum pbt_end end);
/* False: the request has its way already, or comes too late. */
bool pbt_core_can_request(const struct pbt_core *core,
                          const struct pbt_trial *trial,
                          enum pbt_request request);
/* What a criterion looks at, of a result; NaN: it isn't there. */
double pbt_core_stop_value(const struct pbt_stop *stop, int64_t iteration,
                           double time_total,
                           const double values[PBT_VALUES_MAX]);
/* NaN reaches nothing. */
bool pbt_core_stop_reached(const struct pbt_stop *stop, double value);
/* It has finished, but not by what is in force now. */
bool pbt_core_can_reopen(const struct pbt_core *core,
                         const struct pbt_trial *trial);
/* The experiment was ended for good, but not by what is in force now. */
bool pbt_core_can_extend(const struct pbt_core *core);
/* The trial is done, with nothing left to be saved: its process need only end. */
bool pbt_core_is_over(const struct pbt_core *core,
                      const struct pbt_trial *trial);
/*
 * It counts in the quantiles.  What the user has paused does not: others would go back
 * to its iteration again and again, and never get beyond it.
 */
bool pbt_core_is_compared(const struct pbt_core *core,
                          const struct pbt_trial *trial);
/* What a process that leaves now leads to, if it was to lead to `leave`. */
enum pbt_leave pbt_core_outcome(const struct pbt_core *core,
                                const struct pbt_trial *trial,
                                enum pbt_leave leave);

void pbt_queue_push(struct pbt_queue *queue, uint32_t item, uint32_t capacity);
void pbt_queue_pop(struct pbt_queue *queue, uint32_t capacity);

#endif
