#include "case.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/draw.h"

#define S UINT64_C(1000000000)
#define MS UINT64_C(1000000)

static const double FACTORS[] = {1.2, 0.8};

/* The seed's own sequence of draws. */
struct dice {
    uint64_t seed;
    uint64_t count;
};

static double roll(struct dice *dice)
{
    return (double)(pbt_mix(dice->seed, ++dice->count) >> 11) * 0x1p-53;
}

/* From low to high, both included. */
static uint32_t between(struct dice *dice, uint32_t low, uint32_t high)
{
    return low + (uint32_t)(roll(dice) * (high - low + 1));
}

static bool chance(struct dice *dice, double probability)
{
    return roll(dice) < probability;
}

static uint64_t nanoseconds(struct dice *dice, uint64_t low, uint64_t high)
{
    return low + (uint64_t)(roll(dice) * (double)(high - low));
}

/* --- the experiment ------------------------------------------------------------- */

static struct pbt_cell MOMENTA[] = {
    {.type = PBT_CELL_REAL, .u.r = 0.8},
    {.type = PBT_CELL_REAL, .u.r = 0.9},
    {.type = PBT_CELL_REAL, .u.r = 0.99},
};

static void draw_params(struct sim_case *c, struct dice *dice)
{
    const struct pbt_param all[] = {
        {.name = "lr",
         .initial = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0.001, .upper = 1},
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = {.kind = PBT_DOMAIN_UNIFORM,
                       .lower = 0.0001,
                       .upper = 1}},
        {.name = "momentum",
         .mutation = PBT_MUTATION_LIST,
         .mutations = {.kind = PBT_DOMAIN_CHOICE,
                       .choices = MOMENTA,
                       .choice_count = 3}},
        {.name = "units",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = {.kind = PBT_DOMAIN_RANDINT, .lower = 1, .upper = 9}},
        {.name = "decay",
         .initial = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0.25, .upper = 0.5},
         .mutation = PBT_MUTATION_NONE},
    };
    memcpy(c->params, all, sizeof all);
    struct pbt_settings *settings = &c->spec.settings;
    settings->space.params = c->params;
    settings->space.count = between(dice, 1, 4);
    settings->explore.resample_probability = chance(dice, 0.5) ? 0.25 : 0;
    settings->explore.factors = FACTORS;
    settings->explore.factor_count = 2;
    settings->explore.out_of_range = PBT_RANGE_CLIP;
}

/* Some values come from functions; with dice of its own, which move no other's. */
static void draw_functions(struct sim_case *c)
{
    struct dice dice = {pbt_mix(c->seed, 3), 0};
    static const struct pbt_domain ASKED = {.kind = PBT_DOMAIN_FUNCTION,
                                            .function = "f"};
    if (chance(&dice, 0.1)) { /* first values, and not where it is explored */
        c->params[0].initial = ASKED;
    }
    if (chance(&dice, 0.1)) {
        c->params[0].mutations = ASKED;
    }
    if (chance(&dice, 0.2)) { /* both */
        c->params[2].mutations = ASKED;
    }
}

/* How exploits go; with dice of its own, too. */
static void draw_policy(struct sim_case *c)
{
    struct dice dice = {pbt_mix(c->seed, 5), 0};
    struct pbt_settings *settings = &c->spec.settings;
    settings->copies = chance(&dice, 0.2)    ? PBT_COPIES_WEIGHTS
                       : chance(&dice, 0.25) ? PBT_COPIES_HYPERPARAMETERS
                                             : PBT_COPIES_BOTH;
    settings->exploit = chance(&dice, 0.5)   ? PBT_EXPLOIT_TRUNCATION
                        : chance(&dice, 0.5) ? PBT_EXPLOIT_TOURNAMENT
                                             : PBT_EXPLOIT_T_TEST;
    settings->t_test_scores = between(&dice, 2, CASE_SCORES_MAX);
    settings->t_test_level = 0.5 * roll(&dice);
    settings->donors =
        chance(&dice, 0.3) ? PBT_DONORS_BEST_EVER : PBT_DONORS_CURRENT;
    settings->gap = chance(&dice, 0.1) ? roll(&dice) : 0;
    settings->gap_relative = chance(&dice, 0.1) ? 0.5 * roll(&dice) : 0;
    settings->gap_sd = chance(&dice, 0.2) ? roll(&dice) : 0;
}

