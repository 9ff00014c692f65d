/*
 * local_state.h: private to src/exec/local*.c.
 */
#ifndef PBT_EXEC_LOCAL_STATE_H
#define PBT_EXEC_LOCAL_STATE_H

#include <sys/types.h>

#include <uv.h>

#include "exec/local.h"
#include "wire/control.h"
#include "wire/message.h"

#define PBT_LOCAL_PATH_SIZE 4096

/* A stream to another process, with what could not be written yet. */
struct pbt_stream {
    int fd; /* -1: closed */
    uv_poll_t poll;
    struct pbt_lines lines;
    struct pbt_buf out;
    size_t sent; /* of `out` */
    bool wants_room;
    bool keeps;           /* what was sent stays in `out` */
    uint64_t heard_batch; /* inputs of this batch borrow from its lines */
};

/* What the process has to answer next. */
enum pbt_awaited {
    PBT_AWAITED_NOTHING,
    PBT_AWAITED_VERIFY, /* its start or load waits for a look at the checkpoint */
    PBT_AWAITED_READY,
    PBT_AWAITED_ROOM, /* its save waits */
    PBT_AWAITED_SAVED,
    PBT_AWAITED_SEALED,
    /* It ended while it loaded: whether the checkpoint was to blame is looked at. */
    PBT_AWAITED_INQUEST,
};

/* A worker and its shim. */
struct pbt_process {
    struct pbt_local *local;
    uint32_t trial;
    uint64_t spawned; /* its name: the epoch of its start */
    uint64_t epoch;
    /* Its own until its end was seen: it keeps its devices.  PBT_NO_SLOT: it waits. */
    uint32_t slot;
    char trial_id[24];
    char trial_dir[PBT_LOCAL_PATH_SIZE];

    pid_t shim;
    int ended_fd; /* polled for its end */
    uv_poll_t ended_poll;
    uv_timer_t linger; /* it has closed its socket, and ought to end */
    bool lingered;
    struct pbt_stream worker;
    struct pbt_stream control;
    int open_handles; /* of libuv: freed when none is left */

    char token[PBT_TOKEN_SIZE]; /* who has it may speak for it */
    bool attached;              /* somebody does, over another socket */
    bool greeted;               /* hello was read */
    int64_t pid;
    char host[256];
    char client[128];
    bool can_reset;
    bool can_reuse;
    off_t stderr_start; /* where in the trial's stderr this process begins */

    enum pbt_awaited awaited;
    struct pbt_command asked; /* the last start or load, then run, save ... */
    json_t *config;           /* of the last start or load */
    char checkpoint[PBT_LOCAL_PATH_SIZE]; /* to load, or the one being saved */
    struct pbt_buf held;     /* the line of a start or load that waits */
    struct pbt_buf manifest; /* what made the checkpoint being saved */

    uint64_t seq; /* of the last result of this epoch */
    int64_t iteration;
    double time_total_s;
    uint64_t ack; /* to be told with the next line */
    bool ack_due;

    /* local_room.c */
    struct pbt_process *next_save; /* in local->saves */
    uint64_t saving; /* what its save under way counts for; 0: none is */
    bool told_waiting;
    bool told_room; /* for room */
    bool no_room;   /* its last save found none */

    /* local_reuse.c */
    struct pbt_process *next; /* in local->kept or local->queue */
    bool kept;                /* rests between two trials */
    uint64_t kept_batch;
    bool reused;   /* it served another trial before */
    bool retired;  /* nobody needed it: its end concerns no trial */
    int theirs[2]; /* the child's ends of its sockets, until it is started */

    bool shim_ended;
    bool unwanted; /* the driver has it killed */
    bool leaving;  /* told to stop or killed: an exit is no surprise */
    bool has_status;
    int exit_code;
    int signal;
    char *why; /* what went wrong, if somebody said so */
};

#define PBT_NO_SLOT UINT32_MAX

struct pbt_control_client;
/* At most so many are connected to the control socket. */
#define PBT_CONTROL_CLIENTS 16

/* Work in the pool. */
struct pbt_pool_job {
    uv_work_t work;
    struct pbt_local *local;
    struct pbt_job job; /* copied; what it borrows is below */
    struct pbt_checkpoint_id *checkpoints;
    bool whole; /* verify: it was, when it was loaded before */
    char path[PBT_LOCAL_PATH_SIZE];
    struct pbt_buf json;       /* ask: the question, then the answer */
    struct pbt_cell *proposed; /* ask: what its answer is compared with */
    int status;
    struct pbt_error error;
    struct pbt_pool_job *next; /* asks that wait */
};

struct pbt_local {
    struct pbt_world world; /* first: a pbt_world is the pbt_local */
    struct pbt_local_options options;
    uv_loop_t loop;
    uv_timer_t deadline_timer;
    uv_timer_t tick_timer;
    uv_poll_t stop_poll;
    uv_poll_t control_poll;
    struct pbt_control_client *clients[PBT_CONTROL_CLIENTS]; /* NULL: free */
    uint64_t requests; /* so far: the last one's number */
    uint64_t deadline; /* that the timer is set to */
    bool deadline_passed;
    bool closing;

