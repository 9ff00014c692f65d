/*
 * best.c: the best trial, by metric, mode and scope.
 *
 * One reading of the results keeps a few numbers of each trial.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/codes.h"
#include "results/results.h"

#define RECENT_MAX 10
#define NAMES_SIZE 1024
/* Which every result has: behind the others. */
#define ALWAYS "training_iteration, time_total_s"

/* What is known of a trial's metric. */
struct tally {
    uint64_t count; /* results that have it */
    double sum;
    double recent[RECENT_MAX]; /* the last ones, at count % RECENT_MAX */
    int64_t last_iteration;
    bool has_best;
    double best;
    int64_t best_iteration;
    uint32_t best_life;  /* of the trial: what it was trained with */
    double *checkpoints; /* the metric at each kept one; NaN: not known */
    uint32_t checkpoints_known; /* all before this one are looked at */
};

struct search {
    struct pbt_results *results;
    const char *metric;
    bool minimize;
    enum pbt_scope scope;
    struct tally *tallies; /* run.trials */
    uint64_t rows;         /* that count */
    bool text;             /* the metric is a text in some */
};

const char *pbt_scope_name(enum pbt_scope scope)
{
    static const char *const names[] = {
#define SCOPE_NAME(name, text, meaning) [name] = (text),
        PBT_SCOPE_MAP(SCOPE_NAME)
#undef SCOPE_NAME
    };
    size_t index = (size_t)scope;
    return index < sizeof names / sizeof *names ? names[index] : "?";
}

static bool is_better(const struct search *search, double value, double than)
{
    return search->minimize ? value < than : value > than;
}

/* --- taking in results ---------------------------------------------------- */

static void note_best(const struct search *search, struct tally *tally,
                      const struct pbt_row *row, double value)
{
    if (!isfinite(value) ||
        (tally->has_best && !is_better(search, value, tally->best))) {
        return;
    }
    tally->has_best = true;
    tally->best = value;
    tally->best_iteration = row->iteration;
    tally->best_life = row->data->life;
}

/*
 * The checkpoint that was saved after this very result, if it is kept.  Those of
 * results that count are in the order of these.
 */
static void note_checkpoint(const struct search *search, struct tally *tally,
                            const struct pbt_row *row, double value)
{
    const struct pbt_fold_trial *folded =
        &search->results->fold.trials[row->trial];
    for (uint32_t i = tally->checkpoints_known; i < folded->checkpoint_count;
         i++) {
        const struct pbt_fold_checkpoint *saved = &folded->checkpoints[i];
        if (folded->lives[saved->life].epoch == row->epoch &&
            saved->seq == row->seq) {
            tally->checkpoints[i] = value;
            tally->checkpoints_known = i + 1;
        }
    }
}

static int take_row(void *user, const struct pbt_row *row)
{
    struct search *search = user;
    struct tally *tally = &search->tallies[row->trial];
    double value;
    const char *text;
    search->rows++;
    if (!pbt_row_real(row, search->metric, &value)) {
        search->text = search->text || pbt_row_text(row, search->metric, &text);
        return 0;
    }
    tally->recent[tally->count % RECENT_MAX] = value;
    tally->count++;
    tally->sum += value;
    tally->last_iteration = row->iteration;
    note_best(search, tally, row, value);
    note_checkpoint(search, tally, row, value);
    return 0;
}

/* --- choosing ------------------------------------------------------------- */

static double mean_of_last(const struct tally *tally, uint64_t want)
{
    uint64_t count = want < tally->count ? want : tally->count;
    double sum = 0;
    for (uint64_t i = 0; i < count; i++) {
        sum += tally->recent[(tally->count - 1 - i) % RECENT_MAX];
    }
    return sum / (double)count;
}

/* NaN: it has none. */
static double value_of(const struct tally *tally, enum pbt_scope scope)
{
    if (tally->count == 0) {
        return (double)NAN;
    }
    switch (scope) {
    case PBT_SCOPE_ALL:
        return tally->has_best ? tally->best : (double)NAN;
    case PBT_SCOPE_LAST:
        return tally->recent[(tally->count - 1) % RECENT_MAX];
    case PBT_SCOPE_AVG:
        return tally->sum / (double)tally->count;
    case PBT_SCOPE_LAST_5_AVG:
        return mean_of_last(tally, 5);
    case PBT_SCOPE_LAST_10_AVG:
        return mean_of_last(tally, 10);
    }
    return (double)NAN;
}

/* Which metrics there are. */
static void list_metrics(const struct pbt_results *results,
                         char names[NAMES_SIZE + sizeof ALWAYS])
{
    size_t length = 0;
    const char *name;
    for (uint32_t i = 0; (name = pbt_index_metric(results->index, i)) != NULL;
         i++) {
        size_t needed = strlen(name) + 2;
        if (needed < NAMES_SIZE - length) {
            memcpy(names + length, name, needed - 2);
            memcpy(names + length + needed - 2, ", ", 3);
            length += needed;
        }
    }
    memcpy(names + length, ALWAYS, sizeof ALWAYS);
}

static bool is_known(const struct pbt_results *results, const char *metric)
{
    const char *name;
    for (uint32_t i = 0; (name = pbt_index_metric(results->index, i)) != NULL;
         i++) {
        if (strcmp(name, metric) == 0) {
            return true;
        }
    }
    return false;
}

