/*
 * claims.h: what papers and Ray's examples claim of their toys, as runs and figures.
 */
#ifndef PAPERS_CLAIMS_H
#define PAPERS_CLAIMS_H

#include <stdint.h>

#include "world.h"

#define CLAIM_OVERRIDES 8

/* What is measured, over the seeds. */
enum measure {
    CLAIM_MEDIAN, /* of the best score at the end */
    CLAIM_MEAN,
    CLAIM_SHARE, /* of the seeds with a trial that says it is done */
};

enum relation {
    CLAIM_IS,    /* to 1e-9 */
    CLAIM_NEAR,  /* within 1 percent; a mean: or what chance explains */
    CLAIM_ABOVE, /* or equal */
    CLAIM_BELOW, /* or equal */
};

struct claim {
    const char *section; /* NULL: that of the one before */
    const char *what;
    const struct toy *toy;
    enum measure measure;
    uint32_t seeds; /* 1 to this */
    enum relation relation;
    double figure;
    const char *overrides[CLAIM_OVERRIDES]; /* NULL-terminated */
};

/* Ends with one that has no toy. */
extern const struct claim claims[];

#endif
