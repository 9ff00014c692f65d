/*
 * metric.c: a metric by iteration or time: one line a trial, or the bands of many.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plot/data.h"

#define BINS 200

struct curves {
    const struct pbt_plot *plot;
    struct pbt_data data;
    struct pbt_descent descent;
    struct pbt_frame frame;
    struct pbt_spot *spots; /* as many as any line has */
    const char *metric;
    double unit; /* what x is divided by */
};

static struct pbt_spot spot_of(const struct curves *curves,
                               const struct pbt_point *point)
{
    return (struct pbt_spot){
        pbt_frame_x(&curves->frame, point->x / curves->unit),
        pbt_frame_y(&curves->frame, point->y)};
}

/*
 * Of the spots of one dot's width only the first, the lowest, the highest and the last are seen:
 * drops the others, in place, and returns how many are left.
 */
static size_t thin_out(struct pbt_spot *spots, size_t count)
{
    size_t kept = 0;
    for (size_t i = 0; i < count;) {
        double column = floor(spots[i].x);
        size_t low = i;
        size_t high = i;
        size_t end = i;
        for (; end < count && floor(spots[end].x) == column; end++) {
            low = spots[end].y < spots[low].y ? end : low;
            high = spots[end].y > spots[high].y ? end : high;
        }
        size_t ends[4] = {i, low < high ? low : high, low < high ? high : low,
                          end - 1};
        for (size_t k = 0; k < 4; k++) {
            if (k == 0 || ends[k] != ends[k - 1]) {
                spots[kept++] = spots[ends[k]];
            }
        }
        i = end;
    }
    return kept;
}

static void draw_piece(struct curves *curves, size_t count, double width,
                       struct pbt_color color)
{
    size_t kept = thin_out(curves->spots, count);
    pbt_canvas_line(curves->plot->canvas, curves->spots, kept, width, color,
                    false);
    if (count == 1) {
        pbt_canvas_dot(curves->plot->canvas, curves->spots[0].x,
                       curves->spots[0].y, width, color);
    }
}

/* Pieces between exploits, and from each to the next a dotted line that ends in a dot. */
static void draw_trial(struct curves *curves, uint32_t trial,
                       struct pbt_color color)
{
    const struct pbt_series *series = &curves->data.series[trial];
    struct pbt_canvas *canvas = curves->plot->canvas;
    const struct pbt_point *last = NULL;
    struct pbt_spot end = {0, 0};
    size_t count = 0;
    for (size_t i = 0; i < series->count; i++) {
        const struct pbt_point *point = &series->points[i];
        if (point->undone) {
            continue;
        }
        struct pbt_spot place = spot_of(curves, point);
        if (last != NULL && last->exploit != point->exploit) {
            draw_piece(curves, count, 1.6, color);
            pbt_canvas_segment(canvas, end.x, end.y, place.x, place.y, 1, color,
                               true);
            pbt_canvas_dot(canvas, place.x, place.y,
                           pbt_exploit_dot(curves->plot->results), color);
            count = 0;
        }
        curves->spots[count++] = place;
        end = place;
        last = point;
    }
    if (count > 0) {
        draw_piece(curves, count, 1.6, color);
    }
}

/* What an ancestor reported on the way to the best trial's weights. */
static size_t path_of(const struct curves *curves,
                      const struct pbt_span *ancestor, struct pbt_spot *spots)
{
    const struct pbt_series *series = &curves->data.series[ancestor->trial];
    size_t count = 0;
    int64_t last = INT64_MIN;
    for (size_t i = 0; i < series->count; i++) {
        const struct pbt_point *point = &series->points[i];
        if (point->exploit == ancestor->exploit &&
            point->iteration > ancestor->from &&
            point->iteration <= ancestor->until && point->iteration > last) {
            spots[count++] = spot_of(curves, point);
            last = point->iteration;
        }
    }
    return count;
}

