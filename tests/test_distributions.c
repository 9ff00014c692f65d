/*
 * What is drawn is distributed as docs/experiment-file.md says: 100,000 draws of each kind, with a
 * fixed seed, against probabilities that are worked out here from the definition.  Reals by
 * Kolmogorov and Smirnov's test, values on a grid by Pearson's chi-square, both at one in a
 * thousand: the seed is fixed, so a test that passes once passes always.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "core/space.h"

#define DRAWS 100000
#define POINTS_MAX 64

static struct pbt_draw_key draw_number(uint64_t n)
{
    return (struct pbt_draw_key){
        .seed = 20, .iteration = n, .purpose = PBT_DRAW_TEST};
}

static struct pbt_cell draw(const struct pbt_domain *domain, uint64_t n)
{
    struct pbt_draw_key key = draw_number(n);
    return pbt_domain_draw(domain, &key);
}

/* --- the two tests ------------------------------------------------------------- */

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The part of a continuous distribution that lies below x. */
typedef double cdf(const struct pbt_domain *domain, double x);

static void check_reals(const struct pbt_domain *domain, cdf *below)
{
    double *values = calloc(DRAWS, sizeof *values);
    assert_non_null(values);
    for (int n = 0; n < DRAWS; n++) {
        struct pbt_cell cell = draw(domain, (uint64_t)n);
        assert_int_equal(cell.type, PBT_CELL_REAL);
        values[n] = cell.u.r;
    }
    qsort(values, DRAWS, sizeof *values, compare);
    double worst = 0;
    for (int n = 0; n < DRAWS; n++) {
        double p = below(domain, values[n]);
        worst = fmax(worst, fabs(p - (double)n / DRAWS));
        worst = fmax(worst, fabs(p - (double)(n + 1) / DRAWS));
    }
    if (worst * sqrt(DRAWS) > 1.95) {
        fail_msg("kind %d: D = %g", (int)domain->kind, worst);
    }
    free(values);
}

/* The bound that chi-square exceeds once in a thousand (Wilson and Hilferty). */
static double rare(int freedom)
{
    double a = 2.0 / (9.0 * freedom);
    double b = 1 - a + 3.0902 * sqrt(a);
    return freedom * b * b * b;
}

/* Counts of draws against how likely each is; the likelihoods add up to 1. */
static void check_counts(const char *what, const int *counts, const double *p,
                         int points)
{
    double sum = 0;
    double square = 0;
    int total = 0;
    for (int i = 0; i < points; i++) {
        double expected = p[i] * DRAWS;
        assert_true(expected > 5);
        square += (counts[i] - expected) * (counts[i] - expected) / expected;
        sum += p[i];
        total += counts[i];
    }
    assert_int_equal(total, DRAWS);
    assert_true(fabs(sum - 1) < 1e-9);
    if (square > rare(points - 1)) {
        fail_msg("%s: chi-square %g of %d points", what, square, points);
    }
}

/* Draws of a domain whose values are first, first + step, ...: all of them, and no other. */
static void check_points(const char *what, const struct pbt_domain *domain,
                         double first, double step, const double *p, int points)
{
    int counts[POINTS_MAX] = {0};
    for (int n = 0; n < DRAWS; n++) {
        double value = pbt_cell_number(draw(domain, (uint64_t)n));
        double at = (value - first) / step;
        int i = (int)nearbyint(at);
        if (fabs(at - i) > 1e-9 || i < 0 || i >= points) {
            fail_msg("%s: drew %.17g", what, value);
        }
        counts[i]++;
    }
    check_counts(what, counts, p, points);
}

/* --- reals --------------------------------------------------------------------- */

static double below_uniform(const struct pbt_domain *domain, double x)
{
    return (x - domain->lower) / (domain->upper - domain->lower);
}

static double below_loguniform(const struct pbt_domain *domain, double x)
{
    return log(x / domain->lower) / log(domain->upper / domain->lower);
}

static double below_normal(const struct pbt_domain *domain, double x)
{
    return 0.5 * erfc(-(x - domain->lower) / (domain->upper * sqrt(2)));
}

static void uniform(void **state)
{
    (void)state;
    const struct pbt_domain domain = {
        .kind = PBT_DOMAIN_UNIFORM, .lower = -1, .upper = 3};
    check_reals(&domain, below_uniform);
}

static void loguniform(void **state)
{
    (void)state;
    const struct pbt_domain domain = {
        .kind = PBT_DOMAIN_LOGUNIFORM, .lower = 1e-5, .upper = 10};
    check_reals(&domain, below_loguniform);
}

static void randn(void **state)
{
    (void)state;
    const struct pbt_domain domain = {
        .kind = PBT_DOMAIN_RANDN, .lower = 10, .upper = 0.5};
    check_reals(&domain, below_normal);
}

