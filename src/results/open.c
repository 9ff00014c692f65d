/*
 * open.c: a run as it is at one moment.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/codes.h"
#include "journal/entries.h"
#include "results/results.h"
#include "run/run.h"

/* A path of 4 KiB for each checkpoint that a disk has room for. */
#define PATHS_MAX ((size_t)1 << 30)
#define CONFIG_MAX ((size_t)64 << 20)

static int no_memory(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

/* --- names ---------------------------------------------------------------- */

const char *pbt_run_state_name(enum pbt_run_state state)
{
    static const char *const names[] = {
#define STATE_NAME(name, text, meaning) [name] = (text),
        PBT_RUN_STATE_MAP(STATE_NAME)
#undef STATE_NAME
    };
    size_t index = (size_t)state;
    return index < sizeof names / sizeof *names ? names[index] : "?";
}

/* --- reading -------------------------------------------------------------- */

static int check_dir(const char *dir, struct pbt_error *error)
{
    char path[PBT_RUN_PATH_SIZE];
    struct stat status;
    if (stat(dir, &status) != 0) {
        return pbt_fail(error, errno == EACCES ? PBT_E0977 : PBT_E0702,
                        "no run %s: %s", dir, strerror(errno));
    }
    if (!S_ISDIR(status.st_mode)) {
        return pbt_fail(error, PBT_E0703, "%s is a file: a run is a directory",
                        dir);
    }
    int length = snprintf(path, sizeof path, "%s/experiment.yaml", dir);
    if (length < 0 || (size_t)length >= sizeof path) {
        return pbt_fail(error, PBT_E0707, "the path %s is too long", dir);
    }
    if (stat(path, &status) == 0) {
        return PBT_OK;
    }
    if (errno == EACCES) {
        return pbt_fail(error, PBT_E0977, "can't read %s: %s", path,
                        strerror(errno));
    }
    return pbt_fail(error, PBT_E0704,
                    "%s is no run: there is no experiment.yaml in it", dir);
}

static int read_journal(struct pbt_results *results,
                        const struct pbt_index_watch *watch,
                        struct pbt_error *error)
{
    /* Before the journal: a driver that ends in between has told all by then. */
    results->look = pbt_lock_look(results->dir);
    int status = pbt_index_open(&results->index, results->dir, &results->spec,
                                &results->fold, watch, error);
    if (status == PBT_OK && results->look.state == PBT_LOCK_FREE) {
        pbt_board_driver_gone(&results->fold.board);
    }
    return status;
}

/* --- the run -------------------------------------------------------------- */

static enum pbt_run_state state_of(const struct pbt_results *results)
{
    const struct pbt_run_info *run = &results->run;
    const struct pbt_board *board = &results->fold.board;
    uint32_t ended =
        run->by_status[PBT_TRIAL_TERMINATED] + run->by_status[PBT_TRIAL_ERROR];
    if (results->look.state == PBT_LOCK_HELD) {
        return PBT_RUN_RUNNING;
    }
    if (board->records == 0) {
        return PBT_RUN_NEW;
    }
    if (board->end == PBT_END_FAILED) {
        return PBT_RUN_FAILED;
    }
    if (ended == run->population) {
        return PBT_RUN_FINISHED;
    }
    return results->look.state == PBT_LOCK_FREE ? PBT_RUN_INTERRUPTED
                                                : PBT_RUN_UNKNOWN;
}

static void describe_run(struct pbt_results *results)
{
    const struct pbt_spec *spec = &results->spec;
    const struct pbt_board *board = &results->fold.board;
    struct pbt_run_info *run = &results->run;
    *run = (struct pbt_run_info){.dir = results->dir,
                                 .name = spec->name,
                                 .metric = spec->metric,
                                 .mode = spec->minimize ? PBT_MODE_MIN
                                                        : PBT_MODE_MAX,
                                 .population = spec->settings.population,
                                 .results = board->results,
                                 .checkpoints = board->checkpoints,
                                 .exploits = board->perturbations,
                                 .records = board->records,
                                 .started = (double)results->fold.started / 1e9,
                                 .updated = (double)board->wall / 1e9,
                                 .elapsed_s = (double)board->time / 1e9,
                                 .driver_host = ""};
    for (uint32_t i = 0; i < run->population; i++) {
        if (board->trials[i].created) {
            run->trials++;
            run->by_status[board->trials[i].status]++;
        }
    }
    if (results->look.state == PBT_LOCK_HELD ||
        results->look.state == PBT_LOCK_ELSEWHERE) {
        run->driver_pid = results->look.pid;
        run->driver_host = results->look.host;
    }
    run->state = state_of(results);
}

/* --- trials --------------------------------------------------------------- */

int pbt_results_make_config(const struct pbt_spec *spec,
                            const struct pbt_cell *cells,
                            struct pbt_config *config, struct pbt_error *error)
{
    struct pbt_buf text;
    pbt_buf_init(&text, CONFIG_MAX);
    pbt_spec_config_json(spec, cells, &text);
    json_t *root = pbt_buf_failed(&text)
                       ? NULL
                       : json_loadb(text.data, text.length, 0, NULL);
    int status = root == NULL ? no_memory(error)
                              : pbt_config_take(config, root, text.data,
                                                text.length, error);
    json_decref(root);
    pbt_buf_done(&text);
    return status;
}

static char *path_below(const char *dir, const char *name)
{
    size_t size = strlen(dir) + strlen(name) + 2;
    char *path = malloc(size);
    if (path != NULL) {
        (void)snprintf(path, size, "%s/%s", dir, name);
    }
    return path;
}

static int describe_trial(struct pbt_results *results, uint32_t number,
                          struct pbt_error *error)
{
    const struct pbt_fold *fold = &results->fold;
    const struct pbt_board_trial *board = &fold->board.trials[number];
    const struct pbt_fold_trial *folded = &fold->trials[number];
    struct pbt_config *configs = &results->configs[2 * (size_t)number];
    uint32_t exploit = folded->present == PBT_NONE
                           ? PBT_NONE
                           : folded->lives[folded->present].exploit;
    results->dirs[number] = path_below(results->dir, board->id);
    if (results->dirs[number] == NULL) {
        return no_memory(error);
    }
    int status = pbt_results_make_config(&results->spec, board->cells,
                                         &configs[0], error);
    if (status == PBT_OK) {
        status = pbt_results_make_config(&results->spec, folded->first,
                                         &configs[1], error);
    }
    results->trials[number] = (struct pbt_trial_info){
        .number = number,
        .id = board->id,
        .dir = results->dirs[number],
        .status = board->status,
        .iteration = board->iteration,
        .time_total_s = board->time_total,
        .score = board->score,
        .config = &configs[0],
        .first_config = &configs[1],
        .results = folded->results,
        .failures = board->failures,
        .exploits = board->exploits,
        .exploit = exploit,
        .parent =
            exploit == PBT_NONE ? PBT_NONE : fold->exploits[exploit].donor,
        .pid = board->pid,
        .host = board->host,
        .error = board->error,
        .epoch = board->epoch,
        .lineage = board->lineage,
        .generation = pbt_fold_generation(fold, exploit)};
    return status;
}

/* --- checkpoints ---------------------------------------------------------- */

/* Paths are offsets into `paths` until that has stopped moving. */
static int list_checkpoints(struct pbt_results *results, uint32_t number,
                            struct pbt_error *error)
{
    const struct pbt_fold_trial *folded = &results->fold.trials[number];
    uint32_t count = folded->checkpoint_count;
    struct pbt_checkpoint_info *list = calloc((size_t)count + 1, sizeof *list);
    if (list == NULL) {
        return no_memory(error);
    }
    results->checkpoints[number] = list;
    for (uint32_t i = 0; i < count; i++) {
        const struct pbt_fold_checkpoint *saved = &folded->checkpoints[i];
        char name[PBT_CHECKPOINT_NAME_SIZE];
        pbt_checkpoint_name(saved->number, name);
        pbt_buf_printf(&results->paths, "%s/%s", results->dirs[number], name);
        pbt_buf_put(&results->paths, "", 1);
        list[i] = (struct pbt_checkpoint_info){
            .trial = number,
            .number = saved->number,
            .iteration = saved->iteration,
            .time_total_s = saved->time_total,
            .score = saved->score,
            .undone = saved->iteration > folded->lives[saved->life].until};
    }
    return pbt_buf_failed(&results->paths) ? no_memory(error) : PBT_OK;
}

/* Behind the paths of its checkpoints: what its life began from. */
static int put_from(struct pbt_results *results, uint32_t number,
                    struct pbt_error *error)
{
    const struct pbt_board *board = &results->fold.board;
    char from[PBT_BOARD_PARENT_SIZE];
    pbt_board_parent(board, board->trials[number].parent, from);
    pbt_buf_put(&results->paths, from, strlen(from) + 1);
    return pbt_buf_failed(&results->paths) ? no_memory(error) : PBT_OK;
}

static const struct pbt_checkpoint_info *
find_checkpoint(const struct pbt_results *results, struct pbt_checkpoint_id id)
{
    const struct pbt_fold_checkpoint *saved = pbt_fold_find(&results->fold, id);
    if (saved == NULL) {
        return NULL;
    }
    size_t at = (size_t)(saved - results->fold.trials[id.trial].checkpoints);
    return &results->checkpoints[id.trial][at];
}

/* The newest checkpoint to go on from: if that is lost, its newest that counts. */
static const struct pbt_checkpoint_info *
newest_checkpoint(const struct pbt_results *results, uint32_t number)
{
    const struct pbt_fold_trial *folded = &results->fold.trials[number];
    const struct pbt_checkpoint_info *newest =
        find_checkpoint(results, folded->newest);
    const struct pbt_checkpoint_info *list = results->checkpoints[number];
    uint32_t i = list == NULL ? 0 : folded->checkpoint_count;
    for (; newest == NULL && i > 0; i--) {
        if (!list[i - 1].undone) {
            newest = &list[i - 1];
        }
    }
    return newest;
}

static int describe_trials(struct pbt_results *results, struct pbt_error *error)
{
    /* calloc(0) may be NULL: one more than needed */
    size_t count = (size_t)results->run.trials + 1;
    int status = PBT_OK;
    results->trials = calloc(count, sizeof *results->trials);
    results->configs = calloc(2 * count, sizeof *results->configs);
    results->dirs = calloc(count, sizeof *results->dirs);
    results->checkpoints = calloc(count, sizeof *results->checkpoints);
    if (results->trials == NULL || results->configs == NULL ||
        results->dirs == NULL || results->checkpoints == NULL) {
        return no_memory(error);
    }
    for (uint32_t i = 0; status == PBT_OK && i < results->run.trials; i++) {
        status = describe_trial(results, i, error);
        if (status == PBT_OK) {
            status = list_checkpoints(results, i, error);
        }
        if (status == PBT_OK) {
            status = put_from(results, i, error);
        }
    }
    if (status != PBT_OK) {
        return status;
    }
    const char *path = results->paths.length > 0 ? results->paths.data : "";
    for (uint32_t i = 0; i < results->run.trials; i++) {
        struct pbt_checkpoint_info *list = results->checkpoints[i];
        uint32_t kept = results->fold.trials[i].checkpoint_count;
        for (uint32_t k = 0; list != NULL && k < kept; k++) {
            list[k].path = path;
            path += strlen(path) + 1;
        }
        results->trials[i].from = path;
        path += strlen(path) + 1;
    }
    for (uint32_t i = 0; i < results->run.trials; i++) {
        results->trials[i].checkpoint = newest_checkpoint(results, i);
    }
    return PBT_OK;
}

/* --- opening and closing -------------------------------------------------- */

static int open_run(struct pbt_results *results, const char *dir,
                    const struct pbt_index_watch *watch,
                    struct pbt_error *error)
{
    results->dir = strdup(dir);
    if (results->dir == NULL) {
        return no_memory(error);
    }
    /* "runs/mnist/" as completion gives it */
    size_t length = strlen(results->dir);
    while (length > 1 && results->dir[length - 1] == '/') {
        results->dir[--length] = '\0';
    }
    int status = check_dir(results->dir, error);
    if (status == PBT_OK) {
        status = pbt_run_read_spec(results->dir, &results->spec, error);
    }
    if (status == PBT_OK) {
        status = read_journal(results, watch, error);
    }
    if (status == PBT_OK) {
        describe_run(results);
        status = describe_trials(results, error);
    }
    return status;
}

int pbt_results_open(struct pbt_results **out, const char *dir,
                     struct pbt_error *error)
{
    return pbt_results_open_watched(out, dir, NULL, error);
}

int pbt_results_open_watched(struct pbt_results **out, const char *dir,
                             const struct pbt_index_watch *watch,
                             struct pbt_error *error)
{
    struct pbt_results *results = calloc(1, sizeof *results);
    if (results == NULL) {
        return no_memory(error);
    }
    pbt_buf_init(&results->paths, PATHS_MAX);
    int status = open_run(results, dir, watch, error);
    if (status != PBT_OK) {
        pbt_results_close(results);
        return status;
    }
    *out = results;
    return PBT_OK;
}

void pbt_results_close(struct pbt_results *results)
{
    if (results == NULL) {
        return;
    }
    for (uint32_t i = 0; i < results->run.trials; i++) {
        if (results->configs != NULL) {
            pbt_config_done(&results->configs[2 * (size_t)i]);
            pbt_config_done(&results->configs[2 * (size_t)i + 1]);
        }
        if (results->dirs != NULL) {
            free(results->dirs[i]);
        }
        if (results->checkpoints != NULL) {
            free(results->checkpoints[i]);
        }
    }
    free(results->trials);
    free(results->configs);
    free(results->dirs);
    free(results->checkpoints);
    pbt_buf_done(&results->paths);
    pbt_config_done(&results->exploit_config);
    pbt_config_done(&results->best_config);
    free(results->best_metric);
    pbt_index_close(results->index);
    pbt_fold_done(&results->fold);
    pbt_spec_done(&results->spec);
    free(results->dir);
    free(results);
}

/* --- what there is -------------------------------------------------------- */

const struct pbt_run_info *pbt_results_run(const struct pbt_results *results)
{
    return &results->run;
}

const struct pbt_board *pbt_results_board(const struct pbt_results *results)
{
    return &results->fold.board;
}

const struct pbt_lock_look *pbt_results_look(const struct pbt_results *results)
{
    return &results->look;
}

const struct pbt_trial_info *
pbt_results_trial(const struct pbt_results *results, uint32_t number)
{
    return number < results->run.trials ? &results->trials[number] : NULL;
}

const struct pbt_checkpoint_info *
pbt_results_checkpoints(const struct pbt_results *results, uint32_t trial,
                        size_t *count)
{
    *count = trial < results->run.trials
                 ? results->fold.trials[trial].checkpoint_count
                 : 0;
    return *count > 0 ? results->checkpoints[trial] : NULL;
}

const struct pbt_exploit_info *
pbt_results_exploits(const struct pbt_results *results, size_t *count)
{
    *count = results->fold.exploit_count;
    return results->fold.exploits;
}

int pbt_results_exploit_config(struct pbt_results *results, uint32_t exploit,
                               const struct pbt_config **config,
                               struct pbt_error *error)
{
    size_t cells = results->spec.settings.space.count;
    if (exploit >= results->fold.exploit_count) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "there is no exploit of this number");
    }
    int status = pbt_results_make_config(
        &results->spec, results->fold.exploit_cells + exploit * cells,
        &results->exploit_config, error);
    if (status == PBT_OK) {
        *config = &results->exploit_config;
    }
    return status;
}
