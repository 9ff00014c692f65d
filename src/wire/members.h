/*
 * members.h: the table from which messages are written and read.  Private to
 * src/wire.
 */
#ifndef PBT_WIRE_MEMBERS_H
#define PBT_WIRE_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/message.h"

/* bit, name in the list */
#define PBT_CAPABILITY_MAP(X)                                                  \
    X(PBT_CAN_RESET_CONFIG, "reset_config")                                    \
    X(PBT_CAN_REUSE, "reuse")

enum pbt_message_member_kind {
    PBT_KIND_U64,          /* uint64_t; beyond 2^53 as a decimal string */
    PBT_KIND_SEED,         /* uint64_t; always written as a string */
    PBT_KIND_I64,          /* int64_t, not negative; as PBT_KIND_U64 */
    PBT_KIND_INT,          /* int, not negative */
    PBT_KIND_REAL,         /* double, finite, not negative */
    PBT_KIND_BOOL,         /* bool */
    PBT_KIND_TEXT,         /* const char * that is what it is: a path, an id */
    PBT_KIND_NULLABLE,     /* the same, or null */
    PBT_KIND_FREE,         /* const char * for people: repaired if no UTF-8 */
    PBT_KIND_OBJECT,       /* JSON text with a length */
    PBT_KIND_CAPABILITIES, /* uint32_t of bits; a list of names */
};

/* name on the wire, kind, member of struct pbt_message; in the order of writing */
#define PBT_MESSAGE_MEMBER_MAP(X)                                              \
    X(EPOCH, "epoch", PBT_KIND_U64, epoch)                                     \
    X(SEQ, "seq", PBT_KIND_U64, seq)                                           \
    X(ITERATION, "iteration", PBT_KIND_I64, iteration)                         \
    X(UNTIL, "until", PBT_KIND_I64, until)                                     \
    X(HALTED, "halted", PBT_KIND_BOOL, halted)                                 \
    X(DONE, "done", PBT_KIND_BOOL, done)                                       \
    X(THIS_ITER, "time_this_iter_s", PBT_KIND_REAL, time_this_iter_s)          \
    X(TOTAL, "time_total_s", PBT_KIND_REAL, time_total_s)                      \
    X(TRIAL, "trial", PBT_KIND_TEXT, trial)                                    \
    X(TRIAL_DIR, "trial_dir", PBT_KIND_TEXT, trial_dir)                        \
    X(CHECKPOINT, "checkpoint", PBT_KIND_NULLABLE, checkpoint)                 \
    X(PATH, "path", PBT_KIND_TEXT, path)                                       \
    X(SEED, "seed", PBT_KIND_SEED, seed)                                       \
    X(PROTOCOL, "protocol", PBT_KIND_I64, protocol)                            \
    X(CLIENT, "client", PBT_KIND_FREE, client)                                 \
    X(CAPABILITIES, "capabilities", PBT_KIND_CAPABILITIES, capabilities)       \
    X(PID, "pid", PBT_KIND_I64, pid)                                           \
    X(HOST, "host", PBT_KIND_FREE, host)                                       \
    X(EXIT_CODE, "exit_code", PBT_KIND_INT, exit_code)                         \
    X(SIGNAL, "signal", PBT_KIND_INT, signal)                                  \
    X(BYTES, "bytes", PBT_KIND_U64, bytes)                                     \
    X(TEXT, "text", PBT_KIND_FREE, text)                                       \
    X(ACK, "ack", PBT_KIND_U64, ack)                                           \
    X(CONFIG, "config", PBT_KIND_OBJECT, config)                               \
    X(METRICS, "metrics", PBT_KIND_OBJECT, metrics)                            \
    X(MANIFEST, "manifest", PBT_KIND_OBJECT, manifest)

enum pbt_message_member_index {
#define PBT_MEMBER_INDEX(id, name, kind, field) PBT_MEMBER_##id,
    PBT_MESSAGE_MEMBER_MAP(PBT_MEMBER_INDEX)
#undef PBT_MEMBER_INDEX
        PBT_MEMBER_COUNT
};

struct pbt_message_member {
    const char *name;
    enum pbt_message_member_kind kind;
    size_t offset; /* in struct pbt_message */
};

/* Which members a type has: bits 1 << PBT_MEMBER_<id>. */
struct pbt_message_form {
    uint32_t required;
    uint32_t optional; /* written where it is not zero or NULL */
};

enum {
#define PBT_MESSAGE_ONE(name, text) +1
    PBT_MESSAGE_TYPE_COUNT = 0 PBT_MESSAGE_MAP(PBT_MESSAGE_ONE)
#undef PBT_MESSAGE_ONE
};

extern const struct pbt_message_member pbt_message_members[PBT_MEMBER_COUNT];
extern const struct pbt_message_form pbt_message_forms[PBT_MESSAGE_TYPE_COUNT];

/* False for a name (or NULL) that is none of a type. */
bool pbt_message_find_type(const char *name, enum pbt_message_type *type);

/*
 * Reads a message of the step path that stands in the very form of our encoder.  False:
 * it does not, and `message` is all zeros; it may be a good one all the same.
 */
bool pbt_message_decode_strict(struct pbt_message *message, const char *line,
                               size_t length);

#endif
