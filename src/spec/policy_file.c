#include "spec/policy_file.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <jansson.h>

#include "base/codes.h"

#define FILE_MAX ((size_t)64 << 20)
#define SKIPPED_MAX ((size_t)1 << 16)
#define FIELDS 6

struct row {
    json_t *fields; /* an array of six */
    size_t line;
};

struct rows {
    struct row *items;
    size_t count;
    size_t capacity;
    const char *label;
    struct pbt_policy_schedule *policy;
};

static int out_of_memory(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

static int wrong(const struct rows *rows, size_t line, const char *what,
                 struct pbt_error *error)
{
    return pbt_fail(error, PBT_E0840, "%s:%zu: %s", rows->label, line, what);
}

static void skip(struct rows *rows, size_t line, const char *what)
{
    pbt_buf_printf(&rows->policy->skipped, "%s:%zu: skipped: %s\n", rows->label,
                   line, what);
}

/* --- a line ------------------------------------------------------------------ */

/* Python writes NaN and Infinity bare, which is no JSON: here they are texts. */
static void put_strict(struct pbt_buf *out, const char *text, size_t length)
{
    static const char *const bare[] = {"NaN", "-Infinity", "Infinity"};
    bool quoted = false;
    for (size_t i = 0; i < length;) {
        size_t word = 0;
        for (size_t k = 0; k < 3 && !quoted && word == 0; k++) {
            size_t size = strlen(bare[k]);
            if (length - i >= size && memcmp(text + i, bare[k], size) == 0) {
                word = size;
            }
        }
        if (word > 0) {
            pbt_buf_printf(out, "\"%.*s\"", (int)word, text + i);
            i += word;
            continue;
        }
        if (quoted && text[i] == '\\' && i + 1 < length) {
            pbt_buf_put(out, text + i, 2);
            i += 2;
            continue;
        }
        quoted = quoted != (text[i] == '"');
        pbt_buf_char(out, text[i++]);
    }
}

/* What is wrong with a line, or NULL. */
static const char *check_row(const json_t *row)
{
    if (!json_is_array(row) || json_array_size(row) != FIELDS) {
        return "a line is an array of six";
    }
    if (!json_is_string(json_array_get(row, 0)) ||
        !json_is_string(json_array_get(row, 1))) {
        return "the first two fields are the tags of trials";
    }
    if (!json_is_integer(json_array_get(row, 2)) ||
        !json_is_integer(json_array_get(row, 3)) ||
        json_integer_value(json_array_get(row, 3)) < 0) {
        return "the third and fourth fields are iterations";
    }
    if (!json_is_object(json_array_get(row, 4)) ||
        !json_is_object(json_array_get(row, 5))) {
        return "the last two fields are configurations";
    }
    return NULL;
}

static int add_row(struct rows *rows, json_t *fields, size_t line,
                   struct pbt_error *error)
{
    if (rows->count == rows->capacity) {
        size_t capacity = rows->capacity == 0 ? 64 : 2 * rows->capacity;
        struct row *grown = realloc(rows->items, capacity * sizeof *grown);
        if (grown == NULL) {
            json_decref(fields);
            return out_of_memory(error);
        }
        rows->items = grown;
        rows->capacity = capacity;
    }
    rows->items[rows->count++] = (struct row){fields, line};
    return PBT_OK;
}

static int take_line(struct rows *rows, const char *text, size_t length,
                     size_t line, bool torn, struct pbt_error *error)
{
    struct pbt_buf strict;
    json_error_t where;
    size_t blank = 0;
    while (blank < length && strchr(" \t\r", text[blank]) != NULL) {
        blank++;
    }
    if (blank == length) {
        if (length > 0 || !torn) {
            skip(rows, line, "a blank line");
        }
        return PBT_OK;
    }
    if (text[blank] == '#') {
        skip(rows, line, "a comment");
        return PBT_OK;
    }
    pbt_buf_init(&strict, 2 * FILE_MAX);
    put_strict(&strict, text, length);
    json_t *row = pbt_buf_failed(&strict)
                      ? NULL
                      : json_loadb(strict.data, strict.length, 0, &where);
    bool failed = pbt_buf_failed(&strict);
    pbt_buf_done(&strict);
    if (failed) {
        return out_of_memory(error);
    }
    if (row == NULL && torn) {
        skip(rows, line, "the last line is torn");
        return PBT_OK;
    }
    const char *bad = row == NULL ? "it is no JSON" : check_row(row);
    if (bad != NULL) {
        json_decref(row);
        return wrong(rows, line, bad, error);
    }
    return add_row(rows, row, line, error);
}

/* --- the chain, and what it is made into ---------------------------------------- */

static const char *tag(const struct row *row, size_t field)
{
    return json_string_value(json_array_get(row->fields, field));
}

/* The first line of the chain that ends with the last one. */
static size_t chain_start(const struct rows *rows)
{
    size_t first = rows->count - 1;
    while (first > 0 && strcmp(tag(&rows->items[first - 1], 0),
                               tag(&rows->items[first], 1)) == 0) {
        first--;
    }
    return first;
}

static int put_json(struct pbt_buf *out, const json_t *json,
                    struct pbt_error *error)
{
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17));
    if (text == NULL) {
        return out_of_memory(error);
    }
    pbt_buf_text(out, text);
    free(text);
    return PBT_OK;
}

