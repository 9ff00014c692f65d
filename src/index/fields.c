#include "index/fields.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#define TEXT_MAX ((size_t)64 << 20)

size_t pbt_fields_count(const struct pbt_field *fields)
{
    size_t count = 0;
    while (fields[count].column != NULL) {
        count++;
    }
    return count;
}

void pbt_fields_names(const struct pbt_field *fields, const char *before,
                      const char *after, struct pbt_buf *out)
{
    for (size_t i = 0; fields[i].column != NULL; i++) {
        pbt_buf_printf(out, "%s%s%s%s", i > 0 ? ", " : "", before,
                       fields[i].column, after);
    }
}

/* --- storing -------------------------------------------------------------- */

static void no_memory(struct pbt_sql *sql)
{
    if (sql->code == SQLITE_OK) {
        sql->code = SQLITE_NOMEM;
    }
}

static void bind_cells(struct pbt_sql *sql, sqlite3_stmt *statement, int at,
                       const struct pbt_cell *cells,
                       const struct pbt_spec *spec)
{
    struct pbt_buf text;
    pbt_buf_init(&text, TEXT_MAX);
    pbt_spec_config_json(spec, cells, &text);
    if (pbt_buf_failed(&text)) {
        no_memory(sql);
    } else {
        (void)sqlite3_bind_text(statement, at, text.data, (int)text.length,
                                SQLITE_TRANSIENT);
    }
    pbt_buf_done(&text);
}

static void bind_json(struct pbt_sql *sql, sqlite3_stmt *statement, int at,
                      const json_t *json)
{
    char *text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT);
    if (json != NULL && text == NULL) {
        no_memory(sql);
    }
    (void)sqlite3_bind_text(statement, at, text, -1, free);
}

static void bind_lineage(sqlite3_stmt *statement, int at, uint64_t lineage)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRIu64, lineage);
    (void)sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

static void bind_one(struct pbt_sql *sql, sqlite3_stmt *statement, int at,
                     const struct pbt_field *field, const void *base,
                     const struct pbt_spec *spec, bool filled)
{
    const void *member = (const char *)base + field->offset;
    switch (field->type) {
    case PBT_FIELD_BOOL:
        (void)sqlite3_bind_int(statement, at, *(const bool *)member);
        break;
    case PBT_FIELD_ENUM:
        (void)sqlite3_bind_int(statement, at, *(const int *)member);
        break;
    case PBT_FIELD_U32:
        (void)sqlite3_bind_int64(statement, at, *(const uint32_t *)member);
        break;
    case PBT_FIELD_U64:
        (void)sqlite3_bind_int64(statement, at,
                                 (int64_t) * (const uint64_t *)member);
        break;
    case PBT_FIELD_I64:
        (void)sqlite3_bind_int64(statement, at, *(const int64_t *)member);
        break;
    case PBT_FIELD_LINEAGE:
        bind_lineage(statement, at, *(const uint64_t *)member);
        break;
    case PBT_FIELD_REAL:
        (void)sqlite3_bind_double(statement, at, *(const double *)member);
        break;
    case PBT_FIELD_CHARS:
        (void)sqlite3_bind_text(statement, at, member, -1, SQLITE_TRANSIENT);
        break;
    case PBT_FIELD_TEXT:
        (void)sqlite3_bind_text(statement, at, *(char *const *)member, -1,
                                SQLITE_TRANSIENT);
        break;
    case PBT_FIELD_JSON:
        bind_json(sql, statement, at, *(json_t *const *)member);
        break;
    case PBT_FIELD_CELLS:
        if (filled) {
            bind_cells(sql, statement, at, *(struct pbt_cell *const *)member,
                       spec);
        } else {
            (void)sqlite3_bind_null(statement, at);
        }
        break;
    }
}

