/*
 * policy.h: Ray's policy files: private to src/log.
 *
 * Each exploit is a line in pbt_global.txt, and the last line of the loser's own file,
 * which begins as a copy of the donor's: it is the schedule behind the weights that the
 * loser now has.  Lines are kept once in memory, each pointing to the one before it, and a
 * file is written anew when its trial has exploited.
 *
 * The line of an exploit that is undone goes from both.
 */
#ifndef PBT_LOG_POLICY_H
#define PBT_LOG_POLICY_H

#include "log/board.h"
#include "log/file.h"

/* counted references; lines that no trial needs are freed */
struct pbt_policy_line;

/*
 * As many exploits of a trial can be undone at a time with its former schedule coming back,
 * or all of them.  Going back ends at a durable checkpoint at the latest: it takes a disk
 * that syncs nothing during as many exploits of one trial to go further.
 */
#define PBT_POLICY_UNDO_MAX 32

/* donors: best_ever: the schedule behind a checkpoint that may still be given. */
struct pbt_policy_kept {
    uint32_t number;
    struct pbt_policy_line *head;
};

struct pbt_policy_trial {
    struct pbt_policy_line *head; /* NULL: no exploit yet */
    uint32_t exploits;            /* that stand */
    /* What `head` was before each of the newest of them: a ring, by their number. */
    struct pbt_policy_line *before[PBT_POLICY_UNDO_MAX];
    struct pbt_policy_kept *kept;
    uint32_t kept_count;
    uint32_t
        undone; /* so many of its lines are to go from the file, the last ones */
};

struct pbt_policy {
    struct pbt_policy_trial *trials;
    uint32_t population;
    struct pbt_log_file global;
    bool cuts; /* a trial's `undone` is not 0 */
};

int pbt_policy_init(struct pbt_policy *policy, uint32_t population,
                    struct pbt_error *error);
void pbt_policy_done(struct pbt_policy *policy);

/*
 * Takes in that a checkpoint is saved, or gone: needed where a donor may give one that it has made
 * before its last exploit.
 */
int pbt_policy_saved(struct pbt_policy *policy, struct pbt_checkpoint_id id,
                     struct pbt_error *error);
void pbt_policy_gone(struct pbt_policy *policy, struct pbt_checkpoint_id id);

/*
 * Takes in an exploit.  The tags are those of the board; `config` is what the trial had until
 * then.  Where it keeps its weights, the line in its own file is about itself:
 * that file is the schedule behind its weights.
 */
int pbt_policy_feed(struct pbt_policy *policy, const struct pbt_board *board,
                    const struct pbt_record *record,
                    const struct pbt_cell *config, struct pbt_error *error);

/* Takes in that exploits of a trial are undone. */
int pbt_policy_undo(struct pbt_policy *policy, const struct pbt_record *record,
                    struct pbt_error *error);

/* Takes the lines of undone exploits from pbt_global.txt, which must have been cut. */
int pbt_policy_cut(struct pbt_policy *policy, const struct pbt_log_dir *dir,
                   struct pbt_error *error);

/* Writes a trial's file, or removes it if it has not exploited. */
int pbt_policy_write(const struct pbt_policy *policy,
                     const struct pbt_log_dir *dir, const char *trial_id,
                     uint32_t trial, struct pbt_error *error);

#endif
