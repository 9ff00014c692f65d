/*
 * terminal.c: a canvas of text: lines are dots of braille patterns, and text stands above them.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "plot/canvas.h"

#define CELL_WIDTH 2
#define CELL_HEIGHT 4

struct pbt_canvas_cell {
    char text[5]; /* a character; "": dots */
};

static size_t columns_of(const struct pbt_canvas *canvas)
{
    return (size_t)canvas->width / CELL_WIDTH;
}

static size_t rows_of(const struct pbt_canvas *canvas)
{
    return (size_t)canvas->height / CELL_HEIGHT;
}

bool pbt_terminal_init(struct pbt_canvas *canvas)
{
    size_t count = columns_of(canvas) * rows_of(canvas);
    canvas->cells = calloc(count + 1, sizeof *canvas->cells);
    return canvas->cells != NULL;
}

/* --- text ----------------------------------------------------------------- */

/* The bytes of the character that a text begins with. */
static size_t character(const char *text)
{
    size_t length = 1;
    while (length < 4 && ((unsigned char)text[length] & 0xc0) == 0x80) {
        length++;
    }
    return length;
}

size_t pbt_terminal_text_cells(const char *text)
{
    size_t cells = 0;
    for (; *text != '\0'; text += character(text)) {
        cells++;
    }
    return cells;
}

void pbt_terminal_text(struct pbt_canvas *canvas, double x, double y,
                       enum pbt_anchor anchor, const char *text)
{
    long length = (long)pbt_terminal_text_cells(text);
    long columns = (long)columns_of(canvas);
    long column = lround(floor(x / CELL_WIDTH));
    column -= anchor == PBT_ANCHOR_LEFT     ? 0
              : anchor == PBT_ANCHOR_MIDDLE ? length / 2
                                            : length;
    long row = lround(floor(y / CELL_HEIGHT));
    if (row < 0 || row >= (long)rows_of(canvas)) {
        return;
    }
    for (; *text != '\0'; text += character(text), column++) {
        if (column < 0 || column >= columns) {
            continue;
        }
        size_t at = (size_t)(row * columns + column);
        size_t bytes = character(text);
        bool shown = (unsigned char)*text >= 0x20 && *text != 0x7f;
        memset(canvas->cells[at].text, 0, sizeof canvas->cells[at].text);
        memcpy(canvas->cells[at].text, shown ? text : "?", shown ? bytes : 1);
    }
}

/* --- dots ----------------------------------------------------------------- */

struct dots {
    unsigned pattern; /* of braille: U+2800 + pattern */
    unsigned color;   /* of 256 */
};

/* The nearest of a terminal's 6 x 6 x 6 colours. */
static unsigned color_of(uint32_t pixel)
{
    unsigned red = (pixel >> 16) & 0xff;
    unsigned green = (pixel >> 8) & 0xff;
    unsigned blue = pixel & 0xff;
    return 16 + 36 * ((red + 25) / 51) + 6 * ((green + 25) / 51) +
           (blue + 25) / 51;
}

/* A cell has one colour: that of its last dot. */
static struct dots dots_at(struct pbt_canvas *canvas, size_t row, size_t column)
{
    static const unsigned BITS[CELL_HEIGHT][CELL_WIDTH] = {
        {0x01, 0x08}, {0x02, 0x10}, {0x04, 0x20}, {0x40, 0x80}};
    const unsigned char *data = cairo_image_surface_get_data(canvas->surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(canvas->surface);
    struct dots dots = {0, 0};
    for (size_t y = 0; y < CELL_HEIGHT; y++) {
        for (size_t x = 0; x < CELL_WIDTH; x++) {
            uint32_t pixel;
            memcpy(&pixel,
                   data + (row * CELL_HEIGHT + y) * stride +
                       (column * CELL_WIDTH + x) * sizeof pixel,
                   sizeof pixel);
            if (pixel >> 24 >= 0x80) {
                dots.pattern |= BITS[y][x];
                dots.color = color_of(pixel);
            }
        }
    }
    return dots;
}

static void put_braille(struct pbt_buf *out, unsigned pattern)
{
    unsigned code = 0x2800 + pattern;
    pbt_buf_char(out, (char)(0xe0 | code >> 12));
    pbt_buf_char(out, (char)(0x80 | (code >> 6 & 0x3f)));
    pbt_buf_char(out, (char)(0x80 | (code & 0x3f)));
}

static void put_row(struct pbt_canvas *canvas, size_t row, struct pbt_buf *out)
{
    unsigned color = 0;
    size_t blanks = 0;
    for (size_t column = 0; column < columns_of(canvas); column++) {
        const char *text =
            canvas->cells[row * columns_of(canvas) + column].text;
        struct dots dots = {0, 0};
        if (text[0] == '\0') {
            dots = dots_at(canvas, row, column);
        }
        if ((text[0] == '\0' && dots.pattern == 0) ||
            (text[0] == ' ' && text[1] == '\0')) {
            blanks++; /* none at the end of a line */
            continue;
        }
        for (; blanks > 0; blanks--) {
            pbt_buf_char(out, ' ');
        }
        if (canvas->colored && dots.color != color) {
            if (dots.color == 0) {
                pbt_buf_text(out, "\x1b[0m");
            } else {
                pbt_buf_printf(out, "\x1b[38;5;%um", dots.color);
            }
            color = dots.color;
        }
        if (text[0] != '\0') {
            pbt_buf_text(out, text);
        } else {
            put_braille(out, dots.pattern);
        }
    }
    pbt_buf_text(out, color != 0 ? "\x1b[0m\n" : "\n");
}

void pbt_terminal_put(struct pbt_canvas *canvas, struct pbt_buf *out)
{
    cairo_surface_flush(canvas->surface);
    for (size_t row = 0; row < rows_of(canvas); row++) {
        put_row(canvas, row, out);
    }
}
