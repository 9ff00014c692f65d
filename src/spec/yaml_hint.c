#include "spec/yaml_hint.h"

#include <stdbool.h>
#include <string.h>

/* Where a text in quotes begins and ends: the offsets of both quotes. */
struct quotes {
    size_t open;
    size_t close; /* the source's length: it is never closed */
};

static bool is_quote(char c)
{
    return c == '"' || c == '\'';
}

/* A text may begin behind this; elsewhere a quote is a character like any other. */
static bool may_begin(const struct pbt_source *source, size_t at)
{
    return at == 0 || strchr(" \t\n\r[{,:", source->text[at - 1]) != NULL;
}

static size_t find_close(const struct pbt_source *source, size_t open)
{
    char quote = source->text[open];
    size_t at = open + 1;
    while (at < source->length) {
        char c = source->text[at];
        bool twice = at + 1 < source->length && source->text[at + 1] == quote;
        if (quote == '"' ? c == '\\' : c == quote && twice) {
            at += 2;
        } else if (c != quote) {
            at++;
        } else {
            return at;
        }
    }
    return source->length;
}

/* The text in quotes that ends just before `end`; false if there is none. */
static bool ends_before(const struct pbt_source *source, size_t end,
                        struct quotes *found)
{
    size_t at = 0;
    while (at < end) {
        const char *text = source->text + at;
        if (*text == '#' && (at == 0 || strchr(" \t\n", text[-1]) != NULL)) {
            const char *line = memchr(text, '\n', source->length - at);
            at = line == NULL ? end : (size_t)(line - source->text);
        } else if (is_quote(*text) && may_begin(source, at)) {
            *found = (struct quotes){at, find_close(source, at)};
            at = found->close + 1;
            if (at == end) {
                return true;
            }
        } else {
            at++;
        }
    }
    return false;
}

/* libfyaml's place is the opening quote, or just behind it. */
static void hint_open(const struct pbt_source *source,
                      struct pbt_problem *problem, const char *label)
{
    size_t *at = &problem->span.offset;
    if (*at > 0 && (*at >= source->length || !is_quote(source->text[*at]))) {
        --*at;
    }
    if (*at < source->length && is_quote(source->text[*at])) {
        pbt_problem_label(problem, "%s", label);
    }
}

/* Something stands behind a text in quotes: it may have ended too early. */
static bool hint_closed(const struct pbt_source *source,
                        struct pbt_problem *problem)
{
    struct quotes quotes;
    size_t end = problem->span.offset;
    while (end > 0 && source->text[end - 1] == ' ') {
        end--;
    }
    if (!ends_before(source, end, &quotes)) {
        return false;
    }
    struct pbt_place place = pbt_source_place(source, quotes.open);
    if (problem->span.source == 0) {
        pbt_problem_label(problem,
                          "the text in quotes that began at %zu:%zu has ended",
                          place.line, place.column);
    } else { /* the source is a piece of what was typed */
        pbt_problem_label(problem, "the text in quotes has ended");
    }
    pbt_problem_help(problem, source->text[quotes.open] == '"'
                                  ? "a quote that belongs to it is written \\\""
                                  : "a quote that belongs to it is written ''");
    return true;
}

void pbt_yaml_hint(const struct pbt_source *source, const char *message,
                   struct pbt_problem *problem)
{
    if (strstr(message, "quoted scalar without closing quote") != NULL) {
        hint_open(source, problem, "opened here");
    } else if (strstr(message, "wrongly indented") != NULL &&
               strstr(message, "quoted") != NULL) {
        hint_open(source, problem, "opened here, and not closed on this line");
    } else if (strstr(message, "escape") != NULL) {
        pbt_problem_help(problem, "between \"...\" a \\ begins an escape; "
                                  "between '...' it is what it is");
    } else if (strstr(message, "tab") != NULL) {
        pbt_problem_label(problem, "indent with spaces");
    } else if ((strstr(message, "trailing content") != NULL ||
                strstr(message, "flow ") != NULL) &&
               hint_closed(source, problem)) {
        return;
    } else if (strstr(message, "flow ") != NULL) {
        pbt_problem_label(problem, "is a `{` or `[` before this not closed?");
    } else if (strstr(message, "multiline") != NULL) {
        pbt_problem_label(problem, "is the next line indented too far?");
    }
}
