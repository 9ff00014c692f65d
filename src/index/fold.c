#include "index/fold.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"

static int no_memory(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

int pbt_fold_init(struct pbt_fold *fold, const struct pbt_spec *spec,
                  struct pbt_error *error)
{
    uint32_t population = spec->settings.population;
    size_t cells = spec->settings.space.count;
    *fold = (struct pbt_fold){.spec = spec};
    int status = pbt_board_init(&fold->board, spec, error);
    if (status != PBT_OK) {
        return status;
    }
    fold->trials = calloc(population, sizeof *fold->trials);
    bool fits = fold->trials != NULL;
    for (uint32_t i = 0; fits && i < population; i++) {
        /* calloc(0) may be NULL: one more than needed */
        fold->trials[i].first = calloc(cells + 1, sizeof(struct pbt_cell));
        fits = fold->trials[i].first != NULL;
    }
    if (!fits) {
        pbt_fold_done(fold);
        return no_memory(error);
    }
    return PBT_OK;
}

void pbt_fold_done(struct pbt_fold *fold)
{
    uint32_t population =
        fold->trials == NULL ? 0 : fold->spec->settings.population;
    for (uint32_t i = 0; i < population; i++) {
        free(fold->trials[i].first);
        free(fold->trials[i].lives);
        free(fold->trials[i].checkpoints);
    }
    free(fold->trials);
    free(fold->exploits);
    free(fold->exploit_cells);
    free(fold->exploit_lives);
    pbt_board_done(&fold->board);
    *fold = (struct pbt_fold){0};
}

bool pbt_fold_opens_life(enum pbt_record_kind kind)
{
    return kind == PBT_RECORD_START || kind == PBT_RECORD_EXPLOIT ||
           kind == PBT_RECORD_ADOPT || kind == PBT_RECORD_CHANGE ||
           kind == PBT_RECORD_UNDO;
}

/* --- lives ---------------------------------------------------------------- */

static struct pbt_fold_life *present_life(struct pbt_fold_trial *trial)
{
    return trial->life_count == 0 ? NULL : &trial->lives[trial->life_count - 1];
}

static uint32_t newest(uint32_t count)
{
    return count == 0 ? PBT_NONE : count - 1;
}

/* The board has taken in the record that opens it. */
static bool add_life(struct pbt_fold *fold, uint32_t number,
                     struct pbt_fold_life life)
{
    struct pbt_fold_trial *trial = &fold->trials[number];
    struct pbt_fold_life *lives =
        pbt_list_room(trial->lives, trial->life_count, sizeof *lives);
    if (lives == NULL) {
        return false;
    }
    life.lineage = fold->board.trials[number].lineage;
    trial->lives = lives;
    trial->lives[trial->life_count++] = life;
    return true;
}

const struct pbt_fold_checkpoint *pbt_fold_find(const struct pbt_fold *fold,
                                                struct pbt_checkpoint_id id)
{
    if (id.number == 0 || id.trial >= fold->spec->settings.population) {
        return NULL;
    }
    const struct pbt_fold_trial *trial = &fold->trials[id.trial];
    for (uint32_t i = trial->checkpoint_count; i > 0; i--) {
        if (trial->checkpoints[i - 1].number == id.number) {
            return &trial->checkpoints[i - 1];
        }
    }
    return NULL;
}

/* The life that took over a donor's checkpoint, looked for from the present one back. */
static uint32_t life_of_exploit(const struct pbt_fold *fold,
                                const struct pbt_fold_trial *trial,
                                struct pbt_checkpoint_id id)
{
    uint32_t life = newest(trial->life_count);
    while (life != PBT_NONE) {
        uint32_t exploit = trial->lives[life].exploit;
        if (exploit != PBT_NONE && fold->exploit_lives[exploit] == life &&
            fold->exploits[exploit].donor == id.trial &&
            fold->exploits[exploit].checkpoint == id.number) {
            return life;
        }
        life = trial->lives[life].before;
    }
    return PBT_NONE;
}

/* `epoch`: 0 for a life that has no results. */
static bool go_on_from(struct pbt_fold *fold, const struct pbt_record *record,
                       uint64_t epoch)
{
    struct pbt_fold_trial *trial = &fold->trials[record->trial];
    struct pbt_fold_life life = {.epoch = epoch,
                                 .from = record->iteration,
                                 .source = record->checkpoint,
                                 .before = PBT_NONE,
                                 .exploit = PBT_NONE};
    const struct pbt_fold_checkpoint *saved =
        pbt_fold_find(fold, record->checkpoint);
    if (record->checkpoint.number != 0) {
        life.before = life_of_exploit(fold, trial, record->checkpoint);
    }
    if (life.before == PBT_NONE && saved != NULL &&
        record->checkpoint.trial == record->trial) {
        life.before = saved->life;
    }
    if (life.before != PBT_NONE) {
        life.exploit = trial->lives[life.before].exploit;
    }
    trial->newest = record->checkpoint;
    return add_life(fold, record->trial, life);
}

/* --- exploits ------------------------------------------------------------- */

bool pbt_fold_grow_exploits(struct pbt_fold *fold)
{
    uint32_t count = fold->exploit_count;
    size_t cells = fold->spec->settings.space.count;
    struct pbt_exploit_info *exploits =
        pbt_list_room(fold->exploits, count, sizeof *exploits);
    fold->exploits = exploits == NULL ? fold->exploits : exploits;
    struct pbt_cell *row = pbt_list_room(
        fold->exploit_cells, count, (cells == 0 ? 1 : cells) * sizeof *row);
    fold->exploit_cells = row == NULL ? fold->exploit_cells : row;
    uint32_t *lives = pbt_list_room(fold->exploit_lives, count, sizeof *lives);
    fold->exploit_lives = lives == NULL ? fold->exploit_lives : lives;
    return exploits != NULL && row != NULL && lives != NULL;
}

static double user_score(const struct pbt_fold *fold, double score)
{
    return fold->spec->minimize ? -score : score;
}

uint32_t pbt_fold_generation(const struct pbt_fold *fold, uint32_t exploit)
{
    return exploit == PBT_NONE ? 0 : fold->exploits[exploit].generation;
}

/* `config_from`: whose hyperparameters were explored. */
static bool feed_exploit(struct pbt_fold *fold, const struct pbt_record *record,
                         uint32_t config_from)
{
    size_t cells = fold->spec->settings.space.count;
    struct pbt_fold_trial *trial = &fold->trials[record->trial];
    const struct pbt_fold_trial *donor = &fold->trials[record->donor];
    if (!pbt_fold_grow_exploits(fold)) {
        return false;
    }
    uint32_t number = fold->exploit_count;
    const struct pbt_fold_checkpoint *saved =
        pbt_fold_find(fold, record->checkpoint);
    fold->exploits[number] = (struct pbt_exploit_info){
        .trial = record->trial,
        .donor = record->donor,
        .timestamp = (double)fold->board.wall / 1e9,
        .iteration = record->iteration,
        .score = user_score(fold, record->score),
        .donor_iteration = record->donor_iteration,
        .donor_score = user_score(fold, record->donor_score),
        .checkpoint = record->checkpoint.number,
        .config_from = config_from,
        .parent = saved == NULL ? PBT_NONE : donor->lives[saved->life].exploit};
    fold->exploits[number].generation =
        pbt_fold_generation(fold, fold->exploits[number].parent) + 1;
    if (cells > 0 && record->cells != NULL) {
        memcpy(fold->exploit_cells + number * cells, record->cells,
               cells * sizeof *fold->exploit_cells);
    }
    fold->exploit_lives[number] = trial->life_count;
    struct pbt_fold_life life = {.epoch = record->epoch,
                                 .from = record->donor_iteration,
                                 .source = record->checkpoint,
                                 .before = newest(trial->life_count),
                                 .exploit = number};
    if (!add_life(fold, record->trial, life)) {
        return false;
    }
    fold->exploit_count++;
    trial->newest = record->checkpoint;
    return true;
}

/* Other hyperparameters in the weights that the trial has just saved: the donor's, or replay's. */
static bool feed_change(struct pbt_fold *fold, const struct pbt_record *record)
{
    bool adopts = record->kind == PBT_RECORD_ADOPT;
    struct pbt_record exploit = *record;
    exploit.donor = record->trial;
    exploit.donor_iteration = record->iteration;
    exploit.score = adopts ? record->score : (double)NAN;
    exploit.donor_score = exploit.score;
    return feed_exploit(fold, &exploit, adopts ? record->donor : record->trial);
}

/* --- checkpoints ---------------------------------------------------------- */

static bool feed_saved(struct pbt_fold *fold, const struct pbt_record *record)
{
    struct pbt_fold_trial *trial = &fold->trials[record->trial];
    struct pbt_fold_life *life = present_life(trial);
    if (life == NULL || life->epoch != record->epoch) {
        return true; /* not by this trial's present life: nothing to go back to */
    }
    struct pbt_fold_checkpoint *checkpoints = pbt_list_room(
        trial->checkpoints, trial->checkpoint_count, sizeof *checkpoints);
    if (checkpoints == NULL) {
        return false;
    }
    trial->checkpoints = checkpoints;
    trial->checkpoints[trial->checkpoint_count++] =
        (struct pbt_fold_checkpoint){.number = record->checkpoint.number,
                                     .life = newest(trial->life_count),
                                     .seq = record->seq,
                                     .iteration = record->iteration,
                                     .time_total = record->time_total,
                                     .score = user_score(fold, record->score)};
    trial->newest = record->checkpoint;
    return true;
}

/* It was given up, or is lost. */
static void drop(struct pbt_fold *fold, struct pbt_checkpoint_id id)
{
    const struct pbt_fold_checkpoint *saved = pbt_fold_find(fold, id);
    if (saved == NULL) {
        return;
    }
    struct pbt_fold_trial *trial = &fold->trials[id.trial];
    size_t at = (size_t)(saved - trial->checkpoints);
    memmove(&trial->checkpoints[at], &trial->checkpoints[at + 1],
            (trial->checkpoint_count - at - 1) * sizeof *saved);
    trial->checkpoint_count--;
}

/* --- records -------------------------------------------------------------- */

static void feed_trial(struct pbt_fold *fold, const struct pbt_record *record)
{
    size_t cells = fold->spec->settings.space.count;
    if (cells > 0 && record->cells != NULL) {
        memcpy(fold->trials[record->trial].first, record->cells,
               cells * sizeof *record->cells);
    }
}

static bool feed_kind(struct pbt_fold *fold, const struct pbt_record *record)
{
    switch (record->kind) {
    case PBT_RECORD_OPENED:
        fold->started = fold->started == 0 ? fold->board.wall : fold->started;
        return true;
    case PBT_RECORD_TRIAL:
        feed_trial(fold, record);
        return true;
    case PBT_RECORD_RESULT:
        fold->trials[record->trial].results++;
        return true;
    case PBT_RECORD_START:
        return go_on_from(fold, record, record->epoch);
    case PBT_RECORD_UNDO:
        return go_on_from(fold, record, 0); /* a start may follow, or not */
    case PBT_RECORD_EXPLOIT:
        return feed_exploit(fold, record,
                            fold->spec->settings.copies == PBT_COPIES_WEIGHTS
                                ? record->trial
                                : record->donor);
    case PBT_RECORD_ADOPT:
    case PBT_RECORD_CHANGE:
        return feed_change(fold, record);
    case PBT_RECORD_SAVED:
        return feed_saved(fold, record);
    case PBT_RECORD_BAD:
    case PBT_RECORD_DELETE:
        drop(fold, record->checkpoint);
        return true;
    case PBT_RECORD_READY:
    case PBT_RECORD_HALTED:
    case PBT_RECORD_EXITED:
    case PBT_RECORD_DURABLE:
    case PBT_RECORD_CAPACITY:
    case PBT_RECORD_REQUEST:
    case PBT_RECORD_SAVE:
    case PBT_RECORD_PASS:
    case PBT_RECORD_ASK_FIRST:
    case PBT_RECORD_ASK:
    case PBT_RECORD_LEAVE:
    case PBT_RECORD_END:
    case PBT_RECORD_ROUND:
    case PBT_RECORD_EXTEND:
    case PBT_RECORD_REOPEN:
    case PBT_RECORD_KINDS:
        break;
    }
    return true;
}

int pbt_fold_feed(struct pbt_fold *fold, const struct pbt_entry *entry,
                  struct pbt_error *error)
{
    int status = pbt_board_feed(&fold->board, entry, error);
    if (status == PBT_OK && !feed_kind(fold, &entry->record)) {
        status = no_memory(error);
    }
    return status;
}

/* What a life has saved last, of what is kept. */
static const struct pbt_fold_checkpoint *
last_saved(const struct pbt_fold_trial *trial, uint32_t life)
{
    for (uint32_t i = trial->checkpoint_count; i > 0; i--) {
        if (trial->checkpoints[i - 1].life == life) {
            return &trial->checkpoints[i - 1];
        }
    }
    return NULL;
}

/*
 * The trial has no process, or one that loads what is lost: where it goes back to.  That is
 * its newest checkpoint, or the one that it took over; where these are lost, further back.
 */
static void go_back(const struct pbt_fold *fold, struct pbt_fold_trial *trial)
{
    uint32_t i = newest(trial->life_count);
    for (; i != PBT_NONE; i = trial->lives[i].before) {
        const struct pbt_fold_life *life = &trial->lives[i];
        const struct pbt_fold_checkpoint *saved = last_saved(trial, i);
        bool there = life->source.number == 0 ||
                     pbt_fold_find(fold, life->source) != NULL;
        if (saved != NULL || there) {
            trial->present = i;
            trial->iteration = saved != NULL ? saved->iteration : life->from;
            return;
        }
    }
    trial->present = PBT_NONE;
    trial->iteration = 0;
}

static void find_present(const struct pbt_fold *fold, uint32_t number)
{
    const struct pbt_board_trial *board = &fold->board.trials[number];
    struct pbt_fold_trial *trial = &fold->trials[number];
    const struct pbt_fold_life *life = present_life(trial);
    bool lost =
        trial->newest.number != 0 && pbt_fold_find(fold, trial->newest) == NULL;
    trial->present = newest(trial->life_count);
    trial->iteration = board->iteration;
    switch (board->status) {
    case PBT_TRIAL_RUNNING:
        if (lost && life != NULL && board->iteration == life->from) {
            go_back(fold, trial);
        }
        break;
    case PBT_TRIAL_PAUSED:
    case PBT_TRIAL_PENDING:
        go_back(fold, trial);
        break;
    case PBT_TRIAL_TERMINATED:
    case PBT_TRIAL_ERROR:
    case PBT_TRIAL_STATUSES:
        break;
    }
}

static void finish_trial(struct pbt_fold_trial *trial)
{
    int64_t until = INT64_MAX;
    for (uint32_t i = 0; i < trial->life_count; i++) {
        trial->lives[i].until = INT64_MIN;
    }
    for (uint32_t i = trial->present; i != PBT_NONE;
         i = trial->lives[i].before) {
        struct pbt_fold_life *life = &trial->lives[i];
        life->until = until;
        until = life->from < until ? life->from : until;
    }
}

void pbt_fold_finish(struct pbt_fold *fold)
{
    for (uint32_t i = 0; i < fold->spec->settings.population; i++) {
        find_present(fold, i);
        finish_trial(&fold->trials[i]);
    }
    for (uint32_t i = 0; i < fold->exploit_count; i++) {
        const struct pbt_fold_trial *trial =
            &fold->trials[fold->exploits[i].trial];
        fold->exploits[i].undone =
            trial->lives[fold->exploit_lives[i]].until == INT64_MIN;
    }
}
