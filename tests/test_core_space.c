/*
 * Drawing and exploring hyperparameters: what holds for every domain, and Ray's rules value by
 * value (perturbation: lists move to a neighbour, numbers are multiplied; `allow` is Ray to
 * the letter).
 */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "core/space.h"

#define DRAWS 3000

static struct pbt_domain range(enum pbt_domain_kind kind, double lower,
                               double upper, double quantum)
{
    return (struct pbt_domain){
        .kind = kind, .lower = lower, .upper = upper, .quantum = quantum};
}

static struct pbt_domain list_of(struct pbt_cell *cells, uint32_t count)
{
    return (struct pbt_domain){
        .kind = PBT_DOMAIN_CHOICE, .choices = cells, .choice_count = count};
}

static struct pbt_draw_key draw_number(uint64_t n)
{
    return (struct pbt_draw_key){
        .seed = 1, .iteration = n, .purpose = PBT_DRAW_TEST};
}

/* Explores one parameter with one factor. */
static struct pbt_cell explore(enum pbt_mutation_kind mutation,
                               struct pbt_domain domain,
                               enum pbt_out_of_range out_of_range,
                               double factor, double resample,
                               struct pbt_cell old, uint64_t n)
{
    struct pbt_param param = {
        .name = "outer/inner", .mutation = mutation, .mutations = domain};
    struct pbt_space space = {&param, 1};
    struct pbt_explore rules = {.resample_probability = resample,
                                .factors = &factor,
                                .factor_count = 1,
                                .out_of_range = out_of_range};
    struct pbt_draw_key key = draw_number(n);
    struct pbt_cell cell;
    pbt_space_explore(&space, &rules, &old, &key, &cell);
    return cell;
}

static struct pbt_cell scaled(struct pbt_domain domain,
                              enum pbt_out_of_range out_of_range, double factor,
                              struct pbt_cell old)
{
    return explore(PBT_MUTATION_DOMAIN, domain, out_of_range, factor, 0, old,
                   0);
}

static void assert_int(struct pbt_cell cell, int64_t value)
{
    assert_int_equal(cell.type, PBT_CELL_INT);
    assert_int_equal(cell.u.i, value);
}

static void assert_real(struct pbt_cell cell, double value)
{
    assert_int_equal(cell.type, PBT_CELL_REAL);
    if (cell.u.r != value) {
        fail_msg("%.17g is not %.17g", cell.u.r, value);
    }
}

/* --- every domain ------------------------------------------------------------ */

static const struct {
    enum pbt_domain_kind kind;
    double lower;
    double upper;
    double quantum;
    bool integer;
} domains[] = {
    {PBT_DOMAIN_UNIFORM, 0.001, 1, 0, false},
    {PBT_DOMAIN_UNIFORM, -1, 1, 0, false},
    {PBT_DOMAIN_UNIFORM, 3, 3, 0, false},
    {PBT_DOMAIN_QUNIFORM, 0, 1, 0.1, false},
    {PBT_DOMAIN_QUNIFORM, -0.25, 0.33, 0.05, false},
    {PBT_DOMAIN_LOGUNIFORM, 1e-6, 1e-1, 0, false},
    {PBT_DOMAIN_QLOGUNIFORM, 5e-3, 1e-1, 5e-4, false},
    {PBT_DOMAIN_RANDN, 0, 1, 0, false},
    {PBT_DOMAIN_QRANDN, 10, 2, 0.2, false},
    {PBT_DOMAIN_RANDINT, 0, 2, 0, true},
    {PBT_DOMAIN_RANDINT, 0, 10, 0, true},
    {PBT_DOMAIN_RANDINT, -10, 10, 0, true},
    {PBT_DOMAIN_RANDINT, 16, 8192, 0, true},
    {PBT_DOMAIN_QRANDINT, 0, 60, 5, true},
    {PBT_DOMAIN_QRANDINT, 32, 512, 32, true},
    {PBT_DOMAIN_LOGRANDINT, 1, 1000, 0, true},
    {PBT_DOMAIN_QLOGRANDINT, 2, 100, 2, true},
};
#define DOMAINS (sizeof domains / sizeof domains[0])

static struct pbt_domain domain_at(size_t i)
{
    return range(domains[i].kind, domains[i].lower, domains[i].upper,
                 domains[i].quantum);
}

static bool is_bounded(size_t i)
{
    return domains[i].kind != PBT_DOMAIN_RANDN &&
           domains[i].kind != PBT_DOMAIN_QRANDN;
}

/* In the domain, as a stranger would check it. */
static void check_inside(size_t i, struct pbt_cell cell)
{
    struct pbt_domain domain = domain_at(i);
    double value = pbt_cell_number(cell);
    double step = domains[i].quantum;
    assert_int_equal(cell.type,
                     domains[i].integer ? PBT_CELL_INT : PBT_CELL_REAL);
    if (is_bounded(i)) {
        bool open = step == 0 && domain.lower < domain.upper;
        bool inside =
            value >= domain.lower - 1e-12 &&
            (open ? value < domain.upper : value <= domain.upper + 1e-12);
        if (!inside) {
            fail_msg("domain %zu: %.17g is outside", i, value);
        }
    }
    if (step > 0) {
        double steps = value / step;
        assert_true(fabs(steps - nearbyint(steps)) < 1e-9);
    }
    if (!pbt_domain_contains(&domain, cell)) {
        fail_msg("domain %zu does not contain %.17g", i, value);
    }
}

