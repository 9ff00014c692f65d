/*
 * decide.c: all policy.  What follows from an event, and what is due without one.
 *
 * The rules are Ray Tune's Population Based Training, with the departures that
 * docs/scheduler.md lists.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/state.h"

static struct pbt_record new_record(const struct pbt_core *core,
                                    enum pbt_record_kind kind, uint32_t trial)
{
    struct pbt_record record = {.kind = kind, .trial = trial};
    record.number = core->records + 1;
    record.time = core->time;
    record.score = (double)NAN;
    record.donor_score = (double)NAN;
    for (uint32_t i = 0; i < PBT_VALUES_MAX; i++) {
        record.values[i] = (double)NAN;
    }
    if (trial < core->settings->population) {
        record.epoch = core->trials[trial].epoch;
    }
    return record;
}

static uint64_t life_seed(const struct pbt_core *core, uint64_t lineage,
                          int64_t iteration)
{
    return pbt_mix(pbt_mix(core->settings->seed, lineage), (uint64_t)iteration);
}

static uint64_t next_epoch(const struct pbt_core *core)
{
    return (core->incarnation << PBT_EPOCH_SHIFT) + core->epoch_counter + 1;
}

/* --- events -------------------------------------------------------------- */

static bool stop_reached(const struct pbt_stop *stop,
                         const struct pbt_event *event)
{
    return pbt_core_stop_reached(
        stop, pbt_core_stop_value(stop, event->iteration, event->time_total,
                                  event->values));
}

/* 1 + the criterion that a result reaches: one of stop_all before others. */
static uint32_t reached_stop(const struct pbt_settings *settings,
                             const struct pbt_event *event)
{
    uint32_t reached = 0;
    for (uint32_t i = 0; i < settings->stop_count; i++) {
        if (stop_reached(&settings->stops[i], event)) {
            if (settings->stops[i].all) {
                return i + 1;
            }
            reached = reached == 0 ? i + 1 : reached;
        }
    }
    return reached;
}

/* Ray's conditions, in its order: burn-in, then the interval. */
static bool is_point(const struct pbt_core *core, const struct pbt_trial *trial,
                     const struct pbt_event *event)
{
    const struct pbt_settings *settings = core->settings;
    double clock = pbt_core_clock(core, event->iteration, event->time_total);
    if (settings->scheduler == PBT_SCHEDULER_PBT && settings->synch) {
        return event->halted && clock >= core->target;
    }
    return settings->scheduler == PBT_SCHEDULER_PBT && event->halted &&
           clock >= settings->burn_in_period &&
           clock - trial->last_perturbation >= settings->perturbation_interval;
}

static bool decide_result(const struct pbt_core *core,
                          const struct pbt_event *event,
                          struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[event->trial];
    /* At its point a trial rests: what it says beyond is out of turn. */
    if (event->epoch != trial->epoch || trial->phase != PBT_PHASE_RUN ||
        trial->at_point || event->seq <= trial->seq) {
        return false;
    }
    *record = new_record(core, PBT_RECORD_RESULT, event->trial);
    record->seq = event->seq;
    record->iteration = event->iteration;
    record->time_total = event->time_total;
    record->score = event->score;
    memcpy(record->values, event->values, sizeof record->values);
    record->halted = event->halted;
    record->done = event->done;
    record->stop = reached_stop(core->settings, event);
    /* Whoever arrives while the run is interrupted would else train on before its round. */
    bool counts = core->end == PBT_END_NOT ||
                  (core->settings->synch && !pbt_core_end_is_final(core->end));
    /* Ray asks the stop criteria first: such a result isn't ranked. */
    record->point = record->stop == 0 && !event->done && !trial->stopping &&
                    counts && is_point(core, trial, event);
    return true;
}

/*
 * More trials than slots: at its point a trial gives its slot back if others would start
 * before it, and none of the free slots is left for it.  Slots about to be free count, else
 * one that waits would make all pause that reach their point before it has started.
 */
static bool should_pause(const struct pbt_core *core, uint32_t trial,
                         int64_t turn)
{
    uint32_t staying = core->used - core->leaving;
    if (staying > core->slots) {
        return true;
    }
    /* In a round whoever has arrived needs no slot. */
    uint32_t ahead =
        core->settings->synch
            ? pbt_order_count(&core->startable)
            : pbt_order_before(&core->startable, (double)turn, trial);
    return ahead > core->slots - staying;
}

