/*
 * A run as a program sees it that has nothing but pbt/results.h, as lines of JSON:
 *
 *     read_results RUN [METRIC]
 *
 * tests/results.py compares them with the run's journal and log files.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include <pbt/results.h>

static void put_real(const char *name, double value)
{
    if (isfinite(value)) {
        printf(", \"%s\": %.17g", name, value);
    } else {
        printf(", \"%s\": \"%g\"", name, value);
    }
}

static void put_checkpoint(const struct pbt_checkpoint_info *checkpoint)
{
    if (checkpoint == NULL) {
        printf(", \"checkpoint\": null");
        return;
    }
    printf(", \"checkpoint\": \"%s\", \"checkpoint_iteration\": %" PRId64,
           checkpoint->path, checkpoint->iteration);
}

static void put_run(const struct pbt_run_info *run)
{
    printf("{\"is\": \"run\", \"name\": \"%s\", \"state\": \"%s\", \"trials\": "
           "%" PRIu32 ", \"results\": %" PRIu64 ", \"exploits\": %" PRIu64
           ", \"ended\": %" PRIu32 "}\n",
           run->name, pbt_run_state_name(run->state), run->trials, run->results,
           run->exploits,
           run->by_status[PBT_TRIAL_TERMINATED] +
               run->by_status[PBT_TRIAL_ERROR]);
}

static void put_trial(const struct pbt_results *results, uint32_t number)
{
    size_t count;
    const struct pbt_trial_info *trial = pbt_results_trial(results, number);
    const struct pbt_checkpoint_info *checkpoints =
        pbt_results_checkpoints(results, number, &count);
    printf("{\"is\": \"trial\", \"id\": \"%s\", \"status\": \"%s\", "
           "\"iteration\": %" PRId64 ", \"results\": %" PRIu64
           ", \"failures\": %" PRIu32 ", \"config\": %s, \"first\": %s",
           trial->id, pbt_trial_status_name(trial->status), trial->iteration,
           trial->results, trial->failures, pbt_config_json(trial->config),
           pbt_config_json(trial->first_config));
    put_checkpoint(trial->checkpoint);
    printf(", \"line\": [");
    size_t all;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(results, &all);
    for (uint32_t i = trial->exploit; i != PBT_NONE; i = exploits[i].parent) {
        printf("%s[%" PRIu32 ", %" PRIu32 ", %" PRId64 "]",
               i == trial->exploit ? "" : ", ", exploits[i].trial,
               exploits[i].donor, exploits[i].donor_iteration);
    }
    printf("], \"kept\": [");
    for (size_t i = 0; i < count; i++) {
        printf("%s\"%s\"", i > 0 ? ", " : "", checkpoints[i].path);
    }
    printf("]}\n");
}

static int put_row(void *user, const struct pbt_row *row)
{
    const struct pbt_config *config;
    double score = (double)NAN;
    (void)user;
    printf("{\"is\": \"row\", \"trial\": %" PRIu32 ", \"iteration\": %" PRId64
           ", \"epoch\": %" PRIu64 ", \"seq\": %" PRIu64 ", \"undone\": %s",
           row->trial, row->iteration, row->epoch, row->seq,
           row->undone ? "true" : "false");
    printf(", \"lineage\": \"%" PRIu64 "\", \"generation\": %" PRIu32
           ", \"from\": \"%s\", \"from_trial\": %" PRIu32
           ", \"from_iteration\": %" PRId64,
           row->lineage, row->generation, row->from, row->from_trial,
           row->from_iteration);
    (void)pbt_row_real(row, "score", &score);
    put_real("score", score);
    put_real("time_total_s", row->time_total_s);
    if (pbt_row_config(row, &config, NULL) != PBT_OK) {
        return 1;
    }
    printf(", \"config\": %s, \"metrics\": %s, \"names\": [",
           pbt_config_json(config), pbt_row_json(row));
    for (size_t i = 0; pbt_row_metric(row, i) != NULL; i++) {
        printf("%s\"%s\"", i > 0 ? ", " : "", pbt_row_metric(row, i));
    }
    printf("]}\n");
    return 0;
}

static void put_best(struct pbt_results *results, const char *metric,
                     enum pbt_scope scope, enum pbt_mode mode)
{
    struct pbt_best_query query = {PBT_BEST_QUERY_INIT, metric, mode, scope};
    const struct pbt_best *best;
    struct pbt_error error;
    printf("{\"is\": \"best\", \"scope\": \"%s\", \"mode\": %d",
           pbt_scope_name(scope), (int)mode);
    if (pbt_results_best(results, &query, &best, &error) != PBT_OK) {
        printf(", \"error\": \"%s\"}\n", error.id);
        return;
    }
    put_real("value", best->value);
    printf(", \"trial\": \"%s\", \"at\": %" PRId64 ", \"config\": %s",
           best->trial->id, best->iteration, pbt_config_json(best->config));
    put_checkpoint(best->checkpoint);
    printf("}\n");
}

int main(int argc, char **argv)
{
    struct pbt_results *results;
    struct pbt_error error;
    if (argc < 2) {
        return 2;
    }
    int status = pbt_results_open(&results, argv[1], &error);
    if (status != PBT_OK) {
        fprintf(stderr, "%s: %s\n", error.id, error.text);
        return status;
    }
    const struct pbt_run_info *run = pbt_results_run(results);
    put_run(run);
    for (uint32_t i = 0; i < run->trials; i++) {
        put_trial(results, i);
    }
    status = pbt_results_rows(results, PBT_NONE, PBT_ROWS_ALL, put_row, NULL,
                              &error);
    for (unsigned scope = 0; scope <= PBT_SCOPE_LAST_10_AVG; scope++) {
        for (unsigned mode = 0; mode <= PBT_MODE_MIN; mode++) {
            put_best(results, argc > 2 ? argv[2] : NULL, scope, mode);
        }
    }
    pbt_results_close(results);
    return status;
}
