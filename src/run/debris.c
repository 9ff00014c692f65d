/*
 * debris.c: checkpoints on disk that no record names.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/names.h"
#include "run/run.h"

/* True for what a save that never came to its record has left. */
static bool is_debris(const struct pbt_core *core, uint32_t trial,
                      const char *name)
{
    struct pbt_core_checkpoint about;
    uint32_t number = pbt_checkpoint_number(name);
    if (number == 0) {
        return strncmp(name, ".checkpoint_", 12) == 0;
    }
    return !pbt_core_checkpoint(core, (struct pbt_checkpoint_id){trial, number},
                                &about);
}

static int look_at_trial(const char *run, const char *id, uint32_t trial,
                         const struct pbt_core *core, pbt_debris_fn fn,
                         void *user, struct pbt_error *error)
{
    char dir[PBT_RUN_PATH_SIZE + 32];
    char path[PBT_RUN_PATH_SIZE + 320];
    (void)snprintf(dir, sizeof dir, "%s/%s", run, id);
    DIR *open = opendir(dir);
    if (open == NULL) {
        return errno == ENOENT ? PBT_OK
                               : pbt_error_set(error, PBT_EIO, "%s: %s", dir,
                                               strerror(errno));
    }
    int status = PBT_OK;
    const struct dirent *item;
    while (status == PBT_OK && (item = readdir(open)) != NULL) {
        if (is_debris(core, trial, item->d_name)) {
            (void)snprintf(path, sizeof path, "%s/%s", dir, item->d_name);
            status = fn(user, path, error);
        }
    }
    (void)closedir(open);
    return status;
}

int pbt_run_debris(const char *path, const struct pbt_spec *spec,
                   const struct pbt_core *core, pbt_debris_fn fn, void *user,
                   struct pbt_error *error)
{
    int status = PBT_OK;
    for (uint32_t i = 0; status == PBT_OK && i < spec->settings.population;
         i++) {
        char id[PBT_TRIAL_ID_SIZE];
        pbt_trial_id(spec->settings.seed, i, id);
        status = look_at_trial(path, id, i, core, fn, user, error);
    }
    return status;
}
