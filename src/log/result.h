/*
 * result.h: a result as a line of result.json and a row of progress.csv: private to
 * src/log.
 *
 * Both hold the metrics as the worker sent them, and the fields that Ray fills itself, here
 * from the records alone; then ours, pbt_...: which life, and what it goes on from.  Each
 * number is turned into text once.
 */
#ifndef PBT_LOG_RESULT_H
#define PBT_LOG_RESULT_H

#include <time.h>

#include "log/board.h"
#include "log/csv.h"

/* What all results of one life have in common, as text. */
struct pbt_result_life {
    struct pbt_buf tag; /* Ray's experiment tag, with "@perturbed[...]" */
    /* , "pid": N, "hostname": "...", ..., "config": {...} */
    struct pbt_buf worker;
    char pid[24];
    char host[256];
    char node_ip[256];
    char lineage[24];
    char parent[PBT_BOARD_PARENT_SIZE]; /* "": none */
};

/* What is needed to write results, shared by all trials. */
struct pbt_result_writer {
    struct pbt_csv_row row;
    struct pbt_buf path; /* of a nested metric */
    time_t second;       /* of `date` */
    char date[32];
};

void pbt_result_writer_init(struct pbt_result_writer *writer);
void pbt_result_writer_done(struct pbt_result_writer *writer);

/* Sets `date` to a unix time in ns, as Ray writes it: "2026-01-31_23-59-59", local. */
void pbt_result_writer_date(struct pbt_result_writer *writer, int64_t wall);

void pbt_result_life_init(struct pbt_result_life *life);
void pbt_result_life_done(struct pbt_result_life *life);

/*
 * Sets it up for the trial as the board has it.  `perturbed`: it runs on a configuration
 * that an exploit gave it.  `driver_host`: a worker there has the address 127.0.0.1.
 */
int pbt_result_life_set(struct pbt_result_life *life,
                        const struct pbt_board *board, uint32_t trial,
                        bool perturbed, const char *driver_host,
                        struct pbt_error *error);

/*
 * Appends the line to `json` and the row to `csv`, each only if its file does not have the
 * record yet.  The board has taken it in.  `data` is the entry's.
 */
int pbt_result_write(struct pbt_result_writer *writer,
                     const struct pbt_board *board,
                     const struct pbt_result_life *life,
                     const struct pbt_record *record, const json_t *data,
                     struct pbt_log_file *json, struct pbt_csv *csv,
                     struct pbt_error *error);

#endif
