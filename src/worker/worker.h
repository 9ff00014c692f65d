/*
 * worker.h: what the parts of the worker's side share.
 */
#ifndef PBT_WORKER_WORKER_H
#define PBT_WORKER_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <jansson.h>
#include <pbt/trainable.h>

#include "base/buf.h"
#include "wire/message.h"

/* channel.c: the socket to the driver.  Its end ends the process, at once. */

struct pbt_channel {
    int fd; /* non-blocking, closed on exec */
    struct pbt_lines lines;
    struct pbt_buf out;
};

/*
 * Takes the descriptor that PBT_FD names, or if a launcher has closed that, asks for another one
 * (PBT_SOCKET).  PBT_EUSAGE: there is neither.
 */
int pbt_channel_open(struct pbt_channel *channel, struct pbt_error *error);
void pbt_channel_close(struct pbt_channel *channel);
/* Writes one message, waiting for room if there is none. */
int pbt_channel_send(struct pbt_channel *channel,
                     const struct pbt_message *message,
                     struct pbt_error *error);
/*
 * The next command, borrowed until the next call.  *line is NULL if none has come
 * and `wait` is false.
 */
int pbt_channel_receive(struct pbt_channel *channel, bool wait, char **line,
                        size_t *length, struct pbt_error *error);

/* config.c */

struct pbt_config {
    json_t *root;
    char *text;    /* as the driver wrote it */
    uint64_t seed; /* pbt_explore_seed() */
};

/* Takes a copy of the text and a reference to the parsed object. */
int pbt_config_take(struct pbt_config *config, const json_t *root,
                    const char *text, size_t length, struct pbt_error *error);
void pbt_config_done(struct pbt_config *config);

/* result.c */

#define PBT_RESULT_METRICS_MAX 4096
#define PBT_RESULT_TEXT_MAX 65536

enum pbt_metric_kind { PBT_METRIC_REAL, PBT_METRIC_INT, PBT_METRIC_TEXT };

struct pbt_metric {
    char *name;
    bool set; /* in this step */
    enum pbt_metric_kind kind;
    double real;
    int64_t integer;
    char *text; /* owned; kept for the next step's */
};

/*
 * What was counted over the life of the model: it travels in the checkpoint, in a
 * file of our own (PBT_WORKER_FILE).
 */
struct pbt_total {
    bool known; /* something was ever reported */
    double sum;
};

struct pbt_totals {
    struct pbt_total timesteps;
    struct pbt_total episodes;
};

#define PBT_WORKER_FILE ".pbt_worker.json"

/* Kept from step to step, since the metrics are mostly the same. */
struct pbt_result {
    struct pbt_metric *metrics;
    size_t count;
    size_t capacity;
    size_t next; /* where the next report is expected */
    bool done;
};

/* Forgets the values before a step. */
void pbt_result_begin(struct pbt_result *result);
/*
 * Adds what is derived (Ray's rules): neg_mean_loss, timesteps_total and
 * episodes_total; then writes all as a JSON object.
 */
int pbt_result_finish(struct pbt_result *result, struct pbt_totals *totals,
                      struct pbt_buf *out, struct pbt_error *error);
void pbt_result_free(struct pbt_result *result);

/* totals.c: PBT_WORKER_FILE in a checkpoint; none there means nothing counted. */
int pbt_totals_save(const struct pbt_totals *totals, const char *dir,
                    struct pbt_error *error);
int pbt_totals_load(struct pbt_totals *totals, const char *dir,
                    struct pbt_error *error);

/* place.c: what a process was given for its trial beside the model */
struct pbt_place {
    int cwd; /* where it began; -1: unknown */
    char *trial_dir;
};

/* Notes it for the first trial. */
int pbt_place_take(struct pbt_place *place, const char *trial_dir,
                   struct pbt_error *error);
/* The trial of `start` comes next: log files, environment, working directory. */
int pbt_place_move(struct pbt_place *place, const struct pbt_message *start,
                   struct pbt_error *error);
void pbt_place_done(struct pbt_place *place);

#endif
