/*
 * The ordered set of trials, against a sorted array: random operations, every question asked
 * after each of them.
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/draw.h"
#include "core/order.h"

#define MEMBERS_MAX 64

/* What is tested against: the members in order, slow and obvious. */
struct naive {
    uint32_t member[MEMBERS_MAX];
    uint32_t count;
    double key[MEMBERS_MAX];
    bool mark[MEMBERS_MAX][PBT_ORDER_MARKS];
};

static bool before(const struct naive *naive, uint32_t a, uint32_t b)
{
    double ka = naive->key[a];
    double kb = naive->key[b];
    ka = isfinite(ka) ? ka : (double)-INFINITY;
    kb = isfinite(kb) ? kb : (double)-INFINITY;
    return ka < kb || (ka == kb && a < b);
}

static void naive_erase(struct naive *naive, uint32_t member)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < naive->count; i++) {
        if (naive->member[i] != member) {
            naive->member[kept++] = naive->member[i];
        }
    }
    naive->count = kept;
}

static void naive_put(struct naive *naive, uint32_t member, double key)
{
    naive_erase(naive, member);
    naive->key[member] = key;
    for (uint32_t m = 0; m < PBT_ORDER_MARKS; m++) {
        naive->mark[member][m] = false;
    }
    uint32_t at = naive->count++;
    while (at > 0 && before(naive, member, naive->member[at - 1])) {
        naive->member[at] = naive->member[at - 1];
        at--;
    }
    naive->member[at] = member;
}

static bool naive_has(const struct naive *naive, uint32_t member)
{
    for (uint32_t i = 0; i < naive->count; i++) {
        if (naive->member[i] == member) {
            return true;
        }
    }
    return false;
}

/* The finite keys from each rank on. */
static void check_moments(const struct pbt_order *order,
                          const struct naive *naive)
{
    for (uint32_t rank = 0; rank <= naive->count; rank++) {
        double count = 0;
        double sum = 0;
        for (uint32_t i = rank; i < naive->count; i++) {
            double key = naive->key[naive->member[i]];
            count += isfinite(key) ? 1 : 0;
            sum += isfinite(key) ? key : 0;
        }
        double mean = count > 0 ? sum / count : 0;
        double squares = 0;
        for (uint32_t i = rank; i < naive->count; i++) {
            double off = naive->key[naive->member[i]] - mean;
            squares += isfinite(off) ? off * off : 0;
        }
        struct pbt_moments moments = pbt_order_moments(order, rank);
        assert_true(moments.count == count);
        assert_true(fabs(moments.mean - mean) < 1e-9);
        assert_true(fabs(moments.squares - squares) < 1e-9 * (1 + squares));
    }
}

static void check_marks(const struct pbt_order *order,
                        const struct naive *naive, uint32_t mark)
{
    for (uint32_t rank = 0; rank <= naive->count; rank++) {
        uint32_t marked = 0;
        for (uint32_t i = rank; i < naive->count; i++) {
            marked += naive->mark[naive->member[i]][mark] ? 1 : 0;
        }
        assert_int_equal(pbt_order_marked(order, rank, mark), marked);
        uint32_t j = 0;
        for (uint32_t i = rank; i < naive->count; i++) {
            if (naive->mark[naive->member[i]][mark]) {
                assert_int_equal(pbt_order_marked_at(order, rank, mark, j++),
                                 naive->member[i]);
            }
        }
    }
}

static void check_all(const struct pbt_order *order, const struct naive *naive)
{
    assert_int_equal(pbt_order_count(order), naive->count);
    for (uint32_t i = 0; i < naive->count; i++) {
        uint32_t member = naive->member[i];
        assert_true(pbt_order_has(order, member));
        assert_int_equal(pbt_order_at(order, i), member);
        assert_int_equal(pbt_order_rank(order, member), i);
        assert_int_equal(pbt_order_before(order, naive->key[member], member),
                         i);
    }
    for (uint32_t mark = 0; mark < PBT_ORDER_MARKS; mark++) {
        check_marks(order, naive, mark);
    }
    check_moments(order, naive);
}

/* Few different keys, so that there are ties; some of them not finite. */
static double draw_key(struct pbt_draw_key *key)
{
    static const double odd[] = {(double)NAN, (double)INFINITY,
                                 (double)-INFINITY, -0.0, 0.0};
    uint64_t n = pbt_draw_below(key, 12);
    return n < 5 ? odd[n] : (double)n - 8;
}

