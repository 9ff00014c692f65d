/*
 * world.h: all that the driver sees of the world: three functions.
 *
 *     next_batch(deadline)  waits for news, at most until the deadline
 *     now()                 the monotonic clock
 *     submit(job)           hands over a job; what comes of it is news
 *
 * exec/local.c implements them over libuv and real processes, exec/sim*.c in virtual
 * time.  Nothing here decides anything.
 */
#ifndef PBT_DRIVER_WORLD_H
#define PBT_DRIVER_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <pbt/error.h>

#include "core/core.h"
#include "journal/journal.h"
#include "wire/control.h"

enum pbt_input_kind {
    /* start or load is done; pid, host, client if it is a start */
    PBT_INPUT_READY,
    PBT_INPUT_RESULT, /* metrics, times */
    PBT_INPUT_HALTED, /* rests */
    PBT_INPUT_WAITING, /* a save has to wait; text: for room, of which this says more */
    PBT_INPUT_SAVED,    /* the checkpoint has its final name */
    PBT_INPUT_EXITED,   /* a process has been seen to end */
    PBT_INPUT_BAD,      /* a checkpoint is lost or damaged: text says how */
    PBT_INPUT_ANSWERED, /* to an ask: cells, or text why there are none */
    PBT_INPUT_SYNCED, /* job sync is done; text if it failed: then all is over */
    PBT_INPUT_CAPACITY, /* there are `slots` now */
    PBT_INPUT_STOP,     /* somebody wants the run to end: a signal, a call */
    PBT_INPUT_REQUEST,  /* on the control socket: answered by a job reply */
    PBT_INPUT_FATAL,    /* the world can't go on: text and status */
};

/* As the trial of a request: the whole run. */
#define PBT_ALL_TRIALS UINT32_MAX

/* News.  Borrowed until the next call of next_batch. */
struct pbt_input {
    enum pbt_input_kind kind;
    uint32_t trial;
    uint64_t epoch; /* exited: that which the process was spawned with */
    /* result; answered: the ask; synced: the job's number; request: its own */
    uint64_t seq;
    enum pbt_control_kind request; /* request: of one trial or of all */
    int64_t iteration;
    double time_this_iter_s;
    double time_total_s;
    bool halted;
    bool done;
    bool can_reset;
    bool waits;     /* waiting; false: it goes on now */
    bool no_room;   /* exited: there was none on the disk for what it saved */
    uint32_t slots; /* capacity */
    const char *metrics; /* result: the object's JSON text */
    size_t metrics_length;
    const json_t *metrics_json;
    const json_t *ignored_json; /* hyperparameters without effect, or NULL */
    struct pbt_checkpoint_id checkpoint; /* saved, bad */
    uint64_t bytes;                      /* saved: the sum of its files' */
    const struct pbt_cell *cells;        /* answered: NULL if it failed */
    int64_t pid;                         /* ready after a start */
    const char *host;
    const char *client;
    int exit_code; /* exited */
    int signal;
    int status;             /* fatal */
    const char *text;       /* exited: what is known of the cause, or NULL */
    const char *last_words; /* exited: the end of what it printed, or NULL */
};

struct pbt_input_batch {
    const struct pbt_input *inputs;
    size_t count;
};

enum pbt_job_kind {
    PBT_JOB_COMMAND, /* to a trial's process; a start spawns it */
    PBT_JOB_ACK,     /* trial, epoch: all results up to seq are safe */
    PBT_JOB_SYNC,    /* trial directories and the journal; answered by synced */
    PBT_JOB_UNLINK,  /* a checkpoint is removed */
    PBT_JOB_SNAPSHOT, /* pbt_snapshot_store(); if it fails people are told */
    PBT_JOB_REPLY,    /* to request seq: what it led to is in the journal */
};

struct pbt_job {
    enum pbt_job_kind kind;
    uint32_t trial;
    struct pbt_command command;
    /* command: the trial's config as JSON (start, load), the question (ask), and what
     * makes a checkpoint (save) */
    const char *json;
    size_t json_length;
    uint64_t epoch; /* ack */
    uint64_t seq;   /* ack; sync: the job's number, echoed in synced; reply */
    struct pbt_checkpoint_id checkpoint; /* unlink */
    /* sync: the journal, and first the directories in which these have their names */
    struct pbt_journal *journal;
    const struct pbt_checkpoint_id *checkpoints;
    size_t checkpoint_count;
    /* command stop: so many trials wait for a slot, and for a process */
    uint32_t waiting;
    const struct pbt_control_answer *answer; /* reply */
    /* snapshot: of the record seq, to be put into this directory */
    const char *snapshot_dir;
    struct pbt_buf *snapshot; /* its memory goes over */
};

struct pbt_world;

struct pbt_world_ops {
    /*
     * Waits until there is news or now() is at the deadline (UINT64_MAX: for ever), and
     * gives out all there is.
     */
    int (*next_batch)(struct pbt_world *world, uint64_t deadline,
                      struct pbt_input_batch *batch, struct pbt_error *error);
    /* Monotonic, in ns; its zero means nothing. */
    uint64_t (*now)(struct pbt_world *world);
    /* What the job borrows is copied if it is needed later. */
    int (*submit)(struct pbt_world *world, const struct pbt_job *job,
                  struct pbt_error *error);
};

struct pbt_world {
    const struct pbt_world_ops *ops;
};

#endif
