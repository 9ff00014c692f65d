/*
 * judge_train.c: records of what a trial has done, and of its checkpoints: results, saves, losses.
 */
#include <inttypes.h>
#include <math.h>

#include "model.h"

/* Ray's two conditions; then nothing may hide the point, and nobody train past it. */
static void check_point(struct judge *judge, const struct judge_trial *trial,
                        const struct pbt_record *record)
{
    const struct pbt_settings *settings = judge->settings;
    double clock = judge_clock_of(judge, record->iteration, record->time_total);
    bool due =
        settings->scheduler == PBT_SCHEDULER_PBT &&
        clock >= settings->burn_in_period &&
        clock - trial->last_perturbation >= settings->perturbation_interval;
    if (settings->synch) {
        due =
            settings->scheduler == PBT_SCHEDULER_PBT && clock >= judge->target;
    }
    bool open = judge->end == PBT_END_NOT ||
                (settings->synch && !judge_is_final(judge->end));
    bool counts =
        record->stop == 0 && !record->done && !trial->stopping && open;
    if (record->point != (due && counts)) {
        judge_object(judge,
                     "the result of trial %" PRIu32 " at iteration %" PRId64
                     " %s a perturbation point",
                     record->trial, record->iteration,
                     record->point ? "is no" : "should be");
    }
    if (!record->halted && (due || record->stop > 0)) {
        judge_object(judge,
                     "trial %" PRIu32 " trains on after iteration %" PRId64
                     ", where something is to be decided",
                     record->trial, record->iteration);
    }
}

/* 1 + the first criterion that is reached; of stop_all first. */
static void check_stop(struct judge *judge, const struct pbt_record *record)
{
    const struct pbt_settings *settings = judge->settings;
    uint32_t expected = 0;
    bool all = false;
    for (uint32_t i = 0; i < settings->stop_count; i++) {
        const struct pbt_stop *stop = &settings->stops[i];
        double value =
            stop->source == PBT_STOP_ITERATION ? (double)record->iteration
            : stop->source == PBT_STOP_SECONDS ? record->time_total
                                               : record->values[stop->index];
        bool reached =
            stop->at_most ? value <= stop->bound : value >= stop->bound;
        if (reached && (expected == 0 || (stop->all && !all))) {
            expected = i + 1;
            all = stop->all;
        }
    }
    if (record->stop != expected) {
        judge_object(judge,
                     "the result of trial %" PRIu32 " at iteration %" PRId64
                     " reaches criterion %" PRIu32 ", not %" PRIu32,
                     record->trial, record->iteration, expected, record->stop);
    }
}

/* The last few that are numbers. */
static void note_score(const struct judge *judge, struct judge_trial *trial,
                       double score)
{
    struct judge_scores *scores = &trial->scores;
    uint32_t most = judge->settings->t_test_scores;
    if (!isfinite(score)) {
        return;
    }
    for (uint32_t i = 1; scores->count == most && i < most; i++) {
        scores->score[i - 1] = scores->score[i];
    }
    scores->count -= scores->count == most ? 1 : 0;
    scores->score[scores->count++] = score;
}

void judge_take_result(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    if (judge_find_result(judge, record->epoch, record->seq) != NULL) {
        judge_object(judge,
                     "result (%" PRIu32 ", %" PRIu64 ", %" PRIu64
                     ") is stored twice",
                     record->trial, record->epoch, record->seq);
        return;
    }
    if (!trial->process || record->epoch != trial->epoch ||
        record->seq != trial->seq + 1 ||
        record->iteration != trial->iteration + 1) {
        judge_object(judge,
                     "result (%" PRIu32 ", %" PRIu64 ", %" PRIu64
                     ") does not follow on the one before",
                     record->trial, record->epoch, record->seq);
    }
    struct judge_result result = {.epoch = record->epoch,
                                  .seq = record->seq,
                                  .score = record->score,
                                  .point = record->point};
    judge_add_result(judge, &result);
    if (trial->adopts) {
        judge_object(judge,
                     "trial %" PRIu32 " was to adopt hyperparameters, and "
                     "trains on without",
                     record->trial);
    }
    if (!judge->past && judge->unsure == 0) { /* by the bounds of then */
        check_stop(judge, record);
    }
    check_point(judge, trial, record);
    judge->counts.results++;
    trial->seq = record->seq;
    trial->iteration = record->iteration;
    trial->value = record->values[judge->settings->keep_value];
    trial->resting = record->halted;
    trial->setbacks = 0;
    trial->passed = false;
    trial->stopping = trial->stopping || record->stop > 0 || record->done;
    note_score(judge, trial, record->score);
    if (record->point) {
        trial->ranked = true;
        trial->sample = trial->scores;
        trial->last_perturbation =
            judge_clock_of(judge, record->iteration, record->time_total);
        trial->score = record->score;
        trial->pair = (struct pbt_checkpoint_id){0, 0};
    }
}

