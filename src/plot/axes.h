/*
 * axes.h: the frame of a plot: scales, ticks and their labels, title.
 */
#ifndef PBT_PLOT_AXES_H
#define PBT_PLOT_AXES_H

#include "plot/canvas.h"

/* Colours that people with any colour vision tell apart (Okabe and Ito, 2008). */
#define PBT_HUES 7
extern const struct pbt_color pbt_hues[PBT_HUES];
extern const struct pbt_color pbt_ink; /* text */
extern const struct pbt_color
    pbt_faint; /* what is not meant to be seen first */
extern const struct pbt_color pbt_accent; /* the best trial */

struct pbt_color pbt_color_alpha(struct pbt_color color, double alpha);
/* From dark blue at 0 to yellow at 1, lighter throughout (viridis). */
struct pbt_color pbt_color_scale(double at);

struct pbt_axis {
    const char *label;
    double low;
    double high;
    bool logarithmic;
    /* Of a scale of things, each at its number: what they are called, and how many. */
    const char *const *names;
    size_t name_count;
};

/*
 * An axis that shows values from `low` to `high`, with some room.  `logarithmic` is ignored if
 * one of them is not above 0.
 */
struct pbt_axis pbt_axis_over(const char *label, double low, double high,
                              bool logarithmic);
/* One of time in seconds, whose unit suits its length: what to divide seconds by in `*unit`. */
struct pbt_axis pbt_axis_of_time(const char *what, double seconds,
                                 char label[64], double *unit);

struct pbt_frame {
    struct pbt_canvas *canvas;
    struct pbt_axis x;
    struct pbt_axis y;
    double labels; /* room for those of y, at least */
    double left;
    double top;
    double right;
    double bottom;
};

double pbt_frame_x(const struct pbt_frame *frame, double x);
double pbt_frame_y(const struct pbt_frame *frame, double y);

/* How wide the labels of y are, in a rectangle of this height: frames on top of each other share it. */
double pbt_frame_labels(const struct pbt_frame *frame, double height);

/*
 * Lays a frame out in the rectangle and draws its axes.  The y axis' label stands above it.  What
 * is drawn afterwards is clipped to the frame by pbt_frame_clip().
 */
void pbt_frame_draw(struct pbt_frame *frame, double left, double top,
                    double right, double bottom);
void pbt_frame_clip(const struct pbt_frame *frame);

/* The title of a plot and what stands below it; returns where the plot may begin. */
double pbt_title_draw(struct pbt_canvas *canvas, const char *title,
                      const char *subtitle);

#endif
