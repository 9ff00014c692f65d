/*
 * state.c: the fold (fold.h) in tables.
 *
 * What grows with the run (lives, checkpoints, exploits) is written by write.c as it happens; here
 * are the run and the trials, which are written as a whole, and what later records change of the others.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "index/fields.h"
#include "index/inside.h"
#include "index/state.h"

#define SQL_MAX ((size_t)1 << 20)

/* A member that is added gets a line; then the number below is the new size. */
#define BOARD(type, member, column)                                            \
    PBT_FIELD(type, struct pbt_board, member, column)
static const struct pbt_field board_fields[] = {
    BOARD(U64, records, "records"),
    BOARD(U64, results, "results"),
    BOARD(U64, checkpoints, "checkpoints"),
    BOARD(U64, perturbations, "exploits"),
    BOARD(U64, undone, "undone"),
    BOARD(U32, slots, "slots"),
    BOARD(U64, incarnations, "incarnations"),
    BOARD(U64, time, "time"),
    BOARD(I64, wall, "wall"),
    BOARD(I64, wall_base, "wall_base"),
    BOARD(ENUM, end, "end"),
    BOARD(BOOL, has_best, "has_best"),
    BOARD(U32, best_trial, "best_trial"),
    BOARD(REAL, best_score, "best_score"),
    BOARD(I64, best_iteration, "best_iteration"),
    BOARD(CELLS, best_cells, "best_config"),
    BOARD(REAL, first_score, "first_score"),
    BOARD(U32, last_exploited, "last_exploited"),
    BOARD(JSON, ignored, "ignored"),
    PBT_FIELDS_END};

#define TRIAL(type, member, column)                                            \
    PBT_FIELD(type, struct pbt_board_trial, member, column)
static const struct pbt_field trial_fields[] = {
    TRIAL(BOOL, created, "created"),
    TRIAL(BOOL, held, "held"),
    TRIAL(BOOL, end_asked, "end_asked"),
    TRIAL(ENUM, status, "status"),
    TRIAL(ENUM, leave, "leave"),
    TRIAL(U64, epoch, "epoch"),
    TRIAL(U32, parent.trial, "parent_trial"),
    TRIAL(U32, parent.number, "parent_number"),
    TRIAL(LINEAGE, lineage, "lineage"),
    TRIAL(CHARS, id, "id"),
    TRIAL(TEXT, tag, "tag"),
    TRIAL(CELLS, cells, "config"),
    TRIAL(I64, pid, "pid"),
    TRIAL(CHARS, host, "host"),
    TRIAL(I64, iteration, "iteration"),
    TRIAL(REAL, time_total, "time_total"),
    TRIAL(JSON, metrics, "metrics"),
    TRIAL(REAL, score, "score"),
    TRIAL(I64, life_iteration, "life_iteration"),
    TRIAL(REAL, life_time_total, "life_time_total"),
    TRIAL(REAL, life_seconds, "life_seconds"),
    TRIAL(U32, failures, "failures"),
    TRIAL(U32, replaced, "replaced"),
    TRIAL(U32, replaces.trial, "replaces_trial"),
    TRIAL(U32, replaces.number, "replaces_number"),
    TRIAL(U32, exploits, "exploits"),
    TRIAL(U32, undone, "undone"),
    TRIAL(U32, donor, "donor"),
    TRIAL(I64, donor_iteration, "donor_iteration"),
    TRIAL(CHARS, changes, "changes"),
    TRIAL(BOOL, last_undone, "last_undone"),
    TRIAL(BOOL, scored, "scored"),
    TRIAL(U32, checkpoints, "checkpoints"),
    TRIAL(TEXT, error, "error"),
    PBT_FIELDS_END};

#define FOLDED(type, member, column)                                           \
    PBT_FIELD(type, struct pbt_fold_trial, member, column)
static const struct pbt_field folded_fields[] = {
    FOLDED(CELLS, first, "first_config"), FOLDED(U64, results, "results"),
    FOLDED(U32, newest.trial, "newest_trial"),
    FOLDED(U32, newest.number, "newest_number"),
    /* pbt_fold_finish() finds them anew; for the views. */
    FOLDED(U32, present, "present"),
    FOLDED(I64, iteration, "present_iteration"), PBT_FIELDS_END};