/* What is kept of the checkpoints; with dice of its own, too. */
static void draw_keep(struct sim_case *c)
{
    struct dice dice = {pbt_mix(c->seed, 6), 0};
    struct pbt_settings *settings = &c->spec.settings;
    if (chance(&dice, 0.5)) {
        settings->keep =
            (enum pbt_keep)between(&dice, PBT_KEEP_NEWEST, PBT_KEEP_VALUE);
        settings->keep_low = chance(&dice, 0.5);
    }
    if (chance(&dice, 0.3)) {
        settings->max_bytes = between(&dice, 1, 5000);
    }
    if (settings->keep == PBT_KEEP_VALUE) {
        c->spec.value_names[0] = c->spec.metric;
        c->spec.value_count = 1;
    }
}

/* What becomes of trials that fail; with dice of its own, too. */
static void draw_failures(struct sim_case *c)
{
    struct dice dice = {pbt_mix(c->seed, 9), 0};
    c->spec.settings.backoff_ns =
        chance(&dice, 0.7) ? nanoseconds(&dice, 1, 4 * c->rates.step_ns) : 0;
    if (chance(&dice, 0.5)) {
        c->spec.settings.replace = between(&dice, 1, 3);
        c->spec.settings.max_failures = (int32_t)between(&dice, 0, 2);
    }
}

static void draw_stops(struct sim_case *c, struct dice *dice, double step_s)
{
    struct pbt_settings *settings = &c->spec.settings;
    uint32_t iterations = between(dice, 2, chance(dice, 0.2) ? 30 : 12);
    settings->stops[settings->stop_count++] =
        (struct pbt_stop){.source = PBT_STOP_ITERATION,
                          .bound = iterations,
                          .all = chance(dice, 0.1)};
    if (chance(dice, 0.15)) {
        c->spec.value_names[0] = c->spec.metric;
        c->spec.value_count = 1;
        settings->stops[settings->stop_count++] =
            (struct pbt_stop){.source = PBT_STOP_VALUE,
                              .bound = roll(dice) * iterations * 0.5,
                              .at_most = c->spec.minimize,
                              .all = chance(dice, 0.5)};
    }
    if (chance(dice, 0.1)) {
        settings->stops[settings->stop_count++] =
            (struct pbt_stop){.source = PBT_STOP_SECONDS,
                              .bound = roll(dice) * iterations * step_s};
    }
    if (chance(dice, 0.05)) {
        settings->time_budget_ns =
            (uint64_t)(roll(dice) * 4e9 * iterations * step_s);
    }
}

static void draw_scheduler(struct sim_case *c, struct dice *dice, double step_s)
{
    static const double QUANTILES[] = {0.25, 0.25, 0.5, 0.125, 0};
    struct pbt_settings *settings = &c->spec.settings;
    settings->scheduler =
        chance(dice, 0.08) ? PBT_SCHEDULER_FIFO : PBT_SCHEDULER_PBT;
    /* Not of the dice: what a seed stands for else stays the same. */
    c->spec.power_durable = pbt_mix(0x706f776572, c->seed) % 4 == 0;
    settings->synch = pbt_mix(0x73796e6368, c->seed) % 4 == 0;
    settings->perturbation_interval = between(dice, 1, 5);
    settings->burn_in_period = chance(dice, 0.2) ? between(dice, 1, 6) : 0;
    if (chance(dice, 0.1)) {
        settings->time_attr = PBT_TIME_SECONDS;
        settings->perturbation_interval *= step_s;
        settings->burn_in_period *= step_s;
    }
    settings->quantile_fraction = QUANTILES[between(dice, 0, 4)];
    settings->custom_explore = chance(dice, 0.2);
}

