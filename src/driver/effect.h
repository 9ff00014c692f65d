/*
 * effect.h: have the mutated hyperparameters any effect?  Found out without training
 * anything for it: from the records and the metrics of results alone.
 *
 * After an exploit two trials train on from the same checkpoint with different values: the donor
 * and who has copied it, or two who have.  If all that both report is then the same, to the last
 * bit, for some results in a row in which training does go on, none of the values that differ
 * has had any effect.  Most likely reset_config() doesn't hand them on, or a loaded
 * optimiser brings its old ones back.
 *
 * Equal is proof, different is not: trainables draw numbers.  So what is not accused may be
 * ignored all the same.  And whoever acts only later, or only sometimes, may be accused
 * wrongly: therefore several results in a row, after several checkpoints, must be equal, and one that
 * has made a difference by itself is never accused.
 */
#ifndef PBT_DRIVER_EFFECT_H
#define PBT_DRIVER_EFFECT_H

#include <stdbool.h>
#include <stdint.h>

#include <jansson.h>

#include "core/record.h"
#include "core/settings.h"

struct pbt_effect;

/* What was found last. */
struct pbt_effect_finding {
    const bool *
        ignored; /* space.count: these have no effect, and weren't accused before */
    /* The last two trials that showed it, the checkpoint that both began with, the results. */
    uint32_t trials[2];
    struct pbt_checkpoint_id checkpoint;
    int64_t first;
    int64_t last;
};

/* `settings` is borrowed.  NULL: out of memory. */
struct pbt_effect *pbt_effect_create(const struct pbt_settings *settings);
void pbt_effect_destroy(struct pbt_effect *effect);

/*
 * Takes in one record, in order; the first may be any.  `metrics`: of a result.  True: there
 * is a new finding.
 */
bool pbt_effect_feed(struct pbt_effect *effect, const struct pbt_record *record,
                     const json_t *metrics);
const struct pbt_effect_finding *
pbt_effect_finding(const struct pbt_effect *effect);

/* It is known otherwise, and won't be found.  True: it was not known before. */
bool pbt_effect_note(struct pbt_effect *effect, uint32_t param);

#endif
