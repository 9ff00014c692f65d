/*
 * man.c: the table as man pages, in mdoc.
 */
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "cli/verbs.h"

/* Of the pages; the version's. */
#define DATE "November 25, 2026"

struct entry {
    const char *name;
    const char *text;
};

static const struct entry environment[] = {
    {"PBT_DIR", "Where runs are, if --dir doesn't say."},
    {"PBT_SHIM",
     "The program pbt-shim, if it is neither beside pbt nor in PATH."},
    {"COLUMNS", "The width of the table, where the terminal doesn't say."},
};

static const struct entry files[] = {
    {"runs/name/experiment.yaml",
     "The experiment as run, with every default and the seed."},
    {"runs/name/journal/",
     "What happened: with the checkpoints, the truth about the run."},
    {"runs/name/trial_id/checkpoint_000001/",
     "A checkpoint: complete and never changed."},
    {"runs/name/trial_id/{stdout,stderr,error.txt}", "What the programs said."},
    {"runs/name/trial_id/{params.json,result.json,progress.csv}",
     "Ray Tune's result files."},
    {"runs/name/{pbt_global.txt,pbt_policy_trial_id.txt}",
     "Ray Tune's policy files: each exploit, with the configurations before "
     "and after."},
};

/* Text in which nothing is a request or an escape of roff. */
static void put_text(struct pbt_buf *out, const char *text, size_t length)
{
    bool begins = true; /* a line */
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (begins && (c == '.' || c == '\'')) {
            pbt_buf_text(out, "\\&");
        }
        if (c == '\\') {
            pbt_buf_text(out, "\\e");
        } else if (c == '-') {
            pbt_buf_text(out, "\\-");
        } else {
            pbt_buf_char(out, c);
        }
        begins = c == '\n';
    }
}

static void put_line(struct pbt_buf *out, const char *text)
{
    put_text(out, text, strlen(text));
    pbt_buf_char(out, '\n');
}

/* Each on a line of its own: then man knows where one ends. */
static void put_sentences(struct pbt_buf *out, const char *text, size_t length)
{
    size_t begin = 0;
    for (size_t i = 0; i + 1 < length; i++) {
        if (text[i] == '.' && text[i + 1] == ' ') {
            put_text(out, text + begin, i + 1 - begin);
            pbt_buf_char(out, '\n');
            begin = i + 2;
        }
    }
    put_text(out, text + begin, length - begin);
    pbt_buf_char(out, '\n');
}

/* Paragraphs, each a line. */
static void put_paragraphs(struct pbt_buf *out, const char *text)
{
    for (bool first = true; *text != '\0'; first = false) {
        size_t line = strcspn(text, "\n");
        pbt_buf_text(out, first ? "" : ".Pp\n");
        put_sentences(out, text, line);
        text += line + (text[line] == '\n' ? 1 : 0);
    }
}

static void put_entries(struct pbt_buf *out, const struct entry *entries,
                        size_t count)
{
    pbt_buf_text(out, ".Bl -tag -width Ds\n");
    for (size_t i = 0; i < count; i++) {
        pbt_buf_text(out, ".It ");
        put_line(out, entries[i].name);
        put_sentences(out, entries[i].text, strlen(entries[i].text));
    }
    pbt_buf_text(out, ".El\n");
}

static void put_options(struct pbt_buf *out,
                        const struct pbt_cli_option *options)
{
    for (; options->name != NULL; options++) {
        pbt_buf_text(out, ".It ");
        bool only = options->name[1] == '\0';
        if (options->letter != 0 && !only) {
            pbt_buf_printf(out, "Fl %c , ", options->letter);
        }
        pbt_buf_printf(out, only ? "Fl %s" : "Fl \\-%s", options->name);
        if (options->argument != NULL) {
            pbt_buf_printf(out, " Ar %s", options->argument);
        }
        pbt_buf_char(out, '\n');
        put_line(out, options->text);
    }
}

static void put_exit_status(struct pbt_buf *out)
{
    pbt_buf_text(out, ".Sh EXIT STATUS\n.Bl -tag -width 143 -compact\n");
#define PUT_STATUS(name, value, text)                                          \
    pbt_buf_printf(out, ".It %d\n%s\n", value, text);
    PBT_STATUS_MAP(PUT_STATUS)
#undef PUT_STATUS
    pbt_buf_text(out, ".El\n");
}

