/*
 * policy_file.h: Ray's pbt_policy_<trial>.txt and ours: the schedule behind a trial's weights.
 */
#ifndef PBT_SPEC_POLICY_FILE_H
#define PBT_SPEC_POLICY_FILE_H

#include <pbt/error.h>

#include "base/buf.h"

struct pbt_policy_schedule {
    struct pbt_buf config;   /* JSON: what the trial starts with */
    struct pbt_buf schedule; /* JSON: as scheduler.schedule */
    uint32_t changes;
    /* What was skipped, and why: lines for people.  NULL data: nothing. */
    struct pbt_buf skipped;
};

/*
 * Reads a policy file.  Each line is a JSON array of six: whose weights changed, whose were
 * copied (their tags), the iterations of both, the configuration before and after.  Ray's rule:
 * from the last line backwards, as long as the line before is about the trial that the
 * present one copied.  A torn last line, blank lines, comments and a byte order mark are
 * skipped, and said; a bad line elsewhere is an error with its number.
 *
 * PBT_ENOINPUT: there is no such file; PBT_EDATA: a line is wrong, or there is none, or the
 * file would be that of a trial that never exploited: the text says how to train that.
 */
int pbt_policy_read(const char *path, struct pbt_policy_schedule *policy,
                    struct pbt_error *error);

/* The same from text; `label` names it in messages. */
int pbt_policy_parse(const char *text, size_t length, const char *label,
                     struct pbt_policy_schedule *policy,
                     struct pbt_error *error);

void pbt_policy_schedule_done(struct pbt_policy_schedule *policy);

#endif