static void draws_lie_in_their_domain(void **state)
{
    (void)state;
    for (size_t i = 0; i < DOMAINS; i++) {
        struct pbt_domain domain = domain_at(i);
        for (uint64_t n = 0; n < DRAWS; n++) {
            struct pbt_draw_key key = draw_number(n);
            check_inside(i, pbt_domain_draw(&domain, &key));
        }
    }
}

/* Of integers, every value is drawn, the last one too. */
static void every_integer_is_drawn(void **state)
{
    (void)state;
    for (size_t i = 0; i < DOMAINS; i++) {
        struct pbt_domain domain = domain_at(i);
        double step = domain.quantum > 0 ? domain.quantum : 1;
        double last = domain.quantum > 0 ? domain.upper : domain.upper - 1;
        if (!domains[i].integer || last - domain.lower > 100 * step) {
            continue;
        }
        for (double v = domain.lower; v <= last; v += step) {
            bool drawn = false;
            for (uint64_t n = 0; n < DRAWS && !drawn; n++) {
                struct pbt_draw_key key = draw_number(n);
                drawn = pbt_cell_number(pbt_domain_draw(&domain, &key)) == v;
            }
            if (!drawn) {
                fail_msg("domain %zu never gives %g", i, v);
            }
        }
    }
}

static void exploring_never_leaves_the_domain(void **state)
{
    (void)state;
    static const enum pbt_out_of_range rules[] = {
        PBT_RANGE_CLIP, PBT_RANGE_REFLECT, PBT_RANGE_RESAMPLE};
    static const double factors[] = {1.2, 0.8, 3, 0.1, 0};
    for (size_t i = 0; i < DOMAINS; i++) {
        struct pbt_domain domain = domain_at(i);
        for (uint64_t n = 0; n < DRAWS; n++) {
            struct pbt_draw_key key = draw_number(n);
            struct pbt_cell old = pbt_domain_draw(&domain, &key);
            check_inside(i, explore(PBT_MUTATION_DOMAIN, domain, rules[n % 3],
                                    factors[n % 5], 0.1, old, n));
        }
    }
}

/* ... wherever the value has come from, and whatever its type. */
static void nor_if_the_old_value_lies_outside(void **state)
{
    (void)state;
    const struct pbt_cell olds[] = {
        pbt_cell_real(-5e6),
        pbt_cell_real(5e6),
        pbt_cell_int(INT64_MAX),
        pbt_cell_int(0),
        pbt_cell_real((double)NAN),
        pbt_cell_real((double)INFINITY),
        {.type = PBT_CELL_NONE},
        {.type = PBT_CELL_TEXT, .text = 3},
        {.type = PBT_CELL_BOOL, .u.i = 1},
    };
    for (size_t i = 0; i < DOMAINS; i++) {
        for (size_t o = 0; o < sizeof olds / sizeof olds[0]; o++) {
            for (uint32_t rule = PBT_RANGE_CLIP; rule < PBT_RANGE_ALLOW;
                 rule++) {
                if (is_bounded(i)) {
                    check_inside(i, scaled(domain_at(i),
                                           (enum pbt_out_of_range)rule, 1.2,
                                           olds[o]));
                }
            }
        }
    }
}

static bool on_grid(size_t i, double value)
{
    struct pbt_domain domain = domain_at(i);
    double step = domain.quantum > 0 ? domain.quantum : 1;
    double nearest = nearbyint(value / step) * step;
    return pbt_domain_contains(&domain, domains[i].integer
                                            ? pbt_cell_int((int64_t)nearest)
                                            : pbt_cell_real(nearest));
}

/* Away from 0 by x1.2, towards it by x0.8, by a step at least, while there is one. */
static void a_step_on_a_grid_is_never_lost(void **state)
{
    (void)state;
    for (size_t i = 0; i < DOMAINS; i++) {
        struct pbt_domain domain = domain_at(i);
        double step = domain.quantum > 0 ? domain.quantum : 1;
        if (!is_bounded(i) || (!domains[i].integer && domain.quantum == 0)) {
            continue;
        }
        for (uint64_t n = 0; n < 200; n++) {
            struct pbt_draw_key key = draw_number(n);
            struct pbt_cell old = pbt_domain_draw(&domain, &key);
            double was = pbt_cell_number(old);
            double away = was < 0 ? -1 : 1;
            double up =
                pbt_cell_number(scaled(domain, PBT_RANGE_CLIP, 1.2, old));
            double down =
                pbt_cell_number(scaled(domain, PBT_RANGE_CLIP, 0.8, old));
            double least = 0.99 * step;
            assert_true((up - was) * away > least ||
                        !on_grid(i, was + away * step));
            assert_true((was - down) * away > least ||
                        !on_grid(i, was - away * step));
        }
    }
}

