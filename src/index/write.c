/*
 * write.c: a record to rows, as it happens; what it does to earlier rows comes with the state.
 */
#include <stdlib.h>
#include <string.h>

#include "index/fields.h"
#include "index/inside.h"
#include "index/state.h"

#define JSON_MAX_BYTES ((size_t)64 << 20)
#define RESULT_COLUMNS 9
#define LIFE_COLUMNS 5

void pbt_index_writer_done(struct pbt_index_writer *writer)
{
    (void)sqlite3_finalize(writer->result);
    (void)sqlite3_finalize(writer->life);
    (void)sqlite3_finalize(writer->checkpoint);
    (void)sqlite3_finalize(writer->gone);
    (void)sqlite3_finalize(writer->exploit);
    (void)sqlite3_finalize(writer->failure);
    pbt_columns_row_done(&writer->row);
    *writer = (struct pbt_index_writer){.result = NULL};
}

static bool no_memory(struct pbt_sql *sql)
{
    sql->code = SQLITE_NOMEM;
    return false;
}

/* `*statement`, made for a table of so many columns. */
static bool ready(struct pbt_sql *sql, sqlite3_stmt **statement,
                  const char *table, size_t columns)
{
    if (*statement == NULL) {
        *statement = pbt_state_insert(sql, table, columns);
    }
    return *statement != NULL;
}

static int bind_i64(sqlite3_stmt *statement, int at, int64_t number)
{
    (void)sqlite3_bind_int64(statement, at, number);
    return at + 1;
}

/* --- results -------------------------------------------------------------- */

static bool write_result(struct pbt_index *index, const struct pbt_entry *entry)
{
    struct pbt_sql *sql = &index->sql;
    struct pbt_index_writer *writer = &index->writer;
    const struct pbt_record *record = &entry->record;
    const json_t *metrics = json_object_get(entry->data_json, "metrics");
    uint32_t lives = index->fold->trials[record->trial].life_count;
    if (!pbt_columns_split(sql, &index->metrics, metrics, &writer->row)) {
        return false;
    }
    if (writer->result_columns != index->metrics.count) {
        (void)sqlite3_finalize(writer->result);
        writer->result = NULL;
        writer->result_columns = index->metrics.count;
    }
    if (!ready(sql, &writer->result, "raw_results",
               RESULT_COLUMNS + writer->result_columns)) {
        return false;
    }
    sqlite3_stmt *statement = writer->result;
    (void)sqlite3_clear_bindings(statement);
    int at = bind_i64(statement, 1, (int64_t)record->number);
    at = bind_i64(statement, at, record->trial);
    at = bind_i64(statement, at, (int64_t)lives - 1);
    at = bind_i64(statement, at, (int64_t)record->seq);
    at = bind_i64(statement, at, record->iteration);
    (void)sqlite3_bind_double(statement, at++, record->time_total);
    (void)sqlite3_bind_double(statement, at++,
                              json_number_value(json_object_get(
                                  entry->data_json, "time_this_iter_s")));
    (void)sqlite3_bind_double(statement, at++,
                              (double)index->fold->board.wall / 1e9);
    if (writer->row.rest != NULL) {
        char *rest = json_dumps(writer->row.rest, JSON_COMPACT);
        if (rest == NULL) {
            return no_memory(sql);
        }
        (void)sqlite3_bind_text(statement, at, rest, -1, free);
    }
    pbt_columns_bind(statement, at + 1, &writer->row);
    return pbt_sql_do(sql, statement);
}

/* --- lives and exploits --------------------------------------------------- */

/* The trial's newest, with the configuration that the board has now. */
static bool write_life(struct pbt_index *index, uint32_t number,
                       const char *config, size_t length)
{
    struct pbt_sql *sql = &index->sql;
    struct pbt_index_writer *writer = &index->writer;
    const struct pbt_fold *fold = index->fold;
    uint32_t last = fold->trials[number].life_count - 1;
    struct pbt_fold_life life = fold->trials[number].lives[last];
    char parent[PBT_BOARD_PARENT_SIZE];
    json_t *object = json_loadb(config, length, 0, NULL);
    if (object == NULL) {
        return no_memory(sql);
    }
    bool split = pbt_columns_split(sql, &index->configs, object, &writer->row);
    if (writer->life_columns != index->configs.count) {
        (void)sqlite3_finalize(writer->life);
        writer->life = NULL;
        writer->life_columns = index->configs.count;
    }
    size_t fields = pbt_fields_count(pbt_state_life);
    if (split && ready(sql, &writer->life, "raw_lives",
                       LIFE_COLUMNS + fields + writer->life_columns)) {
        sqlite3_stmt *statement = writer->life;
        life.until = INT64_MAX; /* state.c says it when it is known */
        pbt_board_parent(&fold->board, life.source, parent);
        (void)sqlite3_clear_bindings(statement);
        int at = bind_i64(statement, 1, number);
        at = bind_i64(statement, at, last);
        at = pbt_fields_bind(sql, statement, at, pbt_state_life, &life,
                             index->spec, true);
        at = bind_i64(statement, at, pbt_fold_generation(fold, life.exploit));
        (void)sqlite3_bind_text(statement, at++,
                                parent[0] == '\0' ? NULL : parent, -1,
                                SQLITE_TRANSIENT);
        (void)sqlite3_bind_text(statement, at++, config, (int)length,
                                SQLITE_TRANSIENT);
        pbt_columns_bind(statement, at, &writer->row);
        (void)pbt_sql_do(sql, statement);
    }
    json_decref(object);
    return sql->code == SQLITE_OK;
}

