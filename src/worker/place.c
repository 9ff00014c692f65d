/*
 * place.c: what a process was given for its trial beside the model: log files,
 * environment, working directory.  A process that goes on to another trial gets what a
 * fresh one would have.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "worker/worker.h"

#define PATH_SIZE 4096

static int system_error(struct pbt_error *error, const char *what)
{
    return pbt_error_set(error, PBT_EIO, "can't go on to another trial: %s: %s",
                         what, strerror(errno));
}

static int note(struct pbt_place *place, const char *trial_dir,
                struct pbt_error *error)
{
    char *copy = strdup(trial_dir);
    if (copy == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    free(place->trial_dir);
    place->trial_dir = copy;
    return PBT_OK;
}

/* A program may have sent its output elsewhere: that stays. */
static bool is_log_of(int fd, const char *trial_dir, const char *name)
{
    char path[PATH_SIZE];
    struct stat ours;
    struct stat log;
    (void)snprintf(path, sizeof path, "%s/%s", trial_dir, name);
    return fstat(fd, &ours) == 0 && stat(path, &log) == 0 &&
           ours.st_dev == log.st_dev && ours.st_ino == log.st_ino;
}

static int move_log(const struct pbt_place *place, int fd, const char *name,
                    const char *trial_dir, struct pbt_error *error)
{
    char path[PATH_SIZE];
    if (!is_log_of(fd, place->trial_dir, name)) {
        return PBT_OK;
    }
    (void)snprintf(path, sizeof path, "%s/%s", trial_dir, name);
    int log = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (log < 0) {
        return system_error(error, path);
    }
    int moved = dup2(log, fd);
    (void)close(log);
    return moved == fd ? PBT_OK : system_error(error, path);
}

int pbt_place_take(struct pbt_place *place, const char *trial_dir,
                   struct pbt_error *error)
{
    place->cwd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return note(place, trial_dir, error);
}

int pbt_place_move(struct pbt_place *place, const struct pbt_message *start,
                   struct pbt_error *error)
{
    char seed[24];
    (void)fflush(NULL); /* what was said of the former trial is its own */
    int status =
        move_log(place, STDOUT_FILENO, "stdout", start->trial_dir, error);
    if (status == PBT_OK) {
        status =
            move_log(place, STDERR_FILENO, "stderr", start->trial_dir, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    if (place->cwd >= 0 && fchdir(place->cwd) != 0) {
        return system_error(error, "its working directory");
    }
    (void)snprintf(seed, sizeof seed, "%" PRIu64, start->seed);
    if (setenv("PBT_TRIAL_ID", start->trial, 1) != 0 ||
        setenv("PBT_TRIAL_DIR", start->trial_dir, 1) != 0 ||
        setenv("PBT_SEED", seed, 1) != 0) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    return note(place, start->trial_dir, error);
}

void pbt_place_done(struct pbt_place *place)
{
    free(place->trial_dir);
    if (place->cwd >= 0) {
        (void)close(place->cwd);
    }
}
