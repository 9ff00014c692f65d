#include "base/buf.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"

void pbt_buf_init(struct pbt_buf *buf, size_t limit)
{
    *buf = (struct pbt_buf){.limit = limit};
}

void pbt_buf_done(struct pbt_buf *buf)
{
    free(buf->data);
    pbt_buf_init(buf, buf->limit);
}

void pbt_buf_reset(struct pbt_buf *buf)
{
    buf->length = 0;
    buf->failed = false;
    if (buf->data != NULL) {
        buf->data[0] = '\0';
    }
}

bool pbt_buf_failed(const struct pbt_buf *buf)
{
    return buf->failed;
}

bool pbt_buf_reserve(struct pbt_buf *buf, size_t more)
{
    if (more > buf->limit || buf->length > buf->limit - more) {
        buf->failed = true;
        return false;
    }
    size_t need = buf->length + more + 1;
    if (need <= buf->capacity) {
        return true;
    }
    size_t capacity = buf->capacity < 128 ? 128 : buf->capacity;
    while (capacity < need) {
        capacity *= 2;
    }
    char *data = realloc(buf->data, capacity);
    if (data == NULL) {
        buf->failed = true;
        return false;
    }
    buf->data = data;
    buf->capacity = capacity;
    return true;
}

void pbt_buf_put(struct pbt_buf *buf, const void *bytes, size_t length)
{
    if (!pbt_buf_reserve(buf, length)) {
        return;
    }
    if (length > 0) {
        memcpy(buf->data + buf->length, bytes, length);
    }
    buf->length += length;
    buf->data[buf->length] = '\0';
}

void pbt_buf_text(struct pbt_buf *buf, const char *text)
{
    pbt_buf_put(buf, text, strlen(text));
}

void pbt_buf_char(struct pbt_buf *buf, char c)
{
    pbt_buf_put(buf, &c, 1);
}

void pbt_buf_printf(struct pbt_buf *buf, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int length = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (length < 0 || !pbt_buf_reserve(buf, (size_t)length)) {
        buf->failed = true;
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(buf->data + buf->length, (size_t)length + 1, fmt, args);
    va_end(args);
    buf->length += (size_t)length;
}

void pbt_buf_u64(struct pbt_buf *buf, uint64_t value)
{
    char digits[20];
    size_t at = sizeof digits;
    do {
        digits[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    pbt_buf_put(buf, digits + at, sizeof digits - at);
}

void pbt_buf_i64(struct pbt_buf *buf, int64_t value)
{
    if (value < 0) {
        pbt_buf_char(buf, '-');
        pbt_buf_u64(buf, (uint64_t) - (value + 1) + 1);
    } else {
        pbt_buf_u64(buf, (uint64_t)value);
    }
}

void pbt_buf_real(struct pbt_buf *buf, double value)
{
    if (isnan(value)) {
        pbt_buf_text(buf, "\"NaN\"");
        return;
    }
    if (isinf(value)) {
        pbt_buf_text(buf, value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
        return;
    }
    /* Whole numbers are frequent (iterations as reals) and cheap. */
    if (value >= -1e15 && value <= 1e15 && value == (double)(int64_t)value &&
        !(value == 0 && signbit(value))) {
        pbt_buf_i64(buf, (int64_t)value);
        pbt_buf_text(buf, ".0");
        return;
    }
    char text[PBT_REPR_SIZE];
    pbt_buf_put(buf, text, pbt_real_repr(value, text));
}

void pbt_buf_json_string(struct pbt_buf *buf, const char *text, size_t length)
{
    pbt_buf_char(buf, '"');
    size_t start = 0;
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x20 && c != '"' && c != '\\') {
            continue;
        }
        pbt_buf_put(buf, text + start, i - start);
        start = i + 1;
        if (c == '"' || c == '\\') {
            pbt_buf_char(buf, '\\');
            pbt_buf_char(buf, (char)c);
        } else if (c == '\n') {
            pbt_buf_text(buf, "\\n");
        } else if (c == '\t') {
            pbt_buf_text(buf, "\\t");
        } else {
            pbt_buf_printf(buf, "\\u%04x", c);
        }
    }
    pbt_buf_put(buf, text + start, length - start);
    pbt_buf_char(buf, '"');
}