static void draw_descent(struct curves *curves, double width,
                         struct pbt_color color)
{
    struct pbt_spot end = {0, 0};
    for (size_t i = 0; i < curves->descent.count; i++) {
        size_t count =
            path_of(curves, &curves->descent.items[i], curves->spots);
        if (count == 0) {
            continue;
        }
        if (i > 0 && end.x > 0) {
            pbt_canvas_segment(curves->plot->canvas, end.x, end.y,
                               curves->spots[0].x, curves->spots[0].y, width,
                               color, false);
        }
        end = curves->spots[count - 1];
        draw_piece(curves, count, width, color);
    }
}

/* --- many trials: bands ----------------------------------------------------- */

static int by_value(const void *a, const void *b)
{
    double left = *(const double *)a;
    double right = *(const double *)b;
    return (left > right) - (left < right);
}

static size_t bin_of(const struct curves *curves, double x)
{
    const struct pbt_data *data = &curves->data;
    double span = data->x_high - data->x_low;
    double bin = span > 0 ? (x - data->x_low) / span * BINS : 0;
    return bin >= BINS ? BINS - 1 : (size_t)fmax(bin, 0);
}

/* values[bin * trials + trial]: where the trial's line is there; NaN: nowhere. */
static void fill_bins(const struct curves *curves, double *values)
{
    const struct pbt_data *data = &curves->data;
    for (size_t i = 0; i < (size_t)BINS * data->trials; i++) {
        values[i] = (double)NAN;
    }
    for (uint32_t trial = 0; trial < data->trials; trial++) {
        const struct pbt_series *series = &data->series[trial];
        const struct pbt_point *last = NULL;
        for (size_t i = 0; i < series->count; i++) {
            const struct pbt_point *point = &series->points[i];
            if (point->undone) {
                continue;
            }
            size_t to = bin_of(curves, point->x);
            size_t from = last != NULL ? bin_of(curves, last->x) : to;
            for (size_t bin = from; bin < to; bin++) {
                double part = (double)(bin - from) / (double)(to - from);
                bool jump = point->exploit != last->exploit;
                values[bin * data->trials + trial] =
                    last->y + (jump ? 0 : part * (point->y - last->y));
            }
            values[to * data->trials + trial] = point->y;
            last = point;
        }
        /* By the clock a trial that waits, or has ended, is still where it was. */
        size_t end =
            last != NULL && curves->plot->x == PBT_PLOT_TIMESTAMP ? BINS : 0;
        for (size_t bin = last != NULL ? bin_of(curves, last->x) + 1 : BINS;
             bin < end; bin++) {
            values[bin * data->trials + trial] = last->y;
        }
    }
}

/* The quantile `part` of each bin, as spots; bins without a trial are left out. */
static size_t quantiles(const struct curves *curves, const double *values,
                        const size_t *counts, double part,
                        struct pbt_spot *spots)
{
    const struct pbt_data *data = &curves->data;
    double span = data->x_high - data->x_low;
    size_t count = 0;
    for (size_t bin = 0; bin < BINS; bin++) {
        if (counts[bin] == 0) {
            continue;
        }
        const double *sorted = values + bin * data->trials;
        double at = part * (double)(counts[bin] - 1);
        double x = data->x_low + ((double)bin + 0.5) / BINS * span;
        spots[count++] = (struct pbt_spot){
            pbt_frame_x(&curves->frame, x / curves->unit),
            pbt_frame_y(&curves->frame, sorted[(size_t)(at + 0.5)])};
    }
    return count;
}

static void draw_band(const struct curves *curves, const double *values,
                      const size_t *counts, double low, double high,
                      struct pbt_color color)
{
    struct pbt_spot around[2 * BINS];
    struct pbt_spot other[BINS];
    size_t count = quantiles(curves, values, counts, low, around);
    (void)quantiles(curves, values, counts, high, other);
    for (size_t i = 0; i < count; i++) {
        around[count + i] = other[count - 1 - i];
    }
    pbt_canvas_area(curves->plot->canvas, around, 2 * count, color);
}

