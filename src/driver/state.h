/*
 * state.h: the driver's own state, private to src/driver.  All of it can be lost: it is
 * made anew at each open from the journal's.
 */
#ifndef PBT_DRIVER_STATE_H
#define PBT_DRIVER_STATE_H

#include "base/buf.h"
#include "driver/driver.h"
#include "driver/effect.h"
#include "journal/entry.h"

#define PBT_NEVER UINT64_MAX

/* Per trial: what was last sent to its process. */
struct pbt_drive {
    struct pbt_command sent;
    /* the process epoch of the last start that was submitted */
    uint64_t spawned;
    uint64_t deadline; /* by the world's clock; PBT_NEVER: none */
    uint64_t acked;    /* of the present epoch: seq */
    uint64_t ack_epoch;
    bool ack_due;
    bool no_room;       /* its save waits for room on the disk */
    uint64_t odd_epoch; /* the last life that was said to report no number */
    /* the driver kills the process for this reason; NULL: it doesn't */
    char *why;
};

/* Deleted checkpoints wait for a sync that covers their record. */
struct pbt_unlink {
    struct pbt_checkpoint_id checkpoint;
    uint64_t record;
};

/* A request whose answer waits for the append. */
struct pbt_reply {
    uint64_t request;
    struct pbt_control_answer answer;
};

struct pbt_driver {
    struct pbt_spec *spec;
    struct pbt_world *world;
    struct pbt_driver_options options;
    struct pbt_core *core;
    struct pbt_journal *journal;
    struct pbt_journal_info info;
    struct pbt_effect *effect; /* which hyperparameters have one */
    const json_t *metrics;     /* of the result that is taken in */
    const json_t *ignored; /* what its worker says has none; NULL: nothing */

    /* Experiment clock = clock_base + (world's now - world_base). */
    uint64_t clock_base;
    uint64_t world_base;

    struct pbt_drive *drives;
    uint64_t next_deadline; /* none is earlier; may be early itself */

    struct pbt_buf lines; /* the batch */
    uint64_t line_count;
    struct pbt_buf data; /* of one record */
    struct pbt_buf json; /* of one job */

    uint32_t *acks; /* trials with ack_due */
    size_t ack_count;

    /* Processes that were owed an end before they were spawned. */
    struct pbt_input *phantoms;
    size_t phantom_count;

    struct pbt_checkpoint_id *fresh; /* saved, not covered by a sync yet */
    size_t fresh_count;
    size_t fresh_capacity;
    struct pbt_checkpoint_id *syncing; /* covered by the sync in flight */
    size_t syncing_count;
    size_t syncing_capacity;
    struct pbt_unlink *unlinks;
    size_t unlink_count;
    size_t unlink_capacity;
    bool sync_in_flight;
    uint64_t synced;    /* records known to be on the disk */
    uint64_t next_sync; /* world's clock: a sync is due without a reason */

    /* A snapshot that waits for a sync of the journal up to its record. */
    struct pbt_buf snapshot;
    uint64_t snapshot_waits; /* its record; 0: none */
    uint64_t snapshot_last;  /* the record of the last one that was made */

    struct pbt_reply *replies;
    size_t reply_count;
    size_t reply_capacity;

    bool time_up_sent;
    bool said_idle;
    bool said_bytes;
    uint32_t no_room; /* trials whose saves wait for room */
    bool
        said_room; /* of these; by the world's clock, when it may be said again */
    uint64_t say_room_from;
    bool stopping; /* somebody waits for the run's end */
};

/* driver.c: one event into the core, and its record into the batch. */
int pbt_driver_event(struct pbt_driver *driver, const struct pbt_event *event,
                     struct pbt_error *error);
uint64_t pbt_driver_clock(const struct pbt_driver *driver);
void pbt_driver_say(const struct pbt_driver *driver, const char *fmt, ...)
    PBT_PRINTF(2, 3);

/* snapshot.c: snapshots of the state. */
/* Makes one if it is time for it; the state is settled, all its records appended. */
void pbt_driver_note_snapshot(struct pbt_driver *driver);
/* Hands over the one that waits, if the journal is synced as far as it. */
int pbt_driver_send_snapshot(struct pbt_driver *driver,
                             struct pbt_error *error);
/* The last one; the journal is synced. */
void pbt_driver_last_snapshot(struct pbt_driver *driver);

