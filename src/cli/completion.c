/*
 * completion.c: the table as completions for bash, zsh and fish.
 *
 * What a RUN or a TRIAL can be is found by the shell, in the directories: a run has a
 * journal, and a trial's id is the name of its directory.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/verbs.h"

#define SCRIPT_MAX ((size_t)256 * 1024)

/* In single quotes, for any of the three shells. */
static void put_quoted(struct pbt_buf *out, const char *text)
{
    pbt_buf_char(out, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'') {
            pbt_buf_text(out, "'\\''");
        } else {
            pbt_buf_char(out, *text);
        }
    }
    pbt_buf_char(out, '\'');
}

static void put_words(struct pbt_buf *out, const char *const *words)
{
    for (size_t i = 0; words[i] != NULL; i++) {
        pbt_buf_printf(out, "%s%s", i > 0 ? " " : "", words[i]);
    }
}

static void put_verb_names(struct pbt_buf *out)
{
    for (size_t i = 0; i < pbt_cli_verb_count; i++) {
        pbt_buf_printf(out, "%s%s", i > 0 ? " " : "", pbt_cli_verbs[i].name);
    }
}

/* --- bash ------------------------------------------------------------------- */

static const char bash_begin[] =
    "# Completion of pbt for bash; made by `pbt completion bash`.\n"
    "_pbt_runs() {\n"
    "    local dir=${PBT_DIR:-runs} journal\n"
    "    for journal in \"$dir\"/*/journal; do\n"
    "        [ -d \"$journal\" ] && basename \"${journal%/journal}\"\n"
    "    done\n"
    "}\n"
    "_pbt_trials() {\n"
    "    local run=$1 trial\n"
    "    [ -d \"$run/journal\" ] || run=${PBT_DIR:-runs}/$run\n"
    "    for trial in \"$run\"/*_[0-9]*; do\n"
    "        [ -d \"$trial\" ] && basename \"$trial\"\n"
    "    done\n"
    "}\n"
    "# What can stand here: a kind, and what it needs.\n"
    "_pbt_kind() {\n"
    "    case $1 in\n"
    "    file) mapfile -t COMPREPLY < <(compgen -f -- \"$cur\") ;;\n"
    "    dir) mapfile -t COMPREPLY < <(compgen -d -- \"$cur\") ;;\n"
    "    run) mapfile -t COMPREPLY < <(compgen -W \"$(_pbt_runs)\" -- "
    "\"$cur\"; compgen -d -- \"$cur\") ;;\n"
    "    trial) mapfile -t COMPREPLY < <(compgen -W \"$(_pbt_trials \"$2\")\" "
    "-- \"$cur\") ;;\n"
    "    words) mapfile -t COMPREPLY < <(compgen -W \"$2\" -- \"$cur\") ;;\n"
    "    esac\n"
    "}\n"
    "_pbt() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} "
    "prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local verb=${COMP_WORDS[1]} place=0 run=\"\" i\n"
    "    COMPREPLY=()\n"
    "    if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
    "        _pbt_kind words \"";

static const char bash_middle[] =
    " --help --version\"\n"
    "        return\n"
    "    fi\n"
    "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
    "        [[ ${COMP_WORDS[i]} == -* ]] && continue\n"
    "        [ -z \"$run\" ] && run=${COMP_WORDS[i]}\n"
    "        place=$((place + 1))\n"
    "    done\n"
    "    case $verb in\n";

static const char bash_end[] = "    esac\n"
                               "}\n"
                               "complete -o filenames -F _pbt pbt\n";