void judge_take_saved(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    struct judge_checkpoint *saved =
        judge_add_checkpoint(judge, record->checkpoint);
    const struct pbt_sim_checkpoint *found =
        judge->past ? NULL : pbt_sim_checkpoint(judge->sim, record->checkpoint);
    if (saved->fate != JUDGE_UNKNOWN) {
        judge_object(
            judge, "checkpoint %" PRIu32 " of trial %" PRIu32 " is saved twice",
            record->checkpoint.number, record->trial);
    }
    bool lost = pbt_sim_is_lost(judge->sim, record->checkpoint);
    if (!judge->past && !lost &&
        (found == NULL || found->iteration != trial->iteration ||
         found->epoch != trial->epoch || found->seq != trial->seq ||
         found->bytes != record->bytes)) {
        judge_object(judge,
                     "checkpoint %" PRIu32 " of trial %" PRIu32
                     " is not what its record says",
                     record->checkpoint.number, record->trial);
    }
    *saved = (struct judge_checkpoint){.fate = JUDGE_SAVED,
                                       .was_synced = saved->was_synced,
                                       .epoch = trial->epoch,
                                       .seq = trial->seq,
                                       .config = trial->config};
    judge_saved(judge, record);
    const struct judge_result *made =
        judge_find_result(judge, trial->epoch, trial->seq);
    if (record->point) {
        bool same = made != NULL && made->point &&
                    (made->score == record->score ||
                     (isnan(made->score) && isnan(record->score)));
        if (!same) {
            judge_object(judge,
                         "checkpoint %" PRIu32 " of trial %" PRIu32
                         " is paired with a score that its result did not have",
                         record->checkpoint.number, record->trial);
        }
        trial->pair = record->checkpoint;
        judge_note_best(trial);
    } else if (made != NULL && made->point) {
        judge_object(judge,
                     "checkpoint %" PRIu32 " of trial %" PRIu32
                     " is of a perturbation point, and not paired with it",
                     record->checkpoint.number, record->trial);
    }
    bool goes = !trial->stopping && judge->end == PBT_END_NOT;
    if (trial->held && goes && !trial->adopts && !record->pause) {
        judge_object(judge,
                     "trial %" PRIu32 " has saved, and does not pause as the "
                     "user wants",
                     record->trial);
    }
    if (trial->adopts && goes && record->pause) {
        judge_object(judge,
                     "trial %" PRIu32 " pauses before it has adopted the "
                     "hyperparameters of its donor",
                     record->trial);
    }
    judge_push_point(judge, trial, record->checkpoint);
    trial->saving = false;
    trial->resting = true;
    trial->saved_seq = trial->seq;
    judge->counts.saves++;
    judge->counts.pauses += record->pause ? 1 : 0;
}

void judge_take_durable(struct judge *judge, const struct pbt_record *record)
{
    struct judge_checkpoint *saved =
        judge_checkpoint(judge, record->checkpoint);
    const struct pbt_sim_checkpoint *found =
        judge->past ? NULL : pbt_sim_checkpoint(judge->sim, record->checkpoint);
    if (saved == NULL || saved->fate != JUDGE_SAVED ||
        (!judge->past && !pbt_sim_is_lost(judge->sim, record->checkpoint) &&
         (found == NULL || !found->durable))) {
        judge_object(judge,
                     "checkpoint %" PRIu32 " of trial %" PRIu32
                     " counts as durable and is not",
                     record->checkpoint.number, record->checkpoint.trial);
        return;
    }
    saved->durable = true;
}

void judge_take_delete(struct judge *judge, const struct pbt_record *record)
{
    struct pbt_checkpoint_id id = record->checkpoint;
    struct judge_checkpoint *saved = judge_checkpoint(judge, id);
    judge->counts.deletes++;
    if (saved == NULL || saved->fate != JUDGE_SAVED) {
        judge_object(judge,
                     "checkpoint %" PRIu32 " of trial %" PRIu32
                     " is deleted and is not there",
                     id.number, id.trial);
        return;
    }
    judge_delete(judge, id);
    saved->fate = JUDGE_DELETED;
}

static void lose(struct judge_trial *trial, struct pbt_checkpoint_id id)
{
    bool top_lost = false;
    for (uint32_t i = trial->point_count; i-- > 1;) {
        struct judge_point *point = &trial->points[i];
        if (judge_same_id(point->pair, id)) {
            point->pair = (struct pbt_checkpoint_id){0, 0};
        }
        if (judge_same_id(point->checkpoint, id)) {
            top_lost = top_lost || i == trial->point_count - 1;
            judge_drop_point(trial, i);
        }
    }
    if (judge_same_id(trial->pair, id)) {
        trial->pair = (struct pbt_checkpoint_id){0, 0};
    }
    if (judge_same_id(trial->best, id)) {
        trial->best = (struct pbt_checkpoint_id){0, 0};
        trial->has_best = false;
        judge_note_best(trial);
    }
    if (judge_same_id(trial->asked_checkpoint, id)) {
        judge_stop_asking(trial);
    }
    if (top_lost && !trial->process && !trial->over && !trial->asked) {
        judge_go_back(trial);
    }
}

void judge_take_bad(struct judge *judge, const struct pbt_record *record)
{
    struct judge_checkpoint *saved =
        judge_checkpoint(judge, record->checkpoint);
    judge->counts.bad++;
    if (saved == NULL || saved->fate != JUDGE_SAVED) {
        judge_object(judge,
                     "checkpoint %" PRIu32 " of trial %" PRIu32
                     " is bad and was not there",
                     record->checkpoint.number, record->checkpoint.trial);
        return;
    }
    saved->fate = JUDGE_BAD;
    judge_lost(judge, record->checkpoint);
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        lose(&judge->trials[i], record->checkpoint);
    }
}

/* A trial is back to before exploits of its: the record says where. */
void judge_take_undo(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    const struct judge_point *top = &trial->points[trial->point_count - 1];
    judge->counts.undone += trial->told - trial->exploits;
    if (trial->told <= trial->exploits || record->exploits != trial->exploits ||
        record->lineage != trial->lineage ||
        record->iteration != trial->iteration ||
        !judge_same_id(record->checkpoint, top->checkpoint) ||
        !judge_same_config(judge, &trial->config, record->cells)) {
        judge_object(judge,
                     "trial %" PRIu32 " is not where its exploits are undone "
                     "to, or none is undone",
                     record->trial);
    }
    trial->told = trial->exploits;
}
