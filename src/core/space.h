/*
 * space.h: the search space: a table of parameters, each with the domain that
 * its first value is drawn from and the way in which it mutates.
 *
 * Names, bounds and drawing rules are Ray Tune's search-space API; what is
 * ours is that draws are keyed (base/draw.h), and that quantised and integer
 * domains stay on their grid.
 */
#ifndef PBT_CORE_SPACE_H
#define PBT_CORE_SPACE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/draw.h"
#include "core/cell.h"

/* Their numbers stand in tests/golden: new ones go to the end. */
enum pbt_domain_kind {
    PBT_DOMAIN_NONE,     /* no domain */
    PBT_DOMAIN_CONSTANT, /* choices[0] */
    PBT_DOMAIN_CHOICE,   /* one of choices, uniformly */
    PBT_DOMAIN_UNIFORM,
    PBT_DOMAIN_QUNIFORM,
    PBT_DOMAIN_LOGUNIFORM,
    PBT_DOMAIN_QLOGUNIFORM,
    PBT_DOMAIN_RANDN,
    PBT_DOMAIN_QRANDN,
    PBT_DOMAIN_RANDINT,
    PBT_DOMAIN_QRANDINT,
    PBT_DOMAIN_LOGRANDINT,
    PBT_DOMAIN_QLOGRANDINT,
    PBT_DOMAIN_FUNCTION, /* what a function of the user's says: it is asked */
    PBT_DOMAIN_GRID,     /* each of choices in turn, by the trial's number */
    PBT_DOMAIN_KINDS
};

/*
 * What a kind is made of.  All that is done with one follows from its form: reading, writing,
 * describing, checking, drawing, moving, clipping.
 */
struct pbt_domain_form {
    const char *name; /* in experiment files; NULL for a constant */
    bool listed;      /* its values are its choices */
    bool number; /* its values are numbers, within bounds or around a mean */
    bool whole;  /* whole ones */
    bool logarithmic; /* uniform in the logarithm */
    bool normal; /* mean and standard deviation in the place of the bounds */
    bool
        quantised; /* multiples of a step, and of its bounds both belong to it */
};

const struct pbt_domain_form *pbt_domain_form(enum pbt_domain_kind kind);

struct pbt_domain {
    enum pbt_domain_kind kind;
    /* [lower, upper) for reals and integers; mean and sd for randn. */
    double lower;
    double upper;
    double quantum; /* the q of quniform and its kin; else 0 */
    struct pbt_cell *choices;
    uint32_t choice_count;
    uint32_t stride; /* GRID: so many trials in a row have the same value */
    const char *function; /* FUNCTION: its name, for those who ask it */
};

/* How PBT explores a parameter. */
enum pbt_mutation_kind {
    PBT_MUTATION_NONE, /* stays what the donor has */
    /* ordered choices: resampled, or moved to a neighbour */
    PBT_MUTATION_LIST,
    PBT_MUTATION_DOMAIN, /* resampled, or multiplied by a perturbation factor */
};

/* What to do with a value that a factor has moved out of its domain. */
enum pbt_out_of_range {
    PBT_RANGE_CLIP,    /* to the nearest value inside (default) */
    PBT_RANGE_REFLECT, /* as far inside as it was outside */
    PBT_RANGE_RESAMPLE,
    PBT_RANGE_ALLOW, /* Ray's rule: leave it */
};

struct pbt_param {
    const char *name;          /* nested ones as "outer/inner" */
    struct pbt_domain initial; /* NONE: filled from the mutation */
    enum pbt_mutation_kind mutation;
    struct pbt_domain mutations; /* LIST: a CHOICE */
    /* DOMAIN: its own factors (count 0: those of struct pbt_explore). */
    const double *factors;
    uint32_t factor_count;
    /*
     * DOMAIN with bounds above 0: a factor f moves the value by f - 1 of the way from the lower
     * to the upper bound, on a logarithmic scale; else it multiplies it.
     */
    bool log_scale;
};

struct pbt_space {
    struct pbt_param *params;
    uint32_t count;
};

/*
 * True if exploring may change the parameter.  Where a function alone explores (nothing
 * mutates) that is all of them.
 */
bool pbt_space_is_explored(const struct pbt_space *space, uint32_t index);

/* The settings of explore, from the experiment file. */
struct pbt_explore {
    double resample_probability;
    const double *factors;
    uint32_t factor_count;
    enum pbt_out_of_range out_of_range;
};

/*
 * True if the value lies in the domain: within its bounds, on its grid, of its type.  In that of
 * a function lies every value.
 */
bool pbt_domain_contains(const struct pbt_domain *domain,
                         struct pbt_cell value);

/*
 * Where among the choices the value is; false if it is none of them.  Numbers are compared by
 * their value, so that 1.0 is found where 1 is listed.
 */
bool pbt_domain_find(const struct pbt_domain *domain, struct pbt_cell value,
                     uint32_t *at);

/*
 * Draws a value.  `key` names the draw; its index is counted up.  PBT_CELL_NONE is drawn from a
 * function's domain, and nowhere else: the function has to be asked.  A grid gives the value of
 * key->trial, and counts nothing.
 */
struct pbt_cell pbt_domain_draw(const struct pbt_domain *domain,
                                struct pbt_draw_key *key);

/* The first configuration of a trial: cells[space->count]. */
void pbt_space_initial(const struct pbt_space *space, struct pbt_draw_key *key,
                       struct pbt_cell *cells);

/*
 * Explores: from the donor's values to new ones, both space->count, perhaps in the same
 * place.  Rules: Ray's
 * explore(), except that (unless out_of_range is `allow`, which is Ray to the letter)
 *  - a value stays in its domain, on its grid, and of its domain's type;
 *  - a factor moves an integer or quantised value by at least one step, so that
 *    it can't get stuck at 0 or 1;
 *  - a `choice` is moved to a neighbour if its values are ordered numbers, else resampled.
 * A value that can't be scaled (absent, no number, or on a log scale not above 0) is resampled.
 */
void pbt_space_explore(const struct pbt_space *space,
                       const struct pbt_explore *explore,
                       const struct pbt_cell *donor, struct pbt_draw_key *key,
                       struct pbt_cell *cells);

/* True if there is a value for which a function has to be asked. */
bool pbt_space_is_open(const struct pbt_space *space,
                       const struct pbt_cell *cells);

#endif