#define LIFE(type, member, column)                                             \
    PBT_FIELD(type, struct pbt_fold_life, member, column)
const struct pbt_field pbt_state_life[] = {
    LIFE(U64, epoch, "epoch"),
    LIFE(I64, from, "from_iteration"),
    LIFE(I64, until, "until_iteration"),
    LIFE(U32, source.trial, "source_trial"),
    LIFE(U32, source.number, "source_number"),
    LIFE(U32, before, "before"),
    LIFE(U32, exploit, "exploit"),
    LIFE(LINEAGE, lineage, "lineage"),
    PBT_FIELDS_END};

#define CHECKPOINT(type, member, column)                                       \
    PBT_FIELD(type, struct pbt_fold_checkpoint, member, column)
const struct pbt_field pbt_state_checkpoint[] = {
    CHECKPOINT(U32, number, "number"),
    CHECKPOINT(U32, life, "life"),
    CHECKPOINT(U64, seq, "seq"),
    CHECKPOINT(I64, iteration, "iteration"),
    CHECKPOINT(REAL, time_total, "time_total"),
    CHECKPOINT(REAL, score, "score"),
    PBT_FIELDS_END};

#define EXPLOIT(type, member, column)                                          \
    PBT_FIELD(type, struct pbt_exploit_info, member, column)
const struct pbt_field pbt_state_exploit[] = {
    EXPLOIT(U32, trial, "trial"),
    EXPLOIT(U32, donor, "donor"),
    EXPLOIT(REAL, timestamp, "timestamp"),
    EXPLOIT(I64, iteration, "iteration"),
    EXPLOIT(REAL, score, "score"),
    EXPLOIT(I64, donor_iteration, "donor_iteration"),
    EXPLOIT(REAL, donor_score, "donor_score"),
    EXPLOIT(U32, checkpoint, "checkpoint"),
    EXPLOIT(U32, parent, "parent"),
    EXPLOIT(BOOL, undone, "undone"),
    EXPLOIT(U32, generation, "generation"),
    EXPLOIT(U32, config_from, "config_from"),
    PBT_FIELDS_END};

/* Has one of these structs grown?  Then its new member needs a line above. */
#define SIZE_IS(structure, size)                                               \
    _Static_assert(sizeof(void *) != 8 || sizeof(structure) == (size),         \
                   "a member was added to " #structure                         \
                   ": give it a line in state.c, and then its size here")
SIZE_IS(struct pbt_board, 176);
SIZE_IS(struct pbt_board_trial, 520);
SIZE_IS(struct pbt_fold_trial, 64);
SIZE_IS(struct pbt_fold_life, 48);
SIZE_IS(struct pbt_fold_checkpoint, 40);
SIZE_IS(struct pbt_exploit_info, 72);

/* --- tables --------------------------------------------------------------- */

void pbt_state_tables(struct pbt_buf *out)
{
    pbt_buf_text(out, "CREATE TABLE raw_columns (kind, position, name, flat);"
                      "CREATE TABLE raw_run (sum, record, segment, bytes, "
                      "lines, closing, name, metric, mode, population, seed, "
                      "started, ");
    pbt_fields_names(board_fields, "", "", out);
    pbt_buf_text(out, ");CREATE TABLE raw_trials (trial INTEGER PRIMARY KEY, ");
    pbt_fields_names(trial_fields, "", "", out);
    pbt_buf_text(out, ", ");
    pbt_fields_names(folded_fields, "fold_", "", out);
    pbt_buf_text(out, ");CREATE TABLE raw_lives (trial, life, ");
    pbt_fields_names(pbt_state_life, "", "", out);
    pbt_buf_text(out, ", generation, parent, config, "
                      "PRIMARY KEY (trial, life)) WITHOUT ROWID;"
                      "CREATE TABLE raw_checkpoints (trial, ");
    pbt_fields_names(pbt_state_checkpoint, "", "", out);
    pbt_buf_text(out, ", bytes, kept);"
                      "CREATE INDEX raw_checkpoints_by_number ON "
                      "raw_checkpoints (trial, number);"
                      "CREATE TABLE raw_exploits (exploit INTEGER PRIMARY "
                      "KEY, life, config, ");
    pbt_fields_names(pbt_state_exploit, "", "", out);
    pbt_buf_text(out, ");CREATE TABLE raw_failures (record INTEGER PRIMARY "
                      "KEY, trial, epoch, iteration, timestamp, error, "
                      "exit_code, signal, final);"
                      "CREATE TABLE raw_results (record INTEGER PRIMARY KEY, "
                      "trial, life, seq, iteration, time_total, "
                      "time_this_iter, timestamp, json);"
                      "CREATE INDEX raw_results_by_trial ON raw_results "
                      "(trial);");
}

