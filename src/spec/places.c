/*
 * places.c: where the values of keys stand, for what is found to be wrong once the reading is
 * over: copies of the file and of the overrides.
 */
#include <string.h>

#include "spec/reader.h"

struct pbt_spec_places {
    struct pbt_sources sources;
    struct pbt_span spans[PBT_KEY_COUNT]; /* of a command, its program's */
};

static const char *const *keep_places(struct pbt_arena *arena,
                                      const char *const *places, size_t length)
{
    const char **copy = pbt_arena_array(arena, length + 1, sizeof *copy);
    if (copy != NULL) {
        memcpy(copy, places, (length + 1) * sizeof *copy);
    }
    return copy;
}

static const struct pbt_typed *keep_typed(struct pbt_arena *arena,
                                          const struct pbt_sources *sources)
{
    const struct pbt_typed *typed = sources->typed;
    struct pbt_typed *copy =
        typed == NULL ? NULL : pbt_arena_alloc(arena, sizeof *copy);
    const char *const **places =
        typed == NULL ? NULL
                      : pbt_arena_array(arena, sources->count, sizeof *places);
    if (copy == NULL || places == NULL) {
        return NULL;
    }
    for (size_t i = 1; i < sources->count; i++) {
        if (typed->places[i - 1] != NULL) {
            places[i - 1] = keep_places(arena, typed->places[i - 1],
                                        sources->items[i].length);
        }
    }
    *copy = (struct pbt_typed){typed->words, typed->word_count, places,
                               typed->here};
    return copy;
}

static void keep_sources(struct pbt_arena *arena,
                         const struct pbt_sources *sources,
                         struct pbt_sources *kept)
{
    struct pbt_source *items =
        pbt_arena_array(arena, sources->count, sizeof *items);
    for (size_t i = 0; items != NULL && i < sources->count; i++) {
        const struct pbt_source *from = &sources->items[i];
        items[i] = (struct pbt_source){
            pbt_arena_copy(arena, from->label, strlen(from->label)),
            pbt_arena_copy(arena, from->text, from->length), from->length};
    }
    *kept =
        (struct pbt_sources){items, sources->count, keep_typed(arena, sources)};
}

void pbt_keep_places(struct pbt_reader *reader)
{
    struct pbt_arena *arena = &reader->spec->memory;
    struct pbt_spec_places *places = pbt_arena_alloc(arena, sizeof *places);
    if (places == NULL) {
        return;
    }
    keep_sources(arena, &reader->problems->sources, &places->sources);
    for (int i = 0; i < PBT_KEY_COUNT; i++) {
        const struct pbt_node *node = reader->given[i];
        bool program = pbt_keys[i].type == PBT_TYPE_COMMAND && node != NULL &&
                       node->kind == PBT_NODE_LIST && node->first != NULL;
        if (node != NULL) {
            places->spans[i] = program ? node->first->span : node->span;
        }
    }
    reader->spec->places = places;
}

bool pbt_spec_is_given(const struct pbt_spec *spec, int key)
{
    return spec->places != NULL && spec->places->spans[key].length > 0;
}

void pbt_spec_problem_write(const struct pbt_spec *spec, int key,
                            struct pbt_problem *problem, struct pbt_buf *out)
{
    problem->span = spec->places->spans[key];
    pbt_problem_write(&spec->places->sources, problem, out);
}
