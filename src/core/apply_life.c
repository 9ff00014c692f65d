/*
 * apply_life.c: records of one trial's life: it is created, starts, trains, and leaves.
 */
#include <math.h>
#include <string.h>

#include "core/apply.h"

bool pbt_apply_ready(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->phase != PBT_PHASE_START && trial->phase != PBT_PHASE_LOAD) {
        return false;
    }
    trial->phase = PBT_PHASE_RUN;
    trial->rest = true;
    trial->can_reset = record->can_reset;
    pbt_core_touch(core, record->trial);
    return true;
}

/* t_test: the score joins the last ones of these weights. */
static void keep_score(const struct pbt_core *core, struct pbt_trial *trial,
                       double score)
{
    uint32_t window = pbt_core_window(core->settings);
    if (window == 0 || !isfinite(score)) {
        return;
    }
    if (trial->score_count == window) {
        trial->score_count--;
        memmove(trial->scores, trial->scores + 1,
                trial->score_count * sizeof *trial->scores);
    }
    trial->scores[trial->score_count++] = score;
}

/* What it will be compared by, until its next point. */
static void take_sample(struct pbt_trial *trial)
{
    struct pbt_moments sample = {0};
    for (uint32_t i = 0; i < trial->score_count; i++) {
        sample = pbt_moments_join(sample, pbt_moments_of_one(trial->scores[i]));
    }
    trial->sample_count = sample.count;
    trial->sample_mean = sample.mean;
    trial->sample_squares = sample.squares;
}

/* How it comes that the trial stops. */
static void note_stop(const struct pbt_core *core, struct pbt_trial *trial,
                      const struct pbt_record *record)
{
    trial->done = record->done;
    trial->stopped_by = record->stop;
    if (record->stop > 0) {
        trial->stop_value = pbt_core_stop_value(
            &core->settings->stops[record->stop - 1], record->iteration,
            record->time_total, record->values);
    }
}

bool pbt_apply_result(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->phase != PBT_PHASE_RUN || trial->at_point ||
        record->epoch != trial->epoch || record->seq <= trial->seq ||
        record->stop > core->settings->stop_count) {
        return false;
    }
    core->results++;
    trial->setbacks = 0;
    trial->seq = record->seq;
    trial->iteration = record->iteration;
    trial->turn = pbt_core_turn(trial->turn + 1, record->iteration);
    trial->result_score = record->score;
    trial->result_value = record->values[core->settings->keep_value];
    trial->time_total = record->time_total;
    trial->rest = record->halted;
    keep_score(core, trial, record->score);
    if (record->stop > 0 || record->done) {
        trial->stopping = true;
        note_stop(core, trial, record);
        if (record->stop > 0 && core->settings->stops[record->stop - 1].all &&
            core->end_due == PBT_END_NOT) {
            core->end_due = PBT_END_STOP_ALL;
        }
    }
    if (record->point) {
        trial->last_perturbation =
            pbt_core_clock(core, record->iteration, record->time_total);
        trial->score = record->score;
        take_sample(trial);
        trial->ranked = true;
        trial->ranked_epoch = record->epoch;
        trial->ranked_seq = record->seq;
        pbt_core_set_point(core, record->trial, true);
        pbt_core_set_pair(core, record->trial,
                          (struct pbt_checkpoint_id){0, 0});
    }
    pbt_core_touch(core, record->trial);
    return true;
}

bool pbt_apply_halted(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->phase != PBT_PHASE_RUN) {
        return false;
    }
    trial->rest = true;
    /* What has nothing to be saved needs no save before it trains on. */
    trial->halting = trial->halting && trial->seq != trial->saved_seq;
    pbt_core_touch(core, record->trial);
    return true;
}

