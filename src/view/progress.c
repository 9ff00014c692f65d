#include "view/progress.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/printable.h"

#define NS_PER_S 1e9
#define RESULTS_BEFORE_COLLAPSE 5
#define DISK_LEAST (UINT64_C(1) << 30)

/* --- how far -------------------------------------------------------------- */

/* How near a trial is to the first stop of this kind that tells; NaN: none does. */
static double near_stop(const struct pbt_board *board,
                        const struct pbt_board_trial *trial, bool all)
{
    const struct pbt_settings *settings = &board->spec->settings;
    double nearest = (double)NAN;
    for (uint32_t i = 0; i < settings->stop_count; i++) {
        const struct pbt_stop *stop = &settings->stops[i];
        double at = stop->source == PBT_STOP_ITERATION
                        ? (double)trial->iteration
                        : trial->time_total;
        if (stop->source != PBT_STOP_VALUE && stop->all == all &&
            stop->bound > 0) {
            nearest = fmax(nearest, fmin(at / stop->bound, 1));
        }
    }
    return nearest;
}

static double trials_fraction(const struct pbt_board *board)
{
    uint32_t population = board->spec->settings.population;
    double sum = 0;
    double all = (double)NAN;
    for (uint32_t i = 0; i < population; i++) {
        const struct pbt_board_trial *trial = &board->trials[i];
        bool over = trial->status == PBT_TRIAL_TERMINATED ||
                    trial->status == PBT_TRIAL_ERROR;
        sum += over ? 1 : near_stop(board, trial, false);
        all = fmax(all, near_stop(board, trial, true));
    }
    return fmax(sum / population, all);
}

static uint32_t count_running(const struct pbt_board *board)
{
    uint32_t running = 0;
    for (uint32_t i = 0; i < board->spec->settings.population; i++) {
        running += board->trials[i].status == PBT_TRIAL_RUNNING;
    }
    return running;
}

struct pbt_progress pbt_progress_find(const struct pbt_board *board,
                                      uint64_t running_ns)
{
    struct pbt_progress progress = {.fraction = trials_fraction(board),
                                    .seconds_left = (double)NAN};
    uint64_t budget = board->spec->settings.time_budget_ns;
    double elapsed = (double)running_ns / NS_PER_S;
    if (progress.fraction > 0 && count_running(board) > 0) {
        progress.seconds_left =
            elapsed * (1 - progress.fraction) / progress.fraction;
    }
    if (budget > 0) {
        double left = fmax(((double)budget / NS_PER_S) - elapsed, 0);
        progress.fraction = fmax(progress.fraction,
                                 fmin((double)running_ns / (double)budget, 1));
        progress.seconds_left = fmin(progress.seconds_left, left);
    }
    return progress;
}

void pbt_duration_put(struct pbt_buf *out, double seconds)
{
    uint64_t s = seconds < 1e12 ? (uint64_t)fmax(seconds, 0) : 0;
    if (s < 60) {
        pbt_buf_printf(out, "%" PRIu64 "s", s);
    } else if (s < 3600) {
        pbt_buf_printf(out, "%" PRIu64 "m%02" PRIu64 "s", s / 60, s % 60);
    } else if (s < 86400) {
        pbt_buf_printf(out, "%" PRIu64 "h%02" PRIu64 "m", s / 3600,
                       s / 60 % 60);
    } else {
        pbt_buf_printf(out, "%" PRIu64 "d%02" PRIu64 "h", s / 86400,
                       s / 3600 % 24);
    }
}

bool pbt_board_over(const struct pbt_board *board)
{
    uint32_t over = 0;
    uint32_t population = board->spec->settings.population;
    for (uint32_t i = 0; i < population; i++) {
        enum pbt_trial_status status = board->trials[i].status;
        over += status == PBT_TRIAL_TERMINATED || status == PBT_TRIAL_ERROR;
    }
    return over == population;
}

/* --- what goes wrong ------------------------------------------------------ */

bool pbt_best_now(const struct pbt_board *board, uint32_t *trial, double *score)
{
    bool any = false;
    for (uint32_t i = 0; i < board->spec->settings.population; i++) {
        double mine = board->trials[i].score;
        if (isfinite(mine) && (!any || pbt_board_better(board, mine, *score))) {
            *trial = i;
            *score = mine;
            any = true;
        }
    }
    return any;
}

bool pbt_board_collapsed(const struct pbt_board *board)
{
    uint32_t trial;
    double now = 0;
    uint64_t population = board->spec->settings.population;
    if (!board->has_best || board->spec->metric == NULL ||
        board->results < RESULTS_BEFORE_COLLAPSE * population) {
        return false;
    }
    if (!pbt_best_now(board, &trial, &now)) {
        return true;
    }
    double gained = fabs(board->best_score - board->first_score);
    double lost = fabs(board->best_score - now);
    return gained > 0 && lost > gained / 2;
}

static void put_collapse(const struct pbt_board *board, struct pbt_buf *out)
{
    uint32_t trial = 0;
    double now = 0;
    pbt_buf_text(out, "WARNING: the population has collapsed: ");
    if (pbt_best_now(board, &trial, &now)) {
        pbt_buf_printf(out, "its best score is now %.4g", now);
    } else {
        pbt_buf_text(out, "no trial reports a number any more");
    }
    pbt_buf_printf(
        out,
        ", the best ever was %.4g (trial %s at iteration %" PRId64
        "; the best checkpoint is kept). Narrow the ranges in "
        "scheduler.hyperparam_mutations, or lengthen perturbation_interval\n",
        board->best_score, board->trials[board->best_trial].id,
        board->best_iteration);
}

static void put_ignored(const struct pbt_board *board, struct pbt_buf *out)
{
    size_t index;
    json_t *name;
    const char *between = "WARNING: changing ";
    json_array_foreach(board->ignored, index, name)
    {
        const char *text = json_string_value(name);
        pbt_buf_text(out, between);
        pbt_printable_put(out, text, strlen(text), false);
        between = ", ";
    }
    pbt_buf_text(out, " has no effect on what is trained: look at "
                      "reset_config (pbt explain W0309)\n");
}

void pbt_warnings_put(const struct pbt_board *board, uint64_t disk_free,
                      struct pbt_buf *out)
{
    char why[PBT_NEVER_SIZE];
    bool over = pbt_board_over(board);
    if (pbt_board_collapsed(board)) {
        put_collapse(board, out);
    }
    if (json_array_size(board->ignored) > 0) {
        put_ignored(board, out);
    }
    if (!over && pbt_spec_never_perturbs(board->spec, why, sizeof why)) {
        pbt_buf_printf(out, "WARNING: no perturbation can happen: %s\n", why);
    }
    if (!over && disk_free < DISK_LEAST) {
        pbt_buf_printf(out,
                       "WARNING: only %" PRIu64 " MiB are left on the disk of "
                       "this run: make room, or checkpoints will fail\n",
                       disk_free >> 20);
    }
}
