/*
 * accuracy: the toy of Ray Tune's pbt_function.py and pbt_example.py.
 *
 *     pbt run examples/papers/accuracy.yaml
 *
 * The accuracy grows fastest with the best learning rate, which is a triangle over the
 * accuracy: 0.001 at 0, 0.01 at 100, 0.001 at 200.  A rate three times off gains nothing,
 * a larger one loses what was gained.  So a fixed rate gets nowhere, and a population has
 * to follow the triangle.
 *
 * The noise of a step follows from the trial and its iteration alone: so a run repeats,
 * however often it is interrupted.
 */
#include <math.h>
#include <stdlib.h>

#include <pbt/trainable.h>

#include "numbers.h"

struct accuracy {
    double accuracy;
    double steps;
    double lr;
    double done_at; /* 0: never */
    uint64_t key;   /* of this trial's noise */
};

/* Any number of bits of the key, well mixed (splitmix64's last part). */
static uint64_t mix(uint64_t key, uint64_t number)
{
    uint64_t z = key + (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* In (0, 1]: the index-th draw of this step. */
static double uniform(const struct accuracy *toy, unsigned index)
{
    uint64_t bits = mix(mix(toy->key, (uint64_t)toy->steps), index);
    return ((double)(bits >> 11) + 1) * 0x1p-53;
}

static double normal(const struct accuracy *toy)
{
    double angle = 6.283185307179586 * uniform(toy, 1);
    return sqrt(-2 * log(uniform(toy, 2))) * cos(angle);
}

static int reset(void *self, const struct pbt_config *config,
                 struct pbt_error *error)
{
    struct accuracy *toy = self;
    int status = pbt_config_real(config, "lr", &toy->lr, error);
    return status == PBT_OK
               ? pbt_config_real(config, "done_at", &toy->done_at, error)
               : status;
}

static int setup(const struct pbt_context *context, void **self,
                 struct pbt_error *error)
{
    struct accuracy *toy = calloc(1, sizeof *toy);
    if (toy == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    for (const char *c = context->trial_id; *c != '\0'; c++) {
        toy->key = mix(toy->key, (unsigned char)*c);
    }
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
    struct accuracy *toy = self;
    double hill = toy->accuracy < 100 ? toy->accuracy : 200 - toy->accuracy;
    double best = hill > 10 ? 0.0001 * hill : 0.001;
    double off = toy->lr > best ? toy->lr / best : best / toy->lr;
    if (off < 3) {
        toy->accuracy += uniform(toy, 0) / off;
    } else if (toy->lr > best) {
        toy->accuracy -= (off - 3) * uniform(toy, 0);
    }
    toy->accuracy += 2 * normal(toy);
    toy->accuracy = toy->accuracy > 0 ? toy->accuracy : 0;
    toy->steps++;
    if (toy->done_at > 0 && toy->accuracy > toy->done_at) {
        pbt_result_done(result);
    }
    return pbt_result_real(result, "mean_accuracy", toy->accuracy, error);
}

static int save(void *self, const char *dir, struct pbt_error *error)
{
    const struct accuracy *toy = self;
    const double numbers[] = {toy->accuracy, toy->steps};
    return numbers_save(dir, numbers, 2, error);
}

static int load(void *self, const char *dir, struct pbt_error *error)
{
    struct accuracy *toy = self;
    double numbers[2];
    int status = numbers_load(dir, numbers, 2, error);
    if (status == PBT_OK) {
        toy->accuracy = numbers[0];
        toy->steps = numbers[1];
    }
    return status;
}

static const struct pbt_trainable accuracy = {
    PBT_TRAINABLE_INIT, setup, step, save, load, reset, free};

int main(int argc, char **argv)
{
    return pbt_worker_main(&accuracy, argc, argv);
}
