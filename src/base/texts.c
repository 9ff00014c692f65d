#include "base/texts.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/*
 * `items` is one block: the `capacity` pointers, and behind them a hash table of
 * 2 x capacity handles + 1 (0: free), so that the thousandth text is found as fast as the
 * first.
 */
#define CAPACITY_MIN 16
#define CAPACITY_MAX (UINT32_MAX / 8)

static uint32_t *slots_of(const struct pbt_texts *texts)
{
    return (uint32_t *)(void *)(texts->items + texts->capacity);
}

static uint32_t hash_text(const char *text, size_t length)
{
    uint64_t hash = UINT64_C(14695981039346656037); /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(1099511628211);
    }
    return (uint32_t)(hash ^ (hash >> 32));
}

/* The slot of the text, or the free one where it belongs.  capacity > 0. */
static uint32_t *find_slot(const struct pbt_texts *texts, const char *text,
                           size_t length)
{
    uint32_t *slots = slots_of(texts);
    uint32_t mask = 2 * texts->capacity - 1; /* a power of two */
    uint32_t at = hash_text(text, length) & mask;
    while (slots[at] != 0) {
        const char *item = texts->items[slots[at] - 1];
        if (strncmp(item, text, length) == 0 && item[length] == '\0') {
            break;
        }
        at = (at + 1) & mask;
    }
    return &slots[at];
}

static int grow(struct pbt_texts *texts)
{
    if (texts->capacity > CAPACITY_MAX) {
        return PBT_ENOMEM;
    }
    struct pbt_texts larger = {
        .count = texts->count,
        .capacity = texts->capacity == 0 ? CAPACITY_MIN : 2 * texts->capacity,
    };
    larger.items =
        calloc(larger.capacity, sizeof *larger.items + 2 * sizeof(uint32_t));
    if (larger.items == NULL) {
        return PBT_ENOMEM;
    }
    for (uint32_t i = 0; i < texts->count; i++) {
        larger.items[i] = texts->items[i];
        *find_slot(&larger, larger.items[i], strlen(larger.items[i])) = i + 1;
    }
    free(texts->items);
    *texts = larger;
    return PBT_OK;
}

void pbt_texts_done(struct pbt_texts *texts)
{
    for (uint32_t i = 0; i < texts->count; i++) {
        free(texts->items[i]);
    }
    free(texts->items);
    *texts = (struct pbt_texts){.items = NULL};
}

int pbt_texts_add(struct pbt_texts *texts, const char *text, size_t length,
                  uint32_t *handle)
{
    if (texts->capacity > 0) {
        uint32_t found = *find_slot(texts, text, length);
        if (found != 0) {
            *handle = found - 1;
            return PBT_OK;
        }
    }
    char *copy = malloc(length + 1);
    if (copy == NULL) {
        return PBT_ENOMEM;
    }
    memcpy(copy, text, length);
    copy[length] = '\0';
    if (texts->count == texts->capacity && grow(texts) != PBT_OK) {
        free(copy);
        return PBT_ENOMEM;
    }
    texts->items[texts->count] = copy;
    *handle = texts->count++;
    *find_slot(texts, copy, length) = texts->count;
    return PBT_OK;
}

const char *pbt_texts_get(const struct pbt_texts *texts, uint32_t handle)
{
    return texts->items[handle];
}