static void small_integers_move(void **state)
{
    (void)state;
    struct pbt_domain d = range(PBT_DOMAIN_RANDINT, 0, 10, 0);
    assert_int(scaled(d, PBT_RANGE_CLIP, 1.2, pbt_cell_int(0)), 1);
    assert_int(scaled(d, PBT_RANGE_CLIP, 1.2, pbt_cell_int(1)), 2);
    assert_int(scaled(d, PBT_RANGE_CLIP, 1.2, pbt_cell_int(2)), 3);
    assert_int(scaled(d, PBT_RANGE_CLIP, 0.8, pbt_cell_int(2)), 1);
    assert_int(scaled(d, PBT_RANGE_CLIP, 0.8, pbt_cell_int(1)), 0);
    assert_int(scaled(d, PBT_RANGE_CLIP, 0.8, pbt_cell_int(0)), 0);
    assert_int(scaled(d, PBT_RANGE_CLIP, 1, pbt_cell_int(3)), 3);
    assert_int(scaled(d, PBT_RANGE_CLIP, 1.2, pbt_cell_int(9)), 9);
}

/* x1.2 leads away from zero on both of its sides. */
static void small_negative_integers_move_the_same_way(void **state)
{
    (void)state;
    struct pbt_domain d = range(PBT_DOMAIN_RANDINT, -10, 10, 0);
    assert_int(scaled(d, PBT_RANGE_CLIP, 1.2, pbt_cell_int(-5)), -6);
    assert_int(scaled(d, PBT_RANGE_CLIP, 1.2, pbt_cell_int(-1)), -2);
    assert_int(scaled(d, PBT_RANGE_CLIP, 0.8, pbt_cell_int(-1)), 0);
    assert_int(scaled(d, PBT_RANGE_CLIP, 0.8, pbt_cell_int(0)), -1);
}

/* --- out of range --------------------------------------------------------------- */

static void clip_stops_at_the_last_value_inside(void **state)
{
    (void)state;
    struct pbt_domain d = range(PBT_DOMAIN_UNIFORM, 0.1, 1, 0);
    assert_real(scaled(d, PBT_RANGE_CLIP, 1.2, pbt_cell_real(0.5)), 0.5 * 1.2);
    assert_real(scaled(d, PBT_RANGE_CLIP, 1.2, pbt_cell_real(0.9)),
                nextafter(1, 0));
    assert_real(scaled(d, PBT_RANGE_CLIP, 0.8, pbt_cell_real(0.11)), 0.1);
    d = range(PBT_DOMAIN_RANDINT, 1, 100, 0);
    assert_int(scaled(d, PBT_RANGE_CLIP, 1.2, pbt_cell_int(90)), 99);
    d = range(PBT_DOMAIN_QUNIFORM, 0, 0.9, 0.1);
    assert_real(scaled(d, PBT_RANGE_CLIP, 1.2, pbt_cell_real(0.9)), 9 * 0.1);
}

static void reflect_comes_back_as_far(void **state)
{
    (void)state;
    struct pbt_domain d = range(PBT_DOMAIN_RANDINT, 10, 101, 0);
    assert_int(scaled(d, PBT_RANGE_REFLECT, 1.2, pbt_cell_int(90)), 92);
    assert_int(scaled(d, PBT_RANGE_REFLECT, 0.5, pbt_cell_int(16)), 12);
    assert_int(scaled(d, PBT_RANGE_REFLECT, 100, pbt_cell_int(90)), 10);
    d = range(PBT_DOMAIN_UNIFORM, 1, 2, 0);
    double top = nextafter(2, 0);
    assert_real(scaled(d, PBT_RANGE_REFLECT, 1.5, pbt_cell_real(1.5)),
                top - (2.25 - top));
}

static void resample_draws_afresh(void **state)
{
    (void)state;
    struct pbt_domain d = range(PBT_DOMAIN_RANDINT, 0, 1000, 0);
    int64_t first = -1;
    bool differ = false;
    for (uint64_t n = 0; n < 20; n++) {
        struct pbt_cell cell =
            explore(PBT_MUTATION_DOMAIN, d, PBT_RANGE_RESAMPLE, 1.2, 0,
                    pbt_cell_int(900), n);
        differ = differ || (n > 0 && cell.u.i != first);
        first = cell.u.i;
    }
    assert_true(differ);
    assert_int(scaled(d, PBT_RANGE_RESAMPLE, 1.2, pbt_cell_int(500)), 600);
}

