#include "command/fill.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/files.h"
#include "base/names.h"
#include "wire/message.h"

#define TEMPLATE_MAX 1048576u
#define PATH_SIZE 4096u
#define NAME_SIZE 1024u

/* --- values --------------------------------------------------------------- */

static void put_value(const json_t *value, bool inside, struct pbt_buf *out)
{
    switch (json_typeof(value)) {
    case JSON_STRING:
        if (inside) {
            pbt_buf_json_string(out, json_string_value(value),
                                json_string_length(value));
        } else {
            pbt_buf_put(out, json_string_value(value),
                        json_string_length(value));
        }
        break;
    case JSON_INTEGER:
        pbt_buf_i64(out, json_integer_value(value));
        break;
    case JSON_REAL:
        pbt_buf_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
        pbt_buf_text(out, "true");
        break;
    case JSON_FALSE:
        pbt_buf_text(out, "false");
        break;
    case JSON_NULL:
        pbt_buf_text(out, inside ? "null" : "");
        break;
    case JSON_ARRAY:
        pbt_buf_char(out, '[');
        for (size_t i = 0; i < json_array_size(value); i++) {
            pbt_buf_text(out, i > 0 ? "," : "");
            put_value(json_array_get(value, i), true, out);
        }
        pbt_buf_char(out, ']');
        break;
    case JSON_OBJECT: {
        const char *key;
        json_t *member;
        const char *between = "{";
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
        {
            pbt_buf_text(out, between);
            pbt_buf_json_string(out, key, strlen(key));
            pbt_buf_char(out, ':');
            put_value(member, true, out);
            between = ",";
        }
        pbt_buf_text(out, between[0] == '{' ? "{}" : "}");
        break;
    }
    }
}

static const json_t *param_of(const struct pbt_fill *fill, const char *name,
                              size_t length)
{
    char text[NAME_SIZE];
    if (length >= sizeof text) {
        return NULL;
    }
    memcpy(text, name, length);
    text[length] = '\0';
    const json_t *value = pbt_json_member(fill->config, text);
    return json_is_object(value) ? NULL : value;
}

static bool is_template(const struct pbt_fill *fill, const char *name,
                        size_t length)
{
    for (char *const *item = fill->templates; item != NULL && *item != NULL;
         item++) {
        if (strncmp(*item, name, length) == 0 && (*item)[length] == '=') {
            return true;
        }
    }
    return false;
}

static bool knows(const void *user, const char *name, size_t length)
{
    const struct pbt_fill *fill = user;
    return pbt_placeholder_find(name, length) != PBT_PLACEHOLDER_COUNT ||
           is_template(fill, name, length) ||
           param_of(fill, name, length) != NULL;
}

static void put_named(const struct pbt_fill *fill,
                      const struct pbt_piece *piece, struct pbt_buf *out)
{
    enum pbt_placeholder own = pbt_placeholder_find(piece->text, piece->length);
    if (own != PBT_PLACEHOLDER_COUNT) {
        pbt_buf_text(out, fill->own[own]);
    } else if (is_template(fill, piece->text, piece->length)) {
        pbt_buf_printf(out, "%s/%.*s", fill->own[PBT_PLACEHOLDER_TRIAL_DIR],
                       (int)piece->length, piece->text);
    } else {
        put_value(param_of(fill, piece->text, piece->length), false, out);
    }
}

int pbt_fill_text(const struct pbt_fill *fill, const char *text, size_t length,
                  struct pbt_buf *out, struct pbt_error *error)
{
    struct pbt_piece piece;
    size_t at = 0;
    while (pbt_next_piece(text, length, &at, knows, fill, &piece)) {
        if (piece.kind == PBT_PIECE_TEXT) {
            pbt_buf_put(out, piece.text, piece.length);
        } else if (piece.kind == PBT_PIECE_NAME) {
            put_named(fill, &piece, out);
        } else {
            return pbt_error_set(
                error, PBT_ECONFIG,
                "unknown placeholder `{%.*s}` (`{{%.*s}` is the text)",
                (int)piece.length, piece.text, (int)piece.length, piece.text);
        }
    }
    return pbt_buf_failed(out)
               ? pbt_error_set(error, PBT_ECONFIG,
                               "filled in it is longer than %zu bytes, or "
                               "memory is short",
                               out->limit)
               : PBT_OK;
}

/* --- arguments ------------------------------------------------------------ */

void pbt_fill_free(char **argv)
{
    for (size_t i = 0; argv != NULL && argv[i] != NULL; i++) {
        free(argv[i]);
    }
    free(argv);
}

