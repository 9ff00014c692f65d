/*
 * Runs, by name or directory.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "spec/problems.h"
#include "spec/schema.h"

#define NAMES_MAX 64

const char *pbt_cli_runs_dir(const char *dir)
{
    const char *variable = getenv("PBT_DIR");
    if (dir != NULL && dir[0] != '\0') {
        return dir;
    }
    return variable != NULL && variable[0] != '\0' ? variable : "runs";
}

/* Copies a path without slashes at its end. */
static bool copy_path(char *path, size_t size, const char *from)
{
    size_t length = strlen(from);
    while (length > 1 && from[length - 1] == '/') {
        length--;
    }
    int written = snprintf(path, size, "%.*s", (int)length, from);
    return written >= 0 && (size_t)written < size;
}

bool pbt_cli_is_run(const char *path)
{
    char file[PATH_MAX];
    struct stat status;
    int written = snprintf(file, sizeof file, "%s/experiment.yaml", path);
    return written >= 0 && (size_t)written < sizeof file &&
           stat(file, &status) == 0;
}

struct run_name {
    const char *text; /* first: pbt_cli_close_word() */
};

struct run_names {
    struct run_name names[NAMES_MAX];
    size_t count;
    bool more;
};

static int compare_names(const void *a, const void *b)
{
    const struct run_name *x = a;
    const struct run_name *y = b;
    return strcmp(x->text, y->text);
}

static void list_runs(const char *dir, struct run_names *list)
{
    DIR *stream = opendir(dir);
    const struct dirent *entry;
    *list = (struct run_names){.count = 0};
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        char path[PATH_MAX];
        int written = snprintf(path, sizeof path, "%s/%s", dir, entry->d_name);
        if (entry->d_name[0] == '.' || written < 0 ||
            (size_t)written >= sizeof path || !pbt_cli_is_run(path)) {
            continue;
        }
        char *name = list->count < NAMES_MAX ? strdup(entry->d_name) : NULL;
        if (name == NULL) {
            list->more = true;
            break;
        }
        list->names[list->count++].text = name;
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
    qsort(list->names, list->count, sizeof list->names[0], compare_names);
}

static void list_done(struct run_names *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free((char *)(uintptr_t)list->names[i].text);
    }
}

/* No such run: which are there? */
static int absent(const char *name, const char *dir, struct pbt_error *error)
{
    struct run_names list;
    struct pbt_quoted shown = pbt_quote(name, strlen(name));
    list_runs(dir, &list);
    const char *close =
        pbt_cli_close_word(name, list.names, list.count, sizeof list.names[0]);
    int status;
    if (close != NULL) {
        status =
            pbt_fail(error, PBT_E0702, "no run `%s` in %s: did you mean `%s`?",
                     shown.text, dir, close);
    } else if (list.count == 0) {
        status = pbt_fail(error, PBT_E0702,
                          "no run `%s`: there are no runs in %s "
                          "(--dir DIR or PBT_DIR say where they are)",
                          shown.text, dir);
    } else {
        char names[1024] = "";
        size_t length = 0;
        for (size_t i = 0; i < list.count && length < sizeof names; i++) {
            length +=
                (size_t)snprintf(names + length, sizeof names - length, "%s%s",
                                 i > 0 ? ", " : "", list.names[i].text);
        }
        bool cut = list.more || length >= sizeof names;
        status =
            pbt_fail(error, PBT_E0702, "no run `%s` in %s; there are: %s%s",
                     shown.text, dir, names, cut ? ", ..." : "");
    }
    list_done(&list);
    return status;
}

/* An experiment file: what names one in a directory. */
static bool is_file_name(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot != NULL &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 ||
            strcmp(dot, ".json") == 0);
}

/* The experiment file that may be meant instead of one that isn't there; "" for none. */
static void find_close_file(const char *file, char *path, size_t size)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash == NULL ? file : slash + 1;
    char dir[PATH_MAX] = ".";
    size_t length = slash == NULL ? 1 : (size_t)(slash - file) + 1;
    size_t least = SIZE_MAX;
    if (slash != NULL && length < sizeof dir) {
        memcpy(dir, file, length);
        dir[length] = '\0';
    }
    DIR *stream = access(file, F_OK) == 0 ? NULL : opendir(dir);
    const struct dirent *entry;
    while (stream != NULL && (entry = readdir(stream)) != NULL) {
        size_t distance = pbt_word_distance(name, strlen(name), entry->d_name,
                                            strlen(entry->d_name));
        if (is_file_name(entry->d_name) && distance < least &&
            pbt_word_close(name, strlen(name), entry->d_name)) {
            least = distance;
            (void)snprintf(path, size, "%s%s", slash == NULL ? "" : dir,
                           entry->d_name);
        }
    }
    if (stream != NULL) {
        (void)closedir(stream);
    }
}

