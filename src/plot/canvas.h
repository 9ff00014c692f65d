/*
 * canvas.h: what plots are drawn on: SVG, PNG, PDF (cairo), or the cells of a terminal.
 *
 * Lengths are in canvas units: points in a file; in a terminal, the dots of braille patterns, of
 * which a cell has 2 by 4.  A plot sizes itself by `em` and `line`, so that one drawing suits all.
 * y grows downwards.  What goes wrong while drawing shows in pbt_canvas_write().
 */
#ifndef PBT_PLOT_CANVAS_H
#define PBT_PLOT_CANVAS_H

#include <cairo.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/codes.h"

enum pbt_canvas_form {
    PBT_CANVAS_SVG,
    PBT_CANVAS_PNG,
    PBT_CANVAS_PDF,
    PBT_CANVAS_TERMINAL
};

struct pbt_color {
    double red;
    double green;
    double blue;
    double alpha;
};

struct pbt_spot {
    double x;
    double y;
};

enum pbt_anchor { PBT_ANCHOR_LEFT, PBT_ANCHOR_MIDDLE, PBT_ANCHOR_RIGHT };

struct pbt_canvas_cell; /* of a terminal */

struct pbt_canvas {
    enum pbt_canvas_form form;
    double width;
    double height;
    double em;     /* the width of a wide letter */
    double line;   /* from one line of text to the next */
    double stroke; /* the width of a thin line */
    cairo_surface_t *surface;
    cairo_t *cairo;
    struct pbt_canvas_cell *cells; /* terminal: columns * rows */
    bool colored;                  /* terminal */
    struct pbt_buf bytes;          /* of the file */
};

/*
 * `width` and `height`: points; in a terminal columns and rows.  PBT_ENOMEM.  pbt_canvas_done()
 * also after a failure.
 */
int pbt_canvas_init(struct pbt_canvas *canvas, enum pbt_canvas_form form,
                    double width, double height, bool colored,
                    struct pbt_error *error);
void pbt_canvas_done(struct pbt_canvas *canvas); /* the last one of a program */

/*
 * Writes the file at `path` as a whole, or not at all; a terminal's lines go to stdout and `path`
 * is not used.  PBT_ECANTCREATE, PBT_EIO, PBT_ENOMEM.
 */
int pbt_canvas_write(struct pbt_canvas *canvas, const char *path,
                     struct pbt_error *error);

bool pbt_canvas_is_terminal(const struct pbt_canvas *canvas);
/* A terminal without colours. */
bool pbt_canvas_is_plain(const struct pbt_canvas *canvas);

/* Nothing is drawn beyond this rectangle, until pbt_canvas_unclip(). */
void pbt_canvas_clip(struct pbt_canvas *canvas, double left, double top,
                     double right, double bottom);
void pbt_canvas_unclip(struct pbt_canvas *canvas);

/* A line through spots; `width` in strokes; `dotted` where it joins what is not one. */
void pbt_canvas_line(struct pbt_canvas *canvas, const struct pbt_spot *spots,
                     size_t count, double width, struct pbt_color color,
                     bool dotted);
/* One from place to place. */
void pbt_canvas_segment(struct pbt_canvas *canvas, double x0, double y0,
                        double x1, double y1, double width,
                        struct pbt_color color, bool dotted);
/* The area within spots; in a terminal its outline, dotted. */
void pbt_canvas_area(struct pbt_canvas *canvas, const struct pbt_spot *spots,
                     size_t count, struct pbt_color color);
void pbt_canvas_box(struct pbt_canvas *canvas, double left, double top,
                    double right, double bottom, struct pbt_color color);
/* A filled circle; `radius` in strokes. */
void pbt_canvas_dot(struct pbt_canvas *canvas, double x, double y,
                    double radius, struct pbt_color color);

/* UTF-8 text, vertically centred at y; `size` relative to normal text. */
void pbt_canvas_text(struct pbt_canvas *canvas, double x, double y,
                     enum pbt_anchor anchor, double size, bool bold,
                     struct pbt_color color, const char *text);
double pbt_canvas_text_width(struct pbt_canvas *canvas, double size, bool bold,
                             const char *text);

/* --- of a terminal (terminal.c) ------------------------------------------- */

bool pbt_terminal_init(struct pbt_canvas *canvas);
void pbt_terminal_text(struct pbt_canvas *canvas, double x, double y,
                       enum pbt_anchor anchor, const char *text);
size_t pbt_terminal_text_cells(const char *text);
/* The lines of text into `out`. */
void pbt_terminal_put(struct pbt_canvas *canvas, struct pbt_buf *out);

#endif