static bool decide_saved(const struct pbt_core *core,
                         const struct pbt_event *event,
                         struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[event->trial];
    if (event->epoch != trial->epoch || trial->phase != PBT_PHASE_SAVE ||
        event->checkpoint.trial != event->trial ||
        event->checkpoint.number != trial->last_number) {
        return false;
    }
    *record = new_record(core, PBT_RECORD_SAVED, event->trial);
    record->checkpoint = event->checkpoint;
    record->seq = trial->seq;
    record->iteration = trial->iteration;
    record->time_total = trial->time_total;
    record->bytes = event->bytes;
    bool of_point = trial->ranked && trial->ranked_epoch == trial->epoch &&
                    trial->ranked_seq == trial->seq;
    record->score = trial->result_score;
    record->point = of_point;
    bool gives_way =
        trial->point_save && should_pause(core, event->trial, trial->turn);
    /* With other hyperparameters it goes on at once, or pauses with them. */
    record->pause = !trial->stopping && core->end == PBT_END_NOT &&
                    !trial->adopts && (trial->held || gives_way);
    return true;
}

static enum pbt_leave exit_outcome(const struct pbt_core *core,
                                   const struct pbt_trial *trial, bool no_room)
{
    if (trial->phase == PBT_PHASE_LEAVE) {
        return pbt_core_outcome(core, trial, trial->leave);
    }
    if (pbt_core_end_is_final(core->end) || trial->end_asked ||
        pbt_core_is_over(core, trial)) {
        return PBT_LEAVE_TERMINATE;
    }
    /* Killed because its step outlasted the grace time, most likely. */
    if (core->end != PBT_END_NOT) {
        return PBT_LEAVE_PAUSE;
    }
    /*
     * It died of a checkpoint that is known to be bad by now (rule 17), or of a full disk: its
     * next save waits for room.
     */
    if (trial->orphaned || (no_room && trial->phase == PBT_PHASE_SAVE)) {
        return PBT_LEAVE_RESPAWN;
    }
    /* Before any result of the experiment it is a bug, not bad luck. */
    int32_t allowed = core->settings->max_failures;
    bool again =
        core->results > 0 &&
        (allowed < 0 || trial->failures - trial->forgiven < (uint32_t)allowed);
    return again ? PBT_LEAVE_RETRY : PBT_LEAVE_ERROR;
}

/*
 * What broke may take its time to mend: the first failure is taken for chance, each further one
 * in a row, without a result between, lets the trial wait twice as long, 64 times at most.
 */
static uint64_t wait_after_failure(const struct pbt_core *core,
                                   const struct pbt_trial *trial)
{
    if (trial->setbacks == 0) {
        return 0;
    }
    uint32_t doublings = trial->setbacks > 6 ? 6 : trial->setbacks - 1;
    return core->settings->backoff_ns << doublings;
}

static bool decide_exited(const struct pbt_core *core,
                          const struct pbt_event *event,
                          struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[event->trial];
    if (trial->phase == PBT_PHASE_NONE ||
        event->epoch != trial->process_epoch) {
        return false;
    }
    *record = new_record(core, PBT_RECORD_EXITED, event->trial);
    record->epoch = event->epoch;
    record->leave = exit_outcome(core, trial, event->no_room);
    record->wait =
        record->leave == PBT_LEAVE_RETRY ? wait_after_failure(core, trial) : 0;
    record->iteration = trial->iteration;
    return true;
}

static bool decide_life_event(const struct pbt_core *core,
                              const struct pbt_event *event,
                              struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[event->trial];
    bool ready = event->kind == PBT_EVENT_READY;
    bool loads =
        trial->phase == PBT_PHASE_START || trial->phase == PBT_PHASE_LOAD;
    bool fits = ready ? loads && !trial->orphaned
                      : trial->phase == PBT_PHASE_RUN && !trial->rest;
    if (event->epoch != trial->epoch || !fits) {
        return false;
    }
    *record = new_record(core, ready ? PBT_RECORD_READY : PBT_RECORD_HALTED,
                         event->trial);
    record->can_reset = event->can_reset;
    record->iteration = trial->iteration;
    return true;
}

static bool decide_checkpoint_event(const struct pbt_core *core,
                                    const struct pbt_event *event,
                                    struct pbt_record *record)
{
    const struct pbt_saved *saved = pbt_core_find(core, event->checkpoint);
    bool durable = event->kind == PBT_EVENT_DURABLE;
    if (saved == NULL || (durable && saved->durable)) {
        return false;
    }
    *record = new_record(core, durable ? PBT_RECORD_DURABLE : PBT_RECORD_BAD,
                         event->checkpoint.trial);
    record->checkpoint = event->checkpoint;
    record->iteration = saved->iteration;
    return true;
}

