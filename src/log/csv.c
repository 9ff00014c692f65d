#include "log/csv.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void pbt_csv_done(struct pbt_csv *csv)
{
    for (uint32_t i = 0; i < csv->count; i++) {
        free(csv->columns[i]);
    }
    free(csv->columns);
    pbt_buf_done(&csv->file.pending);
    *csv = (struct pbt_csv){0};
}

void pbt_csv_put(struct pbt_buf *out, const char *text, size_t length)
{
    bool quote = false;
    for (size_t i = 0; i < length && !quote; i++) {
        quote = text[i] == ',' || text[i] == '"' || text[i] == '\n' ||
                text[i] == '\r';
    }
    if (!quote) {
        pbt_buf_put(out, text, length);
        return;
    }
    pbt_buf_char(out, '"');
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"') {
            pbt_buf_char(out, '"');
        }
        pbt_buf_char(out, text[i]);
    }
    pbt_buf_char(out, '"');
}

static void put_header(struct pbt_buf *out, const struct pbt_csv *csv)
{
    for (uint32_t i = 0; i < csv->count; i++) {
        if (i > 0) {
            pbt_buf_char(out, ',');
        }
        pbt_csv_put(out, csv->columns[i], strlen(csv->columns[i]));
    }
    pbt_buf_text(out, "\r\n");
}

/*
 * Copies rows, each with `more` empty fields at its end.  *quoted says whether the text
 * is inside of quotes, where an end of line is none; it is kept between pieces of a file.
 */
static void pad_rows(struct pbt_buf *out, const char *text, size_t length,
                     uint32_t more, bool *quoted)
{
    size_t start = 0;
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '"') {
            *quoted = !*quoted; /* a doubled one changes nothing */
        } else if (text[i] == '\r' && !*quoted) {
            pbt_buf_put(out, text + start, i - start);
            for (uint32_t j = 0; j < more; j++) {
                pbt_buf_char(out, ',');
            }
            start = i;
        }
    }
    pbt_buf_put(out, text + start, length - start);
}

/* --- columns ------------------------------------------------------------- */

/* The rows that wait are as wide as the header from now on. */
static int pad_pending(struct pbt_csv *csv)
{
    struct pbt_buf *pending = &csv->file.pending;
    if (pending->length == 0) {
        return PBT_OK;
    }
    struct pbt_buf wide;
    pbt_buf_init(&wide, pending->limit);
    bool quoted = false;
    pad_rows(&wide, pending->data, pending->length, 1, &quoted);
    if (pbt_buf_failed(&wide)) {
        pbt_buf_done(&wide);
        return PBT_ENOMEM;
    }
    pbt_buf_done(pending);
    *pending = wide;
    return PBT_OK;
}

static int add_column(struct pbt_csv *csv, const char *name)
{
    if (csv->count == csv->capacity) {
        uint32_t capacity = csv->capacity == 0 ? 32 : csv->capacity * 2;
        char **columns = realloc(csv->columns, capacity * sizeof *csv->columns);
        if (columns == NULL) {
            return PBT_ENOMEM;
        }
        csv->columns = columns;
        csv->capacity = capacity;
    }
    char *copy = strdup(name);
    if (copy == NULL || pad_pending(csv) != PBT_OK) {
        free(copy);
        return PBT_ENOMEM;
    }
    csv->columns[csv->count++] = copy;
    return PBT_OK;
}

/* The column of a name, or csv->count.  Results mostly look like the one before. */
static uint32_t find_column(const struct pbt_csv *csv, const char *name)
{
    if (csv->guess < csv->count &&
        strcmp(csv->columns[csv->guess], name) == 0) {
        return csv->guess;
    }
    uint32_t i = 0;
    while (i < csv->count && strcmp(csv->columns[i], name) != 0) {
        i++;
    }
    return i;
}

/* --- rows ---------------------------------------------------------------- */

void pbt_csv_begin(struct pbt_csv *csv, struct pbt_csv_row *row)
{
    csv->guess = 0;
    row->row++;
    pbt_buf_reset(&row->text);
}

int pbt_csv_field(struct pbt_csv *csv, struct pbt_csv_row *row,
                  const char *name, const char *text, size_t length)
{
    uint32_t column = find_column(csv, name);
    if (column == PBT_CSV_COLUMNS_MAX) {
        return PBT_OK;
    }
    if (column == csv->count) {
        int status = add_column(csv, name);
        if (status != PBT_OK) {
            return status;
        }
    }
    csv->guess = column + 1;
    size_t start = row->text.length;
    pbt_csv_put(&row->text, text, length);
    row->slots[column] =
        (struct pbt_csv_slot){.start = (uint32_t)start,
                              .length = (uint32_t)(row->text.length - start),
                              .row = row->row};
    return pbt_buf_failed(&row->text) ? PBT_ENOMEM : PBT_OK;
}

int pbt_csv_end(struct pbt_csv *csv, struct pbt_csv_row *row, bool write)
{
    if (!write) {
        /* The file is as it was then: with the columns of that time. */
        if (csv->disk_columns != csv->count) {
            csv->disk_columns = csv->count;
            pbt_buf_reset(&row->text);
            put_header(&row->text, csv);
            csv->header_bytes = row->text.length;
        }
        return pbt_buf_failed(&row->text) ? PBT_ENOMEM : PBT_OK;
    }
    struct pbt_buf *out = &csv->file.pending;
    for (uint32_t i = 0; i < csv->count; i++) {
        const struct pbt_csv_slot *slot = &row->slots[i];
        if (i > 0) {
            pbt_buf_char(out, ',');
        }
        if (slot->row == row->row) {
            pbt_buf_put(out, row->text.data + slot->start, slot->length);
        }
    }
    pbt_buf_put(out, "\r\n", 2);
    return pbt_buf_failed(out) ? PBT_ENOMEM : PBT_OK;
}