static void draw_spec(struct sim_case *c, struct dice *dice, double step_s)
{
    static char NAME[] = "sim";
    static char METRIC[] = "score";
    struct pbt_spec *spec = &c->spec;
    struct pbt_settings *settings = &spec->settings;
    spec->name = NAME;
    spec->metric = METRIC;
    spec->minimize = chance(dice, 0.3);
    spec->require_attrs = chance(dice, 0.5);
    spec->log_config = true;
    settings->seed = pbt_mix(c->seed, 1);
    settings->population = between(dice, 1, chance(dice, 0.2) ? 12 : 6);
    settings->checkpoint_frequency =
        chance(dice, 0.4) ? between(dice, 1, 5) : 0;
    settings->checkpoint_at_end = chance(dice, 0.4);
    settings->num_to_keep = chance(dice, 0.7) ? 1 : between(dice, 2, 4);
    settings->max_failures =
        chance(dice, 0.1) ? -1 : (int32_t)between(dice, 0, 6);
    draw_params(c, dice);
    draw_functions(c);
    draw_scheduler(c, dice, step_s);
    draw_policy(c);
    draw_stops(c, dice, step_s);
    draw_keep(c);
    draw_failures(c);
}

/* --- the world ------------------------------------------------------------------- */

static double draw_rate(struct dice *dice, double most)
{
    static const double SHARES[] = {0, 0, 0.1, 0.3, 1};
    return SHARES[between(dice, 0, 4)] * most;
}

static void draw_rates(struct sim_case *c, struct dice *dice)
{
    struct pbt_sim_rates *rates = &c->rates;
    uint64_t step = nanoseconds(dice, 10 * MS, 2 * S);
    *rates = (struct pbt_sim_rates){
        .crash_step = draw_rate(dice, 0.1),
        .crash_setup = draw_rate(dice, 0.1),
        .crash_save = draw_rate(dice, 0.2),
        .hang = draw_rate(dice, 0.05),
        .nan_score = draw_rate(dice, 0.4),
        .no_score = draw_rate(dice, 0.05),
        .damage = draw_rate(dice, 0.2),
        .duplicate = draw_rate(dice, 0.3),
        .stale = draw_rate(dice, 0.3),
        .ask_fails = draw_rate(dice, 0.3),
        .late = draw_rate(dice, 0.2),
        .can_reset = chance(dice, 0.7),
        .step_ns = step,
        .setup_ns = nanoseconds(dice, MS, 2 * step),
        .ask_ns = nanoseconds(dice, MS, (chance(dice, 0.3) ? 20 : 2) * step),
        .save_ns = nanoseconds(dice, MS, 2 * step),
        .latency_ns = nanoseconds(dice, MS / 10, step / 5),
        .late_ns = 4 * step,
        .sync_ns = nanoseconds(dice, MS, chance(dice, 0.2) ? 20 * step : step),
        .window_ns = chance(dice, 0.5) ? nanoseconds(dice, 0, 2 * step) : 0,
    };
    struct dice own = {pbt_mix(c->seed, 4), 0};
    rates->keep = draw_rate(&own, 1);
    rates->wait = draw_rate(&own, 0.3);
    rates->full = draw_rate(&own, 0.2);
    rates->lose = chance(&own, 0.3) ? draw_rate(&own, 0.5) : 0;
    /* A hang shows as a time-out only; a short one kills the healthy too. */
    bool timeouts = rates->hang > 0 || chance(dice, 0.2);
    double seconds = (double)step * 1e-9 * (chance(dice, 0.2) ? 3 : 30);
    c->spec.timeout_setup = timeouts ? seconds : 0;
    c->spec.timeout_step = timeouts ? seconds : 0;
    c->spec.timeout_save = timeouts ? seconds : 0;
    c->spec.grace = seconds;
}

static void draw_life(struct sim_case *c, struct dice *dice,
                      struct driver_life *life)
{
    static const enum doom MOSTLY[] = {DOOM_POINT, DOOM_POINT, DOOM_POINT,
                                       DOOM_POINT, DOOM_FILE,  DOOM_FILE,
                                       DOOM_SYNC,  DOOM_STOP,  DOOM_STOP};
    uint32_t population = c->spec.settings.population;
    life->doom = MOSTLY[between(dice, 0, 8)];
    life->when = between(dice, 1, chance(dice, 0.3) ? 12 : 200);
    if (life->doom == DOOM_SYNC) {
        life->when = between(dice, 1, 20); /* there are fewer of these */
    }
    life->power = chance(dice, 0.5);
    life->slots = between(dice, 1, population);
    life->capacity_changes = chance(dice, 0.2);
    life->change_after_ns = nanoseconds(dice, 0, 10 * c->rates.step_ns);
    life->change_for_ns = nanoseconds(dice, 1, 10 * c->rates.step_ns);
    life->changed_slots = between(dice, 0, population);
}

