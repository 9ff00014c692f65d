/*
 * gc.c: what no record needs.
 */
#define _XOPEN_SOURCE 700 /* nftw() */

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codes.h"
#include "base/names.h"
#include "checkpoint/checkpoint.h"
#include "upkeep/upkeep.h"

struct search {
    bool dry;
    const struct pbt_hold *hold;
    void (*found)(void *user, const char *path, uint64_t bytes);
    void *user;
    struct pbt_collected *collected;
};

/* nftw() takes no argument of ours. */
static _Thread_local uint64_t tree_bytes;

static int add_bytes(const char *path, const struct stat *about, int kind,
                     struct FTW *place)
{
    (void)path;
    (void)place;
    tree_bytes += kind == FTW_F ? (uint64_t)about->st_size : 0;
    return 0;
}

static uint64_t bytes_of(const char *path)
{
    tree_bytes = 0;
    (void)nftw(path, add_bytes, 16, FTW_PHYS);
    return tree_bytes;
}

/* A directory of ours. */
static int collect(void *user, const char *path, struct pbt_error *error)
{
    struct search *search = user;
    uint64_t bytes = bytes_of(path);
    int status = search->dry
                     ? PBT_OK
                     : pbt_checkpoint_delete_held(path, search->hold, error);
    if (status == PBT_OK) {
        search->collected->count++;
        search->collected->bytes += bytes;
        search->found(search->user, path, bytes);
    }
    return status;
}

/*
 * What a program without a client worked on: it goes with its process, unless its driver and its shim
 * were killed.
 */
static int collect_work(struct search *search, const char *run,
                        const struct pbt_spec *spec, struct pbt_error *error)
{
    int status = PBT_OK;
    for (uint32_t i = 0;
         spec->no_client && status == PBT_OK && i < spec->settings.population;
         i++) {
        char path[PBT_RUN_PATH_SIZE];
        char id[PBT_TRIAL_ID_SIZE];
        struct stat about;
        pbt_trial_id(spec->settings.seed, i, id);
        (void)snprintf(path, sizeof path, "%s/%s/work", run, id);
        if (lstat(path, &about) == 0 && S_ISDIR(about.st_mode)) {
            status = collect(search, path, error);
        }
    }
    return status;
}

/* The names of files that pbt replaces, while it writes them anew. */
static bool is_temporary(const char *name)
{
    static const char *const names[] = {
        "experiment.yaml.tmp", "pbt_global.txt.tmp", "status.json.tmp",
        "log_cursor.json.tmp", "params.json.tmp",    "result.json.tmp",
        "progress.csv.tmp",    "error.txt.tmp"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            return true;
        }
    }
    if (strspn(name, "0123456789") == 12) {
        return strcmp(name + 12, ".bin.tmp") == 0; /* a snapshot */
    }
    return strncmp(name, "pbt_policy_", 11) == 0 && length > 8 &&
           strcmp(name + length - 8, ".txt.tmp") == 0;
}

static int collect_file(struct search *search, const char *path,
                        struct pbt_error *error)
{
    struct stat about;
    if (lstat(path, &about) != 0 || !S_ISREG(about.st_mode)) {
        return PBT_OK;
    }
    int status = pbt_hold_ask(search->hold, error);
    if (status != PBT_OK) {
        return status;
    }
    if (!search->dry && unlink(path) != 0) {
        return pbt_error_set(error, errno == EACCES ? PBT_EPERM : PBT_EIO,
                             "can't delete %s: %s", path, strerror(errno));
    }
    search->collected->count++;
    search->collected->bytes += (uint64_t)about.st_size;
    search->found(search->user, path, (uint64_t)about.st_size);
    return PBT_OK;
}

/* Files that were to take another's place, and whose writer died first. */
static int collect_temporary(struct search *search, const char *dir,
                             struct pbt_error *error)
{
    DIR *stream = opendir(dir);
    const struct dirent *item;
    int status = PBT_OK;
    while (status == PBT_OK && stream != NULL &&
           (item = readdir(stream)) != NULL) {
        char path[PBT_RUN_PATH_SIZE + 260];
        if (is_temporary(item->d_name)) {
            (void)snprintf(path, sizeof path, "%s/%s", dir, item->d_name);
            status = collect_file(search, path, error);
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
    return status;
}

static int collect_all_temporary(struct search *search, const char *run,
                                 const struct pbt_spec *spec,
                                 struct pbt_error *error)
{
    char snapshots[PBT_RUN_PATH_SIZE];
    (void)snprintf(snapshots, sizeof snapshots, "%s/" PBT_RUN_SNAPSHOTS, run);
    int status = collect_temporary(search, run, error);
    if (status == PBT_OK) {
        status = collect_temporary(search, snapshots, error);
    }
    for (uint32_t i = 0; status == PBT_OK && i < spec->settings.population;
         i++) {
        char path[PBT_RUN_PATH_SIZE];
        char id[PBT_TRIAL_ID_SIZE];
        pbt_trial_id(spec->settings.seed, i, id);
        (void)snprintf(path, sizeof path, "%s/%s", run, id);
        status = collect_temporary(search, path, error);
    }
    return status;
}

int pbt_collect(const char *run, bool dry, const struct pbt_hold *hold,
                void (*found)(void *user, const char *path, uint64_t bytes),
                void *user, struct pbt_collected *collected,
                struct pbt_error *error)
{
    struct pbt_spec spec;
    struct pbt_core *core;
    struct pbt_journal_info info;
    struct search search = {.dry = dry,
                            .hold = hold,
                            .found = found,
                            .user = user,
                            .collected = collected};
    *collected = (struct pbt_collected){.count = 0};
    int status = pbt_run_read_spec(run, &spec, error);
    if (status != PBT_OK) {
        return status;
    }
    /* What can't be read might need them all: then nothing is removed. */
    status = pbt_run_fold_all(run, &spec, &core, &info, error);
    if (status == PBT_OK) {
        /* The name of a journal that is gone must not cost its checkpoints. */
        status =
            info.segments == 0
                ? pbt_fail(error, PBT_E0706, "%s/journal: no journal here", run)
                : pbt_run_debris(run, &spec, core, collect, &search, error);
        pbt_core_destroy(core);
    }
    if (status == PBT_OK) {
        status = collect_work(&search, run, &spec, error);
    }
    if (status == PBT_OK) {
        status = collect_all_temporary(&search, run, &spec, error);
    }
    pbt_spec_done(&spec);
    return status;
}
