/*
 * decide.h: what the parts of decide*.c have from each other: private to them.
 */
#ifndef PBT_CORE_DECIDE_H
#define PBT_CORE_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/state.h"

/* decide.c */

struct pbt_record pbt_decide_new(const struct pbt_core *core,
                                 enum pbt_record_kind kind, uint32_t trial);
/* Of a life, for the trainable's own draws. */
uint64_t pbt_decide_seed(const struct pbt_core *core, uint64_t lineage,
                         int64_t iteration);
/* The next one. */
uint64_t pbt_decide_epoch(const struct pbt_core *core);
/*
 * More trials than slots: at its point a trial gives its slot back if others would start
 * before it, and none of the free slots is left for it.  Slots about to be free count, else
 * one that waits would make all pause that reach their point before it has started.
 */
bool pbt_decide_pauses(const struct pbt_core *core, uint32_t trial,
                       int64_t turn);
/* The next trial, with these values. */
void pbt_decide_creation(const struct pbt_core *core, enum pbt_record_kind kind,
                         const struct pbt_cell *cells,
                         struct pbt_record *record);

/* decide_event.c */

bool pbt_decide_event(const struct pbt_core *core,
                      const struct pbt_event *event, struct pbt_record *record);
bool pbt_decide_end(const struct pbt_core *core, enum pbt_end end,
                    struct pbt_record *record);

/* decide_exploit.c */

bool pbt_decide_answered(const struct pbt_core *core,
                         const struct pbt_event *event,
                         struct pbt_record *record);
/*
 * A trial at its perturbation point: exploit if it is to, else save.  False: it has to wait for
 * a donor's save that is in flight.
 */
bool pbt_due_at_point(const struct pbt_core *core, uint32_t trial,
                      struct pbt_record *record);
/* As it was chosen when the trial came to its point: it has saved since. */
void pbt_due_noted_adoption(const struct pbt_core *core, uint32_t trial,
                            struct pbt_record *record);
/* Who waits at its point for a save in flight, and need not any longer. */
bool pbt_due_waiting(const struct pbt_core *core, struct pbt_record *record);
/*
 * Who has failed for good goes on as a copy of one of the best: as soon as there is one to be
 * copied, in rounds once in each.
 */
bool pbt_due_replacement(const struct pbt_core *core,
                         struct pbt_record *record);
/* Of a round.  False: in this one it stays what it is. */
bool pbt_due_loser(const struct pbt_core *core, uint32_t trial,
                   struct pbt_record *record);

/* decide_trial.c */

bool pbt_due_for_trial(const struct pbt_core *core, uint32_t number,
                       struct pbt_record *record);
void pbt_due_leave(const struct pbt_core *core, uint32_t trial,
                   enum pbt_leave leave, struct pbt_record *record);
void pbt_due_save(const struct pbt_core *core, uint32_t trial,
                  struct pbt_record *record);

/* decide_keep.c */

/* One that is neither among the num_to_keep of its trial, nor its newest, nor needed. */
bool pbt_due_delete(const struct pbt_core *core, uint32_t number,
                    struct pbt_record *record);
/* All together are too large: the least of those that nobody needs, whosever it is. */
bool pbt_due_budget(const struct pbt_core *core, struct pbt_record *record);

#endif
