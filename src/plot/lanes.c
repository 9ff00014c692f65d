#include "plot/lanes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

int pbt_lanes_init(struct pbt_lanes *lanes, const struct pbt_results *results,
                   struct pbt_error *error)
{
    const struct pbt_run_info *run = pbt_results_run(results);
    *lanes = (struct pbt_lanes){0};
    if (run->trials == 0) {
        return pbt_fail(error, PBT_E0851, "%s has no trials yet", run->dir);
    }
    lanes->texts = calloc(run->trials, sizeof *lanes->texts);
    lanes->names = calloc(run->trials, sizeof *lanes->names);
    if (lanes->texts == NULL || lanes->names == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < run->trials; i++) {
        lanes->names[i] = pbt_trial_short_name(results, i, lanes->texts[i]);
    }
    return PBT_OK;
}

void pbt_lanes_done(struct pbt_lanes *lanes)
{
    free(lanes->texts);
    free(lanes->names);
}

void pbt_lanes_draw(const struct pbt_lanes *lanes, const struct pbt_plot *plot,
                    struct pbt_frame *frame, const char *what,
                    const char *subtitle, const struct pbt_descent *descent)
{
    struct pbt_canvas *canvas = plot->canvas;
    const struct pbt_run_info *run = pbt_results_run(plot->results);
    char title[200];
    char below[300];
    char name[32] = "";
    if (descent->count > 0) {
        (void)pbt_trial_short_name(plot->results, descent->trial, name);
    }
    (void)snprintf(title, sizeof title, "%s: %s", run->name, what);
    (void)snprintf(below, sizeof below, "%s%s%s%s%s", subtitle,
                   subtitle[0] != '\0' && descent->count > 0 ? "; " : "",
                   descent->count > 0 ? "in orange: what led to " : "", name,
                   descent->count > 0 ? ", the best" : "");
    double top = pbt_title_draw(canvas, title, below);
    frame->canvas = canvas;
    frame->y = (struct pbt_axis){.label = "trial",
                                 .low = run->trials - 0.3,
                                 .high = -0.7,
                                 .names = lanes->names,
                                 .name_count = run->trials};
    double legend = pbt_canvas_is_terminal(canvas) ? 2 : 10;
    pbt_frame_draw(frame, canvas->em, top, canvas->width - legend * canvas->em,
                   canvas->height);
}

double pbt_lane_width(const struct pbt_frame *frame)
{
    double lane = fabs(pbt_frame_y(frame, 1) - pbt_frame_y(frame, 0));
    return fmin(fmax(0.6 * lane, 1), 9);
}
