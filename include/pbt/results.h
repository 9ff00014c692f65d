/*
 * pbt/results.h: read a run: finished, interrupted, or going on right now.
 *
 *     struct pbt_results *run;
 *     const struct pbt_best *best;
 *     struct pbt_best_query query = {.version = PBT_BEST_QUERY_INIT};
 *     struct pbt_error error;
 *     int status = pbt_results_open(&run, "runs/mnist", &error);
 *     if (status == PBT_OK) {
 *         status = pbt_results_best(run, &query, &best, &error);
 *         if (status == PBT_OK) {
 *             printf("%s: %g\n", best->trial->id, best->value);
 *         }
 *         pbt_results_close(run);
 *     }
 *
 * A handle is one moment of a run: what its journal held when it was opened.  To see how a
 * run has gone on, close and open again.  A driver beside it doesn't notice.
 *
 * Opening brings RUN/experiment.db up to date, an SQLite file in which results are looked up; the
 * first time that takes a few seconds for a million of them.  Where it can't be written, the run
 * being another user's say, that is done in $XDG_CACHE_HOME/pbt (or ~/.cache/pbt), or else in a
 * temporary file.  docs/files.md says what can be queried there.
 *
 * Memory goes with the number of trials, checkpoints and exploits, never with that of
 * results: those are read one by one, each time they are asked for.
 *
 * Which results count.  A trial that fails goes back to a checkpoint and does again what came
 * after it, and so does one that takes over the checkpoint of a donor that is behind it.
 * What it had reported beyond is undone: it is in the journal and in result.json, but no
 * longer part of the way that led to what the trial is now.  Here such results do not count,
 * unless they are asked for.  So a trial's iterations only rise from one result to the
 * next, though they jump where it took over a donor that was ahead.
 *
 * Ownership: all that a function hands out belongs to the handle and lives until
 * pbt_results_close(), unless it says otherwise.  A handle is for one thread at a time.
 * Strings are UTF-8.  Structs that are handed out may get more members at their ends.
 * Errors: pbt/error.h; `error` may be NULL.  A failed call changes nothing.
 */
#ifndef PBT_RESULTS_H
#define PBT_RESULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>
#include <pbt/trainable.h>

