/*
 * pbt export: the table of results, as CSV, JSON or an SQLite file.
 *
 * The three have the same columns: those of the view `results` (docs/files.md, "experiment.db").
 */
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digits.h"
#include "cli/results.h"
#include "index/index.h"
#include "log/csv.h"
#include "log/python.h"

#define TEXT_MAX ((size_t)64 << 20)
/* Written out when there is so much, and after so many records. */
#define PIECE ((size_t)1 << 20)
#define RECORDS 20000

enum format { CSV, JSON, SQLITE };

const char *const pbt_cli_export_formats[] = {
    [CSV] = "csv", [JSON] = "json", [SQLITE] = "sqlite", NULL};

/* What all results of a trial's life have in common, as text. */
struct life_text {
    uint32_t life;         /* PBT_NONE: not yet */
    struct pbt_buf config; /* and the epoch */
    struct pbt_buf descent;
};

struct export
{
    struct pbt_results *results;
    enum format format;
    enum pbt_row_filter filter;
    const struct pbt_trial_info *trial; /* NULL: all */
    const char *path;                   /* NULL: stdout */
    char temporary[PATH_MAX];
    FILE *file;
    struct pbt_buf out;
    uint32_t metrics;
    struct pbt_buf names; /* of the metrics, as they stand in a row of JSON */
    size_t *name_ends;
    struct life_text *lives; /* of each trial: of the life at hand */
    struct pbt_cell *cells;
    struct pbt_buf field;
    uint64_t rows;
    bool failed; /* to write: errno */
    struct pbt_error error;
};

/* --- writing ---------------------------------------------------------------- */

static bool write_out(struct export *export)
{
    if (pbt_buf_failed(&export->out)) {
        return false;
    }
    if (export->path == NULL) {
        pbt_cli_put(&export->out, false);
        export->failed = ferror(stdout) != 0;
    } else if (fwrite(export->out.data, 1, export->out.length, export->file) !=
               export->out.length) {
        export->failed = true;
    }
    pbt_buf_reset(&export->out);
    return !export->failed;
}

/* --- what rows of a life share ------------------------------------------------ */

static void put_csv(struct export *export, struct pbt_buf *out,
                    const char *text)
{
    (void)export;
    pbt_buf_char(out, ',');
    pbt_csv_put(out, text, strlen(text));
}

static void put_config(struct export *export, struct pbt_buf *out)
{
    const struct pbt_spec *spec = &export->results->spec;
    const struct pbt_space *space = &spec->settings.space;
    struct pbt_buf *field = &export->field;
    for (uint32_t i = 0; i < space->count; i++) {
        pbt_buf_reset(field);
        if (export->format == CSV) {
            pbt_shape_cell_repr(spec, export->cells[i], false, field);
            pbt_buf_char(out, ',');
            pbt_csv_put(out, field->data, field->length);
        } else {
            pbt_buf_printf(field, "config/%s", space->params[i].name);
            pbt_buf_char(out, ',');
            pbt_buf_json_string(out, field->data, field->length);
            pbt_buf_char(out, ':');
            pbt_spec_cell_json(spec, export->cells[i], out);
        }
    }
}

static void put_descent(const struct export *export, struct pbt_buf *out,
                        const struct pbt_row *row)
{
    const char *parent =
        row->from_trial == PBT_NONE
            ? ""
            : pbt_results_trial(export->results, row->from_trial)->id;
    if (export->format == CSV) {
        pbt_buf_printf(out, ",%" PRIu64 ",%" PRIu32 ",%s,%s,", row->lineage,
                       row->generation, row->from, parent);
        if (row->from_trial != PBT_NONE) {
            pbt_buf_i64(out, row->from_iteration);
        }
        return;
    }
    pbt_buf_printf(
        out, ",\"pbt_lineage\":\"%" PRIu64 "\",\"pbt_generation\":%" PRIu32,
        row->lineage, row->generation);
    if (row->from[0] != '\0') {
        pbt_buf_printf(out, ",\"pbt_parent\":\"%s\"", row->from);
    } else {
        pbt_buf_text(out, ",\"pbt_parent\":null");
    }
    if (row->from_trial != PBT_NONE) {
        pbt_buf_printf(out,
                       ",\"pbt_parent_trial\":\"%s\",\"pbt_parent_iteration\":"
                       "%" PRId64,
                       parent, row->from_iteration);
    } else {
        pbt_buf_text(
            out, ",\"pbt_parent_trial\":null,\"pbt_parent_iteration\":null");
    }
}

