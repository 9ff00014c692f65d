/*
 * Programs without a client (docs/command.md): their templates, and the placeholders in
 * their arguments and templates.
 */
#include "spec/reader.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/names.h"
#include "base/placeholder.h"

#define PLACEHOLDERS_SHOWN 400 /* bytes of a list in a message */

static bool is_param(const struct pbt_spec *spec, const char *name,
                     size_t length)
{
    for (uint32_t i = 0; i < spec->settings.space.count; i++) {
        const char *other = spec->settings.space.params[i].name;
        if (strlen(other) == length && memcmp(other, name, length) == 0) {
            return true;
        }
    }
    return false;
}

static bool is_template(const struct pbt_spec *spec, const char *name,
                        size_t length)
{
    for (char **item = spec->templates; item != NULL && *item != NULL; item++) {
        if (strncmp(*item, name, length) == 0 && (*item)[length] == '=') {
            return true;
        }
    }
    return false;
}

static bool is_own(const char *name, size_t length)
{
    return pbt_placeholder_find(name, length) != PBT_PLACEHOLDER_COUNT;
}

static bool knows(const void *user, const char *name, size_t length)
{
    const struct pbt_spec *spec = user;
    return is_param(spec, name, length) || is_template(spec, name, length) ||
           is_own(name, length);
}

/* What is wrong with a placeholder, or that nothing is. */
struct verdict {
    enum pbt_code code; /* PBT_CODE_COUNT: it is good */
    char message[256];
    char label[256];
};

struct closest {
    const char *name;
    size_t length;
    size_t distance;
};

static void consider(struct closest *closest, const struct pbt_piece *piece,
                     const char *name, size_t length)
{
    char known[PBT_PARAM_NAME_MAX + 1];
    (void)snprintf(known, sizeof known, "%.*s", (int)length, name);
    size_t distance =
        pbt_word_distance(piece->text, piece->length, known, strlen(known));
    if (distance < closest->distance &&
        pbt_word_close(piece->text, piece->length, known)) {
        *closest = (struct closest){name, length, distance};
    }
}

static struct closest find_closest(const struct pbt_spec *spec,
                                   const struct pbt_piece *piece)
{
    struct closest closest = {NULL, 0, SIZE_MAX};
    for (uint32_t i = 0; i < spec->settings.space.count; i++) {
        const char *name = spec->settings.space.params[i].name;
        consider(&closest, piece, name, strlen(name));
    }
    for (char **item = spec->templates; item != NULL && *item != NULL; item++) {
        consider(&closest, piece, *item, strcspn(*item, "="));
    }
    for (unsigned i = 0; i < PBT_PLACEHOLDER_COUNT; i++) {
        const char *name = pbt_placeholder_name((enum pbt_placeholder)i);
        consider(&closest, piece, name, strlen(name));
    }
    return closest;
}

static struct verdict judge(const struct pbt_spec *spec,
                            const struct pbt_piece *piece)
{
    struct verdict verdict = {PBT_CODE_COUNT, "", ""};
    struct pbt_quoted quoted = pbt_quote(piece->text, piece->length);
    const char *name = quoted.text;
    if (piece->kind == PBT_PIECE_UNKNOWN) {
        struct closest closest = find_closest(spec, piece);
        verdict.code = PBT_E0222;
        (void)snprintf(verdict.message, sizeof verdict.message,
                       "unknown placeholder `{%s}`", name);
        if (closest.name != NULL) {
            (void)snprintf(verdict.label, sizeof verdict.label,
                           "did you mean `{%.*s}`?", (int)closest.length,
                           closest.name);
        } else {
            (void)snprintf(verdict.label, sizeof verdict.label,
                           "no hyperparameter, no template and none of pbt's "
                           "own; `{{%s}` is the text",
                           name);
        }
    } else if (piece->kind == PBT_PIECE_DOUBLED) {
        verdict.code = PBT_E0224;
        (void)snprintf(verdict.message, sizeof verdict.message,
                       "`{{%s}}` is no placeholder", name);
        (void)snprintf(verdict.label, sizeof verdict.label,
                       "`{%s}` is the value, `{{%s}` the text", name, name);
    } else if (piece->kind == PBT_PIECE_NAME &&
               is_param(spec, piece->text, piece->length) +
                       is_template(spec, piece->text, piece->length) +
                       is_own(piece->text, piece->length) >
                   1) {
        bool own = is_own(piece->text, piece->length);
        verdict.code = PBT_E0223;
        (void)snprintf(verdict.message, sizeof verdict.message,
                       "`{%s}` means two things", name);
        (void)snprintf(verdict.label, sizeof verdict.label,
                       "%s and %s: rename the one that is yours",
                       is_param(spec, piece->text, piece->length)
                           ? "a hyperparameter"
                           : "a template",
                       own ? "one of pbt's own" : "a template");
    }
    return verdict;
}

/* --- the command ------------------------------------------------------- */

