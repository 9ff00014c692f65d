/*
 * peer.h: the program that has started us, and answers for its functions (--ask-fd): the
 * Python client does.  docs/protocol.md, "Being asked".
 */
#ifndef PBT_CLI_PEER_H
#define PBT_CLI_PEER_H

#include <stdbool.h>

#include "cli/cli.h"
#include "run/run.h"
#include "wire/message.h"

struct pbt_cli_peer {
    int fd;             /* -1: there is none */
    const char **names; /* of its functions, NULL-terminated */
    json_t *hello;      /* has them */
    bool explores;
    struct pbt_lines lines;
};

/*
 * Takes --ask-fd, if it is given, and what the program says of itself.  The status of a
 * failure is returned when it has been said.  pbt_cli_peer_done() releases, after that too.
 */
int pbt_cli_peer_open(struct pbt_cli_peer *peer,
                      const struct pbt_cli_call *call);
void pbt_cli_peer_done(struct pbt_cli_peer *peer);

/* Tells a specification of its functions, which are borrowed. */
void pbt_cli_peer_tell(const struct pbt_cli_peer *peer, struct pbt_spec *spec);

/* The same for a run, and says to the program where that is. */
void pbt_cli_peer_use(struct pbt_cli_peer *peer,
                      struct pbt_run_options *options, const char *run);

#endif
