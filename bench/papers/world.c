#include "world.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/names.h"
#include "driver/driver.h"
#include "exec/sim.h"
#include "journal/entry.h"
#include "run/functions.h"
#include "store.h"
#include "worker/worker.h"

#define MS UINT64_C(1000000)
#define OVERRIDES_MAX 16
#define ANSWER_MAX ((size_t)1 << 16)

struct world {
    struct pbt_sink sink; /* first: a sink is the world */
    const struct toy *toy;
    struct pbt_spec spec;
    struct pbt_experiment experiment;
    struct pbt_functions functions;
    struct pbt_sim *sim;
    void **models;  /* one a trial */
    double *scores; /* of each trial's last result */
    struct pbt_result result;
    struct outcome *outcome;
    struct pbt_error error; /* the first failure of the toy's */
};

static bool good(const struct world *world)
{
    return world->error.status == PBT_OK;
}

/* --- the trainable, as src/worker hosts it ------------------------------------- */

static int take_config(struct pbt_config *config, const char *text,
                       struct pbt_error *error)
{
    json_t *root = json_loads(text, 0, NULL);
    int status = pbt_config_take(config, root, text, strlen(text), error);
    json_decref(root);
    return status;
}

static int set_up(struct world *world, const struct pbt_sim_life *life,
                  const struct pbt_config *config)
{
    const struct pbt_trainable *trainable = world->toy->trainable;
    char id[PBT_TRIAL_ID_SIZE];
    pbt_trial_id(world->spec.settings.seed, life->trial, id);
    struct pbt_context context = {
        .config = config, .trial_id = id, .trial_dir = "", .seed = life->seed};
    trainable->cleanup(world->models[life->trial]);
    world->models[life->trial] = NULL;
    return trainable->setup(&context, &world->models[life->trial],
                            &world->error);
}

/* Weights first, hyperparameters after. */
static void begin_life(void *user, const struct pbt_sim_life *life)
{
    struct world *world = user;
    const struct pbt_trainable *trainable = world->toy->trainable;
    struct pbt_config config = {.root = NULL};
    char dir[STORE_DIR_SIZE];
    if (!good(world)) {
        return;
    }
    int status = take_config(&config, life->config, &world->error);
    if (status == PBT_OK && life->start) {
        status = set_up(world, life, &config);
    }
    if (status == PBT_OK && life->checkpoint.number != 0) {
        store_dir(life->checkpoint, dir);
        status = trainable->load_checkpoint(world->models[life->trial], dir,
                                            &world->error);
    }
    if (status == PBT_OK) {
        (void)trainable->reset_config(world->models[life->trial], &config,
                                      &world->error);
    }
    pbt_config_done(&config);
}

static double step(void *user, uint32_t trial, bool *done)
{
    struct world *world = user;
    struct pbt_result *result = &world->result;
    pbt_result_begin(result);
    if (!good(world) || world->toy->trainable->step(world->models[trial],
                                                    result, &world->error)) {
        return (double)NAN;
    }
    *done = result->done;
    for (size_t i = 0; i < result->count; i++) {
        if (strcmp(result->metrics[i].name, world->spec.metric) == 0) {
            return result->metrics[i].real;
        }
    }
    return (double)NAN;
}

static void save(void *user, struct pbt_checkpoint_id id)
{
    struct world *world = user;
    char dir[STORE_DIR_SIZE];
    store_dir(id, dir);
    if (good(world)) {
        (void)world->toy->trainable->save_checkpoint(world->models[id.trial],
                                                     dir, &world->error);
    }
}

static void explore(void *user, const struct pbt_job *ask,
                    struct pbt_cell *cells)
{
    struct world *world = user;
    struct pbt_buf answer;
    pbt_buf_init(&answer, ANSWER_MAX);
    if (good(world) &&
        pbt_functions_ask(&world->functions, ask->json, ask->json_length,
                          &answer, &world->error) == PBT_OK) {
        (void)pbt_spec_config_read(&world->spec, answer.data, answer.length,
                                   cells, &world->error);
    }
    pbt_buf_done(&answer);
}

/* --- what is journalled ---------------------------------------------------------- */

static void take_record(struct world *world, const struct pbt_record *record)
{
    struct outcome *outcome = world->outcome;
    if (record->kind == PBT_RECORD_RESULT) {
        world->scores[record->trial] = record->score;
        outcome->results++;
        outcome->done += record->done ? 1 : 0;
        if (outcome->results == 1 || record->score > outcome->best_ever) {
            outcome->best_ever = record->score;
        }
    }
    outcome->exploits += record->kind == PBT_RECORD_EXPLOIT ? 1 : 0;
}

