/*
 * columns.c: `table`: the columns of the status table, and their labels.
 */
#include <string.h>

#include "spec/reader.h"

/* The name of a column, and below it in a mapping its label. */
static bool read_column(struct pbt_reader *reader, const struct pbt_key *key,
                        const struct pbt_node *name, char **column)
{
    const struct pbt_node *label = name->value != NULL ? name->value : name;
    if (label->kind != PBT_NODE_SCALAR || label->length == 0 ||
        name->kind != PBT_NODE_SCALAR || name->length == 0) {
        pbt_reader_expected(reader, PBT_E0228, label, key->path,
                            "a list of names, or a mapping of names to labels");
        return false;
    }
    column[0] = pbt_arena_copy(&reader->spec->memory, name->text, name->length);
    column[1] =
        pbt_arena_copy(&reader->spec->memory, label->text, label->length);
    return column[0] != NULL && column[1] != NULL;
}

/* There is no such hyperparameter: did he mean another? */
static void refuse(struct pbt_reader *reader, const struct pbt_node *name)
{
    const struct pbt_space *space = &reader->spec->settings.space;
    const char *close = NULL;
    size_t least = SIZE_MAX;
    for (uint32_t i = 0; i < space->count; i++) {
        const char *other = space->params[i].name;
        size_t distance =
            pbt_word_distance(name->text, name->length, other, strlen(other));
        if (distance < least &&
            pbt_word_close(name->text, name->length, other)) {
            least = distance;
            close = other;
        }
    }
    struct pbt_problem *problem =
        pbt_problem(reader->problems, PBT_E0229, name->span,
                    "there is no hyperparameter `%s`",
                    pbt_quote(name->text, name->length).text);
    if (close != NULL) {
        pbt_problem_label(problem, "did you mean `%s`?", close);
    } else {
        pbt_problem_label(problem, "nested ones are `outer/inner`");
    }
}

static bool is_param(const struct pbt_spec *spec, const char *name)
{
    for (uint32_t i = 0; i < spec->settings.space.count; i++) {
        if (strcmp(spec->settings.space.params[i].name, name) == 0) {
            return true;
        }
    }
    return false;
}

void pbt_read_columns(struct pbt_reader *reader, const struct pbt_key *key,
                      const struct pbt_node *node, bool params)
{
    if (node->kind != PBT_NODE_LIST && node->kind != PBT_NODE_MAP) {
        pbt_reader_expected(reader, PBT_E0228, node, key->path,
                            "a list of names, or a mapping of names to labels");
        return;
    }
    char **columns = pbt_arena_array(
        &reader->spec->memory, 2 * (size_t)node->count + 1, sizeof *columns);
    size_t count = 0;
    for (const struct pbt_node *name = node->first;
         name != NULL && columns != NULL; name = name->next) {
        if (!read_column(reader, key, name, columns + count)) {
            return;
        }
        if (params && !is_param(reader->spec, columns[count])) {
            refuse(reader, name);
        }
        count += 2;
    }
    memcpy((char *)reader->spec + key->field, &columns, sizeof columns);
}