static bool write_exploit(struct pbt_index *index, const char *config,
                          size_t length)
{
    struct pbt_sql *sql = &index->sql;
    const struct pbt_fold *fold = index->fold;
    uint32_t last = fold->exploit_count - 1;
    sqlite3_stmt **statement = &index->writer.exploit;
    struct pbt_exploit_info exploit = fold->exploits[last];
    if (!ready(sql, statement, "raw_exploits",
               3 + pbt_fields_count(pbt_state_exploit))) {
        return false;
    }
    exploit.undone = false; /* state.c says it when it is known */
    int at = bind_i64(*statement, 1, last);
    at = bind_i64(*statement, at, fold->exploit_lives[last]);
    (void)sqlite3_bind_text(*statement, at++, config, (int)length,
                            SQLITE_TRANSIENT);
    (void)pbt_fields_bind(sql, *statement, at, pbt_state_exploit, &exploit,
                          index->spec, true);
    return pbt_sql_do(sql, *statement);
}

/* A life has begun, perhaps by an exploit. */
static bool write_begin(struct pbt_index *index, uint32_t trial, bool exploit)
{
    struct pbt_buf config;
    pbt_buf_init(&config, JSON_MAX_BYTES);
    pbt_spec_config_json(index->spec, index->fold->board.trials[trial].cells,
                         &config);
    bool good = pbt_buf_failed(&config)
                    ? no_memory(&index->sql)
                    : write_life(index, trial, config.data, config.length) &&
                          (!exploit ||
                           write_exploit(index, config.data, config.length));
    pbt_buf_done(&config);
    return good;
}

/* --- checkpoints and failures --------------------------------------------- */

static bool write_saved(struct pbt_index *index,
                        const struct pbt_record *record)
{
    struct pbt_sql *sql = &index->sql;
    const struct pbt_fold_trial *trial = &index->fold->trials[record->trial];
    sqlite3_stmt **statement = &index->writer.checkpoint;
    if (!ready(sql, statement, "raw_checkpoints",
               3 + pbt_fields_count(pbt_state_checkpoint))) {
        return false;
    }
    int at = bind_i64(*statement, 1, record->trial);
    at = pbt_fields_bind(sql, *statement, at, pbt_state_checkpoint,
                         &trial->checkpoints[trial->checkpoint_count - 1],
                         index->spec, true);
    at = bind_i64(*statement, at, (int64_t)record->bytes);
    (void)bind_i64(*statement, at, 1);
    return pbt_sql_do(sql, *statement);
}

static bool write_gone(struct pbt_index *index, struct pbt_checkpoint_id id)
{
    struct pbt_sql *sql = &index->sql;
    sqlite3_stmt **statement = &index->writer.gone;
    if (*statement == NULL) {
        *statement = pbt_sql_prepare(
            sql,
            "UPDATE raw_checkpoints SET kept = 0 WHERE trial = ? AND number = "
            "?");
    }
    if (*statement == NULL) {
        return false;
    }
    (void)bind_i64(*statement, bind_i64(*statement, 1, id.trial), id.number);
    return pbt_sql_do(sql, *statement);
}

static bool write_failure(struct pbt_index *index,
                          const struct pbt_entry *entry)
{
    struct pbt_sql *sql = &index->sql;
    const struct pbt_record *record = &entry->record;
    const json_t *code = json_object_get(entry->data_json, "exit_code");
    const json_t *signal = json_object_get(entry->data_json, "signal");
    const char *text =
        json_string_value(json_object_get(entry->data_json, "text"));
    sqlite3_stmt **statement = &index->writer.failure;
    if (!ready(sql, statement, "raw_failures", 9)) {
        return false;
    }
    (void)sqlite3_clear_bindings(*statement);
    int at = bind_i64(*statement, 1, (int64_t)record->number);
    at = bind_i64(*statement, at, record->trial);
    at = bind_i64(*statement, at, (int64_t)record->epoch);
    at = bind_i64(*statement, at, record->iteration);
    (void)sqlite3_bind_double(*statement, at++,
                              (double)index->fold->board.wall / 1e9);
    (void)sqlite3_bind_text(*statement, at++, text, -1, SQLITE_TRANSIENT);
    if (json_is_integer(code)) {
        (void)bind_i64(*statement, at, json_integer_value(code));
    }
    if (json_is_integer(signal)) {
        (void)bind_i64(*statement, at + 1, json_integer_value(signal));
    }
    (void)bind_i64(*statement, at + 2, record->leave == PBT_LEAVE_ERROR);
    return pbt_sql_do(sql, *statement);
}

/* --- records -------------------------------------------------------------- */

bool pbt_index_write(struct pbt_index *index, const struct pbt_entry *entry,
                     struct pbt_error *error)
{
    struct pbt_fold *fold = index->fold;
    const struct pbt_record *record = &entry->record;
    const struct pbt_fold_trial *trial = &fold->trials[record->trial];
    uint32_t lives = trial->life_count;
    uint32_t checkpoints = trial->checkpoint_count;
    uint32_t exploits = fold->exploit_count;
    index->status = pbt_fold_feed(fold, entry, error);
    if (index->status != PBT_OK) {
        return false;
    }
    if (record->kind == PBT_RECORD_RESULT) {
        return write_result(index, entry);
    }
    if (record->kind == PBT_RECORD_DELETE || record->kind == PBT_RECORD_BAD) {
        return write_gone(index, record->checkpoint);
    }
    if (record->kind == PBT_RECORD_EXITED &&
        (record->leave == PBT_LEAVE_RETRY ||
         record->leave == PBT_LEAVE_ERROR)) {
        return write_failure(index, entry);
    }
    if (trial->checkpoint_count > checkpoints) {
        return write_saved(index, record);
    }
    return trial->life_count == lives ||
           write_begin(index, record->trial, fold->exploit_count > exploits);
}