static bool decide_opened(const struct pbt_core *core,
                          const struct pbt_event *event,
                          struct pbt_record *record)
{
    assert(event->incarnation > core->incarnation);
    *record = new_record(core, PBT_RECORD_OPENED, 0);
    record->epoch = 0;
    record->incarnation = event->incarnation;
    record->slots = event->slots;
    record->seed = core->settings->seed;
    return true;
}

/* An end for good may follow on an interruption; nothing follows on an end for good. */
static bool may_end(const struct pbt_core *core, enum pbt_end end)
{
    return core->end == PBT_END_NOT ||
           (core->end == PBT_END_INTERRUPTED && pbt_core_end_is_final(end));
}

static bool decide_end(const struct pbt_core *core, enum pbt_end end,
                       struct pbt_record *record)
{
    if (!may_end(core, end)) {
        return false;
    }
    *record = new_record(core, PBT_RECORD_END, 0);
    record->epoch = 0;
    record->end = end;
    return true;
}

/* It has failed for good, and is to go on as another's copy. */
static bool is_replaced(const struct pbt_trial *trial)
{
    return trial->replaces || trial->state == PBT_CORE_ERROR;
}

/* Who gives, and what: as long as the trial has not taken it. */
struct donation {
    uint32_t donor;
    double score;
    int64_t iteration;
    const struct pbt_cell *cells;
};

/* `checkpoint`: the one to go on from, the donor's or (to adopt) the trial's own. */
static void fill_exploit(const struct pbt_core *core, enum pbt_record_kind kind,
                         uint32_t trial, const struct donation *from,
                         struct pbt_checkpoint_id checkpoint,
                         struct pbt_record *record)
{
    const struct pbt_saved *saved = pbt_core_find(core, checkpoint);
    assert(saved != NULL);
    *record = new_record(core, kind, trial);
    record->iteration = core->trials[trial].iteration;
    record->score = core->trials[trial].score;
    record->donor = from->donor;
    record->checkpoint = checkpoint;
    record->donor_score = from->score;
    record->donor_iteration = from->iteration;
    record->old_cells = from->cells;
    record->time_total = saved->time_total;
    record->replacement = is_replaced(&core->trials[trial]);
    if (kind != PBT_RECORD_ASK) {
        record->epoch = next_epoch(core);
        int64_t turn =
            pbt_core_turn(core->trials[trial].turn, saved->iteration);
        record->pause =
            core->trials[trial].process_epoch != 0 &&
            (core->trials[trial].held || should_pause(core, trial, turn));
    }
}

/* What a trial goes on as, whose weights are of that lineage. */
static void begin_lineage(const struct pbt_core *core, uint64_t weights,
                          struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[record->trial];
    const struct pbt_saved *saved = pbt_core_find(core, record->checkpoint);
    record->lineage =
        pbt_mix(weights, pbt_mix(record->trial, trial->exploits + 1));
    record->seed = life_seed(core, record->lineage, saved->iteration);
}

static bool keeps_weights(const struct pbt_core *core)
{
    return core->settings->copies == PBT_COPIES_HYPERPARAMETERS;
}

/* Who has failed for good has nothing of its own to be kept. */
static enum pbt_record_kind exploit_kind(const struct pbt_core *core,
                                         uint32_t trial)
{
    return keeps_weights(core) && !is_replaced(&core->trials[trial])
               ? PBT_RECORD_ADOPT
               : PBT_RECORD_EXPLOIT;
}

/* As the state has it: of an open ask, or of a trial that is to adopt. */
static struct donation noted_donation(const struct pbt_trial *trial)
{
    return (struct donation){.donor = trial->ask_donor,
                             .score = trial->ask_score,
                             .iteration = trial->ask_iteration,
                             .cells = trial->ask_old};
}

/* The next trial, with these values. */
static void fill_creation(const struct pbt_core *core,
                          enum pbt_record_kind kind,
                          const struct pbt_cell *cells,
                          struct pbt_record *record)
{
    uint32_t number = core->created;
    *record = new_record(core, kind, number);
    record->cells = cells;
    record->lineage = pbt_mix(core->settings->seed, number + 1);
}

static bool decide_answered(const struct pbt_core *core,
                            const struct pbt_event *event,
                            struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[event->trial];
    if (trial->phase != PBT_PHASE_ASK || event->seq != trial->ask) {
        return false;
    }
    if (!trial->created) {
        if (event->failed) { /* no trial can begin so: the program is wrong */
            return decide_end(core, PBT_END_FAILED, record);
        }
        fill_creation(core, PBT_RECORD_TRIAL, event->cells, record);
        return true;
    }
    if (event->failed) {
        *record = new_record(core, PBT_RECORD_PASS, event->trial);
        record->iteration = trial->iteration;
        record->pass = PBT_PASS_EXPLORE_FAILED;
        return true;
    }
    struct donation from = noted_donation(trial);
    fill_exploit(core, exploit_kind(core, event->trial), event->trial, &from,
                 trial->ask_checkpoint, record);
    begin_lineage(core, trial->ask_lineage, record);
    record->cells = event->cells;
    return true;
}

