/*
 * judge_world.c: lives and acknowledgements as the simulated world sees them, and the core's state
 * after each batch, beside what the records say.
 */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model.h"

void judge_life(struct judge *judge, const struct pbt_sim_life *life)
{
    const struct judge_trial *trial = &judge->trials[life->trial];
    pbt_buf_reset(&judge->text);
    pbt_spec_config_json(judge->spec, trial->config.cells, &judge->text);
    if (life->epoch != trial->epoch || !trial->process) {
        judge_object(judge,
                     "life %" PRIu64 " of trial %" PRIu32 " begins before "
                     "it is in the journal",
                     life->epoch, life->trial);
    } else if (!judge_same_id(life->checkpoint, trial->life_checkpoint) ||
               life->iteration != trial->life_iteration ||
               strcmp(life->config, judge->text.data) != 0) {
        judge_object(judge,
                     "life %" PRIu64 " of trial %" PRIu32 " begins with "
                     "another checkpoint, iteration or configuration than "
                     "recorded",
                     life->epoch, life->trial);
    }
    if (pbt_sim_processes(judge->sim) > judge->settings->population) {
        judge_object(judge, "more processes than trials");
    }
}

void judge_ack(struct judge *judge, uint32_t trial, uint64_t epoch,
               uint64_t seq)
{
    if (judge_find_result(judge, epoch, seq) == NULL) {
        judge_object(judge,
                     "result (%" PRIu32 ", %" PRIu64 ", %" PRIu64
                     ") is acknowledged and not stored",
                     trial, epoch, seq);
    }
}

/* Trials are created when functions have given their first values. */
static bool asks_first(const struct judge *judge)
{
    const struct pbt_space *space = &judge->settings->space;
    for (uint32_t i = 0; i < space->count; i++) {
        const struct pbt_param *param = &space->params[i];
        const struct pbt_domain *domain = param->initial.kind != PBT_DOMAIN_NONE
                                              ? &param->initial
                                              : &param->mutations;
        if (domain->kind == PBT_DOMAIN_FUNCTION) {
            return true;
        }
    }
    return false;
}

static void check_trial(struct judge *judge, const struct pbt_core *core,
                        uint32_t number)
{
    const struct judge_trial *mine = &judge->trials[number];
    if (!mine->created && asks_first(judge)) {
        return; /* until its first values are there */
    }
    struct pbt_core_trial trial = pbt_core_trial(core, number);
    if (!mine->created && !trial.created && judge_is_final(judge->end)) {
        return; /* added to what had ended for good, and still has */
    }
    bool over =
        trial.state == PBT_CORE_TERMINATED || trial.state == PBT_CORE_ERROR;
    bool same_score = trial.score == mine->score ||
                      (isnan(trial.score) && isnan(mine->score));
    if (!mine->created || over != mine->over ||
        (trial.state == PBT_CORE_ERROR) != mine->error ||
        trial.has_process != mine->process ||
        trial.iteration != mine->iteration ||
        trial.exploits != mine->exploits || !same_score ||
        trial.ranked != judge_takes_part(judge, mine) ||
        !judge_same_id(trial.pair, mine->pair) ||
        !judge_same_config(judge, &mine->config, trial.cells)) {
        judge_object(judge,
                     "the state of trial %" PRIu32 " is not what its "
                     "records say",
                     number);
    }
    if (mine->told != mine->exploits) {
        judge_object(judge,
                     "exploits of trial %" PRIu32 " are undone, and no record "
                     "says so",
                     number);
    }
    enum pbt_command_kind owed = pbt_core_owed(core, number).kind;
    if ((mine->held || mine->end_asked) &&
        (owed == PBT_COMMAND_RUN || owed == PBT_COMMAND_START ||
         owed == PBT_COMMAND_LOAD)) {
        judge_object(
            judge, "trial %" PRIu32 " is to %s, and the user wants its %s",
            number, pbt_command_name(owed), mine->held ? "pause" : "end");
    }
    struct pbt_core_checkpoint saved;
    for (uint32_t c = 0; pbt_core_checkpoint_at(core, number, c, &saved); c++) {
        if (pbt_sim_checkpoint(judge->sim, saved.id) == NULL) {
            judge_object(judge,
                         "checkpoint %" PRIu32 " of trial %" PRIu32
                         " has a record and was removed",
                         saved.id.number, number);
        }
    }
}