static void allow_is_ray_to_the_letter(void **state)
{
    (void)state;
    struct pbt_domain d = range(PBT_DOMAIN_UNIFORM, 0, 1, 0);
    struct pbt_domain i = range(PBT_DOMAIN_RANDINT, 0, 10, 0);
    enum pbt_out_of_range allow = PBT_RANGE_ALLOW;
    assert_real(scaled(d, allow, 1.2, pbt_cell_real(0.9)), 0.9 * 1.2);
    assert_real(scaled(d, allow, 1.2, pbt_cell_real(2.0)), 2.4);
    assert_real(scaled(i, allow, 0.8, pbt_cell_real(100.0)), 80.0);
    assert_int(scaled(i, allow, 1.2, pbt_cell_int(100)), 120);
    assert_int(scaled(i, allow, 0.8, pbt_cell_int(10)), 8);
    /* Python's int(round(x)): halves to even. */
    assert_int(scaled(i, allow, 0.8, pbt_cell_int(1)), 1);
    assert_int(scaled(i, allow, 1.2, pbt_cell_int(4)), 5);
    assert_int(scaled(i, allow, 1.2, pbt_cell_int(-4)), -5);
    assert_int(scaled(i, allow, 1.5, pbt_cell_int(1)), 2);
    assert_int(scaled(i, allow, 1.5, pbt_cell_int(3)), 4);
    /* Resampled from reals, what was an integer stays one. */
    struct pbt_domain wide = range(PBT_DOMAIN_UNIFORM, 0, 100, 0);
    for (uint64_t n = 0; n < 50; n++) {
        struct pbt_cell real = explore(PBT_MUTATION_DOMAIN, wide, allow, 1.2, 1,
                                       pbt_cell_real(5), n);
        assert_int(explore(PBT_MUTATION_DOMAIN, wide, allow, 1.2, 1,
                           pbt_cell_int(5), n),
                   (int64_t)nearbyint(real.u.r));
    }
}

/* In Ray a boolean is no number to be multiplied: only resampling changes it. */
static void allow_leaves_booleans_to_resampling(void **state)
{
    (void)state;
    const struct pbt_cell yes = {.type = PBT_CELL_BOOL, .u.i = 1};
    struct pbt_cell both[] = {yes, {.type = PBT_CELL_BOOL, .u.i = 0}};
    struct pbt_domain choice = list_of(both, 2);
    struct pbt_domain real = range(PBT_DOMAIN_UNIFORM, 1, 2, 0);
    bool seen[2] = {false, false};
    for (uint64_t n = 0; n < 50; n++) {
        assert_true(pbt_cell_same(explore(PBT_MUTATION_DOMAIN, choice,
                                          PBT_RANGE_ALLOW, 0.8, 0, yes, n),
                                  yes));
        assert_true(pbt_cell_same(
            explore(PBT_MUTATION_DOMAIN, real, PBT_RANGE_ALLOW, 0.8, 1, yes, n),
            yes));
        struct pbt_cell drawn = explore(PBT_MUTATION_DOMAIN, choice,
                                        PBT_RANGE_ALLOW, 0.8, 1, yes, n);
        assert_int_equal(drawn.type, PBT_CELL_BOOL);
        seen[drawn.u.i] = true;
    }
    assert_true(seen[0] && seen[1]);
}

static void with_probability_one_all_is_resampled(void **state)
{
    (void)state;
    struct pbt_domain d = range(PBT_DOMAIN_RANDINT, 50, 60, 0);
    for (uint64_t n = 0; n < 100; n++) {
        struct pbt_cell cell = explore(PBT_MUTATION_DOMAIN, d, PBT_RANGE_CLIP,
                                       1, 1, pbt_cell_int(5), n);
        assert_true(cell.u.i >= 50 && cell.u.i < 60);
    }
}

/* Ray's tests explore 2.0 and 10: whatever the rules, a real stays one and an integer, too. */
static void reals_stay_reals_and_integers_integers(void **state)
{
    (void)state;
    struct pbt_domain real = range(PBT_DOMAIN_UNIFORM, 0, 1000, 0);
    struct pbt_domain whole = range(PBT_DOMAIN_RANDINT, 0, 1000, 0);
    for (uint32_t rule = PBT_RANGE_CLIP; rule <= PBT_RANGE_ALLOW; rule++) {
        enum pbt_out_of_range out = (enum pbt_out_of_range)rule;
        assert_real(scaled(real, out, 1.2, pbt_cell_real(2)), 2.4);
        assert_real(scaled(real, out, 0.8, pbt_cell_real(2)), 1.6);
        assert_real(scaled(real, out, 1.2, pbt_cell_real(100)), 120);
        assert_int(scaled(whole, out, 1.2, pbt_cell_int(10)), 12);
        assert_int(scaled(whole, out, 0.8, pbt_cell_int(10)), 8);
        for (uint64_t n = 0; n < 50; n++) {
            assert_int_equal(explore(PBT_MUTATION_DOMAIN, real, out, 1.2, 1,
                                     pbt_cell_real(2), n)
                                 .type,
                             PBT_CELL_REAL);
            assert_int_equal(explore(PBT_MUTATION_DOMAIN, whole, out, 1.2, 1,
                                     pbt_cell_int(10), n)
                                 .type,
                             PBT_CELL_INT);
        }
    }
}

