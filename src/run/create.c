/*
 * create.c: the directory of a run.
 *
 * A new one is made under a temporary name and renamed when it is whole, so that there is
 * never half a run under a run's name.
 */
#define _XOPEN_SOURCE 700 /* realpath() */

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/codes.h"
#include "base/files.h"
#include "base/names.h"
#include "checkpoint/checkpoint.h"
#include "run/run.h"

#define NAMES_MAX 10000

int pbt_run_read_spec(const char *path, struct pbt_spec *spec,
                      struct pbt_error *error)
{
    char file[PBT_RUN_PATH_SIZE + 32];
    (void)snprintf(file, sizeof file, "%s/experiment.yaml", path);
    int status = pbt_spec_read(spec, file, NULL, 0, NULL, error);
    return status == PBT_ECONFIG
               ? pbt_error_prefix(error, PBT_EDATA, "%s is not as pbt wrote it",
                                  file)
               : status;
}

static int write_spec(const struct pbt_spec *spec, struct pbt_buf *text,
                      struct pbt_error *error)
{
    pbt_buf_init(text, PBT_RUN_SPEC_MAX);
    int status = pbt_spec_write(spec, text, error);
    if (status != PBT_OK) {
        pbt_buf_done(text);
    }
    return status;
}

/* --- is it the same? ------------------------------------------------------ */

/* Both written out in full. */
static int same_text(const struct pbt_spec *a, const struct pbt_spec *b,
                     bool *same, struct pbt_error *error)
{
    struct pbt_buf first;
    struct pbt_buf second;
    int status = write_spec(a, &first, error);
    if (status != PBT_OK) {
        return status;
    }
    status = write_spec(b, &second, error);
    if (status == PBT_OK) {
        *same = first.length == second.length &&
                memcmp(first.data, second.data, first.length) == 0;
        pbt_buf_done(&second);
    }
    pbt_buf_done(&first);
    return status;
}

/*
 * True if the run at `path` is an unfinished one of this experiment.  What can't be read is
 * somebody else's: it is left alone.
 */
static int can_be_resumed(struct pbt_spec *spec, const char *path, bool *can,
                          struct pbt_error *error)
{
    struct pbt_spec there;
    struct pbt_core *core;
    uint64_t drawn = spec->settings.seed;
    *can = false;
    if (pbt_run_read_spec(path, &there, error) != PBT_OK) {
        return PBT_OK;
    }
    /* Not in the file; the journal knows whether it belongs to such a program. */
    there.settings.custom_explore = spec->settings.custom_explore;
    if (spec->seed_drawn) {
        spec->settings.seed = there.settings.seed;
    }
    int status = same_text(spec, &there, can, error);
    if (status == PBT_OK && *can) {
        status = pbt_run_fold(path, &there, &core, error);
        if (status == PBT_OK) {
            *can = !pbt_core_over(core);
            pbt_core_destroy(core);
        }
    }
    if (!*can) {
        spec->settings.seed = drawn;
    }
    pbt_spec_done(&there);
    return status;
}

/* --- a new one ------------------------------------------------------------ */

/*
 * What all trials start from becomes the run's own, as a checkpoint like any other. One that
 * libpbt has made must still be what it was.
 */
static int take_start(const struct pbt_spec *spec, const char *path,
                      struct pbt_error *error)
{
    const char *from = spec->start_checkpoint;
    char manifest[PBT_RUN_PATH_SIZE + 64];
    char to[PBT_RUN_PATH_SIZE + 64];
    struct pbt_buf made_by;
    struct pbt_error why;
    uint64_t bytes;
    if (from == NULL) {
        return PBT_OK;
    }
    (void)snprintf(manifest, sizeof manifest, "%s/%s", from,
                   PBT_CHECKPOINT_MANIFEST);
    (void)snprintf(to, sizeof to, "%s/" PBT_START_CHECKPOINT, path);
    int status = access(manifest, F_OK) == 0 ? pbt_checkpoint_verify(from, &why)
                                             : PBT_OK;
    if (status == PBT_OK) {
        status = pbt_checkpoint_copy(from, to, &why);
    }
    pbt_buf_init(&made_by, (size_t)64 * 1024);
    pbt_buf_text(&made_by, "{\"start_checkpoint\":");
    pbt_buf_json_string(&made_by, from, strlen(from));
    pbt_buf_char(&made_by, '}');
    if (status == PBT_OK) {
        status = pbt_buf_failed(&made_by)
                     ? pbt_error_set(&why, PBT_ENOMEM, "out of memory")
                     : pbt_checkpoint_seal(to, made_by.data, made_by.length,
                                           &bytes, &why);
    }
    pbt_buf_done(&made_by);
    return status == PBT_OK
               ? PBT_OK
               : pbt_fail(error, PBT_E0710, "start_checkpoint %s: %s", from,
                          why.text);
}

