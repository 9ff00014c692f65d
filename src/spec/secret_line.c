#include "spec/secret_line.h"

#include <stdbool.h>
#include <string.h>

#include "base/secrets.h"

static bool is_word_char(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c >= '0' && c <= '9') || c == '_';
}

/* What may stand around a key. */
static bool is_around(char c)
{
    return c == ' ' || c == '\t' || c == '"' || c == '\'';
}

static bool is_capital(const char *name, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (name[i] >= 'a' && name[i] <= 'z') {
            return false;
        }
    }
    return true;
}

/* Behind the first `secret name:` or `secret name=` of a line; `length`: there is none. */
static size_t behind_name(const char *line, size_t length, bool any_case)
{
    for (size_t at = 0; at < length;) {
        size_t end = at;
        while (end < length && is_word_char(line[end])) {
            end++;
        }
        size_t mark = end;
        while (end > at && mark < length && is_around(line[mark])) {
            mark++;
        }
        if (end > at && mark < length &&
            (line[mark] == ':' || line[mark] == '=') &&
            (any_case || is_capital(line + at, end - at)) &&
            pbt_secret_name(line + at, end - at)) {
            return mark + 1;
        }
        at = end + 1;
    }
    return length;
}

/* True if the line begins with a key of its own. */
static bool has_key(const char *line, size_t length)
{
    size_t at = 0;
    while (at < length && is_around(line[at])) {
        at++;
    }
    size_t start = at;
    while (at < length && is_word_char(line[at])) {
        at++;
    }
    while (at < length && is_around(line[at])) {
        at++;
    }
    return at > start && at < length && line[at] == ':';
}

static bool opens_env(const char *line, size_t length)
{
    size_t quote = length > 0 && is_around(line[0]);
    return length >= quote + 4 && strncmp(line + quote, "env", 3) == 0 &&
           !is_word_char(line[quote + 3]);
}

static size_t line_at(const struct pbt_source *source, size_t offset)
{
    const char *text = source->text + offset;
    const char *end = memchr(text, '\n', source->length - offset);
    return end == NULL ? source->length - offset : (size_t)(end - text);
}

/*
 * From the top: is the line in the block of `env`, and has a secret been named in the block
 * by then?
 */
static bool in_env(const struct pbt_source *source, size_t line_offset,
                   bool *named)
{
    bool inside = false;
    *named = false;
    for (size_t at = 0; at <= line_offset;) {
        const char *line = source->text + at;
        size_t length = line_at(source, at);
        bool top = length > 0 &&
                   (is_word_char(line[0]) || line[0] == '"' || line[0] == '\'');
        if (top) {
            inside = opens_env(line, length);
            *named = false;
        }
        if (at < line_offset && inside &&
            behind_name(line, length, true) < length) {
            *named = true;
        }
        at += length + 1;
    }
    return inside;
}

size_t pbt_secret_start(const struct pbt_source *source,
                        const struct pbt_place *place)
{
    const char *line = source->text + place->line_offset;
    bool named;
    bool inside = in_env(source, place->line_offset, &named);
    if (inside && named && !has_key(line, place->line_length)) {
        return 0; /* the value goes on over lines */
    }
    return behind_name(line, place->line_length, inside);
}
