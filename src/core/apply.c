/*
 * apply.c: the only writer of the state.  It reads the state and the record and nothing
 * else, so that the fold of a journal is the state that wrote it.
 *
 * Each handler first checks that the record can follow on this state (a journal may
 * be damaged in ways that its checksums don't see), then changes it.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/state.h"

static void copy_cells(const struct pbt_core *core, struct pbt_cell *to,
                       const struct pbt_cell *from)
{
    memmove(to, from, core->settings->space.count * sizeof *to);
}

/* The trial stops being at its point, or asking: what it held is let go. */
static void clear_ask(struct pbt_core *core, struct pbt_trial *trial)
{
    if (trial->ask != 0) {
        struct pbt_checkpoint_id held = trial->ask_checkpoint;
        trial->ask = 0;
        trial->ask_checkpoint = (struct pbt_checkpoint_id){0, 0};
        pbt_core_unpin(core, held);
    }
}

static void go_back(struct pbt_core *core, uint32_t number)
{
    clear_ask(core, &core->trials[number]);
    pbt_core_go_back(core, number);
}

static void set_held(struct pbt_core *core, struct pbt_trial *trial, bool held)
{
    core->held += held && !trial->held ? 1 : 0;
    core->held -= trial->held && !held ? 1 : 0;
    trial->held = held;
}

static void finish(struct pbt_core *core, uint32_t number,
                   enum pbt_core_trial_state state)
{
    struct pbt_trial *trial = &core->trials[number];
    clear_ask(core, trial);
    trial->replaces = false;
    pbt_core_set_point(core, number, false);
    trial->state = state;
    set_held(core, trial, false);
    trial->halting = false;
    pbt_core_clear_leave(core, number);
    trial->phase = PBT_PHASE_NONE;
    trial->process_epoch = 0;
    trial->rest = false;
    trial->adopts = false;
    core->finished++;
    pbt_core_set_pair(core, number, (struct pbt_checkpoint_id){0, 0});
    pbt_core_lose_best(core, number); /* it gives nothing any more */
    pbt_core_trim_restarts(core, number);
    pbt_core_set_startable(core, number);
    pbt_core_touch(core, number);
}

/*
 * Asking is over without an answer: the trial is at its point again, or, if its process
 * is gone meanwhile, where it can start from; or it has failed for good, as before.
 */
static void cancel_ask(struct pbt_core *core, uint32_t number)
{
    struct pbt_trial *trial = &core->trials[number];
    if (!trial->created) { /* nor will it be */
        clear_ask(core, trial);
        trial->phase = PBT_PHASE_NONE;
        return;
    }
    if (trial->replaces) {
        finish(core, number, PBT_CORE_ERROR);
        return;
    }
    if (trial->process_epoch == 0) {
        go_back(core, number);
        return;
    }
    clear_ask(core, trial);
    trial->phase = PBT_PHASE_RUN;
    pbt_core_rank(core, number);
    pbt_core_touch(core, number);
}

/* Without a process, and not by its scheduler's wish. */
static enum pbt_core_trial_state waiting(const struct pbt_trial *trial)
{
    return trial->held ? PBT_CORE_PAUSED : PBT_CORE_PENDING;
}

/* A process is gone, and this is what it leads to. */
static void after_process(struct pbt_core *core, uint32_t number,
                          enum pbt_leave leave)
{
    struct pbt_trial *trial = &core->trials[number];
    switch (leave) {
    case PBT_LEAVE_TERMINATE:
        finish(core, number, PBT_CORE_TERMINATED);
        return;
    case PBT_LEAVE_ERROR:
        trial->failures++;
        trial->setbacks++;
        finish(core, number, PBT_CORE_ERROR);
        return;
    case PBT_LEAVE_PAUSE:
        trial->state = PBT_CORE_PAUSED;
        break;
    case PBT_LEAVE_RETRY:
        trial->failures++;
        trial->setbacks++;
        trial->state = waiting(trial);
        break;
    case PBT_LEAVE_RESPAWN:
    case PBT_LEAVE_NOT:
        trial->state = waiting(trial);
        break;
    }
    go_back(core, number);
}

