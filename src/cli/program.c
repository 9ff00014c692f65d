/*
 * program.c: whether the programs that an experiment names can be run, and what to do if not.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/experiment.h"

static int can_execute(const char *path)
{
    struct stat status;
    if (stat(path, &status) != 0) {
        return errno;
    }
    if (!S_ISREG(status.st_mode)) {
        return EACCES;
    }
    return access(path, X_OK) == 0 ? 0 : errno;
}

/* A name without a slash, in a list of directories: 0, or why it can't be run. */
static int search(const char *program, const char *dirs)
{
    int problem = ENOENT;
    while (dirs != NULL && dirs[0] != '\0') {
        size_t length = strcspn(dirs, ":");
        char path[PATH_MAX];
        (void)snprintf(path, sizeof path, "%.*s/%s",
                       length > 0 ? (int)length : 1, length > 0 ? dirs : ".",
                       program);
        int found = can_execute(path);
        if (found == 0) {
            return 0;
        }
        problem = found == EACCES ? EACCES : problem;
        dirs += length + (dirs[length] == ':' ? 1 : 0);
    }
    return problem;
}

int pbt_cli_program_problem(const struct pbt_spec *spec, const char *program)
{
    if (strchr(program, '/') != NULL) {
        return can_execute(program);
    }
    int problem = search(program, getenv("PATH"));
    for (char **item = spec->env; problem != 0 && *item != NULL; item++) {
        if (strncmp(*item, "PATH=", 5) == 0) {
            problem = search(program, *item + 5);
        }
    }
    return problem;
}

static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* What to do about it, as the end of the message; "" if nobody can say. */
static void advise(const struct pbt_spec *spec, const char *program,
                   int problem, char *text, size_t size)
{
    char beside[PATH_MAX];
    text[0] = '\0';
    if (problem == EACCES && is_file(program)) {
        (void)snprintf(text, size, ": make it executable: chmod +x %s",
                       program);
    } else if (problem == ENOENT && strchr(program, '/') == NULL) {
        (void)snprintf(beside, sizeof beside, "%s/%s", spec->command_dir,
                       program);
        (void)snprintf(text, size,
                       is_file(beside)
                           ? " in $PATH: the one beside the experiment file "
                             "is called ./%s"
                           : " in $PATH",
                       program);
    }
}

static int check_one(const struct pbt_spec *spec, const char *key,
                     char *const *command)
{
    char advice[2 * PATH_MAX];
    int problem = pbt_cli_program_problem(spec, command[0]);
    if (problem == 0) {
        return PBT_OK;
    }
    advise(spec, command[0], problem, advice, sizeof advice);
    return pbt_cli_error(PBT_E0705, "%s: can't run %s: %s%s", key, command[0],
                         strerror(problem), advice);
}

int pbt_cli_check_programs(const struct pbt_spec *spec)
{
    int status = check_one(spec, "command", spec->command);
    if (spec->explore_command != NULL) {
        int found =
            check_one(spec, "scheduler.custom_explore", spec->explore_command);
        status = status == PBT_OK ? found : status;
    }
    return status;
}