/* --- storing -------------------------------------------------------------- */

/* "INSERT OR REPLACE INTO `table` (names) VALUES (?, ...)" */
sqlite3_stmt *pbt_state_insert(struct pbt_sql *sql, const char *table,
                               size_t values)
{
    struct pbt_buf text;
    sqlite3_stmt *statement = NULL;
    pbt_buf_init(&text, SQL_MAX);
    pbt_buf_printf(&text, "INSERT OR REPLACE INTO %s VALUES (", table);
    for (size_t i = 0; i < values; i++) {
        pbt_buf_text(&text, i > 0 ? ", ?" : "?");
    }
    pbt_buf_char(&text, ')');
    if (!pbt_buf_failed(&text)) {
        statement = pbt_sql_prepare(sql, text.data);
    } else {
        sql->code = SQLITE_NOMEM;
    }
    pbt_buf_done(&text);
    return statement;
}

static int bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    (void)sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
    return at + 1;
}

static int bind_u64(sqlite3_stmt *statement, int at, uint64_t number)
{
    (void)sqlite3_bind_int64(statement, at, (int64_t)number);
    return at + 1;
}

static bool store_run(struct pbt_index *index)
{
    struct pbt_sql *sql = &index->sql;
    const struct pbt_spec *spec = index->spec;
    const struct pbt_fold *fold = index->fold;
    char seed[24];
    (void)pbt_sql_run(sql, "DELETE FROM raw_run");
    sqlite3_stmt *statement =
        pbt_state_insert(sql, "raw_run", 12 + pbt_fields_count(board_fields));
    (void)snprintf(seed, sizeof seed, "%" PRIu64, spec->settings.seed);
    int at = bind_text(statement, 1, index->sum);
    at = bind_u64(statement, at, index->place.record);
    at = bind_u64(statement, at, index->place.segment);
    at = bind_u64(statement, at, index->place.bytes);
    at = bind_u64(statement, at, index->place.lines);
    at = bind_text(statement, at, index->place.sum);
    at = bind_text(statement, at, spec->name);
    at = bind_text(statement, at, spec->metric);
    at = bind_text(statement, at, spec->minimize ? "min" : "max");
    at = bind_u64(statement, at, spec->settings.population);
    at = bind_text(statement, at, seed);
    at = bind_u64(statement, at, (uint64_t)fold->started);
    (void)pbt_fields_bind(sql, statement, at, board_fields, &fold->board, spec,
                          fold->board.has_best);
    (void)pbt_sql_do(sql, statement);
    (void)sqlite3_finalize(statement);
    return sql->code == SQLITE_OK;
}

static bool store_trials(struct pbt_index *index)
{
    struct pbt_sql *sql = &index->sql;
    const struct pbt_fold *fold = index->fold;
    sqlite3_stmt *statement = pbt_state_insert(
        sql, "raw_trials",
        1 + pbt_fields_count(trial_fields) + pbt_fields_count(folded_fields));
    for (uint32_t i = 0;
         sql->code == SQLITE_OK && i < index->spec->settings.population; i++) {
        const struct pbt_board_trial *trial = &fold->board.trials[i];
        int at = bind_u64(statement, 1, i);
        at = pbt_fields_bind(sql, statement, at, trial_fields, trial,
                             index->spec, trial->created);
        (void)pbt_fields_bind(sql, statement, at, folded_fields,
                              &fold->trials[i], index->spec, trial->created);
        (void)pbt_sql_do(sql, statement);
    }
    (void)sqlite3_finalize(statement);
    return sql->code == SQLITE_OK;
}

