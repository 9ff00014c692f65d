/*
 * cli.h: what the verbs of the command `pbt` share.
 *
 * A verb is a row of the table (verbs.h) and a file of its own with one function, which is
 * given the call and returns the exit code: a status of pbt/error.h.  Data goes to stdout, messages to stderr.
 * main() flushes stdout and says what went wrong there.
 */
#ifndef PBT_CLI_CLI_H
#define PBT_CLI_CLI_H

#include <stdbool.h>
#include <stddef.h>

#include <pbt/error.h>

#include "base/codes.h"
#include "cli/verbs.h"
#include "spec/spec.h"
#include "view/screen.h"

int pbt_cli_init(const struct pbt_cli_call *call);
int pbt_cli_run(const struct pbt_cli_call *call);
int pbt_cli_resume(const struct pbt_cli_call *call);
int pbt_cli_stop(const struct pbt_cli_call *call);
int pbt_cli_pause(const struct pbt_cli_call *call);
int pbt_cli_check(const struct pbt_cli_call *call);
int pbt_cli_replay(const struct pbt_cli_call *call);
int pbt_cli_status(const struct pbt_cli_call *call);
int pbt_cli_ls(const struct pbt_cli_call *call);
int pbt_cli_show(const struct pbt_cli_call *call);
int pbt_cli_best(const struct pbt_cli_call *call);
int pbt_cli_plot(const struct pbt_cli_call *call);
int pbt_cli_schedule(const struct pbt_cli_call *call);
int pbt_cli_lineage(const struct pbt_cli_call *call);
int pbt_cli_export(const struct pbt_cli_call *call);
int pbt_cli_logs(const struct pbt_cli_call *call);
int pbt_cli_rebuild(const struct pbt_cli_call *call);
int pbt_cli_verify(const struct pbt_cli_call *call);
int pbt_cli_backup(const struct pbt_cli_call *call);
int pbt_cli_gc(const struct pbt_cli_call *call);
int pbt_cli_explain(const struct pbt_cli_call *call);
int pbt_cli_doctor(const struct pbt_cli_call *call);
int pbt_cli_version(const struct pbt_cli_call *call);
int pbt_cli_help(const struct pbt_cli_call *call);
int pbt_cli_completion(const struct pbt_cli_call *call);

/* --- messages ------------------------------------------------------------- */

/* "error[E0702]: ..." on stderr; returns the status. */
int pbt_cli_fail(const struct pbt_error *error);
/*
 * The same, with carets below the argument that it is about (as for pbt_cli_usage()).
 */
int pbt_cli_fail_at(const struct pbt_error *error, const char *at,
                    const char *label);
/*
 * An experiment file with these problems, and how to read on; or, without any, one that can't
 * be read, with the one beside it that may be meant.
 */
int pbt_cli_fail_file(const struct pbt_error *error,
                      const struct pbt_buf *problems, const char *file);
int pbt_cli_error(enum pbt_code code, const char *fmt, ...) PBT_PRINTF(2, 3);
void pbt_cli_warn(enum pbt_code code, const char *fmt, ...) PBT_PRINTF(2, 3);
/*
 * An error of usage, with carets below its place in the command line, and where to read on;
 * returns PBT_EUSAGE.  `at`: an element of main()'s argv, or a place in one (to its end); NULL:
 * the end of the line.  `label`: what stands behind the carets, or NULL.  `verb`: NULL for none.
 */
int pbt_cli_usage(enum pbt_code code, const char *verb, const char *at,
                  const char *label, const char *fmt, ...) PBT_PRINTF(5, 6);
/* The same for a verb that there isn't. */
int pbt_cli_unknown_verb(const char *name);
/* Keeps the command line for messages; false without memory. */
bool pbt_cli_remember(int argc, char **argv);
/* Its words; they live as long as the process. */
struct pbt_typed pbt_cli_typed(void);

/* What --color says; AUTO for a verb without it. */
enum pbt_color pbt_cli_color(const struct pbt_cli_call *call);

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
 * "pbt VERB RUN TRIAL", as it can be pasted into a shell: a run is called as the user called
 * it.  `trial` may be NULL.
 */
void pbt_cli_put_command(struct pbt_buf *out, const char *verb, const char *run,
                         const char *trial);
/* On stdout: what stands before such a command, the command, and the line's end. */
void pbt_cli_say_command(const char *before, const char *verb, const char *run,
                         const char *trial);

/* True if the directory is that of a run. */
bool pbt_cli_is_run(const char *path);

/*
 * Writes what a finished run's log files lack: its driver may have been killed behind the
 * last record and before them.
 */
int pbt_cli_catch_up(const char *run, struct pbt_error *error);

/* Deletes what `pbt gc` would, without a word: a finished run has no driver that would. */
int pbt_cli_sweep(const char *run, struct pbt_error *error);

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
