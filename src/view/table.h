/*
 * table.h: a table in the form that Ray's users know, tabulate's "psql":
 *
 *     +--------------+----------+-----------+--------+
 *     | Trial name   | status   |        lr |   iter |
 *     |--------------+----------+-----------+--------|
 *     | ba982_00000  | RUNNING  | 0.221776  |     59 |
 *     | ba982_00001  | PENDING  | 0.0376    |        |
 *     +--------------+----------+-----------+--------+
 *
 * Columns of numbers are aligned at the decimal point, with six significant digits; all
 * others are texts, at the left.
 */
#ifndef PBT_VIEW_TABLE_H
#define PBT_VIEW_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* A column that is never dropped. */
#define PBT_TABLE_KEEP UINT32_MAX

struct pbt_table {
    struct pbt_table_column *columns;
    struct pbt_table_cell *cells; /* row after row */
    uint32_t column_count;
    uint32_t row_count;
    size_t capacity;     /* of cells */
    struct pbt_buf text; /* of titles and cells */
    bool failed;         /* out of memory: nothing is printed */
};

void pbt_table_init(struct pbt_table *table);
void pbt_table_done(struct pbt_table *table);

/*
 * A column at the right; all before the first row.  Where there is too little room the
 * column with the lowest `keep` is dropped first, of several the rightmost.  Returns its
 * index.
 */
uint32_t pbt_table_column(struct pbt_table *table, const char *title,
                          uint32_t keep);

/* A row at the bottom, of empty cells; the others set cells in it. */
void pbt_table_row(struct pbt_table *table);
/* What a terminal could act on is shown as "?", in titles, too. */
void pbt_table_text(struct pbt_table *table, uint32_t column, const char *text,
                    size_t length);
void pbt_table_integer(struct pbt_table *table, uint32_t column, int64_t value);
void pbt_table_real(struct pbt_table *table, uint32_t column, double value);

/*
 * Appends it, at most `width` columns wide (0: any width) unless those that are
 * never dropped take more.  `out` is marked as failed without memory.
 */
void pbt_table_print(const struct pbt_table *table, uint32_t width,
                     struct pbt_buf *out);

#endif