bool pbt_apply_exited(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->phase == PBT_PHASE_NONE || core->used == 0 ||
        record->epoch != trial->process_epoch ||
        record->leave == PBT_LEAVE_NOT) {
        return false;
    }
    core->used--;
    bool fatal = core->results == 0 || core->settings->fail_fast;
    if (record->leave == PBT_LEAVE_ERROR && fatal &&
        core->end_due == PBT_END_NOT) {
        core->end_due = PBT_END_FAILED;
    }
    trial->not_before = record->wait > 0 ? record->time + record->wait : 0;
    pbt_apply_after_process(core, record->trial, record->leave);
    return true;
}

bool pbt_apply_trial(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->created || record->trial != core->created ||
        record->cells == NULL) {
        return false;
    }
    pbt_apply_clear_ask(core, trial);
    trial->phase = PBT_PHASE_NONE;
    core->created++;
    trial->created = true;
    trial->state = trial->held ? PBT_CORE_PAUSED : PBT_CORE_PENDING;
    trial->lineage = record->lineage;
    trial->score = (double)NAN;
    trial->best_score = (double)NAN;
    trial->result_score = (double)NAN;
    trial->result_value = (double)NAN;
    pbt_apply_cells(core, trial->cells, record->cells);
    pbt_core_push_restart(core, record->trial,
                          (struct pbt_checkpoint_id){0, 0});
    pbt_core_set_startable(core, record->trial);
    pbt_core_touch(core, record->trial);
    if (trial->end_asked) { /* while its first values were asked for */
        pbt_apply_finish(core, record->trial, PBT_CORE_TERMINATED);
    }
    return true;
}

bool pbt_apply_ask_first(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->created || record->trial != core->created || trial->ask != 0 ||
        record->cells == NULL) {
        return false;
    }
    trial->phase = PBT_PHASE_ASK;
    trial->ask = record->number;
    trial->ask_donor = record->trial;
    trial->ask_iteration = 0;
    pbt_apply_cells(core, trial->ask_old, record->cells);
    pbt_apply_cells(core, trial->ask_new, record->cells);
    pbt_core_touch(core, record->trial);
    return true;
}

bool pbt_apply_start(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    bool waits = pbt_order_has(&core->startable, record->trial) ||
                 pbt_order_has(&core->delayed, record->trial);
    if (!waits ||
        !pbt_core_same_id(record->checkpoint,
                          pbt_core_top(trial)->checkpoint) ||
        !pbt_apply_epoch(core, record->epoch)) {
        return false;
    }
    trial->state = PBT_CORE_RUNNING;
    trial->phase = PBT_PHASE_START;
    trial->epoch = record->epoch;
    trial->process_epoch = record->epoch;
    trial->rest = false;
    core->used++;
    pbt_core_set_startable(core, record->trial);
    pbt_core_touch(core, record->trial);
    return true;
}

/* A new life in the same weights: replay's next configuration. */
bool pbt_apply_change(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->phase != PBT_PHASE_RUN || !trial->rest ||
        record->cells == NULL ||
        pbt_core_find(core, record->checkpoint) == NULL ||
        !pbt_apply_epoch(core, record->epoch)) {
        return false;
    }
    trial->epoch = record->epoch;
    trial->seq = 0;
    trial->saved_seq = 0;
    trial->result_score = (double)NAN;
    trial->result_value = (double)NAN;
    trial->exploits++;
    trial->recorded_exploits = trial->exploits;
    trial->lineage = record->lineage;
    pbt_apply_cells(core, trial->cells, record->cells);
    pbt_core_push_restart(core, record->trial, record->checkpoint);
    if (trial->can_reset) {
        trial->phase = PBT_PHASE_LOAD;
        trial->rest = false;
    } else {
        pbt_core_set_leave(core, record->trial, PBT_LEAVE_RESPAWN);
    }
    pbt_core_touch(core, record->trial);
    return true;
}

bool pbt_apply_leave(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->phase == PBT_PHASE_NONE || trial->phase == PBT_PHASE_LEAVE ||
        record->leave == PBT_LEAVE_NOT) {
        return false;
    }
    pbt_core_set_point(core, record->trial, false);
    pbt_core_set_leave(core, record->trial, record->leave);
    pbt_core_rank(core, record->trial);
    pbt_core_touch(core, record->trial);
    return true;
}
