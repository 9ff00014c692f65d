/*
 * metrics.c: what a program reported: one JSON object for its whole run, or one on each
 * line for each iteration.  Where it wrote no such file, the last line of its stdout, which
 * is an object or "name=value name=value ...".
 *
 * Each object is read as the protocol reads it (src/wire), so that the same is allowed: bare
 * NaN, but nothing else that JSON forbids.
 */
#define _GNU_SOURCE /* O_CLOEXEC */

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.h"
#include "command/command.h"
#include "wire/message.h"

#define BLANKS " \t\r"
#define METRICS_MAX ((size_t)64 * PBT_MESSAGE_LINE_MAX)
/* Behind its metrics, a result has more members. */
#define OBJECT_MAX ((size_t)PBT_MESSAGE_LINE_MAX - 4096)

static int no_memory(struct pbt_error *error)
{
    return pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

/* Takes "done" out: it is no metric but a wish. */
static int take_done(struct pbt_reports *reports, const json_t *metrics,
                     struct pbt_buf *text, struct pbt_error *error)
{
    const json_t *done = json_object_get(metrics, "done");
    if (done == NULL) {
        return PBT_OK;
    }
    if (!json_is_boolean(done)) {
        return pbt_error_set(error, PBT_EDATA, "\"done\" is true or false");
    }
    reports->done = json_is_true(done);
    json_t *rest = json_copy((json_t *)(uintptr_t)metrics);
    (void)json_object_del(rest, "done");
    char *dumped = json_dumps(rest, JSON_COMPACT | JSON_REAL_PRECISION(17));
    json_decref(rest);
    if (dumped == NULL) {
        return no_memory(error);
    }
    pbt_buf_reset(text);
    pbt_buf_text(text, dumped);
    free(dumped);
    return PBT_OK;
}

static int check_names(const json_t *metrics, struct pbt_error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)metrics, key, value)
    {
        (void)value;
        if (strcmp(key, "done") != 0 && pbt_metric_reserved(key)) {
            return pbt_error_set(error, PBT_EDATA,
                                 "\"%s\" is a name that pbt fills itself: "
                                 "report it under another one",
                                 key);
        }
    }
    return PBT_OK;
}

static int add_object(struct pbt_reports *reports, const char *object,
                      size_t length, struct pbt_error *error)
{
    struct pbt_message message;
    struct pbt_buf line;
    if (length > OBJECT_MAX) {
        return pbt_error_set(error, PBT_EDATA, "longer than %zu bytes",
                             OBJECT_MAX);
    }
    struct pbt_buf *items =
        realloc(reports->items, (reports->count + 1) * sizeof *items);
    if (items == NULL) {
        return no_memory(error);
    }
    reports->items = items;
    struct pbt_buf *item = &items[reports->count++];
    pbt_buf_init(item, PBT_MESSAGE_LINE_MAX);
    pbt_buf_init(&line, PBT_MESSAGE_LINE_MAX);
    pbt_buf_text(&line, "{\"type\":\"result\",\"epoch\":1,\"seq\":1,"
                        "\"iteration\":1,\"halted\":true,"
                        "\"time_this_iter_s\":0,\"time_total_s\":0,"
                        "\"metrics\":");
    size_t start = line.length;
    pbt_buf_put(&line, object, length);
    pbt_buf_char(&line, '}');
    if (pbt_buf_failed(&line)) {
        pbt_buf_done(&line);
        return no_memory(error);
    }
    /* Between the parts of an object a newline is as good as a blank. */
    for (size_t i = start; i < line.length; i++) {
        if (line.data[i] == '\n' || line.data[i] == '\r') {
            line.data[i] = ' ';
        }
    }
    int status = pbt_message_decode(&message, line.data, line.length, error);
    if (status != PBT_OK) {
        /* The message is about a line that the user has never seen. */
        (void)pbt_error_set(error, PBT_EDATA, "no JSON object: %.200s%s",
                            line.data + start,
                            line.length - start > 200 ? "..." : "");
        if (line.length > start) {
            char *end = strrchr(error->text, '}');
            if (end != NULL && end[1] == '\0') {
                *end = '\0'; /* ours */
            }
        }
    } else {
        pbt_buf_put(item, message.metrics, message.metrics_length);
        status = check_names(message.metrics_json, error);
        if (status == PBT_OK) {
            status = take_done(reports, message.metrics_json, item, error);
        }
        if (status == PBT_OK && pbt_buf_failed(item)) {
            status = no_memory(error);
        }
        pbt_message_done(&message);
    }
    pbt_buf_done(&line);
    return status;
}