/* So narrow that a rounding would reach the upper bound, which is no part of the range. */
static void the_upper_bound_of_reals_is_never_drawn(void **state)
{
    (void)state;
    const double upper = 1 + 4 * 0x1p-52;
    for (int kind = 0; kind < 2; kind++) {
        const struct pbt_domain domain = {
            .kind = kind == 0 ? PBT_DOMAIN_UNIFORM : PBT_DOMAIN_LOGUNIFORM,
            .lower = 1,
            .upper = upper};
        bool lowest = false;
        for (uint64_t n = 0; n < 1000; n++) {
            double value = pbt_cell_number(draw(&domain, n));
            assert_true(value >= 1 && value < upper);
            lowest = lowest || value == 1;
        }
        assert_true(lowest);
    }
}

/* --- reals on a grid --------------------------------------------------------------- */

/* Rounded to multiples: each has what is nearer to it than to any other, within the bounds. */
static void share_out(const struct pbt_domain *domain, cdf *below, double *p,
                      int points)
{
    double step = domain->quantum;
    for (int i = 0; i < points; i++) {
        double at = domain->lower + i * step;
        double low = fmax(at - step / 2, domain->lower);
        double high = fmin(at + step / 2, domain->upper);
        p[i] = below(domain, high) - below(domain, low);
    }
}

static void quniform(void **state)
{
    (void)state;
    const struct pbt_domain domain = {.kind = PBT_DOMAIN_QUNIFORM,
                                      .lower = -0.5,
                                      .upper = 0.5,
                                      .quantum = 0.1};
    double p[11];
    share_out(&domain, below_uniform, p, 11);
    check_points("quniform", &domain, -0.5, 0.1, p, 11);
}

static void qloguniform(void **state)
{
    (void)state;
    const struct pbt_domain domain = {.kind = PBT_DOMAIN_QLOGUNIFORM,
                                      .lower = 0.25,
                                      .upper = 8,
                                      .quantum = 0.25};
    double p[32];
    share_out(&domain, below_loguniform, p, 32);
    check_points("qloguniform", &domain, 0.25, 0.25, p, 32);
}

/* It has no bounds: what is beyond three deviations is counted with the outermost point. */
static void qrandn(void **state)
{
    (void)state;
    const struct pbt_domain domain = {
        .kind = PBT_DOMAIN_QRANDN, .lower = 10, .upper = 2, .quantum = 0.5};
    double p[25];
    int counts[25] = {0};
    for (int i = 0; i < 25; i++) {
        double at = 4 + i * 0.5;
        double low = i == 0 ? 0 : below_normal(&domain, at - 0.25);
        double high = i == 24 ? 1 : below_normal(&domain, at + 0.25);
        p[i] = high - low;
    }
    for (int n = 0; n < DRAWS; n++) {
        struct pbt_cell cell = draw(&domain, (uint64_t)n);
        assert_int_equal(cell.type, PBT_CELL_REAL);
        double at = (cell.u.r - 4) / 0.5;
        assert_true(at == floor(at));
        counts[(int)fmax(0, fmin(24, at))]++;
    }
    check_counts("qrandn", counts, p, 25);
}

/* --- whole numbers ----------------------------------------------------------------- */

static void all_alike(double *p, int points)
{
    for (int i = 0; i < points; i++) {
        p[i] = 1.0 / points;
    }
}

static void randint(void **state)
{
    (void)state;
    const struct pbt_domain domain = {
        .kind = PBT_DOMAIN_RANDINT, .lower = -3, .upper = 10};
    double p[13];
    all_alike(p, 13);
    check_points("randint", &domain, -3, 1, p, 13);
}

/* In Ray these are 2:3:3:1, 2:1:3:1:3 and never 10, and [l, u). */
static void qrandint_is_even_and_has_both_ends(void **state)
{
    (void)state;
    static const struct {
        double upper;
        double step;
        int points;
    } cases[] = {{9, 3, 4}, {10, 2, 6}, {4, 1, 5}};
    double p[6];
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const struct pbt_domain domain = {.kind = PBT_DOMAIN_QRANDINT,
                                          .upper = cases[i].upper,
                                          .quantum = cases[i].step};
        all_alike(p, cases[i].points);
        check_points("qrandint", &domain, 0, cases[i].step, p, cases[i].points);
    }
}

static void lograndint(void **state)
{
    (void)state;
    const struct pbt_domain domain = {
        .kind = PBT_DOMAIN_LOGRANDINT, .lower = 2, .upper = 50};
    double p[48];
    for (int i = 0; i < 48; i++) {
        p[i] = log((i + 3.0) / (i + 2.0)) / log(25);
    }
    check_points("lograndint", &domain, 2, 1, p, 48);
}

/* With a step of 1, too, where Ray leaves the upper end out. */
static void qlograndint_has_both_ends(void **state)
{
    (void)state;
    struct pbt_domain domain = {
        .kind = PBT_DOMAIN_QLOGRANDINT, .lower = 2, .upper = 20, .quantum = 2};
    double p[20];
    share_out(&domain, below_loguniform, p, 10);
    check_points("qlograndint", &domain, 2, 2, p, 10);
    domain.quantum = 1;
    share_out(&domain, below_loguniform, p, 19);
    check_points("qlograndint by ones", &domain, 2, 1, p, 19);
}

