#include "core/space.h"

#include <assert.h>
#include <math.h>

bool pbt_cell_same(struct pbt_cell a, struct pbt_cell b)
{
    if (a.type != b.type) {
        return false;
    }
    switch ((enum pbt_cell_type)a.type) {
    case PBT_CELL_NONE:
        return true;
    case PBT_CELL_INT:
    case PBT_CELL_BOOL:
        return a.u.i == b.u.i;
    case PBT_CELL_REAL:
        return a.u.r == b.u.r || (isnan(a.u.r) && isnan(b.u.r));
    case PBT_CELL_TEXT:
        return a.text == b.text;
    }
    return false;
}

double pbt_cell_number(struct pbt_cell cell)
{
    if (cell.type == PBT_CELL_INT) {
        return (double)cell.u.i;
    }
    return cell.type == PBT_CELL_REAL ? cell.u.r : 0;
}

/*
 * What a numeric domain is made of, however it is drawn: the closed interval of
 * its values and the step of its grid (0: none).
 */
struct grid {
    bool bounded;
    bool integer;
    bool logarithmic;
    double lowest;
    double highest;
    double step;
};

const struct pbt_domain_form *pbt_domain_form(enum pbt_domain_kind kind)
{
#define NUMBER(text, ...)                                                      \
    {                                                                          \
        .name = (text), .number = true, __VA_ARGS__                            \
    }
    static const struct pbt_domain_form forms[PBT_DOMAIN_KINDS] = {
        [PBT_DOMAIN_CONSTANT] = {.listed = true},
        [PBT_DOMAIN_CHOICE] = {.name = "choice", .listed = true},
        [PBT_DOMAIN_GRID] = {.name = "grid_search", .listed = true},
        [PBT_DOMAIN_FUNCTION] = {.name = "function"},
        [PBT_DOMAIN_UNIFORM] = NUMBER("uniform", .whole = false),
        [PBT_DOMAIN_QUNIFORM] = NUMBER("quniform", .quantised = true),
        [PBT_DOMAIN_LOGUNIFORM] = NUMBER("loguniform", .logarithmic = true),
        [PBT_DOMAIN_QLOGUNIFORM] =
            NUMBER("qloguniform", .logarithmic = true, .quantised = true),
        [PBT_DOMAIN_RANDN] = NUMBER("randn", .normal = true),
        [PBT_DOMAIN_QRANDN] =
            NUMBER("qrandn", .normal = true, .quantised = true),
        [PBT_DOMAIN_RANDINT] = NUMBER("randint", .whole = true),
        [PBT_DOMAIN_QRANDINT] =
            NUMBER("qrandint", .whole = true, .quantised = true),
        [PBT_DOMAIN_LOGRANDINT] =
            NUMBER("lograndint", .whole = true, .logarithmic = true),
        [PBT_DOMAIN_QLOGRANDINT] =
            NUMBER("qlograndint", .whole = true, .logarithmic = true,
                   .quantised = true),
    };
#undef NUMBER
    assert(kind < PBT_DOMAIN_KINDS);
    return &forms[kind];
}

/* Of numbers, and of a function, of whose values nothing is known. */
static struct grid domain_grid(const struct pbt_domain *domain)
{
    const struct pbt_domain_form *form = pbt_domain_form(domain->kind);
    struct grid grid = {.bounded = form->number && !form->normal,
                        .integer = form->whole,
                        .logarithmic = form->logarithmic,
                        .lowest = domain->lower,
                        .highest = domain->upper,
                        .step = form->quantised ? domain->quantum : 0};
    assert(!form->listed && domain->kind != PBT_DOMAIN_NONE);
    if (!grid.bounded) {
        return grid;
    }
    if (!form->quantised) {
        /* The upper bound is no part of it. */
        grid.step = form->whole ? 1 : 0;
        grid.highest = form->whole ? domain->upper - 1
                                   : nextafter(domain->upper, domain->lower);
    }
    if (grid.step > 0) {
        /* The outermost points of the grid inside the bounds. */
        grid.lowest = ceil(grid.lowest / grid.step - 1e-9) * grid.step;
        grid.highest = floor(grid.highest / grid.step + 1e-9) * grid.step;
    }
    return grid;
}

