/*
 * paint.h: the colours of messages.
 */
#ifndef PBT_CLI_PAINT_H
#define PBT_CLI_PAINT_H

#include "base/buf.h"
#include "view/screen.h"

/* What --color says of stderr; AUTO at first. */
void pbt_cli_paint_when(enum pbt_color color);

/* True if messages are to have colours: a terminal that shows them, and nobody against it. */
bool pbt_cli_paints(void);

/*
 * Appends lines of messages, which hold no control characters, with colours: "error[...]" is
 * red, "warning[...]" yellow, and so are the carets below a line.
 */
void pbt_cli_paint(struct pbt_buf *out, const char *text, size_t length);

#endif
