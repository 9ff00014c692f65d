#include "logs.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/draw.h"
#include "base/names.h"
#include "log/log.h"

#define PATH_SIZE 512
/* A flush comes after so many records, on average. */
#define FLUSH_EVERY 12

struct logs {
    struct pbt_spec *spec;
    char live[PATH_SIZE];    /* written by driver after driver */
    char rebuilt[PATH_SIZE]; /* written in one go from the journal */
    struct pbt_board board;
    struct pbt_log *log; /* NULL: its process has died */
    uint64_t seed;
    uint64_t fed;
    char verdict[PBT_ERROR_TEXT_MAX + 1024];
};

/* The files of a run, by number; false beyond the last. */
static bool file_name(const struct logs *logs, uint32_t number, char *name)
{
    static const char *const OF_TRIAL[] = {"params.json", "result.json",
                                           "progress.csv", "error.txt"};
    uint32_t population = logs->spec->settings.population;
    char id[PBT_TRIAL_ID_SIZE];
    if (number == 0) {
        (void)strcpy(name, "pbt_global.txt");
        return true;
    }
    uint32_t trial = (number - 1) / 5;
    if (trial >= population) {
        return false;
    }
    pbt_trial_id(logs->spec->settings.seed, trial, id);
    if ((number - 1) % 5 == 4) {
        (void)snprintf(name, PATH_SIZE, "pbt_policy_%s.txt", id);
    } else {
        (void)snprintf(name, PATH_SIZE, "%s/%s", id,
                       OF_TRIAL[(number - 1) % 5]);
    }
    return true;
}

static void object(struct logs *logs, const char *what, const char *name)
{
    if (logs->verdict[0] == '\0') {
        (void)snprintf(logs->verdict, sizeof logs->verdict, "logs: %s%s", what,
                       name);
    }
}

const char *logs_verdict(const struct logs *logs)
{
    return logs->verdict[0] == '\0' ? NULL : logs->verdict;
}

static void open_log(struct logs *logs, const char *dir, bool rebuild)
{
    struct pbt_error error;
    if (pbt_board_init(&logs->board, logs->spec, &error) != PBT_OK) {
        abort();
    }
    if (pbt_log_open(&logs->log, dir, logs->spec, &logs->board, rebuild, NULL,
                     &error) != PBT_OK) {
        object(logs, error.text, "");
        logs->log = NULL;
        pbt_board_done(&logs->board);
    }
}

static void close_log(struct logs *logs)
{
    struct pbt_error error;
    if (logs->log == NULL) {
        return;
    }
    if (pbt_log_close(logs->log, &error) != PBT_OK) {
        object(logs, error.text, "");
    }
    logs->log = NULL;
    pbt_board_done(&logs->board);
}

struct logs *logs_create(const char *scratch, struct pbt_spec *spec,
                         uint64_t seed)
{
    struct logs *logs = calloc(1, sizeof *logs);
    if (logs == NULL) {
        abort();
    }
    logs->spec = spec;
    logs->seed = seed;
    (void)snprintf(logs->live, sizeof logs->live, "%s/live", scratch);
    (void)snprintf(logs->rebuilt, sizeof logs->rebuilt, "%s/rebuilt", scratch);
    if (mkdir(logs->live, 0700) != 0 || mkdir(logs->rebuilt, 0700) != 0) {
        object(logs, "can't make the scratch directories: ", strerror(errno));
        return logs;
    }
    open_log(logs, logs->live, false);
    return logs;
}

void logs_feed(struct logs *logs, const struct pbt_entry *entry)
{
    struct pbt_error error;
    if (logs->log == NULL) {
        return;
    }
    int status = pbt_log_feed(logs->log, entry, &error);
    if (status == PBT_OK &&
        pbt_mix(logs->seed, ++logs->fed) % FLUSH_EVERY == 0) {
        status = pbt_log_flush(logs->log, &error);
    }
    if (status != PBT_OK) {
        object(logs, error.text, "");
    }
}

static void feed_lines(struct logs *logs, const char *lines, size_t length)
{
    for (size_t at = 0; at < length && logs->log != NULL;) {
        struct pbt_entry entry;
        struct pbt_error error;
        const char *end = memchr(lines + at, '\n', length - at);
        size_t line = end == NULL ? length - at : (size_t)(end - lines) - at;
        if (pbt_entry_read(&entry, logs->spec, lines + at, line, &error) !=
            PBT_OK) {
            object(logs, error.text, "");
            return;
        }
        logs_feed(logs, &entry);
        pbt_entry_done(&entry);
        at += line + 1;
    }
}

void logs_die(struct logs *logs, bool power)
{
    char cursor[PATH_SIZE + 32];
    if (logs->log != NULL) {
        pbt_log_abandon(logs->log);
        logs->log = NULL;
        pbt_board_done(&logs->board);
    }
    /* It names the boot that it was written in, and doesn't count in another. */
    (void)snprintf(cursor, sizeof cursor, "%s/log_cursor.json", logs->live);
    if (power && unlink(cursor) != 0 && errno != ENOENT) {
        object(logs, "can't remove the cursor: ", strerror(errno));
    }
}

