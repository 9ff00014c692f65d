/*
 * model.h: what the judge believes: private to judge*.c.
 */
#ifndef PBT_TESTS_SIM_MODEL_H
#define PBT_TESTS_SIM_MODEL_H

#include "base/buf.h"
#include "case.h"
#include "judge.h"

#define JUDGE_PARAMS 4
/* Restart points: the bottom, two durable ones and those since. */
#define JUDGE_POINTS 12

/* The last scores of a trial's weights: a t-test compares them. */
struct judge_scores {
    double score[CASE_SCORES_MAX];
    uint32_t count;
};

struct judge_config {
    struct pbt_cell cells[JUDGE_PARAMS];
};

/* A restart point. */
struct judge_point {
    struct pbt_checkpoint_id checkpoint;
    struct pbt_checkpoint_id pair;
    struct judge_config config;
    int64_t iteration;
    double last_perturbation;
    uint32_t exploits;
    uint64_t lineage;
    bool ranked;
    double score;
    struct judge_scores scores;
    struct judge_scores sample;
    uint64_t settled;
};

enum judge_fate {
    JUDGE_UNKNOWN,
    JUDGE_SAVED,
    JUDGE_DELETED,
    JUDGE_BAD,
};

struct judge_checkpoint {
    enum judge_fate fate;
    bool durable;
    bool was_synced; /* before the journal was cut */
    uint64_t epoch;
    uint64_t seq;
    struct judge_config config;
    uint64_t record; /* that says it is saved */
    int64_t iteration;
    double seconds;
    double score;
    double value;
    uint64_t bytes;
};

struct judge_trial {
    bool created;
    bool process;
    bool over;
    bool error;
    bool terminates; /* its process is leaving for good */
    bool passed;     /* at its point: an exploit was due and can't be */
    bool stopping;   /* it has reached a stop criterion, or is asked to stop */
    bool held;       /* the user has paused it */
    bool end_asked;  /* the user has asked for its end */
    bool resting;
    bool saving;
    uint64_t saved_seq;
    bool asked;
    struct pbt_checkpoint_id asked_checkpoint;
    struct judge_config asked_config;
    /* It is to adopt that donor's hyperparameters, once it has saved. */
    bool adopts;
    uint32_t adopts_from;
    double adopts_score;
    int64_t adopts_iteration;
    struct judge_config adopts_config;

    uint64_t epoch;
    uint64_t process_epoch;
    uint64_t seq;
    /* Where its present life began. */
    struct pbt_checkpoint_id life_checkpoint;
    int64_t life_iteration;

    int64_t iteration;
    double last_perturbation; /* in units of time_attr */
    uint32_t exploits;
    uint32_t told; /* of these, by the records: more if some are undone */
    uint32_t
        setbacks; /* failures since its last result, or start of a driver */
    uint32_t failures;   /* since it was last replaced */
    uint32_t replaced;   /* so often it went on as a copy when it had failed */
    bool replaces;       /* it asks for that: else it has failed */
    uint64_t not_before; /* it backs off until then */
    uint64_t lineage;
    bool ranked;
    double score;
    double value; /* that checkpoints are kept by, of the last result */
    struct judge_scores scores; /* so far */
    struct judge_scores sample; /* at its last point */
    uint64_t settled; /* the last round in which it was exploited, or passed */
    struct pbt_checkpoint_id pair;
    struct pbt_checkpoint_id best; /* its best pair so far, until it is given */
    bool has_best;
    double best_score;
    struct judge_config config;

    struct judge_point points[JUDGE_POINTS];
    uint32_t point_count;

    struct judge_checkpoint *checkpoints; /* by number - 1 */
    uint32_t checkpoint_count;
    uint32_t checkpoint_capacity;
};

/* A result that is in the journal. */
struct judge_result {
    uint64_t epoch; /* 0: a free place */
    uint64_t seq;
    double score;
    bool point;
};

struct judge {
    const struct pbt_spec *spec;
    const struct pbt_settings *settings;
    struct pbt_sim *sim;
    struct judge_trial trials[JUDGE_TRIALS];
    uint64_t records;
    uint64_t time; /* of the last record */
    uint64_t incarnation;
    uint32_t slots;
    enum pbt_end end;
    uint64_t last_epoch;
    struct pbt_checkpoint_id best;
    uint64_t round; /* synchronous: from 1, and where it is to be arrived at */
    double target;
    bool extended; /* its ends were put further away */
    /* Of so many `opened` it isn't known whether their driver had the bounds of now. */
    uint32_t unsure;
    bool past;

    struct judge_result *results; /* a hash table, at most half full */
    size_t result_count;
    size_t result_capacity; /* a power of two */

    struct pbt_buf text;
    struct judge_counts counts;
    char verdict[512];
};

/* judge_result.c: results by (epoch, seq) */
void judge_results_clear(struct judge *judge);
/* NULL: there is none. */
const struct judge_result *judge_find_result(const struct judge *judge,
                                             uint64_t epoch, uint64_t seq);