/* NULL: it failed. */
static const struct life_text *life_of(struct export *export,
                                       const struct pbt_row *row)
{
    struct life_text *text = &export->lives[row->trial];
    struct pbt_results *results = export->results;
    struct pbt_buf *field = &export->field;
    if (text->life == row->data->life) {
        return text;
    }
    pbt_buf_reset(field);
    if (pbt_index_config(results->index, row->trial, row->data->life, field,
                         &export->error) != PBT_OK ||
        pbt_spec_config_read(&results->spec, field->data, field->length,
                             export->cells, &export->error) != PBT_OK) {
        return NULL;
    }
    pbt_buf_reset(&text->config);
    pbt_buf_reset(&text->descent);
    put_config(export, &text->config);
    pbt_buf_printf(&text->config,
                   export->format == CSV ? ",%" PRIu64 ","
                                         : ",\"pbt_epoch\":%" PRIu64
                                           ",\"pbt_seq\":",
                   row->epoch);
    put_descent(export, &text->descent, row);
    text->life = row->data->life;
    if (pbt_buf_failed(&text->config) || pbt_buf_failed(&text->descent) ||
        pbt_buf_failed(field)) {
        (void)pbt_error_set(&export->error, PBT_ENOMEM, "out of memory");
        return NULL;
    }
    return text;
}

/* --- a row -------------------------------------------------------------------- */

static void put_repr(struct pbt_buf *out, double value)
{
    char text[PBT_REPR_SIZE];
    pbt_buf_put(out, text, pbt_real_repr(value, text));
}

/* As progress.csv has it. */
static void put_field(struct pbt_buf *out, const json_t *json)
{
    double number;
    if (json_is_boolean(json)) {
        pbt_buf_text(out, json_is_true(json) ? "True" : "False");
    } else if (json_is_integer(json)) {
        pbt_buf_i64(out, json_integer_value(json));
    } else if (pbt_json_number(json, &number)) {
        put_repr(out, number);
    } else if (json_is_string(json)) {
        pbt_csv_put(out, json_string_value(json), json_string_length(json));
    } else if (!json_is_null(json)) {
        char *text = json_dumps(json, JSON_COMPACT);
        out->failed = out->failed || text == NULL;
        pbt_csv_put(out, text != NULL ? text : "",
                    text != NULL ? strlen(text) : 0);
        free(text);
    }
}

static void put_json(struct pbt_buf *out, const json_t *json)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    out->failed = out->failed || text == NULL;
    pbt_buf_text(out, text != NULL ? text : "");
    free(text);
}

static void put_metrics(struct export *export, const struct pbt_row *row)
{
    struct pbt_buf *out = &export->out;
    bool csv = export->format == CSV;
    for (uint32_t i = 0; i < export->metrics; i++) {
        struct pbt_index_value value = pbt_index_value(row->data->values, i);
        size_t begin = i == 0 ? 0 : export->name_ends[i - 1];
        if (csv) {
            pbt_buf_char(out, ',');
        } else if (value.type != PBT_INDEX_NONE) {
            pbt_buf_put(out, export->names.data + begin,
                        export->name_ends[i] - begin);
        }
        switch (value.type) {
        case PBT_INDEX_NONE:
            break;
        case PBT_INDEX_INTEGER:
            pbt_buf_i64(out, value.integer);
            break;
        case PBT_INDEX_REAL:
            (csv ? put_repr : pbt_buf_real)(out, value.real);
            break;
        case PBT_INDEX_TEXT:
            (csv ? pbt_csv_put : pbt_buf_json_string)(out, value.text,
                                                      value.length);
            break;
        case PBT_INDEX_JSON:
            (csv ? put_field : put_json)(out, value.json);
            break;
        }
    }
}