static double clip(const struct grid *grid, double value)
{
    if (!grid->bounded) {
        return value;
    }
    /* A reversed or empty interval (equal bounds) has its lowest value only. */
    if (value < grid->lowest || grid->highest < grid->lowest) {
        return grid->lowest;
    }
    return value > grid->highest ? grid->highest : value;
}

/* To the nearest point of the grid, halves to even as NumPy's round. */
static double snap(const struct grid *grid, double value)
{
    return grid->step > 0 ? nearbyint(value / grid->step) * grid->step : value;
}

static struct pbt_cell make_cell(const struct grid *grid, double value)
{
    return grid->integer ? pbt_cell_int((int64_t)value) : pbt_cell_real(value);
}

/* As in Python, where 1 and 1.0 are equal. */
static bool equal_numbers(struct pbt_cell a, struct pbt_cell b)
{
    return pbt_cell_is_number(a) && pbt_cell_is_number(b) &&
           pbt_cell_number(a) == pbt_cell_number(b);
}

bool pbt_domain_find(const struct pbt_domain *domain, struct pbt_cell value,
                     uint32_t *at)
{
    bool found = false;
    for (uint32_t i = 0; i < domain->choice_count; i++) {
        if (pbt_cell_same(domain->choices[i], value)) {
            *at = i;
            return true;
        }
        if (!found && equal_numbers(domain->choices[i], value)) {
            *at = i;
            found = true;
        }
    }
    return found;
}

bool pbt_domain_contains(const struct pbt_domain *domain, struct pbt_cell value)
{
    uint32_t at;
    if (domain->kind == PBT_DOMAIN_NONE) {
        return false;
    }
    if (domain->kind == PBT_DOMAIN_FUNCTION) {
        return value.type != PBT_CELL_NONE;
    }
    if (pbt_domain_form(domain->kind)->listed) {
        return pbt_domain_find(domain, value, &at);
    }
    struct grid grid = domain_grid(domain);
    double number = pbt_cell_number(value);
    return value.type ==
               (uint32_t)(grid.integer ? PBT_CELL_INT : PBT_CELL_REAL) &&
           isfinite(number) && clip(&grid, number) == number &&
           snap(&grid, number) == number;
}

static double draw_number(const struct pbt_domain *domain,
                          const struct grid *grid, struct pbt_draw_key *key)
{
    if (!grid->bounded) {
        return domain->lower + domain->upper * pbt_draw_normal(key);
    }
    if (grid->logarithmic) {
        double low = pbt_exact_log(domain->lower);
        double high = pbt_exact_log(domain->upper);
        double value = pbt_exact_exp(low + (high - low) * pbt_draw_unit(key));
        /* Integers without q: [l, u) by rounding down, as Ray does. */
        bool cut = grid->integer && !pbt_domain_form(domain->kind)->quantised;
        return cut ? floor(value) : value;
    }
    if (grid->integer) {
        /* Every point of the grid alike (Ray's qrandint is uneven). */
        double points = (grid->highest - grid->lowest) / grid->step + 1;
        uint64_t n = points < 1 ? 1 : (uint64_t)nearbyint(points);
        return grid->lowest + (double)pbt_draw_below(key, n) * grid->step;
    }
    return domain->lower + (domain->upper - domain->lower) * pbt_draw_unit(key);
}

struct pbt_cell pbt_domain_draw(const struct pbt_domain *domain,
                                struct pbt_draw_key *key)
{
    assert(domain->kind != PBT_DOMAIN_NONE);
    if (domain->kind == PBT_DOMAIN_FUNCTION) {
        return (struct pbt_cell){.type = PBT_CELL_NONE};
    }
    if (domain->kind == PBT_DOMAIN_GRID) {
        assert(domain->choice_count > 0 && domain->stride > 0);
        return domain
            ->choices[key->trial / domain->stride % domain->choice_count];
    }
    if (pbt_domain_form(domain->kind)->listed) {
        assert(domain->choice_count > 0);
        return domain->choices[pbt_draw_below(key, domain->choice_count)];
    }
    struct grid grid = domain_grid(domain);
    double value = draw_number(domain, &grid, key);
    return make_cell(&grid, clip(&grid, snap(&grid, value)));
}

