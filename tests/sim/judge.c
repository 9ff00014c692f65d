#include "judge.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static struct judge_config config_of(const struct judge *judge,
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

static struct judge_checkpoint *add_checkpoint(struct judge *judge,
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

static void drop_point(struct judge_trial *trial, uint32_t at)
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
            drop_point(trial, i);
        } else if (is_durable(judge, &trial->points[i])) {
            durable++;
        }
    }
    for (uint32_t i = 1; trial->point_count == JUDGE_POINTS; i++) {
        if (!is_durable(judge, &trial->points[i])) {
            drop_point(trial, i);
        }
    }
}

static void push_point(struct judge *judge, struct judge_trial *trial,
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

/* Has it a pair that is better than all that it has had? */
static void note_best(struct judge_trial *trial)
{
    if (trial->pair.number != 0 && isfinite(trial->score) &&
        (!trial->has_best || trial->score > trial->best_score)) {
        trial->has_best = true;
        trial->best = trial->pair;
        trial->best_score = trial->score;
    }
}

static void go_back(struct judge_trial *trial)
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
    note_best(trial);
}

static void finish(struct judge_trial *trial, bool error)
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
        drop_point(trial, trial->point_count - 2);
    }
}

/* Without an answer: at its point again, or back, if its process is gone; or failed, as before. */
static void stop_asking(struct judge_trial *trial)
{
    if (trial->replaces) {
        finish(trial, true);
    } else if (trial->asked && !trial->process && trial->created) {
        go_back(trial);
    }
    trial->asked = false;
}

/* --- records -------------------------------------------------------------------- */

static bool is_final(enum pbt_end end)
{
    return end == PBT_END_STOP_ALL || end == PBT_END_TIME_BUDGET;
}

/* It had nothing left to do but to leave. */
static bool was_done(const struct judge *judge, const struct judge_trial *trial)
{
    return trial->stopping && trial->resting && !trial->saving &&
           (trial->seq == trial->saved_seq ||
            !judge->settings->checkpoint_at_end);
}

static void take_opened(struct judge *judge, const struct pbt_record *record)
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
        if (trial->error && !is_final(judge->end) &&
            (judge->end == PBT_END_FAILED || judge->result_count == 0)) {
            trial->over = trial->error = false;
            trial->failures = 0;
            go_back(trial);
        }
        trial->setbacks = 0;
        trial->not_before = 0;
        if (!trial->process) {
            continue;
        }
        trial->process = false;
        if (trial->asked && !is_final(judge->end)) {
            continue; /* asked on, without a process */
        }
        if (trial->terminates || trial->end_asked || is_final(judge->end) ||
            was_done(judge, trial)) {
            finish(trial, false);
        } else {
            go_back(trial);
        }
    }
    judge->end = is_final(judge->end) ? judge->end : PBT_END_NOT;
}

/* What was drawn stays, and what was asked for is there. */
static bool is_answer(const struct judge *judge,
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

static void take_trial(struct judge *judge, const struct pbt_record *record)
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
        !is_answer(judge, &trial->asked_config, record->cells)) {
        judge_object(judge,
                     "trial %" PRIu32 " begins with other values than asked",
                     record->trial);
    }
    trial->asked = false;
    trial->created = true;
    trial->score = (double)NAN;
    trial->config = config_of(judge, record->cells);
    trial->lineage = record->lineage;
    trial->point_count = 0;
    push_point(judge, trial, (struct pbt_checkpoint_id){0, 0});
    if (trial->end_asked) {
        finish(trial, false);
    }
}

static void take_epoch(struct judge *judge, const struct pbt_record *record)
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

static uint32_t count_processes(const struct judge *judge)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        count += judge->trials[i].process ? 1 : 0;
    }
    return count;
}

static void take_start(struct judge *judge, const struct pbt_record *record)
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
    take_epoch(judge, record);
    trial->process = true;
    trial->process_epoch = record->epoch;
    trial->life_checkpoint = record->checkpoint;
    trial->life_iteration = record->iteration;
}

static double clock_of(const struct judge *judge, int64_t iteration,
                       double time_total)
{
    return judge->settings->time_attr == PBT_TIME_ITERATION ? (double)iteration
                                                            : time_total;
}

