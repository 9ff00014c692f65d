/*
 * judge.c: each record in turn, to whom it concerns.
 */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "model.h"

void judge_object(struct judge *judge, const char *fmt, ...)
{
    if (judge->verdict[0] != '\0') {
        return; /* the first one is the cause */
    }
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(judge->verdict, sizeof judge->verdict, fmt, args);
    va_end(args);
}

const char *judge_verdict(const struct judge *judge)
{
    return judge->verdict[0] == '\0' ? NULL : judge->verdict;
}

static void first_round(struct judge *judge)
{
    judge->round = 1;
    judge->target = fmax(judge->settings->perturbation_interval,
                         judge->settings->burn_in_period);
}

struct judge *judge_create(const struct pbt_spec *spec, struct pbt_sim *sim)
{
    struct judge *judge = calloc(1, sizeof *judge);
    if (judge == NULL || spec->settings.population > JUDGE_TRIALS ||
        spec->settings.space.count > JUDGE_PARAMS) {
        abort();
    }
    judge->spec = spec;
    judge->settings = &spec->settings;
    judge->sim = sim;
    pbt_buf_init(&judge->text, 1 << 20);
    first_round(judge);
    return judge;
}

void judge_destroy(struct judge *judge)
{
    for (uint32_t i = 0; i < JUDGE_TRIALS; i++) {
        free(judge->trials[i].checkpoints);
    }
    free(judge->results);
    pbt_buf_done(&judge->text);
    free(judge);
}

static void take_kind(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    switch (record->kind) {
    case PBT_RECORD_OPENED:
        judge_take_opened(judge, record);
        break;
    case PBT_RECORD_TRIAL:
        judge_take_trial(judge, record);
        break;
    case PBT_RECORD_START:
        judge_take_start(judge, record);
        break;
    case PBT_RECORD_RESULT:
        judge_take_result(judge, record);
        break;
    case PBT_RECORD_SAVED:
        judge_take_saved(judge, record);
        break;
    case PBT_RECORD_EXITED:
        judge_take_exited(judge, record);
        break;
    case PBT_RECORD_EXPLOIT:
    case PBT_RECORD_ADOPT:
        judge_take_exploit(judge, record);
        break;
    case PBT_RECORD_ASK:
        judge_take_ask(judge, record);
        break;
    case PBT_RECORD_ASK_FIRST:
        judge_take_ask_first(judge, record);
        break;
    case PBT_RECORD_DURABLE:
        judge_take_durable(judge, record);
        break;
    case PBT_RECORD_DELETE:
        judge_take_delete(judge, record);
        break;
    case PBT_RECORD_BAD:
        judge_take_bad(judge, record);
        break;
    case PBT_RECORD_END:
        judge_take_end(judge, record);
        break;
    case PBT_RECORD_REQUEST:
        judge_take_request(judge, record);
        break;
    case PBT_RECORD_UNDO:
        judge_take_undo(judge, record);
        break;
    case PBT_RECORD_CHANGE:
        judge_object(judge, "a change, and no schedule");
        break;
    case PBT_RECORD_ROUND:
        judge_round(judge, record);
        break;
    case PBT_RECORD_CAPACITY:
        judge->slots = record->slots;
        break;
    case PBT_RECORD_LEAVE:
        trial->terminates = record->leave == PBT_LEAVE_TERMINATE;
        break;
    case PBT_RECORD_PASS:
        judge_take_pass(judge, record);
        break;
    case PBT_RECORD_SAVE:
        judge_take_save(judge, record);
        break;
    case PBT_RECORD_HALTED:
        trial->resting = true;
        break;
    case PBT_RECORD_EXTEND:
        judge_take_extend(judge);
        break;
    case PBT_RECORD_REOPEN:
        judge_take_reopen(judge, record);
        break;
    case PBT_RECORD_READY:
    case PBT_RECORD_KINDS:
        break;
    }
}

void judge_record(struct judge *judge, const struct pbt_record *record,
                  bool past)
{
    judge->past = past;
    if (record->number != judge->records + 1) {
        judge_object(judge, "record %" PRIu64 " follows on %" PRIu64,
                     record->number, judge->records);
    }
    judge->records = record->number;
    judge->time = record->time;
    judge->counts.records += past ? 0 : 1;
    take_kind(judge, record);
}

void judge_extend(struct judge *judge, bool killed)
{
    judge->extended = true;
    judge->unsure = killed ? 2 : 0;
}

void judge_cut(struct judge *judge)
{
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        struct judge_trial *trial = &judge->trials[i];
        for (uint32_t c = 0; c < trial->checkpoint_count; c++) {
            struct judge_checkpoint *saved = &trial->checkpoints[c];
            const struct pbt_sim_checkpoint *found = pbt_sim_checkpoint(
                judge->sim, (struct pbt_checkpoint_id){i, c + 1});
            bool synced =
                saved->fate == JUDGE_SAVED && found != NULL && found->durable;
            *saved = (struct judge_checkpoint){.was_synced = synced};
        }
        *trial = (struct judge_trial){
            .checkpoints = trial->checkpoints,
            .checkpoint_count = trial->checkpoint_count,
            .checkpoint_capacity = trial->checkpoint_capacity};
    }
    judge->records = 0;
    judge->incarnation = 0;
    judge->last_epoch = 0;
    judge->best = (struct pbt_checkpoint_id){0, 0};
    judge->end = PBT_END_NOT;
    first_round(judge);
    judge_results_clear(judge);
}

void judge_cut_done(struct judge *judge)
{
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        struct judge_trial *trial = &judge->trials[i];
        for (uint32_t c = 0; c < trial->checkpoint_count; c++) {
            struct judge_checkpoint *saved = &trial->checkpoints[c];
            if (saved->was_synced && saved->fate == JUDGE_UNKNOWN) {
                judge_object(judge,
                             "checkpoint %" PRIu32 " of trial %" PRIu32
                             " was synced, and its record is lost",
                             c + 1, i);
            }
            saved->was_synced = false;
        }
    }
}

void judge_add_counts(const struct judge *judge, struct judge_counts *sum)
{
    const struct judge_counts *own = &judge->counts;
    sum->records += own->records;
    sum->results += own->results;
    sum->saves += own->saves;
    sum->exploits += own->exploits;
    sum->asks += own->asks;
    sum->passes += own->passes;
    sum->rounds += own->rounds;
    sum->bad += own->bad;
    sum->undone += own->undone;
    sum->deletes += own->deletes;
    sum->over_budget += own->over_budget;
    sum->errors += own->errors;
    sum->delays += own->delays;
    sum->replacements += own->replacements;
    sum->pauses += own->pauses;
    sum->reopened += own->reopened;
    sum->requests += own->requests;
}
