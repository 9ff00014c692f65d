/*
 * cache.c: the indices of runs that may not be written to, in the user's cache directory.
 *
 *     pbt/0123456789abcdef.db     by the run's own path
 *     pbt/0123456789abcdef.run    a link to the run: where it leads nowhere, both can go
 */
#define _XOPEN_SOURCE 700 /* realpath() */

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "index/inside.h"

#define DIGITS 16
#define NAME_SIZE (DIGITS + sizeof ".db-journal")

/* "$XDG_CACHE_HOME/pbt", made if need be; false: there is no such place. */
static bool find_dir(char dir[PATH_MAX])
{
    const char *cache = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");
    bool own = cache != NULL && cache[0] == '/';
    if (!own && (home == NULL || home[0] != '/')) {
        return false;
    }
    int length =
        snprintf(dir, PATH_MAX, own ? "%s" : "%s/.cache", own ? cache : home);
    if (length < 0 || (size_t)length + sizeof "/pbt/" + NAME_SIZE > PATH_MAX) {
        return false;
    }
    (void)mkdir(dir, 0700);
    memcpy(dir + length, "/pbt", sizeof "/pbt");
    (void)mkdir(dir, 0700); /* if it can't be made, the file can't be */
    return true;
}

/* Whether there was something to see there, and there is no more. */
static bool is_gone(int fd, const char *name)
{
    struct stat status;
    return fstatat(fd, name, &status, 0) != 0 &&
           (errno == ENOENT || errno == ENOTDIR);
}

/* Of the run with these digits, if it is gone. */
static void sweep_one(int fd, const char *digits)
{
    static const char *const ENDS[] = {".db", ".db-journal", ".run"};
    char name[NAME_SIZE];
    (void)snprintf(name, sizeof name, "%.*s.run", DIGITS, digits);
    if (!is_gone(fd, name)) {
        return;
    }
    for (size_t i = 0; i < sizeof ENDS / sizeof *ENDS; i++) {
        (void)snprintf(name, sizeof name, "%.*s%s", DIGITS, digits, ENDS[i]);
        (void)unlinkat(fd, name, 0);
    }
}

static void sweep(const char *dir)
{
    DIR *stream = opendir(dir);
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        const char *name = entry->d_name;
        if (strspn(name, "0123456789abcdef") == DIGITS &&
            (strcmp(name + DIGITS, ".db") == 0 ||
             strcmp(name + DIGITS, ".run") == 0)) {
            sweep_one(dirfd(stream), name);
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
}

bool pbt_index_cache(const char *run, char path[PATH_MAX])
{
    char real[PATH_MAX];
    char dir[PATH_MAX];
    if (realpath(run, real) == NULL || !find_dir(dir)) {
        return false;
    }
    unsigned long long digits = XXH64(real, strlen(real), 0);
    /* The link first: an index without one is taken for that of a run that is gone. */
    int length = snprintf(path, PATH_MAX, "%s/%016llx.run", dir, digits);
    if (length < 0 || length >= PATH_MAX) {
        return false;
    }
    if (symlink(real, path) == 0) {
        sweep(
            dir); /* now and then: other runs may lie where looking takes long */
    } else if (errno != EEXIST) {
        return false;
    }
    memcpy(path + length - 3, "db", sizeof "db");
    return true;
}
