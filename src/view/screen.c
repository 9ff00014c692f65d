#define _GNU_SOURCE /* strcasestr */
#include "view/screen.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/printable.h"
#include "base/width.h"

#define BLOCK_MAX ((size_t)64 * 1024 * 1024)

/* Without wrapping a line that is too long can't become two. */
#define WRAP_OFF "\x1b[?7l"
#define WRAP_ON "\x1b[?7h"
#define CLEAR_ALL "\x1b[H\x1b[2J"
#define CLEAR_LINE "\x1b[K"
#define CLEAR_BELOW "\x1b[J"

/* The value of a variable; "" if it isn't set. */
static const char *variable(const char *name)
{
    const char *text = getenv(name);
    return text == NULL ? "" : text;
}

static bool wants_color(bool terminal, enum pbt_color color)
{
    const char *force = variable("CLICOLOR_FORCE");
    if (color != PBT_COLOR_AUTO) {
        return color == PBT_COLOR_ALWAYS;
    }
    if (*variable("NO_COLOR") != '\0') {
        return false;
    }
    return terminal || (*force != '\0' && strcmp(force, "0") != 0);
}

/* As setlocale() would find it, which we don't call: numbers have a point everywhere. */
static bool locale_is_utf8(void)
{
    static const char *const names[] = {"LC_ALL", "LC_CTYPE", "LANG"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *text = variable(names[i]);
        if (*text != '\0') {
            return strcasestr(text, "UTF-8") != NULL ||
                   strcasestr(text, "UTF8") != NULL;
        }
    }
    return false;
}

void pbt_screen_init(struct pbt_screen *screen, int fd, enum pbt_color color)
{
    const char *term = variable("TERM");
    bool terminal =
        isatty(fd) == 1 && *term != '\0' && strcmp(term, "dumb") != 0;
    *screen = (struct pbt_screen){.fd = fd,
                                  .terminal = terminal,
                                  .color = wants_color(terminal, color),
                                  .unicode = locale_is_utf8()};
}

static uint32_t from_environment(const char *name)
{
    const char *text = getenv(name);
    long value = text == NULL ? 0 : strtol(text, NULL, 10);
    return value > 0 && value < 100000 ? (uint32_t)value : 0;
}

uint32_t pbt_screen_columns(const struct pbt_screen *screen)
{
    struct winsize size;
    if (ioctl(screen->fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) {
        return size.ws_col;
    }
    return from_environment("COLUMNS");
}

uint32_t pbt_screen_rows(const struct pbt_screen *screen)
{
    struct winsize size;
    if (ioctl(screen->fd, TIOCGWINSZ, &size) == 0 && size.ws_row > 0) {
        return size.ws_row;
    }
    return from_environment("LINES");
}

static int write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t n = write(fd, bytes, length);
        if (n >= 0) {
            bytes += n;
            length -= (size_t)n;
        } else if (errno == EAGAIN) {
            /* Somebody who shares the terminal has made it non-blocking. */
            struct pollfd wait = {.fd = fd, .events = POLLOUT};
            (void)poll(&wait, 1, 1000);
        } else if (errno != EINTR) {
            return PBT_EIO;
        }
    }
    return PBT_OK;
}

static int write_out(const struct pbt_screen *screen, struct pbt_buf *out)
{
    int status = pbt_buf_failed(out)
                     ? PBT_ENOMEM
                     : write_all(screen->fd, out->data, out->length);
    pbt_buf_done(out);
    return status;
}

/* Bytes of whole lines that were typed and not read: it changes with each Enter. */
static int count_typed(const struct pbt_screen *screen)
{
    int bytes;
    return ioctl(screen->fd, FIONREAD, &bytes) == 0 ? bytes : 0;
}

/*
 * To the first line of the block before, or, if the terminal has another size now, to a
 * clear screen: nobody knows where its lines have gone.  An Enter has moved the cursor, we
 * can't tell how far: what is drawn next stands below, and the block before stays whole.
 */
static void go_back(struct pbt_screen *screen, uint32_t columns, uint32_t rows,
                    struct pbt_buf *out)
{
    int typed = count_typed(screen);
    bool moved = typed != screen->typed;
    screen->typed = typed;
    if (screen->lines == 0) {
        return;
    }
    if (columns != screen->columns || rows != screen->rows) {
        pbt_buf_text(out, CLEAR_ALL);
    } else if (moved) {
        pbt_buf_char(out, '\r');
    } else {
        pbt_buf_printf(out, "\r\x1b[%uA", (unsigned)screen->lines);
    }
}

/* The length of a rendition, ESC [ ... m, at the start of the text; 0: there is none. */
static size_t rendition(const char *text, size_t length)
{
    if (length < 3 || text[0] != '\x1b' || text[1] != '[') {
        return 0;
    }
    size_t at = 2;
    while (at < length &&
           (text[at] == ';' || (text[at] >= '0' && text[at] <= '9'))) {
        at++;
    }
    return at < length && text[at] == 'm' ? at + 1 : 0;
}

