/*
 * source.h: the texts that a specification is read from (the file and each
 * override), places in them, and the guard that they pass before any parser
 * sees them.
 */
#ifndef PBT_SPEC_SOURCE_H
#define PBT_SPEC_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PBT_SOURCE_MAX ((size_t)1024 * 1024) /* bytes of an experiment file */

/* The label of the file that isn't there, where overrides are all. */
#define PBT_NO_FILE "command line"

struct pbt_source {
    const char *label; /* shown as the file's name */
    const char *text;
    size_t length;
};

/*
 * How overrides were typed: the words of a command line, and for each override where each of
 * its bytes stands in them, and where its last one ends.  An override without (NULL) was not
 * typed.
 */
struct pbt_typed {
    char *const *words;
    size_t word_count;
    const char *const *const *places;
    bool
        here; /* names are relative to the working directory, not to the file */
};

/* All that a specification is read from. */
struct pbt_sources {
    const struct pbt_source *items; /* the file; behind it, overrides */
    size_t count;
    const struct pbt_typed *typed; /* NULL: nobody knows */
};

/* A run of bytes in one of the sources. */
struct pbt_span {
    uint32_t source;
    size_t offset;
    size_t length;
};

struct pbt_place {
    size_t line;   /* from 1 */
    size_t column; /* from 1, in characters */
    size_t line_offset;
    size_t line_length; /* in bytes, without its end */
};

/* Where a byte of the source is. */
struct pbt_place pbt_source_place(const struct pbt_source *source,
                                  size_t offset);

/* True if the bytes are UTF-8; else `bad` is the offset of the first wrong one. */
bool pbt_utf8_valid(const char *text, size_t length, size_t *bad);

struct pbt_problems;

/*
 * Refuses what no experiment file needs and what the YAML parser can't be given
 * safely (libfyaml 0.7.12 loops for ever on bad UTF-8 behind a `%`): more than
 * 1 MiB, NUL bytes, invalid UTF-8, and, in YAML, lines that start with `%`.
 * False if refused, with the problem added.
 */
bool pbt_source_guard(const struct pbt_source *source, uint32_t index,
                      bool yaml, struct pbt_problems *problems);

#endif
