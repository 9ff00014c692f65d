/*
 * pbt gc: what no record of a run needs.
 */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>

#include "base/printable.h"
#include "cli/cli.h"
#include "cli/upkeep.h"
#include "journal/lock.h"
#include "upkeep/upkeep.h"

static void put_found(void *user, const char *path, uint64_t bytes)
{
    char size[PBT_BYTES_TEXT_SIZE];
    (void)user;
    pbt_bytes_text(bytes, size);
    (void)printf("%s (%s)\n", path, size);
}

static void say(void *user, const char *text)
{
    (void)user;
    (void)fprintf(stderr, "%s\n", text);
}

/* Under the run's lock: to a driver at work belongs what is about to get its record. */
static int collect_locked(const char *run, bool dry,
                          void (*found)(void *, const char *, uint64_t),
                          struct pbt_collected *collected,
                          struct pbt_error *error)
{
    struct pbt_lock_settings settings = pbt_lock_settings();
    struct pbt_lock *lock = NULL;
    settings.say = say;
    int status = pbt_lock_take(&lock, run, &settings, error);
    if (status == PBT_OK) {
        const struct pbt_hold hold = pbt_lock_as_hold(lock);
        status = pbt_collect(run, dry, &hold, found, NULL, collected, error);
        pbt_lock_release(lock);
    }
    return status;
}

static void ignore(void *user, const char *path, uint64_t bytes)
{
    (void)user;
    (void)path;
    (void)bytes;
}

int pbt_cli_sweep(const char *run, struct pbt_error *error)
{
    struct pbt_collected collected;
    return collect_locked(run, false, ignore, &collected, error);
}

int pbt_cli_gc(const struct pbt_cli_call *call)
{
    char run[PATH_MAX];
    char size[PBT_BYTES_TEXT_SIZE];
    struct pbt_error error;
    struct pbt_collected collected;
    bool dry = pbt_cli_given(call, "dry-run");
    int status = pbt_cli_find_run(call->args[0], pbt_cli_value(call, "dir"),
                                  run, sizeof run, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail_at(&error, call->args[0], NULL);
    }
    status = collect_locked(run, dry, put_found, &collected, &error);
    if (status != PBT_OK) {
        return pbt_cli_fail(&error);
    }
    if (collected.count == 0) {
        (void)printf("%s: nothing to delete\n", run);
        return PBT_OK;
    }
    pbt_bytes_text(collected.bytes, size);
    (void)printf("%s: %s %s in %" PRIu32 " place%s\n", run,
                 dry ? "would free" : "freed", size, collected.count,
                 collected.count == 1 ? "" : "s");
    return PBT_OK;
}
