#include "spec/problems.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/printable.h"
#include "base/width.h"
#include "spec/secret_line.h"

#define SHOWN_MAX 120 /* characters of a source line */
#define LINE_MAX_BYTES (8 * PBT_SOURCE_MAX)

struct pbt_problem *pbt_problem(struct pbt_problems *problems,
                                enum pbt_code code, struct pbt_span span,
                                const char *fmt, ...)
{
    struct pbt_problem *problem = problems->count < PBT_PROBLEMS_MAX
                                      ? &problems->items[problems->count]
                                      : &problems->spare;
    *problem = (struct pbt_problem){
        .code = code, .span = span, .order = problems->count};
    problems->count++;
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(problem->message, sizeof problem->message, fmt, args);
    va_end(args);
    return problem;
}

void pbt_problem_label(struct pbt_problem *problem, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(problem->label, sizeof problem->label, fmt, args);
    va_end(args);
}

void pbt_problem_help(struct pbt_problem *problem, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(problem->help, sizeof problem->help, fmt, args);
    va_end(args);
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* The length of the character at `text`. */
static size_t character(const char *text, size_t left)
{
    size_t length = 1;
    while (length < left && is_continuation(text[length])) {
        length++;
    }
    return length;
}

/* The file's text is the user's own, but it may have come from elsewhere. */
static bool is_control(const char *text, size_t length)
{
    uint32_t code;
    return pbt_character(text, length, &code) != length || !pbt_printable(code);
}

static void put_text(struct pbt_buf *out, const char *text)
{
    pbt_printable_put(out, text, strlen(text), false);
}

struct pbt_quoted pbt_quote(const char *text, size_t length)
{
    struct pbt_quoted quoted = {.text = ""};
    size_t used = 0;
    for (size_t at = 0; at < length;) {
        size_t step = character(text + at, length - at);
        if (used + step + sizeof "..." > sizeof quoted.text) {
            memcpy(quoted.text + used, "...", sizeof "...");
            return quoted;
        }
        if (is_control(text + at, step)) {
            quoted.text[used++] = '?';
        } else {
            memcpy(quoted.text + used, text + at, step);
            used += step;
        }
        at += step;
    }
    quoted.text[used] = '\0';
    return quoted;
}

static int compare(const void *a, const void *b)
{
    const struct pbt_problem *x = a;
    const struct pbt_problem *y = b;
    if (x->span.source != y->span.source) {
        return x->span.source < y->span.source ? -1 : 1;
    }
    if (x->span.offset != y->span.offset) {
        return x->span.offset < y->span.offset ? -1 : 1;
    }
    return x->order < y->order ? -1 : 1;
}

static void write_spaces(struct pbt_buf *out, int count)
{
    pbt_buf_printf(out, "%*s", count, "");
}

/* One character of a line, made harmless; how many columns it takes. */
static size_t put_character(struct pbt_buf *line, const char *text, size_t step,
                            bool secret)
{
    if (step == 1 && text[0] == '\t') {
        pbt_buf_char(line, '\t');
        return 1;
    }
    if (secret && text[0] != ' ') {
        pbt_buf_char(line, '*');
        return 1;
    }
    if (is_control(text, step)) {
        pbt_buf_char(line, '?');
        return 1;
    }
    pbt_buf_put(line, text, step);
    return pbt_text_width(text, step);
}

static void put_marks(struct pbt_buf *marks, char mark, size_t columns)
{
    for (; columns > 0; columns--) {
        pbt_buf_char(marks, mark);
    }
}

/*
 * The source line and, below, the carets.  `skip` characters at the start of a
 * very long line are left out, so that the place is in view; dots stand for them.
 */
static void write_line(const struct pbt_source *source,
                       const struct pbt_place *place, size_t span_length,
                       struct pbt_buf *line, struct pbt_buf *marks)
{
    const char *text = source->text + place->line_offset;
    size_t skip = place->column > SHOWN_MAX ? place->column - SHOWN_MAX / 2 : 0;
    size_t secret = pbt_secret_start(source, place);
    size_t column = 0;
    size_t end = 0; /* of the span, in bytes of the line */
    if (skip > 0) {
        pbt_buf_text(line, "...");
        put_marks(marks, ' ', 3);
    }
    for (size_t at = 0; at < place->line_length;) {
        size_t step = character(text + at, place->line_length - at);
        column++;
        if (column == place->column) {
            end = at + (span_length > 0 ? span_length : 1);
        }
        if (column > skip && column <= skip + SHOWN_MAX) {
            size_t columns = put_character(line, text + at, step, at >= secret);
            if (column < place->column) {
                bool tab = text[at] == '\t' && step == 1;
                put_marks(marks, tab ? '\t' : ' ', columns);
            } else if (at < end) {
                put_marks(marks, '^', columns);
            }
        }
        at += step;
    }
    if (column < place->column) { /* at the end of the line */
        pbt_buf_char(marks, '^');
    }
    if (column > skip + SHOWN_MAX) {
        pbt_buf_text(line, "...");
    }
}

/* The line, and below it the carets and the label.  `number`: of the line, or a blank. */
static void write_snippet(const struct pbt_problem *problem,
                          const struct pbt_source *source,
                          const struct pbt_place *place, const char *number,
                          int width, struct pbt_buf *out)
{
    struct pbt_buf line;
    struct pbt_buf marks;
    pbt_buf_init(&line, PBT_SOURCE_MAX);
    pbt_buf_init(&marks, PBT_SOURCE_MAX);
    pbt_buf_text(&line, "");
    pbt_buf_text(&marks, "");
    write_line(source, place, problem->span.length, &line, &marks);
    write_spaces(out, width);
    pbt_buf_text(out, " |\n");
    if (line.data != NULL && marks.data != NULL) {
        pbt_buf_printf(out, "%s |%s%s\n", number, line.length > 0 ? " " : "",
                       line.data);
        write_spaces(out, width);
        pbt_buf_printf(out, " | %s%s", marks.data,
                       problem->label[0] != '\0' ? " " : "");
        put_text(out, problem->label);
        pbt_buf_char(out, '\n');
    }
    pbt_buf_done(&line);
    pbt_buf_done(&marks);
}

/*
 * One problem in its form.  `numbered`: the source is a file, so lines have numbers; else it
 * is a command line, and `label` says all about where.  A source without text has no place
 * to show.
 */
static void write_one(const struct pbt_problem *problem,
                      const struct pbt_source *source, bool numbered,
                      struct pbt_buf *out)
{
    const struct pbt_code_text *code = &pbt_codes[problem->code];
    struct pbt_place place = pbt_source_place(source, problem->span.offset);
    bool has_text = source->length > 0;
    char number[24] = " ";
    int width = 1;
    if (numbered && has_text) {
        width = snprintf(number, sizeof number, "%zu", place.line);
    }
    pbt_buf_printf(out,
                   "%s[%s]: ", code->status == PBT_OK ? "warning" : "error",
                   code->id);
    put_text(out, problem->message);
    pbt_buf_char(out, '\n');
    write_spaces(out, width);
    pbt_buf_text(out, "--> ");
    put_text(out, source->label);
    if (numbered && strcmp(source->label, PBT_NO_FILE) != 0) {
        pbt_buf_printf(out, ":%zu:%zu", place.line, place.column);
    }
    pbt_buf_char(out, '\n');
    if (has_text) {
        write_snippet(problem, source, &place, number, width, out);
    }
    if (problem->help[0] != '\0') {
        write_spaces(out, width);
        pbt_buf_text(out, " = help: ");
        put_text(out, problem->help);
        pbt_buf_char(out, '\n');
    }
}

/* --- command lines ------------------------------------------------------ */

static bool needs_quotes(const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyz"
                                "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "0123456789-_=+./,:@%^";
    for (const char *at = word; *at != '\0'; at++) {
        if (strchr(plain, *at) == NULL && (unsigned char)*at < 0x80) {
            return true;
        }
    }
    return word[0] == '\0';
}

void pbt_line_word(struct pbt_buf *line, const char *word,
                   struct pbt_span *span)
{
    bool quotes = needs_quotes(word);
    size_t length = strlen(word);
    size_t from = 0;
    size_t to = 0;
    if (line->length > 0) {
        pbt_buf_char(line, ' ');
    }
    bool all = span != NULL && span->offset == 0 && span->length >= length;
    size_t start = line->length;
    if (quotes) {
        pbt_buf_char(line, '\'');
    }
    for (size_t at = 0; at <= length;) {
        size_t step = at < length ? character(word + at, length - at) : 1;
        if (span != NULL && at <= span->offset) {
            from = line->length;
        }
        if (span != NULL && at <= span->offset + span->length) {
            to = line->length;
        }
        if (at < length && word[at] == '\'') {
            pbt_buf_text(line, "'\\''");
        } else if (at < length) {
            pbt_printable_put(line, word + at, step, false);
        }
        at += step;
    }
    if (quotes) {
        pbt_buf_char(line, '\'');
    }
    if (span != NULL) {
        span->offset = all ? start : from;
        span->length = (all ? line->length : to) - span->offset;
    }
}

void pbt_line_write(const struct pbt_problem *problem, const char *label,
                    const struct pbt_buf *line, struct pbt_buf *out)
{
    struct pbt_source source = {label, line->data != NULL ? line->data : "",
                                line->data != NULL ? line->length : 0};
    write_one(problem, &source, false, out);
}

bool pbt_line_words(struct pbt_buf *line, char *const *words, size_t count,
                    const char *from, const char *to, struct pbt_span *span)
{
    bool found = false;
    for (size_t i = 0; i < count; i++) {
        const char *word = i == 0 ? "pbt" : words[i];
        size_t length = strlen(word);
        bool here =
            i > 0 && from != NULL && from >= words[i] && from <= word + length;
        if (!here || found) {
            pbt_line_word(line, word, NULL);
            continue;
        }
        const char *end =
            to >= from && to <= word + length ? to : word + length;
        span->offset = (size_t)(from - word);
        span->length = (size_t)(end - from);
        pbt_line_word(line, word, span);
        found = true;
    }
    return found;
}

/* An override in the command line in which it was typed; false: it was not. */
static bool write_typed(const struct pbt_sources *sources,
                        const struct pbt_problem *problem, struct pbt_buf *out)
{
    struct pbt_problem moved = *problem;
    const struct pbt_typed *typed = sources->typed;
    size_t length = sources->items[problem->span.source].length;
    const char *const *places =
        typed != NULL ? typed->places[problem->span.source - 1] : NULL;
    struct pbt_buf line;
    if (places == NULL) {
        return false;
    }
    size_t start =
        problem->span.offset < length ? problem->span.offset : length;
    size_t end = problem->span.length < length - start
                     ? start + problem->span.length
                     : length;
    const char *from = places[start];
    const char *to = end > start ? places[end - 1] + 1 : from;
    pbt_buf_init(&line, LINE_MAX_BYTES);
    bool found = pbt_line_words(&line, typed->words, typed->word_count, from,
                                to, &moved.span);
    if (found) {
        pbt_line_write(&moved, PBT_NO_FILE, &line, out);
    }
    pbt_buf_done(&line);
    return found;
}

/* An override, among the others where they fit into a line. */
static void write_override(const struct pbt_sources *sources,
                           const struct pbt_problem *problem,
                           struct pbt_buf *out)
{
    struct pbt_problem moved = *problem;
    const struct pbt_source *file = &sources->items[0];
    const struct pbt_source *source = &sources->items[problem->span.source];
    struct pbt_buf line;
    pbt_buf_init(&line, LINE_MAX_BYTES);
    if (strcmp(file->label, PBT_NO_FILE) != 0) {
        pbt_line_word(&line, file->label, NULL);
    }
    for (size_t i = 1; i < sources->count; i++) {
        const struct pbt_source *word = &sources->items[i];
        pbt_line_word(&line, word->text, word == source ? &moved.span : NULL);
    }
    if (line.length > SHOWN_MAX) {
        pbt_buf_reset(&line);
        moved.span = problem->span;
        pbt_line_word(&line, source->text, &moved.span);
    }
    pbt_line_write(&moved, source->label, &line, out);
    pbt_buf_done(&line);
}

void pbt_problem_write(const struct pbt_sources *sources,
                       const struct pbt_problem *problem, struct pbt_buf *out)
{
    if (problem->span.source == 0) {
        write_one(problem, &sources->items[0], true, out);
    } else if (!write_typed(sources, problem, out)) {
        write_override(sources, problem, out);
    }
}

void pbt_problems_write(struct pbt_problems *problems, struct pbt_buf *out)
{
    uint32_t count =
        problems->count < PBT_PROBLEMS_MAX ? problems->count : PBT_PROBLEMS_MAX;
    qsort(problems->items, count, sizeof problems->items[0], compare);
    for (uint32_t i = 0; i < count; i++) {
        if (i > 0) {
            pbt_buf_char(out, '\n');
        }
        pbt_problem_write(&problems->sources, &problems->items[i], out);
    }
    if (problems->count > count) {
        pbt_buf_printf(out, "\nerror: and %u more; mend these first\n",
                       (unsigned)(problems->count - count));
    }
}
