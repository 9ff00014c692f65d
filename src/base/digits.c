#include "base/digits.h"

#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enough for 17 digits of everything from 1e-5 to 1e17, without rounding. */
__extension__ typedef unsigned __int128 wide;

/* Decimal digits and where the point is: 0.d1d2d3... x 10^point. */
struct decimal {
    char digits[20];
    int count;
    int point;
};

static const uint64_t powers_of_ten[] = {
    UINT64_C(1),
    UINT64_C(10),
    UINT64_C(100),
    UINT64_C(1000),
    UINT64_C(10000),
    UINT64_C(100000),
    UINT64_C(1000000),
    UINT64_C(10000000),
    UINT64_C(100000000),
    UINT64_C(1000000000),
    UINT64_C(10000000000),
    UINT64_C(100000000000),
    UINT64_C(1000000000000),
    UINT64_C(10000000000000),
    UINT64_C(100000000000000),
    UINT64_C(1000000000000000),
    UINT64_C(10000000000000000),
    UINT64_C(100000000000000000),
};

static wide power_of_ten(int k)
{
    return (wide)powers_of_ten[k / 2] * powers_of_ten[k - k / 2];
}

/*
 * A value as an exact fraction: scaled / 2^shift is the value times 10^k, and
 * `half` half the distance to the next double in the same unit.
 */
struct fraction {
    wide scaled;
    wide half;
    int shift;
    bool even;     /* ties read back to an even mantissa */
    bool boundary; /* a power of two: the doubles below lie half as far */
};

static struct fraction scale(uint64_t mantissa, int exponent, int k)
{
    wide ten = power_of_ten(k);
    struct fraction f = {.scaled = mantissa * ten,
                         .half = ten, /* of 2 x scaled: see reads_back */
                         .even = mantissa % 2 == 0,
                         .boundary = mantissa == (UINT64_C(1) << 52)};
    if (exponent >= 0) {
        f.scaled <<= exponent;
        f.half <<= exponent;
    } else {
        f.shift = -exponent;
    }
    return f;
}

/* Whether candidate / 10^k is read as the double. */
static bool reads_back(const struct fraction *f, uint64_t candidate)
{
    wide c = (wide)candidate << f->shift;
    wide distance = c > f->scaled ? c - f->scaled : f->scaled - c;
    distance *= 2;
    if (f->boundary && c < f->scaled) {
        distance *= 2;
    }
    return distance < f->half || (distance == f->half && f->even);
}

/* The 17 digits in `f` rounded to `precision` digits, ties to even. */
static uint64_t round_to(const struct fraction *f, int precision)
{
    uint64_t whole = (uint64_t)(f->scaled >> f->shift);
    wide rest = f->scaled - ((wide)whole << f->shift);
    if (precision == 17) {
        wide half = f->shift > 0 ? (wide)1 << (f->shift - 1) : 1;
        bool up =
            f->shift > 0 && (rest > half || (rest == half && whole % 2 != 0));
        return whole + up;
    }
    uint64_t unit = powers_of_ten[17 - precision];
    uint64_t low = whole % unit;
    uint64_t high = whole / unit;
    bool up =
        low > unit / 2 || (low == unit / 2 && (rest > 0 || high % 2 != 0));
    return (high + up) * unit;
}

static void put_digits(struct decimal *d, uint64_t n)
{
    while (n % 10 == 0 && n > 0) {
        n /= 10;
    }
    char text[20];
    int at = sizeof text;
    do {
        text[--at] = (char)('0' + n % 10);
        n /= 10;
    } while (n > 0);
    d->count = (int)sizeof text - at;
    memcpy(d->digits, text + at, (size_t)d->count);
}

/* For 1e-5 <= value < 1e17: the mantissa times 10^22 at most, some 2^126. */
static void shortest_exact(double value, struct decimal *d)
{
    int exponent;
    uint64_t mantissa = (uint64_t)ldexp(frexp(value, &exponent), 53);
    exponent -= 53;

    /* floor(log10) of the power of two below it: right, or one too low. */
    int magnitude = (int)floor((exponent + 52) * 0.30102999566398120);
    struct fraction f = scale(mantissa, exponent, 16 - magnitude);
    if (f.scaled >> f.shift >= powers_of_ten[17]) {
        magnitude++;
        f = scale(mantissa, exponent, 16 - magnitude);
    }
    uint64_t n = 0;
    for (int precision = 15; precision <= 17; precision++) {
        n = round_to(&f, precision);
        if (reads_back(&f, n)) {
            break;
        }
        /* Above a power of two there is more room than below. */
        uint64_t next = n + powers_of_ten[17 - precision];
        if (f.boundary && reads_back(&f, next)) {
            n = next;
            break;
        }
    }
    d->point = magnitude + 1;
    if (n >= powers_of_ten[17]) {
        d->point++; /* rounded up to a power of ten */
    }
    put_digits(d, n);
}

