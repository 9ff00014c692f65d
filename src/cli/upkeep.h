/*
 * upkeep.h: what the verbs that look through a run's files share.
 */
#ifndef PBT_CLI_UPKEEP_H
#define PBT_CLI_UPKEEP_H

#include <stdint.h>

#include "base/buf.h"
#include "view/screen.h"

/* A line on stderr that says how far it is; only where that is a terminal. */
struct pbt_cli_meter {
    struct pbt_screen screen;
    const char *doing; /* "verifying" */
    uint64_t begun;    /* when, ns; 0: not yet */
    uint64_t shown;    /* the same */
};

void pbt_cli_meter_init(struct pbt_cli_meter *meter, const char *doing);
/* At most some times a second. */
void pbt_cli_meter_show(struct pbt_cli_meter *meter, uint32_t done,
                        uint32_t all, uint64_t bytes);
/* The same as a bar, if it takes a while. */
void pbt_cli_meter_bar(struct pbt_cli_meter *meter, uint64_t bytes,
                       uint64_t of_bytes);
void pbt_cli_meter_done(struct pbt_cli_meter *meter);

#endif
