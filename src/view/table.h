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
 * Columns of numbers are aligned at the decimal point; all others are texts, at the left.
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
    /* Longer titles lose their start; 0: none.  To be set before the columns. */
    uint32_t title_columns;
    bool failed; /* out of memory: nothing is printed */
};

/*
 * The widths that columns have had, by title: while a table is drawn again and again its columns
 * may grow and don't jump.  All zero at first.
 */
#define PBT_WIDTHS_MAX 64
struct pbt_widths {
    struct {
        uint64_t title; /* its hash */
        size_t width;
        int after_point;
    } items[PBT_WIDTHS_MAX];
    uint32_t count;
};

/* How a table is printed; all zero: as tabulate does. */
struct pbt_table_look {
    uint32_t width; /* at most so many columns; 0: any number */
    /* Reals with 4 significant digits, and all before the point; else %g's six. */
    bool short_reals;
    bool color;                /* rows as pbt_table_style() says */
    struct pbt_widths *widths; /* kept from one print to the next; NULL: no */
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

/* The present row in this rendition: "1" bold, "31" red.  A string constant. */
void pbt_table_style(struct pbt_table *table, const char *rendition);

/*
 * Appends it.  Where it is too wide the blanks beside titles go first, then columns, but for
 * those that are never dropped.  Returns how many were dropped.  `out` is marked as failed
 * without memory.
 */
uint32_t pbt_table_print(const struct pbt_table *table,
                         const struct pbt_table_look *look,
                         struct pbt_buf *out);

#endif
