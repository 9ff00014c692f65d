#include "spec/tree.h"

#include <assert.h>
#include <string.h>

#include "spec/scalar.h"

static uint32_t hash_text(const char *text, size_t length)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (size_t i = 0; i < length; i++) {
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    }
    return hash;
}

struct pbt_node *pbt_node_new(struct pbt_arena *arena, enum pbt_node_kind kind,
                              struct pbt_span span)
{
    struct pbt_node *node = pbt_arena_alloc(arena, sizeof *node);
    if (node != NULL) {
        node->kind = kind;
        node->span = span;
        node->text = "";
    }
    return node;
}

struct pbt_node *pbt_node_scalar(struct pbt_arena *arena, struct pbt_span span,
                                 const char *text, size_t length, bool plain)
{
    struct pbt_node *node = pbt_node_new(arena, PBT_NODE_SCALAR, span);
    char *copy = pbt_arena_copy(arena, text, length);
    if (node == NULL || copy == NULL) {
        return NULL;
    }
    node->text = copy;
    node->length = length;
    node->plain = plain;
    node->hash = hash_text(text, length);
    return node;
}

void pbt_node_append(struct pbt_node *parent, struct pbt_node *child)
{
    assert(child->next == NULL);
    if (parent->last == NULL) {
        parent->first = child;
    } else {
        parent->last->next = child;
    }
    parent->last = child;
    parent->count++;
}

struct pbt_node *pbt_node_find(const struct pbt_node *map, const char *name,
                               size_t length)
{
    uint32_t hash = hash_text(name, length);
    for (struct pbt_node *key = map->first; key != NULL; key = key->next) {
        if (key->hash == hash && key->length == length &&
            memcmp(key->text, name, length) == 0) {
            return key;
        }
    }
    return NULL;
}

bool pbt_node_is_null(const struct pbt_node *node)
{
    return node->kind == PBT_NODE_SCALAR &&
           pbt_scalar_read(node->text, node->length, node->plain).type ==
               PBT_SCALAR_NULL;
}

bool pbt_builder_wants_key(const struct pbt_builder *builder)
{
    return builder->depth > 0 &&
           builder->open[builder->depth - 1]->kind == PBT_NODE_MAP &&
           builder->key[builder->depth - 1] == NULL;
}

bool pbt_builder_key_span(const struct pbt_builder *builder,
                          struct pbt_span *span)
{
    if (builder->depth == 0 || builder->key[builder->depth - 1] == NULL) {
        return false;
    }
    *span = builder->key[builder->depth - 1]->span;
    return true;
}

static void add_value(struct pbt_builder *builder, struct pbt_node *node)
{
    if (builder->depth == 0) {
        assert(builder->root == NULL);
        builder->root = node;
        return;
    }
    uint32_t top = builder->depth - 1;
    if (builder->open[top]->kind == PBT_NODE_LIST) {
        pbt_node_append(builder->open[top], node);
        return;
    }
    assert(builder->key[top] != NULL);
    builder->key[top]->value = node;
    pbt_node_append(builder->open[top], builder->key[top]);
    builder->key[top] = NULL;
}

bool pbt_builder_open(struct pbt_builder *builder, enum pbt_node_kind kind,
                      struct pbt_span span)
{
    if (pbt_builder_wants_key(builder)) {
        pbt_problem_label(pbt_problem(builder->problems, PBT_E0010, span,
                                      "a key has to be one word"),
                          "quote a text that begins with `{` or `[`");
        return false;
    }
    if (builder->depth == PBT_TREE_DEPTH) {
        pbt_problem(builder->problems, PBT_E0011, span,
                    "more than %d levels of lists and mappings",
                    PBT_TREE_DEPTH);
        return false;
    }
    struct pbt_node *node = pbt_node_new(builder->arena, kind, span);
    if (node == NULL) {
        return false;
    }
    add_value(builder, node);
    builder->open[builder->depth] = node;
    builder->key[builder->depth] = NULL;
    builder->depth++;
    return true;
}

void pbt_builder_close(struct pbt_builder *builder)
{
    assert(builder->depth > 0);
    builder->depth--;
}

static bool add_key(struct pbt_builder *builder, struct pbt_node *key)
{
    struct pbt_node *map = builder->open[builder->depth - 1];
    const struct pbt_node *first = pbt_node_find(map, key->text, key->length);
    struct pbt_problems *problems = builder->problems;
    if (map->count == PBT_TREE_KEYS) {
        pbt_problem(problems, PBT_E0012, key->span,
                    "more than %d keys in one mapping", PBT_TREE_KEYS);
        return false;
    }
    if (first != NULL && problems->count >= PBT_PROBLEMS_MAX) {
        problems->count++; /* finding its place takes time */
    } else if (first != NULL) {
        /* Reading goes on: the first one holds, and more may be wrong. */
        struct pbt_place place = pbt_source_place(
            &problems->sources.items[key->span.source], first->span.offset);
        pbt_problem_label(pbt_problem(problems, PBT_E0102, key->span,
                                      "duplicate key `%s`",
                                      pbt_quote(key->text, key->length).text),
                          "the first one is in line %zu", place.line);
    }
    builder->key[builder->depth - 1] = key;
    return true;
}

bool pbt_builder_scalar(struct pbt_builder *builder, struct pbt_span span,
                        const char *text, size_t length, bool plain)
{
    size_t bad;
    if (memchr(text, '\0', length) != NULL) {
        pbt_problem(builder->problems, PBT_E0002, span,
                    "a NUL character in a text");
        return false;
    }
    if (!pbt_utf8_valid(text, length, &bad)) {
        pbt_problem(builder->problems, PBT_E0005, span,
                    "an escape that is no Unicode character");
        return false;
    }
    struct pbt_node *node =
        pbt_node_scalar(builder->arena, span, text, length, plain);
    if (node == NULL) {
        return false;
    }
    if (pbt_builder_wants_key(builder)) {
        return add_key(builder, node);
    }
    add_value(builder, node);
    return true;
}