static void list_placeholders(const struct pbt_spec *spec,
                              struct pbt_problem *problem)
{
    char text[PLACEHOLDERS_SHOWN + 1];
    size_t used = 0;
    text[0] = '\0';
    uint32_t params = spec->settings.space.count;
    for (unsigned i = 0; i < params + PBT_PLACEHOLDER_COUNT; i++) {
        const char *name =
            i < params
                ? spec->settings.space.params[i].name
                : pbt_placeholder_name((enum pbt_placeholder)(i - params));
        size_t length = strlen(name) + 4;
        if (used + length < sizeof text) {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s{%s}",
                                     used > 0 ? ", " : "", name);
        }
    }
    pbt_problem_help(problem, "known: %s", text);
}

/* The place of a piece of a scalar, where its text stands in the file as it is. */
static struct pbt_span span_of(const struct pbt_node *node,
                               const struct pbt_piece *piece)
{
    struct pbt_span span = node->span;
    size_t quote = node->plain ? 0 : 1;
    if (span.length == node->length + 2 * quote &&
        piece->text >= node->text + 1) {
        span.offset += quote + (size_t)(piece->text - node->text) - 1;
        span.length = piece->length + 2;
    }
    return span;
}

/* The program speaks the protocol, and is given the braces: is that what is meant? */
static void check_braces(struct pbt_reader *reader, const struct pbt_node *node,
                         const struct pbt_piece *piece)
{
    struct pbt_quoted name = pbt_quote(piece->text, piece->length);
    bool known = piece->kind == PBT_PIECE_NAME;
    if (known && reader->given[PBT_KEY_TRAINABLE] == NULL) {
        struct pbt_problem *problem = pbt_problem(
            reader->problems, PBT_E0230, span_of(node, piece),
            "`{%s}` is filled in with `trainable: command` only", name.text);
        pbt_problem_label(problem, "%s",
                          node->span.source == 0 ? "add `trainable: command`"
                                                 : "add trainable=command");
    } else if (known || (piece->kind == PBT_PIECE_UNKNOWN &&
                         find_closest(reader->spec, piece).name != NULL)) {
        pbt_reader_warn(reader, PBT_W0108, node,
                        "`{%s}` is filled in with `trainable: command` only",
                        name.text);
    }
}

static void check_argument(struct pbt_reader *reader,
                           const struct pbt_node *node)
{
    const struct pbt_spec *spec = reader->spec;
    struct pbt_piece piece;
    size_t at = 0;
    while (pbt_next_piece(node->text, node->length, &at, knows, spec, &piece)) {
        if (!spec->no_client) {
            check_braces(reader, node, &piece);
            continue;
        }
        struct verdict verdict = judge(spec, &piece);
        if (verdict.code == PBT_CODE_COUNT) {
            continue;
        }
        struct pbt_problem *problem =
            pbt_problem(reader->problems, verdict.code, span_of(node, &piece),
                        "%s", verdict.message);
        pbt_problem_label(problem, "%s", verdict.label);
        if (piece.kind == PBT_PIECE_UNKNOWN) {
            list_placeholders(spec, problem);
        }
    }
}

static void only_for_commands(struct pbt_reader *reader, enum pbt_key_id id,
                              const char *what)
{
    const struct pbt_node *node = reader->given[id];
    if (node != NULL) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0226, node->span,
                                      "`%s` is for programs without a client",
                                      what),
                          "with `trainable: command`");
    }
}

static void check_variables(struct pbt_reader *reader)
{
    const struct pbt_space *space = &reader->spec->settings.space;
    for (uint32_t i = 0; i < space->count; i++) {
        char own[2 * PBT_PARAM_NAME_MAX];
        pbt_param_variable(space->params[i].name, own, sizeof own);
        for (uint32_t j = 0; j < i; j++) {
            char other[2 * PBT_PARAM_NAME_MAX];
            pbt_param_variable(space->params[j].name, other, sizeof other);
            if (strcmp(own, other) == 0) {
                struct pbt_span span = {0, 0, 1};
                pbt_problem(
                    reader->problems, PBT_E0227,
                    reader->given[PBT_KEY_CONFIG] != NULL
                        ? reader->given[PBT_KEY_CONFIG]->span
                        : span,
                    "hyperparameters `%.100s` and `%.100s` are both %.100s in "
                    "the program's environment",
                    space->params[j].name, space->params[i].name, own);
            }
        }
    }
}

void pbt_read_placeholders(struct pbt_reader *reader)
{
    const struct pbt_node *command = reader->given[PBT_KEY_COMMAND];
    if (!reader->spec->no_client) {
        if (reader->spec->templates != NULL &&
            reader->spec->templates[0] != NULL) {
            only_for_commands(reader, PBT_KEY_TEMPLATES, "templates");
        }
        if (reader->spec->stateless) {
            only_for_commands(reader, PBT_KEY_STATELESS, "stateless");
        }
        if (reader->spec->cwd != NULL &&
            strcmp(reader->spec->cwd, PBT_CWD_TRIAL) == 0) {
            only_for_commands(reader, PBT_KEY_CWD, PBT_CWD_TRIAL);
        }
    } else {
        check_variables(reader);
    }
    if (command == NULL || reader->spec->command == NULL) {
        return;
    }
    if (command->kind == PBT_NODE_SCALAR) {
        check_argument(reader, command);
        return;
    }
    for (const struct pbt_node *item = command->first; item != NULL;
         item = item->next) {
        check_argument(reader, item);
    }
}

