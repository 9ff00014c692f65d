/*
 * policy.h: Ray's policy files: private to src/log.
 *
 * Each exploit is a line in pbt_global.txt, and the last line of the loser's own file,
 * which begins as a copy of the donor's: it is the schedule behind the weights that the
 * loser now has.  Lines are kept once in memory, each pointing to the one before it, and a
 * file is written anew when its trial has exploited.
 */
#ifndef PBT_LOG_POLICY_H
#define PBT_LOG_POLICY_H

#include "log/board.h"
#include "log/file.h"

/* counted references; lines that no trial needs are freed */
struct pbt_policy_line;

struct pbt_policy {
    struct pbt_policy_line **heads; /* per trial; NULL: no exploit yet */
    uint32_t population;
    struct pbt_log_file global;
};

int pbt_policy_init(struct pbt_policy *policy, uint32_t population,
                    struct pbt_error *error);
void pbt_policy_done(struct pbt_policy *policy);

/* Takes in an exploit.  The tags are those of the board. */
int pbt_policy_feed(struct pbt_policy *policy, const struct pbt_board *board,
                    const struct pbt_record *record, struct pbt_error *error);

/* Writes a trial's file, or removes it if it has not exploited. */
int pbt_policy_write(const struct pbt_policy *policy, int dir,
                     const char *trial_id, uint32_t trial,
                     struct pbt_error *error);

#endif