static void put_bash_kind(struct pbt_buf *out, enum pbt_cli_kind kind,
                          const char *const *words)
{
    switch (kind) {
    case PBT_CLI_FILE:
        pbt_buf_text(out, "_pbt_kind file");
        break;
    case PBT_CLI_DIR:
        pbt_buf_text(out, "_pbt_kind dir");
        break;
    case PBT_CLI_RUN:
        pbt_buf_text(out, "_pbt_kind run");
        break;
    case PBT_CLI_TRIAL:
        pbt_buf_text(out, "_pbt_kind trial \"$run\"");
        break;
    case PBT_CLI_VERB:
        pbt_buf_text(out, "_pbt_kind words \"");
        put_verb_names(out);
        pbt_buf_char(out, '"');
        break;
    case PBT_CLI_WORD:
        pbt_buf_text(out, "_pbt_kind words \"");
        put_words(out, words);
        pbt_buf_char(out, '"');
        break;
    case PBT_CLI_FREE:
        pbt_buf_char(out, ':');
        break;
    }
}

static void put_bash_options(struct pbt_buf *out,
                             const struct pbt_cli_option *options)
{
    char typed[PBT_CLI_OPTION_SIZE];
    for (; options->name != NULL; options++) {
        pbt_buf_printf(out, "%s ", pbt_cli_option_typed(options, typed));
    }
}

static void put_bash_verb(struct pbt_buf *out, const struct pbt_cli_verb *verb)
{
    size_t place = 0;
    char typed[PBT_CLI_OPTION_SIZE];
    pbt_buf_printf(out, "    %s)\n        case $prev in\n", verb->name);
    for (const struct pbt_cli_option *o = verb->options; o->name != NULL; o++) {
        if (o->argument != NULL) {
            pbt_buf_printf(out, "        %s) ", pbt_cli_option_typed(o, typed));
            put_bash_kind(out, o->kind, o->words);
            pbt_buf_text(out, "; return ;;\n");
        }
    }
    pbt_buf_text(out, "        esac\n        if [[ $cur == -* ]]; then\n"
                      "            _pbt_kind words \"");
    put_bash_options(out, verb->options);
    put_bash_options(out, pbt_cli_common);
    pbt_buf_text(out, "\"\n            return\n        fi\n"
                      "        case $place in\n");
    for (const struct pbt_cli_operand *o = verb->operands; o->name != NULL;
         o++) {
        pbt_buf_printf(out, "        %zu) ", place++);
        put_bash_kind(out, o->kind, o->words);
        pbt_buf_text(out, " ;;\n");
    }
    pbt_buf_text(out, "        esac ;;\n");
}

static void put_bash(struct pbt_buf *out)
{
    pbt_buf_text(out, bash_begin);
    put_verb_names(out);
    pbt_buf_text(out, bash_middle);
    for (size_t i = 0; i < pbt_cli_verb_count; i++) {
        put_bash_verb(out, &pbt_cli_verbs[i]);
    }
    pbt_buf_text(out, bash_end);
}

/* --- zsh -------------------------------------------------------------------- */

static const char zsh_begin[] =
    "#compdef pbt\n"
    "# Completion of pbt for zsh; made by `pbt completion zsh`.\n"
    "_pbt_runs() {\n"
    "    local dir=${PBT_DIR:-runs}\n"
    "    local -a names\n"
    "    names=($dir/*/journal(N/:h:t))\n"
    "    compadd -a names\n"
    "    _files -/\n"
    "}\n"
    "_pbt_trials() {\n"
    "    local run=$words[2]\n"
    "    local -a names\n"
    "    [[ -d $run/journal ]] || run=${PBT_DIR:-runs}/$run\n"
    "    names=($run/*_<->(N/:t))\n"
    "    compadd -a names\n"
    "}\n"
    "_pbt() {\n"
    "    local -a verbs\n"
    "    verbs=(\n";

static void put_zsh_kind(struct pbt_buf *out, enum pbt_cli_kind kind,
                         const char *const *words)
{
    switch (kind) {
    case PBT_CLI_FILE:
        pbt_buf_text(out, "_files");
        break;
    case PBT_CLI_DIR:
        pbt_buf_text(out, "_files -/");
        break;
    case PBT_CLI_RUN:
        pbt_buf_text(out, "_pbt_runs");
        break;
    case PBT_CLI_TRIAL:
        pbt_buf_text(out, "_pbt_trials");
        break;
    case PBT_CLI_VERB:
        pbt_buf_char(out, '(');
        put_verb_names(out);
        pbt_buf_char(out, ')');
        break;
    case PBT_CLI_WORD:
        pbt_buf_char(out, '(');
        put_words(out, words);
        pbt_buf_char(out, ')');
        break;
    case PBT_CLI_FREE:
        break;
    }
}

