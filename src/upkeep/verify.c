/*
 * verify.c: a run's journal and checkpoints against their sums.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codes.h"
#include "base/names.h"
#include "checkpoint/checkpoint.h"
#include "upkeep/upkeep.h"

#define TROUBLES_MAX ((size_t)64 << 20)

/* What one look at all of them has found. */
struct look {
    const char *run;
    struct pbt_spec *spec;
    const struct pbt_upkeep_watch *watch;
    struct pbt_verified *verified;
    struct pbt_checkpoint_id at; /* the checkpoint that is looked at */
    bool bad;                    /* there is something wrong with it */
    uint32_t done;
    uint32_t all;
    /* "TRIAL NUMBER FILE\0WHAT\0", one after another: told when it is sure. */
    struct pbt_buf troubles;
};

static void note(void *user, const char *file, const char *what)
{
    struct look *look = user;
    look->bad = true;
    pbt_buf_put(&look->troubles, &look->at, sizeof look->at);
    pbt_buf_put(&look->troubles, file, strlen(file) + 1);
    pbt_buf_put(&look->troubles, what, strlen(what) + 1);
}

static int look_at(struct look *look, const char *path,
                   struct pbt_checkpoint_id id, struct pbt_error *error)
{
    const struct pbt_upkeep_watch *watch = look->watch;
    uint64_t bytes;
    look->at = id;
    look->bad = false;
    int status =
        pbt_checkpoint_differences(path, false, note, look, &bytes, error);
    look->verified->checkpoints++;
    look->verified->damaged += look->bad ? 1 : 0;
    look->verified->bytes += bytes;
    look->done++;
    if (watch->progress != NULL) {
        watch->progress(watch->user, look->done, look->all,
                        look->verified->bytes);
    }
    return status;
}

/* What a state names. */
static int look_at_needed(struct look *look, const struct pbt_core *core,
                          struct pbt_error *error)
{
    struct pbt_needed needed;
    int status = pbt_needed_list(&needed, look->spec, core, error);
    look->all = (uint32_t)needed.count;
    for (size_t i = 0; status == PBT_OK && i < needed.count; i++) {
        char path[PBT_RUN_PATH_SIZE];
        pbt_needed_path(look->spec, look->run, needed.items[i], path);
        status = look_at(look, path, needed.items[i], error);
    }
    pbt_needed_done(&needed);
    return status;
}

/* --- without a journal that can be read -------------------------------------- */

static int look_at_trial(struct look *look, uint32_t trial,
                         struct pbt_error *error)
{
    char dir[PBT_RUN_PATH_SIZE];
    char id[PBT_TRIAL_ID_SIZE];
    pbt_trial_id(look->spec->settings.seed, trial, id);
    (void)snprintf(dir, sizeof dir, "%s/%s", look->run, id);
    DIR *stream = opendir(dir);
    const struct dirent *item;
    int status = PBT_OK;
    while (status == PBT_OK && stream != NULL &&
           (item = readdir(stream)) != NULL) {
        uint32_t number = pbt_checkpoint_number(item->d_name);
        if (number > 0) {
            char path[PBT_RUN_PATH_SIZE];
            struct pbt_checkpoint_id name = {trial, number};
            pbt_needed_path(look->spec, look->run, name, path);
            look->all++;
            status = look_at(look, path, name, error);
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
    return status;
}

/* All that are there: nobody says which are needed. */
static int look_at_all(struct look *look, struct pbt_error *error)
{
    int status = PBT_OK;
    if (look->spec->start_checkpoint != NULL) {
        struct pbt_checkpoint_id start = {0, 0};
        char path[PBT_RUN_PATH_SIZE];
        pbt_needed_path(look->spec, look->run, start, path);
        status = look_at(look, path, start, error);
    }
    for (uint32_t i = 0;
         status == PBT_OK && i < look->spec->settings.population; i++) {
        status = look_at_trial(look, i, error);
    }
    return status;
}

/* --- what is sure ------------------------------------------------------------ */

/* Tells what was found, but of what a later state (NULL: there is none) has given up. */
static void tell(struct look *look, const struct pbt_core *core)
{
    const char *at = look->troubles.data;
    const char *end = at + look->troubles.length;
    struct pbt_checkpoint_id last = {UINT32_MAX, 0};
    while (at < end) {
        struct pbt_checkpoint_id id;
        char path[PBT_RUN_PATH_SIZE];
        char file[2 * PBT_RUN_PATH_SIZE];
        memcpy(&id, at, sizeof id);
        const char *name = at + sizeof id;
        const char *what = name + strlen(name) + 1;
        at = what + strlen(what) + 1;
        bool again = id.trial == last.trial && id.number == last.number;
        last = id;
        if (core != NULL && !pbt_is_needed(core, id)) {
            look->verified->damaged -= again ? 0 : 1;
            look->verified->checkpoints -= again ? 0 : 1;
            continue;
        }
        pbt_needed_path(look->spec, look->run, id, path);
        (void)snprintf(file, sizeof file, "%s%s%s", path,
                       name[0] == '\0' ? "" : "/", name);
        if (look->watch->trouble != NULL) {
            look->watch->trouble(look->watch->user, file, what);
        }
    }
}

/* A driver at work may have deleted what we found missing: its record says so by now. */
static int settle(struct look *look, struct pbt_error *error)
{
    struct pbt_core *core;
    struct pbt_journal_info info;
    if (pbt_buf_failed(&look->troubles)) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    if (look->troubles.length == 0) {
        return PBT_OK;
    }
    int status = pbt_run_fold_all(look->run, look->spec, &core, &info, error);
    if (status == PBT_OK) {
        tell(look, core);
        pbt_core_destroy(core);
    }
    return status;
}

static int verify(struct look *look, struct pbt_error *error)
{
    struct pbt_verified *verified = look->verified;
    struct pbt_core *core;
    int status = pbt_run_fold_all(look->run, look->spec, &core,
                                  &verified->journal, &verified->damage);
    if (status == PBT_OK && verified->journal.segments == 0) {
        pbt_core_destroy(core);
        return pbt_fail(error, PBT_E0706, "%s/journal: no journal here",
                        look->run);
    }
    if (status == PBT_OK) {
        verified->damage.status = PBT_OK;
        status = look_at_needed(look, core, error);
        pbt_core_destroy(core);
        return status == PBT_OK ? settle(look, error) : status;
    }
    if (!pbt_journal_is_damage(&verified->damage)) {
        if (error != NULL) {
            *error = verified->damage;
        }
        return status;
    }
    status = look_at_all(look, error);
    if (status == PBT_OK) {
        tell(look, NULL);
    }
    return status;
}

int pbt_verify(const char *run, const struct pbt_upkeep_watch *watch,
               struct pbt_verified *verified, struct pbt_error *error)
{
    struct pbt_spec spec;
    struct look look = {
        .run = run, .spec = &spec, .watch = watch, .verified = verified};
    *verified = (struct pbt_verified){.checkpoints = 0};
    int status = pbt_run_read_spec(run, &spec, error);
    if (status != PBT_OK) {
        return status;
    }
    pbt_buf_init(&look.troubles, TROUBLES_MAX);
    status = verify(&look, error);
    pbt_buf_done(&look.troubles);
    pbt_spec_done(&spec);
    return status;
}