static bool decide_capacity(const struct pbt_core *core,
                            const struct pbt_event *event,
                            struct pbt_record *record)
{
    if (event->slots == core->slots) {
        return false;
    }
    *record = new_record(core, PBT_RECORD_CAPACITY, 0);
    record->epoch = 0;
    record->slots = event->slots;
    return true;
}

/* What has its way already, or comes too late, leads to nothing. */
static bool decide_request(const struct pbt_core *core,
                           const struct pbt_event *event,
                           struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[event->trial];
    if (!pbt_core_can_request(core, trial, event->request)) {
        return false;
    }
    *record = new_record(core, PBT_RECORD_REQUEST, event->trial);
    record->request = event->request;
    record->iteration = trial->iteration;
    return true;
}

static bool decide_event(const struct pbt_core *core,
                         const struct pbt_event *event,
                         struct pbt_record *record)
{
    assert(event->trial < core->settings->population);
    switch (event->kind) {
    case PBT_EVENT_OPENED:
        return decide_opened(core, event, record);
    case PBT_EVENT_READY:
    case PBT_EVENT_HALTED:
        return decide_life_event(core, event, record);
    case PBT_EVENT_RESULT:
        return decide_result(core, event, record);
    case PBT_EVENT_SAVED:
        return decide_saved(core, event, record);
    case PBT_EVENT_EXITED:
        return decide_exited(core, event, record);
    case PBT_EVENT_DURABLE:
    case PBT_EVENT_BAD:
        return decide_checkpoint_event(core, event, record);
    case PBT_EVENT_CAPACITY:
        return decide_capacity(core, event, record);
    case PBT_EVENT_STOP_ASKED:
        return decide_end(core, PBT_END_INTERRUPTED, record);
    case PBT_EVENT_REQUEST:
        return decide_request(core, event, record);
    case PBT_EVENT_TIME_UP:
        return decide_end(core, PBT_END_TIME_BUDGET, record);
    case PBT_EVENT_ANSWERED:
        return decide_answered(core, event, record);
    case PBT_EVENT_WAKE: /* no news: pbt_core_decide() */
        break;
    }
    return false;
}

/* --- what is due without an event ---------------------------------------- */

static void due_leave(const struct pbt_core *core, uint32_t trial,
                      enum pbt_leave leave, struct pbt_record *record)
{
    *record = new_record(core, PBT_RECORD_LEAVE, trial);
    record->leave = leave;
    record->iteration = core->trials[trial].iteration;
}

static void due_save(const struct pbt_core *core, uint32_t trial,
                     struct pbt_record *record)
{
    const struct pbt_trial *t = &core->trials[trial];
    *record = new_record(core, PBT_RECORD_SAVE, trial);
    record->checkpoint = (struct pbt_checkpoint_id){trial, t->last_number + 1};
    record->iteration = t->iteration;
    record->seq = t->seq;
    record->point = t->at_point;
}

static struct donation donation_of(const struct pbt_core *core,
                                   const struct pbt_verdict *verdict)
{
    const struct pbt_gift *gift = &verdict->gift;
    return (struct donation){
        .donor = verdict->donor,
        .score = gift->score,
        .iteration = pbt_core_find(core, gift->checkpoint)->iteration,
        .cells = gift->cells};
}

/* In the weights of that checkpoint, which are of that lineage. */
static void due_explore(const struct pbt_core *core, uint32_t trial,
                        const struct donation *from,
                        struct pbt_checkpoint_id checkpoint, uint64_t lineage,
                        struct pbt_record *record)
{
    const struct pbt_space *space = &core->settings->space;
    struct pbt_cell *cells = core->work->scratch;
    struct pbt_draw_key key = pbt_core_draw_key(core, trial, PBT_DRAW_EXPLORE);
    const struct pbt_cell *own = is_replaced(&core->trials[trial])
                                     ? from->cells
                                     : core->trials[trial].cells;
    pbt_exploit_take_over(core, own, from->cells, cells);
    pbt_space_explore(space, &core->settings->explore, cells, &key, cells);
    bool ask =
        core->settings->custom_explore || pbt_space_is_open(space, cells);
    fill_exploit(core, ask ? PBT_RECORD_ASK : exploit_kind(core, trial), trial,
                 from, checkpoint, record);
    record->cells = cells;
    record->lineage = lineage;
    if (!ask) {
        begin_lineage(core, lineage, record);
    }
}