/* A nested mapping is explored member by member; those that don't mutate are kept. */
static void nested_members_are_explored_and_their_siblings_kept(void **state)
{
    (void)state;
    static const double factors[] = {1.2, 0.8};
    struct pbt_cell list[] = {pbt_cell_int(3), pbt_cell_int(4), pbt_cell_int(8),
                              pbt_cell_int(10)};
    struct pbt_param params[] = {
        {.name = "a/b/list",
         .mutation = PBT_MUTATION_LIST,
         .mutations = list_of(list, 4)},
        {.name = "a/b/kept"},
        {.name = "a/whole",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = range(PBT_DOMAIN_RANDINT, 0, 1000, 0)},
        {.name = "a/real",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = range(PBT_DOMAIN_UNIFORM, 0, 1000, 0)},
    };
    struct pbt_space space = {params, 4};
    struct pbt_explore rules = {.factors = factors, .factor_count = 2};
    const struct pbt_cell donor[] = {pbt_cell_int(4), pbt_cell_int(4),
                                     pbt_cell_int(100), pbt_cell_real(100)};
    unsigned seen = 0;
    for (uint64_t n = 0; n < 100; n++) {
        struct pbt_cell cells[4];
        struct pbt_draw_key key = draw_number(n);
        pbt_space_explore(&space, &rules, donor, &key, cells);
        bool left = pbt_cell_same(cells[0], pbt_cell_int(3));
        assert_true(left || pbt_cell_same(cells[0], pbt_cell_int(8)));
        assert_int(cells[1], 4);
        bool less = pbt_cell_same(cells[2], pbt_cell_int(80));
        assert_true(less || pbt_cell_same(cells[2], pbt_cell_int(120)));
        bool down = pbt_cell_same(cells[3], pbt_cell_real(80));
        assert_true(down || pbt_cell_same(cells[3], pbt_cell_real(120)));
        seen |= 1u << (left * 4 + less * 2 + down);
    }
    assert_int_equal(seen, 255); /* each by a draw of its own */
}

/* --- settings of one hyperparameter ---------------------------------------------- */

/* Moves one value by `factor`, on a log scale. */
static struct pbt_cell moved(struct pbt_domain domain,
                             enum pbt_out_of_range out_of_range, double factor,
                             struct pbt_cell old)
{
    struct pbt_param param = {.name = "lr",
                              .mutation = PBT_MUTATION_DOMAIN,
                              .mutations = domain,
                              .log_scale = true};
    struct pbt_space space = {&param, 1};
    struct pbt_explore rules = {
        .factors = &factor, .factor_count = 1, .out_of_range = out_of_range};
    struct pbt_draw_key key = draw_number(3);
    struct pbt_cell cell;
    pbt_space_explore(&space, &rules, &old, &key, &cell);
    return cell;
}

static void assert_near(struct pbt_cell cell, double value)
{
    assert_int_equal(cell.type, PBT_CELL_REAL);
    if (!(fabs(cell.u.r - value) <= 1e-12 * value)) {
        fail_msg("%.17g is not %.17g", cell.u.r, value);
    }
}

/* 1.2 is a fifth of the range up, 0.8 as far down, wherever the value stands. */
static void a_log_scale_moves_by_a_part_of_the_range(void **state)
{
    (void)state;
    enum pbt_out_of_range clip = PBT_RANGE_CLIP;
    struct pbt_domain d = range(PBT_DOMAIN_LOGUNIFORM, 1e-5, 1, 0);
    assert_near(moved(d, clip, 1.2, pbt_cell_real(1e-3)), 1e-2);
    assert_near(moved(d, clip, 0.8, pbt_cell_real(1e-3)), 1e-4);
    assert_near(moved(d, clip, 0.8, pbt_cell_real(1e-2)), 1e-3);
    assert_real(moved(d, clip, 1.2, pbt_cell_real(0.5)), nextafter(1, 0));
    assert_real(moved(d, clip, 0.8, pbt_cell_real(2e-5)), 1e-5);
    assert_near(moved(d, PBT_RANGE_ALLOW, 1.2, pbt_cell_real(0.5)), 5);
    assert_near(moved(d, PBT_RANGE_REFLECT, 1.2, pbt_cell_real(0.5)), 0.2);
    assert_near(moved(d, PBT_RANGE_REFLECT, 0.8, pbt_cell_real(2e-5)), 5e-5);
    /* Its distribution need not be a logarithmic one. */
    d = range(PBT_DOMAIN_QUNIFORM, 0.5, 512, 0.5);
    assert_real(moved(d, clip, 1.2, pbt_cell_real(2)), 8);
    d = range(PBT_DOMAIN_RANDINT, 1, 1024, 0);
    assert_int(moved(d, clip, 1.2, pbt_cell_int(3)), 12);
    assert_int(moved(d, clip, 0.8, pbt_cell_int(40)), 10);
    assert_int(moved(d, clip, 1.001, pbt_cell_int(3)), 4);
    assert_int(moved(d, clip, 0.999, pbt_cell_int(3)), 2);
    assert_int(moved(d, clip, 0.999, pbt_cell_int(1)), 1);
}

static void what_has_no_logarithm_is_resampled(void **state)
{
    (void)state;
    struct pbt_domain d = range(PBT_DOMAIN_LOGUNIFORM, 1e-5, 1, 0);
    const double olds[] = {0, -0.5, (double)NAN};
    for (size_t i = 0; i < 3; i++) {
        struct pbt_cell cell =
            moved(d, PBT_RANGE_ALLOW, 1.2, pbt_cell_real(olds[i]));
        assert_true(pbt_domain_contains(&d, cell));
    }
}

