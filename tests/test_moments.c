/*
 * Means, spreads, and Welch's t-test: against sums over the values themselves, against the
 * two distributions that have a closed form, and against a slow integral.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/draw.h"
#include "core/moments.h"

#define PI 3.14159265358979323846
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct pbt_moments moments_of(const double *values, size_t count)
{
    struct pbt_moments moments = {0};
    for (size_t i = 0; i < count; i++) {
        moments = pbt_moments_join(moments, pbt_moments_of_one(values[i]));
    }
    return moments;
}

/* A sample of which only the variance of its mean and the freedom count. */
static struct pbt_moments sample(double count, double mean, double variance)
{
    return (struct pbt_moments){count, mean, variance * (count - 1)};
}

static void assert_near(double a, double b, double relative)
{
    if (!(fabs(a - b) <= relative * fabs(b))) {
        fail_msg("%.17g, not %.17g", a, b);
    }
}

static void they_are_those_of_the_values(void **state)
{
    (void)state;
    double values[100] = {0};
    struct pbt_draw_key key = {.seed = 5, .purpose = PBT_DRAW_INITIAL};
    double sum = 0;
    for (size_t i = 0; i < COUNT(values); i++) {
        values[i] = 1e6 + pbt_draw_normal(&key);
        sum += values[i] - 1e6;
    }
    double mean = sum / COUNT(values);
    double squares = 0;
    for (size_t i = 0; i < COUNT(values); i++) {
        double off = values[i] - 1e6 - mean;
        squares += off * off;
    }
    for (size_t split = 0; split <= COUNT(values); split++) {
        struct pbt_moments both =
            pbt_moments_join(moments_of(values, split),
                             moments_of(values + split, COUNT(values) - split));
        assert_true(both.count == COUNT(values));
        assert_near(both.mean, 1e6 + mean, 1e-14);
        assert_near(both.squares, squares, 1e-8);
    }
}

/*
 * Variance in one sample only: the freedom is that sample's.  With 1 and 2 degrees
 * Student's distribution has a closed form.
 */
static void one_and_two_degrees_are_the_closed_forms(void **state)
{
    (void)state;
    for (double t = -40; t <= 40; t += 0.37) {
        struct pbt_moments still = sample(2, 0, 0);
        double one = pbt_welch_p(still, sample(2, t, 2));
        double two = pbt_welch_p(still, sample(3, t, 3));
        assert_near(one, 1 - 2 / PI * atan(fabs(t)), 1e-11);
        assert_near(two, 1 - fabs(t) / sqrt(2 + t * t), 1e-9);
    }
}

/* Simpson's rule on the density from 0 to t. */
static double slow_p(double freedom, double t)
{
    const int steps = 20000;
    double front = exp(lgamma((freedom + 1) / 2) - lgamma(freedom / 2)) /
                   sqrt(freedom * PI);
    double sum = 0;
    for (int i = 0; i <= steps; i++) {
        double x = t * i / steps;
        double density = front * pow(1 + x * x / freedom, -(freedom + 1) / 2);
        sum += density * (i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2);
    }
    return 1 - 2 * sum * t / steps / 3;
}

static void p_is_the_integral_of_the_density(void **state)
{
    (void)state;
    struct pbt_draw_key key = {.seed = 7, .purpose = PBT_DRAW_INITIAL};
    print_message("seed %" PRIu64 "\n", key.seed);
    for (int i = 0; i < 300; i++) {
        double na = 2 + (double)pbt_draw_below(&key, i % 3 == 0 ? 1000 : 12);
        double nb = 2 + (double)pbt_draw_below(&key, i % 3 == 0 ? 1000 : 12);
        double a = pbt_draw_unit(&key) + 1e-3;
        double b = pbt_draw_unit(&key) + 1e-3;
        double t = 8 * pbt_draw_unit(&key);
        double va = a / na;
        double vb = b / nb;
        double freedom =
            (va + vb) * (va + vb) / (va * va / (na - 1) + vb * vb / (nb - 1));
        double mean = t * sqrt(va + vb);
        double p = pbt_welch_p(sample(na, 3, a), sample(nb, 3 + mean, b));
        if (!(fabs(p - slow_p(freedom, t)) < 1e-10)) {
            fail_msg("t %g, %g degrees: %.17g, not %.17g", t, freedom, p,
                     slow_p(freedom, t));
        }
    }
}

/* The figure is of scipy 1.17.1: ttest_ind(equal_var=False). */
static void two_samples_give_the_p_of_scipy(void **state)
{
    (void)state;
    const double a[] = {27.5, 21.0, 19.0, 23.6, 17.0, 17.9, 16.9, 20.1,
                        21.9, 22.6, 23.1, 19.6, 19.0, 21.7, 21.4};
    const double b[] = {27.1, 22.0, 20.8, 23.4, 23.4, 23.5, 25.8, 22.0,
                        24.8, 20.2, 21.9, 22.1, 22.9, 30.5, 24.4};
    assert_near(pbt_welch_p(moments_of(a, COUNT(a)), moments_of(b, COUNT(b))),
                0.008071938172194903, 1e-11);
}

static void what_does_not_vary_differs_for_sure_or_not_at_all(void **state)
{
    (void)state;
    assert_true(pbt_welch_p(sample(5, 1, 0), sample(5, 1, 0)) == 1);
    assert_true(pbt_welch_p(sample(5, 1, 0), sample(5, 1.5, 0)) == 0);
    assert_true(pbt_welch_p(sample(5, 1, 1e-320), sample(5, 1e200, 0)) == 0);
}

static void one_value_says_nothing(void **state)
{
    (void)state;
    assert_true(pbt_welch_p(sample(1, 1, 0), sample(9, 5, 1)) == 1);
    assert_true(pbt_welch_p(sample(9, 1, 1), sample(1, 5, 0)) == 1);
    assert_true(pbt_welch_p(sample(9, 1, 1), (struct pbt_moments){0}) == 1);
    double huge = 1e300 * 1e300;
    assert_true(pbt_welch_p(sample(9, 1, huge), sample(9, 5, 1)) == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(they_are_those_of_the_values),
        cmocka_unit_test(one_and_two_degrees_are_the_closed_forms),
        cmocka_unit_test(p_is_the_integral_of_the_density),
        cmocka_unit_test(two_samples_give_the_p_of_scipy),
        cmocka_unit_test(what_does_not_vary_differs_for_sure_or_not_at_all),
        cmocka_unit_test(one_value_says_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