/* Its weights are its own.  If their checkpoint is lost they are saved again first. */
static void due_adopt(const struct pbt_core *core, uint32_t trial,
                      const struct donation *from, struct pbt_record *record)
{
    struct pbt_checkpoint_id own = pbt_core_own(core, trial);
    if (own.number == 0) {
        due_save(core, trial, record);
    } else {
        due_explore(core, trial, from, own, core->trials[trial].lineage,
                    record);
    }
}

static void due_exploit(const struct pbt_core *core, uint32_t trial,
                        const struct pbt_verdict *verdict,
                        struct pbt_record *record)
{
    struct donation from = donation_of(core, verdict);
    if (!keeps_weights(core)) {
        due_explore(core, trial, &from, verdict->gift.checkpoint,
                    verdict->gift.lineage, record);
    } else if (core->settings->synch) {
        due_adopt(core, trial, &from, record);
    } else {
        /* At its point: it saves first. */
        due_save(core, trial, record);
        record->donor = from.donor;
        record->donor_score = from.score;
        record->donor_iteration = from.iteration;
        record->old_cells = from.cells;
    }
}

/* An exploit was due, and can't be; with the evidence if a donor was drawn. */
static void due_pass(const struct pbt_core *core, uint32_t trial,
                     const struct pbt_verdict *verdict,
                     struct pbt_record *record)
{
    *record = new_record(core, PBT_RECORD_PASS, trial);
    record->iteration = core->trials[trial].iteration;
    record->score = core->trials[trial].score;
    record->pass = verdict->pass;
    if (verdict->pass == PBT_PASS_GAP) {
        record->donor = verdict->donor;
        record->donor_score = verdict->gift.score;
    }
}

/*
 * A trial at its perturbation point: exploit if it is to, else save.  False: it has to wait for
 * a donor's save that is in flight.
 */
static bool due_at_point(const struct pbt_core *core, uint32_t trial,
                         struct pbt_record *record)
{
    struct pbt_verdict verdict = {.fate = PBT_FATE_STAYS};
    if (!core->trials[trial].passed) {
        verdict = pbt_exploit_verdict(core, trial);
    }
    switch (verdict.fate) {
    case PBT_FATE_WAITS:
        return false;
    case PBT_FATE_STAYS:
        due_save(core, trial, record);
        break;
    case PBT_FATE_PASSES:
        due_pass(core, trial, &verdict, record);
        break;
    case PBT_FATE_COPIES:
        due_exploit(core, trial, &verdict, record);
        break;
    }
    return true;
}

static bool frequency_due(const struct pbt_core *core,
                          const struct pbt_trial *trial)
{
    uint32_t frequency = core->settings->checkpoint_frequency;
    return frequency > 0 && trial->seq != trial->saved_seq &&
           trial->iteration % frequency == 0;
}

/* It goes on from the checkpoint that it has just saved, with the next configuration. */
static void due_change(const struct pbt_core *core, uint32_t number,
                       const struct pbt_change *change,
                       struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[number];
    *record = new_record(core, PBT_RECORD_CHANGE, number);
    record->epoch = next_epoch(core);
    record->checkpoint = (struct pbt_checkpoint_id){number, trial->last_number};
    record->iteration = trial->iteration;
    record->time_total = trial->time_total;
    record->lineage =
        pbt_mix(trial->lineage, pbt_mix(number, trial->exploits + 1));
    record->seed = life_seed(core, record->lineage, trial->iteration);
    record->cells = core->work->scratch;
    for (uint32_t i = 0; i < core->settings->space.count; i++) {
        bool given = change->cells[i].type != PBT_CELL_NONE;
        core->work->scratch[i] = given ? change->cells[i] : trial->cells[i];
    }
}

/* What a trial does by itself: replay's change, after a save; a save now and then. */
static bool due_own(const struct pbt_core *core, uint32_t number,
                    struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[number];
    const struct pbt_change *change = pbt_core_due_change(core, trial);
    if (change != NULL && trial->seq == trial->saved_seq) {
        due_change(core, number, change, record);
        return true;
    }
    if (change != NULL || frequency_due(core, trial)) {
        due_save(core, number, record);
        return true;
    }
    return false;
}

