/*
 * Overrides: "key.key=value", the value in YAML's flow form.
 */
#include "spec/tree.h"

#include <string.h>

struct override {
    const struct pbt_source *source;
    uint32_t index;
    struct pbt_arena *arena;
    struct pbt_problems *problems;
};

/* Moves the places of a tree that was read from a piece of the source. */
static void shift(struct pbt_node *node, size_t cut, size_t add, size_t length)
{
    size_t offset = node->span.offset < cut ? cut : node->span.offset;
    node->span.offset = offset - cut + add;
    if (node->span.offset > length) {
        node->span.offset = length;
    }
    for (struct pbt_node *child = node->first; child != NULL;
         child = child->next) {
        shift(child, cut, add, length);
        if (child->value != NULL) {
            shift(child->value, cut, add, length);
        }
    }
}

/*
 * The value is read as the only item of a flow list: so `a: b` and line breaks
 * mean nothing else than they would in a file.
 */
static struct pbt_node *read_value(const struct override *override, size_t at)
{
    const struct pbt_source *source = override->source;
    size_t length = source->length - at;
    char *text = pbt_arena_alloc(override->arena, length + 3);
    if (text == NULL) {
        return NULL;
    }
    text[0] = '[';
    memcpy(text + 1, source->text + at, length);
    text[length + 1] = ']';
    struct pbt_source piece = {source->label, text, length + 2};
    struct pbt_problems *problems = override->problems;
    uint32_t before = problems->count;
    struct pbt_node *list =
        pbt_tree_yaml(&piece, override->index, override->arena, problems);
    for (uint32_t i = before; i < problems->count && i < PBT_PROBLEMS_MAX;
         i++) {
        struct pbt_span *span = &problems->items[i].span;
        span->offset = span->offset > 0 ? span->offset - 1 + at : at;
        if (span->offset > source->length) {
            span->offset = source->length;
        }
    }
    if (list == NULL) {
        return NULL;
    }
    shift(list, 1, at, source->length);
    if (list->kind == PBT_NODE_LIST && list->count == 0) {
        struct pbt_span span = {override->index, at, 1};
        return pbt_node_scalar(override->arena, span, "", 0, true);
    }
    if (list->kind != PBT_NODE_LIST || list->count != 1) {
        struct pbt_span span = {override->index, at, length};
        pbt_problem_label(
            pbt_problem(problems, PBT_E0504, span, "more than one value"),
            "write a list as [1, 2]");
        return NULL;
    }
    return list->first;
}

/* The key of this name in `map`, added if it is new. */
static struct pbt_node *reach_key(const struct override *override,
                                  struct pbt_node *map, struct pbt_span span)
{
    const char *name = override->source->text + span.offset;
    struct pbt_node *key = pbt_node_find(map, name, span.length);
    if (key != NULL) {
        return key;
    }
    if (map->count == PBT_TREE_KEYS) {
        pbt_problem(override->problems, PBT_E0012, span,
                    "more than %d keys in one mapping", PBT_TREE_KEYS);
        return NULL;
    }
    key = pbt_node_scalar(override->arena, span, name, span.length, false);
    struct pbt_node *value =
        pbt_node_scalar(override->arena, span, "", 0, true);
    if (key == NULL || value == NULL) {
        return NULL;
    }
    key->value = value;
    pbt_node_append(map, key);
    return key;
}

/* Follows "a.b.c" from the root; the key `c`, or NULL with a problem added. */
static struct pbt_node *reach_path(const struct override *override,
                                   struct pbt_node *root, size_t end)
{
    const char *text = override->source->text;
    struct pbt_node *map = root;
    size_t at = 0;
    for (uint32_t depth = 1;; depth++) {
        const char *dot = memchr(text + at, '.', end - at);
        size_t stop = dot == NULL ? end : (size_t)(dot - text);
        struct pbt_span span = {override->index, at, stop - at};
        if (stop == at || depth > PBT_TREE_DEPTH) {
            pbt_problem(override->problems, stop == at ? PBT_E0502 : PBT_E0011,
                        span,
                        stop == at ? "an empty key: a name is missing here"
                                   : "too many levels in an override");
            return NULL;
        }
        struct pbt_node *key = reach_key(override, map, span);
        if (key != NULL && dot == NULL) {
            key->span = span;
        }
        if (key == NULL || dot == NULL) {
            return key;
        }
        if (pbt_node_is_null(key->value)) {
            key->value = pbt_node_new(override->arena, PBT_NODE_MAP, span);
            if (key->value == NULL) {
                return NULL;
            }
        }
        if (key->value->kind != PBT_NODE_MAP) {
            pbt_problem_label(
                pbt_problem(override->problems, PBT_E0503, span,
                            "`%s` is not a mapping",
                            pbt_quote(key->text, key->length).text),
                "it has no keys to override");
            return NULL;
        }
        map = key->value;
        at = stop + 1;
    }
}

void pbt_tree_override(const struct pbt_source *source, uint32_t index,
                       struct pbt_node *root, struct pbt_arena *arena,
                       struct pbt_problems *problems)
{
    struct override override = {source, index, arena, problems};
    if (!pbt_source_guard(source, index, true, problems)) {
        return;
    }
    const char *equals =
        source->length == 0 ? NULL : memchr(source->text, '=', source->length);
    if (equals == NULL) {
        struct pbt_span span = {index, 0, source->length};
        pbt_problem_label(
            pbt_problem(problems, PBT_E0501, span, "an override has no `=`"),
            "write key=value, as scheduler.perturbation_interval=10");
        return;
    }
    size_t end = (size_t)(equals - source->text);
    struct pbt_node *key = reach_path(&override, root, end);
    struct pbt_node *value = read_value(&override, end + 1);
    if (key != NULL && value != NULL) {
        key->value = value;
    }
}
