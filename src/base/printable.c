#include "base/printable.h"

#include <stdio.h>

/* The bytes behind the first one; -1: no character starts so. */
static int bytes_behind(unsigned char first)
{
    if (first < 0x80) {
        return 0;
    }
    if (first < 0xc2 || first > 0xf4) {
        return -1;
    }
    return first < 0xe0 ? 1 : first < 0xf0 ? 2 : 3;
}

size_t pbt_character(const char *text, size_t length, uint32_t *code)
{
    static const unsigned char first_bits[] = {0x7f, 0x1f, 0x0f, 0x07};
    static const uint32_t least[] = {0, 0x80, 0x800, 0x10000};
    const unsigned char *s = (const unsigned char *)text;
    int behind = bytes_behind(s[0]);
    *code = UINT32_MAX;
    if (behind < 0 || (size_t)behind >= length) {
        return 1;
    }
    uint32_t value = s[0] & first_bits[behind];
    for (int i = 1; i <= behind; i++) {
        if ((s[i] & 0xc0) != 0x80) {
            return 1;
        }
        value = (value << 6) | (s[i] & 0x3fU);
    }
    bool surrogate = value >= 0xd800 && value <= 0xdfff;
    if (value < least[behind] || value > 0x10ffff || surrogate) {
        return 1;
    }
    *code = value;
    return (size_t)behind + 1;
}

bool pbt_printable(uint32_t code)
{
    if (code < 0x20 || (code >= 0x7f && code < 0xa0) || code > 0x10ffff) {
        return false;
    }
    bool separates = code == 0x2028 || code == 0x2029;
    bool turns = code == 0x061c || code == 0x200e || code == 0x200f ||
                 (code >= 0x202a && code <= 0x202e) ||
                 (code >= 0x2066 && code <= 0x2069);
    return !separates && !turns;
}

void pbt_printable_put(struct pbt_buf *out, const char *text, size_t length,
                       bool lines)
{
    for (size_t at = 0; at < length;) {
        uint32_t code;
        size_t step = pbt_character(text + at, length - at, &code);
        if (pbt_printable(code) || (lines && (code == '\n' || code == '\t'))) {
            pbt_buf_put(out, text + at, step);
        } else {
            pbt_buf_char(out, '?');
        }
        at += step;
    }
}

void pbt_bytes_text(uint64_t bytes, char text[PBT_BYTES_TEXT_SIZE])
{
    static const char *const units[] = {"bytes", "KiB", "MiB", "GiB",
                                        "TiB",   "PiB", "EiB"};
    double value = (double)bytes;
    unsigned unit = 0;
    while (value >= 1024 && unit < 6) {
        value /= 1024;
        unit++;
    }
    (void)snprintf(text, PBT_BYTES_TEXT_SIZE, "%.*f %s",
                   unit == 0 || value >= 100 ? 0 : 1, value, units[unit]);
}
