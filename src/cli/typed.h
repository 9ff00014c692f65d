/*
 * typed.h: a text that is made of what was typed, and where each of its bytes was: what is wrong
 * with an override that comes from a flag is shown in the flag.
 */
#ifndef PBT_CLI_TYPED_H
#define PBT_CLI_TYPED_H

#include "base/buf.h"

struct pbt_cli_text {
    struct pbt_buf text;
    const char *
        *places; /* of each byte; behind the last one, where that ends */
};

void pbt_cli_text_init(struct pbt_cli_text *text);
void pbt_cli_text_done(struct pbt_cli_text *text);
/* Adds bytes as they stand at `typed`. */
void pbt_cli_text_typed(struct pbt_cli_text *text, const char *typed,
                        size_t length);
/* Adds what stands for the byte at `place`. */
void pbt_cli_text_made(struct pbt_cli_text *text, const char *made,
                       const char *place);
/* Adds a word as a JSON string. */
void pbt_cli_text_json(struct pbt_cli_text *text, const char *word);
/* True if there was no memory, or too much text. */
bool pbt_cli_text_failed(const struct pbt_cli_text *text);

#endif
