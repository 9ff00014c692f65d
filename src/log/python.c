#include "log/python.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* jansson reads nothing deeper than 2048; what users send is far below. */
#define DEPTH_MAX 64

/* The next code point of valid UTF-8 (jansson and the spec take in nothing else). */
static uint32_t next_code(const char *text, size_t length, size_t *at)
{
    unsigned char c = (unsigned char)text[(*at)++];
    int more = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : c >= 0xc0 ? 1 : 0;
    uint32_t code = more == 3   ? c & 0x07U
                    : more == 2 ? c & 0x0fU
                    : more == 1 ? c & 0x1fU
                                : c;
    while (more-- > 0 && *at < length) {
        code = code << 6 | ((unsigned char)text[(*at)++] & 0x3fU);
    }
    return code;
}

static void put_escape(struct pbt_buf *out, uint32_t code)
{
    switch (code) {
    case '"':
        pbt_buf_text(out, "\\\"");
        return;
    case '\\':
        pbt_buf_text(out, "\\\\");
        return;
    case '\n':
        pbt_buf_text(out, "\\n");
        return;
    case '\r':
        pbt_buf_text(out, "\\r");
        return;
    case '\t':
        pbt_buf_text(out, "\\t");
        return;
    case '\f':
        pbt_buf_text(out, "\\f");
        return;
    case '\b':
        pbt_buf_text(out, "\\b");
        return;
    default:
        break;
    }
    if (code >= 0x10000) {
        code -= 0x10000;
        pbt_buf_printf(out, "\\u%04" PRIx32 "\\u%04" PRIx32,
                       0xd800 + (code >> 10), 0xdc00 + (code & 0x3ff));
    } else {
        pbt_buf_printf(out, "\\u%04" PRIx32, code);
    }
}

void pbt_python_string(struct pbt_buf *out, const char *text, size_t length)
{
    pbt_buf_char(out, '"');
    size_t start = 0;
    size_t at = 0;
    while (at < length) {
        unsigned char c = (unsigned char)text[at];
        if (c >= 0x20 && c < 0x7f && c != '"' && c != '\\') {
            at++;
            continue;
        }
        pbt_buf_put(out, text + start, at - start);
        put_escape(out, next_code(text, length, &at));
        start = at;
    }
    pbt_buf_put(out, text + start, at - start);
    pbt_buf_char(out, '"');
}

void pbt_python_real(struct pbt_buf *out, double value, bool bare_nan)
{
    if (isfinite(value) || !bare_nan) {
        pbt_buf_real(out, value);
    } else {
        pbt_buf_text(out, isnan(value) ? "NaN"
                          : value > 0  ? "Infinity"
                                       : "-Infinity");
    }
}

/* --- json.dumps ---------------------------------------------------------- */

/* With `spec`, whole numbers in the tree stand for cells. */
struct printer {
    struct pbt_buf *out;
    struct pbt_python_style style;
    const struct pbt_spec *spec;
    const struct pbt_cell *cells;
};

static void print(const struct printer *p, const json_t *value, int depth);

static void new_line(const struct printer *p, int depth)
{
    if (p->style.indent) {
        pbt_buf_char(p->out, '\n');
        for (int i = 0; i < depth; i++) {
            pbt_buf_text(p->out, "  ");
        }
    }
}