/* --- lists ------------------------------------------------------------------------- */

static void choice(void **state)
{
    (void)state;
    struct pbt_cell cells[7];
    double p[7];
    for (int i = 0; i < 7; i++) {
        cells[i] = pbt_cell_int(i);
    }
    const struct pbt_domain domain = {
        .kind = PBT_DOMAIN_CHOICE, .choices = cells, .choice_count = 7};
    all_alike(p, 7);
    check_points("choice", &domain, 0, 1, p, 7);
}

/* Nothing is left to chance: each value has as many trials, `stride` in a row. */
static void grid_search(void **state)
{
    (void)state;
    struct pbt_cell cells[] = {pbt_cell_int(0), pbt_cell_int(1),
                               pbt_cell_int(2)};
    const struct pbt_domain domain = {.kind = PBT_DOMAIN_GRID,
                                      .choices = cells,
                                      .choice_count = 3,
                                      .stride = 5};
    for (uint32_t trial = 0; trial < 300; trial++) {
        struct pbt_draw_key key = draw_number((uint64_t)trial * 7);
        key.trial = trial;
        assert_int_equal(pbt_domain_draw(&domain, &key).u.i, trial / 5 % 3);
        assert_int_equal(key.index, 0);
    }
}

/* --- exploring --------------------------------------------------------------------- */

static int explore_counts(const struct pbt_param *param,
                          const struct pbt_explore *rules, struct pbt_cell old,
                          const double *values, int *counts, int points)
{
    struct pbt_space space = {(struct pbt_param *)(uintptr_t)param, 1};
    int resampled = 0;
    for (int n = 0; n < DRAWS; n++) {
        struct pbt_draw_key key = draw_number((uint64_t)n);
        struct pbt_cell cell;
        pbt_space_explore(&space, rules, &old, &key, &cell);
        int i = 0;
        while (i < points && pbt_cell_number(cell) != values[i]) {
            i++;
        }
        if (i < points) {
            counts[i]++;
        } else {
            resampled++;
        }
    }
    return resampled;
}

/* From 4 in [3, 4, 8, 10]: a neighbour in three of four, anything in the fourth. */
static void a_list_is_resampled_as_often_as_said(void **state)
{
    (void)state;
    static const double values[] = {3, 4, 8, 10};
    static const double p[] = {0.375 + 0.0625, 0.0625, 0.375 + 0.0625, 0.0625};
    /* At an end it stays where it is, or goes one inwards. */
    static const double p_end[] = {0.375 + 0.0625, 0.375 + 0.0625, 0.0625,
                                   0.0625};
    struct pbt_cell cells[] = {pbt_cell_int(3), pbt_cell_int(4),
                               pbt_cell_int(8), pbt_cell_int(10)};
    const struct pbt_param param = {.name = "x",
                                    .mutation = PBT_MUTATION_LIST,
                                    .mutations = {.kind = PBT_DOMAIN_CHOICE,
                                                  .choices = cells,
                                                  .choice_count = 4}};
    const struct pbt_explore rules = {.resample_probability = 0.25};
    int counts[4] = {0};
    assert_int_equal(
        explore_counts(&param, &rules, cells[1], values, counts, 4), 0);
    check_counts("list", counts, p, 4);
    memset(counts, 0, sizeof counts);
    assert_int_equal(
        explore_counts(&param, &rules, cells[0], values, counts, 4), 0);
    check_counts("end of a list", counts, p_end, 4);
}

static void all_factors_are_alike_and_the_rest_is_resampled(void **state)
{
    (void)state;
    static const double factors[] = {1.2, 0.8, 2};
    static const double values[] = {60, 40, 100};
    static const double p[] = {0.2, 0.2, 0.2, 0.4};
    const struct pbt_param param = {
        .name = "x",
        .mutation = PBT_MUTATION_DOMAIN,
        .mutations = {.kind = PBT_DOMAIN_UNIFORM, .upper = 1000}};
    const struct pbt_explore rules = {
        .resample_probability = 0.4, .factors = factors, .factor_count = 3};
    int counts[4] = {0};
    counts[3] =
        explore_counts(&param, &rules, pbt_cell_real(50), values, counts, 3);
    check_counts("factors", counts, p, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(uniform),
        cmocka_unit_test(loguniform),
        cmocka_unit_test(randn),
        cmocka_unit_test(the_upper_bound_of_reals_is_never_drawn),
        cmocka_unit_test(quniform),
        cmocka_unit_test(qloguniform),
        cmocka_unit_test(qrandn),
        cmocka_unit_test(randint),
        cmocka_unit_test(qrandint_is_even_and_has_both_ends),
        cmocka_unit_test(lograndint),
        cmocka_unit_test(qlograndint_has_both_ends),
        cmocka_unit_test(choice),
        cmocka_unit_test(grid_search),
        cmocka_unit_test(a_list_is_resampled_as_often_as_said),
        cmocka_unit_test(all_factors_are_alike_and_the_rest_is_resampled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
