#include <stdlib.h>
#include <string.h>

#include "base/draw.h"
#include "model.h"

void judge_results_clear(struct judge *judge)
{
    if (judge->results != NULL) {
        memset(judge->results, 0,
               judge->result_capacity * sizeof *judge->results);
    }
    judge->result_count = 0;
}

/* The place of (epoch, seq), or the free one where it belongs. */
static struct judge_result *place(struct judge_result *results, size_t capacity,
                                  uint64_t epoch, uint64_t seq)
{
    size_t at = (size_t)pbt_mix(epoch, seq) & (capacity - 1);
    while (results[at].epoch != 0 &&
           (results[at].epoch != epoch || results[at].seq != seq)) {
        at = (at + 1) & (capacity - 1);
    }
    return &results[at];
}

const struct judge_result *judge_find_result(const struct judge *judge,
                                             uint64_t epoch, uint64_t seq)
{
    if (judge->result_capacity == 0) {
        return NULL;
    }
    const struct judge_result *found =
        place(judge->results, judge->result_capacity, epoch, seq);
    return found->epoch == 0 ? NULL : found;
}

static void grow(struct judge *judge)
{
    size_t capacity =
        judge->result_capacity == 0 ? 256 : 2 * judge->result_capacity;
    struct judge_result *results = calloc(capacity, sizeof *results);
    if (results == NULL) {
        abort();
    }
    for (size_t i = 0; i < judge->result_capacity; i++) {
        const struct judge_result *old = &judge->results[i];
        if (old->epoch != 0) {
            *place(results, capacity, old->epoch, old->seq) = *old;
        }
    }
    free(judge->results);
    judge->results = results;
    judge->result_capacity = capacity;
}

void judge_add_result(struct judge *judge, const struct judge_result *result)
{
    if (2 * (judge->result_count + 1) > judge->result_capacity) {
        grow(judge);
    }
    *place(judge->results, judge->result_capacity, result->epoch, result->seq) =
        *result;
    judge->result_count++;
}
