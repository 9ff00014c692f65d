/*
 * Configurations from JSON: what came back from a journal, a worker or an explore function.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "spec/reader.h"
#include "spec/spec.h"

#define TEXT_MAX_BYTES (8 * PBT_SOURCE_MAX)
#define DEPTH_MAX 64

/* Canonical JSON of a value, as cells.c writes it; false if it is too deep. */
static bool put_json(struct pbt_buf *out, const json_t *value, int depth)
{
    size_t i;
    size_t size = json_array_size(value);
    switch (json_typeof(value)) {
    case JSON_OBJECT: {
        const char *key;
        json_t *item;
        json_t *object = json_incref((json_t *)(uintptr_t)value);
        bool good = depth < DEPTH_MAX;
        bool first = true;
        pbt_buf_char(out, '{');
        json_object_foreach(object, key, item)
        {
            if (!first) {
                pbt_buf_char(out, ',');
            }
            first = false;
            pbt_buf_json_string(out, key, strlen(key));
            pbt_buf_char(out, ':');
            good = good && put_json(out, item, depth + 1);
        }
        json_decref(object);
        pbt_buf_char(out, '}');
        return good;
    }
    case JSON_ARRAY:
        pbt_buf_char(out, '[');
        for (i = 0; i < size; i++) {
            if (i > 0) {
                pbt_buf_char(out, ',');
            }
            if (depth == DEPTH_MAX ||
                !put_json(out, json_array_get(value, i), depth + 1)) {
                return false;
            }
        }
        pbt_buf_char(out, ']');
        break;
    case JSON_STRING:
        pbt_buf_json_string(out, json_string_value(value),
                            json_string_length(value));
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
        pbt_buf_text(out, "null");
        break;
    }
    return true;
}

static int take_text(struct pbt_spec *spec, const json_t *value,
                     struct pbt_cell *cell, struct pbt_error *error)
{
    struct pbt_buf text;
    pbt_buf_init(&text, TEXT_MAX_BYTES);
    int status;
    *cell = (struct pbt_cell){.type = PBT_CELL_TEXT};
    if (!put_json(&text, value, 0)) {
        status = pbt_error_set(error, PBT_EDATA, "a value is nested too deep");
    } else if (pbt_buf_failed(&text) ||
               pbt_texts_add(&spec->texts, text.data, text.length,
                             &cell->text) != PBT_OK) {
        status = pbt_error_set(error, PBT_ENOMEM, "out of memory");
    } else {
        status = PBT_OK;
    }
    pbt_buf_done(&text);
    return status;
}

static int take_cell(struct pbt_spec *spec, const json_t *value,
                     struct pbt_cell *cell, struct pbt_error *error)
{
    if (json_is_integer(value)) {
        *cell = pbt_cell_int(json_integer_value(value));
    } else if (json_is_real(value)) {
        *cell = pbt_cell_real(json_real_value(value));
    } else if (json_is_boolean(value)) {
        *cell = (struct pbt_cell){.type = PBT_CELL_BOOL,
                                  .u.i = json_is_true(value)};
    } else if (json_is_string(value) &&
               strcmp(json_string_value(value), "NaN") == 0) {
        *cell = pbt_cell_real((double)NAN);
    } else if (json_is_string(value) &&
               strcmp(json_string_value(value), "Infinity") == 0) {
        *cell = pbt_cell_real(HUGE_VAL);
    } else if (json_is_string(value) &&
               strcmp(json_string_value(value), "-Infinity") == 0) {
        *cell = pbt_cell_real(-HUGE_VAL);
    } else {
        return take_text(spec, value, cell, error);
    }
    return PBT_OK;
}

/* Follows a parameter's name through the nested objects; NULL if it is not there. */
static const json_t *find_value(const json_t *object, const char *name)
{
    char word[PBT_PARAM_NAME_MAX + 1];
    const json_t *value = object;
    while (value != NULL) {
        size_t length = strcspn(name, "/");
        if (length > PBT_PARAM_NAME_MAX || !json_is_object(value)) {
            return NULL;
        }
        memcpy(word, name, length);
        word[length] = '\0';
        value = json_object_get(value, word);
        if (name[length] == '\0') {
            return value;
        }
        name += length + 1;
    }
    return NULL;
}

/* True if the parameter's name is `path`, or begins with it and a slash. */
static bool is_below(const char *name, const struct pbt_buf *path, bool *leaf)
{
    size_t length = path->length;
    if (strncmp(name, path->data, length) != 0) {
        return false;
    }
    *leaf = name[length] == '\0';
    return *leaf || name[length] == '/';
}

