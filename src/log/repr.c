/*
 * repr.c: Python's repr() and str(), and Ray's experiment tags, which are made of
 * them (python.h).
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/digits.h"
#include "log/python.h"

#define DEPTH_MAX 64

/* --- repr ---------------------------------------------------------------- */

static void repr_string(struct pbt_buf *out, const char *text)
{
    char quote =
        strchr(text, '\'') != NULL && strchr(text, '"') == NULL ? '"' : '\'';
    pbt_buf_char(out, quote);
    for (; *text != '\0'; text++) {
        unsigned char c = (unsigned char)*text;
        if (c == (unsigned char)quote || c == '\\') {
            pbt_buf_char(out, '\\');
            pbt_buf_char(out, *text);
        } else if (c == '\n') {
            pbt_buf_text(out, "\\n");
        } else if (c == '\r') {
            pbt_buf_text(out, "\\r");
        } else if (c == '\t') {
            pbt_buf_text(out, "\\t");
        } else if (c < 0x20 || c == 0x7f) {
            pbt_buf_printf(out, "\\x%02x", c);
        } else {
            pbt_buf_char(out, *text);
        }
    }
    pbt_buf_char(out, quote);
}

static void repr_real(struct pbt_buf *out, double value)
{
    char text[PBT_REPR_SIZE];
    pbt_buf_put(out, text, pbt_real_repr(value, text));
}

static void repr(struct pbt_buf *out, const json_t *value, int depth)
{
    const char *key;
    json_t *member;
    bool first = true;
    if (depth > DEPTH_MAX || value == NULL) {
        pbt_buf_text(out, "None");
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        pbt_buf_char(out, '{');
        json_object_foreach((json_t *)(uintptr_t)value, key, member)
        {
            pbt_buf_text(out, first ? "" : ", ");
            first = false;
            repr_string(out, key);
            pbt_buf_text(out, ": ");
            repr(out, member, depth + 1);
        }
        pbt_buf_char(out, '}');
        break;
    case JSON_ARRAY:
        pbt_buf_char(out, '[');
        for (size_t i = 0; i < json_array_size(value); i++) {
            pbt_buf_text(out, i == 0 ? "" : ", ");
            repr(out, json_array_get(value, i), depth + 1);
        }
        pbt_buf_char(out, ']');
        break;
    case JSON_STRING:
        repr_string(out, json_string_value(value));
        break;
    case JSON_INTEGER:
        pbt_buf_i64(out, json_integer_value(value));
        break;
    case JSON_REAL:
        repr_real(out, json_real_value(value));
        break;
    case JSON_TRUE:
        pbt_buf_text(out, "True");
        break;
    case JSON_FALSE:
        pbt_buf_text(out, "False");
        break;
    case JSON_NULL:
        pbt_buf_text(out, "None");
        break;
    }
}

void pbt_python_repr(struct pbt_buf *out, const json_t *value)
{
    repr(out, value, 0);
}

void pbt_shape_cell_repr(const struct pbt_spec *spec, struct pbt_cell cell,
                         bool quotes, struct pbt_buf *out)
{
    switch ((enum pbt_cell_type)cell.type) {
    case PBT_CELL_NONE:
        pbt_buf_text(out, "None");
        break;
    case PBT_CELL_INT:
        pbt_buf_i64(out, cell.u.i);
        break;
    case PBT_CELL_REAL:
        repr_real(out, cell.u.r);
        break;
    case PBT_CELL_BOOL:
        pbt_buf_text(out, cell.u.i != 0 ? "True" : "False");
        break;
    case PBT_CELL_TEXT: {
        const char *text = pbt_texts_get(&spec->texts, cell.text);
        json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
        if (value == NULL) {
            out->failed = true;
        } else if (json_is_string(value) && !quotes) {
            pbt_buf_text(out, json_string_value(value));
        } else {
            repr(out, value, 0);
        }
        json_decref(value);
        break;
    }
    }
}

/* --- the shape of a configuration ---------------------------------------- */

/* Puts parameter `index` at its place below `tree`, making objects on the way. */
static bool plant(json_t *tree, const char *name, uint32_t index)
{
    const char *slash = strchr(name, '/');
    if (slash == NULL) {
        return json_object_set_new(tree, name, json_integer(index)) == 0;
    }
    size_t length = (size_t)(slash - name);
    char *outer = strndup(name, length);
    if (outer == NULL) {
        return false;
    }
    json_t *inner = json_object_get(tree, outer);
    bool fits = inner != NULL;
    if (inner == NULL) {
        inner = json_object();
        fits = json_object_set_new(tree, outer, inner) == 0;
    }
    free(outer);
    return fits && plant(inner, slash + 1, index);
}

int pbt_shape_init(struct pbt_shape *shape, const struct pbt_spec *spec,
                   struct pbt_error *error)
{
    *shape = (struct pbt_shape){.spec = spec, .tree = json_object()};
    bool fits = shape->tree != NULL;
    for (uint32_t i = 0; fits && i < spec->settings.space.count; i++) {
        fits = plant(shape->tree, spec->settings.space.params[i].name, i);
    }
    if (!fits) {
        pbt_shape_done(shape);
        return pbt_error_set(error, PBT_ENOMEM, "out of memory");
    }
    return PBT_OK;
}

void pbt_shape_done(struct pbt_shape *shape)
{
    json_decref(shape->tree);
    shape->tree = NULL;
}

/* --- experiment tags ----------------------------------------------------- */

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || c == '-' || c == '_';
}

static bool is_stripped(char c)
{
    return c == '_' || !is_plain(c);
}

