/*
 * names.h: what trials, their states and checkpoints are called.
 */
#ifndef PBT_BASE_NAMES_H
#define PBT_BASE_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include <pbt/results.h> /* pbt_trial_status_name() */

#define PBT_TRIAL_ID_SIZE 20
#define PBT_CHECKPOINT_NAME_SIZE 24

/* Ray's shape, "ba982_00003": five hex digits that follow from the seed, and the index. */
void pbt_trial_id(uint64_t seed, uint32_t trial, char id[PBT_TRIAL_ID_SIZE]);

/* "checkpoint_000005" */
void pbt_checkpoint_name(uint32_t number, char name[PBT_CHECKPOINT_NAME_SIZE]);

/* The number of a name as above; 0 for other names. */
uint32_t pbt_checkpoint_number(const char *name);

/*
 * The environment variable of a hyperparameter, "PBT_PARAM_net__depth" for "net/depth": each
 * slash becomes two underscores, what is no letter or digit one.
 */
void pbt_param_variable(const char *name, char *variable, size_t size);

#endif