/* True: the file has `count` lives of the trial from now on, and there is room for what it says. */
static bool note_lives(struct pbt_sql *sql, struct pbt_index_stored *stored,
                       uint32_t count)
{
    if (count <= stored->count) {
        return true;
    }
    int64_t *until = realloc(stored->until, count * sizeof *until);
    if (until == NULL) {
        sql->code = SQLITE_NOMEM;
        return false;
    }
    for (uint32_t i = stored->count; i < count; i++) {
        until[i] = INT64_MAX; /* as write.c writes it */
    }
    *stored = (struct pbt_index_stored){.until = until, .count = count};
    return true;
}

static bool store_lives(struct pbt_index *index)
{
    struct pbt_sql *sql = &index->sql;
    sqlite3_stmt *statement = pbt_sql_prepare(
        sql, "UPDATE raw_lives SET until_iteration = ? WHERE trial = ? AND "
             "life = ?");
    for (uint32_t i = 0;
         sql->code == SQLITE_OK && i < index->spec->settings.population; i++) {
        const struct pbt_fold_trial *trial = &index->fold->trials[i];
        struct pbt_index_stored *stored = &index->stored[i];
        bool fits = note_lives(sql, stored, trial->life_count);
        for (uint32_t k = 0; fits && k < trial->life_count; k++) {
            if (stored->until[k] == trial->lives[k].until) {
                continue;
            }
            stored->until[k] = trial->lives[k].until;
            (void)sqlite3_bind_int64(statement, 1, stored->until[k]);
            (void)sqlite3_bind_int64(statement, 2, i);
            (void)sqlite3_bind_int64(statement, 3, k);
            fits = pbt_sql_do(sql, statement);
        }
    }
    (void)sqlite3_finalize(statement);
    return sql->code == SQLITE_OK;
}

static bool note_exploits(struct pbt_index *index)
{
    uint32_t count = index->fold->exploit_count;
    if (count <= index->exploits) {
        return true;
    }
    bool *undone = realloc(index->exploits_undone, count * sizeof *undone);
    if (undone == NULL) {
        index->sql.code = SQLITE_NOMEM;
        return false;
    }
    for (uint32_t i = index->exploits; i < count; i++) {
        undone[i] = false; /* as write.c writes it */
    }
    index->exploits_undone = undone;
    index->exploits = count;
    return true;
}

static bool store_exploits(struct pbt_index *index)
{
    struct pbt_sql *sql = &index->sql;
    sqlite3_stmt *statement = pbt_sql_prepare(
        sql, "UPDATE raw_exploits SET undone = ? WHERE exploit = ?");
    bool fits = note_exploits(index);
    for (uint32_t i = 0; fits && i < index->exploits; i++) {
        bool undone = index->fold->exploits[i].undone;
        if (undone != index->exploits_undone[i]) {
            index->exploits_undone[i] = undone;
            (void)sqlite3_bind_int(statement, 1, undone);
            (void)sqlite3_bind_int64(statement, 2, i);
            fits = pbt_sql_do(sql, statement);
        }
    }
    (void)sqlite3_finalize(statement);
    return sql->code == SQLITE_OK;
}

bool pbt_state_store(struct pbt_index *index)
{
    pbt_fold_finish(index->fold);
    if ((index->metrics.changed || index->configs.changed) &&
        !pbt_index_make_views(index)) {
        return false;
    }
    return store_run(index) && store_trials(index) && store_lives(index) &&
           store_exploits(index);
}

/* --- loading -------------------------------------------------------------- */