/* --- name=value ----------------------------------------------------------- */

static void put_word(struct pbt_buf *out, const char *text)
{
    char *end;
    double number = strtod(text, &end);
    size_t digits = strspn(text + (text[0] == '-'), "0123456789");
    bool whole =
        digits > 0 && digits < 16 && text[(text[0] == '-') + digits] == '\0';
    if (*end != '\0' || text[0] == '\0') {
        bool truth = strcmp(text, "true") == 0 || strcmp(text, "false") == 0;
        if (truth) {
            pbt_buf_text(out, text);
        } else {
            pbt_buf_json_string(out, text, strlen(text));
        }
    } else if (whole) {
        pbt_buf_i64(out, strtoll(text, NULL, 10));
    } else {
        pbt_buf_real(out, number);
    }
}

/* False if it is anything else.  The line is taken apart. */
static bool words_to_object(char *line, struct pbt_buf *out)
{
    char *rest = NULL;
    const char *between = "{";
    for (char *word = strtok_r(line, BLANKS, &rest); word != NULL;
         word = strtok_r(NULL, BLANKS, &rest)) {
        char *value = strchr(word, '=');
        if (value == NULL || value == word) {
            return false;
        }
        *value++ = '\0';
        size_t length = strlen(value);
        if (length > 0 && value[length - 1] == ',') {
            value[length - 1] = '\0';
        }
        if (pbt_utf8_span(word, strlen(word)) != strlen(word) ||
            pbt_utf8_span(value, strlen(value)) != strlen(value)) {
            return false;
        }
        pbt_buf_text(out, between);
        pbt_buf_json_string(out, word, strlen(word));
        pbt_buf_char(out, ':');
        put_word(out, value);
        between = ",";
    }
    pbt_buf_char(out, '}');
    return between[0] == ',' && !pbt_buf_failed(out);
}

/* --- where they are ------------------------------------------------------- */

static bool is_blank(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (strchr(BLANKS "\n", text[i]) == NULL || text[i] == '\0') {
            return false;
        }
    }
    return true;
}

/* True if a line after the first begins an object: then each does. */
static bool has_lines(const char *text, size_t length)
{
    const char *end = text + length;
    const char *line = text + strspn(text, BLANKS "\n");
    line = memchr(line, '\n', (size_t)(end - line));
    if (line == NULL) {
        return false;
    }
    line += strspn(line, BLANKS "\n");
    return *line == '{';
}

static int add_lines(struct pbt_reports *reports, const char *text,
                     size_t length, struct pbt_error *error)
{
    int status = PBT_OK;
    size_t number = 0;
    for (size_t at = 0; status == PBT_OK && at < length;) {
        const char *end = memchr(text + at, '\n', length - at);
        size_t size = end == NULL ? length - at : (size_t)(end - text) - at;
        number++;
        if (!is_blank(text + at, size)) {
            status = add_object(reports, text + at, size, error);
            if (status != PBT_OK) {
                (void)pbt_error_prefix(error, status, "line %zu", number);
            }
        }
        at += size + 1;
    }
    return status;
}

static int read_file(struct pbt_reports *reports, const char *path,
                     struct pbt_error *error)
{
    struct pbt_files *files = pbt_files_posix();
    struct pbt_buf text;
    struct stat about;
    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode) ||
        about.st_size == 0) {
        return PBT_OK;
    }
    pbt_buf_init(&text, METRICS_MAX + 1);
    int status =
        files->ops->read(files, path, 0, METRICS_MAX + 1, &text, error);
    if (status == PBT_OK && text.length > METRICS_MAX) {
        status = pbt_error_set(error, PBT_EDATA, "larger than 64 MiB");
    } else if (status == PBT_OK && !is_blank(text.data, text.length)) {
        status = has_lines(text.data, text.length)
                     ? add_lines(reports, text.data, text.length, error)
                     : add_object(reports, text.data, text.length, error);
    }
    if (status != PBT_OK) {
        (void)pbt_error_prefix(error, status, "its metrics (%s)", path);
    }
    pbt_buf_done(&text);
    return status;
}