/* The trial rests, and its last step is behind it. */
static bool due_resting(const struct pbt_core *core, uint32_t number,
                        struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[number];
    bool interrupted =
        core->end == PBT_END_INTERRUPTED || core->end == PBT_END_FAILED;
    if (trial->stopping || core->end != PBT_END_NOT) {
        bool unsaved = trial->seq != trial->saved_seq;
        bool wanted = core->settings->checkpoint_at_end ||
                      (interrupted && !trial->stopping);
        if (unsaved && wanted) {
            due_save(core, number, record);
        } else {
            due_leave(core, number,
                      interrupted && !trial->stopping ? PBT_LEAVE_PAUSE
                                                      : PBT_LEAVE_TERMINATE,
                      record);
        }
        return true;
    }
    if (trial->at_point && core->settings->synch) {
        due_save(core, number, record); /* compared when all have arrived */
        return true;
    }
    if (trial->at_point) {
        return due_at_point(core, number, record);
    }
    if (trial->adopts) {
        struct donation from = noted_donation(trial);
        due_adopt(core, number, &from, record);
        return true;
    }
    if (trial->held || trial->halting) {
        bool unsaved = trial->seq != trial->saved_seq;
        if (unsaved) {
            due_save(core, number, record);
        } else if (trial->held) {
            due_leave(core, number, PBT_LEAVE_PAUSE, record);
        }
        return unsaved || trial->held;
    }
    return due_own(core, number, record);
}

/* --- what is kept --------------------------------------------------------- */

static void delete_checkpoint(const struct pbt_core *core, uint32_t number,
                              const struct pbt_saved *saved,
                              struct pbt_record *record)
{
    *record = new_record(core, PBT_RECORD_DELETE, number);
    record->checkpoint = (struct pbt_checkpoint_id){number, saved->number};
    record->iteration = saved->iteration;
}

/* True if `a` is given up before `b`, which is newer or another trial's. */
static bool is_worth_less(const struct pbt_saved *a, const struct pbt_saved *b)
{
    if (isnan(a->worth) || isnan(b->worth)) {
        return isnan(a->worth);
    }
    return a->worth <= b->worth;
}

/* The first of these checkpoints of a trial to be given up: nobody needs it; or NULL. */
static const struct pbt_saved *find_spare(const struct pbt_trial *trial,
                                          uint32_t count)
{
    const struct pbt_saved *least = NULL;
    for (uint32_t i = 0; i < count; i++) {
        const struct pbt_saved *saved = &trial->saved[i];
        if (saved->pins == 0 &&
            (least == NULL || !is_worth_less(least, saved))) {
            least = saved;
        }
    }
    return least;
}

/* One that is neither among the num_to_keep of its trial, nor its newest, nor needed. */
static bool due_delete(const struct pbt_core *core, uint32_t number,
                       struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[number];
    uint32_t keep = core->settings->num_to_keep;
    if (trial->saved_count <= keep) {
        return false;
    }
    const struct pbt_saved *least = find_spare(trial, trial->saved_count - 1);
    if (least == NULL) {
        return false;
    }
    uint32_t better = 0;
    for (const struct pbt_saved *s = trial->saved; s < least; s++) {
        better += is_worth_less(s, least) ? 0 : 1;
    }
    for (const struct pbt_saved *s = least + 1;
         s < trial->saved + trial->saved_count; s++) {
        better += is_worth_less(least, s) ? 1 : 0;
    }
    if (better < keep) {
        return false;
    }
    delete_checkpoint(core, number, least, record);
    return true;
}

/* All together are too large: the least of those that nobody needs, whosever it is. */
static bool due_budget(const struct pbt_core *core, struct pbt_record *record)
{
    uint64_t budget = core->settings->max_bytes;
    const struct pbt_saved *least = NULL;
    uint32_t owner = 0;
    if (budget == 0 || core->bytes <= budget || core->spare_bytes == 0) {
        return false;
    }
    for (uint32_t i = 0; i < core->settings->population; i++) {
        const struct pbt_trial *trial = &core->trials[i];
        const struct pbt_saved *spare = find_spare(trial, trial->saved_count);
        if (spare != NULL && (least == NULL || !is_worth_less(least, spare))) {
            least = spare;
            owner = i;
        }
    }
    if (least == NULL) {
        return false;
    }
    delete_checkpoint(core, owner, least, record);
    return true;
}

/* --- one trial ------------------------------------------------------------ */

/* It has gone back to before exploits of its: what they gave it is lost. */
static void due_undo(const struct pbt_core *core, uint32_t number,
                     struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[number];
    *record = new_record(core, PBT_RECORD_UNDO, number);
    record->iteration = trial->iteration;
    record->time_total = trial->time_total;
    record->score = trial->score;
    record->checkpoint = pbt_core_top(trial)->checkpoint;
    record->exploits = trial->exploits;
    record->lineage = trial->lineage;
    record->cells = trial->cells;
}

