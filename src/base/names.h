/*
 * names.h: what trials and checkpoints are called.
 */
#ifndef PBT_BASE_NAMES_H
#define PBT_BASE_NAMES_H

#include <stdint.h>

#define PBT_TRIAL_ID_SIZE 20
#define PBT_CHECKPOINT_NAME_SIZE 24

/* Ray's shape, "ba982_00003": five hex digits that follow from the seed, and the index. */
void pbt_trial_id(uint64_t seed, uint32_t trial, char id[PBT_TRIAL_ID_SIZE]);

/* "checkpoint_000005" */
void pbt_checkpoint_name(uint32_t number, char name[PBT_CHECKPOINT_NAME_SIZE]);

#endif