static int fill(const struct pbt_spec *spec, const char *path,
                struct pbt_error *error)
{
    char name[PBT_RUN_PATH_SIZE + 64];
    struct pbt_buf text;
    int status = PBT_OK;
    for (uint32_t i = 0; status == PBT_OK && i < spec->settings.population;
         i++) {
        char id[PBT_TRIAL_ID_SIZE];
        pbt_trial_id(spec->settings.seed, i, id);
        (void)snprintf(name, sizeof name, "%s/%s", path, id);
        if (mkdir(name, 0700) != 0) {
            status = pbt_fail(error, PBT_E0709, "can't make %s: %s", name,
                              strerror(errno));
        }
    }
    if (status != PBT_OK) {
        return status;
    }
    status = take_start(spec, path, error);
    if (status != PBT_OK) {
        return status;
    }
    (void)snprintf(name, sizeof name, "%s/journal", path);
    status = pbt_make_dirs(name, error);
    if (status == PBT_OK) {
        status = write_spec(spec, &text, error);
    }
    if (status == PBT_OK) {
        (void)snprintf(name, sizeof name, "%s/experiment.yaml", path);
        status = pbt_file_replace(name, text.data, text.length, true, error);
        pbt_buf_done(&text);
    }
    return status;
}

/* An error names what was asked for, not what it is called while it is made. */
static int call_it(struct pbt_error *error, const char *temporary,
                   const char *shown)
{
    struct pbt_error said = *error;
    const char *at = strstr(said.text, temporary);
    if (at != NULL) {
        return pbt_fail(error, pbt_code_find(pbt_error_id(&said)), "%.*s%s%s",
                        (int)(at - said.text), said.text, shown,
                        at + strlen(temporary));
    }
    return error->status;
}

/* *taken: somebody else was quicker. */
static int make(const struct pbt_spec *spec, const char *dir, const char *path,
                const char *shown, bool *taken, struct pbt_error *error)
{
    char temporary[PBT_RUN_PATH_SIZE + 32];
    struct pbt_files *files = pbt_files_posix();
    (void)snprintf(temporary, sizeof temporary, "%s/.new-run-%ld", dir,
                   (long)getpid());
    *taken = false;
    /* The process of this number that made one before died over it. */
    int status = pbt_checkpoint_delete(temporary, error);
    if (status != PBT_OK) {
        return status;
    }
    if (mkdir(temporary, 0700) != 0) {
        return pbt_fail(error, PBT_E0709, "can't make %s: %s", shown,
                        strerror(errno));
    }
    status = fill(spec, temporary, error);
    if (status != PBT_OK && error != NULL) {
        status = call_it(error, temporary, shown);
    }
    if (status == PBT_OK) {
        status = files->ops->sync_path(files, temporary, error);
    }
    if (status == PBT_OK && rename(temporary, path) != 0) {
        *taken = errno == EEXIST || errno == ENOTEMPTY;
        status = *taken ? PBT_OK
                        : pbt_fail(error, PBT_E0709, "can't make %s: %s", shown,
                                   strerror(errno));
        (void)pbt_checkpoint_delete(temporary, NULL);
        return status;
    }
    if (status != PBT_OK) {
        (void)pbt_checkpoint_delete(temporary, NULL);
        return status;
    }
    return files->ops->sync_path(files, dir, error);
}

/* `asked`: the directory as the caller has it. */
static int use_name(struct pbt_spec *spec, const char *full, const char *asked,
                    uint32_t attempt, struct pbt_run_place *place, bool *done,
                    struct pbt_error *error)
{
    char shown[PBT_RUN_PATH_SIZE];
    int n = attempt == 1
                ? snprintf(place->path, sizeof place->path, "%s/%s", full,
                           spec->name)
                : snprintf(place->path, sizeof place->path, "%s/%s-%" PRIu32,
                           full, spec->name, attempt);
    if (n < 0 || (size_t)n >= sizeof place->path) {
        return pbt_fail(error, PBT_E0707, "path too long: %s", full);
    }
    *done = false;
    if (access(place->path, F_OK) == 0) {
        int status = can_be_resumed(spec, place->path, &place->resumed, error);
        *done = place->resumed;
        return status;
    }
    bool taken = false;
    (void)snprintf(shown, sizeof shown, "%s%s%s", asked,
                   asked[strlen(asked) - 1] == '/' ? "" : "/",
                   strrchr(place->path, '/') + 1);
    int status = make(spec, full, place->path, shown, &taken, error);
    place->renamed = attempt > 1;
    *done = !taken;
    return status;
}

int pbt_run_create(struct pbt_spec *spec, const char *dir,
                   struct pbt_run_place *place, struct pbt_error *error)
{
    *place = (struct pbt_run_place){.resumed = false};
    int status = pbt_make_dirs(dir, error);
    if (status == PBT_ENOINPUT || status == PBT_ECANTCREATE) {
        struct pbt_error why = {.status = status}; /* a file is in the way */
        if (error != NULL) {
            why = *error;
        }
        return pbt_fail(error, PBT_E0709, "%s", why.text);
    }
    if (status != PBT_OK) {
        return status;
    }
    struct stat about;
    if (stat(dir, &about) == 0 && !S_ISDIR(about.st_mode)) {
        return pbt_fail(error, PBT_E0709,
                        "runs can't be made in `%s`: it is a file", dir);
    }
    char *full = realpath(dir, NULL);
    if (full == NULL) {
        return pbt_fail(error, PBT_E0709, "%s: %s", dir, strerror(errno));
    }
    bool done = false;
    for (uint32_t i = 1; status == PBT_OK && !done && i <= NAMES_MAX; i++) {
        status = use_name(spec, full, dir, i, place, &done, error);
    }
    free(full);
    if (status == PBT_OK && !done) {
        return pbt_fail(error, PBT_E0709, "%s has %d runs of that name already",
                        dir, NAMES_MAX);
    }
    return status;
}
