/*
 * driver.h: the one loop.
 *
 * A turn: gather a batch of news; for each event decide and apply, then decide on nothing
 * until nothing is left to decide; append all records in one write; only then acknowledge
 * and carry out what is owed.  Nothing else decides anything.
 */
#ifndef PBT_DRIVER_DRIVER_H
#define PBT_DRIVER_DRIVER_H

#include <stdbool.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/hold.h"

#include "core/core.h"
#include "driver/world.h"
#include "journal/journal.h"
#include "spec/spec.h"

/* Whoever wants to see what was journalled: the log thread, tests. */
struct pbt_sink {
    /* The lines of `count` records, as in the journal; borrowed for the call. */
    int (*records)(struct pbt_sink *sink, const char *lines, size_t length,
                   struct pbt_error *error);
    /*
     * Once, before all others: those up to this one are not given, they are only in the
     * journal.
     */
    int (*skipped)(struct pbt_sink *sink, uint64_t record,
                   struct pbt_error *error);
};

/* Points between which a driver may die: tests of proof 2 use them. */
enum pbt_turn_point {
    PBT_TURN_GATHERED,
    PBT_TURN_DECIDED,
    PBT_TURN_APPENDED,
    PBT_TURN_CARRIED_OUT,
};

/* A snapshot is worth a quarter of a second of reading at the next open. */
#define PBT_SNAPSHOT_EVERY UINT64_C(100000)

struct pbt_driver_options {
    struct pbt_files *files;
    const char *journal_dir;
    /* Where snapshots of the state are kept, an existing directory; NULL: nowhere. */
    const char *snapshot_dir;
    uint64_t snapshot_every; /* records; 0: PBT_SNAPSHOT_EVERY */
    uint32_t slots;
    int64_t wall_ns; /* unix time now: for the record `opened` */
    int64_t pid;
    const char *host;
    /* Asked of the run as it is opened: seq 0, without an answer.  NULL: nothing. */
    const struct pbt_input *request;
    /* What ends it at once, for the message that it is stopping; NULL: nothing. */
    const char *kill_hint;
    struct pbt_sink *sink; /* NULL: none */
    /*
     * Checkpoints on disk, at open (each may be NULL).  Is this one whole, or, if that is
     * enough, still there?  PBT_EDATA and PBT_EIO: it is lost.  Remove what has no record.
     */
    int (*checkpoint_check)(void *user, struct pbt_checkpoint_id checkpoint,
                            bool whole, struct pbt_error *why);
    int (*sweep)(void *user, const struct pbt_core *core,
                 struct pbt_error *error);
    void *checkpoint_user;
    /*
     * Asked after each append, before anything that follows from its records: a driver that
     * was taken over has appended what doesn't count.
     */
    struct pbt_hold hold;
    /* Messages for people, of one or two lines; NULL: none. */
    void (*say)(void *user, const char *line);
    void *say_user;
    /* True: the process dies here (the turn returns PBT_EINTERNAL).  NULL: never. */
    bool (*dies_at)(void *user, enum pbt_turn_point point);
    void *dies_user;
};

struct pbt_driver;

/*
 * Opens the journal (a new one, or an old one to be resumed: from the newest snapshot on its
 * records are applied, and given to the sink), and settles the state.  `spec`, `world` and the options' pointers are
 * borrowed for the driver's life.
 */
int pbt_driver_open(struct pbt_driver **out, struct pbt_spec *spec,
                    struct pbt_world *world,
                    const struct pbt_driver_options *options,
                    struct pbt_error *error);

/*
 * One turn.  *finished is set when nothing is left to be done.  Any failure is final: the
 * driver must be closed, and the process should end with that status.
 */
int pbt_driver_turn(struct pbt_driver *driver, bool *finished,
                    struct pbt_error *error);

/* True if nothing is left to be done, perhaps right after the open: no turn would ever end. */
bool pbt_driver_finished(const struct pbt_driver *driver);

/* After the last turn: a last sync of the journal, and a snapshot. */
int pbt_driver_finish(struct pbt_driver *driver, struct pbt_error *error);

/* Turns until the run is over, and finishes it. */
int pbt_driver_run(struct pbt_driver *driver, struct pbt_error *error);

const struct pbt_core *pbt_driver_core(const struct pbt_driver *driver);
const struct pbt_journal_info *
pbt_driver_journal_info(const struct pbt_driver *driver);

/* Takes NULL. */
void pbt_driver_close(struct pbt_driver *driver);

#endif