/* No trial has a number: why? */
static int refuse(const struct search *search, struct pbt_error *error)
{
    char names[NAMES_SIZE + sizeof ALWAYS];
    const char *run = search->results->dir;
    uint64_t count = 0;
    for (uint32_t i = 0; i < search->results->run.trials; i++) {
        count += search->tallies[i].count;
    }
    if (search->rows == 0) {
        return pbt_fail(error, PBT_E0851, "%s has no results yet", run);
    }
    if (count > 0) {
        return pbt_fail(error, PBT_E0851,
                        "no trial of %s has a finite `%s` (scope %s)", run,
                        search->metric, pbt_scope_name(search->scope));
    }
    list_metrics(search->results, names);
    return pbt_fail(
        error, PBT_E0850, "%s `%s` in the results of %s; there are: %s",
        search->text                                ? "there are only texts for"
        : is_known(search->results, search->metric) ? "there is no number for"
                                                    : "there is no metric",
        search->metric, run, names);
}

static void choose_checkpoint(const struct search *search,
                              struct pbt_best *best)
{
    uint32_t number = best->trial->number;
    const struct tally *tally = &search->tallies[number];
    size_t count;
    const struct pbt_checkpoint_info *list =
        pbt_results_checkpoints(search->results, number, &count);
    best->checkpoint = best->trial->checkpoint;
    best->checkpoint_value = (double)NAN;
    for (size_t i = 0; i < count; i++) {
        double value = tally->checkpoints[i];
        /* Of equals the newest: it has trained longer. */
        if (isfinite(value) &&
            !is_better(search, best->checkpoint_value, value)) {
            best->checkpoint = &list[i];
            best->checkpoint_value = value;
        }
    }
}

static int answer(const struct search *search, uint32_t number, double value,
                  struct pbt_error *error)
{
    struct pbt_results *results = search->results;
    const struct tally *tally = &search->tallies[number];
    const struct pbt_trial_info *trial = &results->trials[number];
    const struct pbt_config *config = trial->config;
    bool all = search->scope == PBT_SCOPE_ALL;
    char *metric = strdup(search->metric);
    if (metric == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    if (all) {
        int status = pbt_results_life_config(results, number, tally->best_life,
                                             &results->best_config, error);
        if (status != PBT_OK) {
            free(metric);
            return status;
        }
        config = &results->best_config;
    }
    free(results->best_metric);
    results->best_metric = metric;
    results->best = (struct pbt_best){
        .metric = metric,
        .mode = search->minimize ? PBT_MODE_MIN : PBT_MODE_MAX,
        .scope = search->scope,
        .trial = trial,
        .value = value,
        .iteration = all ? tally->best_iteration : tally->last_iteration,
        .config = config};
    choose_checkpoint(search, &results->best);
    return PBT_OK;
}

static int choose(const struct search *search, struct pbt_error *error)
{
    uint32_t found = PBT_NONE;
    double best = (double)NAN;
    for (uint32_t i = 0; i < search->results->run.trials; i++) {
        double value = value_of(&search->tallies[i], search->scope);
        if (isfinite(value) &&
            (found == PBT_NONE || is_better(search, value, best))) {
            found = i;
            best = value;
        }
    }
    return found == PBT_NONE ? refuse(search, error)
                             : answer(search, found, best, error);
}

/* --- the search ----------------------------------------------------------- */

static bool prepare(struct search *search)
{
    const struct pbt_results *results = search->results;
    search->tallies =
        calloc((size_t)results->run.trials + 1, sizeof *search->tallies);
    bool fits = search->tallies != NULL;
    for (uint32_t i = 0; fits && i < results->run.trials; i++) {
        struct tally *tally = &search->tallies[i];
        uint32_t count = results->fold.trials[i].checkpoint_count;
        tally->checkpoints =
            calloc((size_t)count + 1, sizeof *tally->checkpoints);
        fits = tally->checkpoints != NULL;
        for (uint32_t k = 0; fits && k < count; k++) {
            tally->checkpoints[k] = (double)NAN;
        }
    }
    return fits;
}

static void done(struct search *search)
{
    for (uint32_t i = 0;
         search->tallies != NULL && i < search->results->run.trials; i++) {
        free(search->tallies[i].checkpoints);
    }
    free(search->tallies);
}

static int check(const struct pbt_results *results,
                 const struct pbt_best_query *query, struct pbt_error *error)
{
    if (query->version != PBT_BEST_QUERY_INIT) {
        return pbt_error_set(error, PBT_EUSAGE,
                             "struct pbt_best_query does not begin with "
                             "PBT_BEST_QUERY_INIT");
    }
    if ((unsigned)query->mode > PBT_MODE_MIN ||
        (unsigned)query->scope > PBT_SCOPE_LAST_10_AVG) {
        return pbt_error_set(
            error, PBT_EUSAGE, "struct pbt_best_query has an unknown %s",
            (unsigned)query->mode > PBT_MODE_MIN ? "mode" : "scope");
    }
    if (query->metric == NULL && results->spec.metric == NULL) {
        return pbt_fail(error, PBT_E0854,
                        "%s has no metric of its own: name one", results->dir);
    }
    return PBT_OK;
}

int pbt_results_best(struct pbt_results *results,
                     const struct pbt_best_query *query,
                     const struct pbt_best **best, struct pbt_error *error)
{
    int status = check(results, query, error);
    if (status != PBT_OK) {
        return status;
    }
    struct search search = {
        .results = results,
        .metric = query->metric != NULL ? query->metric : results->spec.metric,
        .minimize = query->mode == PBT_MODE_DEFAULT
                        ? results->spec.minimize
                        : query->mode == PBT_MODE_MIN,
        .scope = query->scope};
    if (prepare(&search)) {
        struct pbt_index_query rows = {.trial = PBT_NONE,
                                       .metric = search.metric};
        status = pbt_results_rows_of(results, &rows, PBT_ROWS_COUNTING,
                                     take_row, &search, error);
    } else {
        status = pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    if (status == PBT_OK) {
        status = choose(&search, error);
    }
    done(&search);
    if (status == PBT_OK) {
        *best = &results->best;
    }
    return status;
}
