/*
 * judge_lives.c: records of when a trial's lives begin and end, of drivers, and of what the user
 * asks.
 */
#include <inttypes.h>
#include <math.h>

#include "model.h"

/* It had nothing left to do but to leave. */
static bool was_done(const struct judge *judge, const struct judge_trial *trial)
{
    return trial->stopping && trial->resting && !trial->saving &&
           (trial->seq == trial->saved_seq ||
            !judge->settings->checkpoint_at_end);
}

void judge_take_opened(struct judge *judge, const struct pbt_record *record)
{
    if (record->incarnation <= judge->incarnation) {
        judge_object(judge, "incarnation %" PRIu64 " is given out again",
                     record->incarnation);
    }
    judge->incarnation = record->incarnation;
    judge->unsure -= judge->unsure > 0 && !judge->past ? 1 : 0;
    judge->slots = record->slots;
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        struct judge_trial *trial = &judge->trials[i];
        if (trial->error && !judge_is_final(judge->end) &&
            (judge->end == PBT_END_FAILED || judge->result_count == 0)) {
            trial->over = trial->error = false;
            trial->failures = 0;
            judge_go_back(trial);
        }
        trial->setbacks = 0;
        trial->not_before = 0;
        if (!trial->process) {
            continue;
        }
        trial->process = false;
        if (trial->asked && !judge_is_final(judge->end)) {
            continue; /* asked on, without a process */
        }
        if (trial->terminates || trial->end_asked ||
            judge_is_final(judge->end) || was_done(judge, trial)) {
            judge_finish(trial, false);
        } else {
            judge_go_back(trial);
        }
    }
    judge->end = judge_is_final(judge->end) ? judge->end : PBT_END_NOT;
}

void judge_take_trial(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    const struct pbt_space *space = &judge->settings->space;
    for (uint32_t i = 0; i < space->count; i++) {
        const struct pbt_param *param = &space->params[i];
        const struct pbt_domain *domain = param->initial.kind != PBT_DOMAIN_NONE
                                              ? &param->initial
                                              : &param->mutations;
        if (!pbt_domain_contains(domain, record->cells[i])) {
            judge_object(judge,
                         "trial %" PRIu32 "'s `%s` begins outside its "
                         "domain",
                         record->trial, param->name);
        }
    }
    if (trial->created) {
        judge_object(judge, "trial %" PRIu32 " is created twice",
                     record->trial);
    }
    if (trial->asked &&
        !judge_is_answer(judge, &trial->asked_config, record->cells)) {
        judge_object(judge,
                     "trial %" PRIu32 " begins with other values than asked",
                     record->trial);
    }
    trial->asked = false;
    trial->created = true;
    trial->score = (double)NAN;
    trial->config = judge_config_of(judge, record->cells);
    trial->lineage = record->lineage;
    trial->point_count = 0;
    judge_push_point(judge, trial, (struct pbt_checkpoint_id){0, 0});
    if (trial->end_asked) {
        judge_finish(trial, false);
    }
}

static uint32_t count_processes(const struct judge *judge)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        count += judge->trials[i].process ? 1 : 0;
    }
    return count;
}

void judge_take_start(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    const struct judge_point *top = &trial->points[trial->point_count - 1];
    if (trial->process || trial->over) {
        judge_object(judge,
                     "trial %" PRIu32 " is started while it has a "
                     "process, or is over",
                     record->trial);
    }
    if (trial->held || trial->end_asked) {
        judge_object(judge,
                     "trial %" PRIu32 " is started, and the user has %s it",
                     record->trial, trial->held ? "paused" : "stopped");
    }
    if (!judge_same_id(record->checkpoint, top->checkpoint) ||
        record->iteration != top->iteration ||
        !judge_same_config(judge, &top->config, record->cells)) {
        judge_object(judge,
                     "trial %" PRIu32 " does not start with the "
                     "checkpoint, iteration and configuration of its restart "
                     "point",
                     record->trial);
    }
    if (count_processes(judge) >= judge->slots) {
        judge_object(judge, "trial %" PRIu32 " is started without a free slot",
                     record->trial);
    }
    if (record->time < trial->not_before) {
        judge_object(judge, "trial %" PRIu32 " is started while it backs off",
                     record->trial);
    }
    judge_take_epoch(judge, record);
    trial->process = true;
    trial->process_epoch = record->epoch;
    trial->life_checkpoint = record->checkpoint;
    trial->life_iteration = record->iteration;
}

