#include "view/table.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/width.h"

#define TEXT_MAX ((size_t)256 * 1024 * 1024)
#define COLUMNS_MAX 10000
/* tabulate leaves that much room beside a title. */
#define TITLE_PADDING 2
/* Short reals between these are whole numbers: 12346, not 1.235e+04. */
#define SHORT_MIN 9999.5
#define SHORT_MAX 1e7

enum cell_kind { CELL_EMPTY, CELL_INTEGER, CELL_REAL, CELL_TEXT };

struct pbt_table_cell {
    enum cell_kind kind;
    uint32_t length;
    size_t start; /* in table->text */
    int64_t integer;
    double real;
    const char *style; /* of the row, in its first cell; NULL: plain */
};

struct pbt_table_column {
    size_t start;
    uint32_t length;
    uint32_t keep;
};

/* How a column is printed. */
struct layout {
    bool shown;
    bool number;
    bool real; /* a number, and not all of them are integers */
    bool short_reals;
    int after_point; /* the most characters after a decimal point; -1: no point */
    size_t width;    /* with `padding` */
    size_t padding; /* of what only the title's blanks take */
};

void pbt_table_init(struct pbt_table *table)
{
    *table = (struct pbt_table){0};
    pbt_buf_init(&table->text, TEXT_MAX);
}

void pbt_table_done(struct pbt_table *table)
{
    free(table->columns);
    free(table->cells);
    pbt_buf_done(&table->text);
    pbt_table_init(table);
}

/* The title, or its end behind dots: the names of nested things differ there. */
static void put_title(struct pbt_table *table, const char *title)
{
    size_t length = strlen(title);
    size_t width = pbt_text_width(title, length);
    if (table->title_columns > 3 && width > table->title_columns) {
        size_t drop = width - (table->title_columns - 3);
        size_t fits = pbt_text_fit(title, length, drop);
        if (pbt_text_width(title, fits) < drop) {
            /* a wide character stood across */
            fits += pbt_text_fit(title + fits, length - fits, 2);
        }
        pbt_buf_text(&table->text, "...");
        title += fits;
        length -= fits;
    }
    pbt_printable_put(&table->text, title, length, false);
}

uint32_t pbt_table_column(struct pbt_table *table, const char *title,
                          uint32_t keep)
{
    uint32_t count = table->column_count;
    size_t start = table->text.length;
    struct pbt_table_column *columns =
        count < COLUMNS_MAX
            ? realloc(table->columns, (count + 1) * sizeof *columns)
            : NULL;
    if (columns == NULL) {
        table->failed = true;
        return 0;
    }
    table->columns = columns;
    put_title(table, title);
    columns[count] = (struct pbt_table_column){
        .start = start,
        .length = (uint32_t)(table->text.length - start),
        .keep = keep};
    return table->column_count++;
}

void pbt_table_row(struct pbt_table *table)
{
    size_t used = (size_t)table->row_count * table->column_count;
    size_t need = used + table->column_count;
    if (table->failed) {
        return;
    }
    if (need > table->capacity) {
        size_t capacity = need * 2;
        struct pbt_table_cell *cells =
            realloc(table->cells, capacity * sizeof *cells);
        if (cells == NULL) {
            table->failed = true;
            return;
        }
        table->cells = cells;
        table->capacity = capacity;
    }
    for (size_t i = used; i < need; i++) {
        table->cells[i] = (struct pbt_table_cell){.kind = CELL_EMPTY};
    }
    table->row_count++;
}

static struct pbt_table_cell *cell_at(const struct pbt_table *table,
                                      uint32_t row, uint32_t column)
{
    return &table->cells[(size_t)row * table->column_count + column];
}

static struct pbt_table_cell *last_cell(const struct pbt_table *table,
                                        uint32_t column)
{
    if (table->failed || table->row_count == 0) {
        return NULL;
    }
    return cell_at(table, table->row_count - 1, column);
}

void pbt_table_text(struct pbt_table *table, uint32_t column, const char *text,
                    size_t length)
{
    struct pbt_table_cell *cell = last_cell(table, column);
    if (cell == NULL || length == 0) {
        return;
    }
    size_t start = table->text.length;
    pbt_printable_put(&table->text, text, length, false);
    if (pbt_buf_failed(&table->text)) {
        table->failed = true;
        return;
    }
    *cell = (struct pbt_table_cell){.kind = CELL_TEXT,
                                    .start = start,
                                    .length =
                                        (uint32_t)(table->text.length - start)};
}

void pbt_table_integer(struct pbt_table *table, uint32_t column, int64_t value)
{
    struct pbt_table_cell *cell = last_cell(table, column);
    if (cell != NULL) {
        cell->kind = CELL_INTEGER;
        cell->integer = value;
    }
}

void pbt_table_real(struct pbt_table *table, uint32_t column, double value)
{
    struct pbt_table_cell *cell = last_cell(table, column);
    if (cell != NULL) {
        cell->kind = CELL_REAL;
        cell->real = value;
    }
}

