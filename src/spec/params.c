/*
 * The parameter table: `config` and `scheduler.hyperparam_mutations`, two nested
 * mappings, become one flat list of names.  The order is that of `config`, then what is only
 * in the mutations.
 */
#include "spec/reader.h"

#include <stdio.h>
#include <string.h>

struct walk {
    struct pbt_reader *reader;
    bool mutations; /* this is hyperparam_mutations, not config */
    char name[PBT_PARAM_NAME_MAX + 1];
    size_t length;
};

static struct pbt_space *space_of(const struct walk *walk)
{
    return &walk->reader->spec->settings.space;
}

static struct pbt_param *find_param(const struct walk *walk)
{
    struct pbt_space *space = space_of(walk);
    for (uint32_t i = 0; i < space->count; i++) {
        if (strcmp(space->params[i].name, walk->name) == 0) {
            return &space->params[i];
        }
    }
    return NULL;
}

/* True if some parameter's name begins with this one and a slash. */
static bool is_group(const struct walk *walk)
{
    const struct pbt_space *space = space_of(walk);
    for (uint32_t i = 0; i < space->count; i++) {
        const char *name = space->params[i].name;
        if (strncmp(name, walk->name, walk->length) == 0 &&
            name[walk->length] == '/') {
            return true;
        }
    }
    return false;
}

/* `config` may have a group where a distribution is meant: {lr: {tune.uniform: [0, 1]}}. */
static void suggest_distribution(const struct walk *walk,
                                 struct pbt_problem *problem)
{
    const struct pbt_space *space = space_of(walk);
    for (uint32_t i = 0; i < space->count; i++) {
        const char *name = space->params[i].name;
        if (strncmp(name, walk->name, walk->length) != 0 ||
            name[walk->length] != '/') {
            continue;
        }
        const char *inner = name + walk->length + 1;
        const char *like = pbt_distribution_like(inner, strlen(inner));
        if (like != NULL) {
            pbt_problem_help(problem,
                             "`%s` in `config` is no distribution: did you "
                             "mean `%s`?",
                             pbt_quote(inner, strlen(inner)).text, like);
            return;
        }
    }
}

/* The parameter of the walk's name, added if it is new; NULL with a problem added. */
static struct pbt_param *reach_param(struct walk *walk,
                                     const struct pbt_node *key)
{
    struct pbt_reader *reader = walk->reader;
    struct pbt_space *space = space_of(walk);
    struct pbt_param *param = walk->mutations ? find_param(walk) : NULL;
    if (param != NULL) {
        return param;
    }
    if (walk->mutations && is_group(walk)) {
        struct pbt_problem *problem =
            pbt_problem(reader->problems, PBT_E0305, key->span,
                        "`%s` is a mapping in `config`",
                        pbt_quote(walk->name, walk->length).text);
        pbt_problem_label(problem, "here it is one value");
        suggest_distribution(walk, problem);
        return NULL;
    }
    if (space->count == PBT_PARAMS_MAX) {
        pbt_problem(reader->problems, PBT_E0304, key->span,
                    "more than %d hyperparameters", PBT_PARAMS_MAX);
        return NULL;
    }
    char *name =
        pbt_arena_copy(&reader->spec->memory, walk->name, walk->length);
    if (name == NULL) {
        return NULL;
    }
    param = &space->params[space->count++];
    *param = (struct pbt_param){.name = name};
    return param;
}

/*
 * A misspelt distribution would pass for a nested parameter, and one in another program's form
 * for a text.
 */
static void warn_misspelt(struct walk *walk, const struct pbt_node *key)
{
    const struct pbt_node *value = key->value;
    const char *like = pbt_distribution_like(key->text, key->length);
    if (like != NULL && value->kind == PBT_NODE_LIST) {
        pbt_reader_warn(walk->reader, PBT_W0105, key,
                        "`%s` is taken for a nested hyperparameter; did you "
                        "mean the distribution `%s`?",
                        pbt_quote(key->text, key->length).text, like);
    }
    like = value->kind == PBT_NODE_SCALAR
               ? pbt_distribution_in_text(value->text, value->length)
               : NULL;
    if (like != NULL && !walk->mutations) {
        pbt_reader_warn(walk->reader, PBT_W0105, value,
                        "`%s` is always this text; a distribution is written "
                        "{%s: [...]}",
                        pbt_quote(walk->name, walk->length).text, like);
    }
}

static void take_constant(struct walk *walk, const struct pbt_node *key)
{
    struct pbt_reader *reader = walk->reader;
    struct pbt_param *param = reach_param(walk, key);
    struct pbt_cell *cell =
        pbt_arena_array(&reader->spec->memory, 1, sizeof *cell);
    if (param != NULL && cell != NULL &&
        pbt_read_cell(reader, key->value, cell)) {
        param->initial = (struct pbt_domain){
            .kind = PBT_DOMAIN_CONSTANT, .choices = cell, .choice_count = 1};
    }
}

