/*
 * points: what the core takes for a perturbation point, by itself.
 *
 *     points TRIALS POINTS
 *
 * All trials have been at a point and have saved.  Then, POINTS times: one of them, drawn, is
 * at its next point with a drawn score.  Prints three medians: the nanoseconds in which a
 * trial is ranked anew and its rank is known (the ordered structure alone), and those from
 * a result until all is decided, where it leads to a save, and where to an exploit: the
 * score ranked, the quantile found, a donor drawn, its configuration explored.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/draw.h"
#include "core/core.h"
#include "core/order.h"

static struct pbt_settings settings;
static struct pbt_core *core;
static struct pbt_draw_key dice = {.seed = 1, .purpose = PBT_DRAW_TEST};

_Noreturn static void fail(const char *what)
{
    (void)fprintf(stderr, "points: %s\n", what);
    exit(1);
}

static uint64_t now_ns(void)
{
    struct timespec now = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return UINT64_C(1000000000) * (uint64_t)now.tv_sec + (uint64_t)now.tv_nsec;
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static uint64_t median(uint64_t *values, size_t count)
{
    qsort(values, count, sizeof *values, by_size);
    return values[count / 2];
}

/* --- the ordered structure ------------------------------------------------------- */

static uint64_t measure_ranking(uint32_t trials, uint64_t *spent, size_t count)
{
    struct pbt_order order;
    uint64_t ranks = 0;
    if (!pbt_order_init(&order, trials)) {
        fail("out of memory");
    }
    for (uint32_t i = 0; i < trials; i++) {
        pbt_order_put(&order, i, pbt_draw_unit(&dice));
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t trial = (uint32_t)pbt_draw_below(&dice, trials);
        double score = pbt_draw_unit(&dice);
        uint64_t begin = now_ns();
        pbt_order_put(&order, trial, score);
        ranks += pbt_order_rank(&order, trial);
        spent[i] = now_ns() - begin;
    }
    pbt_order_done(&order);
    if (trials > 1 && ranks == 0) {
        fail("all ranks are 0");
    }
    return median(spent, count);
}

/* --- the core ------------------------------------------------------------------------ */

static void tell(const struct pbt_event *event)
{
    struct pbt_record record;
    if (!pbt_core_decide(core, event, &record)) {
        fail("an event is out of place");
    }
    do {
        if (!pbt_core_apply(core, &record)) {
            fail("a record doesn't fit");
        }
    } while (pbt_core_decide(core, NULL, &record));
}

/* The world does what is owed, at once.  True: it was a load, so there was an exploit. */
static bool obey(uint32_t trial)
{
    struct pbt_command owed = pbt_core_owed(core, trial);
    struct pbt_event event = {.kind = PBT_EVENT_READY,
                              .trial = trial,
                              .epoch = owed.epoch,
                              .can_reset = true};
    if (owed.kind == PBT_COMMAND_SAVE) {
        event.kind = PBT_EVENT_SAVED;
        event.checkpoint = owed.checkpoint;
    } else if (owed.kind != PBT_COMMAND_START &&
               owed.kind != PBT_COMMAND_LOAD) {
        fail("neither a save nor a start nor a load is owed");
    }
    tell(&event);
    if (event.kind == PBT_EVENT_SAVED) {
        event.kind = PBT_EVENT_DURABLE;
        tell(&event);
    }
    pbt_core_touched_clear(core);
    return owed.kind == PBT_COMMAND_LOAD;
}

/* Returns the nanoseconds until all is decided. */
static uint64_t reach_point(uint32_t trial)
{
    struct pbt_command owed = pbt_core_owed(core, trial);
    struct pbt_event event = {.kind = PBT_EVENT_RESULT,
                              .trial = trial,
                              .epoch = owed.epoch,
                              .seq = pbt_core_trial(core, trial).seq + 1,
                              .iteration = owed.until,
                              .score = pbt_draw_unit(&dice),
                              .halted = true};
    if (owed.kind != PBT_COMMAND_RUN) {
        fail("a trial doesn't train");
    }
    uint64_t begin = now_ns();
    tell(&event);
    return now_ns() - begin;
}

static void set_up(uint32_t trials)
{
    static const double factors[] = {1.2, 0.8};
    static struct pbt_param params[] = {
        {.name = "lr",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1}},
        {.name = "momentum",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1}}};
    settings = (struct pbt_settings){
        .seed = 1,
        .population = trials,
        .space = {params, 2},
        .scheduler = PBT_SCHEDULER_PBT,
        .time_attr = PBT_TIME_ITERATION,
        .perturbation_interval = 1,
        .quantile_fraction = 0.25,
        .explore = {.resample_probability = 0.25,
                    .factors = factors,
                    .factor_count = 2},
        .num_to_keep = 1,
    };
    core = pbt_core_create(&settings);
    if (core == NULL) {
        fail("out of memory");
    }
    tell(&(struct pbt_event){
        .kind = PBT_EVENT_OPENED, .incarnation = 1, .slots = trials});
    for (uint32_t i = 0; i < trials; i++) {
        (void)obey(i);
    }
    for (uint32_t i = 0; i < trials; i++) {
        (void)reach_point(i);
        (void)obey(i);
    }
}

int main(int argc, char **argv)
{
    long trials = argc == 3 ? strtol(argv[1], NULL, 10) : 0;
    long points = argc == 3 ? strtol(argv[2], NULL, 10) : 0;
    if (trials < 2 || trials > 1000000 || points < 1 || points > 10000000) {
        (void)fputs("usage: points TRIALS POINTS\n", stderr);
        return 2;
    }
    size_t count = (size_t)points;
    uint64_t *saves = malloc(count * sizeof *saves);
    uint64_t *exploits = malloc(count * sizeof *exploits);
    if (saves == NULL || exploits == NULL) {
        fail("out of memory");
    }
    uint64_t ranked = measure_ranking((uint32_t)trials, saves, count);
    set_up((uint32_t)trials);
    size_t saved = 0;
    size_t exploited = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t trial = (uint32_t)pbt_draw_below(&dice, (uint64_t)trials);
        uint64_t spent = reach_point(trial);
        if (obey(trial)) {
            exploits[exploited++] = spent;
        } else {
            saves[saved++] = spent;
        }
    }
    if (saved == 0 || exploited == 0) {
        fail("too few points: no save, or no exploit");
    }
    (void)printf("%" PRIu64 " ns ranked, %" PRIu64 " ns to a save, %" PRIu64
                 " ns to an exploit\n",
                 ranked, median(saves, saved), median(exploits, exploited));
    pbt_core_destroy(core);
    free(saves);
    free(exploits);
    return 0;
}
