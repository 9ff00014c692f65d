#include "wire/scan.h"

#include <stdlib.h>
#include <string.h>

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static bool slice_is(const struct pbt_scan *scan, struct pbt_slice slice,
                     const char *text)
{
    size_t length = strlen(text);
    return slice.end - slice.start == length &&
           memcmp(scan->line + slice.start, text, length) == 0;
}

/* A member of the top level ends before `end`. */
static void end_member(struct pbt_scan *scan, size_t end)
{
    struct pbt_slice value = {scan->value_start, end};
    while (value.start < value.end && is_space(scan->line[value.start])) {
        value.start++;
    }
    while (value.start < value.end && is_space(scan->line[value.end - 1])) {
        value.end--;
    }
    if (slice_is(scan, scan->key, "config")) {
        scan->config = value;
    } else if (slice_is(scan, scan->key, "metrics")) {
        scan->metrics = value;
    } else if (slice_is(scan, scan->key, "manifest")) {
        scan->manifest = value;
    }
    scan->key = (struct pbt_slice){0};
}

/* Returns the place of the closing quote, or the length of the line. */
static size_t skip_string(const struct pbt_scan *scan, size_t at)
{
    for (at++; at < scan->length && scan->line[at] != '"'; at++) {
        if (scan->line[at] == '\\') {
            at++;
        }
    }
    return at < scan->length ? at : scan->length;
}

/*
 * The length of a bare NaN or infinity that begins at `at` and stands where a
 * value may stand, or 0.
 */
static size_t bare_length(const struct pbt_scan *scan, size_t at)
{
    static const char *const words[] = {"NaN", "Infinity", "-Infinity"};
    size_t length = 0;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        size_t n = strlen(words[i]);
        if (n <= scan->length - at &&
            memcmp(scan->line + at, words[i], n) == 0) {
            length = n;
        }
    }
    size_t before = at;
    while (before > 0 && is_space(scan->line[before - 1])) {
        before--;
    }
    size_t after = at + length;
    while (after < scan->length && is_space(scan->line[after])) {
        after++;
    }
    if (length == 0 || before == 0 || after == scan->length ||
        strchr(":[,", scan->line[before - 1]) == NULL ||
        strchr(",]}", scan->line[after]) == NULL) {
        return 0;
    }
    return length;
}

void pbt_scan_line(struct pbt_scan *scan, const char *line, size_t length)
{
    *scan = (struct pbt_scan){.line = line, .length = length};
    for (size_t at = 0; at < length; at++) {
        switch (line[at]) {
        case '"': {
            size_t end = skip_string(scan, at);
            if (scan->depth == 1 && scan->at_key) {
                scan->key = (struct pbt_slice){at + 1, end};
                scan->at_key = false;
            }
            at = end;
            break;
        }
        case '{':
        case '[':
            scan->depth++;
            scan->at_key = scan->depth == 1;
            if (scan->depth > scan->depth_max) {
                scan->depth_max = scan->depth;
            }
            break;
        case '}':
        case ']':
        case ',':
            if (scan->depth == 1) {
                end_member(scan, at);
                scan->at_key = true;
            }
            scan->depth -= line[at] != ',';
            break;
        case ':':
            if (scan->depth == 1) {
                scan->value_start = at + 1;
            }
            break;
        case 'N':
        case 'I':
        case '-': {
            size_t bare = bare_length(scan, at);
            scan->bare += bare > 0;
            at += bare > 0 ? bare - 1 : 0;
            break;
        }
        default:
            break;
        }
    }
}

char *pbt_scan_quoted(const struct pbt_scan *scan, size_t *length)
{
    char *copy = malloc(scan->length + 2 * scan->bare + 1);
    if (copy == NULL) {
        return NULL;
    }
    size_t to = 0;
    for (size_t at = 0; at < scan->length;) {
        size_t count = 1;
        size_t bare = 0;
        if (scan->line[at] == '"') {
            size_t end = skip_string(scan, at);
            count = end < scan->length ? end + 1 - at : end - at;
        } else if (strchr("NI-", scan->line[at]) != NULL &&
                   scan->line[at] != '\0') {
            bare = bare_length(scan, at);
            count = bare > 0 ? bare : 1;
        }
        if (bare > 0) {
            copy[to++] = '"';
        }
        memcpy(copy + to, scan->line + at, count);
        to += count;
        at += count;
        if (bare > 0) {
            copy[to++] = '"';
        }
    }
    copy[to] = '\0';
    *length = to;
    return copy;
}
