#include "index/sql.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/codes.h"

/* Others may be building it. */
#define BUSY_MS 60000
#define SETTINGS                                                               \
    "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"                    \
    "PRAGMA synchronous=NORMAL;"                                               \
    "PRAGMA cache_size=-32768; PRAGMA temp_store=FILE;"

/* A failed call of SQLite's has its text in the connection. */
static bool note(struct pbt_sql *sql, int code)
{
    if (sql->code == SQLITE_OK) {
        sql->code = code & 0xff;
        (void)snprintf(sql->text, sizeof sql->text, "%s",
                       sql->db != NULL ? sqlite3_errmsg(sql->db)
                                       : sqlite3_errstr(code));
    }
    return false;
}

bool pbt_sql_open(struct pbt_sql *sql, const char *path)
{
    *sql = (struct pbt_sql){.code = SQLITE_OK};
    /* A new one is for its owner alone, as the run is; SQLite would let others read it. */
    int fd = path[0] == '\0'
                 ? -1
                 : open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)close(fd);
        sql->created = true;
    }
    int code = sqlite3_open_v2(
        path, &sql->db,
        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL);
    if (code != SQLITE_OK) {
        return note(sql, code);
    }
    (void)sqlite3_busy_timeout(sql->db, BUSY_MS);
    return pbt_sql_run(sql, SETTINGS);
}

void pbt_sql_close(struct pbt_sql *sql)
{
    (void)sqlite3_close(sql->db);
    *sql = (struct pbt_sql){.code = SQLITE_OK};
}

void pbt_sql_forget(struct pbt_sql *sql)
{
    sql->code = SQLITE_OK;
}

bool pbt_sql_corrupt(struct pbt_sql *sql, const char *what)
{
    if (sql->code == SQLITE_OK) {
        sql->code = SQLITE_CORRUPT;
        (void)snprintf(sql->text, sizeof sql->text, "%s", what);
    }
    return false;
}

bool pbt_sql_run(struct pbt_sql *sql, const char *text)
{
    if (sql->code != SQLITE_OK) {
        return false;
    }
    int code = sqlite3_exec(sql->db, text, NULL, NULL, NULL);
    return code == SQLITE_OK || note(sql, code);
}

bool pbt_sql_run_buf(struct pbt_sql *sql, struct pbt_buf *text)
{
    bool done = !pbt_buf_failed(text) ? pbt_sql_run(sql, text->data)
                                      : note(sql, SQLITE_NOMEM);
    pbt_buf_reset(text);
    return done;
}

sqlite3_stmt *pbt_sql_prepare(struct pbt_sql *sql, const char *text)
{
    sqlite3_stmt *statement = NULL;
    if (sql->code == SQLITE_OK) {
        int code = sqlite3_prepare_v3(
            sql->db, text, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL);
        if (code != SQLITE_OK) {
            (void)note(sql, code);
        }
    }
    return statement;
}

bool pbt_sql_next(struct pbt_sql *sql, sqlite3_stmt *statement)
{
    if (sql->code != SQLITE_OK) {
        return false;
    }
    int code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        return true;
    }
    if (code != SQLITE_DONE) {
        (void)note(sql, code);
    }
    (void)sqlite3_reset(statement);
    return false;
}

bool pbt_sql_do(struct pbt_sql *sql, sqlite3_stmt *statement)
{
    if (pbt_sql_next(sql, statement)) {
        (void)sqlite3_reset(statement);
    }
    return sql->code == SQLITE_OK;
}

void pbt_sql_name(struct pbt_buf *out, const char *name)
{
    pbt_buf_char(out, '"');
    for (; *name != '\0'; name++) {
        pbt_buf_text(out, *name == '"' ? "\"" : "");
        pbt_buf_char(out, *name);
    }
    pbt_buf_char(out, '"');
}

bool pbt_sql_is_place(const struct pbt_sql *sql)
{
    return sql->code != SQLITE_OK && sql->code != SQLITE_NOMEM;
}

int pbt_sql_error(const struct pbt_sql *sql, const char *path,
                  struct pbt_error *error)
{
    if (sql->code == SQLITE_NOMEM) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    bool damaged = sql->code == SQLITE_CORRUPT || sql->code == SQLITE_NOTADB;
    return pbt_fail(error, PBT_E0867, "%s: %s%s",
                    path[0] != '\0' ? path : "a temporary file", sql->text,
                    damaged ? ": delete the file; it is made anew" : "");
}
