#include "index/columns.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "wire/message.h"

#define NAME_MAX_BYTES 4096
#define DEPTH_MAX 32
#define SQL_MAX 8192

static bool no_memory(struct pbt_sql *sql)
{
    if (sql->code == SQLITE_OK) {
        sql->code = SQLITE_NOMEM;
    }
    return false;
}

void pbt_columns_init(struct pbt_columns *columns, const char *table,
                      const char *prefix, uint32_t limit)
{
    *columns =
        (struct pbt_columns){.table = table, .prefix = prefix, .limit = limit};
}

void pbt_columns_done(struct pbt_columns *columns)
{
    for (uint32_t i = 0; i < columns->count; i++) {
        free(columns->names[i]);
    }
    free(columns->names);
    free(columns->flat);
    json_decref(columns->map);
    columns->names = NULL;
    columns->flat = NULL;
    columns->count = 0;
    columns->map = NULL;
    columns->guess = 0;
    columns->changed = false;
}

/* Takes note of one that the table has. */
static bool take_in(struct pbt_sql *sql, struct pbt_columns *columns,
                    const char *name, bool flat)
{
    if (columns->map == NULL) {
        columns->map = json_object();
    }
    char **names = pbt_list_room(columns->names, columns->count, sizeof *names);
    bool *flats = pbt_list_room(columns->flat, columns->count, sizeof *flats);
    char *copy = strdup(name);
    columns->names = names == NULL ? columns->names : names;
    columns->flat = flats == NULL ? columns->flat : flats;
    if (names == NULL || flats == NULL || copy == NULL ||
        json_object_set_new_nocheck(columns->map, name,
                                    json_integer(columns->count)) != 0) {
        free(copy);
        return no_memory(sql);
    }
    flats[columns->count] = flat;
    names[columns->count++] = copy;
    columns->changed = true;
    return true;
}

bool pbt_columns_load(struct pbt_sql *sql, struct pbt_columns *columns)
{
    sqlite3_stmt *statement = pbt_sql_prepare(
        sql, "SELECT name, flat FROM raw_columns WHERE kind = ? ORDER BY "
             "position");
    pbt_columns_done(columns);
    (void)sqlite3_bind_text(statement, 1, columns->prefix, -1, SQLITE_STATIC);
    while (pbt_sql_next(sql, statement)) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        if (columns->count == columns->limit) {
            (void)pbt_sql_corrupt(sql, "there are too many columns");
        } else if (name == NULL) {
            (void)pbt_sql_corrupt(sql, "a column has no name");
        } else {
            (void)take_in(sql, columns, name,
                          sqlite3_column_int(statement, 1) != 0);
        }
    }
    (void)sqlite3_finalize(statement);
    columns->changed = false;
    return sql->code == SQLITE_OK;
}

bool pbt_columns_find(struct pbt_columns *columns, const char *name,
                      uint32_t *position)
{
    uint32_t guess = columns->guess < columns->count ? columns->guess : 0;
    if (columns->count > 0 && strcmp(columns->names[guess], name) == 0) {
        *position = guess;
    } else {
        const json_t *found = json_object_get(columns->map, name);
        if (found == NULL) {
            return false;
        }
        *position = (uint32_t)json_integer_value(found);
    }
    columns->guess = *position + 1;
    return true;
}

