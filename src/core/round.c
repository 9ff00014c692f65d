/*
 * round.c: synchronous PBT, by rounds.
 *
 * A round has a target on the clock of time_attr: the first is the interval (or the burn-in
 * period, if that is longer), the next ones an interval later each.  A trial arrives with
 * its first result at or past the target, saves, and rests.  When all have arrived that still
 * can, the bottom quantile is exploited, and the next round begins.  Ray compares a
 * clock instead, and hangs in known cases: a trial that failed for good is waited for, and
 * so is everybody where steps overshoot the next target.
 *
 * Whether a trial is awaited follows from its state; it is noted so that nobody counts.
 */
#include <math.h>

#include "core/state.h"

void pbt_core_first_round(struct pbt_core *core)
{
    core->round = 1;
    core->target = fmax(core->settings->perturbation_interval,
                        core->settings->burn_in_period);
}

/* It can still arrive, and is to be compared then. */
static bool takes_part(const struct pbt_trial *trial)
{
    bool over =
        trial->state == PBT_CORE_TERMINATED || trial->state == PBT_CORE_ERROR;
    return trial->created && !over && !trial->held && !trial->stopping &&
           !trial->end_asked;
}

bool pbt_core_has_arrived(const struct pbt_core *core,
                          const struct pbt_trial *trial)
{
    if (trial->settled == core->round) {
        return true;
    }
    bool saved = trial->phase == PBT_PHASE_RUN && trial->rest &&
                 !trial->at_point && trial->seq == trial->saved_seq;
    return trial->ranked && trial->last_perturbation >= core->target &&
           (trial->phase == PBT_PHASE_NONE || trial->phase == PBT_PHASE_ASK ||
            saved);
}

bool pbt_core_is_awaited(const struct pbt_core *core,
                         const struct pbt_trial *trial)
{
    return core->settings->synch && takes_part(trial) &&
           !pbt_core_has_arrived(core, trial);
}

void pbt_core_note_arrival(struct pbt_core *core, uint32_t number)
{
    struct pbt_trial *trial = &core->trials[number];
    bool awaited = pbt_core_is_awaited(core, trial);
    if (!core->settings->synch) {
        return;
    }
    core->awaited += awaited && !trial->awaited ? 1 : 0;
    core->awaited -= trial->awaited && !awaited ? 1 : 0;
    trial->awaited = awaited;
    pbt_core_set_startable(core, number);
    pbt_core_rank(core, number);
}

/*
 * The first target that the trial furthest behind has not reached: somebody trains, and
 * whoever is ahead waits.  False: nobody takes part.
 */
bool pbt_core_next_target(const struct pbt_core *core, double *target)
{
    double interval = core->settings->perturbation_interval;
    double least = (double)INFINITY;
    for (uint32_t i = 0; i < core->settings->population; i++) {
        const struct pbt_trial *trial = &core->trials[i];
        if (takes_part(trial)) {
            double clock =
                pbt_core_clock(core, trial->iteration, trial->time_total);
            least = fmin(least, clock);
        }
    }
    double next = core->target + interval;
    if (isfinite(least) && next <= least) {
        next += interval * (floor((least - next) / interval) + 1);
        next += next <= least ? interval : 0; /* it was rounded down */
    }
    *target = next;
    return isfinite(least);
}
