/*
 * snapshot.c: when a snapshot of the state is made, and when it may be written.
 *
 * The loop makes the bytes, which takes it a microsecond or so per trial, every 100,000
 * records; a thread of the world's writes them.  They wait for a sync of the journal that
 * covers their record: a snapshot must not know what a power loss may take from the
 * journal.
 */
#include <inttypes.h>

#include "driver/state.h"
#include "journal/snapshot.h"

/* Without memory for it there is none this time. */
static bool make(struct pbt_driver *driver)
{
    struct pbt_buf state;
    struct pbt_journal_place end = pbt_journal_end(driver->journal);
    pbt_buf_init(&state, driver->snapshot.limit);
    pbt_core_save(driver->core, &state);
    pbt_buf_reset(&driver->snapshot);
    pbt_snapshot_write(&end, driver->spec->settings.custom_explore,
                       &driver->spec->texts, &state, &driver->snapshot);
    pbt_buf_done(&state);
    driver->snapshot_last = end.record;
    return !pbt_buf_failed(&driver->snapshot);
}

void pbt_driver_note_snapshot(struct pbt_driver *driver)
{
    const struct pbt_driver_options *options = &driver->options;
    uint64_t every = options->snapshot_every == 0 ? PBT_SNAPSHOT_EVERY
                                                  : options->snapshot_every;
    uint64_t records = pbt_core_records(driver->core);
    if (options->snapshot_dir == NULL || driver->snapshot_waits != 0 ||
        records - driver->snapshot_last < every) {
        return;
    }
    driver->snapshot_waits = make(driver) ? records : 0;
}

int pbt_driver_send_snapshot(struct pbt_driver *driver, struct pbt_error *error)
{
    if (driver->snapshot_waits == 0 ||
        driver->snapshot_waits > driver->synced) {
        return PBT_OK;
    }
    struct pbt_job job = {.kind = PBT_JOB_SNAPSHOT,
                          .seq = driver->snapshot_waits,
                          .snapshot_dir = driver->options.snapshot_dir,
                          .snapshot = &driver->snapshot};
    int status = driver->world->ops->submit(driver->world, &job, error);
    driver->snapshot_waits = 0;
    pbt_buf_done(&driver->snapshot);
    return status;
}

void pbt_driver_last_snapshot(struct pbt_driver *driver)
{
    const struct pbt_driver_options *options = &driver->options;
    struct pbt_error error;
    uint64_t records = pbt_core_records(driver->core);
    bool sent = driver->snapshot_last == records && driver->snapshot_waits == 0;
    if (options->snapshot_dir == NULL || sent || !make(driver)) {
        return;
    }
    driver->snapshot_waits = 0;
    if (pbt_snapshot_store(options->files, options->snapshot_dir, records,
                           driver->snapshot.data, driver->snapshot.length,
                           &error) != PBT_OK) {
        pbt_driver_say(driver, "warning[W0206]: no snapshot was written: %s",
                       error.text);
    }
}
