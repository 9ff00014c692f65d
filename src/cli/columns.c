#include "cli/columns.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "base/width.h"

#define CELLS_MAX ((size_t)256 << 20)
#define CELL_MAX 4096

/* A cell is one word of one line, whatever it was made of. */
static void add_cell(struct pbt_cli_columns *columns, const char *text)
{
    pbt_printable_put(&columns->cells, text, strlen(text), false);
    pbt_buf_put(&columns->cells, "", 1);
}

void pbt_cli_columns_init(struct pbt_cli_columns *columns,
                          const char *const *titles, size_t count)
{
    *columns = (struct pbt_cli_columns){.count = count};
    pbt_buf_init(&columns->cells, CELLS_MAX);
    for (size_t i = 0; i < count; i++) {
        columns->right[i] = titles[i][0] == '#';
        add_cell(columns, titles[i] + (columns->right[i] ? 1 : 0));
    }
}

void pbt_cli_column(struct pbt_cli_columns *columns, const char *fmt, ...)
{
    char text[CELL_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    add_cell(columns, text);
}

static void find_widths(const struct pbt_cli_columns *columns,
                        size_t widths[PBT_CLI_COLUMNS_MAX])
{
    const char *cell = columns->cells.data;
    const char *end = cell + columns->cells.length;
    for (size_t i = 0; cell < end; i++) {
        size_t width = pbt_text_width(cell, strlen(cell));
        size_t column = i % columns->count;
        widths[column] = width > widths[column] ? width : widths[column];
        cell += strlen(cell) + 1;
    }
}

static void put_blanks(struct pbt_buf *out, size_t count)
{
    while (count-- > 0) {
        pbt_buf_char(out, ' ');
    }
}

static void put_aligned(const struct pbt_cli_columns *columns,
                        const size_t widths[PBT_CLI_COLUMNS_MAX],
                        const char *cell, size_t column, struct pbt_buf *out)
{
    bool last = column + 1 == columns->count;
    size_t blanks = widths[column] - pbt_text_width(cell, strlen(cell));
    put_blanks(out, column > 0 ? 2 : 0);
    put_blanks(out, columns->right[column] ? blanks : 0);
    pbt_buf_text(out, cell);
    put_blanks(out, columns->right[column] || last ? 0 : blanks);
}

void pbt_cli_columns_print(struct pbt_cli_columns *columns, bool plain,
                           struct pbt_buf *out)
{
    size_t widths[PBT_CLI_COLUMNS_MAX] = {0};
    if (pbt_buf_failed(&columns->cells)) {
        out->failed = true;
        pbt_buf_done(&columns->cells);
        return;
    }
    find_widths(columns, widths);
    const char *cell = columns->cells.data;
    const char *end = cell + columns->cells.length;
    for (size_t i = 0; cell < end; i++) {
        size_t column = i % columns->count;
        if (!plain) {
            put_aligned(columns, widths, cell, column, out);
        } else if (i >= columns->count) { /* no titles */
            pbt_buf_text(out, column > 0 ? "\t" : "");
            pbt_buf_text(out, cell);
        }
        if (column + 1 == columns->count && (!plain || i >= columns->count)) {
            pbt_buf_char(out, '\n');
        }
        cell += strlen(cell) + 1;
    }
    pbt_buf_done(&columns->cells);
}
