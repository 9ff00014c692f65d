/*
 * The arguments of a verb, and what is said about wrong ones.
 */
#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/printable.h"
#include "cli/cli.h"
#include "spec/schema.h"

#define MESSAGE_MAX ((size_t)1 << 20)
#define OPTIONS_MAX 16
/* What getopt_long() returns for --help; options count on from the next. */
#define HELP 256

int pbt_cli_flush(void)
{
    static int failure;
    errno = 0;
    if (fflush(stdout) != 0 && failure == 0) {
        failure = errno != 0 ? errno : EIO;
    }
    return failure;
}

PBT_PRINTF(1, 0) static void print_error(const char *fmt, va_list args)
{
    char text[PBT_ERROR_TEXT_MAX];
    (void)vsnprintf(text, sizeof text, fmt, args);
    (void)pbt_cli_flush(); /* what was said before comes before */
    (void)fprintf(stderr, "error: ");
    pbt_cli_say(text);
}

void pbt_cli_say(const char *text)
{
    struct pbt_buf line;
    pbt_buf_init(&line, MESSAGE_MAX);
    pbt_printable_put(&line, text, strlen(text), true);
    pbt_buf_char(&line, '\n');
    (void)fputs(pbt_buf_failed(&line) ? "out of memory\n" : line.data, stderr);
    pbt_buf_done(&line);
}

int pbt_cli_error(int status, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_error(fmt, args);
    va_end(args);
    return status;
}

int pbt_cli_fail(const struct pbt_error *error)
{
    return pbt_cli_error(error->status, "%s", error->text);
}

int pbt_cli_usage(const char *verb, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    print_error(fmt, args);
    va_end(args);
    (void)fprintf(stderr, "try `pbt %s%s--help`\n", verb != NULL ? verb : "",
                  verb != NULL ? " " : "");
    return PBT_EUSAGE;
}

void pbt_cli_put(const struct pbt_buf *text, bool to_stderr)
{
    FILE *stream = to_stderr ? stderr : stdout;
    if (to_stderr) {
        (void)pbt_cli_flush();
    }
    if (text->length == 0) {
        return;
    }
    if (!to_stderr && isatty(STDOUT_FILENO) != 1) {
        (void)fwrite(text->data, 1, text->length, stream);
        return;
    }
    struct pbt_buf shown;
    pbt_buf_init(&shown, 4 * text->length);
    pbt_printable_put(&shown, text->data, text->length, true);
    if (!pbt_buf_failed(&shown)) {
        (void)fwrite(shown.data, 1, shown.length, stream);
    }
    pbt_buf_done(&shown);
}

const char *pbt_cli_close_word(const char *word, const void *words,
                               size_t count, size_t stride)
{
    const char *best = NULL;
    size_t least = SIZE_MAX;
    size_t length = strlen(word);
    for (size_t i = 0; i < count; i++) {
        const char *known;
        memcpy(&known, (const char *)words + i * stride, sizeof known);
        size_t distance = pbt_word_distance(word, length, known, strlen(known));
        if (distance < least && pbt_word_close(word, length, known)) {
            least = distance;
            best = known;
        }
    }
    return best;
}

static void print_help(const struct pbt_cli_syntax *syntax, const char *verb)
{
    (void)printf("usage: pbt %s %s\n\n%s\noptions:\n", verb, syntax->arguments,
                 syntax->text);
    for (size_t i = 0; i < syntax->option_count; i++) {
        const struct pbt_cli_option *option = &syntax->options[i];
        char call[48];
        (void)snprintf(call, sizeof call, "--%s%s%s", option->name,
                       option->argument != NULL ? " " : "",
                       option->argument != NULL ? option->argument : "");
        (void)printf("  %-14s %s\n", call, option->text);
    }
    (void)printf("  %-14s %s\n", "-h, --help", "show this");
}

/* What getopt_long() stumbled over: an unknown option, or one without its argument. */
static int refuse(const struct pbt_cli_syntax *syntax, char **argv, bool bare)
{
    const char *word = argv[optind - 1];
    if (bare) {
        return pbt_cli_usage(argv[0], "`%s` needs an argument", word);
    }
    if (optopt != 0 && optopt < HELP) {
        return pbt_cli_usage(argv[0], "unknown option `-%c`", optopt);
    }
    size_t length = strcspn(word, "=");
    if (optopt != 0) {
        return pbt_cli_usage(argv[0], "`%.*s` takes no argument", (int)length,
                             word);
    }
    char name[64];
    (void)snprintf(name, sizeof name, "%.*s", (int)(length - 2), word + 2);
    const char *close = pbt_cli_close_word(
        name, syntax->options, syntax->option_count, sizeof *syntax->options);
    if (close != NULL) {
        return pbt_cli_usage(argv[0],
                             "unknown option `--%s`: did you mean "
                             "`--%s`?",
                             name, close);
    }
    return pbt_cli_usage(argv[0], "unknown option `--%s`", name);
}

static bool count_fits(const struct pbt_cli_syntax *syntax, const char *verb,
                       int count, int *status)
{
    if (count < syntax->min) {
        *status = pbt_cli_usage(verb, "`pbt %s` needs an argument: pbt %s %s",
                                verb, verb, syntax->arguments);
        return false;
    }
    if (syntax->max >= 0 && count > syntax->max) {
        *status = pbt_cli_usage(verb, "too many arguments: pbt %s %s", verb,
                                syntax->arguments);
        return false;
    }
    return true;
}

bool pbt_cli_parse(const struct pbt_cli_syntax *syntax, int argc, char **argv,
                   char ***args, size_t *count, int *status)
{
    struct option table[OPTIONS_MAX + 2] = {{"help", no_argument, NULL, HELP}};
    for (size_t i = 0; i < syntax->option_count && i < OPTIONS_MAX; i++) {
        const struct pbt_cli_option *option = &syntax->options[i];
        table[i + 1] = (struct option){
            option->name,
            option->argument != NULL ? required_argument : no_argument, NULL,
            HELP + 1 + (int)i};
    }
    optind = 0; /* a fresh start */
    opterr = 0;
    for (;;) {
        int got = getopt_long(argc, argv, ":h", table, NULL);
        if (got == -1) {
            break;
        }
        if (got == 'h' || got == HELP) {
            print_help(syntax, argv[0]);
            *status = PBT_OK;
            return false;
        }
        if (got < HELP) {
            *status = refuse(syntax, argv, got == ':');
            return false;
        }
        const struct pbt_cli_option *option = &syntax->options[got - HELP - 1];
        if (option->value != NULL) {
            *option->value = optarg;
        }
        if (option->given != NULL) {
            *option->given = true;
        }
    }
    *args = argv + optind;
    *count = (size_t)(argc - optind);
    return count_fits(syntax, argv[0], argc - optind, status);
}
