/*
 * What is said about errors: each has an id, and one of usage shows its place in the command
 * line.  Nothing else in the command prints "error" or "warning" (a test looks).
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "spec/problems.h"

#define LINE_MAX_BYTES ((size_t)16 << 20)

/* As the user typed it: getopt_long() moves the words of the argv that it is given. */
static char **words;
static size_t word_count;

bool pbt_cli_remember(int argc, char **argv)
{
    word_count = argc > 0 ? (size_t)argc : 0;
    words = calloc(word_count + 1, sizeof *words);
    if (words == NULL) {
        word_count = 0;
        return false;
    }
    memcpy(words, argv, word_count * sizeof *words);
    return true;
}

static void print(const char *kind, const char *id, const char *text)
{
    (void)pbt_cli_flush(); /* what was said before comes before */
    struct pbt_buf line;
    pbt_buf_init(&line, LINE_MAX_BYTES);
    pbt_buf_printf(&line, "%s[%s]: %s", kind, id, text);
    pbt_cli_say(pbt_buf_failed(&line) ? text : line.data);
    pbt_buf_done(&line);
}

int pbt_cli_fail(const struct pbt_error *error)
{
    print("error", pbt_error_id(error), error->text);
    return error->status;
}

int pbt_cli_error(enum pbt_code code, const char *fmt, ...)
{
    char text[PBT_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    print("error", pbt_codes[code].id, text);
    return pbt_codes[code].status;
}

void pbt_cli_warn(enum pbt_code code, const char *fmt, ...)
{
    char text[PBT_ERROR_TEXT_MAX];
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    print("warning", pbt_codes[code].id, text);
}

struct pbt_typed pbt_cli_typed(void)
{
    return (struct pbt_typed){.words = words, .word_count = word_count};
}

/* The command line; the span is of what `at` points to, or the end of the line. */
static struct pbt_span put_line(struct pbt_buf *line, const char *at)
{
    struct pbt_span place = {0, 0, 1};
    const char *end = at != NULL ? at + strlen(at) : NULL;
    if (!pbt_line_words(line, words, word_count, at, end, &place)) {
        pbt_buf_char(line, ' ');
        place.offset = line->length;
    }
    return place;
}

static void print_placed(struct pbt_problem *problem, const char *at,
                         const char *label)
{
    struct pbt_buf line;
    struct pbt_buf out;
    pbt_buf_init(&line, LINE_MAX_BYTES);
    pbt_buf_init(&out, LINE_MAX_BYTES);
    problem->span = put_line(&line, at);
    if (label != NULL) {
        pbt_problem_label(problem, "%s", label);
    }
    pbt_line_write(problem, "command line", &line, &out);
    pbt_cli_put(&out, true);
    pbt_buf_done(&line);
    pbt_buf_done(&out);
}

int pbt_cli_fail_at(const struct pbt_error *error, const char *at,
                    const char *label)
{
    struct pbt_problem problem = {.code = pbt_code_find(pbt_error_id(error))};
    size_t length = strlen(error->text);
    /* What is long, or came from elsewhere in lines, stands by itself. */
    if (length >= sizeof problem.message || strchr(error->text, '\n') != NULL) {
        return pbt_cli_fail(error);
    }
    memcpy(problem.message, error->text, length + 1);
    print_placed(&problem, at, label);
    return error->status;
}

int pbt_cli_usage(enum pbt_code code, const char *verb, const char *at,
                  const char *label, const char *fmt, ...)
{
    struct pbt_problem problem = {.code = code};
    va_list args;
    va_start(args, fmt);
    (void)vsnprintf(problem.message, sizeof problem.message, fmt, args);
    va_end(args);
    pbt_problem_help(&problem, "see `pbt %s%s--help`", verb != NULL ? verb : "",
                     verb != NULL ? " " : "");
    print_placed(&problem, at, label);
    return PBT_EUSAGE;
}