static int take_lines(struct pbt_sink *sink, const char *lines, size_t length,
                      struct pbt_error *error)
{
    struct world *world = (struct world *)sink;
    const char *end = lines + length;
    while (lines < end) {
        struct pbt_entry entry;
        const char *newline = memchr(lines, '\n', (size_t)(end - lines));
        int status = pbt_entry_read(&entry, &world->spec, lines,
                                    (size_t)(newline - lines), error);
        if (status != PBT_OK) {
            return status;
        }
        take_record(world, &entry.record);
        pbt_entry_done(&entry);
        lines = newline + 1;
    }
    return PBT_OK;
}

/* --- a run ------------------------------------------------------------------------- */

static int read_spec(struct world *world, const char *const *overrides,
                     uint64_t seed, struct pbt_error *error)
{
    char seeded[32];
    /* Nothing is spawned: the functions are called here. */
    char *all[OVERRIDES_MAX + 2] = {(char *)(uintptr_t) "command=[true]",
                                    seeded};
    size_t count = 2;
    (void)snprintf(seeded, sizeof seeded, "seed=%" PRIu64, seed);
    for (; overrides[count - 2] != NULL; count++) {
        if (count == OVERRIDES_MAX + 2) {
            return pbt_error_set(error, PBT_EUSAGE, "too many overrides");
        }
        all[count] = (char *)(uintptr_t)overrides[count - 2];
    }
    int status =
        pbt_spec_read(&world->spec, world->toy->file, all, count, NULL, error);
    if (status != PBT_OK) {
        return status;
    }
    world->experiment = (struct pbt_experiment){
        .version = PBT_EXPERIMENT_INIT,
        .file = world->toy->file,
        .explore = world->toy->explore,
    };
    status = pbt_functions_find(&world->functions, &world->experiment,
                                &world->spec, error);
    return status == PBT_OK ? pbt_spec_finish(&world->spec, error) : status;
}

static int make_sim(struct world *world, uint64_t seed, struct pbt_error *error)
{
    static const struct pbt_sim_rates rates = {.can_reset = true,
                                               .step_ns = 10 * MS,
                                               .setup_ns = MS,
                                               .save_ns = MS,
                                               .ask_ns = MS,
                                               .latency_ns = MS / 10,
                                               .sync_ns = MS};
    uint32_t population = world->spec.settings.population;
    world->models = calloc(population, sizeof *world->models);
    world->scores = calloc(population, sizeof *world->scores);
    world->sim = pbt_sim_create(&world->spec, seed, &rates);
    if (world->models == NULL || world->scores == NULL || world->sim == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    world->outcome->trials = population;
    pbt_sim_on_life(world->sim, begin_life, world);
    return PBT_OK;
}

static int drive(struct world *world, struct pbt_error *error)
{
    const struct pbt_sim_model model = {world, step, save, explore};
    struct pbt_driver_options options = {
        .files = pbt_sim_files(world->sim),
        .journal_dir = "journal",
        .slots = world->spec.settings.population,
        .host = "sim",
        .sink = &world->sink,
    };
    struct pbt_driver *driver = NULL;
    pbt_sim_set_model(world->sim, &model);
    int status = pbt_driver_open(&driver, &world->spec,
                                 pbt_sim_world(world->sim), &options, error);
    if (status == PBT_OK) {
        status = pbt_driver_run(driver, error);
    }
    pbt_driver_close(driver);
    if (status == PBT_OK && !good(world)) {
        *error = world->error;
        status = error->status;
    }
    if (status == PBT_OK && pbt_sim_violation(world->sim) != NULL) {
        status = pbt_error_set(error, PBT_EINTERNAL, "%s",
                               pbt_sim_violation(world->sim));
    }
    return status;
}

static void sum_up(struct world *world)
{
    double best = world->scores[0];
    for (uint32_t i = 1; i < world->spec.settings.population; i++) {
        best = world->scores[i] > best ? world->scores[i] : best;
    }
    world->outcome->best = best;
}

static void clear(struct world *world)
{
    for (uint32_t i = 0;
         world->models != NULL && i < world->spec.settings.population; i++) {
        world->toy->trainable->cleanup(world->models[i]);
    }
    free(world->models);
    free(world->scores);
    pbt_result_free(&world->result);
    pbt_sim_destroy(world->sim);
    store_clear();
}

int world_run(const struct toy *toy, const char *const *overrides,
              uint64_t seed, struct outcome *outcome, struct pbt_error *error)
{
    struct world world = {.sink = {.records = take_lines}, .toy = toy};
    world.outcome = outcome;
    *outcome = (struct outcome){.trials = 0};
    int status = read_spec(&world, overrides, seed, error);
    if (status == PBT_OK) {
        status = make_sim(&world, seed, error);
    }
    if (status == PBT_OK) {
        status = drive(&world, error);
    }
    if (status == PBT_OK) {
        sum_up(&world);
    }
    clear(&world);
    pbt_functions_done(&world.functions);
    pbt_spec_done(&world.spec);
    return status;
}
