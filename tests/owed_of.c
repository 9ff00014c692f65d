/*
 * owed_of RUN: what a run's journal says that the world has still to do.
 *
 * Folds the journal with pbt_core_apply() and prints one line of JSON: for each trial its
 * owed command, whether that loads a checkpoint, and where the trial is.  It writes
 * nothing, so it can look at what a killed driver left.
 */
#include <inttypes.h>
#include <stdio.h>

#include "run/run.h"

static void print(const struct pbt_core *core, uint32_t population)
{
    (void)printf("{\"records\":%" PRIu64 ",\"finished\":%s,\"trials\":[",
                 pbt_core_records(core),
                 pbt_core_finished(core) ? "true" : "false");
    for (uint32_t i = 0; i < population; i++) {
        struct pbt_core_trial trial = pbt_core_trial(core, i);
        struct pbt_command owed = pbt_core_owed(core, i);
        (void)printf("%s{\"owed\":\"%s\",\"checkpoint\":%s,\"process\":%s,"
                     "\"iteration\":%" PRId64 "}",
                     i > 0 ? "," : "", pbt_command_name(owed.kind),
                     owed.checkpoint.number != 0 ? "true" : "false",
                     trial.has_process ? "true" : "false", trial.iteration);
    }
    (void)puts("]}");
}

int main(int argc, char **argv)
{
    struct pbt_error error;
    struct pbt_spec spec;
    struct pbt_core *core;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: owed_of RUN\n");
        return PBT_EUSAGE;
    }
    int status = pbt_run_read_spec(argv[1], &spec, &error);
    if (status == PBT_OK) {
        status = pbt_run_fold(argv[1], &spec, &core, &error);
        if (status == PBT_OK) {
            print(core, spec.settings.population);
            pbt_core_destroy(core);
        }
        pbt_spec_done(&spec);
    }
    if (status != PBT_OK) {
        (void)fprintf(stderr, "owed_of: %s\n", error.text);
    }
    return status;
}
