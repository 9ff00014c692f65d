#include "spec/source.h"

#include <string.h>

#include "spec/problems.h"

/* The length of the line break at `at`, or 0. */
static size_t line_break(const struct pbt_source *source, size_t at)
{
    if (source->text[at] == '\n') {
        return 1;
    }
    if (source->text[at] != '\r') {
        return 0;
    }
    return at + 1 < source->length && source->text[at + 1] == '\n' ? 2 : 1;
}

static bool starts_character(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

struct pbt_place pbt_source_place(const struct pbt_source *source,
                                  size_t offset)
{
    struct pbt_place place = {.line = 1, .column = 1};
    if (offset > source->length) {
        offset = source->length;
    }
    size_t at = 0;
    while (at < offset) {
        size_t step = line_break(source, at);
        if (step > 0 && at + step <= offset) {
            place.line++;
            place.line_offset = at + step;
        }
        at += step > 0 ? step : 1;
    }
    for (at = place.line_offset; at < offset; at++) {
        place.column += starts_character(source->text[at]);
    }
    at = place.line_offset;
    while (at < source->length && line_break(source, at) == 0) {
        at++;
    }
    place.line_length = at - place.line_offset;
    return place;
}

/* The length of the UTF-8 sequence at `text` (`left` bytes), or 0 if it is wrong. */
static size_t utf8_sequence(const unsigned char *text, size_t left)
{
    unsigned char c = text[0];
    if (c < 0x80) {
        return 1;
    }
    size_t length = c >= 0xf0 ? 4 : c >= 0xe0 ? 3 : 2;
    if (c < 0xc2 || c > 0xf4 || length > left) {
        return 0;
    }
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80) {
            return 0;
        }
    }
    /* Overlong forms, surrogates, and what lies beyond U+10FFFF. */
    if ((c == 0xe0 && text[1] < 0xa0) || (c == 0xed && text[1] >= 0xa0) ||
        (c == 0xf0 && text[1] < 0x90) || (c == 0xf4 && text[1] >= 0x90)) {
        return 0;
    }
    return length;
}

bool pbt_utf8_valid(const char *text, size_t length, size_t *bad)
{
    const unsigned char *bytes = (const unsigned char *)text;
    size_t at = 0;
    while (at < length) {
        size_t step = utf8_sequence(bytes + at, length - at);
        if (step == 0) {
            *bad = at;
            return false;
        }
        at += step;
    }
    return true;
}

/* The offset of the first line that starts with `%`, or the length. */
static size_t find_directive(const struct pbt_source *source)
{
    bool at_start = true;
    for (size_t at = 0; at < source->length; at++) {
        if (at_start && source->text[at] == '%') {
            return at;
        }
        at_start = line_break(source, at) > 0;
    }
    return source->length;
}

bool pbt_source_guard(const struct pbt_source *source, uint32_t index,
                      bool yaml, struct pbt_problems *problems)
{
    struct pbt_span span = {index, 0, 1};
    if (source->length > PBT_SOURCE_MAX) {
        pbt_problem(problems, PBT_E0001, span,
                    "the file is larger than 1 MiB (%zu bytes)",
                    source->length);
        return false;
    }
    const char *nul =
        source->length == 0 ? NULL : memchr(source->text, '\0', source->length);
    if (nul != NULL) {
        span.offset = (size_t)(nul - source->text);
        pbt_problem_label(pbt_problem(problems, PBT_E0002, span, "a NUL byte"),
                          "is this a text file?");
        return false;
    }
    if (!pbt_utf8_valid(source->text, source->length, &span.offset)) {
        pbt_problem_label(
            pbt_problem(problems, PBT_E0003, span, "invalid UTF-8"),
            "byte 0x%02x", (unsigned)(unsigned char)source->text[span.offset]);
        return false;
    }
    span.offset = yaml ? find_directive(source) : source->length;
    if (span.offset < source->length) {
        pbt_problem_label(
            pbt_problem(problems, PBT_E0004, span, "a line starts with `%%`"),
            "YAML directives are not taken; quote or indent the text");
        return false;
    }
    return true;
}
