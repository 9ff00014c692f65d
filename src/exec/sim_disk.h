/*
 * sim_disk.h: the simulated disk: files that remember what was synced, and
 * checkpoints.  Private to the simulator.
 */
#ifndef PBT_EXEC_SIM_DISK_H
#define PBT_EXEC_SIM_DISK_H

#include "exec/sim.h"

struct pbt_sim_disk;

struct pbt_sim_disk *pbt_sim_disk_create(void);
void pbt_sim_disk_destroy(struct pbt_sim_disk *disk);
struct pbt_files *pbt_sim_disk_files(struct pbt_sim_disk *disk);

/*
 * A sync of open files takes effect when it is finished, and covers what was appended
 * before it began: between the two calls ops->sync() only marks.  A death in between
 * leaves it undone.
 */
void pbt_sim_disk_sync_begin(struct pbt_sim_disk *disk);
void pbt_sim_disk_sync_mark_end(struct pbt_sim_disk *disk);
void pbt_sim_disk_sync_done(struct pbt_sim_disk *disk);
void pbt_sim_disk_sync_forget(struct pbt_sim_disk *disk);

/*
 * The process dies at the `operations`-th change of a file from now on (0: never): an
 * append may have written a part.  The draws come from `draw(user)` in [0, 1).
 */
void pbt_sim_disk_die_at(struct pbt_sim_disk *disk, uint32_t operations,
                         double (*draw)(void *), void *user);
bool pbt_sim_disk_died(const struct pbt_sim_disk *disk);

/* The draws come from `draw(user)` in [0, 1). */
void pbt_sim_disk_power_loss(struct pbt_sim_disk *disk, double (*draw)(void *),
                             void *user);

/* Adds or replaces.  False: out of memory. */
bool pbt_sim_disk_put(struct pbt_sim_disk *disk,
                      const struct pbt_sim_checkpoint *checkpoint);
/* NULL: there never was one, or it was unlinked. */
struct pbt_sim_checkpoint *pbt_sim_disk_find(struct pbt_sim_disk *disk,
                                             struct pbt_checkpoint_id id);
/* True if there was one, which somebody has taken away, or which was given up damaged. */
bool pbt_sim_disk_is_lost(struct pbt_sim_disk *disk,
                          struct pbt_checkpoint_id id);
/* Calls fn for each that is present, in no particular order. */
void pbt_sim_disk_each(struct pbt_sim_disk *disk,
                       void (*fn)(void *user,
                                  struct pbt_sim_checkpoint *checkpoint),
                       void *user);

#endif
