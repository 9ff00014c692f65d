/*
 * check.c: the state checked against itself: what must hold between any two records.
 */
#include <math.h>

#include "core/state.h"

static uint32_t count_pins(const struct pbt_core *core,
                           struct pbt_checkpoint_id id)
{
    uint32_t pins = pbt_core_same_id(core->best, id) ? 1 : 0;
    for (uint32_t i = 0; i < core->settings->population; i++) {
        const struct pbt_trial *trial = &core->trials[i];
        pins += pbt_core_same_id(trial->pair, id) ? 1 : 0;
        pins += pbt_core_same_id(trial->best, id) ? 1 : 0;
        pins += trial->ask != 0 && pbt_core_same_id(trial->ask_checkpoint, id)
                    ? 1
                    : 0;
        for (uint32_t r = 0; r < trial->restart_count; r++) {
            pins += pbt_core_same_id(trial->restarts[r].checkpoint, id) ? 1 : 0;
            pins += pbt_core_same_id(trial->restarts[r].pair, id) ? 1 : 0;
        }
    }
    return pins;
}

static const char *check_ranks(const struct pbt_core *core, uint32_t number)
{
    const struct pbt_trial *trial = &core->trials[number];
    bool member = pbt_order_has(&core->ranks, number);
    if (member != pbt_core_is_compared(core, trial)) {
        return "ranks: wrong member";
    }
    if (!member) {
        return NULL;
    }
    const struct pbt_order_node *node = &core->ranks.nodes[number];
    double standing = pbt_core_standing(core, trial);
    bool finite = isfinite(standing);
    bool same_key = node->key == standing || (!finite && !isfinite(node->key));
    if (!same_key) {
        return "ranks: key is not the score";
    }
    if (node->mark[PBT_MARK_GIVES] != pbt_core_gives(trial)) {
        return "ranks: mark of who gives";
    }
    bool saving = trial->phase == PBT_PHASE_SAVE
                      ? trial->point_save
                      : trial->phase == PBT_PHASE_RUN && trial->at_point;
    if (node->mark[PBT_MARK_SAVING] != (finite && saving)) {
        return "ranks: saving mark";
    }
    bool point = trial->phase == PBT_PHASE_RUN && trial->at_point;
    if (core->settings->synch) {
        point = trial->phase == PBT_PHASE_RUN && trial->rest &&
                pbt_core_has_arrived(core, trial);
    }
    if (node->mark[PBT_MARK_POINT] != point) {
        return "ranks: point mark";
    }
    return NULL;
}

static const char *check_restarts(const struct pbt_core *core,
                                  const struct pbt_trial *trial)
{
    if (trial->created && (trial->restart_count == 0 ||
                           trial->restarts[0].checkpoint.number != 0)) {
        return "restart points: no bottom";
    }
    for (uint32_t r = 1; r < trial->restart_count; r++) {
        if (pbt_core_find(core, trial->restarts[r].checkpoint) == NULL) {
            return "restart points: checkpoint is gone";
        }
    }
    return NULL;
}

static const char *check_best(const struct pbt_core *core,
                              const struct pbt_trial *trial)
{
    const struct pbt_saved *best = pbt_core_find(core, trial->best);
    bool kept = core->settings->donors == PBT_DONORS_BEST_EVER;
    bool gives = trial->pair.number != 0 && isfinite(trial->score);
    if (kept && gives && !(trial->score <= trial->best_score)) {
        return "best: the pair is better";
    }
    if (trial->best.number != 0 &&
        (!kept || best == NULL || best->score != trial->best_score)) {
        return "best: not its checkpoint";
    }
    return NULL;
}

static const char *check_adoption(const struct pbt_core *core,
                                  const struct pbt_trial *trial)
{
    bool may =
        core->settings->copies == PBT_COPIES_HYPERPARAMETERS &&
        !core->settings->synch &&
        (trial->phase == PBT_PHASE_SAVE || trial->phase == PBT_PHASE_RUN ||
         trial->phase == PBT_PHASE_ASK || trial->phase == PBT_PHASE_LEAVE);
    return trial->adopts && !may ? "it can't adopt anything" : NULL;
}

static const char *check_pause(const struct pbt_trial *trial)
{
    if (trial->held && (trial->state == PBT_CORE_TERMINATED ||
                        trial->state == PBT_CORE_ERROR)) {
        return "trial: finished and paused";
    }
    if (trial->halting && trial->phase != PBT_PHASE_RUN &&
        trial->phase != PBT_PHASE_SAVE && trial->phase != PBT_PHASE_ASK &&
        trial->phase != PBT_PHASE_LEAVE) {
        return "trial: halted for a pause, and has nothing to halt";
    }
    return NULL;
}

