/*
 * tree.h: an experiment file as a tree of nodes, each with its place.
 *
 * YAML (libfyaml) and JSON (jansson) give the same tree.  What no experiment
 * file needs is refused on the way: anchors and aliases (a short file can unfold
 * to gigabytes), tags, keys that are no words, more than one document, more than
 * PBT_TREE_DEPTH levels.
 */
#ifndef PBT_SPEC_TREE_H
#define PBT_SPEC_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec/arena.h"
#include "spec/problems.h"
#include "spec/source.h"

#define PBT_TREE_DEPTH 32
#define PBT_TREE_KEYS 4096 /* in one mapping */

enum pbt_node_kind {
    PBT_NODE_SCALAR,
    PBT_NODE_LIST,
    PBT_NODE_MAP,
};

struct pbt_node {
    enum pbt_node_kind kind;
    bool plain; /* a scalar that is not quoted */
    struct pbt_span span;
    const char *text; /* of a scalar, NUL-terminated */
    size_t length;
    uint32_t hash; /* of the text of a key */
    /* A list's items; a mapping's keys, each with its `value`. */
    struct pbt_node *first;
    struct pbt_node *last;
    struct pbt_node *next;
    uint32_t count;
    struct pbt_node *value;
};

/* A scalar node, its text copied. */
struct pbt_node *pbt_node_scalar(struct pbt_arena *arena, struct pbt_span span,
                                 const char *text, size_t length, bool plain);
/* An empty list or mapping. */
struct pbt_node *pbt_node_new(struct pbt_arena *arena, enum pbt_node_kind kind,
                              struct pbt_span span);
void pbt_node_append(struct pbt_node *parent, struct pbt_node *child);
/* The key of this name in a mapping, or NULL. */
struct pbt_node *pbt_node_find(const struct pbt_node *map, const char *name,
                               size_t length);
/* True for an empty value, `~` and `null`. */
bool pbt_node_is_null(const struct pbt_node *node);

/*
 * Builds a tree from the outside in.  The value of a key is added like an item
 * of a list, after the key.
 */
struct pbt_builder {
    struct pbt_arena *arena;
    struct pbt_problems *problems;
    struct pbt_node *root;
    struct pbt_node *open[PBT_TREE_DEPTH];
    struct pbt_node *key[PBT_TREE_DEPTH]; /* waits for its value */
    uint32_t depth;
};

/* True if the next scalar is a key. */
bool pbt_builder_wants_key(const struct pbt_builder *builder);
/* The place of the key that waits for its value; false if none does. */
bool pbt_builder_key_span(const struct pbt_builder *builder,
                          struct pbt_span *span);
/* These return false, with a problem added, where the file can't be read on. */
bool pbt_builder_open(struct pbt_builder *builder, enum pbt_node_kind kind,
                      struct pbt_span span);
void pbt_builder_close(struct pbt_builder *builder);
bool pbt_builder_scalar(struct pbt_builder *builder, struct pbt_span span,
                        const char *text, size_t length, bool plain);

/*
 * Reads sources[index]: NULL with problems added if its form is wrong.  An empty text is a
 * null.  If memory ends, the arena has failed.
 */
struct pbt_node *pbt_tree_yaml(const struct pbt_source *source, uint32_t index,
                               struct pbt_arena *arena,
                               struct pbt_problems *problems);
struct pbt_node *pbt_tree_json(const struct pbt_source *source, uint32_t index,
                               struct pbt_arena *arena,
                               struct pbt_problems *problems);

/*
 * Puts an override "key.key=value" on top of the tree.  sources[index] is its text.
 */
void pbt_tree_override(const struct pbt_source *source, uint32_t index,
                       struct pbt_node *root, struct pbt_arena *arena,
                       struct pbt_problems *problems);

#endif