static void own_factors_take_the_place_of_the_common_ones(void **state)
{
    (void)state;
    static const double common[] = {1.2, 0.8};
    static const double own[] = {2, 0.5, 4};
    struct pbt_domain d = range(PBT_DOMAIN_UNIFORM, 0, 100, 0);
    struct pbt_param params[] = {
        {.name = "a",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = d,
         .factors = own,
         .factor_count = 3},
        {.name = "b", .mutation = PBT_MUTATION_DOMAIN, .mutations = d},
    };
    struct pbt_space space = {params, 2};
    struct pbt_explore rules = {.factors = common, .factor_count = 2};
    unsigned seen = 0;
    for (uint64_t n = 0; n < 100; n++) {
        struct pbt_cell donor[] = {pbt_cell_real(1), pbt_cell_real(1)};
        struct pbt_cell cells[2];
        struct pbt_draw_key key = draw_number(n);
        pbt_space_explore(&space, &rules, donor, &key, cells);
        for (unsigned f = 0; f < 3; f++) {
            seen |= cells[0].u.r == own[f] ? 1u << f : 0;
        }
        for (unsigned f = 0; f < 2; f++) {
            seen |= cells[1].u.r == common[f] ? 8u << f : 0;
        }
        assert_true(cells[0].u.r == 2 || cells[0].u.r == 0.5 ||
                    cells[0].u.r == 4);
        assert_true(cells[1].u.r == 1.2 || cells[1].u.r == 0.8);
    }
    assert_int_equal(seen, 31);
}

/* --- lists and choices ------------------------------------------------------------- */

/* Bit i of the answer: choices[i] came out, in 200 explorations. */
static unsigned reached(enum pbt_mutation_kind mutation,
                        struct pbt_domain choice, double resample,
                        struct pbt_cell old)
{
    unsigned bits = 0;
    for (uint64_t n = 0; n < 200; n++) {
        struct pbt_cell cell =
            explore(mutation, choice, PBT_RANGE_CLIP, 1.2, resample, old, n);
        unsigned found = 0;
        for (uint32_t i = 0; i < choice.choice_count; i++) {
            found |= pbt_cell_same(choice.choices[i], cell) ? 1u << i : 0;
        }
        assert_int_not_equal(found, 0);
        bits |= found;
    }
    return bits;
}

static void lists_move_to_a_neighbour(void **state)
{
    (void)state;
    struct pbt_cell cells[] = {pbt_cell_int(3), pbt_cell_int(4),
                               pbt_cell_int(8), pbt_cell_int(10)};
    struct pbt_domain list = list_of(cells, 4);
    enum pbt_mutation_kind kind = PBT_MUTATION_LIST;
    assert_int_equal(reached(kind, list, 0, pbt_cell_int(4)), 1 | 4);
    assert_int_equal(reached(kind, list, 0, pbt_cell_int(3)), 1 | 2);
    assert_int_equal(reached(kind, list, 0, pbt_cell_int(10)), 4 | 8);
    assert_int_equal(reached(kind, list, 0, pbt_cell_int(7)), 15);
    assert_int_equal(reached(kind, list, 1, pbt_cell_int(4)), 15);
    /* 4.0 is 4, as in Python; what is no number equals none. */
    struct pbt_cell yes = {.type = PBT_CELL_BOOL, .u.i = 3};
    assert_int_equal(reached(kind, list, 0, pbt_cell_real(4)), 1 | 4);
    assert_int_equal(reached(kind, list, 0, yes), 15);
}

static void lists_may_hold_anything(void **state)
{
    (void)state;
    struct pbt_cell cells[] = {{.type = PBT_CELL_TEXT, .text = 0},
                               {.type = PBT_CELL_TEXT, .text = 1},
                               {.type = PBT_CELL_BOOL, .u.i = 1},
                               {.type = PBT_CELL_NONE}};
    struct pbt_domain list = list_of(cells, 4);
    enum pbt_mutation_kind kind = PBT_MUTATION_LIST;
    assert_int_equal(reached(kind, list, 0, cells[1]), 1 | 4);
    list = list_of(cells, 1);
    assert_int_equal(reached(kind, list, 0, cells[0]), 1);
    assert_int_equal(reached(kind, list, 1, cells[0]), 1);
}

static void an_ordered_choice_moves_to_a_neighbour(void **state)
{
    (void)state;
    struct pbt_cell rises[] = {pbt_cell_int(1), pbt_cell_real(2.5),
                               pbt_cell_int(4)};
    struct pbt_cell falls[] = {pbt_cell_int(9), pbt_cell_int(4),
                               pbt_cell_int(1)};
    enum pbt_mutation_kind kind = PBT_MUTATION_DOMAIN;
    assert_int_equal(reached(kind, list_of(rises, 3), 0, rises[0]), 1 | 2);
    assert_int_equal(reached(kind, list_of(falls, 3), 0, falls[2]), 2 | 4);
    assert_int_equal(reached(kind, list_of(rises, 3), 1, rises[0]), 7);
}

