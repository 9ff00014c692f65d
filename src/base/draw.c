#include "base/draw.h"

#include <assert.h>
#include <math.h>
#include <string.h>

static void philox_round(uint32_t counter[4], const uint32_t key[2])
{
    uint64_t a = (uint64_t)0xD2511F53u * counter[0];
    uint64_t b = (uint64_t)0xCD9E8D57u * counter[2];
    uint32_t c1 = counter[1];
    uint32_t c3 = counter[3];
    counter[0] = (uint32_t)(b >> 32) ^ c1 ^ key[0];
    counter[1] = (uint32_t)b;
    counter[2] = (uint32_t)(a >> 32) ^ c3 ^ key[1];
    counter[3] = (uint32_t)a;
}

static void philox(uint32_t counter[4], uint64_t seed)
{
    uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    for (int i = 0; i < 10; i++) {
        philox_round(counter, key);
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
}

uint64_t pbt_draw_u64(struct pbt_draw_key *key)
{
    assert(key->index < (1u << 24));
    /* Iterations beyond 2^32 fold into the seed: none is near. */
    uint64_t seed = key->seed ^ (key->iteration >> 32) * 0x9E3779B97F4A7C15u;
    uint32_t counter[4] = {
        key->trial,
        key->exploits,
        (uint32_t)key->iteration,
        (uint32_t)key->purpose << 24 | key->index,
    };
    philox(counter, seed);
    key->index++;
    return (uint64_t)counter[1] << 32 | counter[0];
}

double pbt_draw_unit(struct pbt_draw_key *key)
{
    return (double)(pbt_draw_u64(key) >> 11) * 0x1p-53;
}

uint64_t pbt_draw_below(struct pbt_draw_key *key, uint64_t n)
{
    assert(n > 0);
    /* Draws at or above the largest multiple of n are thrown away. */
    uint64_t excess = (UINT64_MAX % n + 1) % n;
    uint64_t limit = UINT64_MAX - excess;
    uint64_t draw = pbt_draw_u64(key);
    while (draw > limit) {
        draw = pbt_draw_u64(key);
    }
    return draw % n;
}

double pbt_draw_normal(struct pbt_draw_key *key)
{
    for (;;) {
        double u = 2 * pbt_draw_unit(key) - 1;
        double v = 2 * pbt_draw_unit(key) - 1;
        double s = u * u + v * v;
        if (s > 0 && s < 1) {
            return u * sqrt(-2 * pbt_exact_log(s) / s);
        }
    }
}

/* ln 2, as a sum of two doubles: the first has zeros at its end. */
static const double LN2_HIGH = 0x1.62e42feep-1;
static const double LN2_LOW = 0x1.a39ef35793c76p-33;

double pbt_exact_log(double x)
{
    assert(x > 0 && isfinite(x));
    uint64_t bits;
    int exponent = 0;
    memcpy(&bits, &x, sizeof bits);
    if (bits >> 52 == 0) { /* subnormal */
        x *= 0x1p54;
        exponent = -54;
        memcpy(&bits, &x, sizeof bits);
    }
    exponent += (int)(bits >> 52) - 1023;
    bits = (bits & 0xFFFFFFFFFFFFFu) | 0x3FF0000000000000u;
    double m;
    memcpy(&m, &bits, sizeof m);
    if (m > 1.4142135623730951) {
        m /= 2;
        exponent++;
    }
    /* log m = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 + ...), |s| < 0.172 */
    double s = (m - 1) / (m + 1);
    double s2 = s * s;
    double sum = 0;
    for (int k = 23; k >= 3; k -= 2) {
        sum = (sum + 1.0 / k) * s2;
    }
    double log_m = 2 * (s + s * sum);
    return exponent * LN2_HIGH + (exponent * LN2_LOW + log_m);
}

double pbt_exact_exp(double x)
{
    assert(isfinite(x));
    if (x > 709.78) {
        return (double)INFINITY;
    }
    if (x < -745.2) {
        return 0;
    }
    double n = x * 1.4426950408889634;
    int whole = (int)(n < 0 ? n - 0.5 : n + 0.5);
    double r = (x - whole * LN2_HIGH) - whole * LN2_LOW;
    /* Taylor's series on |r| < 0.35 */
    double sum = 1;
    for (int k = 18; k >= 1; k--) {
        sum = 1 + sum * r / k;
    }
    /* Two steps, so that neither power of two leaves the range. */
    int half = whole / 2;
    return ldexp(ldexp(sum, half), whole - half);
}

uint64_t pbt_mix(uint64_t a, uint64_t b)
{
    uint64_t z = a * 0x9E3779B97F4A7C15u + b + 0x632BE59BD9B4E019u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}
