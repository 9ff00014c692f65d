#include "base/width.h"

#include "base/printable.h"

struct range {
    uint32_t first;
    uint32_t last;
};

static int is_in(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return 1;
        }
    }
    return 0;
}

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static size_t columns_of(uint32_t code)
{
    static const struct range none[] = {
        {0x0300, 0x036f}, {0x200b, 0x200f}, {0x20d0, 0x20ff}, {0xfe00, 0xfe0f}};
    static const struct range two[] = {
        {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0xa4cf},
        {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe30, 0xfe6f},
        {0xff00, 0xff60},   {0xffe0, 0xffe6},   {0x1f300, 0x1f64f},
        {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd},
    };
    if (code < 0x0300 || code > 0x10ffff) { /* or no character */
        return 1;
    }
    if (is_in(none, COUNT(none), code)) {
        return 0;
    }
    return is_in(two, COUNT(two), code) ? 2 : 1;
}

size_t pbt_text_width(const char *text, size_t length)
{
    size_t width = 0;
    uint32_t code;
    for (size_t at = 0; at < length;) {
        at += pbt_character(text + at, length - at, &code);
        width += columns_of(code);
    }
    return width;
}

size_t pbt_text_fit(const char *text, size_t length, size_t columns)
{
    size_t at = 0;
    uint32_t code;
    while (at < length) {
        size_t step = pbt_character(text + at, length - at, &code);
        size_t width = columns_of(code);
        if (width > columns) {
            break;
        }
        columns -= width;
        at += step;
    }
    return at;
}
