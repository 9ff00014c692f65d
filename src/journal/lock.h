/*
 * lock.h: one driver at a time: the lock and the lease of a run directory.
 *
 * <run directory>/lock holds one line of JSON in a fixed layout:
 *
 *     {"lease":                   7,"nonce":"<32 hex digits>","pid":1234,
 *      "host":"...","boot":"..."}
 *
 * The lease is a counter in 20 columns that its holder counts up; 0: given
 * back.  An empty file is free as well.  The holder also has an exclusive
 * lock on the file (F_OFD_SETLK), which ends with its process whatever the cause.
 *
 * That lock is enough on one host.  Between hosts it may be without effect (NFS
 * without a lock daemon, a file system mounted with local locks), so what another
 * host left behind counts as dead only after a while in which the line did not
 * change, by our own monotonic clock: no two clocks are ever compared.
 *
 * A thread of the lock's own renews the lease, so that whoever holds it may be long about
 * something.  A holder that slept through all that wakes as a loser: it finds another's
 * nonce.  What it writes before it looks is harmless: a renewal writes the counter
 * and nothing else, so it can't take the place of a new holder's line; and the
 * journal doesn't count what it appends (journal.h).  pbt_lock_hold() is to be asked after an
 * append and before anything that follows from it.
 */
#ifndef PBT_JOURNAL_LOCK_H
#define PBT_JOURNAL_LOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <pbt/error.h>

#include "base/hold.h"

struct pbt_lock;

struct pbt_lock_settings {
    uint64_t poll_ns;  /* between two looks at another host's lease */
    uint64_t stale_ns; /* unchanged for so long, it counts as dead */
    uint64_t lost_ns;  /* not renewed for so long, ours counts as lost */
    uint64_t renew_ns; /* between two renewals; 0: by pbt_lock_renew() only */
    /*
     * Called once, before the wait for another host's lease, with a sentence for the
     * user.  NULL: not said.
     */
    void (*say)(void *user, const char *text);
    void *user;
};

/*
 * 1 s, 60 s, 30 s, 10 s, nobody told.  $PBT_TEST_LEASE_S has another number in the place of 60,
 * and the others in proportion: for tests, which have no minute.
 */
struct pbt_lock_settings pbt_lock_settings(void);

/*
 * Takes the lock of a run directory.  `settings` is copied; NULL: pbt_lock_settings().
 * A free lock, and one whose holder on this host has died, is taken at once; one
 * that another host left behind after stale_ns of blocking.
 *
 * PBT_ETEMP: another driver lives; the text names its host and pid and what to do.
 * PBT_ENOINPUT: there is no such directory.  PBT_EPERM: it can't be written.
 */
int pbt_lock_take(struct pbt_lock **out, const char *run_dir,
                  const struct pbt_lock_settings *settings,
                  struct pbt_error *error);

/*
 * Counts the lease up.  From any thread.  PBT_ETEMP: another driver has taken the lock (or its file is gone):
 * stop.  Other failures (PBT_EIO, ...) may pass: try again until pbt_lock_lost().
 */
int pbt_lock_renew(struct pbt_lock *lock, struct pbt_error *error);

/*
 * True if another has taken it, or if it was not renewed for lost_ns; `now_ns` is
 * CLOCK_MONOTONIC.  In the second case (the process was stopped, the machine
 * slept) a renewal that succeeds makes it ours again; before that, and if it fails,
 * nothing may be done in the run directory.
 */
bool pbt_lock_lost(const struct pbt_lock *lock, uint64_t now_ns);

/*
 * PBT_OK: what was written up to here was written before anybody could take the lock.  It costs
 * a look at the clock, and a renewal if the lease was not renewed for lost_ns.  From any
 * thread.  PBT_ETEMP: as for pbt_lock_renew().
 */
int pbt_lock_hold(struct pbt_lock *lock, struct pbt_error *error);

/* The same as a question for those who don't know of locks. */
struct pbt_hold pbt_lock_as_hold(struct pbt_lock *lock);

/* Who drives a run, as far as can be told without touching anything. */
enum pbt_lock_state {
    PBT_LOCK_FREE,      /* nobody */
    PBT_LOCK_HELD,      /* a driver at work: `pid` on `host` */
    PBT_LOCK_ELSEWHERE, /* last driven on another host, and not given back */
    PBT_LOCK_UNKNOWN,   /* the lock can't be read: another user's */
};

struct pbt_lock_look {
    enum pbt_lock_state state;
    int64_t pid;    /* 0: not known */
    char host[256]; /* "": not known */
    uint64_t lease; /* counted up by who lives */
};

/* Never fails, never waits, writes nothing. */
struct pbt_lock_look pbt_lock_look(const char *run_dir);

/* For who looks again and again. */
struct pbt_lock_watch {
    bool begun;
    uint64_t lease;
    uint64_t since_ns; /* when it was first seen so */
};

/*
 * True while a driver may be at work: on another host for as long as its lease changes within
 * stale_ns of pbt_lock_settings().  `watch` begins as zeros; `now_ns` is CLOCK_MONOTONIC.
 */
bool pbt_lock_lives(struct pbt_lock_watch *watch,
                    const struct pbt_lock_look *look, uint64_t now_ns);

/* Gives the lock back, unless it was lost, and frees.  Takes NULL. */
void pbt_lock_release(struct pbt_lock *lock);

#endif