static const char *check_startable(const struct pbt_core *core, uint32_t number)
{
    const struct pbt_trial *trial = &core->trials[number];
    bool startable =
        trial->created && trial->phase == PBT_PHASE_NONE && !trial->held &&
        !(core->settings->synch && pbt_core_has_arrived(core, trial)) &&
        (trial->state == PBT_CORE_PENDING || trial->state == PBT_CORE_PAUSED);
    bool delayed = startable && trial->not_before > core->time;
    if (pbt_order_has(&core->startable, number) != (startable && !delayed)) {
        return "startable: wrong member";
    }
    if (pbt_order_has(&core->delayed, number) != delayed) {
        return "delayed: wrong member";
    }
    bool dead = trial->state == PBT_CORE_ERROR && !trial->end_asked &&
                trial->replaced < core->settings->replace;
    if (pbt_order_has(&core->dead, number) != dead) {
        return "dead: wrong member";
    }
    if (trial->replaces && trial->phase != PBT_PHASE_ASK) {
        return "trial: it is to be replaced, and does not ask";
    }
    if (startable && !delayed &&
        core->startable.nodes[number].key != (double)trial->turn) {
        return "startable: key is not the turn";
    }
    return NULL;
}

static const char *check_trial(const struct pbt_core *core, uint32_t number)
{
    const struct pbt_trial *trial = &core->trials[number];
    bool running = trial->state == PBT_CORE_RUNNING;
    bool has_process = trial->process_epoch != 0;
    bool asks_alone = trial->phase == PBT_PHASE_ASK && !has_process;
    if (running != has_process ||
        has_process != (trial->phase != PBT_PHASE_NONE && !asks_alone)) {
        return "trial: state, phase and process disagree";
    }
    if ((trial->phase == PBT_PHASE_LEAVE) != (trial->leave != PBT_LEAVE_NOT)) {
        return "trial: leaving without a reason, or the other way round";
    }
    if (trial->exploits > trial->recorded_exploits) {
        return "trial: an exploit without a record";
    }
    if ((trial->ask != 0) != (trial->phase == PBT_PHASE_ASK)) {
        return "trial: ask and phase disagree";
    }
    const char *astray = check_startable(core, number);
    if (astray != NULL) {
        return astray;
    }
    for (uint32_t i = 0; i < trial->saved_count; i++) {
        struct pbt_checkpoint_id id = {number, trial->saved[i].number};
        if (count_pins(core, id) != trial->saved[i].pins) {
            return "checkpoint: pins are miscounted";
        }
    }
    if (trial->pair.number != 0) {
        const struct pbt_saved *pair = pbt_core_find(core, trial->pair);
        if (pair == NULL) {
            return "pair: checkpoint is gone";
        }
        bool same = pair->score == trial->score ||
                    (isnan(pair->score) && isnan(trial->score));
        if (trial->pair.trial != number || !same) {
            return "pair: not the checkpoint of the ranked score";
        }
    }
    const char *wrong = check_pause(trial);
    if (wrong == NULL) {
        wrong = check_best(core, trial);
    }
    if (wrong == NULL) {
        wrong = check_adoption(core, trial);
    }
    if (wrong == NULL) {
        wrong = check_restarts(core, trial);
    }
    return wrong != NULL ? wrong : check_ranks(core, number);
}

static bool check_bytes(const struct pbt_core *core)
{
    uint64_t bytes = 0;
    uint64_t spare = 0;
    for (uint32_t i = 0; i < core->settings->population; i++) {
        const struct pbt_trial *trial = &core->trials[i];
        for (uint32_t s = 0; s < trial->saved_count; s++) {
            const struct pbt_saved *saved = &trial->saved[s];
            bytes += saved->bytes;
            spare += saved->pins == 0 ? saved->bytes : 0;
        }
    }
    return bytes == core->bytes && spare == core->spare_bytes;
}

const char *pbt_core_check(const struct pbt_core *core)
{
    uint32_t used = 0;
    uint32_t finished = 0;
    uint32_t leaving = 0;
    uint32_t held = 0;
    uint32_t awaited = 0;
    for (uint32_t i = 0; i < core->settings->population; i++) {
        const struct pbt_trial *trial = &core->trials[i];
        const char *wrong = check_trial(core, i);
        if (wrong != NULL) {
            return wrong;
        }
        used += trial->process_epoch != 0 ? 1 : 0;
        finished += trial->state == PBT_CORE_TERMINATED ||
                            trial->state == PBT_CORE_ERROR
                        ? 1
                        : 0;
        held += trial->held ? 1 : 0;
        awaited += trial->awaited ? 1 : 0;
        if (trial->awaited != pbt_core_is_awaited(core, trial)) {
            return "round: awaited, or not, against its state";
        }
        leaving += trial->leave == PBT_LEAVE_PAUSE ||
                           trial->leave == PBT_LEAVE_TERMINATE
                       ? 1
                       : 0;
    }
    if (!check_bytes(core)) {
        return "checkpoints: their bytes are miscounted";
    }
    if (used != core->used || finished != core->finished ||
        leaving != core->leaving || held != core->held ||
        awaited != core->awaited) {
        return "counts of trials are wrong";
    }
    return NULL;
}