/* Ray's two conditions; then nothing may hide the point, and nobody train past it. */
static void check_point(struct judge *judge, const struct judge_trial *trial,
                        const struct pbt_record *record)
{
    const struct pbt_settings *settings = judge->settings;
    double clock = clock_of(judge, record->iteration, record->time_total);
    bool due =
        settings->scheduler == PBT_SCHEDULER_PBT &&
        clock >= settings->burn_in_period &&
        clock - trial->last_perturbation >= settings->perturbation_interval;
    if (settings->synch) {
        due =
            settings->scheduler == PBT_SCHEDULER_PBT && clock >= judge->target;
    }
    bool open =
        judge->end == PBT_END_NOT || (settings->synch && !is_final(judge->end));
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

static void take_result(struct judge *judge, const struct pbt_record *record)
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
            clock_of(judge, record->iteration, record->time_total);
        trial->score = record->score;
        trial->pair = (struct pbt_checkpoint_id){0, 0};
    }
}

static void take_saved(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    struct judge_checkpoint *saved = add_checkpoint(judge, record->checkpoint);
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
        note_best(trial);
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
    push_point(judge, trial, record->checkpoint);
    trial->saving = false;
    trial->resting = true;
    trial->saved_seq = trial->seq;
    judge->counts.saves++;
    judge->counts.pauses += record->pause ? 1 : 0;
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

static void take_exited(struct judge *judge, const struct pbt_record *record)
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
        finish(trial, record->leave == PBT_LEAVE_ERROR);
    } else {
        go_back(trial);
    }
}

static bool keeps_weights(const struct judge *judge)
{
    return judge->settings->copies == PBT_COPIES_HYPERPARAMETERS;
}

/* The best one is given once. */
static void give(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *donor = &judge->trials[record->donor];
    if (keeps_weights(judge) ||
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
    trial->adopts_config = config_of(judge, record->old_cells);
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

static void take_exploit(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    bool adopts = record->kind == PBT_RECORD_ADOPT;
    if (adopts != (keeps_weights(judge) && !record->replacement)) {
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
               !is_answer(judge, &trial->asked_config, record->cells)) {
        judge_object(judge,
                     "the exploit of trial %" PRIu32 " is not what the "
                     "explore function was asked",
                     record->trial);
    }
    take_epoch(judge, record);
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
            clock_of(judge, record->donor_iteration, record->time_total);
        trial->scores.count = 0;
    }
    trial->config = config_of(judge, record->cells);
    trial->pair = (struct pbt_checkpoint_id){0, 0};
    trial->life_checkpoint = record->checkpoint;
    trial->life_iteration = trial->iteration;
    if (adopts &&
        judge_same_id(trial->points[trial->point_count - 1].checkpoint,
                      record->checkpoint)) {
        trial->point_count--; /* the same weights with other hyperparameters */
    }
    push_point(judge, trial, record->checkpoint);
    if (!trial->process) {
        go_back(trial); /* to where it starts from */
    }
    judge->counts.exploits++;
    judge->counts.pauses += record->pause ? 1 : 0;
}

static void take_ask_first(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    if (trial->created || trial->asked) {
        judge_object(judge,
                     "the first values of trial %" PRIu32 " are asked twice",
                     record->trial);
    }
    trial->asked = true;
    trial->asked_config = config_of(judge, record->cells);
    judge->counts.asks++;
}

static void take_ask(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    if (record->replacement) {
        judge_replacement(judge, record);
        revive(trial);
        trial->replaces = true;
        judge->counts.replacements++;
    } else {
        keeps_weights(judge) ? judge_adoption(judge, record)
                             : judge_donation(judge, record);
    }
    if (!trial->adopts) {
        give(judge, record);
    }
    trial->asked = true;
    trial->asked_checkpoint = record->checkpoint;
    trial->asked_config = config_of(judge, record->cells);
    judge->counts.asks++;
}

static void take_durable(struct judge *judge, const struct pbt_record *record)
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

static void take_delete(struct judge *judge, const struct pbt_record *record)
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
            drop_point(trial, i);
        }
    }
    if (judge_same_id(trial->pair, id)) {
        trial->pair = (struct pbt_checkpoint_id){0, 0};
    }
    if (judge_same_id(trial->best, id)) {
        trial->best = (struct pbt_checkpoint_id){0, 0};
        trial->has_best = false;
        note_best(trial);
    }
    if (judge_same_id(trial->asked_checkpoint, id)) {
        stop_asking(trial);
    }
    if (top_lost && !trial->process && !trial->over && !trial->asked) {
        go_back(trial);
    }
}

