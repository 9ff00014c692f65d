#include "cli/paint.h"

#include <string.h>
#include <unistd.h>

#define BOLD "\x1b[1m"
#define RED "\x1b[1;31m"
#define YELLOW "\x1b[1;33m"
#define PLAIN "\x1b[0m"

static enum pbt_color when = PBT_COLOR_AUTO;

void pbt_cli_paint_when(enum pbt_color color)
{
    when = color;
}

bool pbt_cli_paints(void)
{
    struct pbt_screen screen;
    pbt_screen_init(&screen, STDERR_FILENO, when);
    return screen.color;
}

static void put(struct pbt_buf *out, const char *color, const char *text,
                size_t length)
{
    pbt_buf_text(out, color);
    pbt_buf_put(out, text, length);
    pbt_buf_text(out, PLAIN);
}

/* True for "word[ID]: ..." and "word: ...". */
static bool is_head(const char *line, size_t length, const char *word)
{
    size_t known = strlen(word);
    return length > known && memcmp(line, word, known) == 0 &&
           (line[known] == '[' || line[known] == ':');
}

/* The color of the message whose first line this is; NULL: it is none. */
static const char *color_of(const char *line, size_t length)
{
    if (is_head(line, length, "error")) {
        return RED;
    }
    if (is_head(line, length, "warning")) {
        return YELLOW;
    }
    return is_head(line, length, "note") ? BOLD : NULL;
}

/* Where the carets of a line begin, "  | ^^^"; its length if it has none. */
static size_t find_carets(const char *line, size_t length)
{
    const char *bar = memchr(line, '|', length);
    size_t at = 0;
    while (at < length && line[at] == ' ') {
        at++;
    }
    if (bar == NULL || line + at != bar) {
        return length;
    }
    for (at++; at < length && (line[at] == ' ' || line[at] == '\t'); at++) {
    }
    return at < length && line[at] == '^' ? at : length;
}

static void paint_line(struct pbt_buf *out, const char *line, size_t length,
                       const char **color)
{
    const char *head = color_of(line, length);
    if (head != NULL) {
        const char *colon = memchr(line, ':', length);
        size_t end = colon == NULL ? length : (size_t)(colon - line);
        *color = head;
        put(out, head, line, end);
        pbt_buf_put(out, line + end, length - end);
        return;
    }
    size_t carets = find_carets(line, length);
    pbt_buf_put(out, line, carets);
    if (carets < length) {
        put(out, *color, line + carets, length - carets);
    }
}

void pbt_cli_paint(struct pbt_buf *out, const char *text, size_t length)
{
    const char *color = BOLD;
    while (length > 0) {
        const char *end = memchr(text, '\n', length);
        size_t line = end == NULL ? length : (size_t)(end - text);
        paint_line(out, text, line, &color);
        size_t used = end == NULL ? line : line + 1;
        pbt_buf_text(out, end == NULL ? "" : "\n");
        text += used;
        length -= used;
    }
}
