/*
 * parameters.c: each hyperparameter by iteration, on its own scale, and the best trial's schedule.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plot/data.h"

#define CHOICES_MAX 32

struct panel {
    const struct pbt_plot *plot;
    uint32_t param;
    struct pbt_frame frame;
    /* Values that are no numbers are numbered as they come. */
    struct pbt_cell choices[CHOICES_MAX];
    struct pbt_buf names[CHOICES_MAX];
    const char *labels[CHOICES_MAX];
    size_t choice_count;
    bool numeric;
};

static const struct pbt_fold *fold_of(const struct panel *panel)
{
    return &panel->plot->results->fold;
}

static const struct pbt_cell *cell_of(const struct panel *panel,
                                      const struct pbt_span *span)
{
    const struct pbt_fold *fold = fold_of(panel);
    size_t width = fold->spec->settings.space.count;
    const struct pbt_cell *cells =
        span->exploit == PBT_NONE ? fold->trials[span->trial].first
                                  : fold->exploit_cells + span->exploit * width;
    return cells == NULL ? NULL : &cells[panel->param];
}

/* Where a value that is no number stands on its axis; NaN: nowhere. */
static double place_of(struct panel *panel, struct pbt_cell cell)
{
    for (size_t i = 0; i < panel->choice_count; i++) {
        if (pbt_cell_same(panel->choices[i], cell)) {
            return (double)i;
        }
    }
    if (panel->choice_count == CHOICES_MAX) {
        return (double)NAN;
    }
    size_t at = panel->choice_count++;
    struct pbt_buf *name = &panel->names[at];
    panel->choices[at] = cell;
    pbt_buf_init(name, 1 << 16);
    pbt_shape_cell_repr(fold_of(panel)->spec, cell, false, name);
    pbt_buf_char(name, '\0');
    panel->labels[at] = pbt_buf_failed(name) ? "?" : name->data;
    return (double)at;
}

/* Where a value stands on its axis; NaN: nowhere. */
static double value_of(struct panel *panel, const struct pbt_span *span)
{
    const struct pbt_cell *cell = cell_of(panel, span);
    if (cell == NULL) {
        return (double)NAN;
    }
    if (!panel->numeric) {
        return place_of(panel, *cell);
    }
    return cell->type == PBT_CELL_INT    ? (double)cell->u.i
           : cell->type == PBT_CELL_REAL ? cell->u.r
                                         : (double)NAN;
}

/* Choices are in the order in which the experiment lists them. */
static void place_choices(struct panel *panel, const struct pbt_param *param)
{
    const struct pbt_domain *domain =
        param->mutations.choice_count > 0 ? &param->mutations : &param->initial;
    for (uint32_t i = 0; i < domain->choice_count; i++) {
        (void)place_of(panel, domain->choices[i]);
    }
}

/* That of the distribution; a scale over more than a factor of 20 is logarithmic, too. */
static bool is_logarithmic(const struct panel *panel,
                           const struct pbt_param *param, double low,
                           double high)
{
    return panel->numeric &&
           (panel->plot->logarithmic || high > 20 * low || param->log_scale ||
            pbt_domain_form(param->initial.kind)->logarithmic ||
            pbt_domain_form(param->mutations.kind)->logarithmic);
}

static void set_axes(struct panel *panel, const struct pbt_span *spans,
                     size_t count)
{
    const struct pbt_space *space = &fold_of(panel)->spec->settings.space;
    double low = (double)INFINITY;
    double high = -(double)INFINITY;
    int64_t last = 1;
    panel->numeric = true;
    for (size_t i = 0; i < count; i++) {
        const struct pbt_cell *cell = cell_of(panel, &spans[i]);
        panel->numeric =
            panel->numeric && cell != NULL &&
            (cell->type == PBT_CELL_INT || cell->type == PBT_CELL_REAL);
        last = spans[i].until > last ? spans[i].until : last;
    }
    const struct pbt_param *param = &space->params[panel->param];
    if (!panel->numeric) {
        place_choices(panel, param);
    }
    for (size_t i = 0; i < count; i++) {
        double value = value_of(panel, &spans[i]);
        if (isfinite(value)) {
            low = fmin(low, value);
            high = fmax(high, value);
        }
    }
    if (low > high) {
        low = high = 0;
    }
    panel->frame.y = pbt_axis_over(param->name, low, high,
                                   is_logarithmic(panel, param, low, high));
    if (!panel->numeric) {
        panel->frame.y.low = -0.5;
        panel->frame.y.high = fmax((double)panel->choice_count - 0.5, 0.5);
        panel->frame.y.names = panel->labels;
        panel->frame.y.name_count = panel->choice_count;
    }
    panel->frame.x =
        pbt_axis_over("training iteration", 0, (double)last, false);
}

static void draw_span(struct panel *panel, const struct pbt_span *span,
                      double width, struct pbt_color color)
{
    double value = value_of(panel, span);
    if (isfinite(value)) {
        double y = pbt_frame_y(&panel->frame, value);
        pbt_canvas_segment(panel->plot->canvas,
                           pbt_frame_x(&panel->frame, (double)span->from), y,
                           pbt_frame_x(&panel->frame, (double)span->until), y,
                           width, color, false);
    }
}

static void draw_schedule(struct panel *panel,
                          const struct pbt_descent *descent)
{
    for (size_t i = 0; i < descent->count; i++) {
        const struct pbt_span *span = &descent->items[i];
        draw_span(panel, span, 3, pbt_accent);
        if (i == 0) {
            continue;
        }
        double from = value_of(panel, span - 1);
        double to = value_of(panel, span);
        double x = pbt_frame_x(&panel->frame, (double)span->from);
        if (isfinite(from) && isfinite(to)) {
            pbt_canvas_segment(
                panel->plot->canvas, x, pbt_frame_y(&panel->frame, from), x,
                pbt_frame_y(&panel->frame, to), 3, pbt_accent, false);
        }
    }
}

