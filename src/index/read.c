/*
 * read.c: results, one after another.
 *
 * What a row gives of its metrics is looked at column by column; what these can't give back as it was
 * reported, the rest, is there as JSON.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "index/inside.h"
#include "wire/message.h"

#define SQL_MAX ((size_t)1 << 20)
/* Of the SELECT below: the rest, and behind it the metrics. */
#define REST_COLUMN 8
#define FIRST_METRIC 9

struct pbt_index_values {
    struct pbt_columns *columns;
    sqlite3_stmt *statement;
    const char *only; /* the metric that the first column is of; NULL: all */
    /* Of the row at hand, when they were asked for: the rest; all metrics. */
    json_t *rest;
    json_t *json;
};

/* --- one row -------------------------------------------------------------- */

/* NULL: there is none. */
static const json_t *rest_of(struct pbt_index_values *values)
{
    if (values->rest == NULL) {
        const char *text =
            (const char *)sqlite3_column_text(values->statement, REST_COLUMN);
        values->rest = text == NULL ? NULL : json_loads(text, 0, NULL);
    }
    return values->rest;
}

/* -1: there is none. */
static int column_of(struct pbt_index_values *values, const char *metric)
{
    uint32_t position;
    if (values->only != NULL) {
        return strcmp(values->only, metric) == 0 &&
                       sqlite3_column_count(values->statement) > FIRST_METRIC
                   ? FIRST_METRIC
                   : -1;
    }
    return pbt_columns_find(values->columns, metric, &position)
               ? FIRST_METRIC + (int)position
               : -1;
}

bool pbt_index_real(struct pbt_index_values *values, const char *metric,
                    double *number)
{
    int at = column_of(values, metric);
    int type =
        at < 0 ? SQLITE_NULL : sqlite3_column_type(values->statement, at);
    /* A real number is never of the rest alone. */
    const json_t *other =
        type == SQLITE_FLOAT ? NULL : pbt_json_member(rest_of(values), metric);
    if (other != NULL) {
        return pbt_json_number(other, number);
    }
    if (type != SQLITE_INTEGER && type != SQLITE_FLOAT) {
        return false;
    }
    *number = sqlite3_column_double(values->statement, at);
    return true;
}

const char *pbt_index_text(struct pbt_index_values *values, const char *metric)
{
    double number;
    int at = column_of(values, metric);
    const json_t *other = pbt_json_member(rest_of(values), metric);
    if (other != NULL) {
        return pbt_json_number(other, &number) ? NULL
                                               : json_string_value(other);
    }
    return at >= 0 && sqlite3_column_type(values->statement, at) == SQLITE_TEXT
               ? (const char *)sqlite3_column_text(values->statement, at)
               : NULL;
}

/* Puts a value to where its name says, "outer/inner"; false without memory. */
static bool put_member(json_t *root, char *name, json_t *value)
{
    json_t *object = root;
    for (char *slash; (slash = strchr(name, '/')) != NULL; name = slash + 1) {
        *slash = '\0';
        json_t *inner = json_object_get(object, name);
        if (inner == NULL) {
            inner = json_object();
            if (json_object_set_new(object, name, inner) != 0) {
                json_decref(value);
                return false;
            }
        }
        object = inner;
    }
    return json_object_set_new(object, name, value) == 0;
}

static json_t *value_of(sqlite3_stmt *statement, int at)
{
    switch (sqlite3_column_type(statement, at)) {
    case SQLITE_INTEGER:
        return json_integer(sqlite3_column_int64(statement, at));
    case SQLITE_FLOAT: {
        double number = sqlite3_column_double(statement, at);
        return number - number == 0
                   ? json_real(number)
                   : json_string(number > 0 ? "Infinity" : "-Infinity");
    }
    default:
        return json_string((const char *)sqlite3_column_text(statement, at));
    }
}

/* A metric's column into `root`; false without memory. */
static bool put_column(const struct pbt_index_values *values, uint32_t position,
                       json_t *root)
{
    json_t *value = value_of(values->statement, FIRST_METRIC + (int)position);
    const char *name = values->columns->names[position];
    if (values->columns->flat[position]) {
        return json_object_set_new(root, name, value) == 0;
    }
    char *copy = strdup(name);
    if (copy == NULL) {
        json_decref(value);
        return false;
    }
    bool put = put_member(root, copy, value);
    free(copy);
    return put;
}

