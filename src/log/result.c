#include "log/result.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"

#define DEPTH_MAX 32

/* Fields that are filled here: a metric of that name is left out. */
static const char *const reserved[] = {
    "done",
    "training_iteration",
    "time_this_iter_s",
    "time_total_s",
    "trial_id",
    "date",
    "timestamp",
    "pid",
    "hostname",
    "node_ip",
    "config",
    "time_since_restore",
    "iterations_since_restore",
    "experiment_tag",
    "pbt_epoch",
    "pbt_seq",
    "pbt_lineage",
    "pbt_parent",
};

void pbt_result_writer_init(struct pbt_result_writer *writer)
{
    memset(writer, 0, sizeof *writer);
    pbt_buf_init(&writer->row.text, PBT_LOG_PENDING_MAX);
    pbt_buf_init(&writer->path, PBT_LOG_PENDING_MAX);
    writer->second = (time_t)-1;
}

void pbt_result_writer_done(struct pbt_result_writer *writer)
{
    pbt_buf_done(&writer->row.text);
    pbt_buf_done(&writer->path);
}

void pbt_result_life_init(struct pbt_result_life *life)
{
    memset(life, 0, sizeof *life);
    pbt_buf_init(&life->tag, PBT_LOG_PENDING_MAX);
    pbt_buf_init(&life->worker, PBT_LOG_PENDING_MAX);
}

void pbt_result_life_done(struct pbt_result_life *life)
{
    pbt_buf_done(&life->tag);
    pbt_buf_done(&life->worker);
}

int pbt_result_life_set(struct pbt_result_life *life,
                        const struct pbt_board *board, uint32_t trial,
                        bool perturbed, const char *driver_host,
                        struct pbt_error *error)
{
    const struct pbt_board_trial *t = &board->trials[trial];
    struct pbt_buf *tag = &life->tag;
    struct pbt_buf *worker = &life->worker;
    pbt_buf_reset(tag);
    pbt_buf_text(tag, t->tag == NULL ? "" : t->tag);
    if (perturbed) {
        pbt_buf_text(tag, "@perturbed[");
        pbt_shape_tag(&board->shape, t->cells, false, tag);
        pbt_buf_char(tag, ']');
    }
    (void)snprintf(life->pid, sizeof life->pid, "%" PRId64, t->pid);
    memcpy(life->host, t->host, sizeof life->host);
    bool local = t->host[0] == '\0' || strcmp(t->host, driver_host) == 0;
    (void)snprintf(life->node_ip, sizeof life->node_ip, "%s",
                   local ? "127.0.0.1" : t->host);

    (void)snprintf(life->lineage, sizeof life->lineage, "%" PRIu64, t->lineage);
    pbt_board_parent(board, t->parent, life->parent);

    pbt_buf_reset(worker);
    pbt_buf_printf(worker, ", \"pid\": %s, \"hostname\": ", life->pid);
    pbt_python_string(worker, life->host, strlen(life->host));
    pbt_buf_text(worker, ", \"node_ip\": ");
    pbt_python_string(worker, life->node_ip, strlen(life->node_ip));
    pbt_buf_text(worker, ", \"config\": ");
    struct pbt_python_style style = {.bare_nan = false};
    pbt_shape_json(&board->shape, t->cells, style, worker);
    if (pbt_buf_failed(tag) || pbt_buf_failed(worker)) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    return PBT_OK;
}

/* --- a result in the making ---------------------------------------------- */

struct result {
    struct pbt_buf *json;
    struct pbt_csv *csv;
    struct pbt_csv_row *row;
    struct pbt_buf *path;
    int status;
};

static void add_field(struct result *r, const char *name, const char *text,
                      size_t length)
{
    if (r->status == PBT_OK) {
        r->status = pbt_csv_field(r->csv, r->row, name, text, length);
    }
}

/* A field of ours that looks the same in both files. */
static void add_plain(struct result *r, const char *name, const char *text,
                      size_t length)
{
    pbt_buf_put(r->json, ", \"", 3);
    pbt_buf_text(r->json, name);
    pbt_buf_put(r->json, "\": ", 3);
    pbt_buf_put(r->json, text, length);
    add_field(r, name, text, length);
}

