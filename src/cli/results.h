/*
 * results.h: what the verbs that read a run share: finding it, and its JSON.
 *
 * The JSON forms are documented in docs/cli.md ("JSON") and may get more members, never others.
 */
#ifndef PBT_CLI_RESULTS_H
#define PBT_CLI_RESULTS_H

#include <limits.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "results/results.h"

/* Room for what a verb prints of a run. */
#define PBT_CLI_OUTPUT_MAX ((size_t)1 << 30)

/*
 * Opens the run that the call's first operand names, and puts its directory into `dir`.  On
 * failure it has said why, and returns the status.
 */
int pbt_cli_open_results(const struct pbt_cli_call *call, char dir[PATH_MAX],
                         struct pbt_results **results);

/* Reads a run; on a terminal a bar says how far its journal is, where that takes a while. */
int pbt_cli_read_run(struct pbt_results **results, const char *dir,
                     struct pbt_error *error);

/* The trial that the call's second operand names; says so if there is none. */
int pbt_cli_pick_trial(const struct pbt_cli_call *call,
                       const struct pbt_results *results,
                       const struct pbt_trial_info **trial);

/* Prints `out` on stdout, or that memory was out, and releases it; returns the status. */
int pbt_cli_print(struct pbt_buf *out);

/* "2026-11-25 20:41:07", local time; "-" for 0. */
#define PBT_CLI_TIME_SIZE 32
void pbt_cli_time(double unix_time, char text[PBT_CLI_TIME_SIZE]);
/* "1h02m", "3m05s", "12.3s" */
void pbt_cli_duration(double seconds, char text[PBT_CLI_TIME_SIZE]);

/* A line with a configuration, its numbers as people read them (base/shown.h). */
void pbt_cli_put_config(struct pbt_buf *out, const char *label,
                        const struct pbt_config *config);

/* --- JSON ------------------------------------------------------------------- */

void pbt_cli_json_run(struct pbt_buf *out, const struct pbt_results *results);
void pbt_cli_json_trial(struct pbt_buf *out, const struct pbt_results *results,
                        const struct pbt_trial_info *trial);
/* A document: the run, and all its trials. */
void pbt_cli_json_trials(struct pbt_buf *out,
                         const struct pbt_results *results);
/* NULL is null. */
void pbt_cli_json_checkpoint(struct pbt_buf *out,
                             const struct pbt_results *results,
                             const struct pbt_checkpoint_info *checkpoint);
/* Exploit `number`, with the configuration that it gave. */
int pbt_cli_json_exploit(struct pbt_buf *out, struct pbt_results *results,
                         uint32_t number, struct pbt_error *error);
/* A member: `,"name":` and a JSON string. */
void pbt_cli_json_text(struct pbt_buf *out, const char *name, const char *text);
void pbt_cli_json_real(struct pbt_buf *out, const char *name, double value);

#endif
