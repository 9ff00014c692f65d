#include "base/cgroup.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LINE_SIZE ((size_t)PATH_MAX + 512)
#define DIR_SIZE (2 * LINE_SIZE)

/* A hierarchy's controller in version 1, and its limit in each version. */
struct controller {
    const char *name;
    double (*unified)(const char *dir); /* version 2; 0: no limit */
    double (*legacy)(const char *dir);  /* version 1 */
};

/* --- limits --------------------------------------------------------------- */

/* The first line of DIR/NAME; false if there is none. */
static bool read_line(const char *dir, const char *name, char text[128])
{
    char path[LINE_SIZE];
    int length = snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file =
        length > 0 && (size_t)length < sizeof path ? fopen(path, "re") : NULL;
    if (file == NULL) {
        return false;
    }
    bool read = fgets(text, 128, file) != NULL;
    (void)fclose(file);
    return read;
}

/* A number at the start of a file; 0 for "max", "-1", and where there is no file. */
static double read_number(const char *dir, const char *name)
{
    char text[128];
    double number = read_line(dir, name, text) ? strtod(text, NULL) : 0;
    return number > 0 ? number : 0;
}

/* "150000 100000", or "max 100000": microseconds in a period. */
static double unified_cpus(const char *dir)
{
    char text[128];
    char *end;
    if (!read_line(dir, "cpu.max", text)) {
        return 0;
    }
    double quota = strtod(text, &end);
    double period = end == text ? 0 : strtod(end, NULL);
    return quota > 0 && period > 0 ? quota / period : 0;
}

static double legacy_cpus(const char *dir)
{
    double quota = read_number(dir, "cpu.cfs_quota_us");
    double period = read_number(dir, "cpu.cfs_period_us");
    return quota > 0 && period > 0 ? quota / period : 0;
}

static double unified_memory(const char *dir)
{
    return read_number(dir, "memory.max");
}

/* Without a limit it is the largest multiple of a page that fits into 63 bits. */
static double legacy_memory(const char *dir)
{
    double bytes = read_number(dir, "memory.limit_in_bytes");
    return bytes < 0x1p62 ? bytes : 0;
}

static const struct controller CPUS = {"cpu", unified_cpus, legacy_cpus};
static const struct controller MEMORY = {"memory", unified_memory,
                                         legacy_memory};

/* --- where they are -------------------------------------------------------- */

/* True if `word` is one of the words in `list`, which commas part. */
static bool has_word(const char *list, size_t length, const char *word)
{
    size_t size = strlen(word);
    for (size_t at = 0; at + size <= length; at++) {
        bool begins = at == 0 || list[at - 1] == ',';
        bool ends = at + size == length || list[at + size] == ',';
        if (begins && ends && memcmp(list + at, word, size) == 0) {
            return true;
        }
    }
    return false;
}

/*
 * Our group, "/user.slice/...", in the hierarchy of a controller of version 1, or of
 * version 2 (NULL): a line "4:cpu,cpuacct:PATH" or "0::PATH".
 */
