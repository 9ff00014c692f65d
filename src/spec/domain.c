/*
 * Distributions: {uniform: [0.001, 1]}.  Names, bounds and their rules are Ray Tune's.
 */
#include "spec/reader.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "spec/scalar.h"

#define EXACT_MAX 9007199254740992.0 /* 2^53 */

static bool same_name(const char *known, const char *name, size_t length)
{
    return strlen(known) == length && memcmp(known, name, length) == 0;
}

/* NONE if it names no distribution. */
static enum pbt_domain_kind find_kind(const char *name, size_t length)
{
    for (int kind = 0; kind < PBT_DOMAIN_KINDS; kind++) {
        const char *known = pbt_domain_form((enum pbt_domain_kind)kind)->name;
        if (known != NULL && same_name(known, name, length)) {
            return (enum pbt_domain_kind)kind;
        }
    }
    return PBT_DOMAIN_NONE;
}

static bool is_planned(const char *name, size_t length)
{
    return same_name("sample_from", name, length);
}

bool pbt_is_distribution_name(const char *name, size_t length)
{
    return find_kind(name, length) != PBT_DOMAIN_NONE ||
           is_planned(name, length);
}

const struct pbt_node *pbt_distribution_in(const struct pbt_node *node)
{
    const struct pbt_node *key =
        node->kind == PBT_NODE_MAP ? node->first : NULL;
    while (key != NULL && !pbt_is_distribution_name(key->text, key->length)) {
        key = key->next;
    }
    return key;
}

bool pbt_is_distribution(const struct pbt_node *node)
{
    return pbt_distribution_in(node) != NULL && node->count == 1;
}

bool pbt_is_grid(const struct pbt_node *node)
{
    const struct pbt_node *key = pbt_distribution_in(node);
    return key != NULL && find_kind(key->text, key->length) == PBT_DOMAIN_GRID;
}

/* "tune.uniform" and "optuna.distributions.uniform" without the module. */
static void skip_module(const char **name, size_t *length)
{
    const char *end = *name + *length;
    for (const char *c = end; c > *name; c--) {
        if (c[-1] == '.') {
            *name = c;
            *length = (size_t)(end - c);
            return;
        }
    }
}

const char *pbt_distribution_like(const char *name, size_t length)
{
    skip_module(&name, &length);
    const char *best = pbt_foreign_distribution(name, length);
    size_t least = best != NULL ? 0 : SIZE_MAX;
    for (int kind = 0; kind < PBT_DOMAIN_KINDS; kind++) {
        const char *known = pbt_domain_form((enum pbt_domain_kind)kind)->name;
        if (known == NULL || !pbt_word_close(name, length, known)) {
            continue;
        }
        size_t distance = pbt_word_distance(name, length, known, strlen(known));
        if (distance < least) {
            least = distance;
            best = known;
        }
    }
    return best;
}

const char *pbt_distribution_in_text(const char *text, size_t length)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz"
                                  "ABCDEFGHIJKLMNOPQRSTUVWXYZ_.";
    size_t word = 0;
    while (word < length && strchr(letters, text[word]) != NULL &&
           text[word] != '\0') {
        word++;
    }
    bool called =
        word > 0 && word < length && (text[word] == '(' || text[word] == ':');
    return called ? pbt_distribution_like(text, word) : NULL;
}

/* "uniform: [lower, upper]" */
static struct pbt_quoted usage(const struct pbt_domain_form *form)
{
    struct pbt_quoted out;
    (void)snprintf(out.text, sizeof out.text, "%s: [%s%s]", form->name,
                   form->normal ? "mean, sd" : "lower, upper",
                   form->quantised ? ", step" : "");
    return out;
}

static unsigned argument_count(const struct pbt_domain_form *form)
{
    return form->quantised ? 3 : 2;
}

static bool wrong_arguments(struct pbt_reader *reader,
                            const struct pbt_domain_form *form,
                            const struct pbt_node *node)
{
    struct pbt_problem *problem = pbt_problem(
        reader->problems, PBT_E0308, node->span, "`%s` takes %u%s numbers",
        form->name, argument_count(form), form->whole ? " whole" : "");
    pbt_problem_label(problem, "write {%s}", usage(form).text);
    return false;
}

