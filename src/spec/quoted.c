#include "spec/quoted.h"

#include <stdint.h>
#include <string.h>

size_t pbt_unquote_single(const char *raw, size_t length, char *out)
{
    size_t used = 0;
    for (size_t at = 0; at < length; at++) {
        out[used++] = raw[at];
        if (raw[at] == '\'') {
            at++; /* '' is one */
        }
    }
    return used;
}

static size_t put_utf8(uint32_t code, char *out)
{
    size_t length = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const uint32_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (size_t i = length - 1; i > 0; i--) {
        out[i] = (char)(unsigned char)(0x80 | (code & 0x3f));
        code >>= 6;
    }
    out[0] = (char)(unsigned char)(marks[length] | code);
    return length;
}

/* `digits` hexadecimal digits; 0xd800, which is no character, if they are wrong. */
static uint32_t read_hex(const char *raw, size_t left, size_t digits)
{
    uint32_t code = 0;
    if (digits > left) {
        return 0xd800;
    }
    for (size_t i = 0; i < digits; i++) {
        char c = raw[i];
        uint32_t digit = c >= '0' && c <= '9'   ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a') + 10
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A') + 10
                                                : 16;
        if (digit == 16 || code > 0x10ffff) {
            return 0xd800;
        }
        code = code << 4 | digit;
    }
    return code > 0x10ffff ? 0xd800 : code;
}

/* The second half of a surrogate pair behind the first, or 0. */
static uint32_t low_surrogate(const char *raw, size_t left)
{
    if (left < 6 || raw[0] != '\\' || raw[1] != 'u') {
        return 0;
    }
    uint32_t code = read_hex(raw + 2, left - 2, 4);
    return code >= 0xdc00 && code < 0xe000 ? code : 0;
}

/* The escape behind a backslash: its character, and how many bytes it took. */
static uint32_t read_escape(const char *raw, size_t left, size_t *taken)
{
    static const char names[] = "0abtnvfre N_LP";
    static const uint32_t codes[] = {0,  7,  8,    9,    10,   11,     12,
                                     13, 27, 0x20, 0x85, 0xa0, 0x2028, 0x2029};
    const char *name = raw[0] == '\0' ? NULL : strchr(names, raw[0]);
    size_t digits = raw[0] == 'x' ? 2 : raw[0] == 'u' ? 4 : 8;
    *taken = 1;
    if (name != NULL) {
        return codes[name - names];
    }
    if (raw[0] != 'x' && raw[0] != 'u' && raw[0] != 'U') {
        return (unsigned char)raw[0]; /* \" \\ \/ and a tab */
    }
    uint32_t code = read_hex(raw + 1, left - 1, digits);
    *taken += digits < left - 1 ? digits : left - 1;
    if (digits == 4 && code >= 0xd800 && code < 0xdc00) {
        uint32_t low = low_surrogate(raw + *taken, left - *taken);
        if (low != 0) {
            *taken += 6;
            code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
        }
    }
    return code;
}

size_t pbt_unquote_double(const char *raw, size_t length, char *out)
{
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        if (raw[at] != '\\' || at + 1 == length) {
            out[used++] = raw[at++];
            continue;
        }
        size_t taken;
        uint32_t code = read_escape(raw + at + 1, length - at - 1, &taken);
        used += put_utf8(code, out + used);
        at += 1 + taken;
    }
    return used;
}