    struct pbt_process **processes; /* per trial; NULL: none */
    uint32_t process_count;
    uint32_t places;  /* slots that can be given out: pbt_budget_places() */
    bool *slot_taken; /* [places] */
    uint32_t *
        failed_on; /* per trial: the slot of its last failure, or PBT_NO_SLOT */
    struct pbt_process *kept; /* workers between two trials, oldest first */
    struct pbt_process
        *queue; /* those that wait for a slot of a retiring one */
    uint32_t retiring;
    struct pbt_process *saves; /* that wait, the first to go on first */
    uint32_t saving;           /* saves under way, and what they count for */
    uint64_t saving_bytes;
    uint64_t largest; /* checkpoint that was made, bytes */
    uv_timer_t room_timer;
    uint64_t oom_kills; /* by the kernel, those that were told */
    uint32_t *ack_due;  /* trials whose ack was not carried by a command */
    size_t ack_due_count;
    /* Checkpoints that were verified since this driver's start. */
    struct pbt_checkpoint_id *whole;
    size_t whole_count;
    size_t whole_capacity;

    uint64_t batch; /* counts them, from 1 */
    /* The present batch, and what its inputs borrow from. */
    struct pbt_input *inputs;
    size_t input_count;
    size_t input_capacity;
    size_t given_inputs; /* the driver has these */
    struct pbt_message *messages;
    size_t message_count;
    size_t message_capacity;
    void **garbage; /* freed with the batch */
    size_t garbage_count;
    size_t garbage_capacity;
    size_t given_garbage;

    struct pbt_pool_job *asks; /* the first is running */
    int asks_end
        [2]; /* a pipe: its first end is readable when none is to go on */
    uint32_t jobs_in_flight;
    struct pbt_error failure; /* status PBT_OK, or why the loop can't go on */
};

/* local.c */

/* A new input of the present batch, or NULL: out of memory, which ends the loop. */
struct pbt_input *pbt_local_input(struct pbt_local *local,
                                  enum pbt_input_kind kind, uint32_t trial);
/* Where the next message of the batch is decoded to; counted if that succeeds. */
struct pbt_message *pbt_local_new_message(struct pbt_local *local);
/* Frees `memory` with the batch.  NULL is a failed allocation: it ends the loop. */
void *pbt_local_keep(struct pbt_local *local, void *memory);
/* The loop can't go on. */
void pbt_local_fail(struct pbt_local *local, int status, const char *text);
void pbt_local_fail_with(struct pbt_local *local,
                         const struct pbt_error *error);

/* The name that a checkpoint has before: "<run_dir>/<trial_id>/.checkpoint_000005.2.<what>", where
 * 2 is the driver's number: workers of one that was taken over may still write to theirs. */
int pbt_local_temporary_path(const struct pbt_local *local,
                             const struct pbt_command *save, const char *what,
                             char *path, size_t size, struct pbt_error *error);
/* A line for people. */
void pbt_local_say(const struct pbt_local *local, const char *fmt, ...)
    PBT_PRINTF(2, 3);
/* Hides the values of secret variables in what a program of the user's has said. */
void pbt_local_hide_secrets(const struct pbt_local *local, char *text);
/* Checkpoints are verified before a load, the first time, and after a load that failed. */
bool pbt_local_is_whole(const struct pbt_local *local,
                        struct pbt_checkpoint_id checkpoint);
void pbt_local_note_whole(struct pbt_local *local,
                          struct pbt_checkpoint_id checkpoint);
void pbt_local_forget_whole(struct pbt_local *local,
                            struct pbt_checkpoint_id checkpoint);

/* local_process.c */

/* Spawns for a start command.  A failure is news, like the end of a process. */
void pbt_local_spawn(struct pbt_local *local, const struct pbt_command *start);
/* Notes what is wrong with a process (the first says it), and kills it. */
void pbt_process_break(struct pbt_process *process, const char *fmt, ...)
    PBT_PRINTF(2, 3);
void pbt_process_kill(struct pbt_process *process);
/* Closes what belongs to it; it is freed when libuv has let go. */
void pbt_process_close(struct pbt_process *process);

/* Its end is told now, and it is closed. */
void pbt_process_finish(struct pbt_process *process);

/* Names the trial of a start that it is to serve. */
void pbt_process_name(struct pbt_process *process,
                      const struct pbt_command *start);

/* A descriptor above those that a child is given, closed on exec; takes -1. */
int pbt_local_moved(int fd);
/* A socket pair; the first is ours, and doesn't block. */
int pbt_local_make_pair(int pair[2], struct pbt_error *error);

/* local_room.c */