void judge_add_result(struct judge *judge, const struct judge_result *result);

/* judge_model.c */

bool judge_same_id(struct pbt_checkpoint_id a, struct pbt_checkpoint_id b);
bool judge_same_config(const struct judge *judge, const struct judge_config *a,
                       const struct pbt_cell *b);
struct judge_config judge_config_of(const struct judge *judge,
                                    const struct pbt_cell *cells);
/* What was drawn stays, and what was asked for is there. */
bool judge_is_answer(const struct judge *judge,
                     const struct judge_config *asked,
                     const struct pbt_cell *cells);
struct judge_checkpoint *judge_checkpoint(struct judge *judge,
                                          struct pbt_checkpoint_id id);
struct judge_checkpoint *judge_add_checkpoint(struct judge *judge,
                                              struct pbt_checkpoint_id id);
/* The experiment is over for good. */
bool judge_is_final(enum pbt_end end);
double judge_clock_of(const struct judge *judge, int64_t iteration,
                      double time_total);
/* exploit_copies: hyperparameters */
bool judge_keeps_weights(const struct judge *judge);
/* A life begins. */
void judge_take_epoch(struct judge *judge, const struct pbt_record *record);
void judge_push_point(struct judge *judge, struct judge_trial *trial,
                      struct pbt_checkpoint_id checkpoint);
void judge_drop_point(struct judge_trial *trial, uint32_t at);
/* To the newest restart point. */
void judge_go_back(struct judge_trial *trial);
void judge_finish(struct judge_trial *trial, bool error);
/* Has it a pair that is better than all that it has had? */
void judge_note_best(struct judge_trial *trial);
/* Without an answer: at its point again, or back, if its process is gone; or failed, as before. */
void judge_stop_asking(struct judge_trial *trial);

/* One record each: judge_lives.c */
void judge_take_opened(struct judge *judge, const struct pbt_record *record);
void judge_take_trial(struct judge *judge, const struct pbt_record *record);
void judge_take_start(struct judge *judge, const struct pbt_record *record);
void judge_take_exited(struct judge *judge, const struct pbt_record *record);
void judge_take_end(struct judge *judge, const struct pbt_record *record);
void judge_take_request(struct judge *judge, const struct pbt_record *record);
void judge_take_extend(struct judge *judge);
void judge_take_reopen(struct judge *judge, const struct pbt_record *record);
/* judge_train.c */
void judge_take_result(struct judge *judge, const struct pbt_record *record);
void judge_take_saved(struct judge *judge, const struct pbt_record *record);
void judge_take_durable(struct judge *judge, const struct pbt_record *record);
void judge_take_delete(struct judge *judge, const struct pbt_record *record);
void judge_take_bad(struct judge *judge, const struct pbt_record *record);
void judge_take_undo(struct judge *judge, const struct pbt_record *record);
/* judge_donor.c */
void judge_take_exploit(struct judge *judge, const struct pbt_record *record);
void judge_take_ask_first(struct judge *judge, const struct pbt_record *record);
void judge_take_ask(struct judge *judge, const struct pbt_record *record);
void judge_take_pass(struct judge *judge, const struct pbt_record *record);
void judge_take_save(struct judge *judge, const struct pbt_record *record);

/* judge_exploit.c */

/* It counts in the quantiles. */
bool judge_takes_part(const struct judge *judge,
                      const struct judge_trial *trial);
/* Synchronous: it waits for the others. */
bool judge_has_arrived(const struct judge *judge,
                       const struct judge_trial *trial);
/* A round may end: all have arrived, and the losers are seen to. */
void judge_round(struct judge *judge, const struct pbt_record *record);
/* An exploit, or the asking before it. */
void judge_donation(struct judge *judge, const struct pbt_record *record);
/* exploit_copies: hyperparameters.  The record of the choice, and that of what follows on it. */
void judge_choice(struct judge *judge, const struct pbt_record *record);
void judge_adoption(struct judge *judge, const struct pbt_record *record);
/* Nobody could be the donor, or the one that was drawn is not better by enough. */
void judge_pass(struct judge *judge, const struct pbt_record *record);
/* Who has failed for good goes on as another, or asks before that. */
void judge_replacement(struct judge *judge, const struct pbt_record *record);
/* The trial has failed for good, and could go on as another's copy. */
bool judge_is_replaceable(const struct judge *judge, uint32_t number);
/* A save at a point: no exploit was due. */
void judge_point_save(struct judge *judge, const struct pbt_record *record);

/* judge_keep.c */

/* A checkpoint is saved, lost, deleted (before its fate says so). */
void judge_saved(struct judge *judge, const struct pbt_record *record);
void judge_lost(struct judge *judge, struct pbt_checkpoint_id id);
void judge_delete(struct judge *judge, struct pbt_checkpoint_id id);
/* The state being settled: nothing is kept that nobody wants. */
void judge_kept(struct judge *judge);

#endif