static bool due_for_trial(const struct pbt_core *core, uint32_t number,
                          struct pbt_record *record)
{
    const struct pbt_trial *trial = &core->trials[number];
    if (trial->recorded_exploits > trial->exploits) {
        due_undo(core, number, record);
        return true;
    }
    if (pbt_core_can_reopen(core, trial)) {
        *record = new_record(core, PBT_RECORD_REOPEN, number);
        record->checkpoint = pbt_core_top(trial)->checkpoint;
        record->iteration = pbt_core_top(trial)->iteration;
        return true;
    }
    bool ends = trial->stopping || pbt_core_end_is_final(core->end);
    bool pauses = trial->held || core->end != PBT_END_NOT;
    switch (trial->phase) {
    case PBT_PHASE_START:
    case PBT_PHASE_LOAD:
        if (trial->orphaned || ends || pauses) {
            due_leave(core, number,
                      ends     ? PBT_LEAVE_TERMINATE
                      : pauses ? PBT_LEAVE_PAUSE
                               : PBT_LEAVE_RESPAWN,
                      record);
            return true;
        }
        break;
    case PBT_PHASE_RUN:
        if (trial->rest && due_resting(core, number, record)) {
            return true;
        }
        break;
    case PBT_PHASE_NONE:
    case PBT_PHASE_SAVE:
    case PBT_PHASE_ASK:
    case PBT_PHASE_LEAVE:
        break;
    }
    return due_delete(core, number, record);
}

/* Who waits at its point for a save in flight, and need not any longer. */
static bool due_waiting(const struct pbt_core *core, struct pbt_record *record)
{
    uint32_t from = pbt_exploit_waits_no_more(core);
    return pbt_order_marked(&core->ranks, from, PBT_MARK_POINT) > 0 &&
           due_at_point(
               core, pbt_order_marked_at(&core->ranks, from, PBT_MARK_POINT, 0),
               record);
}

/*
 * Who has failed for good goes on as a copy of one of the best: as soon as there is one to be
 * copied, in rounds once in each.
 */
static bool due_replacement(const struct pbt_core *core,
                            struct pbt_record *record)
{
    if (core->end != PBT_END_NOT || core->end_due != PBT_END_NOT) {
        return false;
    }
    for (uint32_t i = 0; i < pbt_order_count(&core->dead); i++) {
        uint32_t number = pbt_order_at(&core->dead, i);
        if (core->settings->synch &&
            core->trials[number].settled == core->round) {
            continue;
        }
        struct pbt_verdict verdict = pbt_exploit_replacement(core, number);
        if (verdict.fate != PBT_FATE_COPIES) {
            return false;
        }
        struct donation from = donation_of(core, &verdict);
        due_explore(core, number, &from, verdict.gift.checkpoint,
                    verdict.gift.lineage, record);
        return true;
    }
    return false;
}

/* False: in this round it stays what it is. */
static bool due_loser(const struct pbt_core *core, uint32_t trial,
                      struct pbt_record *record)
{
    struct pbt_verdict verdict = pbt_exploit_verdict(core, trial);
    if (verdict.fate == PBT_FATE_COPIES) {
        due_exploit(core, trial, &verdict, record);
    } else if (verdict.fate == PBT_FATE_PASSES) {
        due_pass(core, trial, &verdict, record);
    }
    return verdict.fate != PBT_FATE_STAYS;
}

/*
 * Synchronous: all have arrived that can, so the losers are replaced, one record each; when
 * the last one is, the next round begins.
 */
static bool due_round(const struct pbt_core *core, struct pbt_record *record)
{
    double target;
    bool asking = false;
    if (core->end != PBT_END_NOT || core->awaited > 0 ||
        core->created < core->settings->population) {
        return false;
    }
    if (due_replacement(core, record)) {
        return true;
    }
    uint32_t contested = pbt_exploit_contested(core);
    for (uint32_t i = 0; i < contested; i++) {
        uint32_t number = pbt_order_at(&core->ranks, i);
        const struct pbt_trial *trial = &core->trials[number];
        if (trial->phase == PBT_PHASE_ASK) {
            asking = true;
        } else if (trial->settled != core->round &&
                   due_loser(core, number, record)) {
            return true;
        }
    }
    if (asking || !pbt_core_next_target(core, &target)) {
        return false;
    }
    *record = new_record(core, PBT_RECORD_ROUND, 0);
    record->epoch = 0;
    record->target = target;
    return true;
}

