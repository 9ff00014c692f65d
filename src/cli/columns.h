/*
 * columns.h: rows of words for people, aligned, or for scripts, with tabs between.
 */
#ifndef PBT_CLI_COLUMNS_H
#define PBT_CLI_COLUMNS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define PBT_CLI_COLUMNS_MAX 12

struct pbt_cli_columns {
    size_t count;
    bool right[PBT_CLI_COLUMNS_MAX]; /* numbers */
    struct pbt_buf cells;            /* row after row, each cell with its NUL */
};

/* `titles` are the first row; one that starts with "#" is of numbers, without the "#". */
void pbt_cli_columns_init(struct pbt_cli_columns *columns,
                          const char *const *titles, size_t count);
/* The next cell, from left to right, row after row. */
void pbt_cli_column(struct pbt_cli_columns *columns, const char *fmt, ...)
    PBT_PRINTF(2, 3);
/*
 * Appends all, and releases them.  `plain`: tabs between, no titles; else two blanks or more.
 */
void pbt_cli_columns_print(struct pbt_cli_columns *columns, bool plain,
                           struct pbt_buf *out);

#endif