bool pbt_state_place(struct pbt_index *index, struct pbt_journal_place *place,
                     bool *same)
{
    struct pbt_sql *sql = &index->sql;
    *place = (struct pbt_journal_place){.record = 0};
    *same = false;
    sqlite3_stmt *tables = pbt_sql_prepare(
        sql, "SELECT 1 FROM sqlite_schema WHERE name = 'raw_run'");
    bool there = pbt_sql_next(sql, tables);
    (void)sqlite3_finalize(tables);
    if (!there) {
        return sql->code == SQLITE_OK;
    }
    sqlite3_stmt *statement = pbt_sql_prepare(
        sql, "SELECT sum, record, segment, bytes, lines, closing FROM raw_run");
    if (pbt_sql_next(sql, statement)) {
        const char *sum = (const char *)sqlite3_column_text(statement, 0);
        const char *closing = (const char *)sqlite3_column_text(statement, 5);
        *same = sum != NULL && strcmp(sum, index->sum) == 0;
        place->record = (uint64_t)sqlite3_column_int64(statement, 1);
        place->segment = (uint64_t)sqlite3_column_int64(statement, 2);
        place->bytes = (uint64_t)sqlite3_column_int64(statement, 3);
        place->lines = (uint64_t)sqlite3_column_int64(statement, 4);
        (void)snprintf(place->sum, sizeof place->sum, "%s",
                       closing != NULL ? closing : "");
    }
    (void)sqlite3_finalize(statement);
    return sql->code == SQLITE_OK;
}

/* SELECT of fields in front of others. */
static sqlite3_stmt *select_fields(struct pbt_sql *sql, const char *first,
                                   const struct pbt_field *fields,
                                   const char *rest)
{
    struct pbt_buf text;
    sqlite3_stmt *statement = NULL;
    pbt_buf_init(&text, SQL_MAX);
    pbt_buf_printf(&text, "SELECT %s, ", first);
    pbt_fields_names(fields, "", "", &text);
    pbt_buf_text(&text, rest);
    if (!pbt_buf_failed(&text)) {
        statement = pbt_sql_prepare(sql, text.data);
    } else {
        sql->code = SQLITE_NOMEM;
    }
    pbt_buf_done(&text);
    return statement;
}

/* NULL, or a list of texts. */
static bool are_names(const json_t *names)
{
    size_t index;
    json_t *name;
    bool good = names == NULL || json_is_array(names);
    json_array_foreach(names, index, name)
    {
        good = good && json_is_string(name);
    }
    return good;
}

static bool load_run(struct pbt_index *index)
{
    struct pbt_sql *sql = &index->sql;
    struct pbt_fold *fold = index->fold;
    sqlite3_stmt *statement =
        select_fields(sql, "started", board_fields, " FROM raw_run");
    if (pbt_sql_next(sql, statement)) {
        fold->started = sqlite3_column_int64(statement, 0);
        (void)pbt_fields_load(sql, statement, 1, board_fields, &fold->board,
                              index->spec);
        uint32_t population = index->spec->settings.population;
        if (fold->board.best_trial >= population ||
            fold->board.last_exploited >= population ||
            !are_names(fold->board.ignored) ||
            (unsigned)fold->board.end > PBT_END_INTERRUPTED) {
            (void)pbt_sql_corrupt(sql, "raw_run makes no sense");
        }
    }
    (void)sqlite3_finalize(statement);
    return sql->code == SQLITE_OK;
}

static bool makes_sense(const struct pbt_board_trial *trial,
                        uint32_t population)
{
    return trial->status < PBT_TRIAL_STATUSES &&
           (unsigned)trial->leave <= PBT_LEAVE_ERROR &&
           trial->parent.trial < population && trial->donor < population;
}

