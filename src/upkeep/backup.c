/*
 * backup.c: a consistent copy of a run, also while it runs.
 *
 * A driver appends to its journal and gives up checkpoints meanwhile.  So: the journal is read, and
 * the checkpoints that are needed at its end are copied; if one was deleted under our hands the
 * journal says so by then and is read again, and only what is new has to be copied.  When all
 * are there the journal is copied, up to where it was read.
 *
 * experiment.yaml, which makes a directory a run, is copied last, and then the directory gets its
 * name: what a backup that was killed has left is no run, or a whole one.
 */
#define _GNU_SOURCE /* renameat2 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codes.h"
#include "base/names.h"
#include "checkpoint/checkpoint.h"
#include "upkeep/copy.h"
#include "upkeep/upkeep.h"

/* Each is shorter than the one before, unless saving is faster than copying. */
#define PASSES_MAX 100

struct item {
    struct pbt_checkpoint_id id;
    uint64_t bytes;
    bool missed; /* not copied: it wasn't there, or not whole */
    bool lost;   /* and is not going to be */
};

struct backup {
    const char *run;
    char to[PBT_RUN_PATH_SIZE]; /* its temporary name */
    bool salvage;
    const struct pbt_upkeep_watch *watch;
    struct pbt_backed_up *done;
    struct pbt_spec spec;
    struct item *items; /* checkpoints that were needed at the last look */
    size_t count;
    size_t capacity;
};

/* --- checkpoints ---------------------------------------------------------------- */

static struct item *find_item(const struct backup *backup,
                              struct pbt_checkpoint_id id)
{
    for (size_t i = 0; i < backup->count; i++) {
        struct item *item = &backup->items[i];
        if (item->id.trial == id.trial && item->id.number == id.number) {
            return item;
        }
    }
    return NULL;
}

static struct item *add_item(struct backup *backup, struct pbt_checkpoint_id id)
{
    if (backup->count == backup->capacity) {
        size_t capacity = backup->capacity == 0 ? 64 : 2 * backup->capacity;
        void *grown = realloc(backup->items, capacity * sizeof *backup->items);
        if (grown == NULL) {
            return NULL;
        }
        backup->items = grown;
        backup->capacity = capacity;
    }
    backup->items[backup->count] = (struct item){.id = id};
    return &backup->items[backup->count++];
}

/* PBT_OK with item->missed: it isn't there, or not whole; `error` then says how. */
static int copy_item(struct backup *backup, struct item *item,
                     struct pbt_error *error)
{
    char from[PBT_RUN_PATH_SIZE];
    char to[PBT_RUN_PATH_SIZE];
    struct pbt_error ignored;
    pbt_needed_path(&backup->spec, backup->run, item->id, from);
    pbt_needed_path(&backup->spec, backup->to, item->id, to);
    int status = pbt_checkpoint_clone(from, to, &item->bytes, error);
    item->missed = status == PBT_ENOINPUT || status == PBT_EDATA;
    if (status == PBT_OK) {
        backup->done->checkpoints++;
        backup->done->bytes += item->bytes;
        return PBT_OK;
    }
    (void)pbt_checkpoint_delete(to, &ignored);
    return item->missed ? PBT_OK : status;
}

/* What was needed before, and has been given up since. */
static int drop_given_up(struct backup *backup, const struct pbt_core *core,
                         struct pbt_error *error)
{
    size_t kept = 0;
    int status = PBT_OK;
    for (size_t i = 0; i < backup->count; i++) {
        const struct item item = backup->items[i];
        char path[PBT_RUN_PATH_SIZE];
        if (status != PBT_OK || pbt_is_needed(core, item.id)) {
            backup->items[kept++] = item;
        } else if (item.missed) {
            backup->done->left_out -= item.lost ? 1 : 0;
        } else {
            pbt_needed_path(&backup->spec, backup->to, item.id, path);
            status = pbt_checkpoint_delete(path, error);
            backup->done->checkpoints--;
            backup->done->bytes -= item.bytes;
        }
    }
    backup->count = kept;
    return status;
}

/* One that the run needs and doesn't have. */
static int lose(struct backup *backup, struct item *item,
                const struct pbt_error *why, struct pbt_error *error)
{
    const struct pbt_upkeep_watch *watch = backup->watch;
    if (!backup->salvage) {
        return pbt_fail(error, PBT_E0862,
                        "%s; with --salvage what is whole is backed up",
                        why->text);
    }
    item->lost = true;
    backup->done->left_out++;
    if (watch->trouble != NULL) {
        watch->trouble(watch->user, why->text, "left out");
    }
    return PBT_OK;
}

/*
 * A checkpoint goes only after its record: one that was missing at the last look and is
 * still needed by what the journal says now is lost.  *again: it may have been given up meanwhile.
 */
