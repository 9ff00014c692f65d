/*
 * entry.h: a record as one line of JSON, and back.
 *
 *     {"n":7,"k":"result","t":1203004,"trial":3,"epoch":1048577,"seq":2,
 *      "it":2,"total":0.25,"score":0.91,"halted":true,"data":{...}}
 *
 * "n" (number, from 1), "k" (kind) and "t" (experiment clock, ns) are always there; then
 * the members of the record in the order of members.h: those that the kind always has, and
 * any other that is not zero (scores and values: not NaN), so that a record comes back
 * from its line bit by bit.  docs/files.md lists them.  "data" is what the core never
 * reads; an object per kind:
 *
 *   opened    {"wall": unix time in ns, "pid": N, "host": "...", "version": "..."}
 *   ready     {"pid": N, "host": "...", "client": "..."}
 *   result    {"time_this_iter_s": S, "metrics": {...}}: metrics as the worker sent them;
 *             and perhaps "ignored": ["..."]: hyperparameters without effect
 *   exited    {"exit_code": N} or {"signal": N}, and perhaps "text": what happened, for
 *             people
 *   bad, pass {"text": "..."} where there is something to say
 *
 * Configurations are JSON objects ("config", "old_config"), checkpoints {"trial":N,
 * "number":N}.  64-bit seeds and lineages are decimal strings, and so are other integers
 * beyond 2^53; NaN and infinities are strings.  Unknown members are ignored by the reader;
 * an unknown kind, or an unknown word in "leave", "end" or "pass", is an error: it was
 * written by a newer version.
 */
#ifndef PBT_JOURNAL_ENTRY_H
#define PBT_JOURNAL_ENTRY_H

#include <stddef.h>

#include <jansson.h>
#include <pbt/error.h>

#include "base/buf.h"
#include "core/record.h"
#include "spec/spec.h"

struct pbt_entry {
    struct pbt_record record;
    /*
     * What the writer writes: JSON text of the object, in one line; NULL for none.  An entry
     * that was read has `data_json` instead; the writer takes either.
     */
    const char *data;
    size_t data_length;
    const json_t *data_json; /* NULL for none */

    /* private: owned by a read entry */
    json_t *root;
    struct pbt_cell *cells; /* 2 x space.count */
};

/* Appends the entry as one line, with its newline.  Failures show in `out`. */
void pbt_entry_write(const struct pbt_entry *entry, const struct pbt_spec *spec,
                     struct pbt_buf *out);

/*
 * Reads one line (without its newline).  `spec` takes in new texts; trials are checked to
 * be below its population.  PBT_EDATA says what is wrong (without file and line: the caller
 * knows them), PBT_ENOMEM.  The entry borrows nothing from `line`; release it with
 * pbt_entry_done().  `entry` may be uninitialised; after a failure nothing is to be
 * released.
 */
int pbt_entry_read(struct pbt_entry *entry, struct pbt_spec *spec,
                   const char *line, size_t length, struct pbt_error *error);

void pbt_entry_done(struct pbt_entry *entry);

#endif
