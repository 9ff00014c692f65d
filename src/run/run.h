/*
 * run.h: one run, from its directory to its end: what `pbt run`, `pbt resume` and
 * pbt_run() have in common.
 *
 * A run is made (create.c) or is there already; from then on new and resumed runs go the
 * same way (run.c): lock, log thread, local executor, driver.
 */
#ifndef PBT_RUN_RUN_H
#define PBT_RUN_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/buf.h"
#include "core/core.h"
#include "journal/journal.h"
#include "log/board.h"
#include "spec/spec.h"

#define PBT_RUN_PATH_SIZE 4096
/* In a run's directory: snapshots of the state, which can be deleted. */
#define PBT_RUN_SNAPSHOTS "snapshots"

/* --- create.c ------------------------------------------------------------- */

struct pbt_run_place {
    char path[PBT_RUN_PATH_SIZE]; /* absolute */
    bool
        resumed; /* an unfinished run of this very experiment was found there */
    bool renamed; /* the name was taken: "<name>-2" */
};

/*
 * The directory for a run of `spec` below `dir`, which is made if needed.  Nothing is ever
 * overwritten: an unfinished run of the same experiment is taken up again (its seed is
 * taken over where the file gives none), anything else leads to "<name>-2".
 */
int pbt_run_create(struct pbt_spec *spec, const char *dir,
                   struct pbt_run_place *place, struct pbt_error *error);

/* Reads the specification of a run as it was started, RUN/experiment.yaml. */
int pbt_run_read_spec(const char *path, struct pbt_spec *spec,
                      struct pbt_error *error);

/* --- change.c ------------------------------------------------------------- */

#define PBT_RUN_SPEC_MAX ((size_t)16 << 20) /* bytes of an experiment.yaml */
#define PBT_CHANGE_WHY_SIZE 256

/* True if the two say the same of a key (enum pbt_key_id). */
bool pbt_run_same_key(const struct pbt_spec *a, const struct pbt_spec *b,
                      int key);

/*
 * Whether a run of `from`, whose state is `core`, can go on as one of `to` as far as this key
 * is concerned.  False: `why` says why not.
 */
bool pbt_run_may_change(const struct pbt_spec *from, const struct pbt_spec *to,
                        const struct pbt_core *core, int key, char *why,
                        size_t size);

/*
 * Makes the run one of `to`, at once or not at all; it may, by pbt_run_may_change().  `from` is what
 * was read of it.  PBT_ETEMP: a driver is at work, or it isn't `from` any more.  `say` is told if
 * a lock is waited for.
 */
int pbt_run_change(const char *path, const struct pbt_spec *from,
                   const struct pbt_spec *to,
                   void (*say)(void *user, const char *text), void *user,
                   struct pbt_error *error);

/* --- fold.c --------------------------------------------------------------- */

/* The state that a run's journal leads to; `spec` is its own and is borrowed. */
int pbt_run_fold(const char *path, struct pbt_spec *spec,
                 struct pbt_core **core, struct pbt_error *error);

/*
 * The same, reading all of the journal whatever else there is.  `info` is what was read, as
 * pbt_journal_read() says, also of a journal that is damaged; segments 0: there is none.
 */
int pbt_run_fold_all(const char *path, struct pbt_spec *spec,
                     struct pbt_core **core, struct pbt_journal_info *info,
                     struct pbt_error *error);

/* --- debris.c ------------------------------------------------------------- */

/* A failure ends the search. */
typedef int (*pbt_debris_fn)(void *user, const char *path,
                             struct pbt_error *error);

/*
 * Gives to `fn` each directory of a checkpoint that no record names: a save that never came to its
 * record, or one that was given up.  No driver may be at work: its saves look like that.
 */
int pbt_run_debris(const char *path, const struct pbt_spec *spec,
                   const struct pbt_core *core, pbt_debris_fn fn, void *user,
                   struct pbt_error *error);

/* True if nothing of the run is left to be done. */
int pbt_run_is_over(const char *path, bool *over, struct pbt_error *error);

/* --- run.c ---------------------------------------------------------------- */

#define PBT_RUN_NONE (-1)
#define PBT_RUN_ALL (-2)

struct pbt_run_options {
    const char *shim; /* pbt-shim; NULL: it is looked for */
    int stop_fd;      /* readable: the run is to end; -1: nobody asks */
    /* What ends it at once, for the message that it is stopping; NULL: nothing. */
    const char *kill_hint;
    /* Of what the user has paused, this trial goes on (PBT_RUN_ALL: all of it). */
    int64_t unpause;
    /* The functions of a program (exec/local.h); NULL: there are none. */
    int (*ask)(void *user, const char *json, size_t length,
               struct pbt_buf *answer, struct pbt_error *error);
    void *ask_user;
    const char *const *functions; /* for struct pbt_spec */
    bool explores; /* one of them is the custom explore function */
    /* Messages for people; from the loop's thread.  NULL: none. */
    void (*say)(void *user, const char *text);
    /*
     * Twice a second from a thread of its own, and at last (`last`) from the caller's: the
     * board, to be shown or not.  NULL: not.
     */
    void (*show)(void *user, const struct pbt_board *board, bool last);
    void *user;
};

struct pbt_run_outcome {
    enum pbt_end end;
    uint32_t terminated;
    uint32_t errors;
    uint32_t unfinished;
    uint64_t perturbations;
    uint64_t results;
    bool has_best; /* of the experiment's metric */
    /* Time of a processor, in ns, of the loop's thread and of the process. */
    uint64_t loop_cpu_ns;
    uint64_t process_cpu_ns;
};

/*
 * Takes the run in the directory `path` to its end.  PBT_OK: every trial is finished, or the
 * run was ended by stop_all or time_budget_s.  PBT_EFAILED: some trial failed for good;
 * PBT_EINTERRUPTED: it was asked to stop and can be resumed; `outcome` is filled for these
 * three.  Else: what went wrong.
 */
int pbt_run_go(const char *path, const struct pbt_run_options *options,
               struct pbt_run_outcome *outcome, struct pbt_error *error);

/* --- shim.c --------------------------------------------------------------- */

/* Finds pbt-shim: $PBT_SHIM, or beside this program or library, or in $PATH. */
int pbt_run_find_shim(char *path, size_t size, struct pbt_error *error);

#endif