int pbt_fields_bind(struct pbt_sql *sql, sqlite3_stmt *statement, int at,
                    const struct pbt_field *fields, const void *base,
                    const struct pbt_spec *spec, bool filled)
{
    for (size_t i = 0; statement != NULL && fields[i].column != NULL; i++) {
        bind_one(sql, statement, at++, &fields[i], base, spec, filled);
    }
    return at;
}

/* --- loading -------------------------------------------------------------- */

static const char *text_of(sqlite3_stmt *statement, int at)
{
    return (const char *)sqlite3_column_text(statement, at);
}

static void load_text(struct pbt_sql *sql, sqlite3_stmt *statement, int at,
                      char **member)
{
    const char *text = text_of(statement, at);
    free(*member);
    *member = text == NULL ? NULL : strdup(text);
    if (text != NULL && *member == NULL) {
        no_memory(sql);
    }
}

static void load_json(struct pbt_sql *sql, sqlite3_stmt *statement, int at,
                      json_t **member)
{
    const char *text = text_of(statement, at);
    json_decref(*member);
    *member = text == NULL ? NULL : json_loads(text, 0, NULL);
    if (text != NULL && *member == NULL) {
        (void)pbt_sql_corrupt(sql, "a value is no JSON");
    }
}

static void load_cells(struct pbt_sql *sql, sqlite3_stmt *statement, int at,
                       struct pbt_cell *cells, struct pbt_spec *spec)
{
    struct pbt_error error;
    const char *text = text_of(statement, at);
    if (text == NULL) {
        return;
    }
    int status = pbt_spec_config_read(
        spec, text, (size_t)sqlite3_column_bytes(statement, at), cells, &error);
    if (status == PBT_ENOMEM) {
        no_memory(sql);
    } else if (status != PBT_OK) {
        (void)pbt_sql_corrupt(sql, "a value is no configuration");
    }
}

static void load_chars(sqlite3_stmt *statement, int at, char *member,
                       size_t size)
{
    const char *text = text_of(statement, at);
    (void)snprintf(member, size, "%s", text != NULL ? text : "");
}

static void load_one(struct pbt_sql *sql, sqlite3_stmt *statement, int at,
                     const struct pbt_field *field, void *base,
                     struct pbt_spec *spec)
{
    void *member = (char *)base + field->offset;
    int64_t integer = sqlite3_column_int64(statement, at);
    const char *text;
    switch (field->type) {
    case PBT_FIELD_BOOL:
        *(bool *)member = integer != 0;
        break;
    case PBT_FIELD_ENUM:
        *(int *)member = (int)integer;
        break;
    case PBT_FIELD_U32:
        *(uint32_t *)member = (uint32_t)integer;
        break;
    case PBT_FIELD_U64:
        *(uint64_t *)member = (uint64_t)integer;
        break;
    case PBT_FIELD_I64:
        *(int64_t *)member = integer;
        break;
    case PBT_FIELD_LINEAGE:
        text = text_of(statement, at);
        *(uint64_t *)member = text == NULL ? 0 : strtoull(text, NULL, 10);
        break;
    case PBT_FIELD_REAL:
        *(double *)member = sqlite3_column_type(statement, at) == SQLITE_NULL
                                ? (double)NAN
                                : sqlite3_column_double(statement, at);
        break;
    case PBT_FIELD_CHARS:
        load_chars(statement, at, member, field->size);
        break;
    case PBT_FIELD_TEXT:
        load_text(sql, statement, at, member);
        break;
    case PBT_FIELD_JSON:
        load_json(sql, statement, at, member);
        break;
    case PBT_FIELD_CELLS:
        load_cells(sql, statement, at, *(struct pbt_cell **)member, spec);
        break;
    }
}

int pbt_fields_load(struct pbt_sql *sql, sqlite3_stmt *statement, int at,
                    const struct pbt_field *fields, void *base,
                    struct pbt_spec *spec)
{
    for (size_t i = 0; fields[i].column != NULL; i++) {
        load_one(sql, statement, at++, &fields[i], base, spec);
    }
    return at;
}