/* The first failure is free; then it doubles, up to the seventh. */
static void take_failure(struct judge *judge, struct judge_trial *trial,
                         const struct pbt_record *record)
{
    uint64_t expected = trial->setbacks > 0 ? judge->settings->backoff_ns : 0;
    for (uint32_t i = 1; i < trial->setbacks && i < 7; i++) {
        expected += expected;
    }
    if (record->leave != PBT_LEAVE_RETRY) {
        expected = 0;
    }
    if (record->wait != expected) {
        judge_object(judge,
                     "trial %" PRIu32 " backs off for %" PRIu64
                     " ns after %" PRIu32 " failures in a row, not for "
                     "%" PRIu64,
                     record->trial, record->wait, trial->setbacks + 1,
                     expected);
    }
    trial->not_before = record->wait > 0 ? record->time + record->wait : 0;
    bool failed =
        record->leave == PBT_LEAVE_RETRY || record->leave == PBT_LEAVE_ERROR;
    int32_t allowed = judge->settings->max_failures;
    bool again = judge->result_count > 0 &&
                 (allowed < 0 || trial->failures < (uint32_t)allowed);
    if (failed && again != (record->leave == PBT_LEAVE_RETRY)) {
        judge_object(judge,
                     "trial %" PRIu32 " has failed %" PRIu32
                     " times before, and this leads to: %s",
                     record->trial, trial->failures,
                     pbt_leave_name(record->leave));
    }
    trial->setbacks += failed ? 1 : 0;
    trial->failures += failed ? 1 : 0;
}

void judge_take_exited(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    if (!trial->process || record->epoch != trial->process_epoch) {
        judge_object(judge,
                     "the process of trial %" PRIu32 " ends and was not "
                     "there",
                     record->trial);
    }
    if (trial->end_asked && record->leave != PBT_LEAVE_TERMINATE) {
        judge_object(judge,
                     "trial %" PRIu32 " goes on, and the user has stopped it",
                     record->trial);
    }
    trial->process = false;
    take_failure(judge, trial, record);
    judge->counts.errors += record->leave == PBT_LEAVE_ERROR ? 1 : 0;
    judge->counts.delays += record->wait > 0 ? 1 : 0;
    if (record->leave == PBT_LEAVE_TERMINATE ||
        record->leave == PBT_LEAVE_ERROR) {
        judge_finish(trial, record->leave == PBT_LEAVE_ERROR);
    } else {
        judge_go_back(trial);
    }
}

void judge_take_end(struct judge *judge, const struct pbt_record *record)
{
    judge->end = record->end;
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        struct judge_trial *trial = &judge->trials[i];
        /* Without a process it asks on, unless this is the end for good. */
        if (trial->process || judge_is_final(record->end)) {
            judge_stop_asking(trial);
        }
        if (judge_is_final(record->end) && trial->created && !trial->process &&
            !trial->over) {
            judge_finish(trial, false);
        }
    }
}

void judge_take_request(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    bool pause = record->request == PBT_REQUEST_PAUSE;
    judge->counts.requests++;
    if (trial->over || trial->end_asked || judge_is_final(judge->end) ||
        (record->request != PBT_REQUEST_STOP && pause == trial->held)) {
        judge_object(judge, "a request to %s trial %" PRIu32 " changes nothing",
                     pbt_request_name(record->request), record->trial);
    }
    if (record->request != PBT_REQUEST_STOP) {
        trial->held = pause;
        return;
    }
    trial->end_asked = true;
    if (!trial->created) {
        return; /* it ends when it is there */
    }
    judge_stop_asking(trial);
    if (trial->over) {
        return; /* it was to be replaced */
    }
    trial->stopping = true;
    if (!trial->process) {
        judge_finish(trial, false);
    }
}

void judge_take_extend(struct judge *judge)
{
    if (!judge->extended || !judge_is_final(judge->end)) {
        judge_object(judge, "an experiment goes on that can't");
    }
    judge->end = PBT_END_NOT;
}

/* Nothing but an end that was put further away brings a finished trial back. */
void judge_take_reopen(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    if (!judge->extended || !trial->over || trial->error || trial->end_asked ||
        judge->end != PBT_END_NOT) {
        judge_object(judge, "trial %" PRIu32 " goes on, which can't",
                     record->trial);
    }
    trial->over = false;
    judge_go_back(trial);
    judge->counts.reopened++;
}
