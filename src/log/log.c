#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log/cursor.h"
#include "log/policy.h"
#include "log/result.h"
#include "log/status_json.h"

/* Lines that wait beyond this are written by the next feed. */
#define BUFFERED_MAX ((size_t)32 * 1024 * 1024)

struct log_trial {
    struct pbt_log_file result;
    struct pbt_csv csv;
    struct pbt_log_file errors;
    struct pbt_result_life life;
    /* The configuration that it was created with, and that of its newest life. */
    struct pbt_cell *initial;
    struct pbt_cell *present;
    bool lived; /* has started: there is a params.json */
    /* its configuration is one that an exploit gave */
    bool perturbed;
    bool params_due;
    bool policy_due;
};

struct pbt_log {
    const struct pbt_spec *spec;
    struct pbt_board *board;
    struct pbt_log_dir dir;
    struct log_trial *trials;
    struct pbt_policy policy;
    struct pbt_log_cursor cursor;
    struct pbt_result_writer writer;
    char driver_host[256];
    size_t buffered; /* bytes since the last flush, at most */
    bool settled;    /* the files that are replaced are as of the cursor */
    bool broken;     /* out of memory in the middle of a record */
};

static void name_file(const struct pbt_log *log, uint32_t trial,
                      const char *name, char path[PBT_LOG_PATH_SIZE])
{
    (void)snprintf(path, PBT_LOG_PATH_SIZE, "%s/%s",
                   log->board->trials[trial].id, name);
}

/* --- opening ------------------------------------------------------------- */

/* Cuts one trial's files back to what the cursor says, and takes away debris. */
static int cut_trial(struct pbt_log *log, uint32_t trial,
                     struct pbt_error *error)
{
    struct log_trial *t = &log->trials[trial];
    const struct pbt_log_cursor_trial *at = &log->cursor.trials[trial];
    char path[PBT_LOG_PATH_SIZE];
    t->result.bytes = at->result;
    t->result.record = log->cursor.record;
    t->csv.file.bytes = at->csv;
    t->csv.file.record = log->cursor.record;
    t->csv.header_bytes = at->header;
    t->csv.disk_columns = 0;
    t->errors.bytes = at->errors;
    t->errors.record = log->cursor.record;

    name_file(log, trial, "result.json", path);
    int status = pbt_log_file_cut(&log->dir, path, &t->result, error);
    if (status == PBT_OK) {
        name_file(log, trial, "progress.csv", path);
        status = pbt_csv_cut(&log->dir, path, &t->csv, error);
    }
    if (status == PBT_OK) {
        name_file(log, trial, "error.txt", path);
        status = pbt_log_file_cut(&log->dir, path, &t->errors, error);
    }
    if (status == PBT_OK) {
        name_file(log, trial, "params.json", path);
        status = pbt_log_remove_temporary(&log->dir, path, error);
    }
    if (status == PBT_OK && log->spec->log_config) {
        (void)snprintf(path, sizeof path, "pbt_policy_%s.txt",
                       log->board->trials[trial].id);
        status = pbt_log_remove_temporary(&log->dir, path, error);
    }
    return status;
}

static int cut_files(struct pbt_log *log, struct pbt_error *error)
{
    int status = pbt_log_remove_temporary(&log->dir, "status.json", error);
    for (uint32_t i = 0; status == PBT_OK && i < log->spec->settings.population;
         i++) {
        status = cut_trial(log, i, error);
    }
    if (status == PBT_OK && log->spec->log_config) {
        log->policy.global.bytes = log->cursor.global;
        log->policy.global.record = log->cursor.record;
        status = pbt_log_file_cut(&log->dir, "pbt_global.txt",
                                  &log->policy.global, error);
    }
    return status;
}