static void random_operations(uint64_t seed, uint32_t members)
{
    struct pbt_order order;
    struct naive naive = {.count = 0};
    struct pbt_draw_key key = {.seed = seed, .purpose = PBT_DRAW_TEST};
    assert_true(pbt_order_init(&order, members));
    assert_true(pbt_order_keep_moments(&order));
    for (uint32_t step = 0; step < 400; step++) {
        uint32_t member = (uint32_t)pbt_draw_below(&key, members);
        uint32_t what = (uint32_t)pbt_draw_below(&key, 6);
        if (what < 2) {
            double value = draw_key(&key);
            pbt_order_put(&order, member, value);
            naive_put(&naive, member, value);
        } else if (what == 2) {
            pbt_order_erase(&order, member);
            naive_erase(&naive, member);
        } else {
            uint32_t mark = (uint32_t)pbt_draw_below(&key, PBT_ORDER_MARKS);
            bool set = pbt_draw_below(&key, 3) > 0;
            pbt_order_mark(&order, member, mark, set);
            if (naive_has(&naive, member)) {
                naive.mark[member][mark] = set;
            }
        }
        assert_int_equal(pbt_order_has(&order, member),
                         naive_has(&naive, member));
        check_all(&order, &naive);
    }
    pbt_order_done(&order);
}

static void it_is_a_sorted_array(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 20; seed++) {
        uint32_t members = 1 + (uint32_t)(seed * 7 % MEMBERS_MAX);
        print_message("seed %" PRIu64 ", %" PRIu32 " members\n", seed, members);
        random_operations(seed, members);
    }
}

static uint32_t depth(const struct pbt_order *order, uint32_t at)
{
    if (at == PBT_ORDER_NONE) {
        return 0;
    }
    uint32_t left = depth(order, order->nodes[at].left);
    uint32_t right = depth(order, order->nodes[at].right);
    return 1 + (left > right ? left : right);
}

/* Keys that rise, as scores do: a plain tree would be a list. */
static void it_stays_flat(void **state)
{
    (void)state;
    const uint32_t members = 1 << 14;
    struct pbt_order order;
    assert_true(pbt_order_init(&order, members));
    for (uint32_t i = 0; i < 2 * members; i++) {
        pbt_order_put(&order, i % members, i);
    }
    assert_int_equal(pbt_order_count(&order), members);
    assert_true(depth(&order, order.root) <= 4 * 14);
    pbt_order_done(&order);
}

/* To the bit, however they came: a fold of the journal has to find the same. */
static void moments_follow_from_the_members_alone(void **state)
{
    (void)state;
    struct pbt_order orders[2];
    for (uint32_t o = 0; o < 2; o++) {
        struct pbt_draw_key key = {.seed = 3, .purpose = PBT_DRAW_TEST};
        double keys[MEMBERS_MAX];
        for (uint32_t i = 0; i < MEMBERS_MAX; i++) {
            keys[i] = pbt_draw_unit(&key);
        }
        assert_true(pbt_order_init(&orders[o], MEMBERS_MAX));
        assert_true(pbt_order_keep_moments(&orders[o]));
        for (uint32_t i = 0; i < 3 * MEMBERS_MAX; i++) {
            uint32_t member = o == 0 ? i % MEMBERS_MAX : i * 7 % MEMBERS_MAX;
            bool last = i >= 2 * MEMBERS_MAX;
            pbt_order_put(&orders[o], member, last ? keys[member] : i * 0.1);
        }
    }
    for (uint32_t rank = 0; rank <= MEMBERS_MAX; rank++) {
        struct pbt_moments a = pbt_order_moments(&orders[0], rank);
        struct pbt_moments b = pbt_order_moments(&orders[1], rank);
        assert_memory_equal(&a, &b, sizeof a);
    }
    pbt_order_done(&orders[0]);
    pbt_order_done(&orders[1]);
}

static void an_empty_one_answers(void **state)
{
    (void)state;
    struct pbt_order order;
    assert_true(pbt_order_init(&order, 0));
    assert_int_equal(pbt_order_count(&order), 0);
    assert_int_equal(pbt_order_before(&order, 1, 1), 0);
    assert_int_equal(pbt_order_marked(&order, 0, 0), 0);
    pbt_order_done(&order);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_a_sorted_array),
        cmocka_unit_test(it_stays_flat),
        cmocka_unit_test(moments_follow_from_the_members_alone),
        cmocka_unit_test(an_empty_one_answers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