static bool add(struct pbt_sql *sql, struct pbt_columns *columns,
                const char *name, bool flat)
{
    char text[SQL_MAX];
    sqlite3_stmt *statement = pbt_sql_prepare(
        sql, "INSERT INTO raw_columns (kind, position, name, flat) VALUES (?, "
             "?, ?, ?)");
    (void)sqlite3_bind_text(statement, 1, columns->prefix, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(statement, 2, columns->count);
    (void)sqlite3_bind_text(statement, 3, name, -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(statement, 4, flat);
    (void)pbt_sql_do(sql, statement);
    (void)sqlite3_finalize(statement);
    (void)snprintf(text, sizeof text, "ALTER TABLE %s ADD COLUMN %s%" PRIu32,
                   columns->table, columns->prefix, columns->count);
    return pbt_sql_run(sql, text) && take_in(sql, columns, name, flat);
}

/* --- taking apart --------------------------------------------------------- */

struct splitting {
    struct pbt_sql *sql;
    struct pbt_columns *columns;
    struct pbt_columns_row *row;
    bool twice; /* two members have one name */
    char path[NAME_MAX_BYTES];
};

/* Of it the column has all. */
static bool is_exact(const json_t *value)
{
    double number;
    return json_is_number(value) ||
           (json_is_string(value) &&
            !(pbt_json_number(value, &number) && isnan(number)));
}

/* The row has the column, perhaps not for the first time. */
static bool note_seen(struct splitting *s, uint32_t position)
{
    struct pbt_columns_row *row = s->row;
    while (row->seen_count <= position) {
        uint64_t *seen =
            pbt_list_room(row->seen, row->seen_count, sizeof *seen);
        if (seen == NULL) {
            return no_memory(s->sql);
        }
        row->seen = seen;
        seen[row->seen_count++] = 0;
    }
    s->twice = s->twice || row->seen[position] == row->number;
    row->seen[position] = row->number;
    return true;
}

/* `flat`: its name is its key.  `*exact`: the column gives it back. */
static bool put_value(struct splitting *s, const json_t *value, bool flat,
                      bool *exact)
{
    struct pbt_columns_row *row = s->row;
    uint32_t position;
    if (!pbt_columns_find(s->columns, s->path, &position)) {
        if (s->columns->count == s->columns->limit) {
            *exact = false;
            return true;
        }
        position = s->columns->count;
        if (!add(s->sql, s->columns, s->path, flat)) {
            return false;
        }
    }
    struct pbt_columns_value *values =
        pbt_list_room(row->values, row->count, sizeof *values);
    if (values == NULL) {
        return no_memory(s->sql);
    }
    row->values = values;
    values[row->count++] =
        (struct pbt_columns_value){.position = position, .json = value};
    *exact = *exact && is_exact(value) && s->columns->flat[position] == flat;
    return note_seen(s, position);
}

static bool put_rest(struct splitting *s, json_t **rest, const char *key,
                     json_t *value)
{
    if (*rest == NULL) {
        *rest = json_object();
    }
    return json_object_set_nocheck(*rest, key, value) == 0 || no_memory(s->sql);
}

/* `odd`: a key on the way has a slash in it.  What is not exact is put into `*rest`. */
static bool split(struct splitting *s, const json_t *object, size_t length,
                  int depth, bool odd, json_t **rest)
{
    const char *key;
    json_t *value;
    /* jansson's loop wants an object that it could change, and doesn't. */
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        size_t more = strlen(key);
        bool slash = strchr(key, '/') != NULL;
        bool deeper = json_object_size(value) > 0 && depth < DEPTH_MAX;
        bool flat = slash && depth == 0 && !deeper;
        bool exact = !odd && (!slash || flat);
        bool fits = more + 2 <= sizeof s->path - length;
        json_t *inner = NULL;
        bool good = true;
        if (!fits) {
            exact = false;
        } else if (deeper) {
            memcpy(s->path + length, key, more);
            s->path[length + more] = '/';
            good = split(s, value, length + more + 1, depth + 1, odd || slash,
                         &inner);
            exact = inner == NULL;
        } else {
            memcpy(s->path + length, key, more + 1);
            good = put_value(s, value, flat, &exact);
        }
        if (good && !exact) {
            good = put_rest(s, rest, key, inner != NULL ? inner : value);
        }
        json_decref(inner);
        if (!good) {
            return false;
        }
    }
    return true;
}

/* Of two that have one name the column is of the one that is found by it. */
static void keep_first(struct splitting *s, const json_t *object)
{
    struct pbt_columns_row *row = s->row;
    size_t kept = 0;
    for (size_t i = 0; i < row->count; i++) {
        struct pbt_columns_value value = row->values[i];
        const char *name = s->columns->names[value.position];
        if (pbt_json_member(object, name) == value.json) {
            row->values[kept++] = value;
        }
    }
    row->count = kept;
}

void pbt_columns_row_done(struct pbt_columns_row *row)
{
    json_decref(row->rest);
    free(row->values);
    free(row->seen);
    *row = (struct pbt_columns_row){.values = NULL};
}

bool pbt_columns_split(struct pbt_sql *sql, struct pbt_columns *columns,
                       const json_t *object, struct pbt_columns_row *row)
{
    struct splitting s = {.sql = sql, .columns = columns, .row = row};
    json_decref(row->rest);
    row->rest = NULL;
    row->count = 0;
    row->number++;
    columns->guess = 0;
    bool good = split(&s, object, 0, 0, false, &row->rest);
    if (good && s.twice) {
        json_decref(row->rest);
        row->rest = json_incref((json_t *)(uintptr_t)object);
        keep_first(&s, object);
    }
    return good;
}

static void bind_value(sqlite3_stmt *statement, int at, const json_t *value)
{
    double number;
    if (json_is_integer(value)) {
        (void)sqlite3_bind_int64(statement, at, json_integer_value(value));
    } else if (json_is_boolean(value)) {
        (void)sqlite3_bind_int(statement, at, json_is_true(value));
    } else if (pbt_json_number(value, &number)) {
        (void)sqlite3_bind_double(statement, at, number); /* NaN: NULL */
    } else if (json_is_string(value)) {
        (void)sqlite3_bind_text(statement, at, json_string_value(value),
                                (int)json_string_length(value),
                                SQLITE_TRANSIENT);
    } else if (json_is_array(value) || json_is_object(value)) {
        (void)sqlite3_bind_text(statement, at, json_dumps(value, JSON_COMPACT),
                                -1, free);
    }
}

void pbt_columns_bind(sqlite3_stmt *statement, int at,
                      const struct pbt_columns_row *row)
{
    for (size_t i = 0; i < row->count; i++) {
        bind_value(statement, at + (int)row->values[i].position,
                   row->values[i].json);
    }
}

void pbt_columns_list(const struct pbt_columns *columns, const char *before,
                      struct pbt_buf *out)
{
    for (uint32_t i = 0; i < columns->count; i++) {
        pbt_buf_printf(out, ", %s%s%" PRIu32, before, columns->prefix, i);
    }
}