/* The last life is not stopped as a whole: it is to bring the run to its end. */
static void draw_requests(struct sim_case *c, struct dice *dice, uint32_t life)
{
    static const enum pbt_control_kind MOSTLY[] = {
        PBT_CONTROL_PAUSE, PBT_CONTROL_PAUSE, PBT_CONTROL_RESUME,
        PBT_CONTROL_STOP};
    struct driver_life *drawn = &c->lives[life];
    drawn->request_count = between(dice, 0, REQUESTS_MAX);
    for (uint32_t i = 0; i < drawn->request_count; i++) {
        struct user_request *request = &drawn->requests[i];
        request->after_ns = nanoseconds(dice, 0, 20 * c->rates.step_ns);
        request->kind = MOSTLY[between(dice, 0, 3)];
        bool all = chance(dice, 0.2) &&
                   (request->kind != PBT_CONTROL_STOP || life < c->life_count);
        request->trial =
            all ? PBT_ALL_TRIALS
                : between(dice, 0, c->spec.settings.population - 1);
        if (i > 0 && chance(dice, 0.3)) {
            /* Close upon the one before, and often about the same trial. */
            request->after_ns =
                request[-1].after_ns + nanoseconds(dice, 0, c->rates.step_ns);
            request->trial = all ? PBT_ALL_TRIALS : request[-1].trial;
            if (request->trial == PBT_ALL_TRIALS &&
                request->kind == PBT_CONTROL_STOP) {
                request->kind = PBT_CONTROL_RESUME;
            }
        }
    }
}

/* Few trials and steps, a save after each, and less kept than there is room for. */
static void make_small(struct sim_case *c)
{
    struct dice dice = {pbt_mix(c->seed, 7), 0};
    struct pbt_settings *settings = &c->spec.settings;
    settings->population = between(&dice, 2, 4);
    settings->space.count = 1;
    c->params[0].mutations.kind = PBT_DOMAIN_UNIFORM;
    c->params[0].initial.kind = PBT_DOMAIN_UNIFORM;
    settings->custom_explore = chance(&dice, 0.1);
    settings->scheduler = PBT_SCHEDULER_PBT;
    settings->synch = chance(&dice, 0.2);
    settings->time_attr = PBT_TIME_ITERATION;
    settings->perturbation_interval = between(&dice, 1, 2);
    settings->burn_in_period = 0;
    settings->quantile_fraction = 0.5;
    settings->checkpoint_frequency = between(&dice, 0, 2);
    settings->num_to_keep = between(&dice, 1, 2);
    settings->max_bytes = chance(&dice, 0.5) ? between(&dice, 1, 2500) : 0;
    settings->max_failures = -1;
    settings->stop_count = 1;
    settings->stops[0] = (struct pbt_stop){.source = PBT_STOP_ITERATION,
                                           .bound = between(&dice, 3, 6)};
    settings->time_budget_ns = 0;
    c->spec.require_attrs = false;
}

/* Ends that come soon: there are few turns. */
static void hasten(struct sim_case *c)
{
    struct dice dice = {pbt_mix(c->seed, 8), 0};
    c->calm_after = between(&dice, 1, 30);
    for (uint32_t i = 0; i < c->life_count; i++) {
        c->lives[i].when =
            between(&dice, 1, c->lives[i].doom == DOOM_SYNC ? 6 : 80);
    }
}

void case_draw(struct sim_case *c, uint64_t seed, bool keeping)
{
    struct dice dice = {.seed = pbt_mix(0x63617365, seed)};
    memset(c, 0, sizeof *c);
    c->seed = seed;
    draw_rates(c, &dice);
    draw_spec(c, &dice, (double)c->rates.step_ns * 1e-9);
    if (keeping) {
        make_small(c);
    }
    c->life_count = between(&dice, 0, chance(&dice, 0.3) ? LIVES_MAX - 1 : 2);
    if (keeping && c->life_count > 2) {
        c->life_count = 2;
    }
    for (uint32_t i = 0; i <= c->life_count; i++) {
        draw_life(c, &dice, &c->lives[i]);
    }
    if (keeping) {
        hasten(c);
    }
    struct driver_life *last = &c->lives[c->life_count];
    last->doom = DOOM_NONE;
    c->calm_after = chance(&dice, 0.3) ? 0 : between(&dice, 1, 150);
    struct dice own = {pbt_mix(c->seed, 9), 0};
    c->snapshot_every = chance(&own, 0.2) ? 0 : between(&own, 1, 100);
    c->snapshot_damage = draw_rate(&own, 0.5);
    c->extensions = chance(&own, 0.3) ? (uint32_t)between(&own, 1, 3) : 0;
    c->early_extensions = draw_rate(&own, 0.3);
    bool asks = chance(&dice, 0.4) && !keeping;
    for (uint32_t i = 0; asks && i <= c->life_count; i++) {
        draw_requests(c, &dice, i);
    }
}

