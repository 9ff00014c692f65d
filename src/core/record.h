/*
 * record.h: what goes into the core (events) and what comes out and is kept
 * (records).
 *
 * An event is news from the world.  pbt_core_decide() turns it into at most one
 * record; with no event it makes the next decision that is due.  A record is all
 * that ever changes the state, and all that is written to the journal.
 */
#ifndef PBT_CORE_RECORD_H
#define PBT_CORE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "core/cell.h"
#include "core/settings.h"

/* A checkpoint's name: the trial that saved it, and its running number there from 1. */
struct pbt_checkpoint_id {
    uint32_t trial;
    uint32_t number; /* 0: none */
};

/*
 * epoch = incarnation x 2^32 + counter: a counter of 2^20 lives is used up by 1,000 trials that
 * are perturbed 4,000 times.
 */
#define PBT_EPOCH_SHIFT 32

#define PBT_EVENT_MAP(X)                                                       \
    X(PBT_EVENT_OPENED, "opened")     /* a driver has started */               \
    X(PBT_EVENT_READY, "ready")       /* start or load is done */              \
    X(PBT_EVENT_RESULT, "result")     /* a step is done */                     \
    X(PBT_EVENT_HALTED, "halted")     /* the worker rests */                   \
    X(PBT_EVENT_SAVED, "saved")       /* a checkpoint is published */          \
    X(PBT_EVENT_EXITED, "exited")     /* a process has been seen to end */     \
    X(PBT_EVENT_DURABLE, "durable")   /* it and its records are synced */      \
    X(PBT_EVENT_BAD, "bad")           /* a checkpoint is lost or damaged */    \
    X(PBT_EVENT_CAPACITY, "capacity") /* the number of slots changed */        \
    X(PBT_EVENT_STOP_ASKED, "stop_asked") /* by the user or a signal */        \
    X(PBT_EVENT_REQUEST, "request")       /* the user's, about one trial */    \
    X(PBT_EVENT_TIME_UP, "time_up")       /* time_budget_s is spent */         \
    X(PBT_EVENT_WAKE, "wake")             /* pbt_core_wake() has come */       \
    X(PBT_EVENT_ANSWERED, "answered")     /* the answer to an ask */

/* What the user asks of one trial. */
#define PBT_REQUEST_MAP(X)                                                     \
    X(PBT_REQUEST_NOT, "none")                                                 \
    X(PBT_REQUEST_PAUSE, "pause")   /* saves, and gives its slot back */       \
    X(PBT_REQUEST_RESUME, "resume") /* goes on after a pause */                \
    X(PBT_REQUEST_STOP, "stop")     /* ends for good */

enum pbt_request {
#define PBT_REQUEST_ENUM(name, text) name,
    PBT_REQUEST_MAP(PBT_REQUEST_ENUM)
#undef PBT_REQUEST_ENUM
};

enum pbt_event_kind {
#define PBT_EVENT_ENUM(name, text) name,
    PBT_EVENT_MAP(PBT_EVENT_ENUM)
#undef PBT_EVENT_ENUM
};

struct pbt_event {
    enum pbt_event_kind kind;
    uint32_t trial;
    /*
     * The life that speaks; for exited the epoch that the process was spawned
     * with; for answered the epoch of the asking trial.
     */
    uint64_t epoch;
    uint64_t time; /* experiment clock, ns (rule 8) */
    /* result: 1, 2, ... within the epoch; answered: the number of the ask */
    uint64_t seq;
    int64_t iteration;
    double time_total; /* seconds: the worker's claim */
    double score;      /* bigger is better; NaN: missing or not a number */
    double values[PBT_VALUES_MAX]; /* NaN where absent */
    bool halted;                   /* result: the worker rests after it */
    bool done;      /* result: the trainable says that it is finished */
    bool can_reset; /* ready */
    bool failed;    /* answered: an error or a time-out */
    bool no_room;   /* exited: there was none on the disk for what it saved */
    struct pbt_checkpoint_id checkpoint; /* saved, durable, bad */
    uint64_t bytes;                      /* saved */
    uint64_t incarnation;                /* opened */
    uint32_t slots;                      /* opened, capacity */
    enum pbt_request request;            /* request */
    /* answered: the configuration, borrowed */
    const struct pbt_cell *cells;
};