void pbt_space_initial(const struct pbt_space *space, struct pbt_draw_key *key,
                       struct pbt_cell *cells)
{
    for (uint32_t i = 0; i < space->count; i++) {
        const struct pbt_param *param = &space->params[i];
        bool given = param->initial.kind != PBT_DOMAIN_NONE;
        const struct pbt_domain *domain =
            given ? &param->initial : &param->mutations;
        /* Each parameter has draws of its own: adding one moves no other. */
        key->index = i << 8;
        cells[i] = pbt_domain_draw(domain, key);
    }
}

/* Ray's rule for lists: one step left or right, staying at an end. */
static struct pbt_cell shift(const struct pbt_domain *list, uint32_t at,
                             struct pbt_draw_key *key)
{
    if (pbt_draw_below(key, 2) == 0) {
        return list->choices[at > 0 ? at - 1 : 0];
    }
    return list->choices[at + 1 < list->choice_count ? at + 1 : at];
}

/* Numbers that only rise or only fall: neighbours mean something. */
static bool is_ordered(const struct pbt_domain *choice)
{
    bool rises = true;
    bool falls = true;
    for (uint32_t i = 0; i < choice->choice_count; i++) {
        if (!pbt_cell_is_number(choice->choices[i])) {
            return false;
        }
        if (i > 0) {
            double step = pbt_cell_number(choice->choices[i]) -
                          pbt_cell_number(choice->choices[i - 1]);
            rises = rises && step > 0;
            falls = falls && step < 0;
        }
    }
    return rises || falls;
}

static struct pbt_cell explore_choices(const struct pbt_domain *domain,
                                       bool ordered, struct pbt_cell old,
                                       double resample_probability,
                                       struct pbt_draw_key *key)
{
    uint32_t at = 0;
    bool resample = pbt_draw_unit(key) < resample_probability;
    if (resample || !ordered || !pbt_domain_find(domain, old, &at)) {
        return pbt_domain_draw(domain, key);
    }
    return shift(domain, at, key);
}

/* As far inside of the bound as the value is outside, on the scale on which it was moved. */
static double reflect(const struct pbt_param *param, const struct grid *grid,
                      double value)
{
    double bound = value < grid->lowest ? grid->lowest : grid->highest;
    return param->log_scale ? bound / value * bound : bound + (bound - value);
}

/* What a factor makes of a number, wherever that leads. */
static double move(const struct pbt_param *param, double old, double factor)
{
    if (!param->log_scale) {
        return old * factor;
    }
    double range = pbt_exact_log(param->mutations.upper) -
                   pbt_exact_log(param->mutations.lower);
    return pbt_exact_exp(pbt_exact_log(old) + (factor - 1) * range);
}

static double move_on_grid(const struct pbt_param *param,
                           const struct grid *grid, double old, double factor)
{
    double value = snap(grid, move(param, old, factor));
    if (grid->step > 0 && value == snap(grid, old) && factor != 1) {
        /* Too small to move by itself: away from 0 for x1.2, towards it for x0.8. */
        bool up = (factor > 1) == (old >= 0);
        value += up ? grid->step : -grid->step;
    }
    return value;
}

/* Ray's types (`allow`): a boolean stays one, a whole number is rounded, halves to even. */
static struct pbt_cell keep_type(struct pbt_cell old, struct pbt_cell cell)
{
    if (!pbt_cell_is_number(cell)) {
        return cell;
    }
    double number = pbt_cell_number(cell);
    if (old.type == PBT_CELL_BOOL) {
        return (struct pbt_cell){.type = PBT_CELL_BOOL, .u.i = number != 0};
    }
    bool whole = old.type == PBT_CELL_INT && cell.type == PBT_CELL_REAL &&
                 fabs(number) < 9e18;
    return whole ? pbt_cell_int((int64_t)nearbyint(number)) : cell;
}

