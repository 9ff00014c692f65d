/*
 * judge_model.c: what the judge believes of trials, checkpoints and restart points, and how that
 * changes.
 */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

bool judge_same_id(struct pbt_checkpoint_id a, struct pbt_checkpoint_id b)
{
    return a.trial == b.trial && a.number == b.number;
}

bool judge_same_config(const struct judge *judge, const struct judge_config *a,
                       const struct pbt_cell *b)
{
    for (uint32_t i = 0; i < judge->settings->space.count; i++) {
        if (!pbt_cell_same(a->cells[i], b[i])) {
            return false;
        }
    }
    return true;
}

struct judge_config judge_config_of(const struct judge *judge,
                                    const struct pbt_cell *cells)
{
    struct judge_config config;
    memset(&config, 0, sizeof config);
    memcpy(config.cells, cells,
           judge->settings->space.count * sizeof *config.cells);
    return config;
}

struct judge_checkpoint *judge_checkpoint(struct judge *judge,
                                          struct pbt_checkpoint_id id)
{
    struct judge_trial *trial = &judge->trials[id.trial];
    bool known = id.number > 0 && id.number <= trial->checkpoint_count;
    return known ? &trial->checkpoints[id.number - 1] : NULL;
}

struct judge_checkpoint *judge_add_checkpoint(struct judge *judge,
                                              struct pbt_checkpoint_id id)
{
    struct judge_trial *trial = &judge->trials[id.trial];
    while (trial->checkpoint_capacity < id.number) {
        uint32_t capacity = trial->checkpoint_capacity == 0
                                ? 16
                                : 2 * trial->checkpoint_capacity;
        trial->checkpoints =
            realloc(trial->checkpoints, capacity * sizeof *trial->checkpoints);
        if (trial->checkpoints == NULL) {
            abort();
        }
        memset(&trial->checkpoints[trial->checkpoint_capacity], 0,
               (capacity - trial->checkpoint_capacity) *
                   sizeof *trial->checkpoints);
        trial->checkpoint_capacity = capacity;
    }
    if (trial->checkpoint_count < id.number) {
        trial->checkpoint_count = id.number;
    }
    return &trial->checkpoints[id.number - 1];
}

/* --- restart points ----------------------------------------------------------- */

void judge_drop_point(struct judge_trial *trial, uint32_t at)
{
    memmove(&trial->points[at], &trial->points[at + 1],
            (trial->point_count - at - 1) * sizeof trial->points[0]);
    trial->point_count--;
}

static bool is_durable(struct judge *judge, const struct judge_point *point)
{
    const struct judge_checkpoint *saved =
        judge_checkpoint(judge, point->checkpoint);
    return saved != NULL && saved->durable;
}

/* The newest two durable ones and what is above them stay, and the bottom. */
static void prune(struct judge *judge, struct judge_trial *trial)
{
    uint32_t durable = 0;
    for (uint32_t i = trial->point_count; i-- > 1;) {
        if (durable == 2) {
            judge_drop_point(trial, i);
        } else if (is_durable(judge, &trial->points[i])) {
            durable++;
        }
    }
    for (uint32_t i = 1; trial->point_count == JUDGE_POINTS; i++) {
        if (!is_durable(judge, &trial->points[i])) {
            judge_drop_point(trial, i);
        }
    }
}

void judge_push_point(struct judge *judge, struct judge_trial *trial,
                      struct pbt_checkpoint_id checkpoint)
{
    prune(judge, trial);
    trial->points[trial->point_count++] =
        (struct judge_point){.checkpoint = checkpoint,
                             .pair = trial->pair,
                             .config = trial->config,
                             .iteration = trial->iteration,
                             .last_perturbation = trial->last_perturbation,
                             .exploits = trial->exploits,
                             .lineage = trial->lineage,
                             .ranked = trial->ranked,
                             .score = trial->score,
                             .scores = trial->scores,
                             .sample = trial->sample,
                             .settled = trial->settled};
}

void judge_note_best(struct judge_trial *trial)
{
    if (trial->pair.number != 0 && isfinite(trial->score) &&
        (!trial->has_best || trial->score > trial->best_score)) {
        trial->has_best = true;
        trial->best = trial->pair;
        trial->best_score = trial->score;
    }
}

void judge_go_back(struct judge_trial *trial)
{
    const struct judge_point *top = &trial->points[trial->point_count - 1];
    trial->asked = false;
    trial->adopts = false;
    trial->terminates = false;
    trial->stopping = false;
    trial->pair = top->pair;
    trial->config = top->config;
    trial->iteration = top->iteration;
    trial->last_perturbation = top->last_perturbation;
    trial->exploits = top->exploits;
    trial->lineage = top->lineage;
    trial->ranked = top->ranked;
    trial->score = top->score;
    trial->scores = top->scores;
    trial->sample = top->sample;
    trial->settled = top->settled;
    judge_note_best(trial);
}

void judge_finish(struct judge_trial *trial, bool error)
{
    trial->over = true;
    trial->replaces = false;
    trial->held = false;
    trial->error = error;
    trial->asked = false;
    trial->adopts = false;
    trial->pair = (struct pbt_checkpoint_id){0, 0};
    trial->best = (struct pbt_checkpoint_id){0, 0};
    trial->has_best = false;
    while (trial->point_count > 2) {
        judge_drop_point(trial, trial->point_count - 2);
    }
}

void judge_stop_asking(struct judge_trial *trial)
{
    if (trial->replaces) {
        judge_finish(trial, true);
    } else if (trial->asked && !trial->process && trial->created) {
        judge_go_back(trial);
    }
    trial->asked = false;
}

bool judge_is_final(enum pbt_end end)
{
    return end == PBT_END_STOP_ALL || end == PBT_END_TIME_BUDGET;
}

bool judge_is_answer(const struct judge *judge,
                     const struct judge_config *asked,
                     const struct pbt_cell *cells)
{
    for (uint32_t i = 0; i < judge->settings->space.count; i++) {
        bool open = asked->cells[i].type == PBT_CELL_NONE;
        if (open ? cells[i].type == PBT_CELL_NONE
                 : !pbt_cell_same(asked->cells[i], cells[i])) {
            return false;
        }
    }
    return true;
}

void judge_take_epoch(struct judge *judge, const struct pbt_record *record)
{
    if (record->epoch <= judge->last_epoch) {
        judge_object(judge, "epoch %" PRIu64 " does not follow on %" PRIu64,
                     record->epoch, judge->last_epoch);
    }
    judge->last_epoch = record->epoch;
    judge->trials[record->trial].epoch = record->epoch;
    judge->trials[record->trial].seq = 0;
    judge->trials[record->trial].saved_seq = 0;
    judge->trials[record->trial].resting = false;
    judge->trials[record->trial].saving = false;
}

double judge_clock_of(const struct judge *judge, int64_t iteration,
                      double time_total)
{
    return judge->settings->time_attr == PBT_TIME_ITERATION ? (double)iteration
                                                            : time_total;
}

bool judge_keeps_weights(const struct judge *judge)
{
    return judge->settings->copies == PBT_COPIES_HYPERPARAMETERS;
}