static void separate(const struct printer *p, bool first, int depth)
{
    if (!first) {
        pbt_buf_text(p->out, p->style.indent ? "," : ", ");
    }
    new_line(p, depth);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The keys of an object, sorted if wanted; NULL without memory. */
static const char **list_keys(const json_t *object, bool sort)
{
    size_t count = json_object_size(object);
    const char **keys = calloc(count + 1, sizeof *keys);
    if (keys == NULL) {
        return NULL;
    }
    size_t at = 0;
    const char *key;
    json_t *member;
    /* jansson's loop wants an object that it could change, and doesn't. */
    void *step = json_object_iter((json_t *)(uintptr_t)object);
    for (; step != NULL;
         step = json_object_iter_next((json_t *)(uintptr_t)object, step)) {
        key = json_object_iter_key(step);
        member = json_object_iter_value(step);
        if (key != NULL && member != NULL && at < count) {
            keys[at++] = key;
        }
    }
    if (sort) {
        qsort(keys, at, sizeof *keys, compare_keys);
    }
    return keys;
}

static void print_object(const struct printer *p, const json_t *object,
                         int depth)
{
    const char **keys = list_keys(object, p->style.sort);
    if (keys == NULL) {
        p->out->failed = true;
        return;
    }
    pbt_buf_char(p->out, '{');
    size_t i = 0;
    for (; keys[i] != NULL; i++) {
        separate(p, i == 0, depth + 1);
        pbt_python_string(p->out, keys[i], strlen(keys[i]));
        pbt_buf_text(p->out, ": ");
        print(p, json_object_get(object, keys[i]), depth + 1);
    }
    if (i > 0) {
        new_line(p, depth);
    }
    pbt_buf_char(p->out, '}');
    free(keys);
}

static void print_array(const struct printer *p, const json_t *array, int depth)
{
    size_t count = json_array_size(array);
    pbt_buf_char(p->out, '[');
    for (size_t i = 0; i < count; i++) {
        separate(p, i == 0, depth + 1);
        print(p, json_array_get(array, i), depth + 1);
    }
    if (count > 0) {
        new_line(p, depth);
    }
    pbt_buf_char(p->out, ']');
}

/* The value of a text cell, which holds JSON; NULL without memory. */
static json_t *load_text(const struct pbt_spec *spec, struct pbt_cell cell)
{
    const char *text = pbt_texts_get(&spec->texts, cell.text);
    return json_loads(text, JSON_DECODE_ANY, NULL);
}

static void print_cell(const struct printer *p, struct pbt_cell cell, int depth)
{
    switch ((enum pbt_cell_type)cell.type) {
    case PBT_CELL_NONE:
        pbt_buf_text(p->out, "null");
        break;
    case PBT_CELL_INT:
        pbt_buf_i64(p->out, cell.u.i);
        break;
    case PBT_CELL_REAL:
        pbt_python_real(p->out, cell.u.r, p->style.bare_nan);
        break;
    case PBT_CELL_BOOL:
        pbt_buf_text(p->out, cell.u.i != 0 ? "true" : "false");
        break;
    case PBT_CELL_TEXT: {
        json_t *value = load_text(p->spec, cell);
        if (value == NULL) {
            p->out->failed = true;
            break;
        }
        struct printer plain = {.out = p->out, .style = p->style};
        print(&plain, value, depth);
        json_decref(value);
        break;
    }
    }
}

static void print(const struct printer *p, const json_t *value, int depth)
{
    if (depth > DEPTH_MAX || value == NULL) {
        pbt_buf_text(p->out, "null");
        return;
    }
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        print_object(p, value, depth);
        break;
    case JSON_ARRAY:
        print_array(p, value, depth);
        break;
    case JSON_STRING:
        pbt_python_string(p->out, json_string_value(value),
                          json_string_length(value));
        break;
    case JSON_INTEGER:
        if (p->spec != NULL) {
            print_cell(p, p->cells[json_integer_value(value)], depth);
        } else {
            pbt_buf_i64(p->out, json_integer_value(value));
        }
        break;
    case JSON_REAL:
        pbt_python_real(p->out, json_real_value(value), p->style.bare_nan);
        break;
    case JSON_TRUE:
        pbt_buf_text(p->out, "true");
        break;
    case JSON_FALSE:
        pbt_buf_text(p->out, "false");
        break;
    case JSON_NULL:
        pbt_buf_text(p->out, "null");
        break;
    }
}

void pbt_python_json(struct pbt_buf *out, const json_t *value,
                     struct pbt_python_style style)
{
    struct printer p = {.out = out, .style = style};
    print(&p, value, 0);
}

void pbt_shape_json(const struct pbt_shape *shape, const struct pbt_cell *cells,
                    struct pbt_python_style style, struct pbt_buf *out)
{
    struct printer p = {
        .out = out, .style = style, .spec = shape->spec, .cells = cells};
    print(&p, shape->tree, 0);
}
