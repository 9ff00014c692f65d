#include "index/index.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/codes.h"
#include "index/inside.h"
#include "journal/entries.h"
#include "journal/segment.h"

/* Raised when the same records give other rows than before. */
#define REVISION 2
#define FILE_MAX ((size_t)64 << 20)
/* Records of one transaction: what is lost if it is killed. */
#define CHUNK 50000
#define SHOW_EVERY 4096
#define SQL_MAX ((size_t)1 << 20)

static int no_memory(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

/* What a transaction's reading needs. */
struct reading {
    struct pbt_index *index;
    struct pbt_journal_info info;
    uint64_t fed;
    bool stopped; /* it is enough for one transaction */
};

/* --- the journal ---------------------------------------------------------- */

static int journal_dir(const struct pbt_index *index,
                       char dir[PBT_SEGMENT_PATH_SIZE], struct pbt_error *error)
{
    int length = snprintf(dir, PBT_SEGMENT_PATH_SIZE, "%s/journal", index->dir);
    if (length < 0 || length >= PBT_SEGMENT_PATH_SIZE) {
        return pbt_error_set(error, PBT_EUSAGE, "the path %s is too long",
                             index->dir);
    }
    return PBT_OK;
}

static uint64_t segment_bytes(const struct pbt_index *index, uint64_t number)
{
    char dir[PBT_SEGMENT_PATH_SIZE];
    char path[PBT_SEGMENT_PATH_SIZE];
    struct stat status;
    if (journal_dir(index, dir, NULL) != PBT_OK ||
        pbt_segment_path(dir, number, path, NULL) != PBT_OK ||
        stat(path, &status) != 0) {
        return 0;
    }
    return (uint64_t)status.st_size;
}

static void show(struct pbt_index *index, const struct pbt_journal_place *place)
{
    if (index->watch.fn == NULL) {
        return;
    }
    while (index->shown_segment < place->segment) {
        index->shown_before += index->shown_segment == 0
                                   ? 0
                                   : segment_bytes(index, index->shown_segment);
        index->shown_segment++;
    }
    index->watch.fn(index->watch.user, index->shown_before + place->bytes,
                    index->bytes);
}

static int feed(void *user, const struct pbt_entry *entry,
                struct pbt_error *error)
{
    struct reading *reading = user;
    struct pbt_index *index = reading->index;
    if (reading->fed >= CHUNK &&
        entry->record.number == reading->info.end.record + 1) {
        reading->stopped = true; /* between two batches */
        return PBT_EINTERRUPTED;
    }
    if (reading->fed++ % SHOW_EVERY == 0) {
        show(index, &reading->info.end);
    }
    if (!pbt_index_write(index, entry, error)) {
        return index->sql.code != SQLITE_OK
                   ? pbt_sql_error(&index->sql, index->path, error)
                   : index->status;
    }
    return PBT_OK;
}

static int stop_at_once(void *user, const char *line, size_t length,
                        struct pbt_error *error)
{
    bool *more = user;
    (void)line;
    (void)length;
    (void)error;
    *more = true;
    return PBT_EINTERRUPTED;
}

/* Whether the journal has anything behind the place. */
static int look_for_more(const struct pbt_index *index, bool *more,
                         struct pbt_error *error)
{
    char dir[PBT_SEGMENT_PATH_SIZE];
    struct pbt_journal_info info;
    *more = false;
    int status = journal_dir(index, dir, error);
    if (status == PBT_OK) {
        status = pbt_journal_read_from(pbt_files_posix(), dir, &index->place,
                                       stop_at_once, more, &info, error);
    }
    return *more ? PBT_OK : status;
}

/* --- the file ------------------------------------------------------------- */

/* All that the contents follow from beside the journal. */
static int find_sum(struct pbt_index *index, struct pbt_error *error)
{
    char path[PBT_SEGMENT_PATH_SIZE];
    struct pbt_buf text;
    struct pbt_files *files = pbt_files_posix();
    pbt_buf_init(&text, FILE_MAX);
    int length = snprintf(path, sizeof path, "%s/experiment.yaml", index->dir);
    int status = length < 0 || (size_t)length >= sizeof path
                     ? pbt_error_set(error, PBT_EUSAGE,
                                     "the path %s is too long", index->dir)
                     : files->ops->read(files, path, 0, FILE_MAX, &text, error);
    pbt_state_tables(&text);
    pbt_buf_printf(&text, "%s %d", PBT_VERSION, REVISION);
    if (status == PBT_OK && pbt_buf_failed(&text)) {
        status = no_memory(error);
    }
    if (status == PBT_OK) {
        (void)snprintf(index->sum, sizeof index->sum, "%016llx",
                       (unsigned long long)XXH64(text.data, text.length, 0));
    }
    pbt_buf_done(&text);
    return status;
}

/* Our tables only: what a person has added stays. */
static bool drop_tables(struct pbt_sql *sql)
{
    struct pbt_buf text;
    pbt_buf_init(&text, SQL_MAX);
    pbt_buf_text(&text, ";");
    sqlite3_stmt *statement =
        pbt_sql_prepare(sql, "SELECT name FROM sqlite_schema WHERE type = "
                             "'table' AND name LIKE 'raw\\_%' ESCAPE '\\'");
    while (statement != NULL && pbt_sql_next(sql, statement)) {
        pbt_buf_text(&text, "DROP TABLE ");
        pbt_sql_name(&text, (const char *)sqlite3_column_text(statement, 0));
        pbt_buf_char(&text, ';');
    }
    (void)sqlite3_finalize(statement);
    bool dropped = pbt_sql_run_buf(sql, &text);
    pbt_buf_done(&text);
    return dropped;
}

static bool make_tables(struct pbt_index *index)
{
    struct pbt_buf text;
    pbt_buf_init(&text, SQL_MAX);
    pbt_state_tables(&text);
    pbt_buf_text(&text, "PRAGMA user_version = 1;");
    index->place = (struct pbt_journal_place){.record = 0};
    /* The views name the tables: they go first. */
    bool made = pbt_index_drop_views(index) && drop_tables(&index->sql) &&
                pbt_sql_run_buf(&index->sql, &text) && pbt_state_load(index);
    pbt_buf_done(&text);
    index->metrics.changed = true; /* there are no views yet */
    return made;
}

/*
 * In a transaction: does the file fit this run, so that it can be gone on with?  Then `index->place`
 * and the fold are where it is.
 */
static bool find_place(struct pbt_index *index, bool *fits)
{
    char dir[PBT_SEGMENT_PATH_SIZE];
    struct pbt_journal_place place;
    *fits = false;
    if (!pbt_state_place(index, &place, fits)) {
        return false;
    }
    *fits = *fits && !index->anew && place.segment > 0 &&
            journal_dir(index, dir, NULL) == PBT_OK &&
            pbt_journal_has(pbt_files_posix(), dir, &place, NULL) == PBT_OK;
    if (!*fits || (index->loaded && index->place.segment == place.segment &&
                   index->place.bytes == place.bytes)) {
        return true;
    }
    index->place = place;
    index->loaded = pbt_state_load(index);
    return index->loaded;
}

/* Reads on, and writes it, in one transaction.  `*more`: that was not all. */
static int write_chunk(struct pbt_index *index, bool *more,
                       struct pbt_error *error)
{
    struct reading reading = {.index = index};
    bool fits;
    if (!pbt_sql_run(&index->sql, "BEGIN IMMEDIATE") ||
        !find_place(index, &fits) || (!fits && !make_tables(index))) {
        return PBT_EIO;
    }
    index->anew = false;
    index->loaded = false; /* until what it is is written */
    int status = pbt_journal_entries_from(
        index->dir, index->spec,
        index->place.segment > 0 ? &index->place : NULL, feed, &reading,
        &reading.info, error);
    pbt_index_writer_done(&index->writer);
    if (status != PBT_OK && !reading.stopped) {
        return status;
    }
    if (reading.info.end.segment > 0) {
        index->place = reading.info.end;
    }
    if (!pbt_state_store(index) || !pbt_sql_run(&index->sql, "COMMIT")) {
        return PBT_EIO;
    }
    index->loaded = true;
    *more = reading.stopped;
    return PBT_OK;
}

/* Whether it has to be written, and if not, its state. */
static int look(struct pbt_index *index, bool *behind, struct pbt_error *error)
{
    bool fits;
    int status = PBT_OK;
    *behind = true;
    if (!pbt_sql_run(&index->sql, "BEGIN") || !find_place(index, &fits)) {
        return PBT_EIO;
    }
    if (fits) {
        status = look_for_more(index, behind, error);
    }
    return status == PBT_OK && !pbt_sql_run(&index->sql, "COMMIT") ? PBT_EIO
                                                                   : status;
}

/* PBT_EIO with sql.code set: SQLite failed. */
static int catch_up(struct pbt_index *index, struct pbt_error *error)
{
    bool behind = true;
    int status = look(index, &behind, error);
    while (status == PBT_OK && behind) {
        status = write_chunk(index, &behind, error);
    }
    return status;
}

/* SQLite's own way to make a damaged file an empty one, under its locks. */
static bool empty_file(struct pbt_sql *sql)
{
    pbt_sql_forget(sql);
    if (sqlite3_db_config(sql->db, SQLITE_DBCONFIG_RESET_DATABASE, 1, NULL) !=
        SQLITE_OK) {
        return false;
    }
    bool emptied = pbt_sql_run(sql, "VACUUM");
    (void)sqlite3_db_config(sql->db, SQLITE_DBCONFIG_RESET_DATABASE, 0, NULL);
    return emptied;
}

static bool is_damaged(const struct pbt_sql *sql)
{
    return sql->code == SQLITE_CORRUPT || sql->code == SQLITE_NOTADB;
}

/* A journal that can't be read leaves no trace. */
static void remove_empty(const char *path)
{
    struct stat status;
    if (stat(path, &status) == 0 && status.st_size == 0) {
        (void)unlink(path);
    }
}

/*
 * Opens the file at `path` and brings it up to date.  A failure that is the place's leaves
 * sql.code set; nothing is open then.
 */
static int try_path(struct pbt_index *index, const char *path,
                    struct pbt_error *error)
{
    struct pbt_sql *sql = &index->sql;
    free(index->path);
    index->path = strdup(path);
    index->loaded = false;
    index->shown_segment = 0;
    index->shown_before = 0;
    if (index->path == NULL) {
        return no_memory(error);
    }
    int status = pbt_sql_open(sql, path) ? catch_up(index, error) : PBT_EIO;
    if (is_damaged(sql) && sql->db != NULL) {
        (void)sqlite3_exec(sql->db, "ROLLBACK", NULL, NULL, NULL);
        index->loaded = false;
        status = empty_file(sql) ? catch_up(index, error) : PBT_EIO;
    }
    if (status != PBT_OK) {
        if (sql->code != SQLITE_OK) {
            status = pbt_sql_error(sql, path, error);
        }
        (void)sqlite3_close(sql->db); /* rolls back */
        sql->db = NULL;
        if (sql->created) {
            remove_empty(path);
        }
    }
    return status;
}

/* --- where it is ---------------------------------------------------------- */

static bool run_path(const struct pbt_index *index, char path[PATH_MAX])
{
    int length = snprintf(path, PATH_MAX, "%s/" PBT_INDEX_FILE, index->dir);
    return length > 0 && length < PATH_MAX;
}

static bool is_done(const struct pbt_index *index, int status)
{
    return status == PBT_OK || !pbt_sql_is_place(&index->sql);
}

/* In the run's directory, else in the cache, else a temporary one. */
static int try_paths(struct pbt_index *index, struct pbt_error *error)
{
    char path[PATH_MAX];
    int status = PBT_EIO;
    if (run_path(index, path)) {
        status = try_path(index, path, error);
        if (is_done(index, status)) {
            return status;
        }
    }
    if (pbt_index_cache(index->dir, path)) {
        status = try_path(index, path, error);
        if (is_done(index, status)) {
            return status;
        }
    }
    return try_path(index, "", error);
}

/* --- opening and closing -------------------------------------------------- */

static int prepare(struct pbt_index *index, struct pbt_error *error)
{
    char dir[PBT_SEGMENT_PATH_SIZE];
    uint64_t segments = 0;
    pbt_columns_init(&index->metrics, "raw_results", "m",
                     PBT_INDEX_METRICS_MAX);
    pbt_columns_init(&index->configs, "raw_lives", "c", PBT_INDEX_CONFIGS_MAX);
    index->stored =
        calloc(index->spec->settings.population, sizeof *index->stored);
    if (index->stored == NULL) {
        return no_memory(error);
    }
    int status = journal_dir(index, dir, error);
    if (status == PBT_OK) {
        status = pbt_segment_count(pbt_files_posix(), dir, &segments, error);
    }
    if (status == PBT_OK) {
        status = find_sum(index, error);
    }
    index->begun = segments > 0;
    for (uint64_t i = 1; i <= segments; i++) {
        index->bytes += segment_bytes(index, i);
    }
    return status;
}

/* `fn`: where to try it. */
static int
open_with(struct pbt_index **out, const char *dir, struct pbt_spec *spec,
          struct pbt_fold *fold, bool anew, const struct pbt_index_watch *watch,
          int (*fn)(struct pbt_index *index, struct pbt_error *error),
          struct pbt_error *error)
{
    struct pbt_index *index = calloc(1, sizeof *index);
    *fold = (struct pbt_fold){.spec = NULL};
    if (index == NULL) {
        return no_memory(error);
    }
    index->dir = dir;
    index->spec = spec;
    index->fold = fold;
    index->anew = anew;
    index->watch =
        watch != NULL ? *watch : (struct pbt_index_watch){.fn = NULL};
    int status = prepare(index, error);
    if (status == PBT_OK && index->begun) {
        status = fn(index, error);
    } else if (status == PBT_OK) {
        status = pbt_fold_init(fold, spec, error);
        if (status == PBT_OK) {
            pbt_fold_finish(fold);
        }
    }
    if (status != PBT_OK) {
        pbt_index_close(index);
        pbt_fold_done(fold);
        return status;
    }
    *out = index;
    return PBT_OK;
}

int pbt_index_open(struct pbt_index **index, const char *dir,
                   struct pbt_spec *spec, struct pbt_fold *fold,
                   const struct pbt_index_watch *watch, struct pbt_error *error)
{
    return open_with(index, dir, spec, fold, false, watch, try_paths, error);
}

static int try_run_path(struct pbt_index *index, struct pbt_error *error)
{
    char path[PATH_MAX];
    return run_path(index, path)
               ? try_path(index, path, error)
               : pbt_error_set(error, PBT_EUSAGE, "the path %s is too long",
                               index->dir);
}

int pbt_index_rebuild(const char *dir, struct pbt_spec *spec,
                      struct pbt_error *error)
{
    struct pbt_index *index = NULL;
    struct pbt_fold fold;
    int status =
        open_with(&index, dir, spec, &fold, true, NULL, try_run_path, error);
    if (status == PBT_OK) {
        pbt_index_close(index);
        pbt_fold_done(&fold);
    }
    return status;
}

void pbt_index_close(struct pbt_index *index)
{
    if (index == NULL) {
        return;
    }
    pbt_index_writer_done(&index->writer);
    (void)sqlite3_finalize(index->config);
    pbt_state_forget(index);
    free(index->stored);
    free(index->path);
    pbt_sql_close(&index->sql);
    free(index);
}

const char *pbt_index_library(void)
{
    return sqlite3_libversion();
}

const char *pbt_index_metric(const struct pbt_index *index, uint32_t position)
{
    return position < index->metrics.count ? index->metrics.names[position]
                                           : NULL;
}
