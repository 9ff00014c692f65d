#include "spec/scalar.h"

#include <ctype.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define NUMBER_MAX 400 /* characters of a number */

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_one_of(const char *text, size_t length, const char *const *words)
{
    for (; *words != NULL; words++) {
        if (strlen(*words) == length && memcmp(*words, text, length) == 0) {
            return true;
        }
    }
    return false;
}

static size_t skip_digits(const char *text, size_t length, size_t at)
{
    while (at < length && is_digit(text[at])) {
        at++;
    }
    return at;
}

static size_t skip_sign(const char *text, size_t length, size_t at)
{
    return at < length && (text[at] == '+' || text[at] == '-') ? at + 1 : at;
}

/* [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )? */
static bool is_decimal(const char *text, size_t length, bool *integer)
{
    size_t at = skip_sign(text, length, 0);
    size_t start = at;
    at = skip_digits(text, length, at);
    size_t digits = at - start;
    *integer = digits > 0 && at == length;
    if (at < length && text[at] == '.') {
        start = ++at;
        at = skip_digits(text, length, at);
        digits += at - start;
    }
    if (digits == 0) {
        return false;
    }
    if (at < length && (text[at] == 'e' || text[at] == 'E')) {
        at = skip_sign(text, length, at + 1);
        start = at;
        at = skip_digits(text, length, at);
        if (at == start) {
            return false;
        }
    }
    return at == length;
}

/* strtod() wants the locale's decimal point. */
static double decimal_value(const char *text, size_t length)
{
    char digits[NUMBER_MAX + 1];
    memcpy(digits, text, length);
    digits[length] = '\0';
    char *point = strchr(digits, '.');
    if (point != NULL) {
        *point = localeconv()->decimal_point[0];
    }
    return strtod(digits, NULL);
}

static struct pbt_scalar real_scalar(double real)
{
    struct pbt_scalar scalar = {.type = PBT_SCALAR_REAL, .real = real};
    /* 2^53: beyond it a real no longer says which whole number is meant. */
    if (real >= -9007199254740992.0 && real <= 9007199254740992.0 &&
        real == floor(real)) {
        scalar.whole = true;
        scalar.i = (int64_t)real;
    }
    return scalar;
}

static struct pbt_scalar int_scalar(const char *text, size_t length)
{
    bool negative = text[0] == '-';
    size_t at = skip_sign(text, length, 0);
    uint64_t value = 0;
    uint64_t limit = (uint64_t)INT64_MAX + negative;
    for (; at < length; at++) {
        uint64_t digit = (uint64_t)(text[at] - '0');
        if (value > (limit - digit) / 10) {
            return real_scalar(decimal_value(text, length));
        }
        value = value * 10 + digit;
    }
    int64_t i = !negative                     ? (int64_t)value
                : value > (uint64_t)INT64_MAX ? INT64_MIN
                                              : -(int64_t)value;
    return (struct pbt_scalar){
        .type = PBT_SCALAR_INT, .whole = true, .i = i, .real = (double)i};
}

static int digit_value(char c)
{
    if (is_digit(c)) {
        return c - '0';
    }
    char lower = (char)tolower((unsigned char)c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : 99;
}

/* 0o17 and 0x1f */
static bool based_number(const char *text, size_t length, int64_t *value)
{
    if (length < 3 || length > 17 || text[0] != '0' ||
        (text[1] != 'o' && text[1] != 'x')) {
        return false;
    }
    int base = text[1] == 'o' ? 8 : 16;
    int64_t sum = 0;
    for (size_t at = 2; at < length; at++) {
        int digit = digit_value(text[at]);
        if (digit >= base || sum > (INT64_MAX - digit) / base) {
            return false;
        }
        sum = sum * base + digit;
    }
    *value = sum;
    return true;
}

struct pbt_scalar pbt_scalar_read(const char *text, size_t length, bool plain)
{
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    static const char *const nans[] = {".nan", ".NaN", ".NAN", NULL};
    static const char *const infs[] = {".inf", ".Inf", ".INF", NULL};
    struct pbt_scalar scalar = {.type = PBT_SCALAR_STRING};
    bool integer;
    int64_t based;
    if (!plain || length > NUMBER_MAX) {
        return scalar;
    }
    if (is_decimal(text, length, &integer)) {
        return integer ? int_scalar(text, length)
                       : real_scalar(decimal_value(text, length));
    }
    if (based_number(text, length, &based)) {
        return (struct pbt_scalar){.type = PBT_SCALAR_INT,
                                   .whole = true,
                                   .i = based,
                                   .real = (double)based};
    }
    size_t sign = skip_sign(text, length, 0);
    if (is_one_of(text, length, nulls)) {
        scalar.type = PBT_SCALAR_NULL;
    } else if (is_one_of(text, length, trues) ||
               is_one_of(text, length, falses)) {
        scalar.type = PBT_SCALAR_BOOL;
        scalar.truth = is_one_of(text, length, trues);
    } else if (is_one_of(text, length, nans)) {
        return real_scalar((double)NAN);
    } else if (is_one_of(text + sign, length - sign, infs)) {
        return real_scalar(text[0] == '-' ? -HUGE_VAL : HUGE_VAL);
    }
    return scalar;
}

bool pbt_scalar_u64(const char *text, size_t length, uint64_t *value)
{
    uint64_t sum = 0;
    for (size_t at = 0; at < length; at++) {
        if (!is_digit(text[at])) {
            return false;
        }
        uint64_t digit = (uint64_t)(text[at] - '0');
        if (sum > (UINT64_MAX - digit) / 10) {
            return false;
        }
        sum = sum * 10 + digit;
    }
    *value = sum;
    return length > 0;
}

const char *pbt_scalar_yaml11(const char *text, size_t length)
{
    static const char *const truths[] = {
        "yes", "Yes", "YES", "no", "No", "NO", "on", "On", "ON",
        "off", "Off", "OFF", "y",  "Y",  "n",  "N",  NULL};
    if (is_one_of(text, length, truths)) {
        return "a truth value";
    }
    bool digits = false;
    for (size_t at = 0; at < length; at++) {
        digits = digits || is_digit(text[at]);
        if (!is_digit(text[at]) && text[at] != '_' && text[at] != ':') {
            return NULL;
        }
    }
    return digits && is_digit(text[0]) && length > 1 ? "a number" : NULL;
}
