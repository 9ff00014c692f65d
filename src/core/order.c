#include "core/order.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "base/draw.h"

#define NONE PBT_ORDER_NONE

bool pbt_order_init(struct pbt_order *order, uint32_t capacity)
{
    *order = (struct pbt_order){.capacity = capacity, .root = NONE};
    order->nodes = calloc(capacity == 0 ? 1 : capacity, sizeof *order->nodes);
    return order->nodes != NULL;
}

bool pbt_order_keep_moments(struct pbt_order *order)
{
    size_t count = order->capacity == 0 ? 1 : order->capacity;
    order->moments = calloc(count, sizeof *order->moments);
    return order->moments != NULL;
}

void pbt_order_done(struct pbt_order *order)
{
    free(order->nodes);
    free(order->moments);
    *order = (struct pbt_order){.root = NONE};
}

/* A heap order by a fixed scramble of the number keeps the tree flat. */
static uint64_t priority(uint32_t member)
{
    return pbt_mix(0x6f72646572, member);
}

static bool key_less(double a_key, uint32_t a, double b_key, uint32_t b)
{
    bool a_finite = isfinite(a_key);
    bool b_finite = isfinite(b_key);
    if (a_finite != b_finite) {
        return b_finite;
    }
    if (a_finite && a_key != b_key) {
        return a_key < b_key;
    }
    return a < b;
}

static uint32_t size_of(const struct pbt_order *order, uint32_t at)
{
    return at == NONE ? 0 : order->nodes[at].size;
}

static uint32_t marked_of(const struct pbt_order *order, uint32_t at,
                          uint32_t mark)
{
    return at == NONE ? 0 : order->nodes[at].marked[mark];
}

static struct pbt_moments moments_of(const struct pbt_order *order, uint32_t at)
{
    static const struct pbt_moments NOTHING = {0};
    return at == NONE ? NOTHING : order->moments[at];
}

static struct pbt_moments moments_of_one(const struct pbt_order *order,
                                         uint32_t at)
{
    double key = order->nodes[at].key;
    return isfinite(key) ? pbt_moments_of_one(key) : (struct pbt_moments){0};
}

struct pbt_moments pbt_order_moments(const struct pbt_order *order,
                                     uint32_t rank)
{
    struct pbt_moments sum = {0};
    uint32_t at = order->root;
    while (at != NONE) {
        const struct pbt_order_node *node = &order->nodes[at];
        uint32_t before = size_of(order, node->left);
        if (rank > before) {
            rank -= before + 1;
            at = node->right;
            continue;
        }
        /* This one and all behind it count, and some of those before. */
        sum = pbt_moments_join(moments_of(order, node->right), sum);
        sum = pbt_moments_join(moments_of_one(order, at), sum);
        at = node->left;
    }
    return sum;
}

/* Always made anew: sums that are changed would depend on the order of the changes. */
static void remoment(struct pbt_order *order, uint32_t at)
{
    const struct pbt_order_node *node = &order->nodes[at];
    if (order->moments != NULL) {
        struct pbt_moments upper = pbt_moments_join(
            moments_of_one(order, at), moments_of(order, node->right));
        order->moments[at] =
            pbt_moments_join(moments_of(order, node->left), upper);
    }
}

static void recount(struct pbt_order *order, uint32_t at)
{
    struct pbt_order_node *node = &order->nodes[at];
    node->size = 1 + size_of(order, node->left) + size_of(order, node->right);
    for (uint32_t mark = 0; mark < PBT_ORDER_MARKS; mark++) {
        node->marked[mark] = (node->mark[mark] ? 1u : 0u) +
                             marked_of(order, node->left, mark) +
                             marked_of(order, node->right, mark);
    }
    remoment(order, at);
}

static bool goes_left(const struct pbt_order *order, double key,
                      uint32_t number, uint32_t at)
{
    return key_less(key, number, order->nodes[at].key, at);
}

/* Splits the subtree into what comes before (key, number) and the rest. */
static void split(struct pbt_order *order, uint32_t at, double key,
                  uint32_t number, uint32_t *left, uint32_t *right)
{
    if (at == NONE) {
        *left = *right = NONE;
        return;
    }
    struct pbt_order_node *node = &order->nodes[at];
    if (goes_left(order, key, number, at)) {
        split(order, node->left, key, number, left, &node->left);
        *right = at;
    } else {
        split(order, node->right, key, number, &node->right, right);
        *left = at;
    }
    recount(order, at);
}

static uint32_t merge(struct pbt_order *order, uint32_t left, uint32_t right)
{
    if (left == NONE || right == NONE) {
        return left == NONE ? right : left;
    }
    if (priority(left) > priority(right)) {
        uint32_t middle = order->nodes[left].right;
        order->nodes[left].right = merge(order, middle, right);
        recount(order, left);
        return left;
    }
    uint32_t middle = order->nodes[right].left;
    order->nodes[right].left = merge(order, left, middle);
    recount(order, right);
    return right;
}

