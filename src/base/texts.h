/*
 * texts.h: a table of texts, each held once under a handle.
 *
 * Values of hyperparameters that are no numbers or truth values (strings, null,
 * lists) are held here as their canonical JSON text, so that a cell of the core
 * is 16 bytes.  Handles count from 0 in order of arrival and live as long
 * as the table.
 */
#ifndef PBT_BASE_TEXTS_H
#define PBT_BASE_TEXTS_H

#include <stddef.h>
#include <stdint.h>

#include <pbt/error.h>

struct pbt_texts {
    char **items;
    uint32_t count;
    uint32_t capacity;
};

void pbt_texts_done(struct pbt_texts *texts);
/* The handle of a text, taken in if it is new.  PBT_ENOMEM. */
int pbt_texts_add(struct pbt_texts *texts, const char *text, size_t length,
                  uint32_t *handle);
/* The text of a handle, borrowed. */
const char *pbt_texts_get(const struct pbt_texts *texts, uint32_t handle);

#endif