static size_t line_width(const char *line, size_t length)
{
    size_t width = 0;
    for (size_t at = 0; at < length;) {
        uint32_t code;
        size_t step = rendition(line + at, length - at);
        if (step == 0) {
            step = pbt_character(line + at, length - at, &code);
            width += pbt_text_width(line + at, step);
        }
        at += step;
    }
    return width;
}

/*
 * A line without its end; what is wider than `columns` (0: any width) ends in dots.  All
 * renditions are kept, so that the last one ends the others.
 */
static void put_line(const struct pbt_screen *screen, const char *line,
                     size_t length, uint32_t columns, struct pbt_buf *out)
{
    bool cut = columns > 3 && line_width(line, length) > columns;
    size_t left = columns == 0 ? SIZE_MAX : columns - (cut ? 3 : 0);
    bool full = false;
    for (size_t at = 0; at < length;) {
        uint32_t code;
        size_t step = rendition(line + at, length - at);
        if (step > 0) {
            pbt_buf_put(out, line + at, step);
            at += step;
            continue;
        }
        step = pbt_character(line + at, length - at, &code);
        size_t width = pbt_text_width(line + at, step);
        if (!full && width > left) {
            full = true;
            pbt_buf_text(out, cut ? "..." : "");
        }
        if (!full && (screen->unicode || code < 0x80)) {
            pbt_buf_put(out, line + at, step);
        } else if (!full) {
            pbt_buf_put(out, "??", width);
        }
        left -= full ? 0 : width;
        at += step;
    }
}

/* The block's lines, as many and as wide as fit.  Returns how many. */
static uint32_t put_lines(const struct pbt_screen *screen, const char *block,
                          size_t length, uint32_t columns, uint32_t rows,
                          struct pbt_buf *out)
{
    uint32_t lines = 0;
    while (length > 0 && (rows == 0 || lines + 1 < rows)) {
        const char *end = memchr(block, '\n', length);
        size_t line = end == NULL ? length : (size_t)(end - block);
        /* Before the text: after it, it would take away a last column that is in use. */
        pbt_buf_text(out, CLEAR_LINE);
        put_line(screen, block, line, columns, out);
        pbt_buf_char(out, '\n');
        size_t used = end == NULL ? line : line + 1;
        block += used;
        length -= used;
        lines++;
    }
    return lines;
}

/* False while nobody takes what is written: a stopped terminal, a full pipe. */
static bool takes_more(const struct pbt_screen *screen)
{
    struct pollfd now = {.fd = screen->fd, .events = POLLOUT};
    return poll(&now, 1, 0) != 0;
}

int pbt_screen_draw(struct pbt_screen *screen, const char *block, size_t length)
{
    struct pbt_buf out;
    if (!takes_more(screen)) {
        return PBT_OK;
    }
    pbt_buf_init(&out, BLOCK_MAX);
    if (!screen->terminal) {
        pbt_buf_put(&out, block, length);
        pbt_buf_char(&out, '\n'); /* a line between two blocks */
        return write_out(screen, &out);
    }
    uint32_t columns = pbt_screen_columns(screen);
    uint32_t rows = pbt_screen_rows(screen);
    pbt_buf_text(&out, WRAP_OFF);
    go_back(screen, columns, rows, &out);
    uint32_t lines = put_lines(screen, block, length, columns, rows, &out);
    pbt_buf_text(&out, CLEAR_BELOW WRAP_ON);
    int status = write_out(screen, &out);
    if (status == PBT_OK) {
        screen->lines = lines;
        screen->columns = columns;
        screen->rows = rows;
    }
    return status;
}

int pbt_screen_erase(struct pbt_screen *screen)
{
    struct pbt_buf out;
    if (!screen->terminal || screen->lines == 0) {
        return PBT_OK;
    }
    pbt_buf_init(&out, BLOCK_MAX);
    go_back(screen, pbt_screen_columns(screen), pbt_screen_rows(screen), &out);
    pbt_buf_text(&out, CLEAR_BELOW);
    screen->lines = 0;
    return write_out(screen, &out);
}

int pbt_screen_finish(struct pbt_screen *screen, const char *block,
                      size_t length)
{
    struct pbt_buf out;
    int status = pbt_screen_erase(screen);
    if (status != PBT_OK || !screen->terminal) {
        return status == PBT_OK ? write_all(screen->fd, block, length) : status;
    }
    pbt_buf_init(&out, BLOCK_MAX);
    while (length > 0) {
        const char *end = memchr(block, '\n', length);
        size_t line = end == NULL ? length : (size_t)(end - block);
        put_line(screen, block, line, 0, &out);
        pbt_buf_char(&out, '\n');
        size_t used = end == NULL ? line : line + 1;
        block += used;
        length -= used;
    }
    return write_out(screen, &out);
}

bool pbt_screen_resized(const struct pbt_screen *screen)
{
    return screen->lines > 0 &&
           (pbt_screen_columns(screen) != screen->columns ||
            pbt_screen_rows(screen) != screen->rows);
}

void pbt_screen_lost(struct pbt_screen *screen)
{
    screen->lines = 0;
}