int pbt_fill_command(const struct pbt_fill *fill, char *const *command,
                     char ***argv, struct pbt_error *error)
{
    size_t count = 0;
    while (command[count] != NULL) {
        count++;
    }
    char **filled = calloc(count + 1, sizeof *filled);
    if (filled == NULL) {
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    int status = PBT_OK;
    for (size_t i = 0; status == PBT_OK && i < count; i++) {
        struct pbt_buf text;
        pbt_buf_init(&text, PBT_ARGUMENT_MAX);
        pbt_buf_text(&text, ""); /* an empty argument is one, too */
        status =
            pbt_fill_text(fill, command[i], strlen(command[i]), &text, error);
        if (status != PBT_OK) {
            (void)pbt_error_prefix(error, status, "command, argument %zu", i);
        } else {
            filled[i] = strdup(text.data != NULL ? text.data : "");
            status = filled[i] == NULL
                         ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
                         : PBT_OK;
        }
        pbt_buf_done(&text);
    }
    if (status != PBT_OK) {
        pbt_fill_free(filled);
        return status;
    }
    *argv = filled;
    return PBT_OK;
}

/* --- templates ------------------------------------------------------------ */

static int fill_template(const struct pbt_fill *fill, const char *item,
                         struct pbt_buf *text, struct pbt_buf *filled,
                         struct pbt_error *error)
{
    struct pbt_files *files = pbt_files_posix();
    size_t name = strcspn(item, "=");
    const char *path = item + name + 1;
    char made[PATH_SIZE];
    (void)snprintf(made, sizeof made, "%s/%.*s",
                   fill->own[PBT_PLACEHOLDER_TRIAL_DIR], (int)name, item);
    int status =
        files->ops->read(files, path, 0, TEMPLATE_MAX + 1, text, error);
    if (status == PBT_OK && text->length > TEMPLATE_MAX) {
        status = pbt_error_set(error, PBT_ECONFIG, "larger than 1 MiB");
    }
    if (status == PBT_OK && text->length > 0) {
        status = pbt_fill_text(fill, text->data, text->length, filled, error);
    }
    if (status == PBT_OK) {
        status =
            pbt_file_replace(made, filled->data != NULL ? filled->data : "",
                             filled->length, false, error);
    }
    return status == PBT_OK
               ? PBT_OK
               : pbt_error_prefix(error, status, "template %s", path);
}

int pbt_fill_templates(const struct pbt_fill *fill, struct pbt_error *error)
{
    int status = PBT_OK;
    for (char *const *item = fill->templates;
         status == PBT_OK && item != NULL && *item != NULL; item++) {
        struct pbt_buf text;
        struct pbt_buf filled;
        pbt_buf_init(&text, TEMPLATE_MAX + 1);
        pbt_buf_init(&filled, TEMPLATE_MAX);
        status = fill_template(fill, *item, &text, &filled, error);
        pbt_buf_done(&text);
        pbt_buf_done(&filled);
    }
    return status;
}

/* --- environment ---------------------------------------------------------- */

static int set_variable(const char *name, const char *value,
                        struct pbt_error *error)
{
    return setenv(name, value, 1) == 0
               ? PBT_OK
               : pbt_error_set(error, PBT_ENOMEM, "out of memory");
}

/* `path` is the full name so far, "net/"; its rest is written over. */
static int set_params(const json_t *object, char *path, size_t used,
                      struct pbt_error *error)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        int n = snprintf(path + used, NAME_SIZE - used, "%s", key);
        size_t length = used + (size_t)n;
        if (length + 2 >= NAME_SIZE) {
            return pbt_error_set(error, PBT_ECONFIG,
                                 "the name of a hyperparameter is too long");
        }
        int status;
        if (json_is_object(value)) {
            path[length] = '/';
            status = set_params(value, path, length + 1, error);
        } else {
            char variable[2 * NAME_SIZE];
            struct pbt_buf text;
            pbt_buf_init(&text, PBT_ARGUMENT_MAX);
            pbt_param_variable(path, variable, sizeof variable);
            put_value(value, false, &text);
            status =
                pbt_buf_failed(&text)
                    ? pbt_error_set(error, PBT_ECONFIG,
                                    "hyperparameter %s is longer than "
                                    "%u bytes",
                                    path, PBT_ARGUMENT_MAX)
                    : set_variable(variable, text.data != NULL ? text.data : "",
                                   error);
            pbt_buf_done(&text);
        }
        if (status != PBT_OK) {
            return status;
        }
    }
    return PBT_OK;
}

int pbt_fill_environment(const struct pbt_fill *fill, struct pbt_error *error)
{
    char path[NAME_SIZE] = "";
    for (unsigned i = 0; i < PBT_PLACEHOLDER_COUNT; i++) {
        int status =
            set_variable(pbt_placeholder_variable((enum pbt_placeholder)i),
                         fill->own[i], error);
        if (status != PBT_OK) {
            return status;
        }
    }
    return set_params(fill->config, path, 0, error);
}
