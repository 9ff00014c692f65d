/*
 * screen.h: shows blocks of text one after another: in place on a terminal, one under the
 * other elsewhere.
 *
 * How often is the caller's choice: on a terminal once or twice a second, elsewhere every 5
 * to 30 s.
 */
#ifndef PBT_VIEW_SCREEN_H
#define PBT_VIEW_SCREEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pbt_screen {
    int fd;
    bool terminal;
    bool color;     /* blocks may hold renditions: ESC [ ... m */
    bool unicode;   /* else all but ASCII is shown as "?" on a terminal */
    uint32_t lines; /* of the last block, to be overwritten */
    /* The terminal's size when it was drawn. */
    uint32_t columns;
    uint32_t rows;
    int typed; /* bytes of lines that were typed by then, and that nobody has read */
};

enum pbt_color {
    PBT_COLOR_AUTO, /* on a terminal, unless NO_COLOR; anywhere with CLICOLOR_FORCE */
    PBT_COLOR_ALWAYS,
    PBT_COLOR_NEVER,
};

/* A terminal is what TERM doesn't call dumb. */
void pbt_screen_init(struct pbt_screen *screen, int fd, enum pbt_color color);

/* True if the size is another one than when the last block was drawn. */
bool pbt_screen_resized(const struct pbt_screen *screen);

/*
 * Somebody else has written to the terminal (a shell, while we were stopped): the next block
 * is drawn below that, not over the last one.
 */
void pbt_screen_lost(struct pbt_screen *screen);

/* The size of the terminal now; else from COLUMNS (and LINES), or 0. */
uint32_t pbt_screen_columns(const struct pbt_screen *screen);
uint32_t pbt_screen_rows(const struct pbt_screen *screen);

/*
 * Draws a block of whole lines; on a terminal over the one before, and cut to what fits.
 * While nobody takes what is written (the terminal is stopped by Ctrl-S, the pipe is full) it
 * is left out: a view must not hold up the run.
 * PBT_OK, PBT_ENOMEM, or PBT_EIO if it can't be written.
 */
int pbt_screen_draw(struct pbt_screen *screen, const char *block,
                    size_t length);

/* Takes the last block away, so that something else can be printed in its place. */
int pbt_screen_erase(struct pbt_screen *screen);

/* The last block of all, in place of the one before; in full, whatever fits. */
int pbt_screen_finish(struct pbt_screen *screen, const char *block,
                      size_t length);

#endif
