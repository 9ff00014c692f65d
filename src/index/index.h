/*
 * index.h: a run as tables: RUN/experiment.db, an SQLite file that follows from the journal.
 *
 * Whoever reads a run brings it up to date first.  Rows and the place in the journal that they reach
 * are written in one transaction, under SQLite's own lock and with a rollback journal, so that
 * it also works on a network's file system: killed at any moment, or brought up to date by many at
 * once, it is right the next time.  It is no second truth: made from another journal, another
 * specification or by another version of pbt it is made anew, as it is when it was deleted or is
 * damaged.
 *
 * Where the run's directory can't be written, or locked, the file is in the user's cache directory;
 * where that can't be either, it is a temporary one.
 */
#ifndef PBT_INDEX_INDEX_H
#define PBT_INDEX_INDEX_H

#include <pbt/error.h>

#include "index/fold.h"
#include "spec/spec.h"

#define PBT_INDEX_FILE "experiment.db"

struct pbt_index;

/* Is told now and then how much of the journal has been read; fn may be NULL. */
struct pbt_index_watch {
    void (*fn)(void *user, uint64_t bytes, uint64_t of_bytes);
    void *user;
};

/*
 * Brings the index of the run in `dir` up to date and gives its state, finished, in `fold`.  All are
 * borrowed; `spec` takes in texts.  A run that has not begun has no index, and its fold no records.
 *
 * On failure nothing is to be released.  PBT_EDATA: the journal is damaged.
 */
int pbt_index_open(struct pbt_index **index, const char *dir,
                   struct pbt_spec *spec, struct pbt_fold *fold,
                   const struct pbt_index_watch *watch,
                   struct pbt_error *error);
/* Takes NULL. */
void pbt_index_close(struct pbt_index *index);

/* Makes the file in the run's directory anew.  No fold is kept. */
int pbt_index_rebuild(const char *dir, struct pbt_spec *spec,
                      struct pbt_error *error);

/* SQLite's version, as it was found now. */
const char *pbt_index_library(void);

/* The names of all metrics that were ever reported, by position; NULL behind the last one. */
const char *pbt_index_metric(const struct pbt_index *index, uint32_t position);

/* --- rows ------------------------------------------------------------------- */

/* Lives until the function that it is given to returns. */
struct pbt_index_row {
    uint64_t record;
    uint32_t trial;
    uint32_t life; /* of its trial: fold->trials[trial].lives[life] */
    uint64_t seq;
    int64_t iteration;
    double time_total_s;
    double time_this_iter_s;
    double timestamp;
    struct pbt_index_values *values; /* for the functions below */
};

typedef int (*pbt_index_row_fn)(void *user, const struct pbt_index_row *row);

struct pbt_index_query {
    uint32_t trial;     /* PBT_NONE: all */
    const char *metric; /* only this one is read; NULL: all */
    uint64_t after;     /* of these records; until 0: up to the last one */
    uint64_t until;
};

/*
 * Who would bring the file up to date waits meanwhile: `fn` must not take its time.
 *
 * Gives the results up to the moment of the fold to `fn`, in the journal's order.  Anything but 0
 * ends it, and is put into `*answer`.
 */
int pbt_index_rows(struct pbt_index *index, const struct pbt_index_query *query,
                   pbt_index_row_fn fn, void *user, int *answer,
                   struct pbt_error *error);

/* False: no number of that name.  NaN and infinities are numbers. */
bool pbt_index_real(struct pbt_index_values *values, const char *metric,
                    double *number);
/* NULL: no text of that name. */
const char *pbt_index_text(struct pbt_index_values *values, const char *metric);
/* All metrics, as they were reported; NULL: out of memory. */
const json_t *pbt_index_json(struct pbt_index_values *values);

/* A metric of a row, as it can be written. */
struct pbt_index_value {
    enum {
        PBT_INDEX_NONE, /* the row has none of it */
        PBT_INDEX_INTEGER,
        PBT_INDEX_REAL,
        PBT_INDEX_TEXT,
        PBT_INDEX_JSON /* anything, also what the others are */
    } type;
    int64_t integer;
    double real;
    const char *text;
    size_t length;
    const json_t *json;
};

/* `position`: below the number of metrics, all of which were asked for. */
struct pbt_index_value pbt_index_value(struct pbt_index_values *values,
                                       uint32_t position);

/* The configuration of a life, as JSON. */
int pbt_index_config(struct pbt_index *index, uint32_t trial, uint32_t life,
                     struct pbt_buf *json, struct pbt_error *error);

/* A copy of the file, up to the present.  `path` must not exist. */
int pbt_index_copy(struct pbt_index *index, const char *path,
                   struct pbt_error *error);

#endif
