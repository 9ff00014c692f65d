/*
 * strict.c: see strict.h.  Nothing is read beyond `end`.
 */
#include "base/strict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Passes over a text that must stand here. */
bool pbt_strict_skip(struct pbt_strict *in, const char *text, size_t length)
{
    if ((size_t)(in->end - in->at) < length ||
        memcmp(in->at, text, length) != 0) {
        return false;
    }
    in->at += length;
    return true;
}

bool pbt_strict_char(struct pbt_strict *in, char c)
{
    bool there = in->at < in->end && *in->at == c;
    in->at += there ? 1 : 0;
    return there;
}

/* Digits without a leading zero, at most 18: no sum of them overflows. */
bool pbt_strict_digits(struct pbt_strict *in, uint64_t *value)
{
    const char *start = in->at;
    uint64_t n = 0;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') {
        n = n * 10 + (uint64_t)(*in->at++ - '0');
        if (in->at - start > 18) {
            return false;
        }
    }
    *value = n;
    return in->at > start && (*start != '0' || in->at == start + 1);
}

/* The same between quotes, with all of 64 bits. */
static bool scan_quoted_u64(struct pbt_strict *in, uint64_t *value)
{
    const char *start = in->at;
    uint64_t n = 0;
    while (in->at < in->end && *in->at >= '0' && *in->at <= '9') {
        uint64_t digit = (uint64_t)(*in->at++ - '0');
        if (n > (UINT64_MAX - digit) / 10) {
            return false;
        }
        n = n * 10 + digit;
    }
    *value = n;
    return in->at > start && (*start != '0' || in->at == start + 1) &&
           pbt_strict_char(in, '"');
}

/* What follows must end the value: else it was a real, or no number at all. */
static bool value_ends(const struct pbt_strict *in)
{
    return in->at < in->end &&
           (*in->at == ',' || *in->at == '}' || *in->at == ']');
}

bool pbt_strict_u64(struct pbt_strict *in, uint64_t *value)
{
    bool good = pbt_strict_char(in, '"') ? scan_quoted_u64(in, value)
                                         : pbt_strict_digits(in, value);
    return good && value_ends(in);
}

bool pbt_strict_u32(struct pbt_strict *in, uint32_t limit, uint32_t *value)
{
    uint64_t n = 0;
    bool good = pbt_strict_digits(in, &n) && value_ends(in) && n <= limit;
    *value = (uint32_t)n;
    return good;
}

bool pbt_strict_i64(struct pbt_strict *in, int64_t *value)
{
    bool negative = pbt_strict_char(in, '-');
    uint64_t n = 0;
    bool good = pbt_strict_digits(in, &n) && value_ends(in);
    *value = negative ? -(int64_t)n : (int64_t)n;
    return good;
}

static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' ||
           c == 'e' || c == 'E';
}

/* JSON's grammar, which strtod() is looser than: -?digits[.digits][e[+-]digits] */
static bool is_json_real(const char *text, const char *end)
{
    struct pbt_strict in = {.at = text, .end = end};
    (void)pbt_strict_char(&in, '-');
    const char *start = in.at;
    while (in.at < end && *in.at >= '0' && *in.at <= '9') {
        in.at++;
    }
    if (in.at == start || (*start == '0' && in.at != start + 1)) {
        return false;
    }
    if (pbt_strict_char(&in, '.')) {
        start = in.at;
        while (in.at < end && *in.at >= '0' && *in.at <= '9') {
            in.at++;
        }
        if (in.at == start) {
            return false;
        }
    }
    if (pbt_strict_char(&in, 'e') || pbt_strict_char(&in, 'E')) {
        if (!pbt_strict_char(&in, '+')) {
            (void)pbt_strict_char(&in, '-');
        }
        start = in.at;
        while (in.at < end && *in.at >= '0' && *in.at <= '9') {
            in.at++;
        }
        if (in.at == start) {
            return false;
        }
    }
    return in.at == end;
}

bool pbt_strict_real(struct pbt_strict *in, double *value)
{
    static const char NAN_TEXT[] = "\"NaN\"";
    char text[40];
    size_t length = 0;
    if (pbt_strict_skip(in, NAN_TEXT, sizeof NAN_TEXT - 1)) {
        *value = (double)NAN;
        return value_ends(in);
    }
    while (in->at + length < in->end && is_number_char(in->at[length])) {
        if (length == sizeof text - 1) {
            return false;
        }
        text[length] = in->at[length];
        length++;
    }
    text[length] = '\0';
    in->at += length;
    /* Whole numbers are frequent; 15 digits and ".0" are exact in a double. */
    if (length > 2 && length <= 17 && strcmp(text + length - 2, ".0") == 0) {
        struct pbt_strict whole = {.at = text, .end = text + length - 1};
        uint64_t n;
        if (pbt_strict_digits(&whole, &n) && whole.at == whole.end - 1) {
            *value = (double)n;
            return value_ends(in);
        }
    }
    /* A locale with another decimal point ends strtod() early: then the slow way. */
    char *stopped;
    if (strpbrk(text, ".eE") == NULL || !is_json_real(text, text + length)) {
        return false;
    }
    *value = strtod(text, &stopped);
    return stopped == text + length && isfinite(*value) && value_ends(in);
}

bool pbt_strict_bool(struct pbt_strict *in, bool *value)
{
    *value = pbt_strict_skip(in, "true", 4);
    return *value || pbt_strict_skip(in, "false", 5);
}

/* The end of the object that begins here; NULL: there is an escape in it, or none. */
const char *pbt_strict_object_end(const struct pbt_strict *in)
{
    unsigned depth = 0;
    bool quoted = false;
    for (const char *at = in->at; at < in->end; at++) {
        if (*at == '\\') {
            return NULL;
        }
        if (*at == '"') {
            quoted = !quoted;
        } else if (!quoted && *at == '{') {
            depth++;
        } else if (!quoted && *at == '}' && --depth == 0) {
            return at + 1;
        }
    }
    return NULL;
}
