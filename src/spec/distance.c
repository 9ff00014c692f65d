/*
 * How alike two words are: for "did you mean".
 */
#include <string.h>

#include "spec/schema.h"

#define WORD_MAX 64

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Damerau and Levenshtein's distance, where no part is edited twice. */
size_t pbt_word_distance(const char *a, size_t a_length, const char *b,
                         size_t b_length)
{
    size_t rows[3][WORD_MAX + 1]; /* two before, before, this */
    if (a_length > WORD_MAX || b_length > WORD_MAX) {
        return SIZE_MAX;
    }
    for (size_t j = 0; j <= b_length; j++) {
        rows[2][j] = j; /* the row before the first */
    }
    for (size_t i = 1; i <= a_length; i++) {
        size_t *row = rows[(i + 2) % 3];
        const size_t *before = rows[(i + 1) % 3];
        const size_t *two_before = rows[i % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            size_t change = before[j - 1] + (a[i - 1] != b[j - 1]);
            row[j] = least(least(row[j - 1], before[j]) + 1, change);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
                a[i - 2] == b[j - 1]) {
                row[j] = least(row[j], two_before[j - 2] + 1);
            }
        }
    }
    return rows[(a_length + 2) % 3][b_length];
}

bool pbt_word_close(const char *word, size_t length, const char *known)
{
    size_t allowed = length / 3 > 1 ? length / 3 : 1;
    /* A word of one or two letters is "close" to every other. */
    return length > 1 &&
           pbt_word_distance(word, length, known, strlen(known)) <= allowed;
}
