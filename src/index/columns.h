/*
 * columns.h: metrics and hyperparameters as columns: each gets one when its name is first seen.
 * Private to src/index.
 *
 * Names in SQL don't tell upper from lower case, so a table's own columns are only numbered
 * (m0, m1, ...); the names are in raw_columns, and in the views.
 */
#ifndef PBT_INDEX_COLUMNS_H
#define PBT_INDEX_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "index/sql.h"

struct pbt_columns {
    const char *table;
    const char *prefix; /* of its columns: "m" */
    uint32_t limit;     /* a name beyond gets none */
    char **names;
    bool *flat; /* a name with slashes is one key, not nested members */
    uint32_t count;
    json_t *map;    /* name to position */
    uint32_t guess; /* the one that may be asked for next */
    bool changed;   /* since the views were made */
};

/* A value of one row. */
struct pbt_columns_value {
    uint32_t position;
    const json_t *json;
};

/* The values of one row; its memory is used again.  Begins as zeros. */
struct pbt_columns_row {
    struct pbt_columns_value *values;
    size_t count;
    /*
     * What its columns can't give back as it was put in: truth values, lists, NaN, names that are
     * not the column's own.  NULL: nothing.
     */
    json_t *rest;
    uint64_t *seen; /* of each column: the last row that had it */
    size_t seen_count;
    uint64_t number; /* of this row */
};

void pbt_columns_row_done(struct pbt_columns_row *row);

void pbt_columns_init(struct pbt_columns *columns, const char *table,
                      const char *prefix, uint32_t limit);
void pbt_columns_done(struct pbt_columns *columns);

/* Those that the file has. */
bool pbt_columns_load(struct pbt_sql *sql, struct pbt_columns *columns);

/* False: there is none of that name. */
bool pbt_columns_find(struct pbt_columns *columns, const char *name,
                      uint32_t *position);

/*
 * Takes an object apart: nested members are "outer/inner", and so may a key be called.  New names get
 * columns.
 */
bool pbt_columns_split(struct pbt_sql *sql, struct pbt_columns *columns,
                       const json_t *object, struct pbt_columns_row *row);

/* Binds them to the parameters from `at` on, one for each column; the others stay as they are. */
void pbt_columns_bind(sqlite3_stmt *statement, int at,
                      const struct pbt_columns_row *row);

/* ", m0, m1": each with `before` in front. */
void pbt_columns_list(const struct pbt_columns *columns, const char *before,
                      struct pbt_buf *out);

#endif