void pbt_table_style(struct pbt_table *table, const char *rendition)
{
    struct pbt_table_cell *cell = last_cell(table, 0);
    if (cell != NULL) {
        cell->style = rendition;
    }
}

/* --- laying out ---------------------------------------------------------- */

#define NUMBER_SIZE 32

static int print_real(double value, bool short_reals, char number[NUMBER_SIZE])
{
    double size = fabs(value);
    bool whole = short_reals && size >= SHORT_MIN && size < SHORT_MAX;
    int n = whole ? snprintf(number, NUMBER_SIZE, "%.0f", value)
                  : snprintf(number, NUMBER_SIZE, "%.*g", short_reals ? 4 : 6,
                             value);
    char *comma = strchr(number, ','); /* some locale's decimal point */
    if (comma != NULL) {
        *comma = '.';
    }
    return n;
}

/* The text of a cell in its column: in `number`, or where it lies. */
static const char *cell_text(const struct pbt_table *table,
                             const struct layout *layout,
                             const struct pbt_table_cell *cell,
                             char number[NUMBER_SIZE], size_t *length)
{
    int n = 0;
    if (cell->kind == CELL_TEXT) {
        *length = cell->length;
        return table->text.data + cell->start;
    }
    if (cell->kind == CELL_INTEGER && !layout->real) {
        n = snprintf(number, NUMBER_SIZE, "%" PRId64, cell->integer);
    } else if (cell->kind != CELL_EMPTY) {
        double value =
            cell->kind == CELL_REAL ? cell->real : (double)cell->integer;
        n = print_real(value, layout->short_reals, number);
    }
    *length = n > 0 ? (size_t)n : 0;
    return number;
}

/* tabulate's rule: from the point, or else from the "e"; -1: neither. */
static int after_point(const char *text, size_t length)
{
    const char *point = memchr(text, '.', length);
    if (point == NULL) {
        point = memchr(text, 'e', length);
    }
    return point == NULL ? -1 : (int)(text + length - point) - 1;
}

static void choose_kind(const struct pbt_table *table, uint32_t column,
                        struct layout *layout)
{
    bool any = false;
    layout->number = true;
    for (uint32_t row = 0; row < table->row_count; row++) {
        enum cell_kind kind = cell_at(table, row, column)->kind;
        any = any || kind != CELL_EMPTY;
        layout->number = layout->number && kind != CELL_TEXT;
        layout->real = layout->real || kind == CELL_REAL;
    }
    layout->number = layout->number && any;
}

/* The columns that a cell takes, with what aligns its point. */
static size_t aligned_width(const struct layout *layout,
                            const struct pbt_table_cell *cell, const char *text,
                            size_t length, size_t *behind)
{
    *behind = 0;
    if (layout->number && layout->real && cell->kind != CELL_EMPTY) {
        *behind = (size_t)(layout->after_point - after_point(text, length));
    }
    return pbt_text_width(text, length) + *behind;
}

/* The widest that a column of this title was so far. */
static void keep_width(const struct pbt_table *table, uint32_t column,
                       struct pbt_widths *widths, struct layout *layout)
{
    const struct pbt_table_column *title = &table->columns[column];
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (uint32_t i = 0; i < title->length; i++) {
        unsigned char c = (unsigned char)table->text.data[title->start + i];
        hash = (hash ^ c) * UINT64_C(1099511628211);
    }
    uint32_t at = 0;
    while (at < widths->count && widths->items[at].title != hash) {
        at++;
    }
    if (at == PBT_WIDTHS_MAX) {
        return;
    }
    if (at == widths->count) {
        widths->count++;
        widths->items[at].title = hash;
        widths->items[at].width = 0;
        widths->items[at].after_point = -1;
    }
    if (layout->after_point < widths->items[at].after_point) {
        layout->after_point = widths->items[at].after_point;
    }
    if (layout->width < widths->items[at].width) {
        layout->width = widths->items[at].width;
    }
    widths->items[at].after_point = layout->after_point;
    widths->items[at].width = layout->width;
}

static void lay_out(const struct pbt_table *table, uint32_t column,
                    const struct pbt_table_look *look, struct layout *layout)
{
    const struct pbt_table_column *title = &table->columns[column];
    char number[NUMBER_SIZE];
    size_t length;
    size_t behind;
    *layout = (struct layout){
        .shown = true, .after_point = -1, .short_reals = look->short_reals};
    choose_kind(table, column, layout);
    for (uint32_t row = 0; row < table->row_count; row++) {
        const struct pbt_table_cell *cell = cell_at(table, row, column);
        const char *text = cell_text(table, layout, cell, number, &length);
        int after = after_point(text, length);
        if (cell->kind != CELL_EMPTY && after > layout->after_point) {
            layout->after_point = after;
        }
    }
    if (look->widths != NULL) {
        keep_width(table, column, look->widths, layout);
    }
    for (uint32_t row = 0; row < table->row_count; row++) {
        const struct pbt_table_cell *cell = cell_at(table, row, column);
        const char *text = cell_text(table, layout, cell, number, &length);
        size_t width = aligned_width(layout, cell, text, length, &behind);
        if (width > layout->width) {
            layout->width = width;
        }
    }
    size_t least =
        pbt_text_width(table->text.data + title->start, title->length);
    if (layout->width < least) {
        layout->width = least;
    }
    if (look->widths != NULL) {
        keep_width(table, column, look->widths, layout);
    }
    if (layout->width < least + TITLE_PADDING) {
        layout->padding = least + TITLE_PADDING - layout->width;
        layout->width += layout->padding;
    }
}