static int refuse_unknown(const struct pbt_spec *spec, json_t *object,
                          struct pbt_buf *path, struct pbt_error *error)
{
    const struct pbt_space *space = &spec->settings.space;
    const char *key;
    json_t *value;
    size_t length = path->length;
    json_object_foreach(object, key, value)
    {
        bool known = false;
        bool leaf = false;
        pbt_buf_text(path, key);
        if (pbt_buf_failed(path)) {
            return pbt_error_set(error, PBT_EDATA, "a name is too long");
        }
        for (uint32_t i = 0; i < space->count && !known; i++) {
            known = is_below(space->params[i].name, path, &leaf);
        }
        if (!known || strchr(key, '/') != NULL) {
            return pbt_error_set(error, PBT_EDATA,
                                 "unknown hyperparameter \"%s\"",
                                 pbt_quote(path->data, path->length).text);
        }
        if (!leaf && json_is_object(value)) {
            pbt_buf_char(path, '/');
            int status = refuse_unknown(spec, value, path, error);
            if (status != PBT_OK) {
                return status;
            }
        }
        path->length = length;
        path->data[length] = '\0';
    }
    return PBT_OK;
}

/* How many names an object holds, down to the parameters: objects that are values count as one. */
static size_t expected_names(const struct pbt_spec *spec, const json_t *object)
{
    const struct pbt_space *space = &spec->settings.space;
    size_t names = json_object_size(object);
    const char *last = "";
    for (uint32_t i = 0; i < space->count; i++) {
        uint32_t at = spec->order != NULL ? spec->order[i] : i;
        const char *name = space->params[at].name;
        size_t shared = pbt_shared_group(last, name);
        for (const char *slash = strchr(name + shared, '/'); slash != NULL;
             slash = strchr(slash + 1, '/')) {
            char group[PBT_PARAM_NAME_MAX + 1];
            size_t length = (size_t)(slash - name);
            if (length > PBT_PARAM_NAME_MAX) {
                return SIZE_MAX;
            }
            memcpy(group, name, length);
            group[length] = '\0';
            /* A group is a name itself. */
            names += json_object_size(find_value(object, group)) - 1;
        }
        last = name;
    }
    return names;
}

static bool is_asked(const struct pbt_param *param)
{
    return param->initial.kind == PBT_DOMAIN_FUNCTION ||
           param->mutations.kind == PBT_DOMAIN_FUNCTION;
}

int pbt_spec_config_take(struct pbt_spec *spec, const struct json_t *object,
                         struct pbt_cell *cells, struct pbt_error *error)
{
    const struct pbt_space *space = &spec->settings.space;
    if (!json_is_object(object)) {
        return pbt_error_set(error, PBT_EDATA,
                             "a configuration is not a JSON object");
    }
    for (uint32_t i = 0; i < space->count; i++) {
        const char *name = space->params[i].name;
        const json_t *value = find_value(object, name);
        if (value == NULL) {
            return pbt_error_set(error, PBT_EDATA,
                                 "hyperparameter \"%s\" is missing",
                                 pbt_quote(name, strlen(name)).text);
        }
        if (json_is_null(value) && is_asked(&space->params[i])) {
            cells[i] = (struct pbt_cell){.type = PBT_CELL_NONE};
            continue; /* of an ask: that is what it is about */
        }
        int status = take_cell(spec, value, &cells[i], error);
        if (status != PBT_OK) {
            return status;
        }
    }
    /* All parameters are there: with as many names, there is none that is unknown. */
    if (expected_names(spec, object) == space->count) {
        return PBT_OK;
    }
    struct pbt_buf path;
    pbt_buf_init(&path, (size_t)4 * PBT_PARAM_NAME_MAX);
    pbt_buf_text(&path, "");
    int status =
        pbt_buf_failed(&path)
            ? pbt_error_set(error, PBT_ENOMEM, "out of memory")
            : refuse_unknown(spec, (json_t *)(uintptr_t)object, &path, error);
    pbt_buf_done(&path);
    return status;
}

int pbt_spec_config_read(struct pbt_spec *spec, const char *json, size_t length,
                         struct pbt_cell *cells, struct pbt_error *error)
{
    json_error_t found;
    json_t *root = json_loadb(json, length, JSON_REJECT_DUPLICATES, &found);
    if (root == NULL) {
        bool memory = json_error_code(&found) == json_error_out_of_memory;
        return pbt_error_set(error, memory ? PBT_ENOMEM : PBT_EDATA,
                             "wrong JSON: %s", found.text);
    }
    int status = pbt_spec_config_take(spec, root, cells, error);
    json_decref(root);
    return status;
}
