/*
 * core.h: the whole policy of a run, as a pure state machine.
 *
 *     decide(state, event or none) -> one record or none    all policy, all draws
 *     apply(state, record)                                  the only writer
 *     owed(state, trial) -> command                         what the world has to do
 *
 * No clock, no I/O, no globals, no threads.  The driver's turn is: for each event
 * decide and apply; then decide on nothing (and apply) until nothing is left to
 * decide; write the records; and only then carry out what is owed.  Resuming is
 * applying the records of the journal, and then the event `opened`.
 *
 * Between two turns the state is settled: pbt_core_decide(core, NULL, ...) says
 * false.
 */
#ifndef PBT_CORE_CORE_H
#define PBT_CORE_CORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/record.h"
#include "core/settings.h"

struct pbt_buf;
struct pbt_core;

/* `settings` is borrowed for the core's life.  NULL: out of memory. */
struct pbt_core *pbt_core_create(const struct pbt_settings *settings);
void pbt_core_destroy(struct pbt_core *core);

/*
 * True: `record` is what follows from the event (or, with NULL, the next decision that is
 * due), to be applied before the next call.  False: nothing follows; an event was late
 * news of an older life, or a duplicate.  Cells in the record are borrowed from the
 * core until the next call of decide.
 */
bool pbt_core_decide(const struct pbt_core *core, const struct pbt_event *event,
                     struct pbt_record *record);

/*
 * Changes the state by a record from decide, or from the journal.  False: the record
 * can't follow on this state (a damaged journal), or memory is out: the state must then
 * be thrown away.  Records are applied in the order of their numbers, without gaps.
 */
bool pbt_core_apply(struct pbt_core *core, const struct pbt_record *record);

/* What the world still has to do for a trial: at most one command. */
enum pbt_command_kind {
    PBT_COMMAND_NONE,
    PBT_COMMAND_START, /* spawn a process, set up, load `checkpoint` if any */
    PBT_COMMAND_LOAD,  /* load `checkpoint`, then take the configuration */
    PBT_COMMAND_RUN,   /* train until iteration `until` */
    PBT_COMMAND_SAVE,  /* save as `checkpoint` */
    PBT_COMMAND_HALT,  /* rest after the step under way */
    PBT_COMMAND_STOP,  /* clean up and exit: the worker rests */
    PBT_COMMAND_KILL,  /* end the process, whatever it does */
    PBT_COMMAND_ASK,   /* ask the user's functions */
};

struct pbt_command {
    enum pbt_command_kind kind;
    uint32_t trial;
    uint64_t epoch;
    uint64_t process_epoch; /* the process to which it goes */
    int64_t iteration;      /* where the trial is */
    int64_t until;          /* run */
    double time_total;      /* start, load */
    uint64_t seed;          /* start, load: this life's own; ask: its own */
    struct pbt_checkpoint_id checkpoint;
    uint64_t bytes; /* save: of the trial's last checkpoint; 0: it has none */
    uint64_t ask;   /* ask: its number, to be echoed in the answer's seq */
    /* ask: who is copied, and from which iteration; itself: these are first values */
    uint32_t donor;
    int64_t donor_iteration;
    const struct pbt_cell *old_cells; /* ask: the donor's, borrowed */
    /* start, load: the configuration; ask: the proposed one.  Borrowed until apply. */
    const struct pbt_cell *cells;
};

struct pbt_command pbt_core_owed(const struct pbt_core *core, uint32_t number);
/* True if both ask the same of the world: nothing new is to be sent. */
bool pbt_command_same(const struct pbt_command *a, const struct pbt_command *b);
const char *pbt_command_name(enum pbt_command_kind kind);

/*
 * Trials whose commands may have changed since the last pbt_core_touched_clear(): owed()
 * need be asked of these only.
 */
size_t pbt_core_touched(const struct pbt_core *core, const uint32_t **trials);
void pbt_core_touched_clear(struct pbt_core *core);

/* The number of the last applied record. */
uint64_t pbt_core_records(const struct pbt_core *core);
/* The incarnation of the last `opened`; 0 before. */
uint64_t pbt_core_incarnation(const struct pbt_core *core);
/* The experiment clock of the last record. */
uint64_t pbt_core_time(const struct pbt_core *core);
/* True if nothing is left to be done: every trial finished, or the run was ended. */
bool pbt_core_finished(const struct pbt_core *core);
/*
 * True if it can't go on either: every trial finished, or it was ended for good, by what is in
 * force in the settings now.
 */
