/*
 * csv.h: a progress.csv whose header widens: private to src/log, but for pbt_csv_put().
 *
 * The columns are those of the first result, then new ones at the right in the order in
 * which they come.  A new one pads the rows before it with an empty field: at the next flush
 * the file is written anew beside itself, and renamed.
 */
#ifndef PBT_LOG_CSV_H
#define PBT_LOG_CSV_H

#include "log/file.h"

/* Results with more different metrics than this: the rest is in result.json only. */
#define PBT_CSV_COLUMNS_MAX 1024

struct pbt_csv {
    struct pbt_log_file file;
    char **columns;
    uint32_t count;
    uint32_t capacity;
    uint32_t guess;        /* where the next field's column is, most likely */
    uint32_t disk_columns; /* in the file's header */
    uint64_t header_bytes; /* of the file's header line */
};

/* One row in the making, shared by all files. */
struct pbt_csv_row {
    struct pbt_csv_slot {
        uint32_t start; /* in text */
        uint32_t length;
        uint64_t row; /* the row that it was set in */
    } slots[PBT_CSV_COLUMNS_MAX];
    uint64_t row;
    struct pbt_buf text;
};

void pbt_csv_done(struct pbt_csv *csv);

/* A field by RFC 4180: quoted where it has to be. */
void pbt_csv_put(struct pbt_buf *out, const char *text, size_t length);

/*
 * Cuts the file back like pbt_log_file_cut(); if its header is not the one that it had then,
 * it is emptied too.
 */
int pbt_csv_cut(const struct pbt_log_dir *dir, const char *path,
                struct pbt_csv *csv, struct pbt_error *error);

/* A row: begin, a field for each value that there is, end. */
void pbt_csv_begin(struct pbt_csv *csv, struct pbt_csv_row *row);
/* `text` is quoted where it has to be.  PBT_ENOMEM. */
int pbt_csv_field(struct pbt_csv *csv, struct pbt_csv_row *row,
                  const char *name, const char *text, size_t length);
/* `write`: false if the file has the row already. */
int pbt_csv_end(struct pbt_csv *csv, struct pbt_csv_row *row, bool write);

/* Writes what is pending, with a new header if it has widened. */
int pbt_csv_flush(const struct pbt_log_dir *dir, const char *path,
                  struct pbt_csv *csv, struct pbt_error *error);

#endif
