/*
 * tree.h: who descends from whom.
 *
 * A node is what one trial trained from one exploit, or from its first configuration, on.  Its parent
 * is the node that had trained the weights.
 */
#ifndef PBT_RESULTS_TREE_H
#define PBT_RESULTS_TREE_H

#include "results/results.h"

struct pbt_tree_node {
    uint32_t trial;
    uint32_t exploit;     /* PBT_NONE: the first configuration */
    uint32_t parent;      /* a node, as those below are; PBT_NONE: none */
    uint32_t first_child; /* in the order of their exploits */
    uint32_t last_child;
    uint32_t next;     /* child of the same parent */
    uint32_t children; /* that are shown */
    bool shown;   /* somebody stands on what followed from it; or all are */
    bool present; /* its trial does, right here */
};

struct pbt_tree {
    const struct pbt_results *results;
    struct pbt_tree_node *nodes; /* a root for each trial, then the exploits */
    uint32_t trials;
    uint32_t count;
};

/*
 * `all`: also lines that nobody stands on any more, but what was undone.  PBT_ENOMEM.
 * pbt_tree_done() also after a failure.
 */
int pbt_tree_make(struct pbt_tree *tree, const struct pbt_results *results,
                  bool all, struct pbt_error *error);
void pbt_tree_done(struct pbt_tree *tree);

/* The node of a trial and an exploit of its, or PBT_NONE. */
uint32_t pbt_tree_node(const struct pbt_tree *tree, uint32_t trial,
                       uint32_t exploit);

/*
 * The nodes that are shown below `root`, parents before their children: the next one after
 * `at`, or PBT_NONE.
 */
uint32_t pbt_tree_after(const struct pbt_tree *tree, uint32_t root,
                        uint32_t at);

#endif