static int make_schedule(struct rows *rows, struct pbt_error *error)
{
    struct pbt_policy_schedule *policy = rows->policy;
    struct pbt_buf *out = &policy->schedule;
    size_t first = chain_start(rows);
    for (size_t i = 0; i < first; i++) {
        skip(rows, rows->items[i].line,
             "it is about weights that were overwritten later");
    }
    int status = put_json(&policy->config,
                          json_array_get(rows->items[first].fields, 4), error);
    pbt_buf_char(out, '[');
    for (size_t i = first; i < rows->count && status == PBT_OK; i++) {
        const json_t *row = rows->items[i].fields;
        pbt_buf_printf(out, "%s{\"training_iteration\":%lld,\"config\":",
                       i > first ? "," : "",
                       (long long)json_integer_value(json_array_get(row, 3)));
        status = put_json(out, json_array_get(row, 5), error);
        pbt_buf_char(out, '}');
        policy->changes++;
    }
    pbt_buf_char(out, ']');
    if (status == PBT_OK &&
        (pbt_buf_failed(out) || pbt_buf_failed(&policy->config))) {
        status = out_of_memory(error);
    }
    return status;
}

static int take_lines(struct rows *rows, const char *text, size_t length,
                      struct pbt_error *error)
{
    size_t at = 0;
    if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
        skip(rows, 1, "a byte order mark");
        at = 3;
    }
    int status = PBT_OK;
    for (size_t line = 1; at < length && status == PBT_OK; line++) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t size = end == NULL ? length - at : (size_t)(end - (text + at));
        status = take_line(rows, text + at, size, line, end == NULL, error);
        at += size + 1;
    }
    return status;
}

int pbt_policy_parse(const char *text, size_t length, const char *label,
                     struct pbt_policy_schedule *policy,
                     struct pbt_error *error)
{
    struct rows rows = {.label = label, .policy = policy};
    *policy = (struct pbt_policy_schedule){.changes = 0};
    pbt_buf_init(&policy->config, FILE_MAX);
    pbt_buf_init(&policy->schedule, 2 * FILE_MAX);
    pbt_buf_init(&policy->skipped, SKIPPED_MAX);
    int status = take_lines(&rows, text, length, error);
    if (status == PBT_OK && rows.count == 0) {
        status =
            pbt_fail(error, PBT_E0841, "%s has no changes to replay", label);
    }
    if (status == PBT_OK) {
        status = make_schedule(&rows, error);
    }
    for (size_t i = 0; i < rows.count; i++) {
        json_decref(rows.items[i].fields);
    }
    free(rows.items);
    if (status != PBT_OK) {
        pbt_policy_schedule_done(policy);
    }
    return status;
}

/*
 * The file of a trial that never took over another's weights is never written: then what it
 * trained with from first to last is in its params.json.
 */
static int no_file(const char *path, int reason, struct pbt_error *error)
{
    static const char prefix[] = "pbt_policy_";
    const char *slash = strrchr(path, '/');
    const char *name = slash != NULL ? slash + 1 : path;
    const char *dot = strrchr(name, '.');
    char params[4096];
    if (reason == ENOENT && dot != NULL &&
        strncmp(name, prefix, sizeof prefix - 1) == 0) {
        int dir = slash != NULL ? (int)(slash - path) : 1;
        const char *id = name + sizeof prefix - 1;
        int n = snprintf(params, sizeof params, "%.*s/%.*s/params.json", dir,
                         slash != NULL ? path : ".", (int)(dot - id), id);
        if (n > 0 && (size_t)n < sizeof params && access(params, R_OK) == 0) {
            return pbt_fail(
                error, PBT_E0841,
                "%.*s never took over another trial's weights, so there is no "
                "schedule to replay, and no %s. To train with its plain "
                "configuration: pbt run %.*s/experiment.yaml num_samples=1 "
                "scheduler.type=fifo \"config=$(cat %s)\"",
                (int)(dot - id), id, name, dir, slash != NULL ? path : ".",
                params);
        }
    }
    return pbt_fail(error, PBT_E0701, "can't open `%s`: %s", path,
                    strerror(reason));
}

int pbt_policy_read(const char *path, struct pbt_policy_schedule *policy,
                    struct pbt_error *error)
{
    FILE *file = fopen(path, "re");
    struct pbt_buf text;
    char chunk[16384];
    size_t got;
    if (file == NULL) {
        return no_file(path, errno, error);
    }
    pbt_buf_init(&text, FILE_MAX);
    while ((got = fread(chunk, 1, sizeof chunk, file)) > 0) {
        pbt_buf_put(&text, chunk, got);
    }
    int status = PBT_OK;
    if (ferror(file)) {
        status = pbt_fail(error, PBT_E0701, "can't read `%s`: %s", path,
                          strerror(errno));
    } else if (pbt_buf_failed(&text)) {
        status = pbt_fail(error, PBT_E0840, "%s is larger than %zu MiB", path,
                          FILE_MAX >> 20);
    }
    (void)fclose(file); /* it was only read */
    if (status == PBT_OK) {
        status = pbt_policy_parse(text.data != NULL ? text.data : "",
                                  text.length, path, policy, error);
    }
    pbt_buf_done(&text);
    return status;
}

void pbt_policy_schedule_done(struct pbt_policy_schedule *policy)
{
    pbt_buf_done(&policy->config);
    pbt_buf_done(&policy->schedule);
    pbt_buf_done(&policy->skipped);
}