static void any_other_choice_is_resampled(void **state)
{
    (void)state;
    struct pbt_cell mixed[] = {pbt_cell_int(3), pbt_cell_int(1),
                               pbt_cell_int(2)};
    struct pbt_cell words[] = {{.type = PBT_CELL_TEXT, .text = 0},
                               {.type = PBT_CELL_TEXT, .text = 1},
                               {.type = PBT_CELL_TEXT, .text = 2}};
    struct pbt_cell equal[] = {pbt_cell_int(1), pbt_cell_int(1)};
    enum pbt_mutation_kind kind = PBT_MUTATION_DOMAIN;
    assert_int_equal(reached(kind, list_of(mixed, 3), 0, mixed[0]), 7);
    assert_int_equal(reached(kind, list_of(words, 3), 0, words[0]), 7);
    assert_int_equal(reached(kind, list_of(equal, 2), 0, equal[0]), 3);
}

static void allow_scales_the_numbers_of_a_choice(void **state)
{
    (void)state;
    struct pbt_cell cells[] = {pbt_cell_int(10), pbt_cell_int(20)};
    struct pbt_cell words[] = {{.type = PBT_CELL_TEXT, .text = 0},
                               {.type = PBT_CELL_TEXT, .text = 1}};
    assert_int(
        scaled(list_of(cells, 2), PBT_RANGE_ALLOW, 1.2, pbt_cell_int(20)), 24);
    struct pbt_cell cell =
        scaled(list_of(words, 2), PBT_RANGE_ALLOW, 1.2, words[0]);
    assert_int_equal(cell.type, PBT_CELL_TEXT);
}

/* --- the whole space ------------------------------------------------------------------ */

static void what_does_not_mutate_is_the_donors(void **state)
{
    (void)state;
    static const double factor = 1.2;
    struct pbt_param params[] = {
        {.name = "constant"},
        {.name = "outer/lr",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = {.kind = PBT_DOMAIN_UNIFORM, .lower = 0, .upper = 1}},
        {.name = "outer/name"},
    };
    struct pbt_space space = {params, 3};
    struct pbt_explore rules = {.factors = &factor, .factor_count = 1};
    struct pbt_cell donor[] = {pbt_cell_int(7),
                               pbt_cell_real(0.5),
                               {.type = PBT_CELL_TEXT, .text = 9}};
    struct pbt_cell cells[3];
    struct pbt_draw_key key = draw_number(0);
    pbt_space_explore(&space, &rules, donor, &key, cells);
    assert_true(pbt_cell_same(cells[0], donor[0]));
    assert_real(cells[1], 0.5 * 1.2);
    assert_true(pbt_cell_same(cells[2], donor[2]));
}

static void a_further_parameter_moves_no_others_draw(void **state)
{
    (void)state;
    static const double factors[] = {1.2, 0.8};
    struct pbt_domain normal = range(PBT_DOMAIN_RANDN, 0, 1, 0);
    struct pbt_domain uniform = range(PBT_DOMAIN_UNIFORM, 0, 1, 0);
    struct pbt_param with[] = {
        {.name = "a", .mutation = PBT_MUTATION_DOMAIN, .mutations = normal},
        {.name = "b", .mutation = PBT_MUTATION_DOMAIN, .mutations = uniform},
    };
    struct pbt_param without[] = {with[0], with[1]};
    without[0].mutations = uniform; /* takes fewer draws than a normal one */
    struct pbt_space one = {with, 2};
    struct pbt_space other = {without, 2};
    struct pbt_explore rules = {
        .resample_probability = 0.5, .factors = factors, .factor_count = 2};
    for (uint64_t n = 0; n < 50; n++) {
        struct pbt_cell a[2];
        struct pbt_cell b[2];
        struct pbt_cell c[2] = {pbt_cell_real(0.5), pbt_cell_real(0.5)};
        struct pbt_draw_key key = draw_number(n);
        pbt_space_initial(&one, &key, a);
        key = draw_number(n);
        pbt_space_initial(&other, &key, b);
        assert_true(pbt_cell_same(a[1], b[1]));
        key = draw_number(n);
        pbt_space_explore(&one, &rules, c, &key, a);
        key = draw_number(n);
        pbt_space_explore(&other, &rules, c, &key, b);
        assert_true(pbt_cell_same(a[1], b[1]));
    }
}

static void
the_first_value_comes_from_the_mutations_if_none_is_given(void **state)
{
    (void)state;
    struct pbt_cell one = pbt_cell_int(64);
    struct pbt_cell some[] = {pbt_cell_int(1), pbt_cell_int(2)};
    struct pbt_param params[] = {
        {.name = "given",
         .initial = {.kind = PBT_DOMAIN_CONSTANT,
                     .choices = &one,
                     .choice_count = 1},
         .mutation = PBT_MUTATION_LIST,
         .mutations = list_of(some, 2)},
        {.name = "missing",
         .mutation = PBT_MUTATION_LIST,
         .mutations = list_of(some, 2)},
        {.name = "net/width",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = range(PBT_DOMAIN_RANDINT, 5, 7, 0)},
        {.name = "net/deep/rate",
         .mutation = PBT_MUTATION_DOMAIN,
         .mutations = list_of(some, 2)},
    };
    struct pbt_space space = {params, 4};
    struct pbt_cell cells[4];
    struct pbt_draw_key key = draw_number(0);
    pbt_space_initial(&space, &key, cells);
    assert_int(cells[0], 64);
    assert_true(cells[1].u.i == 1 || cells[1].u.i == 2);
    assert_true(cells[2].u.i == 5 || cells[2].u.i == 6);
    assert_true(cells[3].u.i == 1 || cells[3].u.i == 2);
}