void logs_resume(struct logs *logs, const char *lines, size_t length)
{
    if (logs->log == NULL && logs->verdict[0] == '\0') {
        open_log(logs, logs->live, false);
        feed_lines(logs, lines, length);
    }
}

/* True if there is such a file; its content is put into `content`. */
static bool read_file(const char *dir, const char *name,
                      struct pbt_buf *content)
{
    char path[2 * PATH_SIZE];
    char bytes[4096];
    (void)snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *file = fopen(path, "rb");
    pbt_buf_reset(content);
    if (file == NULL) {
        return false;
    }
    for (size_t n = 1; n > 0;) {
        n = fread(bytes, 1, sizeof bytes, file);
        pbt_buf_put(content, bytes, n);
    }
    (void)fclose(file); /* only read */
    return true;
}

void logs_check(struct logs *logs, const char *lines, size_t length)
{
    struct pbt_buf live;
    struct pbt_buf rebuilt;
    char name[PATH_SIZE];
    close_log(logs);
    open_log(logs, logs->rebuilt, true);
    feed_lines(logs, lines, length);
    close_log(logs);
    pbt_buf_init(&live, (size_t)1 << 28);
    pbt_buf_init(&rebuilt, (size_t)1 << 28);
    for (uint32_t i = 0; file_name(logs, i, name); i++) {
        bool is_live = read_file(logs->live, name, &live);
        bool is_rebuilt = read_file(logs->rebuilt, name, &rebuilt);
        if (is_live != is_rebuilt || live.length != rebuilt.length ||
            (live.length > 0 &&
             memcmp(live.data, rebuilt.data, live.length) != 0)) {
            object(logs, "not what a rebuild gives: ", name);
        }
    }
    pbt_buf_done(&live);
    pbt_buf_done(&rebuilt);
}

/* What isn't there needn't be removed; what is left shows in the last rmdir(). */
static void remove_run(struct logs *logs, const char *dir)
{
    char name[PATH_SIZE];
    char path[2 * PATH_SIZE];
    char id[PBT_TRIAL_ID_SIZE];
    for (uint32_t i = 0; file_name(logs, i, name); i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, name);
        (void)unlink(path);
    }
    for (uint32_t i = 0; i < logs->spec->settings.population; i++) {
        pbt_trial_id(logs->spec->settings.seed, i, id);
        (void)snprintf(path, sizeof path, "%s/%s", dir, id);
        (void)rmdir(path);
    }
    (void)snprintf(path, sizeof path, "%s/log_cursor.json", dir);
    (void)unlink(path);
    if (rmdir(dir) != 0) {
        object(logs, "files are left in ", dir);
    }
}

void logs_clean(struct logs *logs)
{
    if (logs->log != NULL) {
        pbt_log_abandon(logs->log);
        pbt_board_done(&logs->board);
        logs->log = NULL;
    }
    remove_run(logs, logs->live);
    remove_run(logs, logs->rebuilt);
}

void logs_destroy(struct logs *logs)
{
    free(logs);
}

static bool same_status(const struct pbt_board_trial *shown,
                        const struct pbt_core_trial *trial)
{
    bool waits =
        trial->state == PBT_CORE_PENDING || trial->state == PBT_CORE_PAUSED;
    switch (shown->status) {
    case PBT_TRIAL_RUNNING:
        /* Asked about without a process: what it is to run with is not known yet. */
        return trial->state == PBT_CORE_RUNNING;
    case PBT_TRIAL_PAUSED:
        return waits && (trial->held || trial->state == PBT_CORE_PAUSED);
    case PBT_TRIAL_PENDING:
        return waits && !trial->held;
    case PBT_TRIAL_TERMINATED:
        return trial->state == PBT_CORE_TERMINATED;
    case PBT_TRIAL_ERROR:
        return trial->state == PBT_CORE_ERROR;
    case PBT_TRIAL_STATUSES:
        break;
    }
    return false;
}

void logs_compare(struct logs *logs, const struct pbt_core *core)
{
    if (logs->log == NULL || logs->board.records != pbt_core_records(core)) {
        return;
    }
    for (uint32_t i = 0; i < logs->spec->settings.population; i++) {
        const struct pbt_board_trial *shown = &logs->board.trials[i];
        struct pbt_core_trial trial = pbt_core_trial(core, i);
        if (!same_status(shown, &trial) || shown->held != trial.held) {
            char what[128];
            (void)snprintf(what, sizeof what,
                           "after record %" PRIu64 " %s%s is shown of trial ",
                           logs->board.records, shown->held ? "held " : "",
                           pbt_trial_status_name(shown->status));
            object(logs, what, shown->id);
        }
    }
}
