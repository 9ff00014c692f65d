/*
 * lineage.c: the family tree.  Each trial has a lane; an exploit leads from the donor's to the
 * trial's own, whose weights end there.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plot/data.h"
#include "plot/lanes.h"

/* That a terminal's lines have room for. */
#define TERMINAL_LANES 8

struct tree {
    const struct pbt_plot *plot;
    const struct pbt_lanes *lanes;
    struct pbt_frame frame;
    double low; /* scores, in the user's sign */
    double high;
    bool minimize;
};

static double score_of(const struct tree *tree, const struct pbt_span *span)
{
    size_t all;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(tree->plot->results, &all);
    return span->end == PBT_NONE
               ? pbt_results_trial(tree->plot->results, span->trial)->score
               : exploits[span->end].score;
}

static struct pbt_color color_of(const struct tree *tree, double score)
{
    if (!isfinite(score)) {
        return pbt_faint;
    }
    double span = tree->high - tree->low;
    double at = span > 0 ? (score - tree->low) / span : 1;
    /* The yellow end is too light on white. */
    return pbt_color_scale(0.93 * (tree->minimize ? 1 - at : at));
}

static bool has_lane(const struct tree *tree, uint32_t trial)
{
    return tree->lanes->rows[trial] != PBT_NONE;
}

static void draw_span(const struct tree *tree, const struct pbt_span *span,
                      double width, struct pbt_color color, bool dotted)
{
    double y = pbt_lane_y(tree->lanes, &tree->frame, span->trial);
    pbt_canvas_segment(tree->plot->canvas,
                       pbt_frame_x(&tree->frame, (double)span->from), y,
                       pbt_frame_x(&tree->frame, (double)span->until), y, width,
                       color, dotted);
}

/* From the donor's lane to the trial's. */
static void draw_exploit(const struct tree *tree,
                         const struct pbt_exploit_info *exploit, double width,
                         struct pbt_color color, bool dotted)
{
    double x = pbt_frame_x(&tree->frame, (double)exploit->donor_iteration);
    pbt_canvas_segment(tree->plot->canvas, x,
                       pbt_lane_y(tree->lanes, &tree->frame, exploit->donor), x,
                       pbt_lane_y(tree->lanes, &tree->frame, exploit->trial),
                       width, color, dotted);
}

static void draw_descent(const struct tree *tree,
                         const struct pbt_descent *descent)
{
    size_t all;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(tree->plot->results, &all);
    double width = pbt_lane_width(&tree->frame);
    for (size_t i = 0; i < descent->count; i++) {
        const struct pbt_span *span = &descent->items[i];
        draw_span(tree, span, fmax(width, 3), pbt_accent, false);
        if (span->exploit != PBT_NONE) {
            draw_exploit(tree, &exploits[span->exploit], 2.5, pbt_accent,
                         false);
        }
    }
}

static void draw_legend(const struct tree *tree)
{
    struct pbt_canvas *canvas = tree->plot->canvas;
    const char *metric = pbt_results_run(tree->plot->results)->metric;
    char text[48];
    double x = tree->frame.right + 2 * canvas->em;
    double y = tree->frame.top;
    if (metric == NULL || tree->low > tree->high) {
        return;
    }
    for (int i = 0; i <= 8; i++) {
        double score = tree->high - i * (tree->high - tree->low) / 8;
        pbt_canvas_box(canvas, x, y, x + 1.5 * canvas->em, y + canvas->line,
                       color_of(tree, score));
        if (i % 4 == 0) {
            (void)snprintf(text, sizeof text, "%.4g", score);
            pbt_canvas_text(canvas, x + 2 * canvas->em, y + canvas->line / 2,
                            PBT_ANCHOR_LEFT, 1, false, pbt_ink, text);
        }
        y += canvas->line;
    }
}

static void find_range(struct tree *tree, const struct pbt_span *spans,
                       size_t count)
{
    tree->low = (double)INFINITY;
    tree->high = -(double)INFINITY;
    for (size_t i = 0; i < count; i++) {
        double score = score_of(tree, &spans[i]);
        if (isfinite(score)) {
            tree->low = fmin(tree->low, score);
            tree->high = fmax(tree->high, score);
        }
    }
}

static void draw(struct tree *tree, const struct pbt_span *spans, size_t count,
                 const struct pbt_descent *descent)
{
    struct pbt_canvas *canvas = tree->plot->canvas;
    const struct pbt_results *results = tree->plot->results;
    size_t all;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(results, &all);
    double width = pbt_lane_width(&tree->frame);
    find_range(tree, spans, count);
    pbt_frame_clip(&tree->frame);
    double trials = tree->lanes->count;
    bool dotted = pbt_canvas_is_plain(canvas);
    struct pbt_color faint =
        pbt_color_alpha(pbt_ink, fmax(0.02, fmin(0.3, 4 / trials)));
    for (size_t i = 0; i < all; i++) {
        if (!exploits[i].undone && has_lane(tree, exploits[i].donor) &&
            has_lane(tree, exploits[i].trial)) {
            draw_exploit(tree, &exploits[i], 1, faint, dotted);
        }
    }
    for (size_t i = 0; i < count; i++) {
        if (has_lane(tree, spans[i].trial)) {
            draw_span(tree, &spans[i], width,
                      color_of(tree, score_of(tree, &spans[i])), dotted);
        }
    }
    draw_descent(tree, descent);
    pbt_canvas_unclip(canvas);
    if (!pbt_canvas_is_terminal(canvas)) {
        draw_legend(tree);
    }
}

int pbt_plot_lineage(const struct pbt_plot *plot, struct pbt_error *error)
{
    size_t count;
    const struct pbt_run_info *run = pbt_results_run(plot->results);
    struct tree tree = {.plot = plot, .minimize = run->mode == PBT_MODE_MIN};
    struct pbt_descent descent;
    struct pbt_lanes lanes;
    char subtitle[200];
    int64_t last = 1;
    struct pbt_span *spans = pbt_spans(plot->results, &count, error);
    if (spans == NULL) {
        return PBT_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        last = spans[i].until > last ? spans[i].until : last;
    }
    int status = pbt_lanes_init(&lanes, plot->results, error);
    if (status == PBT_OK && run->trials > PBT_PLOT_LINES) {
        status = pbt_lanes_by_descent(&lanes, plot->results, error);
    }
    if (status == PBT_OK) {
        status = pbt_descent_of_best(&descent, plot->results, error);
    }
    if (status == PBT_OK) {
        bool few = pbt_canvas_is_terminal(plot->canvas) &&
                   run->trials > PBT_PLOT_LINES && descent.count > 0;
        bool coloured =
            run->metric != NULL && !pbt_canvas_is_plain(plot->canvas);
        if (few) {
            pbt_lanes_of_best(&lanes, plot->results, &descent, TERMINAL_LANES);
        }
        (void)snprintf(subtitle, sizeof subtitle, "%s%s",
                       coloured ? "coloured by " : "",
                       coloured ? run->metric : "");
        if (few) {
            size_t length = strlen(subtitle);
            (void)snprintf(subtitle + length, sizeof subtitle - length,
                           "%s%u of %u trials", length > 0 ? "; " : "",
                           lanes.count, run->trials);
        }
        tree.lanes = &lanes;
        tree.frame.x =
            pbt_axis_over("training iteration", 0, (double)last, false);
        pbt_lanes_draw(&lanes, plot, &tree.frame, "descent", subtitle, &descent,
                       run->metric != NULL);
        draw(&tree, spans, count, &descent);
        pbt_descent_done(&descent);
    }
    pbt_lanes_done(&lanes);
    free(spans);
    return status;
}
