/*
 * fold.c: a run's state, from its newest snapshot and the records behind it.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/codes.h"
#include "driver/restore.h"
#include "journal/entry.h"
#include "run/run.h"

struct fold {
    struct pbt_spec *spec;
    struct pbt_core *core;
};

static int apply(void *user, const char *line, size_t length,
                 struct pbt_error *error)
{
    const struct fold *fold = user;
    struct pbt_entry entry;
    int status = pbt_entry_read(&entry, fold->spec, line, length, error);
    if (status != PBT_OK) {
        return status;
    }
    uint64_t number = entry.record.number;
    bool applied = pbt_core_apply(fold->core, &entry.record);
    pbt_entry_done(&entry);
    return applied
               ? PBT_OK
               : pbt_fail(error, PBT_E0803,
                          "record %" PRIu64 " can't follow on those before it",
                          number);
}

int pbt_run_fold(const char *path, struct pbt_spec *spec,
                 struct pbt_core **core, struct pbt_error *error)
{
    char journal[PBT_RUN_PATH_SIZE + 16];
    char snapshots[PBT_RUN_PATH_SIZE + 16];
    const struct pbt_restore restore = {.files = pbt_files_posix(),
                                        .journal_dir = journal,
                                        .snapshot_dir = snapshots};
    struct pbt_journal_info info;
    struct pbt_journal_place place;
    struct fold fold = {.spec = spec};
    (void)snprintf(journal, sizeof journal, "%s/journal", path);
    (void)snprintf(snapshots, sizeof snapshots, "%s/" PBT_RUN_SNAPSHOTS, path);
    int status = pbt_restore_core(&restore, spec, &fold.core, &place, error);
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_journal_read_from(restore.files, journal,
                                   place.record > 0 ? &place : NULL, apply,
                                   &fold, &info, error);
    if (status == PBT_ENOINPUT && info.segments == 0) {
        status = PBT_OK; /* it has not begun yet */
    }
    if (status != PBT_OK) {
        pbt_core_destroy(fold.core);
        return status;
    }
    *core = fold.core;
    return PBT_OK;
}

int pbt_run_fold_all(const char *path, struct pbt_spec *spec,
                     struct pbt_core **core, struct pbt_journal_info *info,
                     struct pbt_error *error)
{
    char journal[PBT_RUN_PATH_SIZE + 16];
    struct fold fold = {.spec = spec, .core = pbt_core_create(&spec->settings)};
    *info = (struct pbt_journal_info){0};
    if (fold.core == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    (void)snprintf(journal, sizeof journal, "%s/journal", path);
    int status =
        pbt_journal_read(pbt_files_posix(), journal, apply, &fold, info, error);
    if (status == PBT_ENOINPUT && info->segments == 0) {
        status = PBT_OK; /* it has not begun yet */
    }
    if (status != PBT_OK) {
        pbt_core_destroy(fold.core);
        return status;
    }
    *core = fold.core;
    return PBT_OK;
}

int pbt_run_is_over(const char *path, bool *over, struct pbt_error *error)
{
    struct pbt_spec spec;
    struct pbt_core *core = NULL;
    int status = pbt_run_read_spec(path, &spec, error);
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_run_fold(path, &spec, &core, error);
    if (status == PBT_OK) {
        *over = pbt_core_over(core);
        pbt_core_destroy(core);
    }
    pbt_spec_done(&spec);
    return status;
}
