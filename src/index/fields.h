/*
 * fields.h: members of structs as columns: which there are is said once, for the table, for
 * storing and for loading.  Private to src/index.
 */
#ifndef PBT_INDEX_FIELDS_H
#define PBT_INDEX_FIELDS_H

#include <stdbool.h>
#include <stddef.h>

#include "index/sql.h"
#include "spec/spec.h"

enum pbt_field_type {
    PBT_FIELD_BOOL,
    PBT_FIELD_ENUM, /* an int */
    PBT_FIELD_U32,
    PBT_FIELD_U64,
    PBT_FIELD_I64,
    PBT_FIELD_LINEAGE, /* 64 bits, as decimal text */
    PBT_FIELD_REAL,    /* NaN is NULL */
    PBT_FIELD_CHARS,   /* an array with its NUL */
    PBT_FIELD_TEXT,    /* from malloc(), or NULL */
    PBT_FIELD_JSON,    /* a json_t *, or NULL */
    PBT_FIELD_CELLS    /* space.count cells, as JSON */
};

struct pbt_field {
    const char *column;
    enum pbt_field_type type;
    size_t offset;
    size_t size;
};

#define PBT_FIELD(type, structure, member, column)                             \
    {                                                                          \
        column, PBT_FIELD_##type, offsetof(structure, member),                 \
            sizeof(((structure *)NULL)->member)                                \
    }
#define PBT_FIELDS_END                                                         \
    {                                                                          \
        NULL, PBT_FIELD_BOOL, 0, 0                                             \
    }

size_t pbt_fields_count(const struct pbt_field *fields);

/* "a, b, c", each with `before` and `after` around it. */
void pbt_fields_names(const struct pbt_field *fields, const char *before,
                      const char *after, struct pbt_buf *out);

/*
 * Binds the members of `base` to the statement's parameters from `at` on; behind the last one is
 * returned.  `filled`: its cells have values.  Failures show when the statement is run, or in `sql`.
 */
int pbt_fields_bind(struct pbt_sql *sql, sqlite3_stmt *statement, int at,
                    const struct pbt_field *fields, const void *base,
                    const struct pbt_spec *spec, bool filled);

/*
 * Loads them from the columns from `at` on; behind the last one is returned.  What can't be is
 * noted in `sql`.
 */
int pbt_fields_load(struct pbt_sql *sql, sqlite3_stmt *statement, int at,
                    const struct pbt_field *fields, void *base,
                    struct pbt_spec *spec);

#endif
