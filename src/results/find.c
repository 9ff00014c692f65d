/*
 * find.c: a trial, by what a person calls it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/codes.h"
#include "results/results.h"
#include "spec/schema.h"

#define LISTED_MAX 12
#define TEXT_MAX 512

/* A run of digits that is the number of a trial. */
static bool as_number(const char *text, uint32_t count, uint32_t *number)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 9 || text[digits] != '\0') {
        return false;
    }
    *number = (uint32_t)strtoul(text, NULL, 10);
    return *number < count;
}

static bool begins_or_ends(const char *id, const char *text)
{
    size_t length = strlen(text);
    size_t all = strlen(id);
    return length > 0 && length <= all &&
           (memcmp(id, text, length) == 0 ||
            memcmp(id + all - length, text, length) == 0);
}

/* "ba982_00000, ba982_00001", or the first and the last of many. */
static void list_trials(const struct pbt_results *results, char out[TEXT_MAX])
{
    uint32_t count = results->run.trials;
    size_t length = 0;
    if (count > LISTED_MAX) {
        (void)snprintf(out, TEXT_MAX, "%s to %s (or 0 to %" PRIu32 ")",
                       results->trials[0].id, results->trials[count - 1].id,
                       count - 1);
        return;
    }
    out[0] = '\0';
    for (uint32_t i = 0; i < count && length < TEXT_MAX; i++) {
        length += (size_t)snprintf(out + length, TEXT_MAX - length, "%s%s",
                                   i > 0 ? ", " : "", results->trials[i].id);
    }
}

/* The id that `text` is nearly, if just one is that near. */
static const char *close_id(const struct pbt_results *results, const char *text)
{
    const char *close = NULL;
    size_t least = SIZE_MAX;
    size_t length = strlen(text);
    for (uint32_t i = 0; i < results->run.trials; i++) {
        const char *id = results->trials[i].id;
        size_t distance = pbt_word_distance(text, length, id, strlen(id));
        if (distance < least && pbt_word_close(text, length, id)) {
            least = distance;
            close = id;
        } else if (distance == least) {
            close = NULL;
        }
    }
    return close;
}

static int refuse(const struct pbt_results *results, const char *text,
                  uint32_t matches, struct pbt_error *error)
{
    char list[TEXT_MAX];
    const char *close = close_id(results, text);
    if (results->run.trials == 0) {
        return pbt_fail(error, PBT_E0813, "no trial `%s`: %s has no trials yet",
                        text, results->dir);
    }
    if (matches == 0 && close != NULL) {
        return pbt_fail(error, PBT_E0813,
                        "no trial `%s` in %s: did you mean `%s`?", text,
                        results->dir, close);
    }
    list_trials(results, list);
    if (matches > 0) {
        return pbt_fail(error, PBT_E0813,
                        "`%s` fits %" PRIu32 " trials of %s: %s", text, matches,
                        results->dir, list);
    }
    return pbt_fail(error, PBT_E0813, "no trial `%s` in %s; there are: %s",
                    text, results->dir, list);
}

int pbt_results_find_trial(const struct pbt_results *results, const char *text,
                           const struct pbt_trial_info **trial,
                           struct pbt_error *error)
{
    uint32_t matches = 0;
    uint32_t found = 0;
    if (as_number(text, results->run.trials, &found)) {
        *trial = &results->trials[found];
        return PBT_OK;
    }
    for (uint32_t i = 0; i < results->run.trials; i++) {
        const char *id = results->trials[i].id;
        if (strcmp(id, text) == 0) {
            *trial = &results->trials[i];
            return PBT_OK;
        }
        if (begins_or_ends(id, text)) {
            matches++;
            found = i;
        }
    }
    if (matches != 1) {
        return refuse(results, text, matches, error);
    }
    *trial = &results->trials[found];
    return PBT_OK;
}