static void put_row(struct export *export, const struct pbt_row *row,
                    const struct life_text *life)
{
    struct pbt_buf *out = &export->out;
    const char *id = pbt_results_trial(export->results, row->trial)->id;
    bool csv = export->format == CSV;
    void (*put_real)(struct pbt_buf *, double) = csv ? put_repr : pbt_buf_real;
    if (!csv) {
        pbt_buf_text(out, export->rows > 0 ? ",\n{\"trial_id\":\""
                                           : "\n{\"trial_id\":\"");
    }
    pbt_buf_text(out, id);
    pbt_buf_text(out, csv ? "," : "\",\"training_iteration\":");
    pbt_buf_i64(out, row->iteration);
    pbt_buf_text(out, csv ? "," : ",\"time_total_s\":");
    put_real(out, row->time_total_s);
    pbt_buf_text(out, csv ? "," : ",\"time_this_iter_s\":");
    put_real(out, row->time_this_iter_s);
    pbt_buf_text(out, csv ? "," : ",\"timestamp\":");
    put_real(out, row->timestamp);
    put_metrics(export, row);
    pbt_buf_put(out, life->config.data, life->config.length);
    pbt_buf_u64(out, row->seq);
    pbt_buf_put(out, life->descent.data, life->descent.length);
    pbt_buf_text(out, csv ? "," : ",\"pbt_undone\":");
    pbt_buf_text(out, csv           ? row->undone ? "1" : "0"
                      : row->undone ? "true"
                                    : "false");
    pbt_buf_text(out, csv ? "," : ",\"pbt_record\":");
    pbt_buf_u64(out, row->data->record);
    pbt_buf_text(out, csv ? "\r\n" : "}");
    export->rows++;
}

static int take_row(void *user, const struct pbt_row *row)
{
    struct export *export = user;
    const struct life_text *life = life_of(export, row);
    if (life == NULL) {
        return export->error.status;
    }
    put_row(export, row, life);
    return 0;
}

/* Some at a time: while who reads us takes its time, the index is free for others. */
static int put_rows(struct export *export)
{
    struct pbt_index_query query = {
        .trial = export->trial == NULL ? PBT_NONE : export->trial->number};
    uint64_t records = pbt_results_run(export->results)->records;
    int status = PBT_OK;
    while (status == PBT_OK && query.after < records) {
        query.until = query.after + RECORDS;
        status = pbt_results_rows_of(export->results, &query, export->filter,
                                     take_row, export, &export->error);
        if (status == PBT_OK && !write_out(export)) {
            status = PBT_EIO;
        }
        query.after = query.until;
    }
    return status;
}

/* --- the forms ---------------------------------------------------------------- */

static int export_csv(struct export *export)
{
    const struct pbt_space *space = &export->results->spec.settings.space;
    struct pbt_buf *out = &export->out;
    struct pbt_buf *field = &export->field;
    pbt_buf_text(out, "trial_id,training_iteration,time_total_s,"
                      "time_this_iter_s,timestamp");
    for (uint32_t i = 0; i < export->metrics; i++) {
        put_csv(export, out, pbt_index_metric(export->results->index, i));
    }
    for (uint32_t i = 0; i < space->count; i++) {
        pbt_buf_reset(field);
        pbt_buf_printf(field, "config/%s", space->params[i].name);
        put_csv(export, out, field->data);
    }
    pbt_buf_text(out, ",pbt_epoch,pbt_seq,pbt_lineage,pbt_generation,"
                      "pbt_parent,pbt_parent_trial,pbt_parent_iteration,"
                      "pbt_undone,pbt_record\r\n");
    return put_rows(export);
}

static void put_trial(struct export *export, const struct pbt_trial_info *trial)
{
    struct pbt_buf *out = &export->out;
    size_t count;
    const struct pbt_checkpoint_info *list =
        pbt_results_checkpoints(export->results, trial->number, &count);
    const json_t *metrics =
        pbt_results_board(export->results)->trials[trial->number].metrics;
    pbt_buf_text(out, "\n");
    pbt_cli_json_trial(out, export->results, trial);
    if (pbt_buf_failed(out)) {
        return;
    }
    out->length--; /* its bracket: there is more */
    pbt_buf_text(out, ",\"metrics\":");
    if (metrics == NULL) {
        pbt_buf_text(out, "null");
    } else {
        put_json(out, metrics);
    }
    pbt_buf_text(out, ",\"checkpoints\":[");
    for (size_t i = 0; i < count; i++) {
        pbt_buf_text(out, i > 0 ? "," : "");
        pbt_cli_json_checkpoint(out, export->results, &list[i]);
    }
    pbt_buf_text(out, "]}");
}

