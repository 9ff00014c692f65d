/*
 * What is run: the command, its environment; and the factors, another short list.
 */
#include "spec/reader.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec/scalar.h"

#define ARGS_MAX 4096
#define FACTORS_MAX 64

/*
 * A program with a slash in its name is looked up beside the experiment file, so
 * that the file works from everywhere; one without, in the PATH.
 */
static char *program_path(struct pbt_reader *reader, const char *name)
{
    if (strchr(name, '/') == NULL || name[0] == '/') {
        return pbt_arena_copy(&reader->spec->memory, name, strlen(name));
    }
    return pbt_read_path(reader, name);
}

static bool check_word(struct pbt_reader *reader, const char *name,
                       const struct pbt_node *node)
{
    if (node->length == 0) {
        pbt_problem(reader->problems, PBT_E0213, node->span, "`%s` is empty",
                    name);
        return false;
    }
    const char *space = strpbrk(node->text, " \t\n");
    if (space == NULL) {
        return true;
    }
    struct pbt_problem *problem =
        pbt_problem(reader->problems, PBT_E0214, node->span,
                    "`%s` is a string of several words", name);
    pbt_problem_label(problem, "write a list: [%.40s, ...]",
                      pbt_quote(node->text, (size_t)(space - node->text)).text);
    pbt_problem_help(problem, "no shell takes it apart; a program with a "
                              "space in its name is a list of one");
    return false;
}

/* `{lr}` without quotes is a mapping to YAML. */
static void expect_string(struct pbt_reader *reader, const char *name,
                          const struct pbt_node *item)
{
    struct pbt_problem *problem =
        pbt_reader_expected(reader, PBT_E0215, item, name, "a list of strings");
    if (item->kind == PBT_NODE_MAP && item->count == 1 &&
        pbt_node_is_null(item->first->value)) {
        pbt_problem_label(
            problem, "write it in quotes: '{%s}'",
            pbt_quote(item->first->text, item->first->length).text);
    }
}

static bool read_args(struct pbt_reader *reader, const char *name,
                      const struct pbt_node *list, char **args)
{
    size_t count = 0;
    for (const struct pbt_node *item = list->first; item != NULL;
         item = item->next) {
        if (item->kind != PBT_NODE_SCALAR ||
            (count == 0 && item->length == 0)) {
            expect_string(reader, name, item);
            return false;
        }
        args[count] = count == 0 ? program_path(reader, item->text)
                                 : pbt_arena_copy(&reader->spec->memory,
                                                  item->text, item->length);
        count++;
    }
    return true;
}

void pbt_read_command(struct pbt_reader *reader, const struct pbt_key *key,
                      const struct pbt_node *node)
{
    struct pbt_spec *spec = reader->spec;
    const char *name = key->path;
    char ***field = (char ***)(void *)((char *)spec + key->field);
    if (node->kind == PBT_NODE_MAP) {
        pbt_reader_expected(reader, PBT_E0215, node, name, "a list of strings");
        return;
    }
    if (node->kind == PBT_NODE_LIST &&
        (node->count == 0 || node->count > ARGS_MAX)) {
        pbt_problem(reader->problems, PBT_E0213, node->span, "`%s` is %s", name,
                    node->count == 0 ? "empty" : "too long");
        return;
    }
    size_t count = node->kind == PBT_NODE_LIST ? node->count : 1;
    char **args = pbt_arena_array(&spec->memory, count + 1, sizeof *args);
    if (args == NULL) {
        return;
    }
    if (node->kind == PBT_NODE_LIST) {
        if (read_args(reader, name, node, args)) {
            *field = args;
        }
    } else if (check_word(reader, name, node)) {
        args[0] = program_path(reader, node->text);
        *field = args;
    }
}

static bool is_env_name(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool letter =
            (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9')) {
            return false;
        }
    }
    return length > 0 && length <= PBT_PARAM_WORD_MAX;
}

static char *read_variable(struct pbt_reader *reader,
                           const struct pbt_node *key)
{
    const struct pbt_node *value = key->value;
    if (!is_env_name(key->text, key->length)) {
        pbt_problem_label(
            pbt_problem(reader->problems, PBT_E0216, key->span,
                        "`%s` can't name an environment variable",
                        pbt_quote(key->text, key->length).text),
            "letters, digits and `_`, not beginning with a digit");
        return NULL;
    }
    if (strncmp(key->text, "PBT_", 4) == 0) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0217, key->span,
                                      "`%s` can't be set in `env`",
                                      pbt_quote(key->text, key->length).text),
                          "names in PBT_ are pbt's own");
        return NULL;
    }
    if (value->kind != PBT_NODE_SCALAR) {
        pbt_reader_expected(reader, PBT_E0218, value, key->text, "a string");
        return NULL;
    }
    /* Text as it stands there: `010` is 010, `true` is true, nothing is empty. */
    const char *text = pbt_node_is_null(value) ? "" : value->text;
    size_t size = key->length + strlen(text) + 2;
    char *variable = pbt_arena_alloc(&reader->spec->memory, size);
    if (variable != NULL) {
        (void)snprintf(variable, size, "%s=%s", key->text, text);
    }
    return variable;
}

void pbt_read_env(struct pbt_reader *reader, const struct pbt_node *node)
{
    struct pbt_spec *spec = reader->spec;
    if (node->kind != PBT_NODE_MAP) {
        pbt_reader_expected(reader, PBT_E0218, node, "env",
                            "a mapping of names to values");
        return;
    }
    spec->env = pbt_arena_array(&spec->memory, (size_t)node->count + 1,
                                sizeof *spec->env);
    size_t count = 0;
    for (const struct pbt_node *key = node->first;
         key != NULL && spec->env != NULL; key = key->next) {
        char *variable = read_variable(reader, key);
        if (variable != NULL) {
            spec->env[count++] = variable;
        }
    }
}

void pbt_read_factors(struct pbt_reader *reader, const struct pbt_node *node,
                      const char *what, const double **factors, uint32_t *count)
{
    if (node->kind != PBT_NODE_LIST || node->count == 0 ||
        node->count > FACTORS_MAX) {
        pbt_reader_expected(reader, PBT_E0219, node, what,
                            "a list of 1 to 64 numbers above 0");
        return;
    }
    double *items =
        pbt_arena_array(&reader->spec->memory, node->count, sizeof *items);
    uint32_t read = 0;
    for (const struct pbt_node *item = node->first;
         item != NULL && items != NULL; item = item->next) {
        struct pbt_scalar scalar = {.type = PBT_SCALAR_NULL};
        if (item->kind == PBT_NODE_SCALAR) {
            scalar = pbt_scalar_read(item->text, item->length, item->plain);
        }
        bool number =
            scalar.type == PBT_SCALAR_INT || scalar.type == PBT_SCALAR_REAL;
        if (!number || !isfinite(scalar.real) || scalar.real <= 0) {
            pbt_reader_expected(reader, PBT_E0219, item, what,
                                "a list of 1 to 64 numbers above 0");
            return;
        }
        items[read++] = scalar.real;
    }
    *factors = items;
    *count = read;
}
