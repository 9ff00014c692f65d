/*
 * toy: a trainable without training, to see population based training at work.
 *
 * The best learning rate moves as the score rises (up to 100 it grows, then it
 * falls), so no constant one gets far: the population has to follow it.
 *
 *     pbt run examples/toy/toy.yaml
 *
 * Hyperparameters: lr; sleep_ms (optional), the time that a step takes.
 */
#include <pbt/trainable.h>

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct toy {
    double theta; /* the "model", and its score */
    double lr;
    int64_t sleep_ms;
    uint64_t random; /* the generator's state: a part of the checkpoint */
};

/* The next number in [0, 1), by splitmix64. */
static double uniform(struct toy *toy)
{
    toy->random += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = toy->random;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

static int toy_reset(void *self, const struct pbt_config *config,
                     struct pbt_error *error)
{
    struct toy *toy = self;
    toy->sleep_ms = 0;
    if (pbt_config_has(config, "sleep_ms") &&
        pbt_config_int(config, "sleep_ms", &toy->sleep_ms, error) != PBT_OK) {
        return PBT_ECONFIG;
    }
    return pbt_config_real(config, "lr", &toy->lr, error);
}

static int toy_setup(const struct pbt_context *context, void **self,
                     struct pbt_error *error)
{
    struct toy *toy = calloc(1, sizeof *toy);
    if (toy == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    toy->random = context->seed;
    int status = toy_reset(toy, context->config, error);
    if (status != PBT_OK) {
        free(toy);
        return status;
    }
    *self = toy;
    return PBT_OK;
}

static int toy_step(void *self, struct pbt_result *result,
                    struct pbt_error *error)
{
    struct toy *toy = self;
    double hill = toy->theta < 100 ? toy->theta : 200 - toy->theta;
    double best = hill > 10 ? hill * 1e-4 : 1e-3;
    double off = toy->lr > best ? toy->lr / best : best / toy->lr; /* >= 1 */
    if (off < 3) {
        toy->theta += 2 * uniform(toy) / off;
    } else if (toy->lr > best) {
        toy->theta -= (off - 3) * uniform(toy);
    }
    toy->theta += uniform(toy) - 0.5;
    toy->theta = toy->theta > 0 ? toy->theta : 0;
    struct timespec pause = {toy->sleep_ms / 1000,
                             toy->sleep_ms % 1000 * 1000000};
    (void)nanosleep(&pause, NULL);
    return pbt_result_real(result, "score", toy->theta, error);
}

static int toy_file(const char *dir, const char *mode, FILE **file,
                    struct pbt_error *error)
{
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/toy.txt", dir);
    *file = fopen(path, mode);
    return *file != NULL ? PBT_OK
                         : pbt_error_set(error, PBT_EIO, "can't open %s", path);
}

static int toy_save(void *self, const char *dir, struct pbt_error *error)
{
    const struct toy *toy = self;
    FILE *file;
    int status = toy_file(dir, "w", &file, error);
    if (status != PBT_OK) {
        return status;
    }
    int printed =
        fprintf(file, "%a %llu\n", toy->theta, (unsigned long long)toy->random);
    if (fclose(file) != 0 || printed < 0) {
        return pbt_error_set(error, PBT_EIO, "can't write to %s", dir);
    }
    return PBT_OK;
}

static int toy_load(void *self, const char *dir, struct pbt_error *error)
{
    struct toy *toy = self;
    FILE *file;
    unsigned long long state;
    int status = toy_file(dir, "r", &file, error);
    if (status != PBT_OK) {
        return status;
    }
    /* What toy_save() wrote; any other text gives fewer fields. */
    /* NOLINTNEXTLINE(cert-err34-c) */
    int fields = fscanf(file, "%la %llu", &toy->theta, &state);
    (void)fclose(file);
    if (fields != 2) {
        return pbt_error_set(error, PBT_EDATA, "damaged checkpoint: %s", dir);
    }
    toy->random = state;
    return PBT_OK;
}

int main(int argc, char **argv)
{
    static const struct pbt_trainable toy = {
        PBT_TRAINABLE_INIT, toy_setup, toy_step, toy_save,
        toy_load,           toy_reset, free};
    return pbt_worker_main(&toy, argc, argv);
}