static int put_exploits(struct export *export)
{
    size_t count;
    struct pbt_buf *out = &export->out;
    (void)pbt_results_exploits(export->results, &count);
    for (uint32_t i = 0; i < count; i++) {
        pbt_buf_text(out, i > 0 ? ",\n" : "\n");
        int status =
            pbt_cli_json_exploit(out, export->results, i, &export->error);
        if (status != PBT_OK) {
            return status;
        }
        if (out->length > PIECE && !write_out(export)) {
            return PBT_EIO;
        }
    }
    return PBT_OK;
}

static int export_json(struct export *export)
{
    struct pbt_buf *out = &export->out;
    uint32_t trials = pbt_results_run(export->results)->trials;
    pbt_buf_text(out, "{\"version\":1,\"run\":");
    pbt_cli_json_run(out, export->results);
    pbt_buf_text(out, ",\n\"trials\":[");
    for (uint32_t i = 0; export->trial == NULL && i < trials; i++) {
        pbt_buf_text(out, i > 0 ? "," : "");
        put_trial(export, pbt_results_trial(export->results, i));
    }
    if (export->trial != NULL) {
        put_trial(export, export->trial);
    }
    pbt_buf_text(out, "],\n\"exploits\":[");
    int status = put_exploits(export);
    pbt_buf_text(out, "],\n\"results\":[");
    status = status == PBT_OK ? put_rows(export) : status;
    pbt_buf_text(out, "]}\n");
    return status;
}

/* ,"name": of each metric */
static bool name_metrics(struct export *export)
{
    const char *name;
    while (pbt_index_metric(export->results->index, export->metrics) != NULL) {
        export->metrics++;
    }
    export->name_ends =
        calloc((size_t) export->metrics + 1, sizeof *export->name_ends);
    for (uint32_t i = 0; export->name_ends != NULL && i < export->metrics;
         i++) {
        name = pbt_index_metric(export->results->index, i);
        pbt_buf_char(&export->names, ',');
        pbt_buf_json_string(&export->names, name, strlen(name));
        pbt_buf_char(&export->names, ':');
        export->name_ends[i] = export->names.length;
    }
    return export->name_ends != NULL && !pbt_buf_failed(&export->names);
}

static bool prepare(struct export *export)
{
    uint32_t trials = pbt_results_run(export->results)->trials;
    size_t cells = export->results->spec.settings.space.count;
    pbt_buf_init(&export->out, PBT_CLI_OUTPUT_MAX);
    pbt_buf_init(&export->names, TEXT_MAX);
    pbt_buf_init(&export->field, TEXT_MAX);
    export->lives = calloc((size_t)trials + 1, sizeof *export->lives);
    export->cells = calloc(cells + 1, sizeof *export->cells);
    if (export->lives == NULL || export->cells == NULL) {
        return false;
    }
    for (uint32_t i = 0; i < trials; i++) {
        export->lives[i].life = PBT_NONE;
        pbt_buf_init(&export->lives[i].config, TEXT_MAX);
        pbt_buf_init(&export->lives[i].descent, TEXT_MAX);
    }
    return name_metrics(export);
}

static void release(struct export *export)
{
    uint32_t trials = pbt_results_run(export->results)->trials;
    for (uint32_t i = 0; export->lives != NULL && i < trials; i++) {
        pbt_buf_done(&export->lives[i].config);
        pbt_buf_done(&export->lives[i].descent);
    }
    free(export->lives);
    free(export->cells);
    free(export->name_ends);
    pbt_buf_done(&export->out);
    pbt_buf_done(&export->names);
    pbt_buf_done(&export->field);
}