/* --- the file ------------------------------------------------------------ */

/* A file that was widened after the cursor was written has another header. */
static int check_header(const struct pbt_log_dir *dir, const char *path,
                        struct pbt_csv *csv, struct pbt_error *error)
{
    int fd;
    int status = pbt_log_open_read(dir, path, &fd, error);
    if (fd < 0) {
        return status;
    }
    char end[2];
    if (csv->header_bytes < 2 ||
        pread(fd, end, 2, (off_t)(csv->header_bytes - 2)) != 2 ||
        memcmp(end, "\r\n", 2) != 0) {
        csv->file.bytes = 0;
        csv->file.record = 0;
        csv->header_bytes = 0;
    }
    (void)close(fd); /* it was only read */
    return PBT_OK;
}

int pbt_csv_cut(const struct pbt_log_dir *dir, const char *path,
                struct pbt_csv *csv, struct pbt_error *error)
{
    int status = PBT_OK;
    if (csv->file.bytes > 0) {
        status = check_header(dir, path, csv, error);
    }
    if (status == PBT_OK) {
        status = pbt_log_remove_temporary(dir, path, error);
    }
    if (status == PBT_OK) {
        status = pbt_log_file_cut(dir, path, &csv->file, error);
    }
    return status;
}

/* Copies the rows of the old file, from behind its header, and pads them. */
static int copy_padded(int fd, const char *path, const struct pbt_csv *csv,
                       struct pbt_log_swap *swap, uint64_t *bytes,
                       struct pbt_error *error)
{
    char block[65536];
    bool quoted = false;
    uint64_t at = csv->header_bytes;
    int status = PBT_OK;
    struct pbt_buf out;
    pbt_buf_init(&out, sizeof block * (PBT_CSV_COLUMNS_MAX + 1));
    while (status == PBT_OK && at < csv->file.bytes) {
        uint64_t left = csv->file.bytes - at;
        size_t wanted = left < sizeof block ? (size_t)left : sizeof block;
        ssize_t n = pread(fd, block, wanted, (off_t)at);
        if (n < 0 && errno == EINTR) {
            continue;
        }
        if (n <= 0) {
            status = pbt_error_set(error, PBT_EIO, "can't read %s: %s", path,
                                   n < 0 ? strerror(errno) : "it was cut");
            break;
        }
        at += (uint64_t)n;
        pbt_buf_reset(&out);
        pad_rows(&out, block, (size_t)n, csv->count - csv->disk_columns,
                 &quoted);
        *bytes += out.length;
        status = pbt_buf_failed(&out)
                     ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                     : pbt_log_swap_write(swap, out.data, out.length, error);
    }
    pbt_buf_done(&out);
    return status;
}

static int write_widened(int fd, const char *path, const struct pbt_csv *csv,
                         struct pbt_log_swap *swap, uint64_t *header,
                         uint64_t *bytes, struct pbt_error *error)
{
    const struct pbt_buf *pending = &csv->file.pending;
    struct pbt_buf out;
    pbt_buf_init(&out, PBT_LOG_PENDING_MAX);
    put_header(&out, csv);
    *header = out.length;
    *bytes = out.length + pending->length;
    int status = pbt_buf_failed(&out)
                     ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                     : pbt_log_swap_write(swap, out.data, out.length, error);
    pbt_buf_done(&out);
    if (status == PBT_OK) {
        status = copy_padded(fd, path, csv, swap, bytes, error);
    }
    if (status == PBT_OK && pending->length > 0) {
        status =
            pbt_log_swap_write(swap, pending->data, pending->length, error);
    }
    return status;
}

/* Writes the file anew beside itself, with the header of now. */
static int widen(const struct pbt_log_dir *dir, const char *path,
                 struct pbt_csv *csv, struct pbt_error *error)
{
    int fd;
    int status = pbt_log_open_read(dir, path, &fd, error);
    if (status != PBT_OK) {
        return status;
    }
    if (fd < 0) {
        /* Somebody has deleted it: what is left is from here on. */
        csv->file.bytes = 0;
        csv->header_bytes = 0;
    }
    uint64_t header = 0;
    uint64_t bytes = 0;
    struct pbt_log_swap swap;
    status = pbt_log_swap_begin(&swap, dir, path, error);
    if (status == PBT_OK) {
        status = write_widened(fd, path, csv, &swap, &header, &bytes, error);
        if (status == PBT_OK) {
            status = pbt_log_swap_commit(&swap, error);
        }
        if (status != PBT_OK) {
            pbt_log_swap_abandon(&swap);
        }
    }
    if (fd >= 0) {
        (void)close(fd); /* it was only read */
    }
    if (status == PBT_OK) {
        csv->file.bytes = bytes;
        csv->header_bytes = header;
        csv->disk_columns = csv->count;
        pbt_buf_done(&csv->file.pending);
    }
    return status;
}

int pbt_csv_flush(const struct pbt_log_dir *dir, const char *path,
                  struct pbt_csv *csv, struct pbt_error *error)
{
    if (csv->file.pending.length == 0) {
        return PBT_OK;
    }
    /* The first header goes the same way: a file of no rows is padded. */
    if (csv->file.bytes == 0 || csv->disk_columns != csv->count) {
        return widen(dir, path, csv, error);
    }
    return pbt_log_file_append(dir, path, &csv->file, error);
}
