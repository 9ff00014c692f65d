/*
 * args.c: the words of a call, by the table.  As getopt_long() does it, but that long
 * options can't be shortened: an option that is added later would change their meaning.
 */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/verbs.h"
#include "spec/problems.h"

#define HELP_MAX ((size_t)64 * 1024)

/* What is left to be taken apart. */
struct words {
    struct pbt_cli_call *call;
    int argc;
    char **argv;
    int at;
    bool help;
    int status;
};

/* --- looking options up ------------------------------------------------------ */

const char *pbt_cli_option_typed(const struct pbt_cli_option *option,
                                 char text[PBT_CLI_OPTION_SIZE])
{
    (void)snprintf(text, PBT_CLI_OPTION_SIZE, "%s%s",
                   option->name[1] == '\0' ? "-" : "--", option->name);
    return text;
}

static const struct pbt_cli_option *find(const struct pbt_cli_option *options,
                                         const char *name, size_t length,
                                         char letter)
{
    for (; options->name != NULL; options++) {
        bool same = strlen(options->name) == length &&
                    memcmp(options->name, name, length) == 0;
        if (letter != 0 ? options->letter == letter : same) {
            return options;
        }
    }
    return NULL;
}

static const struct pbt_cli_option *find_any(const struct words *words,
                                             const char *name, size_t length,
                                             char letter)
{
    const struct pbt_cli_option *option =
        find(words->call->verb->options, name, length, letter);
    return option != NULL ? option : find(pbt_cli_common, name, length, letter);
}

static const char *close_option(const struct words *words, const char *name)
{
    const struct pbt_cli_option *options = words->call->verb->options;
    size_t count = 0;
    while (options[count].name != NULL) {
        count++;
    }
    const char *close =
        pbt_cli_close_word(name, options, count, sizeof *options);
    return close != NULL ? close
                         : pbt_cli_close_word(name, pbt_cli_common, 1,
                                              sizeof *pbt_cli_common);
}

/* --- options ---------------------------------------------------------------- */

static const char *verb_of(const struct words *words)
{
    return words->call->verb->name;
}

static bool unknown(struct words *words, const char *word, const char *name,
                    size_t length)
{
    char text[64];
    char label[96];
    (void)snprintf(text, sizeof text, "%.*s", (int)length, name);
    /* Of one letter it is meant to be short. */
    const char *close = length == 1 && find_any(words, "", 0, name[0]) != NULL
                            ? text
                            : close_option(words, text);
    (void)snprintf(label, sizeof label, "did you mean `%s%s`?",
                   close != NULL && close[1] == '\0' ? "-" : "--",
                   close != NULL ? close : "");
    words->status = pbt_cli_usage(
        PBT_E0602, verb_of(words), word, close != NULL ? label : NULL,
        "unknown option `--%s`", pbt_quote(text, strlen(text)).text);
    return false;
}

static bool is_one_of(const char *word, const char *const *words)
{
    assert(word != NULL && words != NULL);
    for (; *words != NULL; words++) {
        if (strcmp(word, *words) == 0) {
            return true;
        }
    }
    return false;
}

/* "`bash`, `zsh` or `fish`" */
static const char *one_of(const char *const *words, char *text, size_t size)
{
    size_t length = 0;
    for (size_t i = 0; words[i] != NULL && length < size; i++) {
        const char *join = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";
        int more =
            snprintf(text + length, size - length, "%s`%s`", join, words[i]);
        length += more > 0 ? (size_t)more : 0;
    }
    return text;
}

static bool add(struct words *words, const struct pbt_cli_option *option,
                const char *value)
{
    struct pbt_cli_call *call = words->call;
    char known[256];
    char typed[PBT_CLI_OPTION_SIZE];
    if (option->kind == PBT_CLI_WORD && !is_one_of(value, option->words)) {
        words->status =
            pbt_cli_usage(PBT_E0610, verb_of(words), value, NULL,
                          "`%s` takes %s", pbt_cli_option_typed(option, typed),
                          one_of(option->words, known, sizeof known));
        return false;
    }
    words->help = words->help || option == &pbt_cli_common[0];
    call->given[call->given_count++] = (struct pbt_cli_given){option, value};
    return true;
}

/* The argument of an option that stands in a word of its own. */
static bool add_next(struct words *words, const struct pbt_cli_option *option,
                     const char *as_given)
{
    if (words->at == words->argc) {
        char label[96];
        (void)snprintf(label, sizeof label, "it takes %s", option->argument);
        words->status =
            pbt_cli_usage(PBT_E0603, verb_of(words), as_given, label,
                          "`%s` needs an argument", as_given);
        return false;
    }
    return add(words, option, words->argv[words->at++]);
}

/* "--dir", "--dir=DIR" */
static bool take_long(struct words *words, const char *word)
{
    const char *name = word + 2;
    size_t length = strcspn(name, "=");
    const struct pbt_cli_option *option =
        length > 1 ? find_any(words, name, length, 0) : NULL;
    if (option == NULL) {
        return unknown(words, word, name, length);
    }
    if (name[length] == '\0') {
        return option->argument == NULL ? add(words, option, NULL)
                                        : add_next(words, option, word);
    }
    if (option->argument == NULL) {
        words->status = pbt_cli_usage(PBT_E0604, verb_of(words), name + length,
                                      "leave this out",
                                      "`--%s` takes no argument", option->name);
        return false;
    }
    return add(words, option, name + length + 1);
}

