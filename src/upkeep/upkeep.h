/*
 * upkeep.h: what is done with a run's directory besides running: it is verified, backed up,
 * and rid of what nobody needs.
 *
 * What a run needs is what its journal says: experiment.yaml, the journal's segments, the
 * checkpoints that were saved and not given up, and start_checkpoint.
 */
#ifndef PBT_UPKEEP_UPKEEP_H
#define PBT_UPKEEP_UPKEEP_H

#include <stdbool.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/hold.h"
#include "core/core.h"
#include "journal/journal.h"
#include "run/run.h"
#include "spec/spec.h"

/* What the caller is told and asked meanwhile; each may be NULL. */
struct pbt_upkeep_watch {
    /* `done` of `all` checkpoints, and `bytes` of them so far. */
    void (*progress)(void *user, uint32_t done, uint32_t all, uint64_t bytes);
    /* A file or directory, and what is the matter with it: "is missing". */
    void (*trouble)(void *user, const char *path, const char *what);
    /* True: it is to stop (PBT_EINTERRUPTED), asked between checkpoints. */
    bool (*stopped)(void *user);
    void *user;
};

/* --- list.c --------------------------------------------------------------- */

/* The checkpoints of a run that a state names, and start_checkpoint. */
struct pbt_needed {
    struct pbt_checkpoint_id *items; /* number 0: start_checkpoint */
    size_t count;
};

int pbt_needed_list(struct pbt_needed *needed, const struct pbt_spec *spec,
                    const struct pbt_core *core, struct pbt_error *error);
void pbt_needed_done(struct pbt_needed *needed);

/* Where it is below the directory `run`. */
void pbt_needed_path(const struct pbt_spec *spec, const char *run,
                     struct pbt_checkpoint_id id, char path[PBT_RUN_PATH_SIZE]);

/* True if the state still names it. */
bool pbt_is_needed(const struct pbt_core *core, struct pbt_checkpoint_id id);

/* --- verify.c ------------------------------------------------------------- */

struct pbt_verified {
    struct pbt_journal_info journal; /* as far as it is whole */
    struct pbt_error damage;         /* of the journal; status PBT_OK: none */
    uint32_t checkpoints;            /* that were looked at */
    uint64_t bytes;                  /* in them */
    uint32_t damaged;                /* of them */
};

/*
 * Looks at the journal, and at each checkpoint that its records need, file by file; what is wrong
 * goes to watch->trouble.  Also beside a driver at work: what was given up meanwhile is not
 * missed.  Of a run with a damaged journal all checkpoints that it has on disk are looked
 * at.
 *
 * PBT_OK whatever was found.  PBT_EDATA: experiment.yaml can't be read; PBT_ENOINPUT: there is no
 * journal.
 */
int pbt_verify(const char *run, const struct pbt_upkeep_watch *watch,
               struct pbt_verified *verified, struct pbt_error *error);

/* --- gc.c ----------------------------------------------------------------- */

struct pbt_collected {
    uint32_t count; /* directories and files */
    uint64_t bytes;
};

/*
 * Removes what no record needs, or (`dry`) only finds it; `found` is told of each.  Under the
 * run's lock, which the caller holds (`hold` is asked before each), unless nobody is at work and nothing is removed.
 */
int pbt_collect(const char *run, bool dry, const struct pbt_hold *hold,
                void (*found)(void *user, const char *path, uint64_t bytes),
                void *user, struct pbt_collected *collected,
                struct pbt_error *error);

/* --- backup.c ------------------------------------------------------------- */

struct pbt_backed_up {
    struct pbt_journal_info journal; /* what was copied of it */
    struct pbt_error
        damage;          /* what the copy ends before; status PBT_OK: none */
    uint64_t lost_bytes; /* of the journal, behind that */
    uint32_t checkpoints;
    uint64_t bytes;
    uint32_t left_out; /* checkpoints that are damaged or gone */
};

/*
 * Copies what a run needs into the new directory `to`, which appears when it is whole and on the
 * disk; with what its programs printed, without the log files.  Beside a driver at work: the
 * journal up to the end of a batch, and the checkpoints that those records need.
 *
 * Damage is refused (PBT_EDATA) unless `salvage`: then the journal is copied as far as it is
 * whole, and checkpoints that are damaged or gone are left out and told to watch->trouble.
 * PBT_ECANTCREATE: `to` can't be made, or exists.  PBT_ETEMP: checkpoints are given up faster
 * than they can be copied, or the disk is full.  Nothing is left behind by a failure.
 */
int pbt_backup(const char *run, const char *to, bool salvage,
               const struct pbt_upkeep_watch *watch,
               struct pbt_backed_up *backed_up, struct pbt_error *error);

#endif