static bool load_trials(struct pbt_index *index)
{
    struct pbt_sql *sql = &index->sql;
    struct pbt_fold *fold = index->fold;
    uint32_t population = index->spec->settings.population;
    uint32_t count = 0;
    struct pbt_buf rest;
    pbt_buf_init(&rest, SQL_MAX);
    pbt_buf_text(&rest, ", ");
    pbt_fields_names(folded_fields, "fold_", "", &rest);
    pbt_buf_text(&rest, " FROM raw_trials ORDER BY trial");
    sqlite3_stmt *statement =
        pbt_buf_failed(&rest)
            ? NULL
            : select_fields(sql, "trial", trial_fields, rest.data);
    while (statement != NULL && pbt_sql_next(sql, statement)) {
        if (count == population ||
            sqlite3_column_int64(statement, 0) != count) {
            (void)pbt_sql_corrupt(sql, "raw_trials makes no sense");
            continue;
        }
        struct pbt_board_trial *trial = &fold->board.trials[count];
        int at = pbt_fields_load(sql, statement, 1, trial_fields, trial,
                                 index->spec);
        (void)pbt_fields_load(sql, statement, at, folded_fields,
                              &fold->trials[count], index->spec);
        if (!makes_sense(trial, population)) {
            (void)pbt_sql_corrupt(sql, "a trial makes no sense");
        }
        count++;
    }
    (void)sqlite3_finalize(statement);
    pbt_buf_done(&rest);
    return sql->code == SQLITE_OK &&
           (count == population ||
            pbt_sql_corrupt(sql, "raw_trials lacks a trial"));
}

static bool load_life(struct pbt_index *index, sqlite3_stmt *statement)
{
    struct pbt_sql *sql = &index->sql;
    uint64_t number = (uint64_t)sqlite3_column_int64(statement, 0);
    if (number >= index->spec->settings.population) {
        return pbt_sql_corrupt(sql, "a life has no trial");
    }
    struct pbt_fold_trial *trial = &index->fold->trials[number];
    struct pbt_fold_life *lives =
        pbt_list_room(trial->lives, trial->life_count, sizeof *lives);
    if (lives == NULL) {
        sql->code = SQLITE_NOMEM;
        return false;
    }
    trial->lives = lives;
    struct pbt_fold_life *life = &lives[trial->life_count];
    (void)pbt_fields_load(sql, statement, 2, pbt_state_life, life, index->spec);
    if (sqlite3_column_int64(statement, 1) != trial->life_count ||
        (life->before != PBT_NONE && life->before >= trial->life_count) ||
        (life->exploit != PBT_NONE &&
         life->exploit >= index->fold->exploit_count) ||
        life->source.trial >= index->spec->settings.population) {
        return pbt_sql_corrupt(sql, "a life makes no sense");
    }
    trial->life_count++;
    bool fits = note_lives(sql, &index->stored[number], trial->life_count);
    if (fits) {
        index->stored[number].until[trial->life_count - 1] = life->until;
    }
    return fits;
}

static bool load_checkpoint(struct pbt_index *index, sqlite3_stmt *statement)
{
    struct pbt_sql *sql = &index->sql;
    uint64_t number = (uint64_t)sqlite3_column_int64(statement, 0);
    if (number >= index->spec->settings.population) {
        return pbt_sql_corrupt(sql, "a checkpoint has no trial");
    }
    struct pbt_fold_trial *trial = &index->fold->trials[number];
    struct pbt_fold_checkpoint *checkpoints = pbt_list_room(
        trial->checkpoints, trial->checkpoint_count, sizeof *checkpoints);
    if (checkpoints == NULL) {
        sql->code = SQLITE_NOMEM;
        return false;
    }
    trial->checkpoints = checkpoints;
    struct pbt_fold_checkpoint *saved = &checkpoints[trial->checkpoint_count];
    (void)pbt_fields_load(sql, statement, 1, pbt_state_checkpoint, saved,
                          index->spec);
    if (saved->life >= trial->life_count) {
        return pbt_sql_corrupt(sql, "a checkpoint has no life");
    }
    trial->checkpoint_count++;
    return true;
}

static bool exploit_makes_sense(const struct pbt_index *index,
                                const struct pbt_exploit_info *exploit,
                                uint32_t number)
{
    uint32_t population = index->spec->settings.population;
    return exploit->trial < population && exploit->donor < population &&
           (exploit->parent == PBT_NONE || exploit->parent < number);
}

