#include "plot/lanes.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "results/tree.h"

/* The next one is `trial`'s. */
static void add_lane(struct pbt_lanes *lanes, const struct pbt_results *results,
                     uint32_t trial)
{
    uint32_t row = lanes->count++;
    lanes->rows[trial] = row;
    lanes->names[row] = pbt_trial_short_name(results, trial, lanes->texts[row]);
}

int pbt_lanes_init(struct pbt_lanes *lanes, const struct pbt_results *results,
                   struct pbt_error *error)
{
    const struct pbt_run_info *run = pbt_results_run(results);
    *lanes = (struct pbt_lanes){0};
    lanes->texts = calloc(run->trials, sizeof *lanes->texts);
    lanes->names = calloc(run->trials, sizeof *lanes->names);
    lanes->rows = calloc(run->trials, sizeof *lanes->rows);
    if (lanes->texts == NULL || lanes->names == NULL || lanes->rows == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < run->trials; i++) {
        add_lane(lanes, results, i);
    }
    return PBT_OK;
}

/* A family: the trials that descend from one first configuration. */
struct family {
    uint32_t root;
    uint32_t size;
};

/* The largest first. */
static int compare_families(const void *a, const void *b)
{
    const struct family *x = a;
    const struct family *y = b;
    if (x->size != y->size) {
        return x->size > y->size ? -1 : 1;
    }
    return x->root < y->root ? -1 : 1;
}

static void order(struct pbt_lanes *lanes, const struct pbt_tree *tree,
                  struct family *families)
{
    for (uint32_t i = 0; i < tree->trials; i++) {
        families[i] = (struct family){.root = i};
        for (uint32_t at = tree->nodes[i].shown ? i : PBT_NONE; at != PBT_NONE;
             at = pbt_tree_after(tree, i, at)) {
            families[i].size += tree->nodes[at].present ? 1 : 0;
        }
    }
    qsort(families, tree->trials, sizeof *families, compare_families);
    lanes->count = 0;
    for (uint32_t i = 0; i < tree->trials && families[i].size > 0; i++) {
        uint32_t root = families[i].root;
        for (uint32_t at = root; at != PBT_NONE;
             at = pbt_tree_after(tree, root, at)) {
            if (tree->nodes[at].present) {
                add_lane(lanes, tree->results, tree->nodes[at].trial);
            }
        }
    }
}

int pbt_lanes_by_descent(struct pbt_lanes *lanes,
                         const struct pbt_results *results,
                         struct pbt_error *error)
{
    struct pbt_tree tree;
    int status = pbt_tree_make(&tree, results, false, error);
    if (status != PBT_OK) {
        return status;
    }
    struct family *families = calloc((size_t)tree.trials + 1, sizeof *families);
    if (families != NULL) {
        order(lanes, &tree, families);
    } else {
        status = pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    free(families);
    pbt_tree_done(&tree);
    return status;
}

/* Whether `a` is better than `b`; numbers are better than none. */
static bool is_better(const struct pbt_results *results, uint32_t a, uint32_t b)
{
    double sign = pbt_results_run(results)->mode == PBT_MODE_MIN ? -1 : 1;
    double x = sign * pbt_results_trial(results, a)->score;
    double y = sign * pbt_results_trial(results, b)->score;
    return isfinite(x) && (!isfinite(y) || x > y);
}

/* The best trial that has no lane yet, or PBT_NONE. */
static uint32_t next_best(const struct pbt_lanes *lanes,
                          const struct pbt_results *results)
{
    uint32_t best = PBT_NONE;
    for (uint32_t i = 0; i < pbt_results_run(results)->trials; i++) {
        if (lanes->rows[i] == PBT_NONE &&
            (best == PBT_NONE || is_better(results, i, best))) {
            best = i;
        }
    }
    return best;
}

/* Lanes for a trial and those whose weights it stands on. */
static void add_line(struct pbt_lanes *lanes, const struct pbt_results *results,
                     uint32_t trial, uint32_t limit)
{
    size_t all;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(results, &all);
    uint32_t exploit = pbt_results_trial(results, trial)->exploit;
    for (;;) {
        if (lanes->rows[trial] == PBT_NONE && lanes->count < limit) {
            add_lane(lanes, results, trial);
        }
        if (exploit == PBT_NONE) {
            return;
        }
        trial = exploits[exploit].donor;
        exploit = exploits[exploit].parent;
    }
}

void pbt_lanes_of_best(struct pbt_lanes *lanes,
                       const struct pbt_results *results,
                       const struct pbt_descent *descent, uint32_t limit)
{
    for (uint32_t i = 0; i < pbt_results_run(results)->trials; i++) {
        lanes->rows[i] = PBT_NONE;
    }
    lanes->count = 0;
    for (size_t i = 0; i < descent->count; i++) {
        if (lanes->rows[descent->items[i].trial] == PBT_NONE) {
            add_lane(lanes, results, descent->items[i].trial);
        }
    }
    while (lanes->count < limit) {
        uint32_t trial = next_best(lanes, results);
        if (trial == PBT_NONE) {
            return;
        }
        add_line(lanes, results, trial, limit);
    }
}

double pbt_lane_y(const struct pbt_lanes *lanes, const struct pbt_frame *frame,
                  uint32_t trial)
{
    return pbt_frame_y(frame, lanes->rows[trial]);
}

void pbt_lanes_done(struct pbt_lanes *lanes)
{
    free(lanes->texts);
    free(lanes->names);
    free(lanes->rows);
}

void pbt_lanes_draw(const struct pbt_lanes *lanes, const struct pbt_plot *plot,
                    struct pbt_frame *frame, const char *what,
                    const char *subtitle, const struct pbt_descent *descent,
                    bool legend)
{
    struct pbt_canvas *canvas = plot->canvas;
    const struct pbt_run_info *run = pbt_results_run(plot->results);
    char title[200];
    char below[300];
    char name[32] = "";
    /* Without colours what did not lead to it is dotted. */
    const char *marked = pbt_canvas_is_plain(canvas)
                             ? "drawn through: what led to "
                             : "in orange: what led to ";
    if (descent->count > 0) {
        (void)pbt_trial_short_name(plot->results, descent->trial, name);
    }
    (void)snprintf(title, sizeof title, "%s: %s", run->name, what);
    (void)snprintf(below, sizeof below, "%s%s%s%s%s", subtitle,
                   subtitle[0] != '\0' && descent->count > 0 ? "; " : "",
                   descent->count > 0 ? marked : "", name,
                   descent->count > 0 ? ", the best" : "");
    double top = pbt_title_draw(canvas, title, below);
    frame->canvas = canvas;
    frame->y = (struct pbt_axis){.label = "trial",
                                 .low = lanes->count - 0.3,
                                 .high = -0.7,
                                 .names = lanes->names,
                                 .name_count = lanes->count};
    double room = legend && !pbt_canvas_is_terminal(canvas) ? 10 : 2;
    pbt_frame_draw(frame, canvas->em, top, canvas->width - room * canvas->em,
                   canvas->height);
}

double pbt_lane_width(const struct pbt_frame *frame)
{
    double lane = fabs(pbt_frame_y(frame, 1) - pbt_frame_y(frame, 0));
    return fmin(fmax(0.6 * lane, 1), 9);
}