static size_t total_width(const struct pbt_table *table,
                          const struct layout *layouts)
{
    size_t total = 1;
    for (uint32_t i = 0; i < table->column_count; i++) {
        total += layouts[i].shown ? layouts[i].width + 3 : 0;
    }
    return total;
}

/* Drops the blanks beside titles, then columns, until the table fits. */
static uint32_t narrow(const struct pbt_table *table, struct layout *layouts,
                       uint32_t width)
{
    uint32_t dropped = 0;
    if (total_width(table, layouts) > width) {
        for (uint32_t i = 0; i < table->column_count; i++) {
            layouts[i].width -= layouts[i].padding;
        }
    }
    while (total_width(table, layouts) > width) {
        uint32_t least = UINT32_MAX;
        for (uint32_t i = 0; i < table->column_count; i++) {
            if (layouts[i].shown && table->columns[i].keep != PBT_TABLE_KEEP &&
                (least == UINT32_MAX ||
                 table->columns[i].keep <= table->columns[least].keep)) {
                least = i;
            }
        }
        if (least == UINT32_MAX) {
            break;
        }
        layouts[least].shown = false;
        dropped++;
    }
    return dropped;
}

/* --- printing ------------------------------------------------------------ */

static void repeat(struct pbt_buf *out, char c, size_t times)
{
    if (pbt_buf_reserve(out, times)) {
        memset(out->data + out->length, c, times);
        out->length += times;
        out->data[out->length] = '\0';
    }
}

static void print_rule(const struct pbt_table *table,
                       const struct layout *layouts, char end,
                       struct pbt_buf *out)
{
    char joint = end;
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (layouts[i].shown) {
            pbt_buf_char(out, joint);
            repeat(out, '-', layouts[i].width + 2);
            joint = '+';
        }
    }
    pbt_buf_char(out, end);
    pbt_buf_char(out, '\n');
}

/* `behind`: blanks that belong to a number. */
static void print_cell(const struct layout *layout, const char *text,
                       size_t length, size_t behind, struct pbt_buf *out)
{
    size_t blanks = layout->width - behind - pbt_text_width(text, length);
    pbt_buf_text(out, "| ");
    if (layout->number) {
        repeat(out, ' ', blanks);
    }
    pbt_buf_put(out, text, length);
    repeat(out, ' ', layout->number ? behind : blanks);
    pbt_buf_char(out, ' ');
}

static void print_row(const struct pbt_table *table,
                      const struct layout *layouts, uint32_t row, bool color,
                      struct pbt_buf *out)
{
    const char *style = color ? cell_at(table, row, 0)->style : NULL;
    if (style != NULL) {
        pbt_buf_printf(out, "\x1b[%sm", style);
    }
    char number[NUMBER_SIZE];
    size_t length;
    size_t behind;
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (layouts[i].shown) {
            const struct pbt_table_cell *cell = cell_at(table, row, i);
            const char *text =
                cell_text(table, &layouts[i], cell, number, &length);
            (void)aligned_width(&layouts[i], cell, text, length, &behind);
            print_cell(&layouts[i], text, length, behind, out);
        }
    }
    pbt_buf_text(out, style != NULL ? "|\x1b[0m\n" : "|\n");
}

uint32_t pbt_table_print(const struct pbt_table *table,
                         const struct pbt_table_look *look, struct pbt_buf *out)
{
    uint32_t dropped = 0;
    struct layout *layouts =
        table->failed || pbt_buf_failed(&table->text)
            ? NULL
            : calloc((size_t)table->column_count + 1, sizeof *layouts);
    if (layouts == NULL) {
        out->failed = true;
        return 0;
    }
    for (uint32_t i = 0; i < table->column_count; i++) {
        lay_out(table, i, look, &layouts[i]);
    }
    if (look->width > 0) {
        dropped = narrow(table, layouts, look->width);
    }
    print_rule(table, layouts, '+', out);
    for (uint32_t i = 0; i < table->column_count; i++) {
        if (layouts[i].shown) {
            print_cell(&layouts[i], table->text.data + table->columns[i].start,
                       table->columns[i].length, 0, out);
        }
    }
    pbt_buf_text(out, "|\n");
    print_rule(table, layouts, '|', out);
    for (uint32_t row = 0; row < table->row_count; row++) {
        print_row(table, layouts, row, look->color, out);
    }
    print_rule(table, layouts, '+', out);
    free(layouts);
    return dropped;
}
