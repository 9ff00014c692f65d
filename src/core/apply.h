/*
 * apply.h: what the parts of apply*.c have from each other: private to them.
 */
#ifndef PBT_CORE_APPLY_H
#define PBT_CORE_APPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "core/state.h"

/* apply.c */

/* Copies a configuration. */
void pbt_apply_cells(const struct pbt_core *core, struct pbt_cell *to,
                     const struct pbt_cell *from);
/* The trial stops being at its point, or asking: what it held is let go. */
void pbt_apply_clear_ask(struct pbt_core *core, struct pbt_trial *trial);
/*
 * Asking is over without an answer: the trial is at its point again, or, if its process
 * is gone meanwhile, where it can start from; or it has failed for good, as before.
 */
void pbt_apply_cancel_ask(struct pbt_core *core, uint32_t number);
/* To its restart point. */
void pbt_apply_go_back(struct pbt_core *core, uint32_t number);
void pbt_apply_held(struct pbt_core *core, struct pbt_trial *trial, bool held);
/* For good, as far as records can say. */
void pbt_apply_finish(struct pbt_core *core, uint32_t number,
                      enum pbt_core_trial_state state);
/* Without a process, and not by its scheduler's wish. */
enum pbt_core_trial_state pbt_apply_waiting(const struct pbt_trial *trial);
/* A process is gone, and this is what it leads to. */
void pbt_apply_after_process(struct pbt_core *core, uint32_t number,
                             enum pbt_leave leave);
/* False: it is not the next one of this incarnation. */
bool pbt_apply_epoch(struct pbt_core *core, uint64_t epoch);

/* One record each; false: it can't follow on this state. */

/* apply_life.c */
bool pbt_apply_trial(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_ask_first(struct pbt_core *core,
                         const struct pbt_record *record);
bool pbt_apply_start(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_ready(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_result(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_halted(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_exited(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_leave(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_change(struct pbt_core *core, const struct pbt_record *record);

/* apply_run.c */
bool pbt_apply_opened(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_request(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_end(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_round(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_extend(struct pbt_core *core);
bool pbt_apply_reopen(struct pbt_core *core, const struct pbt_record *record);

/* apply_keep.c */
bool pbt_apply_saved(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_durable(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_bad(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_delete(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_undo(struct pbt_core *core, const struct pbt_record *record);

/* apply_exploit.c */
bool pbt_apply_save(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_exploit(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_pass(struct pbt_core *core, const struct pbt_record *record);
bool pbt_apply_ask(struct pbt_core *core, const struct pbt_record *record);

#endif