static bool is_text(const struct pbt_domain *domain)
{
    for (uint32_t i = 0; i < domain->choice_count; i++) {
        if (domain->choices[i].type == PBT_CELL_TEXT) {
            return true;
        }
    }
    return false;
}

/* The first whole number among the values that are listed; NULL if there is none. */
static const struct pbt_cell *whole_number(const struct pbt_domain *domain)
{
    for (uint32_t i = 0; i < domain->choice_count; i++) {
        if (domain->choices[i].type == PBT_CELL_INT) {
            return &domain->choices[i];
        }
    }
    return NULL;
}

bool pbt_cell_is_null(const struct pbt_reader *reader, struct pbt_cell cell)
{
    return cell.type == PBT_CELL_TEXT &&
           strcmp(pbt_texts_get(&reader->spec->texts, cell.text), "null") == 0;
}

/* What a function has not said yet is null: nothing else may be. */
static bool has_null(const struct pbt_reader *reader,
                     const struct pbt_domain *domain)
{
    for (uint32_t i = 0; i < domain->choice_count; i++) {
        if (pbt_cell_is_null(reader, domain->choices[i])) {
            return true;
        }
    }
    return false;
}

/* "loguniform(0.1, 1)" is a text. */
static void suggest_form(const struct pbt_reader *reader,
                         const struct pbt_domain *initial,
                         struct pbt_problem *problem)
{
    if (initial->kind != PBT_DOMAIN_CONSTANT ||
        initial->choices[0].type != PBT_CELL_TEXT) {
        return;
    }
    /* As JSON: a string is in quotes. */
    const char *json =
        pbt_texts_get(&reader->spec->texts, initial->choices[0].text);
    const char *text = json[0] == '"' ? json + 1 : json;
    const char *like = pbt_distribution_in_text(text, strlen(text));
    if (like != NULL) {
        pbt_problem_help(problem,
                         "there it is a text; a distribution is written "
                         "{%s: [...]}",
                         like);
    }
}

/* A number explores what is not one: scaled by 1.2, a string fails hours later. */
static void check_types(struct walk *walk, const struct pbt_node *key,
                        const struct pbt_param *param)
{
    struct pbt_reader *reader = walk->reader;
    const struct pbt_domain *mutations = &param->mutations;
    const struct pbt_domain *initial = &param->initial;
    bool whole = pbt_domain_form(mutations->kind)->whole;
    bool function = mutations->kind == PBT_DOMAIN_FUNCTION;
    if (mutations->kind == PBT_DOMAIN_CHOICE ||
        (function && !has_null(reader, initial))) {
        return;
    }
    if (is_text(initial)) {
        struct pbt_problem *problem = pbt_problem(
            reader->problems, PBT_E0306, key->span,
            function ? "`%s` comes from a function, but starts as null"
                     : "`%s` mutates as a number, but starts as a "
                       "string, null or list",
            pbt_quote(param->name, strlen(param->name)).text);
        pbt_problem_label(problem, "see its value in `config`");
        suggest_form(reader, initial, problem);
        return;
    }
    const struct pbt_cell *number = whole ? NULL : whole_number(initial);
    if (number != NULL) {
        pbt_reader_warn(reader, PBT_W0106, key,
                        "`%s` starts as the whole number %lld in `config` but "
                        "mutates as a real: write %lld.0",
                        param->name, (long long)number->u.i,
                        (long long)number->u.i);
    }
}

static void take_mutation(struct walk *walk, const struct pbt_node *key)
{
    struct pbt_reader *reader = walk->reader;
    const struct pbt_node *value = key->value;
    bool list = value->kind == PBT_NODE_LIST;
    if (!list && pbt_distribution_in(value) == NULL) {
        struct pbt_problem *problem =
            pbt_problem(reader->problems, PBT_E0307, value->span,
                        "`%s` needs a distribution or a list here",
                        pbt_quote(walk->name, walk->length).text);
        pbt_problem_label(problem, "this is %s",
                          value->kind == PBT_NODE_MAP
                              ? "an empty mapping"
                              : pbt_node_describe(value).text);
        return;
    }
    if (!list && pbt_is_grid(value)) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0327, value->span,
                                      "`%s` can't mutate along a grid",
                                      pbt_quote(walk->name, walk->length).text),
                          "a grid belongs in `config`; write a list here");
        return;
    }
    struct pbt_param *param = reach_param(walk, key);
    struct pbt_domain domain;
    if (param == NULL ||
        !(list ? pbt_read_choices(reader, param->name, value, &domain)
               : pbt_read_domain(reader, param->name, value, &domain))) {
        return;
    }
    param->mutation = list ? PBT_MUTATION_LIST : PBT_MUTATION_DOMAIN;
    param->mutations = domain;
    check_types(walk, key, param);
    if (!list) {
        pbt_read_moves(reader, value, param);
    }
}