static int draw_bands(struct curves *curves, struct pbt_error *error)
{
    size_t counts[BINS];
    size_t trials = curves->data.trials;
    struct pbt_spot median[BINS];
    double *values = malloc(BINS * trials * sizeof *values);
    if (values == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    fill_bins(curves, values);
    for (size_t bin = 0; bin < BINS; bin++) {
        double *row = values + bin * trials;
        counts[bin] = 0;
        for (size_t i = 0; i < trials; i++) {
            if (!isnan(row[i])) {
                row[counts[bin]++] = row[i];
            }
        }
        qsort(row, counts[bin], sizeof *row, by_value);
    }
    struct pbt_color blue = pbt_hues[0];
    draw_band(curves, values, counts, 0, 1, pbt_color_alpha(blue, 0.13));
    draw_band(curves, values, counts, 0.25, 0.75, pbt_color_alpha(blue, 0.22));
    size_t count = quantiles(curves, values, counts, 0.5, median);
    pbt_canvas_line(curves->plot->canvas, median, count, 1.6, blue, false);
    free(values);
    return PBT_OK;
}

/* A short line at the bottom for each exploit. */
static void draw_exploits(struct curves *curves)
{
    struct pbt_canvas *canvas = curves->plot->canvas;
    double bottom = curves->frame.bottom;
    for (uint32_t trial = 0; trial < curves->data.trials; trial++) {
        const struct pbt_series *series = &curves->data.series[trial];
        for (size_t i = 1; i < series->count; i++) {
            if (series->points[i].exploit != series->points[i - 1].exploit &&
                !series->points[i].undone) {
                double x = spot_of(curves, &series->points[i]).x;
                pbt_canvas_segment(canvas, x, bottom, x,
                                   bottom - 0.5 * canvas->line, 1,
                                   pbt_color_alpha(pbt_ink, 0.25), false);
            }
        }
    }
}

/* --- legend and frame ------------------------------------------------------- */

static const struct pbt_point *last_point(const struct pbt_series *series)
{
    size_t i = series->count;
    while (i > 0 && series->points[i - 1].undone) {
        i--;
    }
    return i > 0 ? &series->points[i - 1] : NULL;
}

static bool has_hues(const struct curves *curves)
{
    return curves->data.trials <= PBT_HUES;
}

/* A line of the legend: a stroke, a trial's name, and what it has reached. */
struct entry {
    uint32_t trial;
    double end; /* of its curve; NaN: it has none */
    double y;
    char name[40];
    char value[32];
};

struct legend {
    struct entry entries[PBT_HUES]; /* from the top */
    uint32_t count;
    double names; /* how wide these are */
    double values;
};

static int by_end(const void *a, const void *b)
{
    const struct entry *left = a;
    const struct entry *right = b;
    double x = isnan(left->end) ? -(double)INFINITY : left->end;
    double y = isnan(right->end) ? -(double)INFINITY : right->end;
    return x != y ? (x < y) - (x > y)
                  : (left->trial > right->trial) - (left->trial < right->trial);
}

static void make_legend(const struct curves *curves, struct legend *legend)
{
    struct pbt_canvas *canvas = curves->plot->canvas;
    *legend = (struct legend){.count = 0};
    for (uint32_t i = 0; has_hues(curves) && i < curves->data.trials; i++) {
        struct entry *entry = &legend->entries[legend->count++];
        const struct pbt_point *last = last_point(&curves->data.series[i]);
        bool best = i == curves->descent.trial;
        char name[32];
        *entry = (struct entry){.trial = i,
                                .end = last != NULL ? last->y : (double)NAN};
        (void)pbt_trial_short_name(curves->plot->results, i, name);
        (void)snprintf(entry->name, sizeof entry->name, "%s%s", name,
                       best ? " *" : "");
        if (last != NULL) {
            (void)snprintf(entry->value, sizeof entry->value, "%.4g", last->y);
        }
        legend->names = fmax(
            legend->names, pbt_canvas_text_width(canvas, 1, best, entry->name));
        legend->values =
            fmax(legend->values,
                 pbt_canvas_text_width(canvas, 1, best, entry->value));
    }
    qsort(legend->entries, legend->count, sizeof *legend->entries, by_end);
}

/* Left of the names: room for a stroke in the trial's colour, where there are colours. */
static double stroke_width(const struct curves *curves)
{
    return pbt_canvas_is_plain(curves->plot->canvas)
               ? 0
               : 3 * curves->plot->canvas->em;
}

static double legend_width(const struct curves *curves,
                           const struct legend *legend)
{
    return legend->count == 0
               ? 0
               : stroke_width(curves) + legend->names + legend->values +
                     4 * curves->plot->canvas->em;
}

/* Each beside the end of its curve, as far as they leave each other room. */
static void place_legend(const struct curves *curves, struct legend *legend)
{
    const struct pbt_frame *frame = &curves->frame;
    double line = curves->plot->canvas->line;
    double least = frame->top;
    for (uint32_t i = 0; i < legend->count; i++) {
        struct entry *entry = &legend->entries[i];
        entry->y = isnan(entry->end)
                       ? least
                       : fmax(pbt_frame_y(frame, entry->end), least);
        least = entry->y + line;
    }
    double most = frame->bottom - line / 2;
    for (uint32_t i = legend->count; i > 0; i--) {
        struct entry *entry = &legend->entries[i - 1];
        entry->y = fmin(entry->y, most);
        most = entry->y - line;
    }
}

static void draw_legend(const struct curves *curves, struct legend *legend)
{
    struct pbt_canvas *canvas = curves->plot->canvas;
    double left = curves->frame.right + canvas->em;
    double names = left + stroke_width(curves);
    place_legend(curves, legend);
    for (uint32_t i = 0; i < legend->count; i++) {
        const struct entry *entry = &legend->entries[i];
        bool best = entry->trial == curves->descent.trial;
        if (names > left) {
            pbt_canvas_segment(canvas, left, entry->y, left + 2 * canvas->em,
                               entry->y, 2.5, pbt_hues[entry->trial], false);
        }
        pbt_canvas_text(canvas, names, entry->y, PBT_ANCHOR_LEFT, 1, best,
                        pbt_ink, entry->name);
        pbt_canvas_text(canvas, names + legend->names + canvas->em, entry->y,
                        PBT_ANCHOR_LEFT, 1, best, pbt_ink, entry->value);
    }
}

static void put_subtitle(const struct curves *curves, char *text, size_t size)
{
    char name[32] = "";
    bool best = curves->descent.trial != PBT_NONE;
    uint32_t trials = curves->data.trials;
    if (best) {
        (void)pbt_trial_short_name(curves->plot->results, curves->descent.trial,
                                   name);
    }
    int n = 0;
    if (has_hues(curves)) {
        n = snprintf(text, size, "%u trials; dots: exploits%s", trials,
                     best ? "; * the best" : "");
    } else {
        n = snprintf(text, size, "%s%u trials%s%s%s",
                     trials > PBT_PLOT_LINES ? "range, quartiles, median of "
                                             : "",
                     trials, best ? "; in colour: what led to " : "", name,
                     best ? ", the best" : "");
    }
    if (curves->data.left_out > 0 && n > 0 && (size_t)n < size) {
        n += snprintf(text + n, size - (size_t)n,
                      "; not drawn: %llu NaN or infinite",
                      (unsigned long long)curves->data.left_out);
    }
    if (curves->plot->logarithmic && !curves->frame.y.logarithmic && n > 0 &&
        (size_t)n < size) {
        (void)snprintf(text + n, size - (size_t)n,
                       "; not logarithmic: some are not above 0");
    }
}

static void set_axes(struct curves *curves, char label[64])
{
    const struct pbt_data *data = &curves->data;
    curves->unit = 1;
    switch (curves->plot->x) {
    case PBT_PLOT_ITERATION:
        curves->frame.x = pbt_axis_over("training iteration", data->x_low,
                                        data->x_high, false);
        break;
    case PBT_PLOT_TIME_TOTAL:
        curves->frame.x = pbt_axis_of_time("time trained", data->x_high, label,
                                           &curves->unit);
        break;
    case PBT_PLOT_TIMESTAMP:
        curves->frame.x = pbt_axis_of_time("time since the start", data->x_high,
                                           label, &curves->unit);
        break;
    }
    curves->frame.y = pbt_axis_over(curves->metric, data->y_low, data->y_high,
                                    curves->plot->logarithmic);
}

static void draw_frame(struct curves *curves, const struct legend *legend)
{
    struct pbt_canvas *canvas = curves->plot->canvas;
    char label[64];
    char subtitle[200];
    char title[200];
    curves->frame.canvas = canvas;
    set_axes(curves, label);
    put_subtitle(curves, subtitle, sizeof subtitle);
    (void)snprintf(title, sizeof title, "%s: %s",
                   pbt_results_run(curves->plot->results)->name,
                   curves->metric);
    double top = pbt_title_draw(canvas, title, subtitle);
    pbt_frame_draw(&curves->frame, canvas->em, top,
                   canvas->width -
                       fmax(legend_width(curves, legend), 2 * canvas->em),
                   canvas->height);
}

static int draw(struct curves *curves, struct pbt_error *error)
{
    int status = PBT_OK;
    bool terminal = pbt_canvas_is_terminal(curves->plot->canvas);
    struct legend legend;
    make_legend(curves, &legend);
    draw_frame(curves, &legend);
    pbt_frame_clip(&curves->frame);
    if (curves->data.trials > PBT_PLOT_LINES) {
        status = draw_bands(curves, error);
        draw_exploits(curves);
        draw_descent(curves, 2.5, pbt_accent);
    } else if (has_hues(curves)) {
        if (!terminal) { /* a broad shadow under the lines that led to the best */
            draw_descent(curves, 9, pbt_color_alpha(pbt_faint, 0.35));
        }
        for (uint32_t i = 0; i < curves->data.trials; i++) {
            draw_trial(curves, i, pbt_hues[i]);
        }
    } else {
        for (uint32_t i = 0; i < curves->data.trials; i++) {
            draw_trial(curves, i, pbt_color_alpha(pbt_faint, 0.8));
        }
        draw_descent(curves, 2.5, pbt_accent);
    }
    pbt_canvas_unclip(curves->plot->canvas);
    draw_legend(curves, &legend);
    return status;
}

/* Why there is nothing to draw: the query for the best one knows. */
static int nothing(const struct curves *curves, struct pbt_error *error)
{
    const struct pbt_best *best;
    struct pbt_best_query query = {.version = PBT_BEST_QUERY_INIT,
                                   .metric = curves->metric};
    int status = pbt_results_best(curves->plot->results, &query, &best, error);
    return status != PBT_OK
               ? status
               : pbt_fail(error, PBT_E0851, "no result of %s has a finite %s",
                          pbt_results_run(curves->plot->results)->dir,
                          curves->metric);
}

static int draw_data(struct curves *curves, struct pbt_error *error)
{
    size_t longest = 1;
    if (curves->data.x_low > curves->data.x_high) {
        return nothing(curves, error);
    }
    for (uint32_t i = 0; i < curves->data.trials; i++) {
        size_t count = curves->data.series[i].count;
        longest = count > longest ? count : longest;
    }
    /* thin_out() may take the first, lowest, highest and last of a dot: never more */
    curves->spots = malloc(longest * sizeof *curves->spots);
    if (curves->spots == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    int status =
        pbt_descent_of_best(&curves->descent, curves->plot->results, error);
    if (status == PBT_OK) {
        status = draw(curves, error);
    }
    pbt_descent_done(&curves->descent);
    free(curves->spots);
    return status;
}

int pbt_plot_metric(const struct pbt_plot *plot, struct pbt_error *error)
{
    const char *own = pbt_results_run(plot->results)->metric;
    struct curves curves = {.plot = plot,
                            .metric = plot->metric != NULL ? plot->metric : own,
                            .descent = {.trial = PBT_NONE}};
    if (curves.metric == NULL) {
        return pbt_fail(error, PBT_E0854,
                        "the experiment has no metric: say which with -y");
    }
    int status = pbt_data_read(&curves.data, plot->results, plot->x,
                               curves.metric, error);
    if (status == PBT_OK) {
        status = draw_data(&curves, error);
    }
    pbt_data_done(&curves.data);
    return status;
}
