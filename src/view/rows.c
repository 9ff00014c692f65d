#include "view/rows.h"

#include <math.h>
#include <stdlib.h>

/* Trials from the best to the worst, then those without a score, then those that failed. */
struct place {
    double score; /* the larger the better */
    uint32_t trial;
    int group;
    bool chosen;
};

enum { GROUP_RANKED, GROUP_NO_SCORE, GROUP_FAILED };

static int compare(const void *a, const void *b)
{
    const struct place *x = a;
    const struct place *y = b;
    if (x->group != y->group) {
        return x->group < y->group ? -1 : 1;
    }
    if (x->score > y->score || x->score < y->score) {
        return x->score > y->score ? -1 : 1;
    }
    return x->trial < y->trial ? -1 : 1;
}

/* Returns how many have a rank. */
static uint32_t sort(const struct pbt_board *board, struct place *places,
                     uint32_t *count)
{
    uint32_t ranked = 0;
    *count = 0;
    for (uint32_t i = 0; i < board->spec->settings.population; i++) {
        const struct pbt_board_trial *trial = &board->trials[i];
        if (!trial->created) {
            continue;
        }
        struct place *place = &places[(*count)++];
        *place = (struct place){.trial = i, .group = GROUP_NO_SCORE};
        if (trial->status == PBT_TRIAL_ERROR) {
            place->group = GROUP_FAILED;
        } else if (isfinite(trial->score)) {
            place->group = GROUP_RANKED;
            place->score = board->spec->minimize ? -trial->score : trial->score;
            ranked++;
        }
    }
    qsort(places, *count, sizeof *places, compare);
    return ranked;
}

/* Chooses up to `wanted`, of `running_on` only those that run; returns how many it did. */
static uint32_t choose(struct place *places, uint32_t count, bool from_end,
                       const struct pbt_board *running_on, uint32_t wanted)
{
    uint32_t chosen = 0;
    for (uint32_t i = 0; i < count && chosen < wanted; i++) {
        struct place *place = &places[from_end ? count - 1 - i : i];
        bool fits =
            running_on == NULL ||
            running_on->trials[place->trial].status == PBT_TRIAL_RUNNING;
        if (!place->chosen && fits) {
            place->chosen = true;
            chosen++;
        }
    }
    return chosen;
}

static void choose_by_rank(const struct pbt_board *board, struct place *places,
                           uint32_t count, uint32_t ranked, uint32_t limit)
{
    uint32_t left = limit;
    left -= choose(places, ranked, false, NULL, (limit + 2) / 3);
    uint32_t worst = (limit + 1) / 3;
    left -= choose(places, ranked, true, NULL, worst < left ? worst : left);
    left -= choose(places, count, false, board, left);
    (void)choose(places, count, false, NULL, left);
}

static void take_all(struct pbt_rows *rows, const struct pbt_board *board)
{
    for (int status = 0; status < PBT_TRIAL_STATUSES; status++) {
        for (uint32_t i = 0; i < board->spec->settings.population; i++) {
            const struct pbt_board_trial *trial = &board->trials[i];
            if (trial->created && (int)trial->status == status) {
                rows->trials[rows->count++] = i;
            }
        }
    }
}

bool pbt_rows_choose(struct pbt_rows *rows, const struct pbt_board *board,
                     uint32_t limit)
{
    size_t population = board->spec->settings.population;
    struct place *places = calloc(population, sizeof *places);
    uint32_t count = 0;
    *rows =
        (struct pbt_rows){.trials = calloc(population, sizeof *rows->trials)};
    if (places == NULL || rows->trials == NULL) {
        free(places);
        return false;
    }
    uint32_t ranked = sort(board, places, &count);
    if (count <= limit) {
        take_all(rows, board);
        free(places);
        return true;
    }
    rows->ranks = calloc(population, sizeof *rows->ranks);
    if (rows->ranks == NULL) {
        free(places);
        return false;
    }
    choose_by_rank(board, places, count, ranked, limit);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t trial = places[i].trial;
        rows->ranks[trial] = i < ranked ? i + 1 : 0;
        if (places[i].chosen) {
            rows->trials[rows->count++] = trial;
        } else {
            rows->hidden++;
            rows->hidden_by_status[board->trials[trial].status]++;
        }
    }
    free(places);
    return true;
}

void pbt_rows_done(struct pbt_rows *rows)
{
    free(rows->trials);
    free(rows->ranks);
    *rows = (struct pbt_rows){0};
}
