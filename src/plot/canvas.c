/*
 * canvas.c: the drawing layer over cairo.
 */
#include "plot/canvas.h"

#include <cairo-pdf.h>
#include <cairo-svg.h>
#include <errno.h>
#include <fontconfig/fontconfig.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/files.h"

#define FONT_SIZE 12.0
#define PNG_SCALE 2.0 /* pixels a point */
#define FILE_MAX ((size_t)256 << 20)
#define STROKE_SPOTS 64 /* drawn at once */

static cairo_status_t take_bytes(void *user, const unsigned char *bytes,
                                 unsigned length)
{
    struct pbt_buf *out = user;
    pbt_buf_put(out, bytes, length);
    return pbt_buf_failed(out) ? CAIRO_STATUS_NO_MEMORY : CAIRO_STATUS_SUCCESS;
}

static cairo_surface_t *make_surface(struct pbt_canvas *canvas)
{
    double width = canvas->width;
    double height = canvas->height;
    switch (canvas->form) {
    case PBT_CANVAS_SVG:
        return cairo_svg_surface_create_for_stream(take_bytes, &canvas->bytes,
                                                   width, height);
    case PBT_CANVAS_PDF:
        return cairo_pdf_surface_create_for_stream(take_bytes, &canvas->bytes,
                                                   width, height);
    case PBT_CANVAS_PNG:
        width *= PNG_SCALE;
        height *= PNG_SCALE;
        break;
    case PBT_CANVAS_TERMINAL:
        break;
    }
    return cairo_image_surface_create(CAIRO_FORMAT_ARGB32, (int)width,
                                      (int)height);
}

/*
 * A machine without fontconfig's files may have fonts, and cairo has a plain one of its own
 * where there is none: nothing that fontconfig should print an error about.  A file that the
 * user names is another matter.
 */
static void need_no_config(void)
{
    static const char usual[] =
        "<fontconfig><dir>/usr/share/fonts</dir>"
        "<dir prefix=\"xdg\">fonts</dir>"
        "<cachedir prefix=\"xdg\">fontconfig</cachedir></fontconfig>";
    FcConfig *config =
        getenv("FONTCONFIG_FILE") == NULL ? FcConfigCreate() : NULL;
    if (config == NULL) {
        return;
    }
    FcChar8 *file = FcConfigGetFilename(config, NULL);
    if (file == NULL) {
        (void)FcConfigParseAndLoadFromMemory(config, (const FcChar8 *)usual,
                                             FcFalse);
        (void)FcConfigSetCurrent(config); /* and is held there */
    }
    FcStrFree(file);
    FcConfigDestroy(config);
}

int pbt_canvas_init(struct pbt_canvas *canvas, enum pbt_canvas_form form,
                    double width, double height, bool colored,
                    struct pbt_error *error)
{
    bool terminal = form == PBT_CANVAS_TERMINAL;
    *canvas = (struct pbt_canvas){.form = form,
                                  .width = terminal ? width * 2 : width,
                                  .height = terminal ? height * 4 : height,
                                  .em = terminal ? 2 : FONT_SIZE * 0.62,
                                  .line = terminal ? 4 : FONT_SIZE * 1.4,
                                  .stroke = 1,
                                  .colored = colored};
    pbt_buf_init(&canvas->bytes, FILE_MAX);
    if (!terminal) {
        need_no_config();
    }
    canvas->surface = make_surface(canvas);
    canvas->cairo = cairo_create(canvas->surface);
    if ((terminal && !pbt_terminal_init(canvas)) ||
        cairo_status(canvas->cairo) != CAIRO_STATUS_SUCCESS) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    cairo_set_line_join(canvas->cairo, CAIRO_LINE_JOIN_ROUND);
    if (terminal) {
        cairo_set_antialias(canvas->cairo, CAIRO_ANTIALIAS_NONE);
        return PBT_OK;
    }
    if (form == PBT_CANVAS_PNG) {
        cairo_scale(canvas->cairo, PNG_SCALE, PNG_SCALE);
    }
    cairo_set_source_rgb(canvas->cairo, 1, 1, 1);
    cairo_paint(canvas->cairo);
    return PBT_OK;
}