static bool load_exploit(struct pbt_index *index, sqlite3_stmt *statement)
{
    struct pbt_sql *sql = &index->sql;
    struct pbt_fold *fold = index->fold;
    uint32_t number = fold->exploit_count;
    struct {
        struct pbt_cell *cells;
    } row;
    static const struct pbt_field config[] = {
        {"config", PBT_FIELD_CELLS, 0, sizeof row.cells}, PBT_FIELDS_END};
    if (!pbt_fold_grow_exploits(fold)) {
        sql->code = SQLITE_NOMEM;
        return false;
    }
    row.cells = fold->exploit_cells +
                (size_t)number * index->spec->settings.space.count;
    fold->exploit_lives[number] = (uint32_t)sqlite3_column_int64(statement, 1);
    (void)pbt_fields_load(sql, statement, 2, config, &row, index->spec);
    (void)pbt_fields_load(sql, statement, 3, pbt_state_exploit,
                          &fold->exploits[number], index->spec);
    if (sqlite3_column_int64(statement, 0) != number ||
        !exploit_makes_sense(index, &fold->exploits[number], number)) {
        return pbt_sql_corrupt(sql, "an exploit makes no sense");
    }
    fold->exploit_count++;
    return true;
}

/* Calls `load` on each row. */
static bool load_rows(struct pbt_index *index, sqlite3_stmt *statement,
                      bool (*load)(struct pbt_index *index,
                                   sqlite3_stmt *statement))
{
    bool good = true;
    while (good && pbt_sql_next(&index->sql, statement)) {
        good = load(index, statement);
    }
    (void)sqlite3_finalize(statement);
    return index->sql.code == SQLITE_OK;
}

/* What could only be looked at when all was there. */
static bool check_exploits(struct pbt_index *index)
{
    const struct pbt_fold *fold = index->fold;
    for (uint32_t i = 0; i < fold->exploit_count; i++) {
        uint32_t trial = fold->exploits[i].trial;
        if (fold->exploit_lives[i] >= fold->trials[trial].life_count) {
            return pbt_sql_corrupt(&index->sql, "an exploit has no life");
        }
    }
    return true;
}

void pbt_state_forget(struct pbt_index *index)
{
    for (uint32_t i = 0;
         index->stored != NULL && i < index->spec->settings.population; i++) {
        free(index->stored[i].until);
        index->stored[i] = (struct pbt_index_stored){.until = NULL};
    }
    free(index->exploits_undone);
    index->exploits_undone = NULL;
    index->exploits = 0;
    pbt_columns_done(&index->metrics);
    pbt_columns_done(&index->configs);
}

bool pbt_state_load(struct pbt_index *index)
{
    struct pbt_sql *sql = &index->sql;
    struct pbt_fold *fold = index->fold;
    struct pbt_error error;
    pbt_state_forget(index);
    pbt_fold_done(fold);
    if (pbt_fold_init(fold, index->spec, &error) != PBT_OK) {
        sql->code = SQLITE_NOMEM;
        return false;
    }
    if (index->place.segment == 0) {
        return true;
    }
    bool good =
        pbt_columns_load(sql, &index->metrics) &&
        pbt_columns_load(sql, &index->configs) && load_run(index) &&
        load_trials(index) &&
        load_rows(index,
                  select_fields(sql, "exploit, life, config", pbt_state_exploit,
                                " FROM raw_exploits ORDER BY exploit"),
                  load_exploit) &&
        load_rows(index,
                  select_fields(sql, "trial, life", pbt_state_life,
                                " FROM raw_lives ORDER BY trial, life"),
                  load_life) &&
        load_rows(index,
                  select_fields(sql, "trial", pbt_state_checkpoint,
                                " FROM raw_checkpoints WHERE kept ORDER BY "
                                "rowid"),
                  load_checkpoint) &&
        check_exploits(index) && note_exploits(index);
    for (uint32_t i = 0; good && i < index->exploits; i++) {
        index->exploits_undone[i] = fold->exploits[i].undone;
    }
    if (good) {
        pbt_fold_finish(fold);
    }
    return good;
}
