/*
 * Grids: `{grid_search: [0.1, 0.01]}` gives each of its values to as many trials.  Several of
 * them are multiplied, and the whole grid is repeated num_samples times.  As in Ray, the first
 * grid in the order of the names changes from trial to trial, the last one most slowly.
 */
#include "spec/reader.h"

#include <string.h>

#include "spec/schema.h"

/*
 * Names in the order of their parts, as Ray sorts paths: "a/b" comes before "a-b", since "a"
 * does.
 */
static bool comes_before(const char *a, const char *b)
{
    while (*a != '\0' && *a == *b) {
        a++;
        b++;
    }
    unsigned char left = *a == '/' ? 1 : (unsigned char)*a;
    unsigned char right = *b == '/' ? 1 : (unsigned char)*b;
    return left < right;
}

/* The first grid, in the order of the names, of those that have no stride yet. */
static struct pbt_param *next_grid(struct pbt_space *space)
{
    struct pbt_param *first = NULL;
    for (uint32_t i = 0; i < space->count; i++) {
        struct pbt_param *param = &space->params[i];
        if (param->initial.kind == PBT_DOMAIN_GRID &&
            param->initial.stride == 0 &&
            (first == NULL || comes_before(param->name, first->name))) {
            first = param;
        }
    }
    return first;
}

static void too_many(struct pbt_reader *reader)
{
    const struct pbt_space *space = &reader->spec->settings.space;
    double points = 1;
    for (uint32_t i = 0; i < space->count; i++) {
        if (space->params[i].initial.kind == PBT_DOMAIN_GRID) {
            points *= space->params[i].initial.choice_count;
        }
    }
    struct pbt_problem *problem = pbt_problem(
        reader->problems, PBT_E0328, reader->given[PBT_KEY_CONFIG]->span,
        "the grid makes more than %d trials", PBT_POPULATION_MAX);
    pbt_problem_label(problem, "num_samples is %u, the grid has %.7g points",
                      (unsigned)reader->spec->num_samples, points);
}

void pbt_read_grids(struct pbt_reader *reader)
{
    struct pbt_settings *settings = &reader->spec->settings;
    uint32_t stride = 1;
    settings->population = reader->spec->num_samples;
    for (struct pbt_param *param = next_grid(&settings->space); param != NULL;
         param = next_grid(&settings->space)) {
        uint32_t values = param->initial.choice_count;
        if ((uint64_t)settings->population * values > PBT_POPULATION_MAX) {
            too_many(reader);
            return;
        }
        param->initial.stride = stride;
        stride *= values;
        settings->population *= values;
    }
}