static void take_leaf(struct walk *walk, const struct pbt_node *key)
{
    if (walk->mutations) {
        take_mutation(walk, key);
        return;
    }
    if (!pbt_is_distribution(key->value)) {
        take_constant(walk, key);
        return;
    }
    struct pbt_param *param = reach_param(walk, key);
    struct pbt_domain domain;
    if (param != NULL &&
        pbt_read_domain(walk->reader, param->name, key->value, &domain)) {
        param->initial = domain;
    }
}

/* Checks one part of a name and puts it behind the walk's. */
static bool push_name(struct walk *walk, const struct pbt_node *key)
{
    struct pbt_problems *problems = walk->reader->problems;
    struct pbt_quoted quoted = pbt_quote(key->text, key->length);
    if (!pbt_name_is_clean(key->text, key->length) ||
        memchr(key->text, '/', key->length) != NULL) {
        pbt_problem_label(pbt_problem(problems, PBT_E0301, key->span,
                                      "`%s` can't name a hyperparameter",
                                      quoted.text),
                          "empty, or with a `/` or a control character");
        return false;
    }
    if (pbt_is_distribution_name(key->text, key->length)) {
        pbt_problem_label(pbt_problem(problems, PBT_E0302, key->span,
                                      "`%s` is a distribution and can't name a "
                                      "hyperparameter",
                                      quoted.text),
                          "a distribution is the only key of its mapping");
        return false;
    }
    size_t slash = walk->length > 0;
    if (key->length > PBT_PARAM_WORD_MAX ||
        walk->length + slash + key->length > PBT_PARAM_NAME_MAX) {
        pbt_problem_label(pbt_problem(problems, PBT_E0303, key->span,
                                      "the name `%s` is too long", quoted.text),
                          "up to %d bytes, and %d with the names above it",
                          PBT_PARAM_WORD_MAX, PBT_PARAM_NAME_MAX);
        return false;
    }
    if (slash > 0) {
        walk->name[walk->length++] = '/';
    }
    memcpy(walk->name + walk->length, key->text, key->length + 1);
    walk->length += key->length;
    return true;
}

static const struct pbt_node *member(const struct pbt_node *map,
                                     const char *name)
{
    return pbt_node_find(map, name, strlen(name));
}

/*
 * W&B's {distribution: log_uniform_values, min: 0.001, max: 1} and NNI's {_type: uniform,
 * _value: [0, 1]} would pass for nested constants: true with a problem added.  Where only
 * mutations can stand, {min: 0, max: 1} is one, too.
 */
static bool is_foreign(struct walk *walk, const struct pbt_node *map)
{
    const struct pbt_node *kind = member(map, "distribution");
    bool range = member(map, "min") != NULL && member(map, "max") != NULL;
    bool nni = member(map, "_type") != NULL && member(map, "_value") != NULL;
    if (!nni && !(kind != NULL && map->count > 1) &&
        !(walk->mutations && range)) {
        return false;
    }
    kind = nni ? member(map, "_type") : kind;
    const char *ours = NULL;
    if (kind != NULL && kind->value->kind == PBT_NODE_SCALAR) {
        ours = pbt_distribution_like(kind->value->text, kind->value->length);
    }
    bool choice = ours != NULL && strcmp(ours, "choice") == 0;
    pbt_problem_label(pbt_problem(walk->reader->problems, PBT_E0320, map->span,
                                  "`%s` has another program's form",
                                  pbt_quote(walk->name, walk->length).text),
                      "write {%s: [%s]}", ours != NULL ? ours : "uniform",
                      choice ? "value, value, ..." : "lower, upper");
    return true;
}

/*
 * {uniform: [0, 1], q: 0.1} in `config` is neither a distribution nor a nested mapping, and
 * neither is one at the root: true with a problem added.
 */
static bool is_muddled(struct walk *walk, const struct pbt_node *map)
{
    const struct pbt_node *key = pbt_distribution_in(map);
    if (key == NULL) {
        return false;
    }
    bool inside = walk->length > 0;
    struct pbt_problem *problem =
        pbt_problem(walk->reader->problems, PBT_E0302, key->span,
                    inside ? "the distribution `%s` stands beside other keys"
                           : "the distribution `%s` stands where the name of a "
                             "hyperparameter belongs",
                    key->text);
    if (inside) {
        pbt_problem_label(problem, "it is the only key of its mapping");
    } else {
        pbt_problem_label(problem, "write NAME: {%s: [...]}", key->text);
    }
    for (const struct pbt_node *other = map->first; other != NULL;
         other = other->next) {
        if (inside && pbt_is_move_name(other->text, other->length)) {
            pbt_problem_help(problem,
                             "`%s` belongs in scheduler.hyperparam_mutations: "
                             "it says how exploring moves the value",
                             other->text);
            break;
        }
    }
    return true;
}

