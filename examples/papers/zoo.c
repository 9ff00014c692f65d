/*
 * zoo: the two toys of "To Be Greedy, or Not to Be - That Is the Question for Population Based
 * Training Variants" (Chebykin et al., TMLR 2025; section 5.2, and its PBT-Zoo).
 *
 *     pbt run examples/papers/plain.yaml
 *     pbt run examples/papers/deceptive.yaml
 *
 * To be maximised is 1.2 - theta^2, by steps along a gradient that the hyperparameter h makes
 * longer the smaller it is.  Plain: that is all, and h is best at its lower bound from the
 * beginning.  Deceptive: the gradient also shrinks with all that h ever was away from a line
 * that falls from 1 to 0 over the training; a small h pays at once, and costs in the end.
 *
 * An iteration is `steps` steps of gradient, and at each of them h is chosen anew.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <pbt/trainable.h>

#include "numbers.h"

struct zoo {
    double theta;
    double away; /* the sum of what h was away from the line */
    double done; /* steps */
    double h;
    int64_t steps; /* in an iteration, and in all */
    double total;
    bool deceptive;
};

static int reset(void *self, const struct pbt_config *config,
                 struct pbt_error *error)
{
    struct zoo *toy = self;
    const char *task = "";
    int status = pbt_config_real(config, "h", &toy->h, error);
    if (status == PBT_OK) {
        status = pbt_config_int(config, "steps", &toy->steps, error);
    }
    if (status == PBT_OK) {
        status = pbt_config_real(config, "total_steps", &toy->total, error);
    }
    if (status == PBT_OK) {
        status = pbt_config_text(config, "task", &task, error);
    }
    toy->deceptive = strcmp(task, "deceptive") == 0;
    if (status == PBT_OK && !toy->deceptive && strcmp(task, "plain") != 0) {
        return pbt_error_set(error, PBT_ECONFIG,
                             "task is \"%s\": plain or deceptive", task);
    }
    return status;
}

static int setup(const struct pbt_context *context, void **self,
                 struct pbt_error *error)
{
    struct zoo *toy = calloc(1, sizeof *toy);
    if (toy == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    toy->theta = 0.9;
    int status = reset(toy, context->config, error);
    if (status != PBT_OK) {
        free(toy);
        return status;
    }
    *self = toy;
    return PBT_OK;
}

static int step(void *self, struct pbt_result *result, struct pbt_error *error)
{
    struct zoo *toy = self;
    double before = toy->theta;
    toy->away += fabs(toy->h - (1 - toy->done / toy->total));
    double penalty = toy->deceptive ? 0.2 * toy->away : 0;
    double slope = 2 - toy->h - penalty;
    for (int64_t i = 0; i < toy->steps && slope > 0; i++) {
        before = toy->theta;
        toy->theta -= 0.001 * 2 * slope * toy->theta;
    }
    toy->done += (double)toy->steps;
    /* The original reports Deceptive as it was before the last step. */
    double theta = toy->deceptive ? before : toy->theta;
    return pbt_result_real(result, "objective", 1.2 - theta * theta, error);
}

static int save(void *self, const char *dir, struct pbt_error *error)
{
    const struct zoo *toy = self;
    const double numbers[] = {toy->theta, toy->away, toy->done};
    return numbers_save(dir, numbers, 3, error);
}

static int load(void *self, const char *dir, struct pbt_error *error)
{
    struct zoo *toy = self;
    double numbers[3];
    int status = numbers_load(dir, numbers, 3, error);
    if (status == PBT_OK) {
        toy->theta = numbers[0];
        toy->away = numbers[1];
        toy->done = numbers[2];
    }
    return status;
}

static const struct pbt_trainable zoo = {
    PBT_TRAINABLE_INIT, setup, step, save, load, reset, free};

int main(int argc, char **argv)
{
    return pbt_worker_main(&zoo, argc, argv);
}
