/*
 * members.h: the members of a record's line, for the writer and the reader: private to
 * entry.c and entry_read.c.
 */
#ifndef PBT_JOURNAL_MEMBERS_H
#define PBT_JOURNAL_MEMBERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/record.h"

/* How a member is written. */
enum pbt_entry_member_type {
    PBT_MEMBER_TRIAL, /* a number below the population */
    PBT_MEMBER_U32,
    PBT_MEMBER_U64,  /* a decimal string beyond 2^53 */
    PBT_MEMBER_SEED, /* 64 random bits: always a decimal string */
    PBT_MEMBER_I64,
    PBT_MEMBER_REAL,
    PBT_MEMBER_SCORE, /* a real; absent: NaN */
    PBT_MEMBER_BOOL,
    PBT_MEMBER_VALUES,
    PBT_MEMBER_CHECKPOINT, /* {"trial":N,"number":N} */
    PBT_MEMBER_LEAVE,
    PBT_MEMBER_END,
    PBT_MEMBER_PASS,
    PBT_MEMBER_REQUEST,
    PBT_MEMBER_CELLS, /* a configuration */
};

/*
 * enum, name in the line, type, member of struct pbt_record.  The order is that of the
 * line; new ones go anywhere, none ever changes its name or meaning.
 */
#define PBT_ENTRY_MEMBER_MAP(X)                                                \
    X(TRIAL, "trial", PBT_MEMBER_TRIAL, trial)                                 \
    X(EPOCH, "epoch", PBT_MEMBER_U64, epoch)                                   \
    X(SEQ, "seq", PBT_MEMBER_U64, seq)                                         \
    X(IT, "it", PBT_MEMBER_I64, iteration)                                     \
    X(TOTAL, "total", PBT_MEMBER_REAL, time_total)                             \
    X(SCORE, "score", PBT_MEMBER_SCORE, score)                                 \
    X(VALUES, "values", PBT_MEMBER_VALUES, values)                             \
    X(HALTED, "halted", PBT_MEMBER_BOOL, halted)                               \
    X(DONE, "done", PBT_MEMBER_BOOL, done)                                     \
    X(POINT, "point", PBT_MEMBER_BOOL, point)                                  \
    X(STOP, "stop", PBT_MEMBER_U32, stop)                                      \
    X(CAN_RESET, "can_reset", PBT_MEMBER_BOOL, can_reset)                      \
    X(FAILED, "failed", PBT_MEMBER_BOOL, failed)                               \
    X(PAUSE, "pause", PBT_MEMBER_BOOL, pause)                                  \
    X(REPLACEMENT, "replacement", PBT_MEMBER_BOOL, replacement)                \
    X(LEAVE, "leave", PBT_MEMBER_LEAVE, leave)                                 \
    X(WAIT, "wait", PBT_MEMBER_U64, wait)                                      \
    X(END, "end", PBT_MEMBER_END, end)                                         \
    X(PASS, "pass", PBT_MEMBER_PASS, pass)                                     \
    X(REQUEST, "request", PBT_MEMBER_REQUEST, request)                         \
    X(SEED, "seed", PBT_MEMBER_SEED, seed)                                     \
    X(INCARNATION, "incarnation", PBT_MEMBER_U64, incarnation)                 \
    X(SLOTS, "slots", PBT_MEMBER_U32, slots)                                   \
    X(CHECKPOINT, "checkpoint", PBT_MEMBER_CHECKPOINT, checkpoint)             \
    X(BYTES, "bytes", PBT_MEMBER_U64, bytes)                                   \
    X(DONOR, "donor", PBT_MEMBER_TRIAL, donor)                                 \
    X(EXPLOITS, "exploits", PBT_MEMBER_U32, exploits)                          \
    X(LINEAGE, "lineage", PBT_MEMBER_SEED, lineage)                            \
    X(DONOR_SCORE, "donor_score", PBT_MEMBER_SCORE, donor_score)               \
    X(DONOR_IT, "donor_it", PBT_MEMBER_I64, donor_iteration)                   \
    X(TARGET, "target", PBT_MEMBER_REAL, target)                               \
    X(CONFIG, "config", PBT_MEMBER_CELLS, cells)                               \
    X(OLD_CONFIG, "old_config", PBT_MEMBER_CELLS, old_cells)

enum pbt_entry_member_index {
#define PBT_MEMBER_ENUM(name, text, type, field) PBT_AT_##name,
    PBT_ENTRY_MEMBER_MAP(PBT_MEMBER_ENUM)
#undef PBT_MEMBER_ENUM
        PBT_MEMBERS
};

struct pbt_entry_member {
    const char *key; /* with its punctuation: ,"trial": */
    size_t key_length;
    const char *name;
    enum pbt_entry_member_type type;
    size_t offset; /* in struct pbt_record */
};

extern const struct pbt_entry_member pbt_entry_members[PBT_MEMBERS];

/*
 * The members that a line of this kind always has, as bits 1 << PBT_AT_...; any other is
 * there unless it is zero (scores and values: unless it is NaN), so that no record loses
 * anything.
 */
uint64_t pbt_entry_members_always(enum pbt_record_kind kind);

/*
 * The fast path of pbt_entry_read(), into a zeroed entry: false (and the entry zero again)
 * if the line is not in the very form of the writer, or memory is out.
 */
struct pbt_entry;
struct pbt_spec;
bool pbt_entry_scan(struct pbt_entry *entry, struct pbt_spec *spec,
                    const char *line, size_t length);

/* The journal's word for a reason to pass: stable, unlike the sentence for people. */
const char *pbt_pass_word(enum pbt_pass pass);

#endif
