/*
 * same_state RUN: are the snapshots of a run what its journal says?
 *
 * Folds the journal from its first record on, and compares the state at each record that there
 * is a snapshot of with what the snapshot holds.  Prints how many there were.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver/restore.h"
#include "journal/entries.h"
#include "journal/snapshot.h"
#include "run/run.h"

struct fold {
    struct pbt_core *core;
    const uint64_t *records; /* of the snapshots, the newest first */
    size_t left;
    uint64_t digests[64];
};

static int apply(void *user, const struct pbt_entry *entry,
                 struct pbt_error *error)
{
    struct fold *fold = user;
    if (!pbt_core_apply(fold->core, &entry->record)) {
        return pbt_error_set(error, PBT_EDATA, "a record can't be applied");
    }
    if (fold->left > 0 &&
        fold->records[fold->left - 1] == entry->record.number) {
        fold->digests[--fold->left] = pbt_core_digest(fold->core);
    }
    return PBT_OK;
}

/* Only this one is there: whether it can be used, and what it holds. */
static int compare(const char *run, uint64_t record, uint64_t digest,
                   struct pbt_error *error)
{
    char dir[PBT_RUN_PATH_SIZE + 16];
    struct pbt_spec spec;
    struct pbt_snapshot snapshot;
    (void)snprintf(dir, sizeof dir, "%s/" PBT_RUN_SNAPSHOTS, run);
    int status = pbt_run_read_spec(run, &spec, error);
    if (status != PBT_OK) {
        return status;
    }
    status =
        pbt_snapshot_read(&snapshot, pbt_files_posix(), dir, record, error);
    struct pbt_core *core = pbt_core_create(&spec.settings);
    uint32_t *texts = calloc(100000, sizeof *texts);
    if (core == NULL || texts == NULL) {
        abort();
    }
    for (uint32_t i = 0; status == PBT_OK && i < snapshot.text_count; i++) {
        status = pbt_texts_add(&spec.texts, snapshot.texts[i],
                               snapshot.text_lengths[i], &texts[i]);
    }
    if (status == PBT_OK) {
        const char *wrong =
            pbt_core_load(core, snapshot.state, snapshot.state_length, texts,
                          snapshot.text_count);
        wrong = wrong == NULL ? pbt_core_check(core) : wrong;
        if (wrong != NULL) {
            status = pbt_error_set(error, PBT_EDATA, "%s", wrong);
        } else if (pbt_core_digest(core) != digest) {
            status = pbt_error_set(error, PBT_EDATA,
                                   "it is not the fold of the journal");
        }
        pbt_snapshot_done(&snapshot);
    }
    pbt_core_destroy(core);
    free(texts);
    pbt_spec_done(&spec);
    return status;
}

static int check_run(const char *run, struct pbt_spec *spec,
                     struct pbt_error *error)
{
    char dir[PBT_RUN_PATH_SIZE + 16];
    struct pbt_journal_info info;
    static struct fold fold;
    uint64_t *records = NULL;
    size_t count = 0;
    (void)snprintf(dir, sizeof dir, "%s/" PBT_RUN_SNAPSHOTS, run);
    int status =
        pbt_snapshot_list(pbt_files_posix(), dir, &records, &count, error);
    fold.core = pbt_core_create(&spec->settings);
    if (fold.core == NULL || count > 64) {
        abort();
    }
    fold.records = records;
    fold.left = count;
    if (status == PBT_OK) {
        status = pbt_journal_entries(run, spec, apply, &fold, &info, error);
    }
    if (status == PBT_OK && fold.left > 0) {
        status = pbt_error_set(error, PBT_EDATA,
                               "a snapshot is ahead of the journal");
    }
    for (size_t i = 0; status == PBT_OK && i < count; i++) {
        status = compare(run, records[i], fold.digests[i], error);
        if (status != PBT_OK) {
            (void)printf("the snapshot at record %" PRIu64 ": ", records[i]);
        }
    }
    if (status == PBT_OK) {
        (void)printf("%zu\n", count);
    }
    pbt_core_destroy(fold.core);
    free(records);
    return status;
}

int main(int argc, char **argv)
{
    struct pbt_error error;
    struct pbt_spec spec;
    if (argc != 2) {
        (void)fprintf(stderr, "usage: same_state RUN\n");
        return PBT_EUSAGE;
    }
    int status = pbt_run_read_spec(argv[1], &spec, &error);
    if (status == PBT_OK) {
        status = check_run(argv[1], &spec, &error);
        pbt_spec_done(&spec);
    }
    if (status != PBT_OK) {
        (void)fflush(stdout);
        (void)fprintf(stderr, "same_state: %s\n", error.text);
    }
    return status;
}