/* "--dir[where runs are]:DIR:_files -/"; brackets and colons are zsh's own. */
static void put_zsh_option(struct pbt_buf *out,
                           const struct pbt_cli_option *option)
{
    char typed[PBT_CLI_OPTION_SIZE];
    pbt_buf_printf(out, " '%s[", pbt_cli_option_typed(option, typed));
    for (const char *c = option->text; *c != '\0'; c++) {
        if (strchr("[]:\\", *c) != NULL) {
            pbt_buf_char(out, '\\');
        }
        if (*c == '\'') {
            pbt_buf_text(out, "'\\'");
        }
        pbt_buf_char(out, *c);
    }
    pbt_buf_char(out, ']');
    if (option->argument != NULL) {
        pbt_buf_printf(out, ":%s:", option->argument);
        put_zsh_kind(out, option->kind, option->words);
    }
    pbt_buf_char(out, '\'');
}

static void put_zsh_verb(struct pbt_buf *out, const struct pbt_cli_verb *verb)
{
    int place = 1;
    pbt_buf_printf(out, "    %s) _arguments", verb->name);
    for (const struct pbt_cli_option *o = verb->options; o->name != NULL; o++) {
        put_zsh_option(out, o);
    }
    for (const struct pbt_cli_option *o = pbt_cli_common; o->name != NULL;
         o++) {
        put_zsh_option(out, o);
    }
    for (const struct pbt_cli_operand *o = verb->operands; o->name != NULL;
         o++) {
        if (o->repeats) {
            pbt_buf_printf(out, " '*:%s:", o->name);
        } else {
            pbt_buf_printf(out, " '%d:%s:", place++, o->name);
        }
        put_zsh_kind(out, o->kind, o->words);
        pbt_buf_char(out, '\'');
    }
    pbt_buf_text(out, " ;;\n");
}

static void put_zsh(struct pbt_buf *out)
{
    pbt_buf_text(out, zsh_begin);
    for (size_t i = 0; i < pbt_cli_verb_count; i++) {
        char line[256];
        (void)snprintf(line, sizeof line, "%s:%s", pbt_cli_verbs[i].name,
                       pbt_cli_verbs[i].summary);
        pbt_buf_text(out, "        ");
        put_quoted(out, line);
        pbt_buf_char(out, '\n');
    }
    pbt_buf_text(out, "    )\n    if ((CURRENT == 2)); then\n"
                      "        _describe verb verbs\n        return\n    fi\n"
                      "    shift words\n    ((CURRENT--))\n"
                      "    case $words[1] in\n");
    for (size_t i = 0; i < pbt_cli_verb_count; i++) {
        put_zsh_verb(out, &pbt_cli_verbs[i]);
    }
    pbt_buf_text(out, "    esac\n}\n_pbt \"$@\"\n");
}

/* --- fish ------------------------------------------------------------------- */

static const char fish_begin[] =
    "# Completion of pbt for fish; made by `pbt completion fish`.\n"
    "function __pbt_runs\n"
    "    set -l dir runs\n"
    "    set -q PBT_DIR; and set dir $PBT_DIR\n"
    "    for journal in $dir/*/journal\n"
    "        basename (dirname $journal)\n"
    "    end\n"
    "    __fish_complete_directories (commandline -ct)\n"
    "end\n"
    "function __pbt_trials\n"
    "    set -l words (commandline -opc)\n"
    "    set -l run $words[3]\n"
    "    set -l dir runs\n"
    "    set -q PBT_DIR; and set dir $PBT_DIR\n"
    "    test -d $run/journal; or set run $dir/$run\n"
    "    for trial in $run/*_*/\n"
    "        basename $trial\n"
    "    end\n"
    "end\n"
    "function __pbt_place\n"
    "    test (count (string match -v -- '-*' (commandline -opc))) -eq "
    "(math $argv[1] + 2)\n"
    "end\n"
    "complete -c pbt -f\n";