static void take_bad(struct judge *judge, const struct pbt_record *record)
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
static void take_undo(struct judge *judge, const struct pbt_record *record)
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

static void take_end(struct judge *judge, const struct pbt_record *record)
{
    judge->end = record->end;
    for (uint32_t i = 0; i < judge->settings->population; i++) {
        struct judge_trial *trial = &judge->trials[i];
        /* Without a process it asks on, unless this is the end for good. */
        if (trial->process || is_final(record->end)) {
            stop_asking(trial);
        }
        if (is_final(record->end) && trial->created && !trial->process &&
            !trial->over) {
            finish(trial, false);
        }
    }
}

static void take_request(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    bool pause = record->request == PBT_REQUEST_PAUSE;
    judge->counts.requests++;
    if (trial->over || trial->end_asked || is_final(judge->end) ||
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
    stop_asking(trial);
    if (trial->over) {
        return; /* it was to be replaced */
    }
    trial->stopping = true;
    if (!trial->process) {
        finish(trial, false);
    }
}

static void take_pass(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    bool replaces = trial->replaces;
    judge_pass(judge, record);
    trial->passed = true;
    stop_asking(trial);
    trial->adopts = false;
    if (judge_has_arrived(judge, trial) ||
        (replaces && judge->settings->synch)) {
        trial->settled = judge->round;
    }
    judge->counts.passes++;
}

static void take_save(struct judge *judge, const struct pbt_record *record)
{
    if (record->point) {
        judge_point_save(judge, record);
    }
    if (isfinite(record->donor_score)) {
        take_choice(judge, record);
    }
    judge->trials[record->trial].saving = true;
}

static void take_extend(struct judge *judge)
{
    if (!judge->extended || !is_final(judge->end)) {
        judge_object(judge, "an experiment goes on that can't");
    }
    judge->end = PBT_END_NOT;
}

/* Nothing but an end that was put further away brings a finished trial back. */
static void take_reopen(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    if (!judge->extended || !trial->over || trial->error || trial->end_asked ||
        judge->end != PBT_END_NOT) {
        judge_object(judge, "trial %" PRIu32 " goes on, which can't",
                     record->trial);
    }
    trial->over = false;
    go_back(trial);
    judge->counts.reopened++;
}

static void take_kind(struct judge *judge, const struct pbt_record *record)
{
    struct judge_trial *trial = &judge->trials[record->trial];
    switch (record->kind) {
    case PBT_RECORD_OPENED:
        take_opened(judge, record);
        break;
    case PBT_RECORD_TRIAL:
        take_trial(judge, record);
        break;
    case PBT_RECORD_START:
        take_start(judge, record);
        break;
    case PBT_RECORD_RESULT:
        take_result(judge, record);
        break;
    case PBT_RECORD_SAVED:
        take_saved(judge, record);
        break;
    case PBT_RECORD_EXITED:
        take_exited(judge, record);
        break;
    case PBT_RECORD_EXPLOIT:
    case PBT_RECORD_ADOPT:
        take_exploit(judge, record);
        break;
    case PBT_RECORD_ASK:
        take_ask(judge, record);
        break;
    case PBT_RECORD_ASK_FIRST:
        take_ask_first(judge, record);
        break;
    case PBT_RECORD_DURABLE:
        take_durable(judge, record);
        break;
    case PBT_RECORD_DELETE:
        take_delete(judge, record);
        break;
    case PBT_RECORD_BAD:
        take_bad(judge, record);
        break;
    case PBT_RECORD_END:
        take_end(judge, record);
        break;
    case PBT_RECORD_REQUEST:
        take_request(judge, record);
        break;
    case PBT_RECORD_UNDO:
        take_undo(judge, record);
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
        take_pass(judge, record);
        break;
    case PBT_RECORD_SAVE:
        take_save(judge, record);
        break;
    case PBT_RECORD_HALTED:
        trial->resting = true;
        break;
    case PBT_RECORD_EXTEND:
        take_extend(judge);
        break;
    case PBT_RECORD_REOPEN:
        take_reopen(judge, record);
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

/* --- the world ---------------------------------------------------------------- */

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
    if (!mine->created && !trial.created && is_final(judge->end)) {
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
        bool never = !trial.created && is_final(judge->end);
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