static json_t *put_together(struct pbt_index_values *values)
{
    json_t *root = json_object();
    const json_t *rest = rest_of(values);
    bool good = root != NULL;
    for (uint32_t i = 0; good && i < values->columns->count; i++) {
        int at = FIRST_METRIC + (int)i;
        if (sqlite3_column_type(values->statement, at) != SQLITE_NULL &&
            pbt_json_member(rest, values->columns->names[i]) == NULL) {
            good = put_column(values, i, root);
        }
    }
    if (good && rest != NULL) {
        good = json_object_update_recursive(root, values->rest) == 0;
    }
    if (!good) {
        json_decref(root);
        root = NULL;
    }
    return root;
}

const json_t *pbt_index_json(struct pbt_index_values *values)
{
    if (values->json == NULL) {
        values->json =
            values->only == NULL ? put_together(values) : json_object();
    }
    return values->json;
}

struct pbt_index_value pbt_index_value(struct pbt_index_values *values,
                                       uint32_t position)
{
    sqlite3_stmt *statement = values->statement;
    int at = FIRST_METRIC + (int)position;
    struct pbt_index_value value = {.type = PBT_INDEX_NONE};
    int type = sqlite3_column_type(statement, at);
    if (type != SQLITE_FLOAT && rest_of(values) != NULL) {
        value.json =
            pbt_json_member(rest_of(values), values->columns->names[position]);
        /* An object's members are metrics of their own. */
        value.type = value.json != NULL && json_object_size(value.json) == 0
                         ? PBT_INDEX_JSON
                         : PBT_INDEX_NONE;
    }
    if (value.type == PBT_INDEX_JSON) {
        return value;
    }
    switch (type) {
    case SQLITE_INTEGER:
        value.type = PBT_INDEX_INTEGER;
        value.integer = sqlite3_column_int64(statement, at);
        break;
    case SQLITE_FLOAT:
        value.type = PBT_INDEX_REAL;
        value.real = sqlite3_column_double(statement, at);
        break;
    case SQLITE_TEXT:
        value.type = PBT_INDEX_TEXT;
        value.text = (const char *)sqlite3_column_text(statement, at);
        value.length = (size_t)sqlite3_column_bytes(statement, at);
        break;
    default:
        break;
    }
    return value;
}

/* --- all ------------------------------------------------------------------ */

static sqlite3_stmt *select_rows(struct pbt_index *index,
                                 const struct pbt_index_query *query)
{
    struct pbt_buf text;
    sqlite3_stmt *statement = NULL;
    uint32_t position;
    pbt_buf_init(&text, SQL_MAX);
    pbt_buf_text(&text,
                 "SELECT record, trial, life, seq, iteration, time_total, "
                 "time_this_iter, timestamp, json");
    if (query->metric == NULL) {
        pbt_columns_list(&index->metrics, "", &text);
    } else if (pbt_columns_find(&index->metrics, query->metric, &position)) {
        pbt_buf_printf(&text, ", %s%u", index->metrics.prefix, position);
    }
    pbt_buf_printf(&text,
                   " FROM raw_results WHERE record > ? AND record <= ?%s ORDER "
                   "BY record",
                   query->trial == PBT_NONE ? "" : " AND trial = ?");
    if (pbt_buf_failed(&text)) {
        index->sql.code = SQLITE_NOMEM;
    } else {
        statement = pbt_sql_prepare(&index->sql, text.data);
    }
    pbt_buf_done(&text);
    uint64_t until = index->fold->board.records;
    if (query->until > 0 && query->until < until) {
        until = query->until;
    }
    (void)sqlite3_bind_int64(statement, 1, (int64_t)query->after);
    (void)sqlite3_bind_int64(statement, 2, (int64_t)until);
    if (query->trial != PBT_NONE) {
        (void)sqlite3_bind_int64(statement, 3, query->trial);
    }
    return statement;
}

static bool give_row(struct pbt_index *index, struct pbt_index_values *values,
                     pbt_index_row_fn fn, void *user, int *answer)
{
    sqlite3_stmt *statement = values->statement;
    const struct pbt_fold *fold = index->fold;
    struct pbt_index_row row = {
        .record = (uint64_t)sqlite3_column_int64(statement, 0),
        .trial = (uint32_t)sqlite3_column_int64(statement, 1),
        .life = (uint32_t)sqlite3_column_int64(statement, 2),
        .seq = (uint64_t)sqlite3_column_int64(statement, 3),
        .iteration = sqlite3_column_int64(statement, 4),
        .time_total_s = sqlite3_column_double(statement, 5),
        .time_this_iter_s = sqlite3_column_double(statement, 6),
        .timestamp = sqlite3_column_double(statement, 7),
        .values = values};
    if (row.trial >= index->spec->settings.population ||
        row.life >= fold->trials[row.trial].life_count) {
        return pbt_sql_corrupt(&index->sql, "a result has no life");
    }
    *answer = fn(user, &row);
    json_decref(values->rest);
    json_decref(values->json);
    values->rest = NULL;
    values->json = NULL;
    return *answer == 0;
}