static void add_integer(struct result *r, const char *name, uint64_t magnitude,
                        bool negative)
{
    char text[24];
    size_t at = sizeof text;
    do {
        text[--at] = (char)('0' + magnitude % 10);
        magnitude /= 10;
    } while (magnitude > 0);
    if (negative) {
        text[--at] = '-';
    }
    add_plain(r, name, text + at, sizeof text - at);
}

static void add_i64(struct result *r, const char *name, int64_t value)
{
    bool negative = value < 0;
    add_integer(r, name, negative ? 0 - (uint64_t)value : (uint64_t)value,
                negative);
}

static void add_real(struct result *r, const char *name, double value)
{
    char text[PBT_REPR_SIZE];
    size_t length = pbt_real_repr(value, text);
    if (isfinite(value)) {
        add_plain(r, name, text, length);
    } else {
        pbt_buf_printf(r->json, ", \"%s\": ", name);
        pbt_python_real(r->json, value, false);
        add_field(r, name, text, length);
    }
}

static void add_string(struct result *r, const char *name, const char *text)
{
    size_t length = strlen(text);
    pbt_buf_printf(r->json, ", \"%s\": ", name);
    pbt_python_string(r->json, text, length);
    add_field(r, name, text, length);
}

/* --- metrics ------------------------------------------------------------- */

/* NaN and infinities travel as strings; Python's csv writes them so: */
static const char *special_text(const char *text)
{
    if (strcmp(text, "NaN") == 0) {
        return "nan";
    }
    if (strcmp(text, "Infinity") == 0) {
        return "inf";
    }
    return strcmp(text, "-Infinity") == 0 ? "-inf" : text;
}

static void add_array(struct result *r, const json_t *value)
{
    struct pbt_python_style style = {.bare_nan = false};
    struct pbt_buf text;
    pbt_python_json(r->json, value, style);
    pbt_buf_init(&text, PBT_LOG_PENDING_MAX);
    pbt_python_repr(&text, value);
    if (pbt_buf_failed(&text)) {
        r->status = PBT_ENOMEM;
    } else {
        add_field(r, r->path->data, text.data, text.length);
    }
    pbt_buf_done(&text);
}

static void add_metric(struct result *r, const json_t *value, int depth);

static bool is_reserved(const char *name)
{
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (reserved[i][0] == name[0] && strcmp(reserved[i], name) == 0) {
            return true;
        }
    }
    return false;
}

static void add_members(struct result *r, const json_t *object, int depth)
{
    bool first = true;
    size_t outer = r->path->length;
    /* jansson's loop wants an object that it could change, and doesn't. */
    json_t *members = (json_t *)(uintptr_t)object;
    const char *key;
    json_t *member;
    json_object_foreach(members, key, member)
    {
        if (depth == 0 && is_reserved(key)) {
            continue;
        }
        size_t length = strlen(key);
        if (!first) {
            pbt_buf_put(r->json, ", ", 2);
        }
        first = false;
        pbt_python_string(r->json, key, length);
        pbt_buf_put(r->json, ": ", 2);
        if (outer > 0) {
            pbt_buf_char(r->path, '/');
        }
        pbt_buf_put(r->path, key, length);
        if (pbt_buf_failed(r->path)) {
            r->status = PBT_ENOMEM;
            return;
        }
        add_metric(r, member, depth + 1);
        r->path->length = outer;
        r->path->data[outer] = '\0';
    }
    if (depth == 0 && first) {
        return;
    }
    if (depth == 0) {
        pbt_buf_put(r->json, ", ", 2);
    }
}

static void add_metric(struct result *r, const json_t *value, int depth)
{
    struct pbt_buf *json = r->json;
    const char *name = r->path->data;
    size_t start = json->length;
    if (depth > DEPTH_MAX) {
        pbt_buf_text(json, "null");
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        pbt_buf_char(json, '{');
        add_members(r, value, depth);
        pbt_buf_char(json, '}');
        return;
    case JSON_ARRAY:
        add_array(r, value);
        return;
    case JSON_STRING: {
        const char *text = special_text(json_string_value(value));
        pbt_python_string(json, json_string_value(value),
                          json_string_length(value));
        add_field(r, name, text, strlen(text));
        return;
    }
    case JSON_INTEGER:
        pbt_buf_i64(json, json_integer_value(value));
        break;
    case JSON_REAL:
        pbt_python_real(json, json_real_value(value), false);
        break;
    case JSON_TRUE:
    case JSON_FALSE: {
        bool yes = json_is_true(value);
        pbt_buf_text(json, yes ? "true" : "false");
        add_field(r, name, yes ? "True" : "False", yes ? 4 : 5);
        return;
    }
    case JSON_NULL:
        pbt_buf_text(json, "null");
        add_field(r, name, "", 0);
        return;
    }
    if (!pbt_buf_failed(json)) {
        add_field(r, name, json->data + start, json->length - start);
    }
}

