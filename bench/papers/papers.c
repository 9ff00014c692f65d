/*
 * papers: what papers and Ray's examples claim of their toys, measured (docs/papers.md).
 *
 *     papers              all of it; ends with 1 if a figure is not met
 *     papers --quick      the same over a tenth of the seeds
 *     papers TOY SEED [key=value ...]
 *                         one run: its best scores at the end and ever, its trials that
 *                         said they were done, its results and exploits
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "claims.h"
#include "toys.h"

#define QUICK 10

static int run_once(const struct toy *toy, const char *const *overrides,
                    uint64_t seed, struct outcome *outcome)
{
    struct pbt_error error;
    int status = world_run(toy, overrides, seed, outcome, &error);
    if (status != PBT_OK) {
        (void)fprintf(stderr, "papers: seed %" PRIu64 ": %s\n", seed,
                      error.text);
    }
    return status;
}

/* --- a claim ------------------------------------------------------------------- */

struct measured {
    double value;
    double chance; /* its standard error */
};

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return x < y ? -1 : x > y ? 1 : 0;
}

static struct measured sum_up(enum measure measure, double *values,
                              uint32_t count)
{
    double sum = 0;
    double squares = 0;
    for (uint32_t i = 0; i < count; i++) {
        sum += values[i];
    }
    double mean = sum / count;
    for (uint32_t i = 0; i < count; i++) {
        squares += (values[i] - mean) * (values[i] - mean);
    }
    struct measured measured = {mean, 0};
    if (count > 1) {
        measured.chance = sqrt(squares / (count - 1) / count);
    }
    if (measure == CLAIM_MEDIAN) {
        qsort(values, count, sizeof *values, compare);
        measured.value = (values[(count - 1) / 2] + values[count / 2]) / 2;
    }
    return measured;
}

static int measure(const struct claim *claim, uint32_t seeds,
                   struct measured *measured)
{
    double *values = calloc(seeds, sizeof *values);
    int status = values == NULL ? PBT_ENOMEM : PBT_OK;
    for (uint32_t i = 0; i < seeds && status == PBT_OK; i++) {
        struct outcome outcome;
        status = run_once(claim->toy, claim->overrides, i + 1, &outcome);
        values[i] = claim->measure != CLAIM_SHARE ? outcome.best
                    : outcome.done > 0            ? 1
                                                  : 0;
    }
    if (status == PBT_OK) {
        *measured = sum_up(claim->measure, values, seeds);
    }
    free(values);
    return status;
}

/*
 * The figure itself was measured over as many seeds as the claim says, so that it is off by
 * chance, too.  Three standard errors of the difference are allowed where that is more than a
 * percent: for means, and where fewer seeds are taken.
 */
static double allowed(const struct claim *claim, uint32_t seeds,
                      const struct measured *measured)
{
    double percent = 0.01 * fabs(claim->figure);
    double part = (double)seeds / claim->seeds;
    double chance = 3 * measured->chance * sqrt(1 + part);
    bool strict = claim->measure == CLAIM_MEDIAN && seeds == claim->seeds;
    return strict || chance < percent ? percent : chance;
}

static bool holds(const struct claim *claim, uint32_t seeds,
                  const struct measured *measured)
{
    double off = fabs(measured->value - claim->figure);
    switch (claim->relation) {
    case CLAIM_IS:
        return off <= 1e-9;
    case CLAIM_NEAR:
        return off <= allowed(claim, seeds, measured);
    case CLAIM_ABOVE:
        return measured->value >= claim->figure;
    case CLAIM_BELOW:
        return measured->value <= claim->figure;
    }
    return false;
}

static void print(const struct claim *claim, uint32_t seeds,
                  const struct measured *measured, bool held)
{
    static const char *const RELATIONS[] = {"", "", ">=", "<="};
    static const char *const MEASURES[] = {"median", "mean", "share"};
    int digits = claim->relation == CLAIM_IS ? 15 : claim->figure > 2 ? 1 : 5;
    char figure[32];
    char chance[32] = "";
    (void)snprintf(figure, sizeof figure, "%s%.*f", RELATIONS[claim->relation],
                   digits, claim->figure);
    if (seeds > 1 && claim->relation == CLAIM_NEAR) {
        (void)snprintf(chance, sizeof chance, " +- %.*f", digits,
                       measured->chance);
    }
    (void)printf("  %-44s %4" PRIu32 " %-6s %-17s %.*f%s%s\n", claim->what,
                 seeds, seeds == 1 ? "" : MEASURES[claim->measure], figure,
                 digits, measured->value, chance, held ? "" : "  NOT MET");
    (void)fflush(stdout);
}

/* --- the program ----------------------------------------------------------------- */

static int run_all(bool quick)
{
    uint32_t missed = 0;
    for (const struct claim *claim = claims; claim->toy != NULL; claim++) {
        struct measured measured;
        uint32_t seeds =
            quick && claim->seeds > 1 ? claim->seeds / QUICK : claim->seeds;
        if (measure(claim, seeds, &measured) != PBT_OK) {
            return 1;
        }
        if (claim->section != NULL) {
            (void)printf("%s%s\n  %-44s %-11s %-17s %s\n",
                         claim == claims ? "" : "\n", claim->section, "",
                         "seeds", "expected", "measured");
        }
        bool held = holds(claim, seeds, &measured);
        missed += held ? 0 : 1;
        print(claim, seeds, &measured, held);
    }
    if (missed > 0) {
        (void)printf("\n%" PRIu32 " not met\n", missed);
    }
    return missed == 0 ? 0 : 1;
}

static int run_one(const char *name, const char *seed,
                   const char *const *overrides)
{
    static const struct {
        const char *name;
        const struct toy *toy;
    } toys[] = {{"figure2", &toy_figure2},
                {"plain", &toy_plain},
                {"deceptive", &toy_deceptive},
                {"accuracy", &toy_accuracy}};
    for (size_t i = 0; i < sizeof toys / sizeof *toys; i++) {
        struct outcome outcome;
        if (strcmp(name, toys[i].name) != 0) {
            continue;
        }
        if (run_once(toys[i].toy, overrides, strtoull(seed, NULL, 10),
                     &outcome) != PBT_OK) {
            return 1;
        }
        (void)printf("%.17g %.17g %" PRIu32 " %" PRIu64 " %" PRIu64 "\n",
                     outcome.best, outcome.best_ever, outcome.done,
                     outcome.results, outcome.exploits);
        return 0;
    }
    (void)fprintf(stderr,
                  "papers: no toy %s: figure2, plain, deceptive, accuracy\n",
                  name);
    return PBT_EUSAGE;
}

int main(int argc, char **argv)
{
    bool quick = argc == 2 && strcmp(argv[1], "--quick") == 0;
    if (argc == 1 || quick) {
        return run_all(quick);
    }
    if (argc < 3) {
        (void)fprintf(stderr,
                      "usage: papers [--quick | TOY SEED [key=value ...]]\n");
        return PBT_EUSAGE;
    }
    return run_one(argv[1], argv[2], (const char *const *)argv + 3);
}