static void cells_are_the_same_by_type_and_value(void **state)
{
    (void)state;
    struct pbt_cell nan = pbt_cell_real((double)NAN);
    struct pbt_cell text = {.type = PBT_CELL_TEXT, .text = 1};
    struct pbt_cell other = {.type = PBT_CELL_TEXT, .text = 2};
    struct pbt_cell yes = {.type = PBT_CELL_BOOL, .u.i = 1};
    assert_true(pbt_cell_same(nan, nan));
    assert_true(pbt_cell_same(text, text));
    assert_false(pbt_cell_same(text, other));
    assert_false(pbt_cell_same(pbt_cell_int(1), pbt_cell_real(1)));
    assert_false(pbt_cell_same(pbt_cell_int(1), yes));
    assert_true(pbt_cell_same(pbt_cell_real(0.0), pbt_cell_real(-0.0)));
    assert_true(pbt_cell_number(yes) == 0);
}

/* Its values are asked for; what it gave last is moved like any number. */
static void test_function(void **state)
{
    (void)state;
    const struct pbt_domain asked = {.kind = PBT_DOMAIN_FUNCTION};
    struct pbt_cell text = {.type = PBT_CELL_TEXT, .text = 1};
    for (uint64_t n = 0; n < 20; n++) {
        struct pbt_cell drawn =
            explore(PBT_MUTATION_DOMAIN, asked, PBT_RANGE_CLIP, 1.2, 1,
                    pbt_cell_real(2), n);
        assert_int_equal(drawn.type, PBT_CELL_NONE);
        drawn = explore(PBT_MUTATION_DOMAIN, asked, PBT_RANGE_CLIP, 1.2, 0,
                        text, n);
        assert_int_equal(drawn.type, PBT_CELL_NONE);
        struct pbt_cell moved =
            explore(PBT_MUTATION_DOMAIN, asked, PBT_RANGE_CLIP, 1.2, 0,
                    pbt_cell_real(-2), n);
        assert_true(pbt_cell_same(moved, pbt_cell_real(-2.4)));
        moved = explore(PBT_MUTATION_DOMAIN, asked, PBT_RANGE_CLIP, 1.2, 0,
                        pbt_cell_int(1), n);
        assert_true(pbt_cell_same(moved, pbt_cell_int(2)));
        moved = explore(PBT_MUTATION_DOMAIN, asked, PBT_RANGE_ALLOW, 1.2, 0,
                        pbt_cell_int(1), n);
        assert_true(pbt_cell_same(moved, pbt_cell_int(1))); /* Ray's rule */
    }
    struct pbt_param param = {.name = "x", .mutations = asked};
    struct pbt_space space = {&param, 1};
    struct pbt_draw_key key = draw_number(1);
    struct pbt_cell first;
    pbt_space_initial(&space, &key, &first);
    assert_true(pbt_space_is_open(&space, &first));
    assert_false(pbt_domain_contains(&asked, first));
    assert_true(pbt_domain_contains(&asked, text));
    assert_false(pbt_space_is_open(&space, &text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_function),
        cmocka_unit_test(draws_lie_in_their_domain),
        cmocka_unit_test(every_integer_is_drawn),
        cmocka_unit_test(exploring_never_leaves_the_domain),
        cmocka_unit_test(nor_if_the_old_value_lies_outside),
        cmocka_unit_test(a_step_on_a_grid_is_never_lost),
        cmocka_unit_test(small_integers_move),
        cmocka_unit_test(small_negative_integers_move_the_same_way),
        cmocka_unit_test(clip_stops_at_the_last_value_inside),
        cmocka_unit_test(reflect_comes_back_as_far),
        cmocka_unit_test(resample_draws_afresh),
        cmocka_unit_test(allow_is_ray_to_the_letter),
        cmocka_unit_test(allow_leaves_booleans_to_resampling),
        cmocka_unit_test(with_probability_one_all_is_resampled),
        cmocka_unit_test(reals_stay_reals_and_integers_integers),
        cmocka_unit_test(nested_members_are_explored_and_their_siblings_kept),
        cmocka_unit_test(a_log_scale_moves_by_a_part_of_the_range),
        cmocka_unit_test(what_has_no_logarithm_is_resampled),
        cmocka_unit_test(own_factors_take_the_place_of_the_common_ones),
        cmocka_unit_test(lists_move_to_a_neighbour),
        cmocka_unit_test(lists_may_hold_anything),
        cmocka_unit_test(an_ordered_choice_moves_to_a_neighbour),
        cmocka_unit_test(any_other_choice_is_resampled),
        cmocka_unit_test(allow_scales_the_numbers_of_a_choice),
        cmocka_unit_test(what_does_not_mutate_is_the_donors),
        cmocka_unit_test(a_further_parameter_moves_no_others_draw),
        cmocka_unit_test(
            the_first_value_comes_from_the_mutations_if_none_is_given),
        cmocka_unit_test(cells_are_the_same_by_type_and_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
