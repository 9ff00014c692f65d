/*
 * story.h: one seed from its first driver to the end of its run.
 */
#ifndef PBT_TESTS_SIM_STORY_H
#define PBT_TESTS_SIM_STORY_H

#include <stdbool.h>
#include <stdint.h>

#include "judge.h"

struct story_counts {
    uint64_t extensions;
    uint64_t snapshots;   /* that a driver began from */
    uint64_t passed_over; /* that could not be used */
    struct judge_counts judged;
    uint64_t turns;
    uint64_t opens;
    uint64_t deaths;
    uint64_t power_losses;
    uint64_t cuts; /* power losses that took records */
    uint64_t stops;
    uint64_t idle; /* turns in which all was paused */
};

struct story_ask {
    uint64_t seed;
    bool keeping; /* a small case, about what is kept (case.h) */
    bool trace;   /* tells all on stdout */
    const char
        *scratch; /* a directory for the log files; NULL: none are written */
};

/* NULL: all went well; else what went wrong, until the next call.  `counts` are added to. */
const char *story_run(const struct story_ask *ask, struct story_counts *counts);

#endif
