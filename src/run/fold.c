/*
 * fold.c: a run's state from its journal, by applying every record.
 */
#include <inttypes.h>

#include "base/codes.h"
#include "journal/entries.h"
#include "run/run.h"

static int apply(void *user, const struct pbt_entry *entry,
                 struct pbt_error *error)
{
    struct pbt_core *core = user;
    return pbt_core_apply(core, &entry->record)
               ? PBT_OK
               : pbt_fail(error, PBT_E0803,
                          "record %" PRIu64 " can't follow on those before it",
                          entry->record.number);
}

int pbt_run_fold(const char *path, struct pbt_spec *spec,
                 struct pbt_core **core, struct pbt_error *error)
{
    struct pbt_journal_info info;
    struct pbt_core *folded = pbt_core_create(&spec->settings);
    if (folded == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    int status = pbt_journal_entries(path, spec, apply, folded, &info, error);
    if (status == PBT_ENOINPUT && info.segments == 0) {
        status = PBT_OK; /* it has not begun yet */
    }
    if (status != PBT_OK) {
        pbt_core_destroy(folded);
        return status;
    }
    *core = folded;
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
