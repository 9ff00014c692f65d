/*
 * verbs.h: one table of all that `pbt` understands.  It drives the parser (args.c), the
 * help (help.c), the man pages (man.c) and the shells' completions (completion.c).
 *
 * To add a verb: a row in verbs.c, its function in a file of its own, a section in
 * docs/cli.md.
 */
#ifndef PBT_CLI_VERBS_H
#define PBT_CLI_VERBS_H

#include <stdbool.h>
#include <stddef.h>

/* What a word stands for: completions know it, people read it in the usage. */
enum pbt_cli_kind {
    PBT_CLI_FREE,
    PBT_CLI_FILE,
    PBT_CLI_DIR,
    PBT_CLI_RUN,   /* a run's name or directory */
    PBT_CLI_TRIAL, /* a trial's id or number, of the run before it */
    PBT_CLI_VERB,
    PBT_CLI_WORD, /* one of `words` */
};

struct pbt_cli_option {
    const char *name;     /* "dir", for --dir; "x": it is -x and no other */
    char letter;          /* 'q', for -q; 0: none */
    const char *argument; /* as in the usage, "DIR"; NULL: a switch */
    enum pbt_cli_kind kind;
    const char *const *words; /* NULL-terminated */
    const char *text;         /* one line, without a full stop */
};

/* A word that is no option. */
struct pbt_cli_operand {
    const char *name; /* "FILE"; NULL ends the list */
    enum pbt_cli_kind kind;
    const char *const *words;
    bool optional;
    bool repeats; /* the last one only */
};

enum pbt_cli_group {
    PBT_CLI_TRAINING,
    PBT_CLI_LOOKING,
    PBT_CLI_HELPING,
    PBT_CLI_GROUPS,
};

struct pbt_cli_call;

#define PBT_CLI_OPERANDS_MAX 4
#define PBT_CLI_OPTIONS_MAX 24

struct pbt_cli_verb {
    const char *name; /* first: pbt_cli_close_word() */
    enum pbt_cli_group group;
    const char *summary; /* one line, without a full stop */
    struct pbt_cli_operand operands[PBT_CLI_OPERANDS_MAX + 1];
    /* Rows of pbt_cli_options, or of the verb's own; a NULL name ends the list. */
    const struct pbt_cli_option *options;
    const char *examples; /* lines: "pbt run exp.yaml" */
    const char *text;     /* paragraphs, each a line */
    int (*main)(const struct pbt_cli_call *call);
    bool rare; /* only named in the overview, not explained */
};

extern const struct pbt_cli_verb pbt_cli_verbs[];
extern const size_t pbt_cli_verb_count;
extern const char *const pbt_cli_group_titles[PBT_CLI_GROUPS];
/* The option as it is typed: "--dir", or "-x" of one that is but a letter. */
#define PBT_CLI_OPTION_SIZE 64
const char *pbt_cli_option_typed(const struct pbt_cli_option *option,
                                 char text[PBT_CLI_OPTION_SIZE]);
/* What every verb takes: --help. */
extern const struct pbt_cli_option pbt_cli_common[];

/* NULL: there is no such verb. */
const struct pbt_cli_verb *pbt_cli_find_verb(const char *name);

/* --- a call (args.c) --------------------------------------------------------- */

/* An option as it was given. */
struct pbt_cli_given {
    const struct pbt_cli_option *option;
    const char *value; /* NULL: a switch */
};

struct pbt_cli_call {
    const struct pbt_cli_verb *verb;
    char **args; /* the operands, wherever they stood */
    size_t count;
    size_t
        dashes; /* those from here on stood behind "--"; `count`: there was none */
    struct pbt_cli_given *given; /* in their order */
    size_t given_count;
};

/*
 * Takes apart argv[1 ...] of a verb.  True: go on, and pbt_cli_call_done() in the end.
 * False: help was shown, or what is wrong, and *status is the exit code.
 */
bool pbt_cli_parse(struct pbt_cli_call *call, const struct pbt_cli_verb *verb,
                   int argc, char **argv, int *status);
void pbt_cli_call_done(struct pbt_cli_call *call);

/* True if the switch, or the option, was given. */
bool pbt_cli_given(const struct pbt_cli_call *call, const char *option);
/* The argument of an option, the last one given; NULL: none. */
const char *pbt_cli_value(const struct pbt_cli_call *call, const char *option);
/* The operand of this place (from 0), or NULL. */
const char *pbt_cli_operand(const struct pbt_cli_call *call, size_t place);

/* The words of --color, in the order of enum pbt_color (view/screen.h). */
extern const char *const pbt_cli_color_words[];

/* The words of --scope, in the order of enum pbt_scope (pbt/results.h). */
extern const char *const pbt_cli_scope_words[];

/* The words of `pbt schedule --format` (schedule.c). */
extern const char *const pbt_cli_plot_kinds[];
extern const char *const pbt_cli_plot_xs[];
extern const char *const pbt_cli_schedule_formats[];
extern const char *const pbt_cli_export_formats[];

/* --- what the table is made into ------------------------------------------- */

struct pbt_buf;

/* "pbt run FILE [key=value ...] [options]" */
void pbt_cli_put_usage(struct pbt_buf *out, const struct pbt_cli_verb *verb);
/* help.c: all verbs on a screen; one verb. */
void pbt_cli_put_overview(struct pbt_buf *out);
void pbt_cli_put_help(struct pbt_buf *out, const struct pbt_cli_verb *verb);
/* man.c: pbt(1), or pbt-VERB(1), in mdoc. */
void pbt_cli_put_man(struct pbt_buf *out, const struct pbt_cli_verb *verb);

#endif
