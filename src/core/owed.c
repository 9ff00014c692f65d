/*
 * owed.c: what the world still has to do, computed from the state alone.
 */
#include <assert.h>
#include <math.h>
#include <string.h>

#include "core/state.h"

/* Beyond this no JSON number is exact. */
#define UNTIL_MAX ((INT64_C(1) << 53) - 1)

/* The first iteration after `now` at or past a bound. */
static int64_t at_or_past(int64_t now, double bound)
{
    if (!(bound > (double)now)) {
        return now + 1;
    }
    return bound >= (double)UNTIL_MAX ? UNTIL_MAX : (int64_t)ceil(bound);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/*
 * The next iteration at which something must be decided (rule 10).  Where it
 * can't be known beforehand, a grant is one step.
 */
static int64_t next_halt(const struct pbt_core *core,
                         const struct pbt_trial *trial)
{
    const struct pbt_settings *settings = core->settings;
    int64_t now = trial->iteration;
    int64_t until = UNTIL_MAX;
    for (uint32_t i = 0; i < settings->stop_count; i++) {
        if (settings->stops[i].source != PBT_STOP_ITERATION ||
            settings->stops[i].at_most) {
            return now + 1;
        }
        until = earlier(until, at_or_past(now, settings->stops[i].bound));
    }
    if (settings->scheduler == PBT_SCHEDULER_PBT) {
        if (settings->time_attr != PBT_TIME_ITERATION) {
            return now + 1;
        }
        double next =
            trial->last_perturbation + settings->perturbation_interval;
        next = settings->synch ? core->target
                               : fmax(next, settings->burn_in_period);
        until = earlier(until, at_or_past(now, next));
    }
    const struct pbt_change *change = pbt_core_next_change(core, trial);
    if (change != NULL) {
        until = earlier(until, at_or_past(now, (double)change->iteration));
    }
    if (settings->checkpoint_frequency > 0) {
        int64_t frequency = settings->checkpoint_frequency;
        until = earlier(until, (now / frequency + 1) * frequency);
    }
    return until;
}

/* The same, seed and all, however often it is asked. */
static void owe_ask(const struct pbt_core *core, const struct pbt_trial *trial,
                    struct pbt_command *command)
{
    command->ask = trial->ask;
    command->cells = trial->ask_new;
    command->old_cells = trial->ask_old;
    command->donor = trial->ask_donor;
    command->donor_iteration = trial->ask_iteration;
    struct pbt_draw_key key = {.seed = core->settings->seed,
                               .trial = command->trial,
                               .exploits = trial->exploits,
                               .iteration = (uint64_t)trial->iteration,
                               .purpose = PBT_DRAW_ASK};
    command->seed = pbt_draw_u64(&key);
}

struct pbt_command pbt_core_owed(const struct pbt_core *core, uint32_t number)
{
    assert(number < core->settings->population);
    const struct pbt_trial *trial = &core->trials[number];
    struct pbt_command command = {
        .kind = PBT_COMMAND_NONE,
        .trial = number,
        .epoch = trial->epoch,
        .process_epoch = trial->process_epoch,
        .iteration = trial->iteration,
        .cells = trial->cells,
    };
    switch (trial->phase) {
    case PBT_PHASE_NONE:
        break;
    case PBT_PHASE_START:
    case PBT_PHASE_LOAD:
        command.kind = trial->phase == PBT_PHASE_START ? PBT_COMMAND_START
                                                       : PBT_COMMAND_LOAD;
        command.checkpoint = pbt_core_top(trial)->checkpoint;
        command.time_total = trial->time_total;
        command.seed = pbt_mix(pbt_mix(core->settings->seed, trial->lineage),
                               (uint64_t)trial->iteration);
        break;
    case PBT_PHASE_RUN:
        if (trial->stopping || trial->held || trial->halting ||
            core->end != PBT_END_NOT) {
            command.kind = trial->rest ? PBT_COMMAND_NONE : PBT_COMMAND_HALT;
        } else if (!trial->at_point && !(core->settings->synch &&
                                         pbt_core_has_arrived(core, trial))) {
            command.kind = PBT_COMMAND_RUN;
            command.until = next_halt(core, trial);
        }
        break;
    case PBT_PHASE_SAVE:
        command.kind = PBT_COMMAND_SAVE;
        command.checkpoint =
            (struct pbt_checkpoint_id){number, trial->last_number};
        command.bytes = trial->saved_count == 0
                            ? 0
                            : trial->saved[trial->saved_count - 1].bytes;
        break;
    case PBT_PHASE_ASK:
        command.kind = PBT_COMMAND_ASK;
        owe_ask(core, trial, &command);
        break;
    case PBT_PHASE_LEAVE:
        command.kind = trial->rest ? PBT_COMMAND_STOP : PBT_COMMAND_KILL;
        break;
    }
    return command;
}

bool pbt_command_same(const struct pbt_command *a, const struct pbt_command *b)
{
    if (a->kind != b->kind || a->epoch != b->epoch ||
        a->process_epoch != b->process_epoch) {
        return false;
    }
    switch (a->kind) {
    case PBT_COMMAND_RUN:
        return a->until == b->until;
    case PBT_COMMAND_SAVE:
        return a->checkpoint.number == b->checkpoint.number;
    case PBT_COMMAND_ASK:
        return a->ask == b->ask;
    case PBT_COMMAND_NONE:
    case PBT_COMMAND_START:
    case PBT_COMMAND_LOAD:
    case PBT_COMMAND_HALT:
    case PBT_COMMAND_STOP:
    case PBT_COMMAND_KILL:
        return true;
    }
    return true;
}