/* --- events -------------------------------------------------------------- */

/* Failed before any result: the user has mended something since. */
static void forgive(struct pbt_core *core, uint32_t number)
{
    struct pbt_trial *trial = &core->trials[number];
    if (trial->state == PBT_CORE_ERROR) {
        trial->state = PBT_CORE_PENDING;
        trial->failures = 0;
        trial->forgiven = 0;
        core->finished--;
        go_back(core, number);
    }
}

static bool apply_opened(struct pbt_core *core, const struct pbt_record *record)
{
    if (record->incarnation <= core->incarnation) {
        return false;
    }
    core->incarnation = record->incarnation;
    core->epoch_counter = 0;
    core->slots = record->slots;
    core->used = 0;
    /* A cut or an interruption may hide END_FAILED; a late result doesn't undo it. */
    bool failed = !pbt_core_end_is_final(core->end) &&
                  (core->end == PBT_END_FAILED || core->results == 0);
    if (!pbt_core_end_is_final(core->end)) {
        core->end = PBT_END_NOT;
    }
    core->end_due = PBT_END_NOT;
    /* What is due next does not depend on where the records were read from. */
    pbt_core_touch_none(core);
    for (uint32_t i = 0; i < core->settings->population; i++) {
        struct pbt_trial *trial = &core->trials[i];
        trial->setbacks = 0; /* somebody may have seen to what broke */
        trial->not_before = 0;
        pbt_core_set_startable(core, i);
        if (failed) {
            forgive(core, i);
        }
        if (trial->phase == PBT_PHASE_ASK && !pbt_core_is_over(core, trial)) {
            /* An exploit needs the donor's checkpoint, not the loser's process. */
            trial->state =
                trial->process_epoch != 0 ? waiting(trial) : trial->state;
            trial->process_epoch = 0;
            trial->rest = false;
            pbt_core_rank(core, i);
        } else if (trial->phase != PBT_PHASE_NONE) {
            /* Its process died with the former driver. */
            enum pbt_leave leave = pbt_core_is_over(core, trial)
                                       ? PBT_LEAVE_TERMINATE
                                       : trial->leave;
            after_process(core, i, pbt_core_outcome(core, trial, leave));
        }
        pbt_core_touch(core, i);
    }
    return true;
}

static bool apply_ready(struct pbt_core *core, const struct pbt_record *record)
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

static bool apply_result(struct pbt_core *core, const struct pbt_record *record)
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

static bool apply_halted(struct pbt_core *core, const struct pbt_record *record)
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

static void note_best(struct pbt_core *core, struct pbt_checkpoint_id id,
                      double score)
{
    if (!isfinite(score) || (core->has_best && score <= core->best_score)) {
        return;
    }
    struct pbt_checkpoint_id old = core->best;
    core->has_best = true;
    core->best_score = score;
    core->best = id;
    pbt_core_pin(core, id);
    pbt_core_unpin(core, old);
}

/* Of the checkpoint that is saved: those of the highest worth are kept. */
static double worth_of(const struct pbt_core *core,
                       const struct pbt_trial *trial,
                       const struct pbt_record *record)
{
    double worth = (double)NAN;
    switch (core->settings->keep) {
    case PBT_KEEP_NEWEST:
        return (double)record->number;
    case PBT_KEEP_BEST:
        return record->score;
    case PBT_KEEP_WORST:
        return -record->score;
    case PBT_KEEP_ITERATION:
        worth = (double)trial->iteration;
        break;
    case PBT_KEEP_SECONDS:
        worth = trial->time_total;
        break;
    case PBT_KEEP_VALUE:
        worth = trial->result_value;
        break;
    }
    return core->settings->keep_low ? -worth : worth;
}

