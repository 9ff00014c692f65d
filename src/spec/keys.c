/*
 * The keys of a file against those of the schema: unknown ones, and what was meant.
 */
#include "spec/reader.h"

#include <stdio.h>
#include <string.h>

/* "known keys here: a, b, c" */
static void list_keys(const struct pbt_problems *problems,
                      struct pbt_problem *problem, const char *section)
{
    char text[sizeof problem->help];
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < PBT_KEY_COUNT && used < sizeof text; i++) {
        const struct pbt_key *key = &pbt_keys[i];
        if (pbt_key_in(key, section)) {
            int n = snprintf(text + used, sizeof text - used, "%s%s",
                             used > 0 ? ", " : "", pbt_key_name(key));
            used += n > 0 ? (size_t)n : 0;
        }
    }
    pbt_problem_help(problem, "known keys here: %s", text);
    for (uint32_t i = 0; i < problems->count && i < PBT_PROBLEMS_MAX; i++) {
        const struct pbt_problem *before = &problems->items[i];
        if (before != problem && strcmp(before->help, problem->help) == 0) {
            problem->help[0] = '\0'; /* once is enough */
            return;
        }
    }
}

/* The key of this name in some other section, or NULL. */
static const struct pbt_key *find_elsewhere(const struct pbt_node *node)
{
    for (size_t i = 0; i < PBT_KEY_COUNT; i++) {
        const struct pbt_key *key = &pbt_keys[i];
        if (strcmp(pbt_key_name(key), node->text) == 0) {
            return key;
        }
    }
    return NULL;
}

/* The key of a name like this in the section; NULL: in any. */
static const struct pbt_key *find_close(const struct pbt_node *node,
                                        const char *section)
{
    const struct pbt_key *best = NULL;
    size_t least = SIZE_MAX;
    for (size_t i = 0; i < PBT_KEY_COUNT; i++) {
        const char *name = pbt_key_name(&pbt_keys[i]);
        size_t distance =
            pbt_word_distance(node->text, node->length, name, strlen(name));
        bool here = section == NULL || pbt_key_in(&pbt_keys[i], section);
        if (here && distance < least &&
            pbt_word_close(node->text, node->length, name)) {
            least = distance;
            best = &pbt_keys[i];
        }
    }
    return best;
}

static void say_ours(struct pbt_reader *reader, struct pbt_problem *problem,
                     const struct pbt_foreign *foreign)
{
    if (foreign->note != NULL) {
        pbt_problem_label(problem, "%s", foreign->note);
    } else {
        pbt_problem_label(problem, "this is `%s` here",
                          pbt_keys[foreign->key].path);
    }
    if (foreign->key != PBT_KEY_COUNT) {
        reader->meant[foreign->key] = true;
    }
}

static void unknown_key(struct pbt_reader *reader, const struct pbt_node *node,
                        const char *section)
{
    struct pbt_quoted quoted = pbt_quote(node->text, node->length);
    if (strcmp(node->text, "<<") == 0) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0014, node->span,
                                      "merge keys (`<<`) are not taken"),
                          "write the keys themselves");
        return;
    }
    const struct pbt_key *other = find_elsewhere(node);
    const struct pbt_key *close = find_close(node, section);
    const struct pbt_key *far = find_close(node, NULL);
    const struct pbt_foreign *foreign =
        pbt_foreign_key(node->text, node->length);
    enum pbt_code code = other != NULL     ? PBT_E0103
                         : foreign != NULL ? PBT_E0105
                                           : PBT_E0104;
    struct pbt_problem *problem =
        section[0] == '\0'
            ? pbt_problem(reader->problems, code, node->span,
                          "unknown key `%s`", quoted.text)
            : pbt_problem(reader->problems, code, node->span,
                          "unknown key `%s` in `%s`", quoted.text, section);
    if (other != NULL) {
        reader->meant[other - pbt_keys] = true;
    }
    if (other != NULL && pbt_key_section(other) > 0) {
        pbt_problem_label(problem, "this key exists under `%.*s`",
                          (int)pbt_key_section(other), other->path);
    } else if (other != NULL) {
        pbt_problem_label(problem, "this key exists at the top level");
    } else if (foreign != NULL) {
        say_ours(reader, problem, foreign);
    } else if (close != NULL) {
        pbt_problem_label(problem, "did you mean `%s`?", pbt_key_name(close));
        reader->meant[close - pbt_keys] = true;
    } else if (pbt_is_distribution(node->value)) {
        pbt_problem_label(problem, "hyperparameters stand under `config`");
    } else if (far != NULL) {
        pbt_problem_label(problem, "did you mean `%s`?", far->path);
        reader->meant[far - pbt_keys] = true;
    } else {
        list_keys(reader->problems, problem, section);
    }
}

void pbt_read_keys(struct pbt_reader *reader, const struct pbt_node *map,
                   const char *section)
{
    for (const struct pbt_node *node = map->first; node != NULL;
         node = node->next) {
        const struct pbt_key *key =
            pbt_key_find(section, node->text, node->length);
        if (key == NULL) {
            unknown_key(reader, node, section);
        } else if (pbt_node_is_null(node->value)) {
            continue; /* as if it were not there */
        } else if (key->type != PBT_TYPE_SECTION) {
            reader->given[key - pbt_keys] = node->value;
        } else if (node->value->kind == PBT_NODE_MAP) {
            pbt_read_keys(reader, node->value, key->path);
        } else {
            pbt_reader_expected(reader, PBT_E0107, node->value, key->path,
                                "a mapping");
        }
    }
}
