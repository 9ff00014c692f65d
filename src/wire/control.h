/*
 * control.h: the control socket of a running experiment, both ends: docs/control.md.
 *
 * <run directory>/control.sock belongs to the driver at work.  Each request is one line of
 * JSON and has one line as its answer.
 */
#ifndef PBT_WIRE_CONTROL_H
#define PBT_WIRE_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/buf.h"
#include "base/names.h"

#define PBT_CONTROL_NAME "control.sock"
/* Of a line, with its newline. */
#define PBT_CONTROL_LINE_MAX 4096

#define PBT_CONTROL_MAP(X)                                                     \
    X(PBT_CONTROL_PAUSE, "pause")                                              \
    X(PBT_CONTROL_RESUME, "resume")                                            \
    X(PBT_CONTROL_STOP, "stop")

enum pbt_control_kind {
#define PBT_CONTROL_ENUM(name, text) name,
    PBT_CONTROL_MAP(PBT_CONTROL_ENUM)
#undef PBT_CONTROL_ENUM
        PBT_CONTROL_KINDS
};

struct pbt_control_request {
    enum pbt_control_kind kind;
    char trial[PBT_TRIAL_ID_SIZE]; /* "": the whole run */
};

/*
 * A worker behind a launcher that has closed its socket (PBT_FD) asks for another one: with the
 * token that it was started with.  If the answer is ok the connection is that socket.
 */
#define PBT_TOKEN_SIZE 33 /* 128 random bits as hexadecimal digits */

/* What a request means for a trial. */
#define PBT_OUTCOME_MAP(X)                                                     \
    X(PBT_OUTCOME_PAUSING, "pausing")   /* after its step and its save */      \
    X(PBT_OUTCOME_PAUSED, "paused")     /* it had no process: at once */       \
    X(PBT_OUTCOME_ALREADY, "already")   /* that was asked before */            \
    X(PBT_OUTCOME_RESUMED, "resumed")   /* trains when there is a slot */      \
    X(PBT_OUTCOME_RUNNING, "running")   /* was not paused */                   \
    X(PBT_OUTCOME_STOPPING, "stopping") /* after its step */                   \
    X(PBT_OUTCOME_STOPPED, "stopped")   /* it had no process: at once */       \
    X(PBT_OUTCOME_ENDING, "ending")     /* is about to end for good anyway */  \
    X(PBT_OUTCOME_FINISHED, "finished") /* TERMINATED or ERROR before */

enum pbt_control_outcome {
#define PBT_OUTCOME_ENUM(name, text) name,
    PBT_OUTCOME_MAP(PBT_OUTCOME_ENUM)
#undef PBT_OUTCOME_ENUM
        PBT_OUTCOMES
};

const char *pbt_control_name(enum pbt_control_kind kind);
const char *pbt_control_outcome_name(enum pbt_control_outcome outcome);

struct pbt_control_answer {
    bool ok;
    char error[512]; /* if not ok: why; fits a line, however it is escaped */
    uint32_t trials[PBT_OUTCOMES]; /* how many fared so */
};

/* --- lines, without their newline ------------------------------------------ */

void pbt_control_put_request(const struct pbt_control_request *request,
                             struct pbt_buf *line);
void pbt_control_put_answer(const struct pbt_control_answer *answer,
                            struct pbt_buf *line);
/* False: `why` is set to a text for whoever sent it. */
bool pbt_control_read_request(struct pbt_control_request *request,
                              const char *line, size_t length,
                              struct pbt_error *why);
void pbt_control_put_attach(const char *token, struct pbt_buf *line);
/* False: it is no such request. */
bool pbt_control_read_attach(const char *line, size_t length,
                             char token[PBT_TOKEN_SIZE]);
bool pbt_control_read_answer(struct pbt_control_answer *answer,
                             const char *line, size_t length,
                             struct pbt_error *why);

/* --- sockets ----------------------------------------------------------------- */

struct pbt_control_listener {
    int fd; /* -1: none */
    uint64_t device;
    uint64_t inode;
};

/*
 * Listens in a run's directory, whose lock the caller holds: a socket that is there
 * already is a dead driver's, and goes.  Only our user can connect.
 */
int pbt_control_listen(const char *run_dir,
                       struct pbt_control_listener *listener,
                       struct pbt_error *error);
/* Closes it, and removes its file, unless that is another driver's by now. */
void pbt_control_close(const char *run_dir,
                       struct pbt_control_listener *listener);
/* True if the other end is our user's, or root's. */
bool pbt_control_is_ours(int fd);

/*
 * Connects to the driver of a run.  PBT_ENOINPUT: there is no socket; PBT_EUNAVAILABLE:
 * nobody listens (the driver died, or is on another host); PBT_EPERM: it is another
 * user's.
 */
int pbt_control_connect(const char *run_dir, int *fd, struct pbt_error *error);
/* Makes it a worker's socket; PBT_EUNAVAILABLE: it is refused. */
int pbt_control_attach(int fd, const char *token, int seconds,
                       struct pbt_error *error);
/* Sends a request and waits for its answer, at most `seconds`. */
int pbt_control_ask(int fd, const struct pbt_control_request *request,
                    int seconds, struct pbt_control_answer *answer,
                    struct pbt_error *error);

#endif
