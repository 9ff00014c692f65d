/*
 * message.h: the messages of the worker protocol (docs/protocol.md) as structs,
 * for both ends, and of the shim's control channel (src/shim/shim.c).
 *
 * Encoding appends one line to a buffer; decoding takes one line.  A decoded
 * message borrows from its `struct pbt_message` until the next decode or
 * pbt_message_done().
 */
#ifndef PBT_WIRE_MESSAGE_H
#define PBT_WIRE_MESSAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <pbt/error.h>

#include "base/buf.h"

#define PBT_PROTOCOL_VERSION 1
#define PBT_MESSAGE_LINE_MAX 1048576 /* 1 MiB */
#define PBT_MESSAGE_DEPTH_MAX 32

/* enum name, text on the wire */
#define PBT_MESSAGE_MAP(X)                                                     \
    /* driver to worker */                                                     \
    X(PBT_MESSAGE_START, "start")                                              \
    X(PBT_MESSAGE_LOAD, "load")                                                \
    X(PBT_MESSAGE_RUN, "run")                                                  \
    X(PBT_MESSAGE_SAVE, "save")                                                \
    X(PBT_MESSAGE_HALT, "halt")                                                \
    X(PBT_MESSAGE_STOP, "stop")                                                \
    X(PBT_MESSAGE_ACK, "ack")                                                  \
    /* worker to driver */                                                     \
    X(PBT_MESSAGE_HELLO, "hello")                                              \
    X(PBT_MESSAGE_READY, "ready")                                              \
    X(PBT_MESSAGE_RESULT, "result")                                            \
    X(PBT_MESSAGE_HALTED, "halted")                                            \
    X(PBT_MESSAGE_SAVED, "saved")                                              \
    X(PBT_MESSAGE_ERROR, "error")                                              \
    /* driver to shim */                                                       \
    X(PBT_MESSAGE_SEAL, "seal")                                                \
    X(PBT_MESSAGE_KILL, "kill")                                                \
    /* shim to driver */                                                       \
    X(PBT_MESSAGE_SPAWNED, "spawned")                                          \
    X(PBT_MESSAGE_SEALED, "sealed")                                            \
    X(PBT_MESSAGE_EXITED, "exited")

enum pbt_message_type {
#define PBT_MESSAGE_ENUM(name, text) name,
    PBT_MESSAGE_MAP(PBT_MESSAGE_ENUM)
#undef PBT_MESSAGE_ENUM
};

/* What a worker says that it can, beside what every worker can. */
#define PBT_CAN_RESET_CONFIG 1u /* takes a load in mid-life */
#define PBT_CAN_REUSE 2u        /* takes a further start, of whatever trial */

/*
 * One message of any type.  Which members count is in docs/protocol.md's tables
 * under the same names, for the control channel at the top of src/shim/shim.c, and
 * for both in src/wire/members.c; the others are zero.  Texts are UTF-8, never
 * with a NUL.
 */
struct pbt_message {
    enum pbt_message_type type;
    uint64_t epoch;
    uint64_t seq; /* result; ack: the acknowledged one */
    uint64_t ack; /* in any command: 0 for none */
    int64_t iteration;
    int64_t until;
    uint64_t seed;
    double time_this_iter_s;
    double time_total_s;
    bool halted;
    bool done;
    const char *trial;
    const char *trial_dir;
    const char *checkpoint; /* NULL for null */
    const char *path;
    const char *text; /* error; spawned: NULL, or why it failed; sealed: same */

    /* JSON text of an object, not NUL-terminated when decoded. */
    const char *config;
    size_t config_length;
    const char *metrics;
    size_t metrics_length;
    const char *manifest; /* seal: what made it, put into the manifest */
    size_t manifest_length;

    /* hello */
    int64_t protocol;
    const char *client;
    uint32_t capabilities; /* hello: PBT_CAN_* */
    int64_t pid;           /* hello, spawned */
    const char *host;

    /* exited: one of the two is meant, signal if it is not 0 */
    int exit_code;
    int signal;

    uint64_t bytes; /* sealed: sum of the files' sizes */

    /* Decoded: the members of the object, borrowed; metrics parsed. */
    const json_t *metrics_json;
    const json_t *config_json;
    /* result: names of hyperparameters without effect, as the worker sees it; NULL: none */
    const json_t *ignored_json;

    json_t *root; /* private: owns what is borrowed */
    char *copy;   /* private: the line, if it had to be rewritten */
};

/* The text on the wire of a type. */
const char *pbt_message_name(enum pbt_message_type type);

/*
 * Appends `message` as one line with its newline; after a failure `out` is as it
 * was.  Free text (text, client) that is no UTF-8 is repaired with '?'; other
 * texts (paths, ids) can't be, so they are PBT_EUSAGE, like a line longer than
 * PBT_MESSAGE_LINE_MAX or an object's text with a newline in it.  PBT_ENOMEM.
 */
int pbt_message_encode(const struct pbt_message *message, struct pbt_buf *out,
                       struct pbt_error *error);

/*
 * Reads one line (without its newline), which must stay until
 * pbt_message_done().  config, metrics and manifest are slices of it, byte for
 * byte as received, except that bare NaN and infinities have become strings.
 * PBT_EDATA: not a message; the text says where and why, with an excerpt.
 * PBT_ENOMEM.  `message` may be uninitialised; after a failure nothing is to be
 * released.
 */
int pbt_message_decode(struct pbt_message *message, const char *line,
                       size_t length, struct pbt_error *error);

/* Releases what a decode holds.  Once per successful decode. */
void pbt_message_done(struct pbt_message *message);

/*
 * A member of `object` by its name, nested as "outer/inner", or NULL.  A key that
 * itself holds a slash is found too, and first.
 */
const json_t *pbt_json_member(const json_t *object, const char *name);

/* A number or one of the three strings for NaN and infinities. */
bool pbt_json_number(const json_t *value, double *number);

/* Both in one: a metric by its name.  False if it is absent or no number. */
bool pbt_metric_number(const json_t *metrics, const char *name, double *value);

/*
 * True for the names in metrics that pbt fills itself (docs/files.md), also as the
 * outer part of "outer/inner".  timesteps_total and episodes_total are not among
 * them: workers count those.
 */
bool pbt_metric_reserved(const char *name);

/* The length of the part of `text` before the first byte that is no UTF-8. */
size_t pbt_utf8_span(const char *text, size_t length);

/*
 * Splits a stream into lines.  The reader holds at most one unfinished line if
 * its user takes all whole ones (pbt_lines_next) before it reads again.
 */
struct pbt_lines {
    struct pbt_buf buf;
    size_t start; /* where the next line begins in buf */
    size_t scanned;
    uint64_t count; /* lines given out: for messages */
};

void pbt_lines_init(struct pbt_lines *lines);
void pbt_lines_done(struct pbt_lines *lines);

/*
 * Reads once from `fd` (blocking or not).  *ended is set to whether the stream
 * has ended (a reset connection counts as one).  EAGAIN and EINTR are no errors:
 * nothing was read.  PBT_EDATA if a line grows beyond PBT_MESSAGE_LINE_MAX,
 * PBT_EIO, PBT_ENOMEM.
 */
int pbt_lines_read(struct pbt_lines *lines, int fd, bool *ended,
                   struct pbt_error *error);

/*
 * The next whole line, NUL-terminated in place of its newline, or NULL if there
 * is none yet.  Borrowed until the next read.
 */
char *pbt_lines_next(struct pbt_lines *lines, size_t *length);

#endif
