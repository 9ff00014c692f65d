/*
 * program.c: whether the programs that an experiment names can be run, and what to do if not.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/experiment.h"
#include "spec/problems.h"
#include "spec/schema.h"

#define OUTPUT_MAX (4u << 20)

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

static size_t distance(const char *a, const char *b)
{
    return pbt_word_distance(a, strlen(a), b, strlen(b));
}

static bool is_file(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISREG(status.st_mode);
}

/* --- what may be meant ------------------------------------------------------------ */

/* The file in a directory whose name is nearest to `name`; `close` stays if none is nearer. */
static void find_close(const char *dir, const char *name, bool executable,
                       char *close, size_t size)
{
    DIR *stream = opendir(dir);
    const struct dirent *entry;
    size_t least = *close == '\0' ? SIZE_MAX : distance(name, close);
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        char path[PATH_MAX];
        int n = snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        bool near = pbt_word_close(name, strlen(name), entry->d_name) &&
                    distance(name, entry->d_name) < least;
        if (near && n > 0 && (size_t)n < sizeof path &&
            (executable ? can_execute(path) == 0 : is_file(path))) {
            least = distance(name, entry->d_name);
            (void)snprintf(close, size, "%s", entry->d_name);
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
}

static void find_close_in_path(const char *name, char *close, size_t size)
{
    const char *dirs = getenv("PATH");
    while (dirs != NULL && dirs[0] != '\0') {
        size_t length = strcspn(dirs, ":");
        char dir[PATH_MAX];
        (void)snprintf(dir, sizeof dir, "%.*s", (int)length, dirs);
        find_close(dir, name, true, close, size);
        dirs += length + (dirs[length] == ':' ? 1 : 0);
    }
}

/* For a program that isn't there, as it is called: with a slash, or not. */
static void label_absent(struct pbt_problem *problem,
                         const struct pbt_spec *spec, const char *program)
{
    char dir[PATH_MAX];
    char close[NAME_MAX + 1] = "";
    struct stat status;
    const char *slash = strrchr(program, '/');
    if (slash == NULL) {
        (void)snprintf(dir, sizeof dir, "%s/%s", spec->command_dir, program);
        if (is_file(dir)) {
            pbt_problem_label(problem,
                              "the one beside the experiment file is called "
                              "./%s",
                              program);
            return;
        }
        find_close_in_path(program, close, sizeof close);
    } else {
        (void)snprintf(dir, sizeof dir, "%.*s", (int)(slash - program) + 1,
                       program);
        if (stat(dir, &status) != 0) {
            pbt_problem_label(problem, "there is no directory %s", dir);
            return;
        }
        find_close(dir, slash + 1, false, close, sizeof close);
    }
    if (close[0] != '\0') {
        pbt_problem_label(problem, "did you mean `%s`?", close);
    }
}

/* --- all that an experiment names ------------------------------------------------- */

static int check_one(const struct pbt_spec *spec, enum pbt_key_id key,
                     char *const *command)
{
    const char *program = command[0];
    struct pbt_problem problem = {.code = PBT_E0705};
    struct pbt_buf out;
    int why = pbt_cli_program_problem(spec, program);
    if (why == 0) {
        return PBT_OK;
    }
    bool in_path = why == ENOENT && strchr(program, '/') == NULL;
    (void)snprintf(problem.message, sizeof problem.message,
                   "can't run %s: %s%s", program, strerror(why),
                   in_path ? " in $PATH" : "");
    if (why == EACCES && is_file(program)) {
        pbt_problem_label(&problem, "make it executable: chmod +x %s", program);
    } else if (why == ENOENT) {
        label_absent(&problem, spec, program);
    }
    pbt_buf_init(&out, OUTPUT_MAX);
    pbt_spec_problem_write(spec, (int)key, &problem, &out);
    pbt_cli_put(&out, true);
    pbt_buf_done(&out);
    return pbt_codes[PBT_E0705].status;
}

int pbt_cli_check_programs(const struct pbt_spec *spec)
{
    int status = check_one(spec, PBT_KEY_COMMAND, spec->command);
    if (spec->explore_command != NULL) {
        int found =
            check_one(spec, PBT_KEY_CUSTOM_EXPLORE, spec->explore_command);
        status = status == PBT_OK ? found : status;
    }
    return status;
}
