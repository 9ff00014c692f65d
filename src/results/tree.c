#include "results/tree.h"

#include <stdlib.h>

uint32_t pbt_tree_node(const struct pbt_tree *tree, uint32_t trial,
                       uint32_t exploit)
{
    return exploit == PBT_NONE ? trial : tree->trials + exploit;
}

static void link_child(struct pbt_tree *tree, uint32_t child)
{
    struct pbt_tree_node *parent = &tree->nodes[tree->nodes[child].parent];
    if (parent->first_child == PBT_NONE) {
        parent->first_child = child;
    } else {
        tree->nodes[parent->last_child].next = child;
    }
    parent->last_child = child;
    parent->children++;
}

static void mark(struct pbt_tree *tree, uint32_t node)
{
    for (; node != PBT_NONE && !tree->nodes[node].shown;
         node = tree->nodes[node].parent) {
        tree->nodes[node].shown = true;
    }
}

static void make_nodes(struct pbt_tree *tree,
                       const struct pbt_exploit_info *exploits)
{
    for (uint32_t i = 0; i < tree->count; i++) {
        struct pbt_tree_node *node = &tree->nodes[i];
        *node = (struct pbt_tree_node){.trial = i,
                                       .exploit = PBT_NONE,
                                       .parent = PBT_NONE,
                                       .first_child = PBT_NONE,
                                       .last_child = PBT_NONE,
                                       .next = PBT_NONE};
        if (i >= tree->trials) {
            const struct pbt_exploit_info *exploit =
                &exploits[i - tree->trials];
            node->trial = exploit->trial;
            node->exploit = i - tree->trials;
            node->parent = pbt_tree_node(tree, exploit->donor, exploit->parent);
        }
    }
}

int pbt_tree_make(struct pbt_tree *tree, const struct pbt_results *results,
                  bool all, struct pbt_error *error)
{
    size_t exploit_count;
    const struct pbt_exploit_info *exploits =
        pbt_results_exploits(results, &exploit_count);
    uint32_t trials = pbt_results_run(results)->trials;
    *tree = (struct pbt_tree){.results = results,
                              .trials = trials,
                              .count = trials + (uint32_t)exploit_count};
    tree->nodes = calloc((size_t)tree->count + 1, sizeof *tree->nodes);
    if (tree->nodes == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    make_nodes(tree, exploits);
    for (uint32_t i = 0; i < trials; i++) {
        uint32_t node =
            pbt_tree_node(tree, i, pbt_results_trial(results, i)->exploit);
        tree->nodes[node].present = true;
        mark(tree, node);
    }
    for (uint32_t i = 0; all && i < tree->count; i++) {
        if (i < trials || !exploits[i - trials].undone) {
            mark(tree, i);
        }
    }
    for (uint32_t i = trials; i < tree->count; i++) {
        if (tree->nodes[i].shown) {
            link_child(tree, i);
        }
    }
    return PBT_OK;
}

void pbt_tree_done(struct pbt_tree *tree)
{
    free(tree->nodes);
    *tree = (struct pbt_tree){.nodes = NULL};
}

uint32_t pbt_tree_after(const struct pbt_tree *tree, uint32_t root, uint32_t at)
{
    if (tree->nodes[at].first_child != PBT_NONE) {
        return tree->nodes[at].first_child;
    }
    while (at != root && tree->nodes[at].next == PBT_NONE) {
        at = tree->nodes[at].parent;
    }
    return at == root ? PBT_NONE : tree->nodes[at].next;
}
