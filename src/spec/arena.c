#include "spec/arena.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_SIZE 8192

struct pbt_arena_block {
    struct pbt_arena_block *next;
    size_t used;
    size_t size;
    alignas(max_align_t) unsigned char data[];
};

static struct pbt_arena_block *new_block(struct pbt_arena *arena, size_t size)
{
    size_t room = size > BLOCK_SIZE ? size : BLOCK_SIZE;
    if (room > SIZE_MAX - sizeof(struct pbt_arena_block)) {
        return NULL;
    }
    struct pbt_arena_block *block = calloc(1, sizeof *block + room);
    if (block == NULL) {
        return NULL;
    }
    block->size = room;
    block->next = arena->blocks;
    arena->blocks = block;
    return block;
}

void *pbt_arena_alloc(struct pbt_arena *arena, size_t size)
{
    size_t align = alignof(max_align_t);
    if (size > SIZE_MAX - align) {
        arena->failed = true;
        return NULL;
    }
    size = (size + align - 1) / align * align;
    struct pbt_arena_block *block = arena->blocks;
    if (block == NULL || block->size - block->used < size) {
        block = new_block(arena, size);
        if (block == NULL) {
            arena->failed = true;
            return NULL;
        }
    }
    void *piece = block->data + block->used;
    block->used += size;
    return piece;
}

void *pbt_arena_array(struct pbt_arena *arena, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        arena->failed = true;
        return NULL;
    }
    return pbt_arena_alloc(arena, count * size);
}

char *pbt_arena_copy(struct pbt_arena *arena, const char *text, size_t length)
{
    char *copy = pbt_arena_alloc(arena, length + 1);
    if (copy != NULL && length > 0) {
        memcpy(copy, text, length);
    }
    return copy;
}

void pbt_arena_done(struct pbt_arena *arena)
{
    while (arena->blocks != NULL) {
        struct pbt_arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
    arena->failed = false;
}
