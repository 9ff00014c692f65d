/*
 * cli.h: what the verbs of the command `pbt` share.
 *
 * A verb is a file of its own with one function, which is given its own name as argv[0] and
 * returns the exit code: a status of pbt/error.h.  Data goes to stdout, messages to stderr.
 * main() flushes stdout and says what went wrong there.
 */
#ifndef PBT_CLI_CLI_H
#define PBT_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include <pbt/error.h>

#include "base/codes.h"
#include "spec/spec.h"

int pbt_cli_run(int argc, char **argv);
int pbt_cli_resume(int argc, char **argv);
int pbt_cli_stop(int argc, char **argv);
int pbt_cli_pause(int argc, char **argv);
int pbt_cli_check(int argc, char **argv);
int pbt_cli_status(int argc, char **argv);
int pbt_cli_rebuild(int argc, char **argv);
int pbt_cli_explain(int argc, char **argv);

/* --- messages ------------------------------------------------------------- */

/* "error[E0702]: ..." on stderr; returns the status. */
int pbt_cli_fail(const struct pbt_error *error);
int pbt_cli_error(enum pbt_code code, const char *fmt, ...) PBT_PRINTF(2, 3);
void pbt_cli_warn(enum pbt_code code, const char *fmt, ...) PBT_PRINTF(2, 3);
/*
 * An error of usage, with carets below its place in the command line, and where to read on;
 * returns PBT_EUSAGE.  `at`: an element of main()'s argv, or a place in one (to its end); NULL:
 * the end of the line.  `label`: what stands behind the carets, or NULL.  `verb`: NULL for none.
 */
int pbt_cli_usage(enum pbt_code code, const char *verb, const char *at,
                  const char *label, const char *fmt, ...) PBT_PRINTF(5, 6);
/* Keeps the command line for messages; false without memory. */
bool pbt_cli_remember(int argc, char **argv);

/* --- arguments -------------------------------------------------------------- */

/* An option of a verb: one that takes an argument, or a switch. */
struct pbt_cli_option {
    const char *name;     /* "dir", for --dir */
    const char *argument; /* as in help, "DIR"; NULL: a switch */
    const char *text;     /* one line of help */
    const char **value;   /* set if there is an argument: borrowed from argv */
    bool *given;          /* may be NULL beside `value` */
};

struct pbt_cli_syntax {
    const char *arguments; /* as in help: "FILE [key=value ...]" */
    const char *text;      /* help: what the verb does, and examples */
    const struct pbt_cli_option *options;
    size_t option_count;
    int min; /* arguments that are no options */
    int max; /* -1: any number */
};

/*
 * Takes the options out of argv, wherever they stand (all behind "--" are arguments).
 * True: go on with the `*count` arguments at `*args`.  False: help was shown, or an
 * error, and the verb returns `*status`.
 */
bool pbt_cli_parse(const struct pbt_cli_syntax *syntax, int argc, char **argv,
                   char ***args, size_t *count, int *status);

/* For the option --dir of verbs that take a RUN. */
#define PBT_CLI_DIR_TEXT "where runs are (default: $PBT_DIR, else runs)"

/* --- runs ------------------------------------------------------------------- */

/* `dir` (from --dir), else $PBT_DIR, else "runs". */
const char *pbt_cli_runs_dir(const char *dir);

/*
 * The directory of a run that is given by its name (below pbt_cli_runs_dir()) or
 * its directory.  PBT_ENOINPUT says which there are.
 */
int pbt_cli_find_run(const char *name, const char *dir, char *path, size_t size,
                     struct pbt_error *error);

/*
 * Writes what a finished run's log files lack: its driver may have been killed behind the
 * last record and before them.
 */
int pbt_cli_catch_up(const char *run, struct pbt_error *error);

/*
 * The one of `count` words that `word` may be a misspelling of, or NULL.  The words are the
 * first member of items of `stride` bytes.
 */
const char *pbt_cli_close_word(const char *word, const void *words,
                               size_t count, size_t stride);

/* Writes out stdout; returns 0, or the errno of its first failure, now or before. */
int pbt_cli_flush(void);

/* A line on stderr, with "?" for what a terminal could act on. */
void pbt_cli_say(const char *text);

/*
 * Prints text that may hold NULs to a stream; for people (stderr, a terminal) with "?" for
 * what a terminal could act on.
 */
void pbt_cli_put(const struct pbt_buf *text, bool to_stderr);

#endif