static struct pbt_cell scale(const struct pbt_param *param,
                             const struct pbt_explore *explore,
                             struct pbt_cell old, struct pbt_draw_key *key)
{
    const struct pbt_domain *domain = &param->mutations;
    bool own = param->factor_count > 0;
    const double *factors = own ? param->factors : explore->factors;
    double factor = factors[pbt_draw_below(key, own ? param->factor_count
                                                    : explore->factor_count)];
    double number = pbt_cell_number(old);
    if (explore->out_of_range == PBT_RANGE_ALLOW) {
        return keep_type(old, pbt_cell_real(move(param, number, factor)));
    }
    struct grid grid = domain_grid(domain);
    if (domain->kind == PBT_DOMAIN_FUNCTION && old.type == PBT_CELL_INT) {
        grid.integer = true; /* what it gave last is all that is known of it */
        grid.step = 1;
    }
    double value = move_on_grid(param, &grid, number, factor);
    if (!isfinite(value)) {
        return pbt_domain_draw(domain, key);
    }
    if (clip(&grid, value) != value) {
        if (explore->out_of_range == PBT_RANGE_RESAMPLE) {
            return pbt_domain_draw(domain, key);
        }
        if (explore->out_of_range == PBT_RANGE_REFLECT) {
            value = snap(&grid, reflect(param, &grid, value));
        }
        value = clip(&grid, value);
    }
    return make_cell(&grid, value);
}

/* There is a number that a factor can move. */
static bool can_scale(const struct pbt_param *param, struct pbt_cell old)
{
    return pbt_cell_is_number(old) &&
           (!param->log_scale || pbt_cell_number(old) > 0);
}

static struct pbt_cell explore_domain(const struct pbt_param *param,
                                      const struct pbt_explore *explore,
                                      struct pbt_cell old,
                                      struct pbt_draw_key *key)
{
    const struct pbt_domain *domain = &param->mutations;
    bool allow = explore->out_of_range == PBT_RANGE_ALLOW;
    bool stays = allow && old.type == PBT_CELL_BOOL; /* unless resampled */
    if (domain->kind == PBT_DOMAIN_CHOICE &&
        !(allow && pbt_cell_is_number(old)) && !stays) {
        return explore_choices(domain, is_ordered(domain), old,
                               explore->resample_probability, key);
    }
    if (pbt_draw_unit(key) < explore->resample_probability ||
        !(stays || can_scale(param, old))) {
        struct pbt_cell drawn = pbt_domain_draw(domain, key);
        return allow ? keep_type(old, drawn) : drawn;
    }
    return stays ? old : scale(param, explore, old, key);
}

void pbt_space_explore(const struct pbt_space *space,
                       const struct pbt_explore *explore,
                       const struct pbt_cell *donor, struct pbt_draw_key *key,
                       struct pbt_cell *cells)
{
    for (uint32_t i = 0; i < space->count; i++) {
        const struct pbt_param *param = &space->params[i];
        key->index = i << 8;
        switch (param->mutation) {
        case PBT_MUTATION_NONE:
            cells[i] = donor[i];
            break;
        case PBT_MUTATION_LIST:
            cells[i] = explore_choices(&param->mutations, true, donor[i],
                                       explore->resample_probability, key);
            break;
        case PBT_MUTATION_DOMAIN:
            cells[i] = explore_domain(param, explore, donor[i], key);
            break;
        }
    }
}

bool pbt_space_is_explored(const struct pbt_space *space, uint32_t index)
{
    bool any = false;
    for (uint32_t i = 0; i < space->count && !any; i++) {
        any = space->params[i].mutation != PBT_MUTATION_NONE;
    }
    return !any || space->params[index].mutation != PBT_MUTATION_NONE;
}

bool pbt_space_is_open(const struct pbt_space *space,
                       const struct pbt_cell *cells)
{
    for (uint32_t i = 0; i < space->count; i++) {
        if (cells[i].type == PBT_CELL_NONE) {
            return true;
        }
    }
    return false;
}
