/*
 * fold.c: a run's state from its journal, by applying every record.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/codes.h"
#include "journal/entry.h"
#include "journal/journal.h"
#include "run/run.h"

struct fold {
    struct pbt_spec *spec;
    struct pbt_core *core;
};

static int fold_line(void *user, const char *line, size_t length,
                     struct pbt_error *error)
{
    struct fold *fold = user;
    struct pbt_entry entry;
    int status = pbt_entry_read(&entry, fold->spec, line, length, error);
    if (status != PBT_OK) {
        return status;
    }
    bool applied = pbt_core_apply(fold->core, &entry.record);
    uint64_t number = entry.record.number;
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
    struct pbt_journal_info info;
    struct fold fold = {spec, pbt_core_create(&spec->settings)};
    if (fold.core == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    (void)snprintf(journal, sizeof journal, "%s/journal", path);
    int status = pbt_journal_read(pbt_files_posix(), journal, fold_line, &fold,
                                  &info, error);
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
