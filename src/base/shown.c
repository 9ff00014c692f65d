#include "base/shown.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"

#define DIGITS_EXACT 15 /* so many never come from rounding */
#define DIGITS_SHORT 12
#define NUMBER_MAX 40 /* bytes: longer ones are none of ours */

/* Digits of the mantissa, without zeros at either end. */
static size_t count_digits(const char *text, size_t length)
{
    size_t digits = 0;
    size_t zeros = 0;
    for (size_t i = 0; i < length && text[i] != 'e' && text[i] != 'E'; i++) {
        if (text[i] == '0') {
            zeros += digits > 0 ? 1 : 0;
        } else if (text[i] > '0' && text[i] <= '9') {
            digits += zeros + 1;
            zeros = 0;
        }
    }
    return digits;
}

double pbt_shown_real(double value)
{
    char text[PBT_REPR_SIZE];
    size_t length = pbt_real_repr(value, text);
    if (count_digits(text, length) <= DIGITS_EXACT) {
        return value;
    }
    (void)snprintf(text, sizeof text, "%.*g", DIGITS_EXACT, value);
    double rounded = strtod(text, NULL);
    length = pbt_real_repr(rounded, text);
    size_t digits = count_digits(text, length);
    return digits <= DIGITS_SHORT ? rounded : value;
}

static bool is_of_number(char c)
{
    return (c >= '0' && c <= '9') || c == '.' || c == 'e' || c == 'E' ||
           c == '+' || c == '-';
}

/* The length of the string that begins at `text` with a quote, with both its quotes. */
static size_t string_length(const char *text, size_t left)
{
    size_t at = 1;
    while (at < left && text[at] != text[0]) {
        at += text[at] == '\\' ? 2 : 1;
    }
    return at < left ? at + 1 : left;
}

static size_t number_length(const char *text, size_t left)
{
    size_t length = 0;
    while (length < left && is_of_number(text[length])) {
        length++;
    }
    return length;
}

static void put_number(struct pbt_buf *out, const char *text, size_t length)
{
    char number[NUMBER_MAX] = "";
    char *end = number;
    bool real =
        memchr(text, '.', length) != NULL || memchr(text, 'e', length) != NULL;
    double value = 0;
    if (real && length < sizeof number) {
        memcpy(number, text, length);
        value = strtod(number, &end);
    }
    /* Else it is a whole number, or the locale has another decimal point. */
    if (end > number && *end == '\0' && pbt_shown_real(value) != value) {
        number[pbt_real_repr(pbt_shown_real(value), number)] = '\0';
        pbt_buf_text(out, number);
    } else {
        pbt_buf_put(out, text, length);
    }
}

void pbt_shown_put(struct pbt_buf *out, const char *text, size_t length)
{
    for (size_t at = 0; at < length;) {
        char c = text[at];
        size_t step = 1;
        if (c == '"' || c == '\'') {
            step = string_length(text + at, length - at);
            pbt_buf_put(out, text + at, step);
        } else if ((c >= '0' && c <= '9') || c == '-') {
            step = number_length(text + at, length - at);
            put_number(out, text + at, step);
        } else {
            pbt_buf_char(out, c);
        }
        at += step;
    }
}
