/*
 * timeline.c: which trial ran when, from the times that its results took.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "plot/data.h"
#include "plot/lanes.h"

struct bars {
    const struct pbt_plot *plot;
    const struct pbt_lanes *lanes;
    struct pbt_frame frame;
    double unit;
};

static void draw_bar(const struct bars *bars, uint32_t trial, double from,
                     double to, struct pbt_color color)
{
    const struct pbt_frame *frame = &bars->frame;
    struct pbt_canvas *canvas = bars->plot->canvas;
    double y = pbt_lane_y(bars->lanes, frame, trial);
    double half = pbt_lane_width(frame) / 2 * canvas->stroke;
    double left = pbt_frame_x(frame, from / bars->unit);
    double right = fmax(pbt_frame_x(frame, to / bars->unit), left + 0.5);
    if (pbt_canvas_is_terminal(canvas)) {
        pbt_canvas_segment(canvas, left, y, right, y, 1, color, false);
    } else {
        pbt_canvas_box(canvas, left, y - half, right, y + half, color);
    }
}

/* Steps that follow each other are one bar. */
static void draw_trial(const struct bars *bars, const struct pbt_data *data,
                       uint32_t trial, struct pbt_color color)
{
    const struct pbt_series *series = &data->series[trial];
    double from = 0;
    double to = -1;
    for (size_t i = 0; i < series->count; i++) {
        const struct pbt_point *point = &series->points[i];
        double begun = fmax(point->x - fmax(point->y, 0), 0);
        if (to >= 0 && begun > to + 0.25 * point->y + 0.01) {
            draw_bar(bars, trial, from, to, color);
            to = -1;
        }
        from = to < 0 ? begun : from;
        to = fmax(to, point->x);
    }
    if (to >= 0) {
        draw_bar(bars, trial, from, to, color);
    }
}

static void draw_exploits(const struct bars *bars)
{
    size_t all;
    const struct pbt_results *results = bars->plot->results;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(results, &all);
    for (size_t i = 0; i < all; i++) {
        double x = exploits[i].timestamp - pbt_results_run(results)->started;
        pbt_canvas_dot(
            bars->plot->canvas, pbt_frame_x(&bars->frame, x / bars->unit),
            pbt_lane_y(bars->lanes, &bars->frame, exploits[i].trial),
            fmin(pbt_exploit_dot(results), 0.5 * pbt_lane_width(&bars->frame)),
            pbt_ink);
    }
}

static void draw(struct bars *bars, const struct pbt_data *data)
{
    char label[64];
    struct pbt_descent none = {.trial = PBT_NONE};
    bars->frame.x = pbt_axis_of_time("time since the start",
                                     fmax(data->x_high, 0), label, &bars->unit);
    pbt_lanes_draw(bars->lanes, bars->plot, &bars->frame, "who trained when",
                   "dots: exploits", &none, false);
    pbt_frame_clip(&bars->frame);
    for (uint32_t i = 0; i < data->trials; i++) {
        draw_trial(bars, data, i, pbt_hues[0]);
    }
    draw_exploits(bars);
    pbt_canvas_unclip(bars->plot->canvas);
}

int pbt_plot_timeline(const struct pbt_plot *plot, struct pbt_error *error)
{
    struct bars bars = {.plot = plot};
    struct pbt_data data = {0};
    struct pbt_lanes lanes;
    int status = pbt_lanes_init(&lanes, plot->results, error);
    if (status == PBT_OK) {
        status = pbt_data_read(&data, plot->results, PBT_PLOT_TIMESTAMP, NULL,
                               error);
    }
    if (status == PBT_OK && data.x_low > data.x_high) {
        status = pbt_fail(error, PBT_E0851, "%s has no results yet",
                          pbt_results_run(plot->results)->dir);
    }
    if (status == PBT_OK) {
        bars.lanes = &lanes;
        draw(&bars, &data);
    }
    pbt_data_done(&data);
    pbt_lanes_done(&lanes);
    return status;
}
