/*
 * fill.h: what a program without a client is told: arguments and templates with their
 * placeholders filled in, and its environment (docs/command.md).
 */
#ifndef PBT_COMMAND_FILL_H
#define PBT_COMMAND_FILL_H

#include <stddef.h>

#include <jansson.h>
#include <pbt/error.h>

#include "base/buf.h"
#include "base/placeholder.h"

#define PBT_ARGUMENT_MAX 131072u /* bytes: the system's own limit */

struct pbt_fill {
    const json_t *config; /* hyperparameters */
    const char
        *own[PBT_PLACEHOLDER_COUNT]; /* texts of pbt's own placeholders */
    char *const *templates; /* "name=path", NULL-terminated; NULL: none */
};

/*
 * Appends `text`, filled in.  A real has the fewest digits that read back to it, null is
 * empty, a list is JSON.  PBT_ECONFIG: it has a placeholder that is none.
 */
int pbt_fill_text(const struct pbt_fill *fill, const char *text, size_t length,
                  struct pbt_buf *out, struct pbt_error *error);

/* The same for a whole command line: *argv, to be freed by pbt_fill_free(). */
int pbt_fill_command(const struct pbt_fill *fill, char *const *command,
                     char ***argv, struct pbt_error *error);
void pbt_fill_free(char **argv);

/* Fills the templates into their files in the trial's directory. */
int pbt_fill_templates(const struct pbt_fill *fill, struct pbt_error *error);

/* Puts pbt's own variables and the hyperparameters' into our environment. */
int pbt_fill_environment(const struct pbt_fill *fill, struct pbt_error *error);

#endif