#define PBT_RECORD_MAP(X)                                                      \
    /* events that were accepted */                                            \
    X(PBT_RECORD_OPENED, "opened")                                             \
    X(PBT_RECORD_READY, "ready")                                               \
    X(PBT_RECORD_RESULT, "result")                                             \
    X(PBT_RECORD_HALTED, "halted")                                             \
    X(PBT_RECORD_SAVED, "saved")                                               \
    X(PBT_RECORD_EXITED, "exited")                                             \
    X(PBT_RECORD_DURABLE, "durable")                                           \
    X(PBT_RECORD_BAD, "bad")                                                   \
    X(PBT_RECORD_CAPACITY, "capacity")                                         \
    X(PBT_RECORD_REQUEST, "request")                                           \
    /* decisions */                                                            \
    X(PBT_RECORD_TRIAL, "trial") /* a trial is created, with its config */     \
    X(PBT_RECORD_ASK_FIRST, "ask_first") /* functions give its first values */ \
    X(PBT_RECORD_START, "start") /* a life begins in a process of its own */   \
    X(PBT_RECORD_SAVE, "save")   /* a checkpoint gets its name */              \
    X(PBT_RECORD_EXPLOIT, "exploit") /* a trial goes on as a donor's copy */   \
    X(PBT_RECORD_PASS, "pass")       /* an exploit was due and can't be */     \
    X(PBT_RECORD_ASK, "ask")         /* functions are asked to explore */      \
    X(PBT_RECORD_LEAVE, "leave")     /* a process is to end */                 \
    X(PBT_RECORD_DELETE, "delete")   /* a checkpoint is given up */            \
    X(PBT_RECORD_END, "end")         /* the experiment is to end */            \
    X(PBT_RECORD_CHANGE, "change")   /* replay: the next configuration */      \
    X(PBT_RECORD_ROUND, "round")     /* synchronous: the next round begins */  \
    X(PBT_RECORD_UNDO, "undo")       /* exploits of a trial are undone */      \
    X(PBT_RECORD_ADOPT, "adopt") /* a donor's hyperparameters, own weights */  \
    /* what had ended goes on: the user has put its end further away */        \
    X(PBT_RECORD_EXTEND, "extend") /* the experiment */                        \
    X(PBT_RECORD_REOPEN, "reopen") /* a trial */

enum pbt_record_kind {
#define PBT_RECORD_ENUM(name, text) name,
    PBT_RECORD_MAP(PBT_RECORD_ENUM)
#undef PBT_RECORD_ENUM
        PBT_RECORD_KINDS
};

/* Why and to what a trial's process ends (record leave), and what an exit led to. */
#define PBT_LEAVE_MAP(X)                                                       \
    X(PBT_LEAVE_NOT, "none")                                                   \
    X(PBT_LEAVE_PAUSE, "pause")         /* gives its slot to others */         \
    X(PBT_LEAVE_TERMINATE, "terminate") /* reached a stop criterion */         \
    X(PBT_LEAVE_RESPAWN, "respawn")     /* goes on in a fresh process */       \
    X(PBT_LEAVE_RETRY, "retry")         /* exited: failed, tried again */      \
    X(PBT_LEAVE_ERROR, "error")         /* exited: failed for good */

enum pbt_leave {
#define PBT_LEAVE_ENUM(name, text) name,
    PBT_LEAVE_MAP(PBT_LEAVE_ENUM)
#undef PBT_LEAVE_ENUM
};