void pbt_canvas_done(struct pbt_canvas *canvas)
{
    cairo_destroy(canvas->cairo);
    cairo_surface_destroy(canvas->surface);
    free(canvas->cells);
    pbt_buf_done(&canvas->bytes);
    /* Their fonts: nothing is drawn any more. */
    cairo_debug_reset_static_data();
    FcFini();
}

/* A run's files are its owner's alone; a picture is for all that the user lets see files. */
static int write_file(const char *path, const struct pbt_buf *bytes,
                      struct pbt_error *error)
{
    int status =
        pbt_file_replace(path, bytes->data, bytes->length, false, error);
    if (status == PBT_ENOINPUT) { /* what isn't there is its directory */
        struct pbt_error why = *error;
        return pbt_error_set(error, PBT_ECANTCREATE, "%s", why.text);
    }
    mode_t mask = umask(0);
    (void)umask(mask);
    if (status == PBT_OK && chmod(path, 0666 & ~mask) != 0) {
        status = pbt_error_set(error, PBT_EIO, "can't set the mode of %s: %s",
                               path, strerror(errno));
    }
    return status;
}

int pbt_canvas_write(struct pbt_canvas *canvas, const char *path,
                     struct pbt_error *error)
{
    struct pbt_buf *bytes = &canvas->bytes;
    cairo_status_t status = cairo_status(canvas->cairo);
    if (status == CAIRO_STATUS_SUCCESS && canvas->form == PBT_CANVAS_PNG) {
        status = cairo_surface_write_to_png_stream(canvas->surface, take_bytes,
                                                   bytes);
    }
    if (canvas->form == PBT_CANVAS_TERMINAL) {
        pbt_terminal_put(canvas, bytes);
    } else {
        cairo_surface_finish(canvas->surface);
    }
    if (status == CAIRO_STATUS_SUCCESS) {
        status = cairo_surface_status(canvas->surface);
    }
    if (status != CAIRO_STATUS_SUCCESS || pbt_buf_failed(bytes)) {
        return pbt_error_set(
            error, PBT_ENOMEM, "can't draw: %s",
            cairo_status_to_string(status == CAIRO_STATUS_SUCCESS
                                       ? CAIRO_STATUS_NO_MEMORY
                                       : status));
    }
    if (canvas->form != PBT_CANVAS_TERMINAL) {
        return write_file(path, bytes, error);
    }
    /* Who closed the pipe knows it, and is not told. */
    if ((fwrite(bytes->data, 1, bytes->length, stdout) != bytes->length ||
         fflush(stdout) != 0) &&
        errno != EPIPE) {
        return pbt_error_set(error, PBT_EIO, "can't write to stdout: %s",
                             strerror(errno));
    }
    return PBT_OK;
}

bool pbt_canvas_is_plain(const struct pbt_canvas *canvas)
{
    return canvas->form == PBT_CANVAS_TERMINAL && !canvas->colored;
}

bool pbt_canvas_is_terminal(const struct pbt_canvas *canvas)
{
    return canvas->form == PBT_CANVAS_TERMINAL;
}

/* --- drawing -------------------------------------------------------------- */

static void set_color(struct pbt_canvas *canvas, struct pbt_color color)
{
    /* A dot of a terminal is there or not. */
    cairo_set_source_rgba(canvas->cairo, color.red, color.green, color.blue,
                          pbt_canvas_is_terminal(canvas) ? 1 : color.alpha);
}

void pbt_canvas_clip(struct pbt_canvas *canvas, double left, double top,
                     double right, double bottom)
{
    cairo_save(canvas->cairo);
    cairo_rectangle(canvas->cairo, left, top, right - left, bottom - top);
    cairo_clip(canvas->cairo);
}

void pbt_canvas_unclip(struct pbt_canvas *canvas)
{
    cairo_restore(canvas->cairo);
}

static void put_path(struct pbt_canvas *canvas, const struct pbt_spot *spots,
                     size_t count)
{
    /* The middles of a terminal's dots, so that a thin line is one dot wide. */
    double shift = pbt_canvas_is_terminal(canvas) ? 0.5 : 0;
    for (size_t i = 0; i < count; i++) {
        double x = spots[i].x;
        double y = spots[i].y;
        if (shift > 0) {
            x = floor(x) + shift;
            y = floor(y) + shift;
        }
        cairo_line_to(canvas->cairo, x, y);
    }
}