void judge_batch(struct judge *judge, const struct pbt_core *core)
{
    const char *wrong = pbt_core_check(core);
    struct pbt_record next;
    if (wrong != NULL) {
        judge_object(judge, "the state contradicts itself: %s", wrong);
    }
    wrong = pbt_sim_violation(judge->sim);
    if (wrong != NULL) {
        judge_object(judge, "the world objects: %s", wrong);
    }
    if (judge->records != pbt_core_records(core)) {
        judge_object(
            judge, "%" PRIu64 " records are applied and %" PRIu64 " journalled",
            pbt_core_records(core), judge->records);
    }
    if (pbt_core_decide(core, NULL, &next)) {
        judge_object(judge, "not settled: a record `%s` is due",
                     pbt_record_name(next.kind));
    }
    judge_kept(judge);
    uint32_t used = 0;
    uint32_t waiting = 0;
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        check_trial(judge, core, i);
        used += judge->trials[i].process ? 1 : 0;
        const struct judge_trial *trial = &judge->trials[i];
        bool could = trial->created && !trial->over && !trial->asked &&
                     !trial->held && trial->not_before <= judge->time &&
                     !judge_has_arrived(judge, trial);
        waiting += !trial->process && could ? 1 : 0;
        if (!judge->settings->synch && judge_is_replaceable(judge, i)) {
            judge_object(judge,
                         "trial %" PRIu32
                         " has failed, could be replaced, and isn't",
                         i);
        }
    }
    if (waiting > 0 && used < judge->slots && judge->end == PBT_END_NOT) {
        judge_object(judge, "a slot is free, and a trial that could train "
                            "waits");
    }
    if (pbt_sim_processes(judge->sim) > used) {
        judge_object(judge, "a process lives of which the core knows nothing");
    }
}

/*
 * A trial of a run that was not ended as a whole has come as far as it is to, also if that is
 * further than it was once.  Where there is another criterion it may be that one.
 */
static bool stops_short(const struct judge *judge,
                        const struct judge_trial *trial)
{
    const struct pbt_settings *settings = judge->settings;
    const struct pbt_stop *stop = &settings->stops[0];
    return judge->end == PBT_END_NOT && trial->over && !trial->error &&
           !trial->end_asked && settings->stop_count == 1 &&
           stop->source == PBT_STOP_ITERATION &&
           (double)trial->iteration < stop->bound;
}

void judge_end(struct judge *judge, const struct pbt_core *core)
{
    size_t records = 0;
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        struct pbt_core_trial trial = pbt_core_trial(core, i);
        struct pbt_core_checkpoint saved;
        bool never = !trial.created && judge_is_final(judge->end);
        if (!never && trial.state != PBT_CORE_TERMINATED &&
            trial.state != PBT_CORE_ERROR) {
            judge_object(judge, "the run is over, and trial %" PRIu32 " is not",
                         i);
        }
        if (stops_short(judge, &judge->trials[i])) {
            judge_object(
                judge, "the run is over, and trial %" PRIu32 " could go on", i);
        }
        for (uint32_t c = 0; pbt_core_checkpoint_at(core, i, c, &saved); c++) {
            records++;
        }
    }
    if (pbt_sim_processes(judge->sim) > 0) {
        judge_object(judge, "the run is over, and a process still lives");
    }
    if (pbt_sim_checkpoint_count(judge->sim) != records) {
        judge_object(judge,
                     "%zu checkpoints are on the disk, and %zu have a "
                     "record",
                     pbt_sim_checkpoint_count(judge->sim), records);
    }
}