static int allocate_trials(struct pbt_log *log, struct pbt_error *error)
{
    uint32_t population = log->spec->settings.population;
    log->trials = calloc((size_t)population + 1, sizeof *log->trials);
    if (log->trials == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    for (uint32_t i = 0; i < population; i++) {
        struct log_trial *t = &log->trials[i];
        pbt_buf_init(&t->result.pending, PBT_LOG_PENDING_MAX);
        pbt_buf_init(&t->csv.file.pending, PBT_LOG_PENDING_MAX);
        pbt_buf_init(&t->errors.pending, PBT_LOG_PENDING_MAX);
        pbt_result_life_init(&t->life);
        size_t cells = (size_t)log->spec->settings.space.count + 1;
        t->initial = calloc(cells, sizeof *t->initial);
        t->present = calloc(cells, sizeof *t->present);
        if (t->initial == NULL || t->present == NULL) {
            return pbt_error_set(error, PBT_ENOMEM, "out of memory");
        }
    }
    return PBT_OK;
}

static void destroy(struct pbt_log *log)
{
    uint32_t population =
        log->trials == NULL ? 0 : log->spec->settings.population;
    for (uint32_t i = 0; i < population; i++) {
        struct log_trial *t = &log->trials[i];
        pbt_buf_done(&t->result.pending);
        pbt_csv_done(&t->csv);
        pbt_buf_done(&t->errors.pending);
        pbt_result_life_done(&t->life);
        free(t->initial);
        free(t->present);
    }
    free(log->trials);
    pbt_policy_done(&log->policy);
    pbt_log_cursor_done(&log->cursor);
    pbt_result_writer_done(&log->writer);
    if (log->dir.fd >= 0) {
        (void)close(log->dir.fd); /* a directory: nothing was written to it */
    }
    free(log);
}

static int set_up(struct pbt_log *log, const char *dir, bool rebuild,
                  struct pbt_error *error)
{
    uint32_t population = log->spec->settings.population;
    int status = pbt_policy_init(&log->policy, population, error);
    if (status == PBT_OK) {
        status = pbt_log_cursor_init(&log->cursor, population, error);
    }
    if (status == PBT_OK) {
        status = allocate_trials(log, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    log->dir.fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (log->dir.fd < 0) {
        return pbt_error_set(error, PBT_ENOINPUT, "can't open %s: %s", dir,
                             strerror(errno));
    }
    if (!rebuild) {
        status = pbt_log_cursor_read(&log->cursor, &log->dir, error);
    }
    return status == PBT_OK ? cut_files(log, error) : status;
}

int pbt_log_open(struct pbt_log **log, const char *dir,
                 const struct pbt_spec *spec, struct pbt_board *board,
                 bool rebuild, const struct pbt_hold *hold,
                 struct pbt_error *error)
{
    struct pbt_log *made = calloc(1, sizeof *made);
    if (made == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    made->spec = spec;
    made->board = board;
    made->dir.fd = -1;
    made->dir.hold = hold != NULL ? *hold : (struct pbt_hold){NULL, NULL};
    pbt_result_writer_init(&made->writer);
    int status = set_up(made, dir, rebuild, error);
    if (status != PBT_OK) {
        destroy(made);
        return status;
    }
    *log = made;
    return PBT_OK;
}

/* --- feeding ------------------------------------------------------------- */

/* The first record says whether the cursor is of this very run. */
static int feed_first(struct pbt_log *log, const json_t *data,
                      struct pbt_error *error)
{
    uint64_t seed = log->spec->settings.seed;
    int64_t wall = json_integer_value(json_object_get(data, "wall"));
    bool same = log->cursor.seed == seed && log->cursor.wall == wall;
    if (!same && log->cursor.record > 0) {
        log->cursor.record = 0;
        log->cursor.global = 0;
        memset(log->cursor.trials, 0,
               log->cursor.population * sizeof *log->cursor.trials);
        int status = cut_files(log, error);
        if (status != PBT_OK) {
            return status;
        }
    }
    log->cursor.seed = seed;
    log->cursor.wall = wall;
    return PBT_OK;
}

static int feed_opened(struct pbt_log *log, const struct pbt_record *record,
                       const json_t *data, struct pbt_error *error)
{
    const char *host = json_string_value(json_object_get(data, "host"));
    if (host != NULL) {
        (void)snprintf(log->driver_host, sizeof log->driver_host, "%s", host);
    }
    return record->number == 1 ? feed_first(log, data, error) : PBT_OK;
}

static bool same_cells(const struct pbt_log *log, const struct pbt_cell *a,
                       const struct pbt_cell *b)
{
    for (uint32_t i = 0; i < log->spec->settings.space.count; i++) {
        if (!pbt_cell_same(a[i], b[i])) {
            return false;
        }
    }
    return true;
}

static void copy_cells(const struct pbt_log *log, struct pbt_cell *to,
                       const struct pbt_cell *from)
{
    memcpy(to, from, log->spec->settings.space.count * sizeof *to);
}

static bool is_exploit(const struct pbt_record *record)
{
    return record->kind == PBT_RECORD_EXPLOIT ||
           record->kind == PBT_RECORD_ADOPT;
}

/* A life begins, or tells who it is. */
static int feed_life(struct pbt_log *log, const struct pbt_record *record,
                     struct pbt_error *error)
{
    struct log_trial *t = &log->trials[record->trial];
    const struct pbt_cell *cells = log->board->trials[record->trial].cells;
    if (is_exploit(record)) {
        t->perturbed = true;
    } else if (record->kind != PBT_RECORD_READY && t->perturbed) {
        /* It may have gone back to before its first exploit. */
        t->perturbed = !same_cells(log, cells, t->initial);
    }
    if (record->kind != PBT_RECORD_READY) {
        t->lived = true;
        t->params_due = true;
        copy_cells(log, t->present, cells);
    }
    return pbt_result_life_set(&t->life, log->board, record->trial,
                               t->perturbed, log->driver_host, error);
}

static int feed_exploit(struct pbt_log *log, const struct pbt_record *record,
                        struct pbt_error *error)
{
    int status = PBT_OK;
    if (log->spec->log_config) {
        size_t before = log->policy.global.pending.length;
        status = pbt_policy_feed(&log->policy, log->board, record,
                                 log->trials[record->trial].present, error);
        log->buffered += log->policy.global.pending.length - before;
        log->trials[record->trial].policy_due = true;
    }
    return status == PBT_OK ? feed_life(log, record, error) : status;
}

/* A trial is back where it was before exploits of its. */
static int feed_undo(struct pbt_log *log, const struct pbt_record *record,
                     struct pbt_error *error)
{
    int status = PBT_OK;
    if (log->spec->log_config) {
        status = pbt_policy_undo(&log->policy, record, error);
        log->trials[record->trial].policy_due = true;
    }
    return status == PBT_OK ? feed_life(log, record, error) : status;
}

static int feed_result(struct pbt_log *log, const struct pbt_record *record,
                       const json_t *data, struct pbt_error *error)
{
    struct log_trial *t = &log->trials[record->trial];
    size_t before = t->result.pending.length;
    int status = pbt_result_write(&log->writer, log->board, &t->life, record,
                                  data, &t->result, &t->csv, error);
    /* A row is never longer than its line. */
    log->buffered += 2 * (t->result.pending.length - before);
    return status;
}

/* What is known of a failure: its text, or how the process ended. */
static void put_failure(struct pbt_buf *out, const json_t *data)
{
    const char *text = json_string_value(json_object_get(data, "text"));
    const json_t *code = json_object_get(data, "exit_code");
    const json_t *number = json_object_get(data, "signal");
    if (text != NULL && *text != '\0') {
        size_t length = strlen(text);
        pbt_buf_put(out, text, length - (text[length - 1] == '\n' ? 1 : 0));
    } else if (json_is_integer(number)) {
        pbt_buf_printf(out, "killed by signal %" JSON_INTEGER_FORMAT,
                       json_integer_value(number));
    } else if (json_is_integer(code)) {
        pbt_buf_printf(out, "exit code %" JSON_INTEGER_FORMAT,
                       json_integer_value(code));
    } else {
        pbt_buf_text(out, "the process ended");
    }
}

static int feed_exited(struct pbt_log *log, const struct pbt_record *record,
                       const json_t *data, struct pbt_error *error)
{
    if (record->leave != PBT_LEAVE_RETRY && record->leave != PBT_LEAVE_ERROR) {
        return PBT_OK;
    }
    struct pbt_log_file *file = &log->trials[record->trial].errors;
    if (record->number <= file->record) {
        return PBT_OK; /* the file has it */
    }
    size_t before = file->pending.length;
    pbt_result_writer_date(&log->writer,
                           pbt_board_wall(log->board, record->time));
    pbt_buf_printf(&file->pending, "Failure # %" PRIu32 " (occurred at %s)\n",
                   log->board->trials[record->trial].failures,
                   log->writer.date);
    put_failure(&file->pending, data);
    pbt_buf_char(&file->pending, '\n');
    log->buffered += file->pending.length - before;
    return pbt_buf_failed(&file->pending)
               ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
               : PBT_OK;
}

/* A donor may give it after exploits of its own. */
static int feed_checkpoint(struct pbt_log *log, const struct pbt_record *record,
                           struct pbt_error *error)
{
    if (record->kind == PBT_RECORD_SAVED && record->point) {
        return pbt_policy_saved(&log->policy, record->checkpoint, error);
    }
    if (record->kind == PBT_RECORD_DELETE || record->kind == PBT_RECORD_BAD) {
        pbt_policy_gone(&log->policy, record->checkpoint);
    }
    return PBT_OK;
}

static int feed_kind(struct pbt_log *log, const struct pbt_record *record,
                     const json_t *data, struct pbt_error *error)
{
    if (record->kind == PBT_RECORD_RESULT) {
        return feed_result(log, record, data, error);
    }
    if (record->kind == PBT_RECORD_EXITED) {
        return feed_exited(log, record, data, error);
    }
    if (record->kind == PBT_RECORD_OPENED) {
        return feed_opened(log, record, data, error);
    }
    if (record->kind == PBT_RECORD_TRIAL) {
        const struct pbt_board_trial *trial =
            &log->board->trials[record->trial];
        copy_cells(log, log->trials[record->trial].initial, trial->cells);
        copy_cells(log, log->trials[record->trial].present, trial->cells);
        return PBT_OK;
    }
    if (record->kind == PBT_RECORD_READY || record->kind == PBT_RECORD_START) {
        return feed_life(log, record, error);
    }
    if (is_exploit(record)) {
        return feed_exploit(log, record, error);
    }
    if (record->kind == PBT_RECORD_UNDO) {
        return feed_undo(log, record, error);
    }
    if (log->spec->log_config &&
        log->spec->settings.donors == PBT_DONORS_BEST_EVER) {
        return feed_checkpoint(log, record, error);
    }
    return PBT_OK; /* nothing that the files show */
}

int pbt_log_feed(struct pbt_log *log, const struct pbt_entry *entry,
                 struct pbt_error *error)
{
    if (log->broken) {
        return pbt_error_set(error, PBT_ENOMEM,
                             "the log files ran out of memory before");
    }
    if (log->buffered > BUFFERED_MAX) {
        int status = pbt_log_flush(log, error);
        if (status != PBT_OK) {
            return status;
        }
    }
    /* The data is parsed once, for the board and for the files. */
    struct pbt_entry parsed = *entry;
    json_t *own = NULL;
    if (entry->data_json == NULL && entry->data != NULL) {
        json_error_t where;
        own = json_loadb(entry->data, entry->data_length, 0, &where);
        if (own == NULL) {
            return pbt_error_set(error, PBT_EDATA, "\"data\": %s", where.text);
        }
        parsed.data_json = own;
    }
    int status = pbt_board_feed(log->board, &parsed, error);
    if (status == PBT_OK) {
        status = feed_kind(log, &entry->record, parsed.data_json, error);
        log->broken = status != PBT_OK;
    }
    json_decref(own);
    return status;
}

/* --- flushing ------------------------------------------------------------ */

static int write_params(struct pbt_log *log, uint32_t trial,
                        struct pbt_error *error)
{
    char path[PBT_LOG_PATH_SIZE];
    name_file(log, trial, "params.json", path);
    if (!log->trials[trial].lived) {
        return pbt_log_remove(&log->dir, path, error);
    }
    struct pbt_python_style style = {
        .indent = true, .sort = true, .bare_nan = true};
    struct pbt_buf text;
    pbt_buf_init(&text, PBT_LOG_PENDING_MAX);
    pbt_shape_json(&log->board->shape, log->board->trials[trial].cells, style,
                   &text);
    int status =
        pbt_buf_failed(&text)
            ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
            : pbt_log_replace(&log->dir, path, text.data, text.length, error);
    pbt_buf_done(&text);
    return status;
}

/* The files that grow. */
static int append_trial(struct pbt_log *log, uint32_t trial,
                        struct pbt_error *error)
{
    struct log_trial *t = &log->trials[trial];
    char path[PBT_LOG_PATH_SIZE];
    name_file(log, trial, "result.json", path);
    int status = pbt_log_file_append(&log->dir, path, &t->result, error);
    if (status == PBT_OK) {
        name_file(log, trial, "progress.csv", path);
        status = pbt_csv_flush(&log->dir, path, &t->csv, error);
    }
    if (status == PBT_OK) {
        name_file(log, trial, "error.txt", path);
        status = pbt_log_file_append(&log->dir, path, &t->errors, error);
    }
    return status;
}

/* The files that are replaced. */
static int replace_trial(struct pbt_log *log, uint32_t trial,
                         struct pbt_error *error)
{
    struct log_trial *t = &log->trials[trial];
    int status = PBT_OK;
    if (t->params_due || !log->settled) {
        status = write_params(log, trial, error);
        t->params_due = status != PBT_OK;
    }
    if (status == PBT_OK && log->spec->log_config &&
        (t->policy_due || !log->settled)) {
        status = pbt_policy_write(&log->policy, &log->dir,
                                  log->board->trials[trial].id, trial, error);
        t->policy_due = status != PBT_OK;
    }
    return status;
}

static int write_cursor(struct pbt_log *log, struct pbt_error *error)
{
    struct pbt_log_cursor *cursor = &log->cursor;
    for (uint32_t i = 0; i < cursor->population; i++) {
        const struct log_trial *t = &log->trials[i];
        cursor->trials[i] =
            (struct pbt_log_cursor_trial){.result = t->result.bytes,
                                          .csv = t->csv.file.bytes,
                                          .header = t->csv.header_bytes,
                                          .errors = t->errors.bytes};
    }
    cursor->global = log->policy.global.bytes;
    uint64_t before = cursor->record;
    cursor->record = log->board->records;
    int status = pbt_log_cursor_write(cursor, &log->dir, error);
    if (status != PBT_OK) {
        cursor->record = before;
    }
    return status;
}

/*
 * Lines of undone exploits go.  If we die between this and the next cursor, that would be
 * of another file, so there is none meanwhile: all is written anew then.
 */
static int cut_policy(struct pbt_log *log, struct pbt_error *error)
{
    int status =
        log->policy.cuts ? pbt_log_cursor_remove(&log->dir, error) : PBT_OK;
    return status == PBT_OK ? pbt_policy_cut(&log->policy, &log->dir, error)
                            : status;
}

int pbt_log_flush(struct pbt_log *log, struct pbt_error *error)
{
    uint32_t population = log->spec->settings.population;
    int status = PBT_OK;
    if (log->broken ||
        (log->settled && log->cursor.record == log->board->records)) {
        return PBT_OK;
    }
    status = cut_policy(log, error);
    for (uint32_t i = 0; status == PBT_OK && i < population; i++) {
        status = append_trial(log, i, error);
    }
    if (status == PBT_OK && log->spec->log_config) {
        status = pbt_log_file_append(&log->dir, "pbt_global.txt",
                                     &log->policy.global, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    log->buffered = 0;
    if (log->board->records < log->cursor.record) {
        return PBT_OK; /* still catching up with what the cursor knows */
    }
    for (uint32_t i = 0; status == PBT_OK && i < population; i++) {
        status = replace_trial(log, i, error);
    }
    if (status == PBT_OK) {
        log->settled = true;
        status = write_cursor(log, error);
    }
    return status;
}

int pbt_log_write_status(const struct pbt_log *log, struct pbt_error *error)
{
    struct pbt_buf text;
    pbt_buf_init(&text, PBT_LOG_PENDING_MAX);
    pbt_status_json(log->board, &text);
    int status = pbt_buf_failed(&text)
                     ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                     : pbt_log_replace(&log->dir, "status.json", text.data,
                                       text.length, error);
    pbt_buf_done(&text);
    return status;
}

void pbt_log_abandon(struct pbt_log *log)
{
    destroy(log);
}

int pbt_log_close(struct pbt_log *log, struct pbt_error *error)
{
    if (log == NULL) {
        return PBT_OK;
    }
    int status = pbt_log_flush(log, error);
    destroy(log);
    return status;
}
