#include "spec/yaml.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "spec/scalar.h"
#include "spec/source.h"

/* The length of a character that YAML does not take as it is, even between quotes, or 0. */
static size_t unprintable(const char *text, uint32_t *code)
{
    const unsigned char *c = (const unsigned char *)text;
    if (c[0] == 0x7f) {
        *code = 0x7f;
        return 1;
    }
    if (c[0] == 0xc2 && c[1] < 0xa0) {
        *code = c[1];
        return 2;
    }
    bool separator = c[0] == 0xe2 && c[1] == 0x80 && (c[2] | 1) == 0xa9;
    bool mark = c[0] == 0xef && c[1] == 0xbb && c[2] == 0xbf;
    bool no_character = c[0] == 0xef && c[1] == 0xbf && c[2] >= 0xbe;
    if (separator || mark || no_character) {
        *code = (uint32_t)(c[0] & 0x0f) << 12 | (uint32_t)(c[1] & 0x3f) << 6 |
                (uint32_t)(c[2] & 0x3f);
        return 3;
    }
    return 0;
}

void pbt_yaml_json(struct pbt_buf *out, const char *text)
{
    while (*text != '\0') {
        uint32_t code;
        size_t length = unprintable(text, &code);
        if (length > 0) {
            pbt_buf_printf(out, "\\u%04x", (unsigned)code);
            text += length;
        } else {
            pbt_buf_char(out, *text++);
        }
    }
}

void pbt_yaml_quoted(struct pbt_buf *out, const char *text, size_t length)
{
    struct pbt_buf json;
    pbt_buf_init(&json, 8 * PBT_SOURCE_MAX);
    pbt_buf_json_string(&json, text, length);
    if (pbt_buf_failed(&json)) {
        out->failed = true;
    } else {
        pbt_yaml_json(out, json.data);
    }
    pbt_buf_done(&json);
}

void pbt_yaml_string(struct pbt_buf *out, const char *text, size_t length)
{
    bool plain = length > 0 && text[0] != '-' &&
                 pbt_scalar_yaml11(text, length) == NULL &&
                 pbt_scalar_read(text, length, true).type == PBT_SCALAR_STRING;
    for (size_t i = 0; plain && i < length; i++) {
        char c = text[i];
        plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                (c >= '0' && c <= '9') || c == '_' || c == '/' || c == '.' ||
                c == '-';
    }
    if (plain) {
        pbt_buf_put(out, text, length);
    } else {
        pbt_yaml_quoted(out, text, length);
    }
}

void pbt_yaml_real(struct pbt_buf *out, double value)
{
    if (isnan(value)) {
        pbt_buf_text(out, ".nan");
    } else if (isinf(value)) {
        pbt_buf_text(out, value > 0 ? ".inf" : "-.inf");
    } else {
        pbt_buf_real(out, value);
    }
}

void pbt_yaml_number(struct pbt_buf *out, double value)
{
    if (value == floor(value) && fabs(value) < 1e15 && !signbit(value)) {
        pbt_buf_i64(out, (int64_t)value);
    } else {
        pbt_yaml_real(out, value);
    }
}