/* --- the line ------------------------------------------------------------ */

void pbt_result_writer_date(struct pbt_result_writer *writer, int64_t wall)
{
    time_t second = (time_t)(wall / 1000000000);
    struct tm tm;
    if (second == writer->second) {
        return;
    }
    writer->second = second;
    if (localtime_r(&second, &tm) == NULL ||
        strftime(writer->date, sizeof writer->date, "%Y-%m-%d_%H-%M-%S", &tm) ==
            0) {
        writer->date[0] = '\0';
    }
}

static void add_automatic(struct result *r, struct pbt_result_writer *writer,
                          const struct pbt_board *board,
                          const struct pbt_result_life *life,
                          const struct pbt_record *record, const json_t *data)
{
    const struct pbt_board_trial *trial = &board->trials[record->trial];
    int64_t wall = pbt_board_wall(board, record->time);
    time_t second = (time_t)(wall / 1000000000);
    bool done = record->done || record->stop > 0;
    const char *quote = life->parent[0] == '\0' ? "" : "\"";
    pbt_result_writer_date(writer, wall);

    pbt_buf_text(r->json, done ? "\"done\": true" : "\"done\": false");
    add_field(r, "done", done ? "True" : "False", done ? 4 : 5);
    add_i64(r, "training_iteration", record->iteration);
    add_real(r, "time_this_iter_s",
             json_number_value(json_object_get(data, "time_this_iter_s")));
    add_real(r, "time_total_s", record->time_total);
    add_string(r, "trial_id", trial->id);
    add_string(r, "date", writer->date);
    add_i64(r, "timestamp", (int64_t)second);

    pbt_buf_put(r->json, life->worker.data, life->worker.length);
    add_field(r, "pid", life->pid, strlen(life->pid));
    add_field(r, "hostname", life->host, strlen(life->host));
    add_field(r, "node_ip", life->node_ip, strlen(life->node_ip));

    add_real(r, "time_since_restore", trial->life_seconds);
    add_i64(r, "iterations_since_restore",
            record->iteration - trial->life_iteration);
    add_string(r, "experiment_tag",
               life->tag.data == NULL ? "" : life->tag.data);
    add_integer(r, "pbt_epoch", record->epoch, false);
    add_integer(r, "pbt_seq", record->seq, false);
    pbt_buf_printf(r->json, ", \"pbt_lineage\": \"%s\", \"pbt_parent\": %s%s%s",
                   life->lineage, quote,
                   quote[0] == '\0' ? "null" : life->parent, quote);
    add_field(r, "pbt_lineage", life->lineage, strlen(life->lineage));
    add_field(r, "pbt_parent", life->parent, strlen(life->parent));
}

int pbt_result_write(struct pbt_result_writer *writer,
                     const struct pbt_board *board,
                     const struct pbt_result_life *life,
                     const struct pbt_record *record, const json_t *data,
                     struct pbt_log_file *json, struct pbt_csv *csv,
                     struct pbt_error *error)
{
    size_t start = json->pending.length;
    struct result r = {.json = &json->pending,
                       .csv = csv,
                       .row = &writer->row,
                       .path = &writer->path};
    pbt_buf_reset(&writer->path);
    pbt_csv_begin(csv, &writer->row);
    pbt_buf_char(r.json, '{');
    const json_t *metrics = json_object_get(data, "metrics");
    if (json_is_object(metrics)) {
        add_members(&r, metrics, 0);
    }
    add_automatic(&r, writer, board, life, record, data);
    pbt_buf_put(r.json, "}\n", 2);
    if (r.status == PBT_OK) {
        r.status =
            pbt_csv_end(csv, &writer->row, record->number > csv->file.record);
    }
    if (r.status != PBT_OK || pbt_buf_failed(r.json)) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    if (record->number <= json->record) {
        json->pending.length = start; /* the file has it */
    }
    return PBT_OK;
}