/* translate.c: news into events. */
int pbt_driver_input(struct pbt_driver *driver, const struct pbt_input *input,
                     struct pbt_error *error);

/* failure.c: the end of a process in words. */
/* `why`: what the driver has killed it for, or NULL. */
void pbt_driver_describe_exit(const struct pbt_input *input, const char *why,
                              struct pbt_buf *text);
/* What there is room for in a message; the buffer need not take more than PBT_BRIEF_MAX. */
#define PBT_BRIEF_MAX 2400
void pbt_driver_put_brief(struct pbt_buf *out, const char *text);
/* The trial has just failed, after this iteration; `why` may be long. */
void pbt_driver_say_failure(const struct pbt_driver *driver, uint32_t number,
                            int64_t iteration, const char *why);

/* The run is to end, and the step under way of this trial didn't within the grace time. */
void pbt_driver_say_outlasted(const struct pbt_driver *driver, uint32_t number);

/* ignored.c: hyperparameters without effect. */
/* A record is about to be written, with driver->data. */
void pbt_driver_look_for_ignored(struct pbt_driver *driver,
                                 const struct pbt_record *record);
/* At open, of each record of the past. */
void pbt_driver_replay_ignored(struct pbt_driver *driver,
                               const struct pbt_entry *entry);

/* request.c: what the user asks of a run at work. */
int pbt_driver_request(struct pbt_driver *driver, const struct pbt_input *input,
                       struct pbt_error *error);
/* A signal or a call wants the run to end. */
int pbt_driver_stop(struct pbt_driver *driver, struct pbt_error *error);
int pbt_driver_send_replies(struct pbt_driver *driver, struct pbt_error *error);
/* Says so, once, when what is needed is more than checkpoint.max_bytes. */
void pbt_driver_say_bytes(struct pbt_driver *driver);
/* Says so, once, when all that is left is paused. */
void pbt_driver_say_idle(struct pbt_driver *driver);

/* room.c */

/* News of a save that has to wait, or goes on. */
int pbt_driver_waiting(struct pbt_driver *driver, const struct pbt_input *input,
                       struct pbt_error *error);
/* The trial's save waits no longer, whatever has become of it. */
void pbt_driver_end_waiting(struct pbt_driver *driver, uint32_t trial);
/* A save had begun, and there was no room for it after all. */
void pbt_driver_say_spoilt(struct pbt_driver *driver, uint32_t trial,
                           const char *why);
/* Somebody waits for the run's end: no save waits for room any more. */
int pbt_driver_stop_waiting(struct pbt_driver *driver, struct pbt_error *error);

/* lost.c */

/* News of a lost or damaged checkpoint. */
int pbt_driver_lost(struct pbt_driver *driver, const struct pbt_input *input,
                    struct pbt_error *error);
/*
 * Before anything is decided: checkpoints that were never made durable are verified (the
 * good ones go with the next sync), and the others have to be there (rule 17; what is in
 * them is looked at before a load).
 */
int pbt_driver_verify_checkpoints(struct pbt_driver *driver,
                                  struct pbt_error *error);

/* carry.c: what follows from applied records. */

/* A command of this kind has its time-out from now on. */
void pbt_driver_set_deadline(struct pbt_driver *driver, struct pbt_drive *drive,
                             enum pbt_command_kind kind);
int pbt_driver_note_record(struct pbt_driver *driver,
                           const struct pbt_record *record,
                           struct pbt_error *error);
int pbt_driver_carry_out(struct pbt_driver *driver, struct pbt_error *error);
int pbt_driver_time_outs(struct pbt_driver *driver, struct pbt_error *error);
/* The driver ends a process on its own account; the core hears of the exit. */
int pbt_driver_kill(struct pbt_driver *driver, uint32_t trial, const char *why,
                    struct pbt_error *error);
/* Room for one more item; false: out of memory. */
bool pbt_driver_grow(void **items, size_t count, size_t *capacity, size_t size);
int pbt_driver_synced(struct pbt_driver *driver, uint64_t records,
                      struct pbt_error *error);
/* Remembers a checkpoint for the next sync. */
int pbt_driver_add_fresh(struct pbt_driver *driver,
                         struct pbt_checkpoint_id checkpoint,
                         struct pbt_error *error);

#endif
