/*
 * hold.h: a question that whoever writes into a run's directory asks before what he writes can
 * be taken for the truth: is it still ours?  The answer is the lock's (journal/lock.h).
 */
#ifndef PBT_BASE_HOLD_H
#define PBT_BASE_HOLD_H

#include <stddef.h>

#include <pbt/error.h>

struct pbt_hold {
    /* Cheap, and from any thread.  PBT_OK: yes.  NULL: nobody else can write there. */
    int (*ask)(void *user, struct pbt_error *error);
    void *user;
};

static inline int pbt_hold_ask(const struct pbt_hold *hold,
                               struct pbt_error *error)
{
    return hold->ask == NULL ? PBT_OK : hold->ask(hold->user, error);
}

#endif