/* Its save begins as soon as it may; while it has to wait that is news. */
void pbt_process_queue_save(struct pbt_process *process);
/* Its save is over, in whatever way, if there was one. */
void pbt_process_end_save(struct pbt_process *process);
/* Its save has failed: what is left of it goes; true if there was no room for it. */
bool pbt_process_spoil_save(struct pbt_process *process, const char *why);
/* There may be room now. */
void pbt_local_next_saves(struct pbt_local *local);

/* local_reuse.c */

/*
 * True: a stopped worker is kept for one of the `waiting` trials, and the driver is told that its
 * present trial's process has ended.
 */
bool pbt_process_keep(struct pbt_process *process, uint32_t waiting);
void pbt_process_unkeep(struct pbt_process *process);
/* True: a kept worker serves the trial of this start. */
bool pbt_local_reuse(struct pbt_local *local, const struct pbt_command *start);
/* Stops kept workers that nobody has claimed; all: every one. */
void pbt_local_retire(struct pbt_local *local, bool all);
/*
 * A worker that ends before it is ready for its further trial is no failure of that trial:
 * a fresh one begins instead.
 */
bool pbt_process_can_begin_afresh(const struct pbt_process *process);
void pbt_process_begin_afresh(struct pbt_process *old, const char *why);

/* local_exec.c */

/* Spawns shim and worker for process->asked; sets process->shim. */
int pbt_process_exec(struct pbt_process *process, struct pbt_error *error);

/* The program of scheduler.custom_explore: stdin, stdout, stderr, the shim's control. */
int pbt_local_exec_ask(const struct pbt_local *local, const struct pbt_job *job,
                       const int fds[4], pid_t *shim, struct pbt_error *error);

/* local_explore.c */

/* Asks that program, on a thread of the pool; the answer is not looked at. */
int pbt_local_explore(const struct pbt_local *local, const struct pbt_job *job,
                      const char *json, size_t length, struct pbt_buf *answer,
                      struct pbt_error *error);

/* local_command.c */

void pbt_local_command(struct pbt_local *local, const struct pbt_job *job);
void pbt_local_ack(struct pbt_local *local, const struct pbt_job *job);
/* Sends the acks that no command has carried. */
void pbt_local_flush_acks(struct pbt_local *local);
/* Tells it to save: its turn has come. */
void pbt_process_save(struct pbt_process *process);
/* What `old` was to begin, `fresh` begins. */
void pbt_process_take_life(struct pbt_process *fresh, struct pbt_process *old);
/* The checkpoint of a start or load was looked at. */
void pbt_process_verified(struct pbt_process *process, int status,
                          const char *text);

/* local_hear.c */

/* The line that was read last is against the protocol: ends the process. */
void pbt_process_wrong(struct pbt_process *process, const char *what);
void pbt_process_hear_worker(struct pbt_process *process,
                             const struct pbt_message *message);
void pbt_process_hear_shim(struct pbt_process *process,
                           const struct pbt_message *message);

/* local_stream.c */

int pbt_stream_send(struct pbt_stream *stream,
                    const struct pbt_message *message, struct pbt_error *error);
/* Writes what waits in stream->out, as far as there is room. */
int pbt_stream_flush(struct pbt_stream *stream, struct pbt_error *error);
/* From now on it has some seconds to end by itself. */
void pbt_process_linger(struct pbt_process *process);
/* libuv's callbacks for the two streams. */
void pbt_process_on_worker(uv_poll_t *poll, int status, int events);
void pbt_process_on_control(uv_poll_t *poll, int status, int events);
/* Reads once; true if there was anything. */
bool pbt_process_read_worker(struct pbt_process *process);
bool pbt_process_read_control(struct pbt_process *process);

/* local_control.c */

/* Listens at options.control_fd; returns a code of libuv. */
int pbt_local_control_start(struct pbt_local *local);
void pbt_local_control_stop(struct pbt_local *local);
void pbt_local_reply(struct pbt_local *local, const struct pbt_job *job);

/* local_attach.c */

/* The process gets its token; false: there is no chance to be had. */
bool pbt_process_make_token(struct pbt_process *process);
/*
 * The worker that has this token speaks over this socket from now on, which is copied.  NULL, or
 * why not.
 */
const char *pbt_local_attach(struct pbt_local *local, const char *token,
                             int fd);
/* It has said hello: the socket is the one that it has. */
void pbt_process_settle_socket(struct pbt_process *process);

/* local_jobs.c */

void pbt_local_sync(struct pbt_local *local, const struct pbt_job *order);
void pbt_local_snapshot(struct pbt_local *local, const struct pbt_job *order);
void pbt_local_unlink(struct pbt_local *local, const struct pbt_job *order);
/* Removes a directory below the run's. */
void pbt_local_remove(struct pbt_local *local, const char *path);
void pbt_local_ask(struct pbt_local *local, const struct pbt_job *order);
/* Looks at the checkpoint that it is to load: sums are read only where they have to. */
void pbt_local_verify(struct pbt_local *local,
                      const struct pbt_process *process);
/* No ask goes on: the one under way ends as soon as it can. */
void pbt_local_end_asks(struct pbt_local *local);

#endif