/* Every run of characters that are not plain becomes "_", and none is left at the ends. */
static void put_clean(struct pbt_buf *out, const char *text, size_t length)
{
    size_t end = length;
    size_t at = 0;
    while (at < end && is_stripped(text[at])) {
        at++;
    }
    while (end > at && is_stripped(text[end - 1])) {
        end--;
    }
    for (bool gap = false; at < end; at++) {
        bool plain = is_plain(text[at]);
        if (plain) {
            pbt_buf_char(out, text[at]);
        } else if (!gap) {
            pbt_buf_char(out, '_');
        }
        gap = !plain;
    }
}

static void put_cleaned(struct pbt_buf *out, struct pbt_buf *text)
{
    if (text->length > 0) {
        put_clean(out, text->data, text->length);
    }
    out->failed = out->failed || text->failed;
    pbt_buf_reset(text);
}

static void tag_value(const struct pbt_spec *spec, struct pbt_cell cell,
                      struct pbt_buf *scratch, struct pbt_buf *out)
{
    if (cell.type == PBT_CELL_REAL && isfinite(cell.u.r)) {
        size_t start = out->length;
        pbt_buf_printf(out, "%.4f", cell.u.r);
        for (size_t i = start; i < out->length; i++) {
            if (out->data[i] == ',') {
                out->data[i] = '.'; /* some locales' decimal point */
            }
        }
    } else if (cell.type == PBT_CELL_REAL) {
        repr_real(out, cell.u.r);
    } else {
        pbt_shape_cell_repr(spec, cell, false, scratch);
        put_cleaned(out, scratch);
    }
}

/* repr() of a part of a configuration. */
static void repr_tree(const struct pbt_shape *shape, const json_t *tree,
                      const struct pbt_cell *cells, struct pbt_buf *out)
{
    if (json_is_integer(tree)) {
        pbt_shape_cell_repr(shape->spec, cells[json_integer_value(tree)], true,
                            out);
        return;
    }
    const char *key;
    json_t *member;
    bool first = true;
    pbt_buf_char(out, '{');
    json_object_foreach((json_t *)(uintptr_t)tree, key, member)
    {
        pbt_buf_text(out, first ? "" : ", ");
        first = false;
        repr_string(out, key);
        pbt_buf_text(out, ": ");
        repr_tree(shape, member, cells, out);
    }
    pbt_buf_char(out, '}');
}

void pbt_shape_repr(const struct pbt_shape *shape, const struct pbt_cell *cells,
                    struct pbt_buf *out)
{
    repr_tree(shape, shape->tree, cells, out);
}

static int compare_names(const void *a, const void *b)
{
    const struct pbt_param *const *x = a;
    const struct pbt_param *const *y = b;
    return strcmp((*x)->name, (*y)->name);
}

struct tag {
    const struct pbt_shape *shape;
    const struct pbt_cell *cells;
    bool drawn;
    struct pbt_buf scratch;
    struct pbt_buf *out;
    const char *last; /* the last top-level name of a mutated parameter */
    size_t last_length;
    bool first;
};

static void tag_param(struct tag *t, const struct pbt_param *param)
{
    const struct pbt_spec *spec = t->shape->spec;
    const char *name = param->name;
    size_t top = strcspn(name, "/");
    if (!t->drawn && t->last_length == top &&
        strncmp(t->last, name, top) == 0) {
        return; /* nested: was shown as a whole */
    }
    t->last = name;
    t->last_length = top;
    pbt_buf_text(t->out, t->first ? "" : ",");
    t->first = false;
    const char *slash = strrchr(name, '/');
    if (t->drawn) {
        const char *shown = slash == NULL ? name : slash + 1;
        put_clean(t->out, shown, strlen(shown));
    } else {
        put_clean(t->out, name, top);
    }
    pbt_buf_char(t->out, '=');
    if (t->drawn || slash == NULL) {
        size_t index = (size_t)(param - spec->settings.space.params);
        tag_value(spec, t->cells[index], &t->scratch, t->out);
    } else {
        char outer[256];
        size_t length = top < sizeof outer ? top : sizeof outer - 1;
        memcpy(outer, name, length);
        outer[length] = '\0';
        repr_tree(t->shape, json_object_get(t->shape->tree, outer), t->cells,
                  &t->scratch);
        put_cleaned(t->out, &t->scratch);
    }
}

void pbt_shape_tag(const struct pbt_shape *shape, const struct pbt_cell *cells,
                   bool drawn, struct pbt_buf *out)
{
    const struct pbt_space *space = &shape->spec->settings.space;
    const struct pbt_param **sorted = calloc(space->count + 1, sizeof *sorted);
    if (sorted == NULL) {
        out->failed = true;
        return;
    }
    size_t count = 0;
    for (uint32_t i = 0; i < space->count; i++) {
        const struct pbt_param *param = &space->params[i];
        bool wanted = drawn ? param->initial.kind != PBT_DOMAIN_NONE &&
                                  param->initial.kind != PBT_DOMAIN_CONSTANT
                            : param->mutation != PBT_MUTATION_NONE;
        if (wanted) {
            sorted[count++] = param;
        }
    }
    if (count > 0) {
        qsort(sorted, count, sizeof *sorted, compare_names);
    }
    struct tag t = {.shape = shape,
                    .cells = cells,
                    .drawn = drawn,
                    .out = out,
                    .last = "",
                    .first = true};
    pbt_buf_init(&t.scratch, 65536);
    for (size_t i = 0; i < count; i++) {
        tag_param(&t, sorted[i]);
    }
    pbt_buf_done(&t.scratch);
    free(sorted);
}
