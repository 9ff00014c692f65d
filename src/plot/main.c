/*
 * pbt-plot: what `pbt plot` runs.  A program of its own, so that no driver carries the drawing
 * library about.  Not for people: its arguments are those that main() takes, in this order.
 *
 *     pbt-plot RUN_DIR KIND X METRIC linear|log FILE COLUMNS ROWS color|plain
 *
 * METRIC "": the experiment's.  FILE "-": the terminal, of so many columns and rows.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "plot/plot.h"

#define WIDTH 900.0 /* points */
#define HEIGHT 560.0
#define PANEL_HEIGHT 230.0
#define LANE_HEIGHT 14.0
#define LANES_MAX_HEIGHT 1300.0

static const struct {
    const char *name;
    int (*draw)(const struct pbt_plot *plot, struct pbt_error *error);
} kinds[] = {
    [PBT_PLOT_METRIC] = {"metric", pbt_plot_metric},
    [PBT_PLOT_PARAMETERS] = {"parameters", pbt_plot_parameters},
    [PBT_PLOT_LINEAGE] = {"lineage", pbt_plot_lineage},
    [PBT_PLOT_TIMELINE] = {"timeline", pbt_plot_timeline},
};

static const char *const xs[] = {
    [PBT_PLOT_ITERATION] = "training_iteration",
    [PBT_PLOT_TIME_TOTAL] = "time_total_s",
    [PBT_PLOT_TIMESTAMP] = "timestamp",
};

#define KINDS (sizeof kinds / sizeof *kinds)
#define XS (sizeof xs / sizeof *xs)

static double height_of(enum pbt_plot_kind kind,
                        const struct pbt_results *results)
{
    double trials = pbt_results_run(results)->trials;
    double height = HEIGHT;
    if (kind == PBT_PLOT_PARAMETERS) {
        height = 60 + PANEL_HEIGHT * pbt_plot_panels(results);
    } else if (kind != PBT_PLOT_METRIC) {
        height = 130 + LANE_HEIGHT * trials;
        height = height > LANES_MAX_HEIGHT ? LANES_MAX_HEIGHT : height;
        height = height < HEIGHT / 2 ? HEIGHT / 2 : height;
    }
    return height;
}

/* The file's name says its form; `pbt plot` has looked at it already. */
static enum pbt_canvas_form form_of(const char *file)
{
    const char *suffix = strrchr(file, '.');
    if (strcmp(file, "-") == 0 || suffix == NULL) {
        return PBT_CANVAS_TERMINAL;
    }
    return strcmp(suffix, ".png") == 0   ? PBT_CANVAS_PNG
           : strcmp(suffix, ".pdf") == 0 ? PBT_CANVAS_PDF
                                         : PBT_CANVAS_SVG;
}

static int draw(struct pbt_plot *plot, enum pbt_plot_kind kind, char **argv,
                struct pbt_error *error)
{
    struct pbt_canvas canvas;
    const char *file = argv[6];
    enum pbt_canvas_form form = form_of(file);
    bool terminal = form == PBT_CANVAS_TERMINAL;
    double width = terminal ? strtod(argv[7], NULL) : WIDTH;
    double height =
        terminal ? strtod(argv[8], NULL) : height_of(kind, plot->results);
    plot->canvas = &canvas;
    int status = pbt_canvas_init(&canvas, form, width, height,
                                 strcmp(argv[9], "color") == 0, error);
    if (status == PBT_OK) {
        status = kinds[kind].draw(plot, error);
    }
    if (status == PBT_OK) {
        status = pbt_canvas_write(&canvas, file, error);
    }
    pbt_canvas_done(&canvas);
    plot->canvas = NULL;
    return status;
}

/* All that is drawn is drawn by what was trained. */
static bool is_empty(const struct pbt_results *results)
{
    size_t exploits;
    (void)pbt_results_exploits(results, &exploits);
    bool empty = exploits == 0;
    for (uint32_t i = 0; i < pbt_results_run(results)->trials; i++) {
        empty = empty && pbt_results_trial(results, i)->iteration == 0;
    }
    return empty;
}

static int plot_run(char **argv, struct pbt_error *error)
{
    size_t kind = 0;
    size_t x = 0;
    struct pbt_plot plot = {.metric = argv[4][0] == '\0' ? NULL : argv[4],
                            .logarithmic = strcmp(argv[5], "log") == 0};
    while (kind < KINDS && strcmp(kinds[kind].name, argv[2]) != 0) {
        kind++;
    }
    while (x < XS && strcmp(xs[x], argv[3]) != 0) {
        x++;
    }
    if (kind == KINDS || x == XS) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "%s is not of this version of pbt", argv[0]);
    }
    plot.x = (enum pbt_plot_x)x;
    int status = pbt_results_open(&plot.results, argv[1], error);
    if (status == PBT_OK) {
        status =
            is_empty(plot.results)
                ? pbt_fail(error, PBT_E0851, "%s has no results yet", argv[1])
                : draw(&plot, (enum pbt_plot_kind)kind, argv, error);
        pbt_results_close(plot.results);
    }
    return status;
}

int main(int argc, char **argv)
{
    struct pbt_error error;
    if (argc != 10) {
        (void)fputs("pbt-plot: this is what `pbt plot` runs; see `pbt plot "
                    "--help`\n",
                    stderr);
        return PBT_EUSAGE;
    }
    int status = plot_run(argv, &error);
    if (status != PBT_OK) {
        (void)fprintf(stderr, "error[%s]: %s\n", pbt_error_id(&error),
                      error.text);
    }
    return status;
}