/* "-q", "-qa", "-n 8", "-n8" */
static bool take_short(struct words *words, const char *word)
{
    for (const char *letter = word + 1; *letter != '\0'; letter++) {
        const struct pbt_cli_option *option = find_any(words, "", 0, *letter);
        if (option == NULL) {
            words->status = pbt_cli_usage(PBT_E0602, verb_of(words), word, NULL,
                                          "unknown option `-%s`",
                                          pbt_quote(letter, 1).text);
            return false;
        }
        if (option->argument != NULL) {
            return letter[1] != '\0' ? add(words, option, letter + 1)
                                     : add_next(words, option, word);
        }
        if (!add(words, option, NULL)) {
            return false;
        }
    }
    return true;
}

/* --- operands --------------------------------------------------------------- */

static bool operands_fit(struct words *words)
{
    const struct pbt_cli_call *call = words->call;
    const struct pbt_cli_verb *verb = call->verb;
    size_t least = 0;
    size_t most = 0;
    char known[256];
    struct pbt_buf usage;
    for (const struct pbt_cli_operand *o = verb->operands; o->name != NULL;
         o++) {
        const char *word = most < call->count ? call->args[most] : NULL;
        if (word != NULL && o->kind == PBT_CLI_WORD &&
            !is_one_of(word, o->words)) {
            words->status =
                pbt_cli_usage(PBT_E0610, verb->name, word, NULL, "%s is %s",
                              o->name, one_of(o->words, known, sizeof known));
            return false;
        }
        least += o->optional ? 0 : 1;
        most = o->repeats ? SIZE_MAX : most + 1;
    }
    if (call->count >= least && call->count <= most) {
        return true;
    }
    pbt_buf_init(&usage, HELP_MAX);
    pbt_buf_text(&usage, "the form is: ");
    pbt_cli_put_usage(&usage, verb);
    words->status = call->count < least
                        ? pbt_cli_usage(PBT_E0605, verb->name, NULL, usage.data,
                                        "`pbt %s` has no %s", verb->name,
                                        verb->operands[call->count].name)
                        : pbt_cli_usage(PBT_E0606, verb->name, call->args[most],
                                        usage.data, "too many arguments");
    pbt_buf_done(&usage);
    return false;
}

/* --- a call ----------------------------------------------------------------- */

static bool take_words(struct words *words)
{
    struct pbt_cli_call *call = words->call;
    bool options = true;
    while (words->at < words->argc) {
        char *word = words->argv[words->at++];
        if (options && strcmp(word, "--") == 0) {
            options = false;
            call->dashes = call->count;
        } else if (options && strncmp(word, "--", 2) == 0) {
            if (!take_long(words, word)) {
                return false;
            }
        } else if (options && word[0] == '-' && word[1] != '\0') {
            if (!take_short(words, word)) {
                return false;
            }
        } else {
            call->args[call->count++] = word;
        }
    }
    if (options) {
        call->dashes = call->count;
    }
    return true;
}

static int show_help(const struct pbt_cli_verb *verb)
{
    struct pbt_buf out;
    pbt_buf_init(&out, HELP_MAX);
    pbt_cli_put_help(&out, verb);
    pbt_cli_put(&out, false);
    pbt_buf_done(&out);
    return PBT_OK;
}

bool pbt_cli_parse(struct pbt_cli_call *call, const struct pbt_cli_verb *verb,
                   int argc, char **argv, int *status)
{
    struct words words = {
        .call = call, .argc = argc, .argv = argv, .at = 1, .status = PBT_OK};
    size_t size = 0;
    for (int i = 0; i < argc; i++) {
        size += strlen(argv[i]) + 1; /* a word may hold many letters */
    }
    *call = (struct pbt_cli_call){.verb = verb};
    call->args = calloc((size_t)argc + 1, sizeof *call->args);
    call->given = calloc(size + 1, sizeof *call->given);
    if (call->args == NULL || call->given == NULL) {
        pbt_cli_call_done(call);
        *status = pbt_cli_error(PBT_E0971, "out of memory");
        return false;
    }
    bool good = take_words(&words);
    if (good && words.help) {
        words.status = show_help(verb);
        good = false;
    }
    good = good && operands_fit(&words);
    if (!good) {
        pbt_cli_call_done(call);
    }
    *status = words.status;
    return good;
}

void pbt_cli_call_done(struct pbt_cli_call *call)
{
    free(call->args);
    free(call->given);
    *call = (struct pbt_cli_call){.verb = NULL};
}

static const struct pbt_cli_given *last_given(const struct pbt_cli_call *call,
                                              const char *option)
{
    const struct pbt_cli_option *known =
        find(call->verb->options, option, strlen(option), 0);
    assert(known != NULL);
    for (size_t i = call->given_count; i > 0; i--) {
        if (call->given[i - 1].option == known) {
            return &call->given[i - 1];
        }
    }
    return NULL;
}

bool pbt_cli_given(const struct pbt_cli_call *call, const char *option)
{
    return last_given(call, option) != NULL;
}

const char *pbt_cli_value(const struct pbt_cli_call *call, const char *option)
{
    const struct pbt_cli_given *given = last_given(call, option);
    return given != NULL ? given->value : NULL;
}

const char *pbt_cli_operand(const struct pbt_cli_call *call, size_t place)
{
    return place < call->count ? call->args[place] : NULL;
}

enum pbt_color pbt_cli_color(const struct pbt_cli_call *call)
{
    const char *word = NULL;
    int color = PBT_COLOR_AUTO;
    for (size_t i = 0; i < call->given_count; i++) {
        if (strcmp(call->given[i].option->name, "color") == 0) {
            word = call->given[i].value;
        }
    }
    while (word != NULL && pbt_cli_color_words[color] != NULL &&
           strcmp(word, pbt_cli_color_words[color]) != 0) {
        color++;
    }
    return (enum pbt_color)color; /* the parser lets no other word through */
}
