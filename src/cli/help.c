/*
 * help.c: the table as screens: `pbt --help`, `pbt VERB --help`.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/verbs.h"

#define WIDTH 79
#define HELP_MAX ((size_t)64 * 1024)

void pbt_cli_put_usage(struct pbt_buf *out, const struct pbt_cli_verb *verb)
{
    pbt_buf_printf(out, "pbt %s", verb->name);
    for (const struct pbt_cli_operand *o = verb->operands; o->name != NULL;
         o++) {
        pbt_buf_printf(out, " %s%s%s%s", o->optional ? "[" : "", o->name,
                       o->repeats ? " ..." : "", o->optional ? "]" : "");
    }
    if (verb->options[0].name != NULL) {
        pbt_buf_text(out, " [options]");
    }
}

/* Paragraphs, each a line, broken where they would be too wide. */
static void put_wrapped(struct pbt_buf *out, const char *text)
{
    while (*text != '\0') {
        size_t line = strcspn(text, "\n");
        while (line > WIDTH) {
            size_t at = WIDTH;
            while (at > 0 && text[at] != ' ') {
                at--;
            }
            pbt_buf_put(out, text, at);
            pbt_buf_char(out, '\n');
            text += at + 1;
            line -= at + 1;
        }
        pbt_buf_put(out, text, line);
        pbt_buf_char(out, '\n');
        text += line + (text[line] == '\n' ? 1 : 0);
    }
}

static void put_indented(struct pbt_buf *out, const char *lines)
{
    while (*lines != '\0') {
        size_t line = strcspn(lines, "\n");
        pbt_buf_printf(out, "  %.*s\n", (int)line, lines);
        lines += line + (lines[line] == '\n' ? 1 : 0);
    }
}

static void put_options(struct pbt_buf *out,
                        const struct pbt_cli_option *options)
{
    for (; options->name != NULL; options++) {
        char letter[8] = "";
        char typed[PBT_CLI_OPTION_SIZE];
        char call[128];
        bool both = options->letter != 0 && options->name[1] != '\0';
        bool only = options->letter != 0 && !both;
        if (both) {
            (void)snprintf(letter, sizeof letter, "-%c, ", options->letter);
        }
        (void)snprintf(call, sizeof call, "%*s%s%s%s", only ? 0 : 4, letter,
                       pbt_cli_option_typed(options, typed),
                       options->argument != NULL ? " " : "",
                       options->argument != NULL ? options->argument : "");
        /* Behind a long one the text has a line of its own. */
        pbt_buf_printf(out,
                       strlen(call) > 25 ? "  %s\n%28s%s\n" : "  %-25s%s%s\n",
                       call, strlen(call) > 25 ? "" : " ", options->text);
    }
}

/* What words of the usage mean. */
static void put_operands(struct pbt_buf *out, const struct pbt_cli_verb *verb)
{
    static const char *const meanings[] = {
        [PBT_CLI_RUN] = "RUN is a run's name or its directory.\n",
        [PBT_CLI_TRIAL] = "TRIAL is an id, such as ba982_00003, or a number.\n",
    };
    for (const struct pbt_cli_operand *o = verb->operands; o->name != NULL;
         o++) {
        if (o->kind == PBT_CLI_RUN || o->kind == PBT_CLI_TRIAL) {
            pbt_buf_text(out, meanings[o->kind]);
        }
    }
}

void pbt_cli_put_help(struct pbt_buf *out, const struct pbt_cli_verb *verb)
{
    pbt_buf_printf(out, "pbt %s: %s\n\n", verb->name, verb->summary);
    put_indented(out, verb->examples);
    pbt_buf_text(out, "\nusage: ");
    pbt_cli_put_usage(out, verb);
    pbt_buf_text(out, "\n\n");
    put_wrapped(out, verb->text);
    put_operands(out, verb);
    pbt_buf_text(out, "\noptions:\n");
    put_options(out, verb->options);
    put_options(out, pbt_cli_common);
}

/* Verbs that few need, and seldom: "also: rebuild, explain". */
static void put_rare(struct pbt_buf *out, int group)
{
    const char *between = "       also: ";
    for (size_t i = 0; i < pbt_cli_verb_count; i++) {
        const struct pbt_cli_verb *verb = &pbt_cli_verbs[i];
        if ((int)verb->group == group && verb->rare) {
            pbt_buf_printf(out, "%s%s", between, verb->name);
            between = ", ";
        }
    }
    pbt_buf_text(out, between[0] == ',' ? "\n" : "");
}

/* A terminal of 24 lines and 80 columns shows all of it. */
void pbt_cli_put_overview(struct pbt_buf *out)
{
    pbt_buf_text(
        out, "pbt: population based training\n"
             "  pbt init -- ./train.sh  an experiment file for your program\n"
             "  pbt run train.yaml      train; Ctrl-C, and the same "
             "line goes on\n\n");
    for (int group = 0; group < PBT_CLI_GROUPS; group++) {
        const char *title = pbt_cli_group_titles[group];
        for (size_t i = 0; i < pbt_cli_verb_count; i++) {
            if ((int)pbt_cli_verbs[i].group == group &&
                !pbt_cli_verbs[i].rare) {
                pbt_buf_printf(out, "%-7s%-12s %s\n", title,
                               pbt_cli_verbs[i].name, pbt_cli_verbs[i].summary);
                title = "";
            }
        }
        put_rare(out, group);
    }
    pbt_buf_text(out,
                 "\n`pbt VERB --help` explains a verb, `man pbt` the rest; "
                 "`pbt --version`.\n");
}

static void put_verbs(struct pbt_buf *out)
{
    for (size_t i = 0; i < pbt_cli_verb_count; i++) {
        pbt_buf_printf(out, "%s\n", pbt_cli_verbs[i].name);
    }
}

int pbt_cli_help(const struct pbt_cli_call *call)
{
    const char *name = pbt_cli_operand(call, 0);
    const struct pbt_cli_verb *verb =
        name != NULL ? pbt_cli_find_verb(name) : NULL;
    if (name != NULL && verb == NULL) {
        return pbt_cli_unknown_verb(name);
    }
    struct pbt_buf out;
    pbt_buf_init(&out, HELP_MAX);
    if (pbt_cli_given(call, "verbs")) {
        put_verbs(&out);
    } else if (pbt_cli_given(call, "man")) {
        pbt_cli_put_man(&out, verb);
    } else if (verb != NULL) {
        pbt_cli_put_help(&out, verb);
    } else {
        pbt_cli_put_overview(&out);
    }
    int status = pbt_buf_failed(&out)
                     ? pbt_cli_error(PBT_E0971, "out of memory")
                     : PBT_OK;
    pbt_cli_put(&out, false);
    pbt_buf_done(&out);
    return status;
}
