/*
 * figure2: the toy of figure 2 in "Population Based Training of Neural Networks"
 * (Jaderberg et al. 2017, arXiv 1711.09846).
 *
 *     build/examples/figure2 examples/papers/figure2.yaml
 *
 * To be maximised is Q = 1.2 - (theta0^2 + theta1^2), but training can't see it: it follows the
 * gradient of Q^ = 1.2 - (h0 theta0^2 + h1 theta1^2).  With h = (1, 0) only theta0 falls, with
 * (0, 1) only theta1.  Each of the two trials alone gets as far as 0.39; taking over weights
 * from one another they reach 1.2.
 *
 * The program runs its own experiment, since its explore function is a part of it: it adds
 * normal noise to h.  The state of the generator is one more hyperparameter, which training
 * doesn't read: so the noise follows from the experiment's seed, and none is drawn twice.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <pbt/pbt.h>

#include "numbers.h"

struct figure2 {
    double theta[2];
    double h[2];
    double alpha;
};

static int reset(void *self, const struct pbt_config *config,
                 struct pbt_error *error)
{
    struct figure2 *toy = self;
    int status = pbt_config_real(config, "alpha", &toy->alpha, error);
    if (status == PBT_OK) {
        status = pbt_config_real(config, "h0", &toy->h[0], error);
    }
    if (status == PBT_OK) {
        status = pbt_config_real(config, "h1", &toy->h[1], error);
    }
    return status;
}

static int setup(const struct pbt_context *context, void **self,
                 struct pbt_error *error)
{
    struct figure2 *toy = calloc(1, sizeof *toy);
    if (toy == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    toy->theta[0] = toy->theta[1] = 0.9;
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
    struct figure2 *toy = self;
    double *theta = toy->theta;
    theta[0] -= toy->alpha * 2 * toy->h[0] * theta[0];
    theta[1] -= toy->alpha * 2 * toy->h[1] * theta[1];
    double q = 1.2 - (theta[0] * theta[0] + theta[1] * theta[1]);
    return pbt_result_real(result, "q", q, error);
}

static int save(void *self, const char *dir, struct pbt_error *error)
{
    const struct figure2 *toy = self;
    return numbers_save(dir, toy->theta, 2, error);
}

static int load(void *self, const char *dir, struct pbt_error *error)
{
    struct figure2 *toy = self;
    return numbers_load(dir, toy->theta, 2, error);
}

static const struct pbt_trainable figure2 = {
    PBT_TRAINABLE_INIT, setup, step, save, load, reset, free};

/* Of a state of the generator, a uniform number in (0, 1] (splitmix64). */
static double uniform(uint64_t state)
{
    uint64_t z = state * UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return ((double)((z ^ (z >> 31)) >> 11) + 1) * 0x1p-53;
}

static int add(struct pbt_config *config, const char *name, double noise,
               struct pbt_error *error)
{
    double h;
    int status = pbt_config_real(config, name, &h, error);
    return status == PBT_OK
               ? pbt_config_set_real(config, name, h + noise, error)
               : status;
}

static int explore(void *user, struct pbt_config *config,
                   struct pbt_error *error)
{
    double sigma;
    int64_t random;
    (void)user;
    if (pbt_config_real(config, "sigma", &sigma, error) != PBT_OK ||
        pbt_config_int(config, "random", &random, error) != PBT_OK) {
        return PBT_ECONFIG;
    }
    double length = sigma * sqrt(-2 * log(uniform(3 * (uint64_t)random + 1)));
    double angle = 6.283185307179586 * uniform(3 * (uint64_t)random + 2);
    int status = add(config, "h0", length * cos(angle), error);
    if (status == PBT_OK) {
        status = add(config, "h1", length * sin(angle), error);
    }
    double next = uniform(3 * (uint64_t)random + 3) * 1e9;
    return status == PBT_OK
               ? pbt_config_set_int(config, "random", (int64_t)next, error)
               : status;
}

int main(int argc, char **argv)
{
    struct pbt_experiment experiment = {.version = PBT_EXPERIMENT_INIT};
    struct pbt_outcome outcome;
    struct pbt_error error;
    if (pbt_is_worker()) {
        return pbt_worker_main(&figure2, argc, argv);
    }
    if (argc < 2) {
        (void)fprintf(stderr, "usage: figure2 FILE [key=value ...]\n");
        return PBT_EUSAGE;
    }
    experiment.file = argv[1];
    experiment.overrides = (const char *const *)argv + 2;
    experiment.explore = explore;
    int status = pbt_run(&experiment, &outcome, &error);
    if (status != PBT_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
        return status;
    }
    (void)printf("%s\n", outcome.run_dir);
    return PBT_OK;
}