/* On the way down counts are changed, not made anew: that would look at every sibling. */
static uint32_t insert(struct pbt_order *order, uint32_t at, uint32_t member)
{
    struct pbt_order_node *node = &order->nodes[member];
    if (at == NONE || priority(member) > priority(at)) {
        split(order, at, node->key, member, &node->left, &node->right);
        recount(order, member);
        return member;
    }
    struct pbt_order_node *here = &order->nodes[at];
    if (goes_left(order, node->key, member, at)) {
        here->left = insert(order, here->left, member);
    } else {
        here->right = insert(order, here->right, member);
    }
    here->size++; /* the member has no marks yet */
    remoment(order, at);
    return at;
}

static uint32_t erase(struct pbt_order *order, uint32_t at, uint32_t member)
{
    assert(at != NONE);
    struct pbt_order_node *here = &order->nodes[at];
    if (at == member) {
        return merge(order, here->left, here->right);
    }
    if (goes_left(order, order->nodes[member].key, member, at)) {
        here->left = erase(order, here->left, member);
    } else {
        here->right = erase(order, here->right, member);
    }
    here->size--;
    for (uint32_t mark = 0; mark < PBT_ORDER_MARKS; mark++) {
        here->marked[mark] -= order->nodes[member].mark[mark] ? 1u : 0u;
    }
    remoment(order, at);
    return at;
}

bool pbt_order_has(const struct pbt_order *order, uint32_t member)
{
    assert(member < order->capacity);
    return order->nodes[member].size > 0;
}

uint32_t pbt_order_count(const struct pbt_order *order)
{
    return size_of(order, order->root);
}

void pbt_order_put(struct pbt_order *order, uint32_t member, double key)
{
    pbt_order_erase(order, member);
    order->nodes[member] = (struct pbt_order_node){
        .key = key, .left = NONE, .right = NONE, .size = 1};
    order->root = insert(order, order->root, member);
}

void pbt_order_erase(struct pbt_order *order, uint32_t member)
{
    if (pbt_order_has(order, member)) {
        order->root = erase(order, order->root, member);
        order->nodes[member] = (struct pbt_order_node){0};
    }
}

void pbt_order_mark(struct pbt_order *order, uint32_t member, uint32_t mark,
                    bool set)
{
    assert(mark < PBT_ORDER_MARKS);
    struct pbt_order_node *node = &order->nodes[member];
    if (!pbt_order_has(order, member) || node->mark[mark] == set) {
        return;
    }
    uint32_t at = order->root;
    while (at != NONE) {
        struct pbt_order_node *here = &order->nodes[at];
        here->marked[mark] += set ? 1u : UINT32_MAX; /* + 1 or - 1 */
        if (at == member) {
            break;
        }
        at = goes_left(order, node->key, member, at) ? here->left : here->right;
    }
    assert(at == member);
    node->mark[mark] = set;
}

uint32_t pbt_order_before(const struct pbt_order *order, double key,
                          uint32_t number)
{
    uint32_t before = 0;
    uint32_t at = order->root;
    while (at != NONE) {
        const struct pbt_order_node *here = &order->nodes[at];
        if (key_less(here->key, at, key, number)) {
            before += 1 + size_of(order, here->left);
            at = here->right;
        } else {
            at = here->left;
        }
    }
    return before;
}

uint32_t pbt_order_rank(const struct pbt_order *order, uint32_t member)
{
    assert(pbt_order_has(order, member));
    return pbt_order_before(order, order->nodes[member].key, member);
}

uint32_t pbt_order_at(const struct pbt_order *order, uint32_t rank)
{
    assert(rank < pbt_order_count(order));
    uint32_t at = order->root;
    for (;;) {
        const struct pbt_order_node *here = &order->nodes[at];
        uint32_t left = size_of(order, here->left);
        if (rank == left) {
            return at;
        }
        if (rank < left) {
            at = here->left;
        } else {
            rank -= left + 1;
            at = here->right;
        }
    }
}

/* How many of the first `rank` members carry the mark. */
static uint32_t marked_before(const struct pbt_order *order, uint32_t rank,
                              uint32_t mark)
{
    uint32_t marked = 0;
    uint32_t at = order->root;
    while (at != NONE && rank > 0) {
        const struct pbt_order_node *here = &order->nodes[at];
        uint32_t left = size_of(order, here->left);
        if (rank <= left) {
            at = here->left;
        } else {
            marked += marked_of(order, here->left, mark) +
                      (here->mark[mark] ? 1u : 0u);
            rank -= left + 1;
            at = here->right;
        }
    }
    return marked;
}

uint32_t pbt_order_marked(const struct pbt_order *order, uint32_t rank,
                          uint32_t mark)
{
    return marked_of(order, order->root, mark) -
           marked_before(order, rank, mark);
}

uint32_t pbt_order_marked_at(const struct pbt_order *order, uint32_t rank,
                             uint32_t mark, uint32_t j)
{
    assert(j < pbt_order_marked(order, rank, mark));
    j += marked_before(order, rank, mark);
    uint32_t at = order->root;
    for (;;) {
        const struct pbt_order_node *here = &order->nodes[at];
        uint32_t left = marked_of(order, here->left, mark);
        if (j < left) {
            at = here->left;
        } else if (j == left && here->mark[mark]) {
            return at;
        } else {
            j -= left + (here->mark[mark] ? 1u : 0u);
            at = here->right;
        }
    }
}