bool pbt_core_over(const struct pbt_core *core);
/*
 * True if nothing is done, nor will be: all that is unfinished is paused by the user.
 */
bool pbt_core_idle(const struct pbt_core *core);
/* Trials that would start if there were a free slot. */
uint32_t pbt_core_waiting(const struct pbt_core *core);
/*
 * When, on the experiment's clock, a trial starts that has failed again and again: the event
 * PBT_EVENT_WAKE is due then.  UINT64_MAX: none waits for that.
 */
uint64_t pbt_core_wake(const struct pbt_core *core);
/* Why the experiment ended, or is ending. */
enum pbt_end pbt_core_end(const struct pbt_core *core);

enum pbt_core_trial_state {
    PBT_CORE_PENDING,
    PBT_CORE_RUNNING,
    PBT_CORE_PAUSED,
    PBT_CORE_TERMINATED,
    PBT_CORE_ERROR,
};

/* A look at a trial, for the driver's messages, tests and the simulator. */
struct pbt_core_trial {
    enum pbt_core_trial_state state;
    bool created; /* it has a configuration */
    bool has_process;
    bool resting; /* its last word was that it rests */
    bool held;    /* paused by the user, or about to be */
    bool ending;  /* will end for good at its next halt */
    uint64_t epoch;
    uint64_t process_epoch;
    int64_t iteration;
    double time_total;
    uint64_t seq;
    double score;        /* as ranked */
    double result_score; /* of the last result of this life; NaN: none */
    bool ranked;
    uint64_t
        point_seq; /* the result of its last perturbation point in this life; 0: none */
    struct pbt_checkpoint_id pair; /* the checkpoint of that score; 0: none */
    uint32_t exploits;
    uint32_t failures;
    uint32_t replaced; /* so often it went on as a copy when it had failed */
    /* It isn't started sooner, by the experiment's clock. */
    uint64_t not_before;
    uint64_t lineage;
    /* Where it goes back to if it has to: number 0: to its beginning. */
    struct pbt_checkpoint_id restart;
    int64_t restart_iteration;
    const struct pbt_cell *cells;
};
struct pbt_core_trial pbt_core_trial(const struct pbt_core *core,
                                     uint32_t number);

/* What made a checkpoint.  False: there is none of this name (any more). */
struct pbt_core_checkpoint {
    struct pbt_checkpoint_id id;
    bool durable;
    uint32_t pins; /* restart points, pairs, asks and `best` that need it */
    uint64_t epoch;
    uint64_t seq;
    int64_t iteration;
    double time_total;
    double score; /* of that very result; NaN if there was none */
    uint64_t bytes;
};
bool pbt_core_checkpoint(const struct pbt_core *core,
                         struct pbt_checkpoint_id id,
                         struct pbt_core_checkpoint *checkpoint);
/* The index-th live checkpoint of a trial, oldest first; false beyond the last. */
bool pbt_core_checkpoint_at(const struct pbt_core *core, uint32_t trial,
                            uint32_t index,
                            struct pbt_core_checkpoint *checkpoint);

/* The bytes of all live checkpoints, and of those of them that nobody needs. */
uint64_t pbt_core_bytes(const struct pbt_core *core, uint64_t *spare);

/* A digest of the whole state. */
uint64_t pbt_core_digest(const struct pbt_core *core);

/*
 * The whole state as bytes: what pbt_core_load() makes of them decides and owes as this core
 * does.  Texts of configurations are written as their handles.  Failures show in `to`.
 */
void pbt_core_save(const struct pbt_core *core, struct pbt_buf *to);
/*
 * Takes in such bytes; the core has just been created, with settings of as many trials or more.
 * `texts`: for each handle the present one.  NULL, or a static text that says why not: the
 * core must then be thrown away.
 */
const char *pbt_core_load(struct pbt_core *core, const void *bytes,
                          size_t length, const uint32_t *texts,
                          uint32_t text_count);

/*
 * Checks the state against itself (counts, pins, marks, orders).  NULL, or a static text
 * that says what is wrong.  Used by tests after every batch.
 */
const char *pbt_core_check(const struct pbt_core *core);

#endif
