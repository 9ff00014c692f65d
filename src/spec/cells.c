/*
 * Constants of a configuration: numbers and truth values as they are, all else as
 * its canonical JSON text.
 */
#include "spec/reader.h"

#include <math.h>
#include <string.h>

#include "spec/scalar.h"

#define TEXT_MAX_BYTES (8 * PBT_SOURCE_MAX) /* a file, escaped */
#define EXACT_MAX 9007199254740992          /* 2^53 */

/* The texts that stand for numbers which JSON has no word for. */
static bool odd_number(const struct pbt_node *node, double *value)
{
    if (strcmp(node->text, "NaN") == 0) {
        *value = (double)NAN;
    } else if (strcmp(node->text, "Infinity") == 0) {
        *value = HUGE_VAL;
    } else if (strcmp(node->text, "-Infinity") == 0) {
        *value = -HUGE_VAL;
    } else {
        return false;
    }
    return true;
}

static void warn_yaml11(struct pbt_reader *reader, const struct pbt_node *node)
{
    const char *other =
        node->plain ? pbt_scalar_yaml11(node->text, node->length) : NULL;
    if (other != NULL) {
        pbt_reader_warn(reader, PBT_W0101, node,
                        "`%s` is a string here, though older YAML readers "
                        "take it for %s; quote it to make that plain",
                        pbt_quote(node->text, node->length).text, other);
    }
}

static void scalar_json(struct pbt_reader *reader, const struct pbt_node *node,
                        struct pbt_buf *out)
{
    struct pbt_scalar scalar =
        pbt_scalar_read(node->text, node->length, node->plain);
    switch (scalar.type) {
    case PBT_SCALAR_NULL:
        pbt_buf_text(out, "null");
        break;
    case PBT_SCALAR_BOOL:
        pbt_buf_text(out, scalar.truth ? "true" : "false");
        break;
    case PBT_SCALAR_INT:
        pbt_buf_i64(out, scalar.i);
        break;
    case PBT_SCALAR_REAL:
        pbt_buf_real(out, scalar.real);
        break;
    case PBT_SCALAR_STRING:
        warn_yaml11(reader, node);
        pbt_buf_json_string(out, node->text, node->length);
        break;
    }
}

/* As deep as the tree, which is limited. */
static void node_json(struct pbt_reader *reader, const struct pbt_node *node,
                      struct pbt_buf *out)
{
    if (node->kind == PBT_NODE_SCALAR) {
        scalar_json(reader, node, out);
        return;
    }
    bool map = node->kind == PBT_NODE_MAP;
    pbt_buf_char(out, map ? '{' : '[');
    for (const struct pbt_node *child = node->first; child != NULL;
         child = child->next) {
        if (child != node->first) {
            pbt_buf_char(out, ',');
        }
        if (map) {
            pbt_buf_json_string(out, child->text, child->length);
            pbt_buf_char(out, ':');
            node_json(reader, child->value, out);
        } else {
            node_json(reader, child, out);
        }
    }
    pbt_buf_char(out, map ? '}' : ']');
}

static bool text_cell(struct pbt_reader *reader, const struct pbt_node *node,
                      struct pbt_cell *cell)
{
    struct pbt_buf text;
    pbt_buf_init(&text, TEXT_MAX_BYTES);
    node_json(reader, node, &text);
    *cell = (struct pbt_cell){.type = PBT_CELL_TEXT};
    bool good = !pbt_buf_failed(&text) &&
                pbt_texts_add(&reader->spec->texts, text.data, text.length,
                              &cell->text) == PBT_OK;
    pbt_buf_done(&text);
    if (!good) {
        reader->spec->memory.failed = true;
    }
    return good;
}

bool pbt_read_cell(struct pbt_reader *reader, const struct pbt_node *node,
                   struct pbt_cell *cell)
{
    if (node->kind != PBT_NODE_SCALAR) {
        return text_cell(reader, node, cell);
    }
    struct pbt_scalar scalar =
        pbt_scalar_read(node->text, node->length, node->plain);
    bool integer = scalar.type == PBT_SCALAR_INT;
    if (integer && (scalar.i > EXACT_MAX || scalar.i < -EXACT_MAX)) {
        pbt_problem_label(pbt_problem(reader->problems, PBT_E0317, node->span,
                                      "a whole number beyond 2^53"),
                          "quote it to pass it on as a string");
        return false;
    }
    if (integer) {
        *cell = pbt_cell_int(scalar.i);
    } else if (scalar.type == PBT_SCALAR_REAL ||
               (scalar.type == PBT_SCALAR_STRING &&
                odd_number(node, &scalar.real))) {
        *cell = pbt_cell_real(scalar.real);
    } else if (scalar.type == PBT_SCALAR_BOOL) {
        *cell = (struct pbt_cell){.type = PBT_CELL_BOOL, .u.i = scalar.truth};
    } else {
        return text_cell(reader, node, cell);
    }
    return true;
}
