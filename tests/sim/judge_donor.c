/*
 * judge_donor.c: records of what a trial takes over from another.  Whether it may: judge_exploit.c.
 */
#include <inttypes.h>
#include <math.h>

#include "model.h"

/* The best one is given once. */
static void give(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *donor = &judge->trials[record->donor];
    if (judge_keeps_weights(judge) ||
        judge_same_id(donor->best, record->checkpoint)) {
        donor->best = (struct pbt_checkpoint_id){0, 0};
    }
}

/* To save first, and then adopt the hyperparameters of another. */
static void take_choice(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    judge_choice(judge, record);
    give(judge, record);
    trial->adopts = true;
    trial->adopts_from = record->donor;
    trial->adopts_score = record->donor_score;
    trial->adopts_iteration = record->donor_iteration;
    trial->adopts_config = judge_config_of(judge, record->old_cells);
}

/* Another's copy is to take its place: nothing of its own counts any more. */
static void revive(struct judge_trial *trial)
{
    trial->over = trial->error = false;
    trial->replaced++;
    trial->failures = 0;
    trial->setbacks = 0;
    trial->not_before = 0;
    trial->stopping = false;
    trial->ranked = false;
    trial->score = (double)NAN;
    trial->scores.count = trial->sample.count = 0;
}

void judge_take_exploit(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    bool adopts = record->kind == PBT_RECORD_ADOPT;
    if (adopts != (judge_keeps_weights(judge) && !record->replacement)) {
        judge_object(judge, "trial %" PRIu32 " exploits in the wrong way",
                     record->trial);
    }
    if (record->replacement && !trial->replaces) {
        judge_replacement(judge, record);
        give(judge, record);
        revive(trial);
        judge->counts.replacements++;
    } else if (record->replacement != trial->replaces) {
        judge_object(judge, "trial %" PRIu32 " is to replace nobody",
                     record->trial);
    } else if (!trial->asked && !judge->settings->custom_explore) {
        adopts ? judge_adoption(judge, record) : judge_donation(judge, record);
        if (!trial->adopts) {
            give(judge, record);
        }
    } else if (!trial->asked ||
               !judge_same_id(record->checkpoint, trial->asked_checkpoint) ||
               !judge_is_answer(judge, &trial->asked_config, record->cells)) {
        judge_object(judge,
                     "the exploit of trial %" PRIu32 " is not what the "
                     "explore function was asked",
                     record->trial);
    }
    judge_take_epoch(judge, record);
    trial->asked = false;
    trial->adopts = false;
    trial->replaces = false;
    trial->exploits++;
    trial->told = trial->exploits;
    trial->lineage = record->lineage;
    if (judge_has_arrived(judge, trial) ||
        (record->replacement && judge->settings->synch)) {
        trial->settled = judge->round;
    }
    if (!adopts) {
        trial->iteration = record->donor_iteration;
        trial->last_perturbation =
            judge_clock_of(judge, record->donor_iteration, record->time_total);
        trial->scores.count = 0;
    }
    trial->config = judge_config_of(judge, record->cells);
    trial->pair = (struct pbt_checkpoint_id){0, 0};
    trial->life_checkpoint = record->checkpoint;
    trial->life_iteration = trial->iteration;
    if (adopts &&
        judge_same_id(trial->points[trial->point_count - 1].checkpoint,
                      record->checkpoint)) {
        trial->point_count--; /* the same weights with other hyperparameters */
    }
    judge_push_point(judge, trial, record->checkpoint);
    if (!trial->process) {
        judge_go_back(trial); /* to where it starts from */
    }
    judge->counts.exploits++;
    judge->counts.pauses += record->pause ? 1 : 0;
}

void judge_take_ask_first(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    if (trial->created || trial->asked) {
        judge_object(judge,
                     "the first values of trial %" PRIu32 " are asked twice",
                     record->trial);
    }
    trial->asked = true;
    trial->asked_config = judge_config_of(judge, record->cells);
    judge->counts.asks++;
}

void judge_take_ask(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    if (record->replacement) {
        judge_replacement(judge, record);
        revive(trial);
        trial->replaces = true;
        judge->counts.replacements++;
    } else {
        judge_keeps_weights(judge) ? judge_adoption(judge, record)
                                   : judge_donation(judge, record);
    }
    if (!trial->adopts) {
        give(judge, record);
    }
    trial->asked = true;
    trial->asked_checkpoint = record->checkpoint;
    trial->asked_config = judge_config_of(judge, record->cells);
    judge->counts.asks++;
}

void judge_take_pass(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    bool replaces = trial->replaces;
    judge_pass(judge, record);
    trial->passed = true;
    judge_stop_asking(trial);
    trial->adopts = false;
    if (judge_has_arrived(judge, trial) ||
        (replaces && judge->settings->synch)) {
        trial->settled = judge->round;
    }
    judge->counts.passes++;
}

void judge_take_save(struct judge *judge, const struct pbt_record *record)
{
    if (record->point) {
        judge_point_save(judge, record);
    }
    if (isfinite(record->donor_score)) {
        take_choice(judge, record);
    }
    judge->trials[record->trial].saving = true;
}
