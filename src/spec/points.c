/*
 * points_to_evaluate: first configurations that are given, each whole or in part:
 *
 *     points_to_evaluate: [{lr: 0.01, net: {depth: 3}}, {lr: 0.1}]
 *
 * The first goes to trial 0, and so on; what a point does not give is drawn.
 */
#include "spec/reader.h"

#include <stdio.h>
#include <string.h>

struct point_walk {
    struct pbt_reader *reader;
    struct pbt_cell *cells; /* of this point */
    char name[PBT_PARAM_NAME_MAX + 1];
    size_t length;
};

static void unknown(struct point_walk *walk, const struct pbt_node *key)
{
    const struct pbt_space *space = &walk->reader->spec->settings.space;
    struct pbt_problem *problem =
        pbt_problem(walk->reader->problems, PBT_E0322, key->span,
                    "`%s` is no hyperparameter of this experiment",
                    pbt_quote(walk->name, walk->length).text);
    for (uint32_t i = 0; i < space->count; i++) {
        const char *known = space->params[i].name;
        if (pbt_word_close(walk->name, walk->length, known)) {
            pbt_problem_label(problem, "did you mean `%s`?", known);
            return;
        }
    }
    pbt_problem_help(problem, "a point gives values to what `config` and "
                              "`hyperparam_mutations` name");
}

/* Allowed, and seldom meant. */
static void warn_outside(struct point_walk *walk, const struct pbt_node *key,
                         const struct pbt_param *param,
                         const struct pbt_domain *domain)
{
    struct pbt_quoted name = pbt_quote(param->name, strlen(param->name));
    bool listed = pbt_domain_form(domain->kind)->listed;
    pbt_reader_warn(walk->reader, PBT_W0107, key->value,
                    listed ? "`%s` is none of the values that it is drawn from "
                             "otherwise"
                           : "`%s` is outside of what it is drawn from "
                             "otherwise",
                    name.text);
}

/* Where `config` draws it, a point stays within that; whole numbers stay whole. */
static void check_value(struct point_walk *walk, const struct pbt_node *key,
                        const struct pbt_param *param, struct pbt_cell *cell)
{
    const struct pbt_domain *domain = param->initial.kind != PBT_DOMAIN_NONE
                                          ? &param->initial
                                          : &param->mutations;
    const struct pbt_domain_form *form = pbt_domain_form(domain->kind);
    struct pbt_quoted name = pbt_quote(param->name, strlen(param->name));
    bool asked = domain->kind == PBT_DOMAIN_FUNCTION ||
                 param->mutations.kind == PBT_DOMAIN_FUNCTION;
    if (asked && pbt_cell_is_null(walk->reader, *cell)) {
        pbt_problem_label(
            pbt_problem(walk->reader->problems, PBT_E0323, key->value->span,
                        "`%s` comes from a function, but starts as null",
                        name.text),
            "null stands for what the function has not said yet");
    }
    uint32_t at;
    if (domain->kind == PBT_DOMAIN_CHOICE) {
        if (pbt_domain_find(domain, *cell, &at)) {
            *cell = domain->choices[at]; /* 1 where 1.0 is given */
        } else {
            warn_outside(walk, key, param, domain);
        }
    }
    if (!form->number) {
        return;
    }
    if (!pbt_cell_is_number(*cell)) {
        pbt_problem_label(pbt_problem(walk->reader->problems, PBT_E0323,
                                      key->value->span,
                                      "`%s` has to be a number", name.text),
                          "it is drawn from a distribution of numbers");
        return;
    }
    if (form->whole && cell->type != PBT_CELL_INT) {
        pbt_problem(walk->reader->problems, PBT_E0323, key->value->span,
                    "`%s` has to be a whole number", name.text);
        return;
    }
    if (!form->whole) {
        *cell = pbt_cell_real(pbt_cell_number(*cell));
    }
    if (!pbt_domain_contains(domain, *cell)) {
        warn_outside(walk, key, param, domain);
    }
}

static void take_value(struct point_walk *walk, const struct pbt_node *key)
{
    const struct pbt_space *space = &walk->reader->spec->settings.space;
    for (uint32_t i = 0; i < space->count; i++) {
        if (strcmp(space->params[i].name, walk->name) == 0) {
            if (pbt_read_cell(walk->reader, key->value, &walk->cells[i])) {
                check_value(walk, key, &space->params[i], &walk->cells[i]);
            }
            return;
        }
    }
    unknown(walk, key);
}

/* As deep as the tree, which is limited. */
static void take_map(struct point_walk *walk, const struct pbt_node *map)
{
    for (const struct pbt_node *key = map->first; key != NULL;
         key = key->next) {
        size_t before = walk->length;
        size_t slash = before > 0 ? 1 : 0;
        bool nested = key->value->kind == PBT_NODE_MAP && key->value->count > 0;
        if (before + slash + key->length > PBT_PARAM_NAME_MAX) {
            unknown(walk, key);
            continue;
        }
        if (slash > 0) {
            walk->name[walk->length++] = '/';
        }
        memcpy(walk->name + walk->length, key->text, key->length + 1);
        walk->length += key->length;
        if (nested) {
            take_map(walk, key->value);
        } else {
            take_value(walk, key);
        }
        walk->length = before;
        walk->name[before] = '\0';
    }
}

void pbt_read_point(struct pbt_reader *reader, const struct pbt_node *map,
                    struct pbt_cell *cells)
{
    struct point_walk walk = {.reader = reader, .cells = cells};
    take_map(&walk, map);
}

static uint32_t count_items(struct pbt_reader *reader,
                            const struct pbt_node *list)
{
    uint32_t count = 0;
    for (const struct pbt_node *item = list->first; item != NULL;
         item = item->next) {
        if (count == reader->spec->settings.population) {
            pbt_problem_label(
                pbt_problem(reader->problems, PBT_E0324, item->span,
                            "more points than trials"),
                count == reader->spec->num_samples ? "num_samples is %u"
                                                   : "with the grid, %u trials",
                (unsigned)count);
            break;
        }
        count++;
    }
    return count;
}

void pbt_read_points(struct pbt_reader *reader, const struct pbt_node *list)
{
    struct pbt_settings *settings = &reader->spec->settings;
    if (list->kind != PBT_NODE_LIST) {
        pbt_reader_expected(reader, PBT_E0321, list, "points_to_evaluate",
                            "a list of mappings");
        return;
    }
    uint32_t count = count_items(reader, list);
    size_t each = settings->space.count;
    struct pbt_cell *cells =
        pbt_arena_array(&reader->spec->memory, count * each + 1, sizeof *cells);
    if (cells == NULL) {
        return;
    }
    const struct pbt_node *item = list->first;
    for (uint32_t i = 0; i < count; i++, item = item->next) {
        if (item->kind == PBT_NODE_MAP) {
            pbt_read_point(reader, item, cells + i * each);
        } else {
            pbt_reader_expected(reader, PBT_E0321, item, "points_to_evaluate",
                                "a mapping of hyperparameters to values");
        }
    }
    settings->points = cells;
    settings->point_count = count;
}