static void put_fish_kind(struct pbt_buf *out, enum pbt_cli_kind kind,
                          const char *const *words)
{
    switch (kind) {
    case PBT_CLI_FILE:
        pbt_buf_text(out, " -F");
        break;
    case PBT_CLI_DIR:
        pbt_buf_text(out,
                     " -a '(__fish_complete_directories (commandline -ct))'");
        break;
    case PBT_CLI_RUN:
        pbt_buf_text(out, " -a '(__pbt_runs)'");
        break;
    case PBT_CLI_TRIAL:
        pbt_buf_text(out, " -a '(__pbt_trials)'");
        break;
    case PBT_CLI_VERB:
        pbt_buf_text(out, " -a '");
        put_verb_names(out);
        pbt_buf_char(out, '\'');
        break;
    case PBT_CLI_WORD:
        pbt_buf_text(out, " -a '");
        put_words(out, words);
        pbt_buf_char(out, '\'');
        break;
    case PBT_CLI_FREE:
        break;
    }
}

static void put_fish_options(struct pbt_buf *out, const char *verb,
                             const struct pbt_cli_option *options)
{
    for (; options->name != NULL; options++) {
        pbt_buf_printf(
            out, "complete -c pbt -n '__fish_seen_subcommand_from %s'", verb);
        if (options->name[1] != '\0') {
            pbt_buf_printf(out, " -l %s", options->name);
        }
        if (options->letter != 0) {
            pbt_buf_printf(out, " -s %c", options->letter);
        }
        if (options->argument != NULL) {
            pbt_buf_text(out, " -r");
            put_fish_kind(out, options->kind, options->words);
        }
        pbt_buf_text(out, " -d ");
        put_quoted(out, options->text);
        pbt_buf_char(out, '\n');
    }
}

static void put_fish_verb(struct pbt_buf *out, const struct pbt_cli_verb *verb)
{
    int place = 0;
    pbt_buf_printf(out, "complete -c pbt -n __fish_use_subcommand -a %s -d ",
                   verb->name);
    put_quoted(out, verb->summary);
    pbt_buf_char(out, '\n');
    put_fish_options(out, verb->name, verb->options);
    put_fish_options(out, verb->name, pbt_cli_common);
    for (const struct pbt_cli_operand *o = verb->operands; o->name != NULL;
         o++) {
        if (o->kind != PBT_CLI_FREE) {
            pbt_buf_printf(out,
                           "complete -c pbt -n '__fish_seen_subcommand_from "
                           "%s; and __pbt_place %d'",
                           verb->name, place);
            put_fish_kind(out, o->kind, o->words);
            pbt_buf_char(out, '\n');
        }
        place++;
    }
}

static void put_fish(struct pbt_buf *out)
{
    pbt_buf_text(out, fish_begin);
    for (size_t i = 0; i < pbt_cli_verb_count; i++) {
        put_fish_verb(out, &pbt_cli_verbs[i]);
    }
}

int pbt_cli_completion(const struct pbt_cli_call *call)
{
    const char *shell = pbt_cli_operand(call, 0);
    struct pbt_buf out;
    pbt_buf_init(&out, SCRIPT_MAX);
    if (strcmp(shell, "bash") == 0) {
        put_bash(&out);
    } else if (strcmp(shell, "zsh") == 0) {
        put_zsh(&out);
    } else {
        put_fish(&out);
    }
    int status = pbt_buf_failed(&out)
                     ? pbt_cli_error(PBT_E0971, "out of memory")
                     : PBT_OK;
    pbt_cli_put(&out, false);
    pbt_buf_done(&out);
    return status;
}