/* Fills args[3]; those left out have Ray's defaults. */
static bool read_arguments(struct pbt_reader *reader,
                           const struct pbt_domain_form *form,
                           const struct pbt_node *list, double *args)
{
    uint32_t least = argument_count(form);
    if (form->normal && !form->quantised) {
        least = 0; /* mean 0, sd 1 */
        args[0] = 0;
        args[1] = 1;
    } else if (form->whole && form->quantised) {
        least = 2; /* step 1 */
        args[2] = 1;
    }
    if (list->kind != PBT_NODE_LIST || list->count < least ||
        list->count > argument_count(form)) {
        return wrong_arguments(reader, form, list);
    }
    double *arg = args;
    for (const struct pbt_node *item = list->first; item != NULL;
         item = item->next) {
        struct pbt_scalar scalar = {.type = PBT_SCALAR_NULL};
        if (item->kind == PBT_NODE_SCALAR) {
            scalar = pbt_scalar_read(item->text, item->length, item->plain);
        }
        bool number =
            scalar.type == PBT_SCALAR_INT || scalar.type == PBT_SCALAR_REAL;
        bool huge = number && form->whole && fabs(scalar.real) > EXACT_MAX;
        if (!number || (form->whole && !scalar.whole && !huge)) {
            return wrong_arguments(reader, form, item);
        }
        if (!isfinite(scalar.real) || huge) {
            pbt_problem_label(
                pbt_problem(reader->problems, PBT_E0309, item->span,
                            "`%s` can't have this number", form->name),
                huge ? "whole numbers go up to 2^53" : "it has to be finite");
            return false;
        }
        *arg++ = scalar.real;
    }
    return true;
}

static bool is_multiple(double value, double step)
{
    double steps = value / step;
    double off = fabs(steps - nearbyint(steps));
    return off <= 1e-9 * (fabs(steps) > 1 ? fabs(steps) : 1);
}

static bool check_step(struct pbt_reader *reader,
                       const struct pbt_domain_form *form,
                       const struct pbt_node *list,
                       const struct pbt_domain *domain)
{
    double step = domain->quantum;
    const char *message = NULL;
    if (!(step > 0)) {
        message = "has to be above 0";
    } else if (form->normal) {
        return true;
    } else if (!is_multiple(domain->lower, step) ||
               !is_multiple(domain->upper, step)) {
        message = "has to divide both bounds";
    } else if ((domain->upper - domain->lower) / step > EXACT_MAX) {
        message = "is too small for these bounds";
    }
    if (message == NULL) {
        return true;
    }
    const struct pbt_node *at = list->last != NULL ? list->last : list;
    struct pbt_problem *problem =
        pbt_problem(reader->problems, PBT_E0314, at->span,
                    "the step of `%s` %s", form->name, message);
    if (form->whole && list->count == 3) {
        pbt_problem_label(problem, "bounds %.15g and %.15g", domain->lower,
                          domain->upper);
    }
    return false;
}

/* The smaller of the two bounds, as they stand there. */
static const struct pbt_node *lower_of(const struct pbt_node *list)
{
    const struct pbt_node *first = list->first;
    const struct pbt_node *second = first->next;
    double a = pbt_scalar_read(first->text, first->length, first->plain).real;
    double b =
        pbt_scalar_read(second->text, second->length, second->plain).real;
    return b < a ? second : first;
}

static bool check_bounds(struct pbt_reader *reader, const char *name,
                         const struct pbt_domain_form *form,
                         const struct pbt_node *list, struct pbt_domain *domain)
{
    if (domain->lower > domain->upper) {
        double lower = domain->upper;
        domain->upper = domain->lower;
        domain->lower = lower;
        pbt_reader_warn(reader, PBT_W0104, list,
                        "the bounds of `%s` stand the wrong way round: taken "
                        "as [%.15g, %.15g]",
                        name, domain->lower, domain->upper);
    }
    if (form->logarithmic && domain->lower <= 0) {
        pbt_problem(reader->problems, PBT_E0310, lower_of(list)->span,
                    "the lower bound of `%s` has to be above 0", form->name);
        return false;
    }
    /* Ends belong to a quantised range; the upper one to no other. */
    if (domain->lower >= domain->upper && !form->quantised) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0311, list->span,
                                      "the range of `%s` is empty", form->name),
                          "the upper bound is not part of it");
        return false;
    }
    if (!isfinite(domain->upper - domain->lower)) {
        pbt_problem(reader->problems, PBT_E0312, list->span,
                    "the range of `%s` is too large", form->name);
        return false;
    }
    return true;
}