/*
 * Who has a program, and no experiment yet, may try the program: says how an experiment is
 * made for it.
 */
static void suggest_init(const char *file)
{
    static const struct {
        const char *end;
        const char *interpreter;
    } known[] = {{".py", "python3"},
                 {".pl", "perl"},
                 {".jl", "julia"},
                 {".R", "Rscript"}};
    const char *dot = file != NULL ? strrchr(file, '.') : NULL;
    if (file == NULL || is_file_name(file)) {
        return;
    }
    const char *said =
        "\nif that is the program to be trained, begin with: pbt "
        "init -- ";
    if (access(file, X_OK) == 0) {
        (void)fprintf(stderr, "%s%s%s\n", said,
                      strchr(file, '/') == NULL ? "./" : "", file);
        return;
    }
    for (size_t i = 0; dot != NULL && i < sizeof known / sizeof *known; i++) {
        if (strcmp(dot, known[i].end) == 0) {
            (void)fprintf(stderr, "%s%s %s\n", said, known[i].interpreter,
                          file);
        }
    }
}

int pbt_cli_fail_file(const struct pbt_error *error,
                      const struct pbt_buf *problems, const char *file)
{
    char close[PATH_MAX] = "";
    char label[PATH_MAX + 32];
    if (problems->length > 0) {
        pbt_cli_put(problems, true);
        (void)fprintf(stderr, "\nmore on an error: pbt explain %s\n",
                      pbt_error_id(error));
        if (file == NULL) {
            (void)fprintf(stderr, "all flags: pbt run --help\n");
        }
        suggest_init(file);
        return error->status;
    }
    find_close_file(file, close, sizeof close);
    (void)snprintf(label, sizeof label, "did you mean `%s`?", close);
    return pbt_cli_fail_at(error, file, close[0] != '\0' ? label : NULL);
}

static int no_run(const char *name, struct pbt_error *error)
{
    struct stat status;
    if (stat(name, &status) != 0) {
        return pbt_fail(error, PBT_E0702, "no run `%s`: %s",
                        pbt_quote(name, strlen(name)).text, strerror(errno));
    }
    if (!S_ISDIR(status.st_mode)) {
        return pbt_fail(error, PBT_E0703,
                        "`%s` is a file: give a run's name or directory",
                        pbt_quote(name, strlen(name)).text);
    }
    if (access(name, X_OK) != 0) {
        return pbt_fail(error, PBT_E0977, "can't look into `%s`: %s",
                        pbt_quote(name, strlen(name)).text, strerror(errno));
    }
    return pbt_fail(error, PBT_E0704,
                    "`%s` is no run: there is no experiment.yaml in it",
                    pbt_quote(name, strlen(name)).text);
}

int pbt_cli_find_run(const char *name, const char *dir, char *path, size_t size,
                     struct pbt_error *error)
{
    const char *runs = pbt_cli_runs_dir(dir);
    char below[PATH_MAX];
    int written = snprintf(below, sizeof below, "%s/%s", runs, name);
    bool fits = written >= 0 && (size_t)written < sizeof below;
    bool plain = name[0] != '\0' && strchr(name, '/') == NULL &&
                 strcmp(name, ".") != 0 && strcmp(name, "..") != 0;
    const char *found = NULL;
    if (plain && fits && pbt_cli_is_run(below)) {
        found = below;
    } else if (pbt_cli_is_run(name)) {
        found = name;
    }
    if (found != NULL) {
        return copy_path(path, size, found)
                   ? PBT_OK
                   : pbt_fail(error, PBT_E0707,
                              "the path of run %s is too long", name);
    }
    struct stat status;
    if (plain && stat(name, &status) != 0) {
        return absent(name, runs, error);
    }
    return no_run(name, error);
}