static bool apply_saved(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    struct pbt_checkpoint_id id = record->checkpoint;
    if (trial->phase != PBT_PHASE_SAVE || id.trial != record->trial ||
        id.number != trial->last_number) {
        return false;
    }
    struct pbt_saved saved = {.number = id.number,
                              .epoch = trial->epoch,
                              .seq = trial->seq,
                              .iteration = trial->iteration,
                              .time_total = trial->time_total,
                              .score = record->score,
                              .worth = worth_of(core, trial, record),
                              .bytes = record->bytes};
    if (!pbt_core_add_saved(core, record->trial, &saved)) {
        return false;
    }
    core->bytes += record->bytes;
    core->spare_bytes += record->bytes;
    trial->phase = PBT_PHASE_RUN;
    trial->rest = true;
    trial->point_save = false;
    trial->halting = false;
    trial->saved_seq = trial->seq;
    if (record->point) {
        pbt_core_set_pair(core, record->trial, id);
    }
    note_best(core, id, record->score);
    pbt_core_push_restart(core, record->trial, id);
    if (record->pause) {
        pbt_core_set_leave(core, record->trial, PBT_LEAVE_PAUSE);
    }
    pbt_core_rank(core, record->trial);
    pbt_core_touch(core, record->trial);
    return true;
}

static bool apply_exited(struct pbt_core *core, const struct pbt_record *record)
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
    after_process(core, record->trial, record->leave);
    return true;
}

static bool apply_durable(struct pbt_core *core,
                          const struct pbt_record *record)
{
    struct pbt_saved *saved = pbt_core_find(core, record->checkpoint);
    if (saved == NULL) {
        return false;
    }
    saved->durable = true;
    return true;
}

/* What the loss of a checkpoint means for one trial (rule 17). */
static void lose_checkpoint(struct pbt_core *core, uint32_t number,
                            struct pbt_checkpoint_id id)
{
    struct pbt_trial *trial = &core->trials[number];
    bool top_lost = pbt_core_lose_restart(core, number, id);
    if (pbt_core_same_id(trial->pair, id)) {
        pbt_core_set_pair(core, number, (struct pbt_checkpoint_id){0, 0});
    }
    if (pbt_core_same_id(trial->best, id)) {
        pbt_core_lose_best(core, number);
    }
    if (trial->ask != 0 && pbt_core_same_id(trial->ask_checkpoint, id)) {
        cancel_ask(core, number);
    }
    if (!top_lost) {
        return;
    }
    if (trial->phase == PBT_PHASE_START || trial->phase == PBT_PHASE_LOAD) {
        trial->orphaned = true;
        pbt_core_touch(core, number);
    } else if (trial->phase == PBT_PHASE_NONE &&
               (trial->state == PBT_CORE_PENDING ||
                trial->state == PBT_CORE_PAUSED)) {
        go_back(core, number);
    }
}

/* The best is lost: the best of what is left takes its place. */
static void find_best(struct pbt_core *core)
{
    core->has_best = false;
    core->best = (struct pbt_checkpoint_id){0, 0};
    for (uint32_t i = 0; i < core->settings->population; i++) {
        const struct pbt_trial *trial = &core->trials[i];
        for (uint32_t s = 0; s < trial->saved_count; s++) {
            struct pbt_checkpoint_id id = {i, trial->saved[s].number};
            note_best(core, id, trial->saved[s].score);
        }
    }
}

static bool apply_bad(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_checkpoint_id id = record->checkpoint;
    if (pbt_core_find(core, id) == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < core->settings->population; i++) {
        lose_checkpoint(core, i, id);
    }
    bool was_best = pbt_core_same_id(core->best, id);
    pbt_core_drop_saved(core, id);
    if (was_best) {
        find_best(core);
    }
    return true;
}

/* --- decisions ----------------------------------------------------------- */

static bool apply_trial(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->created || record->trial != core->created ||
        record->cells == NULL) {
        return false;
    }
    clear_ask(core, trial);
    trial->phase = PBT_PHASE_NONE;
    core->created++;
    trial->created = true;
    trial->state = trial->held ? PBT_CORE_PAUSED : PBT_CORE_PENDING;
    trial->lineage = record->lineage;
    trial->score = (double)NAN;
    trial->best_score = (double)NAN;
    trial->result_score = (double)NAN;
    trial->result_value = (double)NAN;
    copy_cells(core, trial->cells, record->cells);
    pbt_core_push_restart(core, record->trial,
                          (struct pbt_checkpoint_id){0, 0});
    pbt_core_set_startable(core, record->trial);
    pbt_core_touch(core, record->trial);
    if (trial->end_asked) { /* while its first values were asked for */
        finish(core, record->trial, PBT_CORE_TERMINATED);
    }
    return true;
}