/* --- templates ------------------------------------------------------------ */

/* A name of a file in a trial's directory that pbt or the system doesn't give itself. */
static bool good_name(const char *name, size_t length)
{
    static const char *const TAKEN[] = {
        "stdout",      "stderr",       "error.txt", "params.json",
        "result.json", "progress.csv", "work",      "paused"};
    for (size_t i = 0; i < sizeof TAKEN / sizeof *TAKEN; i++) {
        if (strlen(TAKEN[i]) == length && memcmp(TAKEN[i], name, length) == 0) {
            return false;
        }
    }
    if (strncmp(name, "checkpoint_", 11) == 0 ||
        strncmp(name, "events.out.", 11) == 0) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        char c = name[i];
        bool word = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                    (c >= '0' && c <= '9');
        if (!word && (i == 0 || strchr("._-", c) == NULL)) {
            return false;
        }
    }
    return length >= 1 && length <= PBT_PARAM_WORD_MAX;
}

static char *read_template(struct pbt_reader *reader,
                           const struct pbt_node *key)
{
    const struct pbt_node *value = key->value;
    if (!good_name(key->text, key->length)) {
        pbt_problem_help(
            pbt_problem(reader->problems, PBT_E0225, key->span,
                        "`%s` can't name a file in a trial's directory",
                        pbt_quote(key->text, key->length).text),
            "1 to 128 letters, digits, `.`, `_` and `-`, beginning with a "
            "letter or digit, and no name of pbt's own files");
        return NULL;
    }
    if (value->kind != PBT_NODE_SCALAR || pbt_node_is_null(value) ||
        value->length == 0) {
        pbt_reader_expected(reader, PBT_E0225, value, key->text,
                            "a template's path");
        return NULL;
    }
    char *path = pbt_read_path(reader, value->text);
    size_t size = key->length + (path == NULL ? 0 : strlen(path)) + 2;
    char *entry = pbt_arena_alloc(&reader->spec->memory, size);
    if (entry != NULL && path != NULL) {
        (void)snprintf(entry, size, "%s=%s", key->text, path);
    }
    return path == NULL ? NULL : entry;
}

void pbt_read_templates(struct pbt_reader *reader, const struct pbt_node *node)
{
    struct pbt_spec *spec = reader->spec;
    if (node->kind != PBT_NODE_MAP) {
        pbt_reader_expected(reader, PBT_E0225, node, "templates",
                            "a mapping of file names to templates");
        return;
    }
    spec->templates = pbt_arena_array(&spec->memory, (size_t)node->count + 1,
                                      sizeof *spec->templates);
    size_t count = 0;
    for (const struct pbt_node *key = node->first;
         key != NULL && spec->templates != NULL; key = key->next) {
        char *entry = read_template(reader, key);
        if (entry != NULL) {
            spec->templates[count++] = entry;
        }
    }
}

static int check_text(const struct pbt_spec *spec, const char *path,
                      const struct pbt_buf *text, struct pbt_error *error)
{
    struct pbt_piece piece;
    size_t at = 0;
    while (pbt_next_piece(text->data, text->length, &at, knows, spec, &piece)) {
        struct verdict verdict = judge(spec, &piece);
        if (verdict.code != PBT_CODE_COUNT) {
            struct pbt_source source = {path, text->data, text->length};
            struct pbt_place place = pbt_source_place(
                &source, (size_t)(piece.text - text->data) - 1);
            return pbt_fail(error, PBT_E0711, "%s:%zu:%zu: %s: %s", path,
                            place.line, place.column, verdict.message,
                            verdict.label);
        }
    }
    return PBT_OK;
}

int pbt_check_templates(const struct pbt_spec *spec, struct pbt_error *error)
{
    struct pbt_files *files = pbt_files_posix();
    int status = PBT_OK;
    for (char **item = spec->templates;
         status == PBT_OK && item != NULL && *item != NULL; item++) {
        const char *path = *item + strcspn(*item, "=") + 1;
        struct pbt_buf text;
        pbt_buf_init(&text, PBT_TEMPLATE_MAX + 1);
        status = files->ops->read(files, path, 0, PBT_TEMPLATE_MAX + 1, &text,
                                  error);
        if (status != PBT_OK) {
            char why[512];
            (void)snprintf(why, sizeof why, "%.500s", error->text);
            status = pbt_fail(error, PBT_E0711, "templates: %s", why);
        } else if (text.length > PBT_TEMPLATE_MAX) {
            status = pbt_fail(error, PBT_E0711,
                              "templates: %s is larger than 1 MiB", path);
        } else if (text.length > 0) {
            status = check_text(spec, path, &text, error);
        }
        pbt_buf_done(&text);
    }
    return status;
}