static int copy_one(struct backup *backup, struct pbt_checkpoint_id id,
                    bool at_work, bool *again, struct pbt_error *error)
{
    struct pbt_error why = {.status = PBT_OK};
    struct item *item = find_item(backup, id);
    if (item != NULL && (!item->missed || item->lost)) {
        return PBT_OK;
    }
    const struct pbt_upkeep_watch *watch = backup->watch;
    if (watch->stopped != NULL && watch->stopped(watch->user)) {
        return pbt_error_set(error, PBT_EINTERRUPTED,
                             "interrupted: there is no backup, and what was "
                             "copied of it is removed");
    }
    bool last_try = item != NULL || !at_work || id.number == 0;
    item = item != NULL ? item : add_item(backup, id);
    if (item == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    int status = copy_item(backup, item, &why);
    if (status == PBT_OK && item->missed && last_try) {
        return lose(backup, item, &why, error);
    }
    *again = *again || item->missed;
    if (status != PBT_OK && error != NULL) {
        *error = why;
    }
    return status;
}

/* Copies what this state needs.  `at_work`: a driver may have gone on since. */
static int copy_needed(struct backup *backup, const struct pbt_core *core,
                       bool at_work, bool *again, struct pbt_error *error)
{
    const struct pbt_upkeep_watch *watch = backup->watch;
    struct pbt_needed needed;
    *again = false;
    int status = drop_given_up(backup, core, error);
    if (status != PBT_OK) {
        return status;
    }
    status = pbt_needed_list(&needed, &backup->spec, core, error);
    for (size_t i = 0; status == PBT_OK && i < needed.count; i++) {
        status = copy_one(backup, needed.items[i], at_work, again, error);
        if (watch->progress != NULL) {
            watch->progress(watch->user, (uint32_t)i + 1,
                            (uint32_t)needed.count, backup->done->bytes);
        }
    }
    pbt_needed_done(&needed);
    return status;
}

/* --- with the journal ----------------------------------------------------------- */

/* The journal first, as far as it is whole; then what that state needs. */
static int salvage(struct backup *backup, struct pbt_error *error)
{
    struct pbt_backed_up *done = backup->done;
    char dir[PBT_RUN_PATH_SIZE + 16];
    struct pbt_journal_info copied;
    struct pbt_core *core;
    bool again;
    (void)snprintf(dir, sizeof dir, "%s/journal", backup->run);
    int status = pbt_journal_salvage(pbt_files_posix(), dir, &done->journal,
                                     &done->damage, error);
    if (status == PBT_OK) {
        status =
            pbt_copy_journal(backup->run, backup->to, &done->journal, error);
    }
    if (status == PBT_OK) {
        done->lost_bytes = pbt_journal_rest(backup->run, &done->journal);
        status =
            pbt_run_fold_all(backup->to, &backup->spec, &core, &copied, error);
    }
    if (status == PBT_OK) {
        status = copy_needed(backup, core, false, &again, error);
        pbt_core_destroy(core);
    }
    return status;
}

/* *core is NULL of a journal that isn't whole: then it has been seen to. */
static int read_state(struct backup *backup, struct pbt_core **core,
                      struct pbt_error *error)
{
    struct pbt_journal_info *info = &backup->done->journal;
    struct pbt_error why;
    *core = NULL;
    int status = pbt_run_fold_all(backup->run, &backup->spec, core, info, &why);
    if (status == PBT_OK && info->last_segment > 0) {
        return PBT_OK;
    }
    pbt_core_destroy(*core);
    *core = NULL;
    if (status == PBT_OK) {
        return pbt_fail(error, PBT_E0706,
                        "%s/journal: no record is here yet, so there is "
                        "nothing to back up",
                        backup->run);
    }
    if (!pbt_journal_is_damage(&why)) {
        if (error != NULL) {
            *error = why;
        }
        return status;
    }
    if (backup->salvage) {
        return salvage(backup, error);
    }
    return pbt_fail(error, pbt_code_find(pbt_error_id(&why)),
                    "%s; with --salvage what is whole is backed up", why.text);
}

/* Until a state and the checkpoints that it needs are there together. */
static int copy_state(struct backup *backup, struct pbt_error *error)
{
    for (int pass = 0; pass < PASSES_MAX; pass++) {
        struct pbt_core *core;
        bool again = false;
        int status = read_state(backup, &core, error);
        if (status != PBT_OK || core == NULL) {
            return status;
        }
        status = copy_needed(backup, core, true, &again, error);
        pbt_core_destroy(core);
        if (status == PBT_OK && !again) {
            status = pbt_copy_journal(backup->run, backup->to,
                                      &backup->done->journal, error);
        }
        if (status != PBT_OK || !again) {
            return status;
        }
    }
    return pbt_fail(error, PBT_E0863,
                    "checkpoints of %s are given up faster than they can be "
                    "copied: pause it (pbt pause %s), or keep more of them "
                    "(checkpoint.num_to_keep)",
                    backup->run, backup->run);
}

/* --- all of it ------------------------------------------------------------------ */

static int make_dirs(struct backup *backup, struct pbt_error *error)
{
    char path[PBT_RUN_PATH_SIZE + 64];
    (void)snprintf(path, sizeof path, "%s/journal", backup->to);
    int status = pbt_make_dirs(path, error);
    for (uint32_t i = 0;
         status == PBT_OK && i < backup->spec.settings.population; i++) {
        char id[PBT_TRIAL_ID_SIZE];
        pbt_trial_id(backup->spec.settings.seed, i, id);
        (void)snprintf(path, sizeof path, "%s/%s", backup->to, id);
        status = pbt_make_dirs(path, error);
    }
    return status;
}

/* What a trial's programs have printed until now: nobody can make that anew. */
static int copy_printed(const struct backup *backup, uint32_t trial,
                        struct pbt_error *error)
{
    static const char *const names[] = {"stdout", "stderr"};
    struct pbt_files *files = pbt_files_posix();
    char id[PBT_TRIAL_ID_SIZE];
    char dir[PBT_RUN_PATH_SIZE + 64];
    int status = PBT_OK;
    pbt_trial_id(backup->spec.settings.seed, trial, id);
    for (size_t i = 0; status == PBT_OK && i < 2; i++) {
        char name[64];
        (void)snprintf(name, sizeof name, "%s/%s", id, names[i]);
        status = pbt_copy_file(backup->run, backup->to, name, UINT64_MAX, true,
                               error);
    }
    (void)snprintf(dir, sizeof dir, "%s/%s", backup->to, id);
    return status == PBT_OK ? files->ops->sync_path(files, dir, error) : status;
}

static int fill(struct backup *backup, struct pbt_error *error)
{
    struct pbt_files *files = pbt_files_posix();
    int status = make_dirs(backup, error);
    if (status == PBT_OK) {
        status = copy_state(backup, error);
    }
    for (uint32_t i = 0;
         status == PBT_OK && i < backup->spec.settings.population; i++) {
        status = copy_printed(backup, i, error);
    }
    if (status == PBT_OK) {
        status = files->ops->sync_path(files, backup->to, error);
    }
    if (status == PBT_OK) {
        status = pbt_copy_file(backup->run, backup->to, "experiment.yaml",
                               UINT64_MAX, false, error);
    }
    return status == PBT_OK ? files->ops->sync_path(files, backup->to, error)
                            : status;
}

static int cant_make(struct pbt_error *error, const char *path)
{
    int cause = errno;
    return pbt_fail(error,
                    cause == ENOSPC || cause == EDQUOT ? PBT_E0975 : PBT_E0861,
                    "can't make %s: %s", path, strerror(cause));
}

/* Without replacing what somebody else has made meanwhile. */
static int give_name(const struct backup *backup, const char *to,
                     struct pbt_error *error)
{
    char parent[PBT_RUN_PATH_SIZE];
    struct pbt_files *files = pbt_files_posix();
    (void)snprintf(parent, sizeof parent, "%s", to);
    char *slash = strrchr(parent, '/');
    if (slash != NULL) {
        slash[slash == parent ? 1 : 0] = '\0';
    }
    if (renameat2(AT_FDCWD, backup->to, AT_FDCWD, to, RENAME_NOREPLACE) != 0) {
        struct stat there;
        bool unknown =
            errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP;
        if (!unknown || lstat(to, &there) == 0 || rename(backup->to, to) != 0) {
            return cant_make(error, to);
        }
    }
    return files->ops->sync_path(files, slash != NULL ? parent : ".", error);
}

static int back_up(struct backup *backup, const char *to,
                   struct pbt_error *error)
{
    struct pbt_error ignored;
    if (mkdir(backup->to, 0700) != 0) {
        return cant_make(error, to);
    }
    int status = fill(backup, error);
    if (status == PBT_OK) {
        status = give_name(backup, to, error);
    }
    if (status != PBT_OK) {
        (void)pbt_checkpoint_delete(backup->to, &ignored);
    }
    return status;
}

int pbt_backup(const char *run, const char *to, bool salvage_it,
               const struct pbt_upkeep_watch *watch,
               struct pbt_backed_up *backed_up, struct pbt_error *error)
{
    struct backup backup = {
        .run = run, .salvage = salvage_it, .watch = watch, .done = backed_up};
    struct stat there;
    *backed_up = (struct pbt_backed_up){.checkpoints = 0};
    int n =
        snprintf(backup.to, sizeof backup.to, "%s.%ld.tmp", to, (long)getpid());
    if (n < 0 || (size_t)n >= sizeof backup.to - 256) {
        return pbt_fail(error, PBT_E0707, "the path %s is too long", to);
    }
    if (lstat(to, &there) == 0) {
        return pbt_fail(error, PBT_E0861, "%s is there already", to);
    }
    int status = pbt_run_read_spec(run, &backup.spec, error);
    if (status == PBT_OK) {
        status = back_up(&backup, to, error);
        free(backup.items);
        pbt_spec_done(&backup.spec);
    }
    return status;
}