static bool apply_ask_first(struct pbt_core *core,
                            const struct pbt_record *record)
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
    copy_cells(core, trial->ask_old, record->cells);
    copy_cells(core, trial->ask_new, record->cells);
    pbt_core_touch(core, record->trial);
    return true;
}

static bool take_epoch(struct pbt_core *core, uint64_t epoch)
{
    if (epoch >> PBT_EPOCH_SHIFT != core->incarnation) {
        return false;
    }
    uint64_t counter = epoch & ((UINT64_C(1) << PBT_EPOCH_SHIFT) - 1);
    if (counter != core->epoch_counter + 1) {
        return false;
    }
    core->epoch_counter = counter;
    return true;
}

static bool apply_start(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    bool waits = pbt_order_has(&core->startable, record->trial) ||
                 pbt_order_has(&core->delayed, record->trial);
    if (!waits ||
        !pbt_core_same_id(record->checkpoint,
                          pbt_core_top(trial)->checkpoint) ||
        !take_epoch(core, record->epoch)) {
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

/* What a donor gives once goes with the first record that takes it. */
static void take_gift(struct pbt_core *core, const struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[record->trial];
    if (record->checkpoint.trial == record->donor) {
        pbt_core_give(core, record->donor, record->checkpoint);
    } else if (!trial->adopts && trial->phase != PBT_PHASE_ASK) {
        pbt_core_give_best(core, record->donor);
    }
}

static bool can_take(const struct pbt_core *core,
                     const struct pbt_record *record)
{
    return record->donor < core->settings->population &&
           record->donor != record->trial && record->old_cells != NULL;
}

static void note_donor(const struct pbt_core *core, struct pbt_trial *trial,
                       const struct pbt_record *record)
{
    trial->ask_donor = record->donor;
    trial->ask_score = record->donor_score;
    trial->ask_iteration = record->donor_iteration;
    copy_cells(core, trial->ask_old, record->old_cells);
}

static bool apply_save(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    bool adopts = isfinite(record->donor_score);
    if (trial->phase != PBT_PHASE_RUN || !trial->rest ||
        record->checkpoint.number != trial->last_number + 1 ||
        (adopts && !can_take(core, record))) {
        return false;
    }
    if (adopts) {
        take_gift(core, record);
        note_donor(core, trial, record);
        trial->adopts = true;
    }
    trial->phase = PBT_PHASE_SAVE;
    trial->last_number = record->checkpoint.number;
    trial->point_save = record->point;
    pbt_core_set_point(core, record->trial, false);
    pbt_core_rank(core, record->trial);
    pbt_core_touch(core, record->trial);
    return true;
}

/* It is at its point; synch: it has arrived, in a process or without one. */
static bool may_exploit(const struct pbt_core *core,
                        const struct pbt_trial *trial)
{
    if (core->settings->synch) {
        bool rests = trial->phase == PBT_PHASE_RUN && trial->rest;
        bool paused = trial->phase == PBT_PHASE_NONE &&
                      (trial->state == PBT_CORE_PAUSED ||
                       trial->state == PBT_CORE_PENDING);
        return pbt_core_has_arrived(core, trial) && (rests || paused);
    }
    return trial->phase == PBT_PHASE_RUN &&
           (trial->at_point || (trial->adopts && trial->rest));
}

/*
 * A loser of this round has had its turn.  One that was asked for in an earlier round, and
 * set aside by the user meanwhile, has yet to arrive in this one.
 */
static void settle(const struct pbt_core *core, struct pbt_trial *trial)
{
    if (core->settings->synch && pbt_core_has_arrived(core, trial)) {
        trial->settled = core->round;
    }
}

/* It has failed for good, and goes on as another: nothing of its own counts any more. */
static void revive(struct pbt_core *core, struct pbt_trial *trial)
{
    trial->state = PBT_CORE_PENDING;
    core->finished--;
    trial->replaced++;
    trial->forgiven = trial->failures;
    trial->setbacks = 0;
    trial->not_before = 0;
    trial->stopping = false;
    trial->ranked = false;
    trial->score = (double)NAN;
    trial->score_count = 0;
    trial->sample_count = 0;
    trial->sample_mean = 0;
    trial->sample_squares = 0;
}

static bool is_dead(const struct pbt_trial *trial)
{
    return trial->state == PBT_CORE_ERROR && trial->phase == PBT_PHASE_NONE;
}

/* From the donor's checkpoint; or, to adopt, from the one of its own weights. */
static bool apply_exploit(struct pbt_core *core,
                          const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    const struct pbt_saved *saved = pbt_core_find(core, record->checkpoint);
    bool adopts = record->kind == PBT_RECORD_ADOPT;
    bool asked =
        trial->phase == PBT_PHASE_ASK && trial->replaces == record->replacement;
    bool may = record->replacement ? is_dead(trial) : may_exploit(core, trial);
    if (!(asked || may) || saved == NULL || record->cells == NULL ||
        !can_take(core, record) ||
        (adopts && !pbt_core_same_id(record->checkpoint,
                                     pbt_core_own(core, record->trial))) ||
        !take_epoch(core, record->epoch)) {
        return false;
    }
    if (record->replacement) {
        if (!asked) {
            revive(core, trial);
        }
        trial->replaces = false;
        trial->settled = core->settings->synch ? core->round : 0;
    }
    take_gift(core, record);
    settle(core, trial);
    pbt_core_set_point(core, record->trial, false);
    trial->epoch = record->epoch;
    trial->seq = 0;
    trial->saved_seq = 0;
    trial->iteration = saved->iteration;
    trial->turn = pbt_core_turn(trial->turn, saved->iteration);
    trial->time_total = saved->time_total;
    trial->result_score = (double)NAN;
    trial->result_value = (double)NAN;
    /* Ray: the loser inherits the donor's clock, and keeps its own score. */
    trial->last_perturbation =
        pbt_core_clock(core, saved->iteration, saved->time_total);
    trial->ranked_epoch = 0;
    trial->ranked_seq = 0;
    if (!adopts) {
        trial->score_count = 0; /* they were of other weights */
    }
    trial->adopts = false;
    trial->exploits++;
    trial->recorded_exploits = trial->exploits;
    trial->halting = false;
    trial->lineage = record->lineage;
    copy_cells(core, trial->cells, record->cells);
    pbt_core_set_pair(core, record->trial, (struct pbt_checkpoint_id){0, 0});
    if (adopts) {
        pbt_core_replace_restart(core, record->trial, record->checkpoint);
    } else {
        pbt_core_push_restart(core, record->trial, record->checkpoint);
    }
    clear_ask(core, trial);
    if (trial->process_epoch == 0) {
        pbt_core_go_back(core, record->trial); /* to what was just pushed */
        return true;
    }
    if (!record->pause && trial->can_reset) {
        trial->phase = PBT_PHASE_LOAD;
        trial->rest = false;
    } else {
        pbt_core_set_leave(core, record->trial,
                           record->pause ? PBT_LEAVE_PAUSE : PBT_LEAVE_RESPAWN);
    }
    pbt_core_rank(core, record->trial);
    pbt_core_touch(core, record->trial);
    return true;
}

/* A new life in the same weights: replay's next configuration. */
static bool apply_change(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->phase != PBT_PHASE_RUN || !trial->rest ||
        record->cells == NULL ||
        pbt_core_find(core, record->checkpoint) == NULL ||
        !take_epoch(core, record->epoch)) {
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
    copy_cells(core, trial->cells, record->cells);
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

static bool apply_pass(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    bool asks = trial->phase == PBT_PHASE_ASK;
    bool replaces = trial->replaces;
    if (!trial->at_point && !asks && !may_exploit(core, trial)) {
        return false;
    }
    if (asks) {
        cancel_ask(core, record->trial);
    }
    trial->adopts = false;
    trial->passed = trial->at_point;
    settle(core, trial);
    if (replaces && core->settings->synch) {
        trial->settled = core->round; /* again in the next one */
    }
    pbt_core_touch(core, record->trial);
    return true;
}

static bool apply_ask(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    bool may = record->replacement ? is_dead(trial) : may_exploit(core, trial);
    if (!may || record->cells == NULL || !can_take(core, record) ||
        pbt_core_find(core, record->checkpoint) == NULL) {
        return false;
    }
    if (record->replacement) {
        revive(core, trial);
        trial->replaces = true;
    }
    take_gift(core, record);
    note_donor(core, trial, record);
    trial->phase = PBT_PHASE_ASK;
    pbt_core_set_startable(core, record->trial);
    trial->ask = record->number;
    trial->ask_checkpoint = record->checkpoint;
    trial->ask_lineage = record->lineage;
    copy_cells(core, trial->ask_new, record->cells);
    pbt_core_pin(core, record->checkpoint);
    pbt_core_rank(core, record->trial);
    pbt_core_touch(core, record->trial);
    return true;
}

static bool apply_leave(struct pbt_core *core, const struct pbt_record *record)
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

static bool apply_delete(struct pbt_core *core, const struct pbt_record *record)
{
    const struct pbt_saved *saved = pbt_core_find(core, record->checkpoint);
    if (saved == NULL || saved->pins > 0) {
        return false;
    }
    pbt_core_drop_saved(core, record->checkpoint);
    pbt_core_touch(core, record->checkpoint.trial);
    return true;
}

/*
 * A grant may be under way, so only the answer to a halt says that it rests.  Not so at a
 * point, nor after a halt that was owed before: then its last word holds.
 */
static bool halt_run(const struct pbt_core *core, struct pbt_trial *trial)
{
    bool grant = trial->phase == PBT_PHASE_RUN && !trial->at_point &&
                 !trial->stopping && !trial->halting &&
                 core->end == PBT_END_NOT;
    trial->rest = trial->rest && !grant;
    return grant;
}

static void stop_trial(struct pbt_core *core, uint32_t number)
{
    struct pbt_trial *trial = &core->trials[number];
    trial->end_asked = true;
    if (!trial->created) {
        return; /* it ends when it is there */
    }
    if (trial->phase == PBT_PHASE_ASK) {
        cancel_ask(core, number);
    }
    if (trial->state == PBT_CORE_ERROR) {
        return; /* it was to be replaced */
    }
    if (trial->process_epoch == 0) {
        finish(core, number, PBT_CORE_TERMINATED);
        return;
    }
    (void)halt_run(core, trial);
    trial->stopping = true;
}

static bool apply_request(struct pbt_core *core,
                          const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (!pbt_core_can_request(core, trial, record->request)) {
        return false;
    }
    if (record->request == PBT_REQUEST_STOP) {
        stop_trial(core, record->trial);
    } else {
        bool pause = record->request == PBT_REQUEST_PAUSE;
        set_held(core, trial, pause);
        if (pause && halt_run(core, trial)) {
            trial->halting = true;
        }
        if (pause && trial->process_epoch == 0) {
            trial->state = PBT_CORE_PAUSED;
        }
        pbt_core_set_startable(core, record->trial);
        pbt_core_rank(core, record->trial);
    }
    pbt_core_touch(core, record->trial);
    return true;
}

static bool apply_end(struct pbt_core *core, const struct pbt_record *record)
{
    for (uint32_t i = 0; i < core->settings->population; i++) {
        struct pbt_trial *trial = &core->trials[i];
        bool asks_alone =
            trial->phase == PBT_PHASE_ASK && trial->process_epoch == 0;
        if (asks_alone && !pbt_core_end_is_final(record->end)) {
            continue; /* nothing of it goes on: the next driver asks again */
        }
        if (trial->phase == PBT_PHASE_ASK) {
            cancel_ask(core, i);
        }
        (void)halt_run(core, trial);
        bool over = trial->state == PBT_CORE_TERMINATED ||
                    trial->state == PBT_CORE_ERROR;
        if (trial->phase == PBT_PHASE_NONE && trial->created && !over &&
            pbt_core_end_is_final(record->end)) {
            finish(core, i, PBT_CORE_TERMINATED);
        }
        pbt_core_touch(core, i);
    }
    core->end = record->end;
    core->end_due = PBT_END_NOT;
    return true;
}

static bool apply_round(struct pbt_core *core, const struct pbt_record *record)
{
    if (!core->settings->synch || core->awaited > 0 ||
        !(record->target > core->target)) {
        return false;
    }
    core->round++;
    core->target = record->target;
    for (uint32_t i = 0; i < core->settings->population; i++) {
        pbt_core_touch(core, i);
    }
    return true;
}

static bool apply_undo(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->recorded_exploits <= trial->exploits ||
        record->exploits != trial->exploits || record->cells == NULL) {
        return false;
    }
    trial->recorded_exploits = trial->exploits;
    pbt_core_touch(core, record->trial);
    return true;
}

static bool apply_extend(struct pbt_core *core)
{
    if (!pbt_core_end_is_final(core->end)) {
        return false;
    }
    core->end = PBT_END_NOT;
    for (uint32_t i = 0; i < core->settings->population; i++) {
        pbt_core_touch(core, i);
    }
    return true;
}

static bool apply_reopen(struct pbt_core *core, const struct pbt_record *record)
{
    struct pbt_trial *trial = &core->trials[record->trial];
    if (trial->state != PBT_CORE_TERMINATED ||
        pbt_core_end_is_final(core->end)) {
        return false;
    }
    trial->state = PBT_CORE_PENDING;
    core->finished--;
    go_back(core, record->trial);
    return true;
}

static bool apply_kind(struct pbt_core *core, const struct pbt_record *record)
{
    switch (record->kind) {
    case PBT_RECORD_OPENED:
        return apply_opened(core, record);
    case PBT_RECORD_READY:
        return apply_ready(core, record);
    case PBT_RECORD_RESULT:
        return apply_result(core, record);
    case PBT_RECORD_HALTED:
        return apply_halted(core, record);
    case PBT_RECORD_SAVED:
        return apply_saved(core, record);
    case PBT_RECORD_EXITED:
        return apply_exited(core, record);
    case PBT_RECORD_DURABLE:
        return apply_durable(core, record);
    case PBT_RECORD_BAD:
        return apply_bad(core, record);
    case PBT_RECORD_REQUEST:
        return apply_request(core, record);
    case PBT_RECORD_CAPACITY:
        core->slots = record->slots;
        return true;
    case PBT_RECORD_TRIAL:
        return apply_trial(core, record);
    case PBT_RECORD_ASK_FIRST:
        return apply_ask_first(core, record);
    case PBT_RECORD_START:
        return apply_start(core, record);
    case PBT_RECORD_SAVE:
        return apply_save(core, record);
    case PBT_RECORD_EXPLOIT:
    case PBT_RECORD_ADOPT:
        return apply_exploit(core, record);
    case PBT_RECORD_PASS:
        return apply_pass(core, record);
    case PBT_RECORD_ASK:
        return apply_ask(core, record);
    case PBT_RECORD_LEAVE:
        return apply_leave(core, record);
    case PBT_RECORD_DELETE:
        return apply_delete(core, record);
    case PBT_RECORD_END:
        return apply_end(core, record);
    case PBT_RECORD_ROUND:
        return apply_round(core, record);
    case PBT_RECORD_CHANGE:
        return apply_change(core, record);
    case PBT_RECORD_UNDO:
        return apply_undo(core, record);
    case PBT_RECORD_EXTEND:
        return apply_extend(core);
    case PBT_RECORD_REOPEN:
        return apply_reopen(core, record);
    case PBT_RECORD_KINDS:
        break;
    }
    return false;
}

bool pbt_core_apply(struct pbt_core *core, const struct pbt_record *record)
{
    if (record->number != core->records + 1 ||
        record->trial >= core->settings->population ||
        record->time < core->time ||
        (core->incarnation == 0 && record->kind != PBT_RECORD_OPENED)) {
        return false;
    }
    if (!apply_kind(core, record)) {
        return false;
    }
    core->records = record->number;
    core->time = record->time;
    pbt_core_end_delays(core);
    return true;
}