static int write_table(struct export *export)
{
    int status = !prepare(export) ? pbt_error_set(&export->error, PBT_ENOMEM,
                                                  "out of memory")
                 : export->format == CSV ? export_csv(export)
                                         : export_json(export);
    if (status == PBT_OK && !export->failed && !write_out(export) &&
        !export->failed) {
        status = pbt_error_set(&export->error, PBT_ENOMEM, "out of memory");
    }
    release(export);
    return status;
}

/* --- the file ----------------------------------------------------------------- */

static int cant_write(struct export *export, int cause)
{
    (void)unlink(export->temporary);
    return pbt_fail(&export->error, PBT_E0868, "can't write %s: %s",
                    export->path, strerror(cause));
}

/* Under a temporary name first: what is there under its own name is whole. */
static int write_file(struct export *export)
{
    int length = snprintf(export->temporary, sizeof export->temporary,
                          "%s.%ld.tmp", export->path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof export->temporary) {
        return pbt_fail(&export->error, PBT_E0707, "the path %s is too long",
                        export->path);
    }
    int status;
    if (export->format == SQLITE) {
        status = pbt_index_copy(export->results->index, export->temporary,
                                &export->error);
    } else {
        export->file = fopen(export->temporary, "we");
        if (export->file == NULL) {
            return cant_write(export, errno);
        }
        status = write_table(export);
        int cause = export->failed ? errno : 0;
        if (fclose(export->file) != 0 && cause == 0) {
            cause = errno;
        }
        if (cause != 0) {
            return cant_write(export, cause);
        }
    }
    if (status != PBT_OK) {
        (void)unlink(export->temporary);
        return status;
    }
    return rename(export->temporary, export->path) == 0
               ? PBT_OK
               : cant_write(export, errno);
}

/* --- the verb ------------------------------------------------------------------ */

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t more = strlen(end);
    return length > more && strcmp(text + length - more, end) == 0;
}

/* What --format says, else what the file's name does. */
static enum format format_of(const struct pbt_cli_call *call, const char *path)
{
    const char *word = pbt_cli_value(call, "format");
    for (unsigned i = 0; word != NULL && pbt_cli_export_formats[i] != NULL;
         i++) {
        if (strcmp(word, pbt_cli_export_formats[i]) == 0) {
            return i;
        }
    }
    if (pbt_cli_given(call, "json") ||
        (path != NULL && ends_with(path, ".json"))) {
        return JSON;
    }
    return path != NULL &&
                   (ends_with(path, ".db") || ends_with(path, ".sqlite"))
               ? SQLITE
               : CSV;
}

static int check(const struct pbt_cli_call *call, const struct export *export)
{
    if (export->format != SQLITE) {
        return PBT_OK;
    }
    if (export->path == NULL) {
        return pbt_cli_usage(PBT_E0869, "export", NULL, "-o FILE",
                             "a database needs a file of its own");
    }
    if (call->count > 1 || pbt_cli_given(call, "all")) {
        return pbt_cli_usage(PBT_E0869, "export",
                             call->count > 1 ? call->args[1] : NULL, NULL,
                             "a database is of the whole run, undone results "
                             "and all");
    }
    return PBT_OK;
}

int pbt_cli_export(const struct pbt_cli_call *call)
{
    char dir[PATH_MAX];
    const char *path = pbt_cli_value(call, "output");
    path = path != NULL && strcmp(path, "-") == 0 ? NULL : path;
    struct export export = {
        .format = format_of(call, path),
        .path = path,
        .filter = pbt_cli_given(call, "all") ? PBT_ROWS_ALL : PBT_ROWS_COUNTING,
        .error = {.status = PBT_OK}};
    int status = check(call, &export);
    if (status == PBT_OK) {
        status = pbt_cli_open_results(call, dir, &export.results);
    }
    if (status != PBT_OK) {
        return status;
    }
    if (call->count > 1) {
        status = pbt_cli_pick_trial(call, export.results, &export.trial);
    }
    if (status == PBT_OK) {
        status = path != NULL ? write_file(&export) : write_table(&export);
        /* A failure to write to stdout is main()'s to say. */
        if (status != PBT_OK && !(path == NULL && export.failed)) {
            status = pbt_cli_fail(&export.error);
        }
    }
    pbt_results_close(export.results);
    return status;
}
