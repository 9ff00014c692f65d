/*
 * JSON to a tree.  jansson reads it strictly but keeps no positions: a cursor
 * walks over the text, which is known to be right by then, beside jansson's values.
 */
#include "spec/tree.h"

#include <string.h>

#include <jansson.h>

struct cursor {
    const struct pbt_source *source;
    uint32_t index;
    size_t at;
    struct pbt_builder builder;
};

/* To the next byte that is no white space, `,` or `:`. */
static void skip_space(struct cursor *cursor)
{
    while (cursor->at < cursor->source->length &&
           strchr(" \t\r\n,:", cursor->source->text[cursor->at]) != NULL) {
        cursor->at++;
    }
}

/* Passes a string, number or word. */
static struct pbt_span skip_token(struct cursor *cursor)
{
    const char *text = cursor->source->text;
    size_t length = cursor->source->length;
    skip_space(cursor);
    size_t start = cursor->at;
    if (start < length && text[start] == '"') {
        size_t at = start + 1;
        while (at < length && text[at] != '"') {
            at += text[at] == '\\' ? 2 : 1;
        }
        cursor->at = at < length ? at + 1 : length;
    } else {
        while (cursor->at < length &&
               strchr(" \t\r\n,:]}", text[cursor->at]) == NULL) {
            cursor->at++;
        }
    }
    return (struct pbt_span){cursor->index, start, cursor->at - start};
}

static bool take_scalar(struct cursor *cursor, json_t *value)
{
    struct pbt_span span = skip_token(cursor);
    if (json_is_string(value)) {
        return pbt_builder_scalar(&cursor->builder, span,
                                  json_string_value(value),
                                  json_string_length(value), false);
    }
    return pbt_builder_scalar(&cursor->builder, span,
                              cursor->source->text + span.offset, span.length,
                              true);
}

/* As deep as PBT_TREE_DEPTH: pbt_builder_open() refuses more. */
static bool take_value(struct cursor *cursor, json_t *value)
{
    if (!json_is_object(value) && !json_is_array(value)) {
        return take_scalar(cursor, value);
    }
    skip_space(cursor);
    struct pbt_span span = {cursor->index, cursor->at, 1};
    enum pbt_node_kind kind =
        json_is_object(value) ? PBT_NODE_MAP : PBT_NODE_LIST;
    if (!pbt_builder_open(&cursor->builder, kind, span)) {
        return false;
    }
    cursor->at++;
    if (kind == PBT_NODE_LIST) {
        size_t i;
        json_t *item;
        json_array_foreach(value, i, item)
        {
            if (!take_value(cursor, item)) {
                return false;
            }
        }
    } else {
        const char *key;
        json_t *item;
        json_object_foreach(value, key, item)
        {
            if (!pbt_builder_scalar(&cursor->builder, skip_token(cursor), key,
                                    strlen(key), false) ||
                !take_value(cursor, item)) {
                return false;
            }
        }
    }
    pbt_builder_close(&cursor->builder);
    skip_space(cursor);
    cursor->at++;
    return true;
}

struct pbt_node *pbt_tree_json(const struct pbt_source *source, uint32_t index,
                               struct pbt_arena *arena,
                               struct pbt_problems *problems)
{
    struct cursor cursor = {
        .source = source,
        .index = index,
        .builder = {.arena = arena, .problems = problems},
    };
    json_error_t error;
    json_t *root = json_loadb(source->text, source->length,
                              JSON_REJECT_DUPLICATES, &error);
    if (root == NULL) {
        if (json_error_code(&error) == json_error_out_of_memory) {
            arena->failed = true;
            return NULL;
        }
        size_t offset = error.position > 0 ? (size_t)error.position - 1 : 0;
        struct pbt_span span = {index, offset, 1};
        pbt_problem(problems, PBT_E0006, span, "wrong JSON: %s",
                    pbt_quote(error.text, strlen(error.text)).text);
        return NULL;
    }
    bool good = take_value(&cursor, root);
    json_decref(root);
    return good ? cursor.builder.root : NULL;
}
