#include "cli/forecast.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

#include "base/printable.h"
#include "checkpoint/checkpoint.h"
#include "cli/cli.h"
#include "view/memory.h"

#define NAMES_MAX 10000

/* The newest run of that name: NAME, NAME-2, NAME-3, ...; false if there is none. */
static bool find_newest(const char *runs, const char *name, char dir[PATH_MAX])
{
    bool found = false;
    for (unsigned i = 1; i < NAMES_MAX; i++) {
        char next[PATH_MAX];
        char suffix[16] = "";
        if (i > 1) {
            (void)snprintf(suffix, sizeof suffix, "-%u", i);
        }
        int length = snprintf(next, sizeof next, "%s/%s%s", runs, name, suffix);
        if (length < 0 || (size_t)length >= sizeof next ||
            !pbt_cli_is_run(next)) {
            break;
        }
        memcpy(dir, next, (size_t)length + 1);
        found = true;
    }
    return found;
}

static void take_size(struct pbt_cli_forecast *forecast, const char *path)
{
    uint64_t bytes;
    if (pbt_checkpoint_bytes(path, &bytes, NULL) == PBT_OK &&
        bytes > forecast->each) {
        forecast->each = bytes;
    }
}

/* What is below `dir` and begins with `prefix`, one after another. */
static void look_below(struct pbt_cli_forecast *forecast, const char *dir,
                       const char *prefix,
                       void (*look)(struct pbt_cli_forecast *,
                                    const char *path))
{
    DIR *stream = opendir(dir);
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        char path[PATH_MAX];
        int length = snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] != '.' && length > 0 &&
            (size_t)length < sizeof path &&
            strncmp(entry->d_name, prefix, strlen(prefix)) == 0) {
            look(forecast, path);
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
}

static void look_at_trial(struct pbt_cli_forecast *forecast, const char *path)
{
    look_below(forecast, path, "checkpoint_", take_size);
}

/* The room where `runs` is or will be. */
static uint64_t free_at(const char *runs)
{
    char path[PATH_MAX];
    int length = snprintf(path, sizeof path, "%s", runs);
    uint64_t bytes = pbt_disk_look_up(path);
    if (length < 0 || (size_t)length >= sizeof path) {
        return UINT64_MAX;
    }
    while (bytes == UINT64_MAX) {
        char *slash = strrchr(path, '/');
        if (slash == NULL || slash == path) {
            return pbt_disk_look_up(slash == NULL ? "." : "/");
        }
        *slash = '\0';
        bytes = pbt_disk_look_up(path);
    }
    return bytes;
}

static uint64_t times(uint64_t count, uint64_t more, uint64_t bytes)
{
    bool fits = bytes == 0 || count <= UINT64_MAX / more / bytes;
    return fits ? count * more * bytes : UINT64_MAX;
}

void pbt_cli_forecast(const struct pbt_spec *spec, const char *runs,
                      struct pbt_cli_forecast *forecast)
{
    const struct pbt_settings *settings = &spec->settings;
    char dir[PATH_MAX];
    *forecast =
        (struct pbt_cli_forecast){.most = UINT64_MAX, .free = free_at(runs)};
    if (settings->scheduler != PBT_SCHEDULER_FIFO ||
        settings->checkpoint_frequency > 0 || settings->checkpoint_at_end) {
        /* Two more that may be needed, the one that is being made, and its best. */
        bool best = settings->donors == PBT_DONORS_BEST_EVER;
        forecast->count = (uint64_t)settings->population *
                          (settings->num_to_keep + 3 + (best ? 1 : 0));
    }
    if (find_newest(runs, spec->name, dir)) {
        look_below(forecast, dir, "", look_at_trial);
    }
    if (forecast->each == 0 && spec->start_checkpoint != NULL) {
        take_size(forecast, spec->start_checkpoint);
        (void)snprintf(dir, sizeof dir, "%s", spec->start_checkpoint);
    }
    if (forecast->each > 0) {
        memcpy(forecast->from, dir, strlen(dir) + 1);
    }
    if (settings->max_bytes > 0) {
        /* What is needed is kept all the same. */
        uint64_t needed = times(
            settings->population,
            settings->donors == PBT_DONORS_BEST_EVER ? 5 : 4, forecast->each);
        forecast->most =
            needed > settings->max_bytes ? needed : settings->max_bytes;
    }
}

uint64_t pbt_cli_forecast_bytes(const struct pbt_cli_forecast *forecast)
{
    uint64_t all = times(forecast->count, 1, forecast->each);
    return all < forecast->most ? all : forecast->most;
}

void pbt_cli_forecast_warn(const struct pbt_cli_forecast *forecast)
{
    char need[PBT_BYTES_TEXT_SIZE];
    char have[PBT_BYTES_TEXT_SIZE];
    uint64_t all = pbt_cli_forecast_bytes(forecast);
    if (forecast->free == UINT64_MAX || all <= forecast->free) {
        return;
    }
    pbt_bytes_text(all, need);
    pbt_bytes_text(forecast->free, have);
    pbt_cli_warn(PBT_W0205,
                 "checkpoints may take %s, as large as in %s, and %s are "
                 "free: keep fewer (checkpoint.num_to_keep), or run "
                 "elsewhere (--dir)",
                 need, forecast->from, have);
}
