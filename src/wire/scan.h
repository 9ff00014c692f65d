/*
 * scan.h: one look at a line before jansson sees it.  Private to src/wire.
 *
 * It finds the depth (jansson recurses, and its own limit is far beyond ours), bare
 * NaN and infinities, and where the objects lie that are handed on as text.  It
 * trusts nothing: on a line that is no JSON it finds rubbish, and the parse then
 * refuses the line.
 */
#ifndef PBT_WIRE_SCAN_H
#define PBT_WIRE_SCAN_H

#include <stdbool.h>
#include <stddef.h>

struct pbt_slice {
    size_t start;
    size_t end;
};

struct pbt_scan {
    const char *line;
    size_t length;
    int depth;
    int depth_max;
    size_t bare; /* how many bare NaN and infinities */
    bool at_key; /* the next string on the top level is a key */
    struct pbt_slice key;
    size_t value_start;
    struct pbt_slice config;
    struct pbt_slice metrics;
    struct pbt_slice manifest;
};

void pbt_scan_line(struct pbt_scan *scan, const char *line, size_t length);

/*
 * A copy of the scanned line with quotes around bare NaN and infinities, the
 * caller's to free; NULL: out of memory.
 */
char *pbt_scan_quoted(const struct pbt_scan *scan, size_t *length);

#endif