static int read_tail(int fd, off_t start, struct pbt_buf *text,
                     struct pbt_error *error)
{
    struct stat about;
    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode) ||
        about.st_size <= start) {
        return PBT_OK; /* it said nothing, or to nobody who keeps it */
    }
    off_t least = about.st_size - PBT_MESSAGE_LINE_MAX;
    off_t at = least > start ? least : start;
    char block[16384];
    ssize_t got;
    while ((got = pread(fd, block, sizeof block, at)) != 0) {
        if (got < 0 && errno != EINTR) {
            return pbt_error_set(error, PBT_EIO, "can't read its stdout: %s",
                                 strerror(errno));
        }
        if (got > 0) {
            pbt_buf_put(text, block, (size_t)got);
            at += got;
        }
        if (pbt_buf_failed(text)) {
            return no_memory(error);
        }
    }
    return PBT_OK;
}

static int add_last_line(struct pbt_reports *reports, struct pbt_buf *text,
                         struct pbt_error *error)
{
    while (text->length > 0 &&
           strchr(BLANKS "\n", text->data[text->length - 1]) != NULL) {
        text->length--;
    }
    if (text->length == 0) {
        return PBT_OK;
    }
    text->data[text->length] = '\0';
    size_t begin = text->length;
    while (begin > 0 && text->data[begin - 1] != '\n') {
        begin--;
    }
    char *line = text->data + begin;
    line += strspn(line, BLANKS);
    char shown[160];
    (void)snprintf(shown, sizeof shown, "%.150s", line);
    struct pbt_buf object;
    int status;
    pbt_buf_init(&object, PBT_MESSAGE_LINE_MAX);
    if (line[0] == '{') {
        status = add_object(reports, line, strlen(line), error);
    } else if (words_to_object(line, &object)) {
        status = add_object(reports, object.data, object.length, error);
    } else {
        status = pbt_error_set(error, PBT_EDATA,
                               "neither a JSON object nor `name=value ...`: "
                               "%s",
                               shown);
    }
    pbt_buf_done(&object);
    if (status != PBT_OK) {
        (void)pbt_error_prefix(
            error, status,
            "it wrote no metrics file (PBT_METRICS), and the last line of its "
            "stdout is no metrics");
    }
    return status;
}

static int read_stdout(struct pbt_reports *reports, off_t start,
                       struct pbt_error *error)
{
    struct pbt_buf text;
    /* Our own descriptor may be open for writing only. */
    int fd = open("/proc/self/fd/1", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        return pbt_error_set(error, PBT_EUNAVAILABLE,
                             "it wrote no metrics file (PBT_METRICS), and its "
                             "stdout can't be read without /proc, which is not "
                             "mounted here");
    }
    if (fd < 0) {
        return PBT_OK;
    }
    pbt_buf_init(&text, (size_t)2 * PBT_MESSAGE_LINE_MAX);
    int status = read_tail(fd, start, &text, error);
    (void)close(fd);
    if (status == PBT_OK) {
        status = add_last_line(reports, &text, error);
    }
    pbt_buf_done(&text);
    return status;
}

int pbt_reports_read(struct pbt_reports *reports, const char *path, off_t start,
                     int64_t steps, struct pbt_error *error)
{
    *reports = (struct pbt_reports){0};
    int status = read_file(reports, path, error);
    if (status == PBT_OK && reports->count == 0) {
        status = read_stdout(reports, start, error);
    }
    if (status != PBT_OK) {
        return status;
    }
    if (reports->count == 0) {
        return pbt_error_set(
            error, PBT_EDATA,
            "it reported no metrics: it has to write a JSON object into the "
            "file PBT_METRICS ({metrics}), or print one, or `name=value ...`, "
            "as its last line");
    }
    bool fits = reports->count == 1 || (int64_t)reports->count == steps ||
                (reports->done && (int64_t)reports->count < steps);
    if (!fits) {
        return pbt_error_set(error, PBT_EDATA,
                             "it reported %zu objects for %lld iterations: one "
                             "for all, or one for each",
                             reports->count, (long long)steps);
    }
    return PBT_OK;
}

void pbt_reports_done(struct pbt_reports *reports)
{
    for (size_t i = 0; i < reports->count; i++) {
        pbt_buf_done(&reports->items[i]);
    }
    free(reports->items);
    *reports = (struct pbt_reports){0};
}
