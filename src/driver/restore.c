#include "driver/restore.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/codes.h"
#include "journal/snapshot.h"

int pbt_restore_no_functions(struct pbt_error *error)
{
    return pbt_fail(error, PBT_E0808,
                    "this run explores with a function of the program "
                    "that started it: resume it with that program, whose "
                    "file has to say the same as experiment.yaml in the run's "
                    "directory");
}

/* For each text of the snapshot its handle in this process. */
static int map_texts(const struct pbt_snapshot *snapshot, struct pbt_spec *spec,
                     uint32_t **map, struct pbt_error *error)
{
    *map = calloc((size_t)snapshot->text_count + 1, sizeof **map);
    int status = *map == NULL
                     ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                     : PBT_OK;
    for (uint32_t i = 0; status == PBT_OK && i < snapshot->text_count; i++) {
        if (pbt_texts_add(&spec->texts, snapshot->texts[i],
                          snapshot->text_lengths[i], &(*map)[i]) != PBT_OK) {
            status = pbt_error_set(error, PBT_ENOMEM, "out of memory");
        }
    }
    return status;
}

static int load(const struct pbt_snapshot *snapshot, struct pbt_spec *spec,
                struct pbt_core **core, struct pbt_error *error)
{
    uint32_t *map = NULL;
    int status = map_texts(snapshot, spec, &map, error);
    if (status == PBT_OK) {
        *core = pbt_core_create(&spec->settings);
        status = *core == NULL
                     ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                     : PBT_OK;
    }
    if (status == PBT_OK) {
        const char *wrong =
            pbt_core_load(*core, snapshot->state, snapshot->state_length, map,
                          snapshot->text_count);
        if (wrong == NULL &&
            pbt_core_records(*core) != snapshot->place.record) {
            wrong = "its state is of another record than its name";
        }
        if (wrong != NULL) {
            status = pbt_error_set(error, PBT_EDATA, "%s", wrong);
            pbt_core_destroy(*core);
            *core = NULL;
        }
    }
    free(map);
    return status;
}

static int use(const struct pbt_restore *restore, uint64_t record,
               struct pbt_spec *spec, struct pbt_core **core,
               struct pbt_journal_place *place, struct pbt_error *error)
{
    struct pbt_snapshot snapshot;
    int status = pbt_snapshot_read(&snapshot, restore->files,
                                   restore->snapshot_dir, record, error);
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_journal_has(restore->files, restore->journal_dir,
                             &snapshot.place, error);
    if (status == PBT_OK && restore->drives && snapshot.functions &&
        !spec->settings.custom_explore) {
        status = pbt_restore_no_functions(error);
    }
    if (status == PBT_OK) {
        status = load(&snapshot, spec, core, error);
    }
    *place = snapshot.place;
    pbt_snapshot_done(&snapshot);
    return status;
}

/* Who is to write new ones removes it: it may be of a later record than they are. */
static int pass_over(const struct pbt_restore *restore, uint64_t record,
                     const char *why, struct pbt_error *error)
{
    char line[PBT_ERROR_TEXT_MAX + 256];
    if (restore->say != NULL) {
        (void)snprintf(line, sizeof line,
                       "warning[W0206]: the snapshot at record %" PRIu64
                       " is passed over: %s; more of the journal is read "
                       "instead",
                       record, why);
        restore->say(restore->user, line);
    }
    return restore->drives
               ? pbt_snapshot_remove(restore->files, restore->snapshot_dir,
                                     record, error)
               : PBT_OK;
}

/* PBT_OK with *core NULL: none can be used. */
static int try_snapshots(const struct pbt_restore *restore,
                         struct pbt_spec *spec, struct pbt_core **core,
                         struct pbt_journal_place *place,
                         struct pbt_error *error)
{
    uint64_t *records = NULL;
    size_t count = 0;
    int status = pbt_snapshot_list(restore->files, restore->snapshot_dir,
                                   &records, &count, error);
    if (status != PBT_OK) {
        return status;
    }
    for (size_t i = 0; i < count && *core == NULL && status == PBT_OK; i++) {
        struct pbt_error why = {.status = PBT_OK};
        int used = use(restore, records[i], spec, core, place, &why);
        if (used == PBT_ENOMEM || used == PBT_EUSAGE) {
            status = used;
            if (error != NULL) {
                *error = why;
            }
        } else if (used != PBT_OK) {
            status = pass_over(restore, records[i], why.text, error);
        }
    }
    free(records);
    return status;
}

int pbt_restore_core(const struct pbt_restore *restore, struct pbt_spec *spec,
                     struct pbt_core **core, struct pbt_journal_place *place,
                     struct pbt_error *error)
{
    *core = NULL;
    *place = (struct pbt_journal_place){.record = 0};
    int status = PBT_OK;
    if (restore->snapshot_dir != NULL) {
        status = try_snapshots(restore, spec, core, place, error);
    }
    if (status == PBT_OK && *core == NULL) {
        *place = (struct pbt_journal_place){.record = 0};
        *core = pbt_core_create(&spec->settings);
        if (*core == NULL) {
            status = pbt_error_set(error, PBT_ENOMEM, "out of memory");
        }
    }
    return status;
}
