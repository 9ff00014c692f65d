/*
 * sql.h: SQLite, with one place for its failures.
 *
 * After a failure all calls do nothing but fail, so that a caller asks once, at the end.
 */
#ifndef PBT_INDEX_SQL_H
#define PBT_INDEX_SQL_H

#include <stdbool.h>

#include <pbt/error.h>
#include <sqlite3.h>

#include "base/buf.h"

struct pbt_sql {
    sqlite3 *db;
    bool created;   /* the file was not there before */
    int code;       /* SQLITE_OK, or of the first failure */
    char text[512]; /* what SQLite said of it */
};

/* `path` "": a private file that goes with it.  False: see code; close it all the same. */
bool pbt_sql_open(struct pbt_sql *sql, const char *path);
void pbt_sql_close(struct pbt_sql *sql);

/* Forgets a failure. */
void pbt_sql_forget(struct pbt_sql *sql);

/* Takes note of a failure that is found elsewhere: the contents can't be. */
bool pbt_sql_corrupt(struct pbt_sql *sql, const char *what);

/* Statements without results. */
bool pbt_sql_run(struct pbt_sql *sql, const char *text);
/* The same of a text in a buffer, which is emptied. */
bool pbt_sql_run_buf(struct pbt_sql *sql, struct pbt_buf *text);

/* NULL: it failed.  Released by sqlite3_finalize(). */
sqlite3_stmt *pbt_sql_prepare(struct pbt_sql *sql, const char *text);

/* True: there is a row.  False: no more, or a failure; the statement is reset. */
bool pbt_sql_next(struct pbt_sql *sql, sqlite3_stmt *statement);
/* For one without rows: runs it and resets it. */
bool pbt_sql_do(struct pbt_sql *sql, sqlite3_stmt *statement);

/* An SQL name in quotes. */
void pbt_sql_name(struct pbt_buf *out, const char *name);

/*
 * True: the failure is of the place where the file is (no permission, no locks, no room, damage),
 * and another may do.
 */
bool pbt_sql_is_place(const struct pbt_sql *sql);
/* The failure as an error. */
int pbt_sql_error(const struct pbt_sql *sql, const char *path,
                  struct pbt_error *error);

#endif