/* Many trials would be one block in a terminal without colours. */
static bool is_best_alone(const struct pbt_plot *plot,
                          const struct pbt_descent *descent)
{
    return descent->count > 0 && pbt_canvas_is_plain(plot->canvas) &&
           pbt_results_run(plot->results)->trials > PBT_PLOT_LINES;
}

static void init_panel(struct panel *panel, const struct pbt_plot *plot,
                       uint32_t param, const struct pbt_span *spans,
                       size_t count)
{
    *panel = (struct panel){
        .plot = plot, .param = param, .frame = {.canvas = plot->canvas}};
    set_axes(panel, spans, count);
}

static void done_panel(struct panel *panel)
{
    for (size_t i = 0; i < panel->choice_count; i++) {
        pbt_buf_done(&panel->names[i]);
    }
}

static void draw_panel(struct panel *panel, const struct pbt_span *spans,
                       size_t count, const struct pbt_descent *descent,
                       double top, double bottom)
{
    struct pbt_canvas *canvas = panel->plot->canvas;
    double many = (double)pbt_results_run(panel->plot->results)->trials;
    /* Fainter, the more there are; where many pass it is dark again. */
    struct pbt_color color =
        pbt_color_alpha(pbt_hues[0], fmax(0.12, fmin(0.8, 8 / many)));
    pbt_frame_draw(&panel->frame, canvas->em, top,
                   canvas->width - 2 * canvas->em, bottom);
    pbt_frame_clip(&panel->frame);
    for (size_t i = 0; i < count && !is_best_alone(panel->plot, descent); i++) {
        draw_span(panel, &spans[i], 1.2, color);
    }
    draw_schedule(panel, descent);
    pbt_canvas_unclip(canvas);
}

/* False: all trials have had the same value all the time. */
static bool varies(const struct pbt_results *results, uint32_t param)
{
    const struct pbt_fold *fold = &results->fold;
    size_t width = results->spec.settings.space.count;
    uint32_t trials = pbt_results_run(results)->trials;
    const struct pbt_cell *first = trials > 0 ? fold->trials[0].first : NULL;
    bool differs = false;
    for (uint32_t i = 0; first != NULL && i < trials; i++) {
        const struct pbt_cell *cells = fold->trials[i].first;
        differs = differs ||
                  (cells != NULL && !pbt_cell_same(cells[param], first[param]));
    }
    for (uint32_t i = 0; first != NULL && i < fold->exploit_count; i++) {
        differs =
            differs || !pbt_cell_same(fold->exploit_cells[i * width + param],
                                      first[param]);
    }
    return differs;
}

uint32_t pbt_plot_panels(const struct pbt_results *results)
{
    uint32_t panels = 0;
    for (uint32_t i = 0; i < results->spec.settings.space.count; i++) {
        panels += varies(results, i) ? 1 : 0;
    }
    return panels;
}

static void draw_panels(const struct pbt_plot *plot,
                        const struct pbt_span *spans, size_t count,
                        const struct pbt_descent *descent)
{
    struct pbt_canvas *canvas = plot->canvas;
    const struct pbt_run_info *run = pbt_results_run(plot->results);
    const struct pbt_space *space = &plot->results->spec.settings.space;
    char name[32] = "";
    char title[200];
    char subtitle[200];
    if (descent->count > 0) {
        (void)pbt_trial_short_name(plot->results, descent->trial, name);
    }
    (void)snprintf(title, sizeof title, "%s: hyperparameters", run->name);
    const char *between = descent->count == 0 ? ""
                          : is_best_alone(plot, descent)
                              ? "; drawn is the schedule behind "
                              : "; in bold: the schedule behind ";
    (void)snprintf(subtitle, sizeof subtitle, "%u trials%s%s%s", run->trials,
                   between, name, descent->count > 0 ? ", the best" : "");
    double top = pbt_title_draw(canvas, title, subtitle);
    double height = (canvas->height - top) / pbt_plot_panels(plot->results);
    double labels = 0;
    for (uint32_t i = 0; i < space->count; i++) {
        struct panel panel;
        if (varies(plot->results, i)) {
            init_panel(&panel, plot, i, spans, count);
            labels = fmax(labels, pbt_frame_labels(&panel.frame, height));
            done_panel(&panel);
        }
    }
    for (uint32_t i = 0; i < space->count; i++) {
        struct panel panel;
        if (varies(plot->results, i)) {
            init_panel(&panel, plot, i, spans, count);
            panel.frame.labels = labels;
            draw_panel(&panel, spans, count, descent, top, top + height);
            done_panel(&panel);
            top += height;
        }
    }
}

int pbt_plot_parameters(const struct pbt_plot *plot, struct pbt_error *error)
{
    size_t count;
    const struct pbt_run_info *run = pbt_results_run(plot->results);
    struct pbt_descent descent;
    if (pbt_plot_panels(plot->results) == 0) {
        return pbt_fail(error, PBT_E0851,
                        "%s has no hyperparameter that differs anywhere",
                        run->dir);
    }
    struct pbt_span *spans = pbt_spans(plot->results, &count, error);
    if (spans == NULL) {
        return PBT_ENOMEM;
    }
    int status = pbt_descent_of_best(&descent, plot->results, error);
    if (status == PBT_OK) {
        draw_panels(plot, spans, count, &descent);
    }
    pbt_descent_done(&descent);
    free(spans);
    return status;
}