#define PBT_END_MAP(X)                                                         \
    X(PBT_END_NOT, "none")                                                     \
    X(PBT_END_STOP_ALL, "stop_all")       /* its criterion was reached */      \
    X(PBT_END_TIME_BUDGET, "time_budget") /* time_budget_s is spent */         \
    X(PBT_END_FAILED, "failed") /* before the first result, or fail_fast */    \
    X(PBT_END_INTERRUPTED, "interrupted") /* asked for: can be resumed */

enum pbt_end {
#define PBT_END_ENUM(name, text) name,
    PBT_END_MAP(PBT_END_ENUM)
#undef PBT_END_ENUM
};

#define PBT_PASS_MAP(X)                                                        \
    X(PBT_PASS_NO_DONOR, "no donor has a finite score and its checkpoint")     \
    X(PBT_PASS_EXPLORE_FAILED, "a function that was asked failed")             \
    X(PBT_PASS_GAP, "the donor is not better by enough")

#define PBT_PASS_LAST PBT_PASS_GAP

enum pbt_pass {
#define PBT_PASS_ENUM(name, text) name,
    PBT_PASS_MAP(PBT_PASS_ENUM)
#undef PBT_PASS_ENUM
};

/*
 * A record.  Members that a kind does not use are zero.  `cells` and `old_cells` are
 * borrowed: from the event, from the state, or from the record's reader.
 */
struct pbt_record {
    uint64_t number; /* 1, 2, ... over the whole journal */
    enum pbt_record_kind kind;
    uint32_t trial;
    uint64_t epoch; /* start and exploit: the one that it opens */
    uint64_t time;
    uint64_t seq;
    int64_t iteration;
    double time_total;
    double score;
    double values[PBT_VALUES_MAX];
    bool halted;
    bool done;
    bool can_reset;
    bool failed;
    /* result: this is a perturbation point, and the score counts for ranking */
    bool point;
    /* result: 1 + index of the stop criterion that it reached; 0: none */
    uint32_t stop;
    /* saved, exploit: the trial gives its slot back now */
    bool pause;
    bool replacement; /* exploit, ask: the trial had failed for good */
    /* start, exploit: the life's own seed; opened: the experiment's */
    uint64_t seed;
    uint64_t incarnation;
    uint32_t slots;
    /*
     * save, saved, durable, bad, delete: the checkpoint; start: the one to load (0:
     * none); exploit, ask: the donor's; adopt, and an ask for one: the trial's own; undo: the
     * one that the trial stands on now (0: none)
     */
    struct pbt_checkpoint_id checkpoint;
    uint64_t bytes; /* saved: the sum of its files' sizes */
    /*
     * exploit, adopt, ask; pass: who was drawn, if anybody was; save: whose hyperparameters are
     * to be adopted after it, if donor_score is a number
     */
    uint32_t donor;
    uint32_t
        exploits; /* undo: how many of the trial's stand, the oldest ones */
    /*
     * trial, exploit, adopt: the lineage that begins; ask: that of the weights; undo: the one
     * that goes on again
     */
    uint64_t lineage;
    double donor_score; /* exploit, adopt, ask, pass, save: evidence */
    /* exploit, adopt, ask, save: the iteration of the donor's checkpoint */
    int64_t donor_iteration;
    /* round: where trials arrive, on the clock of time_attr */
    double target;
    enum pbt_leave leave; /* leave; exited: what it led to */
    uint64_t wait; /* exited: so long the trial isn't started again, ns */
    enum pbt_request request;
    enum pbt_end end;
    enum pbt_pass pass;
    /*
     * trial, start, undo: the configuration; exploit, adopt, ask: explored; ask_first: drawn
     * so far
     */
    const struct pbt_cell *cells;
    /* exploit, adopt, ask, save: the donor's configuration */
    const struct pbt_cell *old_cells;
};

const char *pbt_record_name(enum pbt_record_kind kind);
const char *pbt_leave_name(enum pbt_leave leave);
const char *pbt_request_name(enum pbt_request request);
const char *pbt_end_name(enum pbt_end end);
const char *pbt_pass_name(enum pbt_pass pass);
const char *pbt_event_name(enum pbt_event_kind kind);

#endif