static bool read_distribution(struct pbt_reader *reader, const char *name,
                              enum pbt_domain_kind kind,
                              const struct pbt_node *list,
                              struct pbt_domain *domain)
{
    const struct pbt_domain_form *form = pbt_domain_form(kind);
    double args[3] = {0, 0, 0};
    if (!read_arguments(reader, form, list, args)) {
        return false;
    }
    *domain = (struct pbt_domain){
        .kind = kind,
        .lower = args[0],
        .upper = args[1],
        .quantum = form->quantised ? args[2] : 0,
    };
    if (form->normal) {
        if (!(domain->upper > 0)) {
            pbt_problem(reader->problems, PBT_E0313, list->first->next->span,
                        "the standard deviation of `%s` has to be above 0",
                        form->name);
            return false;
        }
    } else if (!check_bounds(reader, name, form, list, domain)) {
        return false;
    }
    return !form->quantised || check_step(reader, form, list, domain);
}

bool pbt_read_choices(struct pbt_reader *reader, const char *name,
                      const struct pbt_node *list, struct pbt_domain *domain)
{
    if (list->kind != PBT_NODE_LIST || list->count == 0 ||
        list->count > PBT_CHOICES_MAX) {
        struct pbt_problem *problem = pbt_problem(
            reader->problems, PBT_E0315, list->span,
            "the choices of `%s` have to be a list of 1 to %d values", name,
            PBT_CHOICES_MAX);
        pbt_problem_label(problem, "this is %s",
                          list->kind == PBT_NODE_LIST && list->count == 0
                              ? "an empty list"
                              : pbt_node_describe(list).text);
        return false;
    }
    struct pbt_cell *cells =
        pbt_arena_array(&reader->spec->memory, list->count, sizeof *cells);
    if (cells == NULL) {
        return false;
    }
    uint32_t count = 0;
    for (const struct pbt_node *item = list->first; item != NULL;
         item = item->next) {
        if (!pbt_read_cell(reader, item, &cells[count])) {
            return false;
        }
        count++;
    }
    *domain = (struct pbt_domain){
        .kind = PBT_DOMAIN_CHOICE, .choices = cells, .choice_count = count};
    return true;
}

/* {function: my_lr} */
static bool read_function(struct pbt_reader *reader, const char *name,
                          const struct pbt_node *node,
                          struct pbt_domain *domain)
{
    if (node->kind != PBT_NODE_SCALAR ||
        !pbt_name_is_clean(node->text, node->length) ||
        node->length > PBT_PARAM_WORD_MAX) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0325, node->span,
                                      "the function of `%s` has to be named",
                                      name),
                          "the name of one of struct pbt_experiment's");
        return false;
    }
    *domain = (struct pbt_domain){
        .kind = PBT_DOMAIN_FUNCTION,
        .function =
            pbt_arena_copy(&reader->spec->memory, node->text, node->length)};
    return domain->function != NULL;
}

bool pbt_read_domain(struct pbt_reader *reader, const char *name,
                     const struct pbt_node *node, struct pbt_domain *domain)
{
    const struct pbt_node *key = pbt_distribution_in(node);
    if (is_planned(key->text, key->length)) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0316, key->span,
                                      "`%s` is not there yet", key->text),
                          "use a distribution, or `choice`");
        return false;
    }
    enum pbt_domain_kind kind = find_kind(key->text, key->length);
    if (pbt_domain_form(kind)->number) {
        return read_distribution(reader, name, kind, key->value, domain);
    }
    if (kind == PBT_DOMAIN_FUNCTION) {
        return read_function(reader, name, key->value, domain);
    }
    if (!pbt_read_choices(reader, name, key->value, domain)) {
        return false;
    }
    domain->kind = kind; /* of a grid, the stride: pbt_read_grids() */
    return true;
}