/*
 * Below 1e-5, where a value has at most 15 places behind the point, as whole nanoseconds
 * have: its digits are then those of a whole number.  No other decimal of so few digits
 * reads back to the same double, so none is shorter.
 */
static bool shortest_places(double value, struct decimal *d)
{
    static const double PLACES =
        1e15; /* exact, so that the quotient is rounded once */
    double n = floor(value * PLACES + 0.5);
    if (value >= 1e-5 || n < 1 || n / PLACES != value) {
        return false;
    }
    int digits = 1;
    while (digits < 17 && (uint64_t)n >= powers_of_ten[digits]) {
        digits++;
    }
    d->point = digits - 15;
    put_digits(d, (uint64_t)n);
    return true;
}

/* For the rest: ask the C library with ever more digits. */
static void shortest_search(double value, struct decimal *d)
{
    char text[PBT_REPR_SIZE];
    int exponent;
    bool boundary = frexp(value, &exponent) <= 0.5;
    /* A decimal of 15 digits survives the trip, but for denormal numbers. */
    int precision = value < DBL_MIN ? 1 : 15;
    uint64_t n = 0;
    for (; precision <= 17; precision++) {
        (void)snprintf(text, sizeof text, "%.*e", precision - 1, value);
        char *c = text;
        for (n = 0; *c != 'e' && *c != '\0'; c++) {
            if (*c >= '0' && *c <= '9') { /* not the locale's point */
                n = n * 10 + (uint64_t)(*c - '0');
            }
        }
        exponent = (int)strtol(c + 1, NULL, 10);
        if (strtod(text, NULL) == value) {
            break;
        }
        /* Above a power of two there is more room than below. */
        (void)snprintf(text, sizeof text, "%" PRIu64 "e%d", n + 1,
                       exponent - precision + 1);
        if (boundary && strtod(text, NULL) == value) {
            n++;
            break;
        }
    }
    d->point = exponent + 1;
    put_digits(d, n);
}

static size_t put_zeros(char *text, int count)
{
    memset(text, '0', (size_t)count);
    return (size_t)count;
}

/* Python's layout: plain from 1e-4 up to 1e16, else with an exponent. */
static size_t lay_out(const struct decimal *d, char *text)
{
    size_t length = 0;
    int exponent = d->point - 1;
    size_t count = (size_t)d->count;
    if (exponent < -4 || exponent >= 16) {
        text[length++] = d->digits[0];
        if (count > 1) {
            text[length++] = '.';
            memcpy(text + length, d->digits + 1, count - 1);
            length += count - 1;
        }
        return length + (size_t)snprintf(text + length, 8, "e%c%02d",
                                         exponent < 0 ? '-' : '+',
                                         abs(exponent));
    }
    if (d->point <= 0) {
        text[length++] = '0';
        text[length++] = '.';
        length += put_zeros(text + length, -d->point);
        memcpy(text + length, d->digits, count);
        length += count;
    } else if (d->count <= d->point) {
        memcpy(text, d->digits, count);
        length = count + put_zeros(text + count, d->point - d->count);
        text[length++] = '.';
        text[length++] = '0';
    } else {
        size_t point = (size_t)d->point;
        memcpy(text, d->digits, point);
        text[point] = '.';
        memcpy(text + point + 1, d->digits + point, count - point);
        length = count + 1;
    }
    text[length] = '\0';
    return length;
}

size_t pbt_real_repr(double value, char text[PBT_REPR_SIZE])
{
    if (isnan(value)) {
        memcpy(text, "nan", 4);
        return 3;
    }
    size_t sign = 0;
    if (signbit(value)) {
        text[sign++] = '-';
        value = -value;
    }
    if (isinf(value)) {
        memcpy(text + sign, "inf", 4);
        return sign + 3;
    }
    if (value == 0) {
        memcpy(text + sign, "0.0", 4);
        return sign + 3;
    }
    struct decimal d;
    if (value >= 1e-5 && value < 1e17) {
        shortest_exact(value, &d);
    } else if (!shortest_places(value, &d)) {
        shortest_search(value, &d);
    }
    return sign + lay_out(&d, text + sign);
}