static bool group_path(const char *root, const char *controller,
                       char path[PATH_MAX])
{
    char name[LINE_SIZE];
    char line[LINE_SIZE];
    bool found = false;
    (void)snprintf(name, sizeof name, "%s/proc/self/cgroup", root);
    FILE *file = fopen(name, "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        char *names = strchr(line, ':');
        char *group = names == NULL ? NULL : strchr(names + 1, ':');
        if (group == NULL) {
            continue;
        }
        size_t length = (size_t)(group - names - 1);
        found = controller == NULL ? length == 0
                                   : has_word(names + 1, length, controller);
        group[1 + strcspn(group + 1, "\n")] = '\0';
        found = found && strlen(group + 1) < PATH_MAX;
        if (found) {
            memcpy(path, group + 1, strlen(group + 1) + 1);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

/* Undoes the kernel's "\040" for a space, in place. */
static void unescape(char *text)
{
    char *to = text;
    for (const char *from = text; *from != '\0'; to++) {
        if (from[0] == '\\' && strspn(from + 1, "01234567") >= 3) {
            *to = (char)((from[1] - '0') * 64 + (from[2] - '0') * 8 +
                         (from[3] - '0'));
            from += 4;
        } else {
            *to = *from++;
        }
    }
    *to = '\0';
}

/* A line of mountinfo: "36 35 98:0 ROOT POINT options ... - TYPE source OPTIONS". */
static bool split_mount(char *line, char *field[4])
{
    char *tail = strstr(line, " - ");
    char *save = NULL;
    char *word;
    if (tail == NULL) {
        return false;
    }
    *tail = '\0';
    word = strtok_r(line, " ", &save);
    for (int i = 1; i < 5 && word != NULL; i++) {
        word = strtok_r(NULL, " ", &save);
        if (i >= 3) {
            field[i - 3] = word;
        }
    }
    field[2] = strtok_r(tail + 3, " \n", &save);
    (void)strtok_r(NULL, " \n", &save);
    field[3] = strtok_r(NULL, " \n", &save);
    for (int i = 0; i < 4; i++) {
        if (field[i] == NULL) {
            return false;
        }
    }
    unescape(field[0]);
    unescape(field[1]);
    return true;
}

/*
 * Where a hierarchy is mounted, and which of its groups is seen there (in a container it
 * is often not the topmost).
 */
static bool mount_point(const char *root, const char *controller,
                        char top[PATH_MAX], char point[PATH_MAX])
{
    char name[LINE_SIZE];
    char line[2 * LINE_SIZE];
    bool found = false;
    (void)snprintf(name, sizeof name, "%s/proc/self/mountinfo", root);
    FILE *file = fopen(name, "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        char *field[4];
        if (!split_mount(line, field)) {
            continue;
        }
        found = controller == NULL
                    ? strcmp(field[2], "cgroup2") == 0
                    : strcmp(field[2], "cgroup") == 0 &&
                          has_word(field[3], strlen(field[3]), controller);
        found =
            found && strlen(field[0]) < PATH_MAX && strlen(field[1]) < PATH_MAX;
        if (found) {
            memcpy(top, field[0], strlen(field[0]) + 1);
            memcpy(point, field[1], strlen(field[1]) + 1);
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    return found;
}

static double smaller(double a, double b)
{
    return a == 0 || (b > 0 && b < a) ? b : a;
}

/*
 * The directory of our group, as far as it is mounted; *shortest is the length of that of the
 * topmost one.  False if there is none.
 */
static bool group_dir(const char *root, const char *controller,
                      char dir[DIR_SIZE], int *shortest)
{
    char group[PATH_MAX];
    char top[PATH_MAX];
    char point[PATH_MAX];
    if (!group_path(root, controller, group) ||
        !mount_point(root, controller, top, point)) {
        return false;
    }
    const char *below = group;
    size_t length = strcmp(top, "/") == 0 ? 0 : strlen(top);
    if (strncmp(group, top, length) == 0 &&
        (group[length] == '/' || group[length] == '\0')) {
        below += length;
    } else {
        below = ""; /* seen from outside of what is mounted */
    }
    *shortest = snprintf(dir, DIR_SIZE, "%s%s", root, point);
    (void)snprintf(dir + *shortest, DIR_SIZE - (size_t)*shortest, "%s", below);
    return true;
}

/* The smallest limit of our group and those above, up to where the hierarchy is mounted. */
static double limit(const char *root, const char *controller,
                    double (*read)(const char *dir))
{
    char dir[DIR_SIZE];
    int shortest;
    double least = 0;
    if (!group_dir(root, controller, dir, &shortest)) {
        return 0;
    }
    for (;;) {
        least = smaller(least, read(dir));
        char *slash = strrchr(dir, '/');
        if (slash == NULL || slash < dir + shortest) {
            return least;
        }
        *slash = '\0';
    }
}

static double least_limit(const char *root, const struct controller *controller)
{
    return smaller(limit(root, NULL, controller->unified),
                   limit(root, controller->name, controller->legacy));
}

double pbt_cgroup_cpus(const char *root)
{
    return least_limit(root, &CPUS);
}

uint64_t pbt_cgroup_memory(const char *root)
{
    return (uint64_t)least_limit(root, &MEMORY);
}

/* --- out of memory --------------------------------------------------------- */

/* The number behind "oom_kill " in DIR/NAME; false if there is none. */
static bool read_kills(const char *dir, const char *name, uint64_t *kills)
{
    char path[DIR_SIZE + 64];
    char line[256];
    bool found = false;
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && fgets(line, sizeof line, file) != NULL) {
        found = strncmp(line, "oom_kill ", 9) == 0;
    }
    if (file != NULL) {
        (void)fclose(file);
    }
    if (found) {
        *kills = strtoull(line + 9, NULL, 10);
    }
    return found;
}

uint64_t pbt_cgroup_oom_kills(const char *root)
{
    char dir[DIR_SIZE];
    int shortest;
    uint64_t kills = 0;
    if (group_dir(root, NULL, dir, &shortest) &&
        read_kills(dir, "memory.events", &kills)) {
        return kills;
    }
    if (group_dir(root, MEMORY.name, dir, &shortest) &&
        read_kills(dir, "memory.oom_control", &kills)) {
        return kills;
    }
    (void)snprintf(dir, sizeof dir, "%s/proc", root);
    return read_kills(dir, "vmstat", &kills) ? kills : 0;
}
