/*
 * shim.c: where pbt-shim is.  Relative to us, so that an installed tree can be moved.
 */
#define _GNU_SOURCE /* dladdr */

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/codes.h"
#include "base/self.h"
#include "run/run.h"

/* The shim below the directory of `file`, if there is one. */
static bool look_beside(const char *file, char *path, size_t size)
{
    static const char *const PLACES[] = {"pbt-shim", "../bin/pbt-shim",
                                         "../../bin/pbt-shim", "../pbt-shim"};
    const char *slash = strrchr(file, '/');
    if (slash == NULL) {
        return false;
    }
    for (size_t i = 0; i < sizeof PLACES / sizeof *PLACES; i++) {
        int n = snprintf(path, size, "%.*s/%s", (int)(slash - file), file,
                         PLACES[i]);
        if (n > 0 && (size_t)n < size && access(path, X_OK) == 0) {
            return true;
        }
    }
    return false;
}

/* For a program that libpbt.a is part of: it can be anywhere. */
static bool look_in_path(char *path, size_t size)
{
    const char *dirs = getenv("PATH");
    while (dirs != NULL && *dirs != '\0') {
        size_t length = strcspn(dirs, ":");
        int n = snprintf(path, size, "%.*s/pbt-shim", (int)length, dirs);
        /* What is relative may be anybody's. */
        if (dirs[0] == '/' && n > 0 && (size_t)n < size &&
            access(path, X_OK) == 0) {
            return true;
        }
        dirs += length + (dirs[length] == ':' ? 1 : 0);
    }
    return false;
}

int pbt_run_find_shim(char *path, size_t size, struct pbt_error *error)
{
    const char *named = getenv("PBT_SHIM");
    if (named != NULL && named[0] != '\0') {
        char *full = realpath(named, NULL);
        bool fits = full != NULL && strlen(full) < size;
        if (fits) {
            memcpy(path, full, strlen(full) + 1);
        }
        free(full);
        return fits ? PBT_OK
                    : pbt_fail(error, PBT_E0708,
                               "PBT_SHIM names %s, which can't be used", named);
    }
    char self[PBT_RUN_PATH_SIZE];
    if (pbt_self_path(self, sizeof self) && look_beside(self, path, size)) {
        return PBT_OK;
    }
    Dl_info about;
    char *library = NULL;
    if (dladdr((void *)(uintptr_t)pbt_run_find_shim, &about) != 0 &&
        about.dli_fname != NULL) {
        library = realpath(about.dli_fname, NULL);
    }
    bool found = library != NULL && look_beside(library, path, size);
    free(library);
    return found || look_in_path(path, size)
               ? PBT_OK
               : pbt_fail(error, PBT_E0708,
                          "pbt-shim, which every worker runs under, is "
                          "neither beside %s nor in PATH; name it in "
                          "PBT_SHIM",
                          self);
}
