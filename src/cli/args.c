/*
 * The arguments of a verb, and what is said about wrong ones.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/printable.h"
#include "cli/cli.h"
#include "spec/problems.h"
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

void pbt_cli_say(const char *text)
{
    struct pbt_buf line;
    pbt_buf_init(&line, MESSAGE_MAX);
    pbt_printable_put(&line, text, strlen(text), true);
    pbt_buf_char(&line, '\n');
    (void)fputs(pbt_buf_failed(&line) ? "out of memory\n" : line.data, stderr);
    pbt_buf_done(&line);
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

/* The word with the short option that getopt_long() doesn't know. */
static const char *short_option(char **argv)
{
    for (int i = optind; i > 0; i--) {
        if (argv[i] != NULL && argv[i][0] == '-' && argv[i][1] != '-' &&
            strchr(argv[i], optopt) != NULL) {
            return argv[i];
        }
    }
    return NULL;
}

/* What getopt_long() stumbled over: an unknown option, or one without its argument. */
static int refuse(const struct pbt_cli_syntax *syntax, char **argv, bool bare)
{
    const char *word = argv[optind - 1];
    if (bare) {
        return pbt_cli_usage(PBT_E0603, argv[0], word, NULL,
                             "`%s` needs an argument", word);
    }
    if (optopt != 0 && optopt < HELP) {
        return pbt_cli_usage(PBT_E0602, argv[0], short_option(argv), NULL,
                             "unknown option `-%s`",
                             pbt_quote((char[]){(char)optopt}, 1).text);
    }
    size_t length = strcspn(word, "=");
    if (optopt != 0) {
        return pbt_cli_usage(PBT_E0604, argv[0], word + length,
                             "leave this out", "`%.*s` takes no argument",
                             (int)length, word);
    }
    char name[64];
    char label[96];
    (void)snprintf(name, sizeof name, "%.*s", (int)(length - 2), word + 2);
    const char *close = pbt_cli_close_word(
        name, syntax->options, syntax->option_count, sizeof *syntax->options);
    if (close != NULL) {
        (void)snprintf(label, sizeof label, "did you mean `--%s`?", close);
    }
    return pbt_cli_usage(PBT_E0602, argv[0], word, close != NULL ? label : NULL,
                         "unknown option `--%s`", name);
}

static bool count_fits(const struct pbt_cli_syntax *syntax, const char *verb,
                       char **args, int count, int *status)
{
    char label[160];
    (void)snprintf(label, sizeof label, "the form is: pbt %s %s", verb,
                   syntax->arguments);
    if (count < syntax->min) {
        *status = pbt_cli_usage(PBT_E0605, verb, NULL, label,
                                "`pbt %s` needs an argument", verb);
        return false;
    }
    if (syntax->max >= 0 && count > syntax->max) {
        *status = pbt_cli_usage(PBT_E0606, verb, args[syntax->max], label,
                                "too many arguments");
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
    return count_fits(syntax, argv[0], *args, argc - optind, status);
}