void pbt_canvas_line(struct pbt_canvas *canvas, const struct pbt_spot *spots,
                     size_t count, double width, struct pbt_color color,
                     bool dotted)
{
    bool terminal = pbt_canvas_is_terminal(canvas);
    double stroke = canvas->stroke;
    double dashes[2] = {terminal ? 1 : 2 * stroke, terminal ? 2 : 2 * stroke};
    cairo_set_dash(canvas->cairo, dashes, dotted ? 2 : 0, 0);
    cairo_set_line_width(canvas->cairo, terminal ? 1 : width * stroke);
    set_color(canvas, color);
    /*
     * cairo's time grows faster than a noisy line does, so it is drawn in pieces; but not where
     * the joints would be seen.
     */
    bool whole = terminal || dotted || width > 3;
    size_t piece = whole ? count : STROKE_SPOTS;
    for (size_t from = 0; from + 1 < count; from += piece - 1) {
        size_t left = count - from;
        put_path(canvas, spots + from, left < piece ? left : piece);
        cairo_stroke(canvas->cairo);
    }
}

void pbt_canvas_segment(struct pbt_canvas *canvas, double x0, double y0,
                        double x1, double y1, double width,
                        struct pbt_color color, bool dotted)
{
    struct pbt_spot spots[2] = {{x0, y0}, {x1, y1}};
    pbt_canvas_line(canvas, spots, 2, width, color, dotted);
}

void pbt_canvas_area(struct pbt_canvas *canvas, const struct pbt_spot *spots,
                     size_t count, struct pbt_color color)
{
    if (pbt_canvas_is_terminal(canvas)) {
        pbt_canvas_line(canvas, spots, count, 1, color, true);
        return;
    }
    set_color(canvas, color);
    put_path(canvas, spots, count);
    cairo_close_path(canvas->cairo);
    cairo_fill(canvas->cairo);
}

void pbt_canvas_box(struct pbt_canvas *canvas, double left, double top,
                    double right, double bottom, struct pbt_color color)
{
    set_color(canvas, color);
    cairo_rectangle(canvas->cairo, left, top, right - left, bottom - top);
    cairo_fill(canvas->cairo);
}

void pbt_canvas_dot(struct pbt_canvas *canvas, double x, double y,
                    double radius, struct pbt_color color)
{
    double size = radius * canvas->stroke;
    if (pbt_canvas_is_terminal(canvas)) {
        pbt_canvas_box(canvas, floor(x), floor(y), floor(x) + 2, floor(y) + 2,
                       color);
        return;
    }
    set_color(canvas, color);
    cairo_new_sub_path(canvas->cairo);
    cairo_arc(canvas->cairo, x, y, size, 0, 6.283185307179586);
    cairo_fill(canvas->cairo);
}

/* --- text ----------------------------------------------------------------- */

static void set_font(struct pbt_canvas *canvas, double size, bool bold)
{
    cairo_select_font_face(canvas->cairo, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD
                                : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(canvas->cairo, size * FONT_SIZE);
}

double pbt_canvas_text_width(struct pbt_canvas *canvas, double size, bool bold,
                             const char *text)
{
    cairo_text_extents_t extents;
    if (pbt_canvas_is_terminal(canvas)) {
        return (double)pbt_terminal_text_cells(text) * canvas->em;
    }
    set_font(canvas, size, bold);
    cairo_text_extents(canvas->cairo, text, &extents);
    return extents.x_advance;
}

void pbt_canvas_text(struct pbt_canvas *canvas, double x, double y,
                     enum pbt_anchor anchor, double size, bool bold,
                     struct pbt_color color, const char *text)
{
    if (pbt_canvas_is_terminal(canvas)) {
        pbt_terminal_text(canvas, x, y, anchor, text);
        return;
    }
    double width = pbt_canvas_text_width(canvas, size, bold, text);
    double left = anchor == PBT_ANCHOR_LEFT     ? x
                  : anchor == PBT_ANCHOR_MIDDLE ? x - width / 2
                                                : x - width;
    set_color(canvas, color);
    /* Digits are 0.73 of the size high: their middle is at y. */
    cairo_move_to(canvas->cairo, left, y + 0.365 * size * FONT_SIZE);
    cairo_show_text(canvas->cairo, text);
    cairo_new_path(canvas->cairo);
}