/* A mapping of more names, and not one value's. */
static bool is_nested(const struct walk *walk, const struct pbt_node *value)
{
    bool leaf = walk->mutations ? pbt_distribution_in(value) != NULL
                                : pbt_is_distribution(value);
    return value->kind == PBT_NODE_MAP && value->count > 0 && !leaf;
}

/* As deep as the tree, which is limited. */
static void take_map(struct walk *walk, const struct pbt_node *map)
{
    if (is_muddled(walk, map) || (walk->length > 0 && is_foreign(walk, map))) {
        return;
    }
    for (const struct pbt_node *key = map->first; key != NULL;
         key = key->next) {
        size_t length = walk->length;
        const struct pbt_node *value = key->value;
        bool nested = is_nested(walk, value);
        if (push_name(walk, key)) {
            if (nested && walk->mutations && is_foreign(walk, value)) {
                /* said */
            } else if (nested && walk->mutations && find_param(walk) != NULL) {
                pbt_problem_label(
                    pbt_problem(walk->reader->problems, PBT_E0305, key->span,
                                "`%s` is one value in `config`",
                                pbt_quote(walk->name, walk->length).text),
                    "here it is a mapping");
            } else if (nested) {
                take_map(walk, value);
            } else {
                warn_misspelt(walk, key);
                take_leaf(walk, key);
            }
        }
        walk->length = length;
        walk->name[length] = '\0';
    }
}

static bool take_root(struct pbt_reader *reader, const struct pbt_node *node,
                      const char *what, bool mutations)
{
    if (node == NULL) {
        return true;
    }
    if (node->kind != PBT_NODE_MAP) {
        pbt_reader_expected(reader, PBT_E0318, node, what,
                            "a mapping of names to values");
        return false;
    }
    struct walk walk = {.reader = reader, .mutations = mutations};
    take_map(&walk, node);
    return true;
}

/* Of a hyperparameter that only the mutations have: the one that may be meant; or NULL. */
static const struct pbt_param *meant_by(const struct pbt_space *space,
                                        const struct pbt_param *param)
{
    size_t length = strlen(param->name);
    for (uint32_t i = 0; i < space->count && length >= 5; i++) {
        const struct pbt_param *other = &space->params[i];
        if (other->initial.kind != PBT_DOMAIN_NONE &&
            other->mutation == PBT_MUTATION_NONE &&
            pbt_word_close(param->name, length, other->name)) {
            return other;
        }
    }
    return NULL;
}

/* A misspelt name is a new hyperparameter, and what is in `config` is never explored. */
static void warn_unknown(struct pbt_reader *reader,
                         const struct pbt_node *mutations)
{
    const struct pbt_space *space = &reader->spec->settings.space;
    for (uint32_t i = 0; i < space->count; i++) {
        const struct pbt_param *param = &space->params[i];
        const struct pbt_node *key =
            pbt_node_find(mutations, param->name, strlen(param->name));
        const struct pbt_param *meant =
            key != NULL && param->initial.kind == PBT_DOMAIN_NONE
                ? meant_by(space, param)
                : NULL;
        if (meant != NULL) {
            pbt_reader_warn(reader, PBT_W0111, key,
                            "`%s` is not in `config`, and so a hyperparameter "
                            "of its own; did you mean `%s`?",
                            pbt_quote(key->text, key->length).text,
                            meant->name);
        }
    }
}

/* An upper bound of the number of parameters below a node. */
static uint32_t count_keys(const struct pbt_node *node)
{
    uint32_t count = 0;
    if (node == NULL || node->kind != PBT_NODE_MAP) {
        return 0;
    }
    for (const struct pbt_node *key = node->first; key != NULL;
         key = key->next) {
        count += 1 + count_keys(key->value);
    }
    return count;
}

void pbt_read_params(struct pbt_reader *reader, const struct pbt_node *config,
                     const struct pbt_node *mutations)
{
    struct pbt_space *space = &reader->spec->settings.space;
    uint32_t count = count_keys(config) + count_keys(mutations);
    count = count > PBT_PARAMS_MAX ? PBT_PARAMS_MAX : count;
    space->params = pbt_arena_array(&reader->spec->memory, (size_t)count + 1,
                                    sizeof *space->params);
    if (space->params == NULL) {
        return;
    }
    take_root(reader, config, "config", false);
    if (take_root(reader, mutations, "scheduler.hyperparam_mutations", true) &&
        mutations != NULL) {
        warn_unknown(reader, mutations);
    }
}
