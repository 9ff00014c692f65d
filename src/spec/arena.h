/*
 * arena.h: memory that is given back all at once.
 *
 * A specification is made of many small pieces that live and die together: the
 * tree of its file while it is read, its texts afterwards.  No piece is freed by
 * itself, so no path out of a parser can forget one.
 */
#ifndef PBT_SPEC_ARENA_H
#define PBT_SPEC_ARENA_H

#include <stdbool.h>
#include <stddef.h>

struct pbt_arena_block;

struct pbt_arena {
    struct pbt_arena_block *blocks;
    bool failed; /* an allocation has failed: ask once, at the end */
};

/* `size` zeroed bytes, aligned for any type; NULL if there is no memory. */
void *pbt_arena_alloc(struct pbt_arena *arena, size_t size);
/* The same for `count` items of `size` bytes. */
void *pbt_arena_array(struct pbt_arena *arena, size_t count, size_t size);
/* A copy of `length` bytes with a NUL after it; NULL if there is no memory. */
char *pbt_arena_copy(struct pbt_arena *arena, const char *text, size_t length);
/* Frees everything; the arena can be used again. */
void pbt_arena_done(struct pbt_arena *arena);

#endif
