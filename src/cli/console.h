/*
 * console.h: what `pbt run` and `pbt resume` show while a run goes on: messages on
 * stderr, and the status block on stdout, in place on a terminal; elsewhere
 * at the start and at the end, and between them a line every 30 s.
 */
#ifndef PBT_CLI_CONSOLE_H
#define PBT_CLI_CONSOLE_H

#include <pthread.h>

#include "log/board.h"
#include "run/run.h"
#include "view/status.h"

struct pbt_console {
    pthread_mutex_t lock;
    struct pbt_screen screen;
    struct pbt_buf block;
    const char *run_dir;
    uint64_t shown;   /* when: monotonic ns; 0: never */
    uint64_t changed; /* the record number that was shown */
    bool collapsed;   /* it has been said */
    struct pbt_widths widths;
    bool quiet; /* only the last block */
};

void pbt_console_init(struct pbt_console *console, const char *run_dir,
                      bool quiet, enum pbt_color color);
void pbt_console_done(struct pbt_console *console);

/* For struct pbt_run_options; `user` is the console. */
void pbt_console_say(void *user, const char *text);
void pbt_console_show(void *user, const struct pbt_board *board, bool last);

#endif