/* Who could start at this time, by turn; or whose delay is over then, if nobody else can. */
static const struct pbt_order *waiting_at(const struct pbt_core *core,
                                          uint64_t now)
{
    const struct pbt_order *delayed = &core->delayed;
    if (pbt_order_count(&core->startable) > 0) {
        return &core->startable;
    }
    bool over = pbt_order_count(delayed) > 0 &&
                core->trials[pbt_order_at(delayed, 0)].not_before <= now;
    return over ? delayed : NULL;
}

/* Synchronous: whoever waits for the others gives its slot to those that it waits for. */
static bool due_give_way(const struct pbt_core *core, uint64_t now,
                         struct pbt_record *record)
{
    if (!pbt_core_gives_way(core) || waiting_at(core, now) == NULL) {
        return false;
    }
    due_leave(core, pbt_order_marked_at(&core->ranks, 0, PBT_MARK_POINT, 0),
              PBT_LEAVE_PAUSE, record);
    return true;
}

/* What the user gives instead of what was drawn. */
static void take_point(const struct pbt_core *core, uint32_t number,
                       struct pbt_cell *cells)
{
    uint32_t count = core->settings->space.count;
    if (number >= core->settings->point_count) {
        return;
    }
    const struct pbt_cell *point =
        core->settings->points + (size_t)number * count;
    for (uint32_t i = 0; i < count; i++) {
        cells[i] = point[i].type != PBT_CELL_NONE ? point[i] : cells[i];
    }
}

static bool due_creation(const struct pbt_core *core, struct pbt_record *record)
{
    uint32_t number = core->created;
    if (core->incarnation == 0 || number == core->settings->population ||
        core->trials[number].phase == PBT_PHASE_ASK ||
        pbt_core_end_is_final(core->end)) {
        return false;
    }
    struct pbt_draw_key key = pbt_core_draw_key(core, number, PBT_DRAW_INITIAL);
    pbt_space_initial(&core->settings->space, &key, core->work->scratch);
    take_point(core, number, core->work->scratch);
    bool open = pbt_space_is_open(&core->settings->space, core->work->scratch);
    fill_creation(core, open ? PBT_RECORD_ASK_FIRST : PBT_RECORD_TRIAL,
                  core->work->scratch, record);
    return true;
}

/* Free slots go to the trials that are furthest behind. */
static bool due_start(const struct pbt_core *core, uint64_t now,
                      struct pbt_record *record)
{
    const struct pbt_order *order = waiting_at(core, now);
    if (core->end != PBT_END_NOT || core->end_due != PBT_END_NOT ||
        core->used >= core->slots || order == NULL) {
        return false;
    }
    uint32_t number = pbt_order_at(order, 0);
    const struct pbt_trial *trial = &core->trials[number];
    *record = new_record(core, PBT_RECORD_START, number);
    record->epoch = next_epoch(core);
    record->checkpoint = pbt_core_top(trial)->checkpoint;
    record->iteration = trial->iteration;
    record->time_total = trial->time_total;
    record->seed = life_seed(core, trial->lineage, trial->iteration);
    record->cells = trial->cells;
    return true;
}

/* It was ended for good, and the user has put that end further away since. */
static bool due_extend(const struct pbt_core *core, struct pbt_record *record)
{
    if (!pbt_core_end_is_final(core->end) || core->used > 0 ||
        core->finished != core->created || !pbt_core_can_extend(core)) {
        return false;
    }
    *record = new_record(core, PBT_RECORD_EXTEND, 0);
    record->epoch = 0;
    return true;
}

/* The next decision that is due at this time. */
static bool due(const struct pbt_core *core, uint64_t now,
                struct pbt_record *record)
{
    if (due_creation(core, record)) {
        return true;
    }
    if (core->end_due != PBT_END_NOT &&
        decide_end(core, core->end_due, record)) {
        return true;
    }
    struct pbt_queue *touched = &core->work->due;
    while (touched->count > 0) {
        if (due_for_trial(core, touched->items[touched->head], record)) {
            return true;
        }
        pbt_queue_pop(touched, core->settings->population);
    }
    if (due_budget(core, record) || due_extend(core, record)) {
        return true;
    }
    if (core->settings->synch) {
        return due_round(core, record) || due_give_way(core, now, record) ||
               due_start(core, now, record);
    }
    return due_waiting(core, record) || due_replacement(core, record) ||
           due_start(core, now, record);
}

bool pbt_core_decide(const struct pbt_core *core, const struct pbt_event *event,
                     struct pbt_record *record)
{
    if (event == NULL) {
        return due(core, core->time, record);
    }
    bool follows = event->kind == PBT_EVENT_WAKE
                       ? due(core, event->time, record)
                       : decide_event(core, event, record);
    if (follows && event->time > record->time) {
        record->time = event->time;
    }
    return follows;
}
