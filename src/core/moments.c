#include "core/moments.h"

#include <math.h>

#include "base/draw.h"

struct pbt_moments pbt_moments_of_one(double value)
{
    return (struct pbt_moments){.count = 1, .mean = value};
}

/* Chan, Golub and LeVeque: sums of squares are never subtracted from each other. */
struct pbt_moments pbt_moments_join(struct pbt_moments a, struct pbt_moments b)
{
    struct pbt_moments both = {.count = a.count + b.count};
    if (a.count == 0 || b.count == 0) {
        return a.count == 0 ? b : a;
    }
    double step = b.mean - a.mean;
    both.mean = a.mean + step * (b.count / both.count);
    both.squares =
        a.squares + b.squares + step * step * (a.count * b.count / both.count);
    return both;
}

/* log of the gamma function of x > 0: Stirling's series, which wants x to be large. */
static double log_gamma(double x)
{
    static const double LOG_2PI = 1.8378770664093453;
    double product = 1;
    while (x < 16) {
        product *= x;
        x += 1;
    }
    double y = 1 / (x * x);
    double series =
        (1.0 / 12 - y * (1.0 / 360 - y * (1.0 / 1260 - y * (1.0 / 1680)))) / x;
    return (x - 0.5) * pbt_exact_log(x) - x + LOG_2PI / 2 + series -
           pbt_exact_log(product);
}

/* Away from 0, for Lentz's method. */
static double nonzero(double x)
{
    return fabs(x) < 1e-300 ? 1e-300 : x;
}

/* The continued fraction of the incomplete beta function (DLMF 8.17.22), by Lentz's method. */
static double beta_fraction(double a, double b, double x)
{
    double c = 1;
    double d = 1 / nonzero(1 - (a + b) * x / (a + 1));
    double f = d;
    for (int m = 1; m <= 1000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        d = 1 / nonzero(1 + even * d);
        c = nonzero(1 + even / c);
        f *= d * c;
        double odd =
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        d = 1 / nonzero(1 + odd * d);
        c = nonzero(1 + odd / c);
        f *= d * c;
        if (fabs(d * c - 1) < 1e-15) {
            break;
        }
    }
    return f;
}

/* The regularised incomplete beta function I_x(a, b); y is 1 - x, which has its own digits. */
static double incomplete_beta(double a, double b, double x, double y)
{
    if (x <= 0 || y <= 0) {
        return x <= 0 ? 0 : 1;
    }
    double front =
        pbt_exact_exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) +
                      a * pbt_exact_log(x) + b * pbt_exact_log(y));
    return x < (a + 1) / (a + b + 2) ? front * beta_fraction(a, b, x) / a
                                     : 1 - front * beta_fraction(b, a, y) / b;
}

double pbt_welch_p(struct pbt_moments a, struct pbt_moments b)
{
    if (a.count < 2 || b.count < 2) {
        return 1;
    }
    double difference = b.mean - a.mean;
    /* Of the means: their variances, as parts of the sum of both. */
    double va = a.squares / (a.count - 1) / a.count;
    double vb = b.squares / (b.count - 1) / b.count;
    double sum = va + vb;
    if (!isfinite(sum) || !isfinite(difference)) {
        return 1;
    }
    if (!(sum > 0)) {
        return difference == 0 ? 1 : 0;
    }
    double pa = va / sum;
    double pb = vb / sum;
    double freedom = 1 / (pa * pa / (a.count - 1) + pb * pb / (b.count - 1));
    double t = difference / sqrt(sum);
    double t2 = t * t;
    if (!isfinite(t2)) {
        return 0;
    }
    return incomplete_beta(freedom / 2, 0.5, freedom / (freedom + t2),
                           t2 / (freedom + t2));
}