/* Begins to read; false: it has to be brought up to date, or failed. */
static bool begin(struct pbt_index *index)
{
    struct pbt_journal_place place;
    bool same;
    return pbt_sql_run(&index->sql, "BEGIN") &&
           pbt_state_place(index, &place, &same) && same &&
           place.record >= index->fold->board.records &&
           pbt_columns_load(&index->sql, &index->metrics);
}

/*
 * Somebody has made the file anew, or removed it: once more, with another index.  Its rows are the
 * same.
 */
static int begin_again(struct pbt_index *index, struct pbt_error *error)
{
    struct pbt_index *other;
    struct pbt_fold fold;
    (void)sqlite3_finalize(index->config);
    index->config = NULL;
    (void)sqlite3_exec(index->sql.db, "ROLLBACK", NULL, NULL, NULL);
    int status = pbt_index_open(&other, index->dir, index->spec, &fold,
                                &index->watch, error);
    if (status != PBT_OK) {
        return status;
    }
    struct pbt_sql sql = index->sql;
    char *path = index->path;
    index->sql = other->sql;
    index->path = other->path;
    other->sql = sql;
    other->path = path;
    pbt_index_close(other);
    pbt_fold_done(&fold);
    return begin(index) ? PBT_OK
                        : pbt_sql_error(&index->sql, index->path, error);
}

int pbt_index_rows(struct pbt_index *index, const struct pbt_index_query *query,
                   pbt_index_row_fn fn, void *user, int *answer,
                   struct pbt_error *error)
{
    struct pbt_sql *sql = &index->sql;
    *answer = 0;
    if (!index->begun) {
        return PBT_OK;
    }
    int status = begin(index) ? PBT_OK : begin_again(index, error);
    if (status != PBT_OK) {
        return status;
    }
    struct pbt_index_values values = {.columns = &index->metrics,
                                      .only = query->metric,
                                      .statement = select_rows(index, query)};
    bool more = values.statement != NULL;
    while (more && pbt_sql_next(sql, values.statement)) {
        more = give_row(index, &values, fn, user, answer);
    }
    (void)sqlite3_finalize(values.statement);
    (void)sqlite3_exec(sql->db, "COMMIT", NULL, NULL, NULL);
    return sql->code == SQLITE_OK ? PBT_OK
                                  : pbt_sql_error(sql, index->path, error);
}

int pbt_index_config(struct pbt_index *index, uint32_t trial, uint32_t life,
                     struct pbt_buf *json, struct pbt_error *error)
{
    struct pbt_sql *sql = &index->sql;
    if (index->config == NULL) {
        index->config = pbt_sql_prepare(
            sql, "SELECT config FROM raw_lives WHERE trial = ? AND life = ?");
    }
    (void)sqlite3_bind_int64(index->config, 1, trial);
    (void)sqlite3_bind_int64(index->config, 2, life);
    if (index->config != NULL && pbt_sql_next(sql, index->config)) {
        const char *text = (const char *)sqlite3_column_text(index->config, 0);
        pbt_buf_text(json, text != NULL ? text : "{}");
        (void)sqlite3_reset(index->config);
    } else {
        (void)pbt_sql_corrupt(sql, "there is no such life");
    }
    if (pbt_buf_failed(json)) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    return sql->code == SQLITE_OK ? PBT_OK
                                  : pbt_sql_error(sql, index->path, error);
}

int pbt_index_copy(struct pbt_index *index, const char *path,
                   struct pbt_error *error)
{
    struct pbt_sql *sql = &index->sql;
    int status = begin(index) ? PBT_OK : begin_again(index, error);
    if (status != PBT_OK) {
        return status;
    }
    /* VACUUM is its own transaction. */
    (void)pbt_sql_run(sql, "COMMIT");
    sqlite3_stmt *statement = pbt_sql_prepare(sql, "VACUUM INTO ?");
    (void)sqlite3_bind_text(statement, 1, path, -1, SQLITE_STATIC);
    (void)pbt_sql_do(sql, statement);
    (void)sqlite3_finalize(statement);
    return sql->code == SQLITE_OK ? PBT_OK : pbt_sql_error(sql, path, error);
}
