/*
 * inside.h: the parts of an index, for the files of src/index.
 *
 *     state.c    where a run is (the fold): stored and loaded
 *     write.c    a record to rows
 *     views.c    what people query
 *     cache.c    files that are not with their runs
 *     index.c    the file: where it is, and bringing it up to date
 *     read.c     rows
 */
#ifndef PBT_INDEX_INSIDE_H
#define PBT_INDEX_INSIDE_H

#include <limits.h>

#include "index/columns.h"
#include "index/index.h"
#include "index/sql.h"
#include "journal/journal.h"

#define PBT_INDEX_METRICS_MAX 1000
#define PBT_INDEX_CONFIGS_MAX 500

/* What the file says of a trial's lives, so that only what differs is written. */
struct pbt_index_stored {
    int64_t *until;
    uint32_t count;
};

/* Statements that write; made when first needed, made anew when columns are added. */
struct pbt_index_writer {
    sqlite3_stmt *result;
    sqlite3_stmt *life;
    sqlite3_stmt *checkpoint;
    sqlite3_stmt *gone; /* a checkpoint */
    sqlite3_stmt *exploit;
    sqlite3_stmt *failure;
    uint32_t result_columns; /* that its statement has */
    uint32_t life_columns;
    struct pbt_columns_row row;
};

struct pbt_index {
    struct pbt_sql sql;
    char *path; /* "": it goes with the process */
    const char *dir;
    struct pbt_spec *spec;
    struct pbt_fold *fold;
    struct pbt_index_watch watch;
    int status;   /* of the fold */
    bool begun;   /* there is a journal */
    bool loaded;  /* the fold and what is behind it are at `place` */
    bool anew;    /* the file is not to be believed */
    char sum[17]; /* of all that the contents follow from beside the journal */
    struct pbt_journal_place place; /* segment 0: at its beginning */
    struct pbt_columns metrics;
    struct pbt_columns configs;
    struct pbt_index_stored *stored; /* of each trial */
    uint32_t exploits;               /* that the file has */
    bool *exploits_undone;
    struct pbt_index_writer writer;
    sqlite3_stmt *config; /* reads one */
    uint64_t bytes;       /* of the journal's segments, for the watch */
    uint64_t shown_segment;
    uint64_t shown_before; /* bytes of the segments before it */
};

/* --- state.c -------------------------------------------------------------- */

/* The tables, as SQL. */
void pbt_state_tables(struct pbt_buf *out);

/* Where the file is: the place, and whether it is of this run's present specification. */
bool pbt_state_place(struct pbt_index *index, struct pbt_journal_place *place,
                     bool *same);

/* The fold is made anew from the file, or empty where `place` is at the beginning. */
bool pbt_state_load(struct pbt_index *index);

/* What has changed of it is written, with the place. */
bool pbt_state_store(struct pbt_index *index);

void pbt_state_forget(struct pbt_index *index);

/* --- write.c -------------------------------------------------------------- */

/* The fold and the tables take it in.  False with sql.code SQLITE_OK: index->status, `error`. */
bool pbt_index_write(struct pbt_index *index, const struct pbt_entry *entry,
                     struct pbt_error *error);
void pbt_index_writer_done(struct pbt_index_writer *writer);

/* --- cache.c -------------------------------------------------------------- */

/*
 * Where the index of a run is that may not be written to; false: there is no such place.  What is
 * there of runs that are gone is removed.
 */
bool pbt_index_cache(const char *run, char path[PATH_MAX]);

/* --- views.c -------------------------------------------------------------- */

bool pbt_index_make_views(struct pbt_index *index);
bool pbt_index_drop_views(struct pbt_index *index);

#endif