void case_done(struct sim_case *c)
{
    pbt_texts_done(&c->spec.texts);
}

void case_print(const struct sim_case *c)
{
    static const char *const COPIES[] = {"both", "weights", "hyperparameters"};
    static const char *const EXPLOITS[] = {"truncation", "tournament",
                                           "t_test"};
    const struct pbt_settings *s = &c->spec.settings;
    const struct pbt_sim_rates *r = &c->rates;
    printf("seed %" PRIu64 ": %" PRIu32 " trials, %s, interval %g %s, "
           "burn-in %g, quantile %g%s, %" PRIu32 " parameters, mode %s\n",
           c->seed, s->population,
           s->scheduler != PBT_SCHEDULER_PBT ? "fifo"
           : s->synch                        ? "synchronous pbt"
                                             : "pbt",
           s->perturbation_interval,
           s->time_attr == PBT_TIME_SECONDS ? "s" : "iterations",
           s->burn_in_period, s->quantile_fraction,
           s->custom_explore ? ", custom explore" : "", s->space.count,
           c->spec.minimize ? "min" : "max");
    printf("  exploit %s", EXPLOITS[s->exploit]);
    if (s->exploit == PBT_EXPLOIT_T_TEST) {
        printf(" on %" PRIu32 " scores at %g", s->t_test_scores,
               s->t_test_level);
    }
    printf(
        ", donors give %s, copies %s, gaps: %g, relative %g, deviations %g\n",
        s->donors == PBT_DONORS_BEST_EVER ? "their best" : "their last",
        COPIES[s->copies], s->gap, s->gap_relative, s->gap_sd);
    for (uint32_t i = 0; i < s->stop_count; i++) {
        static const char *const SOURCES[] = {"iteration", "seconds", "score"};
        printf("  stop%s: %s %s %g\n", s->stops[i].all ? "_all" : "",
               SOURCES[s->stops[i].source],
               s->stops[i].at_most ? "<=" : ">=", s->stops[i].bound);
    }
    static const char *const KEEPS[] = {"newest",    "best",    "worst",
                                        "iteration", "seconds", "value"};
    printf("  checkpoints: every %" PRIu32 ", at_end %d, keep %" PRIu32
           " by %s%s, %" PRIu64 " bytes; max_failures %" PRId32
           ", back-off %g s, replaced %" PRIu32
           " times; time-outs %g s; budget %g s\n",
           s->checkpoint_frequency, s->checkpoint_at_end, s->num_to_keep,
           KEEPS[s->keep], s->keep_low ? " low" : "", s->max_bytes,
           s->max_failures, (double)s->backoff_ns * 1e-9, s->replace,
           c->spec.timeout_step, (double)s->time_budget_ns * 1e-9);
    printf("  rates: crash step %g setup %g save %g, hang %g, NaN %g, no score "
           "%g, damage %g, duplicate %g, stale %g, ask fails %g, late %g, "
           "keep %g, lose %g, wait %g, full %g\n",
           r->crash_step, r->crash_setup, r->crash_save, r->hang, r->nan_score,
           r->no_score, r->damage, r->duplicate, r->stale, r->ask_fails,
           r->late, r->keep, r->lose, r->wait, r->full);
    printf("  step %g s, window %g s, sync %g s, can_reset %d\n",
           (double)r->step_ns * 1e-9, (double)r->window_ns * 1e-9,
           (double)r->sync_ns * 1e-9, r->can_reset);
    printf("  extended %" PRIu32 " times\n", c->extensions);
    printf("  snapshots every %" PRIu64 " records, damaged %g\n",
           c->snapshot_every, c->snapshot_damage);
}