static void put_examples(struct pbt_buf *out, const char *lines)
{
    pbt_buf_text(out, ".Sh EXAMPLES\n.Bd -literal\n");
    put_text(out, lines, strlen(lines));
    pbt_buf_text(out, ".Ed\n");
}

static void put_verb(struct pbt_buf *out, const struct pbt_cli_verb *verb)
{
    pbt_buf_text(out, ".Dd " DATE "\n.Dt PBT-");
    for (const char *c = verb->name; *c != '\0'; c++) {
        pbt_buf_char(out, (char)(*c - 'a' + 'A')); /* a verb is small letters */
    }
    pbt_buf_printf(out,
                   " 1\n.Os\n.Sh NAME\n.Nm pbt-%s\n.Nd %s\n"
                   ".Sh SYNOPSIS\n.Nm pbt\n.Cm %s\n",
                   verb->name, verb->summary, verb->name);
    for (const struct pbt_cli_operand *o = verb->operands; o->name != NULL;
         o++) {
        pbt_buf_printf(out, ".%sAr %s%s\n", o->optional ? "Op " : "", o->name,
                       o->repeats ? " ..." : "");
    }
    pbt_buf_text(out, ".Op Ar options\n.Sh DESCRIPTION\n");
    put_paragraphs(out, verb->text);
    pbt_buf_text(out, ".Bl -tag -width Ds\n");
    put_options(out, verb->options);
    put_options(out, pbt_cli_common);
    pbt_buf_text(out, ".El\n");
    put_examples(out, verb->examples);
    pbt_buf_text(out, ".Sh SEE ALSO\n.Xr pbt 1\n");
}

static void put_verbs(struct pbt_buf *out)
{
    pbt_buf_text(out, ".Bl -tag -width completion\n");
    for (size_t i = 0; i < pbt_cli_verb_count; i++) {
        const struct pbt_cli_verb *verb = &pbt_cli_verbs[i];
        pbt_buf_printf(out, ".It Xr pbt-%s 1\n", verb->name);
        put_line(out, verb->summary);
    }
    pbt_buf_text(out, ".El\n");
}

static void put_overview(struct pbt_buf *out)
{
    pbt_buf_text(
        out,
        ".Dd " DATE "\n.Dt PBT 1\n.Os\n.Sh NAME\n.Nm pbt\n"
        ".Nd population based training\n.Sh SYNOPSIS\n.Nm\n.Ar verb\n"
        ".Op Ar options\n.Nm\n.Fl \\-version\n.Sh DESCRIPTION\n.Nm\n"
        "trains a population of models side by side.\n"
        "Every few iterations the worst of them take over the weights of the "
        "best and go on with slightly different hyperparameters.\n.Pp\n"
        "An experiment is described by a file, in YAML, or in JSON if its name "
        "ends in\n.Pa .json .\n"
        "It names the program that trains; one process of it runs for each "
        "trial.\n.Ar key Ns = Ns Ar value\n"
        "goes on top of the file, with dots between the parts of the key and "
        "the value in YAML.\n");
    put_verbs(out);
    pbt_buf_text(
        out,
        ".Pp\nA\n.Ar RUN\nis a run's directory, or its name below the "
        "directory of\n.Fl \\-dir ,\nelse below\n.Ev PBT_DIR ,\nelse below\n"
        ".Pa runs .\nA\n.Ar TRIAL\nis an id, such as ba982_00003, or its "
        "number.\nOptions may stand anywhere.\nWhat follows\n.Fl \\-\n"
        "is never an option.\n.Pp\n"
        "SIGINT and SIGTERM let the steps under way finish, for as long as\n"
        ".Cm grace\n"
        "in the file says, and save every trial; a second one ends "
        "everything at once.\nThe run can be resumed either way.\n"
        "SIGHUP is like the first of these, unless it is ignored.\n"
        ".Sh ENVIRONMENT\n");
    put_entries(out, environment, sizeof environment / sizeof *environment);
    pbt_buf_text(out, ".Sh FILES\n");
    put_entries(out, files, sizeof files / sizeof *files);
    put_exit_status(out);
    put_examples(out, "pbt check mnist.yaml num_samples=8\n"
                      "pbt run mnist.yaml num_samples=8\n"
                      "pbt resume mnist-convnet\n");
}

void pbt_cli_put_man(struct pbt_buf *out, const struct pbt_cli_verb *verb)
{
    if (verb != NULL) {
        put_verb(out, verb);
    } else {
        put_overview(out);
    }
}
