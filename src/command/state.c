/*
 * state.c: the directories with a program's state.
 *
 * A program reads one and writes another.  The one that it has written becomes a
 * checkpoint when the driver says so, and is what the next run begins from: so it is linked,
 * not moved.  A link is as good as a copy, as long as nobody writes into either, which
 * pbt_state_look() before and after a run tells.
 */
#define _GNU_SOURCE /* AT_SYMLINK_NOFOLLOW, renameat and kin */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/draw.h"
#include "checkpoint/checkpoint.h"
#include "command/command.h"

#define COPY_SIZE 65536u

/* A walk over a directory, which either looks or puts all into another one. */
struct walk {
    struct pbt_state *state;
    int depth;
    struct pbt_error *error;
};

static int system_error(struct pbt_error *error, const char *doing,
                        const char *name)
{
    int status = errno == ENOSPC || errno == EDQUOT ? PBT_ETEMP : PBT_EIO;
    return pbt_error_set(error, status, "can't %s %s: %s", doing, name,
                         strerror(errno));
}

static uint64_t text_print(const char *name)
{
    uint64_t print = 0;
    for (; *name != '\0'; name++) {
        print = pbt_mix(print, (unsigned char)*name);
    }
    return print;
}

/* The sum does not depend on the order in which a directory is read. */
static void note_file(struct walk *walk, uint64_t dir, const char *name,
                      const struct stat *about)
{
    uint64_t print = pbt_mix(dir, text_print(name));
    print = pbt_mix(print, (uint64_t)about->st_size);
    print = pbt_mix(print, (uint64_t)about->st_ino);
    print = pbt_mix(print, (uint64_t)about->st_mtim.tv_sec);
    print = pbt_mix(print, (uint64_t)about->st_mtim.tv_nsec);
    walk->state->print += print;
    walk->state->files++;
}

static int copy_bytes(int in, int out, const char *name,
                      struct pbt_error *error)
{
    char *block = malloc(COPY_SIZE);
    if (block == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    int status = PBT_OK;
    ssize_t got = 1;
    while (status == PBT_OK && got != 0) {
        got = read(in, block, COPY_SIZE);
        if (got < 0 && errno != EINTR) {
            status = system_error(error, "read", name);
        }
        for (ssize_t done = 0; status == PBT_OK && done < got;) {
            ssize_t put = write(out, block + done, (size_t)(got - done));
            if (put >= 0) {
                done += put;
            } else if (errno != EINTR) {
                status = system_error(error, "write", name);
            }
        }
    }
    free(block);
    return status;
}

static int put_file(int from, int to, const char *name, mode_t mode,
                    struct pbt_error *error)
{
    if (linkat(from, name, to, name, 0) == 0) {
        return PBT_OK;
    }
    /* The file system has no links, or no more for this file. */
    int in = openat(from, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (in < 0) {
        return system_error(error, "read", name);
    }
    int out =
        openat(to, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode & 0777);
    int status = out < 0 ? system_error(error, "create", name)
                         : copy_bytes(in, out, name, error);
    if (out >= 0 && close(out) != 0 && status == PBT_OK) {
        status = system_error(error, "write", name);
    }
    (void)close(in);
    return status;
}

static int walk_directory(struct walk *walk, int from, int to, uint64_t dir);

static int walk_below(struct walk *walk, int from, int to, uint64_t dir,
                      const char *name)
{
    if (walk->depth == PBT_CHECKPOINT_DEPTH_MAX) {
        return pbt_error_set(walk->error, PBT_EDATA,
                             "%s: directories more than %d levels deep", name,
                             PBT_CHECKPOINT_DEPTH_MAX);
    }
    int inner =
        openat(from, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (inner < 0) {
        return system_error(walk->error, "open the directory", name);
    }
    int made = -1;
    if (to >= 0 &&
        (mkdirat(to, name, 0700) != 0 ||
         (made = openat(to, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0)) {
        (void)close(inner);
        return system_error(walk->error, "make the directory", name);
    }
    walk->depth++;
    int status =
        walk_directory(walk, inner, made, pbt_mix(dir, text_print(name)));
    walk->depth--;
    if (made >= 0) {
        (void)close(made);
    }
    return status;
}

static int walk_entry(struct walk *walk, int from, int to, uint64_t dir,
                      const char *name)
{
    struct stat about;
    bool top = walk->depth == 0;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
        (top && (strcmp(name, PBT_CHECKPOINT_MANIFEST) == 0 ||
                 strcmp(name, PBT_NO_STATE_FILE) == 0))) {
        return PBT_OK;
    }
    if (fstatat(from, name, &about, AT_SYMLINK_NOFOLLOW) != 0) {
        return system_error(walk->error, "look at", name);
    }
    if (S_ISDIR(about.st_mode)) {
        return walk_below(walk, from, to, dir, name);
    }
    if (!S_ISREG(about.st_mode)) {
        return pbt_error_set(
            walk->error, PBT_EDATA,
            "%s is %s: a checkpoint holds files and directories only", name,
            S_ISLNK(about.st_mode) ? "a symbolic link" : "a special file");
    }
    note_file(walk, dir, name, &about);
    return to >= 0 ? put_file(from, to, name, about.st_mode, walk->error)
                   : PBT_OK;
}

/* Closes `from`.  `to` is -1 where nothing is to be put anywhere. */
static int walk_directory(struct walk *walk, int from, int to, uint64_t dir)
{
    DIR *stream = fdopendir(from);
    if (stream == NULL) {
        (void)close(from);
        return pbt_error_set(walk->error, PBT_ENOMEM, "out of memory");
    }
    int status = PBT_OK;
    const struct dirent *entry;
    while (status == PBT_OK && (errno = 0, entry = readdir(stream)) != NULL) {
        status = walk_entry(walk, from, to, dir, entry->d_name);
    }
    if (status == PBT_OK && errno != 0) {
        status = system_error(walk->error, "read", "a directory");
    }
    (void)closedir(stream);
    return status;
}

static int walk_path(const char *path, int to, struct pbt_state *state,
                     struct pbt_error *error)
{
    struct walk walk = {.state = state, .error = error};
    *state = (struct pbt_state){0};
    int from = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (from < 0) {
        return system_error(error, "open the directory", path);
    }
    return walk_directory(&walk, from, to, 0);
}

int pbt_state_look(const char *path, struct pbt_state *state,
                   struct pbt_error *error)
{
    return walk_path(path, -1, state, error);
}

int pbt_state_link(const char *from, const char *to, struct pbt_error *error)
{
    struct pbt_state state;
    int fd = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) {
        return system_error(error, "open the directory", to);
    }
    int status = walk_path(from, fd, &state, error);
    (void)close(fd);
    return status;
}

static int mark_path(const char *checkpoint, char *path)
{
    int n = snprintf(path, PBT_COMMAND_PATH_SIZE, "%s/%s", checkpoint,
                     PBT_NO_STATE_FILE);
    return n > 0 && (size_t)n < PBT_COMMAND_PATH_SIZE ? 0 : -1;
}

bool pbt_state_none(const char *checkpoint)
{
    char path[PBT_COMMAND_PATH_SIZE];
    return mark_path(checkpoint, path) == 0 && access(path, F_OK) == 0;
}

int pbt_state_mark_none(const char *checkpoint, struct pbt_error *error)
{
    char path[PBT_COMMAND_PATH_SIZE];
    int fd = -1;
    if (mark_path(checkpoint, path) != 0 ||
        (fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600)) < 0) {
        return system_error(error, "create a file in", checkpoint);
    }
    (void)close(fd);
    return PBT_OK;
}
