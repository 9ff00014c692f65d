/*
 * failure.h: what went wrong, in words, for the parts of the examples that
 * know nothing of pbt.
 *
 * A function that can fail returns 0, or an errno value after it has filled the
 * caller's struct failure: ENOENT for a missing file, EBADMSG for a damaged
 * one, else what the system said.
 */
#ifndef COMMON_FAILURE_H
#define COMMON_FAILURE_H

struct failure {
    char text[1024];
};

#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
int failure_set(struct failure *failure, int number, const char *format, ...);

#endif