#ifdef __cplusplus
extern "C" {
#endif

/* No trial, no exploit. */
#define PBT_NONE UINT32_MAX

/* A run that was opened. */
struct pbt_results;

/*
 * Opens the run in the directory `dir`.  PBT_ENOINPUT: there is no such directory, or it is
 * no run.  PBT_EDATA: its journal is damaged, or was written by a newer version of pbt;
 * `error` says where.  PBT_EPERM: it may not be read.  A run that was made and has not
 * begun yet is no error: it has no trials.
 */
PBT_API int pbt_results_open(struct pbt_results **results, const char *dir,
                             struct pbt_error *error);

/* Takes NULL. */
PBT_API void pbt_results_close(struct pbt_results *results);

/* --- the run -------------------------------------------------------------- */

/* name, text, what it means */
#define PBT_RUN_STATE_MAP(X)                                                   \
    X(PBT_RUN_NEW, "new", "made, but nothing has happened yet")                \
    X(PBT_RUN_RUNNING, "running", "a driver is at work")                       \
    X(PBT_RUN_INTERRUPTED, "interrupted",                                      \
      "no driver, and not over: resume it")                                    \
    X(PBT_RUN_FINISHED, "finished", "over; some trials may have failed")       \
    X(PBT_RUN_FAILED, "failed", "failed before the first result")              \
    X(PBT_RUN_UNKNOWN, "unknown", "not over; can't tell whether it is driven")

enum pbt_run_state {
#define PBT_RUN_STATE_ENUM(name, text, meaning) name,
    PBT_RUN_STATE_MAP(PBT_RUN_STATE_ENUM)
#undef PBT_RUN_STATE_ENUM
};

/* "running" */
PBT_API const char *pbt_run_state_name(enum pbt_run_state state);

/* Ray's names and order. */
enum pbt_trial_status {
    PBT_TRIAL_RUNNING,
    PBT_TRIAL_PAUSED, /* gave its slot to others */
    PBT_TRIAL_PENDING, /* waits for a slot; of an interrupted run: for a driver */
    PBT_TRIAL_TERMINATED,
    PBT_TRIAL_ERROR,   /* failed for good */
    PBT_TRIAL_STATUSES /* how many there are */
};

/* "RUNNING" */
PBT_API const char *pbt_trial_status_name(enum pbt_trial_status status);

enum pbt_mode {
    PBT_MODE_DEFAULT, /* in a query: the experiment's */
    PBT_MODE_MAX,     /* the larger the better */
    PBT_MODE_MIN
};

struct pbt_run_info {
    const char *dir;  /* as given to pbt_results_open() */
    const char *name; /* of the experiment */
    enum pbt_run_state state;
    const char *metric; /* NULL: the experiment has none (FIFO scheduler) */
    enum pbt_mode mode;
    uint32_t population; /* trials that there will be */
    uint32_t trials;     /* that there are */
    uint32_t by_status[PBT_TRIAL_STATUSES];
    uint64_t results;     /* also those that no longer count */
    uint64_t checkpoints; /* saved at perturbation points */
    uint64_t exploits;
    uint64_t records; /* of the journal, up to this moment */
    double started;   /* unix time in seconds; 0: not yet */
    double updated;   /* of the last record */
    double elapsed_s; /* for which drivers were at work */
    /* The driver at work, or the last one on another host; 0 and "": not known. */
    int64_t driver_pid;
    const char *driver_host;
};

PBT_API const struct pbt_run_info *
pbt_results_run(const struct pbt_results *results);

/* --- trials --------------------------------------------------------------- */

/* A checkpoint that is kept. */
struct pbt_checkpoint_info {
    const char *path; /* its directory, below that of the run */
    uint32_t trial;   /* that saved it */
    uint32_t number;  /* 5 for checkpoint_000005 */
    int64_t iteration;
    double time_total_s;
    /*
     * The experiment's metric in the last result before it; NaN: none, or not a finite number.
     */
    double score;
    /*
     * What it was saved from was undone since: it holds what the trial was, not
     * what led to what it is.
     */
    bool undone;
};

struct pbt_trial_info {
    uint32_t number; /* from 0 */
    const char *id;  /* "ba982_00003" */
    const char *dir; /* where its files are, below that of the run */
    enum pbt_trial_status status;
    int64_t iteration;   /* training_iteration; falls when it goes back */
    double time_total_s; /* trained for this model */
    /*
     * The experiment's metric in its last result that had it (all have, unless the experiment
     * says require_attrs: false), right after an exploit in the donor's; NaN: none.
     */
    double score;
    /* What it trains with, and what it was given at first. */
    const struct pbt_config *config;
    const struct pbt_config *first_config;
    uint64_t results; /* also those that no longer count */
    uint32_t failures;
    uint32_t exploits;
    uint32_t
        exploit; /* the newest that counts: pbt_results_exploits(); or PBT_NONE */
    uint32_t parent;   /* the donor of that exploit; or PBT_NONE */
    int64_t pid;       /* of its process; 0: it has none */
    const char *host;  /* where that is or was last; "": nowhere yet */
    const char *error; /* what its last failure said; NULL: none */
    /*
     * The newest checkpoint to go on from: its own, or the donor's that it took over; NULL:
     * none.
     */
    const struct pbt_checkpoint_info *checkpoint;
    uint64_t epoch;   /* of its present or last life; 0: none yet */
    uint64_t lineage; /* as in struct pbt_row, and so is `from` */
    const char *from;
    uint32_t generation; /* how many exploits are behind its weights */
};

/* Trial `number`; NULL if it is not below pbt_run_info.trials. */
PBT_API const struct pbt_trial_info *
pbt_results_trial(const struct pbt_results *results, uint32_t number);

/*
 * Finds a trial by its id, by a beginning or an end of it that no other has, or by its
 * number.  PBT_ENOINPUT says which there are.
 */
PBT_API int pbt_results_find_trial(const struct pbt_results *results,
                                   const char *text,
                                   const struct pbt_trial_info **trial,
                                   struct pbt_error *error);

/* The checkpoints of a trial that are kept, oldest first; NULL if `*count` is 0. */
PBT_API const struct pbt_checkpoint_info *
pbt_results_checkpoints(const struct pbt_results *results, uint32_t trial,
                        size_t *count);

/* --- exploits ------------------------------------------------------------- */

struct pbt_exploit_info {
    uint32_t trial; /* that took over */
    /* Whose weights; a replay's change, and exploit_copies: hyperparameters: the trial itself. */
    uint32_t donor;
    double timestamp;  /* unix time in seconds */
    int64_t iteration; /* that the trial had reached */
    double score;      /* that it was ranked by; NaN: none */
    /* of the donor's checkpoint, from which the trial went on */
    int64_t donor_iteration;
    double donor_score;
    uint32_t checkpoint; /* its number */
    /*
     * The exploit behind the weights in that checkpoint, or PBT_NONE.  From
     * pbt_trial_info.exploit on, this is a trial's line of descent.
     */
    uint32_t parent;
    bool
        undone; /* the checkpoint was lost, and the trial has gone back further */
    /* How many exploits are behind the weights that it gave, itself included. */
    uint32_t generation;
    /*
     * Whose hyperparameters were explored: the donor's, but exploit_copies may say the trial's
     * own, or another's whose weights were not taken.
     */
    uint32_t config_from;
};

/* All exploits, in the order in which they happened; NULL if `*count` is 0. */
PBT_API const struct pbt_exploit_info *
pbt_results_exploits(const struct pbt_results *results, size_t *count);

/* The configuration that it gave its trial; lives until the next call. */
PBT_API int pbt_results_exploit_config(struct pbt_results *results,
                                       uint32_t exploit,
                                       const struct pbt_config **config,
                                       struct pbt_error *error);

/* --- results, row by row -------------------------------------------------- */

/* One result; lives until the function that it is given to returns. */
struct pbt_row {
    uint32_t trial;
    int64_t iteration; /* training_iteration */
    double time_total_s;
    double time_this_iter_s;
    double timestamp;          /* unix time in seconds */
    uint64_t epoch;            /* the life of the trial that it belongs to */
    uint64_t seq;              /* its number therein, from 1 */
    uint32_t exploit;          /* the newest one behind it, or PBT_NONE */
    bool undone;               /* it no longer counts */
    struct pbt_row_data *data; /* for the functions below */
    /*
     * The line of descent that it belongs to: one begins with a trial's first configuration,
     * and one with each exploit.
     */
    uint64_t lineage;
    /*
     * The checkpoint that its life began from, below the run's directory:
     * "ba982_00003/checkpoint_000005"; "": none.  Whose that is, PBT_NONE: nobody's; and where it
     * began.
     */
    const char *from;
    uint32_t from_trial;
    int64_t from_iteration;
    uint32_t generation; /* how many exploits are behind its weights */
};

/*
 * A metric of a row as a number; nested ones are "outer/inner".  training_iteration,
 * time_total_s, time_this_iter_s and timestamp are there, too.  False: there is none of that
 * name, or it is no number.  NaN and infinities are numbers.
 */
PBT_API bool pbt_row_real(const struct pbt_row *row, const char *metric,
                          double *value);

/* A metric that is a text.  False: there is none of that name, or it is no text. */
PBT_API bool pbt_row_text(const struct pbt_row *row, const char *metric,
                          const char **text);

/*
 * The names of the metrics that the trainable reported, as the two functions above take
 * them: metric 0, 1, ...; NULL behind the last one (or if memory is out).
 */
PBT_API const char *pbt_row_metric(const struct pbt_row *row, size_t index);

/* All of them as a JSON object, as they were reported; NULL if memory is out. */
PBT_API const char *pbt_row_json(const struct pbt_row *row);

/* The configuration that it was trained with.  PBT_ENOMEM. */
PBT_API int pbt_row_config(const struct pbt_row *row,
                           const struct pbt_config **config,
                           struct pbt_error *error);

/*
 * Anything but 0 ends the reading.  While it goes on nobody else can bring experiment.db up to date,
 * so a function that waits for a person, say, had better keep what it is given for later.
 */
typedef int (*pbt_row_fn)(void *user, const struct pbt_row *row);

enum pbt_row_filter {
    PBT_ROWS_COUNTING, /* those that count */
    PBT_ROWS_ALL       /* also those that were undone since */
};

/*
 * Gives the results of a trial, or with PBT_NONE of all trials, to `fn`, in the order in
 * which they came.  If `fn` ends the reading, what it returned is returned, and `error` is
 * left alone.
 */
PBT_API int pbt_results_rows(struct pbt_results *results, uint32_t trial,
                             enum pbt_row_filter filter, pbt_row_fn fn,
                             void *user, struct pbt_error *error);

/* --- the best ------------------------------------------------------------- */

/* How the results of a trial become one number.  name, text, what it is */
#define PBT_SCOPE_MAP(X)                                                       \
    X(PBT_SCOPE_ALL, "all", "its best result")                                 \
    X(PBT_SCOPE_LAST, "last", "its last result")                               \
    X(PBT_SCOPE_AVG, "avg", "the mean of its results")                         \
    X(PBT_SCOPE_LAST_5_AVG, "last-5-avg", "the mean of its last 5 results")    \
    X(PBT_SCOPE_LAST_10_AVG, "last-10-avg", "the mean of its last 10 results")

enum pbt_scope {
#define PBT_SCOPE_ENUM(name, text, meaning) name,
    PBT_SCOPE_MAP(PBT_SCOPE_ENUM)
#undef PBT_SCOPE_ENUM
};

/* "last-5-avg" */
PBT_API const char *pbt_scope_name(enum pbt_scope scope);

struct pbt_best_query {
    uint32_t version;   /* PBT_BEST_QUERY_INIT */
    const char *metric; /* NULL: the experiment's */
    enum pbt_mode mode; /* PBT_MODE_DEFAULT: the experiment's */
    enum pbt_scope scope;
};

/* The version of struct pbt_best_query that the caller was compiled with. */
#define PBT_BEST_QUERY_INIT 1u

struct pbt_best {
    const char *metric;
    enum pbt_mode mode;
    enum pbt_scope scope;
    const struct pbt_trial_info *trial;
    double value; /* of the metric, in that scope: finite */
    /*
     * Scope `all`: the iteration of the best result, and what it was trained with.  Others:
     * of the last result.
     */
    int64_t iteration;
    const struct pbt_config *config;
    /*
     * Of the trial's kept checkpoints the one with the best value of the metric; if it has none,
     * the one that it would go on from, perhaps a donor's; NULL: there is none either.
     */
    const struct pbt_checkpoint_info *checkpoint;
    double checkpoint_value; /* of the metric, there; NaN: not known */
};

/*
 * The best trial.  Only results that count are looked at (see above), and of these only those
 * that have the metric.  A trial whose number (for `all`: every one) is NaN or infinite is
 * left out; of equals the first wins.  This is Ray Tune's get_best_trial() with two
 * differences: its means weigh results by iteration, ours are means; and it gives a
 * single trial whatever its results are.
 *
 * `*best` lives until the next call.  PBT_EUSAGE: there is no such metric, and `error` says
 * which there are.  PBT_ENOINPUT: there are no results yet, or none with a finite number.
 */
PBT_API int pbt_results_best(struct pbt_results *results,
                             const struct pbt_best_query *query,
                             const struct pbt_best **best,
                             struct pbt_error *error);

#ifdef __cplusplus
}
#endif
#endif
