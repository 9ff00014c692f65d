#include "store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../examples/papers/numbers.h"

#define NUMBERS_MAX 4

struct saved {
    size_t count;
    double numbers[NUMBERS_MAX];
};

/* Of one trial: by the checkpoints' numbers, from 1. */
struct shelf {
    struct saved *saved;
    size_t capacity;
};

static struct {
    struct shelf *shelves;
    size_t count;
} store;

void store_dir(struct pbt_checkpoint_id id, char dir[STORE_DIR_SIZE])
{
    (void)snprintf(dir, STORE_DIR_SIZE, "%" PRIu32 "/%" PRIu32, id.trial,
                   id.number);
}

void store_clear(void)
{
    for (size_t i = 0; i < store.count; i++) {
        free(store.shelves[i].saved);
    }
    free(store.shelves);
    store.shelves = NULL;
    store.count = 0;
}

/* More of them, zeroed; false if there is no memory. */
static bool grow(void **items, size_t *count, size_t size, size_t wanted)
{
    if (wanted <= *count) {
        return true;
    }
    size_t more = wanted > 2 * *count ? wanted : 2 * *count;
    char *grown = realloc(*items, more * size);
    if (grown == NULL) {
        return false;
    }
    memset(grown + *count * size, 0, (more - *count) * size);
    *items = grown;
    *count = more;
    return true;
}

/* NULL: no memory. */
static struct saved *place(const char *dir)
{
    char *rest;
    size_t trial = strtoul(dir, &rest, 10);
    size_t number = strtoul(rest + 1, NULL, 10);
    void *shelves = store.shelves;
    bool grown = grow(&shelves, &store.count, sizeof *store.shelves, trial + 1);
    store.shelves = shelves;
    if (!grown) {
        return NULL;
    }
    struct shelf *shelf = &store.shelves[trial];
    void *saved = shelf->saved;
    grown = grow(&saved, &shelf->capacity, sizeof *shelf->saved, number + 1);
    shelf->saved = saved;
    return grown ? &shelf->saved[number] : NULL;
}

int numbers_save(const char *dir, const double *numbers, size_t count,
                 struct pbt_error *error)
{
    struct saved *saved = place(dir);
    if (saved == NULL || count > NUMBERS_MAX) {
        return pbt_error_set(error, PBT_ENOMEM, "no place for checkpoint %s",
                             dir);
    }
    memcpy(saved->numbers, numbers, count * sizeof *numbers);
    saved->count = count;
    return PBT_OK;
}

int numbers_load(const char *dir, double *numbers, size_t count,
                 struct pbt_error *error)
{
    const struct saved *saved = place(dir);
    if (saved == NULL || saved->count != count) {
        return pbt_error_set(error, PBT_EDATA, "no checkpoint %s", dir);
    }
    memcpy(numbers, saved->numbers, count * sizeof *numbers);
    return PBT_OK;
}
