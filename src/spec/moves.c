/*
 * How exploring moves one hyperparameter, beside its distribution in hyperparam_mutations:
 *
 *     lr: {loguniform: [1e-5, 1], factors: [2, 0.5], scale: log}
 */
#include "spec/reader.h"

#include <string.h>

static const char *const names[] = {"factors", "scale"};
enum { FACTORS, SCALE, COUNT };

static int find(const char *name, size_t length)
{
    int found = 0;
    while (found < COUNT && (strlen(names[found]) != length ||
                             memcmp(names[found], name, length) != 0)) {
        found++;
    }
    return found;
}

bool pbt_is_move_name(const char *name, size_t length)
{
    return find(name, length) < COUNT;
}

static void unknown(struct pbt_reader *reader, const struct pbt_node *key)
{
    struct pbt_quoted name = pbt_quote(key->text, key->length);
    struct pbt_problem *problem =
        pbt_problem(reader->problems, PBT_E0329, key->span,
                    "`%s` can't stand beside a distribution", name.text);
    if (pbt_is_distribution_name(key->text, key->length)) {
        pbt_problem_label(problem, "a hyperparameter has one distribution");
        return;
    }
    for (int i = 0; i < COUNT; i++) {
        if (pbt_word_close(key->text, key->length, names[i])) {
            pbt_problem_label(problem, "did you mean `%s`?", names[i]);
            return;
        }
    }
    pbt_problem_label(problem, "only `factors` and `scale` can");
    pbt_problem_help(problem, "a step is the distribution's last argument: "
                              "{quniform: [lower, upper, step]}");
}

static void refuse(struct pbt_reader *reader, const struct pbt_node *key,
                   const char *why)
{
    struct pbt_problem *problem =
        pbt_problem(reader->problems, PBT_E0330, key->span,
                    "`%s` doesn't go with this distribution", key->text);
    pbt_problem_label(problem, "%s", why);
}

static bool is_word(const struct pbt_node *node, const char *word)
{
    return node->kind == PBT_NODE_SCALAR && strlen(word) == node->length &&
           memcmp(word, node->text, node->length) == 0;
}

static void read_scale(struct pbt_reader *reader, const struct pbt_node *key,
                       struct pbt_param *param)
{
    const struct pbt_domain *domain = &param->mutations;
    const struct pbt_domain_form *form = pbt_domain_form(domain->kind);
    if (is_word(key->value, "linear")) {
        return;
    }
    if (!is_word(key->value, "log")) {
        pbt_reader_expected(reader, PBT_E0206, key->value, "scale",
                            "`linear` or `log`");
    } else if (!form->number || form->normal) {
        refuse(reader, key, "a log scale needs bounds");
    } else if (domain->lower <= 0) {
        pbt_problem(reader->problems, PBT_E0310, key->span,
                    "with `scale: log` the lower bound of `%s` has to be "
                    "above 0",
                    pbt_quote(param->name, strlen(param->name)).text);
    } else {
        param->log_scale = true;
    }
}

void pbt_read_moves(struct pbt_reader *reader, const struct pbt_node *map,
                    struct pbt_param *param)
{
    const struct pbt_node *distribution = pbt_distribution_in(map);
    bool choice = param->mutations.kind == PBT_DOMAIN_CHOICE;
    for (const struct pbt_node *key = map->first; key != NULL;
         key = key->next) {
        int name = find(key->text, key->length);
        if (key == distribution) {
            continue;
        }
        if (name == COUNT) {
            unknown(reader, key);
        } else if (choice) {
            refuse(reader, key, "a choice moves to a neighbour");
        } else if (name == FACTORS) {
            pbt_read_factors(reader, key->value, "factors", &param->factors,
                             &param->factor_count);
        } else {
            read_scale(reader, key, param);
        }
    }
}
