/*
 * own_program: a program that runs its own experiment with pbt_run(), and is its own
 * worker.
 *
 *     own_program FILE DIR [key=value ...]
 *
 * OWN_EXPLORE: "double" (sets lr to twice what is proposed), "fail" (fails, with a message),
 * "seed" (noise from its seed; noted in OWN_CALLS), "slow" (touches $OWN_MARK, then waits until that file is removed), "wrong" (sets a
 * hyperparameter that is not there), or unset (no function).  OWN_DRAW: what the function
 * "my_lr" does: "seed" (a value from its seed), "fail", "none" (sets nothing), "slow" (as above),
 * or unset (there is no such function).  Each
 * call of it is noted in OWN_CALLS.  It prints what pbt_run() says.
 */
int toy_main(int argc, char **argv);
#define main toy_main
#include "../examples/toy/toy.c"
#undef main

#include <pbt/pbt.h>

#include <string.h>
#include <unistd.h>

static int explore_double(void *user, struct pbt_config *config,
                          struct pbt_error *error)
{
    double lr;
    (void)user;
    int status = pbt_config_real(config, "lr", &lr, error);
    return status == PBT_OK ? pbt_config_set_real(config, "lr", 2 * lr, error)
                            : status;
}

static int explore_fail(void *user, struct pbt_config *config,
                        struct pbt_error *error)
{
    (void)user;
    (void)config;
    return pbt_error_set(error, PBT_EFAILED, "no idea what to explore");
}

static int explore_wrong(void *user, struct pbt_config *config,
                         struct pbt_error *error)
{
    (void)user;
    return pbt_config_set_int(config, "batch", 64, error);
}

/* It waits for an event, which the test makes happen. */
static int wait_for_mark(struct pbt_error *error)
{
    const char *mark = getenv("OWN_MARK");
    struct timespec pause = {0, 5000000};
    FILE *file = mark == NULL ? NULL : fopen(mark, "w");
    if (file == NULL) {
        return pbt_error_set(error, PBT_EIO, "can't make OWN_MARK");
    }
    (void)fclose(file);
    while (access(mark, F_OK) == 0) {
        (void)nanosleep(&pause, NULL);
    }
    return PBT_OK;
}

static int explore_slow(void *user, struct pbt_config *config,
                        struct pbt_error *error)
{
    int status = wait_for_mark(error);
    return status == PBT_OK ? explore_double(user, config, error) : status;
}

static void note_call(const char *name, uint64_t seed)
{
    const char *path = getenv("OWN_CALLS");
    FILE *file = path == NULL ? NULL : fopen(path, "a");
    if (file != NULL) {
        (void)fprintf(file, "%s %llu\n", name, (unsigned long long)seed);
        (void)fclose(file);
    }
}

static int draw_lr(void *user, const char *name, uint64_t seed,
                   struct pbt_config *config, struct pbt_error *error)
{
    const char *how = user;
    double unit = (double)(seed >> 11) * 0x1p-53;
    note_call(name, seed);
    if (strcmp(how, "fail") == 0) {
        return pbt_error_set(error, PBT_EFAILED, "no idea what to draw");
    }
    if (strcmp(how, "none") == 0) {
        return PBT_OK;
    }
    if (strcmp(how, "slow") == 0) {
        int status = wait_for_mark(error);
        if (status != PBT_OK) {
            return status;
        }
    }
    return pbt_config_set_real(config, name, 0.0001 + 0.01 * unit, error);
}

static int explore_seed(void *user, struct pbt_config *config,
                        struct pbt_error *error)
{
    double lr;
    uint64_t seed = pbt_explore_seed(config);
    (void)user;
    note_call("explore", seed);
    int status = pbt_config_real(config, "lr", &lr, error);
    return status == PBT_OK
               ? pbt_config_set_real(config, "lr",
                                     lr + 1e-4 * (double)(seed >> 11) * 0x1p-53,
                                     error)
               : status;
}

static pbt_explore_fn chosen(void)
{
    const char *name = getenv("OWN_EXPLORE");
    if (name == NULL) {
        return NULL;
    }
    return strcmp(name, "double") == 0  ? explore_double
           : strcmp(name, "fail") == 0  ? explore_fail
           : strcmp(name, "wrong") == 0 ? explore_wrong
           : strcmp(name, "seed") == 0  ? explore_seed
                                        : explore_slow;
}

int main(int argc, char **argv)
{
    struct pbt_experiment experiment = {.version = PBT_EXPERIMENT_INIT};
    struct pbt_outcome outcome;
    struct pbt_error error;
    if (pbt_is_worker()) {
        return toy_main(argc, argv);
    }
    if (argc < 3) {
        return PBT_EUSAGE;
    }
    experiment.file = argv[1];
    experiment.dir = argv[2];
    experiment.overrides = (const char *const *)(argv + 3);
    experiment.explore = chosen();
    const struct pbt_function functions[] = {
        {"unused", draw_lr, NULL}, {"my_lr", draw_lr, getenv("OWN_DRAW")}};
    if (getenv("OWN_DRAW") != NULL) {
        experiment.functions = functions;
        experiment.function_count = 2;
    }
    int status = pbt_run(&experiment, &outcome, &error);
    if (status != PBT_OK) {
        (void)fprintf(stderr, "%s\n", error.text);
    }
    (void)printf("%s\n%u %u %u %llu %llu\n", outcome.run_dir,
                 outcome.terminated, outcome.errors, outcome.unfinished,
                 (unsigned long long)outcome.results,
                 (unsigned long long)outcome.perturbations);
    return status;
}
