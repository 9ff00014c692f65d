/*
 * order.h: trials in order: who ranks where, who is next.
 *
 * A treap over trial numbers with the sizes of its subtrees: insert, erase, rank and select
 * in O(log n), without allocating after its creation.  Members carry marks,
 * counted per subtree, so that "the j-th marked member from rank r on" is
 * O(log n) too.
 *
 * Order: key ascending, then number; a key that is not finite comes before all others
 * (a diverged trial ranks below every number).
 */
#ifndef PBT_CORE_ORDER_H
#define PBT_CORE_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/moments.h"

#define PBT_ORDER_NONE UINT32_MAX
#define PBT_ORDER_MARKS 3

struct pbt_order_node {
    double key;
    uint32_t left;
    uint32_t right;
    uint32_t size;                    /* of the subtree; 0: not a member */
    uint32_t marked[PBT_ORDER_MARKS]; /* in the subtree */
    bool mark[PBT_ORDER_MARKS];
};

struct pbt_order {
    struct pbt_order_node *nodes;
    struct pbt_moments *moments; /* of each subtree; NULL: not kept */
    uint32_t capacity;
    uint32_t root;
};

/* Members are numbers below `capacity`.  False: out of memory. */
bool pbt_order_init(struct pbt_order *order, uint32_t capacity);
/* Before the first member: pbt_order_moments() will be asked. */
bool pbt_order_keep_moments(struct pbt_order *order);
void pbt_order_done(struct pbt_order *order);

bool pbt_order_has(const struct pbt_order *order, uint32_t member);
uint32_t pbt_order_count(const struct pbt_order *order);
/* Inserts, or moves a member to its new key; its marks are cleared. */
void pbt_order_put(struct pbt_order *order, uint32_t member, double key);
/* Not a member: nothing happens. */
void pbt_order_erase(struct pbt_order *order, uint32_t member);
/* Sets or clears a mark of a member; not a member: nothing happens. */
void pbt_order_mark(struct pbt_order *order, uint32_t member, uint32_t mark,
                    bool set);

/* Members before this one; it must be one. */
uint32_t pbt_order_rank(const struct pbt_order *order, uint32_t member);
/* How many members come before (key, number), which need not be one. */
uint32_t pbt_order_before(const struct pbt_order *order, double key,
                          uint32_t number);
/* The member at a rank below the count. */
uint32_t pbt_order_at(const struct pbt_order *order, uint32_t rank);
/* How many members from `rank` on carry the mark. */
uint32_t pbt_order_marked(const struct pbt_order *order, uint32_t rank,
                          uint32_t mark);
/* The j-th (from 0) of these; j must be below their count. */
uint32_t pbt_order_marked_at(const struct pbt_order *order, uint32_t rank,
                             uint32_t mark, uint32_t j);

/*
 * The moments of the finite keys from `rank` on.  They follow from the members alone, to the bit, not
 * from the order in which they came.
 */
struct pbt_moments pbt_order_moments(const struct pbt_order *order,
                                     uint32_t rank);

#endif
